# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._report import (
    STATUSES,
    HostEntry,
    expected_providers,
    fleet_report,
)
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._selection import select
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._validation import Variables
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.plugin_utils.report_cases import (
    EXPECTED,
    FLEET,
    GATEWAY,
    GENERATED,
    HOSTILE,
    KIMICODE,
    MISSING,
    MOONSHOT,
    MOONSHOT_KEY,
    NOT_RUNNING,
    REJECTED,
    UNREACHABLE,
    host,
)

NOT_GATHERED = "The run ended before the state of this host was gathered."
OTHER = "sha256:222222222222"
INVALID = "The modules returned an invalid result. Check the host and its Python."


def entry_of(known: dict[str, Any]) -> HostEntry:
    """Return the entry of one host in the report."""
    return fleet_report({"h": known}, ["h"], GENERATED)["hosts"][0]


def test_expected_providers_are_the_selection_without_its_keys() -> None:
    keys = {"moonshot": "sk-" + "a" * 40, "kimicode": "sk-kimi-" + "b" * 40}
    blocks = {
        name: {
            "env_var": desired["variable"],
            "block": {
                "baseUrl": desired["base_url"],
                "models": [{"id": model, "name": model} for model in desired["models"]],
            },
        }
        for name, desired in EXPECTED["providers"].items()
    }
    selection = select(Variables(list(blocks), blocks, {}, keys, {}, None, None, "auto"))
    assert selection["problems"] == []

    expected = expected_providers(selection, "listing", "90")

    fingerprints = selection["fingerprints"]
    assert expected == {
        "fingerprints": fingerprints,
        "probe": "listing",
        "key_max_age": 90,
        "providers": {
            name: {**desired, "key": fingerprints[desired["variable"]]}
            for name, desired in EXPECTED["providers"].items()
        },
    }
    assert "sk-" not in json.dumps(expected)


def test_the_whole_entry_of_a_healthy_host() -> None:
    assert entry_of(host()) == {
        "name": "h",
        "groups": ["eu", "production"],
        "status": "ok",
        "findings": [],
        "product": "clawdbot",
        "version": "2026.1.24-3",
        "started": "2026-11-20T08:00:00Z",
        "answers": True,
        "restart_required": False,
        "restart_reasons": [],
        "drift": {"config": False, "env": False, "unfinished": False},
        "providers": [
            {
                "name": "moonshot",
                "base_url": "https://api.moonshot.cn/v1",
                "variable": "MOONSHOT_API_KEY",
                "key": "sha256:0123456789ab",
                "key_stored": "sha256:0123456789ab",
                "key_in_process": "sha256:0123456789ab",
                "key_previous": "sha256:111111111111",
                "key_pending": "",
                "key_age_days": 41,
                "status": "ok",
                "http_status": 200,
                "latency_ms": 212,
                "message": "lists kimi-k2.5, moonshot-v1-8k",
                "hint": "",
                "models": [
                    {"id": "kimi-k2.5", "status": "ok", "in_gateway": True},
                    {"id": "moonshot-v1-8k", "status": "ok", "in_gateway": True},
                ],
            },
            {
                "name": "kimicode",
                "base_url": "https://api.kimi.com/coding/v1",
                "variable": "KIMICODE_API_KEY",
                "key": "sha256:ba9876543210",
                "key_stored": "sha256:ba9876543210",
                "key_in_process": "sha256:ba9876543210",
                "key_previous": None,
                "key_pending": "",
                "key_age_days": None,
                "status": "ok",
                "http_status": 200,
                "latency_ms": 187,
                "message": "lists it",
                "hint": "",
                "models": [{"id": "kimi-for-coding", "status": "ok", "in_gateway": True}],
            },
        ],
    }


def test_the_report_has_the_worst_hosts_first_and_numbers_by_value() -> None:
    report = fleet_report(FLEET, list(FLEET), GENERATED)
    assert (report["schema_version"], report["generated"]) == (1, GENERATED)
    assert [(entry["name"], entry["status"]) for entry in report["hosts"]] == [
        ("gateway-1", "unreachable"),
        ("gateway-2", "failed"),
        ("gateway-3", "down"),
        (HOSTILE, "provider"),
        ("gateway-4", "provider"),
        ("gateway-5", "provider"),
        ("gateway-6", "gateway"),
        ("gateway-7", "restart"),
        ("gateway-8", "drift"),
        ("stale", "rotation"),
        ("gateway-9", "ok"),
        ("gateway-10", "ok"),
    ]
    assert report["counts"] == {"hosts": 12, **dict.fromkeys(STATUSES, 1), "provider": 3, "ok": 2}


