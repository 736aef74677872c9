# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import Desired, Removal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import provider_config

NOTHING: dict[str, Any] = {
    "providers": {},
    "env": {},
    "aliases": {},
    "default_model": None,
    "fallback_models": None,
    "removed_models": [],
    "keys": {},
    "env_path": "/s/.env",
}
KEY = "sk-0123456789abcdef"


def test_what_may_be_asked() -> None:
    block = {"apiKey": "${MOONSHOT_API_KEY}", "models": [{"id": "kimi-k2.5"}]}
    assert provider_config.desired(NOTHING) == Desired()
    assert provider_config.desired(
        {
            **NOTHING,
            "providers": {"moonshot": block, "local": {"baseUrl": "http://127.0.0.1/v1"}, "none": {"models": []}},
            "env": {"MOONSHOT_API_KEY": KEY, "_X9": " padded "},
            "aliases": {"k25": "moonshot/kimi-k2.5"},
            "default_model": "openrouter/anthropic/claude",
            "fallback_models": ["a/b"],
            "removed_models": ["moonshot/kimi-k2"],
        }
    ) == Desired(
        {"moonshot": block, "local": {"baseUrl": "http://127.0.0.1/v1"}, "none": {"models": []}},
        {"k25": "moonshot/kimi-k2.5"},
        "openrouter/anthropic/claude",
        ["a/b"],
        frozenset({"moonshot/kimi-k2"}),
    )


def test_keys_in_a_file() -> None:
    block = {"apiKey": IN_FILE}
    assert provider_config.desired({**NOTHING, "providers": {"m": block}, "keys": {"M_KEY": KEY}}) == Desired(
        {"m": block}, key_file="/s/clawfleet-keys.json"
    )


LITERAL = "providers.m.apiKey must be a reference to an environment variable: put the key into env and ${NAME} here."
NAME = (
    "env: {} cannot be the name of an environment variable that the config refers to: use capital letters, digits and"
    " _, and no digit first."
)
ID = "providers: {} cannot be the id of a provider: it is empty, or contains white space or a slash."

IN_FILE = {"source": "file", "provider": "clawfleet", "id": "/M_KEY"}

REJECTED: dict[str, tuple[dict[str, Any], str]] = {
    "id with a slash": ({"providers": {"a/b": {}}}, ID.format("'a/b'")),
    "empty id": ({"providers": {"": {}}}, ID.format("''")),
    "block is a text": ({"providers": {"m": KEY}}, "providers.m must be a dictionary, as the config takes it."),
    "block is null": ({"providers": {"m": None}}, "providers.m must be a dictionary, as the config takes it."),
    "key of the file that is not given": (
        {"providers": {"m": {"apiKey": IN_FILE}}, "keys": {"OTHER": KEY}},
        "providers.m refers to M_KEY in the file with keys: give the key in keys.",
    ),
    "reference to another file": ({"providers": {"m": {"apiKey": {**IN_FILE, "provider": "vault"}}}}, LITERAL),
    "name of a key": (
        {"keys": {"m_key": KEY}},
        NAME.format("'m_key'").replace("env:", "keys:"),
    ),
    "empty key": ({"keys": {"M_KEY": " "}}, "keys.M_KEY is empty, which the gateway treats like a missing variable."),
    "key in both files": (
        {"keys": {"M_KEY": KEY}, "env": {"M_KEY": KEY}},
        "M_KEY is in env and in keys: it belongs in one of them.",
    ),
    "literal key": ({"providers": {"m": {"apiKey": KEY}}}, LITERAL),
    "key in a list": ({"providers": {"m": {"apiKey": [KEY]}}}, LITERAL),
    "null key": ({"providers": {"m": {"apiKey": None}}}, LITERAL),
    "escaped reference": ({"providers": {"m": {"apiKey": "$${KEY}"}}}, LITERAL),
    "reference and more": ({"providers": {"m": {"apiKey": "${KEY}\n"}}}, LITERAL),
    "lower-case reference": ({"providers": {"m": {"apiKey": "${key}"}}}, LITERAL),
    "models are null": ({"providers": {"m": {"models": None}}}, "providers.m.models must be a list."),
    "models are a dictionary": ({"providers": {"m": {"models": {"id": "x"}}}}, "providers.m.models must be a list."),
    "model is a text": (
        {"providers": {"m": {"models": [{"id": "x"}, "kimi"]}}},
        "providers.m.models[1] must be a dictionary with an id.",
    ),
    "model without id": ({"providers": {"m": {"models": [{"name": "x"}]}}}, "providers.m.models[0] has no id."),
    "model with an empty id": ({"providers": {"m": {"models": [{"id": " "}]}}}, "providers.m.models[0] has no id."),
    "model with a number": ({"providers": {"m": {"models": [{"id": 1}]}}}, "providers.m.models[0] has no id."),
    "lower-case name": ({"env": {"key": KEY}}, NAME.format("'key'")),
    "name with a digit first": ({"env": {"1KEY": KEY}}, NAME.format("'1KEY'")),
    "name with a line break": ({"env": {"KEY\n": KEY}}, NAME.format(r"'KEY\n'")),
    "number": ({"env": {"KEY": 123456}}, "env.KEY must be a string in quotes."),
    "null, which would remove it": ({"env": {"KEY": None}}, "env.KEY must be a string in quotes."),
    "empty": ({"env": {"KEY": ""}}, "env.KEY is empty, which the gateway treats like a missing variable."),
    "blank": ({"env": {"KEY": " \n"}}, "env.KEY is empty, which the gateway treats like a missing variable."),
    "alias without provider": ({"aliases": {"k": "kimi"}}, "aliases.k must be of the form provider/model."),
    "alias of null": ({"aliases": {"k": None}}, "aliases.k must be of the form provider/model."),
    "default without model": ({"default_model": "m/"}, "default_model must be of the form provider/model."),
    "empty default": ({"default_model": ""}, "default_model must be of the form provider/model."),
    "fallback with a space": (
        {"fallback_models": ["a/b", "a b/c"]},
        "fallback_models[1] must be of the form provider/model.",
    ),
    "several": (
        {"providers": {"m": {"apiKey": KEY, "models": [{}]}}, "env": {"KEY": ""}},
        f"{LITERAL} providers.m.models[0] has no id. env.KEY is empty, which the gateway treats like a missing"
        " variable.",
    ),
}


