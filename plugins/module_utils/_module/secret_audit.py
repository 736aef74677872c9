# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The module secret_audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit import host_scan
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import state
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.env_sources import change_time
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths

from .arguments import GATEWAY_ARGUMENTS, SERVICE_ARGUMENTS, resolve_gateway, resolve_service

ARGUMENT_SPEC: Mapping[str, Any] = {
    **GATEWAY_ARGUMENTS,
    **SERVICE_ARGUMENTS,
    "providers": {"type": "dict", "default": {}},
    "also_in": {"type": "dict", "default": {}},
    "fingerprints": {"type": "dict", "default": {}},
    # Fingerprints, which are no secrets.
    "old_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "state": {"type": "str", "choices": ["audited", "purged"], "default": "audited"},
}


def run(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the module's result. Raises `ClawdbotError`."""
    product, paths = resolve_gateway(params)
    seen = state.observe(product, paths, resolve_service(params, product), [])
    desired = host_scan.DesiredKeys(
        params["providers"], params["also_in"], params["fingerprints"], frozenset(params["old_keys"])
    )
    service = host_scan.ServiceFacts(
        outdated=_outdated(seen.process, paths),
        working_directory=seen.process.working_directory if seen.process else None,
        unit_files=[*seen.unit.files, *(file.path for file in seen.unit.environment_files)] if seen.unit else [],
        gateway=Gateway(product, seen.cli.program, paths, seen.listener, seen.cli_environment),
    )
    if params["state"] == "audited":
        return _result(host_scan.audit(product, paths, desired, service), purged=False)
    return _result(host_scan.purge(product, paths, desired, service, check_mode=check_mode), purged=True)


def _result(report: host_scan.Report, *, purged: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "changed": purged and bool(report.cleanups),
        "findings": [found.as_result() for found in report.findings if not (purged and found.purgeable)],
        "notes": [note.as_result() for note in report.notes],
        "dangling": [model.as_result() for model in report.dangling],
    }
    if purged:
        result["purged"] = [found.as_result() for found in report.findings if found.purgeable]
        result["diff"] = report.diffs()
    return result


def _outdated(process: Process | None, paths: Paths) -> bool:
    """Whether a process runs that was started before the `.env` was last changed."""
    changed = change_time(paths.env)
    return process is not None and changed is not None and changed >= process.started
