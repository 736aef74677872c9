# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every status is tested."""

from __future__ import annotations

from typing import get_args

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import Status

from tests.module.verify_models.test_chats import CHATS
from tests.module.verify_models.test_listing_faults import FAULTS
from tests.module.verify_models.test_not_sent import REJECTED


def test_every_status_has_its_row() -> None:
    rows = {fault.status for fault in FAULTS.values()} | {row.status for row in CHATS.values()}
    rows |= {str(found["status"]) for _more, found in REJECTED.values()}
    assert set(get_args(Status)) - rows == {"ok", "model_retired", "tls_error", "dns_error"}
