# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The port that a gateway listens on, and whether it answers there."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import DEFAULT_PORT, Product

from .process import Process

_ANSWER_SECONDS = 5.0
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [0-9]{3}[ \r\n]")
_LONGEST_STATUS_LINE = 1024
_PORTS = range(1, 65536)
_PORT_TEXT = re.compile(r"[0-9]{1,5}\Z")


def find_port(product: Product, config: Any, process: Process | None, arguments: Sequence[str]) -> int:
    """Return the port of a gateway.

    The `arguments` that the unit gives take precedence over the process's environment, the config and the default.
    """
    environment: Mapping[str, str] = (process.environment if process else None) or {}
    given = (_option(arguments, "--port"), environment.get(product.port_variable, "").strip())
    numbers = (int(text) if _PORT_TEXT.match(text) else None for text in given)
    for port in (*numbers, at(config, ("gateway", "port"))):
        if isinstance(port, (int, float)) and not isinstance(port, bool) and port in _PORTS:
            return int(port)
    return DEFAULT_PORT


def answers(port: int, path: str) -> bool:
    """Return whether something answers an HTTP request on the port of this host, with any status.

    A healthy gateway whose control UI is turned off answers 404.
    """
    # http.client takes longer to import than the rest of this module.
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_SECONDS) as connection:
            connection.sendall(request)
            with connection.makefile("rb") as answer:
                return bool(_STATUS_LINE.match(answer.readline(_LONGEST_STATUS_LINE)))
    except OSError:
        return False


def _option(arguments: Sequence[str], name: str) -> str:
    """Return the last value of an option, given as the next word or after `=`; empty if it is not given."""
    words = [word for argument in arguments for word in argument.split("=", 1)]
    values = [value for option, value in zip(words, words[1:]) if option == name]
    return values[-1] if values else ""
