# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys in a file beside `.env`: moved there, replaced there, moved back, and interrupted at every system call."""

from __future__ import annotations

import itertools
import json
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_reader, key_files
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import references
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.provider_config.gateway_files import (
    BLOCK,
    DATES,
    ENV_WITHOUT,
    JOURNAL,
    NEW_CONFIG,
    NEW_ENV,
    NEW_KEY,
    OLD_CONFIG,
    OLD_KEY,
    Gateway,
    Run,
)
from tests.module.provider_config.system_calls import calls_while_locked, interrupt
from tests.module.provider_config.test_interruption import READING, copy, tree

KEYS = "clawfleet-keys.json"
NAME = "MOONSHOT_API_KEY"
REFERENCE = {"source": "file", "provider": "clawfleet", "id": f"/{NAME}"}
#: The options with which the key is in the file, and in `.env`.
IN_FILE = {"providers": {"moonshot": {**BLOCK, "apiKey": REFERENCE}}, "env": {}, "keys": {NAME: NEW_KEY}}
IN_ENV = {"providers": {"moonshot": BLOCK}, "env": {NAME: NEW_KEY}}
WITH_OLD_KEY = {**IN_FILE, "keys": {NAME: OLD_KEY}}
#: The same with a further environment variable, to which the block of the provider refers.
TEAM = "MOONSHOT_TEAM"
HEADERS = {"X-Team": f"${{{TEAM}}}"}
TEAM_AND_FILE = {
    **IN_FILE,
    "providers": {"moonshot": {**BLOCK, "apiKey": REFERENCE, "headers": HEADERS}},
    "env": {TEAM: "ours"},
}
TEAM_AND_ENV = {
    "providers": {"moonshot": {**BLOCK, "headers": HEADERS}},
    "env": {TEAM: "ours", NAME: NEW_KEY},
}
CHECK = ["/usr/bin/env", "test", "-s", "%s"]


def keys_text(key: str) -> bytes:
    return f'{{\n  "{NAME}": "{key}"\n}}\n'.encode()


def config(gateway: Gateway) -> Any:
    return json5_reader.loads(gateway.config.read_text())


def stored(gateway: Gateway) -> dict[str, str]:
    path = gateway.directory / KEYS
    return key_files.loads(path.read_text() if path.exists() else None)


def test_a_key_moves_to_the_file_and_back(tmp_path: Path, run_on: Run) -> None:
    gateway = Gateway(tmp_path / "gateway")
    gateway.reset()
    before = gateway.files()
    checked = run_on(gateway, check_mode=True, **IN_FILE)
    assert gateway.files() == before

    moved = run_on(gateway, **IN_FILE)

    assert moved.changes == (True, True, True, True)
    assert moved.result["keys_changed"]
    assert [checked.result[name] for name in ("changed", "keys_changed", "diff")] == [
        moved.result[name] for name in ("changed", "keys_changed", "diff")
    ]
    path = gateway.directory / KEYS
    assert path.stat().st_mode & 0o7777 == 0o600
    assert json.loads(path.read_text()) == {NAME: NEW_KEY}
    assert gateway.env.read_bytes() == ENV_WITHOUT
    assert config(gateway)["secrets"] == {
        "providers": {"clawfleet": {"source": "file", "path": str(path), "mode": "json"}}
    }
    assert config(gateway)["models"]["providers"]["moonshot"]["apiKey"] == REFERENCE
    assert {one["before_header"]: (one["before"], one["after"]) for one in moved.result["diff"]}[str(path)] == (
        "",
        f"{NAME}=<{fingerprint(NEW_KEY)}>\n",
    )
    assert NEW_KEY not in moved.printed
    assert OLD_KEY not in moved.printed
    dated = [fingerprint(OLD_KEY), fingerprint(NEW_KEY)]
    assert gateway.dated_keys() == dated
    assert (gateway.directory / DATES).stat().st_mode & 0o7777 == 0o600
    run_on(gateway, state="confirmed")
    again = run_on(gateway, **IN_FILE)
    assert (again.changes, again.result["keys_changed"]) == ((False, False, False, False), False)

    back = run_on(gateway, **IN_ENV)

    assert (back.changes, back.result["keys_changed"]) == ((True, True, True, True), True)
    run_on(gateway, state="confirmed")
    assert gateway.files() == {"clawdbot.json": NEW_CONFIG, ".env": NEW_ENV}
    # It is still the same key.
    assert gateway.dated_keys() == dated


