# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The models that a config names, their aliases, and the providers that they belong to.

A model is named `provider/model`, or by an alias.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from .tree import REMOVE, at, elements, members, string, walk

#: The provider blocks, by provider id.
PROVIDERS = ("models", "providers")
#: The models that may be used, with their aliases and settings.
MODELS = ("agents", "defaults", "models")
#: The default model and its fallbacks.
MODEL = ("agents", "defaults", "model")
IMAGE_MODEL = ("agents", "defaults", "imageModel")
#: OpenClaw's list of the models that people may choose. With it, or with the mark that OpenClaw sets when it has moved
#: them there, `MODELS` has only aliases and settings (its agents/agent-scope-config.ts).
POLICY = ("agents", "defaults", "modelPolicy")
ALLOWED = (*POLICY, "allow")
_MOVED = ("meta", "migrations", "modelPolicyAllowlist")
# Commands that answer in place of a provider, by its id.
_CLI_BACKENDS = ("agents", "defaults", "cliBackends")

# The form of requests in which a model's reasoning is sent again only where its entry says that it thinks.
_OPENAI_FORM = "openai-completions"

# The provider of a model that names none (the product's agents/defaults.js).
_DEFAULT_PROVIDER = "anthropic"


class ModelUse(NamedTuple):
    """A place that uses a model, and the model as `provider/model`."""

    place: str
    model: str


@dataclass(frozen=True)
class Dangling:
    """A place of the config, and the `provider/model` that it names and no provider has."""

    place: str
    model: str
    message: str

    def as_result(self) -> dict[str, str]:
        """Return the model as a module returns it."""
        return asdict(self)


def provider_id(name: str, spellings: Mapping[str, str]) -> str:
    """Return a provider's id as the product compares it: in lower case, another spelling replaced by the usual one.

    `spellings`: those of the product, `Product.provider_spellings`.
    """
    name = name.strip().lower()
    return spellings.get(name, name)


def model_ids(block: Any) -> list[str]:
    """Return the ids of the models in a provider block, as the config and `models.json` have it."""
    return [identifier for model in elements(block, ("models",)) if (identifier := string(model, ("id",)))]


def thinks(block: Any, model: Any, thinking: Collection[str]) -> bool:
    """Whether OpenClaw needs `reasoning: true` for a model of a provider block (docs/models.md, Models that think).

    `thinking`: the ids of the models that think.
    """
    form = next((one for part in (model, block) if (one := at(part, ("api",))) is not REMOVE), None)
    return string(model, ("id",)) in thinking and form == _OPENAI_FORM


