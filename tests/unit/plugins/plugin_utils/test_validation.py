# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._selection import select
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._validation import Variables
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.plugin_utils.selection_cases import (
    GOOD,
    KIMI_KEY,
    MOONSHOT_KEY,
    VENDOR,
    overridden,
    selected,
)

DEFINE_IT = "Define it in providers_overrides, or remove it from providers_enabled."
NO_LIST = "providers_enabled is not a list of strings. List the names of providers."
NAME_IT_SO = "Use lower-case letters, digits, '.', '_' and '-', and begin with a letter or digit."
BAD_VARIABLE = (
    "providers_overrides.moonshot.env_var is not the name of an environment variable. Use upper-case letters, digits "
    "and '_', and do not begin with a digit."
)
BAD_KEY = (
    "providers_api_keys.moonshot contains white space, a line break or another character that no key has. Copy the key "
    "again, without what surrounds it."
)
NO_KEY = (
    "providers_api_keys.moonshot is missing. Put the key into the vault, or remove moonshot from providers_enabled."
)
BAD_URL = (
    "providers_overrides.moonshot.block.baseUrl is not the URL of an endpoint. Use one like https://api.moonshot.cn/v1"
    ", without user name, white space, '?' or '#'."
)
BAD_API_KEY = (
    "providers_overrides.moonshot.block.apiKey is not the reference to env_var. Remove it, and put the key into "
    "providers_api_keys."
)
NO_BLOCK = "providers_overrides.moonshot.block is not a dictionary. Give it baseUrl, api and models."
NO_MODELS = "providers_overrides.moonshot.block.models is not a list of models. Give each an id and a name."

