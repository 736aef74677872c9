# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_editor, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import (
    Desired,
    Removal,
    desired_changes,
    empty_parents,
    remaining_uses,
    removal_changes,
)
from hypothesis import given
from hypothesis import strategies as st

GONE = "agents.defaults.models has no entry left, which allows every model: before, it allowed only its entries."
POLICY_GONE = GONE.replace("agents.defaults.models", "agents.defaults.modelPolicy.allow")
MOONSHOT = Removal(["moonshot"])


def without(config: Any, removal: Removal = MOONSHOT) -> Any:
    """The config after the removal, the same after a second one."""
    changes = removal_changes(config, removal).changes
    after = json5_reader.loads(json5_editor.edit(json.dumps(config), [*changes, *empty_parents(config, changes)]))
    again = removal_changes(after, removal).changes
    text = json.dumps(after)
    assert json5_editor.edit(text, [*again, *empty_parents(after, again)]) == text
    return after


def defaults(**settings: Any) -> dict[str, Any]:
    return {"agents": {"defaults": settings}}


REMOVED: dict[str, tuple[Any, Removal, Any]] = {
    "nothing is there": ({"models": {"mode": "merge"}}, MOONSHOT, {"models": {"mode": "merge"}}),
    "no config": ({}, MOONSHOT, {}),
    "nothing else is there": ({"models": {"mode": "merge", "providers": {"moonshot": {"a": 1}}}}, MOONSHOT, {}),
    "the mode is not the product's own": (
        {"models": {"mode": "replace", "providers": {"moonshot": {}}}},
        MOONSHOT,
        {"models": {"mode": "replace"}},
    ),
    "another provider stays": (
        {"models": {"mode": "merge", "providers": {"moonshot": {}, "other": {}}}},
        MOONSHOT,
        {"models": {"mode": "merge", "providers": {"other": {}}}},
    ),
    "something else about models stays": (
        {"models": {"mode": "merge", "providers": {"moonshot": {}}, "bedrockDiscovery": {}}},
        MOONSHOT,
        {"models": {"mode": "merge", "bedrockDiscovery": {}}},
    ),
    "however it is spelled": (
        {"models": {"providers": {"Moonshot": {}}}, **defaults(models={"MoonShot/K": {}, "o/m": {}})},
        MOONSHOT,
        defaults(models={"o/m": {}}),
    ),
    "in another spelling": (
        {
            "models": {"providers": {"Qwen-Portal": {}, "qwen": {}, "other": {}}},
            **defaults(models={"qwen-portal/m": {}, "o/m": {}}, model={"primary": "o/m", "fallbacks": ["qwen/m"]}),
        },
        Removal(["QWEN"], spellings={"qwen": "qwen-portal"}),
        {"models": {"providers": {"other": {}}}, **defaults(models={"o/m": {}}, model={"primary": "o/m"})},
    ),
    "asked for in the usual spelling": (
        {"models": {"providers": {"qwen": {}, "other": {}}}},
        Removal(["qwen-portal"], spellings={"qwen": "qwen-portal"}),
        {"models": {"providers": {"other": {}}}},
    ),
    "two providers without a table of spellings": (
        {"models": {"providers": {"qwen": {}, "qwen-portal": {}}}},
        Removal(["qwen"]),
        {"models": {"providers": {"qwen-portal": {}}}},
    ),
    "a provider whose name begins the same stays": (
        defaults(models={"moonshot-2/k": {}, "moonshot": {}}),
        MOONSHOT,
        defaults(models={"moonshot-2/k": {}, "moonshot": {}}),
    ),
    "models and their aliases": (
        defaults(models={"moonshot/k": {"alias": "k"}, "moonshot/a/b": {}, "o/m": {"alias": "m"}}, workspace="~"),
        MOONSHOT,
        defaults(models={"o/m": {"alias": "m"}}, workspace="~"),
    ),
    "the list goes when it is empty": (
        defaults(models={"moonshot/k": {}}, workspace="~"),
        MOONSHOT,
        defaults(workspace="~"),
    ),
    "and what was around it": (defaults(models={"moonshot/k": {}}), MOONSHOT, {}),
    "a list that was empty before stays": (defaults(models={}), MOONSHOT, defaults(models={})),
    "models of no provider are Anthropic's": (
        defaults(models={"opus": {}, "o/m": {}}),
        Removal(["anthropic"]),
        defaults(models={"o/m": {}}),
    ),
    "fallbacks, also by alias": (
        defaults(
            models={"moonshot/k": {"alias": "K"}, "o/m": {"alias": "m"}},
            model={"primary": "o/m", "fallbacks": ["moonshot/k", "k", "m", "o/n"]},
            imageModel={"primary": "o/m", "fallbacks": ["moonshot/k"]},
        ),
        MOONSHOT,
        defaults(
            models={"o/m": {"alias": "m"}},
            model={"primary": "o/m", "fallbacks": ["m", "o/n"]},
            imageModel={"primary": "o/m"},
        ),
    ),
    "fallbacks are all there was": (defaults(model={"fallbacks": ["moonshot/k"]}), MOONSHOT, {}),
    "fallbacks that are none are the checker's": (
        defaults(model={"fallbacks": "moonshot/k"}),
        MOONSHOT,
        defaults(model={"fallbacks": "moonshot/k"}),
    ),
    "a new default": (
        defaults(models={"moonshot/k": {}, "o/n": {}}, model={"primary": "moonshot/k", "fallbacks": ["moonshot/j"]}),
        Removal(["moonshot"], "o/m"),
        defaults(models={"o/n": {}, "o/m": {}}, model={"primary": "o/m"}),
    ),
    "a new default in place of the last fallback": (
        defaults(model={"fallbacks": ["moonshot/k"]}),
        Removal(["moonshot"], "o/m"),
        defaults(model={"primary": "o/m"}),
    ),
    "a new default opens no list": (
        defaults(models={"moonshot/k": {}}, model="moonshot/k"),
        Removal(["moonshot"], "o/m"),
        defaults(model={"primary": "o/m"}),
    ),
    "out of what people may choose": (
        defaults(modelPolicy={"allow": ["moonshot/*", "o/m", "Moonshot/k", 5]}, models={"moonshot/k": {}, "o/m": {}}),
        MOONSHOT,
        defaults(modelPolicy={"allow": ["o/m", 5]}, models={"o/m": {}}),
    ),
    "a new default is no entry of aliases": (
        defaults(modelPolicy={"allow": ["o/m"]}, models={"o/n": {}}, model="moonshot/k"),
        Removal(["moonshot"], "o/m"),
        defaults(modelPolicy={"allow": ["o/m"]}, models={"o/n": {}}, model={"primary": "o/m"}),
    ),
    "several at once": (
        {"models": {"mode": "merge", "providers": {"moonshot": {}, "kimicode": {}}}},
        Removal(["moonshot", "kimicode"]),
        {},
    ),
    "values of other types are left": ({"models": [], "agents": "x"}, MOONSHOT, {"models": [], "agents": "x"}),
}


