# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit import document_rules
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.document_rules import Examination
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.known_keys import KnownKeys
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from hypothesis import given
from hypothesis import strategies as st

NOW, OLD, KIMI, FOREIGN = "sk-now-0123456789", "sk-old-0123456789", "sk-kimi-0123456789", "sk-foreign-0123456789"
STALE = "sk-stale-0123456789"
KEYS = KnownKeys(
    {"moonshot": "MOONSHOT_API_KEY", "kimicode": "KIMICODE_API_KEY", "none": "NONE_API_KEY"},
    {"MOONSHOT_API_KEY": NOW, "KIMICODE_API_KEY": KIMI},
    frozenset([fingerprint(OLD)]),
)
P = "/s/file"
PURGE = "clawfleet.clawdbot.purge cleans it."
PUT = "Put it into .env, and a reference to the variable there."


def found(examination: Examination) -> list[tuple[str, str, str, str, str]]:
    """The findings as: where, subject, fingerprint, status, and the hint where they cannot be purged."""
    return [
        (one.where, one.subject, one.fingerprint, one.status, "" if one.purgeable else one.hint)
        for one in examination.findings
    ]


def provider(**members: Any) -> dict[str, Any]:
    return {"models": {"providers": {"moonshot": members}}}


REFERENCE = "${MOONSHOT_API_KEY}"
WHERE = "models.providers.moonshot"
CONFIGS: dict[str, tuple[Any, list[tuple[str, str, str, str, str]], Any]] = {
    "a reference": (provider(apiKey=REFERENCE), [], provider(apiKey=REFERENCE)),
    "no key": (provider(apiKey=""), [], provider(apiKey="")),
    "no text": (provider(apiKey=7), [], provider(apiKey=7)),
    "no object": ([NOW], [], [NOW]),
    "the current key": (
        provider(apiKey=NOW),
        [(f"{WHERE}.apiKey", "moonshot", fingerprint(NOW), "current", "")],
        provider(apiKey=REFERENCE),
    ),
    "another key": (
        provider(apiKey=STALE),
        [(f"{WHERE}.apiKey", "moonshot", fingerprint(STALE), "old", "")],
        provider(apiKey=REFERENCE),
    ),
    "the key of the other provider": (
        provider(apiKey=KIMI),
        [(f"{WHERE}.apiKey", "moonshot", fingerprint(KIMI), "old", "")],
        provider(apiKey=REFERENCE),
    ),
    "in a header": (
        provider(headers={"X-Key": f"Bearer {OLD}"}),
        [(f"{WHERE}.headers.X-Key", "moonshot", fingerprint(OLD), "old", "")],
        provider(headers={"X-Key": f"Bearer {REFERENCE}"}),
    ),
    "twice in a text of a list": (
        {"a": [["x", f"{NOW} and {KIMI}"]]},
        [
            ("a.0.1", "KIMICODE_API_KEY", fingerprint(KIMI), "current", ""),
            ("a.0.1", "MOONSHOT_API_KEY", fingerprint(NOW), "current", ""),
        ],
        {"a": [["x", "${MOONSHOT_API_KEY} and ${KIMICODE_API_KEY}"]]},
    ),
    "an old one of nobody": (
        {"tools": {"key": OLD}},
        [("tools.key", "", fingerprint(OLD), "old", "")],
        {"tools": {"key": "removed"}},
    ),
    "the config's own variables": (
        {"env": {"MOONSHOT_API_KEY": STALE, "vars": {"KIMICODE_API_KEY": KIMI, "OTHER": "x"}}},
        [
            ("env.MOONSHOT_API_KEY", "MOONSHOT_API_KEY", fingerprint(STALE), "old", ""),
            ("env.vars.KIMICODE_API_KEY", "KIMICODE_API_KEY", fingerprint(KIMI), "current", ""),
        ],
        {"env": {"vars": {"OTHER": "x"}}},
    ),
    "a managed provider without a key in .env": (
        {"models": {"providers": {"none": {"apiKey": FOREIGN}}}},
        [("models.providers.none.apiKey", "none", fingerprint(FOREIGN), "unknown", PUT)],
        {"models": {"providers": {"none": {"apiKey": FOREIGN}}}},
    ),
    "a provider of others": (
        {"models": {"providers": {"other": {"apiKey": FOREIGN}, "local": {"apiKey": "ollama-local"}}}},
        [("models.providers.other.apiKey", "other", fingerprint(FOREIGN), "unknown", PUT)],
        {"models": {"providers": {"other": {"apiKey": FOREIGN}, "local": {"apiKey": "ollama-local"}}}},
    ),
    "a provider of others with a key of ours": (
        {"models": {"providers": {"kimi-code": {"apiKey": KIMI}}}},
        [("models.providers.kimi-code.apiKey", "kimi-code", fingerprint(KIMI), "current", "")],
        {"models": {"providers": {"kimi-code": {"apiKey": "${KIMICODE_API_KEY}"}}}},
    ),
}


