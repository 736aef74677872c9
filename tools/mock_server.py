# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mock server for the Moonshot and Kimi Code endpoints, for the demo and the tests.

Three products share one port: moonshot-cn at /moonshot-cn/v1, moonshot-ai at /moonshot-ai/v1, kimicode at
/kimi/coding/v1. Each has its own keys, the models that the vendor lists, and the vendor's error bodies. Faults can be
set. Requests are recorded, with fingerprints of keys; keys are in memory only.

In a test: `with MockServer() as mock_server: mock_server.add_key("kimicode", key)`. As a command, see --help: it prints
one JSON line when it listens, and ends on SIGTERM or SIGINT. The methods are available over HTTP, with a JSON object of
the method's arguments as body. Every client of the port can call them, so do not offer it to a network.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import email.message
import hashlib
import http.client
import http.server
import json
import math
import re
import signal
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
import urllib.parse
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

CONTROL = "/_mock_server/"
MAX_REQUEST_BODY = 64 * 1024 * 1024

# The clients that may chat with Kimi Code. The vendor's list is not public; its error names these agents.
ADMITTED_AGENTS = re.compile(r"(KimiCLI|claude-code|claude-cli|RooCode|Kilo-Code)/", re.IGNORECASE)

_ACCOUNT = "org-5d41402abc4b2a76<ak-b9719d911017c592>"
# Our name, for add_key(rejected=...) and the fault "error" -> status, type, message.
ERRORS = {
    "bad_request": (400, "invalid_request_error", "Invalid request: {detail}"),
    "invalid_authentication": (401, "invalid_authentication_error", "Invalid Authentication"),
    "incorrect_api_key": (401, "incorrect_api_key_error", "Incorrect API key provided"),
    "expired_api_key": (
        401,
        "invalid_authentication_error",
        "The API Key appears to be invalid or may have expired. Please verify your credentials and try again.",
    ),
    "wrong_model_id": (
        401,
        "invalid_authentication_error",
        "Your model id does not exist, recognized as other: {model}",
    ),
    "membership": (
        402,
        "invalid_request_error",
        "We're unable to verify your membership benefits at this time. Please ensure your membership is active.",
    ),
    "client_not_admitted": (
        403,
        "access_terminated_error",
        "Kimi For Coding is currently only available for Coding Agents such as Kimi CLI, Claude Code, Roo Code, "
        "Kilo Code, etc.",
    ),
    "usage_limit": (
        403,
        "access_terminated_error",
        "You've reached your usage limit for this billing cycle. Your quota will be refreshed in the next cycle.",
    ),
    "model_not_found": (404, "resource_not_found_error", "Not found the model {model} or Permission denied"),
    "rate_limit": (
        429,
        "rate_limit_reached_error",
        f"Your account {_ACCOUNT} request reached organization max RPM: {{rpm}}, please try again after "
        "{seconds} seconds",
    ),
    "exceeded_quota": (
        429,
        "exceeded_current_quota_error",
        f"Your account {_ACCOUNT} is suspended due to insufficient balance, please recharge your account or check "
        "your plan and billing details",
    ),
}
# The first six replace the right answer, the others spoil how it is sent.
FAULTS = {
    "status": "the given status (500), body, content_type and headers; {key} in the body echoes the key",
    "error": "the error (of ERRORS) that error names",
    "html": "a captive portal: 200 and a page",
    "empty": "200 and nothing",
    "other_json": "200 and JSON of another shape",
    "redirect": "status (302), to location",
    "delay": "the right answer, seconds late",
    "drip": "the right answer, a byte every seconds",
    "truncated": "the right answer, cut in the middle of its body",
    "huge": "the right answer after white space, size bytes together",
    "gzip_bomb": "the same, compressed",
    "endless_headers": "the right status line, then a header every seconds, for ever",
    "garbage": "bytes that are not HTTP",
    "reset": "the connection reset",
    "silent": "nothing, for ever",
}
_WITHOUT_STATUS = ("garbage", "reset", "silent")


def _model(model_id: str, context_length: int, vision: bool, **more: Any) -> dict[str, Any]:
    supports = {f"supports_{what}": vision for what in ("image_in", "video_in", "reasoning")}
    base = {"id": model_id, "object": "model", "created": 1769385600, "owned_by": "moonshot"}
    return {**base, "context_length": context_length, **supports, **more}


@dataclasses.dataclass(frozen=True)
class Product:
    """A product: its path, name and models, its error for a wrong key, whether only known agents may chat."""

    prefix: str
    label: str
    models: tuple[dict[str, Any], ...]
    key_error: str
    agents_only: bool = False


