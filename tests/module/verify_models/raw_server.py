# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server on loopback that answers with the bytes of a test."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Union


@dataclass(frozen=True)
class Received:
    """A request as it came in: header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


#: What a server does with a request: send these bytes and close, or whatever the function does with the connection.
Behaviour = Union[bytes, Callable[[socket.socket, Received], None]]


def answer(status: int, body: bytes, *headers: str, reason: str = "Something") -> bytes:
    """An HTTP answer with a right Content-Length."""
    head = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


def json_answer(status: int, document: object, *headers: str) -> bytes:
    """An HTTP answer with a JSON body."""
    return answer(status, json.dumps(document).encode(), "Content-Type: application/json", *headers)


def listing(*ids: str) -> bytes:
    """The answer of an endpoint that lists the models."""
    return json_answer(200, {"object": "list", "data": [{"id": model_id, "object": "model"} for model_id in ids]})


def error(status: int, kind: str, message: str, *headers: str) -> bytes:
    """Return an API error."""
    return json_answer(status, {"error": {"message": message, "type": kind}}, *headers)


class RawServer:
    """Serve each connection in a thread of its own, one request a connection, until the `with` block ends."""

    def __init__(self, behaviour: Behaviour, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour
        self.received: list[Received] = []
        self._tls = tls
        self._connections: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, 0))
        self._listener.listen(64)
        self.port: int = self._listener.getsockname()[1]
        self.netloc = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def __enter__(self) -> RawServer:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                self._connections.append(connection)
                threading.Thread(target=self._handle, args=(connection,), daemon=True).start()

    def _handle(self, connection: socket.socket) -> None:
        # The client may go away at any moment: that is what many of the tests are about.
        with contextlib.suppress(OSError, ValueError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._connections.append(connection)
            with connection:
                request = read_request(connection)
                if request is None:
                    return
                self.received.append(request)
                if callable(self.behaviour):
                    self.behaviour(connection, request)
                else:
                    connection.sendall(self.behaviour)


def read_request(connection: socket.socket) -> Received | None:
    """Return the next request, or None if the client leaves before its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _end, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ")
    headers = {name.lower(): value for name, _colon, value in (line.partition(": ") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        chunk = connection.recv(65536)
        if not chunk:
            return None
        body += chunk
    return Received(method, target, headers, body)
