# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The module provider_config: argument spec, checks of the parameters, and `run`."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import VARIABLE_NAME, is_reference
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.key_files import file_references, key_file
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import Desired, Removal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import strings
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import apply
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import resolve_product
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import named_secrets, redact

# A model's name is split at its first slash: the id may contain more of them.
_PROVIDER = re.compile(r"[^\s/]+\Z")
_MODEL = re.compile(r"[^\s/]+/\S+\Z")


#: The desired content of the files.
FILES_ARGUMENTS: Mapping[str, Any] = {
    "providers": {"type": "dict", "default": {}},
    "env": {"type": "dict", "default": {}, "no_log": True},
    "keys": {"type": "dict", "default": {}, "no_log": True},
    "aliases": {"type": "dict", "default": {}},
    "default_model": {"type": "str"},
    "fallback_models": {"type": "list", "elements": "str"},
    "removed_models": {"type": "list", "elements": "str", "default": []},
}


ARGUMENT_SPEC: Mapping[str, Any] = {
    "config_path": {"type": "path", "required": True},
    "env_path": {"type": "path", "required": True},
    **FILES_ARGUMENTS,
    "state": {"type": "str", "choices": ["present", "absent", "rolled_back", "confirmed"], "default": "present"},
    "state_dir": {"type": "path"},
    "product": {"type": "str", "choices": ["auto", *PRODUCTS], "default": "auto"},
    "validate": {"type": "list", "elements": "str", "default": []},
}


def run(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result, with warnings. Raises `ClawdbotError`."""
    result = _change(params, check_mode)
    returned: dict[str, Any] = {
        "changed": result.config_changed or result.env_changed or result.keys_changed or bool(result.agent_files),
        "config_changed": result.config_changed,
        "env_changed": result.env_changed,
        "keys_changed": result.keys_changed,
        "unconfirmed": result.unconfirmed,
        "config_digest": result.config_digest,
    }
    if result.plan:
        if params["state"] == "absent":
            returned.update(agent_files=list(result.agent_files), kept=list(result.plan.kept))
        else:
            returned.update(repaired=list(result.plan.repaired), duplicates=list(result.plan.duplicates))
        returned.update(diff=list(result.diff), warnings=list(result.plan.warnings))
    return returned


def secrets_in(params: Mapping[str, Any]) -> set[str]:
    """Return the secrets in provider blocks, in a header or by mistake."""
    return block_secrets(params.get("providers"))


def _change(params: Mapping[str, Any], check_mode: bool) -> apply.ApplyResult:
    files = apply.Files(params["config_path"], params["env_path"])
    if params["state"] == "confirmed":
        return apply.confirm(files, check_mode=check_mode)
    if params["state"] == "rolled_back":
        return apply.roll_back(files, check_mode=check_mode)
    if params["state"] == "absent":
        state_dir = params["state_dir"] or os.path.dirname(params["config_path"])
        return apply.apply_removal(
            files,
            removal(params, resolve_product(params["product"], state_dir).provider_spellings),
            list(params["env"]),
            state_dir,
            params["validate"],
            check_mode=check_mode,
        )
    return apply.apply_providers(
        files, desired(params), params["env"], params["validate"], check_mode=check_mode, keys=params["keys"]
    )


def desired(params: Mapping[str, Any]) -> Desired:
    """Return what the config should have. Raises `ClawdbotError` with all problems of the parameters and the keys."""
    keys = params["keys"]
    problems = [
        *(problem for name, block in params["providers"].items() for problem in _provider_problems(name, block, keys)),
        *(
            problem
            for option in ("env", "keys")
            for name, value in params[option].items()
            for problem in _variable_problems(option, name, value)
        ),
        *(f"{name} is in env and in keys: it belongs in one of them." for name in params["env"] if name in keys),
        *_model_problems(params),
    ]
    if problems:
        raise ClawdbotError(" ".join(problems))
    return Desired(
        params["providers"],
        params["aliases"],
        params["default_model"],
        params["fallback_models"],
        frozenset(params["removed_models"]),
        key_file("file", params["env_path"]) if keys else None,
    )


def removal(params: Mapping[str, Any], spellings: Mapping[str, str]) -> Removal:
    """Return what the config should no longer have. Raises `ClawdbotError` as `desired` does."""
    result = Removal(list(params["providers"]), params["default_model"], spellings)
    problems = [
        *(problem for name in params["providers"] for problem in _name_problems(name)),
        *(problem for name in params["env"] for problem in _variable_name_problems("env", name)),
        *_model_problems(params),
    ]
    problems += [
        f"{name} is for state=present: what belongs to removed providers is removed with them."
        for name in ("aliases", "fallback_models", "removed_models", "keys")
        if params[name]
    ]
    if not problems and result.default_model and result.concerns(result.default_model.partition("/")[0]):
        problems.append(f"default_model is {result.default_model}, a model of a provider that is to be removed.")
    if problems:
        raise ClawdbotError(" ".join(problems))
    return result


def block_secrets(providers: Any) -> set[str]:
    """Return the strings in provider blocks, or values given in their place, that are or may contain a secret."""
    return {*named_secrets(providers), *(text for text in strings(providers) if redact(text) != text)}


def _provider_problems(name: str, block: Any, keys: Collection[str]) -> Iterator[str]:
    yield from _name_problems(name)
    where = f"providers.{name}"
    if not isinstance(block, Mapping):
        yield f"{where} must be a dictionary, as the config takes it."
        return
    missing = sorted(file_references(block) - set(keys))
    if missing:
        yield f"{where} refers to {', '.join(missing)} in the file with keys: give the key in keys."
    elif "apiKey" in block and not is_reference(block["apiKey"]) and not file_references(block["apiKey"]):
        yield f"{where}.apiKey must be a reference to an environment variable: put the key into env and ${{NAME}} here."
    models = block.get("models", [])
    if not isinstance(models, list):
        yield f"{where}.models must be a list."
        return
    for index, model in enumerate(models):
        if not isinstance(model, Mapping):
            yield f"{where}.models[{index}] must be a dictionary with an id."
        elif not isinstance(model.get("id"), str) or not model["id"].strip():
            yield f"{where}.models[{index}] has no id."


def _name_problems(name: str) -> Iterator[str]:
    if not _PROVIDER.match(name):
        yield f"providers: {name!r} cannot be the id of a provider: it is empty, or contains white space or a slash."


def _variable_name_problems(option: str, name: str) -> Iterator[str]:
    if not VARIABLE_NAME.match(name):
        yield (
            f"{option}: {name!r} cannot be the name of an environment variable that the config refers to: use capital "
            "letters, digits and _, and no digit first."
        )


def _variable_problems(option: str, name: str, value: Any) -> Iterator[str]:
    problems = list(_variable_name_problems(option, name))
    if problems:
        yield from problems
    elif not isinstance(value, str):
        yield f"{option}.{name} must be a string in quotes."
    elif not value.strip():
        yield f"{option}.{name} is empty, which the gateway treats like a missing variable."


def _model_problems(params: Mapping[str, Any]) -> Iterator[str]:
    models = [(f"aliases.{alias}", model) for alias, model in params["aliases"].items()]
    if params["default_model"] is not None:
        models.append(("default_model", params["default_model"]))
    models += [(f"fallback_models[{index}]", model) for index, model in enumerate(params["fallback_models"] or [])]
    models += [(f"removed_models[{index}]", model) for index, model in enumerate(params["removed_models"])]
    for where, model in models:
        if not isinstance(model, str) or not _MODEL.match(model):
            yield f"{where} must be of the form provider/model."
