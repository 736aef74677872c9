# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import email.message
import gzip
import http.client
import ipaddress
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets import redaction
from ansible_collections.clawfleet.clawdbot.tools import mock_server as tool
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

KEYS = {
    "moonshot-cn": "sk-cn-0123456789abcdef",
    "moonshot-ai": "sk-ai-0123456789abcdef",
    "kimicode": "sk-kimi-0123456789abcdef",
}
CN, AI, KIMI = KEYS["moonshot-cn"], KEYS["moonshot-ai"], KEYS["kimicode"]
WRONG = "sk-wrong-0123456789abcdef"
AGENT = "KimiCLI/0.77"
PROGRAM = Path(tool.__file__)
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
NO_OBJECT = error("Invalid request: the body is not a JSON object", "invalid_request_error")
NO_MODEL = error("Invalid request: model and messages are required", "invalid_request_error")
NOT_HERE = b"404 page not found"


@pytest.fixture
def mock_server() -> Iterator[tool.MockServer]:
    with tool.MockServer() as running:
        for product, key in KEYS.items():
            running.add_key(product, key)
        yield running


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


# Method, path, key, User-Agent, body -> status and body.
ANSWERS: dict[str, tuple[str, str, str | None, str | None, Any, int, Any]] = {
    "listing, no key": ("GET", LIST_CN, None, None, None, 401, INVALID),
    "listing, empty key": ("GET", LIST_CN, "", None, None, 401, INVALID),
    "listing, wrong key": ("GET", LIST_CN, WRONG, None, None, 401, INCORRECT),
    "listing, key of the other region": ("GET", LIST_CN, AI, None, None, 401, INCORRECT),
    "listing, key of the first region": ("GET", LIST_AI, CN, None, None, 401, INCORRECT),
    "listing, key of the other product": ("GET", LIST_CN, KIMI, None, None, 401, INCORRECT),
    "kimi listing, no key": ("GET", LIST_KIMI, None, None, None, 401, INVALID),
    "kimi listing, wrong key": ("GET", LIST_KIMI, WRONG, None, None, 401, EXPIRED),
    "kimi listing, key of moonshot": ("GET", LIST_KIMI, CN, AGENT, None, 401, EXPIRED),
    "chat, no key": ("POST", CHAT_CN, None, None, chat("kimi-k2.5"), 401, INVALID),
    "chat, wrong key": ("POST", CHAT_CN, WRONG, None, chat("kimi-k2.5"), 401, INCORRECT),
    "kimi chat, wrong key": ("POST", CHAT_KIMI, WRONG, AGENT, chat("kimi-for-coding"), 401, EXPIRED),
    "kimi chat, no agent": ("POST", CHAT_KIMI, KIMI, None, chat("kimi-for-coding"), 403, NOT_ADMITTED),
    "kimi chat, other agent": ("POST", CHAT_KIMI, KIMI, "OpenAI/JS 6.10.0", chat("kimi-for-coding"), 403, NOT_ADMITTED),
    "kimi chat, agent not at the start": (
        "POST",
        CHAT_KIMI,
        KIMI,
        f"curl/8 {AGENT}",
        chat("kimi-for-coding"),
        403,
        NOT_ADMITTED,
    ),
    "chat, unknown model": (
        "POST",
        CHAT_CN,
        CN,
        None,
        chat("moonlight-v1-32k"),
        404,
        error("Not found the model moonlight-v1-32k or Permission denied", "resource_not_found_error"),
    ),
    "chat, model of the other product": (
        "POST",
        CHAT_KIMI,
        KIMI,
        AGENT,
        chat("kimi-k2.5"),
        404,
        error("Not found the model kimi-k2.5 or Permission denied", "resource_not_found_error"),
    ),
    "chat, format characters in the model": (
        "POST",
        CHAT_CN,
        CN,
        None,
        chat("{detail}"),
        404,
        error("Not found the model {detail} or Permission denied", "resource_not_found_error"),
    ),
    "chat, no body": ("POST", CHAT_CN, CN, None, b"", 400, NO_OBJECT),
    "chat, bad JSON": ("POST", CHAT_CN, CN, None, b'{"model": ', 400, NO_OBJECT),
    "chat, deep JSON": ("POST", CHAT_CN, CN, None, b"[" * 200000, 400, NO_OBJECT),
    "chat, not UTF-8": ("POST", CHAT_CN, CN, None, b'{"model": "\xff"}', 400, NO_OBJECT),
    "chat, a list": ("POST", CHAT_CN, CN, None, [], 400, NO_OBJECT),
    "chat, no model": ("POST", CHAT_CN, CN, None, {"messages": MESSAGES}, 400, NO_MODEL),
    "chat, model is no text": ("POST", CHAT_CN, CN, None, chat(5), 400, NO_MODEL),
    "chat, no messages": ("POST", CHAT_CN, CN, None, {"model": "kimi-k2.5"}, 400, NO_MODEL),
    "no /v1": ("GET", "/moonshot-cn/models", CN, None, None, 404, NOT_HERE),
    "chat, no /v1": ("POST", "/moonshot-cn/chat/completions", CN, None, chat("kimi-k2.5"), 404, NOT_HERE),
    "anthropic base": ("GET", "/kimi/coding/models", KIMI, AGENT, None, 404, NOT_HERE),
    "/v1 twice": ("GET", "/moonshot-cn/v1/v1/models", CN, None, None, 404, NOT_HERE),
    "base only": ("GET", "/moonshot-cn/v1", CN, None, None, 404, NOT_HERE),
    "prefix only": ("GET", "/moonshot-cn", CN, None, None, 404, NOT_HERE),
    "longer name": ("GET", "/moonshot-cnx/v1/models", CN, None, None, 404, NOT_HERE),
    "no product": ("GET", "/v1/models", CN, None, None, 404, NOT_HERE),
    "other method": ("POST", LIST_CN, CN, None, {}, 404, NOT_HERE),
    "no key and no path": ("GET", "/moonshot-cn/models", None, None, None, 404, NOT_HERE),
}


