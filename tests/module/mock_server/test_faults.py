# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The faults of the mock server."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import socket
import time
from typing import Any

import pytest

from tests.module.mock_server.asking import (
    AI,
    CHAT_CN,
    CN,
    KIMI,
    LIST_AI,
    LIST_CN,
    LIST_KIMI,
    MEMBERSHIP,
    WRONG,
    ask,
    chat,
    connect,
    listing_request,
    raw,
    recorded,
)
from tools import mock_server as tool

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
        json.dumps(MEMBERSHIP).encode(),
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


def test_a_delay(mock_server: tool.MockServer) -> None:
    right = ask(mock_server, "GET", LIST_CN, CN)
    mock_server.set_fault("moonshot-cn", "delay", seconds=0.1)
    start = time.monotonic()
    assert ask(mock_server, "GET", LIST_CN, CN) == right
    assert time.monotonic() - start >= 0.1


def test_a_drip(mock_server: tool.MockServer) -> None:
    right = raw(mock_server, listing_request())
    mock_server.set_fault("moonshot-cn", "drip", seconds=0)
    assert raw(mock_server, listing_request()) == right
    mock_server.set_fault("moonshot-cn", "drip", seconds=0.1)
    with socket.create_connection(("127.0.0.1", mock_server.port), timeout=5) as connection:
        start = time.monotonic()
        connection.sendall(listing_request())
        assert [connection.recv(100) for _time in range(2)] == [b"H", b"T"]
        assert time.monotonic() - start >= 0.09


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
        ask(mock_server, "POST", CHAT_CN, CN, chat("kimi-k2.6", stream=True))


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
    assert raw(mock_server, listing_request(), seconds=0.1) == b""
    with pytest.raises(TimeoutError):
        ask(mock_server, "GET", LIST_CN, CN, timeout=0.1)


@pytest.mark.parametrize("kind", ["garbage", "reset", "silent"])
def test_no_status_is_recorded_where_none_is_sent(mock_server: tool.MockServer, kind: str) -> None:
    mock_server.set_fault("moonshot-cn", kind)
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(mock_server, "GET", LIST_CN, CN, timeout=0.1)
    assert [record["status"] for record in recorded(mock_server)] == [None]


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
        "wrong_model_id, membership, client_not_admitted, usage_limit, model_not_found, rate_limit, exceeded_quota, "
        "engine_overloaded",
    ),
    "no times": ({"kind": "html", "times": 0}, "times, status and size are whole numbers above 0"),
    "status": ({"kind": "status", "status": "500"}, "times, status and size are whole numbers above 0"),
    "size": ({"kind": "huge", "size": 1.5}, "times, status and size are whole numbers above 0"),
    "seconds": ({"kind": "delay", "seconds": "1"}, "seconds is a number, 0 or above"),
    "negative": ({"kind": "delay", "seconds": -1}, "seconds is a number, 0 or above"),
    "body": ({"kind": "status", "body": {}}, "body, content_type, location and headers are strings"),
    "headers": ({"kind": "status", "headers": {"A": 1}}, "body, content_type, location and headers are strings"),
    "location": ({"kind": "redirect", "location": None}, "body, content_type, location and headers are strings"),
}


@pytest.mark.parametrize(("fault", "message"), BAD_FAULTS.values(), ids=BAD_FAULTS.keys())
def test_rejects_an_invalid_fault(mock_server: tool.MockServer, fault: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        mock_server.set_fault("moonshot-cn", **fault)
    reply = ask(mock_server, "PUT", "/_mock_server/faults/moonshot-cn", body=fault)
    assert (reply.status, reply.json) == (400, {"error": message})
    assert ask(mock_server, "GET", LIST_CN, CN).status == 200
