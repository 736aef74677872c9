# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.chat import (
    ChatResult,
    default_agent,
    judge_result,
    judge_transcript,
    send,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils._gateway.observations import paths, run_in_process

MODEL = "moonshot/kimi-k2.5"
KEY = "Zq8-0123456789"


def answer(**changed: Any) -> dict[str, Any]:
    """An assistant message as the product keeps it in a transcript."""
    return {
        "role": "assistant",
        "provider": "moonshot",
        "model": "kimi-k2.5",
        "stopReason": "stop",
        "content": [{"type": "text", "text": "ready"}],
        **changed,
    }


NOTHING = "moonshot/kimi-k2.5 returned an empty answer. Check that its baseUrl is that of an API."
JUDGED: dict[str, tuple[dict[str, Any] | None, bool, str]] = {
    "an answer": (answer(), True, "ready"),
    "an answer in parts": (
        answer(content=[{"type": "thinking", "thinking": "…"}, {"text": "rea"}, 5, {"text": None}, {"text": "dy "}]),
        True,
        "rea dy",
    ),
    "an answer that was cut at the limit": (answer(stopReason="length"), True, "ready"),
    "thoughts alone": (answer(content=[{"type": "thinking", "thinking": "…"}]), True, ""),
    "no transcript": (None, False, "The session's transcript contains no answer."),
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
    assert judge_transcript(MODEL, last) == ChatResult(MODEL, ok, message)


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
    assert not judge_transcript(MODEL, last).ok


def answered(status: str = "ok", **changed: Any) -> dict[str, Any]:
    """The result of a message by a product that reports failures, shortened."""
    body = {"payloads": [{"text": "ready", "mediaUrl": None}], "meta": {"agentMeta": answer()}}
    return {"status": status, "result": {**body, **changed}}


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


AGENTS: dict[str, tuple[Any, str]] = {
    "no config": (None, "main"),
    "no agents": ({}, "main"),
    "agents of a wrong type": ({"agents": ["x"]}, "main"),
    "list of a wrong type": ({"agents": {"list": {"id": "x"}}}, "main"),
    "empty list": ({"agents": {"list": []}}, "main"),
    "the first": ({"agents": {"list": [{"id": "a"}, {"id": "b"}]}}, "a"),
    "the default": ({"agents": {"list": [{"id": "a"}, {"id": "b", "default": True}]}}, "b"),
    "the first default": ({"agents": {"list": [{"id": "a", "default": True}, {"id": "b", "default": True}]}}, "a"),
    "as the product spells it": ({"agents": {"list": [{"id": " Work_1 "}]}}, "work_1"),
    "with signs that the product replaces": ({"agents": {"list": [{"id": "-Üb er/x-"}]}}, "b-er-x"),
    "nothing but signs": ({"agents": {"list": [{"id": "ÜÜ"}]}}, "main"),
    "without a name": ({"agents": {"list": [{}, {"id": "b"}]}}, "main"),
    "by their names": ({"agents": {"entries": {"a": {}, "b": {"default": True}}}}, "b"),
    "the first of the names": ({"agents": {"entries": {"a": {}, "b": {}}}}, "a"),
    "names of a wrong type": ({"agents": {"entries": ["a"]}}, "main"),
    "entries of wrong types": ({"agents": {"list": [None, "x", {"id": "b"}]}}, "b"),
}


@pytest.mark.parametrize("name", AGENTS)
def test_default_agent(name: str) -> None:
    config, agent = AGENTS[name]
    assert default_agent(config) == agent


class Fake:
    """A gateway whose CLI answers each method as the test says, and fails where the test says nothing."""

    def __init__(self, directory: Path, product: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = directory
        self.sessions = directory / "sessions"
        self.sessions.mkdir()
        self.gateway = Gateway(PRODUCTS[product], [product], paths(directory), None, [KEY])
        #: How often the gateway finds its sessions locked.
        self.locks = 0
        #: Method, parameters, timeout in milliseconds, whether the final answer is waited for.
        self.asked: list[tuple[str, Any, str, bool]] = []
        self.answers: dict[str, Any] = {
            "sessions.patch": {"path": str(self.sessions / "sessions.json")},
            "agent": {"result": {"meta": {"agentMeta": {"sessionId": "s1"}}}},
            "sessions.delete": {},
        }
        run_in_process(monkeypatch, self._program)

    def send(self, *lines: Any) -> ChatResult:
        text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
        (self.sessions / "s1.jsonl").write_text(text)
        return send(self.gateway, "main", MODEL, 7.5)

    def _program(self, arguments: list[str]) -> Any:
        method, options = arguments[2], arguments[3:]
        timeout = options[options.index("--timeout") + 1]
        params = json.loads(options[options.index("--params") + 1])
        self.asked.append((method, params, timeout, "--expect-final" in options))
        if method == "sessions.patch" and self.locks:
            self.locks -= 1
            raise SystemExit("Error: timeout acquiring session store lock: sessions.json.lock")
        if method not in self.answers:
            raise SystemExit(f"no {method} here")
        return self.answers[method]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    return Fake(tmp_path, "clawdbot", monkeypatch)


@pytest.fixture
def openclaw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    return Fake(tmp_path, "openclaw", monkeypatch)


def test_a_message(fake: Fake) -> None:
    removed = fake.sessions / "s1.jsonl.deleted.2026-11-22T17-21-41.503Z"
    removed.touch()
    fake.answers["sessions.delete"] = {"archived": [str(removed)]}
    result = fake.send(
        {"type": "session"},
        {"message": {"role": "user", "content": "x"}},
        {"message": answer(content=[{"text": "first"}])},
        {"message": answer()},
        {"message": {"role": "toolResult"}},
    )
    assert result == ChatResult(MODEL, True, "ready")
    assert not removed.exists()
    patched, asked, deleted = fake.asked
    key = patched[1]["key"]
    assert key.startswith("agent:main:clawfleet-")
    assert patched == ("sessions.patch", {"key": key, "model": MODEL}, "30000", False)
    assert asked == (
        "agent",
        {
            "message": "Answer with the one word: ready",
            "agentId": "main",
            "sessionKey": key,
            "idempotencyKey": key,
        },
        "7500",
        True,
    )
    assert deleted == ("sessions.delete", {"key": key, "deleteTranscript": True}, "30000", False)


def test_a_message_of_a_product_without_transcript_files(openclaw: Fake) -> None:
    name = "s1.jsonl.deleted.2026-11-22T20-09-28.355Z.36d4d52c6a4c4abaae9c6124b2bc5667.zst"
    removed = openclaw.sessions / name
    removed.touch()
    openclaw.answers.update({"agent": answered(), "sessions.delete": {"archived": [str(removed)]}})
    assert openclaw.send() == ChatResult(MODEL, True, "ready")
    assert not removed.exists()
    openclaw.answers["agent"] = answered("error", meta={"error": {"message": "No response."}})
    assert openclaw.send({"message": answer()}) == ChatResult(MODEL, False, f"{MODEL} failed: No response.")


def test_each_message_has_a_session_of_its_own(fake: Fake) -> None:
    fake.send({"message": answer()})
    fake.send({"message": answer()})
    keys = {asked[1]["key"] for asked in fake.asked if asked[0] == "sessions.patch"}
    assert len(keys) == 2


NO_ANSWER = "The session's transcript contains no answer."
TRANSCRIPTS: dict[str, list[Any]] = {
    "empty": [],
    "of the user alone": [{"message": {"role": "user"}}],
    "of something else": [[1], "null", {"message": 5}, {"message": None}],
    "broken": ["{"],
    "too deep": ["[" * 100_000],
}


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_no_answer_in_the_transcript(name: str, fake: Fake) -> None:
    assert fake.send(*TRANSCRIPTS[name]) == ChatResult(MODEL, False, NO_ANSWER)


ODD_ANSWERS: dict[str, dict[str, Any]] = {
    "no session": {"sessions.patch": None},
    "session at no path": {"sessions.patch": {"path": 5}},
    "no meta": {"agent": {"result": "ok"}},
    "session of no name": {"agent": {"result": {"meta": {"agentMeta": {"sessionId": None}}}}},
    "another session": {"agent": {"result": {"meta": {"agentMeta": {"sessionId": "s2"}}}}},
    "a session elsewhere": {"agent": {"result": {"meta": {"agentMeta": {"sessionId": "../outside"}}}}},
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_odd_answers_are_failures(name: str, fake: Fake) -> None:
    (fake.directory / "outside.jsonl").write_text(json.dumps({"message": answer()}))
    fake.answers.update(ODD_ANSWERS[name])
    assert fake.send({"message": answer()}) == ChatResult(MODEL, False, NO_ANSWER)


def test_a_gateway_that_rejects_the_session(fake: Fake) -> None:
    del fake.answers["sessions.patch"]
    assert fake.send() == ChatResult(MODEL, False, "Gateway method sessions.patch failed: no sessions.patch here")
    assert len(fake.asked) == 1


LOCKED = "Gateway method sessions.patch failed: timeout acquiring session store lock: sessions.json.lock"


@pytest.mark.parametrize(
    ("locks", "result"), [(3, ChatResult(MODEL, True, "ready")), (4, ChatResult(MODEL, False, LOCKED))]
)
def test_a_lock_that_a_gateway_has_left_is_waited_for(locks: int, result: ChatResult, fake: Fake) -> None:
    fake.locks = locks
    assert fake.send({"message": answer()}) == result
    assert [asked[0] for asked in fake.asked].count("sessions.patch") == 4


def test_a_gateway_that_rejects_the_message(fake: Fake) -> None:
    del fake.answers["agent"]
    assert fake.send() == ChatResult(MODEL, False, "Gateway method agent failed: no agent here")
    assert [asked[0] for asked in fake.asked] == ["sessions.patch", "agent", "sessions.delete"]


def test_a_session_that_stays_is_no_failure(fake: Fake) -> None:
    del fake.answers["sessions.delete"]
    assert fake.send({"message": answer()}) == ChatResult(MODEL, True, "ready")


@pytest.mark.parametrize("deleted", [None, [], {"archived": None}, {"archived": "x"}, {"archived": [5, None]}])
def test_odd_reports_of_removed_transcripts(deleted: Any, fake: Fake) -> None:
    fake.answers["sessions.delete"] = deleted
    assert fake.send({"message": answer()}).ok


def test_only_transcripts_are_removed(fake: Fake) -> None:
    others = [fake.directory / "clawdbot.json", fake.sessions / "s1.jsonl.deleted.x", fake.sessions / "s2.jsonl"]
    for other in others:
        other.touch()
    fake.answers["sessions.delete"] = {"archived": [str(other) for other in others]}
    assert fake.send({"message": answer()}).ok
    assert all(other.exists() for other in others)


def test_secrets_are_redacted_before_the_message_is_cut(fake: Fake) -> None:
    words = "x" * 295
    result = fake.send({"message": answer(stopReason="error", errorMessage=f"{KEY} {words}{KEY}")})
    shown = f"moonshot/kimi-k2.5 failed: <{fingerprint(KEY)}> {words}"
    assert result == ChatResult(MODEL, False, shown[:300])
    result = fake.send({"message": answer(content=[{"text": f"{words}{KEY}"}])})
    assert result == ChatResult(MODEL, True, f"{words}<{fingerprint(KEY)}>"[:300])