@pytest.mark.parametrize("case", ANSWERS.values(), ids=ANSWERS.keys())
def test_refuses(mock_server: tool.MockServer, case: tuple[str, str, str | None, str | None, Any, int, Any]) -> None:
    method, path, key, agent, body, status, expected = case
    reply = ask(mock_server, method, path, key, body, agent)
    assert reply.status == status
    if isinstance(expected, bytes):
        assert (reply.body, reply.headers["Content-Type"]) == (expected, "text/plain")
    else:
        assert (reply.json, reply.headers["Content-Type"]) == (expected, "application/json")


# Path, key -> id and context length, as the vendor lists them.
MOONSHOT = {
    "kimi-k2.5": 262144,
    "kimi-k2.6": 262144,
    "kimi-k3": 1048576,
    "moonshot-v1-8k": 8192,
    "moonshot-v1-32k": 32768,
    "moonshot-v1-128k": 131072,
}
LISTINGS = {
    "moonshot-cn": (LIST_CN, CN, MOONSHOT),
    "moonshot-ai": (LIST_AI, AI, MOONSHOT),
    "kimicode": (LIST_KIMI, KIMI, {"kimi-for-coding": 262144}),
    "with a query": (f"{LIST_CN}?limit=1", CN, MOONSHOT),
    "asked as a proxy": (f"http://api.example{LIST_CN}", CN, MOONSHOT),
}


@pytest.mark.parametrize(("path", "key", "models"), LISTINGS.values(), ids=LISTINGS.keys())
def test_lists(mock_server: tool.MockServer, path: str, key: str, models: dict[str, int]) -> None:
    reply = ask(mock_server, "GET", path, key)
    assert reply.status == 200
    assert reply.json["object"] == "list"
    assert {entry["id"]: entry["context_length"] for entry in reply.json["data"]} == models
    expected = {"id", "object", "created", "owned_by", "context_length"}
    expected |= {"supports_image_in", "supports_video_in", "supports_reasoning"}
    if key == KIMI:
        expected |= {"display_name", "supports_thinking_type", "think_efforts"}
    assert all(set(entry) == expected for entry in reply.json["data"])
    assert {(entry["object"], entry["owned_by"]) for entry in reply.json["data"]} == {("model", "moonshot")}


CHATS = {
    "moonshot-cn": (CHAT_CN, CN, None, "kimi-k2.5", "Hello from kimi-k2.5 at Moonshot."),
    "moonshot-ai": (CHAT_AI, AI, None, "kimi-k3", "Hello from kimi-k3 at Moonshot international."),
    "kimicode, Kimi CLI": (CHAT_KIMI, KIMI, AGENT, "kimi-for-coding", "Hello from kimi-for-coding at Kimi Code."),
    "kimicode, Claude Code": (
        CHAT_KIMI,
        KIMI,
        "claude-code/0.1.0",
        "kimi-for-coding",
        "Hello from kimi-for-coding at Kimi Code.",
    ),
}


@pytest.mark.parametrize(("path", "key", "agent", "model", "text"), CHATS.values(), ids=CHATS.keys())
def test_chats(mock_server: tool.MockServer, path: str, key: str, agent: str | None, model: str, text: str) -> None:
    told = ask(mock_server, "POST", path, key, chat(model), agent).json
    words = len(text.split())
    assert told["object"] == "chat.completion"
    assert told["model"] == model
    assert told["choices"] == [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]
    assert told["usage"] == {"prompt_tokens": 8, "completion_tokens": words, "total_tokens": 8 + words}