@pytest.mark.parametrize(("value", "findings", "cleaned"), CONFIGS.values(), ids=CONFIGS)
def test_references_take_the_place_of_keys_in_a_config(
    value: Any, findings: list[tuple[str, str, str, str, str]], cleaned: Any
) -> None:
    text = json.dumps(value)
    examination = document_rules.config(P, text, KEYS, replaceable=True)
    assert found(examination) == findings
    assert json5_reader.loads(examination.cleaned) == cleaned
    assert document_rules.config(P, examination.cleaned, KEYS, replaceable=True).cleaned == examination.cleaned
    if value == cleaned:
        assert examination.cleaned == text


@pytest.mark.parametrize(("value", "findings", "cleaned"), CONFIGS.values(), ids=CONFIGS)
def test_a_copy_of_the_config_is_cleaned_alike_and_may_hold_what_is_not_known(
    value: Any, findings: list[tuple[str, str, str, str, str]], cleaned: Any
) -> None:
    examination = document_rules.config_copy(P, json.dumps(value), KEYS)
    assert found(examination) == [one for one in findings if one[3] != "unknown"]
    assert json5_reader.loads(examination.cleaned) == cleaned


def test_a_config_stays_while_the_process_is_on_older_variables() -> None:
    text = json.dumps(provider(apiKey=NOW))
    examination = document_rules.config(P, text, KEYS, replaceable=False)
    assert [(one.purgeable, one.hint) for one in examination.findings] == [
        (False, "Restart the gateway, which is on older variables; then it can be cleaned.")
    ]
    assert examination.cleaned == text


def test_an_old_key_in_a_comment_of_a_config_goes_and_the_rest_stays() -> None:
    text = f"// was {OLD}\n{{ a: 'x', // {NOW}\n}}\n"
    examination = document_rules.config(P, text, KEYS, replaceable=True)
    assert [(one.where, one.status, one.purgeable) for one in examination.findings] == [
        ("line 1", "old", True),
        ("line 2", "current", True),
    ]
    assert examination.cleaned == "// was removed\n{ a: 'x', // removed\n}\n"


def test_the_key_that_stood_in_the_place_of_a_current_one_is_kept_for_the_search() -> None:
    value = {**provider(apiKey=STALE), "env": {"KIMICODE_API_KEY": OLD}}
    assert document_rules.config_copy(P, json.dumps(value), KEYS).old_values == {
        STALE: "MOONSHOT_API_KEY",
        OLD: "KIMICODE_API_KEY",
    }


def test_a_finding_says_it_all() -> None:
    (finding,) = document_rules.config(P, json.dumps(provider(apiKey=NOW)), KEYS, replaceable=True).findings
    assert finding.as_result() == {
        "kind": "plain_text_key",
        "place": "/s/file",
        "message": f"/s/file holds the current key in plain text at {WHERE}.apiKey.",
        "where": f"{WHERE}.apiKey",
        "subject": "moonshot",
        "fingerprint": fingerprint(NOW),
        "status": "current",
        "purgeable": True,
        "hint": PURGE,
    }


MODELS: dict[str, tuple[Any, list[tuple[str, str, str, str, str]], list[str], Any]] = {
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
                "Remove the provider with clawfleet.clawdbot.remove, or its entry there.",
            )
        ],
        [],
        {"gone": {"apiKey": FOREIGN}},
    ),
    "no object": ([OLD], [], [], [OLD]),
}


