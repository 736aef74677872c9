# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/models.md has the models of the catalogue and the retired ones, and its examples pass the role's validation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.vendor_models import RETIRED
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._selection import select
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._validation import Variables

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
DEFAULTS: dict[str, Any] = yaml.safe_load(
    (ROOT / "roles" / "providers" / "defaults" / "main.yml").read_text(encoding="utf-8")
)
CATALOGUE = DEFAULTS["providers_catalogue"]
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]


def table(heading: str) -> list[list[str]]:
    """The cells of each row of the table that begins with this heading."""
    lines = PAGE.partition(f"\n| {heading} | ")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_models() -> None:
    rows = {re.findall(r"`([^`]+)`", cells[0])[0]: cells for cells in table("model")}
    described = {name: [*cells[2:]] for name, cells in rows.items()}
    assert described == {
        f"{provider}/{model['id']}": [
            str(model["contextWindow"]),
            str(model["maxTokens"]),
            "if listed" if model["id"] in entry["optional_models"] else "always",
        ]
        for provider, entry in CATALOGUE.items()
        for model in entry["block"]["models"]
    }


def test_aliases() -> None:
    found = re.findall(r"^\| `([^`]+)`, alias `([^`]+)` \|", PAGE, re.MULTILINE)
    assert {alias: model for model, alias in found} == DEFAULTS["providers_aliases"]


def test_retired_models() -> None:
    listed = {
        model: (date, successor.strip("`"))
        for models, date, successor in table("models")
        for model in re.findall(r"`([^`]+)`", models)
    }
    assert listed == {model: (retired.date, retired.successor) for model, retired in RETIRED.items()}


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_each_example_passes_the_validation(example: dict[str, Any]) -> None:
    assert set(example) <= set(DEFAULTS)
    variables = {**DEFAULTS, **example}
    enabled = example.get("providers_enabled", list(CATALOGUE))
    selection = select(
        Variables(
            enabled,
            CATALOGUE,
            variables["providers_overrides"],
            {name: f"sk-{number}-0123456789" for number, name in enumerate(enabled)},
            variables["providers_aliases"],
            variables["providers_default_model"],
            variables["providers_fallback_models"],
            "auto",
        )
    )
    assert selection["problems"] == []


def test_examples_are_found() -> None:
    assert len(EXAMPLES) == 9
