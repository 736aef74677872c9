# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The module verify_models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints import client, status
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import EndpointsInfo
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


def ask(
    params: Mapping[str, Any], secrets: set[str], once: client.Once | None = None
) -> tuple[EndpointsInfo, list[str]]:
    """Return what the endpoints answered, and warnings. Raises `ClawdbotError`.

    `once` answers a request that was asked before, for example for another host; None asks each once.
    """
    how = settings(params)
    results = client.check_all([status.parse_provider(raw) for raw in params["providers"]], how, secrets, once)
    ok = all(result.status == "ok" for result in results)
    answer: EndpointsInfo = {"ok": ok, "providers": [result.as_result() for result in results]}
    if not ok:
        answer["msg"] = status.failure_text(results)
    return answer, [f"{result.name}: {warning}" for result in results for warning in result.warnings]


def run(params: dict[str, Any], _check_mode: bool) -> dict[str, Any]:
    """Return the module's result for endpoints that the host itself asks. Raises `ClawdbotError`.

    The action plugin asks from the control node in its place.
    """
    return outcome(params, *ask(params, secrets_in(params)))


def outcome(params: Mapping[str, Any], answer: EndpointsInfo, warnings: list[str]) -> dict[str, Any]:
    """Return the module's result. Raises `ClawdbotError` where an endpoint is not ok and `fail_on_error` is set."""
    result = {**answer, "warnings": warnings}
    if not answer["ok"] and params["fail_on_error"]:
        raise ClawdbotError(str(result.pop("msg")), **result)
    return result


def secrets_in(params: Mapping[str, Any]) -> set[str]:
    """Every secret in the providers, of whatever shape they are."""
    return status.secrets_in(params.get("providers"))
