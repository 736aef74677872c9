# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""One gateway on its host, as it is now: files, service, process, and what it still needs."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils import _process, _variables
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import Paths, Product
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._program import Gateway

_POLL_SECONDS = 0.25
_ANSWER_SECONDS = 5.0
_LISTING_SECONDS = 60.0
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [0-9]{3}[ \r\n]")
_LONGEST_STATUS_LINE = 1024
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

    unit: _process.Unit | None
    process: _process.Process | None
    env_files: Sequence[_variables.EnvFile]
    port: int
    answers: bool

    @property
    def restart_reasons(self) -> list[str]:
        """Why it needs a new process."""
        return _variables.restart_reasons(self.process, self.env_files)

    @property
    def settled(self) -> bool:
        """Whether it answers, on the files as they are."""
        return self.answers and not self.restart_reasons


def observe(product: Product, paths: Paths, service: Service) -> Observation:
    """The gateway now."""
    unit = None
    if service.manager != "command":
        unit = _process.unit(service.name, service.manager.partition("_")[2])
        process = _process.of_unit(unit) if unit else None
    else:
        process = _process.of_lock(product, paths)
    port = _port(product, paths, process)
    return Observation(
        unit,
        process,
        _variables.files(process, paths.env),
        port,
        process is not None and answers(port, product.health_path),
    )


def observe_until_settled(product: Product, paths: Paths, service: Service, wait: float) -> Observation:
    """The gateway as soon as it answers on the files as they are, or as it is after C(wait) seconds."""
    deadline = time.monotonic() + wait
    while True:
        seen = observe(product, paths, service)
        if seen.settled or time.monotonic() >= deadline:
            return seen
        time.sleep(_POLL_SECONDS)


def answers(port: int, path: str) -> bool:
    """Whether something answers an HTTP request on the port of this host, with whatever status.

    A gateway whose control UI is turned off answers 404 and is none the worse for it.
    """
    # By hand: the modules for HTTP take longer to load on the host than all else that is done there.
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS) as connection:
            connection.sendall(request.encode("ascii"))
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


def _port(product: Product, paths: Paths, process: _process.Process | None) -> int:
    environment: Mapping[str, str] = (process.environment if process else None) or {}
    told = environment.get(product.port_variable, "").strip()
    for port in (int(told) if _PORT_TEXT.match(told) else None, _configured_port(paths.config)):
        if isinstance(port, (int, float)) and not isinstance(port, bool) and port in _PORTS:
            return int(port)
    return product.port


def _configured_port(config_path: str) -> Any:
    try:
        with open(config_path, encoding="utf-8", errors="surrogateescape") as file:
            config = _loads(file.read())
    except (OSError, ValueError):
        return None
    gateway = config.get("gateway") if isinstance(config, dict) else None
    return gateway.get("port") if isinstance(gateway, dict) else None


def _loads(text: str) -> Any:
    """The value of a config, which mostly is JSON. Raises ValueError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # Imported where it is needed: the host compiles it anew each time.
        from ansible_collections.clawfleet.clawdbot.plugins.module_utils import _json5

        return _json5.loads(text)


def _changed_since(moment: float, path: str) -> bool:
    try:
        return os.stat(path).st_ctime >= moment
    except OSError:
        return False
