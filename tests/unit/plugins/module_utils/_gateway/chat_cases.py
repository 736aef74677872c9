# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of a model as a gateway records and returns them."""

from __future__ import annotations

from typing import Any

MODEL = "moonshot/kimi-k2.5"


def answer(**changed: Any) -> dict[str, Any]:
    """An assistant message as the product keeps it in a transcript."""
    return {
        "role": "assistant",
        "provider": "moonshot",
        "model": "kimi-k2.5",
        "stopReason": "stop",
        "content": [{"type": "text", "text": "ready"}],
        **changed,
    }


def call(tool: str = "ls", call_id: str = "1", **changed: Any) -> dict[str, Any]:
    """An assistant message that calls a tool."""
    parts = [{"type": "thinking", "thinking": "…"}, {"type": "toolCall", "id": call_id, "name": tool, "arguments": {}}]
    return answer(content=parts, stopReason="toolUse", **changed)


def tool_result(call_id: str = "1", **changed: Any) -> dict[str, Any]:
    """The message with the result of a tool."""
    return {"role": "toolResult", "toolCallId": call_id, "toolName": "ls", "content": [], "isError": False, **changed}


def answered(status: str = "ok", **changed: Any) -> dict[str, Any]:
    """The result of a message by a product that reports failures, shortened."""
    body = {"payloads": [{"text": "ready", "mediaUrl": None}], "meta": {"agentMeta": answer()}}
    return {"status": status, "result": {**body, **changed}}


def offering(*tools: str, **changed: Any) -> dict[str, Any]:
    """The result of a message for which the model was offered tools."""
    report = {"tools": {"entries": [{"name": name, "schemaChars": 5} for name in tools]}}
    return answered(meta={"agentMeta": answer(), "systemPromptReport": report}, **changed)
