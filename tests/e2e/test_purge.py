# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook purge on a real gateway."""

from __future__ import annotations

import re

from tests.e2e.harness import MOONSHOT, NO_CHATS, Bench, files_holding

AUDIT = "clawfleet.clawdbot.audit"
PURGE = "clawfleet.clawdbot.purge"


def test_a_purge_removes_what_an_audit_finds_and_a_second_one_changes_nothing(installed: Bench) -> None:
    key = installed.keys[MOONSHOT]
    copy, notes = installed.scatter_keys()
    files = installed.files()

    checked = installed.rollout("--check", "--diff", playbook=PURGE)
    assert installed.files() == files
    notes.unlink()
    purged = installed.rollout("--diff", playbook=PURGE)

    # The drift of the config is only what the product wrote into it besides the key.
    assert re.search(r"MOONSHOT_API_KEY=<sha256:\w+>", purged.output)
    assert "\n".join(checked.diffs).split() == "\n".join(purged.diffs).split()
    assert set(files_holding(installed.gateway.home, key)) <= {".env", "models.json"}
    assert copy.read_text() == "OTHER=x\n"
    assert installed.gateway.state_dir.stat().st_mode & 0o777 == 0o700

    pids = installed.pids()
    again = installed.rollout(playbook=PURGE)
    assert again.recap[installed.gateway.name]["changed"] == 0, again.output
    assert installed.rollout(*NO_CHATS).code == 0
    assert installed.rollout(playbook=AUDIT).code == 0
    assert installed.pids() == pids
