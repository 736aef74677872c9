# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import (
    REMOVE,
    at,
    elements,
    equal,
    members,
    string,
    strings,
    walk,
)

VALUE: dict[str, Any] = {"a": {"b": None}, "c": [1, {"d": " e "}], "f": " g "}

VALUES_AT: dict[str, tuple[tuple[str, ...], Any]] = {
    "the whole value": ((), VALUE),
    "deep": (("a", "b"), None),
    "missing": (("a", "x"), REMOVE),
    "below null": (("a", "b", "x"), REMOVE),
    "below an array": (("c", "0"), REMOVE),
}


@pytest.mark.parametrize("name", VALUES_AT)
def test_at(name: str) -> None:
    path, value = VALUES_AT[name]
    assert at(VALUE, path) == value


# A path, and the object, array and string there.
TYPED: dict[str, tuple[tuple[str, ...], Any, Any, Any]] = {
    "the whole value": ((), VALUE, [], ""),
    "object": (("a",), {"b": None}, [], ""),
    "array": (("c",), {}, [1, {"d": " e "}], ""),
    "string": (("f",), {}, [], "g"),
    "null": (("a", "b"), {}, [], ""),
    "missing": (("x",), {}, [], ""),
}


@pytest.mark.parametrize("name", TYPED)
def test_another_type_is_like_a_missing_value(name: str) -> None:
    path, *found = TYPED[name]
    assert [members(VALUE, path), elements(VALUE, path), string(VALUE, path)] == found


def test_walk_yields_each_part_in_the_order_of_the_document() -> None:
    assert list(walk(VALUE)) == [
        ((), VALUE),
        (("a",), {"b": None}),
        (("a", "b"), None),
        (("c",), [1, {"d": " e "}]),
        (("c", "0"), 1),
        (("c", "1"), {"d": " e "}),
        (("c", "1", "d"), " e "),
        (("f",), " g "),
    ]


def test_strings_are_all_strings_but_names() -> None:
    assert list(strings({"a": ["b", ("c", 1)], "d": {"e": "f"}})) == ["b", "c", "f"]
    assert list(strings("a")) == ["a"]


EQUAL: dict[str, tuple[Any, Any]] = {
    "integer and double": ([1], [1.0]),
    "NaN": (math.nan, math.nan),
    "order of members": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
}
DIFFERENT: dict[str, tuple[Any, Any]] = {
    "boolean and number": (True, 1),
    "both booleans": ([True], [False]),
    "an integer and the double before it": (2**53 + 1, float(2**53)),
    "names of members": ({"a": 1}, {"b": 1}),
    "lengths of arrays": ([1], [1, 1]),
    "types": ({}, []),
    "null and false": (None, False),
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal(name: str) -> None:
    assert equal(*EQUAL[name])


@pytest.mark.parametrize("name", DIFFERENT)
def test_different(name: str) -> None:
    assert not equal(*DIFFERENT[name])
