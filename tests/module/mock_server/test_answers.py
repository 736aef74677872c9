# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the mock server answers: the listings, chats and errors of the vendors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.module.mock_server.asking import (
    ACCOUNT,
    AGENT,
    AI,
    CHAT_AI,
    CHAT_CN,
    CHAT_KIMI,
    CN,
    EXPIRED,
    INCORRECT,
    INVALID,
    KIMI,
    LIST_AI,
    LIST_CN,
    LIST_KIMI,
    MEMBERSHIP,
    MESSAGES,
    NO_MODEL,
    NO_OBJECT,
    NOT_ADMITTED,
    NOT_HERE,
    WRONG,
    ask,
    chat,
    error,
)
from tools import mock_server as tool

# Method, path, key, User-Agent, body -> status and body.
ANSWERS: dict[str, tuple[str, str, str | None, str | None, Any, int, Any]] = {
    "listing, no key": ("GET", LIST_CN, None, None, None, 401, INVALID),
    "listing, empty key": ("GET", LIST_CN, "", None, None, 401, INVALID),
    "listing, wrong key": ("GET", LIST_CN, WRONG, None, None, 401, INCORRECT),
    "listing, key of the other region": ("GET", LIST_CN, AI, None, None, 401, INCORRECT),
    "listing, key of the first region": ("GET", LIST_AI, CN, None, None, 401, INCORRECT),
    "listing, key of the other product": ("GET", LIST_CN, KIMI, None, None, 401, INCORRECT),
    "kimi listing, no key": ("GET", LIST_KIMI, None, None, None, 401, INVALID),
    "kimi listing, wrong key": ("GET", LIST_KIMI, WRONG, None, None, 401, EXPIRED),
    "kimi listing, key of moonshot": ("GET", LIST_KIMI, CN, AGENT, None, 401, EXPIRED),
    "chat, no key": ("POST", CHAT_CN, None, None, chat("kimi-k2.6"), 401, INVALID),
    "chat, wrong key": ("POST", CHAT_CN, WRONG, None, chat("kimi-k2.6"), 401, INCORRECT),
    "kimi chat, wrong key": ("POST", CHAT_KIMI, WRONG, AGENT, chat("kimi-for-coding"), 401, EXPIRED),
    "kimi chat, no agent": ("POST", CHAT_KIMI, KIMI, None, chat("kimi-for-coding"), 403, NOT_ADMITTED),
    "kimi chat, other agent": ("POST", CHAT_KIMI, KIMI, "OpenAI/JS 6.10.0", chat("kimi-for-coding"), 403, NOT_ADMITTED),
    "kimi chat, agent not at the start": (
        "POST",
        CHAT_KIMI,
        KIMI,
        f"curl/8 {AGENT}",
        chat("kimi-for-coding"),
        403,
        NOT_ADMITTED,
    ),
    "chat, unknown model": (
        "POST",
        CHAT_CN,
        CN,
        None,
        chat("moonlight-v1-32k"),
        404,
        error("Not found the model moonlight-v1-32k or Permission denied", "resource_not_found_error"),
    ),
    "chat, model of the other product": (
        "POST",
        CHAT_KIMI,
        KIMI,
        AGENT,
        chat("kimi-k2.6"),
        404,
        error("Not found the model kimi-k2.6 or Permission denied", "resource_not_found_error"),
    ),
    "chat, format characters in the model": (
        "POST",
        CHAT_CN,
        CN,
        None,
        chat("{detail}"),
        404,
        error("Not found the model {detail} or Permission denied", "resource_not_found_error"),
    ),
    "chat, no body": ("POST", CHAT_CN, CN, None, b"", 400, NO_OBJECT),
    "chat, bad JSON": ("POST", CHAT_CN, CN, None, b'{"model": ', 400, NO_OBJECT),
    "chat, deep JSON": ("POST", CHAT_CN, CN, None, b"[" * 200000, 400, NO_OBJECT),
    "chat, not UTF-8": ("POST", CHAT_CN, CN, None, b'{"model": "\xff"}', 400, NO_OBJECT),
    "chat, a list": ("POST", CHAT_CN, CN, None, [], 400, NO_OBJECT),
    "chat, no model": ("POST", CHAT_CN, CN, None, {"messages": MESSAGES}, 400, NO_MODEL),
    "chat, model is no string": ("POST", CHAT_CN, CN, None, chat(5), 400, NO_MODEL),
    "chat, no messages": ("POST", CHAT_CN, CN, None, {"model": "kimi-k2.6"}, 400, NO_MODEL),
    "no /v1": ("GET", "/moonshot-cn/models", CN, None, None, 404, NOT_HERE),
    "chat, no /v1": ("POST", "/moonshot-cn/chat/completions", CN, None, chat("kimi-k2.6"), 404, NOT_HERE),
    "anthropic base": ("GET", "/kimi/coding/models", KIMI, AGENT, None, 404, NOT_HERE),
    "/v1 twice": ("GET", "/moonshot-cn/v1/v1/models", CN, None, None, 404, NOT_HERE),
    "base only": ("GET", "/moonshot-cn/v1", CN, None, None, 404, NOT_HERE),
    "prefix only": ("GET", "/moonshot-cn", CN, None, None, 404, NOT_HERE),
    "longer name": ("GET", "/moonshot-cnx/v1/models", CN, None, None, 404, NOT_HERE),
    "no product": ("GET", "/v1/models", CN, None, None, 404, NOT_HERE),
    "other method": ("POST", LIST_CN, CN, None, {}, 404, NOT_HERE),
    "no key and no path": ("GET", "/moonshot-cn/models", None, None, None, 404, NOT_HERE),
}


