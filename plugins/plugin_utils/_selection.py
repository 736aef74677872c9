# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What one host shall have, from the role's variables; or everything that is wrong with them.

Runs on the control node, before any host is touched.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.aliases import alias_clashes
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import (
    VARIABLE_NAME,
    reference,
    substitute,
    texts,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint, redact

# The product looks providers up by lower-cased names and splits a model's name at the first slash.
_PROVIDER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")
# The product takes one word behind /model.
_ALIAS = re.compile(r"[^\s/]+\Z")
_SENDABLE = re.compile(r"[!-~]+\Z")
_CATALOGUE_FIELDS = frozenset({"env_var", "block", "aliases", "key_prefix", "unlisted_models"})
_BASE_URL = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?\Z")
# To hide in a problem what is shorter would make it unreadable, and no key is that short.
_SHORTEST_KEY = 8


@dataclass(frozen=True)
class Variables:
    """The role's variables that say what a host shall have, as they were given: anything that YAML can say."""

    enabled: Any
    catalogue: Any
    overrides: Any
    api_keys: Any
    aliases: Any
    default_model: Any
    fallback_models: Any
    product: str


def select(variables: Variables) -> dict[str, Any]:
    """The selection of a host.

    C(problems): list of texts, each naming the variable and the fix, none holding a key. If there is one, it is all.
    C(providers): provider id -> C(env_var), C(api_key) and C(block).
    C(variables): provider id -> its variable. C(fingerprints): variable -> fingerprint of its key.
    C(aliases): alias -> C(provider/model).
    C(endpoints): what verify_models takes as C(providers).
    C(models): all C(provider/model). C(chat_models): the first one of each provider.
    """
    selection = _select(variables)
    keys = [key for key in texts(variables.api_keys) if len(key) >= _SHORTEST_KEY]
    return {**selection, "problems": [redact(problem, keys) for problem in selection["problems"]]}


def select_removed(enabled: Any, catalogue: Any, overrides: Any) -> dict[str, Any]:
    """What a host shall no longer have; no key is needed for that.

    C(problems): as select has it. If there is one, it is all.
    C(providers): provider id -> an empty block. C(env): variable -> an empty text. As provider_config takes them.
    C(variables), C(fingerprints), C(models), C(chat_models): empty, as the gateway is asked for nothing of these
    providers.
    """
    problems = [*_enabled_problems(enabled), *_mapping_problems({"catalogue": catalogue, "overrides": overrides})]
    if problems:
        return {"problems": problems}
    merged = merge(catalogue, overrides)
    problems = [*_unknown(enabled, merged)]
    for name in enabled:
        entry = merged.get(name, {})
        if name in merged:
            where = f"providers_{'overrides' if name in overrides else 'catalogue'}.{name}"
            problems += _variable_problems(where, entry.get("env_var") if isinstance(entry, Mapping) else None)
    if problems:
        return {"problems": problems}
    return {
        "problems": [],
        "providers": {name: {} for name in enabled},
        "env": {merged[name]["env_var"]: "" for name in enabled},
        "variables": {},
        "fingerprints": {},
        "models": [],
        "chat_models": [],
    }


def merge(base: Any, over: Any) -> Any:
    """C(over) merged into C(base): mappings by name, lists of models by id, anything else replaced; null removes."""
    if isinstance(over, Mapping):
        merged = dict(base) if isinstance(base, Mapping) else {}
        for name, value in over.items():
            merged[name] = merge(merged.get(name), value)
        return {name: value for name, value in merged.items() if value is not None}
    if _is_models(base) and _is_models(over):
        by_id = {model["id"]: model for model in base}
        for model in over:
            by_id[model["id"]] = merge(by_id.get(model["id"]), model)
        return list(by_id.values())
    return over


def _select(variables: Variables) -> dict[str, Any]:
    problems = list(_type_problems(variables))
    if problems:
        return {"problems": problems}
    merged = merge(variables.catalogue, variables.overrides)
    names = list(dict.fromkeys(variables.enabled))
    entries = {name: merged[name] for name in names if name in merged}
    problems = [*_unknown(names, merged), *_entry_problems(entries, variables.overrides)]
    if problems:
        return {"problems": problems}
    aliases = _aliases(entries, variables.aliases, merged)
    problems = [
        *_key_problems(entries, variables.api_keys),
        *_shared_variable_problems(entries, variables.api_keys),
        *_known_variable_problems(entries, variables.api_keys, variables.product),
        *_target_problems(entries, merged, variables, aliases),
    ]
    if problems:
        return {"problems": problems}
    env = {entry["env_var"]: variables.api_keys[name] for name, entry in entries.items()}
    return {
        "problems": [],
        "providers": {name: _provider(entry, env) for name, entry in entries.items()},
        "variables": {name: entry["env_var"] for name, entry in entries.items()},
        "fingerprints": {name: fingerprint(key) for name, key in env.items()},
        "aliases": aliases,
        "endpoints": [_endpoint(name, entry, env) for name, entry in entries.items()],
        "models": [f"{name}/{model}" for name, entry in entries.items() for model in _model_ids(entry)],
        "chat_models": [f"{name}/{_model_ids(entry)[0]}" for name, entry in entries.items()],
    }


def _type_problems(variables: Variables) -> Iterator[str]:
    yield from _enabled_problems(variables.enabled)
    names = ("catalogue", "overrides", "api_keys", "aliases")
    yield from _mapping_problems({name: getattr(variables, name) for name in names})
    if not isinstance(variables.default_model, (str, type(None))):
        yield "providers_default_model is not a text of the form provider/model."
    if not (variables.fallback_models is None or _is_texts(variables.fallback_models)):
        yield "providers_fallback_models is not a list of texts of the form provider/model."


def _enabled_problems(enabled: Any) -> Iterator[str]:
    if not _is_texts(enabled):
        yield "providers_enabled is not a list of names."


def _mapping_problems(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if not isinstance(value, Mapping):
            yield f"providers_{name} is not a dictionary."


def _variable_problems(where: str, variable: Any) -> Iterator[str]:
    if not isinstance(variable, str) or not VARIABLE_NAME.match(variable):
        yield (
            f"{where}.env_var is not a name of a variable that the product can take: upper-case letters, digits "
            "and '_', not beginning with a digit."
        )


def _unknown(names: Iterable[str], merged: Mapping[Any, Any]) -> Iterator[str]:
    for name in names:
        if name not in merged:
            yield (
                f"providers_enabled names {name!r}, which neither providers_catalogue nor providers_overrides has."
                f"{_did_you_mean(name, merged)}"
            )


def _entry_problems(entries: Mapping[str, Any], overrides: Mapping[Any, Any]) -> Iterator[str]:
    for name, entry in entries.items():
        where = f"providers_{'overrides' if name in overrides else 'catalogue'}.{name}"
        if not _PROVIDER_NAME.match(name):
            yield (
                f"The provider name {name!r} is not one that the product can take: lower-case letters, digits, '.', "
                "'_' and '-', beginning with a letter or digit."
            )
        if not isinstance(entry, Mapping):
            yield f"{where} is not a dictionary with env_var and block."
            continue
        for field in sorted(set(map(str, entry)) - _CATALOGUE_FIELDS):
            yield f"{where}.{field} is not a field of the catalogue.{_did_you_mean(field, sorted(_CATALOGUE_FIELDS))}"
        env_var = entry.get("env_var")
        yield from _variable_problems(where, env_var)
        if not isinstance(entry.get("key_prefix", ""), str):
            yield f"{where}.key_prefix is not a text."
        if not _is_text_mapping(entry.get("aliases", {}), optional=True):
            yield f"{where}.aliases is not a dictionary of alias and model."
        if not _is_texts(entry.get("unlisted_models", [])):
            yield f"{where}.unlisted_models is not a list of models."
        yield from _block_problems(f"{where}.block", entry.get("block"), env_var)


def _block_problems(where: str, block: Any, env_var: Any) -> Iterator[str]:
    """What the role itself needs of a block; the rest is the product's checker's to judge."""
    if not isinstance(block, Mapping):
        yield f"{where} is not a dictionary with baseUrl, api and models."
        return
    base_url = block.get("baseUrl")
    if not isinstance(base_url, str) or not _BASE_URL.match(base_url):
        # What stands there is not shown: it may hold a password.
        yield (
            f"{where}.baseUrl is not the URL of an endpoint, as https://api.moonshot.cn/v1 is: no user name, no white "
            "space, nothing behind a '?' or '#'."
        )
    if block.get("apiKey") not in (None, reference(str(env_var))):
        yield (
            f"{where}.apiKey is something else than the reference to env_var: leave it out, and put the key into "
            "providers_api_keys."
        )
    if not _is_text_mapping(block.get("headers", {})):
        yield f"{where}.headers is not a dictionary of texts."
    yield from _model_problems(f"{where}.models", block.get("models"))


def _model_problems(where: str, models: Any) -> Iterator[str]:
    if not _is_models(models):
        yield f"{where} is not a list of models, each with an id and a name."
        return
    for model in models:
        if model["id"] != model["id"].strip() or not model["id"]:
            yield f"{where}: the id {model['id']!r} is empty or has white space around it."
        if not isinstance(model.get("name"), str) or not model["name"]:
            yield f"{where}: the model {model['id']!r} has no name."
        if not _is_text_mapping(model.get("headers", {})):
            yield f"{where}: the headers of {model['id']!r} are not a dictionary of texts."
    ids = [model["id"] for model in models]
    for twice in sorted({model for model in ids if ids.count(model) > 1}):
        yield f"{where} has {twice!r} more than once."


def _key_problems(entries: Mapping[str, Any], keys: Mapping[Any, Any]) -> Iterator[str]:
    for name, entry in entries.items():
        where = f"providers_api_keys.{name}"
        key = keys.get(name)
        prefix = entry.get("key_prefix", "")
        if key is None or key == "":
            near = difflib.get_close_matches(name, [str(given) for given in keys if given not in entries], 1, 0.8)
            hint = f" It has one for {near[0]!r}: is that the one?" if near else ""
            yield (
                f"{where} is missing, and {name} is enabled: put its key into the vault, or take it out of "
                f"providers_enabled.{hint}"
            )
        elif not isinstance(key, str):
            yield f"{where} is not a text."
        elif not _SENDABLE.match(key):
            yield (
                f"{where} holds white space, a line break or another character that no key has: copy it again, without "
                "what surrounds it."
            )
        elif not key.startswith(prefix):
            yield f"{where} does not start with {prefix!r}, as the keys of {name} do: it is something else than a key."


def _shared_variable_problems(entries: Mapping[str, Any], keys: Mapping[Any, Any]) -> Iterator[str]:
    owners: dict[str, str] = {}
    for name in (name for name in entries if keys.get(name)):
        variable = entries[name]["env_var"]
        first = owners.setdefault(variable, name)
        if keys[first] != keys[name]:
            yield (
                f"{first} and {name} share the variable {variable}, but have different keys in providers_api_keys: "
                "give one of them an env_var of its own in providers_overrides."
            )


def _known_variable_problems(entries: Mapping[str, Any], keys: Mapping[Any, Any], product: str) -> Iterator[str]:
    """On keys that the product would take for those of another provider, whatever that one's block refers to."""
    owners = {entry["env_var"]: name for name, entry in entries.items()}
    for name, entry in entries.items():
        for row in (row for row in PRODUCTS.values() if product in ("auto", row.name)):
            for known in row.known_variables.get(row.provider(name), ()):
                if known == entry["env_var"]:
                    break
                owner = owners.get(known)
                if owner and keys.get(name) and keys.get(owner) and keys[owner] != keys[name]:
                    yield (
                        f"{row.name} takes the key of {name} from {known}, if that is set, before {entry['env_var']}, "
                        f"and {known} has the key of {owner}: give {owner} an env_var of its own in "
                        "providers_overrides."
                    )


def _aliases(entries: Mapping[str, Any], given: Mapping[Any, Any], merged: Mapping[Any, Any]) -> dict[str, Any]:
    """Those of the catalogue and of providers_aliases, but not those of a provider that is known and not enabled."""
    aliases = {
        str(alias): None if model is None else f"{name}/{model}"
        for name, entry in entries.items()
        for alias, model in entry.get("aliases", {}).items()
    }
    aliases.update({str(alias): target for alias, target in given.items()})
    idle = set(merged) - set(entries)
    return {
        alias: target
        for alias, target in aliases.items()
        if target is not None and str(target).partition("/")[0] not in idle
    }


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
            yield f"{where} {problem}"
    for alias in aliases:
        if not _ALIAS.match(alias):
            yield f"providers_aliases: the alias {alias!r} cannot be typed behind /model: one word without a slash."
    yield from alias_clashes({alias: target for alias, target in aliases.items() if isinstance(target, str)})


def _target_problem(
    target: Any, entries: Mapping[str, Any], merged: Mapping[Any, Any], built_in: frozenset[str]
) -> str | None:
    if not isinstance(target, str):
        return "is not a text of the form provider/model."
    provider, _slash, model = target.partition("/")
    if not provider or not model:
        return f"points to {target!r}, which is not of the form provider/model."
    if provider in entries:
        known = [*_model_ids(entries[provider]), *entries[provider].get("unlisted_models", [])]
        if model in known:
            return None
        return f"points to {target!r}, a model that {provider} does not have here.{_did_you_mean(model, known)}"
    if provider in merged:
        return f"points to {target!r}, but {provider} is not in providers_enabled."
    if provider in built_in:
        return None
    return (
        f"points to {target!r}, but {provider} is neither in providers_enabled nor does the product bring it along."
        f"{_did_you_mean(provider, [*entries, *sorted(built_in)])}"
    )


def _provider(entry: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    variable, block = entry["env_var"], entry["block"]
    # First what a reader of the config looks for.
    head = {"baseUrl": block["baseUrl"], "apiKey": reference(variable)}
    return {"env_var": variable, "api_key": env[variable], "block": {**head, **block, **head}}


def _endpoint(name: str, entry: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    block = entry["block"]
    endpoint = {
        "name": name,
        "base_url": block["baseUrl"],
        "api_key": env[entry["env_var"]],
        "headers": _sent_headers(block, env),
        "models": [
            {**model, "headers": _sent_headers(model, env)} if "headers" in model else model
            for model in block["models"]
        ],
        "unlisted_models": list(entry.get("unlisted_models", [])),
    }
    return {**endpoint, "api": block["api"]} if block.get("api") == "anthropic-messages" else endpoint


def _sent_headers(owner: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, str]:
    """The headers of a block or model as the product sends them."""
    return {header: substitute(value, env) for header, value in owner.get("headers", {}).items()}


def _model_ids(entry: Mapping[str, Any]) -> list[str]:
    return [model["id"] for model in entry["block"]["models"]]


def _is_models(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(item, Mapping) and isinstance(item.get("id"), str) for item in value)
    )


def _is_texts(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


def _is_text_mapping(value: Any, *, optional: bool = False) -> bool:
    """Whether texts stand under names; C(optional) admits null in place of a text."""
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and (isinstance(item, str) or (optional and item is None)) for name, item in value.items()
    )


def _did_you_mean(name: str, known: Iterable[Any]) -> str:
    near = difflib.get_close_matches(name, [str(item) for item in known], 1, 0.6)
    return f" Did you mean {near[0]}?" if near else ""
