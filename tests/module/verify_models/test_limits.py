# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of time and memory, whatever a server does."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import tracemalloc
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints import transport
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import Outcome, Request

from tests.module.verify_models.authority import Authority
from tests.module.verify_models.behaviours import (
    HEAD,
    begins,
    drips,
    never_ends,
    says_nothing,
)
from tests.module.verify_models.hints import (
    LONGER,
)
from tests.module.verify_models.probing import (
    KEY,
    expected,
    only,
    provider,
    run,
)
from tests.module.verify_models.raw_server import (
    Behaviour,
    RawServer,
    Received,
    answer,
)

SLOW: Mapping[str, tuple[Behaviour, str]] = {
    "no answer": (says_nothing, "{url} accepted the connection, but did not answer within 1 s"),
    "dripping status": (drips(b"HTT", b"P"), "{url} accepted the connection, but did not answer within 1 s"),
    "dripping headers": (drips(HEAD, b"X: y\r\n"), "{url} accepted the connection, but did not answer within 1 s"),
    "endless continue": (
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        "{url} accepted the connection, but did not answer within 1 s",
    ),
    "dripping body": (
        drips(HEAD + b"Content-Length: 400\r\n\r\n{", b" "),
        "{url} started to answer, but did not finish within 1 s",
    ),
    "dripping chunks": (
        drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        "{url} started to answer, but did not finish within 1 s",
    ),
    "no end": (begins, "{url} started to answer, but did not finish within 1 s"),
}


class Timeouts:
    """One run with all servers that do not end, side by side, since each takes its whole second."""

    def __init__(self, stack: contextlib.ExitStack, authority: Authority) -> None:
        self.netlocs: dict[str, str] = {}
        self.seconds: dict[str, float] = {}
        self.cut = {"http": threading.Event(), "https": threading.Event()}
        self._stack = stack
        self._authority = authority
        self._asked: list[dict[str, object]] = []

    def run(self) -> None:
        for name, (behaviour, _message) in SLOW.items():
            self._add(name, "http", self._serve(behaviour))
        for scheme, context in (("http", None), ("https", self._authority.server_context("127.0.0.1"))):
            self._add(f"cut {scheme}", scheme, self._serve(self._drip_until_cut(self.cut[scheme]), context))
        self._add("connection", "http", self._full())
        self._add("handshake", "https", self._silent())
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.setattr(transport, "send", self._timed(transport.send))
            code, result, _printed = run(*self._asked, timeout=1, ca_path=self._authority.path)
        self.code = code
        self.results = {info["name"]: {**info, "name": "moonshot"} for info in result["providers"]}

    def result(self, name: str) -> dict[str, Any]:
        """The result of a server that was asked for the whole second."""
        assert self.seconds[self.netlocs[name]] >= 1
        return only({"providers": [self.results[name]]})

    def _add(self, name: str, scheme: str, netloc: str) -> None:
        self.netlocs[name] = netloc
        self._asked.append({"name": name, "base_url": f"{scheme}://{netloc}/v1", "api_key": KEY})

    def _timed(self, send: Callable[..., Outcome]) -> Callable[..., Outcome]:
        def timed(request: Request, *args: Any) -> Outcome:
            began = time.monotonic()
            outcome = send(request, *args)
            self.seconds[urllib.parse.urlsplit(request.url).netloc] = time.monotonic() - began
            return outcome

        return timed

    def _serve(self, behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> str:
        return self._stack.enter_context(RawServer(behaviour, tls=tls)).netloc

    @staticmethod
    def _drip_until_cut(cut: threading.Event) -> Behaviour:
        def drip(connection: socket.socket, _request: Received) -> None:
            connection.sendall(HEAD)
            with contextlib.suppress(OSError):
                while True:
                    connection.sendall(b"X: y\r\n")
                    time.sleep(0.05)
            cut.set()

        return drip

    def _full(self) -> str:
        """The address of a listener whose queue is full, so that no connection is accepted."""
        full = self._stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _time in range(4):
            filler = self._stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        return f"127.0.0.1:{full.getsockname()[1]}"

    def _silent(self) -> str:
        """The address of a listener that connects, and says nothing."""
        silent = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        return f"127.0.0.1:{silent.getsockname()[1]}"


@pytest.fixture(scope="module")
def timeouts(authority: Authority) -> Iterator[Timeouts]:
    with contextlib.ExitStack() as stack:
        timeouts = Timeouts(stack, authority)
        timeouts.run()
        yield timeouts


@pytest.mark.parametrize("name", SLOW)
def test_a_slow_server_ends_in_timeout(name: str, timeouts: Timeouts) -> None:
    message = SLOW[name][1].format(url=f"http://{timeouts.netlocs[name]}/v1/models")
    assert timeouts.result(name) == expected("timeout", None, message, LONGER)
    assert timeouts.code == 1


@pytest.mark.parametrize("name", ["connection", "handshake"])
def test_a_connection_that_is_never_made_ends_in_timeout(name: str, timeouts: Timeouts) -> None:
    message = f"no connection to {timeouts.netlocs[name]} within 1 s"
    assert timeouts.result(name) == expected("timeout", None, message, LONGER)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_is_cut_when_its_time_is_over(scheme: str, timeouts: Timeouts) -> None:
    assert timeouts.result(f"cut {scheme}")["status"] == "timeout"
    # A client that only stopped waiting would read on up to the hundredth header, five seconds long.
    assert timeouts.cut[scheme].wait(2)


def test_a_name_lookup_that_hangs_ends_in_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: released.wait(5) and [])
    asked = {"name": "moonshot", "base_url": "https://slow.invalid/v1", "api_key": KEY}
    _code, result, _printed = run(asked, timeout=0.1)
    released.set()
    assert only(result) == expected("timeout", None, "no connection to slow.invalid:443 within 0.1 s", LONGER)


