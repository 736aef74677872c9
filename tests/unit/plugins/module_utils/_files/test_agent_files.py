# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import Removal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import agent_files
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

MOONSHOT = Removal(["moonshot"])
MODELS, PROFILES = "/s/agents/main/agent/models.json", "/s/agents/main/agent/auth-profiles.json"
CREDENTIAL = {"type": "api_key", "provider": "moonshot", "key": "sk-secret-0123"}
OTHER = {"type": "oauth", "provider": "other", "access": "a", "refresh": "r"}

CASES: dict[str, tuple[str, Any, Any, list[tuple[str, Any]]]] = {
    "models": (
        MODELS,
        {"providers": {"moonshot": CREDENTIAL, "other": OTHER}},
        {"providers": {"other": OTHER}},
        [("providers.moonshot", CREDENTIAL)],
    ),
    "models, the last": (MODELS, {"providers": {"Moonshot": 1}}, {"providers": {}}, [("providers.Moonshot", 1)]),
    "models without it": (MODELS, {"providers": {"other": OTHER}}, {"providers": {"other": OTHER}}, []),
    "models that are none": (MODELS, [1], [1], []),
    "providers that are none": (MODELS, {"providers": ["moonshot"]}, {"providers": ["moonshot"]}, []),
    "profiles": (
        PROFILES,
        {
            "version": 1,
            "profiles": {"moonshot:default": CREDENTIAL, "work": CREDENTIAL, "other:x": OTHER},
            "order": {"moonshot": ["work"], "other": ["other:x"]},
            "lastGood": {"moonshot": "work", "other": "other:x"},
            "usageStats": {"work": {"lastUsed": 1}, "other:x": {"lastUsed": 2}},
        },
        {
            "version": 1,
            "profiles": {"other:x": OTHER},
            "order": {"other": ["other:x"]},
            "lastGood": {"other": "other:x"},
            "usageStats": {"other:x": {"lastUsed": 2}},
        },
        [
            ("profiles.moonshot:default", CREDENTIAL),
            ("profiles.work", CREDENTIAL),
            ("usageStats.work", {"lastUsed": 1}),
            ("order.moonshot", ["work"]),
            ("lastGood.moonshot", "work"),
        ],
    ),
    "profiles of no provider": (
        PROFILES,
        {"profiles": {"a": {}, "b": "moonshot", "c": {"provider": 1}}},
        {"profiles": {"a": {}, "b": "moonshot", "c": {"provider": 1}}},
        [],
    ),
}


