# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import Desired
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import apply, journal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import gateway_state
from ansible_collections.clawfleet.clawdbot.plugins.modules import gateway_check

KEY = f"sk-{0:032x}"
FINGERPRINTS = {"MOONSHOT_API_KEY": "sha256:1b7c64e0f7a5"}


class Gateway:
    """A gateway whose files were just written; `seen` is its state."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        config, env = directory / "clawdbot.json", directory / ".env"
        config.write_text('{gateway: {mode: "local"}}\n')
        self.journal = Path(journal.path_beside(str(config)))
        apply.apply_providers(
            apply.Files(str(config), str(env)),
            Desired({"moonshot": {"apiKey": "${MOONSHOT_API_KEY}"}}, {}, None, None),
            {"MOONSHOT_API_KEY": KEY},
            [],
            check_mode=False,
        )
        self.seen: dict[str, Any] = {
            "product": "clawdbot",
            "isolated": False,
            "started_by": None,
            "missing_files": [],
            "process_state_dir": None,
            "process_config_path": None,
            "process_env_path": None,
            "listening": "known",
            "port_taken_by": "",
            "service_name": "clawdbot-gateway",
            "service_loaded": True,
            "state_dir": str(directory),
            "config_path": str(config),
            "env_path": str(env),
            "key_file": str(env),
            "port": 18789,
            "pid": 4711,
            "answers": True,
            "restart_reasons": [],
            "models_missing": [],
            "unserved_choices": [],
            "config_put_back": "",
            "variables": {"MOONSHOT_API_KEY": {"overriding_env": []}},
            "providers": {},
            "unreadable_stores": [],
        }
        monkeypatch.setattr(gateway_state, "gather", self._gather)

    def _gather(self, _params: dict[str, Any]) -> gateway_state.Gathered:
        return gateway_state.Gathered(self.seen, {}, None, None)  # type: ignore[arg-type]

    def check(self, **arguments: Any) -> dict[str, Any]:
        with patch_module_args({"fingerprints": FINGERPRINTS, **arguments}), pytest.raises(SystemExit) as ended:
            gateway_check.main()
        result: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        assert (ended.value.code == 1) == result.get("failed", False)
        return result


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gateway:
    made = Gateway(tmp_path, monkeypatch, capsys)
    assert made.journal.exists()
    return made


def test_a_healthy_gateway_confirms_the_change(gateway: Gateway) -> None:
    result = gateway.check()

    assert {name: result[name] for name in gateway.seen} == gateway.seen
    assert result["changed"] is False
    assert not gateway.journal.exists()


@pytest.mark.parametrize("arguments", [{"confirm": False}, {"_ansible_check_mode": True}])
def test_the_rollback_journal_stays(gateway: Gateway, arguments: dict[str, Any]) -> None:
    assert gateway.check(**arguments)["answers"] is True
    assert gateway.journal.exists()


def test_a_gateway_with_problems_keeps_the_rollback_journal(gateway: Gateway) -> None:
    gateway.seen.update(answers=False, restart_reasons=[".env is newer than the process."])
    gateway.seen["variables"]["MOONSHOT_API_KEY"]["overriding_env"] = [
        {"place": "/home/gateway/.env", "fingerprint": "sha256:000000000000"}
    ]

    result = gateway.check()

    assert result["msg"] == (
        ".env is newer than the process. The gateway runs, but does not answer on port 18789. MOONSHOT_API_KEY is also "
        f"set in /home/gateway/.env, to another value (sha256:000000000000), which takes precedence over "
        f"{gateway.seen['env_path']}. Remove it there."
    )
    assert (result["failed"], result["config_path"]) == (True, gateway.seen["config_path"])
    assert gateway.journal.exists()


def test_a_gateway_that_does_not_list_its_models_keeps_the_rollback_journal(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_params: dict[str, Any]) -> dict[str, Any]:
        raise ClawdbotError("Gateway method models.list failed: no.", **gateway.seen)

    monkeypatch.setattr(gateway_state, "gather", fail)

    result = gateway.check()

    assert result["msg"] == "Gateway method models.list failed: no."
    assert result["config_path"] == gateway.seen["config_path"]
    assert gateway.journal.exists()
