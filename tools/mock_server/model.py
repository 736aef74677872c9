# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mock model: what it says to a chat, or which tool it calls.

Where a message of the user says "the tool NAME", and the request offers it, the model calls it once and then answers
with its result.
"""

from __future__ import annotations

import dataclasses
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from .rules import parts_of

_SHOWN = 80
_ASKED_FOR = re.compile(r"\bthe tool ([A-Za-z0-9_-]+)")
_VALUES = {"string": "", "number": 0, "integer": 0, "boolean": False, "array": [], "object": {}}


@dataclasses.dataclass(frozen=True)
class ToolCall:
    """A call of a tool that the request offers."""

    id: str
    tool: str
    arguments: Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Turn:
    """What the model says. `is_cut`: the words are as many as the request allows. `thought`: empty for none."""

    model: str
    words: tuple[str, ...]
    is_cut: bool = False
    thought: str = ""
    call: ToolCall | None = None


def think(model: str, label: str, asked: Mapping[str, Any], *, thinks: bool) -> Turn:
    """Return the model's turn on a chat in either form. A token is a word here."""
    messages = asked["messages"]
    tools = offered_tools(asked)
    named, rest = _asked_for(messages, tools)
    result = _tool_result(rest)
    thought = "The user wants an answer, so I give one." if thinks else ""
    if named is not None and result is None:
        call = ToolCall(f"{named}:{uuid.uuid4().hex[:8]}", named, _arguments(tools[named]))
        return Turn(model, (), thought=thought, call=call)
    said = f"Hello from {model} at {label}." if result is None else f"{named} answered: {result[:_SHOWN]}"
    words = tuple(said.split())
    limit = asked.get("max_completion_tokens") or asked.get("max_tokens")
    cut = words[:limit] if isinstance(limit, int) and limit > 0 else words
    return Turn(model, cut, cut != words, thought)


def offered_tools(asked: Any) -> dict[str, Mapping[str, Any]]:
    """Return name -> JSON schema of the tools that a request offers, in either form."""
    offered: dict[str, Mapping[str, Any]] = {}
    for tool in _list(asked, "tools"):
        function = tool.get("function", tool) if isinstance(tool, dict) else None
        if isinstance(function, dict) and isinstance(function.get("name"), str):
            schema = function.get("parameters") or function.get("input_schema")
            offered[function["name"]] = schema if isinstance(schema, dict) else {}
    return offered


def has_tool_result(asked: Any) -> bool:
    """Whether a request has the result of a tool."""
    return _tool_result(_list(asked, "messages")) is not None


def _asked_for(messages: Sequence[Any], tools: Mapping[str, Any]) -> tuple[str | None, Sequence[Any]]:
    """Return the tool that the user asks for last, None for none, and the messages after that one."""
    for index in range(len(messages) - 1, -1, -1):
        if isinstance(messages[index], dict) and messages[index].get("role") == "user":
            named = [name for name in _ASKED_FOR.findall(_text(messages[index])) if name in tools]
            if named:
                return named[-1], messages[index + 1 :]
    return None, ()


def _tool_result(messages: Sequence[Any]) -> str | None:
    """Return the text of the first result of a tool in the messages, or None."""
    for message in messages:
        if isinstance(message, dict) and message.get("role") == "tool":
            return _text(message)
        for part in parts_of(message):
            if part.get("type") == "tool_result":
                return _text(part)
    return None


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return content
    return " ".join(part["text"] for part in parts_of(message) if isinstance(part.get("text"), str))


def _arguments(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that a schema requires, with a value of its type for each."""
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    required = [name for name in schema.get("required") or [] if isinstance(properties.get(name), dict)]
    return {name: _value(properties[name]) for name in required}


def _value(schema: Mapping[str, Any]) -> Any:
    choices = schema.get("enum")
    return choices[0] if isinstance(choices, list) and choices else _VALUES.get(str(schema.get("type")))


def _list(asked: Any, name: str) -> list[Any]:
    value = asked.get(name) if isinstance(asked, dict) else None
    return value if isinstance(value, list) else []
