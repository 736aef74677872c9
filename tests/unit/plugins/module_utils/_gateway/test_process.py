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
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import (
    Process,
    find_by_lock,
    find_by_pid,
    is_node,
    sees_other_files,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

from tests.unit.plugins.module_utils._gateway.observations import executable, paths

CLAWDBOT = PRODUCTS["clawdbot"]


@pytest.mark.parametrize("pid", [0, -1, 10**30])
def test_ids_without_a_process(pid: int) -> None:
    assert find_by_pid(pid) is None


OURS = ("mnt:[1]", "pid:[1]")
#: Namespaces of the process, what it sees at the path of its Node, and at that of its state directory -> whether these
#: are other files.
NAMESPACES: dict[str, tuple[tuple[str, str], str, str, bool | None]] = {
    "the same": (OURS, "node", "state", False),
    "of a hardened unit": (("mnt:[2]", "pid:[1]"), "node", "state", False),
    "of a unit with processes of its own": (("mnt:[2]", "pid:[2]"), "node", "state", False),
    "of a container": (("mnt:[2]", "pid:[2]"), "other node", "other state", True),
    "of a container that has the home of the host": (("mnt:[2]", "pid:[1]"), "other node", "state", True),
    "of a container that has Node of the host": (("mnt:[1]", "pid:[2]"), "node", "other state", True),
    "of a container without such a directory": (("mnt:[2]", "pid:[2]"), "node", "nothing", True),
    "that cannot be read": (("", ""), "node", "state", None),
}


@pytest.mark.parametrize("name", NAMESPACES)
def test_a_process_that_sees_other_files(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    namespaces, node, state, expected = NAMESPACES[name]
    proc, own = tmp_path / "proc", tmp_path / "host"
    monkeypatch.setattr(process, "_PROC", str(proc))
    for file in ("node", "other node"):
        executable(own / file)
    for directory in ("state", "other state"):
        (own / directory).mkdir()
    for pid, links in (("self", OURS), ("7", namespaces)):
        (proc / pid / "ns").mkdir(parents=True)
        for kind, link in zip(("mnt", "pid"), links):
            if link:
                (proc / pid / "ns" / kind).symlink_to(link)
    (proc / "7" / "exe").symlink_to(own / node)
    seen = proc / "7" / "root" / str(own / "state").lstrip("/")
    seen.parent.mkdir(parents=True)
    seen.symlink_to(own / state)
    assert sees_other_files(Process(7, 1.0, executable=str(own / "node")), str(own / "state")) is expected


def test_whether_a_process_of_another_account_sees_other_files_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sees_other_files(Process(os.getpid(), 1.0), str(tmp_path)) is None
    monkeypatch.setattr(process, "_PROC", str(tmp_path))
    assert sees_other_files(Process(os.getpid(), 1.0), str(tmp_path)) is False


#: Names of executables that are Node, and others.
NODES = (
    "/usr/bin/node",
    "/usr/bin/nodejs",
    "/usr/bin/node-22",
    "/opt/node22.12/bin/node22.12",
    "/usr/bin/node (deleted)",
)
NO_NODES = ("/usr/bin/podman", "/usr/bin/node-exporter", "/usr/bin/nodemon", "/node/bin/bun", "")


def test_the_names_of_node() -> None:
    assert [path for path in (*NODES, *NO_NODES) if is_node(path)] == list(NODES)


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
    # The process of the tests stands for a gateway.
    monkeypatch.setattr(process, "is_node", lambda _path: True)
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


def test_a_lock_in_the_state_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "is_node", lambda _path: True)
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


#: Executable and command line of the process whose id a lock has -> whether it can be the gateway.
OF_A_LOCK: dict[str, tuple[str | None, tuple[str, ...], bool]] = {
    "Node": ("/usr/bin/node", ("clawdbot",), True),
    "Node that was replaced": ("/usr/bin/node (deleted)", ("clawdbot",), True),
    "another program, as the lock is that of a container": ("/usr/bin/bash", ("bash",), False),
    "one that cannot be read": (None, ("clawdbot",), True),
    "the kernel's, as the lock is that of a container": (None, (), False),
}


@pytest.mark.parametrize("name", OF_A_LOCK)
def test_the_process_of_a_lock_is_node(name: str, locks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    executable, arguments, expected = OF_A_LOCK[name]
    monkeypatch.setattr(process, "is_node", is_node)
    monkeypatch.setattr(
        process, "find_by_pid", lambda pid: Process(pid, 1.0, executable=executable, arguments=arguments)
    )
    (locks / "gateway.1.lock").write_text(lock(locks.parent))
    assert (find_by_lock(CLAWDBOT, paths(locks.parent)) is not None) is expected