@pytest.mark.parametrize(("providers", "findings", "notes", "cleaned"), MODELS.values(), ids=MODELS)
def test_what_the_product_has_made_of_an_old_key_goes(
    providers: Any, findings: list[tuple[str, str, str, str, str]], notes: list[str], cleaned: Any
) -> None:
    examination = document_rules.models(P, json.dumps({"providers": providers}), KEYS, {"other"})
    assert found(examination) == findings
    assert [note.subject for note in examination.notes] == notes
    assert json5_reader.loads(examination.cleaned) == {"providers": cleaned}


def profile(key: str, of: str = "moonshot") -> dict[str, str]:
    return {"type": "api_key", "provider": of, "key": key}


OTHERS = {"other:x": profile(FOREIGN, "other")}
LOGIN = {"type": "oauth", "provider": "moonshot", "access": "a", "refresh": "r"}
PROFILES: dict[str, tuple[Any, list[tuple[str, str, str, str, str]], Any]] = {
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
    "a login": (
        {"profiles": {"m": LOGIN}},
        [("profiles.m", "moonshot", "", "unknown", "Remove it with the product, or there.")],
        {"profiles": {"m": LOGIN}},
    ),
    "nonsense": ({"profiles": {"m": 7}, "order": []}, [], {"profiles": {"m": 7}, "order": []}),
}


@pytest.mark.parametrize(("value", "findings", "cleaned"), PROFILES.values(), ids=PROFILES)
def test_a_profile_that_wins_over_a_variable_goes(
    value: Any, findings: list[tuple[str, str, str, str, str]], cleaned: Any
) -> None:
    examination = document_rules.profiles(P, json.dumps(value), KEYS)
    assert found(examination) == findings
    assert json5_reader.loads(examination.cleaned) == cleaned


def test_a_profile_is_named_with_what_it_wins_over() -> None:
    (finding,) = document_rules.profiles(P, json.dumps({"profiles": {"m": profile(NOW)}}), KEYS).findings
    assert finding.kind == "auth_profile"
    assert finding.message == (
        "The auth profile m in /s/file holds the current key of moonshot and wins over MOONSHOT_API_KEY."
    )


RUN = "Run the role: it writes the key of the inventory."
TAKE = "Take the variable out of it."
ENVS: dict[str, tuple[str, Mapping[str, str], list[tuple[str, str, str, str, str]], str]] = {
    "as it shall be": (f"MOONSHOT_API_KEY={NOW}\n", {"MOONSHOT_API_KEY": fingerprint(NOW)}, [], ""),
    "of whose key nothing is said": (f"MOONSHOT_API_KEY={NOW}\n", {}, [], ""),
    "with another key than it shall have": (
        f"MOONSHOT_API_KEY={NOW}\n",
        {"MOONSHOT_API_KEY": fingerprint(STALE)},
        [("MOONSHOT_API_KEY", "MOONSHOT_API_KEY", fingerprint(NOW), "old", RUN)],
        "",
    ),
    "with a copy of a key": (
        f"MOONSHOT_API_KEY={NOW}\nMINE={NOW}\n",
        {},
        [("MINE", "MINE", fingerprint(NOW), "current", TAKE)],
        "",
    ),
    "with an old key": (
        f"MINE='{OLD}'\nEMPTY=\n",
        {},
        [("MINE", "MINE", fingerprint(OLD), "old", TAKE)],
        "",
    ),
    "with comments": (
        f"# {OLD}\nMOONSHOT_API_KEY={NOW} # not {OLD}\nA=b\n",
        {},
        [
            ("line 1", "", fingerprint(OLD), "old", ""),
            ("line 2", "", fingerprint(OLD), "old", ""),
        ],
        f"# removed\nMOONSHOT_API_KEY={NOW} # not removed\nA=b\n",
    ),
}


@pytest.mark.parametrize(("text", "wanted", "findings", "cleaned"), ENVS.values(), ids=ENVS)
def test_of_the_env_only_comments_are_cleaned(
    text: str, wanted: Mapping[str, str], findings: list[tuple[str, str, str, str, str]], cleaned: str
) -> None:
    examination = document_rules.env(P, text, KEYS, wanted)
    assert found(examination) == findings
    assert examination.cleaned == (cleaned or text)