def test_after_the_deadline_nothing_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    others = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = (socket.AF_INET, socket.SOCK_STREAM, 0, "", listener.getsockname())
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args: released.wait(5) and [address])
        asked = {"name": "moonshot", "base_url": f"http://127.0.0.1:{address[4][1]}/v1", "api_key": KEY}
        _code, result, _printed = run(asked, timeout=0.1)
        released.set()
        for thread in set(threading.enumerate()) - others:
            thread.join(5)
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert only(result)["status"] == "timeout"


BOMBS: Mapping[str, Behaviour] = {
    "gigabyte": never_ends(HEAD + b"\r\n", b" " * 65536),
    "gzip bomb": answer(200, gzip.compress(b" " * 200_000_000, 1), "Content-Encoding: gzip"),
    "endless error": never_ends(b"HTTP/1.1 500 x\r\n\r\n", b"<" * 65536),
    "endless chunk": never_ends(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", b" " * 65536),
}


@pytest.mark.parametrize("behaviour", BOMBS.values(), ids=BOMBS)
def test_memory_is_bounded(behaviour: Behaviour) -> None:
    with RawServer(behaviour) as server:
        tracemalloc.start()
        try:
            _code, result, _printed = run(provider(server))
            _now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert only(result)["status"] in ("invalid_response", "server_error")
    assert peak < 24 * 1024 * 1024


def test_the_process_ends_although_a_server_goes_on(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    with RawServer(drips(HEAD, b"X: y\r\n")) as server:
        arguments = {"providers": [provider(server)], "timeout": 0.3, "retries": 0}
        script.write_text(
            "from ansible.module_utils.testing import patch_module_args\n"
            "from ansible_collections.clawfleet.clawdbot.plugins.modules import verify_models\n"
            f"with patch_module_args({arguments!r}):\n    verify_models.main()\n"
        )
        search_path = os.pathsep.join(str(path) for path in sys.path if path)
        done = subprocess.run(
            [sys.executable, str(script)],
            env={**os.environ, "PYTHONPATH": search_path},
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"")
    assert only(json.loads(done.stdout))["status"] == "timeout"
