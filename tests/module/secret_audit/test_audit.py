# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An audit finds every key and changes nothing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit import file_scan
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.secret_audit.gateway_files import (
    AFTER,
    AGENT,
    BEFORE,
    FOUND,
    NOW,
    OLD,
    Gateway,
    Run,
    places,
)


def test_an_audit_finds_every_place_and_changes_nothing(gateway: Gateway, run: Run) -> None:
    result = run()
    assert places(result["findings"], gateway) == FOUND
    assert all(one["purgeable"] for one in result["findings"])
    assert result["findings"][6]["message"] == (
        f"{gateway.state_dir}/logs/gateway.log holds the current key in plain text in line 1 and in 1 more places."
    )
    assert places(result["notes"], gateway) == [
        ("plain_text_key", f"{AGENT}/models.json", "providers.kimicode.apiKey", "current")
    ]
    assert (result["changed"], result["dangling"]) == (False, [])
    assert "diff" not in result
    assert gateway.files() == BEFORE


def test_a_key_is_found_by_its_fingerprint_alone(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({".env": f"MOONSHOT_API_KEY={NOW}\n", "clawdbot.json": "{}", "notes.md": f"{OLD}\n"})
    assert run()["findings"] == []
    (finding,) = run(old_keys=[fingerprint(OLD)])["findings"]
    assert (finding["place"], finding["where"], finding["fingerprint"], finding["purgeable"], finding["hint"]) == (
        f"{gateway.state_dir}/notes.md",
        "line 1",
        fingerprint(OLD),
        False,
        "Take it out of there.",
    )
    assert run(state="purged", old_keys=[fingerprint(OLD)])["changed"] is False


def test_the_history_of_a_shell_is_told_of(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({".env": f"MOONSHOT_API_KEY={NOW}\n"})
    history = gateway.state_dir.parent / "home" / ".bash_history"
    history.write_text(f"ls\nexport MOONSHOT_API_KEY={NOW}\n")
    (finding,) = run(state="purged")["findings"]
    assert (finding["place"], finding["where"], finding["hint"]) == (
        str(history),
        "line 2",
        "Take the line out of it (history -d in bash), and give the provider a new key.",
    )


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
        f"{gateway.state_dir}/.env belongs to the account 12345, and the gateway's folder to {own}.",
        f"chown it to {own}, or remove it.",
    )


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
    (gateway.state_dir / name).unlink()
    make(gateway.state_dir / name)
    (finding,) = run(state="purged")["findings"]
    assert (finding["kind"], finding["place"]) == ("unreadable", f"{gateway.state_dir}/{name}")
    assert re.fullmatch(
        rf"{re.escape(str(gateway.state_dir / name))} cannot be looked into: {reason}\.", finding["message"]
    ), finding["message"]


def test_no_folder_is_an_error(gateway: Gateway, run: Run) -> None:
    shutil.rmtree(gateway.state_dir)
    assert run()["msg"] == (
        f"The folder {gateway.state_dir} cannot be opened: No such file or directory. Is the product set up for this"
        " account?"
    )


def test_models_that_nobody_has_are_named(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({**AFTER, "clawdbot.json": "{agents: {defaults: {model: 'gone/m'}}, $include: './more.json'}"})
    (gateway.state_dir / "more.json").write_text("{agents: {defaults: {models: {'far/m': {alias: 'far'}}}}}")
    assert [one["message"] for one in run()["dangling"]] == [
        "agents.defaults.model names gone/m, and there is no provider gone.",
        "the alias far in agents.defaults.models names far/m, and there is no provider far.",
    ]


def test_what_was_not_searched_is_said(gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.lay_out(AFTER)
    for name in "abcd":
        (gateway.state_dir / name).write_text("x" * 100)
    monkeypatch.setattr(file_scan, "_MOST_BYTES", 99)
    note = run()["notes"][-1]
    folder = gateway.state_dir
    assert note["message"] == (
        f"5 files were not searched, as there is more than an audit reads: {folder}/a, {folder}/b, {folder}/c and"
        " others."
    )
