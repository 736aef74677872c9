# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""One HTTP attempt, within a deadline and within bounded memory.

It combines what `ansible.module_utils.urls.Request.open` combines: urllib's proxies from the environment, and Ansible's
TLS context. That function cannot be used: it installs a global opener, which threads must not share, it lets a `.netrc`
replace the `Authorization` header, and it gives no access to the connection, which is needed to end an attempt.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import http.client
import re
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, Literal

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from .requests import is_loopback, origin, redirect_target
from .types import Answer, BodyDefect, FailureKind, NoAnswer, Outcome, ProbeOptions, Request

# Bytes. A listing of some hundred models is a few hundred kilobytes.
_MAX_BODY = 2 * 1024 * 1024
_CHUNK = 64 * 1024
_MAX_REDIRECTS = 5

_Stage = Literal["connect_timeout", "answer_timeout", "body_timeout"]

# OpenSSL's codes for what is wrong with a certificate (X509_V_ERR_*).
_CERTIFICATE_PROBLEMS: Mapping[int, FailureKind] = {
    9: "tls_not_yet_valid",
    10: "tls_expired",
    18: "tls_issuer",
    19: "tls_issuer",
    20: "tls_issuer",
    21: "tls_issuer",
    62: "tls_name",
    64: "tls_name",
}
# OpenSSL's reasons if the peer does not speak TLS; its first bytes decide which one.
_REASONS_OF_NO_TLS = {
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "HTTPS_PROXY_REQUEST",
    "UNKNOWN_PROTOCOL",
    "RECORD_LAYER_FAILURE",
}


def tls_context(options: ProbeOptions) -> ssl.SSLContext:
    """Return the TLS context for all attempts. Raises `ClawdbotError` if `ca_path` cannot be used."""
    # Imported here: it brings a lot along, which a host without https:// need not load.
    from ansible.module_utils.urls import make_context

    try:
        context: ssl.SSLContext = make_context(cafile=options.ca_path, validate_certs=options.validate_certs)
    except (OSError, ValueError) as error:
        raise ClawdbotError(f"ca_path: {options.ca_path} cannot be used: {error}") from error
    return context


def send(request: Request, options: ProbeOptions, context: ssl.SSLContext | None) -> Outcome:
    """Send a request once and return the outcome, at the deadline at the latest.

    The exchange runs in a thread of its own: a name lookup cannot be interrupted, and a server that sends a byte now
    and then outlives every timeout of a socket. At the deadline its connection is shut down and the thread is left.
    """
    attempt = _Attempt(request.url, options.timeout, options.allow_insecure_http)
    done: Future[Outcome] = Future()
    threading.Thread(target=_exchange, args=(request, attempt, context, done), daemon=True).start()
    try:
        return done.result(options.timeout)
    except FutureTimeoutError:
        # Before the cut: the thread takes the end of the connection for the end of a stage.
        outcome = attempt.timed_out()
        attempt.cut()
        return outcome


