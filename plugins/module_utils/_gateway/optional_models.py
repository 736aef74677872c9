# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Optional models: which of them a host gets, and which uses of a model keep it from being taken away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import PROVIDERS, ModelUse, model_ids
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import Desired
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import EndpointInfo
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.vendor_models import (
    RETIRED,
    describe_retirement,
    is_vendor,
)

from .info import ModelProblem


def left_out(
    optional: Mapping[str, Sequence[str]], endpoints: Iterable[EndpointInfo], config: Any
) -> dict[str, list[str]]:
    """Return provider -> those of its optional models that the host does not get.

    `endpoints`: the results of those that were asked. Where an endpoint was not asked or has listed nothing, the host
    keeps what its config has.
    """
    answers = {endpoint["name"]: endpoint["optional_missing"] for endpoint in endpoints if endpoint["listed"]}
    result = {}
    for provider, models in optional.items():
        if provider in answers:
            missing = [model for model in models if model in answers[provider]]
        else:
            present = model_ids(at(config, (*PROVIDERS, provider)))
            missing = [model for model in models if model not in present]
        if missing:
            result[provider] = missing
    return result


def without(desired: Desired, models: Mapping[str, Sequence[str]]) -> Desired:
    """Return what the config should have without some models and their aliases. `models`: provider -> ids."""
    removed = refs(models)
    return Desired(
        {
            name: {**block, "models": [m for m in block["models"] if m.get("id") not in models[name]]}
            if name in models and isinstance(block.get("models"), list)
            else block
            for name, block in desired.providers.items()
        },
        {alias: ref for alias, ref in desired.aliases.items() if ref not in removed},
        desired.default_model,
        desired.fallback_models,
        frozenset({*desired.removed_models, *removed}),
    )


def refs(models: Mapping[str, Sequence[str]]) -> list[str]:
    """Return `provider/model` of each model. `models`: provider -> ids."""
    return [f"{provider}/{model}" for provider, ids in models.items() for model in ids]


def describe_left_out(models: Mapping[str, Sequence[str]], removed: Sequence[str], desired: Desired) -> list[str]:
    """Return what the user should know of the models that are left out. `desired`: with them."""
    names = refs(models)
    if not names:
        return []
    notes = [f"Optional models that are not configured, as their endpoint does not list them: {', '.join(names)}."]
    if removed:
        notes.append(f"Of these, removed from the config: {', '.join(removed)}.")
    aliases = [alias for alias, ref in desired.aliases.items() if ref in names]
    if aliases:
        notes.append(f"Aliases of such models are left out: {', '.join(aliases)}.")
    return notes


def describe_blocked(uses: Iterable[ModelUse], desired: Desired) -> list[ModelProblem]:
    """Return why a host is rejected: its uses of models that the changes would take away.

    `desired`: without the models that are left out.
    """
    problems: list[ModelProblem] = []
    for place, model in uses:
        provider = model.partition("/")[0]
        others = model_ids(desired.providers.get(provider))
        if model in desired.removed_models:
            why = f"which the endpoint of {provider} does not list for this key"
        else:
            why = f"which the block of {provider} in the inventory does not have"
        problems.append(_problem(place, model, why, others))
    return problems


def describe_unserved(
    uses: Iterable[ModelUse],
    endpoints: Iterable[EndpointInfo],
    blocks: Mapping[str, Any],
    unlisted: Mapping[str, Sequence[str]],
) -> list[ModelProblem]:
    """Return the uses of models that their endpoint does not list, or that the vendor has retired.

    `blocks`: the provider blocks of the config. `unlisted`: provider -> models that need not be listed.
    """
    listings = {endpoint["name"]: endpoint["listed"] for endpoint in endpoints if endpoint["listed"]}
    problems: list[ModelProblem] = []
    for place, model in uses:
        provider, _slash, model_id = model.partition("/")
        if model_id in unlisted.get(provider, ()):
            continue
        base_url = at(blocks, (provider, "baseUrl"))
        if provider in listings:
            if model_id in listings[provider]:
                continue
            why = f"which the endpoint of {provider} does not list for this key"
        elif model_id in RETIRED and isinstance(base_url, str) and is_vendor(base_url):
            why = "a retired model"
        else:
            continue
        others = listings.get(provider) or model_ids(at(blocks, (provider,)))
        problems.append(_problem(place, model, why, others))
    return problems


def describe_unserved_choices(uses: Iterable[ModelUse]) -> list[ModelProblem]:
    """Return the uses of models of providers that the gateway does not have."""
    return [
        {
            "place": place,
            "model": model,
            "text": f"{place} is {model}, and the gateway has no provider {model.partition('/')[0]}: what uses it "
            "fails. Choose another model there, or add the provider.",
        }
        for place, model in uses
    ]


def _problem(place: str, model: str, why: str, others: Sequence[str]) -> ModelProblem:
    return {"place": place, "model": model, "text": f"{place} is {model}, {why}. {_remedy(model, others)}"}


def _remedy(model: str, others: Sequence[str]) -> str:
    provider, _slash, model_id = model.partition("/")
    retired = RETIRED.get(model_id)
    if retired and retired.successor in others:
        return f"{model_id} {describe_retirement(model_id)} there."
    said = f"{model_id} was retired by {retired.vendor} on {retired.date}. " if retired else ""
    example = next((other for other in others if other not in RETIRED and other != model_id), None)
    return f"{said}Choose another model there{f', such as {provider}/{example}' if example else ''}."
