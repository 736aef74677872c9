# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to the mock server, and the answers that several tests expect."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import Any, NamedTuple

from tools import mock_server as tool

KEYS = {
    "moonshot-cn": "sk-cn-0123456789abcdef",
    "moonshot-ai": "sk-ai-0123456789abcdef",
    "kimicode": "sk-kimi-0123456789abcdef",
}
CN, AI, KIMI = KEYS["moonshot-cn"], KEYS["moonshot-ai"], KEYS["kimicode"]
WRONG = "sk-wrong-0123456789abcdef"
AGENT = "KimiCLI/0.77"
MESSAGES = [{"role": "user", "content": "hi"}]
ACCOUNT = "org-5d41402abc4b2a76<ak-b9719d911017c592>"

LIST_CN, CHAT_CN = "/moonshot-cn/v1/models", "/moonshot-cn/v1/chat/completions"
LIST_AI, CHAT_AI = "/moonshot-ai/v1/models", "/moonshot-ai/v1/chat/completions"
LIST_KIMI, CHAT_KIMI = "/kimi/coding/v1/models", "/kimi/coding/v1/chat/completions"


class Reply(NamedTuple):
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def chat(model: Any, **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": MESSAGES, **more}


def error(message: str, kind: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind}}


INVALID = error("Invalid Authentication", "invalid_authentication_error")
INCORRECT = error("Incorrect API key provided", "incorrect_api_key_error")
EXPIRED = error(
    "The API Key appears to be invalid or may have expired. Please verify your credentials and try again.",
    "invalid_authentication_error",
)
NOT_ADMITTED = error(
    "Kimi For Coding is currently only available for Coding Agents such as Kimi CLI, Claude Code, Roo Code, "
    "Kilo Code, etc.",
    "access_terminated_error",
)
MEMBERSHIP = error(
    "We're unable to verify your membership benefits at this time. Please ensure your membership is active.",
    "invalid_request_error",
)
NO_OBJECT = error("Invalid request: the body is not a JSON object", "invalid_request_error")
NO_MODEL = error("Invalid request: model and messages are required", "invalid_request_error")
NOT_HERE = b"404 page not found"


def connect(mock_server: tool.MockServer, timeout: float = 5) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", mock_server.port, timeout=timeout)


def ask(
    mock_server: tool.MockServer,
    method: str,
    path: str,
    key: str | None = None,
    body: Any = None,
    agent: str | None = None,
    timeout: float = 5,
) -> Reply:
    headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
    if agent is not None:
        headers["User-Agent"] = agent
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    connection = connect(mock_server, timeout)
    try:
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        return Reply(response.status, response.read(), dict(response.headers))
    finally:
        connection.close()


def recorded(mock_server: tool.MockServer) -> list[dict[str, Any]]:
    """The requests, once there is one. A client with a short timeout may be faster than the server."""
    deadline = time.monotonic() + 5
    while not mock_server.requests() and time.monotonic() < deadline:
        time.sleep(0.01)
    return mock_server.requests()


def raw(mock_server: tool.MockServer, request: bytes, seconds: float = 5) -> bytes:
    """All that comes back until the other side closes, or until nothing came for so long."""
    with socket.create_connection(("127.0.0.1", mock_server.port), timeout=seconds) as connection:
        connection.sendall(request)
        got = b""
        try:
            while data := connection.recv(65536):
                got += data
        except TimeoutError:
            pass
        return got


def listing_request(path: str = LIST_CN, key: str = CN) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n".encode()
