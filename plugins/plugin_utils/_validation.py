# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Validation of the role's variables, on the control node, before any host is touched.

Each function yields one error for each thing that is wrong: variable, problem, value, remedy. A value that may well
contain a secret is left out; `_selection.select` redacts the keys of `providers_api_keys`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import VARIABLE_NAME, reference
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.key_files import Backend
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import alias_clashes, provider_id
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._catalogue import (
    is_model_list,
    key_variables,
    model_ids,
)

# Clawdbot and OpenClaw look providers up by lower-case names and split the name of a model at the first slash.
_PROVIDER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")
# They take one word behind /model.
_ALIAS = re.compile(r"[^\s/]+\Z")
_SENDABLE = re.compile(r"[!-~]+\Z")
_CATALOGUE_FIELDS = ("env_var", "also_in", "key_prefix", "block", "aliases", "unlisted_models", "optional_models")
_OTHER_VARIABLE = "Give {} another env_var in providers_overrides."
_BASE_URL = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?\Z")


@dataclass(frozen=True)
class Variables:
    """The role's variables that describe what a host should have, unchecked: each can be any value of YAML."""

    enabled: Any
    catalogue: Any
    overrides: Any
    api_keys: Any
    aliases: Any
    default_model: Any
    fallback_models: Any
    product: str
    #: Provider -> ids of its optional models that this host does not get, as the plan has them.
    left_out: Mapping[str, Sequence[str]] = field(default_factory=dict)
    backend: Backend = "env"


def type_problems(variables: Variables) -> Iterator[str]:
    """Yield the variables that have a wrong type, and a backend that the product does not have."""
    if variables.product in PRODUCTS and (problem := PRODUCTS[variables.product].backend_problem(variables.backend)):
        yield problem
    if variables.enabled is not None:
        yield from _list_problems(variables.enabled)
    yield from _mapping_problems({"catalogue": variables.catalogue, "overrides": variables.overrides})
    yield from _mapping_problems({"api_keys": variables.api_keys, "aliases": variables.aliases})
    if not isinstance(variables.default_model, (str, type(None))):
        yield "providers_default_model is not a string of the form provider/model."
    if not (variables.fallback_models is None or _is_strings(variables.fallback_models)):
        yield "providers_fallback_models is not a list of strings of the form provider/model."


def removal_type_problems(enabled: Any, catalogue: Any, overrides: Any) -> Iterator[str]:
    """Yield the variables of a removal that have a wrong type."""
    if enabled is None:
        yield "providers_enabled is not set. List the providers to remove."
    else:
        yield from _list_problems(enabled)
    yield from _mapping_problems({"catalogue": catalogue, "overrides": overrides})


def entry_problems(enabled: Iterable[str], merged: Mapping[Any, Any], overrides: Mapping[Any, Any]) -> Iterator[str]:
    """Yield what is wrong with the enabled providers in the merged catalogue, each by itself.

    `overrides`: `providers_overrides`. An error names the variable that defines the provider.
    """
    names = list(dict.fromkeys(enabled))
    yield from _unknown_problems(names, merged)
    for name in names:
        if name in merged:
            yield from _entry_problems(name, merged[name], overrides)


def removal_entry_problems(
    enabled: Iterable[str], merged: Mapping[Any, Any], overrides: Mapping[Any, Any]
) -> Iterator[str]:
    """Yield as `entry_problems`, for a removal: it needs nothing of a provider but its environment variables."""
    yield from _unknown_problems(enabled, merged)
    for name in enabled:
        if name in merged:
            entry = merged[name]
            yield from _variables_problems(_place(name, overrides), entry if isinstance(entry, Mapping) else {})


def reference_problems(
    entries: Mapping[str, Any], merged: Mapping[Any, Any], aliases: Mapping[str, Any], variables: Variables
) -> Iterator[str]:
    """Yield what is wrong between the variables: keys, shared environment variables, aliases, default and fallbacks.

    `entries`: provider id -> its entry in the merged catalogue, for the enabled providers. `aliases`: the merged ones.
    """
    yield from _key_problems(entries, variables.api_keys)
    yield from _shared_variable_problems(entries, variables.api_keys)
    yield from _known_variable_problems(entries, variables.api_keys, variables.product)
    yield from _target_problems(entries, merged, variables, aliases)


