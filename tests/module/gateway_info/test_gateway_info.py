# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import health
from ansible_collections.clawfleet.clawdbot.plugins.modules import gateway_info


def run(capsys: pytest.CaptureFixture[str], **arguments: Any) -> tuple[object, dict[str, Any]]:
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        gateway_info.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return ended.value.code, result


def test_a_gateway_that_does_not_list_its_models_fails_with_the_rest_of_its_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_arguments: object) -> list[str]:
        raise ClawdbotError("Gateway method models.list failed: no.")

    monkeypatch.setattr(health, "missing_models", fail)

    code, result = run(capsys, state_dir=str(tmp_path), service_manager="command", models=["moonshot/kimi-k2.5"])

    assert (code, result["failed"], result["msg"]) == (1, True, "Gateway method models.list failed: no.")
    assert (result["config_path"], result["env_path"]) == (f"{tmp_path}/clawdbot.json", f"{tmp_path}/.env")
    assert "models_missing" not in result


def test_a_provider_without_the_name_of_a_variable_is_rejected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result = run(capsys, state_dir=str(tmp_path), service_manager="command", providers={"moonshot": "sk-"})

    assert (code, result["msg"]) == (
        1,
        "providers.moonshot is not the name of an environment variable. Give the one that its `apiKey` refers to.",
    )
