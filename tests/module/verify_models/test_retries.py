# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which requests are repeated, and when."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import SimpleNamespace

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints import client

from tests.module.verify_models.behaviours import (
    CUT,
    in_turn,
    says_nothing,
)
from tests.module.verify_models.probing import (
    only,
    provider,
    run,
)
from tests.module.verify_models.raw_server import (
    Behaviour,
    RawServer,
    answer,
    error,
    listing,
)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds waited between attempts, without the waiting."""
    seconds: list[float] = []
    monkeypatch.setattr(client, "time", SimpleNamespace(sleep=seconds.append, time=time.time))
    return seconds


AGAIN: Mapping[str, tuple[Behaviour, int]] = {
    "rate limit": (error(429, "rate_limit_reached_error", "x"), 2),
    "overloaded engine": (error(429, "engine_overloaded_error", "The engine is currently overloaded"), 2),
    "overloaded vendor": (error(529, "overloaded_error", "Overloaded"), 2),
    "server error": (answer(503, b""), 2),
    "refused": (error(400, "x", "bad"), 1),
    "closed": (b"", 2),
    "cut short": (CUT, 2),
    "no answer": (says_nothing, 2),
    "out of money": (error(429, "exceeded_current_quota_error", "x"), 1),
    "unauthorized": (answer(401, b""), 1),
    "wrong URL": (answer(404, b""), 1),
    "too long to wait": (answer(429, b"", "Retry-After: 31"), 1),
}


@pytest.mark.parametrize(("first", "attempts"), AGAIN.values(), ids=AGAIN)
def test_only_requests_that_may_succeed_later_are_repeated(first: Behaviour, attempts: int, waits: list[float]) -> None:
    with RawServer(in_turn(first, listing("kimi-k2.5"))) as server:
        code, _result, _printed = run(provider(server), retries=2, timeout=0.5 if first is says_nothing else 5)
    assert (len(server.received), code) == (attempts, 0 if attempts == 2 else 1)
    assert [0.5 <= wait < 1 for wait in waits] == [True] * (attempts - 1)


def test_retry_after_is_honoured(waits: list[float]) -> None:
    with RawServer(in_turn(answer(429, b"", "Retry-After: 3"), listing("kimi-k2.5"))) as server:
        code, result, _printed = run(provider(server), retries=1)
    assert (code, only(result)["status"]) == (0, "ok")
    assert [3 <= wait < 4 for wait in waits] == [True]


def test_retries_come_to_an_end(waits: list[float]) -> None:
    with RawServer(answer(500, b"")) as server:
        _code, result, _printed = run(provider(server), retries=3)
    assert only(result)["status"] == "server_error"
    assert len(server.received) == 4
    assert [low <= wait < 2 * low for wait, low in zip(waits, (0.5, 1, 2))] == [True] * 3
