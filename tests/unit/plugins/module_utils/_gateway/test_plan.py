# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.plan import plan
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

ENV = "/home/clawdbot/.clawdbot/.env"
DESIRED = {"MOONSHOT_API_KEY": "sha256:new", "KIMICODE_API_KEY": "sha256:kimi"}
UP_TO_DATE = {
    "up_to_date": True,
    "config_changed": False,
    "env_changed": False,
    "keys_changed": False,
    "unfinished": False,
    "error": "",
}
CONVERGED: dict[str, Any] = {
    "product": "clawdbot",
    "state_dir": "/home/clawdbot/.clawdbot",
    "state_dir_exists": True,
    "env_path": ENV,
    "key_file": ENV,
    "service_name": "clawdbot-gateway",
    "service_loaded": True,
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
    "answers": True,
    "pid": 4711,
    "environment": "known",
    "restart_required": False,
    "restart_reasons": [],
    "unserved_choices": [],
    "config_put_back": "",
    "env_copies": {},
    "variables": {},
    "providers": {},
    "unreadable_stores": [],
    "files": UP_TO_DATE,
}

NOT_CONVERGED: dict[str, dict[str, Any]] = {
    "files that were not compared": {"files": None},
    "files that differ": {"files": {**UP_TO_DATE, "up_to_date": False}},
    "a gateway that does not answer": {"answers": False},
    "an old process": {"restart_required": True},
}


def test_nothing_is_to_be_done() -> None:
    assert plan(CONVERGED, DESIRED) == {
        "converged": True,
        "blockers": [],
        "endpoint_errors": "",
        "new_variables": [],
        "left_out": {},
        "notes": [],
        "rotation": {"old_keys": [], "has_copies": False, "blockers": []},
    }


# The fingerprint of the desired key, and what is said before a rotation.
COPIES = {
    "the key changes": (
        "sha256:new",
        [
            f"{ENV} contains the key of moonshot also in KIMI_API_KEY, SEARCH_KEY, where the old key would stay. Add "
            "that to also_in of moonshot in providers_overrides, or remove it from the file."
        ],
    ),
    "the key stays": ("sha256:old", []),
}


@pytest.mark.parametrize(("desired", "expected"), COPIES.values(), ids=COPIES)
def test_a_copy_of_a_key_in_another_variable_blocks_a_rotation(desired: str, expected: list[str]) -> None:
    held = {"place": ENV, "fingerprint": "sha256:old"}
    info: Any = {
        **CONVERGED,
        "providers": {"moonshot": {"variable": "MOONSHOT_API_KEY", "overridden_by": []}},
        "variables": {"MOONSHOT_API_KEY": {"sources": [held], "in_process": True, "overriding_env": []}},
        "env_copies": {"MOONSHOT_API_KEY": ["KIMI_API_KEY", "SEARCH_KEY"]},
    }
    planned = plan(info, {"MOONSHOT_API_KEY": desired})
    assert planned["rotation"]["blockers"] == expected
    assert planned["blockers"] == []


def test_what_could_not_be_observed_is_a_note() -> None:
    notes = plan({**CONVERGED, "isolated": None}, DESIRED)["notes"]
    assert [note.partition(" is unknown")[0] for note in notes] == [
        "Whether the gateway's process 4711 runs in a container"
    ]


def test_models() -> None:
    models = {
        "left_out": {"moonshot": ["kimi-k2.5"]},
        "removed": [],
        "blocked": [{"place": "here", "model": "moonshot/kimi-k2.5", "text": "It is used here."}],
        "unserved": [{"place": "there", "model": "moonshot/x", "text": "It is not listed."}],
        "unknown": [],
        "notes": ["It is left out."],
    }
    decided = plan({**CONVERGED, "models": models}, DESIRED)
    assert decided["left_out"] == {"moonshot": ["kimi-k2.5"]}
    assert decided["notes"] == ["It is left out."]
    assert decided["blockers"] == ["It is used here."]


def test_an_environment_that_cannot_be_read_is_noted() -> None:
    assert plan({**CONVERGED, "environment": "unknown"}, DESIRED)["notes"] == [
        f"The environment of process 4711 cannot be read: whether another key takes precedence over those of {ENV} is "
        "unknown. Only a chat message shows it: set providers_verify_after to turn."
    ]
    assert plan({**CONVERGED, "environment": None, "pid": None}, DESIRED)["notes"] == []


def test_files_that_cannot_be_read_block_a_run() -> None:
    decided = plan({**CONVERGED, "files": {**UP_TO_DATE, "up_to_date": False, "error": "It is broken."}}, DESIRED)
    assert decided["blockers"] == ["It is broken."]


@pytest.mark.parametrize("name", NOT_CONVERGED)
def test_something_is_to_be_done(name: str) -> None:
    info = {**CONVERGED, **NOT_CONVERGED[name]}
    if info["files"] is None:
        del info["files"]
    assert plan(info, DESIRED)["converged"] is False


@pytest.mark.parametrize(
    ("endpoints", "errors"),
    [({"ok": True, "providers": []}, ""), ({"ok": False, "providers": [], "msg": "1 of 1 failed."}, "1 of 1 failed.")],
    ids=["ok", "failed"],
)
def test_the_errors_of_the_endpoints(endpoints: dict[str, Any], errors: str) -> None:
    assert plan({**CONVERGED, "endpoints": endpoints}, DESIRED)["endpoint_errors"] == errors


