# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What is known of a fleet, as data: the report's schema is documented in docs/report.md.

Runs on the control node. What a host returned is not trusted: it may have any shape and any size, and its texts
anything in them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.diagnosis import find_problems
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.info import GatewayInfo
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import redact

SCHEMA_VERSION = 1
#: What can be said of a host, the worst first: it has the status of its worst finding.
STATUSES = ("unreachable", "failed", "down", "provider", "gateway", "restart", "drift", "ok")

_LONGEST_TEXT = 1000
_MOST_ITEMS = 200
_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{12}\Z")
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
_STATUS = re.compile(r"[a-z_]{1,40}\Z")
# Control characters, marks that change the direction of what follows, and halves of characters.
_UNFIT = ("Cc", "Cf", "Cs")
_NOTHING = "Nothing is known: the run ended before this host was looked at."
_UNREADABLE = "What the modules returned of this host is not what they return: see to the host and its Python."


def expected_providers(selection: Mapping[str, Any], probe: str) -> dict[str, Any]:
    """What a report may say of a selection (C(_selection.select)): no key.

    C(fingerprints): variable -> fingerprint. C(probe): V(none), V(listing) or V(chat).
    C(providers): provider id -> C(base_url), C(variable), C(key) (a fingerprint), C(models) (ids).
    """
    providers = {
        name: {
            "base_url": provider["block"]["baseUrl"],
            "variable": provider["env_var"],
            "key": selection["fingerprints"][provider["env_var"]],
            "models": [model["id"] for model in provider["block"]["models"]],
        }
        for name, provider in selection["providers"].items()
    }
    return {"fingerprints": selection["fingerprints"], "probe": probe, "providers": providers}


def fleet_report(hostvars: Mapping[str, Mapping[str, Any]], hosts: Iterable[str], generated: str) -> dict[str, Any]:
    """The report: the given hosts from what the role has registered of them, the worst first.

    C(generated) is the time of the run, in UTC as C(2026-11-01T08:00:00Z).
    """
    entries = sorted((_entry(name, hostvars[name]) for name in hosts), key=_order)
    counts = Counter(entry["status"] for entry in entries)
    return {
        "schema_version": SCHEMA_VERSION,
        "generated": generated,
        "counts": {"hosts": len(entries), **{status: counts[status] for status in STATUSES}},
        "hosts": entries,
    }


def _entry(name: str, known: Mapping[str, Any]) -> dict[str, Any]:
    gateway = _mapping(known.get("__providers_gateway"))
    files = _mapping(gateway.get("files"))
    # Asked by the host, or else from the control node.
    endpoints = _mapping(gateway.get("endpoints") or known.get("__providers_endpoints"))
    expected = _mapping(known.get("__providers_report_expected"))
    failure = known.get("__providers_report_failure")
    found = _findings(gateway, endpoints, expected, failure)
    statuses = {finding["status"] for finding in found}
    looked_at = "restart_required" in gateway
    return {
        "name": _text(name),
        "groups": sorted(_text(group) for group in _list(known.get("group_names"))),
        "status": next((status for status in STATUSES if status in statuses), "ok"),
        "findings": found,
        "product": _known_text(gateway.get("product")),
        "version": _known_text(gateway.get("version")),
        "started": _time(gateway.get("started")),
        "answers": _known_bool(gateway.get("answers")),
        "restart_required": _known_bool(gateway.get("restart_required")),
        "restart_reasons": [_message(reason) for reason in _list(gateway.get("restart_reasons"))[:_MOST_ITEMS]],
        "drift": {
            "config": bool(files.get("config_changed")),
            "env": bool(files.get("env_changed")),
            "unfinished": bool(files.get("unfinished")),
        }
        if files and not files.get("error")
        else None,
        "providers": _providers(expected, endpoints, gateway if looked_at and gateway.get("answers") is True else {}),
    }