class _Attempt:
    """One attempt: how far it is, its peer, and its connection, which another thread can shut down."""

    def __init__(self, url: str, timeout: float, allow_insecure_http: bool) -> None:
        scheme, host, port = origin(url)
        #: The outcome if the time ends now.
        self.stage: _Stage = "connect_timeout"
        self.endpoint = self.peer = _netloc(host, port)
        self.peer_host = host
        self._clear_text_to_loopback_only = scheme == "http" and not allow_insecure_http
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def remaining(self) -> float:
        """Return the seconds until the deadline, never 0, which means a socket that does not block."""
        return max(0.001, self._deadline - time.monotonic())

    def connect(self, address: tuple[str, int], *_args: object) -> socket.socket:
        """Connect to the first of the host's addresses that accepts, like `socket.create_connection`.

        Each address gets its share of the time, so that a dead IPv6 route leaves some for IPv4.
        """
        host, port = address
        self.peer_host = host
        if _netloc(host, port) != self.endpoint:
            self.peer = f"the proxy {_netloc(host, port)}"
        if self._clear_text_to_loopback_only and not is_loopback(host):
            raise _ClearTextError
        addresses = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
        problem = OSError(errno.EADDRNOTAVAIL, "the name has no address")
        for index, (family, kind, protocol, _name, where) in enumerate(addresses):
            try:
                return self._connect_to(family, kind, protocol, where, self.remaining() / (len(addresses) - index))
            except OSError as error:
                problem = error
        raise problem

    def _connect_to(self, family: int, kind: int, protocol: int, where: Any, timeout: float) -> socket.socket:
        connection = socket.socket(family, kind, protocol)
        try:
            self.hold(connection)
            connection.settimeout(timeout)
            connection.connect(where)
        except OSError:
            connection.close()
            raise
        connection.settimeout(self.remaining())
        return connection

    def hold(self, connection: socket.socket) -> None:
        """Remember the connection to shut down. Raises `socket.timeout` after the deadline, before anything is sent."""
        with self._lock:
            self._socket = connection
            if self._is_cut:
                raise socket.timeout

    def cut(self) -> None:
        """Shut the connection down, which ends the thread that reads from it."""
        with self._lock:
            self._is_cut = True
            connection = self._socket
        if connection is not None:
            _shut_down(connection)

    def timed_out(self) -> NoAnswer:
        """Return the outcome after the deadattempt."""
        return NoAnswer(self.stage, self.peer, f"{self._timeout:g}")


class _ClearTextError(Exception):
    """The key would leave this machine in clear text."""


def _netloc(host: str, port: int | None) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _shut_down(connection: socket.socket) -> None:
    # It may not be connected.
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Connection(http.client.HTTPConnection):
    def __init__(self, attempt: _Attempt, host: str, **kwargs: Any) -> None:
        super().__init__(host, **kwargs)
        self._attempt = attempt
        self._create_connection = attempt.connect

    def connect(self) -> None:
        super().connect()
        self._attempt.stage = "answer_timeout"


class _SecureConnection(http.client.HTTPSConnection):
    def __init__(self, attempt: _Attempt, host: str, **kwargs: Any) -> None:
        super().__init__(host, **kwargs)
        self._attempt = attempt
        self._create_connection = attempt.connect

    def connect(self) -> None:
        super().connect()
        # The TLS layer has taken the place of the socket that was connected.
        self._attempt.hold(self.sock)
        self._attempt.stage = "answer_timeout"


class _HttpHandler(urllib.request.HTTPHandler):
    def __init__(self, attempt: _Attempt) -> None:
        super().__init__()
        self._attempt = attempt

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_Connection, self._attempt), req)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def __init__(self, attempt: _Attempt, context: ssl.SSLContext) -> None:
        super().__init__(context=context)
        self._attempt = attempt
        self._own_context = context

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_SecureConnection, self._attempt), req, context=self._own_context)


def _exchange(request: Request, attempt: _Attempt, context: ssl.SSLContext | None, done: Future[Outcome]) -> None:
    try:
        outcome = _follow(request, attempt, context)
    except Exception as error:
        # Parsers of hostile bytes raise exceptions of any kind.
        outcome = _no_answer(error, attempt)
    done.set_result(outcome)


def _follow(request: Request, attempt: _Attempt, context: ssl.SSLContext | None) -> Outcome:
    """Return the outcome of a request, after redirects within the same origin."""
    started = time.monotonic()
    # Without handlers for redirects and errors, every answer is returned as it is.
    opener = urllib.request.OpenerDirector()
    opener.add_handler(urllib.request.ProxyHandler())
    opener.add_handler(_HttpHandler(attempt))
    if context:
        opener.add_handler(_HttpsHandler(attempt, context))
    url = request.url
    for _hop in range(_MAX_REDIRECTS):
        message = urllib.request.Request(  # noqa: S310  (`requests.reject` lets http and https pass)
            url, data=request.body, headers=dict(request.headers), method=request.method
        )
        attempt.stage = "connect_timeout"
        with opener.open(message, timeout=attempt.remaining()) as response:
            attempt.stage = "body_timeout"
            status = response.status
            target = redirect_target(url, request.method, status, response.headers.get("Location"))
            if target is None:
                return _read_answer(response, started)
        if isinstance(target, NoAnswer):
            return target
        url = target
    return NoAnswer("redirect_loop", detail=url, http_status=status)


