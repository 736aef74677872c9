# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook purge on a real gateway."""

from __future__ import annotations

import re

from tests.e2e.harness import MOONSHOT, Bench, files_holding

AUDIT = "clawfleet.clawdbot.audit"
PURGE = "clawfleet.clawdbot.purge"


def test_a_purge_removes_what_an_audit_finds_and_a_second_one_changes_nothing(bench: Bench) -> None:
    assert bench.rollout().code == 0
    key = bench.keys[MOONSHOT]
    copy, notes = bench.scatter_keys()
    files = bench.files()

    checked = bench.rollout("--check", "--diff", playbook=PURGE)
    assert bench.files() == files
    notes.unlink()
    purged = bench.rollout("--diff", playbook=PURGE)

    # The drift of the config is only what the product wrote into it besides the key.
    assert re.search(r"MOONSHOT_API_KEY=<sha256:\w+>", purged.output)
    assert "\n".join(checked.diffs).split() == "\n".join(purged.diffs).split()
    assert set(files_holding(bench.gateway.home, key)) <= {".env", "models.json"}
    assert copy.read_text() == "OTHER=x\n"
    assert bench.gateway.state_dir.stat().st_mode & 0o777 == 0o700

    pids = bench.pids()
    again = bench.rollout(playbook=PURGE)
    assert again.recap[bench.gateway.name]["changed"] == 0, again.output
    assert bench.rollout().code == 0
    assert bench.rollout(playbook=AUDIT).code == 0
    assert bench.pids() == pids
