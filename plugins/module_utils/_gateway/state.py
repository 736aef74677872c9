# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The state of one gateway on its host: files, service, process, and why it needs a restart."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import includes, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import references
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.key_files import key_file
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.stored_keys import read_keys, secrets_in
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Listener
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths, paths_of_process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Product

from . import env_sources, sockets, systemd
from .listener import configured_port, find_listener, option
from .process import Process, find_by_lock, find_by_pid, is_node, sees_other_files
from .program import Cli, find_cli, replaceable_files
from .restart_reasons import restart_reasons
from .systemd import Unit

# What another process would take for its own: the descriptors and names that its starter has given to this one.
_OF_ONE_PROCESS = re.compile(
    r"(?:INVOCATION_ID|JOURNAL_STREAM|MAINPID|MANAGERPID|NOTIFY_SOCKET|SYSTEMD_EXEC_PID|NODE_UNIQUE_ID|NODE_CHANNEL_\w+"
    r"|(?:LISTEN|MEMORY_PRESSURE|TRIGGER|WATCHDOG)_\w+)\Z"
)
# systemd replaces `$NAME` only where it is a word of its own, and then splits the value.
_IN_UNIT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Service:
    """What keeps the gateway running, and the name of its unit."""

    manager: Literal["systemd_user", "systemd_system", "command"]
    name: str
    #: Names under which it is looked for where there is no unit of that name.
    older_names: tuple[str, ...] = ()

    @property
    def scope(self) -> systemd.Scope:
        """Whose service manager has the unit."""
        return "user" if self.manager == "systemd_user" else "system"


@dataclass(frozen=True)
class Observation:
    """The state of a gateway at one moment."""

    sources: env_sources.EnvSources
    #: The config with its included files, as far as it can be read; else empty.
    config: Any = field(repr=False)
    cli: Cli
    #: Whether the process sees other files than this account; None where that is not known, or none runs.
    isolated: bool | None
    #: Where it is asked: where its process listens, or as it is configured where that is not known.
    listener: Listener
    #: Whether it is known where its process listens; None where none runs.
    listening: Literal["known", "unknown"] | None
    answers: bool
    #: Why it needs a new process.
    restart_reasons: Sequence[str]
    #: The paths of its process, or of the next one; None where they are not known.
    process_paths: Paths | None
    #: What answers on its port although its process does not run; empty if nothing does.
    port_taken_by: str
    #: The environment in which the CLI is run.
    cli_environment: Mapping[str, str] = field(repr=False)
    #: The secrets in its files, which no message may have.
    secrets: Collection[str] = field(repr=False)

    @property
    def unit(self) -> Unit | None:
        """The service's unit; None if there is none."""
        return self.sources.unit

    @property
    def process(self) -> Process | None:
        """The main process; None if none runs."""
        return self.sources.process

    @property
    def restarts(self) -> int:
        """How often systemd has restarted it on its own."""
        return self.unit.restarts if self.unit else 0


def observe(product: Product, paths: Paths, service: Service, names: Sequence[str]) -> Observation:
    """Return the current state of a gateway. `names`: the environment variables whose current values it should have."""
    unit, process = _find(product, paths, service)
    config = _read_config(paths.config)
    sources = _env_sources(product, paths, unit, process, config)
    isolated = sees_other_files(process, paths.state_dir) if process else None
    # The paths of a process that sees other files mean nothing here.
    cli = Cli() if isolated else find_cli(product, unit, process)
    is_seen = process is not None and not isolated and not cli.started_by
    own = sockets.of_gateway(process.pid) if process and is_seen else None
    listener, answered = find_listener(own, _configured_port(product, config, sources), product.health_path)
    return Observation(
        sources,
        config,
        cli,
        isolated,
        listener,
        None if process is None else "unknown" if own is None else "known",
        process is not None and answered,
        restart_reasons(sources, replaceable_files(cli.program, cli.package), names),
        _process_paths(product, paths, sources) if is_seen or process is None else None,
        _other_service(product, service) if answered and process is None else "",
        _cli_environment(product, config, sources),
        secrets_in((file.values for file in sources.files), [read_keys(key_file("file", paths.env)) or {}]),
    )