def _read_answer(response: http.client.HTTPResponse, started: float) -> Answer:
    """Return the answer, its body decompressed. Of a longer body, no more than the limit is held."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    encoding = headers.get("content-encoding", "identity").strip().lower()
    unpack = zlib.decompressobj(wbits=31) if encoding in ("gzip", "x-gzip") else None
    body = bytearray()
    defect: BodyDefect | None = None if unpack or encoding == "identity" else "unknown_encoding"
    try:
        while not defect:
            chunk = response.read(_CHUNK)
            if not chunk:
                short = bool(response.length) if unpack is None else not unpack.eof
                defect = "cut_short" if short else None
                break
            body += chunk if unpack is None else unpack.decompress(chunk, _MAX_BODY + 1 - len(body))
            defect = "too_long" if len(body) > _MAX_BODY else None
    except (http.client.IncompleteRead, ConnectionError, ssl.SSLError):
        defect = "cut_short"
    except zlib.error:
        defect = "unknown_encoding"
    latency_ms = round((time.monotonic() - started) * 1000)
    return Answer(response.status, response.reason, headers, bytes(body), defect, latency_ms)


def _no_answer(error: BaseException, attempt: _Attempt) -> NoAnswer:
    """Return the outcome that an exception means."""
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException):
        error = error.reason
    if isinstance(error, socket.timeout):
        return attempt.timed_out()
    if isinstance(error, ssl.SSLError):
        return _tls_problem(error, attempt)
    if isinstance(error, OSError):
        return _network_problem(error, attempt)
    if isinstance(error, _ClearTextError):
        return NoAnswer("proxy_cleartext", attempt.peer)
    if isinstance(error, UnicodeError) and attempt.stage == "connect_timeout":
        return NoAnswer("dns", attempt.peer_host)  # A label that is too long or empty.
    if isinstance(error, (http.client.BadStatusLine, http.client.UnknownProtocol)):
        return NoAnswer("not_http", attempt.peer)
    return NoAnswer("garbled", attempt.peer, type(error).__name__)


def _tls_problem(error: ssl.SSLError, attempt: _Attempt) -> NoAnswer:
    if isinstance(error, ssl.SSLCertVerificationError):
        problem = _CERTIFICATE_PROBLEMS.get(error.verify_code, "tls_certificate")
        return NoAnswer(problem, attempt.endpoint, error.verify_message)
    kind: FailureKind = "tls_plain" if error.reason in _REASONS_OF_NO_TLS else "tls"
    return NoAnswer(kind, attempt.endpoint, str(error.reason or "the connection ended").replace("_", " ").lower())


def _network_problem(error: OSError, attempt: _Attempt) -> NoAnswer:
    # http.client has no own exception for a proxy's answer to CONNECT.
    tunnel = re.match(r"Tunnel connection failed: (([0-9])[0-9]{2}.*)", str(error))
    if tunnel:
        return NoAnswer("proxy_failed" if tunnel.group(2) == "5" else "proxy_rejected", attempt.peer, tunnel.group(1))
    if isinstance(error, socket.gaierror):
        return NoAnswer("dns_again" if error.errno == socket.EAI_AGAIN else "dns", attempt.peer_host)
    if isinstance(error, ConnectionRefusedError):
        return NoAnswer("refused", attempt.peer)
    if isinstance(error, ConnectionError):
        return NoAnswer("dropped", attempt.peer)
    return NoAnswer("unreachable", attempt.peer, error.strerror or type(error).__name__)
