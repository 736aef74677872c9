# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._key_age import judged_keys, max_age_problems

KEY = "sha256:0123456789ab"
TOO_OLD = (
    f"The key {KEY} of moonshot is 91 days old, more than the 90 of providers_key_max_age. Create a new one, and run "
    "the playbook clawfleet.clawdbot.rotate."
)
UNKNOWN = f"The age of the key {KEY} of moonshot is not known: no run of the collection has written it."

JUDGED: dict[str, tuple[int | None, Any, list[str], list[str]]] = {
    "too old": (91, 90, [TOO_OLD], []),
    "from the command line": (91, "90", [TOO_OLD], []),
    "on its last day": (90, 90, [], []),
    "not known": (None, 90, [], [UNKNOWN]),
    "not judged": (91, 0, [], []),
    "not known and not judged": (None, 0, [], []),
}


@pytest.mark.parametrize(("age", "max_age", "too_old", "unknown"), JUDGED.values(), ids=JUDGED)
def test_the_age_of_a_key(age: int | None, max_age: Any, too_old: list[str], unknown: list[str]) -> None:
    keys = {"moonshot": {"stored": KEY, "in_process": KEY, "previous": None, "age_days": age}}
    assert judged_keys(keys, max_age) == {"too_old": too_old, "unknown": unknown}


@pytest.mark.parametrize("stored", ["", None, "sk-0123456789abcdef", 7])
def test_what_is_no_fingerprint_has_no_age(stored: Any) -> None:
    assert judged_keys({"moonshot": {"stored": stored, "age_days": 91}}, 90) == {"too_old": [], "unknown": []}


@pytest.mark.parametrize("keys", [None, [], "x", {"moonshot": 7}])
def test_an_invalid_result_has_no_keys(keys: Any) -> None:
    assert judged_keys(keys, 90) == {"too_old": [], "unknown": []}


@pytest.mark.parametrize("age", [True, -1, 10**4000, 3.5, "91"])
def test_what_is_no_number_of_days_is_not_known(age: Any) -> None:
    assert judged_keys({"moonshot": {"stored": KEY, "age_days": age}}, 90) == {"too_old": [], "unknown": [UNKNOWN]}


@pytest.mark.parametrize("max_age", [0, 1, 90, "90"])
def test_a_number_of_days_is_accepted(max_age: Any) -> None:
    assert max_age_problems(max_age) == []


@pytest.mark.parametrize("max_age", [-1, 1.5, True, None, "", "-1", "90 days", "1e3", [], 10**9])
def test_anything_else_is_rejected(max_age: Any) -> None:
    assert max_age_problems(max_age) == [
        f"providers_key_max_age: {max_age!r} is not a number of days. Use a whole number, such as 90, or 0 for keys of "
        "any age."
    ]
