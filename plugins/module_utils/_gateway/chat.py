# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""One chat message through a running gateway: the only verification that a gateway can use a model.

An agent calls a tool in nearly every conversation, and a model that thinks needs more from its block for that than for
a plain answer (docs/models.md). So a message can ask for a call of a tool.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import secrets
from collections.abc import Mapping
from typing import Any, Literal

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import agents
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import elements
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway

from .chat_answers import (
    HARMLESS_TOOLS,
    ChatResult,
    judge_result,
    judge_tool_call,
    judge_transcript,
    messages_of,
    offered_tools,
)

Kind = Literal["text", "tool"]

_TOOLS = ", ".join(f"the tool {name}" for name in HARMLESS_TOOLS[:-1]) + f" or the tool {HARMLESS_TOOLS[-1]}"
# The answer is one word: the result of session_status contains parts of a key.
_MESSAGES: Mapping[Kind, str] = {
    "text": "Answer with the one word: ready",
    "tool": f"Call one tool once: {_TOOLS}, whichever you have. Then answer with the one word: ready",
}
_CALL_SECONDS = 30.0
_SHOWN_CHARACTERS = 300
# A gateway that is killed while it writes its sessions leaves their lock behind. The next one tries for 10 seconds
# to get it, and removes it once it is 30 seconds old (Clawdbot's config/sessions/store.js).
_LOCKED = "timeout acquiring session store lock"
_LOCKED_CALLS = 4
_AGENT_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
# How the gateway renames a transcript that it removes (Clawdbot's gateway/session-utils.fs.js; OpenClaw appends an id
# and compresses the file).
_REMOVED_TRANSCRIPT = re.compile(r"\.jsonl\.deleted\.[0-9TZ.-]+(?:[0-9a-f]{32}\.zst)?\Z")


def send(gateway: Gateway, agent: str, model: str, kind: Kind, timeout: float) -> ChatResult:
    """Send one message to the model in a session of its own, which is removed afterwards.

    `kind`: whether the model has to call a tool before it answers. `timeout`: seconds. The message of the result
    contains no secret.
    """
    result = _send(gateway, agent, model, kind, timeout)
    # Cut last: the beginning of a secret that the cut goes through would stay.
    return dataclasses.replace(result, message=gateway.redact(result.message)[:_SHOWN_CHARACTERS])


def default_agent(config: Any) -> str:
    """Return the agent that a config's messages go to: the default one, the first, or `main`.

    See the product's agents/agent-scope.js and routing/session-key.js.
    """
    listed = [(name or "", agent) for _place, name, agent in agents(config) if isinstance(agent, dict)]
    chosen = [name for name, agent in listed if agent.get("default") is True] or [name for name, _agent in listed]
    name = chosen[0].strip().lower() if chosen else ""
    if not _AGENT_ID.match(name):
        name = re.sub(r"[^a-z0-9_-]+", "-", name).strip("-")[:64]
    return name or "main"


def _send(gateway: Gateway, agent: str, model: str, kind: Kind, timeout: float) -> ChatResult:
    key = f"agent:{agent}:clawfleet-{secrets.token_hex(8)}"
    try:
        _open_session(gateway, {"key": key, "model": model})
    except ClawdbotError as exc:
        return ChatResult(model, False, str(exc))
    try:
        request = {"message": _MESSAGES[kind], "agentId": agent, "sessionKey": key, "idempotencyKey": key}
        return _converse(gateway, model, kind, request, timeout)
    except ClawdbotError as exc:
        return ChatResult(model, False, str(exc))
    finally:
        _remove_session(gateway, key)


def _converse(gateway: Gateway, model: str, kind: Kind, request: Mapping[str, Any], timeout: float) -> ChatResult:
    try:
        answer = gateway.call("agent", request, timeout, final=True)
    except ClawdbotError as exc:
        failed = ChatResult(model, False, str(exc))
        if kind == "tool":
            with contextlib.suppress(ClawdbotError):
                failed = judge_tool_call(failed, _transcript(gateway, request["sessionKey"]), None)
        return failed
    reported = gateway.product.reports_failed_chats
    messages = [] if reported and kind == "text" else _transcript(gateway, request["sessionKey"])
    result = judge_result(model, answer) if reported else judge_transcript(model, messages)
    return judge_tool_call(result, messages, offered_tools(answer)) if kind == "tool" else result


def _transcript(gateway: Gateway, key: str) -> list[dict[str, Any]]:
    return messages_of(gateway.call("chat.history", {"sessionKey": key}, _CALL_SECONDS))


def _open_session(gateway: Gateway, params: Mapping[str, Any]) -> None:
    """Open a session. Waits for a lock that an earlier gateway has left, as all chat clients do."""
    for attempt in range(1, _LOCKED_CALLS + 1):
        try:
            gateway.call("sessions.patch", params, _CALL_SECONDS)
        except ClawdbotError as exc:
            if _LOCKED not in str(exc) or attempt == _LOCKED_CALLS:
                raise
        else:
            return


def _remove_session(gateway: Gateway, key: str) -> None:
    # A session that stays is unused and harmless: the message was answered all the same.
    with contextlib.suppress(ClawdbotError, OSError):
        deleted = gateway.call("sessions.delete", {"key": key, "deleteTranscript": True}, _CALL_SECONDS)
        for path in _removed_transcripts(deleted):
            os.unlink(path)


def _removed_transcripts(deleted: Any) -> list[str]:
    """Return the files that the gateway has renamed its transcript to. Other files that it names are not removed."""
    named = [path for path in elements(deleted, ("archived",)) if isinstance(path, str)]
    return [path for path in named if _REMOVED_TRANSCRIPT.search(path)]
