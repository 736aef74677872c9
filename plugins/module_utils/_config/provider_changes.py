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

from .env_refs import references
from .json5_editor import Change
from .tree import REMOVE, at, elements, members, string

#: Where a config has its provider blocks, how they stand to the product's own, the models that may be used with their
#: aliases, and the one that is used.
PROVIDERS = ("models", "providers")
MODE = ("models", "mode")
MODELS = ("agents", "defaults", "models")
MODEL = ("agents", "defaults", "model")
#: Where OpenClaw has the models that people may choose. With it, or with the mark that the product sets when it has
#: moved them there, MODELS has aliases and settings alone (its agents/agent-scope-config.ts).
POLICY = ("agents", "defaults", "modelPolicy")
ALLOWED = (*POLICY, "allow")
_MOVED = ("meta", "migrations", "modelPolicyAllowlist")

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
    if desired.providers and at(config, MODE) is REMOVE:
        changes.append(Change(MODE, "merge"))
    changes += [Change((*PROVIDERS, name), block) for name, block in desired.providers.items()]
    changes += model_changes(config, desired)
    changes += _alias_changes(config, desired)
    opens_list, admitted = _admissions(config, desired)
    changes += [Change((*MODELS, ref), {}) for ref in admitted]
    changes += _policy_changes(config, desired)
    return Plan(tuple(changes), tuple(_repaired(config, desired)), (_LIST_OPENED,) if opens_list else ())


def managed_paths(desired: Desired, changes: Iterable[Change]) -> list[tuple[str, ...]]:
    """The paths whose values may be shown as the difference that a plan makes: what is desired and what it changes."""
    paths = [(*PROVIDERS, name) for name in desired.providers]
    return paths + [change.path for change in changes if change.path[:2] != PROVIDERS]


def missing_variables(providers: Mapping[str, Mapping[str, Any]], known: Iterable[str]) -> dict[str, list[str]]:
    """Provider -> the variables that its block refers to and that are not known, sorted."""
    have = set(known)
    missing = {name: sorted(references(block) - have) for name, block in providers.items()}
    return {name: variables for name, variables in missing.items() if variables}


def has_policy(config: dict[str, Any]) -> bool:
    """Whether POLICY says which models people may choose, and not MODELS."""
    return isinstance(at(config, POLICY), dict) or at(config, _MOVED) is True


def agents(config: Any) -> Iterator[tuple[str, str | None, Any]]:
    """Each agent of a config: its place, its id, None for none, and its settings.

    Clawdbot has a list of them, OpenClaw a mapping by their ids; it reads the list of a config that it has taken over.
    """
    for index, agent in enumerate(elements(config, ("agents", "list"))):
        name = at(agent, ("id",))
        name = name if isinstance(name, str) else None
        yield f"agents.list[{index}]" if name is None else f"agents.list[{index}] (agent {name})", name, agent
    for name, agent in members(config, ("agents", "entries")).items():
        yield f"agents.entries.{name}", name, agent


def model_changes(config: dict[str, Any], desired: Desired) -> Iterator[Change]:
    """The changes that give the config its default and fallback models."""
    wanted: dict[str, Any] = {}
    if desired.default_model is not None:
        wanted["primary"] = desired.default_model
    if desired.fallback_models is not None:
        wanted["fallbacks"] = list(desired.fallback_models)
    current = at(config, MODEL)
    if isinstance(current, str):
        # The short spelling, in which the whole value is the primary model.
        if wanted and wanted != {"primary": current}:
            yield Change(MODEL, {"primary": current, **wanted})
    else:
        yield from (Change((*MODEL, name), value) for name, value in wanted.items())


