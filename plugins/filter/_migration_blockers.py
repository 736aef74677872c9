# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.diagnosis import OF_MIGRATION, find_blockers
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.info import GatewayInfo


def migration_blockers(info: GatewayInfo) -> list[str]:
    """Return why a gateway of Clawdbot cannot be migrated, with the variables that the playbook `migrate` reads."""
    return find_blockers(info, {}, OF_MIGRATION)


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {"_migration_blockers": migration_blockers}
