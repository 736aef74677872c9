# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The module gateway_config: argument spec, checks of the parameters, and `run`."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import gateway_changes
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import apply
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.file_plan import (
    CurrentFiles,
    FilePlan,
    plan_settings,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.config_check import check_command
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from .arguments import GATEWAY_ARGUMENTS, resolve_gateway

ARGUMENT_SPEC: Mapping[str, Any] = {
    **GATEWAY_ARGUMENTS,
    "port": {"type": "int", "required": True},
    "bind": {"type": "str", "choices": ["loopback", "lan", "tailnet", "auto"], "default": "loopback"},
    "token": {"type": "str", "no_log": True},
    "config_readonly": {"type": "bool"},
    "plugins": {"type": "list", "elements": "str", "default": []},
    "program": {"type": "list", "elements": "str", "default": []},
    "check_unchanged": {"type": "bool", "default": False},
}


_PORTS = range(1, 65536)
# A token is sent in a header and read from a line of a file.
_TOKEN = re.compile(r"[!-~]+\Z")


def run(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result; no secret is in its diff. Raises `ClawdbotError`."""
    result = _change(params, check_mode)
    return {
        "changed": result.config_changed or result.env_changed,
        "config_changed": result.config_changed,
        "env_changed": result.env_changed,
        "unconfirmed": result.unconfirmed,
        "diff": list(result.diff),
    }


def _change(params: Mapping[str, Any], check_mode: bool) -> apply.ApplyResult:
    _require_usable(params)
    product, paths = resolve_gateway(params)
    if params["config_readonly"] is not None and not product.config_can_be_readonly:
        raise ClawdbotError(f"config_readonly is set, but {product.title} cannot reject its own writes to the config.")
    desired = gateway_changes.DesiredSettings(
        params["port"],
        params["bind"],
        params["token"],
        secrets.token_hex(32),
        product.token_variable,
        product.readonly_variable,
        params["config_readonly"],
        tuple(params["plugins"]),
        product.install.requested_plugins,
    )

    def settings(config: dict[str, Any], variables: Mapping[str, str]) -> gateway_changes.SettingChanges:
        return gateway_changes.setting_changes(desired, config, variables)

    def plan(current: CurrentFiles) -> FilePlan:
        return plan_settings(current, settings)

    if not os.path.isdir(paths.state_dir):
        if check_mode:
            planned = plan(CurrentFiles(paths.config, None, paths.env, None, lambda _path: None))
            shown = _shown(planned.diff, desired)
            return apply.ApplyResult(True, planned.env is not None, unconfirmed=True, diff=shown)
        try:
            os.makedirs(paths.state_dir, 0o700)
        except OSError as exc:
            raise ClawdbotError(f"Cannot create directory {paths.state_dir}: {exc.strerror}.") from exc
    result = apply.apply_plan(
        apply.Files(paths.config, paths.env),
        plan,
        check_command(product, tuple(params["program"])) if params["program"] else [],
        check_mode=check_mode,
        check_unchanged=params["check_unchanged"],
    )
    return replace(result, diff=_shown(result.diff, desired))


def _require_usable(params: Mapping[str, Any]) -> None:
    if params["port"] not in _PORTS:
        raise ClawdbotError(f"port is {params['port']}: it must be from 1 to 65535.")
    if params["token"] is not None and not _TOKEN.match(params["token"]):
        raise ClawdbotError("token is empty, or contains white space or a character that is not ASCII.")


def _shown(diff: Sequence[Mapping[str, str]], desired: gateway_changes.DesiredSettings) -> list[dict[str, str]]:
    """Return the diff with a mark for a new token, which differs between check mode and the run after it."""
    made = fingerprint(desired.new_token)
    return [{name: text.replace(made, "made on the host") for name, text in part.items()} for part in diff]
