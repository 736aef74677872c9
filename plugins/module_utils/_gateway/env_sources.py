# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Where a gateway's environment variables come from.

The first source that sets a variable takes precedence, even where it sets it to an empty string: what the service
gives to the process, `.env` in the process's working directory, `.env` in the state directory, OpenClaw's
`.env` beside its config and `gateway.env`, the `env` block of the config, the login shell (the product's
infra/dotenv.js, config/io.js, infra/shell-env.js). OpenClaw turns that round for the names that its service lists: for
them its own files take precedence over what the service gives (its infra/dotenv-global-core.ts,
daemon/service-managed-env.ts).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import references, substitute
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import open_without_blocking
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Product
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from .info import SourceInfo, VariableInfo
from .process import Process
from .systemd import Unit

_PROCESS = "process environment"
# The values that the product reads as yes in an environment variable (its infra/env.js).
_TRUE = frozenset(["1", "on", "true", "yes"])
# OpenClaw takes a process for one of systemd's by these (its infra/supervisor-markers.ts).
_OF_SYSTEMD = ("OPENCLAW_SYSTEMD_UNIT", "INVOCATION_ID", "SYSTEMD_EXEC_PID", "JOURNAL_STREAM")


@dataclass(frozen=True)
class Source:
    """A place that sets environment variables."""

    place: str
    #: None stands for a value that is not known.
    values: Mapping[str, str | None] = field(repr=False)
    #: Of a file: when it was last changed, seconds since the epoch.
    changed: float | None = None
    #: Of a file: the variables of which systemd reads another value in it than the product, because of the line given.
    misread: Mapping[str, int] = field(default_factory=dict)
    #: The variables for which this source takes precedence over what the service gives, in upper case.
    overriding: frozenset[str] = frozenset()


@dataclass(frozen=True)
class EnvSources:
    """All sources of a gateway's environment variables."""

    process: Process | None
    unit: Unit | None
    #: What the service gives to a new process, and what the product then reads itself; each in order of precedence.
    service: Sequence[Source]
    product: Sequence[Source]
    #: The managed `.env`: always one of the product's sources, even if it does not exist, and perhaps of the service's.
    env_path: str

    @property
    def files(self) -> list[Source]:
        """The sources that are files, each once."""
        return _unique(source for source in (*self.service, *self.product) if source.changed is not None)

    def changed_env_files(self) -> list[tuple[str, float]]:
        """Return the files among the sources that were changed after the process was started, and when."""
        return self._changed((file.place, file.changed) for file in self.files)

    def changed_unit_files(self) -> list[tuple[str, float]]:
        """Return the files of the unit that were changed after the process was started, and when."""
        return self._changed((path, change_time(path)) for path in (self.unit.files if self.unit else ()))

    def known_from_systemd(self, name: str) -> bool:
        """Return whether systemd shows all that sets the variable in a new process: it starts the CLI itself."""
        process, unit = self.process, self.unit
        return (
            process is not None
            and process.executable is not None
            and unit is not None
            and os.path.realpath(unit.executable) == process.executable
            and not unit.pam
            and name not in unit.passed
            and all(file.values is not None for file in unit.environment_files)
        )

    def _changed(self, times: Iterable[tuple[str, float | None]]) -> list[tuple[str, float]]:
        process = self.process
        if process is None:
            return []
        return [(path, moment) for path, moment in times if moment is not None and moment >= process.started]


@dataclass(frozen=True)
class Variable:
    """One environment variable: all places that set it, in order of precedence, and whether the process has it."""

    #: Place and value, None for one that is not known.
    sources: tuple[tuple[str, str | None], ...] = field(repr=False)
    #: Whether the process has a value in it: an empty string is none. None if no process runs, or if that is unknown.
    in_process: bool | None
    #: How many of the sources take precedence over the managed `.env`, whether or not that sets the variable.
    overriding: int

    def as_result(self) -> VariableInfo:
        """Return the variable as modules return it."""
        sources: list[SourceInfo] = [
            {"place": place, "fingerprint": None if value is None else fingerprint(value)}
            for place, value in self.sources
        ]
        return {"sources": sources, "in_process": self.in_process, "overriding_env": sources[: self.overriding]}


def trace(name: str, sources: EnvSources) -> Variable:
    """Return which sources set a variable for a new process."""
    first = [source for source in sources.product if name.upper() in source.overriding]
    rest = [source for source in sources.product if name.upper() not in source.overriding]
    # The product takes a variable of the service that none of these files has out of its environment.
    is_dropped = bool(first) and not any(name in source.values for source in first)
    service = [] if is_dropped else list(_as_product_reads(name, _from_service(name, sources), sources))
    ordered = [*first, *service, *rest]
    managed = next(index for index, source in enumerate(ordered) if _key(source.place) == _key(sources.env_path))
    before = _unique(source for source in ordered[:managed] if name in source.values)
    setting = _unique(source for source in ordered if name in source.values)
    places = tuple((source.place, source.values[name]) for source in setting)
    return Variable(places, _in_process(name, sources), len(before))


