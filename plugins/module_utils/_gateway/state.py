# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""One gateway on its host, as it is now: files, service, process, and what it still needs."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import includes, json5
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Paths, Product
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from . import auth_profiles, env_sources, systemd
from .info import OverrideInfo, ProviderInfo
from .process import Process, of_lock, of_pid
from .program import Package, find, find_package, replaceable
from .systemd import Unit

_POLL_SECONDS = 0.25
# Looking at a gateway takes CPU from one that is starting: until it answers otherwise, it is looked at only so often.
_LOOK_SECONDS = 2.0
# A gateway that ends so often while it is waited for will not come up. Once or twice it may: OpenClaw's first start on
# the files of Clawdbot does, and a gateway whose predecessor still has the port.
_ENDS = 5
_ANSWER_SECONDS = 5.0
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [0-9]{3}[ \r\n]")
_LONGEST_STATUS_LINE = 1024
_LISTING_SECONDS = 60.0
_PORTS = range(1, 65536)
_PORT_TEXT = re.compile(r"[0-9]{1,5}\Z")


@dataclass(frozen=True)
class Service:
    """How the gateway is kept running: V(systemd_user), V(systemd_system) or V(command), and the unit's name."""

    manager: str
    name: str


@dataclass(frozen=True)
class Observation:
    """What was seen of a gateway at one moment."""

    origins: env_sources.Origins
    #: The config with what it includes, as far as it can be read; else nothing.
    config: Any = field(repr=False)
    #: The command that runs the product's program, and its package.
    program: tuple[str, ...]
    package: Package | None
    port: int
    answers: bool
    #: Why it needs a new process.
    restart_reasons: Sequence[str]

    @property
    def unit(self) -> Unit | None:
        """The service's unit, None where there is none."""
        return self.origins.unit

    @property
    def process(self) -> Process | None:
        """The main process, None where none runs."""
        return self.origins.process

    @property
    def restarts(self) -> int:
        """How often systemd has started it again by itself."""
        return self.unit.restarts if self.unit else 0

    @property
    def settled(self) -> bool:
        """Whether nothing is to be waited for: it answers and needs no restart, or it will not come up by itself."""
        if self.process is None and self.unit is not None and self.unit.active_state == "failed":
            return True
        return self.answers and not self.restart_reasons


def observe(product: Product, paths: Paths, service: Service, names: Sequence[str]) -> Observation:
    """The gateway now. C(names): of the variables that it shall have the current values of."""
    unit = None
    if service.manager != "command":
        unit = systemd.unit(service.name, service.manager.partition("_")[2])
        process = of_pid(unit.main_pid) if unit and unit.main_pid else None
    else:
        process = of_lock(product, paths)
    config = _config(paths.config)
    origins = _origins(product, paths, unit, process, config)
    program = find(product, unit, process)
    package = find_package(product, program)
    port = _port(product, config, process, unit.arguments if unit else ())
    return Observation(
        origins,
        config,
        program,
        package,
        port,
        process is not None and answers(port, product.health_path),
        env_sources.restart_reasons(origins, replaceable(program, package), names),
    )


def observe_until_settled(
    product: Product, paths: Paths, service: Service, names: Sequence[str], wait: float
) -> Observation:
    """The gateway as soon as there is nothing more to wait for, or as it is after C(wait) seconds.

    That is also so once systemd has started it again and again.
    """
    deadline = time.monotonic() + wait
    restarts = None
    while True:
        seen = observe(product, paths, service, names)
        # Counted anew where somebody else starts it meanwhile.
        restarts = min(seen.restarts, seen.restarts if restarts is None else restarts)
        if seen.settled or seen.restarts - restarts >= _ENDS or time.monotonic() >= deadline:
            return seen
        _pause(seen, product, min(deadline, time.monotonic() + _LOOK_SECONDS))


def _pause(seen: Observation, product: Product, until: float) -> None:
    """Waits until the port answers otherwise than was seen, or until then."""
    while time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
        if answers(seen.port, product.health_path) is not seen.answers:
            return


def answers(port: int, path: str) -> bool:
    """Whether something answers an HTTP request on the port of this host, with whatever status.

    A gateway whose control UI is turned off answers 404 and is none the worse for it.
    """
    # Without http.client, whose import takes longer than the rest of this module.
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS) as connection:
            connection.sendall(request)
            with connection.makefile("rb") as answer:
                return bool(_STATUS_LINE.match(answer.readline(_LONGEST_STATUS_LINE)))
    except OSError:
        return False


