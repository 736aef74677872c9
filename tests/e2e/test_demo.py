# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo as a person starts it: what it shows, what it never shows, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.cache import ROOT
from tools.demo import vaulted_keys


@pytest.fixture
def directory() -> Iterator[Path]:
    """An empty directory with a short path: sockets are created in it."""
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def start(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tools.demo", *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(directory)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # A shell that starts the tests in the background has them ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def processes_of(directory: Path) -> list[str]:
    """Return the command lines of the processes that name the directory in theirs or in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            texts = [(process / name).read_bytes().decode(errors="replace") for name in ("cmdline", "environ")]
        except OSError:
            continue
        if process.name != str(os.getpid()) and any(str(directory) in text for text in texts):
            found.append(texts[0])
    return found


# Of OpenClaw, three gateways take four minutes of CPU; the scenario mixed_fleet does the same job with one.
def test_the_demo_shows_the_main_job_and_no_key(directory: Path) -> None:
    demo = start(directory, "clawdbot", "-vvvv")
    output, _errors = demo.communicate()

    assert demo.returncode == 0, output[-5000:]
    assert "moonshot/kimi-k3 answers: Hello from kimi-k3 at Moonshot." in output
    assert "kimicode/kimi-for-coding answers: Hello from kimi-for-coding at Kimi Code." in output
    for number in (1, 2, 3):
        assert (
            f"  gateway-{number}: clawdbot.json has ${{MOONSHOT_API_KEY}}, ${{KIMICODE_API_KEY}}; .env has mode 0600"
            in output
        )
    assert "moonshot is ok and lists kimi-k3, " in output
    assert "sk-" not in output
    assert not [key for key in vaulted_keys().values() if key in output]
    assert list(directory.iterdir()) == []
    assert processes_of(directory) == []


def test_an_unknown_product_has_no_demo(directory: Path) -> None:
    output, _errors = start(directory, "moltbot").communicate()
    assert output == "Unknown product moltbot. Choose one of clawdbot, openclaw.\n"


def test_ctrl_c_leaves_nothing_behind(directory: Path) -> None:
    demo = start(directory)
    assert demo.stdout is not None
    for line in demo.stdout:
        if "TASK [clawfleet.clawdbot.providers" in line:
            break
    # As a terminal does it: to all processes in the foreground.
    os.killpg(demo.pid, signal.SIGINT)
    output, _errors = demo.communicate()

    assert demo.returncode == 1
    assert output.endswith("Interrupted. Everything that was started is gone.\n")
    assert list(directory.iterdir()) == []
    assert processes_of(directory) == []
