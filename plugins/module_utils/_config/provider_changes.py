# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What must change in a config so that it has the desired providers, or no longer has some; decided without any I/O.

A config is the value of the whole document here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .env_refs import references
from .json5_editor import Change
from .key_files import ENTRY, file_entry, file_references
from .models import (
    ALLOWED,
    IMAGE_MODEL,
    MODEL,
    MODELS,
    PROVIDERS,
    ModelUse,
    chosen_models,
    has_policy,
    listed_models,
    model_aliases,
    model_choices,
    model_ids,
    model_provider,
    model_uses,
    named_models,
    provider_id,
)
from .tree import REMOVE, at, members

#: How the provider blocks and the product's own providers are combined.
MODE = ("models", "mode")

_LIST_OPENED = (
    "agents.defaults.models was empty, which allows every model. With aliases in it, it is the list of all allowed "
    "models: those of the managed providers and those that the config names were added. Add other models that people "
    "choose by hand."
)
_LIST_GONE = "agents.defaults.models has no entry left, which allows every model: before, it allowed only its entries."
_POLICY_GONE = (
    "agents.defaults.modelPolicy.allow has no entry left, which allows every model: before, it allowed only its "
    "entries."
)


@dataclass(frozen=True)
class Desired:
    """What the config should have, in the types that it takes. The collection does not manage anything else."""

    #: Provider id -> its block, as the config takes it. Members that only the config has are kept; None removes one.
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Alias -> `provider/model`.
    aliases: Mapping[str, str] = field(default_factory=dict)
    #: `provider/model`; `None` keeps the config's own.
    default_model: str | None = None
    #: List of `provider/model`; `None` keeps the config's own.
    fallback_models: Sequence[str] | None = None
    #: `provider/model` of each model that is removed with all that only names it: its alias, the lists of models.
    removed_models: frozenset[str] = frozenset()
    #: The file with the keys that the blocks refer to; `None` where they refer to none.
    key_file: str | None = None


@dataclass(frozen=True)
class Removal:
    """The providers that the config should no longer have."""

    #: Provider ids.
    providers: Sequence[str]
    #: `provider/model` for the new default model; `None` keeps the config's own.
    default_model: str | None = None
    #: Other spellings of provider ids, `Product.provider_spellings`.
    spellings: Mapping[str, str] = field(default_factory=dict)

    def concerns(self, provider: str) -> bool:
        """Whether a provider is to be removed, in any spelling."""
        return provider_id(provider, self.spellings) in {provider_id(name, self.spellings) for name in self.providers}


@dataclass(frozen=True)
class ProviderChanges:
    """The changes, in the order in which new members should appear, and what the user should know of them."""

    changes: tuple[Change, ...]
    #: Where the product had written a key in plain text in place of the reference to its variable, as dotted paths.
    repaired: tuple[str, ...]
    warnings: tuple[str, ...]


def desired_changes(config: dict[str, Any], desired: Desired) -> ProviderChanges:
    """Return the changes that give the config the desired providers."""
    changes: list[Change] = []
    if desired.providers and at(config, MODE) is REMOVE:
        changes.append(Change(MODE, "merge"))
    changes += [Change((*PROVIDERS, name), new_block(config, name, block)) for name, block in desired.providers.items()]
    changes += _choice_changes(config, desired)
    changes += [Change((*MODELS, ref), REMOVE) for ref in listed_models(config) if ref in desired.removed_models]
    changes += _alias_changes(config, desired)
    opens_list, admitted = _admissions(config, desired)
    changes += [Change((*MODELS, ref), {}) for ref in admitted]
    changes += _policy_changes(config, desired)
    if desired.key_file:
        changes.append(Change(ENTRY, file_entry(desired.key_file)))
    return ProviderChanges(tuple(changes), tuple(_repaired(config, desired)), (_LIST_OPENED,) if opens_list else ())


def new_block(config: dict[str, Any], name: str, block: Mapping[str, Any]) -> dict[str, Any]:
    """Return the block of a provider after the changes."""
    merged = {**members(config, (*PROVIDERS, name)), **block}
    return {member: value for member, value in merged.items() if value is not None or member not in block}


