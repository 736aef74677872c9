# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of the vendor for a chat of an agent: tools, thinking, fixed parameters; in both forms."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.module.mock_server.asking import AGENT, CHAT_CN, CHAT_KIMI, CN, KIMI, Reply, ask, connect, error
from tools import mock_server as tool

MESSAGES_KIMI = "/kimi/coding/v1/messages"
QUESTION = {"role": "user", "content": "Call the tool session_status, then answer."}
TOOL = {"name": "session_status", "parameters": {"type": "object", "properties": {}}}
OPENAI_TOOLS = [{"type": "function", "function": TOOL}]
ANTHROPIC_TOOLS = [{"name": "session_status", "input_schema": TOOL["parameters"]}]
MISSING = "thinking is enabled but reasoning_content is missing in assistant tool call message at index 1"
THOUGHT = "The user wants an answer, so I give one."


def ask_openai(mock_server: tool.MockServer, model: str, messages: list[Any], **more: Any) -> Reply:
    body = {"model": model, "messages": messages, "tools": OPENAI_TOOLS, **more}
    return ask(mock_server, "POST", CHAT_CN, CN, body)


def ask_anthropic(mock_server: tool.MockServer, messages: list[Any], agent: str = AGENT, **more: Any) -> Reply:
    body = {"model": "k3", "max_tokens": 99, "messages": messages, "tools": ANTHROPIC_TOOLS, **more}
    return ask(mock_server, "POST", MESSAGES_KIMI, KIMI, body, agent)


def invalid(detail: str) -> dict[str, Any]:
    return error(f"Invalid request: {detail}", "invalid_request_error")


FIXED = "this model allows its default only"
# Model, parameters -> why they are rejected, None for accepted.
PARAMETERS: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "temperature of K3": ("kimi-k3", {"temperature": 0.6}, f"invalid temperature: {FIXED}"),
    "the default of K3 as well": ("kimi-k3", {"n": 1}, f"invalid n: {FIXED}"),
    "top_p of K2.7": ("kimi-k2.7-code", {"top_p": 0.9}, f"invalid top_p: {FIXED}"),
    "presence_penalty": ("kimi-k2.7-code", {"presence_penalty": 0}, f"invalid presence_penalty: {FIXED}"),
    "frequency_penalty": (
        "kimi-k2.7-code-highspeed",
        {"frequency_penalty": 0},
        f"invalid frequency_penalty: {FIXED}",
    ),
    "temperature of K2.6": ("kimi-k2.6", {"temperature": 0.6}, None),
    "effort of K3": ("kimi-k3", {"reasoning_effort": "max"}, None),
    "another effort of K3": (
        "kimi-k3",
        {"reasoning_effort": "medium"},
        "invalid reasoning_effort: this model takes low or high or max",
    ),
    "effort of K2.7": (
        "kimi-k2.7-code",
        {"reasoning_effort": "low"},
        "invalid reasoning_effort: this model takes none",
    ),
    "thinking of K2.7": (
        "kimi-k2.7-code",
        {"thinking": {"type": "enabled"}},
        "thinking cannot be set for this model",
    ),
    "thinking of K3": ("kimi-k3", {"thinking": {"type": "disabled"}}, "thinking cannot be set for this model"),
    "thinking of K2.6": ("kimi-k2.6", {"thinking": {"type": "disabled"}}, None),
}


@pytest.mark.parametrize(("model", "more", "problem"), PARAMETERS.values(), ids=PARAMETERS.keys())
def test_parameters(mock_server: tool.MockServer, model: str, more: dict[str, Any], problem: str | None) -> None:
    reply = ask_openai(mock_server, model, [QUESTION], **more)
    if problem is None:
        assert reply.status == 200
    else:
        assert (reply.status, reply.json) == (400, invalid(problem))


@pytest.mark.parametrize("role", ["developer", "function", None])
def test_rejects_other_roles(mock_server: tool.MockServer, role: str | None) -> None:
    messages = [{"role": role, "content": "x"}, QUESTION]
    expected = f"invalid role {role!r} in message at index 0"
    assert ask_openai(mock_server, "kimi-k2.6", messages).json == invalid(expected)
    anthropic = {"type": "error", **invalid(expected)}
    assert ask_anthropic(mock_server, messages).json == anthropic


