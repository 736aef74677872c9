# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module gateway_migrate as a whole, on real directories. The CLI of OpenClaw is a script in its place."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import state_copy
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import migration, systemd
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.systemd import EnvironmentFile, Unit
from ansible_collections.clawfleet.clawdbot.plugins.modules import gateway_migrate

KEY = "sk-0123456789abcdef0123456789"
CONFIG = """// mine
{
  env: { FLAT: "one" },
  agents: { defaults: { workspace: "~/clawd", model: { primary: "moonshot/kimi-k3" } } },
}
"""
CONVERTED = CONFIG.replace('FLAT: "one"', 'vars: { FLAT: "one" }')
PROFILES = {
    "version": 1,
    "profiles": {
        "anthropic:default": {"type": "api_key", "provider": "anthropic", "key": KEY},
        "moonshot:default": {"type": "api_key", "provider": "moonshot", "key": KEY},
        "openai:me": {"type": "oauth", "provider": "openai-codex", "access": KEY, "refresh": KEY},
    },
}


@dataclass(frozen=True)
class Host:
    """The home of an account with a gateway of Clawdbot."""

    home: Path

    @property
    def old(self) -> Path:
        return self.home / ".clawdbot"

    @property
    def new(self) -> Path:
        return self.home / ".openclaw"

    @property
    def archive(self) -> Path:
        return self.new / "clawdbot-before-migration"

    @property
    def aside(self) -> Path:
        return self.home / ".openclaw.clawfleet-before"


