# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook verify on a real gateway."""

from __future__ import annotations

from tests.e2e.harness import MOONSHOT, Bench


def test_verify_changes_nothing_and_finds_a_revoked_key_and_drift(bench: Bench) -> None:
    assert bench.rollout().code == 0
    files, pids = bench.files(), bench.pids()

    fine = bench.rollout("--diff", playbook="clawfleet.clawdbot.verify")

    assert fine.code == 0, fine.output
    assert fine.recap[bench.gateway.name]["changed"] == 0

    bench.revoke(MOONSHOT, bench.keys[MOONSHOT])
    drifted = bench.rollout(playbook="clawfleet.clawdbot.verify", providers_default_model="moonshot/kimi-k2.6")

    assert drifted.code != 0
    assert "unauthorized" in drifted.output
    assert "The config differs from the inventory" in drifted.output
    assert bench.files() == files
    assert bench.pids() == pids