@pytest.mark.parametrize(("path", "key", "agent", "model", "text"), CHATS.values(), ids=CHATS.keys())
@pytest.mark.parametrize("options", [{"include_usage": True}, {"include_usage": False}, {}, None, "usage"])
def test_streams(
    mock_server: tool.MockServer, path: str, key: str, agent: str | None, model: str, text: str, options: Any
) -> None:
    asked = chat(model, stream=True, stream_options=options)
    usage = options == {"include_usage": True}
    reply = ask(mock_server, "POST", path, key, asked, agent)
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/event-stream"
    assert reply.headers["Transfer-Encoding"] == "chunked"
    *events, done, end = reply.body.decode().split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    last = chunks.pop() if usage else None
    assert {(chunk["object"], chunk["model"]) for chunk in chunks} == {("chat.completion.chunk", model)}
    assert len({chunk["id"] for chunk in chunks}) == 1
    choices = [chunk["choices"][0] for chunk in chunks]
    assert choices[0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(choice["delta"].get("content", "") for choice in choices) == text
    assert [choice["finish_reason"] for choice in choices] == [None] * (len(choices) - 1) + ["stop"]
    if last is not None:
        words = len(text.split())
        assert last["choices"] == []
        assert last["usage"] == {"prompt_tokens": 8, "completion_tokens": words, "total_tokens": 8 + words}


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize(
    ("limit", "text", "finish"),
    [
        (1, "Hello", "length"),
        (4, "Hello from kimi-k2.5 at", "length"),
        (5, "Hello from kimi-k2.5 at Moonshot.", "stop"),
        (-1, "Hello from kimi-k2.5 at Moonshot.", "stop"),
        ("1", "Hello from kimi-k2.5 at Moonshot.", "stop"),
    ],
)
def test_keeps_to_the_number_of_tokens(
    mock_server: tool.MockServer, name: str, limit: Any, text: str, finish: str
) -> None:
    told = ask(mock_server, "POST", CHAT_CN, CN, chat("kimi-k2.5", **{name: limit})).json
    assert (told["choices"][0]["message"]["content"], told["choices"][0]["finish_reason"]) == (text, finish)


# What a key can be refused with -> status, type, message, Retry-After.
REFUSALS = {
    "invalid_authentication": (401, "invalid_authentication_error", "Invalid Authentication", None),
    "incorrect_api_key": (401, "incorrect_api_key_error", "Incorrect API key provided", None),
    "expired_api_key": (401, EXPIRED["error"]["type"], EXPIRED["error"]["message"], None),
    "wrong_model_id": (
        401,
        "invalid_authentication_error",
        "Your model id does not exist, recognized as other: kimi-k2.5",
        None,
    ),
    "membership": (
        402,
        "invalid_request_error",
        "We're unable to verify your membership benefits at this time. Please ensure your membership is active.",
        None,
    ),
    "client_not_admitted": (403, NOT_ADMITTED["error"]["type"], NOT_ADMITTED["error"]["message"], None),
    "usage_limit": (
        403,
        "access_terminated_error",
        "You've reached your usage limit for this billing cycle. Your quota will be refreshed in the next cycle.",
        None,
    ),
    "model_not_found": (
        404,
        "resource_not_found_error",
        "Not found the model kimi-k2.5 or Permission denied",
        None,
    ),
    "rate_limit": (
        429,
        "rate_limit_reached_error",
        f"Your account {ACCOUNT} request reached organization max RPM: 3, please try again after 1 seconds",
        "1",
    ),
    "exceeded_quota": (
        429,
        "exceeded_current_quota_error",
        f"Your account {ACCOUNT} is suspended due to insufficient balance, please recharge your account or check "
        "your plan and billing details",
        None,
    ),
    "bad_request": (400, "invalid_request_error", "Invalid request: ", None),
}


def test_every_error_is_in_the_table() -> None:
    assert REFUSALS.keys() == tool.ERRORS.keys()


@pytest.mark.parametrize(("name", "expected"), REFUSALS.items(), ids=REFUSALS.keys())
def test_refuses_a_key_as_told(
    mock_server: tool.MockServer, name: str, expected: tuple[int, str, str, str | None]
) -> None:
    mock_server.add_key("moonshot-cn", CN, refused=name)
    reply = ask(mock_server, "POST", CHAT_CN, CN, chat("kimi-k2.5"))
    told = (reply.status, reply.json["error"]["type"], reply.json["error"]["message"], reply.headers.get("Retry-After"))
    assert told == expected
    assert ask(mock_server, "GET", LIST_CN, CN).status == expected[0]
    assert ask(mock_server, "GET", LIST_AI, AI).status == 200


def test_knows_the_rate_limit_of_a_key(mock_server: tool.MockServer) -> None:
    mock_server.add_key("moonshot-cn", CN, rpm=3)
    assert [ask(mock_server, "GET", LIST_CN, CN).status for _time in range(3)] == [200, 200, 200]
    reply = ask(mock_server, "POST", CHAT_CN, CN, chat("kimi-k2.5"))
    assert reply.status == 429
    seconds = reply.headers["Retry-After"]
    assert 55 <= int(seconds) <= 60
    assert reply.json == error(
        f"Your account {ACCOUNT} request reached organization max RPM: 3, please try again after {seconds} seconds",
        "rate_limit_reached_error",
    )
    mock_server.add_key("moonshot-cn", WRONG)
    assert ask(mock_server, "GET", LIST_CN, WRONG).status == 200


@pytest.mark.parametrize(
    ("rpm", "window", "times", "waits"),
    [
        (None, 60.0, [0, 0, 0, 0], [0, 0, 0, 0]),
        (1, 60.0, [0, 0, 30.5, 59.9, 60, 61], [0, 60, 30, 1, 0, 59]),
        (2, 60.0, [0, 10, 20, 60, 61, 70], [0, 0, 40, 0, 9, 0]),
        (1, 0.5, [0, 0.4, 0.5], [0, 1, 0]),
    ],
)
def test_a_window_of_requests(rpm: int | None, window: float, times: list[float], waits: list[int]) -> None:
    key = tool.Key(rpm, window)
    assert [key.wait(now) for now in times] == waits


def test_keys_come_and_go(mock_server: tool.MockServer) -> None:
    assert ask(mock_server, "GET", LIST_CN, WRONG).status == 401
    mock_server.add_key("moonshot-cn", WRONG)
    assert ask(mock_server, "GET", LIST_CN, WRONG).status == 200
    mock_server.revoke_key("moonshot-cn", CN)
    mock_server.revoke_key("moonshot-cn", "sk-was-never-there")
    assert ask(mock_server, "GET", LIST_CN, CN).json == INCORRECT
    assert ask(mock_server, "GET", LIST_CN, WRONG).status == 200


def test_accepts_a_model_that_is_not_listed(mock_server: tool.MockServer) -> None:
    mock_server.accept_model("moonshot-cn", "kimi-latest")
    assert ask(mock_server, "POST", CHAT_CN, CN, chat("kimi-latest")).status == 200
    assert ask(mock_server, "POST", CHAT_AI, AI, chat("kimi-latest")).status == 404
    assert "kimi-latest" not in {entry["id"] for entry in ask(mock_server, "GET", LIST_CN, CN).json["data"]}


# Fault -> status, body, headers among those of the answer.
CONTENT_FAULTS: dict[str, tuple[dict[str, Any], int, bytes, dict[str, str]]] = {
    "status alone": ({"kind": "status"}, 500, b"", {"Content-Type": "application/json"}),
    "status with a body": (
        {"kind": "status", "status": 503, "body": "<h1>busy</h1>", "content_type": "text/html"},
        503,
        b"<h1>busy</h1>",
        {"Content-Type": "text/html"},
    ),
    "status with headers": (
        {"kind": "status", "status": 503, "headers": {"Retry-After": "7"}},
        503,
        b"",
        {"Retry-After": "7"},
    ),
    "status without a name": ({"kind": "status", "status": 599, "body": b"\xff"}, 599, b"\xff", {}),
    "status that echoes the key": (
        {"kind": "status", "status": 401, "body": "wrong: {key}"},
        401,
        f"wrong: {CN}".encode(),
        {},
    ),
    "error": (
        {"kind": "error", "error": "membership"},
        402,
        json.dumps(error(REFUSALS["membership"][2], "invalid_request_error")).encode(),
        {"Content-Type": "application/json"},
    ),
    "captive portal": (
        {"kind": "html"},
        200,
        b"<!DOCTYPE html><title>Sign in</title><p>Welcome to the guest network",
        {"Content-Type": "text/html"},
    ),
    "empty": ({"kind": "empty"}, 200, b"", {"Content-Length": "0"}),
    "other JSON": ({"kind": "other_json"}, 200, b'{"models": ["kimi-k2.5"], "total": 1}', {}),
    "redirect": (
        {"kind": "redirect", "location": "https://elsewhere.example/v1/models"},
        302,
        b"",
        {"Location": "https://elsewhere.example/v1/models"},
    ),
    "redirect for good": (
        {"kind": "redirect", "location": "/x", "status": 308},
        308,
        b"",
        {"Location": "/x"},
    ),
}


@pytest.mark.parametrize("case", CONTENT_FAULTS.values(), ids=CONTENT_FAULTS.keys())
def test_another_answer(mock_server: tool.MockServer, case: tuple[dict[str, Any], int, bytes, dict[str, str]]) -> None:
    fault, status, body, headers = case
    right = ask(mock_server, "GET", LIST_CN, CN)
    mock_server.set_fault("moonshot-cn", **fault)
    reply = ask(mock_server, "GET", LIST_CN, CN)
    assert (reply.status, reply.body) == (status, body)
    assert headers.items() <= reply.headers.items()
    assert mock_server.requests()[-1]["status"] == status
    assert ask(mock_server, "GET", LIST_AI, AI).status == 200
    mock_server.clear_faults("moonshot-cn")
    assert ask(mock_server, "GET", LIST_CN, CN) == right


def listing_request(path: str = LIST_CN, key: str = CN) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n".encode()


def test_a_delay(mock_server: tool.MockServer) -> None:
    right = ask(mock_server, "GET", LIST_CN, CN)
    mock_server.set_fault("moonshot-cn", "delay", seconds=0.4)
    start = time.monotonic()
    assert ask(mock_server, "GET", LIST_CN, CN) == right
    assert time.monotonic() - start >= 0.4


def test_a_drip(mock_server: tool.MockServer) -> None:
    right = raw(mock_server, listing_request())
    mock_server.set_fault("moonshot-cn", "drip", seconds=0.0001)
    assert raw(mock_server, listing_request()) == right
    mock_server.set_fault("moonshot-cn", "drip")
    with socket.create_connection(("127.0.0.1", mock_server.port), timeout=5) as connection:
        start = time.monotonic()
        connection.sendall(listing_request())
        assert [connection.recv(100) for _time in range(2)] == [b"H", b"T"]
        assert time.monotonic() - start >= 0.9


@pytest.mark.parametrize("key", [CN, WRONG])
def test_a_listing_cut_short(mock_server: tool.MockServer, key: str) -> None:
    right = ask(mock_server, "GET", LIST_CN, key)
    mock_server.set_fault("moonshot-cn", "truncated")
    connection = connect(mock_server)
    connection.request("GET", LIST_CN, headers={"Authorization": f"Bearer {key}"})
    response = connection.getresponse()
    assert response.status == right.status
    assert response.headers["Content-Length"] == str(len(right.body))
    with pytest.raises(http.client.IncompleteRead) as cut:
        response.read()
    assert cut.value.partial == right.body[: len(right.body) // 2]
    connection.close()


def test_a_stream_cut_short(mock_server: tool.MockServer) -> None:
    mock_server.set_fault("moonshot-cn", "truncated", route="chat")
    with pytest.raises(http.client.IncompleteRead):
        ask(mock_server, "POST", CHAT_CN, CN, chat("kimi-k2.5", stream=True))


@pytest.mark.parametrize("kind", ["huge", "gzip_bomb"])
def test_a_huge_body_that_would_be_right(mock_server: tool.MockServer, kind: str) -> None:
    right = ask(mock_server, "GET", LIST_CN, CN)
    size = 3_000_000
    mock_server.set_fault("moonshot-cn", kind, size=size)
    reply = ask(mock_server, "GET", LIST_CN, CN)
    body = gzip.decompress(reply.body) if kind == "gzip_bomb" else reply.body
    assert reply.headers.get("Content-Encoding") == ("gzip" if kind == "gzip_bomb" else None)
    assert "Content-Length" not in reply.headers
    assert len(body) == size
    assert body.lstrip() == right.body
    if kind == "gzip_bomb":
        assert len(reply.body) < 10_000


def test_headers_without_end(mock_server: tool.MockServer) -> None:
    mock_server.set_fault("moonshot-cn", "endless_headers", seconds=0)
    with pytest.raises(http.client.HTTPException, match="got more than 100 headers"):
        ask(mock_server, "GET", LIST_CN, CN)
    mock_server.set_fault("moonshot-cn", "endless_headers", seconds=0.01)
    got: list[bytes] = []
    with socket.create_connection(("127.0.0.1", mock_server.port), timeout=5) as connection:
        connection.sendall(listing_request())
        while len(b"".join(got)) < 200:
            got.append(connection.recv(1000))
    lines = b"".join(got).split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 200 OK"
    assert set(lines[2:-1]) == {b"X-More: and more"}


def test_garbage(mock_server: tool.MockServer) -> None:
    mock_server.set_fault("moonshot-cn", "garbage")
    assert raw(mock_server, listing_request()) == b"\x00\xff\x13 this is no HTTP \x80\r\n\r\n"
    with pytest.raises(http.client.BadStatusLine):
        ask(mock_server, "GET", LIST_CN, CN)


@pytest.mark.parametrize("request_line", [f"GET {LIST_CN}", f"POST {CHAT_CN}"])
def test_a_reset(mock_server: tool.MockServer, request_line: str) -> None:
    mock_server.set_fault("moonshot-cn", "reset")
    with socket.create_connection(("127.0.0.1", mock_server.port), timeout=5) as connection:
        connection.sendall(f"{request_line} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        # Nothing came before it, not even an orderly end.
        with pytest.raises(ConnectionResetError):
            connection.recv(100)


def test_silence(mock_server: tool.MockServer) -> None:
    mock_server.set_fault("moonshot-cn", "silent")
    assert raw(mock_server, listing_request(), seconds=0.3) == b""
    with pytest.raises(TimeoutError):
        ask(mock_server, "GET", LIST_CN, CN, timeout=0.3)


@pytest.mark.parametrize("kind", ["garbage", "reset", "silent"])
def test_no_status_is_recorded_where_none_is_sent(mock_server: tool.MockServer, kind: str) -> None:
    mock_server.set_fault("moonshot-cn", kind)
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(mock_server, "GET", LIST_CN, CN, timeout=0.3)
    assert [record["status"] for record in mock_server.requests()] == [None]


def test_faults_of_a_route(mock_server: tool.MockServer) -> None:
    mock_server.set_fault("moonshot-cn", "status", route="listing", status=500)
    mock_server.set_fault("moonshot-cn", "status", route="chat", status=502)
    mock_server.set_fault("moonshot-cn", "status", status=503)
    asked = [("GET", LIST_CN), ("POST", CHAT_CN), ("GET", "/moonshot-cn/models"), ("GET", "/moonshot-cn")]
    others = [("GET", "/elsewhere"), ("GET", "/moonshot-cnx/v1/models"), ("GET", LIST_AI)]
    assert [ask(mock_server, *route, CN).status for route in asked] == [500, 502, 503, 503]
    mock_server.set_fault("moonshot-cn", "status", route="chat", status=504)
    assert [ask(mock_server, *route, CN).status for route in asked] == [500, 504, 503, 503]
    assert [ask(mock_server, *route, CN).status for route in others] == [404, 404, 401]
    mock_server.set_fault("kimicode", "empty")
    mock_server.clear_faults("moonshot-cn")
    assert [ask(mock_server, *route, CN).status for route in asked] == [200, 400, 404, 404]
    assert ask(mock_server, "GET", LIST_KIMI, KIMI).body == b""
    mock_server.clear_faults()
    assert ask(mock_server, "GET", LIST_KIMI, KIMI).status == 200


def test_a_fault_for_some_requests(mock_server: tool.MockServer) -> None:
    mock_server.set_fault("moonshot-cn", "status", times=2, status=500)
    mock_server.set_fault("moonshot-cn", "status", route="listing", times=1, status=502)
    assert [ask(mock_server, "GET", LIST_CN, CN).status for _time in range(4)] == [502, 500, 500, 200]


BAD_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "kind": (
        {"kind": "flood"},
        "unknown fault 'flood'; known are status, error, html, empty, other_json, redirect, delay, drip, truncated, "
        "huge, gzip_bomb, endless_headers, garbage, reset, silent",
    ),
    "route": ({"kind": "html", "route": "models"}, "unknown route 'models'; known are listing, chat"),
    "error": (
        {"kind": "error", "error": "teapot"},
        "unknown error 'teapot'; known are bad_request, invalid_authentication, incorrect_api_key, expired_api_key, "
        "wrong_model_id, membership, client_not_admitted, usage_limit, model_not_found, rate_limit, exceeded_quota",
    ),
    "no times": ({"kind": "html", "times": 0}, "times, status and size are whole numbers above 0"),
    "status": ({"kind": "status", "status": "500"}, "times, status and size are whole numbers above 0"),
    "size": ({"kind": "huge", "size": 1.5}, "times, status and size are whole numbers above 0"),
    "seconds": ({"kind": "delay", "seconds": "1"}, "seconds is a number, 0 or above"),
    "negative": ({"kind": "delay", "seconds": -1}, "seconds is a number, 0 or above"),
    "body": ({"kind": "status", "body": {}}, "body, content_type, location and headers are texts"),
    "headers": ({"kind": "status", "headers": {"A": 1}}, "body, content_type, location and headers are texts"),
    "location": ({"kind": "redirect", "location": None}, "body, content_type, location and headers are texts"),
}


@pytest.mark.parametrize(("fault", "message"), BAD_FAULTS.values(), ids=BAD_FAULTS.keys())
def test_refuses_a_fault_that_is_none(mock_server: tool.MockServer, fault: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mock_server.set_fault("moonshot-cn", **fault)
    reply = ask(mock_server, "PUT", "/_mock_server/faults/moonshot-cn", body=fault)
    assert (reply.status, reply.json) == (400, {"error": message})
    assert ask(mock_server, "GET", LIST_CN, CN).status == 200


def test_records_what_was_asked(mock_server: tool.MockServer) -> None:
    before = time.time()
    ask(mock_server, "GET", LIST_CN, CN)
    ask(mock_server, "POST", CHAT_KIMI, WRONG, chat("kimi-for-coding", stream=True), AGENT)
    ask(mock_server, "GET", "/elsewhere")
    records = mock_server.requests()
    assert all(before <= record.pop("time") <= time.time() for record in records)
    assert records == [
        {
            "product": "moonshot-cn",
            "method": "GET",
            "path": LIST_CN,
            "key_fingerprint": redaction.fingerprint(CN),
            "user_agent": None,
            "headers": ["Host", "Accept-Encoding", "Authorization"],
            "model": None,
            "stream": None,
            "status": 200,
        },
        {
            "product": "kimicode",
            "method": "POST",
            "path": CHAT_KIMI,
            "key_fingerprint": redaction.fingerprint(WRONG),
            "user_agent": AGENT,
            "headers": ["Host", "Accept-Encoding", "Content-Length", "Authorization", "User-Agent"],
            "model": "kimi-for-coding",
            "stream": True,
            "status": 401,
        },
        {
            "product": None,
            "method": "GET",
            "path": "/elsewhere",
            "key_fingerprint": None,
            "user_agent": None,
            "headers": ["Host", "Accept-Encoding"],
            "model": None,
            "stream": None,
            "status": 404,
        },
    ]
    mock_server.clear_requests()
    assert mock_server.requests() == []


def test_a_request_is_recorded_before_it_is_answered(mock_server: tool.MockServer) -> None:
    mock_server.set_fault("moonshot-cn", "delay", seconds=60)
    with pytest.raises(TimeoutError):
        ask(mock_server, "GET", LIST_CN, CN, timeout=0.2)
    assert [record["status"] for record in mock_server.requests()] == [200]


@pytest.mark.parametrize("key", [CN, AI, WRONG])
def test_no_record_has_a_key(mock_server: tool.MockServer, key: str) -> None:
    """A key shows nowhere: neither the key that was sent nor one of another product, wherever a client puts it."""
    for sent in (key, None):
        connection = connect(mock_server)
        headers = {"User-Agent": f"x/{key}", key: "1"} | ({"Authorization": f"Bearer {sent}"} if sent else {})
        body = json.dumps(chat(f"m-{key}"))
        connection.request("POST", f"/moonshot-cn/v1/{key}?k={key}", body, headers)
        connection.getresponse().read()
        connection.close()
        if key == WRONG:
            # A key that is neither valid nor sent as one is a text like any other.
            break
    records = mock_server.requests()
    assert key not in json.dumps(records)
    assert key not in ask(mock_server, "GET", "/_mock_server/requests").body.decode()
    mark = tool.fingerprint(key)
    assert [record["model"] for record in records] == [f"m-{mark}"] * len(records)
    assert [record["path"] for record in records] == [f"/moonshot-cn/v1/{mark}"] * len(records)
    assert records[0]["key_fingerprint"] == mark


@given(st.text(min_size=1))
def test_fingerprints_as_the_collection_does(key: str) -> None:
    assert tool.fingerprint(key) == redaction.fingerprint(key)


@pytest.fixture(scope="module")
def one() -> Iterator[tool.MockServer]:
    with tool.MockServer() as running:
        for product, key in KEYS.items():
            running.add_key(product, key)
        yield running


@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=st.sampled_from([LIST_CN, CHAT_CN, CHAT_KIMI, "/moonshot-cn/v1/x", ""]) | st.text(),
    authorization=st.sampled_from([f"Bearer {CN}", f"bearer  {KIMI}", f"Bearer {WRONG}", "Basic x"]) | st.text(),
    body=st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["model", "messages", "stream", "stream_options", "max_tokens", "include_usage"]), inner
            )
        ),
    ).map(lambda value: json.dumps(value).encode()),
)
def test_answers_anything(one: tool.MockServer, method: str, path: str, authorization: str, body: bytes) -> None:
    one.clear_requests()
    headers = email.message.Message()
    headers["Authorization"] = authorization
    answer, fault = one.answer(tool.Request(method, path, headers, body))
    assert fault is None
    assert answer.status in (200, 400, 401, 403, 404)
    assert b"".join(answer.wire()).startswith(b"HTTP/1.1 %d " % answer.status)
    (record,) = one.requests()
    assert record["status"] == answer.status
    assert not any(key in json.dumps(record) for key in KEYS.values())


