# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the blocks of models that think lack, so that a gateway would fail with them (docs/models.md, Tool messages)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import thinks
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.vendor_models import THINKING

# What Clawdbot sends unless `compat` says that the endpoint does not take it.
_COMPAT = ("supportsDeveloperRole", "supportsReasoningEffort", "supportsStore")


def thinking_warnings(entries: Mapping[str, Mapping[str, Any]], product: str) -> list[str]:
    """Return a warning for each field that the models of the enabled providers lack.

    `entries`: provider id -> valid entry of the catalogue, merged with its overrides. `product`: `providers_product`.
    """
    return [warning for name, entry in entries.items() for warning in _block_warnings(name, entry["block"], product)]


def _block_warnings(name: str, block: Mapping[str, Any], product: str) -> Iterator[str]:
    place = f"providers_overrides.{name}.block.models"
    models = [model for model in block["models"] if thinks(block, model, THINKING)]
    without = [model["id"] for model in models if model.get("reasoning") is not True]
    if without and product != "clawdbot":
        yield (
            f"{place}: OpenClaw needs `reasoning: true` for {', '.join(without)}. Without it, the endpoint rejects the "
            "result of each tool that the model calls, because the model's reasoning is not sent again. Set it."
        )
    if product == "openclaw":
        return
    lacking: dict[tuple[str, ...], list[str]] = {}
    for model in models:
        # Once it is set for OpenClaw, Clawdbot needs the rest.
        if product == "auto" or model.get("reasoning") is True:
            lacking.setdefault(_missing(model), []).append(model["id"])
    for fields, ids in lacking.items():
        if fields:
            needs = ", ".join(f"`compat.{field}: false`" for field in fields)
            yield (
                f"{place}: with `reasoning: true`, Clawdbot needs {needs} for {', '.join(ids)}. Otherwise it sends "
                "what the endpoint rejects. Set it."
            )


def _missing(model: Mapping[str, Any]) -> tuple[str, ...]:
    compat = model.get("compat")
    given = compat if isinstance(compat, Mapping) else {}
    return tuple(field for field in _COMPAT if given.get(field) is not False)
