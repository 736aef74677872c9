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
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import strings
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import apply, atomic
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.info import FilesInfo, GatewayInfo
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.plan import Plan, plan

from . import provider_config
from .gateway_state import STATE_ARGUMENTS, gather

ARGUMENT_SPEC: Mapping[str, Any] = {
    **STATE_ARGUMENTS,
    "fingerprints": {"type": "dict", "default": {}},
    # They contain keys. With no_log, the names of models and all other strings in them would be hidden too.
    "endpoints": {"type": "dict"},
    "files": {"type": "dict"},
}


class Result(GatewayInfo):
    """The result of the module. `warnings`: of the endpoints."""

    plan: Plan
    warnings: list[str]


def run(params: dict[str, Any], _check_mode: bool) -> Result:
    """Return the state of a gateway, its files and endpoints, and the plan for it. Raises `ClawdbotError`."""
    info = gather(params)
    warnings: list[str] = []
    if params["files"] is not None:
        files = apply.Files(info["config_path"], info["env_path"])
        info["files"] = _compare(files, _validate("files", provider_config.FILES_ARGUMENTS, params["files"]))
    if params["endpoints"] is not None:
        # It imports http.client, ssl and much of this collection, which a host that asks nothing does not need.
        from . import verify_models

        options = _validate("endpoints", verify_models.ARGUMENT_SPEC, params["endpoints"])
        info["endpoints"], warnings = verify_models.ask(options, secrets_in(params))
    return {**info, "plan": plan(info, params["fingerprints"]), "warnings": warnings}


def secrets_in(params: Mapping[str, Any]) -> set[str]:
    """Return everything in the parameters that is or may be secret. Their shape is not validated yet."""
    files, endpoints = params.get("files") or {}, params.get("endpoints") or {}
    secrets: set[str] = set()
    if isinstance(files, Mapping):
        env = files.get("env")
        secrets.update(map(str, env.values()) if isinstance(env, Mapping) else strings(env))
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


def _compare(files: apply.Files, params: Mapping[str, Any]) -> FilesInfo:
    """Compare both files with the parameters of provider_config."""
    try:
        result = apply.apply_providers(files, provider_config.desired(params), params["env"], [], check_mode=True)
        directories = {os.path.dirname(os.path.realpath(path)) for path in (files.config, files.env)}
        leftovers = [path for directory in directories for path in atomic.leftovers(directory)]
    except ClawdbotError as exc:
        return {
            "up_to_date": False,
            "config_changed": False,
            "env_changed": False,
            "unfinished": False,
            "error": str(exc),
        }
    changed = result.config_changed or result.env_changed
    return {
        "up_to_date": not (changed or result.unconfirmed or leftovers),
        "config_changed": result.config_changed,
        "env_changed": result.env_changed,
        # In check mode, a change reports a rollback journal as well.
        "unfinished": bool(leftovers) or (result.unconfirmed and not changed),
        "error": "",
    }