@pytest.mark.parametrize("model", ["kimi-k3", "kimi-k2.7-code", "kimi-k2.6"])
def test_a_tool_in_the_openai_form(mock_server: tool.MockServer, model: str) -> None:
    choice = ask_openai(mock_server, model, [QUESTION]).json["choices"][0]
    message = choice["message"]
    assert choice["finish_reason"] == "tool_calls"
    assert message["reasoning_content"] == THOUGHT
    assert message["tool_calls"][0]["function"] == {"name": "session_status", "arguments": "{}"}

    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "all is well"}
    # OpenClaw puts a message of its own behind the result.
    after = [QUESTION, message, result, {"role": "user", "content": "go on"}]
    choice = ask_openai(mock_server, model, after).json["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == (
        "session_status answered: all is well",
        "stop",
    )
    del message["reasoning_content"]
    reply = ask_openai(mock_server, model, after)
    assert (reply.status, reply.json) == (400, invalid(MISSING))
    assert [(r["tools"], r["tool_result"], r["status"]) for r in mock_server.requests()] == [
        (1, False, 200),
        (1, True, 200),
        (1, True, 400),
    ]


def test_without_thinking_no_reasoning_is_missing(mock_server: tool.MockServer) -> None:
    off = {"thinking": {"type": "disabled"}}
    message = ask_openai(mock_server, "kimi-k2.6", [QUESTION], **off).json["choices"][0]["message"]
    assert "reasoning_content" not in message
    after = [QUESTION, message, {"role": "tool", "tool_call_id": "1", "content": "x"}]
    assert ask_openai(mock_server, "kimi-k2.6", after, **off).status == 200
    assert ask_openai(mock_server, "kimi-k2.6", after).json == invalid(MISSING)


def test_a_tool_call_as_a_stream(mock_server: tool.MockServer) -> None:
    body = ask_openai(mock_server, "kimi-k3", [QUESTION], stream=True).body.decode()
    chunks = [json.loads(event.removeprefix("data: ")) for event in body.split("\n\n")[:-2]]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    calls = [delta["tool_calls"][0] for delta in deltas if "tool_calls" in delta]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == THOUGHT
    assert calls[0]["function"] == {"name": "session_status", "arguments": ""}
    assert "".join(call["function"]["arguments"] for call in calls) == "{}"
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_tool_that_is_not_offered_or_not_asked_for_is_not_called(mock_server: tool.MockServer) -> None:
    for text in ("Call the tool agents_list.", "What is your session_status?"):
        reply = ask_openai(mock_server, "kimi-k3", [{"role": "user", "content": text}]).json
        assert reply["choices"][0]["message"]["content"] == "Hello from kimi-k3 at Moonshot."