def kept_members(config: dict[str, Any], desired: Desired) -> dict[str, list[str]]:
    """Return provider -> the members of its block that are kept because the desired block does not mention them."""
    kept = {
        name: [member for member in members(config, (*PROVIDERS, name)) if member not in block]
        for name, block in desired.providers.items()
    }
    return {name: found for name, found in kept.items() if found}


def blocked_uses(config: dict[str, Any], desired: Desired) -> list[ModelUse]:
    """Return the uses of models that the changes take away: those to be removed, and those that a block would lose."""
    gone = removed_models(config, desired)
    replaced = replaced_places(desired)
    uses = [use for use in model_uses(config) if use.place not in replaced]
    uses += [ModelUse("The new default model", desired.default_model)] if desired.default_model else []
    uses += [ModelUse("A new fallback model", ref) for ref in desired.fallback_models or ()]
    return [use for use in uses if use.model in gone]


def replaced_places(desired: Desired) -> set[str]:
    """Return the places that use models, and get other ones, as `model_uses` gives them."""
    replaced = set()
    if desired.default_model is not None:
        replaced.add(".".join(MODEL))
    if desired.fallback_models is not None:
        replaced.add(".".join((*MODEL, "fallbacks")))
    return replaced


def removed_models(config: dict[str, Any], desired: Desired) -> set[str]:
    """Return `provider/model` of each model that the config does not have after the changes."""
    lost = {
        f"{name}/{model}"
        for name, block in desired.providers.items()
        for model in set(model_ids(at(config, (*PROVIDERS, name)))) - set(model_ids(new_block(config, name, block)))
    }
    return lost | set(desired.removed_models)


def removal_changes(config: dict[str, Any], removal: Removal) -> ProviderChanges:
    """Return the changes that remove the providers: their blocks, their models with the aliases, and fallbacks."""
    blocks = [name for name in members(config, PROVIDERS) if removal.concerns(name)]
    listed = listed_models(config)
    unlisted = [ref for ref in listed if removal.concerns(model_provider(ref, {}))]
    changes = [Change((*PROVIDERS, name), REMOVE) for name in blocks]
    changes += [Change((*MODELS, ref), REMOVE) for ref in unlisted]
    changes += _choice_changes(config, Desired(default_model=removal.default_model))
    for path in (MODEL, IMAGE_MODEL):
        changes += _list_changes(config, (*path, "fallbacks"), removal)
    if has_policy(config):
        allowed = list(_list_changes(config, ALLOWED, removal))
        is_gone = any(one.value is REMOVE for one in allowed)
        return ProviderChanges((*changes, *allowed), (), (_POLICY_GONE,) if is_gone else ())
    left = len(listed) - len(unlisted)
    if left and removal.default_model and removal.default_model not in listed:
        changes.append(Change((*MODELS, removal.default_model), {}))
    return ProviderChanges(tuple(changes), (), (_LIST_GONE,) if unlisted and not left else ())


def unused_entry(config: dict[str, Any]) -> list[Change]:
    """Return the changes that remove the entry of a file with keys to which a config no longer refers."""
    if at(config, ENTRY) is REMOVE or file_references(config):
        return []
    changes = [Change(ENTRY, REMOVE)]
    return [*changes, *empty_parents(config, changes)]


