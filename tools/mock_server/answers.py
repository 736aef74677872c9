# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP answers: listings, errors, and chats in both forms, whole or as a stream of events."""

from __future__ import annotations

import dataclasses
import http.client
import json
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .model import ToolCall, Turn
from .vendors import ERRORS


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


NOT_HERE = Answer(404, (b"404 page not found",), "text/plain")
PORTAL = Answer(200, (b"<!DOCTYPE html><title>Sign in</title><p>Welcome to the guest network",), "text/html")


def json_answer(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer with a JSON body."""
    return Answer(status, (json.dumps(value).encode(),), headers=headers or {})


def error_answer(
    name: str, *, anthropic: bool = False, model: str = "", detail: str = "", rpm: int = 3, seconds: int = 1
) -> Answer:
    """Return the error of ERRORS, in the OpenAI or the Anthropic form."""
    status, kind, text = ERRORS[name]
    message = text.format(model=model, detail=detail, rpm=rpm, seconds=seconds)
    headers = {"Retry-After": str(seconds)} if name == "rate_limit" else {}
    error = {"error": {"message": message, "type": kind}}
    return json_answer(status, {"type": "error", **error} if anthropic else error, headers)


def openai_chat(turn: Turn, *, stream: bool, include_usage: bool) -> Answer:
    """Return a completion of the OpenAI form."""
    frame = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": turn.model}
    words = len(turn.words)
    usage = {"prompt_tokens": 8, "completion_tokens": words, "total_tokens": 8 + words}
    finish = "tool_calls" if turn.call else "length" if turn.is_cut else "stop"
    thought = {"reasoning_content": turn.thought} if turn.thought else {}
    calls = [_openai_call(turn.call)] if turn.call else []
    if not stream:
        message = {"role": "assistant", "content": " ".join(turn.words), **thought}
        whole = {**message, "tool_calls": calls} if calls else message
        choices = [{"index": 0, "message": whole, "finish_reason": finish}]
        return json_answer(200, {**frame, "object": "chat.completion", "choices": choices, "usage": usage})

    deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"reasoning_content": word}, None) for word in _in_words(turn.thought.split())]
    deltas += [({"content": word}, None) for word in _in_words(turn.words)]
    for index, call in enumerate(calls):
        function = call["function"]
        deltas.append(({"tool_calls": [{"index": index, **call, "function": {**function, "arguments": ""}}]}, None))
        deltas.append(({"tool_calls": [{"index": index, "function": {"arguments": function["arguments"]}}]}, None))
    deltas.append(({}, finish))
    frame["object"] = "chat.completion.chunk"
    chunks = [{**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in deltas]
    if include_usage:
        chunks.append({**frame, "choices": [], "usage": usage})
    return _events(f"data: {event}\n\n" for event in [*map(json.dumps, chunks), "[DONE]"])


def anthropic_chat(turn: Turn, *, stream: bool) -> Answer:
    """Return a message of the Anthropic form."""
    content: list[dict[str, Any]] = []
    if turn.thought:
        content.append({"type": "thinking", "thinking": turn.thought, "signature": "bW9jaw=="})
    if turn.words:
        content.append({"type": "text", "text": " ".join(turn.words)})
    if turn.call:
        content.append(
            {"type": "tool_use", "id": turn.call.id, "name": turn.call.tool, "input": dict(turn.call.arguments)}
        )
    usage = {"input_tokens": 8, "output_tokens": len(turn.words)}
    stop = "tool_use" if turn.call else "max_tokens" if turn.is_cut else "end_turn"
    frame = {"id": f"msg_{uuid.uuid4().hex}", "type": "message", "role": "assistant", "model": turn.model}
    end = {"stop_reason": stop, "stop_sequence": None}
    if not stream:
        return json_answer(200, {**frame, "content": content, **end, "usage": usage})

    start: dict[str, Any] = {
        **frame,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 0},
    }
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for index, block in enumerate(content):
        events += [{"index": index, **event} for event in _block_events(block)]
    events += [{"type": "message_delta", "delta": end, "usage": usage}, {"type": "message_stop"}]
    return _events(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)


def _block_events(block: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the events of one block of an Anthropic message: its start, its deltas, its stop."""
    deltas: list[dict[str, str]]
    empty: dict[str, Any]
    if block["type"] == "thinking":
        empty = {"type": "thinking", "thinking": "", "signature": ""}
        deltas = [{"type": "thinking_delta", "thinking": word} for word in _in_words(block["thinking"].split())]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    elif block["type"] == "text":
        empty = {"type": "text", "text": ""}
        deltas = [{"type": "text_delta", "text": word} for word in _in_words(block["text"].split())]
    else:
        empty = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
    yield {"type": "content_block_start", "content_block": empty}
    yield from ({"type": "content_block_delta", "delta": delta} for delta in deltas)
    yield {"type": "content_block_stop"}


def _openai_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.tool, "arguments": json.dumps(call.arguments)}
    return {"id": call.id, "type": "function", "function": function}


def _in_words(words: Iterable[str]) -> Iterator[str]:
    yield from (word if index == 0 else f" {word}" for index, word in enumerate(words))


def _events(events: Iterable[str]) -> Answer:
    return Answer(200, tuple(event.encode() for event in events), "text/event-stream", streamed=True)