# Method, path, body -> status, body.
CONTROLS: dict[str, tuple[str, str, Any, int, Any]] = {
    "add a key": ("PUT", "/_mock_server/keys/kimicode", {"key": WRONG}, 200, {}),
    "add a key with all": (
        "PUT",
        "/_mock_server/keys/kimicode",
        {"key": WRONG, "rpm": 3, "window": 1.5, "refused": "membership"},
        200,
        {},
    ),
    "revoke a key": ("DELETE", "/_mock_server/keys/kimicode", {"key": KIMI}, 200, {}),
    "accept a model": ("PUT", "/_mock_server/models/kimicode", {"model": "k3"}, 200, {}),
    "set a fault": ("PUT", "/_mock_server/faults/kimicode", {"kind": "html", "route": "chat", "times": 1}, 200, {}),
    "clear faults": ("DELETE", "/_mock_server/faults/kimicode", None, 200, {}),
    "clear all faults": ("DELETE", "/_mock_server/faults", None, 200, {}),
    "requests": ("GET", "/_mock_server/requests", None, 200, []),
    "clear requests": ("DELETE", "/_mock_server/requests", None, 200, {}),
    "unknown product": (
        "PUT",
        "/_mock_server/keys/openai",
        {"key": WRONG},
        400,
        {"error": "unknown product 'openai'; known are moonshot-cn, moonshot-ai, kimicode"},
    ),
    "unknown product, faults": (
        "DELETE",
        "/_mock_server/faults/openai",
        None,
        400,
        {"error": "unknown product 'openai'; known are moonshot-cn, moonshot-ai, kimicode"},
    ),
    "key is no text": (
        "PUT",
        "/_mock_server/keys/kimicode",
        {"key": 5},
        400,
        {"error": "key is a text, rpm and window are numbers"},
    ),
    "rpm is no number": (
        "PUT",
        "/_mock_server/keys/kimicode",
        {"key": WRONG, "rpm": "3"},
        400,
        {"error": "key is a text, rpm and window are numbers"},
    ),
    "no key": (
        "PUT",
        "/_mock_server/keys/kimicode",
        None,
        400,
        {"error": "MockServer.add_key() missing 1 required positional argument: 'key'"},
    ),
    "bad JSON": ("PUT", "/_mock_server/keys/kimicode", b"{", 400, {"error": "the body is not a JSON object"}),
    "no product": ("PUT", "/_mock_server/keys", {"key": WRONG}, 404, {"error": "no such control"}),
    "one thing too many": ("GET", "/_mock_server/requests/kimicode", None, 404, {"error": "no such control"}),
    "other method": ("POST", "/_mock_server/requests", None, 404, {"error": "no such control"}),
    "keys are not shown": ("GET", "/_mock_server/keys/kimicode", None, 404, {"error": "no such control"}),
    "nothing": ("GET", "/_mock_server/", None, 404, {"error": "no such control"}),
}


