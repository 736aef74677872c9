# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module secret_audit as a whole: on real files, with others that write, and killed at every system call."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit import file_scan, host_scan
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.modules import secret_audit

COLLECTIONS = Path(__file__).parents[3] / ".cache" / "collections"

NOW, OLD, KIMI = "sk-now-0123456789abcdef", "sk-old-0123456789abcdef", "sk-kimi-0123456789abcdef"
MEMORY = ".clawdbot.json.clawfleet-old-keys"
REFERENCE = "${MOONSHOT_API_KEY}"


def config(key: str) -> str:
    return f"{{\n  // mine\n  models: {{ providers: {{ moonshot: {{ apiKey: '{key}', models: [] }} }} }},\n}}\n"


def models(**keys: str) -> str:
    return json.dumps({"providers": {name: {"apiKey": key, "models": []} for name, key in keys.items()}})


PROFILES = json.dumps({"version": 1, "profiles": {"moonshot:default": {"provider": "moonshot", "key": OLD}}})
AGENT, SESSIONS = "agents/main/agent", "agents/main/sessions"
# All that a gateway's folder may hold of keys, and what of it is left: the state folder is the current folder.
FILES: dict[str, tuple[str, str]] = {
    ".env": (f"MOONSHOT_API_KEY={NOW}\nKIMICODE_API_KEY={KIMI}\n",) * 2,
    ".env~": (f"MOONSHOT_API_KEY={OLD}\nA=b\n", "A=b\n"),
    "clawdbot.json": (config(NOW), config(REFERENCE)),
    "clawdbot.json.bak": (config(OLD), config(REFERENCE)),
    "clawdbot.json.bak.1": (config(REFERENCE),) * 2,
    f"{AGENT}/models.json": (models(moonshot=OLD, kimicode=KIMI), models(kimicode=KIMI)),
    f"{AGENT}/auth-profiles.json": (PROFILES, json.dumps({"version": 1, "profiles": {}})),
    f"{SESSIONS}/1.jsonl": (f'{{"text": "it is\\n{OLD}"}}\n', f'{{"text": "it is\\n{"*" * len(OLD)}"}}\n'),
    "logs/gateway.log": (f"{NOW} {NOW}\n{OLD}\n", f"{'*' * 23} {'*' * 23}\n{'*' * 23}\n"),
}


@dataclass(frozen=True)
class Gateway:
    """The folder of a gateway."""

    folder: Path

    def arguments(self, **more: object) -> dict[str, object]:
        providers = {"moonshot": "MOONSHOT_API_KEY", "kimicode": "KIMICODE_API_KEY"}
        own = {"state_dir": str(self.folder), "service_manager": "command", "providers": providers}
        return {**own, **more}

    def lay_out(self, files: Mapping[str, str]) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o600)
        self.folder.chmod(0o700)

    def files(self) -> dict[str, str]:
        """Name to text."""
        paths = [path for path in sorted(self.folder.rglob("*")) if path.is_file()]
        return {str(path.relative_to(self.folder)): path.read_text() for path in paths}

    def modes(self) -> dict[str, int]:
        return {str(path.relative_to(self.folder)): path.stat().st_mode for path in self.folder.rglob("*")}


BEFORE = {name: before for name, (before, _after) in FILES.items()}
AFTER = {name: after for name, (_before, after) in FILES.items()}


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    product = replace(PRODUCTS["clawdbot"], log_files=str(tmp_path / "logs" / "*.log"))
    monkeypatch.setitem(PRODUCTS, "clawdbot", product)
    made = Gateway(tmp_path / "gateway")
    made.lay_out(BEFORE)
    return made


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> Run:
    """The module's result with further arguments; no key is in what it prints."""

    def run_module(check_mode: bool = False, **more: object) -> dict[str, Any]:
        capsys.readouterr()
        arguments = {**gateway.arguments(**more), "_ansible_check_mode": check_mode, "_ansible_diff": True}
        with patch_module_args(arguments), pytest.raises(SystemExit) as leaving:
            secret_audit.main()
        printed = capsys.readouterr()
        assert [key for key in (NOW, OLD, KIMI) if key in printed.out + printed.err] == []
        result: dict[str, Any] = json.loads(printed.out)
        assert bool(leaving.value.code) == bool(result.get("failed"))
        return result

    return run_module


