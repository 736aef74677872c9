# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The module secret_audit."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit import found_keys, host_scan
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.finding import Finding
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import is_reference
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import ANTHROPIC, OPENAI, EndpointInfo
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import state
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.env_sources import change_time
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.proxies import gateway_proxies, use_proxies
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths

from .arguments import GATEWAY_ARGUMENTS, SERVICE_ARGUMENTS, resolve_gateway, resolve_service

_ENDPOINT: Mapping[str, Any] = {
    "name": {"type": "str", "required": True},
    "base_url": {"type": "str", "required": True},
    "api": {"type": "str", "choices": [OPENAI, ANTHROPIC], "default": OPENAI},
    "headers": {"type": "dict", "default": {}},
}

_ENDPOINTS: Mapping[str, Any] = {
    "providers": {"type": "list", "elements": "dict", "required": True, "options": _ENDPOINT},
    "timeout": {"type": "float", "default": 10},
    "retries": {"type": "int", "default": 2},
    "ca_path": {"type": "path"},
    "allow_insecure_http": {"type": "bool", "default": False},
}

ARGUMENT_SPEC: Mapping[str, Any] = {
    **GATEWAY_ARGUMENTS,
    **SERVICE_ARGUMENTS,
    "providers": {"type": "dict", "default": {}},
    "also_in": {"type": "dict", "default": {}},
    "fingerprints": {"type": "dict", "default": {}},
    # Fingerprints, which are no secrets.
    "old_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "endpoints": {"type": "dict", "options": _ENDPOINTS},
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
        gateway=Gateway(product, seen.cli.program, paths, seen.listener, seen.cli_environment, seen.secrets),
    )
    purged = params["state"] == "purged"
    if purged:
        report = host_scan.purge(product, paths, desired, service, check_mode=check_mode)
    else:
        report = host_scan.audit(product, paths, desired, service)
    if params["endpoints"] is not None:
        proxies = gateway_proxies(product, seen.sources)
        if proxies is not None:
            use_proxies(os.environ, proxies)
    return _result(report, _findings(report, params), purged=purged)


def secrets_in(params: Mapping[str, Any]) -> set[str]:
    """Return the secrets in the headers of endpoints. A reference is none."""
    endpoints = params.get("endpoints")
    if not endpoints:
        return set()
    from . import verify_models

    secrets = verify_models.secrets_in(endpoints) if isinstance(endpoints, Mapping) else {str(endpoints)}
    return {secret for secret in secrets if not is_reference(secret)}


def _findings(report: host_scan.Report, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the findings as results, with what the endpoints say of their keys, if they are to be asked."""
    options = params["endpoints"]
    if options is None:
        return [{**found.as_result(), "validity": "", "validity_message": ""} for found in report.findings]
    # It imports http.client, ssl and much of this collection, which a host that asks nothing does not need.
    from . import verify_models

    questions = found_keys.questions(
        report.findings, report.keys, params["also_in"], report.hosts, options["providers"]
    )
    asked = [found_keys.endpoint_with(key, endpoint, report.keys) for key, endpoint in questions.asked.items()]
    probe = {**options, "providers": asked, "probe": "listing", "validate_certs": True}
    info, _warnings = verify_models.ask(probe, {*secrets_in(params), *report.keys.current.values(), *questions.asked})
    answers = dict(zip(questions.asked, info["providers"]))
    return [{**found.as_result(), **_validity(found, questions, answers)} for found in report.findings]


def _validity(found: Finding, questions: found_keys.Questions, answers: Mapping[str, EndpointInfo]) -> dict[str, str]:
    validity, message = found_keys.described(found, questions, answers) if found.key else ("", "")
    return {"validity": validity, "validity_message": message}


def _result(report: host_scan.Report, findings: list[dict[str, Any]], *, purged: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "changed": purged and bool(report.cleanups),
        "findings": [found for found in findings if not (purged and found["purgeable"])],
        "notes": [note.as_result() for note in report.notes],
        "dangling": [model.as_result() for model in report.dangling],
    }
    if purged:
        result["purged"] = [found for found in findings if found["purgeable"]]
        result["diff"] = report.diffs()
    return result


def _outdated(process: Process | None, paths: Paths) -> bool:
    """Whether a process runs that was started before the `.env` was last changed."""
    changed = change_time(paths.env)
    return process is not None and changed is not None and changed >= process.started