@pytest.mark.parametrize(("config", "removal", "expected"), REMOVED.values(), ids=REMOVED)
def test_what_is_left_without_the_providers(config: Any, removal: Removal, expected: Any) -> None:
    before = copy.deepcopy(config)
    assert without(config, removal) == expected
    assert config == before


WARNED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "the list is gone": (defaults(models={"moonshot/k": {}}), (GONE,)),
    "the list stays": (defaults(models={"moonshot/k": {}, "o/m": {}}), ()),
    "the list was empty": (defaults(models={}), ()),
    "what people may choose is gone": (defaults(modelPolicy={"allow": ["moonshot/*"]}), (POLICY_GONE,)),
    "what people may choose stays": (defaults(modelPolicy={"allow": ["moonshot/*", "o/m"]}), ()),
    "aliases go, and are no such list": (defaults(modelPolicy={"allow": ["o/m"]}, models={"moonshot/k": {}}), ()),
}


@pytest.mark.parametrize(("config", "expected"), WARNED.values(), ids=WARNED)
def test_a_list_that_ends_is_told(config: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert removal_changes(config, MOONSHOT).warnings == expected


def used(place: str, name: str, advice: str = "Choose another model there") -> str:
    return f"{place} is {name}, a model of a provider that is to be removed. {advice}."


ANOTHER = "Give another default_model"
USES: dict[str, tuple[dict[str, Any], Removal, list[str]]] = {
    "nothing": (defaults(model="o/m"), MOONSHOT, []),
    "the default": (
        defaults(model={"primary": " moonshot/k "}),
        MOONSHOT,
        [used("agents.defaults.model", "moonshot/k", ANOTHER)],
    ),
    "the default, in short": (
        defaults(model="moonshot/k"),
        MOONSHOT,
        [used("agents.defaults.model", "moonshot/k", ANOTHER)],
    ),
    "the default, by alias": (
        defaults(model="K", models={"moonshot/k": {"alias": "k"}}),
        MOONSHOT,
        [used("agents.defaults.model", "K", ANOTHER)],
    ),
    "there is a new default": (defaults(model="moonshot/k"), Removal(["moonshot"], "o/m"), []),
    "fallbacks of the defaults are the plan's": (
        defaults(model={"fallbacks": ["moonshot/k"]}, imageModel={"fallbacks": ["moonshot/k"]}),
        MOONSHOT,
        [],
    ),
    "the model for images, whatever the new default": (
        defaults(imageModel={"primary": "moonshot/k"}),
        Removal(["moonshot"], "o/m"),
        [used("agents.defaults.imageModel", "moonshot/k")],
    ),
    "an agent": (
        {"agents": {"list": [{"id": "main"}, {"id": "coder", "model": "moonshot/k"}]}},
        Removal(["moonshot"], "o/m"),
        [used("agents.list[1] (agent coder).model", "moonshot/k")],
    ),
    "an agent's fallbacks": (
        {"agents": {"list": [{"model": {"primary": "o/m", "fallbacks": ["moonshot/k"]}}]}},
        MOONSHOT,
        [used("agents.list[0].model", "moonshot/k")],
    ),
    "everything else": (
        {
            **defaults(heartbeat={"model": "moonshot/a"}, subagents={"model": {"primary": "moonshot/b"}}),
            "hooks": {"gmail": {"model": "moonshot/c"}, "mappings": [{}, {"model": "moonshot/d"}]},
        },
        MOONSHOT,
        [
            used("agents.defaults.heartbeat.model", "moonshot/a"),
            used("agents.defaults.subagents.model", "moonshot/b"),
            used("hooks.gmail.model", "moonshot/c"),
            used("hooks.mappings[1].model", "moonshot/d"),
        ],
    ),
}


@pytest.mark.parametrize(("config", "removal", "expected"), USES.values(), ids=USES)
def test_where_a_model_is_still_to_be_used(config: dict[str, Any], removal: Removal, expected: list[str]) -> None:
    assert list(remaining_uses(config, removal)) == expected


REFS = st.sampled_from(["moonshot/k1", "moonshot/k2", "other/m", "third/n"])
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "gateway": st.just({"port": 1}),
        "models": st.fixed_dictionaries(
            {},
            optional={
                "mode": st.sampled_from(["merge", "replace"]),
                "providers": st.dictionaries(st.sampled_from(["moonshot", "other"]), st.just({"apiKey": "x"})),
            },
        ),
        "agents": st.fixed_dictionaries(
            {},
            optional={
                "defaults": st.fixed_dictionaries(
                    {},
                    optional={
                        "workspace": st.just("~"),
                        "models": st.dictionaries(REFS, st.just({})),
                        "model": st.fixed_dictionaries({}, optional={"fallbacks": st.lists(REFS)}),
                        "imageModel": st.fixed_dictionaries(
                            {"primary": st.just("other/m")}, optional={"fallbacks": st.lists(REFS)}
                        ),
                    },
                )
            },
        ),
    },
)


