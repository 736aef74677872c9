# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module provider_config as a whole: on real files, killed and failed at every system call, and run by Ansible."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_reader import loads
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import apply, journal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import config_check
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.modules import provider_config

COLLECTIONS = Path(__file__).parents[3] / ".cache" / "collections"

OLD_KEY = "sk-old-0123456789abcdef"
NEW_KEY = "sk-new-0123456789abcdef"
OTHERS_KEY = "sk-others-0123456789abcdef"

OLD_CONFIG = b"""// written by hand
{
  gateway: { port: 18789, auth: { token: 'a-token-of-the-gateway' } }, // stays
  models: {
    mode: 'merge',
    providers: {
      other: { baseUrl: 'https://other.example/v1', apiKey: '${OTHER_API_KEY}', models: [] },
    },
  },
}
"""
OLD_ENV = f"# mine\nOTHER_API_KEY={OTHERS_KEY}\nMOONSHOT_API_KEY={OLD_KEY}\n".encode()
ENV_WITHOUT = f"# mine\nOTHER_API_KEY={OTHERS_KEY}\n".encode()
NEW_ENV = f"# mine\nOTHER_API_KEY={OTHERS_KEY}\nMOONSHOT_API_KEY={NEW_KEY}\n".encode()

BLOCK = {
    "baseUrl": "https://api.moonshot.cn/v1",
    "apiKey": "${MOONSHOT_API_KEY}",
    "models": [{"id": "kimi-k2.5", "name": "Kimi K2.5"}],
}
NEW_CONFIG = OLD_CONFIG.replace(
    b"models: [] },\n",
    b"""models: [] },
      moonshot: {
        baseUrl: 'https://api.moonshot.cn/v1',
        apiKey: '${MOONSHOT_API_KEY}',
        models: [
          {
            id: 'kimi-k2.5',
            name: 'Kimi K2.5',
          },
        ],
      },
""",
)

CONFIG, ENV, RECORD = "clawdbot.json", ".env", ".clawdbot.json.clawfleet-journal"


