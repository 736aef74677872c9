# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.chat import Kind, default_agent, send
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.chat_answers import ChatResult
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway, Listener
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.unit.plugins.module_utils._gateway.chat_cases import MODEL, answer, answered, call, offering, tool_result
from tests.unit.plugins.module_utils._gateway.observations import paths, run_in_process

KEY = "Zq8-0123456789"

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
        self.gateway = Gateway(PRODUCTS[product], [product], paths(directory), Listener("127.0.0.1", 1), {}, [KEY])
        #: How often the gateway finds its sessions locked.
        self.locks = 0
        #: Method, parameters, timeout in milliseconds, whether the final answer is waited for.
        self.asked: list[tuple[str, Any, str, bool]] = []
        self.answers: dict[str, Any] = {
            "sessions.patch": {},
            "agent": {},
            "sessions.delete": {},
        }
        run_in_process(monkeypatch, self._program)

    def send(self, *transcript: dict[str, Any], kind: Kind = "text") -> ChatResult:
        self.answers["chat.history"] = {"messages": [*transcript]}
        return send(self.gateway, "main", MODEL, kind, 7.5)

    def _program(self, arguments: list[str]) -> Any:
        method, options = arguments[arguments.index("call") + 1], arguments[arguments.index("call") + 2 :]
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
def fake(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """A gateway of Clawdbot, or of the product that a test names."""
    return Fake(tmp_path, getattr(request, "param", "clawdbot"), monkeypatch)


@pytest.fixture
def openclaw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    return Fake(tmp_path, "openclaw", monkeypatch)


def test_a_message(fake: Fake) -> None:
    removed = fake.sessions / "s1.jsonl.deleted.2026-11-22T17-21-41.503Z"
    removed.touch()
    fake.answers["sessions.delete"] = {"archived": [str(removed)]}
    result = fake.send(
        {"role": "user", "content": "x"},
        answer(content=[{"text": "first"}]),
        answer(),
        {"role": "toolResult"},
    )
    assert result == ChatResult(MODEL, True, "ready")
    assert not removed.exists()
    patched, asked, read, deleted = fake.asked
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
    assert read == ("chat.history", {"sessionKey": key}, "30000", False)
    assert deleted == ("sessions.delete", {"key": key, "deleteTranscript": True}, "30000", False)


def test_a_message_of_a_product_without_transcript_files(openclaw: Fake) -> None:
    name = "s1.jsonl.deleted.2026-11-22T20-09-28.355Z.36d4d52c6a4c4abaae9c6124b2bc5667.zst"
    removed = openclaw.sessions / name
    removed.touch()
    openclaw.answers.update({"agent": answered(), "sessions.delete": {"archived": [str(removed)]}})
    assert openclaw.send() == ChatResult(MODEL, True, "ready")
    assert methods(openclaw) == ["sessions.patch", "agent", "sessions.delete"]
    assert not removed.exists()
    openclaw.answers["agent"] = answered("error", meta={"error": {"message": "No response."}})
    assert openclaw.send(answer()) == ChatResult(MODEL, False, f"{MODEL} failed: No response.")


def methods(fake: Fake) -> list[str]:
    """Return the methods that the gateway was asked for, and forget them."""
    asked = [method for method, *_rest in fake.asked]
    fake.asked.clear()
    return asked


@pytest.mark.parametrize("fake", PRODUCTS, indirect=True)
def test_a_tool_message(fake: Fake) -> None:
    fake.answers["agent"] = offering("exec", "ls")
    called = [{"role": "user"}, call(), tool_result(), answer()]
    assert fake.send(*called, kind="tool") == ChatResult(MODEL, True, "ready", "ls")
    assert fake.asked[1][1]["message"] == (
        "Call one tool once: the tool tool_search, the tool ls, the tool session_status or the tool agents_list, "
        "whichever you have. Then answer with the one word: ready"
    )
    assert methods(fake) == ["sessions.patch", "agent", "chat.history", "sessions.delete"]
    assert fake.send({"role": "user"}, answer(), kind="tool") == ChatResult(
        MODEL, False, "moonshot/kimi-k2.5 answered without calling a tool: ready"
    )
    fake.answers["agent"] = offering("exec")
    assert fake.send({"role": "user"}, answer(), kind="tool") == ChatResult(MODEL, True, "ready")


REMEDY = "If the model thinks, check its `reasoning` and `compat`."
REJECTED = [call(), tool_result(), answer(stopReason="error", errorMessage="400 x")]


def test_a_tool_message_that_the_provider_rejects(fake: Fake) -> None:
    fake.answers["agent"] = offering("ls")
    assert fake.send(*REJECTED, kind="tool") == ChatResult(
        MODEL, False, f"After a call of the tool ls: {MODEL} failed: 400 x. {REMEDY}"
    )


def test_a_tool_message_that_fails_the_call_of_the_gateway(openclaw: Fake) -> None:
    del openclaw.answers["agent"]
    reason = "Gateway method agent failed: no agent here"
    assert openclaw.send(*REJECTED, kind="tool") == ChatResult(
        MODEL, False, f"After a call of the tool ls: {reason}. {REMEDY}"
    )
    methods(openclaw)
    assert openclaw.send(*REJECTED) == ChatResult(MODEL, False, reason)
    assert methods(openclaw) == ["sessions.patch", "agent", "sessions.delete"]


def test_the_first_failure_is_reported(openclaw: Fake) -> None:
    del openclaw.answers["agent"]
    result = send(openclaw.gateway, "main", MODEL, "tool", 7.5)
    assert result == ChatResult(MODEL, False, "Gateway method agent failed: no agent here")
    assert methods(openclaw) == ["sessions.patch", "agent", "chat.history", "sessions.delete"]


@pytest.mark.parametrize("kind", ["text", "tool"])
def test_a_transcript_that_cannot_be_read_is_a_failure(kind: Kind, fake: Fake) -> None:
    assert send(fake.gateway, "main", MODEL, kind, 7.5) == ChatResult(
        MODEL, False, "Gateway method chat.history failed: no chat.history here"
    )


def test_each_message_has_a_session_of_its_own(fake: Fake) -> None:
    fake.send(answer())
    fake.send(answer())
    keys = {asked[1]["key"] for asked in fake.asked if asked[0] == "sessions.patch"}
    assert len(keys) == 2


def test_a_transcript_without_an_answer(fake: Fake) -> None:
    no_answer = ChatResult(MODEL, False, "The session's transcript contains no answer.")
    assert fake.send({"role": "user"}) == no_answer
    assert fake.send() == no_answer


ODD: list[Any] = [None, 5, "x", [], {}, {"result": "ok"}, {"messages": {}}, {"messages": [None, 5, [1]]}]


@pytest.mark.parametrize("fake", PRODUCTS, indirect=True)
@pytest.mark.parametrize("kind", ["text", "tool"])
@pytest.mark.parametrize("odd", ODD)
def test_odd_answers_are_failures(odd: Any, kind: Kind, fake: Fake) -> None:
    fake.answers.update({"sessions.patch": odd, "agent": odd, "chat.history": odd, "sessions.delete": odd})
    assert not send(fake.gateway, "main", MODEL, kind, 7.5).ok


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
    assert fake.send(answer()) == result
    assert [asked[0] for asked in fake.asked].count("sessions.patch") == 4


def test_a_gateway_that_rejects_the_message(fake: Fake) -> None:
    del fake.answers["agent"]
    assert fake.send() == ChatResult(MODEL, False, "Gateway method agent failed: no agent here")
    assert [asked[0] for asked in fake.asked] == ["sessions.patch", "agent", "sessions.delete"]


def test_a_session_that_stays_is_no_failure(fake: Fake) -> None:
    del fake.answers["sessions.delete"]
    assert fake.send(answer()) == ChatResult(MODEL, True, "ready")


@pytest.mark.parametrize("deleted", [None, [], {"archived": None}, {"archived": "x"}, {"archived": [5, None]}])
def test_odd_reports_of_removed_transcripts(deleted: Any, fake: Fake) -> None:
    fake.answers["sessions.delete"] = deleted
    assert fake.send(answer()).ok


def test_only_transcripts_are_removed(fake: Fake) -> None:
    others = [fake.directory / "clawdbot.json", fake.sessions / "s1.jsonl.deleted.x", fake.sessions / "s2.jsonl"]
    for other in others:
        other.touch()
    fake.answers["sessions.delete"] = {"archived": [str(other) for other in others]}
    assert fake.send(answer()).ok
    assert all(other.exists() for other in others)


def test_secrets_are_redacted_before_the_message_is_cut(fake: Fake) -> None:
    words = "x" * 295
    result = fake.send(answer(stopReason="error", errorMessage=f"{KEY} {words}{KEY}"))
    shown = f"moonshot/kimi-k2.5 failed: <{fingerprint(KEY)}> {words}"
    assert result == ChatResult(MODEL, False, shown[:300])
    result = fake.send(answer(content=[{"text": f"{words}{KEY}"}]))
    assert result == ChatResult(MODEL, True, f"{words}<{fingerprint(KEY)}>"[:300])
