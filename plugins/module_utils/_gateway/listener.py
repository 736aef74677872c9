# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Where a gateway listens, and whether it answers there."""

from __future__ import annotations

import hashlib
import re
import socket
import time
from collections.abc import Iterable, Sequence
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Listener
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import DEFAULT_PORT

from . import sockets
from .sockets import Address

_ANSWER_SECONDS = 5.0
_ANY_STATUS = re.compile(rb"HTTP/1\.[01] [0-9]{3}[ \r\n]")
_SWITCHED = re.compile(rb"HTTP/1\.1 101[ \r\n]")
_LONGEST_STATUS_LINE = 1024
_PORTS = range(1, 65536)
# OpenClaw takes a port with an address before it as well.
_PORT_TEXT = re.compile(r"(?:\[[^\]]*\]:|[^:]*:)?([0-9]{1,5})\Z")
# Those that reach the addresses of all interfaces.
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not listened on
_HEADERS_OF_WEBSOCKET = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: Y2xhd2ZsZWV0LmNsYXdkYg==\r\n"
)


def configured_port(arguments: Sequence[str], values: Iterable[str | None], config: Any) -> int:
    """Return the port on which a gateway is meant to listen.

    `arguments`: of its unit; they take precedence. `values`: of the environment variable, the first takes precedence.
    """
    texts = (option(arguments, "--port"), *(value or "" for value in values))
    matches = (_PORT_TEXT.match(text.strip()) for text in texts)
    numbers = (int(match.group(1)) for match in matches if match)
    for port in (*numbers, at(config, ("gateway", "port"))):
        if isinstance(port, (int, float)) and not isinstance(port, bool) and port in _PORTS:
            return int(port)
    return DEFAULT_PORT


def find_listener(own: Sequence[Address] | None, port: int, path: str) -> tuple[Listener, bool]:
    """Return where a gateway is asked, and whether it answers at the path there.

    `own`: where its process listens, whatever was configured. None if that is not known: then whatever listens on the
    configured `port` is asked. A process can listen on other ports, as it also serves tools of its agents, or Node's
    inspector. The gateway is the one on the configured port, else the first that takes the WebSockets of clients.
    """
    if own is None:
        found = [address for address in sockets.of_host() if address.port == port]
        # Where the system does not show it.
        own = found or [Address("127.0.0.1", port), Address("::1", port)]
    ports = {address.port for address in own}
    addresses = sorted(own, key=_distance)
    if port in ports:
        chosen = [address for address in addresses if address.port == port]
        answers = (ask(*address, path) for address in chosen)
    else:
        chosen = addresses
        answers = (_ask(*address, "/", _HEADERS_OF_WEBSOCKET, _SWITCHED) for address in chosen)
    answer = next(filter(None, answers), None)
    silent = Listener(_REACHED_AT.get(chosen[0].host, chosen[0].host), chosen[0].port) if chosen else None
    return answer or silent or Listener("127.0.0.1", port), answer is not None


def ask(host: str, port: int, path: str) -> Listener | None:
    """Return what answers an HTTP or HTTPS request, with any status and any certificate; None if nothing does.

    A healthy gateway whose control UI is turned off answers 404. An address of this host needs no certificate of an
    authority: the gateway makes one itself.
    """
    return _ask(host, port, path, "Connection: close\r\n", _ANY_STATUS)


def option(arguments: Sequence[str], name: str) -> str:
    """Return the last value of an option, given as the next word or after `=`; empty if it is not given."""
    words = [
        word for argument in arguments for word in (argument.split("=", 1) if argument.startswith("--") else [argument])
    ]
    values = [value for name_given, value in zip(words, words[1:]) if name_given == name]
    return values[-1] if values else ""


def _distance(address: Address) -> int:
    """Return a number by which the addresses of this host alone come first."""
    if address.host.startswith("127.") or address.host in _REACHED_AT:
        return 0
    return 1 if address.host == "::1" else 2


def _ask(host: str, port: int, path: str, headers: str, expected: re.Pattern[bytes]) -> Listener | None:
    listener = Listener(_REACHED_AT.get(host, host), port)
    deadline = time.monotonic() + _ANSWER_SECONDS
    # http.client takes longer to import than the rest of this module.
    request = f"GET {path} HTTP/1.1\r\nHost: {listener.authority}\r\n{headers}\r\n".encode()
    try:
        with _connect(listener, deadline) as connection:
            line = _first_line(connection, request, deadline)
    except (ConnectionRefusedError, socket.timeout):
        return None
    except OSError:
        line = b""
    if _ANY_STATUS.match(line):
        return listener if expected.match(line) else None
    return _ask_with_tls(listener, request, expected, deadline)


def _ask_with_tls(listener: Listener, request: bytes, expected: re.Pattern[bytes], deadline: float) -> Listener | None:
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with _connect(listener, deadline) as plain:
            plain.settimeout(_left(deadline))
            with context.wrap_socket(plain) as connection:
                certificate = connection.getpeercert(binary_form=True) or b""
                line = _first_line(connection, request, deadline)
    except OSError:
        return None
    fingerprint = hashlib.sha256(certificate).hexdigest()
    return Listener(listener.host, listener.port, fingerprint) if expected.match(line) else None


def _connect(listener: Listener, deadline: float) -> socket.socket:
    return socket.create_connection((listener.host, listener.port), timeout=_left(deadline))


def _first_line(connection: socket.socket, request: bytes, deadline: float) -> bytes:
    connection.sendall(request)
    line = b""
    while b"\n" not in line and len(line) < _LONGEST_STATUS_LINE:
        connection.settimeout(_left(deadline))
        read = connection.recv(_LONGEST_STATUS_LINE - len(line))
        if not read:
            break
        line += read
    return line


def _left(deadline: float) -> float:
    """Return the seconds that are left. Raises `socket.timeout` if none are: a peer can send a byte now and then."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout
    return left