@pytest.mark.parametrize("case", ANSWERS.values(), ids=ANSWERS.keys())
def test_rejects(mock_server: tool.MockServer, case: tuple[str, str, str | None, str | None, Any, int, Any]) -> None:
    method, path, key, agent, body, status, expected = case
    reply = ask(mock_server, method, path, key, body, agent)
    assert reply.status == status
    if isinstance(expected, bytes):
        assert (reply.body, reply.headers["Content-Type"]) == (expected, "text/plain")
    else:
        assert (reply.json, reply.headers["Content-Type"]) == (expected, "application/json")


# Path, key -> id and context length, as the vendor lists them.
MOONSHOT = {
    "kimi-k3": 1048576,
    "kimi-k2.7-code": 262144,
    "kimi-k2.7-code-highspeed": 262144,
    "kimi-k2.6": 262144,
}
CODING = {"kimi-for-coding": 262144, "kimi-for-coding-highspeed": 262144, "k3": 1048576, "k3-256k": 262144}
LISTINGS = {
    "moonshot-cn": (LIST_CN, CN, MOONSHOT),
    "moonshot-ai": (LIST_AI, AI, MOONSHOT),
    "kimicode": (LIST_KIMI, KIMI, CODING),
    "with a query": (f"{LIST_CN}?limit=1", CN, MOONSHOT),
    "asked as a proxy": (f"http://api.example{LIST_CN}", CN, MOONSHOT),
}


@pytest.mark.parametrize(("path", "key", "models"), LISTINGS.values(), ids=LISTINGS.keys())
def test_lists(mock_server: tool.MockServer, path: str, key: str, models: dict[str, int]) -> None:
    reply = ask(mock_server, "GET", path, key)
    assert reply.status == 200
    assert reply.json["object"] == "list"
    assert {entry["id"]: entry["context_length"] for entry in reply.json["data"]} == models
    expected = {"id", "object", "created", "owned_by", "context_length"}
    expected |= {"supports_image_in", "supports_video_in", "supports_reasoning"}
    if key == KIMI:
        expected |= {"display_name", "supports_thinking_type", "think_efforts"}
    assert all(set(entry) == expected for entry in reply.json["data"])
    assert {(entry["object"], entry["owned_by"]) for entry in reply.json["data"]} == {("model", "moonshot")}


THOUGHT = "The user wants an answer, so I give one."
CHATS = {
    "moonshot-cn": (CHAT_CN, CN, None, "kimi-k2.6", "Hello from kimi-k2.6 at Moonshot."),
    "moonshot-ai": (CHAT_AI, AI, None, "kimi-k3", "Hello from kimi-k3 at Moonshot international."),
    "kimicode, Kimi CLI": (CHAT_KIMI, KIMI, AGENT, "kimi-for-coding", "Hello from kimi-for-coding at Kimi Code."),
    "kimicode, Claude Code": (
        CHAT_KIMI,
        KIMI,
        "claude-code/0.1.0",
        "kimi-for-coding",
        "Hello from kimi-for-coding at Kimi Code.",
    ),
}