FAILURE = "__providers_report_failure"
ENTRIES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "not gathered": ({}, [("failed", NOT_GATHERED)]),
    "unreachable": ({"__providers_gateway": UNREACHABLE}, [("unreachable", UNREACHABLE["msg"])]),
    "unreachable without a message": (
        {"__providers_gateway": {"unreachable": True}},
        [("unreachable", "The host is unreachable.")],
    ),
    "unreachable after the first module": (
        host(__providers_endpoints=UNREACHABLE),
        [("unreachable", UNREACHABLE["msg"])],
    ),
    "a failed task": ({FAILURE: "No."}, [("failed", "No.")]),
    "a failed task after the first module": (
        host(NOT_RUNNING, **{FAILURE: "The config cannot be read."}),
        [("failed", "The config cannot be read."), ("down", "The gateway is not running.")],
    ),
    "a module that failed": (
        {"__providers_gateway": {"failed": True, "msg": "No."}, FAILURE: "No."},
        [("failed", "No.")],
    ),
    "a key in a message": (
        {FAILURE: "cannot use sk-0123456789abcdef0123456789abcdef of org-5d41402abc4b2a76"},
        [("failed", "cannot use <redacted> of <redacted>")],
    ),
    "a message of several lines with colours": (
        {FAILURE: "a\n\tb \x1b[31mc\u202e"},
        [("failed", "a b \ufffd[31mc\ufffd")],
    ),
    "a surrogate": ({FAILURE: "a\ud800"}, [("failed", "a\ufffd")]),
    "a long message": ({FAILURE: "x" * 5000}, [("failed", "x" * 999 + "\u2026")]),
    "a gateway with an invalid value": (host({"variables": 3}), [("failed", INVALID)]),
    "endpoints with an invalid value": (
        host(__providers_endpoints={"providers": [{"status": "timeout"}, 3]}),
        [("failed", INVALID)],
    ),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_findings_of_a_host(name: str) -> None:
    known, expected = ENTRIES[name]
    found = entry_of(known)["findings"]
    assert [(finding["status"], finding["text"]) for finding in found] == expected


