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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._references import VARIABLE_NAME, reference, substitute
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets import fingerprint

# The product looks providers up by lower-cased names and splits a model's name at the first slash.
_PROVIDER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*\Z")
# The product takes one word behind /model.
_ALIAS = re.compile(r"[^\s/]+\Z")
_SENDABLE = re.compile(r"[!-~]+\Z")
_CATALOGUE_FIELDS = frozenset({"env_var", "block", "aliases", "key_prefix", "unlisted_models"})
_LOOPBACK_OR_WEB = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?\Z")


@dataclass(frozen=True)
class Variables:
    """The role's variables that say what a host shall have, by the names that stand in messages."""

    enabled: Sequence[str]
    catalogue: Mapping[str, Any]
    overrides: Mapping[str, Any]
    api_keys: Mapping[str, Any]
    aliases: Mapping[str, Any]
    default_model: str | None
    fallback_models: Sequence[str] | None
    product: str


def select(variables: Variables) -> dict[str, Any]:
    """The selection of a host.

    C(problems): list of texts, each naming the variable and the fix, none holding a key. The rest is empty unless it is.
    C(providers): provider id -> C(env_var), C(api_key) and C(block). C(aliases): alias -> C(provider/model).
    C(fingerprints): variable -> fingerprint of its key. C(endpoints): what verify_models takes as C(providers). C(models): all C(provider/model). C(turn_models): one of each.
    """
    merged = merge(dict(variables.catalogue), dict(variables.overrides))
    names = list(dict.fromkeys(str(name) for name in variables.enabled))
    problems = [*_unknown(names, merged), *_malformed({name: merged[name] for name in names if name in merged})]
    if problems:
        return {"problems": problems}
    entries = {name: merged[name] for name in names}
    aliases = _aliases(entries, variables.aliases, merged)
    problems = [
        *_key_problems(entries, variables.api_keys),
        *_shared_variable_problems(entries, variables.api_keys),
        *_target_problems(entries, merged, variables, aliases),
    ]
    if problems:
        return {"problems": problems}
    env = {entry["env_var"]: str(variables.api_keys[name]) for name, entry in entries.items()}
    return {
        "problems": [],
        "providers": {
            name: {
                "env_var": entry["env_var"],
                "api_key": env[entry["env_var"]],
                "block": {"baseUrl": "", "apiKey": reference(entry["env_var"]), **entry["block"]},
            }
            for name, entry in entries.items()
        },
        "fingerprints": {name: fingerprint(key) for name, key in env.items()},
        "aliases": aliases,
        "endpoints": [_endpoint(name, entry, env) for name, entry in entries.items()],
        "models": [f"{name}/{model}" for name, entry in entries.items() for model in _model_ids(entry)],
        "turn_models": [f"{name}/{_model_ids(entry)[0]}" for name, entry in entries.items()],
    }


def merge(base: Any, over: Any) -> Any:
    """C(over) merged into C(base): mappings by name, lists of models by id, anything else replaced; null removes."""
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        merged = {**base, **{name: merge(base.get(name), value) for name, value in over.items()}}
        return {name: value for name, value in merged.items() if value is not None}
    if isinstance(over, Mapping):
        return merge({}, over)
    if isinstance(base, Sequence) and _is_models(base) and _is_models(over):
        by_id = {model["id"]: model for model in base}
        for model in over:
            by_id[model["id"]] = merge(by_id.get(model["id"]), model)
        return list(by_id.values())
    return over


def _is_models(value: Any) -> bool:
    return (
        isinstance(value, Sequence)
        and bool(value)
        and all(isinstance(item, Mapping) and "id" in item for item in value)
    )


def _unknown(names: Iterable[str], merged: Mapping[str, Any]) -> Iterator[str]:
    for name in names:
        if name not in merged:
            yield (
                f"providers_enabled names {name!r}, which neither providers_catalogue nor providers_overrides has"
                f"{_did_you_mean(name, merged)}."
            )


def _malformed(entries: Mapping[str, Any]) -> Iterator[str]:
    for name, entry in entries.items():
        where = f"providers_catalogue.{name}"
        if not _PROVIDER_NAME.match(name):
            yield (
                f"The provider name {name!r} is not one that the product can take: lower-case letters, digits, '.', '_' and '-', "
                "beginning with a letter or digit."
            )
        if not isinstance(entry, Mapping):
            yield f"{where} is not a dictionary with env_var and block."
            continue
        for field in sorted(set(map(str, entry)) - _CATALOGUE_FIELDS):
            yield f"{where}.{field} is not a field of the catalogue{_did_you_mean(field, _CATALOGUE_FIELDS)}."
        if not VARIABLE_NAME.match(str(entry.get("env_var", ""))):
            yield (
                f"{where}.env_var {entry.get('env_var')!r} is not a name of a variable that the product can take: upper-case "
                "letters, digits and '_', not beginning with a digit."
            )
        yield from _malformed_block(f"{where}.block", entry.get("block"))