def test_a_new_key_changes_only_the_file(tmp_path: Path, run_on: Run) -> None:
    gateway = Gateway(tmp_path / "gateway")
    gateway.reset()
    run_on(gateway, **WITH_OLD_KEY)
    run_on(gateway, state="confirmed")
    before = gateway.files()

    rotated = run_on(gateway, **IN_FILE)

    assert (rotated.changes, rotated.result["keys_changed"]) == ((True, False, False, True), True)
    assert stored(gateway) == {NAME: NEW_KEY}
    rolled_back = run_on(gateway, state="rolled_back")
    assert rolled_back.result["keys_changed"]
    assert gateway.files() == before


@pytest.mark.parametrize("options", [IN_FILE, IN_ENV])
def test_no_key_of_the_file_is_in_the_diff(tmp_path: Path, run_on: Run, options: dict[str, Any]) -> None:
    gateway = Gateway(tmp_path / "gateway")
    gateway.reset()
    # It looks like no key, and is where none is expected.
    key = "Zq8/0123456789"
    (gateway.directory / KEYS).write_text(json.dumps({NAME: key}))
    block = {"baseUrl": f"https://mine.example/{key}/v1", "apiKey": REFERENCE, "models": []}
    gateway.config.write_text(json.dumps({"models": {"providers": {"moonshot": block}}}))
    ran = run_on(gateway, **options)
    assert key not in ran.printed
    config_diff = next(one for one in ran.result["diff"] if one["before_header"] == str(gateway.config))
    assert f"https://mine.example/<{fingerprint(key)}>/v1" in config_diff["before"]


def test_the_journal_belongs_to_one_file_with_keys(tmp_path: Path, run_on: Run) -> None:
    gateway = Gateway(tmp_path / "gateway")
    gateway.reset()
    run_on(gateway, **WITH_OLD_KEY)
    run_on(gateway, state="confirmed")
    # Only the file with keys changes.
    assert run_on(gateway, **IN_FILE).changes == (True, False, False, True)
    other = gateway.directory / "other"
    other.mkdir()
    for state in ("rolled_back", "present"):
        options = {} if state == "rolled_back" else IN_FILE
        ran = run_on(gateway, state=state, env_path=str(other / ".env"), **options)
        assert (ran.code, ran.result["msg"]) == (
            1,
            f"{gateway.directory / JOURNAL} is the rollback journal of an earlier run that wrote "
            f"{gateway.directory / KEYS}, not {other / KEYS}. Confirm or roll back that run first."
            f"{' Nothing was changed.' if options else ''}",
        )
    assert list(other.iterdir()) == []
    assert run_on(gateway, state="rolled_back").code == 0
    assert stored(gateway) == {NAME: OLD_KEY}


def test_keys_of_others_and_comments_in_the_file_stay(tmp_path: Path, run_on: Run) -> None:
    gateway = Gateway(tmp_path / "gateway")
    gateway.reset()
    path = gateway.directory / KEYS
    path.write_text(f'{{\n  "MINE": "x", // mine\n  "{NAME}": "{OLD_KEY}"\n}}\n')
    path.chmod(0o644)
    assert run_on(gateway, **IN_FILE).code == 0
    assert path.read_text() == f'{{\n  "MINE": "x", // mine\n  "{NAME}": "{NEW_KEY}"\n}}\n'
    assert path.stat().st_mode & 0o7777 == 0o600
    assert run_on(gateway, **IN_ENV).code == 0
    assert json5_reader.loads(path.read_text()) == {"MINE": "x"}


def test_a_key_to_which_the_config_refers_stays(tmp_path: Path, run_on: Run) -> None:
    gateway = Gateway(tmp_path / "gateway")
    gateway.reset()
    run_on(gateway, **IN_FILE)
    # As a run writes new keys before the process has them.
    assert run_on(gateway, providers={}, env={NAME: OLD_KEY}).code == 0
    assert stored(gateway) == {NAME: NEW_KEY}
    assert dotenv.loads(gateway.env.read_text())[NAME] == OLD_KEY


def test_the_entry_stays_as_long_as_an_included_file_refers_to_it(tmp_path: Path, run_on: Run) -> None:
    gateway = Gateway(tmp_path / "gateway")
    gateway.reset()
    run_on(gateway, **IN_FILE)
    included = gateway.directory / "included.json5"
    included.write_text(json.dumps({"models": {"providers": {"mine": {"apiKey": {**REFERENCE, "id": "/MINE"}}}}}))
    gateway.config.write_text(gateway.config.read_text().replace("{", "{ $include: './included.json5',", 1))
    assert run_on(gateway, **IN_ENV).code == 0
    assert "clawfleet" in config(gateway)["secrets"]["providers"]