@pytest.mark.parametrize(("params", "problems"), REJECTED.values(), ids=REJECTED)
def test_invalid_parameters_are_rejected(params: dict[str, Any], problems: str) -> None:
    with pytest.raises(ClawdbotError) as caught:
        provider_config.desired({**NOTHING, **params})
    assert str(caught.value) == problems


def test_removal() -> None:
    params = {**NOTHING, "providers": {"moonshot": {}, "kimicode": None}, "env": {"KEY": "", "OTHER": None}}
    assert provider_config.removal(params, {"kimi": "moonshot"}) == Removal(
        ["moonshot", "kimicode"], None, {"kimi": "moonshot"}
    )
    assert provider_config.removal({**params, "default_model": "a/b"}, {}) == Removal(["moonshot", "kimicode"], "a/b")


NOT_REMOVED: dict[str, tuple[dict[str, Any], str]] = {
    "id with a slash": ({"providers": {"a/b": {}}}, ID.format("'a/b'")),
    "name of a variable": ({"env": {"key": ""}}, NAME.format("'key'")),
    "default without model": ({"default_model": "m/"}, "default_model must be of the form provider/model."),
    "default of the provider": (
        {"providers": {"moonshot": {}}, "default_model": "Moonshot/k"},
        "default_model is Moonshot/k, a model of a provider that is to be removed.",
    ),
    "default of the provider in another spelling": (
        {"providers": {"moonshot": {}}, "default_model": "Kimi/k"},
        "default_model is Kimi/k, a model of a provider that is to be removed.",
    ),
    "aliases": (
        {"aliases": {"k": "a/b"}},
        "aliases is for state=present: what belongs to removed providers is removed with them.",
    ),
    "fallbacks": (
        {"fallback_models": ["a/b"]},
        "fallback_models is for state=present: what belongs to removed providers is removed with them.",
    ),
}


@pytest.mark.parametrize(("params", "problems"), NOT_REMOVED.values(), ids=NOT_REMOVED)
def test_invalid_removals_are_rejected(params: dict[str, Any], problems: str) -> None:
    with pytest.raises(ClawdbotError) as caught:
        provider_config.removal({**NOTHING, **params}, {"kimi": "moonshot"})
    assert str(caught.value) == problems


SECRETS: dict[str, tuple[Any, set[str]]] = {
    "by name": ({"m": {"apiKey": "opaque", "headers": {"X-Token": "t"}, "baseUrl": "u"}}, {"opaque", "t"}),
    "by look": ({"m": {"headers": {"X-Odd": f"Bearer {KEY}"}}}, {f"Bearer {KEY}"}),
    "by look, in a list": ({"m": {"apiKey": [KEY]}}, {KEY}),
    "a block that is none": ({"m": KEY}, {KEY}),
    "a reference": ({"m": {"apiKey": "${KEY}"}}, set()),
}


@pytest.mark.parametrize(("providers", "found"), SECRETS.values(), ids=SECRETS)
def test_secrets(providers: Any, found: set[str]) -> None:
    assert provider_config.block_secrets(providers) == found
