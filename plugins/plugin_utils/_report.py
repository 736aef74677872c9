# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The report of a fleet as data, on the control node. docs/report.md documents each field.

The results of the hosts are not trusted: they can have any shape and size, and their strings any characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, TypedDict, cast, get_args

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.diagnosis import ProblemStatus, find_problems
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.info import GatewayInfo, KeyInfo
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import redact
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._key_age import judged_keys, parse_keys
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._selection import Selection

SCHEMA_VERSION = 1
Status = Literal["unreachable", ProblemStatus, "rotation", "ok"]
"""The status of a host, the worst first. A host has the status of its worst finding. `rotation`: a key is too old."""
STATUSES: tuple[Status, ...] = get_args(Status)
ModelStatus = Literal["ok", "missing", "optional", "unverified", "unknown", "not_asked"]

_LONGEST_STRING = 1000
_MOST_ITEMS = 200
_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{12}\Z")
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
_STATUS = re.compile(r"[a-z_]{1,40}\Z")
# Unicode categories of control characters, of marks that change the direction of what follows, and of surrogates.
_REPLACED = ("Cc", "Cf", "Cs")
_NO_KEY: KeyInfo = {"stored": None, "in_process": None, "previous": None, "age_days": None}
_NOT_GATHERED = "The run ended before the state of this host was gathered."
_INVALID = "The modules returned an invalid result. Check the host and its Python."


class ExpectedProvider(TypedDict):
    """One provider of the inventory. `variable`: its environment variable. `key`: a fingerprint. `models`: ids."""

    base_url: str
    variable: str
    key: str
    models: list[str]


class Expected(TypedDict):
    """The desired providers of a host, without their keys."""

    #: Environment variable -> fingerprint of its key.
    fingerprints: dict[str, str]
    probe: Literal["none", "listing", "chat"]
    #: Days, 0 for any age.
    key_max_age: int
    #: By provider id.
    providers: dict[str, ExpectedProvider]


class Finding(TypedDict):
    """One thing that is wrong with a host."""

    status: Status
    text: str


class ModelEntry(TypedDict):
    """One desired model."""

    id: str
    status: ModelStatus
    in_gateway: bool | None


class ProviderEntry(TypedDict):
    """One desired provider. `status`: of verify_models, or `not_asked`, or `unknown`.

    `key`: of the inventory. Those of the host are empty where there is none.
    """

    name: str
    base_url: str
    variable: str
    key: str | None
    key_stored: str | None
    key_in_process: str | None
    key_previous: str | None
    key_pending: str | None
    key_age_days: int | None
    status: str
    http_status: int | None
    latency_ms: int | None
    message: str
    hint: str
    models: list[ModelEntry]


class DriftEntry(TypedDict):
    """Which files differ from the inventory, and whether an earlier run was not completed."""

    config: bool
    env: bool
    unfinished: bool


class HostEntry(TypedDict):
    """One host. What is not known is None."""

    name: str
    groups: list[str]
    status: Status
    findings: list[Finding]
    product: str | None
    version: str | None
    started: str | None
    answers: bool | None
    restart_required: bool | None
    restart_reasons: list[str]
    drift: DriftEntry | None
    providers: list[ProviderEntry]


class Report(TypedDict):
    """The report. `generated`: in UTC as `2026-11-01T08:00:00Z`. `counts`: `hosts` or a status -> number of hosts."""

    schema_version: int
    generated: str
    counts: dict[str, int]
    hosts: list[HostEntry]


def expected_providers(
    selection: Selection, probe: Literal["none", "listing", "chat"], key_max_age: int | str
) -> Expected:
    """Return what a report may contain of a selection. The others are variables of the role."""
    providers: dict[str, ExpectedProvider] = {
        name: {
            "base_url": provider["block"]["baseUrl"],
            "variable": provider["env_var"],
            "key": selection["fingerprints"][provider["env_var"]],
            "models": [model["id"] for model in provider["block"]["models"]],
        }
        for name, provider in selection["providers"].items()
    }
    return {
        "fingerprints": selection["fingerprints"],
        "probe": probe,
        "key_max_age": int(key_max_age),
        "providers": providers,
    }


def fleet_report(hostvars: Mapping[str, Mapping[str, Any]], hosts: Iterable[str], generated: str) -> Report:
    """Return the report of the given hosts, the worst first, from what the role has registered in `hostvars`.

    `generated`: the time of the run in UTC, as `2026-11-01T08:00:00Z`.
    """
    entries = sorted((_entry(name, hostvars[name]) for name in hosts), key=_order)
    counts = Counter(entry["status"] for entry in entries)
    return {
        "schema_version": SCHEMA_VERSION,
        "generated": generated,
        "counts": {"hosts": len(entries), **{status: counts[status] for status in STATUSES}},
        "hosts": entries,
    }