def _malformed_block(where: str, block: Any) -> Iterator[str]:
    if not isinstance(block, Mapping):
        yield f"{where} is not a dictionary with baseUrl, api and models."
        return
    if not _LOOPBACK_OR_WEB.match(str(block.get("baseUrl", ""))):
        yield f"{where}.baseUrl {block.get('baseUrl')!r} is not the URL of an endpoint, as https://api.moonshot.cn/v1 is."
    key = block.get("apiKey")
    if key is not None and not (isinstance(key, str) and re.fullmatch(r"\$\{[A-Z_][A-Z0-9_]*\}", key)):
        yield f"{where}.apiKey holds something else than a reference: leave it out, and put the key into providers_api_keys."
    models = block.get("models")
    if not isinstance(models, Sequence) or not _is_models(models):
        yield f"{where}.models is not a list of models, each with an id and a name."
        return
    ids = [str(model["id"]) for model in models]
    for model in models:
        if not isinstance(model["id"], str) or not model["id"].strip() or not isinstance(model.get("name"), str):
            yield f"{where}.models: the model {model['id']!r} needs an id and a name, both texts."
    for twice in sorted({model for model in ids if ids.count(model) > 1}):
        yield f"{where}.models has {twice!r} more than once."


def _key_problems(entries: Mapping[str, Any], keys: Mapping[str, Any]) -> Iterator[str]:
    for name, entry in entries.items():
        where = f"providers_api_keys.{name}"
        key = keys.get(name)
        if key is None or key == "":
            near = difflib.get_close_matches(name, [str(given) for given in keys if given not in entries], 1, 0.8)
            hint = f" It has one for {near[0]!r}: is that the one?" if near else ""
            yield f"{where} is missing, and {name} is enabled: put its key into the vault, or take it out of providers_enabled.{hint}"
            continue
        prefix = str(entry.get("key_prefix", ""))
        if not isinstance(key, str):
            yield f"{where} is not a text."
        elif not _SENDABLE.match(key):
            yield f"{where} holds white space, a line break or another character that no key has: copy it again, without what surrounds it."
        elif not key.startswith(prefix):
            yield f"{where} does not start with {prefix!r}, as the keys of {name} do: it is something else than its key."


def _shared_variable_problems(entries: Mapping[str, Any], keys: Mapping[str, Any]) -> Iterator[str]:
    owners: dict[str, str] = {}
    for name, entry in entries.items():
        first = owners.setdefault(entry["env_var"], name)
        if keys.get(first) != keys.get(name):
            yield (
                f"{first} and {name} share the variable {entry['env_var']} but have different keys in providers_api_keys: give one of "
                "them an env_var of its own in providers_overrides."
            )


def _aliases(entries: Mapping[str, Any], given: Mapping[str, Any], merged: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the catalogue and of providers_aliases, but not those of a provider that is known and not enabled."""
    aliases = {
        str(alias): f"{name}/{model}"
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
    entries: Mapping[str, Any], merged: Mapping[str, Any], variables: Variables, aliases: Mapping[str, Any]
) -> Iterator[str]:
    targets = [(f"providers_aliases.{alias}", target) for alias, target in aliases.items()]
    targets += [("providers_default_model", variables.default_model)] if variables.default_model else []
    targets += [("providers_fallback_models", target) for target in variables.fallback_models or []]
    built_in = frozenset().union(
        *(row.built_in_providers for name, row in PRODUCTS.items() if variables.product in ("auto", name))
    )
    for where, target in targets:
        problem = _target_problem(str(target), entries, merged, built_in)
        if problem:
            yield f"{where} points to {target!r}, {problem}."
    for alias in aliases:
        if not _ALIAS.match(alias):
            yield f"providers_aliases: the alias {alias!r} cannot be typed behind /model: one word without a slash."


def _target_problem(
    target: str, entries: Mapping[str, Any], merged: Mapping[str, Any], built_in: frozenset[str]
) -> str | None:
    provider, slash, model = target.partition("/")
    if not slash or not provider or not model:
        return "which is not of the form provider/model"
    if provider in entries:
        known = [*_model_ids(entries[provider]), *entries[provider].get("unlisted_models", [])]
        return None if model in known else f"a model that {provider} does not have here{_did_you_mean(model, known)}"
    if provider in merged:
        return f"but {provider} is not in providers_enabled"
    if provider in built_in:
        return None
    return (
        "a provider that neither providers_enabled has nor the product brings along"
        f"{_did_you_mean(provider, [*entries, *sorted(built_in)])}"
    )


def _endpoint(name: str, entry: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    block = entry["block"]
    endpoint = {
        "name": name,
        "base_url": block["baseUrl"],
        "api_key": env[entry["env_var"]],
        "headers": {header: substitute(str(value), dict(env)) for header, value in block.get("headers", {}).items()},
        "models": list(block["models"]),
        "unlisted_models": list(entry.get("unlisted_models", [])),
    }
    return {**endpoint, "api": block["api"]} if block.get("api") == "anthropic-messages" else endpoint


def _model_ids(entry: Mapping[str, Any]) -> list[str]:
    return [model["id"] for model in entry["block"]["models"]]


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, [str(item) for item in known], 1, 0.6)
    return f": did you mean {near[0]}?" if near else ""