def _as_product_reads(name: str, service: Sequence[Source], sources: EnvSources) -> Iterator[Source]:
    """Yield the sources of the service. Of the managed `.env`, what the product reads, and what systemd reads instead.

    Where the line of the variable itself is the reason, that is no override: it is written again.
    """
    own = next((source for source in sources.product if _key(source.place) == _key(sources.env_path)), None)
    for source in service:
        if own is None or _key(source.place) != _key(own.place) or name not in own.values:
            yield source
            continue
        value = source.values.get(name, own.values[name])
        if value == own.values[name]:
            yield source
            continue
        line = own.misread.get(name)
        read = f"line {line} of {own.place}" if line else own.place
        other = Source(f"{read}, as systemd reads it for EnvironmentFile=", {name: value})
        yield from (other, own) if line else (own, other)


def copies_in_env(sources: EnvSources, names: Collection[str]) -> dict[str, list[str]]:
    """Return variable -> the other variables of the managed `.env`, besides `names`, that have the same value there."""
    own = next(source for source in sources.product if _key(source.place) == _key(sources.env_path)).values
    found = {name: [n for n, value in own.items() if value == own.get(name) and n not in names] for name in names}
    return {name: others for name, others in found.items() if others and own.get(name)}


def from_unit(unit: Unit) -> list[Source]:
    """Return what systemd gives to a new process of the unit. The last EnvironmentFile= takes precedence."""
    sources = [
        Source(file.path, file.values or {}, change_time(file.path)) for file in reversed(unit.environment_files)
    ]
    sources.append(Source(f"Environment= of the unit {unit.name}", unit.environment))
    sources.append(Source("environment of the service manager", unit.manager_environment))
    return [Source(source.place, _without(source.values, unit.unset), source.changed) for source in sources]


def from_product(
    product: Product, directory: str | None, paths: Paths, config: Any, given: Mapping[str, str]
) -> list[Source]:
    """Return what the product itself reads when it starts in a directory, with the environment variables `given`."""
    sources = []
    if directory:
        own = os.path.join(directory, ".env")
        if os.path.realpath(own) != os.path.realpath(paths.env):
            sources.append(_without_barred(read_env_file(own), product))
    files = [read_env_file(path) or Source(path, {}) for path in _env_files(product, paths, given)]
    if product.gateway_env_file and _is_default(paths.state_dir, product.state_dir):
        files += filter(None, [read_env_file(os.path.expanduser(product.gateway_env_file))])
    names = _service_names(product, given, config, files)
    sources += [replace(source, overriding=names) for source in files]
    found = [source for source in sources if source]
    block = at(config, ("env",))
    if isinstance(block, dict):
        known = {name: value for source in reversed(found) for name, value in source.values.items() if value}
        values = {name: substitute(value, {**known, **given}) for name, value in _config_variables(block)}
        found.append(Source(f"env block of {paths.config}", values))
    switch = given.get(product.shell_env_variable, "").strip().lower() in _TRUE
    if switch or at(config, ("env", "shellEnv", "enabled")) is True:
        found.append(Source("login shell", dict.fromkeys(product.shell_variables)))
    return found


def _env_files(product: Product, paths: Paths, given: Mapping[str, str]) -> list[str]:
    """Return the managed `.env`, and the one that a product reads beside it, in order of precedence.

    OpenClaw reads the `.env` in its state directory, then the one beside a config that it was told of without a state
    directory (its cli/gateway-cli/pre-bootstrap.ts).
    """
    if not product.reads_env_beside_config or not given.get(product.config_path_variable, "").strip():
        return [paths.env]
    if given.get(product.state_dir_variable, "").strip():
        return [paths.env]
    beside = os.path.join(os.path.dirname(paths.config), ".env")
    is_managed = os.path.realpath(beside) == os.path.realpath(paths.env)
    read = [os.path.join(paths.state_dir, ".env") if is_managed else paths.env, beside]
    return list({os.path.realpath(path): path for path in read}.values())


