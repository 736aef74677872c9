# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Where a gateway has its variables from, and whether its process has those that a new one would get.

The first place that sets a variable wins, even where it sets it to nothing: what the service gives to the process,
C(.env) in its working directory, C(.env) in the state folder, the config's C(env), the login shell (the product's
infra/dotenv.js, config/io.js, infra/shell-env.js).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import substitute
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import open_without_blocking
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Paths, Product
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from .info import SourceInfo, VariableInfo
from .process import Process
from .systemd import Unit

_PROCESS = "process environment"
_DELETED = " (deleted)"
# What the product takes for yes in a variable (its infra/env.js).
_TRUE = frozenset(["1", "on", "true", "yes"])
# What systemd gives to a process without being told: no property shows it.
_OF_SYSTEMD = re.compile(
    r"(?:HOME|LOGNAME|SHELL|TERM|USER|INVOCATION_ID|JOURNAL_STREAM|MAINPID|MANAGERPID|NOTIFY_SOCKET|SYSTEMD_EXEC_PID"
    r"|(?:LISTEN|MEMORY_PRESSURE|TRIGGER|WATCHDOG)_\w+|\w+_DIRECTORY)\Z"
)


@dataclass(frozen=True)
class Source:
    """A place that variables come from."""

    place: str
    #: None stands for a value that cannot be told.
    values: Mapping[str, str | None] = field(repr=False)
    #: Of a file: when it was last changed, seconds since the epoch.
    changed: float | None = None


def read(path: str) -> Source | None:
    """The C(.env) at a path, None where there is none or this account may not read it."""
    try:
        with open(path, "rb", opener=open_without_blocking) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            text = file.read().decode("utf-8", "surrogateescape")
    except OSError:
        return None
    return Source(path, dotenv.loads(text), changed(path))


def changed(path: str) -> float | None:
    """When a file, or the link that leads to it, was written, renamed into place or given another mode; None if gone.

    That is the system's own record. The time of the last write is not: who restores, copies or unpacks a file sets it
    as they like, into the future too, which no restart would ever catch up with. A record that is newer than the
    content costs one restart at the most, as the new process is younger.
    """
    try:
        return max(os.stat(path).st_ctime, os.lstat(path).st_ctime)
    except OSError:
        return None


def of_unit(unit: Unit) -> list[Source]:
    """What systemd gives to a new process of the unit: the last EnvironmentFile= wins over those before it."""
    sources = [Source(file.path, file.values or {}, changed(file.path)) for file in reversed(unit.environment_files)]
    sources.append(Source(f"Environment= of the unit {unit.name}", unit.environment))
    sources.append(Source("environment of the service manager", unit.manager_environment))
    return [Source(source.place, _without(source.values, unit.unset), source.changed) for source in sources]


def of_product(
    product: Product, folder: str | None, paths: Paths, config: Any, given: Mapping[str, str]
) -> list[Source]:
    """What the product itself reads, started in a folder, with the variables that are given to it."""
    sources = []
    if folder:
        own = os.path.join(folder, ".env")
        if os.path.realpath(own) != os.path.realpath(paths.env):
            sources.append(_barred(read(own), product))
    sources.append(read(paths.env) or Source(paths.env, {}))
    found = [source for source in sources if source]
    block = at(config, ("env",))
    if isinstance(block, dict):
        known = {name: value for source in reversed(found) for name, value in source.values.items() if value}
        values = {name: substitute(value, {**known, **given}) for name, value in _config_variables(block)}
        found.append(Source(f"env block of {paths.config}", values))
    switch = given.get(product.shell_switch_variable, "").strip().lower() in _TRUE
    if switch or at(config, ("env", "shellEnv", "enabled")) is True:
        found.append(Source("login shell", dict.fromkeys(product.shell_variables)))
    return found


@dataclass(frozen=True)
class Origins:
    """All that a gateway's variables come from."""

    process: Process | None
    unit: Unit | None
    #: What the service gives to a new process, and what the product then reads by itself; each in the order of winning.
    service: Sequence[Source]
    product: Sequence[Source]
    #: The managed C(.env): one of the product's, whether or not it is there, and perhaps of the service's too.
    env_path: str

    @property
    def files(self) -> list[Source]:
        """The files among them, each once."""
        return _once([source for source in (*self.service, *self.product) if source.changed is not None])


@dataclass(frozen=True)
class Variable:
    """One variable: all places that set it, the winning one first, and whether the process has it."""

    #: Place and value, None for one that cannot be told.
    sources: tuple[tuple[str, str | None], ...] = field(repr=False)
    #: Whether the process has it with a value: an empty one counts as missing. None where no process runs.
    in_process: bool | None
    #: How many of the sources win over the managed C(.env), whether or not that sets it.
    winning: int

    def as_result(self) -> VariableInfo:
        """The variable as a module returns it."""
        sources: list[SourceInfo] = [
            {"place": place, "fingerprint": None if value is None else fingerprint(value)}
            for place, value in self.sources
        ]
        return {"sources": sources, "in_process": self.in_process, "overriding_env": sources[: self.winning]}


def trace(name: str, origins: Origins) -> Variable:
    """Where a variable comes from, for a new process."""
    sources = [*_given(name, origins), *origins.product]
    managed = next(index for index, source in enumerate(sources) if _key(source.place) == _key(origins.env_path))
    before = _once([source for source in sources[:managed] if name in source.values])
    all_of_them = _once([source for source in sources if name in source.values])
    return Variable(
        tuple((source.place, source.values[name]) for source in all_of_them), _in_process(name, origins), len(before)
    )


