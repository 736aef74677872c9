# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Asking endpoints: all of them at once, each within a deadline and within bounded memory.

The pieces are those that C(ansible.module_utils.urls.Request.open) puts together: urllib's proxy handling from the
environment, and Ansible's TLS context. They are put together anew because that function installs a global opener, which
threads must not share, lets a C(.netrc) replace the C(Authorization) header, and gives no hold on the connection,
without which nothing can be cut off that drips for ever.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import http.client
import random
import re
import socket
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any, NamedTuple, Union

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from . import status as _status
from .status import (
    Answer,
    Finding,
    Listing,
    Model,
    NoAnswer,
    Outcome,
    Provider,
    Request,
    Result,
)

# A listing of some hundred models is a few hundred kilobytes.
_MAX_BODY = 2 * 1024 * 1024
_CHUNK = 64 * 1024
_MAX_REDIRECTS = 5
# What ansible.module_utils.urls.get_user_agent returns.
_USER_AGENT = "ansible-httpget"
_MAX_THREADS = 32

# OpenSSL's codes for what is wrong with a certificate (X509_V_ERR_*).
_CERTIFICATE_PROBLEMS = {
    9: "tls_not_yet_valid",
    10: "tls_expired",
    18: "tls_issuer",
    19: "tls_issuer",
    20: "tls_issuer",
    21: "tls_issuer",
    62: "tls_name",
    64: "tls_name",
}
# OpenSSL's reasons where the other side does not speak TLS at all; which one comes depends on its first bytes.
_REASONS_OF_NO_TLS = {
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "HTTPS_PROXY_REQUEST",
    "UNKNOWN_PROTOCOL",
    "RECORD_LAYER_FAILURE",
}


# What a question has led to: the listing, or what else an answer means. Neither holds a secret of the request.
Found = Union[Listing, Finding]
# Takes a question and how to ask it, and tells what was found when it was asked, be it now or before.
Once = Callable[[Request, Callable[[], Found]], Found]


class TrustError(ClawdbotError):
    """The authorities that shall be trusted cannot be read."""


class Settings(NamedTuple):
    """How to ask; C(timeout) is seconds for one attempt altogether, from the name lookup to the last byte."""

    chat: bool
    timeout: float
    retries: int
    ca_path: str | None
    validate_certs: bool
    allow_insecure_http: bool


def check_all(
    providers: Sequence[Provider], settings: Settings, secrets: Iterable[str], once: Once | None = None
) -> list[Result]:
    """The result for each provider, in their order; none of the secrets is in it, whatever an endpoint echoes.

    C(once) knows what was asked before. Without it, each distinct question is asked once in this call.
    Raises TrustError if C(ca_path) cannot be used.
    """
    asker = _Asker(settings, _tls_context(providers, settings), secrets, once or _Memory())
    if not providers:
        return []
    with ThreadPoolExecutor(max_workers=min(_MAX_THREADS, len(providers))) as pool:
        return list(pool.map(asker.check, providers))


def _tls_context(providers: Iterable[Provider], settings: Settings) -> ssl.SSLContext | None:
    """One context for all; made only where it is needed, as reading the system's authorities takes its time."""
    if not any(provider.base_url.lower().startswith("https:") for provider in providers):
        return None
    # Imported where it is needed: it brings a lot along, which every host would load.
    from ansible.module_utils.urls import make_context

    try:
        context: ssl.SSLContext = make_context(cafile=settings.ca_path, validate_certs=settings.validate_certs)
    except (OSError, ValueError) as error:
        raise TrustError(f"ca_path: {settings.ca_path} cannot be used: {error}") from error
    return context