@pytest.mark.parametrize(("method", "path", "body", "status", "expected"), CONTROLS.values(), ids=CONTROLS.keys())
def test_control(mock_server: tool.MockServer, method: str, path: str, body: Any, status: int, expected: Any) -> None:
    reply = ask(mock_server, method, path, body=body)
    assert (reply.status, reply.json) == (status, expected)
    assert mock_server.requests() == []


def test_control_does_what_the_methods_do(mock_server: tool.MockServer) -> None:
    ask(mock_server, "PUT", "/_mock_server/keys/moonshot-cn", body={"key": WRONG, "refused": "usage_limit"})
    assert ask(mock_server, "GET", LIST_CN, WRONG).status == 403
    ask(mock_server, "DELETE", "/_mock_server/keys/moonshot-cn", body={"key": WRONG})
    assert ask(mock_server, "GET", LIST_CN, WRONG).status == 401
    ask(mock_server, "PUT", "/_mock_server/models/moonshot-cn", body={"model": "kimi-latest"})
    assert ask(mock_server, "POST", CHAT_CN, CN, chat("kimi-latest")).status == 200
    ask(mock_server, "PUT", "/_mock_server/faults/moonshot-cn", body={"kind": "status", "status": 503})
    ask(mock_server, "PUT", "/_mock_server/faults/moonshot-ai", body={"kind": "status", "status": 502})
    assert (ask(mock_server, "GET", LIST_CN, CN).status, ask(mock_server, "GET", LIST_AI, AI).status) == (503, 502)
    ask(mock_server, "DELETE", "/_mock_server/faults/moonshot-cn")
    assert (ask(mock_server, "GET", LIST_CN, CN).status, ask(mock_server, "GET", LIST_AI, AI).status) == (200, 502)
    ask(mock_server, "DELETE", "/_mock_server/faults")
    assert ask(mock_server, "GET", LIST_AI, AI).status == 200
    assert ask(mock_server, "GET", "/_mock_server/requests").json == mock_server.requests()
    assert [record["status"] for record in mock_server.requests()] == [403, 401, 200, 503, 502, 200, 502, 200]
    ask(mock_server, "DELETE", "/_mock_server/requests")
    assert mock_server.requests() == []


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Transfer-Encoding: chunked", 411),
        (b"Content-Length: x", 411),
        (b"Content-Length: -1", 411),
        (b"Content-Length: 99999999999999999999", 411),
        (b"Content-Length: 67108865", 413),
    ],
)
def test_a_body_without_a_sane_length(
    mock_server: tool.MockServer, capfd: pytest.CaptureFixture[str], head: bytes, status: int
) -> None:
    got = raw(mock_server, f"POST {CHAT_CN} HTTP/1.1\r\nHost: x\r\n".encode() + head + b"\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 %d " % status)
    assert capfd.readouterr() == ("", "")


