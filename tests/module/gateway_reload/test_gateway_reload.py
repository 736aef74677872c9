# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.modules import gateway_reload


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The answers of the gateway; the methods that it was asked are put in their place."""
    answers: list[Any] = []

    def call(_gateway: Gateway, method: str, params: Any, timeout: float) -> Any:
        answer = answers.pop(0)
        answers.append((method, params, timeout))
        return answer

    monkeypatch.setattr(Gateway, "call", call)
    return answers


def run(capsys: pytest.CaptureFixture[str], directory: Path, **arguments: Any) -> dict[str, Any]:
    given = {"state_dir": str(directory), "program": ["openclaw"], "service_manager": "command", **arguments}
    with patch_module_args({"product": "openclaw", **given}), pytest.raises(SystemExit) as ended:
        gateway_reload.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (ended.value.code == 1) == result.get("failed", False)
    return result


def test_the_gateway_reads_its_keys_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, answers: list[Any]
) -> None:
    answers.append({"ok": True, "warningCount": 0})
    assert run(capsys, tmp_path, timeout=7)["changed"] is True
    assert answers == [("secrets.reload", {}, 7.0)]


def test_check_mode_asks_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path, answers: list[Any]) -> None:
    assert run(capsys, tmp_path, _ansible_check_mode=True)["changed"] is True
    assert answers == []


@pytest.mark.parametrize("answer", [{"ok": True, "warningCount": 2}, {"ok": True}, None, []])
def test_a_key_that_could_not_be_read_is_a_failure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, answers: list[Any], answer: Any
) -> None:
    answers.append(answer)
    assert run(capsys, tmp_path)["msg"] == (
        f"OpenClaw could not read every key again: it answers {answer}. Run `openclaw secrets audit` on the host."
    )


def test_no_key_is_in_the_message_of_a_failure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, answers: list[Any]
) -> None:
    in_file, in_env = "Zq8-0123456789", "Zq9-0123456789"
    (tmp_path / "clawfleet-keys.json").write_text(json.dumps({"MOONSHOT_API_KEY": in_file}))
    (tmp_path / ".env").write_text(f"KIMICODE_API_KEY={in_env}\n")
    answers.append({"warnings": [in_file, in_env]})
    shown = {"warnings": [f"<{fingerprint(key)}>" for key in (in_file, in_env)]}
    assert run(capsys, tmp_path)["msg"] == (
        f"OpenClaw could not read every key again: it answers {shown}. Run `openclaw secrets audit` on the host."
    )


def test_clawdbot_is_rejected(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    failed = run(capsys, tmp_path, product="clawdbot")
    assert failed["msg"] == "Clawdbot reads keys only at its start: restart it instead."
