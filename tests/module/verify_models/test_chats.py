# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chat probe."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from tests.module.verify_models.behaviours import (
    KIMI_403,
    chat,
    chats,
)
from tests.module.verify_models.hints import (
    ADMIT,
    BEHIND_PROXY,
    CHECK_ANSWER,
    CHECK_KEY,
    CHECK_PATH,
    CHECK_URL,
    LATER,
    OTHER_MODEL,
    OWN_AGENT,
    OWN_AGENT_IN_OPENAI_FORM,
    REDIRECT,
    REFUSED,
    UNLISTED,
)
from tests.module.verify_models.probing import (
    KEY,
    expected,
    only,
    provider,
    run,
)
from tests.module.verify_models.raw_server import (
    RawServer,
    Received,
    answer,
    error,
    json_answer,
    listing,
)


def test_a_chat_is_sent_as_clawdbot_sends_it() -> None:
    models = [{"id": "a", "headers": {"User-Agent": "KimiCLI/0.77", "X-Model": "a"}}, "b"]
    headers = {"User-Agent": "Other/1", "X-Both": "yes"}
    with RawServer(chats(("a", "b"))) as server:
        code, result, _printed = run(
            provider(server, models=models, headers=headers, unlisted_models=["c"]), probe="chat"
        )
    found = expected("ok", 200, "listed: a, b; answered: a, b, c", "", listed=["a", "b"])
    assert only(result) == found
    assert code == 0
    asked = server.received[1]
    assert [request.target for request in server.received] == ["/v1/models", *["/v1/chat/completions"] * 3]
    question = {"model": "a", "messages": [{"role": "user", "content": "test"}], "max_tokens": 1, "stream": False}
    assert json.loads(asked.body) == question
    assert asked.headers == {
        "accept-encoding": "identity",
        "host": server.netloc,
        "user-agent": "KimiCLI/0.77",
        "authorization": f"Bearer {KEY}",
        "content-type": "application/json",
        "content-length": str(len(asked.body)),
        "x-model": "a",
        "x-both": "yes",
        "connection": "close",
    }
    assert server.received[2].headers["user-agent"] == "Other/1"
    assert "x-model" not in server.received[2].headers


