# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Gather the state of a gateway: the part of gateway_info that gateway_check needs as well."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, Literal, NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import VARIABLE_NAME
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.key_files import (
    BACKENDS,
    Backend,
    key_file,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.stored_keys import read_keys
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import health
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.account import own_account, require_account
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.diagnosis import find_program_problems
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.env_sources import (
    EnvSources,
    copies_in_env,
    trace,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.info import (
    GatewayInfo,
    VariableInfo,
    isoformat,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.key_info import describe_keys
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.optional_models import (
    describe_unserved_choices,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.overrides import provider_overrides
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.proxies import gateway_proxies
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.put_back import describe_put_back
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.config_check import check_command
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from .arguments import GATEWAY_ARGUMENTS, SERVICE_ARGUMENTS, resolve_gateway, resolve_service

#: doc_fragments/_gateway_state.py documents them.
STATE_ARGUMENTS: Mapping[str, Any] = {
    **GATEWAY_ARGUMENTS,
    **SERVICE_ARGUMENTS,
    "account": {"type": "str"},
    "variables": {"type": "list", "elements": "str", "default": []},
    "providers": {"type": "dict", "default": {}},
    "secret_backend": {"type": "str", "choices": [*BACKENDS], "default": "env"},
    "models": {"type": "list", "elements": "str", "default": []},
    "written_config": {"type": "str"},
    "wait": {"type": "float", "default": 0},
}


class Gathered(NamedTuple):
    """The state of a gateway, and its config with the included files, as far as it can be read.

    `proxies`: the variables of its proxies, as `gateway_proxies` returns them.
    """

    info: GatewayInfo
    config: Any
    #: The running gateway, for calls.
    gateway: Gateway
    proxies: dict[str, str] | None


def gather(params: Mapping[str, Any]) -> Gathered:
    """Return the state of a gateway for `STATE_ARGUMENTS`.

    Raises `ClawdbotError`. If only the gateway's list of models is missing, the error's result has everything else.
    """
    if params["account"]:
        require_account(params["account"])
    product, paths = resolve_gateway(params)
    service = resolve_service(params, product)
    providers = _variables_of(params["providers"])
    names = list(dict.fromkeys([*params["variables"], *providers.values()]))
    seen = health.wait_until_healthy(product, paths, service, names, params["wait"])
    gateway = Gateway(product, seen.cli.program, paths, seen.listener, seen.cli_environment, seen.secrets)
    overrides = provider_overrides(product, paths, seen.config, seen.sources, providers, params.get("fingerprints", {}))
    info: GatewayInfo = {
        "account": own_account(),
        "product": product.name,
        "version": seen.cli.package.version if seen.cli.package else None,
        "program": list(seen.cli.program),
        "check_command": check_command(product, seen.cli.program) if seen.cli.program else [],
        "started_by": seen.cli.started_by,
        "missing_files": list(seen.cli.missing_files),
        "isolated": seen.isolated,
        "state_dir": paths.state_dir,
        "state_dir_exists": os.path.isdir(paths.state_dir),
        "config_path": paths.config,
        "env_path": paths.env,
        "key_file": key_file(params["secret_backend"], paths.env),
        "process_state_dir": seen.process_paths.state_dir if seen.process_paths else None,
        "process_config_path": seen.process_paths.config if seen.process_paths else None,
        "process_env_path": seen.process_paths.env if seen.process_paths else None,
        "service_name": seen.unit.name if seen.unit else service.name,
        "service_loaded": None if service.manager == "command" else seen.unit is not None,
        "active_state": seen.unit.active_state if seen.unit else None,
        "address": seen.listener.host,
        "port": seen.listener.port,
        "tls": bool(seen.listener.certificate),
        "listening": seen.listening,
        "port_taken_by": seen.port_taken_by,
        "answers": seen.answers,
        "pid": seen.process.pid if seen.process else None,
        "started": isoformat(seen.process.started) if seen.process else None,
        "environment": _environment(seen.process),
        "restart_required": bool(seen.restart_reasons),
        "restart_reasons": list(seen.restart_reasons),
        "config_put_back": describe_put_back(product, paths.config, params["written_config"]),
        "unserved_choices": describe_unserved_choices(health.unserved_choices(product, gateway, seen.config)),
        "variables": _variables(names, seen.sources, paths, set(providers.values()), params["secret_backend"]),
        "providers": overrides.providers,
        "keys": describe_keys(paths, seen.config, seen.sources, providers, datetime.now(timezone.utc).date()),
        "unreadable_stores": overrides.unreadable,
        "env_copies": copies_in_env(seen.sources, names),
    }
    if params["models"]:
        try:
            with gateway:
                info["models_missing"] = health.missing_models(paths, gateway, seen, params["models"])
        except ClawdbotError as exc:
            # A rescue, for example a rollback of the files, needs their paths.
            raise ClawdbotError(" ".join(find_program_problems(info)) or str(exc), **info) from exc
    return Gathered(info, seen.config, gateway, gateway_proxies(product, seen.sources))


def _variables(
    names: Iterable[str], sources: EnvSources, paths: Paths, of_providers: Collection[str], backend: Backend
) -> dict[str, VariableInfo]:
    """Return where each environment variable comes from, and the key of its name in the file beside `.env`.

    Any place but `.env`, from which a run removes it, takes precedence over that file.
    """
    path = key_file("file", paths.env)
    stored = read_keys(path) or {}
    found: dict[str, VariableInfo] = {}
    for name in names:
        result = trace(name, sources).as_result()
        if backend == "file" and name in of_providers:
            result["overriding_env"] = [one for one in result["sources"] if one["place"] != paths.env]
        if name in stored:
            result["sources"].append({"place": path, "fingerprint": fingerprint(stored[name])})
        found[name] = result
    return found


def _environment(process: Process | None) -> Literal["known", "unknown"] | None:
    if process is None:
        return None
    return "unknown" if process.environment is None else "known"


def _variables_of(providers: Mapping[str, Any]) -> dict[str, str]:
    for provider, variable in providers.items():
        if not isinstance(variable, str) or not VARIABLE_NAME.match(variable):
            raise ClawdbotError(
                f"providers.{provider} is not the name of an environment variable. Give the one that its `apiKey` "
                "refers to."
            )
    return dict(providers)
