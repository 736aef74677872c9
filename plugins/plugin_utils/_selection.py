# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The selection of a host: its providers, models, aliases and endpoints, built from the role's variables."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypedDict

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import reference, substitute
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.key_files import Backend, key_reference
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import members, strings
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint, redact
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._catalogue import (
    key_variables,
    merge,
    merge_aliases,
    model_ids,
)
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._thinking import thinking_warnings
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._validation import (
    Variables,
    enabled_problems,
    entry_problems,
    reference_problems,
    removal_entry_problems,
    removal_type_problems,
    type_problems,
    unconfigured_aliases,
)

# Shorter strings are not replaced in an error: that would make it unreadable, and no key is that short.
_SHORTEST_KEY = 8


class Provider(TypedDict):
    """One provider.

    `block`: as the config contains it, with the reference to `env_var` in place of the key. A null removes a member.
    """

    env_var: str
    #: Further environment variables that hold the key.
    also_in: list[str]
    api_key: str
    block: dict[str, Any]


class _Checked(TypedDict):
    #: Everything that is wrong with the variables, without a key in it. If there is anything, this is the only field.
    problems: list[str]


class _Expected(_Checked, total=False):
    """What the gateway is asked about."""

    #: Provider id -> its environment variable.
    variables: dict[str, str]
    #: Environment variable -> fingerprint of its key, also for the further ones.
    fingerprints: dict[str, str]
    #: All models, each as `provider/model`.
    models: list[str]
    #: The first model of each provider.
    chat_models: list[str]


class Selection(_Expected, total=False):
    """What a host should have. It contains keys."""

    #: By provider id.
    providers: dict[str, Provider]
    #: Provider id -> the further environment variables that hold its key.
    also_in: dict[str, list[str]]
    #: Alias -> `provider/model`.
    aliases: dict[str, str]
    #: As the module verify_models takes them in `providers`.
    endpoints: list[dict[str, Any]]
    #: The same without any key, as the module secret_audit takes them.
    keyless_endpoints: list[dict[str, Any]]
    #: Provider id -> ids of the models that it gets only where the endpoint lists them.
    optional_models: dict[str, list[str]]
    #: Provider id -> ids of the models that need not be listed.
    unlisted_models: dict[str, list[str]]
    #: `provider/model` of each model that the host does not get.
    removed_models: list[str]
    #: What the user should know of the variables, though nothing is wrong with them.
    warnings: list[str]


class RemovedSelection(_Expected, total=False):
    """What is removed from a host. The fields that the gateway is asked about are empty."""

    #: Provider id -> an empty block, as the module provider_config takes it.
    providers: dict[str, dict[str, Any]]
    #: Environment variable -> an empty string, as the module provider_config takes it.
    env: dict[str, str]


def select(variables: Variables) -> Selection:
    """Return the selection of a host, or everything that is wrong with its variables."""
    selection = _select(variables)
    keys = [key for key in strings(variables.api_keys) if len(key) >= _SHORTEST_KEY]
    selection["problems"] = [redact(problem, keys) for problem in selection["problems"]]
    if "warnings" in selection:
        selection["warnings"] = [redact(warning, keys) for warning in selection["warnings"]]
    return selection


def select_removed(enabled: Any, catalogue: Any, overrides: Any) -> RemovedSelection:
    """Return what is removed with the enabled providers, or everything that is wrong with the variables."""
    problems = list(removal_type_problems(enabled, catalogue, overrides))
    if problems:
        return {"problems": problems}
    merged = merge(catalogue, overrides)
    problems = list(removal_entry_problems(enabled, merged, overrides))
    if problems:
        return {"problems": problems}
    return {
        "problems": [],
        "providers": {name: {} for name in enabled},
        "env": {variable: "" for name in enabled for variable in key_variables(merged[name])},
        "variables": {},
        "fingerprints": {},
        "models": [],
        "chat_models": [],
    }


