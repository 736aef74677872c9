# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.chat import (
    Turn,
    default_agent,
    judge,
    judge_result,
    take,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS, Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from hypothesis import given
from hypothesis import strategies as st

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


NOTHING = "moonshot/kimi-k2.5 was asked, and nothing came back: is its baseUrl that of an API?"
JUDGED: dict[str, tuple[dict[str, Any] | None, bool, str]] = {
    "an answer": (answer(), True, "ready"),
    "an answer in parts": (
        answer(content=[{"type": "thinking", "thinking": "…"}, {"text": "rea"}, 5, {"text": None}, {"text": "dy "}]),
        True,
        "rea dy",
    ),
    "an answer that was cut at its bound": (answer(stopReason="length"), True, "ready"),
    "thoughts alone": (answer(content=[{"type": "thinking", "thinking": "…"}]), True, ""),
    "no transcript": (None, False, "The turn left no answer in the session's transcript."),
    "refused by the provider": (
        answer(stopReason="error", errorMessage="401 Invalid Authentication", content=[]),
        False,
        "moonshot/kimi-k2.5 was asked: 401 Invalid Authentication",
    ),
    "refused after the first words": (
        answer(stopReason="error", errorMessage="terminated"),
        False,
        "moonshot/kimi-k2.5 was asked: terminated",
    ),
    "refused without a reason": (
        answer(stopReason="error"),
        False,
        "moonshot/kimi-k2.5 was asked: it gave no reason.",
    ),
    "broken off": (
        answer(stopReason="aborted", errorMessage="Request was aborted"),
        False,
        "moonshot/kimi-k2.5 was asked: Request was aborted",
    ),
    "another model": (answer(model="moonshot-v1-8k"), False, "moonshot/moonshot-v1-8k answered in its place."),
    "another provider": (answer(provider="kimicode"), False, "kimicode/kimi-k2.5 answered in its place."),
    "another model refused": (
        answer(provider="anthropic", model="opus", stopReason="error", errorMessage="no key"),
        False,
        "anthropic/opus was asked: no key",
    ),
    "nobody": ({"role": "assistant", "content": "x"}, False, "None/None answered in its place."),
    # What the product keeps when the endpoint sends HTML, or nothing, with status 200.
    "nothing": (answer(content=[]), False, NOTHING),
    "nothing at all": (answer(content=None), False, NOTHING),
}


@pytest.mark.parametrize("name", JUDGED)
def test_judge(name: str) -> None:
    last, ok, message = JUDGED[name]
    assert judge(MODEL, last) == Turn(MODEL, ok, message)


@given(
    st.dictionaries(
        st.sampled_from(["provider", "model", "stopReason", "content", "errorMessage"]),
        st.recursive(
            st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
        ),
    )
)
def test_judge_calls_nothing_else_an_answer(last: dict[str, Any]) -> None:
    assert not judge(MODEL, last).ok


def result(status: str = "ok", **changed: Any) -> dict[str, Any]:
    """The answer to a turn of a product that tells failed turns, shortened."""
    told = {"payloads": [{"text": "ready", "mediaUrl": None}], "meta": {"agentMeta": answer()}}
    return {"status": status, "result": {**told, **changed}}


JUDGED_RESULTS: dict[str, tuple[Any, bool, str]] = {
    "an answer": (result(), True, "ready"),
    "in parts": (result(payloads=[{"text": "rea"}, 5, {"text": None}, {"text": "dy "}]), True, "rea dy"),
    "failed": (
        result("error", meta={"agentMeta": answer(), "error": {"kind": "incomplete_turn", "message": "No response."}}),
        False,
        "moonshot/kimi-k2.5 was asked: No response.",
    ),
    "failed and called ok": (
        result(meta={"agentMeta": answer(), "error": {"message": "No response."}}),
        False,
        "moonshot/kimi-k2.5 was asked: No response.",
    ),
    "failed without a reason": (result("error"), False, "moonshot/kimi-k2.5 was asked: it gave no reason."),
    "failed for an odd reason": (
        result(meta={"agentMeta": answer(), "error": {"message": 5}}),
        False,
        "moonshot/kimi-k2.5 was asked: it gave no reason.",
    ),
    "another model": (
        result(meta={"agentMeta": answer(provider="kimicode", model="kimi-for-coding")}),
        False,
        "kimicode/kimi-for-coding answered in its place.",
    ),
    "nobody": (result(meta={}), False, "The gateway does not say which model has answered."),
    "nothing": (result(payloads=[]), False, NOTHING),
    "nothing at all": (result(payloads=None), False, NOTHING),
    "no text": (result(payloads=[{"mediaUrl": "x"}]), False, NOTHING),
    "no answer": (None, False, "moonshot/kimi-k2.5 was asked: it gave no reason."),
}