@dataclass(frozen=True)
class Gateway:
    """The folder of a gateway, with its two files."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / CONFIG

    @property
    def env(self) -> Path:
        return self.folder / ENV

    def arguments(self, **more: object) -> dict[str, object]:
        """The module's arguments that turn the old files into the new ones."""
        wanted = {"providers": {"moonshot": BLOCK}, "env": {"MOONSHOT_API_KEY": NEW_KEY}}
        return {"config_path": str(self.config), "env_path": str(self.env), **wanted, **more}

    def reset(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.config.write_bytes(OLD_CONFIG)
        self.config.chmod(0o640)
        self.env.write_bytes(OLD_ENV)
        self.env.chmod(0o600)

    def files(self) -> dict[str, bytes]:
        """Everything in the folder; of a folder in it, that there is one."""
        return {path.name: path.read_bytes() if path.is_file() else b"" for path in sorted(self.folder.iterdir())}


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    made = Gateway(tmp_path / "gateway")
    made.reset()
    return made


@dataclass(frozen=True)
class Ran:
    """Exit code, result and everything printed by one run of the module."""

    code: int
    result: Mapping[str, Any]
    printed: str

    @property
    def changes(self) -> tuple[bool, bool, bool, bool]:
        assert self.code == 0, self.result
        return (*(self.result[f"{what}changed"] for what in ("", "config_", "env_")), self.result["unconfirmed"])


Run = Callable[..., Ran]


@pytest.fixture
def run_on(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the module on a gateway, with further arguments."""

    def run_module(gateway: Gateway, check_mode: bool = False, **more: object) -> Ran:
        capsys.readouterr()
        arguments = {**gateway.arguments(**more), "_ansible_check_mode": check_mode, "_ansible_diff": True}
        with patch_module_args(arguments), pytest.raises(SystemExit) as leaving:
            provider_config.main()
        printed = capsys.readouterr()
        return Ran(int(leaving.value.code or 0), json.loads(printed.out), printed.out + printed.err)

    return run_module


@pytest.fixture
def run(gateway: Gateway, run_on: Run) -> Run:
    return partial(run_on, gateway)


def shell(script: str) -> list[str]:
    """A checker that is a shell script: $1 is the candidate, $2 the scratch folder."""
    return ["/bin/sh", "-euc", script, "sh", "%s", "%d"]


# --- What is done ------------------------------------------------------------------------------------------------

CHANGES: dict[str, tuple[dict[str, object], tuple[bool, bool]]] = {
    "key and block": ({}, (True, True)),
    "key alone": ({"providers": {}}, (False, True)),
    "block alone": ({"env": {"MOONSHOT_API_KEY": OLD_KEY}}, (True, False)),
    "neither": ({"env": {}, "providers": {}}, (False, False)),
    "default model": ({"env": {}, "providers": {}, "default_model": "other/x"}, (True, False)),
}


@pytest.mark.parametrize(("arguments", "changed"), CHANGES.values(), ids=CHANGES)
def test_check_mode_says_what_the_run_does_and_the_second_run_does_nothing(
    gateway: Gateway, run: Run, arguments: dict[str, object], changed: tuple[bool, bool]
) -> None:
    before = gateway.files()
    predicted = run(check_mode=True, **arguments)
    assert gateway.files() == before
    first = run(**arguments)
    assert first.changes == (any(changed), *changed, any(changed))
    assert first.result == predicted.result
    after = gateway.files()
    again = run(**arguments)
    assert again.changes == (False, False, False, any(changed))
    assert gateway.files() == after
    assert run(state="confirmed").changes == (False, False, False, False)
    assert sorted(gateway.files()) == [ENV, CONFIG]
    assert run(**arguments).changes == (False, False, False, False)


def test_writes_what_is_asked_and_keeps_every_other_byte(gateway: Gateway, run: Run) -> None:
    assert run().changes == (True, True, True, True)
    files = gateway.files()
    assert (files[CONFIG], files[ENV]) == (NEW_CONFIG, NEW_ENV)
    assert gateway.config.stat().st_mode & 0o777 == 0o640
    assert (gateway.folder / RECORD).stat().st_mode & 0o777 == 0o600


def test_absent_takes_away_what_present_brought(gateway: Gateway, run: Run) -> None:
    profiles = gateway.folder / "agents" / "main" / "agent" / "auth-profiles.json"
    profiles.parent.mkdir(parents=True)
    profiles.write_text(json.dumps({"profiles": {"moonshot:default": {"provider": "moonshot", "key": NEW_KEY}}}))
    run()
    run(state="confirmed")
    less = {"state": "absent", "env": {"MOONSHOT_API_KEY": ""}, "providers": {"moonshot": {}}}
    before = gateway.files()
    predicted = run(check_mode=True, **less)
    assert gateway.files() == before

    done = run(**less)

    assert done.changes == (True, True, True, True)
    assert done.result == predicted.result
    assert (done.result["agent_files"], done.result["kept"]) == ([str(profiles)], [])
    assert (gateway.config.read_bytes(), gateway.env.read_bytes()) == (OLD_CONFIG, ENV_WITHOUT)
    assert json.loads(profiles.read_text()) == {"profiles": {}}
    assert done.result["diff"][0]["before"] == f"MOONSHOT_API_KEY=<{fingerprint(NEW_KEY)}>\n"
    assert NEW_KEY not in done.printed
    assert run(**less).changes == (False, False, False, True)
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert (gateway.config.read_bytes(), gateway.env.read_bytes()) == (NEW_CONFIG, NEW_ENV)


@pytest.fixture
def spelled(gateway: Gateway) -> Gateway:
    """A gateway whose files spell the provider qwen in more than one way."""
    agent = gateway.folder / "agents" / "main" / "agent"
    agent.mkdir(parents=True)
    block = {"models": [{"id": "coder"}]}
    models = {"qwen-portal/coder": {"alias": "q"}, "Qwen/coder": {}, "other/x": {}}
    choice = {"primary": "other/x", "fallbacks": ["qwen/coder", "q", "other/y"]}
    gateway.config.write_text(
        json.dumps(
            {
                "models": {"mode": "merge", "providers": {"qwen-portal": block, "Qwen": block, "other": block}},
                "agents": {"defaults": {"models": models, "model": choice}},
            }
        )
    )
    (agent / "models.json").write_text(json.dumps({"providers": {"qwen-portal": block, "QWEN": block, "other": block}}))
    profiles = {"a": {"provider": "qwen-portal"}, "b": {"provider": "qwen"}, "c": {"provider": "other"}}
    (agent / "auth-profiles.json").write_text(json.dumps({"profiles": profiles, "order": {"qwen-portal": ["a"]}}))
    return gateway


def providers_left(gateway: Gateway) -> dict[str, Any]:
    """What the files of a gateway have of providers."""
    agent = gateway.folder / "agents" / "main" / "agent"
    config = loads(gateway.config.read_text())
    profiles = json.loads((agent / "auth-profiles.json").read_text())
    return {
        "blocks": [*config["models"]["providers"]],
        "models": [*config["agents"]["defaults"]["models"]],
        "fallbacks": config["agents"]["defaults"]["model"]["fallbacks"],
        "models.json": [*json.loads((agent / "models.json").read_text())["providers"]],
        "profiles": [*profiles["profiles"]],
        "order": [*profiles["order"]],
    }


@pytest.mark.parametrize("name", ["qwen", "qwen-portal", "QWEN"])
def test_absent_removes_all_spellings_of_a_provider(spelled: Gateway, run_on: Run, name: str) -> None:
    done = run_on(spelled, state="absent", providers={name: {}}, env={})
    assert done.changes == (True, True, False, True)
    assert [Path(path).name for path in done.result["agent_files"]] == ["models.json", "auth-profiles.json"]
    assert providers_left(spelled) == {
        "blocks": ["other"],
        "models": ["other/x"],
        "fallbacks": ["other/y"],
        "models.json": ["other"],
        "profiles": ["c"],
        "order": [],
    }


@pytest.mark.parametrize("told", ["by its files", "by the option"])
def test_absent_keeps_what_is_another_provider_to_openclaw(spelled: Gateway, run_on: Run, told: str) -> None:
    more = {"product": "openclaw"}
    if told == "by its files":
        (spelled.folder / "openclaw.json").touch()
        more = {}
    run_on(spelled, state="absent", providers={"qwen": {}}, env={}, **more)
    assert providers_left(spelled) == {
        "blocks": ["qwen-portal", "other"],
        "models": ["qwen-portal/coder", "other/x"],
        "fallbacks": ["q", "other/y"],
        "models.json": ["qwen-portal", "other"],
        "profiles": ["a", "c"],
        "order": ["qwen-portal"],
    }


def test_a_default_model_in_another_spelling_of_the_provider_is_rejected(spelled: Gateway, run_on: Run) -> None:
    before = spelled.files()
    done = run_on(spelled, state="absent", providers={"qwen": {}}, env={}, default_model="qwen-portal/coder")
    assert (done.code, done.result["msg"]) == (
        1,
        "default_model is qwen-portal/coder, a model of a provider that is to be removed.",
    )
    assert spelled.files() == before


def test_the_files_of_agents_may_be_elsewhere(run: Run, tmp_path: Path) -> None:
    models = tmp_path / "state" / "agents" / "main" / "agent" / "models.json"
    models.parent.mkdir(parents=True)
    models.write_text('{"providers": {"moonshot": {}}}')
    done = run(state="absent", state_dir=str(tmp_path / "state"))
    assert done.result["agent_files"] == [str(models)]
    assert models.read_text() == '{"providers": {}}'


def test_a_variable_that_stays_is_reported(gateway: Gateway, run: Run) -> None:
    done = run(state="absent", providers={}, env={"OTHER_API_KEY": ""})
    assert done.changes == (False, False, False, False)
    assert done.result["kept"] == ["OTHER_API_KEY"]
    assert gateway.env.read_bytes() == OLD_ENV


def test_makes_both_files_private_where_there_are_none(gateway: Gateway, run: Run) -> None:
    gateway.config.unlink()
    gateway.env.unlink()
    assert run().changes == (True, True, True, True)
    assert gateway.env.read_text() == f"MOONSHOT_API_KEY={NEW_KEY}\n"
    assert loads(gateway.config.read_text()) == {"models": {"mode": "merge", "providers": {"moonshot": BLOCK}}}
    assert [path.stat().st_mode & 0o777 for path in (gateway.config, gateway.env)] == [0o600, 0o600]
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert gateway.files() == {}


def test_an_open_env_is_closed_and_the_diff_says_so(gateway: Gateway, run: Run) -> None:
    gateway.env.chmod(0o644)
    ran = run(providers={}, env={})
    assert ran.changes == (True, False, True, True)
    assert ran.result["diff"][-1] == {
        "before_header": str(gateway.env),
        "after_header": str(gateway.env),
        "before": "mode 0644\n",
        "after": "mode 0600\n",
    }
    assert (gateway.env.read_bytes(), gateway.env.stat().st_mode & 0o777) == (OLD_ENV, 0o600)
    assert run(state="rolled_back").changes == (True, False, True, False)
    assert gateway.env.stat().st_mode & 0o777 == 0o644


def test_links_stay_links(gateway: Gateway, run: Run, tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    for path in (gateway.config, gateway.env):
        path.rename(real / f"the-{path.name}")
        path.symlink_to(f"../real/the-{path.name}")
    assert run().changes == (True, True, True, True)
    assert [os.readlink(path) for path in (gateway.config, gateway.env)] == [
        f"../real/the-{CONFIG}",
        f"../real/the-{ENV}",
    ]
    assert (gateway.config.read_bytes(), gateway.env.read_bytes()) == (NEW_CONFIG, NEW_ENV)
    assert run(state="confirmed").changes == (False, False, False, False)
    assert sorted(path.name for path in real.iterdir()) == [f"the-{ENV}", f"the-{CONFIG}"]


def test_a_key_that_the_product_wrote_is_put_back_to_its_reference(gateway: Gateway, run: Run) -> None:
    resolved = NEW_CONFIG.replace(b"${MOONSHOT_API_KEY}", OLD_KEY.encode())
    gateway.config.write_bytes(resolved)
    ran = run()
    assert ran.result["repaired"] == ["models.providers.moonshot.apiKey"]
    assert gateway.config.read_bytes() == NEW_CONFIG
    assert OLD_KEY not in ran.printed
    assert f"<{fingerprint(OLD_KEY)}>" in ran.printed


# --- What is refused ---------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "literal key": (
        {"providers": {"moonshot": {**BLOCK, "apiKey": NEW_KEY}}},
        "providers.moonshot.apiKey must be a reference to an environment variable: put the key into env and ${NAME}"
        " here.",
    ),
    "no variable": (
        {"env": {}, "providers": {"kimicode": {**BLOCK, "apiKey": "${KIMICODE_API_KEY}"}}},
        "The block of provider kimicode refers to ${KIMICODE_API_KEY}, which neither env nor {env} defines. The gateway"
        " rejects its whole config for one missing variable: add it to env.{unchanged}",
    ),
    "several faults": (
        {"providers": {"moonshot": []}, "env": {"key": NEW_KEY}, "default_model": "kimi"},
        "providers.moonshot must be a dictionary, as the config takes it. env: 'key' cannot be the name of an"
        " environment variable that the config refers to: use capital letters, digits and _, and no digit first."
        " default_model must be of the form provider/model.",
    ),
    "checker": (
        {"validate": shell('echo "Problem:" >&2; echo "  - models.x: bad $MOONSHOT_API_KEY in $1" >&2; exit 1')},
        f"The config check rejected the new config: models.x: bad <{fingerprint(NEW_KEY)}> in the new config."
        "{unchanged}",
    ),
    "no checker": (
        {"validate": ["/nowhere/clawdbot", "%s"]},
        "The config check cannot be run (No such file or directory): ['/nowhere/clawdbot', '%s'].{unchanged}",
    ),
}


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_changes_nothing(
    gateway: Gateway, run: Run, arguments: dict[str, object], message: str, check_mode: bool
) -> None:
    unchanged = "" if check_mode else " Nothing was changed."
    ran = run(check_mode=check_mode, **arguments)
    assert (ran.code, ran.result["msg"]) == (
        1,
        message.replace("{env}", str(gateway.env)).replace("{unchanged}", unchanged),
    )
    assert gateway.files() == {CONFIG: OLD_CONFIG, ENV: OLD_ENV}
    assert NEW_KEY not in ran.printed


# What is done in the folder, and what the module says then.
UNUSABLE: dict[str, tuple[str, str]] = {
    "config is no JSON5": (
        f"echo \"{{a: 1,, 'sk-0123456789'}}\" > {CONFIG}",
        "{config} cannot be read: expected a member name or '}' at line 1, column 7. The gateway cannot read it either:"
        " repair it, or restore {config}.bak. Nothing was changed.",
    ),
    "config is a folder": (
        f"rm {CONFIG}; mkdir {CONFIG}",
        "Cannot read {config}: Is a directory. Nothing was changed.",
    ),
    "config is a pipe": (f"rm {CONFIG}; mkfifo {CONFIG}", "{config} is not a regular file. Nothing was changed."),
    "env is a loop of links": (
        f"rm {ENV}; ln -s {ENV} {ENV}",
        "Cannot read {env}: Too many levels of symbolic links. Nothing was changed.",
    ),
    "no folder": (
        'rm -r "$PWD"',
        "Directory {folder} cannot be opened: No such file or directory. Check that this account has a gateway.",
    ),
    "record is broken": (
        f"echo {{}} > {RECORD}",
        "{folder}/.clawdbot.json.clawfleet-journal, the rollback journal of an earlier run, is broken. Check both"
        " files, then remove it. Nothing was changed.",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_file_that_cannot_be_used_is_named(gateway: Gateway, run: Run, spoil: str, message: str) -> None:
    subprocess.run(["/bin/sh", "-ec", spoil], cwd=gateway.folder, check=True)
    for name in ("config", "env", "folder"):
        message = message.replace("{" + name + "}", str(getattr(gateway, name)))
    ran = run()
    assert (ran.code, ran.result["msg"]) == (1, message)


def test_the_checker_gets_the_new_config_and_the_new_environment_and_nothing_stays(gateway: Gateway, run: Run) -> None:
    seen = gateway.folder.parent
    script = f'cp "$1" {seen}/config; env > {seen}/env; pwd > {seen}/pwd; echo x > "$2/state"; ls -ld "$2" > {seen}/ls'
    assert run(validate=shell(script)).changes == (True, True, True, True)
    assert (seen / "config").read_bytes() == NEW_CONFIG
    scratch = (seen / "pwd").read_text().strip()
    assert Path(scratch).parent == gateway.folder
    assert (seen / "ls").read_text().startswith("drwx------")
    assert sorted(gateway.files()) == [RECORD, ENV, CONFIG]
    environment = dict(line.split("=", 1) for line in (seen / "env").read_text().splitlines())
    assert {name: environment[name] for name in ("MOONSHOT_API_KEY", "OTHER_API_KEY", "HOME", "PATH")} == {
        "MOONSHOT_API_KEY": NEW_KEY,
        "OTHER_API_KEY": OTHERS_KEY,
        "HOME": scratch,
        "PATH": os.environ["PATH"],
    }
    assert "PYTEST_CURRENT_TEST" not in environment


def test_the_checker_does_not_run_where_the_config_does_not_change(gateway: Gateway, run: Run) -> None:
    assert run(providers={}, validate=["/bin/false"]).changes == (True, False, True, True)
    assert gateway.env.read_bytes() == NEW_ENV


def test_a_checker_that_hangs_is_ended_with_all_its_processes(
    gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_check, "_TIMEOUT_SECONDS", 1)
    pid = gateway.folder.parent / "pid"
    ran = run(validate=["/bin/sh", "-c", f"sleep 60 & echo $! > {pid}; wait"])
    assert ran.result["msg"] == (
        "The config check timed out after 1 seconds:"
        f" ['/bin/sh', '-c', 'sleep 60 & echo $! > {pid}; wait']. Nothing was changed."
    )
    assert gateway.files() == {CONFIG: OLD_CONFIG, ENV: OLD_ENV}
    deadline = time.monotonic() + 5
    while runs(int(pid.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runs(int(pid.read_text()))


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# --- Others write too --------------------------------------------------------------------------------------------

# Each stands for another process that comes in while the checker runs; it writes as often as {times} says.
ONCE_MORE = 'n=$(cat ../n 2>/dev/null || echo 0); [ "$n" -lt {times} ] || exit 0; echo $((n+1)) > ../n; cd ..; '
WRITERS: dict[str, tuple[str, Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "config, in place": (
        f'echo "// touched" >> {CONFIG}',
        lambda config: config + b"// touched\n",
        lambda env: env,
    ),
    "config, by a rename": (
        f'{{ echo "// touched"; cat {CONFIG}; }} > tmp; chmod 640 tmp; mv tmp {CONFIG}',
        lambda config: b"// touched\n" + config,
        lambda env: env,
    ),
    "env, in place": (f"echo A=1 >> {ENV}", lambda config: config, lambda env: env + b"A=1\n"),
    "env, by a rename": (
        f"{{ echo A=1; cat {ENV}; }} > tmp; chmod 600 tmp; mv tmp {ENV}",
        lambda config: config,
        lambda env: b"A=1\n" + env,
    ),
    "config becomes a link": (
        f'{{ echo "// touched"; cat {CONFIG}; }} > to$n; chmod 640 to$n; ln -sf to$n {CONFIG}',
        lambda config: b"// touched\n" + config,
        lambda env: env,
    ),
}


@pytest.mark.parametrize(("script", "config", "env"), WRITERS.values(), ids=WRITERS)
def test_a_writer_in_between_loses_nothing(
    gateway: Gateway, run: Run, script: str, config: Callable[[bytes], bytes], env: Callable[[bytes], bytes]
) -> None:
    once = ONCE_MORE.format(times=1) + script
    assert run(validate=shell(once.replace("../n", str(gateway.folder.parent / "n")))).changes == (
        True,
        True,
        True,
        True,
    )
    assert (gateway.config.read_bytes(), gateway.env.read_bytes()) == (config(NEW_CONFIG), env(NEW_ENV))
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert (gateway.config.read_bytes(), gateway.env.read_bytes()) == (config(OLD_CONFIG), env(OLD_ENV))


@pytest.mark.parametrize(("script", "config", "env"), WRITERS.values(), ids=WRITERS)
def test_a_writer_that_never_ends_wins(
    gateway: Gateway, run: Run, script: str, config: Callable[[bytes], bytes], env: Callable[[bytes], bytes]
) -> None:
    ran = run(validate=shell((ONCE_MORE.format(times=99) + script).replace("../n", str(gateway.folder.parent / "n"))))
    assert (ran.code, ran.result["msg"]) == (
        1,
        f"{gateway.config} or {gateway.env} was changed by another process during each of 5 attempts."
        " Both are as that process left them: find out what keeps writing, or run again later.",
    )
    theirs_config, theirs_env = OLD_CONFIG, OLD_ENV
    for _write in range(5):
        theirs_config, theirs_env = config(theirs_config), env(theirs_env)
    files = {name: content for name, content in gateway.files().items() if not name.startswith("to")}
    assert files == {CONFIG: theirs_config, ENV: theirs_env}


def test_a_second_run_waits_for_the_first(gateway: Gateway) -> None:
    slow = {"validate": ["/bin/sleep", "1"], "env": {}, "default_model": "other/x", "providers": {}}
    first = subprocess.Popen(driver(gateway.arguments(**slow)), stdout=subprocess.PIPE, text=True)
    while not any(path.name.endswith("-new") for path in gateway.folder.iterdir()):
        time.sleep(0.01)
    second = subprocess.run(driver(gateway.arguments()), stdout=subprocess.PIPE, text=True, check=True)
    first_result = json.loads(first.communicate()[0])
    assert [first_result["changed"], json.loads(second.stdout)["changed"]] == [True, True]
    config = loads(gateway.config.read_text())
    assert config["agents"]["defaults"]["model"] == {"primary": "other/x"}
    assert config["models"]["providers"]["moonshot"] == BLOCK


def test_the_wait_has_an_end(gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "_LOCK_SECONDS", 0.3)
    holder = os.open(gateway.folder, os.O_RDONLY)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        ran = run()
    finally:
        os.close(holder)
    assert (ran.code, ran.result["msg"]) == (
        1,
        f"Another run of the collection has locked {gateway.folder} for 0.3 seconds. Wait until it ends.",
    )
    assert run().changes == (True, True, True, True)


# --- The way back ------------------------------------------------------------------------------------------------


def test_rolled_back_restores_every_byte_and_the_modes(gateway: Gateway, run: Run) -> None:
    gateway.env.chmod(0o644)
    assert run().changes == (True, True, True, True)
    assert run(check_mode=True, state="rolled_back").changes == (True, True, True, False)
    assert gateway.config.read_bytes() == NEW_CONFIG
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert gateway.files() == {CONFIG: OLD_CONFIG, ENV: OLD_ENV}
    assert [path.stat().st_mode & 0o777 for path in (gateway.config, gateway.env)] == [0o640, 0o644]
    assert run(state="rolled_back").changes == (False, False, False, False)


def test_several_runs_that_nobody_confirmed_are_rolled_back_together(gateway: Gateway, run: Run) -> None:
    assert run(providers={}).changes == (True, False, True, True)
    assert run().changes == (True, True, False, True)
    assert run(default_model="moonshot/kimi-k2.5").changes == (True, True, False, True)
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert gateway.files() == {CONFIG: OLD_CONFIG, ENV: OLD_ENV}


def test_what_others_wrote_between_two_runs_survives_the_way_back(gateway: Gateway, run: Run) -> None:
    assert run().changes == (True, True, True, True)
    gateway.config.write_bytes(NEW_CONFIG.replace(b"18789", b"19999"))
    gateway.env.write_bytes(NEW_ENV + b"THEIRS=1\n")
    assert run(default_model="other/x", env={"MOONSHOT_API_KEY": f"{NEW_KEY}2"}).changes == (True, True, True, True)
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert gateway.files() == {CONFIG: OLD_CONFIG.replace(b"18789", b"19999"), ENV: OLD_ENV + b"THEIRS=1\n"}


def test_a_list_of_models_that_the_run_began_ends_with_it_also_where_others_wrote(gateway: Gateway, run: Run) -> None:
    assert run(aliases={"k25": "moonshot/kimi-k2.5"}).changes == (True, True, True, True)
    gateway.config.write_bytes(gateway.config.read_bytes() + b"// theirs\n")
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert loads(gateway.config.read_text()) == loads(OLD_CONFIG.decode())
    assert gateway.config.read_bytes().endswith(b"// theirs\n")


def test_a_config_that_others_broke_is_named_and_the_record_kept(gateway: Gateway, run: Run) -> None:
    assert run().changes == (True, True, True, True)
    gateway.config.write_text("{")
    ran = run(state="rolled_back")
    assert (ran.code, ran.result["msg"]) == (
        1,
        f"Others have written {gateway.config} since, and the changes of the earlier run in it cannot be rolled back:"
        " expected a member name or '}', found the end of the document at line 1, column 2. Repair the file, or keep it"
        " as it is with state=confirmed.",
    )
    assert (gateway.env.read_bytes(), RECORD in gateway.files()) == (NEW_ENV, True)


def test_the_record_is_of_one_env(gateway: Gateway, run: Run) -> None:
    assert run().changes == (True, True, True, True)
    ran = run(state="rolled_back", env_path=str(gateway.folder / "other.env"))
    assert (ran.code, ran.result["msg"]) == (
        1,
        f"{gateway.folder / RECORD} is the rollback journal of an earlier run that wrote {gateway.env}, not"
        f" {gateway.folder / 'other.env'}. Confirm or roll back that run first.",
    )


def test_what_dead_runs_left_is_removed_but_not_by_a_look(gateway: Gateway, run: Run) -> None:
    leftovers = [f".{name}.0123456789abcdef.clawfleet-new" for name in (CONFIG, ENV, RECORD)]
    for name in leftovers:
        (gateway.folder / name).write_text(OLD_KEY)
    scratch = gateway.folder / f"{leftovers[0]}.x1y2z3"
    (scratch / "agents").mkdir(parents=True)
    (scratch / "agents" / "models.json").write_text(OLD_KEY)
    somebody_elses = f".{CONFIG}.bak.clawfleet-new"
    (gateway.folder / somebody_elses).write_text("")
    before = sorted(path.name for path in gateway.folder.iterdir())
    for state in ("present", "rolled_back", "confirmed"):
        assert run(check_mode=True, state=state).code == 0
        assert sorted(path.name for path in gateway.folder.iterdir()) == before
    assert run(state="confirmed").changes == (False, False, False, False)
    assert sorted(path.name for path in gateway.folder.iterdir()) == sorted([CONFIG, ENV, somebody_elses])


# --- Nothing secret is shown -------------------------------------------------------------------------------------


def test_only_fingerprints_are_shown(run: Run) -> None:
    hidden = "s3cr3t-proxy-word"
    inline = "sk-inline-0123456789"
    block = {**BLOCK, "headers": {"X-Proxy-Token": hidden, "X-Odd": f"Bearer {inline}"}}
    ran = run(providers={"moonshot": block})
    assert ran.changes == (True, True, True, True)
    for secret in (OLD_KEY, NEW_KEY, OTHERS_KEY, hidden, inline, "a-token-of-the-gateway"):
        assert secret not in ran.printed
    assert [part["before"] for part in ran.result["diff"]] == [f"MOONSHOT_API_KEY=<{fingerprint(OLD_KEY)}>\n", "{}\n"]
    assert ran.result["diff"][0]["after"] == f"MOONSHOT_API_KEY=<{fingerprint(NEW_KEY)}>\n"
    shown = json.loads(ran.result["diff"][1]["after"])["models.providers.moonshot"]
    assert shown["headers"] == {"X-Proxy-Token": f"<{fingerprint(hidden)}>", "X-Odd": "Bearer <redacted>"}


# --- At every system call ----------------------------------------------------------------------------------------

# What Python does about its own memory, and while it waits for the checker; how often, is not the same each time.
UNCOUNTED = {"brk", "mmap", "munmap", "mremap", "madvise", "mprotect", "clock_nanosleep", "poll", "wait4"}
SCRATCH = re.compile(r"[0-9a-f]{16}\.clawfleet-new\.")
CALL = re.compile(r"(\d+) +(\w+)\((.*)")


@dataclass(frozen=True)
class Call:
    """A system call of a run: its name, how many of that name there were up to it, and the line it was traced as."""

    name: str
    number: int
    line: str


def driver(arguments: Mapping[str, object]) -> list[str]:
    """A process of its own that is the module."""
    script = (
        f"import json, sys; sys.path.insert(0, {str(COLLECTIONS)!r})\n"
        "from ansible.module_utils.testing import patch_module_args\n"
        "from ansible_collections.clawfleet.clawdbot.plugins.modules import provider_config\n"
        "with patch_module_args(json.loads(sys.argv[1])):\n"
        "    provider_config.main()\n"
    )
    return [sys.executable, "-c", script, json.dumps(arguments)]


def strace(*options: str, arguments: Mapping[str, object]) -> subprocess.CompletedProcess[str]:
    program = shutil.which("strace")
    assert program, "strace is needed: apt-get install strace"
    environment = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [program, "-f", "-qq", *options, *driver(arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def calls_while_locked(gateway: Gateway, arguments: Mapping[str, object]) -> list[Call]:
    """The module's own system calls from its lock to its answer, in a run that nothing hinders."""
    log = gateway.folder.parent / "strace"
    done = strace("-y", "-s", "8", "-o", str(log), arguments=arguments)
    assert done.returncode == 0, done.stderr
    counts: dict[str, int] = {}
    calls: list[Call] = []
    main = None
    for pid, name, line in (match.groups() for match in map(CALL.match, log.read_text().splitlines()) if match):
        main = main or pid
        if pid != main:
            continue
        counts[name] = counts.get(name, 0) + 1
        if calls and name == "write" and line.startswith("1<"):
            return calls
        if (calls or name == "flock") and name not in UNCOUNTED:
            calls.append(Call(name, counts[name], line))
    raise AssertionError("the run gave no answer")


@pytest.fixture
def trees(tmp_path: Path) -> Callable[[str], Gateway]:
    def tree(name: str) -> Gateway:
        made = Gateway(tmp_path / name / "gateway")
        made.reset()
        return made

    return tree


PREPARE: dict[str, list[str]] = {
    "present": [],
    "absent": ["present", "confirmed"],
    "rolled_back": ["present"],
    "confirmed": ["present"],
}
OLD, NEW, GONE = (OLD_CONFIG, OLD_ENV), (NEW_CONFIG, NEW_ENV), (OLD_CONFIG, ENV_WITHOUT)
# What stood in both files before the first run that was not confirmed, what may be found in them in the middle of a
# run, and what stands in them at its end. A config that refers to a variable which is not there must never be seen.
IN_BETWEEN = {
    "present": (OLD, [OLD, (OLD_CONFIG, NEW_ENV), NEW], NEW),
    "absent": (NEW, [NEW, (OLD_CONFIG, NEW_ENV), GONE], GONE),
    "rolled_back": (OLD, [NEW, (OLD_CONFIG, NEW_ENV), OLD], OLD),
    "confirmed": (OLD, [NEW], NEW),
}


def prepare(gateway: Gateway, state: str, run_on: Run) -> None:
    gateway.reset()
    for before in PREPARE[state]:
        assert run_on(gateway, state=before).code == 0


def checked(gateway: Gateway, state: str) -> dict[str, object]:
    return gateway.arguments(state=state, validate=["/usr/bin/env", "test", "-s", "%s"])


@pytest.mark.parametrize("state", PREPARE)
def test_killed_at_any_system_call_each_file_is_whole_and_the_next_run_finishes(
    tmp_path: Path, trees: Callable[[str], Gateway], run_on: Run, state: str
) -> None:
    before, between, after = IN_BETWEEN[state]
    whole = trees("whole")
    prepare(whole, state, run_on)
    calls = calls_while_locked(whole, checked(whole, state))
    assert {"flock", "close"} < {one.name for one in calls}
    gateways = [trees(str(index)) for index in range(len(calls))]
    for gateway in gateways:
        prepare(gateway, state, run_on)

    def kill(gateway: Gateway, at: Call) -> int:
        inject = f"inject={at.name}:signal=KILL:when={at.number}"
        return strace(
            "-o", "/dev/null", "-e", f"trace={at.name}", "-e", inject, arguments=checked(gateway, state)
        ).returncode

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        codes = list(pool.map(kill, gateways, calls))

    for gateway, at, code in zip(gateways, calls, codes):
        assert (at, code) == (at, -9)
        found = (gateway.config.read_bytes(), gateway.env.read_bytes())
        assert (at, found) in [(at, pair) for pair in between]
        aside = tmp_path / "aside"
        shutil.copytree(gateway.folder, aside)
        assert run_on(gateway, state=state).code == 0
        assert run_on(gateway, state="confirmed").code == 0
        assert (at, gateway.files()) == (at, {CONFIG: after[0], ENV: after[1]})
        # The other way out of the same death.
        shutil.rmtree(gateway.folder)
        shutil.copytree(aside, gateway.folder)
        shutil.rmtree(aside)
        record = (gateway.folder / RECORD).exists()
        assert run_on(gateway, state="rolled_back").code == 0
        back = before if record else found
        assert (at, gateway.files()) == (at, {CONFIG: back[0], ENV: back[1]})


# A failure that each kind of call has in reality: a full disk, one that was remounted read-only, an immutable file, ...
FAILURES = {
    "openat": "EROFS",
    "write": "ENOSPC",
    "fsync": "EIO",
    "rename": "EPERM",
    "unlink": "EPERM",
    "fchmod": "EPERM",
    "read": "EIO",
    "getdents64": "EIO",
    "flock": "ENOLCK",
    "mkdir": "ENOSPC",
}


@pytest.mark.parametrize("state", ["present", "absent", "rolled_back"])
def test_failing_at_any_system_call_both_files_are_as_they_were_and_the_error_names_the_file(
    trees: Callable[[str], Gateway], run_on: Run, state: str
) -> None:
    before, _between, after = IN_BETWEEN[state]
    whole = trees("whole")
    prepare(whole, state, run_on)
    about = str(whole.folder)
    calls = [
        one for one in calls_while_locked(whole, checked(whole, state)) if one.name in FAILURES and about in one.line
    ]
    assert {"openat", "write", "fsync", "rename", "fchmod", "read"} <= {one.name for one in calls}
    gateways = [trees(str(index)) for index in range(len(calls))]
    for gateway in gateways:
        prepare(gateway, state, run_on)

    def fail(gateway: Gateway, at: Call) -> subprocess.CompletedProcess[str]:
        inject = f"inject={at.name}:error={FAILURES[at.name]}:when={at.number}"
        return strace("-o", "/dev/null", "-e", f"trace={at.name}", "-e", inject, arguments=checked(gateway, state))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(fail, gateways, calls))

    for gateway, at, done in zip(gateways, calls, outcomes):
        assert (at, done.returncode, done.stderr) == (at, 1, "")
        result = json.loads(done.stdout)
        strerror = os.strerror(getattr(errno, FAILURES[at.name]))
        assert (at, "exception" in result, strerror in result["msg"]) == (at, False, True)
        named = result["msg"].replace(str(gateway.folder), "{folder}")
        assert (at, "{folder}" in named or "config check" in named) == (at, True), named
        if state != "rolled_back":
            assert (at, gateway.config.read_bytes(), gateway.env.read_bytes()) == (at, *before)
            leftover = set(gateway.files()) - {CONFIG, ENV}
            # Of a scratch folder that cannot be removed the next run will have to take care.
            assert (at, leftover) == (at, set()) or (SCRATCH.search(at.line) and all(map(SCRATCH.search, leftover)))
        # As soon as the fault is gone, the same run ends as if it had never been.
        assert run_on(gateway, state=state).code == 0
        assert run_on(gateway, state="confirmed").code == 0
        assert (at, gateway.files()) == (at, {CONFIG: after[0], ENV: after[1]})


def test_where_the_way_back_fails_too_the_record_is_kept_and_both_are_told(
    gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def full(source: str, target: str) -> None:
        if target.endswith(CONFIG) or (target.endswith(ENV) and gateway.env.read_bytes() == NEW_ENV):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        rename(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", full)
        ran = run()
    assert (ran.code, ran.result["msg"]) == (
        1,
        f"Cannot replace {gateway.config}: Read-only file system. The files that had been written before could not"
        f" be restored: Cannot replace {gateway.env}: Read-only file system. As soon as they can be written, restore"
        " them with state=rolled_back.",
    )
    assert sorted(gateway.files()) == [RECORD, ENV, CONFIG]
    assert run(state="rolled_back").changes == (True, False, True, False)
    assert gateway.files() == {CONFIG: OLD_CONFIG, ENV: OLD_ENV}


def test_a_file_that_does_not_fit_changes_nothing(gateway: Gateway) -> None:
    limited = ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *driver(gateway.arguments())]
    done = subprocess.run(limited, stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["msg"]) == (
        1,
        f"Cannot write a temporary file beside {gateway.config}: File too large. Nothing was changed.",
    )
    assert gateway.files() == {CONFIG: OLD_CONFIG, ENV: OLD_ENV}


# --- Run by Ansible ----------------------------------------------------------------------------------------------

PLAYS: dict[str, tuple[dict[str, object], int]] = {
    "done": ({}, 0),
    "predicted": ({"check_mode": True}, 0),
    "refused by the checker": (
        {"validate": shell('echo "- bad $MOONSHOT_API_KEY and $OTHER_API_KEY" >&2; exit 1')},
        2,
    ),
    "refused for a literal key": ({"providers": {"moonshot": {**BLOCK, "apiKey": NEW_KEY}}}, 2),
}


@pytest.fixture
def ansible(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def play(task: Mapping[str, object], pipelining: bool) -> subprocess.CompletedProcess[str]:
        (tmp_path / "play.json").write_text(
            json.dumps(
                [
                    {
                        "hosts": "localhost",
                        "connection": "local",
                        "gather_facts": False,
                        "vars": {"ansible_python_interpreter": sys.executable},
                        "tasks": [task],
                    }
                ]
            )
        )
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
            "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote"),
            "ANSIBLE_PIPELINING": str(pipelining),
            "TMPDIR": str(tmp_path / "tmp"),
        }
        (tmp_path / "tmp").mkdir(exist_ok=True)
        program = Path(sys.executable).parent / "ansible-playbook"
        return subprocess.run(
            [str(program), "-vvvv", "--diff", "-i", "localhost,", str(tmp_path / "play.json")],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return play


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "files"])
@pytest.mark.parametrize(("changes", "code"), PLAYS.values(), ids=PLAYS)
def test_at_vvvv_no_key_is_seen_and_nothing_stays_in_the_temporary_folders(
    tmp_path: Path,
    gateway: Gateway,
    ansible: Callable[..., subprocess.CompletedProcess[str]],
    changes: dict[str, object],
    code: int,
    pipelining: bool,
) -> None:
    asked = {name: value for name, value in changes.items() if name != "check_mode"}
    task = {
        "clawfleet.clawdbot.provider_config": gateway.arguments(**asked),
        "check_mode": changes.get("check_mode", False),
    }
    done = ansible(task, pipelining)
    assert done.returncode == code, done.stdout
    assert (gateway.config.read_bytes() == NEW_CONFIG) is (changes == {})
    seen = done.stdout + done.stderr
    assert ("PIPELINING: True" in seen or "pipelining is enabled" in seen.lower()) is pipelining
    for secret in (OLD_KEY, NEW_KEY, OTHERS_KEY, "a-token-of-the-gateway"):
        assert secret not in seen
    assert fingerprint(NEW_KEY) in seen or code == 2
    left = [path for name in ("local", "remote", "tmp") for path in (tmp_path / name).rglob("*") if path.is_file()]
    assert left == []


def test_the_record_hides_its_text(gateway: Gateway, run: Run) -> None:
    assert run().code == 0
    undo = journal.load(str(gateway.config), str(gateway.env))
    assert undo is not None
    assert OLD_KEY not in repr(undo)
