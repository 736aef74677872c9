# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook rollback on a real gateway."""

from __future__ import annotations

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.e2e.harness import MOONSHOT, Bench, files_holding, new_key

ROLLBACK = "clawfleet.clawdbot.rollback"


def test_a_run_that_died_is_rolled_back(bench: Bench) -> None:
    assert bench.rollout().code == 0
    contents = {name: file[0] for name, file in bench.files().items()}
    old = bench.keys[MOONSHOT]
    bench.keys[MOONSHOT] = new_key()
    bench.admit(MOONSHOT, bench.keys[MOONSHOT])
    # The restart fails, and nothing is put back: as a run that dies there leaves it.
    assert bench.rollout(providers_restart_argv=["/bin/false"], providers_rollback=False).code != 0
    assert dotenv.loads(bench.gateway.env.read_text())["MOONSHOT_API_KEY"] == bench.keys[MOONSHOT]

    back = bench.rollout(playbook=ROLLBACK, providers_api_keys={})

    assert back.code == 0, back.output
    assert {name: file[0] for name, file in bench.files().items()} == contents
    assert files_holding(bench.gateway.state_dir, bench.keys[MOONSHOT]) == []
    bench.mock_server.clear_requests()
    bench.chat()
    assert [r["key_fingerprint"] for r in bench.mock_server.requests()] == [fingerprint(old)]

    pids = bench.pids()
    again = bench.rollout(playbook=ROLLBACK, providers_api_keys={})

    assert again.recap[bench.gateway.name]["changed"] == 0, again.output
    assert bench.pids() == pids
