# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import ModelUse
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import Desired
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import optional_models

CONFIG = {"models": {"providers": {"moonshot": {"models": [{"id": "kimi-k3"}, {"id": "kimi-k2.5"}]}}}}
OPTIONAL = {"moonshot": ["kimi-k2.5", "moonshot-v1-8k"], "kimicode": []}
DESIRED = Desired(
    {"moonshot": {"models": [{"id": "kimi-k3"}, {"id": "kimi-k2.5"}]}, "other": {}},
    {"k3": "moonshot/kimi-k3", "k25": "moonshot/kimi-k2.5"},
    "moonshot/kimi-k3",
    ["moonshot/kimi-k2.5"],
)


def answered(listed: list[str], missing: list[str]) -> Any:
    return {"name": "moonshot", "listed": listed, "optional_missing": missing}


LEFT_OUT: dict[str, tuple[list[Any], Any, dict[str, list[str]]]] = {
    "both are not listed": (
        [answered(["kimi-k3"], ["kimi-k2.5", "moonshot-v1-8k"])],
        CONFIG,
        {"moonshot": ["kimi-k2.5", "moonshot-v1-8k"]},
    ),
    "one is listed": ([answered(["kimi-k3", "kimi-k2.5"], ["moonshot-v1-8k"])], {}, {"moonshot": ["moonshot-v1-8k"]}),
    "all are listed": ([answered(["kimi-k3"], [])], {}, {}),
    "no endpoint was asked, so they stay as they are": ([], CONFIG, {"moonshot": ["moonshot-v1-8k"]}),
    "an endpoint that has listed nothing": ([answered([], [])], CONFIG, {"moonshot": ["moonshot-v1-8k"]}),
    "no config": ([], {}, {"moonshot": ["kimi-k2.5", "moonshot-v1-8k"]}),
    "the later of two answers": (
        [answered(["kimi-k3"], ["kimi-k2.5", "moonshot-v1-8k"]), answered(["kimi-k3"], ["kimi-k2.5"])],
        {},
        {"moonshot": ["kimi-k2.5"]},
    ),
}


@pytest.mark.parametrize(("endpoints", "config", "expected"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_left_out(endpoints: list[Any], config: Any, expected: dict[str, list[str]]) -> None:
    assert optional_models.left_out(OPTIONAL, endpoints, config) == expected


def test_without() -> None:
    assert optional_models.without(DESIRED, {"moonshot": ["kimi-k2.5"]}) == Desired(
        {"moonshot": {"models": [{"id": "kimi-k3"}]}, "other": {}},
        {"k3": "moonshot/kimi-k3"},
        "moonshot/kimi-k3",
        ["moonshot/kimi-k2.5"],
        frozenset({"moonshot/kimi-k2.5"}),
    )
    assert optional_models.without(DESIRED, {}) == DESIRED


def test_describe_left_out() -> None:
    left_out = {"moonshot": ["kimi-k2.5", "moonshot-v1-8k"]}
    assert optional_models.describe_left_out(left_out, ["moonshot/kimi-k2.5"], DESIRED) == [
        "Optional models that are not configured, as their endpoint does not list them: moonshot/kimi-k2.5, "
        "moonshot/moonshot-v1-8k.",
        "Of these, removed from the config: moonshot/kimi-k2.5.",
        "Aliases of such models are left out: k25.",
    ]
    assert optional_models.describe_left_out({}, [], DESIRED) == []


BLOCKED: dict[str, tuple[str, frozenset[str], str]] = {
    "a retired model, its successor is there": (
        "moonshot/kimi-k2.5",
        frozenset({"moonshot/kimi-k2.5"}),
        "The session s is moonshot/kimi-k2.5, which the endpoint of moonshot does not list for this key. kimi-k2.5 was "
        "retired by Moonshot on 2026-08-31; use kimi-k3 there.",
    ),
    "a retired model, its successor is not there": (
        "moonshot/moonshot-v1-8k",
        frozenset({"moonshot/moonshot-v1-8k"}),
        "The session s is moonshot/moonshot-v1-8k, which the endpoint of moonshot does not list for this key. "
        "moonshot-v1-8k was retired by Moonshot on 2026-08-31. Choose another model there, such as moonshot/kimi-k3.",
    ),
    "a model of a plan": (
        "moonshot/fast",
        frozenset({"moonshot/fast"}),
        "The session s is moonshot/fast, which the endpoint of moonshot does not list for this key. Choose another "
        "model there, such as moonshot/kimi-k3.",
    ),
    "a model of the user": (
        "moonshot/mine",
        frozenset(),
        "The session s is moonshot/mine, which the block of moonshot in the inventory does not have. Choose another "
        "model there, such as moonshot/kimi-k3.",
    ),
}


@pytest.mark.parametrize(("model", "removed", "text"), BLOCKED.values(), ids=BLOCKED)
def test_describe_blocked(model: str, removed: frozenset[str], text: str) -> None:
    desired = Desired({"moonshot": {"models": [{"id": "kimi-k3"}]}}, removed_models=removed)
    described = optional_models.describe_blocked([ModelUse("The session s", model)], desired)
    assert described == [{"place": "The session s", "model": model, "text": text}]


VENDOR = {"moonshot": {"baseUrl": "https://api.moonshot.cn/v1", "models": [{"id": "kimi-k3"}]}}
OWN_HOST = {"moonshot": {"baseUrl": "https://models.example/v1", "models": []}}
UNSERVED: dict[str, tuple[str, list[Any], dict[str, Any], str | None]] = {
    "listed": ("moonshot/kimi-k3", [answered(["kimi-k3"], [])], VENDOR, None),
    "not listed": (
        "moonshot/mine",
        [answered(["kimi-k3"], [])],
        VENDOR,
        "which the endpoint of moonshot does not list for this key. Choose another model there, such as "
        "moonshot/kimi-k3.",
    ),
    "may be unlisted": ("moonshot/hidden", [answered(["kimi-k3"], [])], VENDOR, None),
    "of another provider": ("anthropic/claude", [answered(["kimi-k3"], [])], VENDOR, None),
    "retired by the vendor": (
        "moonshot/kimi-k2.5",
        [],
        VENDOR,
        "a retired model. kimi-k2.5 was retired by Moonshot on 2026-08-31; use kimi-k3 there.",
    ),
    "not asked and not retired": ("moonshot/mine", [], VENDOR, None),
    "served by another host": ("moonshot/kimi-k2.5", [], OWN_HOST, None),
    "listed by another host": ("moonshot/kimi-k2.5", [answered(["kimi-k2.5"], [])], OWN_HOST, None),
    "no block": ("moonshot/kimi-k2.5", [], {}, None),
}


@pytest.mark.parametrize(("model", "endpoints", "blocks", "text"), UNSERVED.values(), ids=UNSERVED)
def test_describe_unserved(model: str, endpoints: list[Any], blocks: dict[str, Any], text: str | None) -> None:
    uses = [ModelUse("hooks.gmail.model", model)]
    described = optional_models.describe_unserved(uses, endpoints, blocks, {"moonshot": ["hidden"]})
    expected = f"hooks.gmail.model is {model}, {text}"
    assert [problem["text"] for problem in described] == ([] if text is None else [expected])
