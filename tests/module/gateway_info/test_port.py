# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.port import answers


class Health(http.server.BaseHTTPRequestHandler):
    """Answers 200 at one path alone."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthy" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        pass


@pytest.fixture
def health_port() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server.server_port
        server.shutdown()


def test_answers(health_port: int) -> None:
    assert answers(health_port, "/healthy")
    # With its control UI turned off, a gateway answers 404.
    assert answers(health_port, "/")


def test_an_answer_must_be_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 ready\r\n")

        threading.Thread(target=answer).start()
        assert not answers(server.getsockname()[1], "/healthy")


def test_no_answer_on_a_free_port(health_port: int) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        free = server.server_port
    assert free != health_port
    assert not answers(free, "/healthy")
