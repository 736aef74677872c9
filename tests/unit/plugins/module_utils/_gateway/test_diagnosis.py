# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.diagnosis import faults, findings, obstacles

GOOD: dict[str, Any] = {
    "product": "clawdbot",
    "program": ["/usr/bin/node", "/opt/clawdbot/dist/entry.js"],
    "state_dir": "/home/g/.clawdbot",
    "state_dir_exists": True,
    "service_name": "clawdbot-gateway",
    "service_loaded": True,
    "env_path": "/home/g/.clawdbot/.env",
    "port": 18789,
    "pid": 4711,
    "answers": True,
    "restart_reasons": [],
    "variables": {"MOONSHOT_API_KEY": {"overriding_env": []}},
}
WANTED = {"MOONSHOT_API_KEY": "sha256:aaa"}


def source(place: str, value: str) -> dict[str, str]:
    return {"place": place, "fingerprint": f"sha256:{value}"}


def shadowed(*sources: dict[str, str]) -> dict[str, Any]:
    return {"variables": {"MOONSHOT_API_KEY": {"overriding_env": list(sources)}}}


SHADOWED = (
    "MOONSHOT_API_KEY is also set in process environment, to another value (sha256:bbb), and that one wins over "
    "/home/g/.clawdbot/.env: take it out there."
)
SHADOWS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing wins": ({}, []),
    "another value wins": (shadowed(source("process environment", "bbb")), [SHADOWED]),
    "the same value wins": (shadowed(source("process environment", "aaa")), []),
    "the same value wins over another": (
        shadowed(source("process environment", "aaa"), source("/home/g/.env", "bbb")),
        [],
    ),
    "another value wins over the same": (
        shadowed(source("process environment", "bbb"), source("/home/g/.env", "aaa")),
        [SHADOWED],
    ),
    "not traced": ({"variables": {}}, []),
    "traced, but not wanted": (
        {"variables": {"OTHER": {"overriding_env": [source("process environment", "bbb")]}}},
        [],
    ),
}
OVERRIDDEN = {"kind": "auth_profile", "name": "moonshot:default", "place": "/home/g/auth-profiles.json"}
KNOWN = {"kind": "variable", "name": "MOONSHOT_API_KEY", "place": "/home/g/.env"}


def overridden(variable: str, *others: dict[str, str]) -> dict[str, Any]:
    return {"providers": {"moonshot": {"variable": variable, "overridden_by": list(others)}}}


OVERRIDES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": (overridden("MOONSHOT_API_KEY"), []),
    "a profile with the same key": (overridden("MOONSHOT_API_KEY", {**OVERRIDDEN, "fingerprint": "sha256:aaa"}), []),
    "a profile with another key": (
        overridden("MOONSHOT_API_KEY", {**OVERRIDDEN, "fingerprint": "sha256:bbb"}),
        [
            "The auth profile moonshot:default in /home/g/auth-profiles.json holds another key (sha256:bbb) for "
            "moonshot, and that one wins over MOONSHOT_API_KEY: take it out there."
        ],
    ),
    "a known variable and a profile with another key": (
        overridden(
            "MOONSHOT_API_KEY", {**OVERRIDDEN, "fingerprint": "sha256:aaa"}, {**KNOWN, "fingerprint": "sha256:bbb"}
        ),
        [
            "MOONSHOT_API_KEY, set in /home/g/.env, holds another key (sha256:bbb) for moonshot, and that one wins "
            "over MOONSHOT_API_KEY: take it out there."
        ],
    ),
    "of a provider that is not asked about": (overridden("OTHER", {**OVERRIDDEN, "fingerprint": "sha256:bbb"}), []),
}
NO_PROGRAM = (
    "The program clawdbot was found neither in the gateway's service nor on the PATH of its account, so no config can "
    "be checked: install the product, or see to it that the unit or the PATH leads to it."
)
NO_UNIT = (
    "systemd has no unit clawdbot-gateway there: see to it that providers_service_manager, providers_service_name and "
    "providers_user are those of the gateway, and that the account of a user unit has lingering."
)
NO_FOLDER = (
    "There is no folder /home/g/.clawdbot on the host: see to it that providers_user and providers_state_dir are those "
    "of the gateway, and that the product is set up for that account."
)
FAULTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "works": ({"models_missing": []}, []),
    "no process": (
        {"pid": None, "answers": False, "restart_reasons": ["The gateway is not running."], "models_missing": ["a/b"]},
        ["The gateway is not running."],
    ),
    "no answer": (
        {"answers": False, "models_missing": ["a/b"]},
        ["The gateway runs, but does not answer on port 18789."],
    ),
    "models missing": ({"models_missing": ["a/b", "c/d"]}, ["The gateway does not list a/b, c/d."]),
    "all at once": (
        {
            "restart_reasons": ["It is old."],
            "models_missing": ["a/b"],
            **shadowed(source("process environment", "bbb")),
        },
        ["It is old.", "The gateway does not list a/b.", SHADOWED],
    ),
}


