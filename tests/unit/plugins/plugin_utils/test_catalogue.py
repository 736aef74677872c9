# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._catalogue import merge

from tests.unit.plugins.plugin_utils.selection_cases import GOOD, overridden, selected

MERGES: dict[str, tuple[Any, Any, Any]] = {
    "nothing over": ({"a": 1}, {}, {"a": 1}),
    "by name": ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3, "z": 4}}, {"a": {"x": 1, "y": 3, "z": 4}}),
    "null removes": ({"a": {"x": 1, "y": 2}, "b": 1}, {"a": {"y": None}, "b": None}, {"a": {"x": 1}}),
    "null without a value": ({}, {"a": None, "b": {"c": None}}, {"b": {}}),
    "a dictionary over a value": ({"a": [1]}, {"a": {"x": 1}}, {"a": {"x": 1}}),
    "a value over a dictionary": ({"a": {"x": 1}}, {"a": 2}, {"a": 2}),
    "a list replaced": ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
    "models by id": (
        [{"id": "a", "n": 1, "m": 1}, {"id": "b", "n": 2}],
        [{"id": "c", "n": 3}, {"id": "a", "n": 4, "m": None}],
        [{"id": "a", "n": 4}, {"id": "b", "n": 2}, {"id": "c", "n": 3}],
    ),
    "models over something else": ([1], [{"id": "a"}], [{"id": "a"}]),
    "something else over models": ([{"id": "a"}], [{"id": ["a"]}], [{"id": ["a"]}]),
    "no models over models": ([{"id": "a"}], [], []),
}


@pytest.mark.parametrize("name", MERGES)
def test_merge(name: str) -> None:
    base, over, merged = MERGES[name]
    kept = copy.deepcopy(base)
    assert merge(base, over) == merged
    assert base == kept


ALIASES: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "of a disabled provider dropped": ({"enabled": ["moonshot"]}, {"k25": "moonshot/kimi-k2.5"}),
    "null dropped": (
        {"aliases": {"k25": None, "kimi": "kimicode/kimi-for-coding"}},
        {"kimi": "kimicode/kimi-for-coding"},
    ),
    "of the catalogue": (
        {**overridden("moonshot", aliases={"fast": "moonshot-v1-8k"}), "aliases": {}},
        {"fast": "moonshot/moonshot-v1-8k"},
    ),
    "of the catalogue, null": (
        {
            "catalogue": {
                **GOOD["catalogue"],
                "moonshot": {**GOOD["catalogue"]["moonshot"], "aliases": {"fast": None, "k": "kimi-k2.5"}},
            },
            "aliases": {},
        },
        {"k": "moonshot/kimi-k2.5"},
    ),
    "of the catalogue, removed": (
        {**overridden("moonshot", aliases={"fast": "moonshot-v1-8k"}), "aliases": {"fast": None}},
        {},
    ),
    "of the catalogue, given another model": (
        {**overridden("moonshot", aliases={"fast": "moonshot-v1-8k"}), "aliases": {"fast": "moonshot/kimi-k2.5"}},
        {"fast": "moonshot/kimi-k2.5"},
    ),
    "of an unlisted model": (
        {**overridden("moonshot", unlisted_models=["latest"]), "aliases": {"l": "moonshot/latest"}},
        {"l": "moonshot/latest"},
    ),
    "of a built-in provider": (
        {"aliases": {"opus": "anthropic/claude-opus-4-5"}},
        {"opus": "anthropic/claude-opus-4-5"},
    ),
    "a number as the alias": ({"aliases": {25: "moonshot/kimi-k2.5"}}, {"25": "moonshot/kimi-k2.5"}),
}


@pytest.mark.parametrize("name", ALIASES)
def test_aliases(name: str) -> None:
    changed, aliases = ALIASES[name]
    selection = selected(**changed)
    assert selection["problems"] == []
    assert selection["aliases"] == aliases