MODELS: dict[str, tuple[dict[str, Any], str, list[tuple[str, bool | None]]]] = {
    "listed": (host(), "ok", [("ok", True), ("ok", True)]),
    "not listed": (host(moonshot=MISSING), "model_missing", [("ok", True), ("missing", True)]),
    "retired": (
        host(moonshot={**MISSING, "status": "model_retired"}),
        "model_retired",
        [("ok", True), ("missing", True)],
    ),
    "optional": (
        host(moonshot={"listed": ["kimi-k2.5"], "optional_missing": ["moonshot-v1-8k"]}),
        "ok",
        [("ok", True), ("optional", None)],
    ),
    "optional, and not asked by a chat": (
        host(
            {"models_missing": ["moonshot/moonshot-v1-8k"]},
            moonshot={"listed": ["kimi-k2.5"], "optional_missing": ["moonshot-v1-8k"]},
            __providers_report_expected={**EXPECTED, "probe": "chat"},
        ),
        "ok",
        [("ok", True), ("optional", None)],
    ),
    "rejected": (host(moonshot=REJECTED), "unauthorized", [("unknown", True), ("unknown", True)]),
    "accepted without being listed": (
        host(moonshot={"listed": ["kimi-k2.5"]}),
        "ok",
        [("ok", True), ("unverified", True)],
    ),
    "accepted without being listed, and answered": (
        host(moonshot={"listed": ["kimi-k2.5"]}, __providers_report_expected={**EXPECTED, "probe": "chat"}),
        "ok",
        [("ok", True), ("ok", True)],
    ),
    "not in the gateway": (
        host({"models_missing": ["moonshot/moonshot-v1-8k"]}),
        "ok",
        [("ok", True), ("ok", False)],
    ),
    "a gateway that does not answer": (host(NOT_RUNNING), "ok", [("ok", None), ("ok", None)]),
    "not asked": (
        host(__providers_endpoints={"skipped": True}),
        "not_asked",
        [("not_asked", True), ("not_asked", True)],
    ),
    "an unknown status": (host(moonshot={"status": "<b>"}), "unknown", [("unknown", True), ("unknown", True)]),
    "many": (
        host(moonshot={"listed": [f"m{number}" for number in range(5000)] + ["kimi-k2.5", "moonshot-v1-8k"]}),
        "ok",
        [("ok", True), ("ok", True)],
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_provider_and_its_models(name: str) -> None:
    known, status, models = MODELS[name]
    provider = entry_of(known)["providers"][0]
    assert provider["status"] == status
    assert [(model["status"], model["in_gateway"]) for model in provider["models"]] == models


KEYS: dict[str, tuple[Any, tuple[str | None, str | None, str | None]]] = {
    "up to date": (MOONSHOT_KEY, ("sha256:0123456789ab", "sha256:0123456789ab", "")),
    "a new key in the inventory": (
        {**MOONSHOT_KEY, "stored": OTHER, "in_process": OTHER},
        (OTHER, OTHER, "sha256:0123456789ab"),
    ),
    "a process with an older key": (
        {**MOONSHOT_KEY, "in_process": OTHER},
        ("sha256:0123456789ab", OTHER, ""),
    ),
    "no key yet": ({**MOONSHOT_KEY, "stored": "", "in_process": ""}, ("", "", "sha256:0123456789ab")),
    "not known": ({**MOONSHOT_KEY, "stored": None, "in_process": None}, (None, None, None)),
    "not gathered": (None, (None, None, None)),
    "something else": ({"stored": "sk-0123456789", "in_process": 7, "previous": []}, (None, None, None)),
}


@pytest.mark.parametrize(("key", "expected"), KEYS.values(), ids=KEYS)
def test_the_keys_of_a_host(key: Any, expected: tuple[str | None, ...]) -> None:
    provider = entry_of(host({"keys": {"moonshot": key} if key else {}}))["providers"][0]
    assert (provider["key_stored"], provider["key_in_process"], provider["key_pending"]) == expected


def test_a_key_that_is_too_old_is_a_finding() -> None:
    entry = entry_of(FLEET["stale"])
    assert (entry["status"], entry["findings"]) == (
        "rotation",
        [
            {
                "status": "rotation",
                "text": "The key sha256:0123456789ab of moonshot is 91 days old, more than the 90 of "
                "providers_key_max_age. Create a new one, and run the playbook clawfleet.clawdbot.rotate.",
            }
        ],
    )


@pytest.mark.parametrize(
    "started", [None, "yesterday", "2026-99-99T00:00:00.000Z", 4711, "2026-11-20T08:00:00.000Z<b>"]
)
def test_an_invalid_start_is_unknown(started: Any) -> None:
    assert entry_of(host({"started": started}))["started"] is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*GATEWAY, *MOONSHOT, "unreachable", "msg"]) | st.text(max_size=4), inner)
    ),
    max_leaves=12,
)


def _invalid(good: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(list(good)), ANYTHING, max_size=3).map(lambda bad: {**good, **bad})


@given(
    st.fixed_dictionaries(
        {
            "__providers_gateway": _invalid(host()["__providers_gateway"]) | ANYTHING,
            "__providers_endpoints": st.fixed_dictionaries(
                {"providers": st.lists(_invalid(MOONSHOT) | _invalid(KIMICODE) | ANYTHING, max_size=2)}
            )
            | ANYTHING,
            "__providers_report_failure": ANYTHING,
            "__providers_report_expected": st.just(EXPECTED),
            "group_names": ANYTHING,
        }
    )
)
def test_any_result_of_a_host_gives_an_entry(known: dict[str, Any]) -> None:
    entry = entry_of(known)
    assert entry.keys() == entry_of(host()).keys()
    assert entry["status"] in STATUSES
    assert (entry["status"] == "ok") == (not entry["findings"])
    json.dumps(entry).encode()