def _service_names(product: Product, given: Mapping[str, str], config: Any, files: Iterable[Source]) -> frozenset[str]:
    """Return the names for which the product's own files take precedence over what the service gives.

    One that no file has and the config does not refer to is taken out of the environment.
    """
    listed = given.get(product.service_names_variable, "") if product.service_names_variable else ""
    if not any(given.get(hint, "").strip() for hint in _OF_SYSTEMD):
        return frozenset()
    names = frozenset(name.strip().upper() for name in listed.split(",")) - {""}
    kept = {name.upper() for name in references(config)}
    in_files = {name.upper() for source in files for name in source.values}
    return frozenset(name for name in names if name in in_files or name not in kept)


def _is_default(directory: str, default: str) -> bool:
    return os.path.realpath(directory) == os.path.realpath(os.path.expanduser(default))


def read_env_file(path: str) -> Source | None:
    """Return the `.env` at a path; None if it does not exist or this account may not read it."""
    try:
        with open(path, "rb", opener=open_without_blocking) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            text = file.read().decode("utf-8", "surrogateescape")
    except OSError:
        return None
    return Source(path, dotenv.loads(text), change_time(path), dotenv.misread_by_systemd(text))


def change_time(path: str) -> float | None:
    """Return when a file, or the link that leads to it, was written, renamed into place or given another mode.

    None if it does not exist. This is the ctime, which only the system sets. Who restores, copies or unpacks a file
    sets its mtime to anything, even to a time in the future that no restart would ever catch up with. A ctime that is
    newer than the content costs one restart at most, as the new process is younger.
    """
    try:
        return max(os.stat(path).st_ctime, os.lstat(path).st_ctime)
    except OSError:
        return None


def _from_service(name: str, sources: EnvSources) -> Sequence[Source]:
    """Return what the service gives to a new process, as far as one variable is concerned.

    The environment of the running process says more than the settings of its service, as a command in between may
    set variables. It says nothing about a new process once something was changed.
    """
    process, unit = sources.process, sources.unit
    if (
        process is None
        or process.environment is None
        or sources.known_from_systemd(name)
        or sources.changed_env_files()
        or sources.changed_unit_files()
        or (unit is not None and unit.needs_reload)
    ):
        return sources.service
    held = process.environment.get(name)
    if held is None:
        return ()
    # A command in between that has read the same files has set nothing of its own.
    expected = next((s.values[name] for s in (*sources.service, *sources.product) if name in s.values), None)
    return sources.service if held == expected else [Source(_PROCESS, {name: held}), *sources.service]


def _in_process(name: str, sources: EnvSources) -> bool | None:
    process = sources.process
    if process is None:
        return None
    is_overridden = any(name.upper() in source.overriding for source in sources.product)
    if process.environment and name in process.environment and not is_overridden:
        return bool(process.environment[name])
    # The process has not read a file that was changed after its start.
    held = [
        file.values[name]
        for file in sources.product
        if name in file.values and file.changed is not None and file.changed < process.started
    ]
    if not held and process.environment is None:
        return None
    return bool(held and held[0])


def held_by_process(name: str, sources: EnvSources) -> str | None:
    """Return the value that the process has in a variable, empty where it has none; None where that is not known.

    What it has read itself is not in its environment. It is what a file has that was not changed since its start.
    """
    process = sources.process
    if process is None:
        return ""
    if process.environment is None:
        return None
    is_overridden = any(name.upper() in source.overriding for source in sources.product)
    if name in process.environment and not is_overridden:
        return process.environment[name]
    for source in sources.product:
        if source.changed is not None and source.changed >= process.started:
            return None
        if name in source.values:
            return source.values[name] if source.changed is not None else None
    return ""


def _unique(sources: Iterable[Source]) -> list[Source]:
    """Return the sources, each file once."""
    first: dict[str, Source] = {}
    for source in sources:
        first.setdefault(_key(source.place), source)
    return list(first.values())


def _key(place: str) -> str:
    return os.path.realpath(place) if os.path.isabs(place) else place


def _without_barred(source: Source | None, product: Product) -> Source | None:
    """Return a `.env` in the working directory without the variables that the product does not read from there."""
    if source is None:
        return None
    values = {name: value for name, value in source.values.items() if name not in product.ignored_in_working_directory}
    return replace(source, values=values)


def _without(values: Mapping[str, str | None], unset: frozenset[str]) -> dict[str, str | None]:
    return {name: value for name, value in values.items() if not {name, f"{name}={value}"} & unset}


def _config_variables(block: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the variables of an `env` block; a later one replaces an earlier (the product's config/env-vars.js)."""
    inner = block.get("vars")
    for name, value in inner.items() if isinstance(inner, dict) else ():
        if isinstance(value, str) and value:
            yield name, value
    for name, value in block.items():
        if name not in ("shellEnv", "vars") and isinstance(value, str) and value.strip():
            yield name, value
