# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The module gateway_check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import apply
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.diagnosis import find_health_problems
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.info import GatewayInfo

from . import gateway_state

ARGUMENT_SPEC: Mapping[str, Any] = {
    **gateway_state.STATE_ARGUMENTS,
    "fingerprints": {"type": "dict", "default": {}},
    "confirm": {"type": "bool", "default": True},
}


def run(params: dict[str, Any], check_mode: bool) -> GatewayInfo:
    """Return the state of a healthy gateway and confirm its change. Raises `ClawdbotError` with all problems."""
    info = gateway_state.gather(params).info
    problems = find_health_problems(info, params["fingerprints"])
    if problems:
        raise ClawdbotError(" ".join(problem["text"] for problem in problems), **info)
    if params["confirm"]:
        apply.confirm(apply.Files(info["config_path"], info["env_path"]), check_mode=check_mode)
    # The rollback journal is not part of the gateway's state, so its removal is not a change.
    return info