def test_a_connection_is_kept(mock_server: tool.MockServer) -> None:
    connection = connect(mock_server)
    for body in (chat("kimi-k2.5"), chat("kimi-k2.5", stream=True), chat("nonsense"), {}):
        connection.request("POST", CHAT_CN, json.dumps(body), {"Authorization": f"Bearer {CN}"})
        used = connection.sock
        connection.getresponse().read()
        assert connection.sock is used is not None
    connection.close()


def test_answers_many_at_once(mock_server: tool.MockServer) -> None:
    mock_server.set_fault("moonshot-cn", "delay", seconds=0.5)
    replies: list[int] = []
    threads = [
        threading.Thread(target=lambda: replies.append(ask(mock_server, "GET", LIST_CN, CN).status))
        for _time in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [200] * 40


ENDLESS: dict[str, dict[str, Any]] = {
    "silent": {"kind": "silent"},
    "delay": {"kind": "delay", "seconds": 3600},
    "drip": {"kind": "drip"},
    "endless headers": {"kind": "endless_headers", "seconds": 3600},
    "flood of headers": {"kind": "endless_headers", "seconds": 0},
    "huge": {"kind": "huge", "size": 1 << 40},
    "kept alive": {"kind": "html"},
}


@pytest.mark.parametrize("fault", ENDLESS.values(), ids=ENDLESS.keys())
@pytest.mark.parametrize("encrypted", [False, True])
def test_ends_with_all_its_threads(tls: Any, fault: dict[str, Any], encrypted: bool) -> None:
    before = set(threading.enumerate())
    mock_server = tool.MockServer(tls=tls.server if encrypted else None)
    with mock_server:
        mock_server.set_fault("moonshot-cn", **fault)
        connection: socket.socket = socket.create_connection(("127.0.0.1", mock_server.port), timeout=5)
        stalled = socket.create_connection(("127.0.0.1", mock_server.port), timeout=5)
        if encrypted:
            connection = tls.client.wrap_socket(connection, server_hostname="127.0.0.1")
        connection.sendall(listing_request().replace(b"Connection: close\r\n", b""))
        while not mock_server.requests():
            time.sleep(0.01)
    for thread in set(threading.enumerate()) - before:
        thread.join(3)
        assert not thread.is_alive()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", mock_server.port), timeout=1)
    connection.close()
    stalled.close()


class Tls(NamedTuple):
    server: ssl.SSLContext
    client: ssl.SSLContext
    certfile: Path


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mock server")])
    now = datetime.datetime.now(datetime.timezone.utc)
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certfile = tmp_path_factory.mktemp("tls") / "chain.pem"
    certfile.write_bytes(certificate.public_bytes(pem) + private)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certfile)
    return Tls(server, ssl.create_default_context(cafile=str(certfile)), certfile)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("encrypted", [False, True])