def places(findings: list[dict[str, Any]], gateway: Gateway) -> list[tuple[str, str, str, str]]:
    """Kind, file, where and status of each."""
    return [
        (one["kind"], os.path.relpath(one["place"], gateway.folder), one["where"], one["status"]) for one in findings
    ]


FOUND = [
    ("plain_text_key", "clawdbot.json", "models.providers.moonshot.apiKey", "current"),
    ("plain_text_key", "clawdbot.json.bak", "models.providers.moonshot.apiKey", "old"),
    ("plain_text_key", ".env~", "MOONSHOT_API_KEY", "old"),
    ("old_key", f"{AGENT}/models.json", "providers.moonshot.apiKey", "old"),
    ("auth_profile", f"{AGENT}/auth-profiles.json", "profiles.moonshot:default", "old"),
    ("plain_text_key", f"{SESSIONS}/1.jsonl", "line 1", "old"),
    ("plain_text_key", "logs/gateway.log", "line 1", "current"),
    ("plain_text_key", "logs/gateway.log", "line 2", "old"),
]


def test_an_audit_finds_every_place_and_changes_nothing(gateway: Gateway, run: Run) -> None:
    result = run()
    assert places(result["findings"], gateway) == FOUND
    assert all(one["purgeable"] for one in result["findings"])
    assert result["findings"][6]["message"] == (
        f"{gateway.folder}/logs/gateway.log holds the current key in plain text in line 1 and in 1 more places."
    )
    assert places(result["notes"], gateway) == [
        ("plain_text_key", f"{AGENT}/models.json", "providers.kimicode.apiKey", "current")
    ]
    assert (result["changed"], result["dangling"]) == (False, [])
    assert "diff" not in result
    assert gateway.files() == BEFORE


def test_a_purge_cleans_them_and_nothing_else_and_check_mode_says_so(gateway: Gateway, run: Run) -> None:
    modes = gateway.modes()
    checked = run(check_mode=True, state="purged")
    assert gateway.files() == BEFORE
    result = run(state="purged")
    assert {name: checked[name] for name in ("changed", "findings", "purged", "diff")} == {
        name: result[name] for name in ("changed", "findings", "purged", "diff")
    }
    assert result["changed"]
    assert result["findings"] == []
    assert places(result["purged"], gateway) == FOUND
    assert result["diff"][0] == {
        "before_header": f"{gateway.folder}/clawdbot.json",
        "after_header": f"{gateway.folder}/clawdbot.json",
        "before": f"models.providers.moonshot.apiKey=<{fingerprint(NOW)}>\n",
        "after": "",
    }
    assert gateway.files() == AFTER
    assert gateway.modes() == modes

    again = run(state="purged")
    assert (again["changed"], again["findings"], again["purged"], again["diff"]) == (False, [], [], [])
    assert run()["findings"] == []


