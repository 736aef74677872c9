# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import (
    alias_clashes,
    choices_of_unknown_providers,
    dangling_models,
    model_uses,
    provider_id,
)

IDS: dict[str, tuple[str, str]] = {
    "usual": ("qwen-portal", "qwen-portal"),
    "another spelling": ("qwen", "qwen-portal"),
    "case and white space": (" Z.AI ", "zai"),
    "not in the table": ("Moonshot", "moonshot"),
}


@pytest.mark.parametrize("name", IDS)
def test_provider_id(name: str) -> None:
    spelled, expected = IDS[name]
    assert provider_id(spelled, {"qwen": "qwen-portal", "z.ai": "zai"}) == expected


CLASHES: dict[str, tuple[dict[str, str], list[str]]] = {
    "none": ({"a": "m/1", "b": "m/2"}, []),
    "case": (
        {"kimi": "m/1", "KIMI": "m/2"},
        ["The aliases 'kimi' and 'KIMI' differ only in case, which is ignored: rename one of them."],
    ),
    "model": (
        {"a": "m/1", "b": "m/1"},
        ["The aliases 'a' and 'b' both name m/1, which can have only one: remove one of them."],
    ),
}


@pytest.mark.parametrize("name", CLASHES)
def test_alias_clashes(name: str) -> None:
    aliases, clashes = CLASHES[name]
    assert list(alias_clashes(aliases)) == clashes


BLOCKS = {"moonshot": {"models": [{"id": "kimi-k2.5"}]}, "own": {"models": [{"id": "a/b"}, {}, 7]}, "odd": []}
BUILT_IN = frozenset({"moonshot", "anthropic"})
SPELLINGS = {"kimi": "moonshot", "mine": "own"}
KNOWN = {"moonshot": {"kimi-k2.5", "kimi-k2-0905-preview"}, "left": {"m"}, "Kimi": {"k1"}}


def config(**defaults: Any) -> dict[str, Any]:
    return {"models": {"providers": BLOCKS}, "agents": {"defaults": defaults}}


DANGLING: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing is named": ({}, []),
    "a model of a block": (config(model={"primary": "moonshot/kimi-k2.5"}), []),
    "an id with a slash": (config(model="own/a/b"), []),
    "one that the product adds to the block": (config(model="moonshot/kimi-k2-0905-preview"), []),
    "one of a provider that the product brings along": (config(model="anthropic/whatever"), []),
    "one without a provider": (config(model="claude"), []),
    "one of a provider that the product keeps": (config(model="left/m"), []),
    "upper case": (config(model="MoonShot/kimi-k2.5"), []),
    "another spelling": (config(model="kimi/kimi-k2.5"), []),
    "another spelling in the files of agents": (config(model="moonshot/k1"), []),
    "another spelling of a built-in provider": ({"agents": {"defaults": {"model": "Kimi/whatever"}}}, []),
    "another spelling of a block": (
        {"models": {"providers": {"mine": {"models": [{"id": "m"}]}}}, "agents": {"defaults": {"model": "own/m"}}},
        [],
    ),
    "a missing model in another spelling": (
        config(model="mine/m"),
        ["agents.defaults.model names mine/m, and the block of own has no such model."],
    ),
    "a default that is missing": (
        config(model={"primary": "moonshot/kimi-k25"}),
        ["agents.defaults.model names moonshot/kimi-k25, and the block of moonshot has no such model."],
    ),
    "a fallback without a provider of that name": (
        config(model={"fallbacks": ["gone/m"]}),
        ["agents.defaults.model.fallbacks names gone/m, and there is no provider gone."],
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
        ["agents.list[0] (agent work).model names gone/m, and there is no provider gone."],
    ),
    "a block that is none": (
        config(model="odd/m"),
        ["agents.defaults.model names odd/m, and the block of odd has no such model."],
    ),
    "providers that are none": (
        {"models": {"providers": 7}, "agents": {"defaults": {"model": "own/a"}}},
        ["agents.defaults.model names own/a, and there is no provider own."],
    ),
}


@pytest.mark.parametrize(("value", "expected"), DANGLING.values(), ids=DANGLING)
def test_models_without_a_provider_are_named_with_their_place(value: dict[str, Any], expected: list[str]) -> None:
    assert [dangling.message for dangling in dangling_models(value, KNOWN, BUILT_IN, SPELLINGS)] == expected


