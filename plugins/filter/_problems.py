# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import EndpointInfo
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.diagnosis import find_problems
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.info import GatewayInfo


def problems(info: GatewayInfo, fingerprints: dict[str, str], endpoints: Iterable[EndpointInfo] = ()) -> list[str]:
    """Return all problems of a gateway, its files and its endpoints. `endpoints`: asked from the control node."""
    return [problem["text"] for problem in find_problems(info, fingerprints, endpoints)]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {"_problems": problems}
