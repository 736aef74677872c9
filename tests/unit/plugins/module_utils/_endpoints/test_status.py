# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an endpoint's answer means, by tables; and that nothing it says is ever more than it proves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints import status
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.status import (
    Answer,
    Finding,
    Listing,
    Model,
    NoAnswer,
    Provider,
    Request,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from hypothesis import given
from hypothesis import strategies as st

KEY = "sk-0123456789abcdefghij"
URL = "https://api.moonshot.cn/v1"


def provider(**more: object) -> Provider:
    described: dict[str, object] = {"name": "moonshot", "base_url": URL, "api_key": KEY, **more}
    return status.parse_provider(described)


def answer(code: int, document: object, **headers: str) -> Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Answer(code, "x", {name.replace("_", "-"): value for name, value in headers.items()}, body, None, 7)


def error(code: int, kind: str, message: str) -> Answer:
    return answer(code, {"error": {"type": kind, "message": message}})


ASK_LISTING = Request("GET", f"{URL}/models", ())
ASK_CHAT = Request("POST", f"{URL}/chat/completions", (), b"{}", "kimi-k2.5")


# Describing a provider


def test_a_provider_block_is_understood() -> None:
    found = provider(
        base_url="https://api.kimi.com/coding/v1",
        api="anthropic-messages",
        headers={"User-Agent": "KimiCLI/0.77", "X-Number": 1.5},
        models=["a", {"id": "b", "name": "B", "contextWindow": 262144, "headers": {"X": "y"}, "cost": {}}, "a"],
        unlisted_models=["b", "c", "c"],
    )
    assert found == Provider(
        name="moonshot",
        base_url="https://api.kimi.com/coding/v1",
        api="anthropic-messages",
        api_key=KEY,
        headers=(("User-Agent", "KimiCLI/0.77"), ("X-Number", "1.5")),
        models=(Model("a"),),
        unlisted=(Model("b", 262144, (("X", "y"),)), Model("c")),
    )


def test_what_is_left_out_is_empty() -> None:
    found = provider(headers=None, models=None, unlisted_models=None, api=None, api_key=None)
    assert found == Provider("moonshot", URL)


CONTEXTS: Mapping[str, object] = {"text": "262144", "truth": True, "fraction": 1.5, "nothing": None}


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
def test_a_context_that_is_no_number_of_tokens_is_none(context: object) -> None:
    assert provider(models=[{"id": "a", "contextWindow": context}]).models == (Model("a"),)


def test_no_secret_is_in_a_repr() -> None:
    whole = provider(headers={"Authorization": "hunter2"}, models=[{"id": "a", "headers": {"X-Api-Key": "hunter2"}}])
    request = status.listing_request(whole, "agent")
    outcome = answer(200, KEY.encode(), x=KEY)
    assert not [text for text in (repr(whole), repr(request), repr(outcome)) if KEY in text or "hunter2" in text]


SECRETS: Mapping[str, tuple[Mapping[str, object], set[str]]] = {
    "key": ({"api_key": KEY}, {KEY}),
    "no key": ({"api_key": None}, set()),
    "bearer": ({"headers": {"authorization": "Bearer abc"}}, {"Bearer abc", "abc"}),
    "several words": ({"headers": {"Cookie": "a=b; c=d e"}}, {"a=b; c=d e"}),
    "names": (
        {"headers": {"X-Api-Key": "a", "x-TOKEN": "b", "Client-Secret": "c", "password": "d", "X-Credential": "e"}},
        {"a", "b", "c", "d", "e"},
    ),
    "other names": ({"headers": {"User-Agent": "a", "X-Version": 1}}, set()),
    "a number": ({"headers": {"X-Key": 5}}, {"5"}),
    "model headers": ({"models": ["x", {"headers": {"X-Key": "a"}}, {"headers": ["X-Key"]}]}, {"a"}),
    "password in the URL": ({"base_url": "https://me:hunter2@host/"}, {"hunter2"}),
    "token in the URL": ({"base_url": "https://hunter2@host/"}, {"hunter2"}),
}


@pytest.mark.parametrize(("raw", "secrets"), SECRETS.values(), ids=SECRETS)
def test_secrets_are_known_before_anything_is_checked(raw: Mapping[str, object], secrets: set[str]) -> None:
    assert status.secrets_in([raw]) == secrets


CLEANED: Mapping[str, tuple[str, str]] = {
    "own key": (f"bad {KEY}!", f"bad <{fingerprint(KEY)}>!"),
    "other key": ("bad sk-zyxwvuts!", "bad <redacted>!"),
    "starred key": ("bad sk-a*****yz, sk-ab****", "bad <redacted> <redacted>"),
    "account": ("org-5d41402abc4b<ak-b9719d911017c592>", "<redacted><<redacted>>"),
    "lines": (" a\r\n\tb\x00\x1b[1m\u202e c ", "a b [1m c"),
    "length": ("x" * 301, "x" * 300 + "…"),
    "key at the cut": ("x" * 290 + KEY, "x" * 290 + f"<{fingerprint(KEY)}>"[:10] + "…"),
}


@pytest.mark.parametrize(("text", "shown"), CLEANED.values(), ids=CLEANED)
def test_foreign_text_is_cleaned(text: str, shown: str) -> None:
    assert status.clean(text, {KEY}) == shown


# Before anything is sent

BASE_URLS: Mapping[str, str | None] = {
    "https://api.moonshot.cn/v1": None,
    "HTTPS://[::1]:8443/v1/": None,
    "http://localhost": None,
    "": "starts with neither http:// nor https://",
    "api.moonshot.cn/v1": "starts with neither http:// nor https://",
    "file:///etc/passwd": "starts with neither http:// nor https://",
    "https:///v1": "names no host that could be asked",
    "https://:443/v1": "names no host that could be asked",
    "https://host:0/v1": "names no host that could be asked",
    "https://host:99999/v1": "is not a URL",
    "https://host:port/v1": "is not a URL",
    "https://[::1/v1": "is not a URL",
    "https://me:hunter2@host/v1": "holds a user name or password, which belongs in api_key or headers",
    "https://me@host/v1": "holds a user name or password, which belongs in api_key or headers",
    "https://host/v1?key=hunter2": "holds a query or a fragment, to which no path can be added",
    "https://host/v1?": "holds a query or a fragment, to which no path can be added",
    "https://host/v1#top": "holds a query or a fragment, to which no path can be added",
    "https://host/v 1": "holds a character that a URL cannot hold as it is",
    "https://host/v1\r\nX: y": "holds a character that a URL cannot hold as it is",
    "https://höst/v1": "holds a character that a URL cannot hold as it is",
    "https://host/v1\x7f": "holds a character that a URL cannot hold as it is",
}


@pytest.mark.parametrize(("base_url", "problem"), BASE_URLS.items(), ids=list(BASE_URLS))
def test_a_base_url_is_checked(base_url: str, problem: str | None) -> None:
    assert status.base_url_problem(base_url) == problem


@given(st.text(max_size=60) | st.text(max_size=40).map(lambda rest: f"https://{rest}"))
def test_a_base_url_that_passes_can_be_asked(base_url: str) -> None:
    if status.base_url_problem(base_url) is None:
        scheme, host, _port = status.origin(status.listing_request(provider(base_url=base_url), "agent").url)
        assert scheme in ("http", "https")
        assert host


KEYS: Mapping[str, str | None] = {
    KEY: None,
    "caf\xe9": None,
    "sk-a\n": "character 5 of 5 of the API key is a line feed: no HTTP header can carry that",
    "sk-a\r\n": "character 5 of 6 of the API key is a carriage return: no HTTP header can carry that",
    "\tsk-a": "character 1 of 5 of the API key is a tab: no HTTP header can carry that",
    "sk -a": "character 3 of 5 of the API key is a space: no HTTP header can carry that",
    "sk-a\xa0": "character 5 of 5 of the API key is white space: no HTTP header can carry that",
    "sk-\u2028": "character 4 of 4 of the API key is white space: no HTTP header can carry that",
    "sk-\x00": "character 4 of 4 of the API key is a control character: no HTTP header can carry that",
    "sk-\x7f": "character 4 of 4 of the API key is a control character: no HTTP header can carry that",
    "sk-\x9f": "character 4 of 4 of the API key is a control character: no HTTP header can carry that",
    "sk-\u2026": "character 4 of 4 of the API key is not of Latin-1: no HTTP header can carry that",
}


@pytest.mark.parametrize(("key", "message"), KEYS.items(), ids=[ascii(key) for key in KEYS])
def test_a_key_is_checked(key: str, message: str | None) -> None:
    finding = Finding("key_malformed", message) if message else None
    assert status.refuse(provider(api_key=key), allow_insecure_http=False) == finding


CLEAR_TEXT: Mapping[str, bool] = {
    "http://127.0.0.1:8080/v1": True,
    "http://127.9.9.9/v1": True,
    "http://[::1]:80/v1": True,
    "HTTP://LOCALHOST/v1": True,
    "https://10.0.0.1/v1": True,
    "http://10.0.0.1/v1": False,
    "http://localhost.example/v1": False,
    "http://127.0.0.1.example/v1": False,
    "http://[::2]/v1": False,
    "http://2130706433/v1": False,
}


@pytest.mark.parametrize(("base_url", "sent"), CLEAR_TEXT.items(), ids=list(CLEAR_TEXT))
def test_clear_text_is_for_loopback(base_url: str, sent: bool) -> None:
    found = status.refuse(provider(base_url=base_url), allow_insecure_http=False)
    assert (found.status if found else None) == (None if sent else "insecure_url")
    assert status.refuse(provider(base_url=base_url), allow_insecure_http=True) is None


LISTING_URL = "https://host/v1/models"
REDIRECTS: Mapping[str, tuple[str, int, str | None, str | NoAnswer | None]] = {
    "no redirect": ("GET", 200, "/x", None),
    "not modified": ("GET", 304, "/x", None),
    "no target": ("GET", 302, None, None),
    "a path": ("GET", 302, "/x", "https://host/x"),
    "a name": ("GET", 301, "x", "https://host/v1/x"),
    "the default port": ("GET", 308, "https://HOST:443/x", "https://HOST:443/x"),
    "a chat that stays one": ("POST", 307, "/x", "https://host/x"),
    "a chat that would be a GET": ("POST", 303, "/x", NoAnswer("redirect", "", "https://host/x", 303)),
    "another host": ("GET", 302, "//evil/x", NoAnswer("redirect", "", "https://evil/x", 302)),
    "another port": ("GET", 302, "https://host:444/x", NoAnswer("redirect", "", "https://host:444/x", 302)),
    "port zero": ("GET", 302, "https://host:0/x", NoAnswer("redirect", "", "https://host:0/x", 302)),
    "no TLS": ("GET", 302, "http://host/x", NoAnswer("redirect", "", "http://host/x", 302)),
    "no TLS, same port": ("GET", 302, "http://host:443/x", NoAnswer("redirect", "", "http://host:443/x", 302)),
    "a password": ("GET", 302, "https://me:pw@host/x?y#z", NoAnswer("redirect", "", "https://host/x", 302)),
    "a mask": ("GET", 302, "https://host@evil/x", NoAnswer("redirect", "", "https://evil/x", 302)),
    "no URL": ("GET", 302, "https://[", NoAnswer("redirect", "", "something that is not a URL", 302)),
    "no port": ("GET", 302, "https://host:x/", NoAnswer("redirect", "", "something that is not a URL", 302)),
}


@pytest.mark.parametrize(("method", "code", "location", "target"), REDIRECTS.values(), ids=REDIRECTS)
def test_where_a_redirect_may_lead(method: str, code: int, location: str | None, target: str | NoAnswer | None) -> None:
    assert status.redirect_target(LISTING_URL, method, code, location) == target


@given(st.text(max_size=40) | st.text(max_size=30).map(lambda rest: f"https://host{rest}"))
def test_a_redirect_is_followed_to_the_same_origin_only(location: str) -> None:
    target = status.redirect_target(LISTING_URL, "GET", 302, location)
    assert not isinstance(target, str) or status.origin(target) == ("https", "host", 443)


# Waiting

RETRY = Finding("rate_limited", "x", retry=True)
NOW = 1_800_000_000.0
WAITS: Mapping[str, tuple[status.Outcome, dict[str, Any], float | None]] = {
    "first": (NoAnswer("dropped"), {}, 0.5),
    "first, late": (NoAnswer("dropped"), {"jitter": 1}, 1),
    "second": (NoAnswer("dropped"), {"attempt": 2}, 1),
    "third": (NoAnswer("dropped"), {"attempt": 3, "retries": 3}, 2),
    "longest": (NoAnswer("dropped"), {"attempt": 99999, "retries": 99999, "jitter": 1}, 16),
    "none left": (NoAnswer("dropped"), {"attempt": 3}, None),
    "no retries": (NoAnswer("dropped"), {"retries": 0}, None),
    "long enough": (NoAnswer("dropped"), {"waited": 59.5}, 0.5),
    "too long altogether": (NoAnswer("dropped"), {"waited": 59.6}, None),
    "asked for": (answer(429, b"", retry_after="3"), {}, 3),
    "asked for, with jitter": (answer(429, b"", retry_after="3"), {"jitter": 0.5}, 3.5),
    "asked for less": (answer(429, b"", retry_after="0"), {}, 0.5),
    "asked for the bound": (answer(429, b"", retry_after="30"), {}, 30),
    "asked for too much": (answer(429, b"", retry_after="31"), {}, None),
    "asked for in years": (answer(429, b"", retry_after="999999999"), {}, None),
    "asked for a date": (answer(429, b"", retry_after="Fri, 15 Jan 2027 08:00:20 GMT"), {}, 20),
    "asked for the past": (answer(429, b"", retry_after="Fri, 15 Jan 2027 07:00:00 GMT"), {}, 0.5),
    "asked for nonsense": (answer(429, b"", retry_after="soon"), {}, 0.5),
    "asked for a negative time": (answer(429, b"", retry_after="-5"), {}, 0.5),
    "asked for in words": (error(429, "x", "please try again after 4 seconds"), {}, 4),
    "asked for too much in words": (error(429, "x", "please try again after 40 seconds"), {}, None),
    "header before words": (
        answer(429, {"error": {"message": "try again after 4 seconds"}}, retry_after="2"),
        {},
        2,
    ),
}


@pytest.mark.parametrize(("outcome", "how", "wait"), WAITS.values(), ids=WAITS)
def test_how_long_to_wait(outcome: status.Outcome, how: dict[str, Any], wait: float | None) -> None:
    known: dict[str, Any] = {"attempt": 1, "retries": 2, "waited": 0, "jitter": 0, "now": NOW, **how}
    assert status.wait_before_retry(RETRY, outcome, **known) == wait


def test_what_waiting_cannot_help_is_not_waited_for() -> None:
    finding = Finding("unauthorized", "x")
    wait = status.wait_before_retry(finding, answer(401, b""), attempt=1, retries=2, waited=0, jitter=0, now=NOW)
    assert wait is None


# Hints


def hint(outcome: status.Outcome, **more: object) -> str:
    asked = provider(**more)
    finding = status.sound(outcome, status.listing_request(asked, "agent"), set())
    assert isinstance(finding, Finding)
    return status.conclude_fault(asked, finding).hint


KIMI = "https://api.kimi.com/coding/v1"
UNAUTHORIZED: Mapping[str, tuple[dict[str, object], str]] = {
    "China": (
        {},
        "The key may be revoked, or belong to the other platform (base URL https://api.moonshot.ai/v1) or to Kimi Code"
        " (https://api.kimi.com/coding/v1). Keys for api.moonshot.cn are made at platform.moonshot.cn.",
    ),
    "international": (
        {"base_url": "https://api.moonshot.ai/v1"},
        "The key may be revoked, or belong to the other platform (base URL https://api.moonshot.cn/v1) or to Kimi Code"
        " (https://api.kimi.com/coding/v1). Keys for api.moonshot.ai are made at platform.moonshot.ai.",
    ),
    "a key of Kimi Code": (
        {"base_url": "https://API.moonshot.ai/v1", "api_key": "sk-kimi-0123456789"},
        "The key starts with sk-kimi-, so it belongs to Kimi Code: its base URL is https://api.kimi.com/coding/v1.",
    ),
    "Kimi Code": (
        {"base_url": KIMI},
        "Kimi Code takes keys of its own only (kimi.com/code/console): a key of platform.moonshot.cn or"
        " platform.moonshot.ai is not valid there.",
    ),
    "another vendor": (
        {"base_url": "https://llm.example/v1", "api_key": "sk-kimi-0123456789"},
        "Check on the console of llm.example that the key is valid, and that it was made for this host.",
    ),
}


@pytest.mark.parametrize(("more", "text"), UNAUTHORIZED.values(), ids=UNAUTHORIZED)
def test_a_refused_key_may_belong_elsewhere(more: dict[str, object], text: str) -> None:
    assert hint(error(401, "x", "Invalid Authentication"), **more) == text


WRONG_URLS: Mapping[str, tuple[dict[str, object], str]] = {
    "no version": (
        {"base_url": "https://api.moonshot.cn/"},
        "base_url does not end in /v1: try https://api.moonshot.cn/v1. If it is an Anthropic-style base, its models are"
        " listed at /v1/models below it: set api=anthropic-messages.",
    ),
    "another version": (
        {"base_url": "https://llm.example/api/v4"},
        "Check the path of base_url: the models must be listed at /models below it.",
    ),
    "Kimi Code": (
        {"base_url": "https://api.kimi.com/coding/"},
        "The base URL of Kimi Code is https://api.kimi.com/coding/v1. Its Anthropic-style base"
        " https://api.kimi.com/coding/ lists its models at /v1/models below it, and needs api=anthropic-messages.",
    ),
    "Anthropic's protocol": (
        {"base_url": KIMI, "api": "anthropic-messages"},
        "With api=anthropic-messages, base_url ends before /v1, which is added: leave it out.",
    ),
}


@pytest.mark.parametrize(("more", "text"), WRONG_URLS.values(), ids=WRONG_URLS)
def test_a_wrong_base_url_is_put_right(more: dict[str, object], text: str) -> None:
    assert hint(answer(404, b"<html>"), **more) == text


CONSOLES: Mapping[str, str] = {
    "https://api.moonshot.cn/v1": "platform.moonshot.cn",
    "https://api.moonshot.ai/v1": "platform.moonshot.ai",
    KIMI: "kimi.com/code/console",
    "https://llm.example/v1": "the console of llm.example",
}


@pytest.mark.parametrize(("base_url", "console"), CONSOLES.items())
def test_money_is_paid_at_the_vendors_console(base_url: str, console: str) -> None:
    text = f"Trying again does not help: top up the account, or wait for its next billing period ({console})."
    assert hint(error(429, "exceeded_current_quota_error", "x"), base_url=base_url) == text


def test_every_kind_of_no_answer_has_a_hint() -> None:
    kinds = {kind: hint(NoAnswer(kind, "peer", "detail")) for kind in status._NO_ANSWER}
    assert [kind for kind, text in kinds.items() if not text] == []


# What an answer proves

NEAREST: Mapping[str, tuple[str, list[str]]] = {
    "a dot": ("kimi-k25", ["kimi-k2.5", "kimi-k2.6"]),
    "case": ("Kimi-K2.5", ["kimi-k2.5", "kimi-k2.6"]),
    "the product's way": ("moonshot/kimi-k2.5", ["kimi-k2.5", "moonshot-v1-8k", "moonshot-v1-32k"]),
    "a wrong copy": ("moonlight-v1-32k", ["moonshot-v1-32k", "moonshot-v1-8k"]),
    "nothing near": ("gpt", []),
}


@pytest.mark.parametrize(("model_id", "near"), NEAREST.values(), ids=NEAREST)
def test_the_nearest_ids_are_suggested(model_id: str, near: list[str]) -> None:
    assert status.nearest(model_id, ["moonshot-v1-8k", "moonshot-v1-32k", "kimi-k2.6", "kimi-k2.5"]) == near


def test_a_long_listing_is_shown_in_part() -> None:
    asked = provider(models=["zzz"])
    listing = Listing(tuple(f"m{n}" for n in range(12)), {}, False, 200, 7)
    assert status.conclude(asked, listing, None, ()).hint == (
        "api.moonshot.cn lists m0, m1, m2, m3, m4, m5, m6, m7, m8, m9 and 2 more for this key. A model that is accepted"
        " without being listed belongs in unlisted_models."
    )


def test_an_id_that_echoes_the_key_is_not_shown() -> None:
    listing = Listing((f"a-{KEY}", "b\x1b[2J"), {}, False, 200, 7)
    assert status.conclude(provider(), listing, None, {KEY}).listed == [f"a-<{fingerprint(KEY)}>", "b [2J"]


def test_a_provider_without_models_is_asked_about_its_key() -> None:
    found = status.conclude(provider(), Listing(("a", "b"), {}, False, 200, 7), None, ())
    assert (found.status, found.message, found.hint) == ("ok", "the key is accepted; 2 models are listed", "")


def test_an_unlisted_model_may_be_listed() -> None:
    asked = provider(unlisted_models=["a"])
    listing = Listing(("a",), {}, False, 200, 7)
    refused = Finding("model_unusable", "no", 404, 9, refusal="unknown")
    found = status.conclude(asked, listing, {"a": refused}, ())
    assert (found.status, found.missing, found.message) == ("model_unusable", [], "a cannot be used: no")


def test_the_slowest_chat_counts() -> None:
    asked = provider(models=["a", "b"])
    chats = {model_id: Finding("ok", "x", 200, latency) for model_id, latency in (("a", 90), ("b", 30))}
    assert status.conclude(asked, Listing(("a", "b"), {}, False, 200, 7), chats, ()).latency_ms == 90


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "id", "error", "message", "type", "choices", "content", "context_length"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
LISTINGS = st.fixed_dictionaries({"data": st.lists(st.fixed_dictionaries({"id": st.sampled_from("abc")}) | JSON)})
BODIES = st.binary(max_size=80) | (JSON | LISTINGS).map(lambda document: json.dumps(document).encode())
ANSWERS = st.builds(
    Answer,
    st.integers(0, 999) | st.sampled_from([200, 401, 403, 404, 429]),
    st.text(max_size=5),
    st.dictionaries(st.sampled_from(["content-type", "retry-after"]), st.text(max_size=30), max_size=2),
    BODIES,
    st.sampled_from([None, None, None, status.TOO_LONG, status.CUT_SHORT, status.UNKNOWN_ENCODING]),
    st.integers(0, 9),
)
OUTCOMES = ANSWERS | st.builds(NoAnswer, st.sampled_from(sorted(status._NO_ANSWER)), st.text(), st.text())


@given(outcome=OUTCOMES)
def test_ok_means_that_every_model_is_listed(outcome: status.Outcome) -> None:
    asked = provider(models=["a", "b"])
    listing = status.read_listing(outcome, ASK_LISTING, {KEY})
    if isinstance(listing, Finding):
        found = status.conclude_fault(asked, listing)
        assert found.status != "ok"
    else:
        found = status.conclude(asked, listing, None, {KEY})
        assert (found.status == "ok") == {"a", "b"}.issubset(listing.ids)
        assert isinstance(outcome, Answer)
        assert (outcome.status, outcome.defect) == (200, None)
        named = json.loads(outcome.body)["data"]
        assert set(listing.ids) == {entry["id"] for entry in named if _has_id(entry)}
    assert bool(found.hint) == (found.status != "ok")


def _has_id(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("id"), str) and entry["id"] != ""


@given(outcome=OUTCOMES, api=st.sampled_from([status.OPENAI, status.ANTHROPIC]))
def test_ok_means_that_a_model_answered(outcome: status.Outcome, api: str) -> None:
    finding = status.read_chat(outcome, ASK_CHAT, api, {KEY})
    if finding.status == "ok":
        assert isinstance(outcome, Answer)
        assert outcome.status == 200
        document = json.loads(outcome.body)
        assert document["content"] is not None if api == status.ANTHROPIC else document["choices"]


@given(outcome=ANSWERS, jitter=st.floats(0, 1), waited=st.floats(0, 60), attempt=st.integers(1, 9), chat=st.booleans())
def test_waits_are_bounded(outcome: Answer, jitter: float, waited: float, attempt: int, chat: bool) -> None:
    judged = status.sound(outcome, ASK_CHAT if chat else ASK_LISTING, ())
    if isinstance(judged, Finding):
        wait = status.wait_before_retry(
            judged, outcome, attempt=attempt, retries=5, waited=waited, jitter=jitter, now=NOW
        )
        assert wait is None or (0.5 <= wait <= 31 and waited + wait <= 60)


@given(before=st.text(max_size=400), after=st.text(max_size=20))
def test_the_key_is_never_shown(before: str, after: str) -> None:
    outcome = error(400, KEY, f"{before}{KEY}{after}")
    finding = status.sound(outcome, ASK_LISTING, {KEY})
    assert isinstance(finding, Finding)
    assert KEY[:8] not in finding.message