def _find(product: Product, paths: Paths, service: Service) -> tuple[Unit | None, Process | None]:
    if service.manager == "command":
        return None, find_by_lock(product, paths)
    names = (service.name, *service.older_names)
    unit = next(filter(None, (systemd.show_unit(name, service.scope) for name in names)), None)
    return unit, find_by_pid(unit.main_pid) if unit and unit.main_pid else None


def _process_paths(product: Product, paths: Paths, sources: env_sources.EnvSources) -> Paths | None:
    """Return the paths of the process, else of the next one; a path is as given where it leads there.

    None where the environment of neither is known.
    """
    process, unit = sources.process, sources.unit
    variables: Mapping[str, str] | None = process.environment if process else None
    if variables is None and unit and unit.home and (process is None or is_node(unit.executable)):
        # systemd sets HOME.
        variables = {"HOME": unit.home, **_given(sources.service)}
    if variables is None:
        return None
    directory = (process.working_directory if process else unit.working_directory if unit else None) or "/"
    found = paths_of_process(product, variables, unit.command if unit else (), directory, _read_variables)
    moved = any(variables.get(name) for name in (product.state_dir_variable, product.config_path_variable))
    if unit is None and not moved and not _same(found.config, paths.config):
        # It was found by its lock, which names its config. So it has a profile: its title replaces its arguments.
        state = os.path.dirname(paths.config)
        found = Paths(state, paths.config, os.path.join(state, ".env"))
    # Another `.env` can be loaded by the service, and need not be read by the product.
    is_default = _same(paths.env, os.path.join(paths.state_dir, ".env"))
    return Paths(
        paths.state_dir if _same(found.state_dir, paths.state_dir) else found.state_dir,
        paths.config if _same(found.config, paths.config) else found.config,
        paths.env if _same(found.env, paths.env) or not is_default else found.env,
    )


def _same(path: str, other: str) -> bool:
    """Whether both paths lead to the same place."""
    return os.path.realpath(path) == os.path.realpath(other)


def _read_variables(path: str) -> Mapping[str, str]:
    found = env_sources.read_env_file(path)
    return {name: value for name, value in found.values.items() if value is not None} if found else {}


def _other_service(product: Product, service: Service) -> str:
    """Return the name of what runs the gateway in the place of its service."""
    if service.manager != "command":
        scope: systemd.Scope = "system" if service.scope == "user" else "user"
        for name in dict.fromkeys((service.name, product.unit, *product.older_units, product.name)):
            unit = systemd.show_unit(name, scope)
            if unit and unit.main_pid:
                return f"the {scope} unit {name}"
    return "another process"


def _configured_port(product: Product, config: Any, sources: env_sources.EnvSources) -> int:
    """Return the port that the unit, the process or the files give, as far as they can be read."""
    held = (sources.process.environment if sources.process else None) or {}
    traced = env_sources.trace(product.port_variable, sources).sources
    values = (held.get(product.port_variable), *(value for _place, value in traced))
    return configured_port(sources.unit.arguments if sources.unit else (), values, config)


def _cli_environment(product: Product, config: Any, sources: env_sources.EnvSources) -> dict[str, str]:
    held = sources.process.environment if sources.process else None
    given = _given(sources.service)
    arguments = sources.unit.arguments if sources.unit else ()
    credentials = _credentials(product, config, arguments, given if held is None else held)
    if held is None:
        # Where it cannot be read, or none runs, the unit says what the process gets.
        return {**os.environ, **given, **credentials}
    kept = {name: value for name, value in held.items() if not _OF_ONE_PROCESS.match(name)}
    return {**{name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}, **kept, **credentials}


def _credentials(product: Product, config: Any, arguments: Sequence[str], held: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with which the CLI sends the token and password that the gateway takes.

    For the gateway, its command line takes precedence over its config, and that over its environment. For the CLI the
    variable can take precedence over the config: so it is empty where the config has a value.
    """
    variables = {}
    for variable, member in ((product.token_variable, "token"), (product.password_variable, "password")):
        given = _expanded(option(arguments, f"--{member}"), held)
        configured = at(config, ("gateway", "auth", member))
        if given:
            variables[variable] = given
        elif isinstance(configured, str) and configured and variable not in references(configured):
            variables[variable] = ""
    return variables


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    """Return a word of a unit, which systemd shows as it is written; empty where a variable of it is not known."""
    names = _IN_UNIT.findall(text)
    if not all(name in variables for name in names):
        return ""
    return _IN_UNIT.sub(lambda match: variables[match.group(1)], text)


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
