# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import stat
import threading
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.client import Found, Settings
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.status import Finding, Listing, Request
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._answers import Answers

KEY = "sk-0123456789abcdef"
SETTINGS = Settings(False, 10.0, 2, None, True, False)
REQUEST = Request("GET", "https://endpoint.example/v1/models", (("Authorization", f"Bearer {KEY}"),))
LISTING = Listing(("kimi-k2.5", "kimi-k3"), {"kimi-k3": 1048576}, False, 200, 12)
FAULT = Finding("unauthorized", "it answered 401", 401, 7, retry=False, refusal=None, advice="other_region")


def never() -> Found:
    raise AssertionError("It was asked again.")


@pytest.mark.parametrize("found", [LISTING, FAULT], ids=["listing", "fault"])
def test_another_process_gets_what_was_found_and_asks_nobody(found: Found, tmp_path: Path) -> None:
    assert Answers(tmp_path / "answers", SETTINGS, [KEY])(REQUEST, lambda: found) == found
    assert Answers(tmp_path / "answers", SETTINGS, [KEY])(REQUEST, never) == found


OTHER_QUESTIONS = {
    "another key": (dataclasses.replace(REQUEST, headers=(("Authorization", "Bearer sk-other"),)), SETTINGS),
    "another endpoint": (dataclasses.replace(REQUEST, url="https://endpoint.example/v2/models"), SETTINGS),
    "another method": (dataclasses.replace(REQUEST, method="POST"), SETTINGS),
    "another model": (dataclasses.replace(REQUEST, body=b'{"model": "kimi-k3"}'), SETTINGS),
    "other authorities": (REQUEST, SETTINGS._replace(ca_path="/etc/ca.pem")),
    "certificates not verified": (REQUEST, SETTINGS._replace(validate_certs=False)),
    "more time": (REQUEST, SETTINGS._replace(timeout=20.0)),
    "fewer attempts": (REQUEST, SETTINGS._replace(retries=0)),
}


@pytest.mark.parametrize(("request_", "settings"), OTHER_QUESTIONS.values(), ids=OTHER_QUESTIONS)
def test_what_may_be_answered_otherwise_is_asked(request_: Request, settings: Settings, tmp_path: Path) -> None:
    Answers(tmp_path, SETTINGS, [KEY])(REQUEST, lambda: LISTING)
    assert Answers(tmp_path, settings, [KEY])(request_, lambda: FAULT) == FAULT


def test_whoever_asks_while_it_is_asked_waits_for_the_answer(tmp_path: Path) -> None:
    asked: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def ask() -> Found:
        asked.append(1)
        begun.set()
        go_on.wait()
        return LISTING

    found: list[Found] = []
    first, *others = [
        threading.Thread(target=lambda: found.append(Answers(tmp_path, SETTINGS, [KEY])(REQUEST, ask)))
        for _number in range(4)
    ]
    first.start()
    begun.wait()
    for other in others:
        other.start()
    go_on.set()
    for thread in (first, *others):
        thread.join()

    assert found == [LISTING] * 4
    assert asked == [1]


def test_a_question_that_could_not_be_asked_is_asked_by_the_next_one(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        Answers(tmp_path, SETTINGS, [KEY])(REQUEST, never)
    # What a process that died while it wrote has left is no answer.
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]
    assert Answers(tmp_path, SETTINGS, [KEY])(REQUEST, lambda: LISTING) == LISTING


def test_no_key_is_in_the_folder_whatever_the_endpoint_calls_its_models(tmp_path: Path) -> None:
    echo = LISTING._replace(ids=("kimi-k2.5", f"model-{KEY}"), contexts={f"model-{KEY}": 5, "kimi-k2.5": 6})
    folder = tmp_path / "answers"
    Answers(folder, SETTINGS, [KEY])(REQUEST, lambda: echo)

    kept = Answers(folder, SETTINGS, [KEY])(REQUEST, never)

    assert kept == LISTING._replace(ids=("kimi-k2.5",), contexts={"kimi-k2.5": 6})
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path for path in folder.iterdir() if KEY in path.name or KEY in path.read_text()] == []
