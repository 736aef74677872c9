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


@dataclass(frozen=True)
class Desired:
    """What the config shall have. What is not named here is not the collection's."""

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
    warnings: list[str] = []
    if desired.providers and not isinstance(_at(config, _MODE), str):
        changes.append(Change(_MODE, "merge"))
    changes += [Change((*_PROVIDERS, name), block) for name, block in desired.providers.items()]
    changes += _model_changes(config, desired)
    changes += _alias_changes(config, desired, warnings)
    return Plan(tuple(changes), tuple(_repaired(config, desired)), tuple(warnings))


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
    """Provider -> the variables that its block refers to and nobody defines."""
    have = set(known)
    missing = {name: sorted(references(dict(block)) - have) for name, block in providers.items()}
    return {name: variables for name, variables in missing.items() if variables}


def _at(config: Any, path: Sequence[str]) -> Any:
    value = at(config, path)
    return None if value is REMOVE else value


def _model_changes(config: dict[str, Any], desired: Desired) -> Iterator[Change]:
    wanted: dict[str, Any] = {}
    if desired.default_model is not None:
        wanted["primary"] = desired.default_model
    if desired.fallback_models is not None:
        wanted["fallbacks"] = list(desired.fallback_models)
    current = _at(config, _MODEL)
    if isinstance(current, str) and wanted:
        # The short spelling: the whole value is the primary model.
        yield Change(_MODEL, {"primary": current, **wanted})
    else:
        yield from (Change((*_MODEL, name), value) for name, value in wanted.items())


def _alias_changes(config: dict[str, Any], desired: Desired, warnings: list[str]) -> Iterator[Change]:
    entries = _at(config, _MODELS) or {}
    if not isinstance(entries, dict) or not (entries or desired.aliases):
        # Nothing to keep and nothing to add; a map that is no map is the product's checker's to refuse.
        return
    needed = [f"{name}/{model['id']}" for name, block in desired.providers.items() for model in block.get("models", [])]
    needed += [desired.default_model] if desired.default_model else []
    needed += desired.fallback_models or []
    if not entries:
        # As long as this map is empty the product admits every model; from its first entry on it is an allow-list
        # ("model not allowed", and fallbacks outside it are dropped in silence). What the config names stays allowed.
        needed += _named_models(config)
        warnings.append(
            "agents.defaults.models was empty, which allows every model. With aliases in it, the product takes it as the "
            "list of all models that are allowed: those of the managed providers and those that the config names were "
            "added. Add others that people choose by hand."
        )
    holders = {
        str(entry["alias"]).strip().lower(): ref
        for ref, entry in entries.items()
        if isinstance(entry, dict) and isinstance(entry.get("alias"), str)
    }
    for alias, ref in desired.aliases.items():
        holder = holders.get(alias.lower(), ref)
        if holder != ref:
            yield Change((*_MODELS, holder, "alias"), REMOVE)
        yield Change((*_MODELS, ref, "alias"), alias)
    have = {*entries, *desired.aliases.values()}
    for ref in dict.fromkeys(needed):
        if ref not in have:
            yield Change((*_MODELS, ref), {})


def _named_models(config: dict[str, Any]) -> list[str]:
    """Every model that the agents of a config are told to use."""
    agents = _at(config, ("agents",))
    if not isinstance(agents, dict):
        return []
    listed = agents.get("list")
    settings = [agents.get("defaults"), *(listed if isinstance(listed, list) else [])]
    found: list[str] = []
    for setting in settings:
        if not isinstance(setting, dict):
            continue
        for choice in (setting.get("model"), setting.get("imageModel"), *_nested_models(setting)):
            found += _choices(choice)
    return found


def _nested_models(setting: dict[str, Any]) -> list[Any]:
    return [part["model"] for part in setting.values() if isinstance(part, dict) and isinstance(part.get("model"), str)]


def _choices(choice: Any) -> list[str]:
    if isinstance(choice, str):
        return [choice]
    if not isinstance(choice, dict):
        return []
    fallbacks = choice.get("fallbacks")
    return [
        name
        for name in (choice.get("primary"), *(fallbacks if isinstance(fallbacks, list) else ()))
        if isinstance(name, str)
    ]


def _repaired(config: dict[str, Any], desired: Desired) -> Iterator[str]:
    for name, block in desired.providers.items():
        wanted = block.get("apiKey")
        current = at(config, (*_PROVIDERS, name, "apiKey"))
        if isinstance(wanted, str) and references(wanted) and isinstance(current, str) and not references(current):
            yield ".".join((*_PROVIDERS, name, "apiKey"))
