# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server: its keys, faults and records, and the HTTP around them."""

from __future__ import annotations

import contextlib
import email.message
import http.server
import json
import re
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from . import rules
from .answers import NOT_HERE, Answer, anthropic_chat, error_answer, json_answer, openai_chat
from .faults import WITHOUT_STATUS, Fault, broken, instead
from .keys import Key, fingerprint
from .model import has_tool_result, offered_tools, think
from .vendors import ADMITTED_AGENTS, ERRORS, PRODUCTS, Model, find_models, known

CONTROL = "/_mock_server/"
MAX_REQUEST_BODY = 64 * 1024 * 1024

Form = Literal["openai", "anthropic"]
_ROUTES: dict[tuple[str, str], tuple[str, Form]] = {
    ("GET", "/v1/models"): ("listing", "openai"),
    ("POST", "/v1/chat/completions"): ("chat", "openai"),
    ("POST", "/v1/messages"): ("chat", "anthropic"),
}


def _object(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object in a body, or None."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class Request:
    """A parsed request. `product` is None for a path of no product, `route` for one that the product lacks."""

    def __init__(self, method: str, path: str, headers: email.message.Message, body: bytes) -> None:
        self.method, self.path, self.headers = method, path, headers
        self.product = next((name for name, p in PRODUCTS.items() if f"{path}/".startswith(f"{p.prefix}/")), None)
        self.route, self.form = self._route()
        scheme, _blank, token = headers.get("Authorization", "").partition(" ")
        self.key = token.strip() if scheme.lower() == "bearer" else headers.get("X-Api-Key", "")
        self.agent = headers.get("User-Agent")
        self.asked = _object(body)
        self.model = self._field("model", str)
        self.stream = self._field("stream", bool)

    def _route(self) -> tuple[str | None, Form]:
        product = PRODUCTS.get(self.product or "")
        if product is None:
            return None, "openai"
        known_route = _ROUTES.get((self.method, self.path[len(product.prefix) :]))
        if known_route is None or (known_route[1] == "anthropic" and not product.anthropic):
            return None, "openai"
        return known_route

    def _field(self, name: str, kind: type) -> Any:
        value = (self.asked or {}).get(name)
        return value if isinstance(value, kind) else None


def _chat_answer(request: Request, label: str, models: Sequence[Model]) -> Answer:
    """Return what a model answers, or why the request is rejected."""
    anthropic = request.form == "anthropic"
    asked = request.asked
    if asked is None:
        return error_answer("bad_request", anthropic=anthropic, detail="the body is not a JSON object")
    if request.model is None or not isinstance(asked.get("messages"), list):
        return error_answer("bad_request", anthropic=anthropic, detail="model and messages are required")
    model = next((model for model in models if model.id == request.model), None)
    if model is None:
        return error_answer("model_not_found", anthropic=anthropic, model=request.model)
    problem = rules.anthropic_problem(asked) if anthropic else rules.openai_problem(model, asked)
    if problem is not None:
        return error_answer("bad_request", anthropic=anthropic, detail=problem)
    if anthropic:
        turn = think(model.id, label, asked, thinks=rules.thinks_in_anthropic_form(asked))
        return anthropic_chat(turn, stream=request.stream is True)
    turn = think(model.id, label, asked, thinks=rules.thinks_in_openai_form(model, asked))
    options = asked.get("stream_options")
    include_usage = isinstance(options, dict) and bool(options.get("include_usage"))
    return openai_chat(turn, stream=request.stream is True, include_usage=include_usage)


class MockServer:
    """The endpoints. They listen from the constructor on and answer inside `with`."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._keys: dict[str, dict[str, Key]] = {name: {} for name in PRODUCTS}
        self._unlisted: dict[str, set[str]] = {name: set() for name in PRODUCTS}
        self._faults: dict[tuple[str, str | None], Fault] = {}
        self._requests: list[dict[str, Any]] = []
        self._host = host
        self._server = _Server(self, host, port, tls)
        self.port: int = self._server.server_address[1]
        self._serving = threading.Thread(target=self._server.serve_until, args=(self.stopping,), daemon=True)
        self.url = f"http{'s' if tls else ''}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def __enter__(self) -> MockServer:
        self._serving.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stopping.set()
        # The server sees it with the next connection, which ends without a request.
        with contextlib.suppress(OSError):
            socket.create_connection((self._host, self.port), timeout=1).close()
        self._serving.join()
        self._server.end_connections()
        self._server.server_close()

    def base_url(self, product: str, form: Form = "openai") -> str:
        """Return the base URL of a product in a form."""
        prefix = PRODUCTS[known("product", product, PRODUCTS)].prefix
        return f"{self.url}{prefix}/" if form == "anthropic" else f"{self.url}{prefix}/v1"

    def add_key(
        self,
        product: str,
        key: str,
        rpm: int | None = None,
        window: float = 60.0,
        rejected: str | None = None,
        models: Sequence[str] | None = None,
    ) -> None:
        """Add a key of the product, or replace it. The rest is that of Key."""
        known("product", product, PRODUCTS)
        if rejected is not None:
            known("error", rejected, ERRORS)
        if not isinstance(key, str) or not all(isinstance(n, (int, float)) for n in (rpm or 0, window)):
            raise ValueError("key is a string, rpm and window are numbers")
        if isinstance(models, str) or not all(isinstance(name, str) for name in models or ()):
            raise ValueError("models is a list of strings")
        listed = None if models is None else tuple(models)
        with self._lock:
            self._keys[product][key] = Key(rpm, window, rejected, listed)

    def revoke_key(self, product: str, key: str) -> None:
        """Remove a key of the product, if it has it."""
        with self._lock:
            self._keys[known("product", product, PRODUCTS)].pop(key, None)

    def accept_model(self, product: str, model: str) -> None:
        """Answer chats with this model, which is not listed."""
        with self._lock:
            self._unlisted[known("product", product, PRODUCTS)].add(model)

    def set_fault(self, product: str, kind: str, **how: Any) -> None:
        """Set a fault, with the fields of Fault. It replaces the one of this route of the product."""
        fault = Fault(kind, **how)
        with self._lock:
            self._faults[known("product", product, PRODUCTS), fault.route] = fault

    def clear_faults(self, product: str | None = None) -> None:
        """Remove the faults of a product, or all."""
        if product is not None:
            known("product", product, PRODUCTS)
        with self._lock:
            self._faults = {at: fault for at, fault in self._faults.items() if product not in (None, at[0])}

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests, oldest first; `_record` has the keys. A request is recorded before it is answered."""
        with self._lock:
            return [dict(record) for record in self._requests]

    def clear_requests(self) -> None:
        """Remove all recorded requests."""
        with self._lock:
            self._requests.clear()

    def control(self, method: str, path: str, body: bytes) -> Answer:
        """Call a method over HTTP: 200 with the requests or {}, or 400 and 404 with {"error": text}."""
        what, _slash, product = path[len(CONTROL) :].partition("/")
        given = _object(body or b"{}")
        if (method, what, product) == ("GET", "requests", ""):
            return json_answer(200, self.requests())
        methods: dict[tuple[str, str, bool], Callable[..., None]] = {
            ("DELETE", "requests", False): self.clear_requests,
            ("PUT", "keys", True): self.add_key,
            ("DELETE", "keys", True): self.revoke_key,
            ("PUT", "models", True): self.accept_model,
            ("PUT", "faults", True): self.set_fault,
            ("DELETE", "faults", True): self.clear_faults,
            ("DELETE", "faults", False): self.clear_faults,
        }
        does = methods.get((method, what, bool(product)))
        if does is None:
            return json_answer(404, {"error": "no such control"})
        if given is None:
            return json_answer(400, {"error": "the body is not a JSON object"})
        try:
            does(*filter(None, [product]), **given)
        except (AttributeError, TypeError, ValueError) as error:
            return json_answer(400, {"error": str(error)})
        return json_answer(200, {})

    def answer(self, request: Request) -> tuple[Answer, Fault | None]:
        """Return an answer and the fault that spoils how it is sent, and record the request."""
        with self._lock:
            fault = self._next_fault(request)
            replacement = fault and instead(fault, request.key, anthropic=request.form == "anthropic")
            answer = replacement or self._right_answer(request)
            self._record(request, None if fault is not None and fault.kind in WITHOUT_STATUS else answer.status)
        return answer, fault if replacement is None else None

    def _next_fault(self, request: Request) -> Fault | None:
        if request.product is None:
            return None
        at = (request.product, request.route)
        at = at if at in self._faults else (request.product, None)
        fault = self._faults.get(at)
        if fault is not None and fault.times is not None:
            fault.times -= 1
            if not fault.times:
                del self._faults[at]
        return fault

    def _right_answer(self, request: Request) -> Answer:
        if request.product is None or request.route is None:
            return NOT_HERE
        product = PRODUCTS[request.product]
        anthropic = request.form == "anthropic"
        key = self._keys[request.product].get(request.key)
        if key is None:
            return error_answer(product.key_error if request.key else "invalid_authentication", anthropic=anthropic)
        if key.rejected is not None:
            return error_answer(key.rejected, anthropic=anthropic, model=request.model or "")
        seconds = key.wait(time.monotonic())
        if seconds:
            return error_answer("rate_limit", anthropic=anthropic, rpm=key.rpm or 0, seconds=seconds)
        models = find_models(request.product, key.models)
        if request.route == "listing":
            return json_answer(200, {"object": "list", "data": [model.listed() for model in models]})
        if product.agents_only and not ADMITTED_AGENTS[request.form].match(request.agent or ""):
            return error_answer("client_not_admitted", anthropic=anthropic)
        unlisted = find_models(request.product, self._unlisted[request.product])
        return _chat_answer(request, product.label, (*models, *unlisted))

    def _record(self, request: Request, status: int | None) -> None:
        # A client can put a key anywhere. A string shorter than any key may be part of other words.
        known = {request.key, *(key for keys in self._keys.values() for key in keys)}
        longest_first = sorted((key for key in known if len(key) >= 8), key=len, reverse=True)

        def shown(text: str | None) -> str | None:
            for key in longest_first if text else ():
                text = text and text.replace(key, fingerprint(key))
            return text

        self._requests.append(
            {
                "product": request.product,
                "method": request.method,
                "path": shown(request.path),
                "key_fingerprint": fingerprint(request.key) if request.key else None,
                "user_agent": shown(request.agent),
                "headers": [shown(name) for name in request.headers],
                "model": shown(request.model),
                "stream": request.stream,
                "tools": len(offered_tools(request.asked)),
                "tool_result": has_tool_result(request.asked),
                "status": status,
                "time": time.time(),
            }
        )


class _Server(http.server.ThreadingHTTPServer):
    """A thread for each connection; all connections can be ended."""

    request_queue_size = 128

    def __init__(self, mock_server: MockServer, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.mock_server = mock_server
        self._tls = tls
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # That of the HTTP server makes a needless DNS lookup.
        socketserver.TCPServer.server_bind(self)

    def serve_until(self, stopping: threading.Event) -> None:
        """Serve connections; the first one after stopping ends it."""
        while not stopping.is_set():
            self.handle_request()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        if self._tls is not None:
            # The connection's thread does the handshake: a client that stalls must not delay the others.
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._changed:
            self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        # Without the orderly shutdown of the base class, which would prevent a reset.
        request.close()
        with self._changed:
            self._open.discard(request)
            self._changed.notify_all()

    def end_connections(self) -> None:
        with self._changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    # That of the plain socket: that of TLS ends the session, which a thread uses.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, timeout=5)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class's signature
        # A client that leaves is not an error. Our own errors are printed without values, which could be a key.
        error = sys.exc_info()[0]
        if error is not None and not issubclass(error, OSError):
            print(f"the mock server failed on a request: {error.__name__}", file=sys.stderr)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_args: Any) -> None:
        """Log nothing: a request line can contain a key."""

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        mock_server = self.server.mock_server
        path = self._path()
        if path.startswith(CONTROL):
            parts = mock_server.control(self.command, path, body).wire()
        else:
            answer, fault = mock_server.answer(Request(self.command, path, self.headers, body))
            parts = answer.wire() if fault is None else self._spoil(answer, fault)
        for part in parts:
            self.wfile.write(part)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - names that the base class looks up

    def _path(self) -> str:
        """Return the path without the query, and without the host of a request to a proxy."""
        try:
            return urllib.parse.urlsplit(self.path).path
        except ValueError:
            return ""

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not re.fullmatch("[0-9]{1,9}", length):
            self.send_error(411)
        elif int(length) > MAX_REQUEST_BODY:
            self.send_error(413)
        else:
            return self.rfile.read(int(length))
        self.close_connection = True
        return None

    def _spoil(self, answer: Answer, fault: Fault) -> Iterator[bytes]:
        if fault.kind == "delay":
            self.server.mock_server.stopping.wait(fault.seconds)
            return answer.wire()
        self.close_connection = True
        if fault.kind == "reset":
            # With a linger time of zero, closing resets.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif fault.kind == "silent":
            # Until the client goes away or the server stops.
            self.rfile.read(1)
        return broken(answer, fault, self.server.mock_server.stopping)