def test_a_removed_provider_leaves_nothing(tmp_path: Path, run_on: Run) -> None:
    gateway = Gateway(tmp_path / "gateway")
    gateway.reset()
    run_on(gateway, **IN_FILE)
    run_on(gateway, state="confirmed")
    removed = run_on(gateway, state="absent", providers={"moonshot": {}}, env={NAME: ""})
    assert removed.result["keys_changed"]
    run_on(gateway, state="confirmed")
    assert gateway.files() == {"clawdbot.json": OLD_CONFIG, ".env": ENV_WITHOUT}


@pytest.mark.parametrize("text", ["{", "[]", '{"A": 1}'])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, run_on: Run, text: str) -> None:
    gateway = Gateway(tmp_path / "gateway")
    gateway.reset()
    path = gateway.directory / KEYS
    path.write_text(text)
    before = gateway.files()
    ran = run_on(gateway, **IN_FILE)
    assert ran.code == 1
    assert ran.result["msg"].startswith(f"{path} cannot be read: ")
    assert ran.result["msg"].endswith(". Repair it, or move it away. Nothing was changed.")
    assert gateway.files() == before


#: The runs before that are confirmed, one that is not, and the run that is interrupted.
INTERRUPTED: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, Any]]] = {
    "a new key and a further variable": ([WITH_OLD_KEY], [], TEAM_AND_FILE),
    "to the file with a further variable": ([{**IN_ENV, "env": {NAME: OLD_KEY}}], [], TEAM_AND_FILE),
    "back to .env with a further variable": ([WITH_OLD_KEY], [], TEAM_AND_ENV),
    "removed": ([TEAM_AND_FILE], [], {"state": "absent", "providers": {"moonshot": {}}, "env": {NAME: "", TEAM: ""}}),
    "rolled back to .env": ([{**IN_ENV, "env": {NAME: OLD_KEY}}], [TEAM_AND_FILE], {"state": "rolled_back"}),
    "rolled back to the file": ([WITH_OLD_KEY], [TEAM_AND_ENV], {"state": "rolled_back"}),
}


@pytest.mark.parametrize("name", INTERRUPTED)
def test_killed_at_any_system_call_all_references_resolve_and_the_next_run_finishes(
    tmp_path: Path, run_on: Run, name: str
) -> None:
    confirmed, unconfirmed, options = INTERRUPTED[name]
    prepared = Gateway(tmp_path / "prepared" / "gateway")
    prepared.reset()
    for run in confirmed:
        assert run_on(prepared, **run).code == 0
        assert run_on(prepared, state="confirmed").code == 0
    before = files(prepared)
    for run in unconfirmed:
        assert run_on(prepared, **run).code == 0
    whole = moved_copy(prepared, tmp_path / "whole")

    def arguments(gateway: Gateway) -> dict[str, object]:
        return gateway.arguments(validate=CHECK, **options)

    made = calls_while_locked(whole, arguments(whole))
    assert run_on(whole, state="confirmed").code == 0
    after = files(whole)
    assert after == before if unconfirmed else after != before
    calls = [made[0], *(one for previous, one in itertools.pairwise(made) if previous.name not in READING)]
    gateways = [moved_copy(prepared, tmp_path / str(index)) for index in range(len(calls))]
    ended = interrupt(gateways, calls, arguments, lambda _name: "signal=KILL")

    recovered = set()
    for gateway, at, one in zip(gateways, calls, ended):
        assert (at, one.status) == (at, signal.SIGKILL)
        value = config(gateway)
        assert (at, references(value) - set(dotenv.loads(gateway.env.read_text()))) == (at, set())
        assert (at, key_files.file_references(value) - set(stored(gateway))) == (at, set())
        left = tree(gateway)
        if left in recovered:
            continue
        recovered.add(left)
        aside = tmp_path / "aside"
        shutil.copytree(gateway.directory, aside)
        found = {file: text for file, text in files(gateway).items() if "clawfleet-new" not in file}
        assert run_on(gateway, **options).code == 0
        assert run_on(gateway, state="confirmed").code == 0
        assert (at, files(gateway)) == (at, after)
        # A rollback in place of that run.
        shutil.rmtree(gateway.directory)
        shutil.copytree(aside, gateway.directory)
        shutil.rmtree(aside)
        has_journal = (gateway.directory / JOURNAL).exists()
        assert run_on(gateway, state="rolled_back").code == 0
        assert (at, files(gateway)) == (at, before if has_journal else found)
    assert len(recovered) > 3


def moved_copy(gateway: Gateway, to: Path) -> Gateway:
    """Return a copy of a gateway, whose config names the file with keys of the copy."""
    made = copy(gateway, to)
    made.config.write_bytes(made.config.read_bytes().replace(bytes(gateway.directory), bytes(made.directory)))
    return made


def files(gateway: Gateway) -> dict[str, bytes]:
    return {name: text.replace(bytes(gateway.directory), b"here") for name, text in gateway.files().items()}