class _Memory:
    """What was found in this process. Whoever asks what is being asked waits for that answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[Request, Future[Found]] = {}

    def __call__(self, request: Request, ask: Callable[[], Found]) -> Found:
        with self._lock:
            known = self._found.get(request)
            if known is None:
                mine: Future[Found] = Future()
                self._found[request] = mine
        if known is not None:
            return known.result()
        try:
            mine.set_result(ask())
        except BaseException as error:
            # Whoever waits for the same answer must not wait for ever.
            mine.set_exception(error)
            raise
        return mine.result()


class _Asker:
    """Asks for one run of the module."""

    def __init__(self, settings: Settings, context: ssl.SSLContext | None, secrets: Iterable[str], once: Once) -> None:
        self._settings = settings
        self._context = context
        self._secrets = secrets
        self._once = once

    def check(self, provider: Provider) -> Result:
        """The result for one provider: its listing, and where wanted a chat with each model, one after the other.

        Low tiers allow an account one request at a time, so the chats of a provider do not run side by side.
        """
        refused = _status.refuse(provider, self._settings.allow_insecure_http)
        if refused:
            return _status.conclude_fault(provider, refused)
        listing = self._listing(provider)
        if isinstance(listing, Finding):
            return _status.conclude_fault(provider, listing)
        if not self._settings.chat:
            return _status.conclude(provider, listing, None, self._secrets)
        chats: dict[str, Finding] = {}
        for model in _status.models_to_chat(provider, listing):
            finding = self._chat(provider, model)
            chats[model.id] = finding
            if finding.status != "ok" and not finding.refusal:
                break
        return _status.conclude(provider, listing, chats, self._secrets)

    def _listing(self, provider: Provider) -> Found:
        request = _status.listing_request(provider, _USER_AGENT)
        return self._once(request, lambda: _status.read_listing(self._ask(request), request, self._secrets))

    def _chat(self, provider: Provider, model: Model) -> Finding:
        request = _status.chat_request(provider, model, _USER_AGENT)
        found = self._once(request, lambda: _status.read_chat(self._ask(request), request, provider.api, self._secrets))
        # Only a request for the models is answered by a listing.
        return found if isinstance(found, Finding) else Finding("invalid_response", "a listing in place of a chat")

    def _ask(self, request: Request) -> Outcome:
        """The outcome of a request after as many attempts as are worth it."""
        attempt, waited = 1, 0.0
        while True:
            outcome = self._attempt(request)
            judged = _status.sound(outcome, request, self._secrets)
            if isinstance(judged, Answer):
                return judged
            wait = _status.wait_before_retry(
                judged,
                outcome,
                attempt=attempt,
                retries=self._settings.retries,
                waited=waited,
                jitter=random.random(),  # noqa: S311  (spreads requests; nothing secret depends on it)
                now=time.time(),
            )
            if wait is None:
                return outcome
            time.sleep(wait)
            attempt, waited = attempt + 1, waited + wait

    def _attempt(self, request: Request) -> Outcome:
        """The outcome of one attempt, at the deadline at the latest.

        The attempt runs in a thread of its own, since a name lookup cannot be interrupted and a server that drips
        outlives every timeout of a socket. At the deadline its connection is shut down, and it is left behind.
        """
        timeout = self._settings.timeout
        line = _Line(request.url, timeout, self._settings.allow_insecure_http)
        done: Future[Outcome] = Future()
        threading.Thread(target=_exchange, args=(request, line, self._context, done), daemon=True).start()
        try:
            return done.result(timeout)
        except FutureTimeoutError:
            # Before the cut: the thread takes its end for the end of what it reads, and gets to the next stage.
            outcome = line.timed_out()
            line.cut()
            return outcome


# One attempt


class _Line:
    """The connection of one attempt: how far it has come, with whom, and how to cut it off from another thread."""

    def __init__(self, url: str, timeout: float, allow_insecure_http: bool) -> None:
        scheme, host, port = _status.origin(url)
        #: What a timeout would mean now.
        self.stage = "connect_timeout"
        self.endpoint = self.peer = _netloc(host, port)
        self.peer_host = host
        self._clear_text_to_loopback_only = scheme == "http" and not allow_insecure_http
        self._timeout = timeout
        self._deadline = time.monotonic() + timeout
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_cut = False

    def remaining(self) -> float:
        """Seconds until the deadline, never 0, which would mean a socket that does not block."""
        return max(0.001, self._deadline - time.monotonic())

    def connect(self, address: tuple[str, int], *_args: object) -> socket.socket:
        """A connection to the first of the host's addresses that takes one, like C(socket.create_connection).

        Each address gets its share of the time: a dead IPv6 route must not eat what a living IPv4 one needs.
        """
        host, port = address
        self.peer_host = host
        if _netloc(host, port) != self.endpoint:
            self.peer = f"the proxy {_netloc(host, port)}"
        if self._clear_text_to_loopback_only and not _status.is_loopback(host):
            raise _ClearTextError
        candidates = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
        problem = OSError(errno.EADDRNOTAVAIL, "the name has no address")
        for index, (family, kind, protocol, _name, where) in enumerate(candidates):
            try:
                return self._connect_to(family, kind, protocol, where, self.remaining() / (len(candidates) - index))
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
        """Remember what to shut down. Raises socket.timeout once the time is over: a late connection sends nothing."""
        with self._lock:
            self._socket = connection
            if self._is_cut:
                raise socket.timeout

    def cut(self) -> None:
        """Shut the connection down, so that whoever reads from it is released."""
        with self._lock:
            self._is_cut = True
            connection = self._socket
        if connection is not None:
            _shut_down(connection)

    def timed_out(self) -> NoAnswer:
        """The outcome of an attempt whose time is over."""
        return NoAnswer(self.stage, self.peer, f"{self._timeout:g}")


class _ClearTextError(Exception):
    """The key would leave this machine unencrypted."""


def _netloc(host: str, port: int | None) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _shut_down(connection: socket.socket) -> None:
    # It may not be connected yet, or not any more.
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Connection(http.client.HTTPConnection):
    def __init__(self, line: _Line, host: str, **kwargs: Any) -> None:
        super().__init__(host, **kwargs)
        self._line = line
        self._create_connection = line.connect

    def connect(self) -> None:
        super().connect()
        self._line.stage = "answer_timeout"


class _SecureConnection(http.client.HTTPSConnection):
    def __init__(self, line: _Line, host: str, **kwargs: Any) -> None:
        super().__init__(host, **kwargs)
        self._line = line
        self._create_connection = line.connect

    def connect(self) -> None:
        super().connect()
        # The TLS layer has taken the place of the socket that was connected.
        self._line.hold(self.sock)
        self._line.stage = "answer_timeout"


class _HttpHandler(urllib.request.HTTPHandler):
    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._line = line

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_Connection, self._line), req)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def __init__(self, line: _Line, context: ssl.SSLContext) -> None:
        super().__init__(context=context)
        self._line = line
        self._own_context = context

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(functools.partial(_SecureConnection, self._line), req, context=self._own_context)


def _exchange(request: Request, line: _Line, context: ssl.SSLContext | None, done: Future[Outcome]) -> None:
    try:
        outcome = _follow(request, line, context)
    except Exception as error:
        # What parsers make of hostile bytes has no list of exceptions: whatever it is, the endpoint gave no answer.
        outcome = _no_answer(error, line)
    done.set_result(outcome)


def _follow(request: Request, line: _Line, context: ssl.SSLContext | None) -> Outcome:
    """The outcome of a request, redirects within the same origin followed."""
    started = time.monotonic()
    # Without the handlers for redirects and errors, every answer comes back as it is, for the core to judge.
    opener = urllib.request.OpenerDirector()
    opener.add_handler(urllib.request.ProxyHandler())
    opener.add_handler(_HttpHandler(line))
    if context:
        opener.add_handler(_HttpsHandler(line, context))
    url = request.url
    for _hop in range(_MAX_REDIRECTS):
        question = urllib.request.Request(  # noqa: S310  (only http and https get as far as here)
            url, data=request.body, headers=dict(request.headers), method=request.method
        )
        line.stage = "connect_timeout"
        with opener.open(question, timeout=line.remaining()) as response:
            line.stage = "body_timeout"
            status = response.status
            target = _status.redirect_target(url, request.method, status, response.headers.get("Location"))
            if target is None:
                return _read_answer(response, started)
        if isinstance(target, NoAnswer):
            return target
        url = target
    return NoAnswer("redirect_loop", detail=url, http_status=status)


def _read_answer(response: http.client.HTTPResponse, started: float) -> Answer:
    """The answer with its body decompressed; of a body beyond the bound, no more than the bound is ever held."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    encoding = headers.get("content-encoding", "identity").strip().lower()
    unpack = zlib.decompressobj(wbits=31) if encoding in ("gzip", "x-gzip") else None
    body = bytearray()
    defect = None if unpack or encoding == "identity" else _status.UNKNOWN_ENCODING
    try:
        while not defect:
            chunk = response.read(_CHUNK)
            if not chunk:
                short = bool(response.length) if unpack is None else not unpack.eof
                defect = _status.CUT_SHORT if short else None
                break
            body += chunk if unpack is None else unpack.decompress(chunk, _MAX_BODY + 1 - len(body))
            defect = _status.TOO_LONG if len(body) > _MAX_BODY else None
    except (http.client.IncompleteRead, ConnectionError, ssl.SSLError):
        defect = _status.CUT_SHORT
    except zlib.error:
        defect = _status.UNKNOWN_ENCODING
    latency_ms = round((time.monotonic() - started) * 1000)
    return Answer(response.status, response.reason, headers, bytes(body), defect, latency_ms)


