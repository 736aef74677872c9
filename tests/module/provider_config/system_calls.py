# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The system calls of a run of provider_config, and runs that are killed, or fail, at one of them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.module.provider_config.gateway_files import COLLECTIONS, Gateway

FORKED_RUNS = Path(__file__).with_name("forked_runs.py")
# What Python does about its own memory, and while it waits for the checker; how often, is not the same each time.
UNCOUNTED = {"brk", "mmap", "munmap", "mremap", "madvise", "mprotect", "clock_nanosleep", "poll", "wait4"}
# This one does not fail, however it is called.
NEVER_IN_VAIN = {"vfork"}
# A count that the checker, and a run that reports a failure, does not come to by calls of its own.
ENOUGH = 100
CALL = re.compile(r"(\d+) +\[ *(\d+)\] (\w+)\((.*)")


@dataclass(frozen=True)
class Call:
    """A system call of a run: its name, its number in the kernel, which of that name it is, and its traced line."""

    name: str
    kernel_number: int
    ordinal: int
    line: str


@dataclass(frozen=True)
class Ended:
    """Exit status, as `os.wait` returns it, and output of one run."""

    status: int
    stdout: str
    stderr: str


def run_forked(runs: Sequence[tuple[Gateway, dict[str, object], tuple[int, int]]], *options: str) -> list[Ended]:
    """Run the module with each of the arguments; `forked_runs.py` says what the two numbers are."""
    strace = shutil.which("strace")
    assert strace, "strace is needed: apt-get install strace"
    outputs = [gateway.directory.parent / "output" for gateway, _arguments, _in_vain in runs]
    asked = {
        "collections": str(COLLECTIONS),
        "strace": [strace, "-f", "-qq", *options, "-p"],
        "runs": [
            {"arguments": arguments, "in_vain": in_vain, "output": str(output)}
            for (_gateway, arguments, in_vain), output in zip(runs, outputs)
        ],
    }
    done = subprocess.run(
        [sys.executable, str(FORKED_RUNS)],
        input=json.dumps(asked),
        env={
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    statuses = json.loads(done.stdout)
    assert len(statuses) == len(runs)
    return [
        Ended(status, Path(f"{output}.out").read_text(), Path(f"{output}.err").read_text())
        for status, output in zip(statuses, outputs)
    ]


def calls_while_locked(gateway: Gateway, arguments: dict[str, object]) -> list[Call]:
    """Return the module's own system calls from its lock to its answer, in a run that nothing interrupts.

    Before its lock, a run only reads; after its answer, nothing is left to do.
    """
    log = gateway.directory.parent / "strace"
    (done,) = run_forked([(gateway, arguments, (0, 0))], "-n", "-y", "-s", "8", "-o", str(log))
    assert done.status == 0, done
    traced = [match.groups() for match in map(CALL.match, log.read_text().splitlines()) if match]
    main = next(pid for pid, _number, name, _line in traced if name == "flock")
    counts: dict[str, int] = {}
    calls: list[Call] = []
    for pid, number, name, line in traced:
        if pid != main:
            continue
        counts[name] = counts.get(name, 0) + 1
        if calls and name == "write" and line.startswith("1<"):
            return calls
        if (calls or name == "flock") and name not in UNCOUNTED:
            calls.append(Call(name, int(number), counts[name], line))
    raise AssertionError("the run gave no answer")


def interrupt(
    gateways: Sequence[Gateway],
    calls: Sequence[Call],
    arguments: Callable[[Gateway], dict[str, object]],
    fault: Callable[[str], str],
) -> list[Ended]:
    """Run the module once per gateway and call; the call has the fault that strace is known for its name.

    All runs share one strace, which gives the fault to one count per name, a count that no run comes to by itself.
    Each run gets there by calls in vain of the one name of its own call.
    """
    ended: dict[int, Ended] = {}
    for shared in (True, False):
        chosen = [index for index, call in enumerate(calls) if (call.name not in NEVER_IN_VAIN) is shared]
        spare = ENOUGH if shared else 0
        counts = {name: spare + count for name, count in last_ordinals(calls[index] for index in chosen).items()}
        assert shared or len(chosen) == len(counts)
        if chosen:
            injected = [f"inject={name}:{fault(name)}:when={count}" for name, count in counts.items()]
            options = [option for one in injected for option in ("-e", one)]
            runs = [
                (gateway, arguments(gateway), (call.kernel_number, counts[call.name] - call.ordinal))
                for gateway, call in ((gateways[index], calls[index]) for index in chosen)
            ]
            traced = f"trace={','.join(counts)}"
            ended.update(zip(chosen, run_forked(runs, "-o", os.devnull, "-e", traced, *options)))
    return [ended[index] for index in range(len(calls))]


def last_ordinals(calls: Iterable[Call]) -> dict[str, int]:
    return {call.name: call.ordinal for call in calls}
