# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The faults that can be set, and how they replace or spoil the right answer."""

from __future__ import annotations

import dataclasses
import threading
import zlib
from collections.abc import Iterator, Mapping

from .answers import PORTAL, Answer, error_answer, json_answer
from .vendors import ERRORS, known

#: What a fault can be limited to: one route of a product, in either form.
ROUTES = ("listing", "chat")
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
WITHOUT_STATUS = ("garbage", "reset", "silent")


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
        known("fault", self.kind, FAULTS)
        known("error", self.error, ERRORS)
        if self.route is not None:
            known("route", self.route, ROUTES)
        wholes = [self.size, *(number for number in (self.times, self.status) if number is not None)]
        texts = [self.content_type, self.location, *self.headers, *self.headers.values()]
        if not all(isinstance(number, int) and number > 0 for number in wholes):
            raise ValueError("times, status and size are whole numbers above 0")
        if not isinstance(self.seconds, (int, float)) or self.seconds < 0:
            raise ValueError("seconds is a number, 0 or above")
        if not all(isinstance(text, str) for text in texts) or not isinstance(self.body, (str, bytes)):
            raise ValueError("body, content_type, location and headers are strings")


def instead(fault: Fault, key: str, *, anthropic: bool = False) -> Answer | None:
    """Return the answer that replaces the right one, or None for a fault of another sort."""
    if fault.kind == "status":
        body = fault.body.encode("utf-8", "surrogatepass") if isinstance(fault.body, str) else fault.body
        body = body.replace(b"{key}", key.encode("utf-8", "surrogatepass"))
        return Answer(fault.status or 500, (body,), fault.content_type, fault.headers)
    return {
        "error": error_answer(fault.error, anthropic=anthropic),
        "html": PORTAL,
        "empty": Answer(200, ()),
        "other_json": json_answer(200, {"models": ["kimi-k2.5"], "total": 1}),
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


def broken(answer: Answer, fault: Fault, stopping: threading.Event) -> Iterator[bytes]:
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
