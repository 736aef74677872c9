# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The module gateway_reload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.state import observe
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway

from .arguments import GATEWAY_ARGUMENTS, SERVICE_ARGUMENTS, resolve_gateway, resolve_service

ARGUMENT_SPEC: Mapping[str, Any] = {
    **GATEWAY_ARGUMENTS,
    **SERVICE_ARGUMENTS,
    "program": {"type": "list", "elements": "str", "required": True},
    "timeout": {"type": "float", "default": 60},
}


def run(params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Have the gateway read its keys again. Raises `ClawdbotError` where it could not read one."""
    product, paths = resolve_gateway(params)
    if not product.reload_method:
        raise ClawdbotError(f"{product.title} reads keys only at its start: restart it instead.")
    if check_mode:
        return {"changed": True}
    seen = observe(product, paths, resolve_service(params, product), [])
    with Gateway(product, params["program"], paths, seen.listener, seen.cli_environment, seen.secrets) as gateway:
        answer = gateway.call(product.reload_method, {}, params["timeout"])
    count = at(answer, ("warningCount",))
    if count != 0:
        raise ClawdbotError(
            f"{product.title} could not read every key again: it answers {gateway.redact(str(answer))}. Run "
            "`openclaw secrets audit` on the host."
        )
    return {"changed": True}
