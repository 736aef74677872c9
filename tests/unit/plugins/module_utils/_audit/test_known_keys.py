# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.known_keys import KnownKeys
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from hypothesis import given
from hypothesis import strategies as st

NOW, OLD, OTHER = "sk-now-0123456789", "sk-old-0123456789", "sk-other-0123456789"
KEYS = KnownKeys(
    {"moonshot": "MOONSHOT_API_KEY", "kimicode": "KIMICODE_API_KEY"},
    {"MOONSHOT_API_KEY": NOW},
    frozenset(map(fingerprint, [OLD, "0123456789abcdef.ABCDEFGHIJ", "OLD_API_KEY_NAME"])),
    {"sk-stale-0123456789": "MOONSHOT_API_KEY", "MOONSHOT_API_KEY": "MOONSHOT_API_KEY"},
    {"kimi": "kimicode"},
)

FOUND: dict[str, tuple[str, list[tuple[str, str, str | None]]]] = {
    "of a name": ("MOONSHOT_API_KEY and OLD_API_KEY_NAME", []),
    "none": ("no key, but sk-none-0123456789", []),
    "by value": (f"x{NOW}y", [(NOW, "current", "MOONSHOT_API_KEY")]),
    "by fingerprint": (f'"{OLD}"', [(OLD, "old", None)]),
    "at the end of a sentence": (f"It is {OLD}.", [(OLD, "old", None)]),
    "with a dot in it": ("0123456789abcdef.ABCDEFGHIJ", [("0123456789abcdef.ABCDEFGHIJ", "old", None)]),
    "after a line break of JSON": (rf"My key:\n{OLD}\nbye", [(OLD, "old", None)]),
    "after a name": (f"KEY={OLD}", [(OLD, "old", None)]),
    "in a URL": (f"?key={OLD}&x", [(OLD, "old", None)]),
    "found in place of the current one": (
        "sk-stale-0123456789",
        [("sk-stale-0123456789", "old", "MOONSHOT_API_KEY")],
    ),
    "several": (
        f"{OLD} {NOW} {OLD}",
        [(OLD, "old", None), (NOW, "current", "MOONSHOT_API_KEY"), (OLD, "old", None)],
    ),
}


@pytest.mark.parametrize(("text", "expected"), FOUND.values(), ids=FOUND)
def test_keys_are_found_by_value_and_by_fingerprint(text: str, expected: list[tuple[str, str, str | None]]) -> None:
    matches = KEYS.find(text)
    assert [(match.key, match.status, match.variable) for match in matches] == expected
    assert [text[match.start : match.end] for match in matches] == [match.key for match in matches]


STATUS = {
    "the current one in its place": (NOW, "MOONSHOT_API_KEY", "current"),
    "another one in its place": (OTHER, "MOONSHOT_API_KEY", "old"),
    "the current one elsewhere": (NOW, None, "current"),
    "an old one elsewhere": (OLD, None, "old"),
    "an old one whose value is known elsewhere": ("sk-stale-0123456789", None, "old"),
    "any other one": (OTHER, None, "unknown"),
    "in the place of a variable that has no key": (OTHER, "KIMICODE_API_KEY", "unknown"),
    "a name in the place of one": ("OLD_API_KEY_NAME", "MOONSHOT_API_KEY", "unknown"),
    "an old one in the place of a variable that has no key": (OLD, "KIMICODE_API_KEY", "old"),
}


@pytest.mark.parametrize(("key", "variable", "expected"), STATUS.values(), ids=STATUS)
def test_a_key_has_a_status(key: str, variable: str | None, expected: str) -> None:
    assert KEYS.status(key, variable) == expected


@pytest.mark.parametrize(
    ("provider", "expected"),
    [
        ("moonshot", "MOONSHOT_API_KEY"),
        (" MoonShot ", "MOONSHOT_API_KEY"),
        ("Kimi", "KIMICODE_API_KEY"),
        ("openai", None),
        (None, None),
        (7, None),
    ],
)
def test_a_provider_has_its_variable_however_it_is_spelled(provider: object, expected: str | None) -> None:
    assert KEYS.variable_of(provider) == expected


@pytest.mark.parametrize("value", ["short", "MOONSHOT_API_KEY", "YOUR_MOONSHOT_API_KEY", "changeme-please"])
def test_a_value_that_cannot_be_a_key_is_not_searched_for(value: str) -> None:
    assert KnownKeys({"p": "P"}, {"P": value}).find(f"{value} and {value}") == []


def test_no_key_is_in_a_repr() -> None:
    assert "sk-" not in repr(KEYS)
    assert "sk-" not in repr(KEYS.find(f"{OLD} {NOW}"))


PARTS = st.sampled_from([NOW, OLD, " ", "\n", '"', "abc", "\\n", "-", "."])


@given(st.lists(PARTS).map("".join))
def test_matches_are_in_order_and_do_not_overlap(text: str) -> None:
    end = 0
    for match in KEYS.find(text):
        assert match.start >= end
        assert text[match.start : match.end] == match.key
        end = match.end
    assert (NOW in text) <= any(NOW in text[match.start : match.end] for match in KEYS.find(text))
