# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._thinking import thinking_warnings

DEFAULTS = Path(__file__).parents[4] / "roles" / "providers" / "defaults" / "main.yml"

ALL_FALSE = {"supportsDeveloperRole": False, "supportsReasoningEffort": False, "supportsStore": False}
BARE = {"id": "kimi-k3", "name": "Kimi K3"}
REASONING = {**BARE, "reasoning": True}
COMPLETE = {**REASONING, "compat": ALL_FALSE}


def warned(*models: dict[str, Any], product: str, api: str | None = "openai-completions") -> list[str]:
    form = {} if api is None else {"api": api}
    return thinking_warnings({"moonshot": {"block": {"baseUrl": "x", "models": [*models], **form}}}, product)


def openclaw(ids: str) -> str:
    return (
        f"providers_overrides.moonshot.block.models: OpenClaw needs `reasoning: true` for {ids}. Without it, the "
        "endpoint rejects the result of each tool that the model calls, because the model's reasoning is not sent "
        "again. Set it."
    )


def clawdbot(ids: str, *fields: str) -> str:
    needs = ", ".join(f"`compat.{field}: false`" for field in fields)
    return (
        f"providers_overrides.moonshot.block.models: with `reasoning: true`, Clawdbot needs {needs} for {ids}. "
        "Otherwise it sends what the endpoint rejects. Set it."
    )


CASES: dict[str, tuple[list[dict[str, Any]], dict[str, list[str]]]] = {
    "complete": ([COMPLETE], {}),
    "bare": (
        [BARE],
        {"openclaw": [openclaw("kimi-k3")], "auto": [openclaw("kimi-k3"), clawdbot("kimi-k3", *ALL_FALSE)]},
    ),
    "reasoning is off": (
        [{**COMPLETE, "reasoning": False}],
        {"openclaw": [openclaw("kimi-k3")], "auto": [openclaw("kimi-k3")]},
    ),
    "reasoning alone": (
        [REASONING],
        {"clawdbot": [clawdbot("kimi-k3", *ALL_FALSE)], "auto": [clawdbot("kimi-k3", *ALL_FALSE)]},
    ),
    "one field is missing, another true": (
        [{**REASONING, "compat": {"supportsDeveloperRole": False, "supportsReasoningEffort": True}}],
        {
            "clawdbot": [clawdbot("kimi-k3", "supportsReasoningEffort", "supportsStore")],
            "auto": [clawdbot("kimi-k3", "supportsReasoningEffort", "supportsStore")],
        },
    ),
    "compat of a wrong type": (
        [{**REASONING, "compat": "x"}],
        {"clawdbot": [clawdbot("kimi-k3", *ALL_FALSE)], "auto": [clawdbot("kimi-k3", *ALL_FALSE)]},
    ),
    "several": (
        [BARE, {**BARE, "id": "kimi-k2.6"}, {**COMPLETE, "id": "kimi-k2.7-code"}],
        {
            "openclaw": [openclaw("kimi-k3, kimi-k2.6")],
            "auto": [openclaw("kimi-k3, kimi-k2.6"), clawdbot("kimi-k3, kimi-k2.6", *ALL_FALSE)],
        },
    ),
    "no model that thinks": ([{"id": "moonshot-v1-8k", "name": "x"}, {"id": "kimi-k2.5", "name": "x"}], {}),
    "another form for the model alone": ([{**BARE, "api": "anthropic-messages"}], {}),
}


@pytest.mark.parametrize("product", ["clawdbot", "openclaw", "auto"])
@pytest.mark.parametrize("name", CASES)
def test_what_a_model_lacks(name: str, product: str) -> None:
    models, warnings = CASES[name]
    assert warned(*models, product=product) == warnings.get(product, [])


@pytest.mark.parametrize("api", ["anthropic-messages", "openai-responses", None])
def test_only_the_openai_form_needs_it(api: str | None) -> None:
    assert warned(REASONING, BARE, product="auto", api=api) == []


def test_a_model_can_have_the_openai_form_alone() -> None:
    model = {**BARE, "api": "openai-completions"}
    assert warned(model, product="openclaw", api="anthropic-messages") == [openclaw("kimi-k3")]


def test_the_catalogue_lacks_nothing() -> None:
    catalogue = yaml.safe_load(DEFAULTS.read_text())["providers_catalogue"]
    assert set(catalogue) == {"moonshot", "kimicode"}
    assert thinking_warnings(catalogue, "auto") == []
