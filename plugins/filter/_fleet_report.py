# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._report import expected_providers, fleet_report
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._report_page import report_page, report_summary


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {
            "_expected_providers": expected_providers,
            "_fleet_report": fleet_report,
            "_report_page": report_page,
            "_report_summary": report_summary,
        }