def test_base_urls_of_each_kind(tls: Tls, host: str, encrypted: bool) -> None:
    with tool.MockServer(host, tls=tls.server if encrypted else None) as mock_server:
        mock_server.add_key("kimicode", KIMI)
        scheme, shown = "https" if encrypted else "http", "[::1]" if host == "::1" else host
        assert mock_server.base_url("moonshot-cn") == f"{scheme}://{shown}:{mock_server.port}/moonshot-cn/v1"
        assert mock_server.base_url("moonshot-ai") == f"{scheme}://{shown}:{mock_server.port}/moonshot-ai/v1"
        assert mock_server.base_url("kimicode") == f"{scheme}://{shown}:{mock_server.port}/kimi/coding/v1"
        request = urllib.request.Request(  # noqa: S310 - the mock server's own URL
            f"{mock_server.base_url('kimicode')}/models", headers={"Authorization": f"Bearer {KIMI}"}
        )
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls.client)]
        with urllib.request.build_opener(*handlers).open(request, timeout=5) as response:
            assert [entry["id"] for entry in json.load(response)["data"]] == ["kimi-for-coding"]
    with pytest.raises(ValueError, match=r"^unknown product 'kimi'; known are moonshot-cn, moonshot-ai, kimicode$"):
        mock_server.base_url("kimi")