def model_choices(config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each place where an agent or a hook is told which model to use, and what stands there, None for nothing.

    The places are those of the product's config/zod-schema.*.js.
    """
    settings = [("agents.defaults", at(config, ("agents", "defaults")))]
    settings += [(place, agent) for place, _name, agent in agents(config)]
    paths = (("model",), ("imageModel",), ("heartbeat", "model"), ("subagents", "model"))
    for place, setting in settings:
        for path in paths:
            yield ".".join((place, *path)), _given(at(setting, path))
    yield "hooks.gmail.model", _given(at(config, ("hooks", "gmail", "model")))
    for index, mapping in enumerate(elements(config, ("hooks", "mappings"))):
        yield f"hooks.mappings[{index}].model", _given(at(mapping, ("model",)))


def chosen_models(choice: Any) -> tuple[str | None, list[str]]:
    """The model that such a place names first, None for none, and those that it falls back to."""
    if not isinstance(choice, dict):
        return string(choice) or None, []
    fallbacks = [string(name) for name in elements(choice, ("fallbacks",))]
    return string(choice, ("primary",)) or None, [name for name in fallbacks if name]


def listed_models(config: dict[str, Any]) -> dict[str, Any]:
    """The list of allowed models, model to settings. A value that is no such list is left for the checker to refuse."""
    return members(config, MODELS)


def _alias_changes(config: dict[str, Any], desired: Desired) -> Iterator[Change]:
    wanted = {alias.lower(): ref for alias, ref in desired.aliases.items()}
    # All are taken away before one is given: two models may swap theirs.
    for ref, entry in listed_models(config).items():
        alias = at(entry, ("alias",))
        if isinstance(alias, str) and wanted.get(alias.strip().lower(), ref) != ref:
            yield Change((*MODELS, ref, "alias"), REMOVE)
    for alias, ref in desired.aliases.items():
        yield Change((*MODELS, ref, "alias"), alias)


def _admissions(config: dict[str, Any], desired: Desired) -> tuple[bool, list[str]]:
    """Whether the list of allowed models begins with this plan, and what has to be entered beside those with an alias.

    As long as the list is empty the product admits every model; from its first entry on it admits no other: "model not
    allowed", and fallbacks outside it are dropped in silence. So what the config names stays allowed.
    """
    listed = listed_models(config)
    if has_policy(config) or not (listed or desired.aliases):
        return False, []
    needed = _desired_models(desired)
    if not listed:
        needed += _named_models(config)
    have = {*listed, *desired.aliases.values()}
    return not listed, [ref for ref in dict.fromkeys(needed) if ref not in have]


def _policy_changes(config: dict[str, Any], desired: Desired) -> Iterator[Change]:
    """The change that enters what is desired into a list of what people may choose. An empty one means all."""
    allowed = at(config, ALLOWED)
    if not isinstance(allowed, list) or not allowed:
        return
    exact = {ref for ref in allowed if isinstance(ref, str)}
    prefixes = tuple(ref[:-1] for ref in exact if ref.endswith("/*"))
    needed = dict.fromkeys([*_desired_models(desired), *desired.aliases.values()])
    missing = [ref for ref in needed if ref not in exact and not ref.startswith(prefixes)]
    if missing:
        yield Change(ALLOWED, [*allowed, *missing])


def _desired_models(desired: Desired) -> list[str]:
    """Every model that is asked for but by an alias."""
    needed = [f"{name}/{model['id']}" for name, block in desired.providers.items() for model in block.get("models", [])]
    needed += [desired.default_model] if desired.default_model else []
    return [*needed, *(desired.fallback_models or [])]


def _named_models(config: dict[str, Any]) -> Iterator[str]:
    """Every model that the agents and hooks of a config are told to use."""
    for _place, choice in model_choices(config):
        primary, fallbacks = chosen_models(choice)
        yield from [primary, *fallbacks] if primary else fallbacks


def _given(value: Any) -> Any:
    return None if value is REMOVE else value


def _repaired(config: dict[str, Any], desired: Desired) -> Iterator[str]:
    for name, block in desired.providers.items():
        path = (*PROVIDERS, name, "apiKey")
        current = at(config, path)
        if references(block.get("apiKey")) and isinstance(current, str) and current and not references(current):
            yield ".".join(path)