def test_place_and_model_are_told_apart() -> None:
    (dangling,) = dangling_models(config(model="gone/m"), {}, BUILT_IN, {})
    assert dangling.as_result() == {
        "place": "agents.defaults.model",
        "model": "gone/m",
        "message": "agents.defaults.model names gone/m, and there is no provider gone.",
    }


USES = {
    "agents": {
        "defaults": {
            "model": {"primary": " k25 ", "fallbacks": ["moonshot/kimi-k3", "gone"]},
            "imageModel": "moonshot/kimi-k2.6",
            "pdfModel": {"primary": "moonshot/pdf"},
            "heartbeat": {"every": "1h", "model": "kimicode/k3"},
            "subagents": {"model": {"primary": "a/b/c"}},
            "models": {"moonshot/kimi-k2.5": {"alias": "K25"}, "x/y": {"params": {"model": "p/q"}}},
            "modelPolicy": {"allow": ["moonshot/kimi-k3"]},
        },
        "list": [{"id": "work", "model": "m/1"}, {"model": "m/2"}],
        "entries": {"night": {"utilityModel": "m/3", "workspace": "/srv/model"}},
    },
    "models": {"mode": "merge", "providers": {"m": {"baseUrl": "https://a/b", "models": [{"id": "x/y"}]}}},
    "hooks": {"mappings": [{"path": "a/b"}, {"model": "m/4"}], "gmail": {"model": "opus"}},
    "channels": {"modelByChannel": {"slack": {"C1": "m/5"}}},
}


def test_every_place_that_uses_a_model() -> None:
    assert [tuple(use) for use in model_uses(USES)] == [
        ("agents.defaults.model", "moonshot/kimi-k2.5"),
        ("agents.defaults.model.fallbacks", "moonshot/kimi-k3"),
        ("agents.defaults.imageModel", "moonshot/kimi-k2.6"),
        ("agents.defaults.pdfModel", "moonshot/pdf"),
        ("agents.defaults.heartbeat.model", "kimicode/k3"),
        ("agents.defaults.subagents.model", "a/b/c"),
        ("agents.list[0] (agent work).model", "m/1"),
        ("agents.list[1].model", "m/2"),
        ("agents.entries.night.utilityModel", "m/3"),
        ("hooks.mappings[1].model", "m/4"),
        ("channels.modelByChannel.slack.C1", "m/5"),
    ]
    assert list(model_uses({})) == []


CHOICES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "nothing": ({}, []),
    "a provider of the config": (config(model="own/x"), []),
    "one that the product knows": (config(model={"primary": "Kimi/x", "fallbacks": ["anthropic/y"]}), []),
    "one that nothing has": (
        config(model={"primary": "nosuch/a", "fallbacks": ["own/x", "gone/b/c"]}),
        [("agents.defaults.model", "nosuch/a"), ("agents.defaults.model.fallbacks", "gone/b/c")],
    ),
    "of an agent and of hooks": (
        {
            "agents": {"entries": {"a": {"heartbeat": {"model": "nosuch/a"}}}},
            "hooks": {"gmail": {"model": "nosuch/b"}, "mappings": [{"model": "nosuch/c"}]},
        },
        [
            ("agents.entries.a.heartbeat.model", "nosuch/a"),
            ("hooks.gmail.model", "nosuch/b"),
            ("hooks.mappings[0].model", "nosuch/c"),
        ],
    ),
    "an alias of such a model": (
        config(model="Quick", models={"nosuch/a": {"alias": "quick"}}),
        [("agents.defaults.model", "nosuch/a")],
    ),
    "a name without a provider": (config(model="unheard-of"), []),
    "what is no choice": ({"memorySearch": {"local": {"modelPath": "hf:org/file.gguf"}}}, []),
}


def test_a_command_that_answers_counts_as_a_provider() -> None:
    defaults = {"cliBackends": {"My-CLI": {"command": "x"}}, "model": {"primary": "my-cli/x", "fallbacks": ["other/y"]}}
    found = choices_of_unknown_providers({"agents": {"defaults": defaults}}, (), SPELLINGS)
    assert [tuple(use) for use in found] == [("agents.defaults.model.fallbacks", "other/y")]
    dangling = dangling_models({"agents": {"defaults": defaults}}, {}, (), SPELLINGS)
    assert [one.model for one in dangling] == ["other/y"]


@pytest.mark.parametrize(("value", "expected"), CHOICES.values(), ids=CHOICES)
def test_choices_of_unknown_providers(value: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    value = {**value, "models": {"providers": BLOCKS}}
    assert [tuple(use) for use in choices_of_unknown_providers(value, BUILT_IN, SPELLINGS)] == expected