@pytest.mark.parametrize("name", JUDGED_RESULTS)
def test_judge_result(name: str) -> None:
    told, ok, message = JUDGED_RESULTS[name]
    assert judge_result(MODEL, told) == Turn(MODEL, ok, message)


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


# The product's program in little: it answers each method of the gateway as the test says, and notes what it was asked.
PROGRAM = """
import json, pathlib, sys
folder = pathlib.Path(sys.argv[0]).parent
method, params = sys.argv[3], json.loads(sys.argv[sys.argv.index("--params") + 1])
with open(folder / "asked", "a") as file:
    timeout = sys.argv[sys.argv.index("--timeout") + 1]
    file.write(json.dumps([method, params, timeout, "--expect-final" in sys.argv]) + "\\n")
locks = int((folder / "locks").read_text())
if method == "sessions.patch" and locks:
    (folder / "locks").write_text(str(locks - 1))
    sys.exit("Error: timeout acquiring session store lock: sessions.json.lock")
answers = json.loads((folder / "answers").read_text())
if method not in answers:
    sys.exit(f"no {method} here")
print(json.dumps(answers[method]))
"""


class Fake:
    """A gateway that answers as it is told."""

    def __init__(self, folder: Path, product: str) -> None:
        self.folder = folder
        self.sessions = folder / "sessions"
        self.sessions.mkdir()
        (folder / "program.py").write_text(PROGRAM)
        # How often the gateway finds its sessions locked.
        (folder / "locks").write_text("0")
        paths = Paths(str(folder), str(folder / "clawdbot.json"), str(folder / ".env"))
        self.gateway = Gateway(PRODUCTS[product], [sys.executable, str(folder / "program.py")], paths, None, [KEY])
        self.answers: dict[str, Any] = {
            "sessions.patch": {"path": str(self.sessions / "sessions.json")},
            "agent": {"result": {"meta": {"agentMeta": {"sessionId": "s1"}}}},
            "sessions.delete": {},
        }

    def take(self, *lines: Any) -> Turn:
        text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
        (self.sessions / "s1.jsonl").write_text(text)
        (self.folder / "answers").write_text(json.dumps(self.answers))
        return take(self.gateway, "main", MODEL, 7.5)

    def asked(self) -> list[Any]:
        return [json.loads(line) for line in (self.folder / "asked").read_text().splitlines()]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path, "clawdbot")


@pytest.fixture
def openclaw(tmp_path: Path) -> Fake:
    return Fake(tmp_path, "openclaw")


def test_a_turn(fake: Fake) -> None:
    removed = fake.sessions / "s1.jsonl.deleted.2026-11-22T17-21-41.503Z"
    removed.touch()
    fake.answers["sessions.delete"] = {"archived": [str(removed)]}
    turn = fake.take(
        {"type": "session"},
        {"message": {"role": "user", "content": "x"}},
        {"message": answer(content=[{"text": "first"}])},
        {"message": answer()},
        {"message": {"role": "toolResult"}},
    )
    assert turn == Turn(MODEL, True, "ready")
    assert not removed.exists()
    patched, asked, deleted = fake.asked()
    key = patched[1]["key"]
    assert key.startswith("agent:main:clawfleet-")
    assert patched == ["sessions.patch", {"key": key, "model": MODEL}, "30000", False]
    assert asked == [
        "agent",
        {
            "message": "Answer with the one word: ready",
            "agentId": "main",
            "sessionKey": key,
            "idempotencyKey": key,
        },
        "7500",
        True,
    ]
    assert deleted == ["sessions.delete", {"key": key, "deleteTranscript": True}, "30000", False]


def test_a_turn_of_a_product_that_keeps_no_transcript_in_a_file(openclaw: Fake) -> None:
    name = "s1.jsonl.deleted.2026-11-22T20-09-28.355Z.36d4d52c6a4c4abaae9c6124b2bc5667.zst"
    removed = openclaw.sessions / name
    removed.touch()
    openclaw.answers.update({"agent": result(), "sessions.delete": {"archived": [str(removed)]}})
    assert openclaw.take() == Turn(MODEL, True, "ready")
    assert not removed.exists()
    openclaw.answers["agent"] = result("error", meta={"error": {"message": "No response."}})
    assert openclaw.take({"message": answer()}) == Turn(MODEL, False, f"{MODEL} was asked: No response.")


