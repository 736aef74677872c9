# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook rollback on a real gateway."""

from __future__ import annotations

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.e2e.harness import MOONSHOT, Bench, files_holding, new_key

ROLLBACK = "clawfleet.clawdbot.rollback"


def test_a_run_that_died_is_rolled_back(installed: Bench) -> None:
    contents = {name: file[0] for name, file in installed.files().items()}
    old = installed.keys[MOONSHOT]
    installed.keys[MOONSHOT] = new_key()
    installed.admit(MOONSHOT, installed.keys[MOONSHOT])
    # The restart fails, and nothing is put back: as a run that dies there leaves it.
    assert installed.rollout(providers_restart_argv=["/bin/false"], providers_rollback=False).code != 0
    assert dotenv.loads(installed.gateway.env.read_text())["MOONSHOT_API_KEY"] == installed.keys[MOONSHOT]

    back = installed.rollout(playbook=ROLLBACK, providers_api_keys={})

    assert back.code == 0, back.output
    assert {name: file[0] for name, file in installed.files().items()} == contents
    assert files_holding(installed.gateway.state_dir, installed.keys[MOONSHOT]) == []
    installed.mock_server.clear_requests()
    installed.chat()
    assert [r["key_fingerprint"] for r in installed.mock_server.requests()] == [fingerprint(old)]

    pids = installed.pids()
    again = installed.rollout(playbook=ROLLBACK, providers_api_keys={})

    assert again.recap[installed.gateway.name]["changed"] == 0, again.output
    assert installed.pids() == pids
