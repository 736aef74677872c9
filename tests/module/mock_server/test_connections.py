# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections, bodies and threads."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
import urllib.request
from typing import Any

import pytest

from tests.module.mock_server.asking import (
    CHAT_CN,
    CN,
    KIMI,
    LIST_CN,
    ask,
    chat,
    connect,
    listing_request,
    raw,
)
from tests.module.mock_server.tls import Tls
from tools import mock_server as tool


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
    for body in (chat("kimi-k2.6"), chat("kimi-k2.6", stream=True), chat("nonsense"), {}):
        connection.request("POST", CHAT_CN, json.dumps(body), {"Authorization": f"Bearer {CN}"})
        used = connection.sock
        connection.getresponse().read()
        assert connection.sock is used is not None
    connection.close()


def test_answers_many_at_once(mock_server: tool.MockServer) -> None:
    mock_server.set_fault("moonshot-cn", "delay", seconds=0.2)
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
def test_ends_with_all_its_threads(tls: Tls, fault: dict[str, Any], encrypted: bool) -> None:
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


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("encrypted", [False, True])
def test_base_urls_of_each_kind(tls: Tls, host: str, encrypted: bool) -> None:
    with tool.MockServer(host, tls=tls.server if encrypted else None) as mock_server:
        mock_server.add_key("kimicode", KIMI)
        scheme, shown = "https" if encrypted else "http", "[::1]" if host == "::1" else host
        assert mock_server.base_url("moonshot-cn") == f"{scheme}://{shown}:{mock_server.port}/moonshot-cn/v1"
        assert mock_server.base_url("moonshot-ai") == f"{scheme}://{shown}:{mock_server.port}/moonshot-ai/v1"
        assert mock_server.base_url("kimicode") == f"{scheme}://{shown}:{mock_server.port}/kimi/coding/v1"
        assert mock_server.base_url("kimicode", "anthropic") == f"{scheme}://{shown}:{mock_server.port}/kimi/coding/"
        request = urllib.request.Request(  # noqa: S310 - the mock server's own URL
            f"{mock_server.base_url('kimicode')}/models", headers={"Authorization": f"Bearer {KIMI}"}
        )
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls.client)]
        with urllib.request.build_opener(*handlers).open(request, timeout=5) as response:
            assert [entry["id"] for entry in json.load(response)["data"]] == [
                model.id for model in tool.PRODUCTS["kimicode"].models
            ]
    with pytest.raises(ValueError, match=r"^unknown product 'kimi'; known are moonshot-cn, moonshot-ai, kimicode$"):
        mock_server.base_url("kimi")


def test_a_stalled_handshake_delays_no_other_client(tls: Tls) -> None:
    with tool.MockServer(tls=tls.server) as mock_server, socket.create_connection(("127.0.0.1", mock_server.port)):
        connection = http.client.HTTPSConnection("127.0.0.1", mock_server.port, context=tls.client, timeout=2)
        connection.request("GET", LIST_CN)
        assert connection.getresponse().status == 401
        connection.close()


def test_a_failure_of_the_mock_server_shows_no_value(
    mock_server: tool.MockServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails(_request: tool.Request) -> None:
        raise RuntimeError(CN)

    monkeypatch.setattr(mock_server, "answer", fails)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(mock_server, "GET", LIST_CN, CN)
    assert capfd.readouterr() == ("", "the mock server failed on a request: RuntimeError\n")
