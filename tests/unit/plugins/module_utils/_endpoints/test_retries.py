# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether and when a request is repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.responses import judge
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.retries import wait_before_retry
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import (
    Answer,
    NoAnswer,
    Outcome,
    Verdict,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils._endpoints.endpoint_cases import (
    ANSWERS,
    ASK_CHAT,
    ASK_LISTING,
    answer,
    error,
)

RETRY = Verdict("rate_limited", "x", retry=True)
NOW = 1_800_000_000.0
WAITS: Mapping[str, tuple[Outcome, dict[str, Any], float | None]] = {
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
    "asked for in words of LiteLLM": (error(429, "x", "No deployments available, Try again in 5 seconds."), {}, 5),
    "asked for too much in words": (error(429, "x", "please try again after 40 seconds"), {}, None),
    "header before words": (
        answer(429, {"error": {"message": "try again after 4 seconds"}}, retry_after="2"),
        {},
        2,
    ),
}


@pytest.mark.parametrize(("outcome", "how", "wait"), WAITS.values(), ids=WAITS)
def test_how_long_to_wait(outcome: Outcome, how: dict[str, Any], wait: float | None) -> None:
    known: dict[str, Any] = {"attempt": 1, "retries": 2, "waited": 0, "jitter": 0, "now": NOW, **how}
    assert wait_before_retry(RETRY, outcome, **known) == wait


def test_a_request_that_fails_again_is_not_repeated() -> None:
    finding = Verdict("unauthorized", "x")
    wait = wait_before_retry(finding, answer(401, b""), attempt=1, retries=2, waited=0, jitter=0, now=NOW)
    assert wait is None


@given(outcome=ANSWERS, jitter=st.floats(0, 1), waited=st.floats(0, 60), attempt=st.integers(1, 9), chat=st.booleans())
def test_waits_are_bounded(outcome: Answer, jitter: float, waited: float, attempt: int, chat: bool) -> None:
    judged = judge(outcome, ASK_CHAT if chat else ASK_LISTING, ())
    if isinstance(judged, Verdict):
        wait = wait_before_retry(judged, outcome, attempt=attempt, retries=5, waited=waited, jitter=jitter, now=NOW)
        assert wait is None or (0.5 <= wait <= 31 and waited + wait <= 60)
