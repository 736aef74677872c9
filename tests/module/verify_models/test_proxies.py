# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proxies of the environment."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping

import pytest

from tests.module.verify_models.authority import Authority
from tests.module.verify_models.behaviours import (
    drips,
    says_nothing,
)
from tests.module.verify_models.hints import (
    CHECK_URL,
    CONNECTION,
    LATER,
    LOGIN,
    LONGER,
    USE_HTTPS,
)
from tests.module.verify_models.probing import (
    KEY,
    expected,
    free_port,
    only,
    provider,
    run,
)
from tests.module.verify_models.raw_server import (
    Behaviour,
    RawServer,
    Received,
    answer,
    listing,
)


def tunnel(connection: socket.socket, request: Received) -> None:
    """What a proxy does with CONNECT."""
    host, _colon, port = request.target.rpartition(":")
    with socket.create_connection((host, int(port)), 5) as onward:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_pump, args=(onward, connection), daemon=True)
        back.start()
        _pump(connection, onward)
        back.join(5)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)


def test_a_proxy_tunnels_tls(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    context = authority.server_context("127.0.0.1")
    with RawServer(listing("kimi-k2.5"), tls=context) as server, RawServer(tunnel) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:hunter2@{proxy.netloc}")
        code, result, printed = run(provider(server, "https"), ca_path=authority.path)
    assert (code, only(result)["status"]) == (0, "ok")
    assert (proxy.received[0].method, proxy.received[0].target) == ("CONNECT", server.netloc)
    assert "authorization" not in proxy.received[0].headers
    assert KEY not in printed


def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(listing("kimi-k2.5")) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        code, result, _printed = run(provider(server))
    assert (code, only(result)["status"]) == (0, "ok")


PROXIES: Mapping[str, tuple[Behaviour, str, str, str]] = {
    "wants a login": (
        answer(407, b"", reason="Proxy Authentication Required"),
        "connection_refused",
        "the proxy {proxy} rejected the connection to the endpoint: 407 Proxy Authentication Required",
        LOGIN,
    ),
    "cannot connect": (
        answer(502, b"<html>", reason="Bad Gateway"),
        "server_error",
        "the proxy {proxy} could not connect to the endpoint: 502 Bad Gateway",
        LATER,
    ),
    "speaks no HTTP": (b"hello\r\n", "not_an_api", "the proxy {proxy} does not speak HTTP", CHECK_URL),
    "says nothing": (says_nothing, "timeout", "no connection to the proxy {proxy} within 0.4 s", LONGER),
    "drips": (
        drips(b"HTTP/1.1 200 x\r\n", b"X: y\r\n"),
        "timeout",
        "no connection to the proxy {proxy} within 0.4 s",
        LONGER,
    ),
}


@pytest.mark.parametrize(("behaviour", "status", "message", "hint"), PROXIES.values(), ids=PROXIES)
def test_a_proxy_with_a_fault(
    behaviour: Behaviour, status: str, message: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(behaviour) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.netloc}")
        asked = {"name": "moonshot", "base_url": "https://endpoint.invalid/v1", "api_key": KEY}
        _code, result, _printed = run(asked, timeout=0.4 if status == "timeout" else 5)
    assert only(result) == expected(status, None, message.format(proxy=proxy.netloc), hint)
    assert proxy.received[0].target == "endpoint.invalid:443"


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    asked = {"name": "moonshot", "base_url": "https://endpoint.invalid/v1", "api_key": KEY}
    _code, result, _printed = run(asked)
    message = f"the proxy 127.0.0.1:{port} refused the connection"
    assert only(result) == expected("connection_refused", None, message, CONNECTION)


def test_clear_text_does_not_leave_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    asked = {"name": "moonshot", "base_url": "http://127.0.0.1:9/v1", "api_key": KEY}
    _code, result, _printed = run(asked)
    message = "base_url is http://, so the key would be sent to the proxy proxy.invalid:3128 in clear text"
    assert only(result) == expected("insecure_url", None, message, USE_HTTPS)
