# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The module gateway_info."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import references
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.key_files import Backend
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import (
    PROVIDERS,
    listed_models,
    model_ids,
    model_uses,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import (
    Desired,
    blocked_uses,
    kept_members,
    removed_models,
    replaced_places,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import members, strings
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import EndpointInfo
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import apply, atomic
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.file_plan import ModelsInUseError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import health, optional_models
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.diagnosis import find_blockers
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.info import FilesInfo, GatewayInfo, ModelsInfo
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.model_uses import stored_uses
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.plan import Plan, is_converged, plan
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.proxies import use_proxies
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

from . import provider_config
from .gateway_state import STATE_ARGUMENTS, gather

ARGUMENT_SPEC: Mapping[str, Any] = {
    **STATE_ARGUMENTS,
    "fingerprints": {"type": "dict", "default": {}},
    # They contain keys. With no_log, the names of models and all other strings in them would be hidden too.
    "endpoints": {"type": "dict"},
    "endpoint_results": {"type": "list", "elements": "dict", "default": []},
    "files": {"type": "dict"},
    "check_call": {"type": "bool", "default": False},
}

#: What the option `files` has besides the options of provider_config.
_MODEL_ARGUMENTS: Mapping[str, Any] = {
    "optional_models": {"type": "dict", "default": {}},
    "unlisted_models": {"type": "dict", "default": {}},
}


class Result(GatewayInfo):
    """The result of the module. `warnings`: of the endpoints."""

    plan: Plan
    warnings: list[str]


def run(params: dict[str, Any], _check_mode: bool) -> Result:
    """Return the state of a gateway, its files and endpoints, and the plan for it. Raises `ClawdbotError`."""
    info, config, gateway, proxies = gather(params)
    referenced: set[str] = set()
    warnings: list[str] = []
    answers: list[EndpointInfo] = [*params["endpoint_results"]]
    if params["endpoints"] is not None:
        # It imports http.client, ssl and much of this collection, which a host that asks nothing does not need.
        from . import verify_models

        if proxies is not None:
            use_proxies(os.environ, proxies)
        options = _validate("endpoints", verify_models.ARGUMENT_SPEC, params["endpoints"])
        info["endpoints"], warnings = verify_models.ask(options, secrets_in(params))
        answers += info["endpoints"]["providers"]
    if params["files"] is not None:
        given = _validate("files", {**provider_config.FILES_ARGUMENTS, **_MODEL_ARGUMENTS}, params["files"])
        _look_at_files(info, config, given, answers)
        referenced = references(given["providers"])
    # Each call takes a second of CPU, which a host with nothing to do, or that is rejected anyway, does not need.
    if (
        params["check_call"]
        and info["answers"]
        and not (is_converged(info) or find_blockers(info, params["fingerprints"]))
    ):
        with gateway:
            info["call_error"] = health.call_error(gateway)
    backend: Backend = params["secret_backend"]
    stored = set(params["providers"].values()) if backend == "file" else set()
    return {**info, "plan": plan(info, params["fingerprints"], referenced, stored), "warnings": warnings}


def secrets_in(params: Mapping[str, Any]) -> set[str]:
    """Return everything in the parameters that is or may be secret. Their shape is not validated yet."""
    files, endpoints = params.get("files") or {}, params.get("endpoints") or {}
    secrets: set[str] = set()
    if isinstance(files, Mapping):
        for given in (files.get("env"), files.get("keys")):
            secrets.update(map(str, given.values()) if isinstance(given, Mapping) else strings(given))
        secrets |= provider_config.block_secrets(files.get("providers"))
    if isinstance(endpoints, Mapping) and endpoints:
        from . import verify_models

        secrets |= verify_models.secrets_in(endpoints)
    # A value that is not a mapping may be anything.
    return {*secrets, *strings([given for given in (files, endpoints) if not isinstance(given, Mapping)])}


def _validate(name: str, spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options below the one of that name, with their defaults. Raises `ClawdbotError`."""
    validation = ArgumentSpecValidator(dict(spec)).validate(given)
    if validation.error_messages:
        raise ClawdbotError(f"{name}: {'; '.join(validation.error_messages)}")
    params: dict[str, Any] = validation.validated_parameters
    return params


def _look_at_files(info: GatewayInfo, config: Any, given: Mapping[str, Any], answers: list[EndpointInfo]) -> None:
    """Add to the state of a gateway how its files and models compare with the desired ones."""
    files = apply.Files(info["config_path"], info["env_path"])
    try:
        desired = provider_config.desired({**given, "env_path": info["env_path"]})
        problem = PRODUCTS[info["product"]].backend_problem("file" if given["keys"] else "env")
        if problem:
            raise ClawdbotError(problem)
    except ClawdbotError as exc:
        info["files"] = _failed(exc)
        return
    left_out = optional_models.left_out(given["optional_models"], answers, config)
    configured = optional_models.without(desired, left_out)
    # Those that the run itself replaces, or serves.
    replaced, names = replaced_places(configured), configured.providers
    info["unserved_choices"] = [
        use
        for use in info["unserved_choices"]
        if use["place"] not in replaced and use["model"].partition("/")[0] not in names
    ]
    info["models"] = _models(info["state_dir"], config, desired, configured, left_out, given, answers)
    info["files"] = _compare(files, configured, given["env"], given["keys"])
    if "models_missing" in info:
        expected = optional_models.refs(left_out)
        info["models_missing"] = [model for model in info["models_missing"] if model not in expected]


def _models(
    state_dir: str,
    config: Any,
    desired: Desired,
    configured: Desired,
    left_out: dict[str, list[str]],
    given: Mapping[str, Any],
    answers: list[EndpointInfo],
) -> ModelsInfo:
    stored = stored_uses(state_dir)
    uses = [*model_uses(config), *stored.uses]
    gone = removed_models(config, configured)
    blocked = [*blocked_uses(config, configured), *(use for use in stored.uses if use.model in gone)]
    others = [use for use in uses if use not in blocked]
    blocks = members(config, PROVIDERS)
    present = {*listed_models(config), *(f"{name}/{model}" for name in blocks for model in model_ids(blocks[name]))}
    removed = [ref for ref in optional_models.refs(left_out) if ref in present]
    return {
        "left_out": left_out,
        "removed": removed,
        "blocked": optional_models.describe_blocked(blocked, configured),
        "unserved": optional_models.describe_unserved(others, answers, blocks, given["unlisted_models"]),
        "unknown": stored.unreadable,
        "notes": [
            *optional_models.describe_left_out(left_out, removed, desired),
            *(
                f"The block of {name} keeps {', '.join(kept)}, which the inventory does not set. To remove one, set it "
                f"to null in providers_overrides.{name}.block."
                for name, kept in kept_members(config, configured).items()
            ),
        ],
    }


def _compare(files: apply.Files, desired: Desired, env: Mapping[str, str], keys: Mapping[str, str]) -> FilesInfo:
    """Compare the files with what they should contain."""
    try:
        result = apply.apply_providers(files, desired, env, [], check_mode=True, keys=keys)
        directories = {os.path.dirname(os.path.realpath(path)) for path in (files.config, files.env)}
        leftovers = [path for directory in directories for path in atomic.leftovers(directory)]
    except ModelsInUseError:
        # Told with the models.
        return {**_failed(""), "config_changed": True}
    except ClawdbotError as exc:
        return _failed(exc)
    changed = result.config_changed or result.env_changed or result.keys_changed
    return {
        "up_to_date": not (changed or result.unconfirmed or leftovers),
        "config_changed": result.config_changed,
        "env_changed": result.env_changed,
        "keys_changed": result.keys_changed,
        # In check mode, a change reports a rollback journal as well.
        "unfinished": bool(leftovers) or (result.unconfirmed and not changed),
        "error": "",
    }


def _failed(reason: object) -> FilesInfo:
    return {
        "up_to_date": False,
        "config_changed": False,
        "env_changed": False,
        "keys_changed": False,
        "unfinished": False,
        "error": str(reason),
    }
