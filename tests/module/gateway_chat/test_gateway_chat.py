# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import chat
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.chat_answers import ChatResult
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.state import Service
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import gateway_chat as chat_module
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Listener
from ansible_collections.clawfleet.clawdbot.plugins.modules import gateway_chat

from tests.unit.plugins.module_utils._gateway.observations import observation

MODELS = ["moonshot/kimi-k2.5", "kimicode/kimi-for-coding"]


#: The warnings of the modules that a test runs.
Warnings = list[str]


@pytest.fixture(autouse=True)
def warnings(monkeypatch: pytest.MonkeyPatch) -> Warnings:
    # Ansible prints warnings or returns them, depending on what else the process has loaded.
    warnings: Warnings = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: warnings.append(text))
    return warnings


def run(capsys: pytest.CaptureFixture[str], directory: Path, **arguments: Any) -> dict[str, Any]:
    given = {"state_dir": str(directory), "program": ["clawdbot"], "models": MODELS, **arguments}
    with patch_module_args(given), pytest.raises(SystemExit) as ended:
        gateway_chat.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (ended.value.code == 1) == result.get("failed", False)
    return result


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, ChatResult]:
    """The answer of each model; the message to it must go to the agent of the config."""
    (tmp_path / "clawdbot.json").write_text("{agents: {list: [{id: 'work'}]}}")
    answers = {model: ChatResult(model, True, "ready", "ls") for model in MODELS}

    def send(_gateway: object, agent: str, model: str, kind: str, timeout: float) -> ChatResult:
        assert (agent, timeout) == ("work", 60)
        # Where no tool is asked for, none is named.
        return answers[model] if kind == "tool" else dataclasses.replace(answers[model], tool=None)

    monkeypatch.setattr(chat, "send", send)
    return answers


@pytest.mark.usefixtures("answers")
def test_the_answer_of_each_model_is_returned(
    warnings: Warnings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(capsys, tmp_path)

    assert result["chats"] == [{"model": model, "ok": True, "message": "ready", "tool": None} for model in MODELS]
    assert result["changed"] is False
    assert warnings == []


@pytest.mark.usefixtures("answers")
def test_the_tool_that_each_model_has_called_is_returned(
    warnings: Warnings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(capsys, tmp_path, kind="tool")

    assert result["chats"] == [{"model": model, "ok": True, "message": "ready", "tool": "ls"} for model in MODELS]
    assert warnings == []


UNPROVEN = (
    "The gateway offers its agent none of the tools tool_search, ls, session_status, agents_list. So tool calls are "
    "not verified for {models}. Check `tools` in its config."
)


def test_a_gateway_without_tools_is_a_warning(
    answers: dict[str, ChatResult], warnings: Warnings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers.update({model: ChatResult(model, True, "ready") for model in MODELS})

    result = run(capsys, tmp_path, kind="tool")

    assert result["chats"] == [{"model": model, "ok": True, "message": "ready", "tool": None} for model in MODELS]
    assert warnings == [UNPROVEN.format(models=", ".join(MODELS))]

    # A failure is no matter of the tools that are offered.
    warnings.clear()
    answers[MODELS[0]] = ChatResult(MODELS[0], False, "x")
    failed = run(capsys, tmp_path, kind="tool")
    assert failed["msg"] == f"No answer through the gateway. {MODELS[0]}: x"
    assert warnings == [UNPROVEN.format(models=MODELS[1])]


def test_a_model_without_an_answer_fails_the_module_with_all_answers(
    answers: dict[str, ChatResult], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers[MODELS[1]] = ChatResult(MODELS[1], False, "kimicode/kimi-for-coding failed: 401")

    result = run(capsys, tmp_path)

    assert result["msg"] == (
        "No answer through the gateway. kimicode/kimi-for-coding: kimicode/kimi-for-coding failed: 401"
    )
    assert [one["ok"] for one in result["chats"]] == [True, False]


def test_check_mode_sends_no_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, tmp_path, _ansible_check_mode=True)["chats"] == []


CONFIGS: dict[str, tuple[str | None, str]] = {
    "missing": (None, "Config {config} does not exist."),
    "broken": (
        "{",
        "Cannot read {config}: expected a member name or '}}', found the end of the document at line 1, column 2.",
    ),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_that_cannot_be_read_fails_the_module(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, message = CONFIGS[name]
    config = tmp_path / "clawdbot.json"
    if content is not None:
        config.write_text(content)

    result = run(capsys, tmp_path)

    assert (result["msg"], result["chats"]) == (message.format(config=config), [])


def test_the_gateway_is_called_where_it_listens_in_the_environment_of_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "clawdbot.json").write_text("{}")
    asked: list[Any] = []
    listener = Listener("::1", 19001)
    seen = observation(listener=listener, cli_environment={"TOKEN": "t"})
    monkeypatch.setattr(chat_module, "observe", lambda _product, _paths, service, _names: asked.append(service) or seen)
    monkeypatch.setattr(
        chat_module, "Gateway", lambda *arguments: asked.append(arguments[3:5]) or contextlib.nullcontext()
    )
    monkeypatch.setattr(chat, "send", lambda _gateway, _agent, model, *_more: ChatResult(model, True, "ready"))

    run(capsys, tmp_path, service_manager="systemd_system", service_name="u")

    assert asked == [Service("systemd_system", "u"), (listener, {"TOKEN": "t"})]
