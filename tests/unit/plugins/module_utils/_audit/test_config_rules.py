# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.config_rules import CONFIG, CONFIG_COPY
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.document_rules import Context, Document
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from hypothesis import example, given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils._audit.audit_cases import (
    FOREIGN,
    KEYS,
    KIMI,
    NOW,
    OLD,
    PATH,
    STALE,
    examine,
    found,
)

PURGE = "clawfleet.clawdbot.purge cleans it."
PUT = "Move it to .env, and refer to its environment variable instead."


def provider(**members: Any) -> dict[str, Any]:
    return {"models": {"providers": {"moonshot": members}}}


REFERENCE = "${MOONSHOT_API_KEY}"
#: A key of a vendor without a prefix.
PLAIN = "0123456789abcdef0123456789abcdef"
#: Keys in all sections, and what is none.
OTHERS = {
    "plugins": {"entries": {"search": {"config": {"apiKey": PLAIN, "checksum": PLAIN}}}},
    "skills": {"entries": {"image": {"env": {"GEMINI_API_KEY": PLAIN}, "args": ["--key", FOREIGN]}}},
    "tools": {"web": {"search": {"perplexity": {"token": FOREIGN}, "kimi": {"apiKey": "${KIMI_API_KEY}"}}}},
    "env": {"vars": {"OTHER": FOREIGN, "XAI_API_KEY": "${OTHER}"}},
    "channels": {
        "discord": {"voice": {"headers": {"Authorization": f"Bearer {FOREIGN}"}}},
        "telegram": {"botToken": "123456789:AAF0123456789abcdefABCDEF0123456789"},
        "slack": {"apiKey": "YOUR_API_KEY"},
    },
}
WHERE = "models.providers.moonshot"
CASES: dict[str, tuple[Any, list[tuple[str, str, str, str, str]], Any]] = {
    "a reference": (provider(apiKey=REFERENCE), [], provider(apiKey=REFERENCE)),
    "no key": (provider(apiKey=""), [], provider(apiKey="")),
    "no string": (provider(apiKey=7), [], provider(apiKey=7)),
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
    "twice in a string of an array": (
        {"a": [["x", f"{NOW} and {KIMI}"]]},
        [
            ("a.0.1", "KIMICODE_API_KEY", fingerprint(KIMI), "current", ""),
            ("a.0.1", "MOONSHOT_API_KEY", fingerprint(NOW), "current", ""),
        ],
        {"a": [["x", "${MOONSHOT_API_KEY} and ${KIMICODE_API_KEY}"]]},
    ),
    "an old one without a provider": (
        {"tools": {"key": OLD}},
        [("tools.key", "", fingerprint(OLD), "old", "")],
        {"tools": {"key": "removed"}},
    ),
    "environment variables of the config": (
        {"env": {"MOONSHOT_API_KEY": STALE, "vars": {"KIMICODE_API_KEY": KIMI, "OTHER": "x"}}},
        [
            ("env.MOONSHOT_API_KEY", "MOONSHOT_API_KEY", fingerprint(STALE), "old", ""),
            ("env.vars.KIMICODE_API_KEY", "KIMICODE_API_KEY", fingerprint(KIMI), "current", ""),
        ],
        {"env": {"vars": {"OTHER": "x"}}},
    ),
    "environment variables of the config in an array": (
        {"env": [{"MOONSHOT_API_KEY": STALE, "OTHER": "x"}]},
        [("env.0.MOONSHOT_API_KEY", "MOONSHOT_API_KEY", fingerprint(STALE), "old", "")],
        {"env": [{"OTHER": "x"}]},
    ),
    "a managed provider without a key in .env": (
        {"models": {"providers": {"none": {"apiKey": FOREIGN}}}},
        [("models.providers.none.apiKey", "none", fingerprint(FOREIGN), "unknown", PUT)],
        {"models": {"providers": {"none": {"apiKey": FOREIGN}}}},
    ),
    "a provider that is not managed": (
        {"models": {"providers": {"other": {"apiKey": FOREIGN}, "local": {"apiKey": "ollama-local"}}}},
        [("models.providers.other.apiKey", "other", fingerprint(FOREIGN), "unknown", PUT)],
        {"models": {"providers": {"other": {"apiKey": FOREIGN}, "local": {"apiKey": "ollama-local"}}}},
    ),
    "the name of a variable": (
        provider(apiKey="MOONSHOT_API_KEY"),
        [(f"{WHERE}.apiKey", "moonshot", "", "", 'Write "${MOONSHOT_API_KEY}" there, or run the role.')],
        provider(apiKey="MOONSHOT_API_KEY"),
    ),
    "a reference in another form": (
        provider(apiKey="env:KIMI"),
        [(f"{WHERE}.apiKey", "moonshot", "", "", 'Write "${MOONSHOT_API_KEY}" there, or run the role.')],
        provider(apiKey="env:KIMI"),
    ),
    "the name of the variable of a provider that is not managed": (
        {"models": {"providers": {"other": {"apiKey": "ANTHROPIC_API_KEY"}, "local": {"apiKey": "YOUR_KEY_IF_ANY"}}}},
        [
            ("models.providers.other.apiKey", "other", "", "", 'Write "${ANTHROPIC_API_KEY}" there.'),
        ],
        {"models": {"providers": {"other": {"apiKey": "ANTHROPIC_API_KEY"}, "local": {"apiKey": "YOUR_KEY_IF_ANY"}}}},
    ),
    "a reference of OpenClaw": (
        provider(apiKey={"source": "env", "provider": "default", "id": "MOONSHOT_API_KEY"}),
        [],
        provider(apiKey={"source": "env", "provider": "default", "id": "MOONSHOT_API_KEY"}),
    ),
    "a placeholder among the environment variables of the config": (
        {"env": {"vars": {"MOONSHOT_API_KEY": "YOUR_KEY_0123456789"}}},
        [],
        {"env": {"vars": {"MOONSHOT_API_KEY": "YOUR_KEY_0123456789"}}},
    ),
    "keys of vendors that are not managed": (
        OTHERS,
        [
            ("plugins.entries.search.config.apiKey", "", fingerprint(PLAIN), "unknown", PUT),
            ("skills.entries.image.env.GEMINI_API_KEY", "", fingerprint(PLAIN), "unknown", PUT),
            ("skills.entries.image.args.1", "", fingerprint(FOREIGN), "unknown", PUT),
            ("tools.web.search.perplexity.token", "", fingerprint(FOREIGN), "unknown", PUT),
            ("env.vars.OTHER", "", fingerprint(FOREIGN), "unknown", PUT),
            ("channels.discord.voice.headers.Authorization", "", fingerprint(FOREIGN), "unknown", PUT),
        ],
        OTHERS,
    ),
    "a provider that is not managed with a managed key": (
        {"models": {"providers": {"kimi-code": {"apiKey": KIMI}}}},
        [("models.providers.kimi-code.apiKey", "kimi-code", fingerprint(KIMI), "current", "")],
        {"models": {"providers": {"kimi-code": {"apiKey": "${KIMICODE_API_KEY}"}}}},
    ),
}


