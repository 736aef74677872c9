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


def test_after_a_rotation_the_host_does_not_hold_the_old_key(installed: Bench) -> None:
    old = installed.keys[MOONSHOT]
    # The product's own commands put the key into the config and its backups, and a person puts it into a chat.
    installed.cli("models", "set", "moonshot/kimi-k3")
    installed.cli("config", "set", "agents.defaults.maxConcurrent", "3")
    installed.write_auth_profile(old)
    installed.chat("agent:main:said", f"My key is {old}, and it works.")
    installed.gateway.env.write_text(f"{installed.gateway.env.read_text()}# before: {old}\n")
    places = files_holding(installed.gateway.home, old)
    (transcript,) = (name for name in places if name.endswith(".jsonl"))
    expected = [".env", "auth-profiles.json", "clawdbot.json", "clawdbot.json.bak", "models.json", transcript]
    assert places == sorted(expected)

    files, pids = installed.files(), installed.pids()
    installed.keys[MOONSHOT] = new_key()
    rejected = installed.rollout(playbook=ROTATE)

    assert rejected.code != 0
    assert "unauthorized" in rejected.output
    assert files_holding(installed.gateway.home, old) == places
    assert installed.files() == files
    assert installed.pids() == pids

    installed.admit(MOONSHOT, installed.keys[MOONSHOT])
    installed.revoke(MOONSHOT, old)
    checked = installed.rollout("--check", playbook=ROTATE)

    assert checked.code == 0, checked.output
    assert files_holding(installed.gateway.home, old) == places
    assert installed.files() == files

    rotated = installed.rollout("--diff", "-vvvv", playbook=ROTATE)

    assert rotated.code == 0, rotated.output
    assert files_holding(installed.gateway.home, old) == []
    assert old not in rotated.output
    assert installed.keys[MOONSHOT] not in rotated.output
    assert f"The host no longer stores {fingerprint(old)}." in rotated.one_line
    assert installed.pids() != pids
    assert files_holding(installed.gateway.home, installed.keys[MOONSHOT]) == [".env", "models.json"]
    backup = json5_reader.loads((installed.gateway.state_dir / "clawdbot.json.bak").read_text())
    assert backup["models"]["providers"][MOONSHOT]["apiKey"] == "${MOONSHOT_API_KEY}"
    assert json.loads(installed.auth_profiles.read_text())["profiles"] == {}
    installed.mock_server.clear_requests()
    assert installed.chat()["payloads"][0]["text"] == "Hello from kimi-k3 at Moonshot."
    assert [r["key_fingerprint"] for r in installed.mock_server.requests()] == [fingerprint(installed.keys[MOONSHOT])]

    pids = installed.pids()
    second = installed.rollout("-vvv", playbook=ROTATE)

    assert second.recap[installed.gateway.name]["changed"] == 0, second.output
    assert second.modules == ["gateway_info", "secret_audit"]
    assert installed.pids() == pids
    assert "There was no other key on the host." in second.one_line
    assert installed.rollout(playbook=AUDIT).code == 0

    # Whatever the product wrote while it had the old key, it now writes with the new one.
    installed.cli("config", "set", "agents.defaults.maxConcurrent", "4")
    assert files_holding(installed.gateway.home, old) == []
