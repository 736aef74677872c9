# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""One chat message through a running gateway: the only verification that a gateway can use a model.

Clawdbot reports a message that its provider has rejected as `status: ok`, with the provider's error as the text of the
answer (seen on 2026.1.24-3 with a wrong key and with an endpoint that does not listen). Only the `stopReason` of the
answer in the session's transcript shows the error. Where the endpoint sends HTML or nothing at all with status 200,
even that is `stop`, and only the answer's `content` is empty (its library pi-ai, providers/openai-completions.js).

OpenClaw keeps its transcripts in a database. It fails the call, or returns `status: error` and the reason, where the
provider rejects the message or answers with nothing (seen on 2026.9.6 with the same faults). So its result is read.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import agents
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE, at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway

_MESSAGE = "Answer with the one word: ready"
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


class ChatInfo(TypedDict):
    """A `ChatResult` as the module gateway_chat returns it."""

    model: str
    ok: bool
    message: str


@dataclass(frozen=True)
class ChatResult:
    """The answer of a model to a chat message, or in `message` why there is none."""

    model: str
    ok: bool
    message: str

    def as_result(self) -> ChatInfo:
        """Return the answer as modules return it."""
        return {"model": self.model, "ok": self.ok, "message": self.message}


def send(gateway: Gateway, agent: str, model: str, timeout: float) -> ChatResult:
    """Send one message to the model in a session of its own, which is removed afterwards.

    `timeout`: seconds. The message of the result contains no secret.
    """
    result = _send(gateway, agent, model, timeout)
    # Cut last: the beginning of a secret that the cut goes through would stay.
    return ChatResult(result.model, result.ok, gateway.redact(result.message)[:_SHOWN_CHARACTERS])


def judge_transcript(model: str, answer: Mapping[str, Any] | None) -> ChatResult:
    """Return whether the last assistant message of a transcript is an answer of that model. It is not redacted."""
    if answer is None:
        return ChatResult(model, False, "The session's transcript contains no answer.")
    answered_by = f"{answer.get('provider')}/{answer.get('model')}"
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
    answered_by = f"{agent.get('provider')}/{agent.get('model')}"
    if answered_by != model:
        return ChatResult(model, False, f"{answered_by} answered instead.")
    text = _text(at(answer, ("result", "payloads")))
    return ChatResult(model, True, text) if text else ChatResult(model, False, _empty(answered_by))


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


def _send(gateway: Gateway, agent: str, model: str, timeout: float) -> ChatResult:
    key = f"agent:{agent}:clawfleet-{secrets.token_hex(8)}"
    try:
        session = _open_session(gateway, {"key": key, "model": model})
    except ClawdbotError as exc:
        return ChatResult(model, False, str(exc))
    try:
        request = {"message": _MESSAGE, "agentId": agent, "sessionKey": key, "idempotencyKey": key}
        answer = gateway.call("agent", request, timeout, final=True)
        if gateway.product.reports_failed_chats:
            return judge_result(model, answer)
        return judge_transcript(model, _last_answer(session, answer))
    except ClawdbotError as exc:
        return ChatResult(model, False, str(exc))
    finally:
        _remove_session(gateway, key)


def _open_session(gateway: Gateway, params: Mapping[str, Any]) -> Any:
    """Return the gateway's answer. Waits for a lock that an earlier gateway has left, as all chat clients do."""
    for _attempt in range(_LOCKED_CALLS - 1):
        try:
            return gateway.call("sessions.patch", params, _CALL_SECONDS)
        except ClawdbotError as exc:
            if _LOCKED not in str(exc):
                raise
    return gateway.call("sessions.patch", params, _CALL_SECONDS)


def _failure(answered_by: str, reason: object) -> str:
    return f"{answered_by} failed: {reason if reason and isinstance(reason, str) else 'no reason given.'}"


def _empty(answered_by: str) -> str:
    return f"{answered_by} returned an empty answer. Check that its baseUrl is that of an API."


def _last_answer(session: Any, answer: Any) -> Mapping[str, Any] | None:
    try:
        session_id = answer["result"]["meta"]["agentMeta"]["sessionId"]
        transcript = os.path.join(os.path.dirname(session["path"]), f"{os.path.basename(session_id)}.jsonl")
        with open(transcript, encoding="utf-8", errors="replace") as file:
            entries = [json.loads(line) for line in file if line.strip()]
    except (KeyError, TypeError, ValueError, OSError, RecursionError):
        return None
    messages = [entry.get("message") for entry in entries if isinstance(entry, dict)]
    answers = [message for message in messages if isinstance(message, dict) and message.get("role") == "assistant"]
    return answers[-1] if answers else None


def _text(content: Any) -> str:
    parts = [part.get("text") for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    return " ".join(part for part in parts if isinstance(part, str)).strip()


def _remove_session(gateway: Gateway, key: str) -> None:
    # A session that stays is unused and harmless: the message was answered all the same.
    with contextlib.suppress(ClawdbotError, OSError):
        deleted = gateway.call("sessions.delete", {"key": key, "deleteTranscript": True}, _CALL_SECONDS)
        for path in _removed_transcripts(deleted):
            os.unlink(path)


def _removed_transcripts(deleted: Any) -> list[str]:
    """Return the files that the gateway has renamed its transcript to. Other files that it names are not removed."""
    paths = at(deleted, ("archived",))
    named = [path for path in paths if isinstance(path, str)] if isinstance(paths, list) else []
    return [path for path in named if _REMOVED_TRANSCRIPT.search(path)]