@pytest.mark.parametrize("name", SHADOWS)
def test_shadows_are_faults_and_obstacles(name: str) -> None:
    changed, expected = SHADOWS[name]
    assert faults({**GOOD, **changed}, WANTED) == expected
    assert obstacles({**GOOD, **changed}, WANTED) == expected


@pytest.mark.parametrize("name", OVERRIDES)
def test_what_wins_over_a_variable_is_a_fault_and_an_obstacle(name: str) -> None:
    changed, expected = OVERRIDES[name]
    assert faults({**GOOD, **changed}, WANTED) == expected
    assert obstacles({**GOOD, **changed}, WANTED) == expected


@pytest.mark.parametrize("name", FAULTS)
def test_faults(name: str) -> None:
    changed, expected = FAULTS[name]
    assert faults({**GOOD, **changed}, WANTED) == expected


ENDPOINT = {"name": "moonshot", "status": "timeout", "message": "no answer", "hint": "Wait."}
FILES = {"up_to_date": True, "config_changed": False, "env_changed": False, "unfinished": False, "error": ""}
CONFIG = ("drift", "The config is not as the inventory has it: run the role.")
FINDINGS: dict[str, tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any] | None, list[tuple[str, str]]]] = {
    "nothing wrong": ({}, [{**ENDPOINT, "status": "ok"}], FILES, []),
    "neither asked nor compared": ({}, [], None, []),
    "no process": (
        {"pid": None, "answers": False, "restart_reasons": ["The gateway is not running."]},
        [],
        FILES,
        [("down", "The gateway is not running.")],
    ),
    "no answer": ({"answers": False}, [], FILES, [("down", "The gateway runs, but does not answer on port 18789.")]),
    "an old process": ({"restart_reasons": ["It is old."]}, [], FILES, [("restart", "It is old.")]),
    "models missing": ({"models_missing": ["a/b"]}, [], FILES, [("gateway", "The gateway does not list a/b.")]),
    "a shadow": (shadowed(source("process environment", "bbb")), [], FILES, [("gateway", SHADOWED)]),
    "an endpoint": ({}, [ENDPOINT], FILES, [("provider", "moonshot: timeout: no answer: Wait.")]),
    "the config": ({}, [], {**FILES, "config_changed": True}, [CONFIG]),
    "the keys": (
        {},
        [],
        {**FILES, "env_changed": True},
        [("drift", ".env does not hold the keys of the inventory: run the role.")],
    ),
    "a run that died": (
        {},
        [],
        {**FILES, "unfinished": True},
        [("drift", "An earlier run was not completed: run the role.")],
    ),
    "files that cannot be compared": (
        {},
        [],
        {**FILES, "up_to_date": False, "error": "/home/g/clawdbot.json cannot be read."},
        [("failed", "/home/g/clawdbot.json cannot be read.")],
    ),
    "several": (
        {"restart_reasons": ["It is old."]},
        [ENDPOINT],
        {**FILES, "config_changed": True},
        [("restart", "It is old."), ("provider", "moonshot: timeout: no answer: Wait."), CONFIG],
    ),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_findings(name: str) -> None:
    changed, endpoints, files, expected = FINDINGS[name]
    seen = {**GOOD, **changed, **({"files": files} if files else {})}
    for found in (
        findings(seen, WANTED, endpoints),
        findings({**seen, "endpoints": {"ok": False, "providers": endpoints}}, WANTED),
    ):
        assert [(finding["status"], finding["text"]) for finding in found] == expected


def test_an_old_process_is_no_obstacle() -> None:
    assert obstacles({**GOOD, "pid": None, "answers": False, "restart_reasons": ["It is old."]}, WANTED) == []


OBSTACLES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no program": ({"program": []}, [NO_PROGRAM]),
    "no unit": ({"service_loaded": False}, [NO_UNIT]),
    "no unit and no program": ({"service_loaded": False, "program": []}, [NO_UNIT, NO_PROGRAM]),
    "a service that nothing tells of": ({"service_loaded": None}, []),
    "no state folder, and so nothing else": (
        {"state_dir_exists": False, "service_loaded": False, "program": []},
        [NO_FOLDER],
    ),
}


@pytest.mark.parametrize("name", OBSTACLES)
def test_obstacles(name: str) -> None:
    changed, expected = OBSTACLES[name]
    assert obstacles({**GOOD, **changed}, WANTED) == expected