def test_the_anthropic_protocol() -> None:
    def behave(connection: socket.socket, request: Received) -> None:
        done = json_answer(200, {"type": "message", "content": [], "stop_reason": "max_tokens"})
        connection.sendall(listing("k3") if request.method == "GET" else done)

    with RawServer(behave) as server:
        asked = provider(server, api="anthropic-messages", models=["k3"], base_url=f"http://{server.netloc}/coding/")
        code, result, _printed = run(asked, probe="chat")
    assert (code, only(result)["message"]) == (0, "listed: k3; answered: k3")
    listed, chatted = server.received
    assert (listed.target, chatted.target) == ("/coding/v1/models", "/coding/v1/messages")
    assert (listed.headers["x-api-key"], listed.headers["authorization"]) == (KEY, f"Bearer {KEY}")
    assert (chatted.headers["x-api-key"], chatted.headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert "authorization" not in chatted.headers


@dataclass(frozen=True)
class Chat:
    """The answer to a chat with the model `a` and the expected result. `{url}` is the chat's."""

    answer: bytes
    status: str
    http_status: int | None
    message: str
    hint: str
    listed: tuple[str, ...] = ("a",)
    unlisted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


NO_MODEL = "Not found the model a or Permission denied"
CHATS: Mapping[str, Chat] = {
    "not for this key": Chat(
        error(404, "resource_not_found_error", NO_MODEL),
        "model_unusable",
        404,
        f"a cannot be used: {{url}} answered 404: {NO_MODEL}",
        OTHER_MODEL,
    ),
    "401 for a model": Chat(
        error(401, "x", "Your model id does not exist, recognized as other: a"),
        "model_unusable",
        401,
        "a cannot be used: {url} answered 401: Your model id does not exist, recognized as other: a",
        OTHER_MODEL,
    ),
    "401 for the key": Chat(
        error(401, "x", "Invalid Authentication"),
        "unauthorized",
        401,
        "the endpoint lists models, but {url} answered 401: Invalid Authentication",
        CHECK_KEY,
    ),
    "403 for a model": Chat(
        error(403, "permission_denied_error", "no"),
        "model_unusable",
        403,
        "a cannot be used: {url} answered 403: no",
        OTHER_MODEL,
    ),
    "403 for the agent": Chat(
        error(403, "access_terminated_error", KIMI_403),
        "client_not_admitted",
        403,
        "the endpoint lists models, but {url} rejected the client that asked (ansible-httpget), not the gateway, with"
        f" 403: {KIMI_403}",
        OWN_AGENT_IN_OPENAI_FORM,
    ),
    "403 of something in between": Chat(
        json_answer(403, {"message": "Forbidden"}),
        "unauthorized",
        403,
        "the endpoint lists models, but {url} answered 403: Forbidden",
        CHECK_KEY,
    ),
    "400": Chat(
        error(400, "invalid_request_error", "bad"),
        "request_refused",
        400,
        "the chat with a was rejected: {url} answered 400: bad",
        REFUSED,
    ),
    "422 of FastAPI": Chat(
        json_answer(422, {"detail": [{"msg": "Input should be less than 1"}]}),
        "request_refused",
        422,
        "the chat with a was rejected: {url} answered 422: Input should be less than 1",
        REFUSED,
    ),
    "400 for a model": Chat(
        json_answer(400, {"error": {"message": "Invalid model name passed in model=a. Call `/v1/models`"}}),
        "model_unusable",
        400,
        "a cannot be used: {url} answered 400: Invalid model name passed in model=a. Call `/v1/models`",
        OTHER_MODEL,
    ),
    "404 for a model, in another shape": Chat(
        json_answer(404, {"object": "error", "message": "The model `a` does not exist.", "type": "NotFoundError"}),
        "model_unusable",
        404,
        "a cannot be used: {url} answered 404: The model `a` does not exist.",
        OTHER_MODEL,
    ),
    "404 in Anthropic's words": Chat(
        json_answer(404, {"type": "error", "error": {"type": "not_found_error", "message": "model: a"}}),
        "model_unusable",
        404,
        "a cannot be used: {url} answered 404: model: a",
        OTHER_MODEL,
    ),
    "401 of what LiteLLM asks": Chat(
        error(401, "authentication_error", "litellm.AuthenticationError: Incorrect API key provided"),
        "model_unusable",
        401,
        "a cannot be used: {url} answered 401: litellm.AuthenticationError: Incorrect API key provided",
        BEHIND_PROXY,
    ),
    "401 for a model, by LiteLLM": Chat(
        error(401, "key_model_access_denied", "key not allowed to access model"),
        "model_unusable",
        401,
        "a cannot be used: {url} answered 401: key not allowed to access model",
        OTHER_MODEL,
    ),
    "403 of what LiteLLM asks": Chat(
        error(403, "permission_error", f"litellm.PermissionDeniedError: {KIMI_403}"),
        "model_unusable",
        403,
        f"a cannot be used: {{url}} answered 403: litellm.PermissionDeniedError: {KIMI_403}",
        BEHIND_PROXY,
    ),
    "404 of FastAPI": Chat(
        json_answer(404, {"detail": "Not Found"}),
        "wrong_base_url",
        404,
        "the endpoint lists models, but {url} answered 404: Not Found",
        CHECK_PATH,
    ),
    "overloaded engine": Chat(
        error(429, "engine_overloaded_error", "The engine is currently overloaded"),
        "server_error",
        429,
        "the endpoint lists models, but {url} answered 429: The engine is currently overloaded",
        LATER,
    ),
    "404 of no API": Chat(
        answer(404, b"<html>"),
        "wrong_base_url",
        404,
        "the endpoint lists models, but {url} answered 404: an HTML page",
        CHECK_PATH,
    ),
    "500": Chat(
        answer(500, b""),
        "server_error",
        500,
        "the endpoint lists models, but {url} answered 500: an empty body",
        LATER,
    ),
    "redirect": Chat(
        answer(302, b"", "Location: /v1/chat/completions"),
        "redirect_refused",
        302,
        "the endpoint lists models, but {url} redirects to {url}: not followed",
        REDIRECT,
    ),
    "no choices": Chat(
        json_answer(200, {"choices": []}),
        "invalid_response",
        200,
        "the endpoint lists models, but {url} answered 200 with JSON that is not a chat completion",
        CHECK_ANSWER,
    ),
    "a stream": Chat(
        answer(200, b'data: {"choices": [{}]}\n\n', "Content-Type: text/event-stream"),
        "not_an_api",
        200,
        'the endpoint lists models, but {url} answered 200: data: {{"choices": [{{}}]}}',
        CHECK_URL,
    ),
    "not listed": Chat(
        chat("a"),
        "model_missing",
        200,
        "not listed: a",
        f"127.0.0.1 lists no model for this key. {UNLISTED}",
        listed=(),
        missing=("a",),
    ),
    "unlisted, and unknown": Chat(
        error(404, "resource_not_found_error", NO_MODEL),
        "model_missing",
        200,
        f"a is neither listed nor accepted: {{url}} answered 404: {NO_MODEL}",
        f"127.0.0.1 lists no model for this key. {UNLISTED}",
        listed=(),
        unlisted=("a",),
        missing=("a",),
    ),
    "unlisted, and unknown by 400": Chat(
        error(400, "invalid_request_error", "Model Not Exist"),
        "model_missing",
        200,
        "a is neither listed nor accepted: {url} answered 400: Model Not Exist",
        f"127.0.0.1 lists no model for this key. {UNLISTED}",
        listed=(),
        unlisted=("a",),
        missing=("a",),
    ),
    "unlisted, and another 404": Chat(
        error(404, "not_found_error", "litellm.NotFoundError: 404 page not found"),
        "model_unusable",
        404,
        "a cannot be used: {url} answered 404: litellm.NotFoundError: 404 page not found",
        OTHER_MODEL,
        listed=(),
        unlisted=("a",),
    ),
    "unlisted, and rejected": Chat(
        error(403, "x", "bad"),
        "model_unusable",
        403,
        "a cannot be used: {url} answered 403: bad",
        OTHER_MODEL,
        listed=(),
        unlisted=("a",),
    ),
}


@pytest.mark.parametrize("row", CHATS.values(), ids=CHATS)
def test_a_fault_of_a_chat(row: Chat) -> None:
    with RawServer(chats(row.listed, a=row.answer)) as server:
        asked = provider(server, models=["a"], unlisted_models=list(row.unlisted))
        code, result, _printed = run(asked, probe="chat")
    assert only(result) == expected(
        row.status,
        row.http_status,
        row.message.format(url=f"http://{server.netloc}/v1/chat/completions"),
        row.hint,
        listed=list(row.listed),
        missing=list(row.missing),
        suggestions={model_id: [] for model_id in row.missing},
    )
    assert code == 1
    # A model that the listing shows to be missing is not asked, which spares the rate limit.
    assert len(server.received) == (1 if row.status == "model_missing" and not row.unlisted else 2)


def test_a_rejected_model_does_not_hide_the_others() -> None:
    rejected = error(404, "resource_not_found_error", NO_MODEL)
    with RawServer(chats(("a", "b"), a=rejected, b=rejected)) as server:
        _code, result, _printed = run(provider(server, models=["a", "b", "c"]), probe="chat")
    url = f"http://{server.netloc}/v1/chat/completions"
    found = only(result)
    assert (found["status"], found["missing"]) == ("model_missing", ["c"])
    assert found["message"] == "; ".join(
        ["not listed: c", *(f"{model} cannot be used: {url} answered 404: {NO_MODEL}" for model in "ab")]
    )


def test_only_listed_models_are_asked() -> None:
    with RawServer(chats(("a", "b"))) as server:
        code, result, _printed = run(provider(server, models=["a", "b", "c"], optional_models=["b", "c"]), probe="chat")
    assert only(result) == expected(
        "ok",
        200,
        "listed: a, b; optional, not listed: c; answered: a, b",
        "",
        listed=["a", "b"],
        optional_missing=["c"],
    )
    assert code == 0
    assert [json.loads(request.body)["model"] for request in server.received[1:]] == ["a", "b"]


RETIRED = "Not found the model kimi-k2.5 or Permission denied"


@pytest.mark.parametrize("listed", [("kimi-k3",), ("kimi-k2.5", "kimi-k3")], ids=["unlisted", "listed"])
def test_a_chat_with_a_retired_model(listed: tuple[str, ...]) -> None:
    behaviour = chats(listed, **{"kimi-k2.5": error(404, "resource_not_found_error", RETIRED)})
    unlisted = [] if "kimi-k2.5" in listed else ["kimi-k2.5"]
    with RawServer(behaviour) as server:
        code, result, _printed = run(
            provider(server, models=["kimi-k2.5", "kimi-k3"], unlisted_models=unlisted), probe="chat"
        )
    assert only(result) == expected(
        "model_retired",
        404,
        "kimi-k2.5 was retired by Moonshot on 2026-08-31; use kimi-k3",
        "Replace kimi-k2.5 with kimi-k3.",
        listed=list(listed),
        missing=unlisted,
        suggestions={model_id: ["kimi-k3"] for model_id in unlisted},
    )
    assert code == 1


def test_a_404_that_is_not_about_the_model_is_no_retirement() -> None:
    behaviour = chats(("kimi-k2.5",), **{"kimi-k2.5": error(404, "not_found_error", "404 page not found")})
    with RawServer(behaviour) as server:
        _code, result, _printed = run(provider(server), probe="chat")
    url = f"http://{server.netloc}/v1/chat/completions"
    assert (only(result)["status"], only(result)["message"]) == (
        "model_unusable",
        f"kimi-k2.5 cannot be used: {url} answered 404: 404 page not found",
    )


def test_a_retired_model_that_still_answers() -> None:
    with RawServer(chats(("kimi-k2.5",))) as server:
        code, result, _printed = run(provider(server), probe="chat")
    assert (code, only(result)["message"]) == (0, "listed: kimi-k2.5; answered: kimi-k2.5")


def test_a_refused_chat_does_not_hide_the_others() -> None:
    refused, rejected = error(400, "x", "bad"), error(403, "x", "no")
    with RawServer(chats(("a", "b", "c"), a=refused, b=rejected)) as server:
        _code, result, _printed = run(provider(server, models=["a", "b", "c"]), probe="chat")
    url = f"http://{server.netloc}/v1/chat/completions"
    found = only(result)
    assert (found["status"], found["http_status"], found["hint"]) == ("model_unusable", 403, OTHER_MODEL)
    assert found["message"] == (
        f"the chat with a was rejected: {url} answered 400: bad; b cannot be used: {url} answered 403: no"
    )
    assert len(server.received) == 4


def test_a_prober_that_is_rejected_in_anthropics_form_says_nothing_about_the_gateway() -> None:
    def behave(connection: socket.socket, request: Received) -> None:
        rejected = json_answer(
            403, {"type": "error", "error": {"type": "access_terminated_error", "message": KIMI_403}}
        )
        connection.sendall(listing("a") if request.method == "GET" else rejected)

    with RawServer(behave) as server:
        asked = provider(server, api="anthropic-messages", models=["a"], base_url=f"http://{server.netloc}/coding/")
        _code, result, _printed = run(asked, probe="chat")
    assert only(result) == expected(
        "client_not_admitted",
        403,
        f"the endpoint lists models, but http://{server.netloc}/coding/v1/messages rejected the client that asked"
        f" (ansible-httpget), not the gateway, with 403: {KIMI_403}",
        OWN_AGENT,
        listed=["a"],
    )


def test_an_agent_of_the_provider_block_is_the_gateways_too() -> None:
    behaviour = chats(("a", "b"), b=error(403, "access_terminated_error", KIMI_403))
    models = ["a", {"id": "b", "headers": {"user-agent": "curl/8"}}]
    with RawServer(behaviour) as server:
        _code, result, _printed = run(provider(server, models=models), probe="chat")
    found = only(result)
    url = f"http://{server.netloc}/v1/chat/completions"
    assert (found["status"], found["hint"]) == ("client_not_admitted", ADMIT)
    assert found["message"] == f"the endpoint lists models, but {url} answered 403: {KIMI_403}"


def test_a_fault_of_the_account_ends_the_chats() -> None:
    with RawServer(chats(("a", "b"), a=error(429, "exceeded_current_quota_error", "pay"))) as server:
        _code, result, _printed = run(provider(server, models=["a", "b"]), probe="chat")
    assert only(result)["status"] == "quota_exhausted"
    assert len(server.received) == 2