def empty_parents(config: dict[str, Any], changes: Sequence[Change]) -> list[Change]:
    """Return the further changes that remove what the changes leave empty.

    `models.mode` counts as empty without any provider, if it has the product's default.
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


def remaining_uses(config: dict[str, Any], removal: Removal) -> Iterator[str]:
    """Yield a problem for each place that names a model of the providers and that `removal_changes` keeps."""
    aliases = model_aliases(config)
    for place, choice in model_choices(config):
        primary, fallbacks = chosen_models(choice)
        is_default = place == ".".join(MODEL)
        names = [] if is_default and removal.default_model else [primary]
        if not is_default and place != ".".join(IMAGE_MODEL):
            names += fallbacks
        for name in names:
            if name and removal.concerns(model_provider(name, aliases)):
                remedy = "Give another default_model" if is_default else "Choose another model there"
                yield f"{place} is {name}, a model of a provider that is to be removed. {remedy}."


def managed_paths(desired: Desired, changes: Iterable[Change]) -> list[tuple[str, ...]]:
    """Return the paths whose values may be shown in a diff: what is desired and what changes."""
    paths = [(*PROVIDERS, name) for name in desired.providers]
    return paths + [change.path for change in changes if change.path[:2] != PROVIDERS]


def missing_variables(providers: Mapping[str, Mapping[str, Any]], known: Iterable[str]) -> dict[str, list[str]]:
    """Return provider -> the environment variables that its block refers to and that are not known, sorted."""
    have = set(known)
    missing = {name: sorted(references(block) - have) for name, block in providers.items()}
    return {name: variables for name, variables in missing.items() if variables}


def _choice_changes(config: dict[str, Any], desired: Desired) -> Iterator[Change]:
    """Yield the changes that give the config its default and fallback models."""
    chosen: dict[str, Any] = {}
    if desired.default_model is not None:
        chosen["primary"] = desired.default_model
    if desired.fallback_models is not None:
        chosen["fallbacks"] = list(desired.fallback_models)
    current = at(config, MODEL)
    if isinstance(current, str):
        # The short spelling, in which the whole value is the primary model.
        if chosen and chosen != {"primary": current}:
            yield Change(MODEL, {"primary": current, **chosen})
    else:
        yield from (Change((*MODEL, name), value) for name, value in chosen.items())


def _alias_changes(config: dict[str, Any], desired: Desired) -> Iterator[Change]:
    models = {alias.lower(): ref for alias, ref in desired.aliases.items()}
    # All are removed before one is set: two models may swap theirs.
    for ref, entry in listed_models(config).items():
        alias = at(entry, ("alias",))
        if isinstance(alias, str) and models.get(alias.strip().lower(), ref) != ref:
            yield Change((*MODELS, ref, "alias"), REMOVE)
    for alias, ref in desired.aliases.items():
        yield Change((*MODELS, ref, "alias"), alias)


def _admissions(config: dict[str, Any], desired: Desired) -> tuple[bool, list[str]]:
    """Return whether the changes open the list of allowed models, and the models to enter besides those with an alias.

    As long as the list is empty, the gateway allows every model. From its first entry on it allows no other: it answers
    "model not allowed", and silently drops fallbacks. So what the config names stays allowed.
    """
    listed = listed_models(config)
    if has_policy(config) or not (listed or desired.aliases):
        return False, []
    needed = _desired_models(desired)
    if not listed:
        needed += named_models(config)
    have = {*listed, *desired.aliases.values()}
    needed = [ref for ref in needed if ref not in desired.removed_models]
    return not listed, [ref for ref in dict.fromkeys(needed) if ref not in have]


def _policy_changes(config: dict[str, Any], desired: Desired) -> Iterator[Change]:
    """Yield the change that adds desired models to the list of those that people may choose. An empty one means all."""
    allowed = at(config, ALLOWED)
    if not isinstance(allowed, list) or not allowed:
        return
    exact = {ref for ref in allowed if isinstance(ref, str)}
    prefixes = tuple(ref[:-1] for ref in exact if ref.endswith("/*"))
    needed = dict.fromkeys([*_desired_models(desired), *desired.aliases.values()])
    missing = [ref for ref in needed if ref not in exact and not ref.startswith(prefixes)]
    kept = [ref for ref in allowed if ref not in desired.removed_models]
    if missing or kept != allowed:
        yield Change(ALLOWED, [*kept, *missing])


def _list_changes(config: dict[str, Any], path: tuple[str, ...], removal: Removal) -> Iterator[Change]:
    """Yield the change that removes the models of the providers from a list of models."""
    models = at(config, path)
    if not isinstance(models, list):
        return
    aliases = model_aliases(config)
    left = [name for name in models if not (isinstance(name, str) and removal.concerns(model_provider(name, aliases)))]
    if left != models:
        yield Change(path, left or REMOVE)


def _desired_models(desired: Desired) -> list[str]:
    """Return every desired model but those of aliases."""
    needed = [f"{name}/{model['id']}" for name, block in desired.providers.items() for model in block.get("models", [])]
    needed += [desired.default_model] if desired.default_model else []
    return [*needed, *(desired.fallback_models or [])]


def _repaired(config: dict[str, Any], desired: Desired) -> Iterator[str]:
    for name, block in desired.providers.items():
        path = (*PROVIDERS, name, "apiKey")
        current = at(config, path)
        if references(block.get("apiKey")) and isinstance(current, str) and current and not references(current):
            yield ".".join(path)