REJECTED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "enabled: a string": ({"enabled": "moonshot"}, [NO_LIST]),
    "enabled: a number in it": ({"enabled": ["moonshot", 1]}, [NO_LIST]),
    "no key at all": (
        {"enabled": None, "api_keys": {"moonshot": "", "kimicode": None}},
        ["No provider has a key. Put one into the vault: providers_api_keys.moonshot, providers_api_keys.kimicode."],
    ),
    "catalogue: a list": ({"catalogue": [1]}, ["providers_catalogue is not a dictionary."]),
    "overrides: a string": ({"overrides": "x"}, ["providers_overrides is not a dictionary."]),
    "keys: a list": ({"api_keys": [MOONSHOT_KEY]}, ["providers_api_keys is not a dictionary."]),
    "aliases: a number": ({"aliases": 1}, ["providers_aliases is not a dictionary."]),
    "all wrong at once": (
        {"enabled": 1, "catalogue": 1, "overrides": 1, "api_keys": 1, "aliases": 1, "default_model": 1},
        [
            NO_LIST,
            "providers_catalogue is not a dictionary.",
            "providers_overrides is not a dictionary.",
            "providers_api_keys is not a dictionary.",
            "providers_aliases is not a dictionary.",
            "providers_default_model is not a string of the form provider/model.",
        ],
    ),
    "default: a list": (
        {"default_model": ["moonshot/kimi-k2.5"]},
        ["providers_default_model is not a string of the form provider/model."],
    ),
    "fallbacks: a string": (
        {"fallback_models": "moonshot/kimi-k2.5"},
        ["providers_fallback_models is not a list of strings of the form provider/model."],
    ),
    "unknown provider, close to a known one": (
        {"enabled": ["moonshoot"]},
        ['providers_enabled: unknown provider "moonshoot". Did you mean "moonshot"?'],
    ),
    "unknown provider, close to none": (
        {"enabled": ["openai", "moonshot"]},
        [f'providers_enabled: unknown provider "openai". {DEFINE_IT}'],
    ),
    "removed provider": (
        {"overrides": {"moonshot": None}},
        [f'providers_enabled: unknown provider "moonshot". {DEFINE_IT}'],
    ),
    "provider name in capitals": (
        {"enabled": ["Other"], "overrides": {"Other": VENDOR}, "api_keys": {"Other": "k"}},
        [f'providers_enabled: invalid provider name "Other". {NAME_IT_SO}'],
    ),
    "provider name with a slash": (
        {"enabled": ["a/b"], "overrides": {"a/b": VENDOR}, "api_keys": {"a/b": "k"}},
        [f'providers_enabled: invalid provider name "a/b". {NAME_IT_SO}'],
    ),
    "provider name with a line break": (
        {"enabled": ["a\n"], "overrides": {"a\n": VENDOR}, "api_keys": {"a\n": "k"}},
        [f'providers_enabled: invalid provider name "a\\n". {NAME_IT_SO}'],
    ),
    "entry: a list": (
        {"catalogue": {**GOOD["catalogue"], "moonshot": ["x"]}},
        ["providers_catalogue.moonshot is not a dictionary. Give it env_var and block."],
    ),
    "entry: unknown field": (
        overridden("moonshot", envvar="X", zzz=1),
        [
            'providers_overrides.moonshot: unknown field "envvar". Did you mean "env_var"?',
            'providers_overrides.moonshot: unknown field "zzz". Use env_var, also_in, key_prefix, block, aliases, '
            "unlisted_models, optional_models.",
        ],
    ),
    "environment variable in lower case": (overridden("moonshot", env_var="moonshot_key"), [BAD_VARIABLE]),
    "environment variable begins with a digit": (overridden("moonshot", env_var="1KEY"), [BAD_VARIABLE]),
    "environment variable with a line break": (overridden("moonshot", env_var="KEY\n"), [BAD_VARIABLE]),
    "environment variable: a list": (overridden("moonshot", env_var=["KEY"]), [BAD_VARIABLE]),
    "environment variable missing": (overridden("moonshot", env_var=None), [BAD_VARIABLE]),
    "key prefix: a number": (
        overridden("moonshot", key_prefix=5),
        ["providers_overrides.moonshot.key_prefix is not a string."],
    ),
    "catalogue aliases: a list": (
        overridden("moonshot", aliases=["k25"]),
        ["providers_overrides.moonshot.aliases is not a dictionary of alias to model id."],
    ),
    "catalogue aliases: a number in it": (
        overridden("moonshot", aliases={"k25": 5}),
        ["providers_overrides.moonshot.aliases is not a dictionary of alias to model id."],
    ),
    "unlisted models: a string": (
        overridden("moonshot", unlisted_models="x"),
        ["providers_overrides.moonshot.unlisted_models is not a list of model ids."],
    ),
    "block: a list": (
        overridden("moonshot", block=[]),
        [NO_BLOCK],
    ),
    "block missing": (
        overridden("moonshot", block=None),
        [NO_BLOCK],
    ),
    "base URL without a scheme": (overridden("moonshot", block={"baseUrl": "api.moonshot.cn/v1"}), [BAD_URL]),
    "base URL with a password": (overridden("moonshot", block={"baseUrl": "https://me:secret@host/v1"}), [BAD_URL]),
    "base URL with a query": (overridden("moonshot", block={"baseUrl": "https://host/v1?x=1"}), [BAD_URL]),
    "base URL with a line break": (overridden("moonshot", block={"baseUrl": "https://host/v1\n"}), [BAD_URL]),
    "base URL: a dictionary": (overridden("moonshot", block={"baseUrl": {"x": 1}}), [BAD_URL]),
    "base URL missing": (overridden("moonshot", block={"baseUrl": None}), [BAD_URL]),
    "key in the block": (overridden("moonshot", block={"apiKey": MOONSHOT_KEY}), [BAD_API_KEY]),
    "another variable in the block": (overridden("moonshot", block={"apiKey": "${KIMICODE_API_KEY}"}), [BAD_API_KEY]),
    "key in the block: a list": (overridden("moonshot", block={"apiKey": ["x"]}), [BAD_API_KEY]),
    "headers: a list": (
        overridden("moonshot", block={"headers": ["x"]}),
        ["providers_overrides.moonshot.block.headers is not a dictionary of strings."],
    ),
    "headers: a number in it": (
        overridden("moonshot", block={"headers": {"X": 1}}),
        ["providers_overrides.moonshot.block.headers is not a dictionary of strings."],
    ),
    "models: a string": (overridden("moonshot", block={"models": "kimi-k2.5"}), [NO_MODELS]),
    "models: a dictionary": (overridden("moonshot", block={"models": {"id": "x"}}), [NO_MODELS]),
    "models: none": (overridden("moonshot", block={"models": []}), [NO_MODELS]),
    "models removed": (overridden("moonshot", block={"models": None}), [NO_MODELS]),
    "model without an id": (overridden("moonshot", block={"models": [{"name": "X"}]}), [NO_MODELS]),
    "model id: a number": (overridden("moonshot", block={"models": [{"id": 5, "name": "X"}]}), [NO_MODELS]),
    "model id: a list": (overridden("moonshot", block={"models": [{"id": ["x"], "name": "X"}]}), [NO_MODELS]),
    "model id: empty or padded": (
        overridden("moonshot", block={"models": [{"id": "", "name": "X"}, {"id": "y ", "name": "Y"}]}),
        [
            'providers_overrides.moonshot.block.models: invalid id "". Give one without white space around it.',
            'providers_overrides.moonshot.block.models: invalid id "y ". Give one without white space around it.',
        ],
    ),
    "model without a name": (
        overridden("moonshot", block={"models": [{"id": "x"}]}),
        ['providers_overrides.moonshot.block.models: model "x" has no name. Add one.'],
    ),
    "model name: empty": (
        overridden("moonshot", block={"models": [{"id": "x", "name": ""}]}),
        ['providers_overrides.moonshot.block.models: model "x" has no name. Add one.'],
    ),
    "model headers: a string": (
        overridden("moonshot", block={"models": [{"id": "kimi-k2.5", "headers": "X: 1"}]}),
        ['providers_overrides.moonshot.block.models: headers of model "kimi-k2.5" are not a dictionary of strings.'],
    ),
    "model twice": (
        {
            "enabled": ["other"],
            "catalogue": {
                "other": {
                    **VENDOR,
                    "block": {
                        "baseUrl": "https://host",
                        "models": [{"id": "a", "name": "A"}, {"id": "a", "name": "B"}],
                    },
                }
            },
        },
        ['providers_catalogue.other.block.models: duplicate model "a". Remove one of them.'],
    ),
    "no key": ({"api_keys": {"kimicode": KIMI_KEY}}, [NO_KEY]),
    "empty key": ({"api_keys": {"moonshot": "", "kimicode": KIMI_KEY}}, [NO_KEY]),
    "key: null": ({"api_keys": {"moonshot": None, "kimicode": KIMI_KEY}}, [NO_KEY]),
    "no key, but one with a similar name": (
        {"api_keys": {"moon-shot": MOONSHOT_KEY, "kimicode": KIMI_KEY}},
        [f'{NO_KEY} If "moon-shot" is meant, rename it.'],
    ),
    "key: a number": (
        {"api_keys": {"moonshot": 5, "kimicode": KIMI_KEY}},
        ["providers_api_keys.moonshot is not a string."],
    ),
    "key: zero": (
        {"api_keys": {"moonshot": 0, "kimicode": KIMI_KEY}},
        ["providers_api_keys.moonshot is not a string."],
    ),
    "key with a final line break": ({"api_keys": {"moonshot": f"{MOONSHOT_KEY}\n", "kimicode": KIMI_KEY}}, [BAD_KEY]),
    "key with a space": ({"api_keys": {"moonshot": f" {MOONSHOT_KEY}", "kimicode": KIMI_KEY}}, [BAD_KEY]),
    "key with a letter that is not ASCII": (
        {"api_keys": {"moonshot": f"{MOONSHOT_KEY}ä", "kimicode": KIMI_KEY}},
        [BAD_KEY],
    ),
    "key with a control character": ({"api_keys": {"moonshot": "sk-\x7f", "kimicode": KIMI_KEY}}, [BAD_KEY]),
    "key with another prefix": (
        {"api_keys": {"moonshot": "pk-0123456789", "kimicode": KIMI_KEY}},
        ['providers_api_keys.moonshot does not start with "sk-". Use a key of moonshot, or change its key_prefix.'],
    ),
    "two providers, one environment variable, two keys": (
        overridden("kimicode", env_var="MOONSHOT_API_KEY"),
        [
            "providers_api_keys: moonshot and kimicode share the environment variable MOONSHOT_API_KEY, but have "
            "different keys. Give one of them another env_var in providers_overrides."
        ],
    ),
    "environment variable that Clawdbot reads another provider's key from": (
        {
            "enabled": ["moonshot", "acme"],
            "overrides": {
                "moonshot": {"env_var": "MOONSHOT_CN_API_KEY"},
                "acme": {**VENDOR, "env_var": "MOONSHOT_API_KEY"},
            },
            "api_keys": {"moonshot": MOONSHOT_KEY, "acme": "other"},
            "aliases": {},
        },
        [
            "providers_api_keys: clawdbot reads the key of moonshot from MOONSHOT_API_KEY before MOONSHOT_CN_API_KEY, "
            "but MOONSHOT_API_KEY contains the key of acme. Give acme another env_var in providers_overrides."
        ],
    ),
    "two providers, a further environment variable of one, two keys": (
        overridden("moonshot", also_in=["KIMICODE_API_KEY"]),
        [
            "providers_api_keys: moonshot and kimicode share the environment variable KIMICODE_API_KEY, but have "
            "different keys. Remove it from also_in of moonshot.",
        ],
    ),
    "two providers, a further environment variable of both, two keys": (
        {"overrides": {"moonshot": {"also_in": ["KIMI"]}, "kimicode": {"also_in": ["KIMI"]}}},
        [
            "providers_api_keys: moonshot and kimicode share the environment variable KIMI, but have different keys. "
            "Remove it from also_in of moonshot.",
        ],
    ),
    "further environment variable that Clawdbot reads another provider's key from": (
        {
            "enabled": ["moonshot", "acme"],
            "overrides": {
                "moonshot": {"env_var": "MOONSHOT_CN_API_KEY"},
                "acme": {**VENDOR, "also_in": ["MOONSHOT_API_KEY"]},
            },
            "api_keys": {"moonshot": MOONSHOT_KEY, "acme": "other"},
            "aliases": {},
        },
        [
            "providers_api_keys: clawdbot reads the key of moonshot from MOONSHOT_API_KEY before MOONSHOT_CN_API_KEY, "
            "but MOONSHOT_API_KEY contains the key of acme. Remove it from also_in of acme."
        ],
    ),
    "also_in: a string": (
        overridden("moonshot", also_in="KIMI_API_KEY"),
        ["providers_overrides.moonshot.also_in is not a list of names of environment variables."],
    ),
    "also_in: no name": (
        overridden("moonshot", also_in=["KIMI_API_KEY", "my key"]),
        [
            'providers_overrides.moonshot.also_in: "my key" is not the name of an environment variable. Use upper-case '
            "letters, digits and '_', and do not begin with a digit."
        ],
    ),
    "also_in: names that are there already": (
        overridden("moonshot", also_in=["MOONSHOT_API_KEY", "A", "A"]),
        [
            'providers_overrides.moonshot.also_in: "MOONSHOT_API_KEY" is there twice, or is env_var. Remove it here.',
            'providers_overrides.moonshot.also_in: "A" is there twice, or is env_var. Remove it here.',
        ],
    ),
    "two providers, one environment variable, one key missing": (
        {**overridden("kimicode", env_var="MOONSHOT_API_KEY"), "api_keys": {"kimicode": KIMI_KEY}},
        [NO_KEY],
    ),
    "default: unknown model": (
        {"default_model": "moonshot/kimi-k2.6"},
        ['providers_default_model: unknown model "moonshot/kimi-k2.6". Did you mean "kimi-k2.5"?'],
    ),
    "default: no provider": (
        {"default_model": "kimi-k2.5"},
        ['providers_default_model: "kimi-k2.5" is not of the form provider/model.'],
    ),
    "default: no model": (
        {"default_model": "moonshot/"},
        ['providers_default_model: "moonshot/" is not of the form provider/model.'],
    ),
    "default: nothing before the slash": (
        {"default_model": "/kimi-k2.5"},
        ['providers_default_model: "/kimi-k2.5" is not of the form provider/model.'],
    ),
    "default: provider not enabled": (
        {"enabled": ["moonshot"], "default_model": "kimicode/kimi-for-coding"},
        [
            'providers_default_model: the provider of "kimicode/kimi-for-coding" is not enabled. Add kimicode to '
            "providers_enabled."
        ],
    ),
    "fallback: unknown provider": (
        {"fallback_models": ["moonshot/kimi-k2.5", "openay/gpt", "zzzzz/x"]},
        [
            'providers_fallback_models: unknown provider "openay". Did you mean "openai"?',
            'providers_fallback_models: unknown provider "zzzzz". Define it in providers_overrides, and add it to '
            "providers_enabled.",
        ],
    ),
    "alias: a list": (
        {"aliases": {"k25": ["moonshot/kimi-k2.5"]}},
        ["providers_aliases.k25 is not a string of the form provider/model."],
    ),
    "alias of two words": (
        {"aliases": {"k 25": "moonshot/kimi-k2.5"}},
        ['providers_aliases: invalid alias "k 25". Use one word without a slash.'],
    ),
    "alias with a slash": (
        {"aliases": {"k/25": "moonshot/kimi-k2.5"}},
        ['providers_aliases: invalid alias "k/25". Use one word without a slash.'],
    ),
    "aliases that differ in case alone": (
        {"aliases": {"kimi": "moonshot/kimi-k2.5", "Kimi": "kimicode/kimi-for-coding"}},
        ["The aliases 'kimi' and 'Kimi' differ only in case, which is ignored: rename one of them."],
    ),
    "two aliases of one model": (
        {**overridden("moonshot", aliases={"k25": "kimi-k2.5"}), "aliases": {"fast": "moonshot/kimi-k2.5"}},
        [
            "The aliases 'k25' and 'fast' both name moonshot/kimi-k2.5, which can have only one: remove one of them.",
        ],
    ),
    "optional models: a string": (
        overridden("moonshot", optional_models="kimi-k2.5"),
        ["providers_overrides.moonshot.optional_models is not a list of model ids."],
    ),
    "optional models: not in the block": (
        overridden("moonshot", optional_models=["kimi-k2.5", "kimi-k2.6", "zzz"]),
        [
            'providers_overrides.moonshot.optional_models: unknown model "kimi-k2.6". Did you mean "kimi-k2.5"?',
            'providers_overrides.moonshot.optional_models: unknown model "zzz". Add it to '
            "providers_overrides.moonshot.block.models, or remove it here.",
        ],
    ),
    "a key in a wrong place": (
        {"default_model": f"moonshot/{KIMI_KEY}"},
        [
            f'providers_default_model: unknown model "moonshot/<{fingerprint(KIMI_KEY)}>". Add it to '
            "providers_overrides.moonshot.block.models."
        ],
    ),
    "a key that is not given as one in a wrong place": (
        {"enabled": ["sk-0123456789abc"]},
        [f'providers_enabled: unknown provider "<redacted>". {DEFINE_IT}'],
    ),
    "all problems of the keys and targets at once": (
        {"api_keys": {"kimicode": "x"}, "default_model": "x"},
        [
            NO_KEY,
            'providers_api_keys.kimicode does not start with "sk-". Use a key of kimicode, or change its key_prefix.',
            'providers_default_model: "x" is not of the form provider/model.',
        ],
    ),
}


