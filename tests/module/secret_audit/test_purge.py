# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A purge cleans what it may, and leaves the rest with a hint."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.secret_audit.gateway_files import (
    AFTER,
    BEFORE,
    FOUND,
    NOW,
    OLD,
    OLD_KEYS_FILE,
    REFERENCE,
    Gateway,
    Run,
    config,
    places,
)


def test_a_purge_cleans_all_findings_and_nothing_else_and_check_mode_predicts_it(gateway: Gateway, run: Run) -> None:
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
        "before_header": f"{gateway.state_dir}/clawdbot.json",
        "after_header": f"{gateway.state_dir}/clawdbot.json",
        "before": f"models.providers.moonshot.apiKey=<{fingerprint(NOW)}>\n",
        "after": "",
    }
    assert gateway.files() == AFTER
    assert gateway.modes() == modes

    again = run(state="purged")
    assert (again["changed"], again["findings"], again["purged"], again["diff"]) == (False, [], [], [])
    assert run()["findings"] == []


def test_permissions_of_other_accounts_are_removed(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({**AFTER, "clawdbot.json": "{gateway: {auth: {token: 'abc'}}}"})
    for name, mode in {".env": 0o640, "clawdbot.json": 0o644, "clawdbot.json.bak.1": 0o644, ".": 0o755}.items():
        (gateway.state_dir / name).chmod(mode)
    result = run(state="purged")
    assert [(one["place"], one["message"]) for one in result["purged"]] == [
        (
            f"{gateway.state_dir}/{name}".rstrip("/."),
            f"{gateway.state_dir}{end} has mode {mode}: other accounts can read the keys in it.",
        )
        for name, end, mode in (
            ("clawdbot.json", "/clawdbot.json", "0644"),
            (".env", "/.env", "0640"),
            ("", "", "0755"),
        )
    ]
    modes = {name: (gateway.state_dir / name).stat().st_mode & 0o777 for name in (".env", "clawdbot.json", ".")}
    assert modes == {".env": 0o600, "clawdbot.json": 0o600, ".": 0o700}
    # No secret is in it, so it may be read.
    assert (gateway.state_dir / "clawdbot.json.bak.1").stat().st_mode & 0o777 == 0o644
    assert run(state="purged")["changed"] is False


def test_a_file_with_a_key_and_a_wrong_mode_loses_both(gateway: Gateway, run: Run) -> None:
    backup = gateway.state_dir / "clawdbot.json.bak"
    backup.chmod(0o644)
    assert ("wrong_mode", "clawdbot.json.bak", "", "") in places(run(state="purged")["purged"], gateway)
    assert (backup.read_text(), backup.stat().st_mode & 0o777) == (config(REFERENCE), 0o600)


def test_the_log_is_cleaned_in_its_default_directory_and_where_the_config_sets_it(gateway: Gateway, run: Run) -> None:
    own, told = gateway.state_dir.parent / "logs" / "clawdbot-1.log", gateway.state_dir.parent / "told.log"
    gateway.lay_out({**AFTER, "clawdbot.json": f"{{logging: {{file: '{told}'}}}}"})
    own.parent.mkdir()
    for path in (own, told):
        path.write_text(f"the key is {NOW}\n")
    assert [(one["place"], one["where"]) for one in run(state="purged")["purged"]] == [
        (str(told), "line 1"),
        (str(own), "line 1"),
    ]
    assert own.read_text() == told.read_text() == f"the key is {'*' * len(NOW)}\n"


def test_leftovers_of_an_interrupted_run_are_removed_but_not_its_journal(gateway: Gateway, run: Run) -> None:
    gateway.lay_out(AFTER)
    record = gateway.state_dir / ".clawdbot.json.clawfleet-journal"
    record.write_text(json.dumps({"env": f"x\nMOONSHOT_API_KEY={OLD}\n"}))
    record.chmod(0o600)
    leftover = gateway.state_dir / ".models.json.0123456789abcdef.clawfleet-new"
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


def test_a_binary_copy_is_left_alone(gateway: Gateway, run: Run) -> None:
    content = f"b0VIM\0{NOW}\0"
    gateway.lay_out({**AFTER, ".env.swp": content})
    (finding,) = run(state="purged")["findings"]
    assert (finding["place"], finding["hint"]) == (f"{gateway.state_dir}/.env.swp", "Delete the file.")
    assert gateway.files()[".env.swp"] == content


def test_the_config_is_unchanged_while_the_process_has_older_variables(
    gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A gateway is found by its lock. This process is older than the .env that was just written.
    locks = gateway.state_dir.parent / "tmp" / f"clawdbot-{os.geteuid()}"
    locks.mkdir(parents=True)
    lock = {"pid": os.getpid(), "configPath": f"{gateway.state_dir}/clawdbot.json", "createdAt": "2999-01-01T00:00:00Z"}
    (locks / "gateway.x.lock").write_text(json.dumps(lock))
    monkeypatch.setattr("tempfile.tempdir", str(locks.parent))
    monkeypatch.setattr(process, "is_node", lambda _path: True)
    (finding,) = run(state="purged")["findings"]
    assert (finding["place"], finding["hint"]) == (
        f"{gateway.state_dir}/clawdbot.json",
        "Restart the gateway, which runs with an older .env. Then run clawfleet.clawdbot.purge.",
    )
    assert gateway.files() == {**AFTER, "clawdbot.json": BEFORE["clawdbot.json"]}


def test_an_old_key_that_remains_is_searched_for_until_it_is_removed(gateway: Gateway, run: Run) -> None:
    notes = gateway.state_dir / "notes.md"
    notes.write_text(f"{OLD}\n")
    assert [one["place"] for one in run(state="purged")["findings"]] == [str(notes)]
    assert gateway.files() == {**AFTER, "notes.md": f"{OLD}\n", OLD_KEYS_FILE: f"{fingerprint(OLD)}\n"}
    assert (gateway.state_dir / OLD_KEYS_FILE).stat().st_mode & 0o777 == 0o600
    for state in ("audited", "purged"):
        result = run(state=state)
        assert (result["changed"], [one["place"] for one in result["findings"]]) == (False, [str(notes)])
    # A key that the host should hold after all is not searched for.
    (finding,) = run(fingerprints={"MOONSHOT_API_KEY": fingerprint(OLD)})["findings"]
    assert finding["where"] == "MOONSHOT_API_KEY"
    notes.unlink()
    assert run(state="purged")["findings"] == []
    assert gateway.files() == AFTER


def test_a_broken_file_of_old_keys_is_ignored(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({**AFTER, OLD_KEYS_FILE: "\0nonsense\n"})
    assert run(state="purged")["findings"] == []
    assert gateway.files() == AFTER


def test_a_file_that_a_link_leads_to_is_not_cleaned_as_a_copy(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({**AFTER, "clawdbot.json": "{}"})
    (gateway.state_dir / ".env.current").symlink_to(".env")
    result = run(state="purged")
    assert (result["changed"], result["findings"]) == (False, [])
    assert gateway.files()[".env"] == AFTER[".env"]


def test_a_file_that_is_not_the_gateway_s_own_keeps_its_content_and_mode(gateway: Gateway, run: Run) -> None:
    other = gateway.state_dir.parent / "other.env"
    other.write_text(AFTER[".env"])
    other.chmod(0o600)
    gateway.lay_out({**AFTER, ".env": f"# {NOW}\n"})
    # The process works in the state directory.
    first = gateway.state_dir / ".env"
    first.chmod(0o644)
    result = run(state="purged", env_path=str(other))
    assert [(one["place"], one["where"], one["hint"]) for one in result["findings"]] == [
        (str(first), "line 1", "The gateway reads this file before its own .env: remove the variable from it.")
    ]
    assert (result["changed"], first.read_text(), first.stat().st_mode & 0o777) == (False, f"# {NOW}\n", 0o644)
