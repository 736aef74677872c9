# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import elements, string


def missing_plugins(plugins: Mapping[str, str], listing: str) -> list[str]:
    """Return the `package@version` of each plugin that a listing of OpenClaw's CLI does not have in that version.

    `plugins`: id -> `package@version`. The listing is JSON behind other output.
    """
    try:
        listed = elements(json.loads(listing[listing.index("{") :]), ("plugins",))
    except ValueError:
        listed = []
    versions = {string(plugin, ("id",)): string(plugin, ("version",)) for plugin in listed}
    return [package for name, package in plugins.items() if versions.get(name) != package.rpartition("@")[2]]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {"_missing_plugins": missing_plugins}