def enabled_problems(enabled: Iterable[str], merged: Mapping[Any, Any]) -> Iterator[str]:
    """Yield the problem that no provider is enabled, as none has a key."""
    if not list(enabled):
        names = ", ".join(f"providers_api_keys.{name}" for name in merged)
        yield f"No provider has a key. Put one into the vault: {names}."


def _list_problems(enabled: Any) -> Iterator[str]:
    if not _is_strings(enabled):
        yield "providers_enabled is not a list of strings. List the names of providers."


def unconfigured_aliases(entries: Mapping[str, Any], aliases: Mapping[str, Any]) -> dict[str, str]:
    """Return alias -> why it is left out, for those whose model the block of their provider does not have.

    That is no error: the role has aliases of its own, and the block may be the user's.
    """
    left_out = {}
    for alias, target in aliases.items():
        provider, _slash, model = str(target).partition("/")
        if isinstance(target, str) and model and provider in entries:
            known = _known_models(entries[provider])
            if model not in known:
                said = f"providers_aliases.{alias}: left out, as {provider} has no model {_quoted(model)}."
                left_out[alias] = f"{said} {_suggestion(model, known)}".rstrip()
    return left_out


def _known_models(entry: Mapping[str, Any]) -> list[str]:
    return [*model_ids(entry), *entry.get("unlisted_models", [])]