@pytest.mark.parametrize("name", REJECTED)
def test_rejected(name: str) -> None:
    changed, problems = REJECTED[name]
    assert selected(**changed) == {"problems": problems}


def test_known_variables_without_a_conflict() -> None:
    one_key = selected(
        enabled=["moonshot", "acme"],
        overrides={
            "moonshot": {"env_var": "MOONSHOT_CN_API_KEY"},
            "acme": {**VENDOR, "env_var": "MOONSHOT_API_KEY"},
        },
        api_keys={"moonshot": MOONSHOT_KEY, "acme": MOONSHOT_KEY},
        aliases={},
    )
    assert one_key["problems"] == []
    # Clawdbot reads the provider's own environment variable first.
    own_first = selected(
        enabled=["anthropic", "acme"],
        overrides={
            "anthropic": {**VENDOR, "env_var": "ANTHROPIC_OAUTH_TOKEN"},
            "acme": {**VENDOR, "env_var": "ANTHROPIC_API_KEY"},
        },
        api_keys={"anthropic": "one", "acme": "other"},
        aliases={},
    )
    assert own_first["problems"] == []


def test_built_in_providers_are_those_of_the_product() -> None:
    assert selected(product="clawdbot", default_model="kimi-code/x")["problems"] == []
    assert selected(product="another", default_model="kimi-code/x")["problems"] == [
        'providers_default_model: unknown provider "kimi-code". Did you mean "kimicode"?'
    ]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NAMES = st.sampled_from(["moonshot", "block", "models", "headers", "id", "name", "env_var", "aliases", "apiKey"])
