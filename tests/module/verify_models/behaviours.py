# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What servers of the tests do with a request."""

from __future__ import annotations

import gzip
import json
import socket
import struct
import time

from tests.module.verify_models.raw_server import (
    Behaviour,
    Received,
    answer,
    json_answer,
    listing,
)


def says_nothing(connection: socket.socket, _request: Received) -> None:
    connection.recv(1)


def resets(connection: socket.socket, _request: Received) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def redirects_with_a_password(connection: socket.socket, request: Received) -> None:
    connection.sendall(answer(307, b"", f"Location: http://me:hunter2@{request.headers['host']}{request.target}"))


def drips(before: bytes, drop: bytes) -> Behaviour:
    def drip(connection: socket.socket, _request: Received) -> None:
        connection.sendall(before)
        while True:
            connection.sendall(drop)
            time.sleep(0.05)

    return drip


def begins(connection: socket.socket, request: Received) -> None:
    connection.sendall(HEAD + b"\r\n{")
    says_nothing(connection, request)


def never_ends(before: bytes, more: bytes) -> Behaviour:
    def pour(connection: socket.socket, _request: Received) -> None:
        connection.sendall(before)
        while True:
            connection.sendall(more)

    return pour


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CUT = HEAD + b'Content-Length: 400\r\n\r\n{"data": [{"id": "kimi-k2.5"}]}'
ZIPPED = gzip.compress(json.dumps({"data": [{"id": "kimi-k2.5"}]}).encode())


KIMI_403 = "Kimi For Coding is currently only available for Coding Agents such as Kimi CLI, Claude Code"


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Each request gets the next of the behaviours, the last one for ever."""
    left = list(behaviours)

    def behave(connection: socket.socket, request: Received) -> None:
        now = left.pop(0) if len(left) > 1 else left[0]
        if callable(now):
            now(connection, request)
        else:
            connection.sendall(now)

    return behave


def chat(model: str, text: str = "") -> bytes:
    message = {"role": "assistant", "content": text}
    return json_answer(200, {"model": model, "choices": [{"index": 0, "message": message, "finish_reason": "length"}]})


def chats(ids: tuple[str, ...], **answers: bytes) -> Behaviour:
    """An endpoint that lists ids and answers each model's chat as given, others with a chat."""

    def behave(connection: socket.socket, request: Received) -> None:
        if request.method == "GET":
            connection.sendall(listing(*ids))
        else:
            model = json.loads(request.body)["model"]
            connection.sendall(answers.get(model, chat(model)))

    return behave
