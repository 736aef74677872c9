# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import command


def test_exit_code_and_output(tmp_path: Path) -> None:
    script = 'read -r line; echo "$PWD $A $line"; printf "\\377" >&2; exit 3'

    done = command.run(["/bin/sh", "-c", script], str(tmp_path), {"A": "b"}, 60)

    assert (done.returncode, done.stdout, done.stderr) == (3, f"{tmp_path} b \n", "\ufffd")


@pytest.mark.parametrize("end", ["wait", "exit 0"], ids=["waits", "ends"])
def test_a_timeout_kills_the_command_and_its_child(tmp_path: Path, end: str) -> None:
    """The child keeps the pipe of the output open."""
    with pytest.raises(subprocess.TimeoutExpired):
        command.run(["/bin/sh", "-c", f"sleep 600 & echo $! > child; {end}"], str(tmp_path), dict(os.environ), 0.5)

    child = (tmp_path / "child").read_text().strip()
    state = Path("/proc", child, "stat")
    while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)
