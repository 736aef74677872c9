# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import (
    Process,
    find_by_pid,
    sees_other_files,
)


@pytest.fixture
def child(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {"KEY": "a", "EMPTY": "", "LONG": "x=y"}
    process = subprocess.Popen([sys.executable, "-c", "input()"], cwd=tmp_path, env=environment, stdin=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_process(child: subprocess.Popen[bytes], tmp_path: Path) -> None:
    before = time.time()
    process = find_by_pid(child.pid)
    deadline = time.monotonic() + 10
    # Until the program has been loaded, the child is a copy of this process.
    while process and (process.environment or {}).get("KEY") != "a" and time.monotonic() < deadline:
        process = find_by_pid(child.pid)
    assert process is not None
    assert process.pid == child.pid
    assert before - 10 < process.started <= before
    assert {**(process.environment or {})}.items() >= {"KEY": "a", "EMPTY": "", "LONG": "x=y"}.items()
    assert process.working_directory == str(tmp_path)
    assert process.executable == os.path.realpath(sys.executable)
    # Its environment may contain secrets.
    assert "KEY" not in repr(process)


def test_a_wrapper_is_the_node_that_it_has_started(tmp_path: Path) -> None:
    node = tmp_path / "node"
    shutil.copy("/bin/sleep", node)
    script = f"KEY=b {node} 60; exit"
    with subprocess.Popen(["/bin/sh", "-c", f"/bin/sh -c '{script}'; exit"], env={"KEY": "a"}) as wrapper:
        deadline = time.monotonic() + 10
        found = find_by_pid(wrapper.pid)
        while (found is None or found.executable != str(node)) and time.monotonic() < deadline:
            found = find_by_pid(wrapper.pid)
        assert found is not None
        os.kill(found.pid, signal.SIGKILL)
    assert (found.executable, found.arguments) == (str(node), (str(node), "60"))
    assert (found.environment or {})["KEY"] == "b"
    assert found.pid != wrapper.pid


def test_a_process_on_this_host_sees_its_files(child: subprocess.Popen[bytes], tmp_path: Path) -> None:
    seen = find_by_pid(child.pid)
    assert seen is not None
    assert sees_other_files(seen, str(tmp_path)) is False


def test_a_process_that_has_ended_is_none(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    deadline = time.monotonic() + 10
    while find_by_pid(child.pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    # It is a zombie now: its parent has not asked for it yet.
    assert find_by_pid(child.pid) is None
    child.communicate()
    assert find_by_pid(child.pid) is None


def test_start_by_ps_where_there_is_no_proc(child: subprocess.Popen[bytes]) -> None:
    seen, by_ps = find_by_pid(child.pid), process._of_ps(child.pid)
    assert seen is not None
    assert by_ps is not None
    assert abs(by_ps.started - seen.started) < 2
    assert by_ps == Process(child.pid, by_ps.started)
    assert process._of_ps(0) is None