@pytest.mark.parametrize(
    ("pid", "in_process", "new"),
    [(4711, False, ["MOONSHOT_API_KEY"]), (4711, True, []), (None, None, [])],
    ids=["not in the process", "in the process", "no process"],
)
def test_new_variables(pid: int | None, in_process: bool | None, new: list[str]) -> None:
    variables = {"MOONSHOT_API_KEY": {"sources": [], "in_process": in_process, "overriding_env": []}}
    providers = {"moonshot": {"variable": "MOONSHOT_API_KEY", "overridden_by": []}}
    info = {**CONVERGED, "pid": pid, "variables": variables, "providers": providers}
    assert plan(info, DESIRED)["new_variables"] == new


def test_only_what_the_config_refers_to_must_be_in_the_process_first() -> None:
    missing = {"sources": [], "in_process": False, "overriding_env": []}
    info = {**CONVERGED, "variables": {"KIMI_API_KEY": missing, "HEADER_KEY": missing}}
    assert plan(info, DESIRED)["new_variables"] == []
    assert plan(info, DESIRED, {"HEADER_KEY", "OTHER"})["new_variables"] == ["HEADER_KEY"]


def gateway(sources: list[tuple[str, str | None]], overrides: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        **CONVERGED,
        "variables": {
            "MOONSHOT_API_KEY": {
                "sources": [{"place": place, "fingerprint": value} for place, value in sources],
                "in_process": True,
                "overriding_env": [],
            }
        },
        "providers": {
            "moonshot": {
                "variable": "MOONSHOT_API_KEY",
                "overridden_by": [
                    {"kind": kind, "name": "moonshot:default", "place": "auth-profiles.json", "fingerprint": value}
                    for kind, value in overrides
                ],
            }
        },
    }


ROTATIONS: dict[str, tuple[list[tuple[str, str | None]], list[tuple[str, str]], list[str], bool]] = {
    "a fresh host": ([], [], [], False),
    "an old key": ([(ENV, "sha256:old")], [], ["sha256:old"], False),
    "the new key": ([(ENV, "sha256:new")], [], [], False),
    "an old key in two places": (
        [("unit", "sha256:old"), (ENV, "sha256:old")],
        [],
        ["sha256:old"],
        False,
    ),
    "an empty variable": ([("unit", fingerprint("")), (ENV, "sha256:old")], [], ["sha256:old"], False),
    "a place that does not tell": ([("login shell", None)], [], [], False),
    "a profile that is a copy": (
        [(ENV, "sha256:old")],
        [("auth_profile", "sha256:old")],
        ["sha256:old"],
        True,
    ),
    "a profile with a key that cannot be read": ([(ENV, "sha256:new")], [("auth_profile", "unknown")], [], False),
    "a profile with a third key": (
        [(ENV, "sha256:old")],
        [("auth_profile", "sha256:third")],
        ["sha256:old", "sha256:third"],
        False,
    ),
    "a profile with the new key": ([(ENV, "sha256:new")], [("auth_profile", "sha256:new")], [], False),
    "a variable that is a copy": (
        [(ENV, "sha256:old")],
        [("variable", "sha256:old")],
        ["sha256:old"],
        False,
    ),
    "a key of another provider": ([(ENV, "sha256:kimi")], [], [], False),
}


@pytest.mark.parametrize(("sources", "overrides", "old_keys", "has_copies"), ROTATIONS.values(), ids=ROTATIONS)
def test_a_rotation(
    sources: list[tuple[str, str | None]], overrides: list[tuple[str, str]], old_keys: list[str], has_copies: bool
) -> None:
    rotation = plan(gateway(sources, overrides), DESIRED)["rotation"]
    assert (rotation["old_keys"], rotation["has_copies"]) == (old_keys, has_copies)


def test_a_copy_of_the_old_key_blocks_a_run_and_no_rotation() -> None:
    decided = plan(gateway([(ENV, "sha256:old")], [("auth_profile", "sha256:old")]), DESIRED)
    assert len(decided["blockers"]) == 1
    assert "moonshot:default" in decided["blockers"][0]
    assert decided["rotation"]["blockers"] == []


def test_a_third_key_blocks_both() -> None:
    decided = plan(gateway([(ENV, "sha256:old")], [("auth_profile", "sha256:third")]), DESIRED)
    assert decided["rotation"]["blockers"] == decided["blockers"]
    assert "sha256:third" in decided["blockers"][0]


def test_the_process_does_not_need_keys_that_are_in_a_file() -> None:
    missing = {"sources": [], "in_process": False, "overriding_env": []}
    providers = {"moonshot": {"variable": "MOONSHOT_API_KEY", "overridden_by": []}}
    info = {**CONVERGED, "variables": {"MOONSHOT_API_KEY": missing, "HEADER_KEY": missing}, "providers": providers}
    assert plan(info, DESIRED, {"HEADER_KEY"}, {"MOONSHOT_API_KEY"})["new_variables"] == ["HEADER_KEY"]


def test_an_old_key_in_a_file_and_its_copy_in_a_profile() -> None:
    info = gateway([("/home/g/.clawdbot/clawfleet-keys.json", "sha256:old")], [("auth_profile", "sha256:old")])
    decided = plan({**info, "env_path": "/home/g/.clawdbot/.env"}, {"MOONSHOT_API_KEY": "sha256:new"})["rotation"]
    assert decided == {"old_keys": ["sha256:old"], "has_copies": True, "blockers": []}
