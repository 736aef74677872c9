# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import listener, sockets
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.listener import configured_port, find_listener
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.sockets import Address
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Listener

# The value of the environment variable, the config, and the port.
PORTS: dict[str, tuple[str | None, str | None, int]] = {
    "neither": (None, None, 18789),
    "config": (None, "{gateway: {port: 19001}}", 19001),
    "config, as a decimal": (None, "{gateway: {port: 19001.0}}", 19001),
    "variable before config": ("19002", "{gateway: {port: 19001}}", 19002),
    "variable, white space": (" 19002\n", None, 19002),
    "variable: with an address": ("127.0.0.1:19002", None, 19002),
    "variable: with an address of IPv6": ("[::1]:19002", None, 19002),
    "variable: an address of IPv6 alone": ("::1", "{gateway: {port: 19001}}", 19001),
    "variable: empty": ("", "{gateway: {port: 19001}}", 19001),
    "variable: zero": ("0", "{gateway: {port: 19001}}", 19001),
    "variable: too large": ("65536", "{gateway: {port: 19001}}", 19001),
    "variable: very long": ("1" * 10_000, None, 18789),
    "variable: other digits": ("²", None, 18789),
    "config: a string": (None, '{gateway: {port: "19001"}}', 18789),
    "config: true": (None, "{gateway: {port: true}}", 18789),
    "config: a fraction": (None, "{gateway: {port: 1.5}}", 18789),
    "config: not a number": (None, "{gateway: {port: NaN}}", 18789),
    "config: too large": (None, "{gateway: {port: 65536}}", 18789),
    "config: a list": (None, "{gateway: [19001]}", 18789),
    "config: a reference": (None, '{gateway: {port: "${PORT}"}}', 18789),
}


@pytest.mark.parametrize("name", PORTS)
def test_configured_port(name: str) -> None:
    variable, config, port = PORTS[name]
    assert configured_port([], [variable], json5_reader.loads(config or "{}")) == port


def test_the_first_value_that_is_a_port_is_configured() -> None:
    assert configured_port([], [None, "x", "19002", "19003"], {"gateway": {"port": 19001}}) == 19002


