# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A purge while another process writes the same files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit import host_scan
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.secret_audit.gateway_files import (
    AFTER,
    BEFORE,
    FILES,
    OLD,
    OLD_KEYS_FILE,
    Gateway,
    Run,
)


@pytest.mark.parametrize("name", [name for name in FILES if BEFORE[name] != AFTER[name] and "/1." not in name])
def test_changes_of_another_writer_are_kept(
    gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = gateway.state_dir / name
    left = [f"{path.read_text()} \n"]
    examine = host_scan._examine

    def examined_and_written(*arguments: Any) -> Any:
        report = examine(*arguments)
        if left:
            path.write_text(left.pop())
        return report

    monkeypatch.setattr(host_scan, "_examine", examined_and_written)
    assert run(state="purged")["findings"] == []
    ending = "\n" if name == "logs/gateway.log" else " \n"
    assert gateway.files()[name].rstrip() == AFTER[name].rstrip()
    assert gateway.files()[name].endswith(ending)


def test_a_purge_gives_up_on_a_file_that_changes_again_and_again(
    gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = atomic.commit

    def beaten(snapshot: atomic.Snapshot, candidate: str) -> None:
        if snapshot.path.endswith(".json"):
            Path(snapshot.path).write_bytes((snapshot.content or b"") + b" ")
        commit(snapshot, candidate)

    monkeypatch.setattr(atomic, "commit", beaten)
    assert run(state="purged")["msg"] == (
        f"Cannot clean {gateway.state_dir}: another process changed a file in each of 5 attempts. Run again later."
    )
    assert gateway.files() == {
        **BEFORE,
        "clawdbot.json": BEFORE["clawdbot.json"] + " " * 5,
        OLD_KEYS_FILE: f"{fingerprint(OLD)}\n",
    }