YAML = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


def _with_anything(good: Any, anything: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return the good value, or one with anything in place of one of its parts."""
    if isinstance(good, dict) and good:
        parts = [
            _with_anything(value, anything).map(lambda part, name=name: {**good, name: part})
            for name, value in good.items()
        ]
        return st.one_of(anything, *parts)
    if isinstance(good, list) and good:
        parts = [
            _with_anything(value, anything).map(lambda part, at=at: [*good[:at], part, *good[at + 1 :]])
            for at, value in enumerate(good)
        ]
        return st.one_of(anything, *parts)
    return anything


@given(_with_anything({**GOOD, "product": "auto"}, YAML | st.just(MOONSHOT_KEY) | st.just(f"x {KIMI_KEY}")))
def test_anything_gives_a_selection_or_problems_and_no_key_in_them(variables: Any) -> None:
    if not (isinstance(variables, dict) and set(variables) == set(GOOD) and isinstance(variables["product"], str)):
        return
    selection = select(Variables(**variables))
    assert all(isinstance(problem, str) for problem in selection["problems"])
    assert (selection.keys() == {"problems"}) == bool(selection["problems"])
    shown = json.dumps(selection["problems"])
    assert MOONSHOT_KEY not in shown
    assert KIMI_KEY not in shown


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=40), st.data())
def test_no_problem_contains_a_key_of_any_form(key: str, data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(["enabled", "default_model", "fallback_models", "aliases", "overrides"]))
    value = {
        "enabled": [key],
        "default_model": key,
        "fallback_models": [key],
        "aliases": {"k": key},
        "overrides": {"moonshot": {"env_var": key, "block": {"baseUrl": key, "apiKey": key}}},
    }[place]
    selection = selected(**{place: value, "api_keys": {"moonshot": key, "kimicode": KIMI_KEY}})
    assert selection["problems"]
    shown = " ".join(selection["problems"])
    assert key not in shown
    assert repr(key)[1:-1] not in shown
