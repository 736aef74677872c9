# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook rotate on a real gateway, with keys where Clawdbot itself has put them."""

from __future__ import annotations

import json

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.e2e.harness import MOONSHOT, Bench, files_holding, new_key

AUDIT = "clawfleet.clawdbot.audit"
ROTATE = "clawfleet.clawdbot.rotate"


def test_after_a_rotation_the_host_does_not_hold_the_old_key(bench: Bench) -> None:
    assert bench.rollout(providers_verify_after="turn").code == 0
    old = bench.keys[MOONSHOT]
    # The product's own commands put the key into the config and its backups, and a person puts it into a chat.
    bench.cli("models", "set", "moonshot/kimi-k3")
    bench.cli("config", "set", "agents.defaults.maxConcurrent", "3")
    bench.write_auth_profile(old)
    bench.chat("agent:main:said", f"My key is {old}, and it works.")
    bench.gateway.env.write_text(f"{bench.gateway.env.read_text()}# before: {old}\n")
    places = files_holding(bench.gateway.home, old)
    (transcript,) = (name for name in places if name.endswith(".jsonl"))
    expected = [".env", "auth-profiles.json", "clawdbot.json", "clawdbot.json.bak", "models.json", transcript]
    assert places == sorted(expected)

    files, pids = bench.files(), bench.pids()
    bench.keys[MOONSHOT] = new_key()
    rejected = bench.rollout(playbook=ROTATE)

    assert rejected.code != 0
    assert "unauthorized" in rejected.output
    assert files_holding(bench.gateway.home, old) == places
    assert bench.files() == files
    assert bench.pids() == pids

    bench.admit(MOONSHOT, bench.keys[MOONSHOT])
    bench.revoke(MOONSHOT, old)
    checked = bench.rollout("--check", playbook=ROTATE)

    assert checked.code == 0, checked.output
    assert files_holding(bench.gateway.home, old) == places
    assert bench.files() == files

    rotated = bench.rollout("--diff", "-vvvv", playbook=ROTATE)

    assert rotated.code == 0, rotated.output
    assert files_holding(bench.gateway.home, old) == []
    assert old not in rotated.output
    assert bench.keys[MOONSHOT] not in rotated.output
    assert f"The host no longer stores {fingerprint(old)}." in rotated.one_line
    assert bench.pids() != pids
    assert files_holding(bench.gateway.home, bench.keys[MOONSHOT]) == [".env", "models.json"]
    backup = json5_reader.loads((bench.gateway.state_dir / "clawdbot.json.bak").read_text())
    assert backup["models"]["providers"][MOONSHOT]["apiKey"] == "${MOONSHOT_API_KEY}"
    assert json.loads(bench.auth_profiles.read_text())["profiles"] == {}
    bench.mock_server.clear_requests()
    assert bench.chat()["payloads"][0]["text"] == "Hello from kimi-k3 at Moonshot."
    assert [r["key_fingerprint"] for r in bench.mock_server.requests()] == [fingerprint(bench.keys[MOONSHOT])]

    pids = bench.pids()
    second = bench.rollout("-vvv", playbook=ROTATE)

    assert second.recap[bench.gateway.name]["changed"] == 0, second.output
    assert second.modules == ["gateway_info", "secret_audit"]
    assert bench.pids() == pids
    assert "There was no other key on the host." in second.one_line
    assert bench.rollout(playbook=AUDIT).code == 0

    # Whatever the product wrote while it had the old key, it now writes with the new one.
    bench.cli("config", "set", "agents.defaults.maxConcurrent", "4")
    assert files_holding(bench.gateway.home, old) == []
