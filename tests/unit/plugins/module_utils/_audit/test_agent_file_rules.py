# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.agent_file_rules import MODELS, PROFILES
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.document_rules import Context, Document, Rules
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils._audit.audit_cases import FOREIGN, KEYS, KIMI, NOW, OLD, STALE, examine, found

MODELS_CASES: dict[str, tuple[Any, list[tuple[str, str, str, str, str]], list[str], Any]] = {
    "current keys": (
        {"moonshot": {"apiKey": NOW}, "Kimicode": {"apiKey": KIMI}},
        [],
        ["moonshot", "Kimicode"],
        {"moonshot": {"apiKey": NOW}, "Kimicode": {"apiKey": KIMI}},
    ),
    "an old key": (
        {"moonshot": {"apiKey": STALE}, "other": {"apiKey": FOREIGN}},
        [("providers.moonshot.apiKey", "moonshot", fingerprint(STALE), "old", "")],
        [],
        {"other": {"apiKey": FOREIGN}},
    ),
    "an old key under another name": (
        {"kimi-code": {"apiKey": OLD}},
        [("providers.kimi-code.apiKey", "kimi-code", fingerprint(OLD), "old", "")],
        [],
        {},
    ),
    "an old key in a header": (
        {"moonshot": {"apiKey": NOW, "models": [{"headers": {"k": f"Bearer {OLD}"}}]}},
        [("providers.moonshot", "moonshot", fingerprint(OLD), "old", "")],
        ["moonshot"],
        {},
    ),
    "the name of a variable": (
        {"moonshot": {"apiKey": "MOONSHOT_API_KEY"}, "x": 7},
        [],
        [],
        {"moonshot": {"apiKey": "MOONSHOT_API_KEY"}, "x": 7},
    ),
    "a provider that the config does not have": (
        {"gone": {"apiKey": FOREIGN}},
        [
            (
                "providers.gone.apiKey",
                "gone",
                fingerprint(FOREIGN),
                "unknown",
                "Remove the provider with clawfleet.clawdbot.remove, or its entry from the file.",
            )
        ],
        [],
        {"gone": {"apiKey": FOREIGN}},
    ),
    "no object": ([OLD], [], [], [OLD]),
}


@pytest.mark.parametrize(("providers", "findings", "notes", "cleaned"), MODELS_CASES.values(), ids=MODELS_CASES)
def test_a_provider_with_an_old_key_is_removed_from_models_json(
    providers: Any, findings: list[tuple[str, str, str, str, str]], notes: list[str], cleaned: Any
) -> None:
    examination = examine(MODELS, json.dumps({"providers": providers}), expected_providers={"other"})
    assert found(examination) == findings
    assert [note.subject for note in examination.notes] == notes
    assert json5_reader.loads(examination.cleaned) == {"providers": cleaned}


def profile(key: str, of: str = "moonshot") -> dict[str, str]:
    return {"type": "api_key", "provider": of, "key": key}


OTHERS = {"other:x": profile(FOREIGN, "other")}
LOGIN = {"type": "oauth", "provider": "moonshot", "access": "a", "refresh": "r"}
PROFILES_CASES: dict[str, tuple[Any, list[tuple[str, str, str, str, str]], Any]] = {
    "of others": ({"profiles": OTHERS}, [], {"profiles": OTHERS}),
    "the current key": (
        {"profiles": {"m": profile(NOW), **OTHERS}, "order": {"moonshot": ["m"]}},
        [("profiles.m", "moonshot", fingerprint(NOW), "current", "")],
        {"profiles": OTHERS, "order": {}},
    ),
    "another key, in all places": (
        {
            "version": 1,
            "profiles": {"m": profile(STALE, "MoonShot"), **OTHERS},
            "order": {"moonshot": ["m", "n"], "other": ["other:x"], "odd": 7},
            "lastGood": {"moonshot": "m", "other": "other:x"},
            "usageStats": {"m": {}, "other:x": {}},
        },
        [("profiles.m", "MoonShot", fingerprint(STALE), "old", "")],
        {
            "version": 1,
            "profiles": OTHERS,
            "order": {"moonshot": ["n"], "other": ["other:x"], "odd": 7},
            "lastGood": {"other": "other:x"},
            "usageStats": {"other:x": {}},
        },
    ),
    "an old key of another provider": (
        {"profiles": {"o": profile(OLD, "other")}},
        [("profiles.o", "other", fingerprint(OLD), "old", "")],
        {"profiles": {}},
    ),
    "a token": (
        {"profiles": {"m": {"type": "token", "provider": "moonshot", "token": NOW}}},
        [("profiles.m", "moonshot", fingerprint(NOW), "current", "")],
        {"profiles": {}},
    ),
    "the name of a variable": (
        {"profiles": {"m": profile("MOONSHOT_API_KEY")}},
        [("profiles.m", "moonshot", "", "unknown", "Remove it with the gateway's CLI, or from the file.")],
        {"profiles": {"m": profile("MOONSHOT_API_KEY")}},
    ),
    "a login": (
        {"profiles": {"m": LOGIN}},
        [("profiles.m", "moonshot", "", "unknown", "Remove it with the gateway's CLI, or from the file.")],
        {"profiles": {"m": LOGIN}},
    ),
    "nonsense": ({"profiles": {"m": 7}, "order": []}, [], {"profiles": {"m": 7}, "order": []}),
}