def models_without_reasoning(config: Any, thinking: Collection[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield path and id of each model of a config that thinks and lacks `reasoning: true`."""
    for name, block in members(config, PROVIDERS).items():
        for index, model in enumerate(elements(block, ("models",))):
            if thinks(block, model, thinking) and at(model, ("reasoning",)) is not True:
                yield (*PROVIDERS, name, "models", str(index)), string(model, ("id",))


def agents(config: Any) -> Iterator[tuple[str, str | None, Any]]:
    """Yield each agent of a config: its place, its id, `None` for none, and its settings.

    Clawdbot has a list of agents, OpenClaw a mapping by their ids. OpenClaw reads the list of a config of Clawdbot.
    """
    for index, agent in enumerate(elements(config, ("agents", "list"))):
        name = at(agent, ("id",))
        name = name if isinstance(name, str) else None
        yield f"agents.list[{index}]" if name is None else f"agents.list[{index}] (agent {name})", name, agent
    for name, agent in members(config, ("agents", "entries")).items():
        yield f"agents.entries.{name}", name, agent


def model_choices(config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each place that chooses a model for an agent or a hook, and its value, `None` for a missing one.

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
    """Return the model that such a value names first, `None` for none, and its fallbacks."""
    if not isinstance(choice, dict):
        return string(choice) or None, []
    fallbacks = [string(name) for name in elements(choice, ("fallbacks",))]
    return string(choice, ("primary",)) or None, [name for name in fallbacks if name]


def named_models(config: dict[str, Any]) -> Iterator[str]:
    """Yield every model that the agents and hooks of a config use, fallbacks included."""
    for _place, choice in model_choices(config):
        primary, fallbacks = chosen_models(choice)
        yield from [primary, *fallbacks] if primary else fallbacks


def choices_of_unknown_providers(
    config: dict[str, Any], built_in: Collection[str], spellings: Mapping[str, str]
) -> Iterator[ModelUse]:
    """Yield each chosen model, fallbacks included, whose provider the config lacks and the product does not know.

    A command that answers in place of a provider, as `agents.defaults.cliBackends` has them, counts as one.

    The places are those of `model_choices`, as `model_uses` gives them. A name without a provider is left out.
    """
    aliases = model_aliases(config)
    own = [*members(config, PROVIDERS), *members(config, _CLI_BACKENDS)]
    known = {*built_in, *(provider_id(name, spellings) for name in own)}
    for place, choice in model_choices(config):
        primary, fallbacks = chosen_models(choice)
        for name, where in [(primary or "", place), *((name, f"{place}.fallbacks") for name in fallbacks)]:
            ref = name if "/" in name else aliases.get(name.lower(), "")
            if "/" in ref and provider_id(model_provider(ref, aliases), spellings) not in known:
                yield ModelUse(where, ref)


def model_uses(config: dict[str, Any]) -> Iterator[ModelUse]:
    """Yield each place of a config that makes something use a model, in the order of the config.

    That is each string below a member whose name contains "model": products add such members with each version. An
    alias is replaced by the model that it names. A name without a provider is left out.
    """
    aliases = model_aliases(config)
    for path, value in walk(config):
        if not isinstance(value, str) or path[:1] == PROVIDERS[:1] or path[: len(MODELS)] in (MODELS, POLICY):
            continue
        if any("model" in name.lower() for name in path):
            name = value.strip()
            ref = name if "/" in name else aliases.get(name.lower(), "").strip()
            if ref:
                yield ModelUse(_place(config, path), ref)


def _place(config: dict[str, Any], path: tuple[str, ...]) -> str:
    """Return a path as `model_choices` gives its places."""
    if path[-1] == "primary" or (len(path) > 1 and path[-2] == "fallbacks"):
        path = path[:-1]
    if path[:2] == ("agents", "list"):
        named = [place for place, _name, _agent in agents(config)]
        return ".".join((named[int(path[2])], *path[3:]))
    return re.sub(r"\.([0-9]+)(?=\.|\Z)", r"[\1]", ".".join(path))


def listed_models(config: dict[str, Any]) -> dict[str, Any]:
    """Return the entries of `MODELS`, model -> its settings. The checker rejects a value of another type."""
    return members(config, MODELS)


def has_policy(config: dict[str, Any]) -> bool:
    """Whether `POLICY` lists the models that people may choose, instead of `MODELS`."""
    return isinstance(at(config, POLICY), dict) or at(config, _MOVED) is True


def model_aliases(config: dict[str, Any]) -> dict[str, str]:
    """Return alias, in lower case -> the model that it names."""
    entries = listed_models(config).items()
    return {str(alias).strip().lower(): ref for ref, entry in entries if (alias := at(entry, ("alias",))) is not REMOVE}


def model_provider(name: str, aliases: Mapping[str, str]) -> str:
    """Return the provider of a model, as the config spells it. The model may be named by an alias."""
    if "/" not in name:
        name = aliases.get(name.strip().lower(), name)
    provider, slash, _model = name.partition("/")
    return provider if slash else _DEFAULT_PROVIDER


def alias_clashes(aliases: Mapping[str, str]) -> Iterator[str]:
    """Yield a problem for each two aliases that cannot both exist (the product's agents/model-selection.js)."""
    spellings: dict[str, str] = {}
    by_model: dict[str, str] = {}
    for alias, ref in aliases.items():
        same = spellings.setdefault(alias.lower(), alias)
        if same != alias:
            yield f"The aliases {same!r} and {alias!r} differ only in case, which is ignored: rename one of them."
        other = by_model.setdefault(ref, alias)
        if other != alias:
            yield f"The aliases {other!r} and {alias!r} both name {ref}, which can have only one: remove one of them."


def dangling_models(
    config: dict[str, Any],
    known: Mapping[str, Collection[str]],
    built_in: Collection[str],
    spellings: Mapping[str, str],
) -> Iterator[Dangling]:
    """Yield the default, fallback and other chosen models, and the aliases, whose model is in no provider block.

    `known`: what the gateway has gathered in `models.json`, provider -> ids of its models. For a provider that the
    product supports itself, this may be more than the block. A provider of `built_in` without a block is not checked.
    """
    aliases = model_aliases(config)
    blocks = _by_provider(((n, model_ids(block)) for n, block in members(config, PROVIDERS).items()), spellings)
    gathered = _by_provider(known.items(), spellings)
    commands = {provider_id(name, spellings) for name in members(config, _CLI_BACKENDS)}
    for place, name in _checked_models(config):
        ref = name if "/" in name else aliases.get(name.lower(), name)
        provider = provider_id(model_provider(name, aliases), spellings)
        model = ref.partition("/")[2] or ref
        if provider in blocks:
            if model in blocks[provider] | gathered.get(provider, set()):
                continue
            reason = f"the block of {provider} has no such model"
        elif provider in commands or provider in built_in or model in gathered.get(provider, set()):
            continue
        else:
            reason = f"there is no provider {provider}"
        meant = "" if ref == name else f", which is {ref}"
        yield Dangling(place, ref, f"{place} names {name}{meant}, and {reason}.")


def _by_provider(models: Iterable[tuple[str, Iterable[str]]], spellings: Mapping[str, str]) -> dict[str, set[str]]:
    """Return provider, in its usual spelling -> ids of its models."""
    merged: dict[str, set[str]] = {}
    for name, ids in models:
        merged.setdefault(provider_id(name, spellings), set()).update(ids)
    return merged


def _checked_models(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for place, choice in model_choices(config):
        primary, fallbacks = chosen_models(choice)
        if primary:
            yield place, primary
        yield from ((f"{place}.fallbacks", name) for name in fallbacks)
    for ref, entry in listed_models(config).items():
        if alias := string(entry, ("alias",)):
            yield f"the alias {alias} in {'.'.join(MODELS)}", ref.strip()


def _given(value: Any) -> Any:
    return None if value is REMOVE else value