def _mapping_problems(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if not isinstance(value, Mapping):
            yield f"providers_{name} is not a dictionary."


def _unknown_problems(names: Iterable[str], merged: Mapping[Any, Any]) -> Iterator[str]:
    for name in names:
        if name not in merged:
            remedy = "Define it in providers_overrides, or remove it from providers_enabled."
            yield f"providers_enabled: unknown provider {_quoted(name)}. {_suggestion(name, merged) or remedy}"


def _place(name: str, overrides: Mapping[Any, Any]) -> str:
    """Return where a provider is defined, as a variable that can be edited."""
    return f"providers_{'overrides' if name in overrides else 'catalogue'}.{name}"


def _entry_problems(name: str, entry: Any, overrides: Mapping[Any, Any]) -> Iterator[str]:
    where = _place(name, overrides)
    if not _PROVIDER_NAME.match(name):
        yield (
            f"providers_enabled: invalid provider name {_quoted(name)}. Use lower-case letters, digits, '.', '_' and "
            "'-', and begin with a letter or digit."
        )
    if not isinstance(entry, Mapping):
        yield f"{where} is not a dictionary. Give it env_var and block."
        return
    for name in sorted(set(map(str, entry)) - set(_CATALOGUE_FIELDS)):
        remedy = f"Use {', '.join(_CATALOGUE_FIELDS)}."
        yield f"{where}: unknown field {_quoted(name)}. {_suggestion(name, _CATALOGUE_FIELDS) or remedy}"
    yield from _variables_problems(where, entry)
    if not isinstance(entry.get("key_prefix", ""), str):
        yield f"{where}.key_prefix is not a string."
    if not _is_string_mapping(entry.get("aliases", {}), optional=True):
        yield f"{where}.aliases is not a dictionary of alias to model id."
    if not _is_strings(entry.get("unlisted_models", [])):
        yield f"{where}.unlisted_models is not a list of model ids."
    yield from _block_problems(f"{where}.block", entry.get("block"), entry.get("env_var"))
    yield from _optional_problems(where, entry)


def _optional_problems(where: str, entry: Mapping[str, Any]) -> Iterator[str]:
    optional = entry.get("optional_models", [])
    if not _is_strings(optional):
        yield f"{where}.optional_models is not a list of model ids."
        return
    block = entry.get("block")
    if not isinstance(block, Mapping) or not is_model_list(block.get("models")):
        return
    known = model_ids(entry)
    for model in (model for model in optional if model not in known):
        remedy = f"Add it to {where}.block.models, or remove it here."
        yield f"{where}.optional_models: unknown model {_quoted(model)}. {_suggestion(model, known) or remedy}"


def _variables_problems(where: str, entry: Mapping[str, Any]) -> Iterator[str]:
    is_no_name = "is not the name of an environment variable. Use upper-case letters, digits and '_', and do not begin "
    is_no_name += "with a digit."
    env_var, also_in = entry.get("env_var"), entry.get("also_in", [])
    if not _is_variable_name(env_var):
        yield f"{where}.env_var {is_no_name}"
    if not _is_strings(also_in):
        yield f"{where}.also_in is not a list of names of environment variables."
        return
    for name in also_in:
        if not _is_variable_name(name):
            yield f"{where}.also_in: {_quoted(name)} {is_no_name}"
    for name in (name for name in dict.fromkeys(also_in) if [env_var, *also_in].count(name) > 1):
        yield f"{where}.also_in: {_quoted(name)} is there twice, or is env_var. Remove it here."


def _is_variable_name(name: Any) -> bool:
    return isinstance(name, str) and bool(VARIABLE_NAME.match(name))


def _block_problems(where: str, block: Any, env_var: Any) -> Iterator[str]:
    """Yield what the role itself cannot use of a block; Clawdbot and OpenClaw check the rest."""
    if not isinstance(block, Mapping):
        yield f"{where} is not a dictionary. Give it baseUrl, api and models."
        return
    base_url = block.get("baseUrl")
    if not isinstance(base_url, str) or not _BASE_URL.match(base_url):
        # The value is not shown: it may contain a password.
        yield (
            f"{where}.baseUrl is not the URL of an endpoint. Use one like https://api.moonshot.cn/v1, without user "
            "name, white space, '?' or '#'."
        )
    if block.get("apiKey") not in (None, reference(str(env_var))):
        yield f"{where}.apiKey is not the reference to env_var. Remove it, and put the key into providers_api_keys."
    if not _is_string_mapping(block.get("headers", {})):
        yield f"{where}.headers is not a dictionary of strings."
    yield from _model_problems(f"{where}.models", block.get("models"))


def _model_problems(where: str, models: Any) -> Iterator[str]:
    if not is_model_list(models):
        yield f"{where} is not a list of models. Give each an id and a name."
        return
    for model in models:
        if model["id"] != model["id"].strip() or not model["id"]:
            yield f"{where}: invalid id {_quoted(model['id'])}. Give one without white space around it."
        if not isinstance(model.get("name"), str) or not model["name"]:
            yield f"{where}: model {_quoted(model['id'])} has no name. Add one."
        if not _is_string_mapping(model.get("headers", {})):
            yield f"{where}: headers of model {_quoted(model['id'])} are not a dictionary of strings."
    ids = [model["id"] for model in models]
    for twice in sorted({model for model in ids if ids.count(model) > 1}):
        yield f"{where}: duplicate model {_quoted(twice)}. Remove one of them."


def _key_problems(entries: Mapping[str, Any], keys: Mapping[Any, Any]) -> Iterator[str]:
    for name, entry in entries.items():
        where = f"providers_api_keys.{name}"
        key = keys.get(name)
        prefix = entry.get("key_prefix", "")
        if key is None or key == "":
            near = difflib.get_close_matches(name, [str(given) for given in keys if given not in entries], 1, 0.8)
            hint = f" If {_quoted(near[0])} is meant, rename it." if near else ""
            yield f"{where} is missing. Put the key into the vault, or remove {name} from providers_enabled.{hint}"
        elif not isinstance(key, str):
            yield f"{where} is not a string."
        elif not _SENDABLE.match(key):
            yield (
                f"{where} contains white space, a line break or another character that no key has. Copy the key again, "
                "without what surrounds it."
            )
        elif not key.startswith(prefix):
            yield f"{where} does not start with {_quoted(prefix)}. Use a key of {name}, or change its key_prefix."


def _shared_variable_problems(entries: Mapping[str, Any], keys: Mapping[Any, Any]) -> Iterator[str]:
    owners: dict[str, str] = {}
    for name in (name for name in entries if keys.get(name)):
        for variable in key_variables(entries[name]):
            first = owners.setdefault(variable, name)
            if keys[first] != keys[name]:
                further = [one for one in (first, name) if entries[one]["env_var"] != variable]
                remedy = (
                    f"Remove it from also_in of {further[0]}." if further else _OTHER_VARIABLE.format("one of them")
                )
                yield (
                    f"providers_api_keys: {first} and {name} share the environment variable {variable}, but have "
                    f"different keys. {remedy}"
                )


def _known_variable_problems(entries: Mapping[str, Any], keys: Mapping[Any, Any], product: str) -> Iterator[str]:
    """Yield keys that a product would use for another provider too, whatever the block of that provider refers to."""
    owners = {variable: name for name, entry in entries.items() for variable in entry.get("also_in", [])}
    owners.update({entry["env_var"]: name for name, entry in entries.items()})
    for name, entry in entries.items():
        for row in (row for row in PRODUCTS.values() if product in ("auto", row.name)):
            for known in row.key_variables.get(provider_id(name, row.provider_spellings), ()):
                if known == entry["env_var"]:
                    break
                owner = owners.get(known)
                if owner and keys.get(name) and keys.get(owner) and keys[owner] != keys[name]:
                    is_further = entries[owner]["env_var"] != known
                    remedy = f"Remove it from also_in of {owner}." if is_further else _OTHER_VARIABLE.format(owner)
                    yield (
                        f"providers_api_keys: {row.name} reads the key of {name} from {known} before "
                        f"{entry['env_var']}, but {known} contains the key of {owner}. {remedy}"
                    )


def _target_problems(
    entries: Mapping[str, Any], merged: Mapping[Any, Any], variables: Variables, aliases: Mapping[str, Any]
) -> Iterator[str]:
    targets = [(f"providers_aliases.{alias}", target) for alias, target in aliases.items()]
    targets += [("providers_default_model", variables.default_model)] if variables.default_model else []
    targets += [("providers_fallback_models", target) for target in variables.fallback_models or []]
    built_in = frozenset[str]().union(
        *(row.built_in_providers for name, row in PRODUCTS.items() if variables.product in ("auto", name))
    )
    for where, target in targets:
        problem = _target_problem(target, entries, merged, built_in)
        if problem:
            yield f"{where}{problem}"
    for alias in aliases:
        if not _ALIAS.match(alias):
            yield f"providers_aliases: invalid alias {_quoted(alias)}. Use one word without a slash."
    yield from alias_clashes({alias: target for alias, target in aliases.items() if isinstance(target, str)})


def _target_problem(
    target: Any, entries: Mapping[str, Any], merged: Mapping[Any, Any], built_in: frozenset[str]
) -> str | None:
    """Return what is wrong with a model that a variable names: an error without the variable at its beginning."""
    if not isinstance(target, str):
        return " is not a string of the form provider/model."
    provider, _slash, model = target.partition("/")
    if not provider or not model:
        return f": {_quoted(target)} is not of the form provider/model."
    if provider in entries:
        known = _known_models(entries[provider])
        if model in known:
            return None
        remedy = f"Add it to providers_overrides.{provider}.block.models."
        return f": unknown model {_quoted(target)}. {_suggestion(model, known) or remedy}"
    if provider in merged:
        return f": the provider of {_quoted(target)} is not enabled. Add {provider} to providers_enabled."
    if provider in built_in:
        return None
    remedy = "Define it in providers_overrides, and add it to providers_enabled."
    return f": unknown provider {_quoted(provider)}. {_suggestion(provider, [*entries, *sorted(built_in)]) or remedy}"


def _is_strings(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


def _is_string_mapping(value: Any, *, optional: bool = False) -> bool:
    """Whether a value is a dictionary of strings; `optional` also admits None in place of a string."""
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and (isinstance(item, str) or (optional and item is None)) for name, item in value.items()
    )


def _suggestion(name: str, known: Iterable[Any]) -> str:
    near = difflib.get_close_matches(name, [str(item) for item in known], 1, 0.6)
    return f"Did you mean {_quoted(near[0])}?" if near else ""


def _quoted(value: str) -> str:
    """Return a string in double quotes, with line breaks and other characters that cannot be printed escaped."""
    return f'"{repr(value)[1:-1]}"'
