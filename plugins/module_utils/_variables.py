# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Where the running gateway has a variable from, and whether it has the one that now stands in the files."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils import _env_file
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._transaction import open_without_blocking


@dataclass(frozen=True)
class EnvFile:
    """A file that a gateway reads variables from at its start."""

    path: str
    values: Mapping[str, str]
    #: When it was last written, renamed into place or given another mode; seconds since the epoch.
    changed: float


def read(path: str) -> EnvFile | None:
    """The file at a path, None where there is none or this account may not read it."""
    try:
        with open(path, "rb", opener=open_without_blocking) as file:
            status = os.fstat(file.fileno())
            text = file.read().decode("utf-8", "surrogateescape") if stat.S_ISREG(status.st_mode) else None
    except OSError:
        return None
    if text is None:
        return None
    # A rename keeps the time of the last write, but not that of the last change: a file that was moved into place by
    # hand counts as new.
    return EnvFile(path, _env_file.loads(text), max(status.st_mtime, status.st_ctime))


def files(process: Process | None, env_path: str) -> list[EnvFile]:
    """The files that a gateway reads, in the order in which they win: the one in its working directory comes first."""
    paths = [env_path]
    if process and process.working_directory:
        own = os.path.join(process.working_directory, ".env")
        if os.path.realpath(own) != os.path.realpath(env_path):
            paths.insert(0, own)
    return [file for file in map(read, paths) if file]


@dataclass(frozen=True)
class Variable:
    """One variable: all places that set it, the winning one first, and whether the process has it."""

    #: Place and fingerprint of the value.
    sources: tuple[tuple[str, str], ...]
    #: Whether the process has it with a value: an empty one counts as missing. None where no process runs.
    in_process: bool | None
    #: How many of the sources win over the managed C(.env), whether or not that sets it.
    winning: int

    def as_result(self) -> dict[str, Any]:
        """The variable as a module returns it."""
        sources = [{"place": place, "fingerprint": value} for place, value in self.sources]
        return {"sources": sources, "in_process": self.in_process, "winning_over_env": sources[: self.winning]}


def trace(name: str, process: Process | None, env_files: Sequence[EnvFile], env_path: str) -> Variable:
    """Where a variable comes from. The first place that sets it wins, even if it sets it to nothing.

    The process's own environment comes before every file, and a file that was changed after the start is not in it.
    """
    sources: list[tuple[str, str]] = []
    held: list[str] = []
    environment = (process.environment if process else None) or {}
    if name in environment:
        sources.append(("process environment", fingerprint(environment[name])))
        held.append(environment[name])
    for file in env_files:
        if name in file.values:
            sources.append((file.path, fingerprint(file.values[name])))
            if process and file.changed < process.started:
                held.append(file.values[name])
    # The managed file comes last of all that are read.
    managed = sum(place == env_path for place, _value in sources)
    return Variable(tuple(sources), bool(held and held[0]) if process else None, len(sources) - managed)


def restart_reasons(process: Process | None, env_files: Sequence[EnvFile]) -> list[str]:
    """Why the gateway needs a new process; empty where the one that runs has read the files as they are."""
    if process is None:
        return ["The gateway is not running."]
    return [
        f"{file.path} was changed at {isoformat(file.changed)}, after the gateway's process was started at "
        f"{isoformat(process.started)}: the process has the old values."
        for file in env_files
        if file.changed >= process.started
    ]


def isoformat(seconds: float) -> str:
    """A point in time as people and machines read it, in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
