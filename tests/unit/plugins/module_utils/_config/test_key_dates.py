# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.key_dates import (
    KeyHistory,
    history_of,
    updated,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from hypothesis import given
from hypothesis import strategies as st

NAME = "MOONSHOT_API_KEY"
A, B, C = (fingerprint(f"sk-{name}") for name in "abc")
TODAY = date(2026, 11, 28)
UNKNOWN = KeyHistory(None, None)


def after(*steps: tuple[str, str], text: str | None = None) -> str | None:
    """Return the record after changes of one key, the last one today and each other one 10 days before the next."""
    for number, step in enumerate(steps, 1 - len(steps)):
        text = updated(text, {NAME: step}, TODAY + timedelta(days=10 * number))
    return text


HISTORIES: dict[str, tuple[list[tuple[str, str]], str, KeyHistory]] = {
    "the first key": ([("", A)], A, KeyHistory(0, "")),
    "a rotation": ([("", A), (A, B)], B, KeyHistory(0, A)),
    "two rotations": ([("", A), (A, B), (B, C)], C, KeyHistory(0, B)),
    "written again": ([("", A), (A, A)], A, KeyHistory(10, "")),
    "there before": ([(A, B)], B, KeyHistory(0, A)),
    "there before and rolled back": ([(A, B)], A, UNKNOWN),
    "never written": ([], A, UNKNOWN),
    "written by hand since": ([("", A)], B, UNKNOWN),
    "put back after an edit by hand": ([("", A), (B, A)], A, KeyHistory(10, B)),
    "back to an older key": ([("", A), (A, B), (B, A)], A, KeyHistory(20, B)),
    "back to a key that was there before": ([(A, B), (B, A)], A, KeyHistory(None, B)),
    "a run that died before it wrote its key": ([("", A), (A, B)], A, KeyHistory(10, "")),
    "and the next one": ([("", A), (A, B), (A, C)], C, KeyHistory(0, A)),
    "and one with the same key": ([("", A), (A, B), (A, B)], B, KeyHistory(0, A)),
    "one that died while it went back": ([("", A), (A, B), (B, A)], B, KeyHistory(10, A)),
    "removed, and there again": ([("", A), (A, ""), ("", A)], A, KeyHistory(0, "")),
    "removed by hand, and there again": ([("", A), ("", A)], A, KeyHistory(0, "")),
}


@pytest.mark.parametrize(("steps", "key", "expected"), HISTORIES.values(), ids=HISTORIES)
def test_the_age_and_the_previous_key(steps: list[tuple[str, str]], key: str, expected: KeyHistory) -> None:
    assert history_of(after(*steps), NAME, key, TODAY) == expected


def test_the_text_has_fingerprints_and_dates() -> None:
    assert json.loads(after((A, B)) or "") == {NAME: [{"key": A, "since": None}, {"key": B, "since": "2026-11-28"}]}


def test_nothing_is_written_where_no_key_changes_and_no_file_is_left_with_the_last_key() -> None:
    kept = '{"MOONSHOT_API_KEY": []}'
    assert updated(kept, {NAME: (A, A), "OTHER": ("", "")}, TODAY) is kept
    assert updated(None, {NAME: (A, A)}, TODAY) is None
    assert after(("", A), (A, "")) is None


def test_other_variables_keep_their_logs() -> None:
    text = updated(after(("", A)), {"KIMICODE_API_KEY": ("", B)}, TODAY + timedelta(days=3))
    assert history_of(text, NAME, A, TODAY + timedelta(days=3)) == KeyHistory(3, "")
    without = updated(text, {"KIMICODE_API_KEY": (B, "")}, TODAY)
    assert without == after(("", A))


def test_a_date_in_the_future_proves_nothing() -> None:
    assert history_of(after(("", A)), NAME, A, TODAY - timedelta(days=1)) == KeyHistory(None, "")


BROKEN = [
    "",
    "{",
    "[]",
    "7",
    '{"MOONSHOT_API_KEY": 7}',
    '{"MOONSHOT_API_KEY": [{}]}',
    '{"MOONSHOT_API_KEY": [{"key": "sk-a", "since": null}]}',
    f'{{"MOONSHOT_API_KEY": [{{"key": "{A}", "since": "yesterday"}}]}}',
    f'{{"MOONSHOT_API_KEY": [{{"key": "{A}", "since": 7}}]}}',
    "[" * 100_000,
]


@pytest.mark.parametrize("text", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_record_knows_nothing_and_starts_again(text: str) -> None:
    assert history_of(text, NAME, A, TODAY) == UNKNOWN
    assert history_of(updated(text, {NAME: (A, B)}, TODAY), NAME, B, TODAY) == KeyHistory(0, A)


@given(st.lists(st.sampled_from(["", A, B, C]), min_size=1, max_size=12))
def test_the_previous_key_is_the_one_before_the_last_change(keys: list[str]) -> None:
    text, now, changes = None, "", [key for key, before in zip(keys, ["", *keys]) if key != before]
    for key in changes:
        text, now = updated(text, {NAME: (now, key)}, TODAY), key
    if now:
        before = changes[-2] if len(changes) > 1 else ""
        assert history_of(text, NAME, now, TODAY) == KeyHistory(0, before)
    else:
        assert text is None
