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

NOT_IN_CATALOGUE = ", which neither providers_catalogue nor providers_overrides has."
BAD_PROVIDER = (
    " is not one that the product can take: lower-case letters, digits, '.', '_' and '-', beginning with a letter "
    "or digit."
)
BAD_VARIABLE = (
    "providers_overrides.moonshot.env_var is not a name of a variable that the product can take: upper-case letters, "
    "digits and '_', not beginning with a digit."
)
BAD_KEY = (
    "providers_api_keys.moonshot holds white space, a line break or another character that no key has: copy it again, "
    "without what surrounds it."
)
NO_KEY = (
    "providers_api_keys.moonshot is missing, and moonshot is enabled: put its key into the vault, or take it out of "
    "providers_enabled."
)
BAD_URL = (
    "providers_overrides.moonshot.block.baseUrl is not the URL of an endpoint, as https://api.moonshot.cn/v1 is: no "
    "user name, no white space, nothing behind a '?' or '#'."
)
BAD_API_KEY = (
    "providers_overrides.moonshot.block.apiKey is something else than the reference to env_var: leave it out, and put "
    "the key into providers_api_keys."
)
NO_MODELS = "providers_overrides.moonshot.block.models is not a list of models, each with an id and a name."

REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "enabled: a text": ({"enabled": "moonshot"}, ["providers_enabled is not a list of names."]),
    "enabled: a number in it": ({"enabled": ["moonshot", 1]}, ["providers_enabled is not a list of names."]),
    "enabled: nothing": ({"enabled": None}, ["providers_enabled is not a list of names."]),
    "catalogue: a list": ({"catalogue": [1]}, ["providers_catalogue is not a dictionary."]),
    "overrides: a text": ({"overrides": "x"}, ["providers_overrides is not a dictionary."]),
    "keys: a list": ({"api_keys": [MOONSHOT_KEY]}, ["providers_api_keys is not a dictionary."]),
    "aliases: a number": ({"aliases": 1}, ["providers_aliases is not a dictionary."]),
    "all wrong at once": (
        {"enabled": 1, "catalogue": 1, "overrides": 1, "api_keys": 1, "aliases": 1, "default_model": 1},
        [
            "providers_enabled is not a list of names.",
            "providers_catalogue is not a dictionary.",
            "providers_overrides is not a dictionary.",
            "providers_api_keys is not a dictionary.",
            "providers_aliases is not a dictionary.",
            "providers_default_model is not a text of the form provider/model.",
        ],
    ),
    "default: a list": (
        {"default_model": ["moonshot/kimi-k2.5"]},
        ["providers_default_model is not a text of the form provider/model."],
    ),
    "fallbacks: a text": (
        {"fallback_models": "moonshot/kimi-k2.5"},
        ["providers_fallback_models is not a list of texts of the form provider/model."],
    ),
    "unknown provider, near one": (
        {"enabled": ["moonshoot"]},
        [f"providers_enabled names 'moonshoot'{NOT_IN_CATALOGUE} Did you mean moonshot?"],
    ),
    "unknown provider, nothing near": (
        {"enabled": ["openai", "moonshot"]},
        [f"providers_enabled names 'openai'{NOT_IN_CATALOGUE}"],
    ),
    "removed provider": (
        {"overrides": {"moonshot": None}},
        [f"providers_enabled names 'moonshot'{NOT_IN_CATALOGUE}"],
    ),
    "provider name in capitals": (
        {"enabled": ["Other"], "overrides": {"Other": VENDOR}, "api_keys": {"Other": "k"}},
        [f"The provider name 'Other'{BAD_PROVIDER}"],
    ),
    "provider name with a slash": (
        {"enabled": ["a/b"], "overrides": {"a/b": VENDOR}, "api_keys": {"a/b": "k"}},
        [f"The provider name 'a/b'{BAD_PROVIDER}"],
    ),
    "provider name with a line break": (
        {"enabled": ["a\n"], "overrides": {"a\n": VENDOR}, "api_keys": {"a\n": "k"}},
        [f"The provider name 'a\\n'{BAD_PROVIDER}"],
    ),
    "entry: a list": (
        {"catalogue": {**GOOD["catalogue"], "moonshot": ["x"]}},
        ["providers_catalogue.moonshot is not a dictionary with env_var and block."],
    ),
    "entry: unknown field": (
        overridden("moonshot", envvar="X", zzz=1),
        [
            "providers_overrides.moonshot.envvar is not a field of the catalogue. Did you mean env_var?",
            "providers_overrides.moonshot.zzz is not a field of the catalogue.",
        ],
    ),
    "variable name in small letters": (overridden("moonshot", env_var="moonshot_key"), [BAD_VARIABLE]),
    "variable name begins with a digit": (overridden("moonshot", env_var="1KEY"), [BAD_VARIABLE]),
    "variable name with a line break": (overridden("moonshot", env_var="KEY\n"), [BAD_VARIABLE]),
    "variable name: a list": (overridden("moonshot", env_var=["KEY"]), [BAD_VARIABLE]),
    "variable name missing": (overridden("moonshot", env_var=None), [BAD_VARIABLE]),
    "key prefix: a number": (
        overridden("moonshot", key_prefix=5),
        ["providers_overrides.moonshot.key_prefix is not a text."],
    ),
    "catalogue aliases: a list": (
        overridden("moonshot", aliases=["k25"]),
        ["providers_overrides.moonshot.aliases is not a dictionary of alias and model."],
    ),
    "catalogue aliases: a number in it": (
        overridden("moonshot", aliases={"k25": 5}),
        ["providers_overrides.moonshot.aliases is not a dictionary of alias and model."],
    ),
    "unlisted models: a text": (
        overridden("moonshot", unlisted_models="x"),
        ["providers_overrides.moonshot.unlisted_models is not a list of models."],
    ),
    "block: a list": (
        overridden("moonshot", block=[]),
        ["providers_overrides.moonshot.block is not a dictionary with baseUrl, api and models."],
    ),
    "block missing": (
        overridden("moonshot", block=None),
        ["providers_overrides.moonshot.block is not a dictionary with baseUrl, api and models."],
    ),
    "base URL without a scheme": (overridden("moonshot", block={"baseUrl": "api.moonshot.cn/v1"}), [BAD_URL]),
    "base URL with a password": (overridden("moonshot", block={"baseUrl": "https://me:secret@host/v1"}), [BAD_URL]),
    "base URL with a question": (overridden("moonshot", block={"baseUrl": "https://host/v1?x=1"}), [BAD_URL]),
    "base URL with a line break": (overridden("moonshot", block={"baseUrl": "https://host/v1\n"}), [BAD_URL]),
    "base URL: a dictionary": (overridden("moonshot", block={"baseUrl": {"x": 1}}), [BAD_URL]),
    "base URL missing": (overridden("moonshot", block={"baseUrl": None}), [BAD_URL]),
    "key in the block": (overridden("moonshot", block={"apiKey": MOONSHOT_KEY}), [BAD_API_KEY]),
    "another variable in the block": (overridden("moonshot", block={"apiKey": "${KIMICODE_API_KEY}"}), [BAD_API_KEY]),
    "key in the block: a list": (overridden("moonshot", block={"apiKey": ["x"]}), [BAD_API_KEY]),
    "headers: a list": (
        overridden("moonshot", block={"headers": ["x"]}),
        ["providers_overrides.moonshot.block.headers is not a dictionary of texts."],
    ),
    "headers: a number in it": (
        overridden("moonshot", block={"headers": {"X": 1}}),
        ["providers_overrides.moonshot.block.headers is not a dictionary of texts."],
    ),
    "models: a text": (overridden("moonshot", block={"models": "kimi-k2.5"}), [NO_MODELS]),
    "models: a dictionary": (overridden("moonshot", block={"models": {"id": "x"}}), [NO_MODELS]),
    "models: none": (overridden("moonshot", block={"models": []}), [NO_MODELS]),
    "models removed": (overridden("moonshot", block={"models": None}), [NO_MODELS]),
    "model without an id": (overridden("moonshot", block={"models": [{"name": "X"}]}), [NO_MODELS]),
    "model id: a number": (overridden("moonshot", block={"models": [{"id": 5, "name": "X"}]}), [NO_MODELS]),
    "model id: a list": (overridden("moonshot", block={"models": [{"id": ["x"], "name": "X"}]}), [NO_MODELS]),
    "model id: empty or padded": (
        overridden("moonshot", block={"models": [{"id": "", "name": "X"}, {"id": "y ", "name": "Y"}]}),
        [
            "providers_overrides.moonshot.block.models: the id '' is empty or has white space around it.",
            "providers_overrides.moonshot.block.models: the id 'y ' is empty or has white space around it.",
        ],
    ),
    "model without a name": (
        overridden("moonshot", block={"models": [{"id": "x"}]}),
        ["providers_overrides.moonshot.block.models: the model 'x' has no name."],
    ),
    "model name: empty": (
        overridden("moonshot", block={"models": [{"id": "x", "name": ""}]}),
        ["providers_overrides.moonshot.block.models: the model 'x' has no name."],
    ),
    "model headers: a text": (
        overridden("moonshot", block={"models": [{"id": "kimi-k2.5", "headers": "X: 1"}]}),
        ["providers_overrides.moonshot.block.models: the headers of 'kimi-k2.5' are not a dictionary of texts."],
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
        ["providers_catalogue.other.block.models has 'a' more than once."],
    ),
    "no key": ({"api_keys": {"kimicode": KIMI_KEY}}, [NO_KEY]),
    "empty key": ({"api_keys": {"moonshot": "", "kimicode": KIMI_KEY}}, [NO_KEY]),
    "key: null": ({"api_keys": {"moonshot": None, "kimicode": KIMI_KEY}}, [NO_KEY]),
    "no key, but one of a near name": (
        {"api_keys": {"moon-shot": MOONSHOT_KEY, "kimicode": KIMI_KEY}},
        [f"{NO_KEY} It has one for 'moon-shot': is that the one?"],
    ),
    "key: a number": (
        {"api_keys": {"moonshot": 5, "kimicode": KIMI_KEY}},
        ["providers_api_keys.moonshot is not a text."],
    ),
    "key: zero": (
        {"api_keys": {"moonshot": 0, "kimicode": KIMI_KEY}},
        ["providers_api_keys.moonshot is not a text."],
    ),
    "key with a final line break": ({"api_keys": {"moonshot": f"{MOONSHOT_KEY}\n", "kimicode": KIMI_KEY}}, [BAD_KEY]),
    "key with a space": ({"api_keys": {"moonshot": f" {MOONSHOT_KEY}", "kimicode": KIMI_KEY}}, [BAD_KEY]),
    "key in other letters": ({"api_keys": {"moonshot": f"{MOONSHOT_KEY}ä", "kimicode": KIMI_KEY}}, [BAD_KEY]),
    "key with a control character": ({"api_keys": {"moonshot": "sk-\x7f", "kimicode": KIMI_KEY}}, [BAD_KEY]),
    "key with another prefix": (
        {"api_keys": {"moonshot": "pk-0123456789", "kimicode": KIMI_KEY}},
        [
            "providers_api_keys.moonshot does not start with 'sk-', as the keys of moonshot do: it is something else "
            "than a key."
        ],
    ),
    "two providers, one variable, two keys": (
        overridden("kimicode", env_var="MOONSHOT_API_KEY"),
        [
            "moonshot and kimicode share the variable MOONSHOT_API_KEY, but have different keys in providers_api_keys: "
            "give one of them an env_var of its own in providers_overrides."
        ],
    ),
    "a provider with the variable that the product takes another one's key from": (
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
            "clawdbot takes the key of moonshot from MOONSHOT_API_KEY, if that is set, before MOONSHOT_CN_API_KEY, and "
            "MOONSHOT_API_KEY has the key of acme: give acme an env_var of its own in providers_overrides."
        ],
    ),
    "two providers, one variable, one key missing": (
        {**overridden("kimicode", env_var="MOONSHOT_API_KEY"), "api_keys": {"kimicode": KIMI_KEY}},
        [NO_KEY],
    ),
    "default: unknown model": (
        {"default_model": "moonshot/kimi-k2.6"},
        [
            "providers_default_model points to 'moonshot/kimi-k2.6', a model that moonshot does not have here. Did you "
            "mean kimi-k2.5?"
        ],
    ),
    "default: no provider": (
        {"default_model": "kimi-k2.5"},
        ["providers_default_model points to 'kimi-k2.5', which is not of the form provider/model."],
    ),
    "default: no model": (
        {"default_model": "moonshot/"},
        ["providers_default_model points to 'moonshot/', which is not of the form provider/model."],
    ),
    "default: nothing before the slash": (
        {"default_model": "/kimi-k2.5"},
        ["providers_default_model points to '/kimi-k2.5', which is not of the form provider/model."],
    ),
    "default: provider not enabled": (
        {"enabled": ["moonshot"], "default_model": "kimicode/kimi-for-coding"},
        [
            "providers_default_model points to 'kimicode/kimi-for-coding', but kimicode is not in providers_enabled.",
        ],
    ),
    "fallback: unknown provider": (
        {"fallback_models": ["moonshot/kimi-k2.5", "openay/gpt", "zzzzz/x"]},
        [
            "providers_fallback_models points to 'openay/gpt', but openay is neither in providers_enabled nor does the "
            "product bring it along. Did you mean openai?",
            "providers_fallback_models points to 'zzzzz/x', but zzzzz is neither in providers_enabled nor does the "
            "product bring it along.",
        ],
    ),
    "alias: unknown model": (
        {"aliases": {"k25": "moonshot/zzz"}},
        ["providers_aliases.k25 points to 'moonshot/zzz', a model that moonshot does not have here."],
    ),
    "alias: a list": (
        {"aliases": {"k25": ["moonshot/kimi-k2.5"]}},
        ["providers_aliases.k25 is not a text of the form provider/model."],
    ),
    "alias of two words": (
        {"aliases": {"k 25": "moonshot/kimi-k2.5"}},
        ["providers_aliases: the alias 'k 25' cannot be typed behind /model: one word without a slash."],
    ),
    "alias with a slash": (
        {"aliases": {"k/25": "moonshot/kimi-k2.5"}},
        ["providers_aliases: the alias 'k/25' cannot be typed behind /model: one word without a slash."],
    ),
    "aliases that differ in case alone": (
        {"aliases": {"kimi": "moonshot/kimi-k2.5", "Kimi": "kimicode/kimi-for-coding"}},
        ["The aliases 'kimi' and 'Kimi' are one to the product: it does not tell upper from lower case."],
    ),
    "two aliases of one model": (
        {**overridden("moonshot", aliases={"k25": "kimi-k2.5"}), "aliases": {"fast": "moonshot/kimi-k2.5"}},
        [
            "The aliases 'k25' and 'fast' both stand for moonshot/kimi-k2.5, and the product keeps one for a model.",
        ],
    ),
    "catalogue alias: unknown model": (
        overridden("moonshot", aliases={"fast": "kimi-k2"}),
        [
            "providers_aliases.fast points to 'moonshot/kimi-k2', a model that moonshot does not have here. Did you "
            "mean kimi-k2.5?"
        ],
    ),
    "a key in a wrong place": (
        {"default_model": f"moonshot/{KIMI_KEY}"},
        [
            f"providers_default_model points to 'moonshot/<{fingerprint(KIMI_KEY)}>', a model that moonshot does not "
            "have here."
        ],
    ),
    "a key that is not given as one in a wrong place": (
        {"enabled": ["sk-0123456789abc"]},
        [f"providers_enabled names '<redacted>'{NOT_IN_CATALOGUE}"],
    ),
    "all problems of the keys and targets at once": (
        {"api_keys": {"kimicode": "x"}, "default_model": "x"},
        [
            NO_KEY,
            "providers_api_keys.kimicode does not start with 'sk-', as the keys of kimicode do: it is something else "
            "than a key.",
            "providers_default_model points to 'x', which is not of the form provider/model.",
        ],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    changed, problems = REFUSED[name]
    assert selected(**changed) == {"problems": problems}


def test_known_variables_that_are_no_trouble() -> None:
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
    # The product looks into the provider's own variable first.
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
        "providers_default_model points to 'kimi-code/x', but kimi-code is neither in providers_enabled nor does the "
        "product bring it along. Did you mean kimicode?"
    ]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
NAMES = st.sampled_from(["moonshot", "block", "models", "headers", "id", "name", "env_var", "aliases", "apiKey"])
YAML = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


def _with_anything(good: Any, anything: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The good value, or anything in place of one part of it."""
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
    texts = json.dumps(selection["problems"])
    assert MOONSHOT_KEY not in texts
    assert KIMI_KEY not in texts


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=40), st.data())
def test_no_key_of_any_looks_is_in_a_problem(key: str, data: st.DataObject) -> None:
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