def _findings(
    gateway: Mapping[str, Any],
    endpoints: Mapping[str, Any],
    expected: Mapping[str, Any],
    failure: Any,
) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    unreachable = next((result for result in (gateway, endpoints) if result.get("unreachable")), None)
    if unreachable is not None:
        found.append({"status": "unreachable", "text": str(unreachable.get("msg", "The host cannot be reached."))})
    if failure:
        found.append({"status": "failed", "text": str(failure)})
    if "restart_required" in gateway:
        try:
            asked = [] if "endpoints" in gateway else _list(endpoints.get("providers"))
            info = cast("GatewayInfo", gateway)
            problems = find_problems(info, _mapping(expected.get("fingerprints")), asked)
            found += [{"status": problem["status"], "text": problem["text"]} for problem in problems]
        except (AttributeError, KeyError, TypeError):
            found.append({"status": "failed", "text": _UNREADABLE})
    elif not found:
        found.append({"status": "failed", "text": _NOTHING})
    return [{"status": finding["status"], "text": _message(finding["text"])} for finding in found[:_MOST_ITEMS]]


def _providers(
    expected: Mapping[str, Any], endpoints: Mapping[str, Any], gateway: Mapping[str, Any]
) -> list[dict[str, Any]]:
    results = {
        str(result.get("name")): result
        for result in map(_mapping, _list(endpoints.get("providers")))
        if "status" in result
    }
    missing = _list(gateway.get("models_missing")) if "models_missing" in gateway else None
    return [
        _provider(name, wanted, results.get(name), expected.get("probe") == "chat", missing)
        for name, wanted in _mapping(expected.get("providers")).items()
    ]


def _provider(
    name: str, wanted: Mapping[str, Any], result: Mapping[str, Any] | None, chat: bool, missing: list[Any] | None
) -> dict[str, Any]:
    seen = result or {}
    return {
        "name": _text(name),
        "base_url": _text(wanted["base_url"]),
        "variable": _text(wanted["variable"]),
        "key": _matching(_FINGERPRINT, wanted["key"]),
        "status": (_matching(_STATUS, seen.get("status")) or "unknown") if result else "not_asked",
        "http_status": _known_number(seen.get("http_status")),
        "latency_ms": _known_number(seen.get("latency_ms")),
        "message": _message(seen.get("message", "")),
        "hint": _message(seen.get("hint", "")),
        "models": [
            {
                "id": _text(model),
                "status": _model_status(model, result, chat),
                "in_gateway": None if missing is None else f"{name}/{model}" not in missing,
            }
            for model in wanted["models"]
        ],
    }


def _model_status(model: str, result: Mapping[str, Any] | None, chat: bool) -> str:
    if result is None:
        return "not_asked"
    if model in _list(result.get("missing")):
        return "missing"
    listed = model in _list(result.get("listed"))
    if result["status"] == "ok":
        return "ok" if listed or chat else "unproven"
    # The key was accepted and the listing is good: it lacks another one.
    return "ok" if listed and result["status"] == "model_missing" else "unknown"


def _order(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    """The worst first, then by name, with numbers in it by their value."""
    parts = re.split(r"([0-9]+)", entry["name"])
    natural = [(len(part.lstrip("0")), part.lstrip("0")) if at % 2 else (0, part) for at, part in enumerate(parts)]
    return (STATUSES.index(entry["status"]), natural, entry["name"])


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _text(value: Any) -> str:
    """The text, fit to be shown: on one line, of a sensible length, without characters that do things."""
    text = "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in _UNFIT else char
        for char in " ".join(str(value)[: 2 * _LONGEST_TEXT].split())
    )
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _message(value: Any) -> str:
    """The text, and nothing in it that looks like a key: it may come from a program that repeats what it was given."""
    return _text(redact(str(value)[: 2 * _LONGEST_TEXT]))


def _known_text(value: Any) -> str | None:
    return _text(value) if isinstance(value, str) else None


def _known_bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _known_number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _matching(pattern: re.Pattern[str], value: Any) -> str | None:
    return str(value) if isinstance(value, str) and pattern.match(value) else None


def _time(value: Any) -> str | None:
    try:
        return datetime.strptime(value, _TIME_FORMAT).isoformat(timespec="seconds") + "Z"
    except (TypeError, ValueError):
        return None
