# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.diagnosis import (
    find_blockers,
    find_health_problems,
    find_problems,
    find_unknowns,
)

GOOD: dict[str, Any] = {
    "product": "clawdbot",
    "version": "2026.1.24-3",
    "program": ["/usr/bin/node", "/opt/clawdbot/dist/entry.js"],
    "started_by": None,
    "missing_files": [],
    "isolated": False,
    "config_path": "/home/g/.clawdbot/clawdbot.json",
    "process_state_dir": None,
    "process_config_path": None,
    "process_env_path": None,
    "listening": "known",
    "port_taken_by": "",
    "state_dir": "/home/g/.clawdbot",
    "state_dir_exists": True,
    "service_name": "clawdbot-gateway",
    "service_loaded": True,
    "env_path": "/home/g/.clawdbot/.env",
    "key_file": "/home/g/.clawdbot/.env",
    "port": 18789,
    "pid": 4711,
    "environment": "known",
    "answers": True,
    "restart_reasons": [],
    "unserved_choices": [],
    "config_put_back": "",
    "variables": {"MOONSHOT_API_KEY": {"overriding_env": []}},
    "providers": {},
    "unreadable_stores": [],
}
DESIRED = {"MOONSHOT_API_KEY": "sha256:aaa"}


def health_texts(gateway: Any, fingerprints: dict[str, str]) -> list[str]:
    return [problem["text"] for problem in find_health_problems(gateway, fingerprints)]


def source(place: str, value: str) -> dict[str, str]:
    return {"place": place, "fingerprint": f"sha256:{value}"}


def set_elsewhere(*sources: dict[str, str]) -> dict[str, Any]:
    return {"variables": {"MOONSHOT_API_KEY": {"overriding_env": list(sources)}}}


OVERRIDDEN_TEXT = (
    "MOONSHOT_API_KEY is also set in process environment, to another value (sha256:bbb), which takes "
    "precedence over /home/g/.clawdbot/.env. Remove it there."
)
ENV_OVERRIDES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no other place": ({}, []),
    "another value": (set_elsewhere(source("process environment", "bbb")), [OVERRIDDEN_TEXT]),
    "the same value": (set_elsewhere(source("process environment", "aaa")), []),
    "the same value before another": (
        set_elsewhere(source("process environment", "aaa"), source("/home/g/.env", "bbb")),
        [],
    ),
    "another value before the same": (
        set_elsewhere(source("process environment", "bbb"), source("/home/g/.env", "aaa")),
        [OVERRIDDEN_TEXT],
    ),
    "not traced": ({"variables": {}}, []),
    "traced, but not desired": (
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
            "Auth profile moonshot:default in /home/g/auth-profiles.json contains another key (sha256:bbb) for "
            "moonshot, which takes precedence over MOONSHOT_API_KEY. Remove it there."
        ],
    ),
    "a profile with another key in a database": (
        overridden("MOONSHOT_API_KEY", {**OVERRIDDEN, "place": "/s/openclaw.sqlite", "fingerprint": "sha256:bbb"}),
        [
            "Auth profile moonshot:default in /s/openclaw.sqlite contains another key (sha256:bbb) for moonshot, which "
            "takes precedence over MOONSHOT_API_KEY. Run clawfleet.clawdbot.purge, or `openclaw models auth logout`."
        ],
    ),
    "a known variable and a profile with another key": (
        overridden(
            "MOONSHOT_API_KEY", {**OVERRIDDEN, "fingerprint": "sha256:aaa"}, {**KNOWN, "fingerprint": "sha256:bbb"}
        ),
        [
            "MOONSHOT_API_KEY, set in /home/g/.env, contains another key (sha256:bbb) for moonshot, which takes "
            "precedence over MOONSHOT_API_KEY. Remove it there."
        ],
    ),
    "of a provider without a desired key": (overridden("OTHER", {**OVERRIDDEN, "fingerprint": "sha256:bbb"}), []),
}
NO_PROGRAM = (
    "The CLI `clawdbot` is neither in the gateway's service nor on the PATH of its account, so no config can be "
    "checked. Install it, or correct the unit or the PATH."
)
NO_UNIT = (
    "systemd has no unit clawdbot-gateway. Check `providers_service_manager`, `providers_service_name` and "
    "`providers_user`, and enable lingering for the account of a user unit."
)
NO_STATE_DIR = "State directory /home/g/.clawdbot does not exist. Check `providers_user` and `providers_state_dir`."
HEALTH_PROBLEMS: dict[str, tuple[dict[str, Any], list[str]]] = {
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
            **set_elsewhere(source("process environment", "bbb")),
        },
        ["It is old.", "The gateway does not list a/b.", OVERRIDDEN_TEXT],
    ),
}