def restart_reasons(origins: Origins, program_files: Sequence[str], names: Iterable[str]) -> list[str]:
    """Why the gateway needs a new process; empty where the one that runs is as a new one would be.

    program_files: what is another file when the product's program is another. names: of variables that matter.
    """
    process, unit = origins.process, origins.unit
    if process is None:
        return [_down(unit)]
    reasons = list(_changes(origins))
    for path in program_files:
        reasons += _newer(path, changed(path), process, "the process runs the program as it was before.")
    if process.executable and process.executable.endswith(_DELETED):
        path = process.executable[: -len(_DELETED)]
        reasons.append(f"{path}, which the process runs, is gone or another file by now.")
    return reasons or [reason for name in names for reason in _differences(name, origins)]


def isoformat(seconds: float) -> str:
    """A point in time as people and machines read it, in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _down(unit: Unit | None) -> str:
    if unit and unit.active_state == "failed":
        return f"The gateway is not running: its unit {unit.name} has failed ({unit.result}), and systemd leaves it so."
    if unit and unit.sub_state == "auto-restart":
        return (
            f"The gateway is not running: its unit {unit.name} has ended ({unit.result}), and systemd starts it again."
        )
    return "The gateway is not running."


def _changes(origins: Origins) -> Iterator[str]:
    """What the process was started with and is another by now."""
    process, unit = origins.process, origins.unit
    if process is None:
        return
    for file in origins.files:
        yield from _newer(file.place, file.changed, process, "the process has the old values.")
    for path in unit.files if unit else ():
        yield from _newer(path, changed(path), process, "the process runs as the unit was before.")
    if unit and unit.needs_reload:
        yield f"The unit {unit.name} was changed, and systemd has not read it since: it needs a daemon-reload."


def _newer(path: str, moment: float | None, process: Process, consequence: str) -> Iterator[str]:
    if moment is not None and moment >= process.started:
        yield (
            f"{path} was changed at {isoformat(moment)}, after the gateway's process was started at "
            f"{isoformat(process.started)}: {consequence}"
        )


def _differences(name: str, origins: Origins) -> Iterator[str]:
    """Whether systemd, which has told all that it gives, gives a variable another value than the process has."""
    held = origins.process.environment if origins.process else None
    if held is None or not _is_told(name, origins) or _OF_SYSTEMD.match(name):
        return
    new = next((source.values[name] for source in origins.service if name in source.values), None)
    if (new or "") != held.get(name, ""):
        has, gets = (fingerprint(value) if value else "nothing" for value in (held.get(name), new))
        yield f"The process has {has} in {name}, and systemd gives {gets} to a new one."


def _given(name: str, origins: Origins) -> Sequence[Source]:
    """What the service gives to a new process, as far as one variable goes.

    What the process was given tells more than what the service says of itself: a command in between may add variables.
    It tells nothing any more once something was changed.
    """
    process = origins.process
    if (
        process is None
        or process.environment is None
        or _is_told(name, origins)
        or any(True for _change in _changes(origins))
    ):
        return origins.service
    held = process.environment.get(name)
    if held is None:
        return ()
    # A command in between that has read the same files has added nothing of its own.
    expected = next((s.values[name] for s in (*origins.service, *origins.product) if name in s.values), None)
    return origins.service if held == expected else [Source(_PROCESS, {name: held}), *origins.service]


def _is_told(name: str, origins: Origins) -> bool:
    """Whether systemd shows all that may set the variable in a new process: it starts the program itself."""
    process, unit = origins.process, origins.unit
    return (
        process is not None
        and process.executable is not None
        and unit is not None
        and os.path.realpath(unit.executable) == process.executable
        and not unit.pam
        and name not in unit.passed
        and all(file.values is not None for file in unit.environment_files)
    )


def _in_process(name: str, origins: Origins) -> bool | None:
    process = origins.process
    if process is None:
        return None
    if process.environment and name in process.environment:
        return bool(process.environment[name])
    # A file that was changed after the start is not in it.
    held = [
        file.values[name]
        for file in origins.product
        if name in file.values and file.changed is not None and file.changed < process.started
    ]
    return bool(held and held[0])


def _once(sources: Sequence[Source]) -> list[Source]:
    """The sources without those of a file that comes again."""
    first: dict[str, Source] = {}
    for source in sources:
        first.setdefault(_key(source.place), source)
    return list(first.values())


def _key(place: str) -> str:
    return os.path.realpath(place) if os.path.isabs(place) else place


def _barred(source: Source | None, product: Product) -> Source | None:
    """A C(.env) in the working directory without what the product does not take from one."""
    if source is None:
        return None
    values = {name: value for name, value in source.values.items() if name not in product.barred_from_folder}
    return Source(source.place, values, source.changed)


def _without(values: Mapping[str, str | None], unset: frozenset[str]) -> dict[str, str | None]:
    return {name: value for name, value in values.items() if not {name, f"{name}={value}"} & unset}


def _config_variables(block: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """As the product's config/env-vars.js has it: a later one of the same name takes the place of an earlier."""
    inner = block.get("vars")
    for name, value in inner.items() if isinstance(inner, dict) else ():
        if isinstance(value, str) and value:
            yield name, value
    for name, value in block.items():
        if name not in ("shellEnv", "vars") and isinstance(value, str) and value.strip():
            yield name, value