@pytest.mark.parametrize(("value", "findings", "cleaned"), PROFILES_CASES.values(), ids=PROFILES_CASES)
def test_an_auth_profile_that_overrides_a_variable_is_removed(
    value: Any, findings: list[tuple[str, str, str, str, str]], cleaned: Any
) -> None:
    examination = examine(PROFILES, json.dumps(value))
    assert found(examination) == findings
    assert json5_reader.loads(examination.cleaned) == cleaned


def test_an_auth_profile_is_reported_with_the_variable_that_it_overrides() -> None:
    (finding,) = examine(PROFILES, json.dumps({"profiles": {"m": profile(NOW)}})).findings
    assert finding.kind == "auth_profile"
    assert finding.message == (
        "The auth profile m in /s/file holds the current key of moonshot and overrides MOONSHOT_API_KEY."
    )
    (finding,) = examine(PROFILES, json.dumps({"profiles": {"m": profile("sk-...")}})).findings
    assert finding.message == (
        "The auth profile m in /s/file holds a placeholder for moonshot and overrides MOONSHOT_API_KEY."
    )


REF = {"type": "api_key", "provider": "moonshot"}


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ({"key": "${MOONSHOT_API_KEY}"}, None),
        ({"keyRef": {"source": "env", "provider": "default", "id": "SAME_KEY"}}, None),
        ({"keyRef": {"source": "env", "provider": "default", "id": "KIMICODE_API_KEY"}}, "KIMICODE_API_KEY"),
        ({"keyRef": {"source": "exec", "provider": "p", "id": "x"}}, "another place"),
    ],
    ids=["to its own variable", "to one with the same key", "to the one of another provider", "to a command"],
)
def test_a_profile_that_refers_to_its_key_is_left_alone(key: dict[str, Any], message: str | None) -> None:
    text = json.dumps({"profiles": {"m": {**REF, **key}}})
    keys = replace(KEYS, current={**KEYS.current, "SAME_KEY": NOW})
    examination = PROFILES.examine(Document("/s/file", text, json5_reader.loads(text)), Context(keys))
    assert [(one.message, one.purgeable) for one in examination.findings] == [
        (f"The auth profile m in /s/file refers to {one} for moonshot and overrides MOONSHOT_API_KEY.", False)
        for one in [message]
        if one
    ]
    assert examination.cleaned == text


def test_old_keys_in_the_places_of_current_ones_are_gathered() -> None:
    models = {"providers": {"moonshot": {"apiKey": STALE}, "kimicode": {"apiKey": KIMI}, "other": {"apiKey": OLD}}}
    logins = {"k": {"type": "oauth", "provider": "kimicode", "token": FOREIGN}, "o": profile(OLD, "other")}
    assert MODELS.old_values is not None
    assert PROFILES.old_values is not None
    assert MODELS.old_values(models, KEYS) == {STALE: "MOONSHOT_API_KEY"}
    assert PROFILES.old_values({"profiles": {"m": profile(STALE), **logins}}, KEYS) == {STALE: "MOONSHOT_API_KEY"}


@pytest.mark.parametrize("rules", [MODELS, PROFILES])
def test_a_broken_file_is_an_error_without_its_text(rules: Rules) -> None:
    with pytest.raises(json5_reader.Json5Error) as caught:
        rules.parse(f'{{"a": {NOW}')
    assert NOW not in str(caught.value)


LEAVES = st.sampled_from([NOW, OLD, STALE, FOREIGN, f"x {OLD}", "", "moonshot", "other", 7])
NAMES = st.sampled_from(["m", "moonshot", "other"])
MEMBERS = {"provider": st.sampled_from(["moonshot", "other", 7]), "type": st.sampled_from(["oauth", "api_key", 7])}
ENTRIES = st.fixed_dictionaries(
    {}, optional={**MEMBERS, "apiKey": LEAVES, "key": LEAVES, "token": LEAVES, "headers": st.lists(LEAVES, max_size=2)}
)
VALUES = ENTRIES | st.lists(LEAVES, max_size=2) | LEAVES
SECTIONS = st.sampled_from(["providers", "profiles", "order", "lastGood", "usageStats"])


@pytest.mark.parametrize("rules", [MODELS, PROFILES])
@given(value=st.dictionaries(SECTIONS, st.dictionaries(NAMES, VALUES, max_size=3) | VALUES))
def test_a_file_of_any_shape_is_cleaned_once(rules: Rules, value: Any) -> None:
    examination = examine(rules, json.dumps(value))
    assert (examination.cleaned != json.dumps(value)) == any(one.purgeable for one in examination.findings)
    assert not any(one.purgeable for one in examine(rules, examination.cleaned).findings)
    assert not [key for key in (NOW, OLD, STALE, FOREIGN) if key in repr(examination)]