@pytest.mark.parametrize("name", ENV_OVERRIDES)
def test_another_place_that_sets_the_variable_is_a_problem_and_a_blocker(name: str) -> None:
    changed, expected = ENV_OVERRIDES[name]
    assert health_texts({**GOOD, **changed}, DESIRED) == expected
    assert find_blockers({**GOOD, **changed}, DESIRED) == expected


@pytest.mark.parametrize("name", OVERRIDES)
def test_another_key_of_the_provider_is_a_problem_and_a_blocker(name: str) -> None:
    changed, expected = OVERRIDES[name]
    assert health_texts({**GOOD, **changed}, DESIRED) == expected
    assert find_blockers({**GOOD, **changed}, DESIRED) == expected


@pytest.mark.parametrize("name", HEALTH_PROBLEMS)
def test_health_problems(name: str) -> None:
    changed, expected = HEALTH_PROBLEMS[name]
    assert health_texts({**GOOD, **changed}, DESIRED) == expected


ENDPOINT = {"name": "moonshot", "status": "timeout", "message": "no answer", "hint": "Wait."}
FILES = {
    "up_to_date": True,
    "config_changed": False,
    "env_changed": False,
    "keys_changed": False,
    "unfinished": False,
    "error": "",
}
CONFIG = ("drift", "The config differs from the inventory. Run the role.")
PROBLEMS: dict[str, tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any] | None, list[tuple[str, str]]]] = {
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
    "a key set elsewhere": (
        set_elsewhere(source("process environment", "bbb")),
        [],
        FILES,
        [("gateway", OVERRIDDEN_TEXT)],
    ),
    "an endpoint": ({}, [ENDPOINT], FILES, [("provider", "moonshot: timeout: no answer: Wait.")]),
    "the config": ({}, [], {**FILES, "config_changed": True}, [CONFIG]),
    "the keys": (
        {},
        [],
        {**FILES, "env_changed": True},
        [("drift", ".env does not contain the keys of the inventory. Run the role.")],
    ),
    "a run that died": (
        {},
        [],
        {**FILES, "unfinished": True},
        [("drift", "An earlier run was not completed. Run the role.")],
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


@pytest.mark.parametrize("name", PROBLEMS)
def test_problems(name: str) -> None:
    changed, endpoints, files, expected = PROBLEMS[name]
    seen = {**GOOD, **changed, **({"files": files} if files else {})}
    for found in (
        find_problems(seen, DESIRED, endpoints),
        find_problems({**seen, "endpoints": {"ok": False, "providers": endpoints}}, DESIRED),
    ):
        assert [(problem["status"], problem["text"]) for problem in found] == expected


def test_a_config_that_was_replaced_is_no_health() -> None:
    assert health_texts({**GOOD, "config_put_back": "It was put back."}, DESIRED) == ["It was put back."]


UNSERVED = {"place": "agents.defaults.model", "model": "nosuch/x", "text": "agents.defaults.model is nosuch/x."}


def test_a_default_that_no_provider_serves_blocks_and_is_no_health() -> None:
    gateway: Any = {**GOOD, "unserved_choices": [UNSERVED]}
    assert find_blockers(gateway, DESIRED) == [UNSERVED["text"]]
    assert health_texts({**gateway, "models_missing": []}, DESIRED) == [UNSERVED["text"]]
    # Between the write of new keys and that of the config, which may replace it.
    assert health_texts(gateway, DESIRED) == []


def test_an_old_process_does_not_block() -> None:
    assert find_blockers({**GOOD, "pid": None, "answers": False, "restart_reasons": ["It is old."]}, DESIRED) == []


RUN_ON_HOST = (
    'Run the gateway on the host itself, or change its keys by hand: see "Supported gateways" in the documentation.'
)
CONTAINER = (
    "The gateway's process 4711 runs in a container: it has other files than its account has on the host. "
    f"{RUN_ON_HOST}"
)
PODMAN = (
    "The gateway is started by /usr/bin/podman, and not by Node with the entry script of Clawdbot. Nothing else is "
    f"executed, so no config can be checked. {RUN_ON_HOST}"
)
GONE = (
    "The gateway is started from /n/node, /p/entry.js, which no longer exists, so it would not start again. Install "
    "Clawdbot again, or correct the command of its service."
)
OLD_OPENCLAW = "OpenClaw {} has no command that checks a config. Update it to 2026.3.2 or later."
ELSEWHERE = (
    "Unit clawdbot-gateway uses state directory /srv/x, and the inventory means /home/g/.clawdbot. Set "
    "`providers_state_dir` to that of the gateway, or `providers_service_name` to the unit that uses /home/g/.clawdbot."
)
OTHER_CONFIG = (
    "The gateway uses config /etc/c.json, and the inventory means /home/g/.clawdbot/clawdbot.json. Set "
    "`providers_config_path` to that of the gateway, or `providers_service_name` to the unit that uses "
    "/home/g/.clawdbot/clawdbot.json."
)
TAKEN = (
    "Unit clawdbot-gateway does not run, and the system unit clawdbot answers on its port 18789. Set "
    "`providers_service_manager` and `providers_service_name` to what runs the gateway, and remove the other, or give "
    "it a port of its own. A gateway in a container is not supported."
)
BLOCKERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no program": ({"program": []}, [NO_PROGRAM]),
    "no unit": ({"service_loaded": False}, [NO_UNIT]),
    "no unit and no program": ({"service_loaded": False, "program": []}, [NO_UNIT, NO_PROGRAM]),
    "an unknown service": ({"service_loaded": None}, []),
    "another state directory, and so another config": (
        {"process_state_dir": "/srv/x", "process_config_path": "/srv/x/clawdbot.json"},
        [ELSEWHERE],
    ),
    "another config": (
        {
            "process_state_dir": "/home/g/.clawdbot",
            "process_config_path": "/etc/c.json",
            "service_loaded": None,
        },
        [OTHER_CONFIG],
    ),
    "another .env": (
        {"process_env_path": "/home/g/.env"},
        [
            "Unit clawdbot-gateway uses the file /home/g/.env, and the inventory means /home/g/.clawdbot/.env. Set "
            "`providers_env_path` to that of the gateway, or `providers_service_name` to the unit that uses "
            "/home/g/.clawdbot/.env."
        ],
    ),
    "the same directory and config": (
        {"process_state_dir": "/home/g/.clawdbot", "process_config_path": "/home/g/.clawdbot/clawdbot.json"},
        [],
    ),
    "another state directory, and not the inventory's": (
        {"state_dir_exists": False, "process_state_dir": "/srv/x"},
        [NO_STATE_DIR, ELSEWHERE],
    ),
    "two units": ({"pid": None, "port_taken_by": "the system unit clawdbot"}, [TAKEN]),
    "no state directory, and so nothing else": (
        {"state_dir_exists": False, "service_loaded": False, "program": []},
        [NO_STATE_DIR],
    ),
    "a container": ({"isolated": True, "program": []}, [CONTAINER]),
    "another program": ({"started_by": "/usr/bin/podman", "program": []}, [PODMAN]),
    "files that are gone": ({"missing_files": ["/n/node", "/p/entry.js"]}, [GONE]),
    "a process that cannot be read": ({"isolated": None}, []),
    "an OpenClaw without a check": ({"product": "openclaw", "version": "2026.3.1"}, [OLD_OPENCLAW.format("2026.3.1")]),
    "another": ({"product": "openclaw", "version": "2026.2.23-1"}, [OLD_OPENCLAW.format("2026.2.23-1")]),
    "the first OpenClaw with a check": ({"product": "openclaw", "version": "2026.3.2"}, []),
    "a later one": ({"product": "openclaw", "version": "2026.12.1"}, []),
    "an OpenClaw of an unknown version": ({"product": "openclaw", "version": None}, []),
}


@pytest.mark.parametrize("name", BLOCKERS)
def test_blockers(name: str) -> None:
    changed, expected = BLOCKERS[name]
    assert find_blockers({**GOOD, **changed}, DESIRED) == expected


@pytest.mark.parametrize(
    "name", ["a container", "another program", "files that are gone", "another config", "two units"]
)
def test_a_gateway_that_would_not_start_again_as_it_runs_is_not_healthy(name: str) -> None:
    changed, expected = BLOCKERS[name]
    assert health_texts({**GOOD, **changed}, DESIRED) == expected


def test_what_could_not_be_observed() -> None:
    assert find_unknowns(GOOD) == []
    assert find_unknowns({**GOOD, "isolated": None, "pid": None}) == []
    assert find_unknowns({**GOOD, "isolated": None}) == [
        "Whether the gateway's process 4711 runs in a container is unknown: it runs as another account, or its unit "
        "has a user namespace of its own. If it runs as another account, set `providers_user` to that."
    ]
    silent = {**GOOD, "listening": "unknown"}
    assert find_unknowns(silent) == [
        "Where process 4711 listens cannot be read. The gateway is asked on port 18789, as it is configured."
    ]
    # There is no half support of these.
    assert find_unknowns({**silent, "isolated": True}) == find_unknowns({**silent, "started_by": "/bin/podman"}) == []


def test_a_call_that_the_gateway_does_not_accept() -> None:
    error = "Gateway method health failed: gateway closed (1008): unauthorized."
    refused: Any = {**GOOD, "call_error": error}
    assert find_blockers(refused, DESIRED) == [
        "The gateway does not accept calls of its own CLI, so no change could be verified: Gateway method health "
        "failed: gateway closed (1008): unauthorized. Set CLAWDBOT_GATEWAY_TOKEN or CLAWDBOT_GATEWAY_PASSWORD in "
        "/home/g/.clawdbot/.env to what the gateway accepts, or set `providers_verify_after` to none."
    ]
    assert find_unknowns(refused) == find_blockers({**GOOD, "call_error": ""}, DESIRED) == []
    # A process that is older than its files can have another token than they.
    old = {**refused, "restart_reasons": [".env was changed."]}
    assert find_blockers(old, DESIRED) == []
    assert find_unknowns(old) == [
        "Whether the gateway accepts calls of its own CLI is unknown until it is restarted. Now it does not: " + error
    ]


def test_models_that_are_used_and_not_served() -> None:
    use = {"place": "here", "model": "moonshot/x"}
    models = {
        "blocked": [{**use, "text": "It would be gone."}],
        "unserved": [{**use, "text": "It is not listed."}],
        "unknown": ["jobs.json cannot be read: it is broken."],
    }
    gateway: Any = {**GOOD, "models": models}
    assert find_problems(gateway, DESIRED) == [
        {"status": "gateway", "text": "It would be gone."},
        {"status": "gateway", "text": "It is not listed."},
        {"status": "failed", "text": "jobs.json cannot be read: it is broken. Which models it uses is not known."},
    ]
    assert find_blockers(gateway, DESIRED) == ["It would be gone."]


def test_a_store_that_cannot_be_read_is_a_problem_and_a_blocker() -> None:
    gateway: Any = {**GOOD, "unreadable_stores": ["/s/openclaw.sqlite cannot be read: database is locked."]}
    expected = [
        "/s/openclaw.sqlite cannot be read: database is locked. Whether an auth profile in it takes precedence over "
        "/home/g/.clawdbot/.env is not known."
    ]
    assert health_texts(gateway, DESIRED) == expected
    assert find_blockers(gateway, DESIRED) == expected