@pytest.mark.parametrize(("path", "key", "agent", "model", "text"), CHATS.values(), ids=CHATS.keys())
def test_chats(mock_server: tool.MockServer, path: str, key: str, agent: str | None, model: str, text: str) -> None:
    reply = ask(mock_server, "POST", path, key, chat(model), agent).json
    words = len(text.split())
    assert reply["object"] == "chat.completion"
    assert reply["model"] == model
    assert reply["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": text, "reasoning_content": THOUGHT},
            "finish_reason": "stop",
        }
    ]
    assert reply["usage"] == {"prompt_tokens": 8, "completion_tokens": words, "total_tokens": 8 + words}


@pytest.mark.parametrize(("path", "key", "agent", "model", "text"), CHATS.values(), ids=CHATS.keys())
@pytest.mark.parametrize("options", [{"include_usage": True}, {"include_usage": False}, {}, None, "usage"])
def test_streams(
    mock_server: tool.MockServer, path: str, key: str, agent: str | None, model: str, text: str, options: Any
) -> None:
    asked = chat(model, stream=True, stream_options=options)
    usage = options == {"include_usage": True}
    reply = ask(mock_server, "POST", path, key, asked, agent)
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "text/event-stream"
    assert reply.headers["Transfer-Encoding"] == "chunked"
    *events, done, end = reply.body.decode().split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    last = chunks.pop() if usage else None
    assert {(chunk["object"], chunk["model"]) for chunk in chunks} == {("chat.completion.chunk", model)}
    assert len({chunk["id"] for chunk in chunks}) == 1
    choices = [chunk["choices"][0] for chunk in chunks]
    assert choices[0]["delta"] == {"role": "assistant", "content": ""}
    assert "".join(choice["delta"].get("content", "") for choice in choices) == text
    assert "".join(choice["delta"].get("reasoning_content", "") for choice in choices) == THOUGHT
    assert [choice["finish_reason"] for choice in choices] == [None] * (len(choices) - 1) + ["stop"]
    if last is not None:
        words = len(text.split())
        assert last["choices"] == []
        assert last["usage"] == {"prompt_tokens": 8, "completion_tokens": words, "total_tokens": 8 + words}


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize(
    ("limit", "text", "finish"),
    [
        (1, "Hello", "length"),
        (4, "Hello from kimi-k2.6 at", "length"),
        (5, "Hello from kimi-k2.6 at Moonshot.", "stop"),
        (-1, "Hello from kimi-k2.6 at Moonshot.", "stop"),
        ("1", "Hello from kimi-k2.6 at Moonshot.", "stop"),
    ],
)
def test_keeps_to_the_number_of_tokens(
    mock_server: tool.MockServer, name: str, limit: Any, text: str, finish: str
) -> None:
    reply = ask(mock_server, "POST", CHAT_CN, CN, chat("kimi-k2.6", **{name: limit})).json
    assert (reply["choices"][0]["message"]["content"], reply["choices"][0]["finish_reason"]) == (text, finish)


# How a key can be rejected -> status, type, message, Retry-After.
REJECTIONS = {
    "invalid_authentication": (401, "invalid_authentication_error", "Invalid Authentication", None),
    "incorrect_api_key": (401, "incorrect_api_key_error", "Incorrect API key provided", None),
    "expired_api_key": (401, EXPIRED["error"]["type"], EXPIRED["error"]["message"], None),
    "wrong_model_id": (
        401,
        "invalid_authentication_error",
        "Your model id does not exist, recognized as other: kimi-k2.6",
        None,
    ),
    "membership": (
        402,
        MEMBERSHIP["error"]["type"],
        MEMBERSHIP["error"]["message"],
        None,
    ),
    "client_not_admitted": (403, NOT_ADMITTED["error"]["type"], NOT_ADMITTED["error"]["message"], None),
    "usage_limit": (
        403,
        "access_terminated_error",
        "You've reached your usage limit for this billing cycle. Your quota will be refreshed in the next cycle.",
        None,
    ),
    "model_not_found": (
        404,
        "resource_not_found_error",
        "Not found the model kimi-k2.6 or Permission denied",
        None,
    ),
    "rate_limit": (
        429,
        "rate_limit_reached_error",
        f"Your account {ACCOUNT} request reached organization max RPM: 3, please try again after 1 seconds",
        "1",
    ),
    "exceeded_quota": (
        429,
        "exceeded_current_quota_error",
        f"Your account {ACCOUNT} is suspended due to insufficient balance, please recharge your account or check "
        "your plan and billing details",
        None,
    ),
    "engine_overloaded": (
        429,
        "engine_overloaded_error",
        "The engine is currently overloaded, please try again later",
        None,
    ),
    "bad_request": (400, "invalid_request_error", "Invalid request: ", None),
}