# The arguments of the unit, and the port, where the environment has 19002 and the config 19001.
ARGUMENTS: dict[str, tuple[list[str], int]] = {
    "none": ([], 19002),
    "a word of its own": (["run", "--port", "19003"], 19003),
    "in one word": (["--port=19003", "--verbose"], 19003),
    "twice": (["--port", "19004", "--port=19003"], 19003),
    "cut short": (["--port"], 19002),
    "no number": (["--port", "--verbose"], 19002),
    "another option": (["--remote-port", "19003"], 19002),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_configured_port_with_arguments_of_the_unit(name: str) -> None:
    arguments, port = ARGUMENTS[name]
    assert configured_port(arguments, ["19002"], {"gateway": {"port": 19001}}) == port


LOCAL = "127.0.0.1"

#: Where the process listens, None where that is not known; what answers HTTP; what takes WebSockets -> the listener,
#: None in place of its address where it does not answer. 19001 is configured.
LISTENERS: dict[str, tuple[list[Address] | None, list[Address], list[Address], tuple[Listener, bool]]] = {
    "on this host": (
        [Address("::1", 19001), Address(LOCAL, 19001)],
        [Address(LOCAL, 19001)],
        [],
        (Listener(LOCAL, 19001), True),
    ),
    "on all interfaces": (
        [Address("0.0.0.0", 19001)],  # noqa: S104 - not listened on
        [Address(LOCAL, 19001)],
        [],
        (Listener(LOCAL, 19001), True),
    ),
    "on all interfaces, IPv6": ([Address("::", 19001)], [Address("::1", 19001)], [], (Listener("::1", 19001), True)),
    "on one interface": (
        [Address("10.0.0.5", 19001)],
        [Address("10.0.0.5", 19001)],
        [],
        (Listener("10.0.0.5", 19001), True),
    ),
    "on one interface and on this host": (
        [Address("10.0.0.5", 19001), Address(LOCAL, 19001)],
        [Address("10.0.0.5", 19001), Address(LOCAL, 19001)],
        [],
        (Listener(LOCAL, 19001), True),
    ),
    "on another port than configured": (
        [Address(LOCAL, 19009)],
        [Address(LOCAL, 19009), Address(LOCAL, 19001)],
        [Address(LOCAL, 19009)],
        (Listener(LOCAL, 19009), True),
    ),
    "only with Node's inspector": (
        [Address(LOCAL, 9229)],
        [Address(LOCAL, 9229), Address(LOCAL, 19001)],
        [],
        (Listener(LOCAL, 9229), False),
    ),
    "on the configured port, beside its tools": (
        [Address(LOCAL, 19000), Address(LOCAL, 19003), Address(LOCAL, 19001)],
        [Address(LOCAL, 19000), Address(LOCAL, 19001), Address(LOCAL, 19003)],
        [],
        (Listener(LOCAL, 19001), True),
    ),
    "on another port, beside its tools": (
        [Address(LOCAL, 19011), Address("10.0.0.5", 19009)],
        [Address(LOCAL, 19011), Address("10.0.0.5", 19009)],
        [Address("10.0.0.5", 19009)],
        (Listener("10.0.0.5", 19009), True),
    ),
    "only for its tools, as it starts": (
        [Address(LOCAL, 19011), Address(LOCAL, 19012)],
        [Address(LOCAL, 19011), Address(LOCAL, 19012)],
        [],
        (Listener(LOCAL, 19011), False),
    ),
    "nowhere, and another process on its port": ([], [Address(LOCAL, 19001)], [], (Listener(LOCAL, 19001), False)),
    "and does not answer": ([Address("10.0.0.5", 19001)], [], [], (Listener("10.0.0.5", 19001), False)),
    "unknown, and it answers as configured": (
        None,
        [Address("10.0.0.5", 19001)],
        [],
        (Listener("10.0.0.5", 19001), True),
    ),
    "unknown, and nothing answers": (None, [], [], (Listener(LOCAL, 19001), False)),
}


@pytest.mark.parametrize("name", LISTENERS)
def test_find_listener(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own, http, websocket, expected = LISTENERS[name]
    asked = {listener._ANY_STATUS: http, listener._SWITCHED: websocket}

    def ask(host: str, port: int, path: str, _headers: str, status: Any) -> Listener | None:
        reached = listener._REACHED_AT.get(host, host)
        assert path == ("/healthy" if status is listener._ANY_STATUS else "/")
        return Listener(reached, port) if Address(reached, port) in asked[status] else None

    monkeypatch.setattr(listener, "_ask", ask)
    # Others listen on this host as well.
    monkeypatch.setattr(sockets, "of_host", lambda: [Address(LOCAL, 22), *http])
    assert find_listener(own, 19001, "/healthy") == expected


def test_this_host_is_asked_at_its_own_addresses_where_it_does_not_show_who_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    monkeypatch.setattr(sockets, "of_host", list)
    monkeypatch.setattr(listener, "_ask", lambda *arguments: asked.append(arguments[:2]))
    assert find_listener(None, 19001, "/") == (Listener(LOCAL, 19001), False)
    assert asked == [(LOCAL, 19001), ("::1", 19001)]


URLS: dict[str, tuple[Listener, str]] = {
    "IPv4": (Listener(LOCAL, 1), "ws://127.0.0.1:1"),
    "IPv6": (Listener("::1", 1), "ws://[::1]:1"),
    "TLS": (Listener("10.0.0.5", 1, "ab"), "wss://10.0.0.5:1"),
}


@pytest.mark.parametrize("name", URLS)
def test_the_url_of_a_listener(name: str) -> None:
    found, url = URLS[name]
    assert found.url == url