def _no_answer(error: BaseException, line: _Line) -> NoAnswer:
    """What an exception says about the endpoint."""
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException):
        error = error.reason
    if isinstance(error, socket.timeout):
        return line.timed_out()
    if isinstance(error, ssl.SSLError):
        return _tls_problem(error, line)
    if isinstance(error, OSError):
        return _network_problem(error, line)
    if isinstance(error, _ClearTextError):
        return NoAnswer("proxy_cleartext", line.peer)
    if isinstance(error, UnicodeError) and line.stage == "connect_timeout":
        return NoAnswer("dns", line.peer_host)  # A label that no domain name can have.
    if isinstance(error, (http.client.BadStatusLine, http.client.UnknownProtocol)):
        return NoAnswer("not_http", line.peer)
    return NoAnswer("garbled", line.peer, type(error).__name__)


def _tls_problem(error: ssl.SSLError, line: _Line) -> NoAnswer:
    if isinstance(error, ssl.SSLCertVerificationError):
        kind = _CERTIFICATE_PROBLEMS.get(error.verify_code, "tls_certificate")
        return NoAnswer(kind, line.endpoint, error.verify_message)
    kind = "tls_plain" if error.reason in _REASONS_OF_NO_TLS else "tls"
    return NoAnswer(kind, line.endpoint, str(error.reason or "the connection ended").replace("_", " ").lower())


def _network_problem(error: OSError, line: _Line) -> NoAnswer:
    # http.client has no exception of its own for what a proxy says to CONNECT.
    tunnel = re.match(r"Tunnel connection failed: (([0-9])[0-9]{2}.*)", str(error))
    if tunnel:
        return NoAnswer("proxy_failed" if tunnel.group(2) == "5" else "proxy_refused", line.peer, tunnel.group(1))
    if isinstance(error, socket.gaierror):
        return NoAnswer("dns_again" if error.errno == socket.EAI_AGAIN else "dns", line.peer_host)
    if isinstance(error, ConnectionRefusedError):
        return NoAnswer("refused", line.peer)
    if isinstance(error, ConnectionError):
        return NoAnswer("dropped", line.peer)
    return NoAnswer("unreachable", line.peer, error.strerror or type(error).__name__)
