# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Asking endpoints, as the modules verify_models and providers_info take it and return it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints import client, status
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

_LONGEST_TIMEOUT = 3600

_PROVIDER_SPEC = {
    "name": {"type": "str", "required": True},
    "base_url": {"type": "str", "required": True},
    "api": {"type": "str", "choices": [status.OPENAI, status.ANTHROPIC], "default": status.OPENAI},
    "api_key": {"type": "str", "no_log": True},
    "headers": {"type": "dict", "default": {}},
    "models": {"type": "list", "elements": "raw", "default": []},
    "unlisted_models": {"type": "list", "elements": "str", "default": []},
}

ARGUMENT_SPEC = {
    "providers": {"type": "list", "elements": "dict", "required": True, "options": _PROVIDER_SPEC},
    "probe": {"type": "str", "choices": ["listing", "chat"], "default": "listing"},
    "timeout": {"type": "float", "default": 10},
    "retries": {"type": "int", "default": 2},
    "ca_path": {"type": "path"},
    "validate_certs": {"type": "bool", "default": True},
    "allow_insecure_http": {"type": "bool", "default": False},
    "ask_from": {"type": "str", "choices": ["host", "controller"], "default": "host"},
    "fail_on_error": {"type": "bool", "default": True},
}


def settings(params: Mapping[str, Any]) -> client.Settings:
    """How to ask, as the parameters have it. Raises ClawdbotError."""
    if not 0 < params["timeout"] <= _LONGEST_TIMEOUT:
        raise ClawdbotError(f"timeout must be more than 0 and at most {_LONGEST_TIMEOUT} seconds")
    if params["retries"] < 0:
        raise ClawdbotError("retries must not be negative")
    return client.Settings(
        chat=params["probe"] == "chat",
        timeout=params["timeout"],
        retries=params["retries"],
        ca_path=params["ca_path"],
        validate_certs=params["validate_certs"],
        allow_insecure_http=params["allow_insecure_http"],
    )


def run(
    params: Mapping[str, Any], secrets: set[str], once: client.Once | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The result of verify_models for its parameters, and its warnings. Raises ClawdbotError."""
    how = settings(params)
    results = client.check_all([status.parse_provider(raw) for raw in params["providers"]], how, secrets, once)
    ok = all(result.status == "ok" for result in results)
    answer: dict[str, Any] = {"changed": False, "ok": ok, "providers": [result._asdict() for result in results]}
    if not ok:
        answer.update(msg=status.failure_text(results), failed=params["fail_on_error"])
    return answer, [f"{result.name}: {warning}" for result in results for warning in result.warnings]
