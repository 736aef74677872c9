# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The module verify_models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.client import Cache, probe_all
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.providers import (
    parse_provider,
    secrets_of,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import (
    ANTHROPIC,
    OPENAI,
    EndpointInfo,
    EndpointsInfo,
    ProbeOptions,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

_LONGEST_TIMEOUT = 3600

_PROVIDER_SPEC = {
    "name": {"type": "str", "required": True},
    "base_url": {"type": "str", "required": True},
    "api": {"type": "str", "choices": [OPENAI, ANTHROPIC], "default": OPENAI},
    "api_key": {"type": "str", "no_log": True},
    "headers": {"type": "dict", "default": {}},
    "models": {"type": "list", "elements": "raw", "default": []},
    "unlisted_models": {"type": "list", "elements": "str", "default": []},
    "optional_models": {"type": "list", "elements": "str", "default": []},
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


def probe_options(params: Mapping[str, Any]) -> ProbeOptions:
    """Return how to ask. Raises `ClawdbotError` for a number out of range."""
    if not 0 < params["timeout"] <= _LONGEST_TIMEOUT:
        raise ClawdbotError(f"timeout must be more than 0 and at most {_LONGEST_TIMEOUT} seconds")
    if params["retries"] < 0:
        raise ClawdbotError("retries must not be negative")
    return ProbeOptions(
        chat=params["probe"] == "chat",
        timeout=params["timeout"],
        retries=params["retries"],
        ca_path=params["ca_path"],
        validate_certs=params["validate_certs"],
        allow_insecure_http=params["allow_insecure_http"],
    )


def ask(params: Mapping[str, Any], secrets: set[str], cache: Cache | None = None) -> tuple[EndpointsInfo, list[str]]:
    """Return what the endpoints answered, and warnings. Raises `ClawdbotError`.

    `cache` has the readings of earlier requests, for example for another host. Without it, each request is sent once.
    """
    options = probe_options(params)
    results = probe_all([parse_provider(raw) for raw in params["providers"]], options, secrets, cache)
    info: EndpointsInfo = {"ok": all(result["status"] == "ok" for result in results), "providers": results}
    if not info["ok"]:
        info["msg"] = _failure_text(results)
    return info, [f"{result['name']}: {warning}" for result in results for warning in result["warnings"]]


def _failure_text(results: Sequence[EndpointInfo]) -> str:
    """Return all providers as a table, then message and hint of each that is not ok."""
    bad = [result for result in results if result["status"] != "ok"]
    rows = [("PROVIDER", "STATUS", "HTTP", "MS", "LISTED", "MISSING")]
    rows += [
        (
            result["name"],
            result["status"],
            "-" if result["http_status"] is None else str(result["http_status"]),
            "-" if result["latency_ms"] is None else str(result["latency_ms"]),
            str(len(result["listed"])),
            ", ".join([*result["missing"], *(f"{name} (optional)" for name in result["optional_missing"])]) or "-",
        )
        for result in results
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"{len(bad)} of {len(results)} providers failed the check.", ""]
    lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    for result in bad:
        lines += ["", f"{result['name']}: {result['message']}", f"  -> {result['hint']}"]
    return "\n".join(lines)


def run(params: dict[str, Any], _check_mode: bool) -> dict[str, Any]:
    """Return the module's result, with the endpoints asked from the host. Raises `ClawdbotError`.

    To ask from the control node, the action plugin replaces it.
    """
    return module_result(params, *ask(params, secrets_in(params)))


def module_result(params: Mapping[str, Any], info: EndpointsInfo, warnings: list[str]) -> dict[str, Any]:
    """Return the module's result. Raises `ClawdbotError` if an endpoint is not ok and `fail_on_error` is set."""
    result = {**info, "warnings": warnings}
    if not info["ok"] and params["fail_on_error"]:
        raise ClawdbotError(str(result.pop("msg")), **result)
    return result


def secrets_in(params: Mapping[str, Any]) -> set[str]:
    """Return every secret in the providers, whatever their shape."""
    return secrets_of(params.get("providers"))
