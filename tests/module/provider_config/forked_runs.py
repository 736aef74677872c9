# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run provider_config many times, each time in a forked process of its own, while strace is attached.

Python starts and imports the module once. strace counts the system calls of each process from its fork on, and acts on
the same count in each of them. So that it acts on a different call in each, a process first makes some calls in vain.

stdin is a JSON object: `collections`, a directory; `strace`, the argv that the process id is appended to; `runs`, a
list of objects with `arguments` of the module, `in_vain`, the number of a system call and how often to make it, and
`output`, a path to which `.out` and `.err` are appended. stdout is the list of the exit statuses, as `os.wait` returns
them.
"""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PR_SET_PTRACER, PR_SET_PTRACER_ANY = 0x59616D61, -1
AT_THE_SAME_TIME = 8
# No file descriptor, no address, no flags: whatever the call is, it fails.
IN_VAIN = [ctypes.c_long(-1)] * 6

asked = json.load(sys.stdin)
sys.path.insert(0, asked["collections"])

from ansible.module_utils.testing import patch_module_args  # noqa: E402
from ansible_collections.clawfleet.clawdbot.plugins.modules import provider_config  # noqa: E402

libc = ctypes.CDLL(None)


def attach(argv: list[str]) -> subprocess.Popen[bytes]:
    # Where Yama restricts ptrace, a process may trace its parent only if that allows it.
    libc.prctl(PR_SET_PTRACER, ctypes.c_long(PR_SET_PTRACER_ANY), 0, 0, 0)
    tracer = subprocess.Popen([*argv, str(os.getpid())], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while "TracerPid:\t0\n" in Path("/proc/self/status").read_text():
        if tracer.poll() is not None:
            raise SystemExit(f"strace ended with {tracer.returncode}")
        time.sleep(0.01)
    return tracer


def run(arguments: dict[str, Any], in_vain: tuple[int, int], output: str) -> None:
    for descriptor, suffix in ((1, ".out"), (2, ".err")):
        os.dup2(os.open(output + suffix, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
    number, times = in_vain
    for _time in range(times):
        libc.syscall(ctypes.c_long(number), *IN_VAIN)
    with patch_module_args(arguments):
        provider_config.main()


def fork(one: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        run(one["arguments"], one["in_vain"], one["output"])
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    finally:
        sys.stdout.flush()
        os._exit(code)


tracer = attach(asked["strace"])
statuses, running = {}, {}
for index, one in enumerate(asked["runs"]):
    running[fork(one)] = index
    while len(running) >= AT_THE_SAME_TIME or (running and index == len(asked["runs"]) - 1):
        pid, status = os.wait()
        if pid in running:
            statuses[running.pop(pid)] = status
# strace lets this process go, and its log is complete.
tracer.terminate()
tracer.wait()
sys.stdout.write(json.dumps([status for _index, status in sorted(statuses.items())]))
