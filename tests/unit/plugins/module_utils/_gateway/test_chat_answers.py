# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.chat_answers import (
    HARMLESS_TOOLS,
    ChatResult,
    judge_result,
    judge_tool_call,
    judge_transcript,
    messages_of,
    offered_tools,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils._gateway.chat_cases import MODEL, answer, answered, call, offering, tool_result

NOTHING = "moonshot/kimi-k2.5 returned an empty answer. Check that its baseUrl is that of an API."
JUDGED: dict[str, tuple[dict[str, Any], bool, str]] = {
    "an answer": (answer(), True, "ready"),
    "an answer in parts": (
        answer(content=[{"type": "thinking", "thinking": "…"}, {"text": "rea"}, 5, {"text": None}, {"text": "dy "}]),
        True,
        "rea dy",
    ),
    "an answer that was cut at the limit": (answer(stopReason="length"), True, "ready"),
    "thoughts alone": (answer(content=[{"type": "thinking", "thinking": "…"}]), True, ""),
    "rejected by the provider": (
        answer(stopReason="error", errorMessage="401 Invalid Authentication", content=[]),
        False,
        "moonshot/kimi-k2.5 failed: 401 Invalid Authentication",
    ),
    "rejected after the first words": (
        answer(stopReason="error", errorMessage="terminated"),
        False,
        "moonshot/kimi-k2.5 failed: terminated",
    ),
    "rejected without a reason": (
        answer(stopReason="error"),
        False,
        "moonshot/kimi-k2.5 failed: no reason given.",
    ),
    "aborted": (
        answer(stopReason="aborted", errorMessage="Request was aborted"),
        False,
        "moonshot/kimi-k2.5 failed: Request was aborted",
    ),
    "another model": (answer(model="moonshot-v1-8k"), False, "moonshot/moonshot-v1-8k answered instead."),
    "another provider": (answer(provider="kimicode"), False, "kimicode/kimi-k2.5 answered instead."),
    "another model rejected": (
        answer(provider="anthropic", model="opus", stopReason="error", errorMessage="no key"),
        False,
        "anthropic/opus failed: no key",
    ),
    "no model": ({"role": "assistant", "content": "x"}, False, "None/None answered instead."),
    # What the product keeps when the endpoint sends HTML, or nothing, with status 200.
    "nothing": (answer(content=[]), False, NOTHING),
    "nothing at all": (answer(content=None), False, NOTHING),
}


@pytest.mark.parametrize("name", JUDGED)
def test_judge_transcript(name: str) -> None:
    last, ok, message = JUDGED[name]
    transcript = [{"role": "user"}, answer(content=[{"text": "first"}]), last, tool_result()]
    assert judge_transcript(MODEL, transcript) == ChatResult(MODEL, ok, message)


TEXT = st.text("moonsht/kimi-25 ü\n", max_size=20)


@given(
    st.dictionaries(
        st.sampled_from(["provider", "model", "stopReason", "content", "errorMessage"]),
        st.recursive(
            st.none() | st.integers() | TEXT,
            lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
            max_leaves=8,
        ),
    )
)
def test_only_an_answer_is_one(last: dict[str, Any]) -> None:
    assert not judge_transcript(MODEL, [{**last, "role": "assistant"}]).ok


@pytest.mark.parametrize("transcript", [[], [{"role": "user"}], [tool_result(), {}]])
def test_no_answer_in_the_transcript(transcript: list[dict[str, Any]]) -> None:
    assert judge_transcript(MODEL, transcript) == ChatResult(
        MODEL, False, "The session's transcript contains no answer."
    )


JUDGED_RESULTS: dict[str, tuple[Any, bool, str]] = {
    "an answer": (answered(), True, "ready"),
    "in parts": (answered(payloads=[{"text": "rea"}, 5, {"text": None}, {"text": "dy "}]), True, "rea dy"),
    "failed": (
        answered(
            "error", meta={"agentMeta": answer(), "error": {"kind": "incomplete_turn", "message": "No response."}}
        ),
        False,
        "moonshot/kimi-k2.5 failed: No response.",
    ),
    "failed and called ok": (
        answered(meta={"agentMeta": answer(), "error": {"message": "No response."}}),
        False,
        "moonshot/kimi-k2.5 failed: No response.",
    ),
    "failed without a reason": (answered("error"), False, "moonshot/kimi-k2.5 failed: no reason given."),
    "failed for an odd reason": (
        answered(meta={"agentMeta": answer(), "error": {"message": 5}}),
        False,
        "moonshot/kimi-k2.5 failed: no reason given.",
    ),
    "another model": (
        answered(meta={"agentMeta": answer(provider="kimicode", model="kimi-for-coding")}),
        False,
        "kimicode/kimi-for-coding answered instead.",
    ),
    "no model": (answered(meta={}), False, "The gateway does not report which model answered."),
    "nothing": (answered(payloads=[]), False, NOTHING),
    "nothing at all": (answered(payloads=None), False, NOTHING),
    "no text": (answered(payloads=[{"mediaUrl": "x"}]), False, NOTHING),
    "no answer": (None, False, "moonshot/kimi-k2.5 failed: no reason given."),
}


@pytest.mark.parametrize("name", JUDGED_RESULTS)
def test_judge_result(name: str) -> None:
    returned, ok, message = JUDGED_RESULTS[name]
    assert judge_result(MODEL, returned) == ChatResult(MODEL, ok, message)


