# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook verify on a real gateway."""

from __future__ import annotations

from tests.e2e.harness import MOONSHOT, Bench


def test_verify_changes_nothing_and_finds_a_revoked_key_and_drift(installed: Bench) -> None:
    files, pids = installed.files(), installed.pids()

    fine = installed.rollout("--diff", playbook="clawfleet.clawdbot.verify")

    assert fine.code == 0, fine.output
    assert fine.recap[installed.gateway.name]["changed"] == 0

    installed.revoke(MOONSHOT, installed.keys[MOONSHOT])
    drifted = installed.rollout(playbook="clawfleet.clawdbot.verify", providers_default_model="moonshot/kimi-k2.6")

    assert drifted.code != 0
    assert "unauthorized" in drifted.output
    assert "The config differs from the inventory" in drifted.output
    assert installed.files() == files
    assert installed.pids() == pids