def test_two_turns_are_in_sessions_of_their_own(fake: Fake) -> None:
    fake.take({"message": answer()})
    fake.take({"message": answer()})
    keys = {asked[1]["key"] for asked in fake.asked() if asked[0] == "sessions.patch"}
    assert len(keys) == 2


NO_ANSWER = "The turn left no answer in the session's transcript."
TRANSCRIPTS: dict[str, list[Any]] = {
    "empty": [],
    "of the user alone": [{"message": {"role": "user"}}],
    "of something else": [[1], "null", {"message": 5}, {"message": None}],
    "broken": ["{"],
    "too deep": ["[" * 100_000],
}


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_no_answer_in_the_transcript(name: str, fake: Fake) -> None:
    assert fake.take(*TRANSCRIPTS[name]) == Turn(MODEL, False, NO_ANSWER)


ODD_ANSWERS: dict[str, dict[str, Any]] = {
    "no session": {"sessions.patch": None},
    "session at no path": {"sessions.patch": {"path": 5}},
    "no meta": {"agent": {"result": "ok"}},
    "session of no name": {"agent": {"result": {"meta": {"agentMeta": {"sessionId": None}}}}},
    "another session": {"agent": {"result": {"meta": {"agentMeta": {"sessionId": "s2"}}}}},
    "a session elsewhere": {"agent": {"result": {"meta": {"agentMeta": {"sessionId": "../outside"}}}}},
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
def test_odd_answers_are_no_turn(name: str, fake: Fake) -> None:
    (fake.folder / "outside.jsonl").write_text(json.dumps({"message": answer()}))
    fake.answers.update(ODD_ANSWERS[name])
    assert fake.take({"message": answer()}) == Turn(MODEL, False, NO_ANSWER)


def test_a_gateway_that_refuses_the_session(fake: Fake) -> None:
    del fake.answers["sessions.patch"]
    assert fake.take() == Turn(MODEL, False, "The gateway's sessions.patch failed. It says: no sessions.patch here")
    assert len(fake.asked()) == 1


LOCKED = "The gateway's sessions.patch failed. It says: timeout acquiring session store lock: sessions.json.lock"


@pytest.mark.parametrize(("locks", "turn"), [(3, Turn(MODEL, True, "ready")), (4, Turn(MODEL, False, LOCKED))])
def test_a_lock_that_a_gateway_has_left_is_waited_for(locks: int, turn: Turn, fake: Fake) -> None:
    (fake.folder / "locks").write_text(str(locks))
    assert fake.take({"message": answer()}) == turn
    assert [asked[0] for asked in fake.asked()].count("sessions.patch") == 4


def test_a_gateway_that_refuses_the_turn(fake: Fake) -> None:
    del fake.answers["agent"]
    assert fake.take() == Turn(MODEL, False, "The gateway's agent failed. It says: no agent here")
    assert [asked[0] for asked in fake.asked()] == ["sessions.patch", "agent", "sessions.delete"]


def test_a_session_that_stays_is_no_failure(fake: Fake) -> None:
    del fake.answers["sessions.delete"]
    assert fake.take({"message": answer()}) == Turn(MODEL, True, "ready")


@pytest.mark.parametrize("deleted", [None, [], {"archived": None}, {"archived": "x"}, {"archived": [5, None]}])
def test_odd_words_on_what_was_removed(deleted: Any, fake: Fake) -> None:
    fake.answers["sessions.delete"] = deleted
    assert fake.take({"message": answer()}).ok


def test_no_file_is_removed_that_is_no_transcript(fake: Fake) -> None:
    others = [fake.folder / "clawdbot.json", fake.sessions / "s1.jsonl.deleted.x", fake.sessions / "s2.jsonl"]
    for other in others:
        other.touch()
    fake.answers["sessions.delete"] = {"archived": [str(other) for other in others]}
    assert fake.take({"message": answer()}).ok
    assert all(other.exists() for other in others)


def test_secrets_are_taken_out_before_the_message_is_cut(fake: Fake) -> None:
    words = "x" * 295
    turn = fake.take({"message": answer(stopReason="error", errorMessage=f"{KEY} {words}{KEY}")})
    shown = f"moonshot/kimi-k2.5 was asked: <{fingerprint(KEY)}> {words}"
    assert turn == Turn(MODEL, False, shown[:300])
    turn = fake.take({"message": answer(content=[{"text": f"{words}{KEY}"}])})
    assert turn == Turn(MODEL, True, f"{words}<{fingerprint(KEY)}>"[:300])
