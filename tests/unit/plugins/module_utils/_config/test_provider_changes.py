# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import dataclasses
import json
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_editor, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Change
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import (
    Desired,
    blocked_uses,
    desired_changes,
    kept_members,
    managed_paths,
    missing_variables,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE, at
from hypothesis import given
from hypothesis import strategies as st

BLOCK: dict[str, Any] = {
    "baseUrl": "https://api.moonshot.cn/v1",
    "apiKey": "${MOONSHOT_API_KEY}",
    "models": [{"id": "k1", "name": "K1"}, {"id": "k2", "name": "K2"}],
}
MODE = Change(("models", "mode"), "merge")
SET_BLOCK = Change(("models", "providers", "moonshot"), BLOCK)
MODELS = ("agents", "defaults", "models")
OPENED = (
    "agents.defaults.models was empty, which allows every model. With aliases in it, it is the list of all allowed "
    "models: those of the managed providers and those that the config names were added. Add other models that people "
    "choose by hand."
)


def admitted(*refs: str) -> list[Change]:
    return [Change((*MODELS, ref), {}) for ref in refs]


def aliased(ref: str, alias: Any) -> Change:
    return Change((*MODELS, ref, "alias"), alias)


def with_models(models: Any, **defaults: Any) -> dict[str, Any]:
    return {"agents": {"defaults": {"models": models, **defaults}}}


ALLOWED = ("agents", "defaults", "modelPolicy", "allow")
SECRET = {"source": "file", "provider": "vault", "id": "/moonshot"}


def with_policy(allow: Any) -> dict[str, Any]:
    policy = {} if allow is REMOVE else {"allow": allow}
    return {"agents": {"defaults": {"models": {"p/1": {}}, "modelPolicy": policy}}}


BOTH = Desired({"moonshot": BLOCK}, {"k": "moonshot/k1"})

PLANS: dict[str, tuple[dict[str, Any], Desired, list[Change], list[str]]] = {
    "nothing": ({"a": 1}, Desired(), [], []),
    "a provider": ({}, Desired({"moonshot": BLOCK}), [MODE, SET_BLOCK], []),
    "the mode is the user's": ({"models": {"mode": "replace"}}, Desired({"moonshot": BLOCK}), [SET_BLOCK], []),
    "a mode that is none is the checker's": ({"models": {"mode": None}}, Desired({"moonshot": BLOCK}), [SET_BLOCK], []),
    "no provider, no mode": (
        {},
        Desired(default_model="a/b"),
        [Change(("agents", "defaults", "model", "primary"), "a/b")],
        [],
    ),
    "an alias opens the list": (
        {},
        BOTH,
        [MODE, SET_BLOCK, aliased("moonshot/k1", "k"), *admitted("moonshot/k2")],
        [OPENED],
    ),
    "an alias opens an empty list": (
        with_models({}),
        BOTH,
        [MODE, SET_BLOCK, aliased("moonshot/k1", "k"), *admitted("moonshot/k2")],
        [OPENED],
    ),
    "what the config names stays allowed": (
        {
            "agents": {
                "defaults": {
                    "model": {"primary": "p/1", "fallbacks": ["p/2", 5, ""]},
                    "imageModel": {"primary": "p/3", "fallbacks": ["p/4"]},
                    "heartbeat": {"model": "p/5"},
                    "subagents": {"model": {"primary": "p/6"}},
                    "memorySearch": {"model": "embedding"},
                },
                "list": [{"model": " p/7 "}, {"model": {"primary": "p/8", "fallbacks": ["p/1"]}}, None, "x"],
            },
            "hooks": {"gmail": {"model": "p/9"}, "mappings": [{"model": "p/10"}, {}, 5]},
        },
        Desired(aliases={"k": "moonshot/k1"}),
        [aliased("moonshot/k1", "k"), *admitted(*(f"p/{number}" for number in range(1, 11)))],
        [OPENED],
    ),
    "agents of wrong types": (
        {"agents": {"list": {"a": 1}, "defaults": {"model": ["x"], "subagents": 5}}, "hooks": {"mappings": "x"}},
        Desired(aliases={"k": "moonshot/k1"}),
        [aliased("moonshot/k1", "k")],
        [OPENED],
    ),
    "a list that is there gets what is managed": (
        with_models({"p/1": {}, "moonshot/k2": {"params": {}}}, model={"primary": "p/2"}),
        Desired({"moonshot": BLOCK}, {}, "d/1", ["f/1", "d/1"]),
        [
            MODE,
            SET_BLOCK,
            Change(("agents", "defaults", "model", "primary"), "d/1"),
            Change(("agents", "defaults", "model", "fallbacks"), ["f/1", "d/1"]),
            *admitted("moonshot/k1", "d/1", "f/1"),
        ],
        [],
    ),
    "no aliases, an empty list stays empty": (with_models({}), Desired({"moonshot": BLOCK}), [MODE, SET_BLOCK], []),
    "an alias is taken from another model": (
        with_models(
            {"p/1": {"alias": " K "}, "p/2": {"alias": "k"}, "p/3": {"alias": "other"}, "p/4": 5, "p/5": {"alias": 1}}
        ),
        Desired(aliases={"k": "moonshot/k1"}),
        [aliased("p/1", REMOVE), aliased("p/2", REMOVE), aliased("moonshot/k1", "k")],
        [],
    ),
    "an alias stays where it is": (
        with_models({"moonshot/k1": {"alias": "K"}}),
        Desired(aliases={"k": "moonshot/k1"}),
        [aliased("moonshot/k1", "k")],
        [],
    ),
    "two models swap their aliases": (
        with_models({"m/1": {"alias": "a"}, "m/2": {"alias": "b"}}),
        Desired(aliases={"a": "m/2", "b": "m/1"}),
        [aliased("m/1", REMOVE), aliased("m/2", REMOVE), aliased("m/2", "a"), aliased("m/1", "b")],
        [],
    ),
    "default in the short spelling": (
        {"agents": {"defaults": {"model": "p/1"}}},
        Desired(default_model="p/2"),
        [Change(("agents", "defaults", "model"), {"primary": "p/2"})],
        [],
    ),
    "default in the short spelling, equal": (
        {"agents": {"defaults": {"model": "p/1"}}},
        Desired(default_model="p/1"),
        [],
        [],
    ),
    "fallbacks beside the short spelling": (
        {"agents": {"defaults": {"model": "p/1"}}},
        Desired(fallback_models=["p/2"]),
        [Change(("agents", "defaults", "model"), {"primary": "p/1", "fallbacks": ["p/2"]})],
        [],
    ),
    "no fallbacks wanted is a wish": (
        {},
        Desired(fallback_models=[]),
        [Change(("agents", "defaults", "model", "fallbacks"), [])],
        [],
    ),
    "a list of what people may choose": (
        with_policy(["p/1"]),
        BOTH,
        [MODE, SET_BLOCK, aliased("moonshot/k1", "k"), Change(ALLOWED, ["p/1", "moonshot/k1", "moonshot/k2"])],
        [],
    ),
    "what that list has": (
        with_policy(["moonshot/*", 5]),
        Desired({"moonshot": BLOCK}, {"k": "moonshot/k1"}, "moonshot/k2", ["p/1"]),
        [
            MODE,
            SET_BLOCK,
            Change(("agents", "defaults", "model", "primary"), "moonshot/k2"),
            Change(("agents", "defaults", "model", "fallbacks"), ["p/1"]),
            aliased("moonshot/k1", "k"),
            Change(ALLOWED, ["moonshot/*", 5, "p/1"]),
        ],
        [],
    ),
    "an empty list of what people may choose": (
        with_policy([]),
        BOTH,
        [MODE, SET_BLOCK, aliased("moonshot/k1", "k")],
        [],
    ),
    "no such list, but a policy": (
        with_policy(REMOVE),
        BOTH,
        [MODE, SET_BLOCK, aliased("moonshot/k1", "k")],
        [],
    ),
    "a policy that is none": (
        {"agents": {"defaults": {"modelPolicy": "x", "models": {"p/1": {}}}}},
        Desired({"moonshot": BLOCK}),
        [MODE, SET_BLOCK, *admitted("moonshot/k1", "moonshot/k2")],
        [],
    ),
    "the mark of a policy": (
        {**with_models({"p/1": {}}), "meta": {"migrations": {"modelPolicyAllowlist": True}}},
        Desired({"moonshot": BLOCK}),
        [MODE, SET_BLOCK],
        [],
    ),
    "a reference of another kind is replaced with its block": (
        {"models": {"mode": "merge", "providers": {"moonshot": {"apiKey": SECRET}, "other": {"apiKey": SECRET}}}},
        Desired({"moonshot": BLOCK}),
        [SET_BLOCK],
        [],
    ),
    "what agents by name are told to use": (
        {"agents": {"entries": {"a": {"model": {"primary": "p/1", "fallbacks": ["p/2"]}}}}},
        Desired({"moonshot": BLOCK}, {"k": "moonshot/k1"}),
        [MODE, SET_BLOCK, aliased("moonshot/k1", "k"), *admitted("moonshot/k2", "p/1", "p/2")],
        [OPENED],
    ),
    "members that only the config has are kept": (
        {"models": {"mode": "merge", "providers": {"moonshot": {"timeoutSeconds": 9, **BLOCK, "apiKey": "x"}}}},
        Desired({"moonshot": BLOCK}),
        [Change(("models", "providers", "moonshot"), {"timeoutSeconds": 9, **BLOCK})],
        [],
    ),
    "a null removes one of them": (
        {"models": {"mode": "merge", "providers": {"moonshot": {"timeoutSeconds": 9, "headers": {"X": "y"}}}}},
        Desired({"moonshot": {**BLOCK, "headers": None, "authHeader": None}}),
        [Change(("models", "providers", "moonshot"), {"timeoutSeconds": 9, **BLOCK})],
        [],
    ),
    "a block without models": (
        with_models({"p/1": {}}),
        Desired({"a": {"baseUrl": "x"}}),
        [MODE, Change(("models", "providers", "a"), {"baseUrl": "x"})],
        [],
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_plan(name: str) -> None:
    config, desired, changes, warnings = PLANS[name]
    kept = copy.deepcopy(config)
    decided = desired_changes(config, desired)
    assert list(decided.changes) == changes
    assert list(decided.warnings) == warnings
    assert config == kept


TWO = {"moonshot": {"models": [{"id": "k1"}, {"id": "old"}]}}
GONE = Desired({"moonshot": BLOCK}, removed_models=frozenset({"moonshot/away", "moonshot/old"}))


def test_a_removed_model_leaves_the_lists_of_models() -> None:
    value = with_models({"moonshot/old": {"alias": "o"}, "moonshot/k1": {}, "p/1": {}}, model="p/1")
    assert [change for change in desired_changes(value, GONE).changes if change.value is REMOVE] == [
        Change((*MODELS, "moonshot/old"), REMOVE)
    ]
    policy = with_policy(["moonshot/old", "p/1"])
    allowed = [change for change in desired_changes(policy, GONE).changes if change.path == ALLOWED]
    assert allowed == [Change(ALLOWED, ["p/1", *(f"moonshot/{model['id']}" for model in BLOCK["models"])])]


BLOCKED: dict[str, tuple[dict[str, Any], Desired, list[tuple[str, str]]]] = {
    "nothing": ({}, GONE, []),
    "a removed model": (
        {"agents": {"defaults": {"imageModel": "moonshot/away"}}},
        GONE,
        [("agents.defaults.imageModel", "moonshot/away")],
    ),
    "a model that the block loses": (
        {"models": {"providers": TWO}, "hooks": {"gmail": {"model": "moonshot/old"}}},
        Desired({"moonshot": BLOCK}),
        [("hooks.gmail.model", "moonshot/old")],
    ),
    "a block that keeps its models": ({"models": {"providers": TWO}}, Desired({"moonshot": {"baseUrl": "x"}}), []),
    "a model that no block had": (
        {"hooks": {"gmail": {"model": "moonshot/old"}}},
        Desired({"moonshot": BLOCK}),
        [],
    ),
    "default and fallbacks that are replaced": (
        {"agents": {"defaults": {"model": {"primary": "moonshot/old", "fallbacks": ["moonshot/away"]}}}},
        dataclasses.replace(GONE, default_model="p/1", fallback_models=["p/2"]),
        [],
    ),
    "a default that is not": (
        {"agents": {"defaults": {"model": "moonshot/old"}}},
        dataclasses.replace(GONE, fallback_models=["p/2"]),
        [("agents.defaults.model", "moonshot/old")],
    ),
    "a new default and a new fallback": (
        {},
        dataclasses.replace(GONE, default_model="moonshot/old", fallback_models=["moonshot/away"]),
        [("The new default model", "moonshot/old"), ("A new fallback model", "moonshot/away")],
    ),
}


@pytest.mark.parametrize(("value", "desired", "expected"), BLOCKED.values(), ids=BLOCKED)
def test_blocked_uses(value: dict[str, Any], desired: Desired, expected: list[tuple[str, str]]) -> None:
    assert [tuple(use) for use in blocked_uses(value, desired)] == expected


def test_kept_members_are_named() -> None:
    block = {**BLOCK, "timeoutSeconds": 9, "headers": {"X": "y"}, "auth": "token"}
    config = {"models": {"providers": {"moonshot": block, "other": {"a": 1}}}}
    assert kept_members(config, Desired({"moonshot": {**BLOCK, "auth": None}, "new": BLOCK})) == {
        "moonshot": ["timeoutSeconds", "headers"]
    }
    assert kept_members({}, Desired({"moonshot": BLOCK})) == {}


REPAIRED = ("models.providers.moonshot.apiKey",)
CURRENT_KEYS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "the key itself": ("sk-0123456789", REPAIRED),
    "the reference": ("${MOONSHOT_API_KEY}", ()),
    "another reference": ("${OTHER}", ()),
    "the escape": ("$${MOONSHOT_API_KEY}", REPAIRED),
    "empty": ("", ()),
    "no text": (5, ()),
    "a reference of another kind": (SECRET, ()),
}


@pytest.mark.parametrize("name", CURRENT_KEYS)
def test_repaired(name: str) -> None:
    current, repaired = CURRENT_KEYS[name]
    config = {"models": {"providers": {"moonshot": {"apiKey": current}, "other": {"apiKey": "sk-other"}}}}
    assert desired_changes(config, Desired({"moonshot": BLOCK})).repaired == repaired


def test_nothing_to_repair_where_no_reference_is_wanted_or_none_was() -> None:
    config = {"models": {"providers": {"moonshot": {"apiKey": "sk-0123456789"}}}}
    assert desired_changes(config, Desired({"moonshot": {"apiKey": None}})).repaired == ()
    assert desired_changes({}, Desired({"moonshot": BLOCK})).repaired == ()


def test_managed_paths_are_whole_blocks_and_what_else_changes() -> None:
    assert managed_paths(BOTH, desired_changes({}, BOTH).changes) == [
        ("models", "providers", "moonshot"),
        ("models", "mode"),
        (*MODELS, "moonshot/k1", "alias"),
        (*MODELS, "moonshot/k2"),
    ]


def test_missing_variables() -> None:
    providers = {"a": {"apiKey": "${A}", "headers": {"X": "${C} ${B}"}}, "b": {"apiKey": "${A}"}}
    assert missing_variables(providers, ["A"]) == {"a": ["B", "C"]}


REFS = st.sampled_from(["moonshot/k1", "moonshot/k2", "p/1", "p/2", "opus"])
ALIASES = st.sampled_from(["a", "A ", "b", "kimi"])
MODEL = (
    st.none() | REFS | st.fixed_dictionaries({}, optional={"primary": REFS, "fallbacks": st.lists(REFS, max_size=2)})
)
ENTRY = st.fixed_dictionaries({}, optional={"alias": ALIASES, "params": st.just({"x": 1})})
KEYS = st.sampled_from(["sk-plain", "${MOONSHOT_API_KEY}", "${OTHER}"])
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "gateway": st.just({"auth": {"token": "t"}}),
        "agents": st.fixed_dictionaries(
            {},
            optional={
                "defaults": st.fixed_dictionaries(
                    {},
                    optional={
                        "model": st.one_of(REFS, MODEL.filter(lambda model: model is not None)),
                        "models": st.dictionaries(REFS, ENTRY, max_size=4),
                        "workspace": st.just("/w"),
                    },
                ),
                "list": st.lists(st.fixed_dictionaries({"id": st.just("x")}, optional={"model": MODEL}), max_size=2),
            },
        ),
        "models": st.fixed_dictionaries(
            {},
            optional={
                "mode": st.sampled_from(["merge", "replace"]),
                "providers": st.dictionaries(
                    st.sampled_from(["moonshot", "other"]), st.fixed_dictionaries({"apiKey": KEYS}), max_size=2
                ),
            },
        ),
    },
)
DESIRED = st.builds(
    Desired,
    providers=st.sampled_from([{}, {"moonshot": BLOCK}]),
    aliases=st.sampled_from([{}, {"a": "moonshot/k1"}, {"b": "p/1", "a": "moonshot/k2"}, {"kimi": "moonshot/k1"}]),
    default_model=st.none() | REFS,
    fallback_models=st.none() | st.lists(REFS, max_size=2),
)


