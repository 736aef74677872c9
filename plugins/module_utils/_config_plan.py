# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What has to change in a gateway's config: decided from what is wanted and what is there, without touching anything.

A config here is the value of the whole document; a change is a path in it and the value that shall stand there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._json5 import REMOVE, Change
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._references import references

_PROVIDERS = ("models", "providers")
_MODE = ("models", "mode")
_MODELS = ("agents", "defaults", "models")
_MODEL = ("agents", "defaults", "model")

_LIST_OPENED = (
    "agents.defaults.models was empty, which allows every model. With aliases in it, the product takes it for the list "
    "of all models that are allowed: those of the managed providers and those that the config names were added. Add "
    "others that people choose by hand."
)


@dataclass(frozen=True)
class Desired:
    """What the config shall have, of the types that it takes. What is not named here is not the collection's."""

    #: Provider id -> its block, as the config takes it.
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Alias -> C(provider/model).
    aliases: Mapping[str, str] = field(default_factory=dict)
    #: C(provider/model); None leaves the config's own alone.
    default_model: str | None = None
    #: List of C(provider/model); None leaves the config's own alone.
    fallback_models: Sequence[str] | None = None


@dataclass(frozen=True)
class Plan:
    """The changes, in the order in which new members shall appear, and what a person should know of them."""

    changes: tuple[Change, ...]
    #: Where the product had put a key in plain text in place of the reference to its variable, as dotted paths.
    repaired: tuple[str, ...]
    warnings: tuple[str, ...]


def plan(config: dict[str, Any], desired: Desired) -> Plan:
    """The changes that bring the config to what is desired."""
    changes: list[Change] = []
    if desired.providers and at(config, _MODE) is REMOVE:
        changes.append(Change(_MODE, "merge"))
    changes += [Change((*_PROVIDERS, name), block) for name, block in desired.providers.items()]
    changes += _model_changes(config, desired)
    changes += _alias_changes(config, desired)
    opens_list, admitted = _admissions(config, desired)
    changes += [Change((*_MODELS, ref), {}) for ref in admitted]
    return Plan(tuple(changes), tuple(_repaired(config, desired)), (_LIST_OPENED,) if opens_list else ())


def managed_paths(desired: Desired, changes: Iterable[Change]) -> list[tuple[str, ...]]:
    """The paths whose values may be shown as the difference that a plan makes: what is desired and what it changes."""
    paths = [(*_PROVIDERS, name) for name in desired.providers]
    return paths + [change.path for change in changes if change.path[:2] != _PROVIDERS]


def at(config: Any, path: Sequence[str]) -> Any:
    """The value at a path, REMOVE where there is none."""
    value = config
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return REMOVE
        value = value[name]
    return value


def missing_variables(providers: Mapping[str, Mapping[str, Any]], known: Iterable[str]) -> dict[str, list[str]]:
    """Provider -> the variables that its block refers to and that are not known, sorted."""
    have = set(known)
    missing = {name: sorted(references(block) - have) for name, block in providers.items()}
    return {name: variables for name, variables in missing.items() if variables}


def alias_clashes(aliases: Mapping[str, str]) -> Iterator[str]:
    """Texts, each on two aliases that the product cannot have at the same time (its agents/model-selection.js)."""
    spellings: dict[str, str] = {}
    by_model: dict[str, str] = {}
    for alias, ref in aliases.items():
        same = spellings.setdefault(alias.lower(), alias)
        if same != alias:
            yield f"The aliases {same!r} and {alias!r} are one to the product: it does not tell upper from lower case."
        other = by_model.setdefault(ref, alias)
        if other != alias:
            yield f"The aliases {other!r} and {alias!r} both stand for {ref}, and the product keeps one for a model."


def _model_changes(config: dict[str, Any], desired: Desired) -> Iterator[Change]:
    wanted: dict[str, Any] = {}
    if desired.default_model is not None:
        wanted["primary"] = desired.default_model
    if desired.fallback_models is not None:
        wanted["fallbacks"] = list(desired.fallback_models)
    current = at(config, _MODEL)
    if isinstance(current, str):
        # The short spelling, in which the whole value is the primary model.
        if wanted and wanted != {"primary": current}:
            yield Change(_MODEL, {"primary": current, **wanted})
    else:
        yield from (Change((*_MODEL, name), value) for name, value in wanted.items())


def _alias_changes(config: dict[str, Any], desired: Desired) -> Iterator[Change]:
    wanted = {alias.lower(): ref for alias, ref in desired.aliases.items()}
    # All are taken away before one is given: two models may swap theirs.
    for ref, entry in _listed(config).items():
        alias = entry.get("alias") if isinstance(entry, dict) else None
        if isinstance(alias, str) and wanted.get(alias.strip().lower(), ref) != ref:
            yield Change((*_MODELS, ref, "alias"), REMOVE)
    for alias, ref in desired.aliases.items():
        yield Change((*_MODELS, ref, "alias"), alias)


def _admissions(config: dict[str, Any], desired: Desired) -> tuple[bool, list[str]]:
    """Whether the list of allowed models begins with this plan, and what has to be entered beside those with an alias.

    As long as the list is empty the product admits every model; from its first entry on it admits no other: "model not
    allowed", and fallbacks outside it are dropped in silence. So what the config names stays allowed.
    """
    listed = _listed(config)
    if not listed and not desired.aliases:
        return False, []
    needed = [f"{name}/{model['id']}" for name, block in desired.providers.items() for model in block.get("models", [])]
    needed += [desired.default_model] if desired.default_model else []
    needed += desired.fallback_models or []
    if not listed:
        needed += _named_models(config)
    have = {*listed, *desired.aliases.values()}
    return not listed, [ref for ref in dict.fromkeys(needed) if ref not in have]


def _listed(config: dict[str, Any]) -> dict[str, Any]:
    """The list of allowed models, model to settings. A value that is no such list is left for the checker to refuse."""
    entries = at(config, _MODELS)
    return entries if isinstance(entries, dict) else {}


def _named_models(config: dict[str, Any]) -> list[str]:
    """Every model that the agents and hooks of a config are told to use (the product's config/zod-schema.*.js)."""
    agents, mappings = at(config, ("agents", "list")), at(config, ("hooks", "mappings"))
    settings = [at(config, ("agents", "defaults")), *(agents if isinstance(agents, list) else [])]
    paths = (("model",), ("imageModel",), ("heartbeat", "model"), ("subagents", "model"))
    choices = [at(setting, path) for setting in settings for path in paths]
    choices.append(at(config, ("hooks", "gmail", "model")))
    choices += [at(mapping, ("model",)) for mapping in (mappings if isinstance(mappings, list) else [])]
    names = [name for choice in choices for name in _names(choice)]
    return [name.strip() for name in names if isinstance(name, str) and name.strip()]


def _names(choice: Any) -> list[Any]:
    """The models in a choice of one: its text, or a primary and its fallbacks."""
    if not isinstance(choice, dict):
        return [choice]
    fallbacks = choice.get("fallbacks")
    return [choice.get("primary"), *(fallbacks if isinstance(fallbacks, list) else [])]


def _repaired(config: dict[str, Any], desired: Desired) -> Iterator[str]:
    for name, block in desired.providers.items():
        path = (*_PROVIDERS, name, "apiKey")
        current = at(config, path)
        if references(block.get("apiKey")) and isinstance(current, str) and current and not references(current):
            yield ".".join(path)