def test_a_stalled_handshake_holds_up_nobody(tls: Tls) -> None:
    with tool.MockServer(tls=tls.server) as mock_server, socket.create_connection(("127.0.0.1", mock_server.port)):
        connection = http.client.HTTPSConnection("127.0.0.1", mock_server.port, context=tls.client, timeout=2)
        connection.request("GET", LIST_CN)
        assert connection.getresponse().status == 401
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_program(tmp_path: Path, tls: Tls, number: signal.Signals) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"moonshot-cn": [CN, WRONG], "kimicode": [KIMI]}))
    argv = [sys.executable, str(PROGRAM), "--keys-file", str(keys), "--certfile", str(tls.certfile)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        told = json.loads(program.stdout.readline())
        port = told["port"]
        assert told == {
            "control": f"https://127.0.0.1:{port}/_mock_server/",
            "base_urls": {
                "moonshot-cn": f"https://127.0.0.1:{port}/moonshot-cn/v1",
                "moonshot-ai": f"https://127.0.0.1:{port}/moonshot-ai/v1",
                "kimicode": f"https://127.0.0.1:{port}/kimi/coding/v1",
            },
            "port": port,
        }
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=tls.client, timeout=5)
        statuses = []
        for path, key in ((LIST_CN, CN), (LIST_CN, WRONG), (LIST_KIMI, KIMI), (LIST_AI, CN)):
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        assert statuses == [200, 200, 200, 401]
        program.send_signal(number)
        out, err = program.communicate(timeout=5)
        connection.close()
    assert (program.returncode, out, err) == (0, "", "")


BAD_KEYS_FILES = {
    "no JSON": f'{{"moonshot-cn": ["{CN}"]',
    "a list": json.dumps([CN]),
    "the wrong way round": json.dumps({CN: ["moonshot-cn"]}),
    "no list": json.dumps({"moonshot-cn": 5}),
    "no text": json.dumps({"moonshot-cn": [{"key": CN}]}),
}


@pytest.mark.parametrize("text", BAD_KEYS_FILES.values(), ids=BAD_KEYS_FILES.keys())
def test_a_bad_keys_file(tmp_path: Path, text: str) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(text)
    argv = [sys.executable, str(PROGRAM), "--keys-file", str(keys)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    message = 'the keys file is not of the form {"moonshot-cn": ["sk-..."], "kimicode": [...]}\n'
    assert (done.returncode, done.stdout, done.stderr) == (1, "", message)


def test_a_failure_of_ours_tells_no_value(
    mock_server: tool.MockServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails(_request: tool.Request) -> None:
        raise RuntimeError(CN)

    monkeypatch.setattr(mock_server, "answer", fails)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(mock_server, "GET", LIST_CN, CN)
    assert capfd.readouterr() == ("", "the mock server failed on a request: RuntimeError\n")
