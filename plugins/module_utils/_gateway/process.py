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
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Product

#: What the system appends to the path of an executable that was removed or replaced.
DELETED = " (deleted)"

_COMMAND_SECONDS = 20
_PROC = "/proc"
# As Node itself, Debian and Fedora name it.
_NODE = re.compile(r"node(?:js)?(?:-?[0-9]+(?:\.[0-9]+)*)?\Z")
# A wrapper starts a shell, and that Node.
_DEPTH = 4
_NATIVE_MODULE = re.compile(r" (/.*\.node)$", re.MULTILINE)


@dataclass(frozen=True)
class Process:
    """One running process. What this account may not read is None."""

    pid: int
    #: Seconds since the epoch, never later than the real start.
    started: float
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    working_directory: str | None = None
    #: The file that it was started from, with `DELETED` once that was removed or replaced.
    executable: str | None = None
    #: The words of its command line. A process that sets a title, as gateways do, has overwritten them with it.
    arguments: tuple[str, ...] = field(default=(), repr=False)
    #: The native modules that it and its children have loaded.
    loaded: tuple[str, ...] = field(default=(), repr=False)


def find_by_pid(pid: int) -> Process | None:
    """Return the process with that id; None if there is none.

    Where that is a wrapper, it is the Node that the wrapper has started: its environment is the gateway's.
    """
    if not os.path.isdir(f"{_PROC}/self"):
        return _of_ps(pid)
    main = _of_proc(pid)
    if main is None or main.executable is None or is_node(main.executable):
        return main
    return _node_below(pid, _DEPTH) or main


def is_node(path: str) -> bool:
    """Return whether an executable is Node, by its name."""
    return bool(_NODE.match(os.path.basename(path.removesuffix(DELETED))))


def sees_other_files(process: Process, state_dir: str) -> bool | None:
    """Return whether a process runs in a container: its Node or its state directory are not those of this account.

    A hardened unit has a mount namespace of its own as well, but the same files. None where it cannot be read.
    """
    if not os.path.isdir(f"{_PROC}/self"):
        # Only Linux has such namespaces.
        return False
    of_process = f"{_PROC}/{process.pid}"
    namespaces = [[link(f"{base}/ns/{name}") for name in ("mnt", "pid")] for base in (f"{_PROC}/self", of_process)]
    if process.executable is None or any(None in links for links in namespaces) or _file(f"{of_process}/root") is None:
        return None
    if namespaces[0] == namespaces[1]:
        return False
    state = os.path.realpath(state_dir)
    pairs = [(f"{of_process}/root{state}", state)]
    if not process.executable.endswith(DELETED):
        pairs.append((f"{of_process}/exe", process.executable))
    return any(_file(seen) != _file(own) for seen, own in pairs)


def find_by_lock(product: Product, paths: Paths) -> Process | None:
    """Return the process of that config's gateway, by the lock file of a running gateway; None if none runs."""
    for lock in _locks(product, paths):
        if os.path.realpath(str(lock.get("configPath"))) == os.path.realpath(paths.config):
            process = find_by_pid(_number(lock.get("pid")))
            # A lock can outlive its process, and another process can have the id then. That one was started after the
            # lock was written, the gateway before.
            if process and _may_be_gateway(process) and process.started <= _timestamp(lock.get("createdAt")):
                return process
    return None


def _may_be_gateway(process: Process) -> bool:
    """Return whether a process can be a gateway: the id in a lock of a container is that of any process here."""
    if process.executable is None:
        # It cannot be read, or it is the kernel's, which has no command line.
        return bool(process.arguments) or not os.path.isdir(f"{_PROC}/self")
    return is_node(process.executable)


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
        with open(f"{_PROC}/{pid}/stat", encoding="utf-8", errors="replace") as file:
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
        link(f"{_PROC}/{pid}/cwd"),
        link(f"{_PROC}/{pid}/exe"),
        tuple(filter(None, _read(f"{_PROC}/{pid}/cmdline").split("\0"))),
        tuple(path for each in (pid, *children(pid)) for path in _native_modules(each)),
    )


def _node_below(pid: int, depth: int) -> Process | None:
    started = children(pid) if depth else []
    for child in started:
        if is_node(link(f"{_PROC}/{child}/exe") or ""):
            return _of_proc(child)
    return next(filter(None, (_node_below(child, depth - 1) for child in started)), None)


def children(pid: int) -> list[int]:
    """Return the ids of the processes that a process has started; empty if they are not known."""
    return [int(child) for child in _read(f"{_PROC}/{pid}/task/{pid}/children").split()]


def _native_modules(pid: int) -> list[str]:
    return list(dict.fromkeys(_NATIVE_MODULE.findall(_read(f"{_PROC}/{pid}/maps"))))


def _file(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _read(path: str) -> str:
    """Return what a file contains; an empty string where this account may not read it."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _environment(pid: int) -> dict[str, str] | None:
    try:
        with open(f"{_PROC}/{pid}/environ", "rb") as file:
            entries = file.read().decode("utf-8", "surrogateescape").split("\0")
    except OSError:
        return None
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


def link(path: str) -> str | None:
    """Return what a link points to; None if this account may not read it."""
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
