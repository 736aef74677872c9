# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._key_age import judged_keys, max_age_problems


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {"_judged_keys": judged_keys, "_max_age_problems": max_age_problems}
