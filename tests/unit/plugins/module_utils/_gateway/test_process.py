# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import (
    find_by_lock,
    find_by_pid,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

from tests.unit.plugins.module_utils._gateway.observations import paths

CLAWDBOT = PRODUCTS["clawdbot"]


@pytest.mark.parametrize("pid", [0, -1, 10**30])
def test_ids_without_a_process(pid: int) -> None:
    assert find_by_pid(pid) is None


def lock(directory: Path, **changed: Any) -> str:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"pid": os.getpid(), "createdAt": now, "configPath": str(directory / "clawdbot.json"), **changed})


GONE = 4194304 + 1  # beyond the largest number that Linux gives
LOCKS: dict[str, tuple[dict[str, Any], bool]] = {
    "of a running gateway": ({}, True),
    "of a process that is gone": ({"pid": GONE}, False),
    "whose id another process has": ({"createdAt": "2020-01-01T00:00:00.000Z"}, False),
    "of another config": ({"configPath": "/somewhere/else.json"}, False),
    "without a process": ({"pid": None}, False),
    "with a string for a process": ({"pid": "x"}, False),
    "with a number that is too large": ({"pid": 10**30}, False),
    "without a time": ({"createdAt": None}, False),
    "with an invalid time": ({"createdAt": "yesterday"}, False),
    "with the earliest time": ({"createdAt": "0001-01-01T00:00:00"}, False),
    "without a config": ({"configPath": None}, False),
    "with a config that is no string": ({"configPath": ["x"]}, False),
}


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    directory = tmp_path / f"clawdbot-{os.geteuid()}"
    directory.mkdir()
    return directory


@pytest.mark.parametrize("name", LOCKS)
def test_lock(name: str, tmp_path: Path, locks: Path) -> None:
    changed, found = LOCKS[name]
    (locks / "gateway.0123abcd.lock").write_text(lock(tmp_path, **changed))
    process = find_by_lock(CLAWDBOT, paths(tmp_path))
    assert (process.pid if process else None) == (os.getpid() if found else None)


def test_the_lock_is_found_among_broken_ones(tmp_path: Path, locks: Path) -> None:
    (locks / "gateway.1.lock").write_text("")
    (locks / "gateway.2.lock").write_text("[" * 100_000)
    (locks / "gateway.3.lock").write_bytes(b"\xff")
    (locks / "gateway.4.lock").write_text("[1]")
    (locks / "gateway.5.lock").mkdir()
    (locks / "gateway.6.lock").write_text(lock(tmp_path, pid=GONE))
    (locks / "gateway.7.lock").write_text(lock(tmp_path))
    process = find_by_lock(CLAWDBOT, paths(tmp_path))
    assert process is not None
    assert process.pid == os.getpid()


@pytest.mark.parametrize("name", ["other.0123.lock", "gateway.0123.lock.old"])
def test_other_files_are_ignored(name: str, tmp_path: Path, locks: Path) -> None:
    (locks / name).write_text(lock(tmp_path))
    assert find_by_lock(CLAWDBOT, paths(tmp_path)) is None


def test_a_lock_in_the_state_directory(tmp_path: Path) -> None:
    kept = tmp_path / "state" / "tmp" / f"openclaw-{os.geteuid()}"
    kept.mkdir(parents=True)
    own = Paths(str(tmp_path / "state"), str(tmp_path / "clawdbot.json"), str(tmp_path / ".env"))
    # OpenClaw pads it with white space, and writes a second one for its state directory.
    for name in ("gateway.0a1b.lock", "gateway.state.lock"):
        (kept / name).write_text(f"{lock(tmp_path)}\n\t \n")
    found = find_by_lock(PRODUCTS["openclaw"], own)
    assert found is not None
    assert found.pid == os.getpid()
    assert find_by_lock(CLAWDBOT, own) is None


def test_a_config_behind_a_link_is_the_same(tmp_path: Path, locks: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    (locks / "gateway.0.lock").write_text(lock(real))
    process = find_by_lock(CLAWDBOT, paths(tmp_path / "link"))
    assert process is not None
    assert process.pid == os.getpid()