def missing_models(
    product: Product, paths: Paths, gateway: Gateway, seen: Observation, wanted: Sequence[str]
) -> list[str]:
    """Those of the wanted C(provider/model) that the gateway does not list; all while it does not answer.

    Raises ClawdbotError where it answers, but not this question.
    """
    if not seen.answers or seen.process is None:
        return list(wanted)
    listed = listed_models(gateway.call(product.list_models_method, {}, _LISTING_SECONDS))
    missing = [model for model in wanted if model not in listed]
    if missing and _changed_since(seen.process.started, paths.config):
        listed = listed_models(gateway.run(product.list_models_args, _LISTING_SECONDS))
    return [model for model in missing if model not in listed]


def listed_models(listing: Any) -> set[str]:
    """The C(provider/model) in an answer to one of the product's two ways of listing."""
    models = listing.get("models") if isinstance(listing, dict) else None
    entries = [entry for entry in models if isinstance(entry, dict)] if isinstance(models, list) else []
    return {str(entry.get("key", f"{entry.get('provider')}/{entry.get('id')}")) for entry in entries}


def overriding(
    product: Product, paths: Paths, seen: Observation, providers: Mapping[str, str]
) -> dict[str, ProviderInfo]:
    """Provider -> its variable, and what the product takes for the provider's key in place of the variable's value.

    Each with C(kind), C(name), C(place) and C(fingerprint), the one that wins first.
    """
    agents = auth_profiles.stores(product, paths.state_dir, seen.config) if providers else []
    return {
        provider: {
            "variable": variable,
            "overridden_by": [
                *(
                    _override("auth_profile", profile.id, profile.path, profile.secret)
                    for profile in auth_profiles.used(product, agents, seen.config, provider)
                ),
                *_known_variable(product, seen.origins, provider, variable),
            ],
        }
        for provider, variable in providers.items()
    }


def _known_variable(
    product: Product, origins: env_sources.Origins, provider: str, variable: str
) -> Iterator[OverrideInfo]:
    for name in product.known_variables.get(product.provider(provider), ()):
        if name == variable:
            return
        place, value = next(iter(env_sources.trace(name, origins).sources), ("", None))
        if value and value.strip():
            yield _override("variable", name, place, value.strip())
            return


def _override(kind: Literal["auth_profile", "variable"], name: str, place: str, value: str) -> OverrideInfo:
    return {"kind": kind, "name": name, "place": place, "fingerprint": fingerprint(value)}


def _origins(
    product: Product, paths: Paths, unit: Unit | None, process: Process | None, config: Any
) -> env_sources.Origins:
    service = env_sources.of_unit(unit) if unit else []
    # The process has told where it is; where none runs, its unit tells where the next one will be.
    folder = process.working_directory if process else unit.working_directory if unit else None
    given = {name: value for source in reversed(service) for name, value in source.values.items() if value is not None}
    return env_sources.Origins(
        process,
        unit,
        service,
        env_sources.of_product(
            product, folder, paths, config, {**((process.environment if process else None) or {}), **given}
        ),
        paths.env,
    )


def _port(product: Product, config: Any, process: Process | None, arguments: Sequence[str]) -> int:
    environment: Mapping[str, str] = (process.environment if process else None) or {}
    told = (_option(arguments, "--port"), environment.get(product.port_variable, "").strip())
    texts = (int(text) if _PORT_TEXT.match(text) else None for text in told)
    for port in (*texts, at(config, ("gateway", "port"))):
        if isinstance(port, (int, float)) and not isinstance(port, bool) and port in _PORTS:
            return int(port)
    return product.port


def _option(arguments: Sequence[str], name: str) -> str:
    """The last value of an option, as a word of its own or behind C(=); empty where it is not given."""
    words = [word for argument in arguments for word in argument.split("=", 1)]
    values = [value for option, value in zip(words, words[1:]) if option == name]
    return values[-1] if values else ""


def _config(path: str) -> Any:
    try:
        document = json5.loads(_text(path) or "")
    except (ClawdbotError, json5.Json5Error):
        return {}
    try:
        return includes.resolve(document, path, _text).value
    except ClawdbotError:
        return document


def _text(path: str) -> str | None:
    content = atomic.read(path).content
    return None if content is None else content.decode("utf-8", "surrogateescape")


def _changed_since(moment: float, path: str) -> bool:
    try:
        return os.stat(path).st_ctime >= moment
    except OSError:
        return False
