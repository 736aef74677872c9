# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import contextlib
import hashlib
import http.server
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import listener, sockets
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.listener import ask, find_listener
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.sockets import Address
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Listener

LOCAL = "127.0.0.1"


class Health(http.server.BaseHTTPRequestHandler):
    """Answers 200 at one path alone, and takes WebSockets where the server does."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        taken = self.headers.get("Upgrade") == "websocket" and getattr(self.server, "takes_websockets", False)
        self.send_response(101 if taken else 200 if self.path == "/healthy" else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        pass


class Server(http.server.ThreadingHTTPServer):
    """A server on an address of IPv4 or IPv6."""

    def __init__(self, host: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, 0), Health)


Serve = Callable[..., int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve on an address, with TLS if a context is given; return the port."""
    with contextlib.ExitStack() as running:

        def start(host: str = LOCAL, context: ssl.SSLContext | None = None, *, websockets: bool = False) -> int:
            server = running.enter_context(Server(host))
            server.takes_websockets = websockets  # type: ignore[attr-defined]
            if context:
                server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, args=(0.01,)).start()
            running.callback(server.shutdown)
            return int(server.server_address[1])

        yield start


def test_an_answer(serve: Serve) -> None:
    port = serve()
    assert ask(LOCAL, port, "/healthy") == Listener(LOCAL, port)
    # With its control UI turned off, a gateway answers 404.
    assert ask(LOCAL, port, "/") == Listener(LOCAL, port)


def test_an_answer_from_all_interfaces(serve: Serve) -> None:
    port = serve("0.0.0.0")  # noqa: S104 - as a gateway with `bind: lan`
    assert ask("0.0.0.0", port, "/") == Listener(LOCAL, port)  # noqa: S104


def test_an_answer_over_ipv6(serve: Serve) -> None:
    port = serve("::1")
    assert ask("::1", port, "/") == Listener("::1", port)
    assert ask(LOCAL, port, "/") is None


def test_an_answer_with_a_self_signed_certificate(serve: Serve) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = trustme.CA().issue_cert("clawdbot-gateway")
    certificate.configure_cert(context)
    port = serve(context=context)
    shown = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    assert ask(LOCAL, port, "/") == Listener(LOCAL, port, hashlib.sha256(shown).hexdigest())


def test_an_answer_must_be_http() -> None:
    with socket.create_server((LOCAL, 0)) as server:

        def answer() -> None:
            for _connection in range(2):
                connection, _address = server.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(b"220 ready\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert ask(LOCAL, server.getsockname()[1], "/healthy") is None
        thread.join()


@pytest.mark.parametrize("first", [b"H", b"\x16\x03\x03\x40\x00"], ids=["HTTP", "TLS"])
def test_a_peer_that_drips_has_no_more_time_than_others(monkeypatch: pytest.MonkeyPatch, first: bytes) -> None:
    monkeypatch.setattr(listener, "_ANSWER_SECONDS", 0.5)
    ended = threading.Event()
    with socket.create_server((LOCAL, 0)) as server:

        def drip() -> None:
            server.settimeout(10)
            for _connection in range(2 if first != b"H" else 1):
                connection, _address = server.accept()
                with connection, contextlib.suppress(OSError):
                    connection.sendall(first if _connection or first == b"H" else b"no HTTP\r\n")
                    while _connection or first == b"H":
                        if ended.wait(0.1):
                            break
                        connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        assert ask(LOCAL, server.getsockname()[1], "/healthy") is None
        took = time.monotonic() - began
        ended.set()
        thread.join()
    # 1000 bytes would take 100 seconds.
    assert took < 5


def test_no_answer_on_a_free_port(serve: Serve) -> None:
    with socket.create_server((LOCAL, 0)) as server:
        free = server.getsockname()[1]
    assert free != serve()
    assert ask(LOCAL, free, "/healthy") is None


def test_the_gateway_is_found_among_the_ports_of_its_process(serve: Serve) -> None:
    tool, gateway, other = serve(), serve(websockets=True), serve()
    own = [Address(LOCAL, port) for port in (tool, gateway, other)]
    # The configured port takes precedence; where the process does not listen there, its gateway is elsewhere.
    assert find_listener(own, tool, "/healthy") == (Listener(LOCAL, tool), True)
    assert find_listener(own, 1, "/healthy") == (Listener(LOCAL, gateway), True)
    assert find_listener([own[0], own[2]], 1, "/healthy") == (Listener(LOCAL, tool), False)
    # A launcher whose Node listens with its inspector alone.
    assert find_listener([own[0]], 1, "/healthy") == (Listener(LOCAL, tool), False)
    assert find_listener([own[1]], 1, "/healthy") == (Listener(LOCAL, gateway), True)


def test_what_listens_on_the_configured_port_is_asked_where_the_process_is_not_known(serve: Serve) -> None:
    port = serve("127.0.0.2")
    assert find_listener(None, port, "/healthy") == (Listener("127.0.0.2", port), True)


def test_where_this_process_listens() -> None:
    with socket.create_server((LOCAL, 0)) as first, socket.create_server(("::1", 0), family=socket.AF_INET6) as second:
        expected = [Address(LOCAL, first.getsockname()[1]), Address("::1", second.getsockname()[1])]
        found = sockets.of_process(os.getpid())
        assert found is not None
        assert [address for address in found if address in expected] == expected
        assert set(expected) <= set(sockets.of_host())
    assert not set(expected) & set(sockets.of_process(os.getpid()) or ())