_MOONSHOT_MODELS = (
    _model("kimi-k2.5", 262144, True),
    _model("kimi-k2.6", 262144, True),
    _model("kimi-k3", 1048576, True),
    _model("moonshot-v1-8k", 8192, False),
    _model("moonshot-v1-32k", 32768, False),
    _model("moonshot-v1-128k", 131072, False),
)
_EFFORTS = {"support": True, "valid_efforts": ["low", "high"], "default_effort": "high"}
_THINKING = {"supports_thinking_type": "both", "think_efforts": _EFFORTS}
_KIMICODE_MODELS = (_model("kimi-for-coding", 262144, True, display_name="Kimi For Coding", **_THINKING),)
PRODUCTS = {
    "moonshot-cn": Product("/moonshot-cn", "Moonshot", _MOONSHOT_MODELS, "incorrect_api_key"),
    "moonshot-ai": Product("/moonshot-ai", "Moonshot international", _MOONSHOT_MODELS, "incorrect_api_key"),
    "kimicode": Product("/kimi/coding", "Kimi Code", _KIMICODE_MODELS, "expired_api_key", agents_only=True),
}
_ROUTES = {("GET", "/v1/models"): "listing", ("POST", "/v1/chat/completions"): "chat"}


def _known(what: str, name: str, names: Iterable[str]) -> str:
    if name not in names:
        raise ValueError(f"unknown {what} {name!r}; known are {', '.join(names)}")
    return name


def fingerprint(key: str) -> str:
    """Return the fingerprint of a key, as the collection does."""
    return f"sha256:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


@dataclasses.dataclass
class Key:
    """A valid key. `rejected`: the error that it always gets. `rpm` requests pass in `window` seconds."""

    rpm: int | None = None
    window: float = 60.0
    rejected: str | None = None
    passed: collections.deque[float] = dataclasses.field(default_factory=collections.deque)

    def wait(self, now: float) -> int:
        """Return the whole seconds until a request may pass. 0 lets this one pass and counts it."""
        while self.passed and now - self.passed[0] >= self.window:
            self.passed.popleft()
        if self.rpm is not None and len(self.passed) >= self.rpm:
            return max(1, math.ceil(self.passed[0] + self.window - now))
        self.passed.append(now)
        return 0


@dataclasses.dataclass
class Fault:
    """One of FAULTS, on one route (listing, chat) or on all paths, for the next `times` requests or until cleared."""

    kind: str
    route: str | None = None
    times: int | None = None
    status: int | None = None
    body: str | bytes = ""
    content_type: str = "application/json"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    error: str = "bad_request"
    location: str = ""
    seconds: float = 1.0
    size: int = 1 << 30

    def __post_init__(self) -> None:
        _known("fault", self.kind, FAULTS)
        _known("error", self.error, ERRORS)
        if self.route is not None:
            _known("route", self.route, _ROUTES.values())
        wholes = [self.size, *(number for number in (self.times, self.status) if number is not None)]
        texts = [self.content_type, self.location, *self.headers, *self.headers.values()]
        if not all(isinstance(number, int) and number > 0 for number in wholes):
            raise ValueError("times, status and size are whole numbers above 0")
        if not isinstance(self.seconds, (int, float)) or self.seconds < 0:
            raise ValueError("seconds is a number, 0 or above")
        if not all(isinstance(text, str) for text in texts) or not isinstance(self.body, (str, bytes)):
            raise ValueError("body, content_type, location and headers are strings")


@dataclasses.dataclass(frozen=True)
class Answer:
    """An answer before it is sent; a streamed one is sent part by part."""

    status: int
    parts: tuple[bytes, ...]
    content_type: str = "application/json"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    streamed: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.parts)

    def head(self, **framing: str) -> bytes:
        """Return the status line and the headers, without the empty line after them."""
        headers = {"Content-Type": self.content_type, **{n.replace("_", "-"): v for n, v in framing.items()}}
        lines = [f"HTTP/1.1 {self.status} {http.client.responses.get(self.status, '')}"]
        lines += [f"{name}: {value}" for name, value in {**headers, **self.headers}.items()]
        return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogatepass")

    def wire(self) -> Iterator[bytes]:
        """Yield what is sent without a fault."""
        if not self.streamed:
            yield self.head(Content_Length=str(len(self.body))) + b"\r\n" + self.body
            return
        yield self.head(Transfer_Encoding="chunked") + b"\r\n"
        for part in (*self.parts, b""):
            yield b"%x\r\n%s\r\n" % (len(part), part)


def _json(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, (json.dumps(value).encode(),), headers=headers or {})


def _error(name: str, *, model: str = "", detail: str = "", rpm: int = 3, seconds: int = 1) -> Answer:
    status, kind, text = ERRORS[name]
    message = text.format(model=model, detail=detail, rpm=rpm, seconds=seconds)
    headers = {"Retry-After": str(seconds)} if name == "rate_limit" else {}
    return _json(status, {"error": {"message": message, "type": kind}}, headers)


