# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules that the vendor holds a chat to: which request is rejected, and with which words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .vendors import Model

_FIXED = ("temperature", "top_p", "n", "presence_penalty", "frequency_penalty")
_MISSING_REASONING = (
    "thinking is enabled but reasoning_content is missing in assistant tool call message at index {index}"
)


def openai_problem(model: Model, asked: Mapping[str, Any]) -> str | None:
    """Return why a chat in the OpenAI form is rejected, or None."""
    return next(_openai_problems(model, asked), None)


def anthropic_problem(asked: Mapping[str, Any]) -> str | None:
    """Return why a chat in the Anthropic form is rejected, or None."""
    if not isinstance(asked.get("max_tokens"), int):
        return "max_tokens is required"
    for index, message in enumerate(asked["messages"]):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("user", "assistant"):
            return f"invalid role {role!r} in message at index {index}"
        kinds = [part.get("type") for part in parts_of(message)]
        if role == "assistant" and "tool_use" in kinds and "thinking" not in kinds and thinks_in_anthropic_form(asked):
            return _MISSING_REASONING.format(index=index)
    return None


def thinks_in_openai_form(model: Model, asked: Mapping[str, Any]) -> bool:
    """Whether the model thinks before it answers a chat in the OpenAI form."""
    return model.thinking == "always" or (model.thinking == "optional" and _kind_of_thinking(asked) != "disabled")


def thinks_in_anthropic_form(asked: Mapping[str, Any]) -> bool:
    """Whether the model thinks before it answers a chat in the Anthropic form."""
    return _kind_of_thinking(asked) in ("enabled", "adaptive")


def parts_of(message: Any) -> list[dict[str, Any]]:
    """Return the parts of a message that is a list of parts."""
    content = message.get("content") if isinstance(message, dict) else None
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _openai_problems(model: Model, asked: Mapping[str, Any]) -> Iterator[str]:
    if model.fixes_sampling:
        for name in _FIXED:
            if name in asked:
                yield f"invalid {name}: this model allows its default only"
        if "thinking" in asked:
            yield "thinking cannot be set for this model"
    effort = asked.get("reasoning_effort")
    if effort is not None and effort not in model.efforts:
        yield f"invalid reasoning_effort: this model takes {' or '.join(model.efforts) or 'none'}"
    thinks = thinks_in_openai_form(model, asked)
    for index, message in enumerate(asked["messages"]):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("system", "user", "assistant", "tool"):
            yield f"invalid role {role!r} in message at index {index}"
        elif thinks and role == "assistant" and message.get("tool_calls") and not message.get("reasoning_content"):
            yield _MISSING_REASONING.format(index=index)


def _kind_of_thinking(asked: Mapping[str, Any]) -> Any:
    thinking = asked.get("thinking")
    return thinking.get("type") if isinstance(thinking, dict) else None
