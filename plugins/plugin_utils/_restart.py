# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The decision on a restart of a gateway, made on the control node once its files are written."""

from __future__ import annotations

from typing import Literal, TypedDict

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.info import GatewayInfo


class Restart(TypedDict):
    """`due`: whether the gateway is restarted. `reasons`: why, or why it is not."""

    due: bool
    reasons: list[str]


def restart(info: GatewayInfo, mode: Literal["if_needed", "always", "never"], env_changed: bool) -> Restart:
    """Return whether a gateway is restarted, and why.

    `mode`: `providers_restart`. `env_changed`: whether this run has changed `.env`.
    """
    reasons = [*info["restart_reasons"], *([".env is changed."] if env_changed else [])]
    needed = info["restart_required"] or env_changed
    if mode == "always" or (mode == "if_needed" and needed):
        return {"due": True, "reasons": reasons or ["providers_restart is always."]}
    if needed:
        process = f"process {info['pid']} of {info['started']}"
        return {"due": False, "reasons": [f"providers_restart is never: {process} keeps the environment of its start."]}
    return {"due": False, "reasons": ["The gateway needs no restart."]}