def test_a_key_is_found_by_its_fingerprint_alone(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({".env": f"MOONSHOT_API_KEY={NOW}\n", "clawdbot.json": "{}", "notes.md": f"{OLD}\n"})
    assert run()["findings"] == []
    (finding,) = run(old_keys=[fingerprint(OLD)])["findings"]
    assert (finding["place"], finding["where"], finding["fingerprint"], finding["purgeable"], finding["hint"]) == (
        f"{gateway.folder}/notes.md",
        "line 1",
        fingerprint(OLD),
        False,
        "Take it out of there.",
    )
    assert run(state="purged", old_keys=[fingerprint(OLD)])["changed"] is False


def test_the_log_of_the_product_is_cleaned_in_its_own_folder_and_where_the_config_says(
    gateway: Gateway, run: Run
) -> None:
    own, told = gateway.folder.parent / "logs" / "clawdbot-1.log", gateway.folder.parent / "told.log"
    gateway.lay_out({**AFTER, "clawdbot.json": f"{{logging: {{file: '{told}'}}}}"})
    own.parent.mkdir()
    for path in (own, told):
        path.write_text(f"the key is {NOW}\n")
    assert [(one["place"], one["where"]) for one in run(state="purged")["purged"]] == [
        (str(told), "line 1"),
        (str(own), "line 1"),
    ]
    assert own.read_text() == told.read_text() == f"the key is {'*' * len(NOW)}\n"


def test_the_history_of_a_shell_is_told_of(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({".env": f"MOONSHOT_API_KEY={NOW}\n"})
    history = gateway.folder.parent / "home" / ".bash_history"
    history.write_text(f"ls\nexport MOONSHOT_API_KEY={NOW}\n")
    (finding,) = run(state="purged")["findings"]
    assert (finding["place"], finding["where"], finding["hint"]) == (
        str(history),
        "line 2",
        "Take the line out of it (history -d in bash), and give the provider a new key.",
    )


def test_modes_are_narrowed(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({**AFTER, "clawdbot.json": "{gateway: {auth: {token: 'abc'}}}"})
    for name, mode in {".env": 0o640, "clawdbot.json": 0o644, "clawdbot.json.bak.1": 0o644, ".": 0o755}.items():
        (gateway.folder / name).chmod(mode)
    result = run(state="purged")
    assert [(one["place"], one["message"]) for one in result["purged"]] == [
        (
            f"{gateway.folder}/{name}".rstrip("/."),
            f"{gateway.folder}{end} has mode {mode}: other accounts get at the keys in it.",
        )
        for name, end, mode in (
            ("clawdbot.json", "/clawdbot.json", "0644"),
            (".env", "/.env", "0640"),
            ("", "", "0755"),
        )
    ]
    modes = {name: (gateway.folder / name).stat().st_mode & 0o777 for name in (".env", "clawdbot.json", ".")}
    assert modes == {".env": 0o600, "clawdbot.json": 0o600, ".": 0o700}
    # No secret is in it, so it may be read.
    assert (gateway.folder / "clawdbot.json.bak.1").stat().st_mode & 0o777 == 0o644
    assert run(state="purged")["changed"] is False


def test_a_file_with_a_key_and_a_wrong_mode_loses_both(gateway: Gateway, run: Run) -> None:
    backup = gateway.folder / "clawdbot.json.bak"
    backup.chmod(0o644)
    assert ("wrong_mode", "clawdbot.json.bak", "", "") in places(run(state="purged")["purged"], gateway)
    assert (backup.read_text(), backup.stat().st_mode & 0o777) == (config(REFERENCE), 0o600)


def test_a_file_of_another_account_is_told_of(gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.lay_out(AFTER)
    read = atomic.read

    def read_as_if(path: str) -> atomic.Snapshot:
        snapshot = read(path)
        return replace(snapshot, owner=12345) if path.endswith(".env") else snapshot

    monkeypatch.setattr(atomic, "read", read_as_if)
    own = os.geteuid()
    (finding,) = run(state="purged")["findings"]
    assert (finding["kind"], finding["message"], finding["hint"]) == (
        "wrong_owner",
        f"{gateway.folder}/.env belongs to the account 12345, and the gateway's folder to {own}.",
        f"chown it to {own}, or remove it.",
    )


def test_what_a_dead_run_left_goes_and_its_record_stays(gateway: Gateway, run: Run) -> None:
    gateway.lay_out(AFTER)
    record = gateway.folder / ".clawdbot.json.clawfleet-journal"
    record.write_text(json.dumps({"env": f"x\nMOONSHOT_API_KEY={OLD}\n"}))
    record.chmod(0o600)
    leftover = gateway.folder / ".models.json.0123456789abcdef.clawfleet-new"
    leftover.write_text(OLD)
    result = run(state="purged", old_keys=[fingerprint(OLD)])
    hint = "Run the role again, or clawfleet.clawdbot.rollback."
    assert [(one["kind"], one["place"], one["status"], one["hint"]) for one in result["findings"]] == [
        ("plain_text_key", str(record), "old", hint),
        ("unfinished_run", str(record), "", hint),
    ]
    assert [(one["kind"], one["place"]) for one in result["purged"]] == [("leftover", str(leftover))]
    assert record.exists()
    assert not leftover.exists()


def lead_nowhere(path: Path) -> None:
    """Makes a link to itself."""
    path.symlink_to(path)


@pytest.mark.parametrize("name", ["clawdbot.json", f"{AGENT}/models.json", f"{AGENT}/auth-profiles.json"])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_text(f"{{a: {OLD}}}"), r"expected .* at line 1, column \d+"),
        (Path.mkdir, r"Cannot read .*: Is a directory"),
        (os.mkfifo, r".* is not a regular file"),
        (lead_nowhere, r"Cannot read .*: Too many levels of symbolic links"),
        (
            lambda path: os.truncate(path, path.write_text("x") * 2**25),
            r"It has 33554432 bytes, and what it should be has no more than 16777216",
        ),
    ],
)
def test_what_cannot_be_looked_into_is_said(
    gateway: Gateway, run: Run, name: str, make: Callable[[Path], object], reason: str
) -> None:
    gateway.lay_out(AFTER)
    (gateway.folder / name).unlink()
    make(gateway.folder / name)
    (finding,) = run(state="purged")["findings"]
    assert (finding["kind"], finding["place"]) == ("unreadable", f"{gateway.folder}/{name}")
    assert re.fullmatch(
        rf"{re.escape(str(gateway.folder / name))} cannot be looked into: {reason}\.", finding["message"]
    ), finding["message"]


def test_a_copy_that_is_no_text_is_left_alone(gateway: Gateway, run: Run) -> None:
    content = f"b0VIM\0{NOW}\0"
    gateway.lay_out({**AFTER, ".env.swp": content})
    (finding,) = run(state="purged")["findings"]
    assert (finding["place"], finding["hint"]) == (f"{gateway.folder}/.env.swp", "Remove it.")
    assert gateway.files()[".env.swp"] == content


def test_no_folder_is_an_error(gateway: Gateway, run: Run) -> None:
    shutil.rmtree(gateway.folder)
    assert run()["msg"] == (
        f"Directory {gateway.folder} cannot be opened: No such file or directory. Check that this account has a"
        " gateway."
    )


def test_models_that_nobody_has_are_named(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({**AFTER, "clawdbot.json": "{agents: {defaults: {model: 'gone/m'}}, $include: './more.json'}"})
    (gateway.folder / "more.json").write_text("{agents: {defaults: {models: {'far/m': {alias: 'far'}}}}}")
    assert [one["message"] for one in run()["dangling"]] == [
        "agents.defaults.model names gone/m, and there is no provider gone.",
        "the alias far in agents.defaults.models names far/m, and there is no provider far.",
    ]


def test_what_was_not_searched_is_said(gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.lay_out(AFTER)
    for name in "abcd":
        (gateway.folder / name).write_text("x" * 100)
    monkeypatch.setattr(file_scan, "_MOST_BYTES", 99)
    note = run()["notes"][-1]
    folder = gateway.folder
    assert note["message"] == (
        f"5 files were not searched, as there is more than an audit reads: {folder}/a, {folder}/b, {folder}/c and"
        " others."
    )


def test_the_config_stays_while_a_process_is_on_older_variables(
    gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A gateway is found by its lock. This process is older than the .env that was just written.
    locks = gateway.folder.parent / "tmp" / f"clawdbot-{os.geteuid()}"
    locks.mkdir(parents=True)
    lock = {"pid": os.getpid(), "configPath": f"{gateway.folder}/clawdbot.json", "createdAt": "2999-01-01T00:00:00Z"}
    (locks / "gateway.x.lock").write_text(json.dumps(lock))
    monkeypatch.setattr("tempfile.tempdir", str(locks.parent))
    (finding,) = run(state="purged")["findings"]
    assert (finding["place"], finding["hint"]) == (
        f"{gateway.folder}/clawdbot.json",
        "Restart the gateway, which is on older variables; then it can be cleaned.",
    )
    assert gateway.files() == {**AFTER, "clawdbot.json": BEFORE["clawdbot.json"]}


# --- Others write too --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in FILES if BEFORE[name] != AFTER[name] and "/1." not in name])
def test_a_writer_in_between_loses_nothing(
    gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = gateway.folder / name
    left = [f"{path.read_text()} \n"]
    examined = host_scan._examined

    def examined_and_written(*arguments: Any) -> Any:
        report = examined(*arguments)
        if left:
            path.write_text(left.pop())
        return report

    monkeypatch.setattr(host_scan, "_examined", examined_and_written)
    assert run(state="purged")["findings"] == []
    ending = "\n" if name == "logs/gateway.log" else " \n"
    assert gateway.files()[name].rstrip() == AFTER[name].rstrip()
    assert gateway.files()[name].endswith(ending)


def test_a_writer_that_never_ends_wins(gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = atomic.commit

    def beaten(snapshot: atomic.Snapshot, candidate: str) -> None:
        if snapshot.path.endswith(".json"):
            Path(snapshot.path).write_bytes((snapshot.content or b"") + b" ")
        commit(snapshot, candidate)

    monkeypatch.setattr(atomic, "commit", beaten)
    assert run(state="purged")["msg"] == (
        f"A file of {gateway.folder} was changed by another process each of the 5 times that it was to be cleaned. Run "
        "again later."
    )
    assert gateway.files() == {
        **BEFORE,
        "clawdbot.json": BEFORE["clawdbot.json"] + " " * 5,
        MEMORY: f"{fingerprint(OLD)}\n",
    }


def test_what_could_not_be_cleaned_is_looked_for_until_it_is_gone(gateway: Gateway, run: Run) -> None:
    notes = gateway.folder / "notes.md"
    notes.write_text(f"{OLD}\n")
    assert [one["place"] for one in run(state="purged")["findings"]] == [str(notes)]
    assert gateway.files() == {**AFTER, "notes.md": f"{OLD}\n", MEMORY: f"{fingerprint(OLD)}\n"}
    assert (gateway.folder / MEMORY).stat().st_mode & 0o777 == 0o600
    for state in ("audited", "purged"):
        result = run(state=state)
        assert (result["changed"], [one["place"] for one in result["findings"]]) == (False, [str(notes)])
    # A key that the host shall have after all is not looked for.
    assert run(fingerprints={"MOONSHOT_API_KEY": fingerprint(OLD)})["findings"][0]["where"] == "MOONSHOT_API_KEY"
    notes.unlink()
    assert run(state="purged")["findings"] == []
    assert gateway.files() == AFTER


def test_a_broken_memory_is_none(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({**AFTER, MEMORY: "\0nonsense\n"})
    assert run(state="purged")["findings"] == []
    assert gateway.files() == AFTER


# --- A run that dies ---------------------------------------------------------------------------------------------


def strace(gateway: Gateway, *options: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("strace")
    assert program, "strace is needed: apt-get install strace"
    script = (
        f"import json, sys; sys.path.insert(0, {str(COLLECTIONS)!r})\n"
        "from ansible.module_utils.testing import patch_module_args\n"
        "from ansible_collections.clawfleet.clawdbot.plugins.modules import secret_audit\n"
        "with patch_module_args(json.loads(sys.argv[1])):\n"
        "    secret_audit.main()\n"
    )
    return subprocess.run(
        [program, "-f", "-qq", *options, sys.executable, "-c", script, json.dumps(gateway.arguments(state="purged"))],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("call", ["rename", "pwrite64", "fsync"])
def test_killed_at_any_change_each_file_is_the_old_or_the_clean_one_and_the_next_run_finishes(
    gateway: Gateway, run: Run, tmp_path: Path, call: str
) -> None:
    log = tmp_path / "strace"
    assert strace(gateway, "-e", f"trace={call}", "-o", str(log)).returncode == 0
    assert gateway.files() == AFTER
    count = len(re.findall(rf"\b{call}\(", log.read_text()))
    assert count >= 3
    others = [Gateway(tmp_path / str(number)) for number in range(count)]
    for other in others:
        other.lay_out(BEFORE)

    def kill(number: int) -> int:
        inject = f"inject={call}:signal=KILL:when={number + 1}"
        return strace(others[number], "-o", "/dev/null", "-e", f"trace={call}", "-e", inject).returncode

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        assert list(pool.map(kill, range(count))) == [-9] * count

    seen = set()
    for other in others:
        left = other.files()
        for name, content in left.items():
            if name in FILES and name != "logs/gateway.log":
                assert content in FILES[name]
        seen.add(tuple(left.get(name) == AFTER[name] for name in FILES))
        assert run(state="purged", state_dir=str(other.folder))["findings"] == []
        assert other.files() == AFTER
    assert len(seen) > 1
