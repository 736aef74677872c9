# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a gateway is and what it runs on, as the module gateway_info and those that do more return it."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import VARIABLE_NAME
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import env_sources, state
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import client
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import (
    GATEWAY_ARGUMENTS,
    check_command,
    resolve_gateway,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import secret_values

ARGUMENT_SPEC: dict[str, Any] = {
    **GATEWAY_ARGUMENTS,
    **state.SERVICE_ARGUMENTS,
    "variables": {"type": "list", "elements": "str", "default": []},
    "providers": {"type": "dict", "default": {}},
    "models": {"type": "list", "elements": "str", "default": []},
    "wait": {"type": "float", "default": 0},
}


class NoListingError(ClawdbotError):
    """The gateway has not told its models; C(seen) is all else that was seen of it."""

    def __init__(self, message: str, seen: dict[str, Any]) -> None:
        super().__init__(message)
        self.seen = seen


def run(params: dict[str, Any]) -> dict[str, Any]:
    """The result of gateway_info for its parameters. Raises ClawdbotError."""
    product, paths = resolve_gateway(params)
    service = state.Service(params["service_manager"], params["service_name"] or product.unit)
    providers = _texts(params["providers"])
    names = list(dict.fromkeys([*params["variables"], *providers.values()]))
    seen = state.observe_until_settled(product, paths, service, names, params["wait"])
    variables = {name: env_sources.trace(name, seen.origins) for name in names}
    result = {
        "product": product.name,
        "version": seen.package.version if seen.package else None,
        "program": list(seen.program),
        "check_command": check_command(product, seen.program) if seen.program else [],
        "state_dir": paths.state_dir,
        "state_dir_exists": os.path.isdir(paths.state_dir),
        "config_path": paths.config,
        "env_path": paths.env,
        "service_name": service.name,
        "service_loaded": None if service.manager == "command" else seen.unit is not None,
        "active_state": seen.unit.active_state if seen.unit else None,
        "port": seen.port,
        "answers": seen.answers,
        "pid": seen.process.pid if seen.process else None,
        "started": env_sources.isoformat(seen.process.started) if seen.process else None,
        "restart_required": bool(seen.restart_reasons),
        "restart_reasons": list(seen.restart_reasons),
        "variables": {name: variable.as_result() for name, variable in variables.items()},
        "providers": state.overriding(product, paths, seen, providers),
    }
    if params["models"]:
        secrets = {value for file in seen.origins.files for value in secret_values(file.values)}
        gateway = client.Gateway(product, seen.program, paths, seen.port, secrets)
        try:
            result["models_missing"] = state.missing_models(product, paths, gateway, seen, params["models"])
        except ClawdbotError as exc:
            raise NoListingError(str(exc), result) from exc
    return result


def _texts(providers: dict[str, Any]) -> dict[str, str]:
    for provider, variable in providers.items():
        if not isinstance(variable, str) or not VARIABLE_NAME.match(variable):
            raise ClawdbotError(
                f"providers.{provider} has to be the name of the variable that the config of {provider} refers to."
            )
    return providers
