# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook remove on a real gateway."""

from __future__ import annotations

import json

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.e2e.harness import KIMICODE, MOONSHOT, Bench, files_holding

REMOVE = "clawfleet.clawdbot.remove"


def test_a_provider_is_removed_without_a_trace_and_a_second_run_changes_nothing(installed: Bench) -> None:
    installed.chat()
    key = installed.keys[MOONSHOT]
    assert files_holding(installed.gateway.home, key) == [".env", "models.json"]
    files, pids = installed.files(), installed.pids()
    # No key is needed any more.
    less = {"providers_enabled": [MOONSHOT], "providers_api_keys": {}}

    rejected = installed.rollout(playbook=REMOVE, providers_default_model="", **less)

    assert rejected.code != 0
    assert "agents.defaults.model is moonshot/kimi-k3, a model of a provider that is to be removed" in rejected.one_line
    assert installed.files() == files
    assert installed.pids() == pids

    less["providers_default_model"] = "kimicode/kimi-for-coding"
    checked = installed.rollout("--check", "--diff", playbook=REMOVE, **less)
    removed = installed.rollout("--diff", "-vvvv", playbook=REMOVE, **less)

    assert removed.code == 0, removed.output
    assert f"-MOONSHOT_API_KEY=<{fingerprint(key)}>" in removed.output
    assert key not in removed.output
    assert "\n".join(checked.diffs).split() == "\n".join(removed.diffs).split()
    assert files_holding(installed.gateway.home, key) == []
    assert installed.pids() != pids
    value = json5_reader.loads(installed.gateway.config.read_text())
    assert list(value["models"]["providers"]) == [KIMICODE]
    assert value["agents"]["defaults"]["model"] == {"primary": "kimicode/kimi-for-coding"}
    left = {ref: entry.get("alias") for ref, entry in value["agents"]["defaults"]["models"].items()}
    assert left == {
        "kimicode/kimi-for-coding": "kimi",
        "kimicode/kimi-for-coding-highspeed": None,
        "kimicode/k3": None,
        "kimicode/k3-256k": None,
    }
    models = installed.gateway.state_dir / "agents" / "main" / "agent" / "models.json"
    assert MOONSHOT not in json.loads(models.read_text())["providers"]

    installed.mock_server.clear_requests()
    assert installed.chat()["meta"]["agentMeta"]["provider"] == KIMICODE
    assert [r["key_fingerprint"] for r in installed.mock_server.requests()] == [fingerprint(installed.keys[KIMICODE])]

    pids = installed.pids()
    second = installed.rollout("-vvv", playbook=REMOVE, **less)

    assert second.recap[installed.gateway.name]["changed"] == 0, second.output
    assert second.modules == ["gateway_info", "provider_config"]
    assert installed.pids() == pids
    assert files_holding(installed.gateway.home, key) == []