def _entry(name: str, variables: Mapping[str, Any]) -> HostEntry:
    gateway = _mapping(variables.get("__providers_gateway"))
    files = _mapping(gateway.get("files"))
    # Asked by the host, or else from the control node.
    endpoints = _mapping(gateway.get("endpoints") or variables.get("__providers_endpoints"))
    expected = cast("Expected", _mapping(variables.get("__providers_report_expected")))
    keys = {name: key for name, key in parse_keys(gateway.get("keys")).items() if name in expected.get("providers", {})}
    findings = _findings(gateway, endpoints, expected, variables.get("__providers_report_failure"))
    too_old = judged_keys(keys, expected.get("key_max_age", 0))["too_old"]
    findings += [{"status": "rotation", "text": _message(text)} for text in too_old]
    statuses = {finding["status"] for finding in findings}
    drift: DriftEntry = {
        "config": bool(files.get("config_changed")),
        "env": bool(files.get("env_changed")),
        "unfinished": bool(files.get("unfinished")),
    }
    answers = _is_gathered(gateway) and gateway.get("answers") is True
    return {
        "name": _string(name),
        "groups": sorted(_string(group) for group in _list(variables.get("group_names"))),
        "status": next((status for status in STATUSES if status in statuses), "ok"),
        "findings": findings,
        "product": _known_string(gateway.get("product")),
        "version": _known_string(gateway.get("version")),
        "started": _time(gateway.get("started")),
        "answers": _known_bool(gateway.get("answers")),
        "restart_required": _known_bool(gateway.get("restart_required")),
        "restart_reasons": [_message(reason) for reason in _list(gateway.get("restart_reasons"))[:_MOST_ITEMS]],
        "drift": drift if files and not files.get("error") else None,
        "providers": _providers(expected, endpoints, gateway if answers else {}, keys),
    }


def _is_gathered(gateway: Mapping[str, Any]) -> bool:
    """Whether the module gateway_info returned the state of the gateway, in place of failing."""
    return "restart_required" in gateway


def _findings(
    gateway: Mapping[str, Any], endpoints: Mapping[str, Any], expected: Expected, failure: Any
) -> list[Finding]:
    found: list[Finding] = []
    unreachable = next((result for result in (gateway, endpoints) if result.get("unreachable")), None)
    if unreachable is not None:
        found.append({"status": "unreachable", "text": str(unreachable.get("msg", "The host is unreachable."))})
    if failure:
        found.append({"status": "failed", "text": str(failure)})
    if _is_gathered(gateway):
        try:
            asked = [] if "endpoints" in gateway else _list(endpoints.get("providers"))
            info = cast(GatewayInfo, gateway)
            problems = find_problems(info, expected.get("fingerprints", {}), asked)
            found += [{"status": problem["status"], "text": problem["text"]} for problem in problems]
        except (AttributeError, KeyError, TypeError):
            found.append({"status": "failed", "text": _INVALID})
    elif not found:
        found.append({"status": "failed", "text": _NOT_GATHERED})
    return [{"status": finding["status"], "text": _message(finding["text"])} for finding in found[:_MOST_ITEMS]]


def _providers(
    expected: Expected, endpoints: Mapping[str, Any], gateway: Mapping[str, Any], keys: Mapping[str, KeyInfo]
) -> list[ProviderEntry]:
    """Return the desired providers. `gateway`: empty unless it answers."""
    results = {
        str(result.get("name")): result
        for result in map(_mapping, _list(endpoints.get("providers")))
        if "status" in result
    }
    missing = _list(gateway.get("models_missing")) if "models_missing" in gateway else None
    return [
        _provider(name, desired, results.get(name), expected.get("probe") == "chat", missing, keys.get(name, _NO_KEY))
        for name, desired in expected.get("providers", {}).items()
    ]


def _provider(
    name: str,
    desired: ExpectedProvider,
    result: Mapping[str, Any] | None,
    chat: bool,
    missing: list[Any] | None,
    key: KeyInfo,
) -> ProviderEntry:
    known = result or {}
    stored = key["stored"]
    return {
        "name": _string(name),
        "base_url": _string(desired["base_url"]),
        "variable": _string(desired["variable"]),
        "key": _matching(_FINGERPRINT, desired["key"]),
        "key_stored": stored,
        "key_in_process": key["in_process"],
        "key_previous": key["previous"],
        "key_pending": None if stored is None else "" if stored == desired["key"] else desired["key"],
        "key_age_days": key["age_days"],
        "status": (_matching(_STATUS, known.get("status")) or "unknown") if result else "not_asked",
        "http_status": _known_number(known.get("http_status")),
        "latency_ms": _known_number(known.get("latency_ms")),
        "message": _message(known.get("message", "")),
        "hint": _message(known.get("hint", "")),
        "models": [
            {
                "id": _string(model),
                "status": status,
                "in_gateway": None if missing is None or status == "optional" else f"{name}/{model}" not in missing,
            }
            for model, status in ((model, _model_status(model, result, chat)) for model in desired["models"])
        ],
    }


def _model_status(model: str, result: Mapping[str, Any] | None, chat: bool) -> ModelStatus:
    if result is None:
        return "not_asked"
    if model in _list(result.get("missing")):
        return "missing"
    if model in _list(result.get("optional_missing")):
        return "optional"
    listed = model in _list(result.get("listed"))
    if result["status"] == "ok":
        return "ok" if listed or chat else "unverified"
    # The key and the list are valid. Another model is missing.
    return "ok" if listed and result["status"] in ("model_missing", "model_retired") else "unknown"


def _order(entry: HostEntry) -> tuple[Any, ...]:
    """Return the sort key of a host: the worst first, then by name, with numbers in it by their value."""
    parts = re.split(r"([0-9]+)", entry["name"])
    natural = [(len(part.lstrip("0")), part.lstrip("0")) if at % 2 else (0, part) for at, part in enumerate(parts)]
    return (STATUSES.index(entry["status"]), natural, entry["name"])


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _string(value: Any) -> str:
    """Return a value as a string on one line, of limited length, without control characters."""
    string = "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in _REPLACED else char
        for char in " ".join(str(value)[: 2 * _LONGEST_STRING].split())
    )
    return string if len(string) <= _LONGEST_STRING else string[: _LONGEST_STRING - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _message(value: Any) -> str:
    """Return a message as `_string`, redacted: it may come from a CLI that repeats its input."""
    return _string(redact(str(value)[: 2 * _LONGEST_STRING]))


def _known_string(value: Any) -> str | None:
    return _string(value) if isinstance(value, str) else None


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
