# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The gateway's process: how it is found, when and with what it was started."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Product

_COMMAND_SECONDS = 20


@dataclass(frozen=True)
class Process:
    """One running process. What this account may not read is None."""

    pid: int
    #: Seconds since the epoch, never later than the real start.
    started: float
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    working_directory: str | None = None
    #: The file that it was started from. The system appends ` (deleted)` once that was removed or replaced.
    executable: str | None = None


def find_by_pid(pid: int) -> Process | None:
    """Return the process with that id; None if there is none."""
    if os.path.isdir("/proc/self"):
        return _of_proc(pid)
    return _of_ps(pid)


def find_by_lock(product: Product, paths: Paths) -> Process | None:
    """Return the process of that config's gateway, by the lock file of a running gateway; None if none runs."""
    for lock in _locks(product, paths):
        if os.path.realpath(str(lock.get("configPath"))) == os.path.realpath(paths.config):
            process = find_by_pid(_number(lock.get("pid")))
            # A lock can outlive its process, and another process can have the id then. That one was started after the
            # lock was written, the gateway before.
            if process and process.started <= _timestamp(lock.get("createdAt")):
                return process
    return None


def _locks(product: Product, paths: Paths) -> Iterator[Mapping[str, object]]:
    own = os.path.join(paths.state_dir, "tmp")
    for directory in dict.fromkeys((own, tempfile.gettempdir(), "/tmp")):  # noqa: S108 - the product's, only read
        locks = os.path.join(directory, f"{product.lock_dir_prefix}-{os.geteuid()}")
        for path in sorted(glob.glob(os.path.join(glob.escape(locks), "gateway.*.lock"))):
            # A lock that was removed, or is not completely written yet, is ignored.
            with contextlib.suppress(OSError, ValueError, RecursionError), open(path, encoding="utf-8") as file:
                lock = json.load(file)
                if isinstance(lock, dict):
                    yield lock


def _of_proc(pid: int) -> Process | None:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            # The name in parentheses may contain anything; the fields after it are numbers.
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    ticks = int(fields[19])
    if fields[0] == "Z":
        return None
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return Process(
        pid,
        booted + ticks / os.sysconf("SC_CLK_TCK"),
        _environment(pid),
        _link(f"/proc/{pid}/cwd"),
        _link(f"/proc/{pid}/exe"),
    )


def _environment(pid: int) -> dict[str, str] | None:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            entries = file.read().decode("utf-8", "surrogateescape").split("\0")
    except OSError:
        return None
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _of_ps(pid: int) -> Process | None:
    try:
        shown = subprocess.run(
            ["/bin/ps", "-o", "lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            env={"LC_ALL": "C"},
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        return Process(pid, datetime.strptime(shown.stdout.strip(), "%a %b %d %H:%M:%S %Y").timestamp())
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _number(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0


def _timestamp(value: object) -> float:
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError):
        return 0.0
