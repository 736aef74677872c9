# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What has to go from a gateway's config with a provider: decided without touching anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .json5_editor import Change
from .provider_changes import (
    ALLOWED,
    MODE,
    MODEL,
    MODELS,
    PROVIDERS,
    Desired,
    Plan,
    chosen_models,
    has_policy,
    listed_models,
    model_changes,
    model_choices,
)
from .tree import REMOVE, at, members

_IMAGE_MODEL = ("agents", "defaults", "imageModel")
# What the product takes for the provider of a model that names none (its agents/defaults.js).
_DEFAULT_PROVIDER = "anthropic"

_LIST_GONE = (
    "agents.defaults.models has no entry left, which allows every model: it was a list of all that are allowed before."
)
_POLICY_GONE = (
    "agents.defaults.modelPolicy.allow has no entry left, which allows every model: it was a list of all that are "
    "allowed before."
)


@dataclass(frozen=True)
class Removal:
    """What the config shall no longer have."""

    #: Ids of providers.
    providers: Sequence[str]
    #: C(provider/model) that becomes the default; None leaves the config's own alone.
    default_model: str | None = None

    def concerns(self, provider: str) -> bool:
        """Whether a provider is one of those, however the product's files spell it: upper case is lower to it."""
        return _normal(provider) in map(_normal, self.providers)


def removal_plan(config: dict[str, Any], removal: Removal) -> Plan:
    """The changes that take the providers out of the config: their blocks, their models with the aliases, fallbacks."""
    blocks = [name for name in members(config, PROVIDERS) if removal.concerns(name)]
    listed = listed_models(config)
    unlisted = [ref for ref in listed if removal.concerns(model_provider(ref, {}))]
    changes = [Change((*PROVIDERS, name), REMOVE) for name in blocks]
    changes += [Change((*MODELS, ref), REMOVE) for ref in unlisted]
    changes += model_changes(config, Desired(default_model=removal.default_model))
    for path in (MODEL, _IMAGE_MODEL):
        changes += _list_changes(config, (*path, "fallbacks"), removal)
    if has_policy(config):
        allowed = list(_list_changes(config, ALLOWED, removal))
        return Plan((*changes, *allowed), (), (_POLICY_GONE,) if any(one.value is REMOVE for one in allowed) else ())
    left = len(listed) - len(unlisted)
    if left and removal.default_model and removal.default_model not in listed:
        changes.append(Change((*MODELS, removal.default_model), {}))
    return Plan(tuple(changes), (), (_LIST_GONE,) if unlisted and not left else ())


def emptied(config: dict[str, Any], changes: Sequence[Change]) -> list[Change]:
    """The further changes with which nothing empty is left of a config that loses what the changes remove.

    C(models.mode) counts as empty beside no provider, where it says what the product does without it.
    """
    gone = {change.path for change in changes if change.value is REMOVE}
    kept = [change.path for change in changes if change.value is not REMOVE]
    further = []
    if (
        any(path[:2] == PROVIDERS for path in gone)
        and at(config, MODE) == "merge"
        and all((*PROVIDERS, name) in gone for name in members(config, PROVIDERS))
        and set(members(config, PROVIDERS[:1])) == {"mode", "providers"}
    ):
        further.append(Change(MODE, REMOVE))
        gone.add(MODE)
    for path in [change.path for change in (*changes, *further) if change.value is REMOVE]:
        for length in range(len(path) - 1, 0, -1):
            parent = path[:length]
            names = members(config, parent)
            stays = any((*parent, name) not in gone for name in names)
            if not names or stays or any(other[:length] == parent for other in kept):
                break
            if parent not in gone:
                gone.add(parent)
                further.append(Change(parent, REMOVE))
    return further


def uses(config: dict[str, Any], removal: Removal) -> Iterator[str]:
    """Texts, each on a place that names a model of the providers and that the plan leaves as it is."""
    aliases = model_aliases(config)
    for place, choice in model_choices(config):
        primary, fallbacks = chosen_models(choice)
        is_default = place == ".".join(MODEL)
        names = [] if is_default and removal.default_model else [primary]
        if not is_default and place != ".".join(_IMAGE_MODEL):
            names += fallbacks
        for name in names:
            if name and removal.concerns(model_provider(name, aliases)):
                advice = "give another default_model" if is_default else "choose another model there"
                yield f"{place} is {name}, a model of a provider that is to be removed: {advice}."


def _list_changes(config: dict[str, Any], path: tuple[str, ...], removal: Removal) -> Iterator[Change]:
    """The change that takes the models of the providers out of a list of models."""
    models = at(config, path)
    if not isinstance(models, list):
        return
    aliases = model_aliases(config)
    left = [name for name in models if not (isinstance(name, str) and removal.concerns(model_provider(name, aliases)))]
    if left != models:
        yield Change(path, left or REMOVE)


def model_aliases(config: dict[str, Any]) -> dict[str, str]:
    """Alias, in lower case -> the model that it stands for."""
    entries = listed_models(config).items()
    return {str(alias).strip().lower(): ref for ref, entry in entries if (alias := at(entry, ("alias",))) is not REMOVE}


def model_provider(name: str, aliases: dict[str, str]) -> str:
    """The provider of a model, which may be named by an alias."""
    if "/" not in name:
        name = aliases.get(name.strip().lower(), name)
    provider, slash, _model = name.partition("/")
    return provider if slash else _DEFAULT_PROVIDER


def _normal(provider: str) -> str:
    """A provider's id as the product compares it."""
    return provider.strip().lower()
