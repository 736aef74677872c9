# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.info import isoformat


def test_isoformat_is_in_utc_to_the_millisecond() -> None:
    assert isoformat(1795368101.5031) == "2026-11-22T17:21:41.503Z"