def tree(directory: Path) -> dict[str, tuple[int, bytes | str]]:
    """Everything in a directory: path -> mode and content."""
    return {
        str(path.relative_to(directory)): (
            path.lstat().st_mode,
            os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(directory.rglob("*"))
    }


@pytest.fixture
def host(tmp_path: Path) -> Host:
    made = Host(tmp_path.resolve() / "home")
    agent = made.old / "agents" / "main" / "agent"
    agent.mkdir(parents=True)
    (made.old / "agents" / "main" / "sessions").mkdir()
    (made.old / "agents" / "main" / "sessions" / "a.jsonl").write_text("{}\n")
    (made.old / "clawdbot.json").write_text(CONFIG)
    (made.old / "clawdbot.json.bak").write_text(f"apiKey: {KEY}")
    (made.old / ".env").write_text("MOONSHOT_API_KEY=sk-of-env\nCLAWDBOT_GATEWAY_TOKEN=token-of-mine\n")
    (agent / "auth-profiles.json").write_text(json.dumps(PROFILES))
    (agent / "models.json").write_text(f'{{"apiKey": "{KEY}"}}')
    (made.old / "link").symlink_to(made.old / "agents")
    return made


@pytest.fixture(autouse=True)
def units(monkeypatch: pytest.MonkeyPatch) -> dict[str, Unit]:
    """The units of the account, by name, and of the system, by `system` and name; none at first."""
    found: dict[str, Unit] = {}
    monkeypatch.setattr(
        systemd, "show_unit", lambda name, scope: found.get(name if scope == "user" else f"system {name}")
    )
    return found


@pytest.fixture(autouse=True)
def processes(monkeypatch: pytest.MonkeyPatch) -> dict[int, Process]:
    found: dict[int, Process] = {}
    monkeypatch.setattr(migration, "find_by_pid", found.get)
    return found


Run = Callable[..., Mapping[str, Any]]


@pytest.fixture
def run(host: Host, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_module(check_mode: bool = False, fails: bool = False, **more: object) -> Mapping[str, Any]:
        capsys.readouterr()
        arguments = {"clawdbot_state_dir": str(host.old), "state_dir": str(host.new), "port": 18789, **more}
        with (
            patch_module_args({**arguments, "_ansible_check_mode": check_mode, "_ansible_diff": True}),
            pytest.raises(SystemExit) as ended,
        ):
            gateway_migrate.main()
        printed = "".join(capsys.readouterr())
        assert KEY not in printed
        assert "sk-of-env" not in printed
        assert (ended.value.code != 0) == fails, printed
        result: Mapping[str, Any] = json.loads(printed)
        return result

    return run_module


def test_check_mode_says_what_is_changed_and_lost_and_touches_nothing(host: Host, run: Run) -> None:
    before = tree(host.home)

    result = run(check_mode=True)

    assert tree(host.home) == before
    assert result["changed"]
    assert result["status"] == "due"
    assert result["model"] == "moonshot/kimi-k3"
    assert result["blockers"] == []
    assert result["changes"] == [
        "env.FLAT becomes env.vars.FLAT.",
        "The key of auth profile anthropic:default of agent main becomes ANTHROPIC_API_KEY of .env.",
        "CLAWDBOT_GATEWAY_TOKEN of .env becomes OPENCLAW_GATEWAY_TOKEN of .env.",
        f"{host.old} is copied to {host.new}, and kept in {host.archive} once a model has answered.",
    ]
    assert result["lost"] == [
        "Auth profile moonshot:default of agent main is not kept: MOONSHOT_API_KEY has another key, which OpenClaw "
        "uses.",
        "Auth profile openai:me of agent main is not kept. Log in again: openclaw models auth login.",
    ]


def test_copy_confirm_and_run_again(host: Host, run: Run) -> None:
    before = tree(host.old)

    assert run()["changed"]

    assert tree(host.old) == before
    copied = tree(host.new)
    assert copied.pop(".clawfleet-migration")
    assert copied == {
        ".env": (
            stat.S_IFREG | 0o600,
            f"MOONSHOT_API_KEY=sk-of-env\nOPENCLAW_GATEWAY_TOKEN=token-of-mine\nANTHROPIC_API_KEY={KEY}\n".encode(),
        ),
        "openclaw.json": (stat.S_IFREG | 0o600, CONVERTED.encode()),
        "link": (before["link"][0], str(host.new / "agents")),
        **{path: entry for path, entry in before.items() if path.startswith("agents") and ".json" not in path[-5:]},
    }
    assert stat.S_IMODE(host.new.stat().st_mode) == 0o700

    assert run()["status"] == "interrupted"
    assert not run()["changed"]
    assert run(check_mode=True, state="confirmed")["changed"]
    assert host.old.exists()
    assert run(state="confirmed")["changed"]
    assert not host.old.exists()
    assert tree(host.archive) == before
    assert stat.S_IMODE(host.archive.stat().st_mode) == 0o700
    again = run()
    assert (again["status"], again["changed"]) == ("absent", False)
    assert not run(state="confirmed")["changed"]


def test_a_model_that_thinks_calls_tools_on_openclaw(host: Host, run: Run) -> None:
    models = '{ moonshot: { api: "openai-completions", models: [{ id: "kimi-k3", name: "K3" }] } }'
    (host.old / "clawdbot.json").write_text(CONFIG.replace("{\n", f"{{\n  models: {{ providers: {models} }},\n", 1))

    assert run()["changes"][1] == (
        "models.providers.moonshot.models.0.reasoning is set to true: kimi-k3 thinks, and calls no tool on OpenClaw "
        "without it."
    )
    assert 'name: "K3", reasoning: true }' in (host.new / "openclaw.json").read_text()
    assert "reasoning" not in (host.old / "clawdbot.json").read_text()


def test_the_dates_of_keys_are_kept(host: Host, run: Run) -> None:
    (host.old / ".clawdbot.json.clawfleet-key-dates").write_text("{}")
    run()
    assert {path.name: path.read_text() for path in host.new.glob(".*clawfleet-key-dates")} == {
        ".openclaw.json.clawfleet-key-dates": "{}"
    }


def test_the_way_back_leaves_every_byte(host: Host, run: Run) -> None:
    before = tree(host.home)
    run()

    assert run(check_mode=True, state="removed")["changed"]
    assert host.new.exists()
    assert run(state="removed")["changed"]

    assert tree(host.home) == before
    assert not run(state="removed")["changed"]


def taken_over(host: Host) -> None:
    """As OpenClaw does at its first start."""
    host.old.rename(host.new)
    host.old.symlink_to(host.new)


@pytest.mark.parametrize("has_link", [True, False], ids=["with the link", "without a link"])
def test_a_directory_that_openclaw_has_taken_over(host: Host, run: Run, has_link: bool) -> None:
    taken_over(host)
    (host.new / "state").mkdir()
    (host.new / "state" / "openclaw.sqlite").write_bytes(b"of OpenClaw")
    if not has_link:
        host.old.unlink()
    before = tree(host.home)

    assert run(check_mode=True)["status"] == "due"
    assert tree(host.home) == before
    run()
    assert (host.new / "openclaw.json").read_text() == CONVERTED
    assert (host.new / "state" / "openclaw.sqlite").read_bytes() == b"of OpenClaw"
    assert not (host.new / "clawdbot.json").exists()

    run(state="removed")
    assert tree(host.home) == before

    run()
    run(state="confirmed")
    assert (host.archive / "clawdbot.json").read_text() == CONFIG
    assert not host.aside.exists()
    assert host.old.is_symlink() == has_link
    assert run()["status"] == "absent"


@pytest.mark.parametrize("renames", [0, 1], ids=["before the first rename", "between both renames"])
@pytest.mark.parametrize("then", ["copied", "removed"])
def test_a_killed_run(host: Host, run: Run, monkeypatch: pytest.MonkeyPatch, renames: int, then: str) -> None:
    taken_over(host)
    before = tree(host.new)
    left = renames
    rename = os.rename

    def dies(source: str, target: str) -> None:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        rename(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(state_copy.os, "rename", dies)
        with pytest.raises(KeyboardInterrupt):
            run()
    assert host.new.exists() == (renames == 0)

    run(state=then)
    if then == "copied":
        assert run()["status"] == "interrupted"
        assert tree(host.aside) == before
        run(state="removed")
    assert tree(host.new) == before


def test_a_killed_confirmation_is_completed(host: Host, run: Run) -> None:
    before = tree(host.old)
    run()
    host.archive.mkdir()
    (host.archive / "half").write_text("copied")

    assert run(state="confirmed")["changed"]

    assert tree(host.archive) == before


# What is different, and why the host is rejected; {home} is the home of the account.
def both(host: Host) -> None:
    host.new.mkdir()
    (host.new / "openclaw.json").write_text("{}")


def no_config(host: Host) -> None:
    (host.old / "clawdbot.json").unlink()


def no_model(host: Host) -> None:
    (host.old / "clawdbot.json").write_text("{}")


def other_address(host: Host) -> None:
    (host.old / "clawdbot.json").write_text(CONFIG.replace("{\n", '{\n  gateway: { port: 20000, bind: "lan" },\n', 1))


def journal(host: Host) -> None:
    (host.old / ".clawdbot.json.clawfleet-journal").write_text("{}")


def other_agent(host: Host) -> None:
    agent = host.home / "agent"
    agent.mkdir()
    (agent / "auth-profiles.json").write_text("{}")
    (host.old / "clawdbot.json").write_text(
        CONFIG.replace("agents: {", f'agents: {{ list: [{{ id: "main", agentDir: "{agent}", workspace: "/w" }}],')
    )


def included_model(host: Host) -> None:
    models = {"moonshot": {"api": "openai-completions", "models": [{"id": "kimi-k3", "name": "K3"}]}}
    (host.home / "models.json5").write_text(json.dumps({"providers": models}))
    (host.old / "clawdbot.json").write_text(
        CONFIG.replace("{\n", f'{{\n  models: {{ "$include": "{host.home}/models.json5" }},\n', 1)
    )


REJECTED: dict[str, tuple[Callable[[Host], None], list[str]]] = {
    "both directories": (
        both,
        [
            "Both {home}/.clawdbot and {home}/.openclaw exist, and which of them is meant is not known. Move the other "
            "one away."
        ],
    ),
    "a model of an included file": (
        included_model,
        [
            "{home}/.clawdbot/clawdbot.json includes models.providers.moonshot.models.0 without `reasoning: true`: "
            "kimi-k3 thinks, and calls no tool on OpenClaw without it. Set it in the included file, and for Clawdbot "
            "`compat: {{supportsDeveloperRole: false, supportsReasoningEffort: false, supportsStore: false}}`."
        ],
    ),
    "no config": (no_config, ["{home}/.clawdbot contains no clawdbot.json. Check gateway_clawdbot_state_dir."]),
    "no model": (
        no_model,
        [
            "{home}/.clawdbot/clawdbot.json chooses no model, so that no message could verify the migration. Set "
            "agents.defaults.model.primary in it."
        ],
    ),
    "another address": (
        other_address,
        [
            "gateway_port is 18789, and the gateway of Clawdbot has 20000. Set gateway_port to 20000.",
            "gateway_bind is loopback, and the gateway of Clawdbot has lan. Set gateway_bind to lan.",
        ],
    ),
    "an unfinished run": (
        journal,
        [
            "{home}/.clawdbot has the rollback journal of a run that was not completed. Run clawfleet.clawdbot.rollout "
            "or clawfleet.clawdbot.rollback first."
        ],
    ),
    "auth profiles elsewhere": (
        other_agent,
        [
            "OpenClaw does not start with {home}/agent/auth-profiles.json, which is outside the state directory. Move "
            "it away: its keys are not kept."
        ],
    ),
}


@pytest.mark.parametrize(("prepare", "reasons"), REJECTED.values(), ids=REJECTED)
def test_a_host_that_cannot_be_migrated(
    host: Host, run: Run, prepare: Callable[[Host], None], reasons: list[str]
) -> None:
    prepare(host)
    before = tree(host.home)
    expected = [reason.format(home=host.home) for reason in reasons]

    assert run(check_mode=True)["blockers"] == expected
    failed = run(fails=True)

    assert failed["msg"] == " ".join(expected)
    assert tree(host.home) == before


def test_what_openclaw_rejects_is_a_blocker(host: Host, run: Run, tmp_path: Path) -> None:
    program = tmp_path / "openclaw"
    program.write_text(
        "#!/bin/sh\n"
        'grep -q "vars: { FLAT" "$OPENCLAW_CONFIG_PATH" && [ "$OPENCLAW_GATEWAY_TOKEN" = token-of-mine ] || exit 9\n'
        f"echo '{json.dumps({'issues': [{'path': 'talk', 'message': 'Unrecognized key'}]})}'\n"
        "exit 1\n"
    )
    program.chmod(0o755)
    before = tree(host.home)

    result = run(check_mode=True, program=["/bin/sh", str(program)])

    assert result["blockers"] == [
        "The config check rejected the new config: talk: Unrecognized key. Correct that in "
        f"{host.old}/clawdbot.json, which Clawdbot reads as before."
    ]
    assert tree(host.home) == before


def test_what_the_unit_has(host: Host, units: dict[str, Unit], run: Run) -> None:
    (host.home / ".env").write_text("GITHUB_PAT=of-home\nMOONSHOT_API_KEY=of-home\n")
    units["clawdbot-gateway"] = Unit(
        "clawdbot-gateway",
        arguments=("--port", "18789"),
        working_directory=str(host.home),
        enabled=True,
        environment={"MOONSHOT_API_KEY": KEY, "HOME": str(host.home), "CLAWDBOT_GATEWAY_PORT": "18789"},
        environment_files=(EnvironmentFile("/etc/a", None), EnvironmentFile("/etc/b", {"B": "b"})),
        files=("/u/clawdbot-gateway.service", "/u/clawdbot-gateway.service.d/x.conf"),
    )

    result = run(check_mode=True)

    assert result["enabled"]
    assert not result["active"]
    assert result["blockers"] == [
        "Unit clawdbot-gateway has environment variables from /etc/a, which the account of the gateway cannot read. "
        f"Move them to {host.old}/.env."
    ]
    assert f"GITHUB_PAT of {host.home}/.env is written to .env." in result["changes"]
    assert "MOONSHOT_API_KEY of unit clawdbot-gateway is written to .env." in result["changes"]
    assert "B of /etc/b is written to .env." in result["changes"]
    assert "Unit clawdbot-gateway is stopped and disabled." in result["changes"]
    assert (
        "Drop-in /u/clawdbot-gateway.service.d/x.conf of unit clawdbot-gateway is not kept. If it is needed, write one "
        "for unit openclaw-gateway."
    ) in result["lost"]


@pytest.mark.parametrize("name", ["clawdbot-gateway", "openclaw-gateway"])
@pytest.mark.parametrize(
    ("arguments", "loaded", "status"),
    [
        (("/usr/bin/node", "/opt/openclaw/node_modules/openclaw/openclaw.mjs", "gateway"), (), "absent"),
        (("openclaw-gateway",), (), "absent"),
        (("node", "/usr/local/bin/openclaw", "gateway"), (), "absent"),
        (("node",), ("/opt/x/node_modules/openclaw/node_modules/a/a.node",), "absent"),
        (("/usr/bin/node", "/opt/openclaw/node_modules/clawdbot/dist/entry.js", "gateway"), (), "due"),
    ],
    ids=["by its script", "by its title", "by its link", "by its modules", "another product"],
)
def test_where_openclaw_runs_there_is_nothing_to_migrate(
    host: Host,
    units: dict[str, Unit],
    processes: dict[int, Process],
    run: Run,
    name: str,
    arguments: tuple[str, ...],
    loaded: tuple[str, ...],
    status: str,
) -> None:
    taken_over(host)
    units[name] = Unit(name, main_pid=7)
    processes[7] = Process(7, 0.0, arguments=arguments, loaded=loaded)

    assert run(check_mode=True)["status"] == status


STARTED = (
    "Unit openclaw-gateway is started already, and would be replaced. Stop and disable it, or set gateway_service_name "
    "to another name. If it has replaced Clawdbot, stop and disable unit clawdbot-gateway instead."
)
BESIDE = (
    "systemd has a unit {} of the {} as well, which would start a second gateway. Stop and disable it, or set "
    "gateway_service_manager to systemd_{} if that is the gateway."
)
HOME = os.path.expanduser("~")
# The units besides the one of Clawdbot, which runs, and why the host is rejected.
UNITS: dict[str, tuple[dict[str, Unit], list[str]]] = {
    "an OpenClaw that runs": ({"openclaw-gateway": Unit("openclaw-gateway", main_pid=8)}, [STARTED]),
    "one that is restarted again and again": (
        {"openclaw-gateway": Unit("openclaw-gateway", active_state="activating", enabled=True)},
        [STARTED],
    ),
    "one that was stopped": ({"openclaw-gateway": Unit("openclaw-gateway", active_state="failed", enabled=True)}, []),
    "one of the system": (
        {"system openclaw-gateway": Unit("openclaw-gateway", enabled=True, home=HOME)},
        [BESIDE.format("openclaw-gateway", "system", "system")],
    ),
    "one of another account": ({"system openclaw-gateway": Unit("openclaw-gateway", main_pid=8, home="/home/x")}, []),
    "a unit of the system that is off": ({"system clawdbot-gateway": Unit("clawdbot-gateway", home=HOME)}, []),
    "two of Clawdbot": (
        {"system clawdbot-gateway": Unit("clawdbot-gateway", active_state="active")},
        [BESIDE.format("clawdbot-gateway", "system", "system")],
    ),
}


@pytest.mark.parametrize("is_taken_over", [False, True], ids=["own directory", "taken over"])
@pytest.mark.parametrize(("beside", "reasons"), UNITS.values(), ids=UNITS)
def test_other_units(
    host: Host,
    units: dict[str, Unit],
    processes: dict[int, Process],
    run: Run,
    beside: dict[str, Unit],
    reasons: list[str],
    is_taken_over: bool,
) -> None:
    if is_taken_over:
        taken_over(host)
    units.update({"clawdbot-gateway": Unit("clawdbot-gateway", main_pid=7), **beside})
    processes[7] = Process(7, 0.0, arguments=("clawdbot-gateway",))
    processes[8] = Process(8, 0.0, arguments=("openclaw-gateway",))

    result = run(check_mode=True)

    assert (result["status"], result["blockers"]) == ("due", reasons)


def test_the_units_of_the_other_manager_and_another_name(host: Host, units: dict[str, Unit], run: Run) -> None:
    assert host.old.exists()
    units["openclaw-gateway"] = Unit("openclaw-gateway", main_pid=8)
    units["mine"] = Unit("mine", enabled=True)

    result = run(check_mode=True, service_manager="systemd_system", service_name="mine")

    assert result["blockers"] == [BESIDE.format("mine", "user", "user")]


def test_clawdbot_runs_again_after_an_interrupted_run(
    host: Host, units: dict[str, Unit], processes: dict[int, Process], run: Run
) -> None:
    run()
    units["clawdbot-gateway"] = Unit("clawdbot-gateway", main_pid=7)
    processes[7] = Process(7, 0.0)
    reason = (
        f"Unit clawdbot-gateway runs again since a migration was interrupted, so {host.new} is outdated. Stop the unit "
        "to complete the migration, or remove that directory to begin again."
    )

    assert run(check_mode=True)["blockers"] == [reason]


def test_a_unit_that_was_enabled_before_an_interrupted_run(host: Host, units: dict[str, Unit], run: Run) -> None:
    assert host.old.exists()
    units["clawdbot-gateway"] = Unit("clawdbot-gateway", enabled=True)
    run()
    units["clawdbot-gateway"] = Unit("clawdbot-gateway", enabled=False)

    assert run(check_mode=True)["enabled"]


def test_both_directories_while_openclaw_runs(
    host: Host, units: dict[str, Unit], processes: dict[int, Process], run: Run
) -> None:
    both(host)
    units["openclaw-gateway"] = Unit("openclaw-gateway", main_pid=7)
    processes[7] = Process(7, 0.0, arguments=("openclaw-gateway",))

    assert len(run(check_mode=True)["blockers"]) == 1


def test_a_link_to_the_state_directory(host: Host, run: Run, tmp_path: Path) -> None:
    elsewhere = tmp_path.resolve() / "data"
    host.old.rename(elsewhere)
    host.old.symlink_to(elsewhere)

    run()
    run(state="confirmed")

    assert not host.old.is_symlink()
    assert not elsewhere.exists()
    assert (host.archive / "clawdbot.json").read_text() == CONFIG


def test_sockets_and_locks_are_left_out(host: Host, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(host.old)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s.sock")
        (host.old / "agents" / "main" / "sessions" / "sessions.json.lock").write_text("1")

        run()

    assert not (host.new / "s.sock").exists()
    assert not (host.new / "agents" / "main" / "sessions" / "sessions.json.lock").exists()


def test_a_damaged_record(host: Host, run: Run) -> None:
    run()
    (host.new / ".clawfleet-migration").write_text("{")

    assert run(fails=True)["msg"] == (
        f"{host.new}/.clawfleet-migration is damaged, so it is not known where the state of Clawdbot is. Restore it, "
        f"or remove {host.new} if that is the copy."
    )


def test_a_disk_that_is_too_small(host: Host, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_copy, "missing_bytes", lambda _source, _target: 5)

    assert run(check_mode=True)["blockers"] == [f"The disk of {host.new} has 5 bytes too few for a copy of {host.old}."]