ENTRIES: dict[str, tuple[Any, list[tuple[str, str, tuple[str, ...]]]]] = {
    "providers": (
        {"providers": {"Moonshot": {"apiKey": " k", "models": [{"id": " k1 "}, {"id": "k2"}]}, "other": {}}},
        [("Moonshot", " k", ("k1", "k2")), ("other", "", ())],
    ),
    "members of other types": (
        {
            "providers": {
                "a": {"apiKey": 1, "models": {"id": "m"}},
                "b": {"models": ["m", {}, {"id": 2}, {"id": " "}]},
                "c": 1,
            }
        },
        [("a", "", ()), ("b", "", ()), ("c", "", ())],
    ),
    "providers of another type": ({"providers": ["a"]}, []),
    "no object": ([1], []),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_parse_models(name: str) -> None:
    value, expected = ENTRIES[name]
    entries = agent_files.parse_models(value)
    assert [(entry.provider, entry.api_key, entry.model_ids) for entry in entries] == expected


def test_an_entry_of_models_has_its_whole_value() -> None:
    (entry,) = agent_files.parse_models({"providers": {"moonshot": CREDENTIAL}})
    assert entry.value == CREDENTIAL
    assert "sk-secret" not in repr(entry)


def test_parse_auth_profiles() -> None:
    parsed = agent_files.parse_auth_profiles(
        {
            "profiles": {
                "a": CREDENTIAL,
                "b": {"type": "token", "provider": " Moonshot", "token": "sk-secret-1", "expires": 5},
                "c": {"type": "oauth", "access": "sk-secret-2", "refresh": "sk-secret-3", "expires": -1},
                "d": {"type": 1, "provider": ["moonshot"], "key": 7, "expires": "5"},
                "e": "moonshot",
            },
            "order": {"moonshot": [" b ", 1, "", "a"], "other": [], "third": "a"},
            "lastGood": {"moonshot": "a", "other": 1},
            "usageStats": {"a": {"lastUsed": 1}},
        }
    )
    assert parsed == agent_files.AuthProfiles(
        {
            "a": agent_files.AuthProfile("a", "moonshot", "api_key", "sk-secret-0123", "", "", "", None, None),
            "b": agent_files.AuthProfile("b", " Moonshot", "token", "", "sk-secret-1", "", "", None, 5),
            "c": agent_files.AuthProfile("c", "", "oauth", "", "", "sk-secret-2", "sk-secret-3", None, None),
            "d": agent_files.AuthProfile("d", "", "", "", "", "", "", None, None),
        },
        {"moonshot": ["b", "a"]},
        {"moonshot": "a"},
        frozenset(["a"]),
    )
    assert "sk-secret" not in repr(parsed)


@pytest.mark.parametrize("value", [[1], {"profiles": [1], "order": [1], "lastGood": [1], "usageStats": [1]}])
def test_auth_profiles_of_another_type(value: Any) -> None:
    assert agent_files.parse_auth_profiles(value) == agent_files.AuthProfiles({}, {}, {}, frozenset())


@pytest.mark.parametrize(("path", "value", "expected", "removed"), CASES.values(), ids=CASES)
def test_only_the_provider_is_removed(path: str, value: Any, expected: Any, removed: list[tuple[str, Any]]) -> None:
    edited = agent_files.plan_agent_file(path, json.dumps(value, indent=2) + "\n", MOONSHOT)
    assert json.loads(edited.text) == expected
    lines = [f"{name}=<{fingerprint(json.dumps(item, sort_keys=True))}>\n" for name, item in removed]
    assert edited.diff == {"before_header": path, "after_header": path, "before": "".join(lines), "after": ""}
    assert "sk-secret" not in repr(edited)


def test_a_file_without_it_keeps_every_byte() -> None:
    text = '{"providers":\t{ "other" : {} }}'
    assert agent_files.plan_agent_file(MODELS, text, MOONSHOT).text == text


def test_a_broken_file_is_named_and_not_shown() -> None:
    with pytest.raises(ClawdbotError) as error:
        agent_files.plan_agent_file(MODELS, '{"providers": {"moonshot": "sk-secret-0123"', MOONSHOT)
    assert str(error.value) == (
        f"{MODELS} cannot be read: expected ',' or '}}', found the end of the document at line 1, column 44. The "
        "gateway cannot read it either: repair it, or move it away."
    )


def test_the_files_of_each_agent_are_found(tmp_path: Path) -> None:
    state = tmp_path / "state [1]"
    for folder in ("agents/main/agent", "agents/coder/agent", "agents/main/sessions", "agents/none"):
        (state / folder).mkdir(parents=True)
    (state / "agents" / "file").touch()
    found = [path[len(str(state)) + 1 :] for path in agent_files.paths(str(state))]
    assert found == [
        "agents/coder/agent/models.json",
        "agents/coder/agent/auth-profiles.json",
        "agents/main/agent/models.json",
        "agents/main/agent/auth-profiles.json",
    ]


ENV_REF = {"source": "env", "provider": "default", "id": "KIMI_API_KEY"}
# A profile, and the environment variable to which it refers.
REFERENCES: dict[str, tuple[dict[str, Any], str | None]] = {
    "a key": ({"type": "api_key", "key": "sk-secret-0123"}, None),
    "an object": ({"type": "api_key", "keyRef": ENV_REF}, "KIMI_API_KEY"),
    "an object before a key": ({"type": "api_key", "keyRef": ENV_REF, "key": "sk-secret-0123"}, "KIMI_API_KEY"),
    "of a token": ({"type": "token", "tokenRef": ENV_REF}, "KIMI_API_KEY"),
    "of a token, for a key": ({"type": "api_key", "tokenRef": ENV_REF}, None),
    "to a file": ({"type": "api_key", "keyRef": {"source": "file", "provider": "p", "id": "/key"}}, ""),
    "no object": ({"type": "api_key", "keyRef": "KIMI_API_KEY", "key": "sk-secret-0123"}, None),
    "a template": ({"type": "api_key", "key": " ${KIMI_API_KEY} "}, "KIMI_API_KEY"),
    "a short one": ({"type": "api_key", "key": "$KIMI_API_KEY"}, "KIMI_API_KEY"),
    "within a key": ({"type": "api_key", "key": "x${KIMI_API_KEY}"}, None),
    "a name": ({"type": "api_key", "key": "KIMI_API_KEY"}, None),
}


@pytest.mark.parametrize(("profile", "variable"), REFERENCES.values(), ids=REFERENCES)
def test_a_profile_may_refer_to_its_key(profile: dict[str, Any], variable: str | None) -> None:
    (parsed,) = agent_files.parse_auth_profiles({"profiles": {"a": profile}}).profiles.values()
    assert parsed.variable == variable
