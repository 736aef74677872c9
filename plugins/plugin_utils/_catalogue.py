# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The providers that a host can enable: merging of the catalogue, its overrides and the aliases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def merge(base: Any, over: Any) -> Any:
    """Return `base` with `over` merged into it.

    Dictionaries are merged by name and lists of models by id. Any other value replaces the one in `base`; None removes
    it.
    """
    if isinstance(over, Mapping):
        merged = dict(base) if isinstance(base, Mapping) else {}
        for name, value in over.items():
            merged[name] = merge(merged.get(name), value)
        return {name: value for name, value in merged.items() if value is not None}
    if is_model_list(base) and is_model_list(over):
        by_id = {model["id"]: model for model in base}
        for model in over:
            by_id[model["id"]] = merge(by_id.get(model["id"]), model)
        return list(by_id.values())
    return over


def merge_aliases(entries: Mapping[str, Any], given: Mapping[Any, Any], merged: Mapping[Any, Any]) -> dict[str, Any]:
    """Return alias -> `provider/model`: the aliases of the enabled providers, with `providers_aliases` over them.

    `entries`: provider id -> entry of the catalogue, for the enabled providers. `given`: `providers_aliases`.
    `merged`: the whole catalogue. Aliases of its providers that are not enabled are left out.
    """
    aliases = {
        str(alias): None if model is None else f"{name}/{model}"
        for name, entry in entries.items()
        for alias, model in entry.get("aliases", {}).items()
    }
    aliases.update({str(alias): target for alias, target in given.items()})
    disabled = set(merged) - set(entries)
    return {
        alias: target
        for alias, target in aliases.items()
        if target is not None and str(target).partition("/")[0] not in disabled
    }


def model_ids(entry: Mapping[str, Any]) -> list[str]:
    """Return the ids of the models of a provider, in the order of its block."""
    return [model["id"] for model in entry["block"]["models"]]


def key_variables(entry: Mapping[str, Any]) -> list[str]:
    """Return the environment variables that hold the key of a provider, first the one that its block refers to."""
    return [entry["env_var"], *entry.get("also_in", [])]


def is_model_list(value: Any) -> bool:
    """Whether a value is a list of one or more models, each a dictionary with an id."""
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(item, Mapping) and isinstance(item.get("id"), str) for item in value)
    )
