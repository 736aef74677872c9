# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The module gateway_chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic, journal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import chat, chat_answers
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.state import observe
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway

from .arguments import GATEWAY_ARGUMENTS, SERVICE_ARGUMENTS, resolve_gateway, resolve_service

ARGUMENT_SPEC: Mapping[str, Any] = {
    **GATEWAY_ARGUMENTS,
    **SERVICE_ARGUMENTS,
    "kind": {"type": "str", "choices": ["text", "tool"], "default": "text"},
    "models": {"type": "list", "elements": "str", "required": True},
    "program": {"type": "list", "elements": "str", "required": True},
    "timeout": {"type": "float", "default": 60},
}


class Result(TypedDict):
    """The result of the module."""

    chats: list[chat_answers.ChatInfo]
    warnings: list[str]


def run(params: dict[str, Any], check_mode: bool) -> Result:
    """Return the answer of each model. Raises `ClawdbotError` if one does not answer."""
    if check_mode:
        return {"chats": [], "warnings": []}
    chats = _chats(params)
    unproven = [one.model for one in chats if params["kind"] == "tool" and one.ok and one.tool is None]
    result: Result = {"chats": [one.as_result() for one in chats], "warnings": _warnings(unproven)}
    failed = [f"{one.model}: {one.message}" for one in chats if not one.ok]
    if failed:
        raise ClawdbotError("No answer through the gateway. " + " ".join(failed), **result)
    return result


def _warnings(unproven: list[str]) -> list[str]:
    if not unproven:
        return []
    return [
        f"The gateway offers its agent none of the tools {', '.join(chat_answers.HARMLESS_TOOLS)}. So tool calls are "
        f"not verified for {', '.join(unproven)}. Check `tools` in its config."
    ]


def _chats(params: Mapping[str, Any]) -> list[chat_answers.ChatResult]:
    product, paths = resolve_gateway(params)
    config = atomic.read(paths.config)
    if config.content is None:
        raise ClawdbotError(f"Config {paths.config} does not exist.", chats=[])
    try:
        agent = chat.default_agent(json5_reader.loads(journal.decode(config.content)))
    except json5_reader.Json5Error as exc:
        raise ClawdbotError(f"Cannot read {paths.config}: {exc}.", chats=[]) from exc
    seen = observe(product, paths, resolve_service(params, product), [])
    with Gateway(product, params["program"], paths, seen.listener, seen.cli_environment, seen.secrets) as gateway:
        return [chat.send(gateway, agent, model, params["kind"], params["timeout"]) for model in params["models"]]