def stripped(value: Any) -> Any:
    """The value without what is empty or says what the product does anyway."""
    if isinstance(value, dict):
        members = {name: stripped(item) for name, item in value.items() if (name, item) != ("mode", "merge")}
        return {name: item for name, item in members.items() if item not in ({}, [])}
    return value


def mentions(value: Any) -> bool:
    return "moonshot" in json.dumps(value)


def rest(value: Any) -> Any:
    """All of a value that does not mention the provider."""
    if isinstance(value, dict):
        return {name: rest(item) for name, item in value.items() if not mentions(name)}
    return [rest(item) for item in value if not mentions(item)] if isinstance(value, list) else value


@given(CONFIGS)
def test_nothing_of_the_provider_is_left_and_everything_else_is_as_it_was(config: dict[str, Any]) -> None:
    after = without(config)
    assert not mentions(after)
    assert stripped(after) == stripped(rest(config))
    if not mentions(config):
        assert after == config


DESIRED = Desired(
    {"moonshot": {"apiKey": "${KEY}", "models": [{"id": "k1"}, {"id": "k2"}]}},
    {"k": "moonshot/k1"},
    fallback_models=["moonshot/k2"],
)


@given(CONFIGS.filter(lambda config: not mentions(config)))
def test_what_came_with_a_provider_goes_with_it(config: dict[str, Any]) -> None:
    model = config.get("agents", {}).get("defaults", {}).get("model", {})
    model.pop("fallbacks", None)
    given_config = copy.deepcopy(config)
    present = json5_reader.loads(json5_editor.edit(json.dumps(config), desired_changes(config, DESIRED).changes))
    assert stripped(without(present)) == stripped(given_config_with_admissions(given_config, present))


def given_config_with_admissions(config: dict[str, Any], present: dict[str, Any]) -> dict[str, Any]:
    """The config with the models of others that had to be admitted beside the provider's."""
    others = {ref: entry for ref, entry in present["agents"]["defaults"]["models"].items() if not mentions(ref)}
    if others:
        config.setdefault("agents", {}).setdefault("defaults", {})["models"] = others
    return config


def test_present_then_absent_gives_the_same_where_nothing_else_was_there() -> None:
    present = json5_reader.loads(json5_editor.edit("{}", desired_changes({}, DESIRED).changes))
    assert mentions(present)
    assert without(present) == {}