def test_a_copy_of_the_env_loses_what_is_known() -> None:
    text = f"# {OLD}\nMOONSHOT_API_KEY={STALE}\nexport KIMICODE_API_KEY='{KIMI}'\nMINE={OLD}\nNONE_API_KEY=x\nA=b\n"
    examination = document_rules.env_copy(P, text, KEYS)
    assert [(one.where, one.status, one.purgeable) for one in examination.findings] == [
        ("MOONSHOT_API_KEY", "old", True),
        ("KIMICODE_API_KEY", "current", True),
        ("MINE", "old", True),
        ("line 1", "old", True),
    ]
    assert examination.cleaned == "# removed\nNONE_API_KEY=x\nA=b\n"


def test_a_unit_is_told_of_and_left_alone() -> None:
    text = (
        "[Service]\n"
        f"Environment=\"MOONSHOT_API_KEY={STALE}\" PORT=18789 'CLAWDBOT_GATEWAY_TOKEN=t0ken'\n"
        "Environment=NODE_ENV=production\n"
        f"ExecStart=/bin/x --key {OLD}\n"
        'Environment="broken MINE_TOKEN=abc\n'
    )
    examination = document_rules.unit(P, text, KEYS)
    hint = "Take it out of there (systemctl edit), reload systemd, and restart the gateway."
    assert found(examination) == [
        ("line 2", "MOONSHOT_API_KEY", fingerprint(STALE), "old", hint),
        ("line 2", "CLAWDBOT_GATEWAY_TOKEN", fingerprint("t0ken"), "unknown", hint),
        ("line 4", "", fingerprint(OLD), "old", hint),
        ("line 5", "MINE_TOKEN", fingerprint("abc"), "unknown", hint),
    ]
    assert examination.findings[1].message == "/s/file holds a key in plain text in CLAWDBOT_GATEWAY_TOKEN, in line 2."
    assert examination.cleaned == text


def test_any_other_text_is_told_of_with_the_line() -> None:
    examination = document_rules.plain(P, f"a\nb {NOW}\n", KEYS, "Do it.")
    assert found(examination) == [("line 2", "MOONSHOT_API_KEY", fingerprint(NOW), "current", "Do it.")]
    assert examination.findings[0].message == "/s/file holds the current key in plain text in line 2."


@pytest.mark.parametrize("examination", [document_rules.config_copy, document_rules.profiles])
def test_a_broken_document_is_an_error_without_its_text(examination: Any) -> None:
    with pytest.raises(json5_reader.Json5Error) as caught:
        examination(P, f'{{"a": {NOW}', KEYS)
    assert NOW not in str(caught.value)


STRINGS = st.sampled_from([NOW, OLD, STALE, KIMI, REFERENCE, f"x {NOW}", "", "x"])
VALUES = st.recursive(
    STRINGS | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "apiKey", "env", "models", "providers", "moonshot"]), inner, max_size=3)
    ),
)


@given(st.dictionaries(st.sampled_from(["models", "env", "x"]), VALUES))
def test_no_known_key_is_left_in_a_copy_of_a_config(value: Any) -> None:
    examination = document_rules.config_copy(P, json.dumps(value), KEYS)
    assert [key for key in (NOW, OLD, KIMI) if key in examination.cleaned] == []
    assert (examination.cleaned != json.dumps(value)) == bool(examination.findings)
    assert not [key for key in (NOW, OLD, STALE, KIMI) if key in repr(examination)]


ENV_LINES = st.lists(
    st.sampled_from([f"MOONSHOT_API_KEY={NOW}", f"# {OLD}", f"A={OLD}", "B=c", "'", f"# '{NOW}", f'C="{KIMI}', ""])
)


@given(ENV_LINES.map("\n".join))
def test_what_the_env_says_stays(text: str) -> None:
    cleaned = document_rules.env(P, text, KEYS, {}).cleaned
    assert dotenv.loads(cleaned) == dotenv.loads(text)
    assert len(cleaned.splitlines()) == len(text.splitlines())
