# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS


def fitting_nodes(found: Mapping[str, str], name: str) -> list[str]:
    """Return the paths of those Node.js that a product runs on, from a version for each path."""
    return [path for path, version in found.items() if PRODUCTS[name].runs_on_node(version)]


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {"_fitting_nodes": fitting_nodes}