@given(CONFIGS, DESIRED)
def test_once_is_enough_and_the_rest_stays(config: dict[str, Any], desired: Desired) -> None:
    text = json.dumps(config, indent=2)
    decided = desired_changes(config, desired)
    edited = json5_editor.edit(text, decided.changes)
    after = json5_reader.loads(edited)

    again = desired_changes(after, desired)
    assert json5_editor.edit(edited, again.changes) == edited
    assert again.repaired == ()
    assert again.warnings == ()

    undone = [Change(change.path, at(config, change.path)) for change in decided.changes]
    restored = json5_reader.loads(json5_editor.edit(edited, undone))
    assert _without_empty(restored) == _without_empty(config)


@given(CONFIGS, DESIRED)
def test_what_is_desired_is_there_and_may_be_used(config: dict[str, Any], desired: Desired) -> None:
    after = json5_reader.loads(json5_editor.edit(json.dumps(config), desired_changes(config, desired).changes))
    for name, block in desired.providers.items():
        assert at(after, ("models", "providers", name)) == block
    models = at(after, MODELS)
    entries = models if isinstance(models, dict) else {}
    for alias, ref in desired.aliases.items():
        holders = [held for held, entry in entries.items() if entry.get("alias", "").strip().lower() == alias.lower()]
        assert holders == [ref]
    if entries:
        managed = [f"{name}/{model['id']}" for name, block in desired.providers.items() for model in block["models"]]
        managed += [ref for ref in (desired.default_model, *(desired.fallback_models or [])) if ref]
        assert not [ref for ref in managed if ref not in entries]


def _without_empty(value: Any) -> Any:
    """Parents that a change had to make stay behind when it is undone."""
    if not isinstance(value, dict):
        return value
    members = {name: _without_empty(item) for name, item in value.items()}
    return {name: item for name, item in members.items() if item != {}}