@pytest.mark.parametrize(("value", "findings", "cleaned"), CASES.values(), ids=CASES)
def test_references_replace_keys_in_a_config(
    value: Any, findings: list[tuple[str, str, str, str, str]], cleaned: Any
) -> None:
    text = json.dumps(value)
    examination = examine(CONFIG, text)
    assert found(examination) == findings
    assert json5_reader.loads(examination.cleaned) == cleaned
    assert examine(CONFIG, examination.cleaned).cleaned == examination.cleaned
    if value == cleaned:
        assert examination.cleaned == text


@pytest.mark.parametrize(("value", "findings", "cleaned"), CASES.values(), ids=CASES)
def test_a_copy_of_the_config_is_cleaned_alike_and_may_hold_unknown_keys(
    value: Any, findings: list[tuple[str, str, str, str, str]], cleaned: Any
) -> None:
    examination = examine(CONFIG_COPY, json.dumps(value))
    assert found(examination) == [one for one in findings if one[3] in ("current", "old")]
    assert json5_reader.loads(examination.cleaned) == cleaned


def test_a_config_is_unchanged_while_the_process_has_older_variables() -> None:
    text = json.dumps(provider(apiKey=NOW))
    examination = examine(CONFIG, text, replaceable=False)
    assert [(one.purgeable, one.hint) for one in examination.findings] == [
        (False, "Restart the gateway, which runs with an older .env. Then run clawfleet.clawdbot.purge.")
    ]
    assert examination.cleaned == text


def test_a_key_is_removed_from_a_comment_of_a_config() -> None:
    text = f"// was {OLD}\n{{ a: 'x', // {NOW}\n}}\n"
    examination = examine(CONFIG, text)
    assert [(one.where, one.status, one.purgeable) for one in examination.findings] == [
        ("line 1", "old", True),
        ("line 2", "current", True),
    ]
    assert examination.cleaned == "// was removed\n{ a: 'x', // removed\n}\n"


def test_old_keys_in_the_places_of_current_ones_are_gathered_for_the_search() -> None:
    value = {**provider(apiKey=STALE), "env": {"KIMICODE_API_KEY": OLD}}
    assert CONFIG_COPY.old_values is not None
    assert CONFIG_COPY.old_values(value, KEYS) == {
        STALE: "MOONSHOT_API_KEY",
        OLD: "KIMICODE_API_KEY",
    }