def test_every_error_is_in_the_table() -> None:
    assert REJECTIONS.keys() == tool.ERRORS.keys()


@pytest.mark.parametrize(("name", "expected"), REJECTIONS.items(), ids=REJECTIONS.keys())
def test_rejects_a_key_with_the_chosen_error(
    mock_server: tool.MockServer, name: str, expected: tuple[int, str, str, str | None]
) -> None:
    mock_server.add_key("moonshot-cn", CN, rejected=name)
    reply = ask(mock_server, "POST", CHAT_CN, CN, chat("kimi-k2.6"))
    got = (reply.status, reply.json["error"]["type"], reply.json["error"]["message"], reply.headers.get("Retry-After"))
    assert got == expected
    assert ask(mock_server, "GET", LIST_CN, CN).status == expected[0]
    assert ask(mock_server, "GET", LIST_AI, AI).status == 200


def test_knows_the_rate_limit_of_a_key(mock_server: tool.MockServer) -> None:
    mock_server.add_key("moonshot-cn", CN, rpm=3)
    assert [ask(mock_server, "GET", LIST_CN, CN).status for _time in range(3)] == [200, 200, 200]
    reply = ask(mock_server, "POST", CHAT_CN, CN, chat("kimi-k2.6"))
    assert reply.status == 429
    seconds = reply.headers["Retry-After"]
    assert 55 <= int(seconds) <= 60
    assert reply.json == error(
        f"Your account {ACCOUNT} request reached organization max RPM: 3, please try again after {seconds} seconds",
        "rate_limit_reached_error",
    )
    mock_server.add_key("moonshot-cn", WRONG)
    assert ask(mock_server, "GET", LIST_CN, WRONG).status == 200


def test_keys_come_and_go(mock_server: tool.MockServer) -> None:
    assert ask(mock_server, "GET", LIST_CN, WRONG).status == 401
    mock_server.add_key("moonshot-cn", WRONG)
    assert ask(mock_server, "GET", LIST_CN, WRONG).status == 200
    mock_server.revoke_key("moonshot-cn", CN)
    mock_server.revoke_key("moonshot-cn", "sk-was-never-there")
    assert ask(mock_server, "GET", LIST_CN, CN).json == INCORRECT
    assert ask(mock_server, "GET", LIST_CN, WRONG).status == 200


def test_accepts_a_model_that_is_not_listed(mock_server: tool.MockServer) -> None:
    mock_server.accept_model("moonshot-cn", "kimi-latest")
    assert ask(mock_server, "POST", CHAT_CN, CN, chat("kimi-latest")).status == 200
    assert ask(mock_server, "POST", CHAT_AI, AI, chat("kimi-latest")).status == 404
    assert "kimi-latest" not in {entry["id"] for entry in ask(mock_server, "GET", LIST_CN, CN).json["data"]}


def test_lists_and_accepts_the_models_of_a_key(mock_server: tool.MockServer) -> None:
    mock_server.add_key("moonshot-cn", CN, models=[*tool.GUIDE_MODELS, "own-model"])
    listed = ask(mock_server, "GET", LIST_CN, CN).json["data"]
    assert {entry["id"]: entry.get("context_length") for entry in listed} == {
        "kimi-k2.5": 262144,
        "moonshot-v1-8k": 8192,
        "moonshot-v1-32k": 32768,
        "moonshot-v1-128k": 131072,
        "own-model": None,
    }
    assert ask(mock_server, "POST", CHAT_CN, CN, chat("kimi-k2.5")).status == 200
    assert ask(mock_server, "POST", CHAT_CN, CN, chat("kimi-k3")).status == 404
    assert ask(mock_server, "POST", CHAT_AI, AI, chat("kimi-k2.5")).json == error(
        "Not found the model kimi-k2.5 or Permission denied", "resource_not_found_error"
    )
