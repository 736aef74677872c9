# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name lookups, addresses and ports."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints import client

from tests.module.verify_models.hints import (
    CONNECTION,
    DNS,
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
    RawServer,
    Received,
    listing,
)

LOOKUPS: Mapping[str, tuple[int, int]] = {"no such name": (socket.EAI_NONAME, 1), "no resolver": (socket.EAI_AGAIN, 2)}


@pytest.mark.parametrize(("code", "attempts"), LOOKUPS.values(), ids=LOOKUPS)
def test_a_name_that_cannot_be_resolved(code: int, attempts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for = []

    def fail(host: str, *_args: object) -> None:
        asked_for.append(host)
        raise socket.gaierror(code, "no")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(client, "time", SimpleNamespace(sleep=lambda _seconds: None, time=time.time))
    asked = {"name": "moonshot", "base_url": "https://endpoint.invalid/v1", "api_key": KEY}
    _code, result, _printed = run(asked, retries=1)
    assert only(result) == expected("dns_error", None, "the name endpoint.invalid cannot be resolved", DNS)
    assert asked_for == ["endpoint.invalid"] * attempts


def test_an_invalid_name() -> None:
    host = f"{'a' * 70}.invalid"
    asked = {"name": "moonshot", "base_url": f"https://{host}/v1", "api_key": KEY}
    _code, result, _printed = run(asked)
    assert only(result) == expected("dns_error", None, f"the name {host} cannot be resolved", DNS)


def test_a_port_without_a_listener() -> None:
    port = free_port()
    asked = {"name": "moonshot", "base_url": f"http://127.0.0.1:{port}/v1", "api_key": KEY}
    _code, result, _printed = run(asked)
    assert only(result) == expected("connection_refused", None, f"127.0.0.1:{port} refused the connection", CONNECTION)


def test_a_network_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise OSError(113, "No route to host")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    asked = {"name": "moonshot", "base_url": "https://10.0.0.1/v1", "api_key": KEY}
    _code, result, _printed = run(asked)
    message = "10.0.0.1:443 cannot be reached: No route to host"
    assert only(result) == expected("connection_refused", None, message, CONNECTION)


def test_a_second_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(listing("kimi-k2.5")) as server:
        kinds = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
        addresses = [(*kinds, ("127.0.0.1", free_port())), (*kinds, ("127.0.0.1", server.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: addresses)
        code, result, _printed = run(provider(server))
    assert (code, only(result)["status"]) == (0, "ok")


def test_the_time_for_one_of_several_addresses_is_for_connecting_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(connection: socket.socket, _request: Received) -> None:
        time.sleep(0.2)
        connection.sendall(listing("kimi-k2.5"))

    with RawServer(slow) as server:
        # A tenth of a second for each address, ten seconds for the attempt.
        address = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: [address] * 100)
        code, result, _printed = run(provider(server), timeout=10)
    assert (code, only(result)["status"]) == (0, "ok")


def test_a_name_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: [])
    asked = {"name": "moonshot", "base_url": "https://endpoint.example/v1", "api_key": KEY}
    _code, result, _printed = run(asked)
    message = "endpoint.example:443 cannot be reached: the name has no address"
    assert only(result) == expected("connection_refused", None, message, CONNECTION)


def test_ipv6() -> None:
    with RawServer(listing("kimi-k2.5"), host="::1") as server:
        code, result, _printed = run(provider(server))
    assert (code, only(result)["status"]) == (0, "ok")
    assert server.received[0].headers["host"] == server.netloc