def test_gives_a_tool_what_it_requires(mock_server: tool.MockServer) -> None:
    properties = {"mode": {"type": "string", "enum": ["brief", "full"]}, "n": {"type": "integer"}, "more": {}}
    schema = {"type": "object", "properties": properties, "required": ["mode", "n"]}
    tools = [{"type": "function", "function": {"name": "session_status", "parameters": schema}}]
    reply = ask_openai(mock_server, "kimi-k3", [QUESTION], tools=tools).json
    arguments = reply["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert json.loads(arguments) == {"mode": "brief", "n": 0}


@pytest.mark.parametrize("thinking", [None, {"type": "enabled", "budget_tokens": 1024}, {"type": "adaptive"}])
def test_a_tool_in_the_anthropic_form(mock_server: tool.MockServer, thinking: dict[str, Any] | None) -> None:
    more = {} if thinking is None else {"thinking": thinking}
    first = ask_anthropic(mock_server, [QUESTION], **more).json
    thought = [{"type": "thinking", "thinking": THOUGHT, "signature": "bW9jaw=="}] if thinking else []
    call = first["content"][-1]
    assert first["content"][:-1] == thought
    assert (first["type"], first["stop_reason"]) == ("message", "tool_use")
    assert (call["type"], call["name"], call["input"]) == ("tool_use", "session_status", {})

    result = {"type": "tool_result", "tool_use_id": call["id"], "content": [{"type": "text", "text": "all is well"}]}
    after = [QUESTION, {"role": "assistant", "content": first["content"]}, {"role": "user", "content": [result]}]
    second = ask_anthropic(mock_server, after, **more).json
    assert second["content"] == [*thought, {"type": "text", "text": "session_status answered: all is well"}]
    assert second["stop_reason"] == "end_turn"
    after[1] = {"role": "assistant", "content": [call]}
    reply = ask_anthropic(mock_server, after, **more)
    expected = (400, {"type": "error", **invalid(MISSING)}) if thinking else (200, reply.json)
    assert (reply.status, reply.json) == expected


def test_streams_in_the_anthropic_form(mock_server: tool.MockServer) -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    body = ask_anthropic(mock_server, [QUESTION], stream=True, thinking=thinking).body.decode()
    pairs = [event.split("\n") for event in body.removesuffix("\n\n").split("\n\n")]
    events = [json.loads(data.removeprefix("data: ")) for _name, data in pairs]
    assert [name.removeprefix("event: ") for name, _data in pairs] == [event["type"] for event in events]
    types = [event["type"] for event in events if event["type"] != "content_block_delta"]
    block = ["content_block_start", "content_block_stop"]
    assert types == ["message_start", *block, *block, "message_delta", "message_stop"]
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert "".join(delta.get("thinking", "") for delta in deltas) == THOUGHT
    assert [delta["signature"] for delta in deltas if "signature" in delta] == ["bW9jaw=="]
    assert "".join(delta.get("partial_json", "") for delta in deltas) == "{}"
    assert events[-2]["delta"] == {"stop_reason": "tool_use", "stop_sequence": None}

    body = ask_anthropic(mock_server, [{"role": "user", "content": "hi"}], stream=True).body.decode()
    texts = [json.loads(line[6:]) for line in body.split("\n") if line.startswith("data: ")]
    assert "".join(text.get("delta", {}).get("text", "") for text in texts) == "Hello from k3 at Kimi Code."


AGENTS = {
    "KimiCLI/0.77": (200, 200),
    "claude-code/0.1.0": (200, 200),
    "Anthropic/JS 0.71.2": (403, 200),
    "undici": (403, 200),
    "OpenAI/JS 6.10.0": (403, 403),
    "openclaw/2026.9.6": (403, 403),
    "ansible-httpget": (403, 403),
    "undici-and-more": (403, 403),
}


@pytest.mark.parametrize(("agent", "expected"), AGENTS.items())
def test_admits_clients_by_form(mock_server: tool.MockServer, agent: str, expected: tuple[int, int]) -> None:
    body = {"model": "k3", "messages": [QUESTION]}
    openai = ask(mock_server, "POST", CHAT_KIMI, KIMI, body, agent).status
    assert (openai, ask_anthropic(mock_server, [QUESTION], agent).status) == expected


def test_takes_the_key_from_either_header(mock_server: tool.MockServer) -> None:
    fingerprint = tool.fingerprint(KIMI)
    connection_headers = {"X-Api-Key": KIMI, "User-Agent": "Anthropic/JS 0.71.2"}
    body = json.dumps({"model": "k3", "max_tokens": 9, "messages": [QUESTION]}).encode()
    connection = connect(mock_server)
    connection.request("POST", MESSAGES_KIMI, body, connection_headers)
    assert connection.getresponse().status == 200
    connection.close()
    assert [record["key_fingerprint"] for record in mock_server.requests()] == [fingerprint]


ANTHROPIC_ERRORS = {
    "no key": (None, {}, 401, "Invalid Authentication"),
    "unknown model": (KIMI, {"model": "kimi-k2.5"}, 404, "Not found the model kimi-k2.5 or Permission denied"),
    "no max_tokens": (KIMI, {"max_tokens": None}, 400, "Invalid request: max_tokens is required"),
    "no messages": (KIMI, {"messages": None}, 400, "Invalid request: model and messages are required"),
}


@pytest.mark.parametrize(("key", "more", "status", "message"), ANTHROPIC_ERRORS.values(), ids=ANTHROPIC_ERRORS.keys())
def test_errors_in_the_anthropic_form(
    mock_server: tool.MockServer, key: str | None, more: dict[str, Any], status: int, message: str
) -> None:
    body = {"model": "k3", "max_tokens": 9, "messages": [QUESTION], **more}
    reply = ask(mock_server, "POST", MESSAGES_KIMI, key, body, AGENT)
    assert (reply.status, reply.json["type"], reply.json["error"]["message"]) == (status, "error", message)


def test_moonshot_has_no_anthropic_form(mock_server: tool.MockServer) -> None:
    assert ask(mock_server, "POST", "/moonshot-cn/v1/messages", CN, {}).body == b"404 page not found"


def test_a_set_error_has_the_form_that_is_asked_in(mock_server: tool.MockServer) -> None:
    mock_server.set_fault("kimicode", "error", route="chat", error="engine_overloaded")
    expected = {
        "type": "engine_overloaded_error",
        "message": "The engine is currently overloaded, please try again later",
    }
    assert ask_anthropic(mock_server, [QUESTION]).json == {"type": "error", "error": expected}
    body = {"model": "k3", "messages": [QUESTION]}
    assert ask(mock_server, "POST", CHAT_KIMI, KIMI, body, AGENT).json == {"error": expected}