def _select(variables: Variables) -> Selection:
    problems = list(type_problems(variables))
    if problems:
        return {"problems": problems}
    # Twice, as a null of the catalogue itself means the same.
    merged = merge(merge({}, variables.catalogue), variables.overrides)
    enabled = _enabled(variables, merged)
    problems = list(enabled_problems(enabled, merged) if variables.enabled is None else ())
    problems += entry_problems(enabled, merged, variables.overrides)
    if problems:
        return {"problems": problems}
    entries = {name: merged[name] for name in enabled}
    aliases = merge_aliases(entries, variables.aliases, merged)
    unconfigured = unconfigured_aliases(entries, aliases)
    aliases = {alias: target for alias, target in aliases.items() if alias not in unconfigured}
    problems = list(reference_problems(entries, merged, aliases, variables))
    if problems:
        return {"problems": problems}
    env = {variable: variables.api_keys[name] for name, entry in entries.items() for variable in key_variables(entry)}
    entries = {name: _without_models(entry, variables.left_out.get(name, ())) for name, entry in entries.items()}
    left_out = [f"{name}/{model}" for name, models in variables.left_out.items() for model in models]
    return {
        "problems": [],
        "providers": {
            name: _provider(entry, env, _removed(name, variables), variables.backend) for name, entry in entries.items()
        },
        "variables": {name: entry["env_var"] for name, entry in entries.items()},
        "fingerprints": {name: fingerprint(key) for name, key in env.items()},
        "also_in": {name: list(entry.get("also_in", [])) for name, entry in entries.items()},
        "aliases": {alias: target for alias, target in aliases.items() if target not in left_out},
        "optional_models": {name: list(entry.get("optional_models", [])) for name, entry in entries.items()},
        "unlisted_models": {name: list(entry.get("unlisted_models", [])) for name, entry in entries.items()},
        "removed_models": left_out,
        "warnings": [
            *_warnings(variables, merged, enabled),
            *unconfigured.values(),
            *thinking_warnings(entries, variables.product),
        ],
        "endpoints": [_endpoint(name, entry, env) for name, entry in entries.items()],
        "keyless_endpoints": [_keyless_endpoint(name, entry["block"], env) for name, entry in entries.items()],
        "models": [f"{name}/{model}" for name, entry in entries.items() for model in model_ids(entry)],
        "chat_models": [f"{name}/{model_ids(entry)[0]}" for name, entry in entries.items() if model_ids(entry)],
    }


def _enabled(variables: Variables, merged: Mapping[Any, Any]) -> list[Any]:
    """Return the names of the providers of the host: the given ones, or those that have a key."""
    if variables.enabled is not None:
        return list(variables.enabled)
    return [name for name in merged if variables.api_keys.get(name) not in (None, "")]


def _warnings(variables: Variables, merged: Mapping[Any, Any], enabled: Sequence[str]) -> Iterator[str]:
    if variables.enabled is None:
        missing = [str(name) for name in merged if name not in enabled]
        if missing:
            yield f"providers_api_keys has no key for {', '.join(missing)}: left out, as providers_enabled is not set."
    unknown = [str(name) for name in variables.api_keys if name not in merged]
    if unknown:
        yield f"providers_api_keys has keys for unknown providers, which are not used: {', '.join(unknown)}."


def _without_models(entry: Mapping[str, Any], left_out: Collection[str]) -> dict[str, Any]:
    block = entry["block"]
    return {
        **entry,
        "block": {**block, "models": [model for model in block["models"] if model["id"] not in left_out]},
        "optional_models": [model for model in entry.get("optional_models", []) if model not in left_out],
    }


def _removed(name: str, variables: Variables) -> dict[str, None]:
    """Return the members of a provider's block that the catalogue or its overrides set to null."""
    blocks = (members(given, (name, "block")) for given in (variables.catalogue, variables.overrides))
    return {member: None for block in blocks for member, value in block.items() if value is None}


def _provider(
    entry: Mapping[str, Any], env: Mapping[str, str], removed: Mapping[str, None], backend: Backend
) -> Provider:
    variable, block = entry["env_var"], entry["block"]
    # First what a reader of the config searches for.
    head = {"baseUrl": block["baseUrl"], "apiKey": key_reference(backend, variable)}
    return {
        "env_var": variable,
        "also_in": list(entry.get("also_in", [])),
        "api_key": env[variable],
        "block": {**head, **removed, **block, **head},
    }


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
        "optional_models": list(entry.get("optional_models", [])),
    }
    return {**endpoint, **_api(block)}


def _keyless_endpoint(name: str, block: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    headers = {header: _keyless(value, env) for header, value in block.get("headers", {}).items()}
    return {"name": name, "base_url": block["baseUrl"], "headers": headers, **_api(block)}


def _keyless(text: str, env: Mapping[str, str]) -> str:
    """Return a text with a reference in the place of each key."""
    for variable, key in env.items():
        text = text.replace(key, reference(variable))
    return text


def _api(block: Mapping[str, Any]) -> dict[str, str]:
    return {"api": block["api"]} if block.get("api") == "anthropic-messages" else {}


def _sent_headers(owner: Mapping[str, Any], env: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of a block or model as the gateway sends them."""
    return {header: substitute(value, env) for header, value in owner.get("headers", {}).items()}