_NOT_HERE = Answer(404, (b"404 page not found",), "text/plain")
_PORTAL = Answer(200, (b"<!DOCTYPE html><title>Sign in</title><p>Welcome to the guest network",), "text/html")


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
        self.route = _ROUTES.get((method, path[len(PRODUCTS[self.product].prefix) :])) if self.product else None
        scheme, _blank, token = headers.get("Authorization", "").partition(" ")
        self.key = token.strip() if scheme.lower() == "bearer" else ""
        self.agent = headers.get("User-Agent")
        self.asked = _object(body)
        self.model = self._field("model", str)
        self.stream = self._field("stream", bool)

    def _field(self, name: str, kind: type) -> Any:
        value = (self.asked or {}).get(name)
        return value if isinstance(value, kind) else None


def _chat(label: str, request: Request) -> Answer:
    """Return a completion of the OpenAI API. A token is a word here."""
    asked = request.asked or {}
    words = f"Hello from {request.model} at {label}.".split(" ")
    limit = asked.get("max_completion_tokens") or asked.get("max_tokens")
    answered = words[:limit] if isinstance(limit, int) and limit > 0 else words
    finish = "stop" if answered == words else "length"
    usage = {"prompt_tokens": 8, "completion_tokens": len(answered), "total_tokens": 8 + len(answered)}
    frame = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": request.model}
    if not request.stream:
        message = {"role": "assistant", "content": " ".join(answered)}
        choices = [{"index": 0, "message": message, "finish_reason": finish}]
        return _json(200, {**frame, "object": "chat.completion", "choices": choices, "usage": usage})

    deltas: list[tuple[dict[str, str], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": word if n == 0 else f" {word}"}, None) for n, word in enumerate(answered)]
    deltas.append(({}, finish))
    frame["object"] = "chat.completion.chunk"
    chunks = [{**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in deltas]
    options = asked.get("stream_options")
    if isinstance(options, dict) and options.get("include_usage"):
        chunks.append({**frame, "choices": [], "usage": usage})
    events = [*map(json.dumps, chunks), "[DONE]"]
    return Answer(200, tuple(f"data: {event}\n\n".encode() for event in events), "text/event-stream", streamed=True)


def _instead(fault: Fault, key: str) -> Answer | None:
    """Return the answer that replaces the right one, or None for a fault of another sort."""
    if fault.kind == "status":
        body = fault.body.encode("utf-8", "surrogatepass") if isinstance(fault.body, str) else fault.body
        body = body.replace(b"{key}", key.encode("utf-8", "surrogatepass"))
        return Answer(fault.status or 500, (body,), fault.content_type, fault.headers)
    return {
        "error": _error(fault.error),
        "html": _PORTAL,
        "empty": Answer(200, ()),
        "other_json": _json(200, {"models": ["kimi-k2.5"], "total": 1}),
        "redirect": Answer(fault.status or 302, (), "text/html", {"Location": fault.location}),
    }.get(fault.kind)


def _padded(answer: Answer, size: int, packed: bool) -> Iterator[bytes]:
    """Yield the answer after white space, which JSON allows: a client that reads it all finds it right."""
    encoding = {"Content_Encoding": "gzip"} if packed else {}
    yield answer.head(Connection="close", **encoding) + b"\r\n"
    gzip = zlib.compressobj(wbits=31)
    padding = max(0, size - len(answer.body))
    while padding:
        block = b" " * min(padding, 1 << 20)
        padding -= len(block)
        yield gzip.compress(block) if packed else block
    yield gzip.compress(answer.body) + gzip.flush() if packed else answer.body


def _broken(answer: Answer, fault: Fault, stopping: threading.Event) -> Iterator[bytes]:
    """Yield what is sent with a fault that spoils how it is sent. Endless faults end when the server stops."""
    right = b"".join(answer.wire())
    if fault.kind == "garbage":
        yield b"\x00\xff\x13 this is no HTTP \x80\r\n\r\n"
    elif fault.kind == "truncated":
        yield right[: len(right) - (len(answer.body) + 1) // 2]
    elif fault.kind in ("huge", "gzip_bomb"):
        yield from _padded(answer, fault.size, fault.kind == "gzip_bomb")
    elif fault.kind == "endless_headers":
        yield answer.head()
        while not stopping.wait(fault.seconds):
            yield b"X-More: and more\r\n"
    elif fault.kind == "drip":
        for at in range(len(right)):
            yield right[at : at + 1]
            if stopping.wait(fault.seconds):
                return


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

    def base_url(self, product: str) -> str:
        """Return the OpenAI-style base URL of a product."""
        return f"{self.url}{PRODUCTS[_known('product', product, PRODUCTS)].prefix}/v1"

    def add_key(
        self, product: str, key: str, rpm: int | None = None, window: float = 60.0, rejected: str | None = None
    ) -> None:
        """Add a key of the product. `rpm`, `window` and `rejected` are those of Key."""
        _known("product", product, PRODUCTS)
        if rejected is not None:
            _known("error", rejected, ERRORS)
        if not isinstance(key, str) or not all(isinstance(n, (int, float)) for n in (rpm or 0, window)):
            raise ValueError("key is a string, rpm and window are numbers")
        with self._lock:
            self._keys[product][key] = Key(rpm, window, rejected)

    def revoke_key(self, product: str, key: str) -> None:
        """Remove a key of the product, if it has it."""
        with self._lock:
            self._keys[_known("product", product, PRODUCTS)].pop(key, None)

    def accept_model(self, product: str, model: str) -> None:
        """Answer chats with this model, which is not listed."""
        with self._lock:
            self._unlisted[_known("product", product, PRODUCTS)].add(model)

    def set_fault(self, product: str, kind: str, **how: Any) -> None:
        """Set a fault, with the fields of Fault. It replaces the one of this route of the product."""
        fault = Fault(kind, **how)
        with self._lock:
            self._faults[_known("product", product, PRODUCTS), fault.route] = fault

    def clear_faults(self, product: str | None = None) -> None:
        """Remove the faults of a product, or all."""
        if product is not None:
            _known("product", product, PRODUCTS)
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
            return _json(200, self.requests())
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
            return _json(404, {"error": "no such control"})
        if given is None:
            return _json(400, {"error": "the body is not a JSON object"})
        try:
            does(*filter(None, [product]), **given)
        except (AttributeError, TypeError, ValueError) as error:
            return _json(400, {"error": str(error)})
        return _json(200, {})

    def answer(self, request: Request) -> tuple[Answer, Fault | None]:
        """Return an answer and the fault that spoils how it is sent, and record the request."""
        with self._lock:
            fault = self._next_fault(request)
            instead = _instead(fault, request.key) if fault is not None else None
            answer = instead or self._right_answer(request)
            self._record(request, None if fault is not None and fault.kind in _WITHOUT_STATUS else answer.status)
        return answer, fault if instead is None else None

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
            return _NOT_HERE
        product = PRODUCTS[request.product]
        known = self._keys[request.product].get(request.key)
        if known is None:
            return _error(product.key_error if request.key else "invalid_authentication")
        if known.rejected is not None:
            return _error(known.rejected, model=request.model or "")
        seconds = known.wait(time.monotonic())
        if seconds:
            return _error("rate_limit", rpm=known.rpm or 0, seconds=seconds)
        if request.route == "listing":
            return _json(200, {"object": "list", "data": product.models})
        if product.agents_only and not ADMITTED_AGENTS.match(request.agent or ""):
            return _error("client_not_admitted")
        return self._chat_answer(request, request.product)

    def _chat_answer(self, request: Request, product: str) -> Answer:
        if request.asked is None:
            return _error("bad_request", detail="the body is not a JSON object")
        if request.model is None or not isinstance(request.asked.get("messages"), list):
            return _error("bad_request", detail="model and messages are required")
        listed = {entry["id"] for entry in PRODUCTS[product].models}
        if request.model not in listed | self._unlisted[product]:
            return _error("model_not_found", model=request.model)
        return _chat(PRODUCTS[product].label, request)

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
        return _broken(answer, fault, self.server.mock_server.stopping)


def _add_keys(mock_server: MockServer, text: str) -> None:
    try:
        for product, keys in json.loads(text).items():
            for key in keys:
                mock_server.add_key(product, key)
    except (AttributeError, TypeError, ValueError):
        # The value is not shown: it could be a key in the wrong place.
        raise SystemExit('the keys file is not of the form {"moonshot-cn": ["sk-..."], "kimicode": [...]}') from None


def main() -> None:
    parser = argparse.ArgumentParser(description="A mock server for the Moonshot and Kimi Code endpoints.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="the port; 0, the default, takes a free one")
    parser.add_argument("--keys-file", type=Path, help='JSON: {"moonshot-cn": ["sk-..."], "kimicode": [...]}')
    parser.add_argument("--certfile", type=Path, help="serve TLS, with this certificate chain (PEM)")
    parser.add_argument("--keyfile", type=Path, help="the private key (PEM), where the chain's file has it not")
    options = parser.parse_args()
    tls = None
    if options.certfile is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.certfile, options.keyfile)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with MockServer(options.host, options.port, tls) as mock_server:
        if options.keys_file is not None:
            _add_keys(mock_server, options.keys_file.read_text())
        base_urls = {product: mock_server.base_url(product) for product in PRODUCTS}
        print(
            json.dumps({"control": mock_server.url + CONTROL, "base_urls": base_urls, "port": mock_server.port}),
            flush=True,
        )
        ended.wait()


if __name__ == "__main__":
    main()
