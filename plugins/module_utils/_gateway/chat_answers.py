# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Did a model answer a chat message, and did it call a tool before? Decided from what the gateway has recorded.

Clawdbot reports a message that its provider has rejected as `status: ok`, with the provider's error as the text of the
answer (seen on 2026.1.24-3 with a wrong key and with an endpoint that does not listen). Only the `stopReason` of the
answer in the session's transcript shows the error. Where the endpoint sends HTML or nothing at all with status 200,
even that is `stop`, and only the answer's `content` is empty (its library pi-ai, providers/openai-completions.js).

OpenClaw fails the call, or returns `status: error` and the reason, where the provider rejects the message or answers
with nothing (seen on 2026.9.6 with the same faults). So its result is read.

Both return the transcript of a session with `chat.history`, in the same form, and name the tools that they have offered
to the model in the result of the message, in the report on their system prompt.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import (
    REMOVE,
    at,
    elements,
    string,
)

#: Tools that only read. By default Clawdbot offers the last two, and OpenClaw the first two: it hides the rest behind
#: its search.
HARMLESS_TOOLS = ("tool_search", "ls", "session_status", "agents_list")


class ChatInfo(TypedDict):
    """A `ChatResult` as the module gateway_chat returns it."""

    model: str
    ok: bool
    message: str
    tool: str | None


@dataclass(frozen=True)
class ChatResult:
    """The answer of a model to a chat message, or in `message` why there is none.

    `tool`: what the model called before it answered.
    """

    model: str
    ok: bool
    message: str
    tool: str | None = None

    def as_result(self) -> ChatInfo:
        """Return the answer as modules return it."""
        return {"model": self.model, "ok": self.ok, "message": self.message, "tool": self.tool}


def judge_transcript(model: str, messages: Sequence[Mapping[str, Any]]) -> ChatResult:
    """Return whether the last assistant message of a transcript is an answer of that model. It is not redacted."""
    answers = [message for message in messages if message.get("role") == "assistant"]
    if not answers:
        return ChatResult(model, False, "The session's transcript contains no answer.")
    answer = answers[-1]
    answered_by = _author(answer)
    if answer.get("stopReason") in ("error", "aborted"):
        return ChatResult(model, False, _failure(answered_by, answer.get("errorMessage")))
    if answered_by != model:
        return ChatResult(model, False, f"{answered_by} answered instead.")
    if not answer.get("content"):
        return ChatResult(model, False, _empty(answered_by))
    return ChatResult(model, True, _text(answer.get("content")))


def judge_result(model: str, answer: Any) -> ChatResult:
    """Return whether the result of a product that reports failures is an answer of that model. It is not redacted."""
    meta = at(answer, ("result", "meta"))
    reason = at(meta, ("error", "message"))
    if at(answer, ("status",)) != "ok" or reason is not REMOVE:
        return ChatResult(model, False, _failure(model, reason))
    agent = at(meta, ("agentMeta",))
    if not isinstance(agent, dict):
        return ChatResult(model, False, "The gateway does not report which model answered.")
    answered_by = _author(agent)
    if answered_by != model:
        return ChatResult(model, False, f"{answered_by} answered instead.")
    text = _text(at(answer, ("result", "payloads")))
    return ChatResult(model, True, text) if text else ChatResult(model, False, _empty(answered_by))


def judge_tool_call(
    result: ChatResult, messages: Sequence[Mapping[str, Any]], offered: Sequence[str] | None
) -> ChatResult:
    """Return whether the model has called a tool and answered after its result. It is not redacted.

    `result`: whether it answered at all. `messages`: the transcript. `offered`: the tools that the gateway has offered
    to the model, None where they are not known. Where none of them is harmless, an answer without a call is right.
    """
    called = _called_tool(result.model, messages)
    if not result.ok:
        return result if called is None else dataclasses.replace(result, message=_after(called, result.message))
    if called is not None:
        if _is_last_word(messages):
            return dataclasses.replace(result, tool=called)
        return ChatResult(result.model, False, f"{result.model} called the tool {called}, and did not answer after it.")
    if offered is not None and not set(offered) & set(HARMLESS_TOOLS):
        return result
    return ChatResult(result.model, False, f"{result.model} answered without calling a tool: {result.message}")


def messages_of(history: Any) -> list[dict[str, Any]]:
    """Return the messages of a transcript, as `chat.history` returns it, from the oldest to the newest."""
    return [message for message in elements(history, ("messages",)) if isinstance(message, dict)]


def offered_tools(answer: Any) -> list[str] | None:
    """Return the tools that the gateway has offered to the model, None where its answer does not contain them."""
    entries = at(answer, ("result", "meta", "systemPromptReport", "tools", "entries"))
    return [string(entry, ("name",)) for entry in entries] if isinstance(entries, list) else None


def _called_tool(model: str, messages: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the first tool that the model has called and got a result of."""
    results = {message.get("toolCallId") for message in messages if message.get("role") == "toolResult"}
    for message in messages:
        if message.get("role") == "assistant" and _author(message) == model:
            for call in _calls(message):
                if call.get("id") in results and isinstance(call.get("name"), str):
                    return str(call["name"])
    return None


def _is_last_word(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the last message of model or tool is of the model, and calls no tool."""
    said = [message for message in messages if message.get("role") in ("assistant", "toolResult")]
    return bool(said) and said[-1].get("role") == "assistant" and not _calls(said[-1])


def _calls(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    return [part for part in parts if isinstance(part, dict) and part.get("type") == "toolCall"]


def _author(answer: Mapping[str, Any]) -> str:
    return f"{answer.get('provider')}/{answer.get('model')}"


def _after(called: str, failure: str) -> str:
    end = "" if failure.endswith(".") else "."
    return f"After a call of the tool {called}: {failure}{end} If the model thinks, check its `reasoning` and `compat`."


def _failure(answered_by: str, reason: object) -> str:
    return f"{answered_by} failed: {reason if reason and isinstance(reason, str) else 'no reason given.'}"


def _empty(answered_by: str) -> str:
    return f"{answered_by} returned an empty answer. Check that its baseUrl is that of an API."


def _text(content: Any) -> str:
    parts = [part.get("text") for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return " ".join(part for part in parts if isinstance(part, str)).strip()