WITHOUT_A_CALL = ChatResult(MODEL, False, "moonshot/kimi-k2.5 answered without calling a tool: ready")
WITHOUT_AN_ANSWER = ChatResult(MODEL, False, "moonshot/kimi-k2.5 called the tool ls, and did not answer after it.")
CALLED = ChatResult(MODEL, True, "ready", "ls")
OTHER = {"provider": "kimicode", "model": "kimi-for-coding"}
TOOL_CALLS: dict[str, tuple[list[dict[str, Any]], ChatResult]] = {
    "a call": ([{"role": "user"}, call(), tool_result(), answer()], CALLED),
    # OpenClaw adds a message of the user after the result.
    "a message in between": ([call(), tool_result(), {"role": "user"}, answer()], CALLED),
    "a call whose result is an error": ([call(), tool_result(isError=True), answer()], CALLED),
    "two calls": ([call("ls"), tool_result(), call("read", "2"), tool_result("2"), answer()], CALLED),
    "the first call without a result": ([call("read", "0"), call(), tool_result(), answer()], CALLED),
    "no call": ([{"role": "user"}, answer()], WITHOUT_A_CALL),
    "no message": ([], WITHOUT_A_CALL),
    "a call in words": ([answer(content=[{"type": "text", "text": "ls()"}]), tool_result(), answer()], WITHOUT_A_CALL),
    "no result": ([call(), answer()], WITHOUT_A_CALL),
    "the result of another call": ([call(), tool_result("2"), answer()], WITHOUT_A_CALL),
    "the call of another model": ([call(**OTHER), tool_result(), answer()], WITHOUT_A_CALL),
    "a call of a user": ([call(role="user"), tool_result(), answer()], WITHOUT_A_CALL),
    "a call without a name": ([call(5), tool_result(), answer()], WITHOUT_A_CALL),  # type: ignore[arg-type]
    "parts of wrong types": ([answer(content="x"), answer(content=[5, {}]), tool_result(), answer()], WITHOUT_A_CALL),
    "no answer": ([call(), tool_result()], WITHOUT_AN_ANSWER),
    "an answer before the result": ([answer(), call(), tool_result()], WITHOUT_AN_ANSWER),
    "a call in place of an answer": ([call(), tool_result(), call("ls", "2")], WITHOUT_AN_ANSWER),
}


@pytest.mark.parametrize("offered", [None, ["exec", "ls"]])
@pytest.mark.parametrize("name", TOOL_CALLS)
def test_judge_tool_call(name: str, offered: list[str] | None) -> None:
    messages, result = TOOL_CALLS[name]
    assert judge_tool_call(ChatResult(MODEL, True, "ready"), messages, offered) == result


@pytest.mark.parametrize("offered", [[], ["exec", "read"]])
def test_nothing_is_called_where_no_harmless_tool_is_offered(offered: list[str]) -> None:
    result = ChatResult(MODEL, True, "ready")
    assert judge_tool_call(result, [answer()], offered) == result
    # A model that calls another one has proven as much.
    assert judge_tool_call(result, [call("exec"), tool_result(), answer()], offered) == ChatResult(
        MODEL, True, "ready", "exec"
    )


@pytest.mark.parametrize("tool", HARMLESS_TOOLS)
def test_each_harmless_tool_has_to_be_called_where_it_is_offered(tool: str) -> None:
    assert judge_tool_call(ChatResult(MODEL, True, "ready"), [answer()], [tool, "exec"]) == WITHOUT_A_CALL


@pytest.mark.parametrize("offered", [None, [], ["ls"]])
@pytest.mark.parametrize("end", ["", "."])
def test_a_failure_names_the_tool_after_which_it_came(end: str, offered: list[str] | None) -> None:
    failed = ChatResult(MODEL, False, f"moonshot/kimi-k2.5 failed: 400{end}")
    assert judge_tool_call(failed, [answer(stopReason="error")], offered) == failed
    assert judge_tool_call(failed, [call(), tool_result(), answer(stopReason="error")], offered) == ChatResult(
        MODEL,
        False,
        "After a call of the tool ls: moonshot/kimi-k2.5 failed: 400. If the model thinks, check its `reasoning` and "
        "`compat`.",
    )


HISTORIES: dict[str, tuple[Any, list[dict[str, Any]]]] = {
    "messages": ({"sessionKey": "x", "messages": [{"role": "user"}, answer()]}, [{"role": "user"}, answer()]),
    "odd messages": ({"messages": [None, "x", 5, [answer()], {}]}, [{}]),
    "none": ({"messages": None}, []),
    "nothing": (None, []),
    "a list": ([answer()], []),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_messages_of(name: str) -> None:
    history, messages = HISTORIES[name]
    assert messages_of(history) == messages


OFFERED: dict[str, tuple[Any, list[str] | None]] = {
    "tools": (offering("read", "ls"), ["read", "ls"]),
    "no tool": (offering(), []),
    "no report": (answered(), None),
    "no result": (None, None),
    "entries of wrong types": (
        {"result": {"meta": {"systemPromptReport": {"tools": {"entries": [5, {"name": 5}, {"name": "ls"}]}}}}},
        ["", "", "ls"],
    ),
    "a list of a wrong type": ({"result": {"meta": {"systemPromptReport": {"tools": {"entries": {"a": 1}}}}}}, None),
}


@pytest.mark.parametrize("name", OFFERED)
def test_offered_tools(name: str) -> None:
    answer, tools = OFFERED[name]
    assert offered_tools(answer) == tools


def test_as_result() -> None:
    assert CALLED.as_result() == {"model": MODEL, "ok": True, "message": "ready", "tool": "ls"}
