# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The state of one gateway on its host: files, service, process, and why it needs a restart."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import includes, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Product

from . import env_sources, systemd
from .port import answers, find_port
from .process import Process, find_by_lock, find_by_pid, sees_other_files
from .program import Cli, find_cli, replaceable_files
from .restart_reasons import restart_reasons
from .systemd import Unit

# What another process would take for its own: the descriptors and names that its starter has given to this one.
_OF_ONE_PROCESS = re.compile(
    r"(?:INVOCATION_ID|JOURNAL_STREAM|MAINPID|MANAGERPID|NOTIFY_SOCKET|SYSTEMD_EXEC_PID|NODE_UNIQUE_ID|NODE_CHANNEL_\w+"
    r"|(?:LISTEN|MEMORY_PRESSURE|TRIGGER|WATCHDOG)_\w+)\Z"
)


@dataclass(frozen=True)
class Service:
    """What keeps the gateway running, and the name of its unit."""

    manager: Literal["systemd_user", "systemd_system", "command"]
    name: str


@dataclass(frozen=True)
class Observation:
    """The state of a gateway at one moment."""

    sources: env_sources.EnvSources
    #: The config with its included files, as far as it can be read; else empty.
    config: Any = field(repr=False)
    cli: Cli
    #: Whether the process sees other files than this account; None where that is not known, or none runs.
    isolated: bool | None
    port: int
    answers: bool
    #: Why it needs a new process.
    restart_reasons: Sequence[str]

    @property
    def unit(self) -> Unit | None:
        """The service's unit; None if there is none."""
        return self.sources.unit

    @property
    def process(self) -> Process | None:
        """The main process; None if none runs."""
        return self.sources.process

    @property
    def cli_environment(self) -> dict[str, str]:
        """The environment in which the CLI is run."""
        return _cli_environment(self.process, self.sources.service)

    @property
    def restarts(self) -> int:
        """How often systemd has restarted it on its own."""
        return self.unit.restarts if self.unit else 0


def cli_environment(product: Product, paths: Paths, service: Service) -> dict[str, str]:
    """Return the environment in which a gateway's CLI is run: that of its process."""
    unit, process = _find(product, paths, service)
    return _cli_environment(process, env_sources.from_unit(unit) if unit else [])


def observe(product: Product, paths: Paths, service: Service, names: Sequence[str]) -> Observation:
    """Return the current state of a gateway. `names`: the environment variables whose current values it should have."""
    unit, process = _find(product, paths, service)
    config = _read_config(paths.config)
    sources = _env_sources(product, paths, unit, process, config)
    isolated = sees_other_files(process, paths.state_dir) if process else None
    # The paths of a process that sees other files mean nothing here.
    cli = Cli() if isolated else find_cli(product, unit, process)
    port = find_port(product, config, process, unit.arguments if unit else ())
    return Observation(
        sources,
        config,
        cli,
        isolated,
        port,
        process is not None and answers(port, product.health_path),
        restart_reasons(sources, replaceable_files(cli.program, cli.package), names),
    )


def _find(product: Product, paths: Paths, service: Service) -> tuple[Unit | None, Process | None]:
    if service.manager == "command":
        return None, find_by_lock(product, paths)
    unit = systemd.show_unit(service.name, "user" if service.manager == "systemd_user" else "system")
    return unit, find_by_pid(unit.main_pid) if unit and unit.main_pid else None


def _cli_environment(process: Process | None, service: Sequence[env_sources.Source]) -> dict[str, str]:
    held = process.environment if process else None
    if held is None:
        # Where it cannot be read, or none runs, the unit says what the process gets.
        return {**os.environ, **_given(service)}
    kept = {name: value for name, value in held.items() if not _OF_ONE_PROCESS.match(name)}
    return {**{name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}, **kept}


def _given(service: Sequence[env_sources.Source]) -> dict[str, str]:
    return {name: value for source in reversed(service) for name, value in source.values.items() if value is not None}


def _env_sources(
    product: Product, paths: Paths, unit: Unit | None, process: Process | None, config: Any
) -> env_sources.EnvSources:
    service = env_sources.from_unit(unit) if unit else []
    # Where no process runs, the unit says where the next one starts.
    directory = process.working_directory if process else unit.working_directory if unit else None
    held = (process.environment if process else None) or {}
    from_product = env_sources.from_product(product, directory, paths, config, {**held, **_given(service)})
    return env_sources.EnvSources(process, unit, service, from_product, paths.env)


def _read_config(path: str) -> Any:
    try:
        document = json5_reader.loads(_read(path) or "")
    except (ClawdbotError, json5_reader.Json5Error):
        return {}
    try:
        return includes.resolve(document, path, _read).value
    except ClawdbotError:
        return document


def _read(path: str) -> str | None:
    content = atomic.read(path).content
    return None if content is None else content.decode("utf-8", "surrogateescape")