def test_a_finding_names_key_place_and_remedy() -> None:
    (finding,) = examine(CONFIG, json.dumps(provider(apiKey=NOW))).findings
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


STRINGS = st.sampled_from([NOW, OLD, STALE, KIMI, REFERENCE, f"x {NOW}", "", "x"])
NAMES = st.sampled_from(["a", "apiKey", "env", "models", "providers", "moonshot", "MOONSHOT_API_KEY"])
VALUES = st.recursive(
    STRINGS | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "apiKey", "env", "models", "providers", "moonshot", "MOONSHOT_API_KEY"]),
            inner,
            max_size=3,
        )
    ),
)


@example({"models": {"providers": [{"apiKey": f"x {NOW}"}]}})
@given(st.dictionaries(st.sampled_from(["models", "env", "x"]), VALUES))
def test_no_known_key_is_left_in_a_copy_of_a_config(value: Any) -> None:
    examination = examine(CONFIG_COPY, json.dumps(value))
    assert [key for key in (NOW, OLD, KIMI) if key in examination.cleaned] == []
    assert (examination.cleaned != json.dumps(value)) == bool(examination.findings)
    assert not [key for key in (NOW, OLD, STALE, KIMI) if key in repr(examination)]


def test_a_broken_config_is_an_error_without_its_text() -> None:
    with pytest.raises(json5_reader.Json5Error) as caught:
        CONFIG_COPY.parse(f'{{"a": {NOW}')
    assert NOW not in str(caught.value)


INSTEAD = {
    "MOONSHOT_API_KEY": "the name of an environment variable",
    "{{MOONSHOT_API_KEY}}": "a reference in another form",
    "sk-...": "a placeholder",
    "moonshot": "something that is no key",
}


@pytest.mark.parametrize(("text", "what"), INSTEAD.items(), ids=INSTEAD)
def test_what_is_in_place_of_a_key_is_reported(text: str, what: str) -> None:
    message = f"/s/file has {what} at models.providers.moonshot.apiKey, in place of a reference."
    (finding,) = examine(CONFIG, json.dumps(provider(apiKey=text))).findings
    assert (finding.kind, finding.message, finding.purgeable) == ("no_key", message, False)
    # A restart would not help.
    (finding,) = examine(CONFIG, json.dumps(provider(apiKey=text)), replaceable=False).findings
    assert finding.hint == 'Write "${MOONSHOT_API_KEY}" there, or run the role.'
    assert examine(CONFIG_COPY, json.dumps(provider(apiKey=text))).findings == []


#: What the document has of `secrets`, the variables of the file that `.env` lacks -> the key of the provider and the
#: header, in the config and in a copy of it.
FILE = {"secrets": {"providers": {"clawfleet": {"source": "file", "path": "/s/clawfleet-keys.json", "mode": "json"}}}}
IN_FILE = {"source": "file", "provider": "clawfleet", "id": "/MOONSHOT_API_KEY"}
NAMES = frozenset({"MOONSHOT_API_KEY"})
REFERENCES: dict[str, tuple[dict[str, Any], frozenset[str], tuple[Any, str], tuple[Any, str]]] = {
    "to the file": (FILE, NAMES, (IN_FILE, "removed"), (IN_FILE, "removed")),
    "to the file, and .env has the key too": (FILE, frozenset(), (IN_FILE, REFERENCE), (IN_FILE, REFERENCE)),
    "nothing defines the file": ({}, NAMES, (NOW, "removed"), ("removed", "removed")),
    "nothing defines the file, and .env has the key": ({}, frozenset(), (REFERENCE,) * 2, (REFERENCE,) * 2),
}


@pytest.mark.parametrize("name", REFERENCES)
def test_a_key_is_replaced_by_a_reference_that_the_document_defines(name: str) -> None:
    more, not_in_env, *expected = REFERENCES[name]
    keys = replace(KEYS, in_file=NAMES, not_in_env=not_in_env)
    text = json.dumps({**provider(apiKey=NOW, headers={"X": f"Bearer {NOW}"}), **more})
    for rules, (key, header) in zip((CONFIG, CONFIG_COPY), expected):
        examined = rules.examine(Document(PATH, text, json.loads(text)), Context(keys))
        after = {**provider(apiKey=key, headers={"X": f"Bearer {header}"}), **more}
        assert json5_reader.loads(examined.cleaned) == after
        left = [("", PUT)] if key == NOW else []
        assert [("", one.hint) for one in examined.findings if not one.purgeable] == left
