# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.dangling import dangling_models

BLOCKS = {"moonshot": {"models": [{"id": "kimi-k2.5"}]}, "own": {"models": [{"id": "a/b"}, {}, 7]}, "odd": []}
BUILT_IN = frozenset({"moonshot", "anthropic"})
KNOWN = {"moonshot": {"kimi-k2.5", "kimi-k2-0905-preview"}, "left": {"m"}}


def config(**defaults: Any) -> dict[str, Any]:
    return {"models": {"providers": BLOCKS}, "agents": {"defaults": defaults}}


CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing is named": ({}, []),
    "a model of a block": (config(model={"primary": "moonshot/kimi-k2.5"}), []),
    "an id with a slash": (config(model="own/a/b"), []),
    "one that the product adds to the block": (config(model="moonshot/kimi-k2-0905-preview"), []),
    "one of a provider that the product brings along": (config(model="anthropic/whatever"), []),
    "one without a provider": (config(model="claude"), []),
    "one of a provider that the product keeps": (config(model="left/m"), []),
    "upper case": (config(model="MoonShot/kimi-k2.5"), []),
    "a default that is missing": (
        config(model={"primary": "moonshot/kimi-k25"}),
        ["agents.defaults.model names moonshot/kimi-k25, and the block of moonshot has no such model."],
    ),
    "a fallback without a provider of that name": (
        config(model={"fallbacks": ["gone/m"]}),
        ["agents.defaults.model.fallbacks names gone/m, and no provider gone is there."],
    ),
    "an alias": (
        config(models={"own/x": {"alias": "mine"}, "own/y": {}}),
        ["the alias mine in agents.defaults.models names own/x, and the block of own has no such model."],
    ),
    "a default by an alias": (
        config(model="Mine", models={"own/x": {"alias": "mine"}}),
        [
            "agents.defaults.model names Mine, which is own/x, and the block of own has no such model.",
            "the alias mine in agents.defaults.models names own/x, and the block of own has no such model.",
        ],
    ),
    "an agent's own": (
        {"agents": {"list": [{"id": "work", "model": {"primary": "gone/m"}}]}},
        ["agents.list[0] (agent work).model names gone/m, and no provider gone is there."],
    ),
    "a block that is none": (
        config(model="odd/m"),
        ["agents.defaults.model names odd/m, and the block of odd has no such model."],
    ),
    "providers that are none": (
        {"models": {"providers": 7}, "agents": {"defaults": {"model": "own/a"}}},
        ["agents.defaults.model names own/a, and no provider own is there."],
    ),
}


@pytest.mark.parametrize(("value", "expected"), CASES.values(), ids=CASES)
def test_models_that_nobody_provides_are_named_with_their_place(value: dict[str, Any], expected: list[str]) -> None:
    assert [dangling.message for dangling in dangling_models(value, KNOWN, BUILT_IN)] == expected


def test_place_and_model_are_told_apart() -> None:
    (dangling,) = dangling_models(config(model="gone/m"), {}, BUILT_IN)
    assert dangling.as_result() == {
        "place": "agents.defaults.model",
        "model": "gone/m",
        "message": "agents.defaults.model names gone/m, and no provider gone is there.",
    }
