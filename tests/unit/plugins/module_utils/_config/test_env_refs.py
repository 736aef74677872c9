# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import (
    VARIABLE_NAME,
    is_reference,
    reference,
    references,
    referring_places,
    substitute,
)

VARIABLES = {"A": "1", "B_2": "two", "E": ""}

# Text, the names that it refers to, the text with VARIABLES in it. As config/env-substitution.js of the product has it.
TEXTS: dict[str, tuple[str, set[str], str]] = {
    "plain": ("A", set(), "A"),
    "one": ("${A}", {"A"}, "1"),
    "inside": ("x${A}y${B_2}z", {"A", "B_2"}, "x1ytwoz"),
    "twice": ("${A}${A}", {"A"}, "11"),
    "empty value": ("${E}.", {"E"}, "."),
    "unknown": ("${UNKNOWN}", {"UNKNOWN"}, "${UNKNOWN}"),
    "underscore first": ("${_A}", {"_A"}, "${_A}"),
    "escaped": ("$${A}", set(), "$${A}"),
    "escaped, then one": ("$${A}${A}", {"A"}, "$${A}1"),
    "three dollars": ("$$${A}", set(), "$$${A}"),
    "small letters": ("${a}", set(), "${a}"),
    "mixed letters": ("${Aa}", set(), "${Aa}"),
    "digit first": ("${1A}", set(), "${1A}"),
    "no braces": ("$A", set(), "$A"),
    "not closed": ("${A", set(), "${A"),
    "white space": ("${ A }", set(), "${ A }"),
    "empty": ("${}", set(), "${}"),
    "nested": ("${${A}}", {"A"}, "${1}"),
    "default value": ("${A:-x}", set(), "${A:-x}"),
}

VALUES: dict[str, tuple[Any, set[str]]] = {
    "nothing": (None, set()),
    "number": (1, set()),
    "deep": ({"a": [{"b": "${A}"}, ["${B}", 1, None]], "c": "${C}"}, {"A", "B", "C"}),
    "names of members do not count": ({"${A}": 1}, set()),
    "an object that refers": ({"apiKey": {"source": "env", "provider": "default", "id": "A"}}, {"A"}),
    "in a list": ([{"source": "env", "id": "A"}, "${B}"], {"A", "B"}),
    "an object that refers to a file": ({"source": "file", "provider": "p", "id": "/A"}, set()),
    "an object that refers to nothing": ({"source": "env", "id": 5}, set()),
}

PLACES = {
    "in the order of the value": (
        {"b": ["${A}", {"c": "x${B}${A}"}], "a": "${A}"},
        [("A", "b.0"), ("B", "b.1.c"), ("A", "b.1.c"), ("A", "a")],
    ),
    "an object that refers": ({"k": {"source": "env", "provider": "default", "id": "A"}}, [("A", "k")]),
    "an escape": ({"k": "$${A}"}, []),
}

NAMES = {
    "A": True,
    "_": True,
    "A_1": True,
    "": False,
    "1A": False,
    "a": False,
    "A-B": False,
    "A B": False,
    "A\n": False,
    "Ä": False,
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str) -> None:
    text, found, substituted = TEXTS[name]
    assert references(text) == found
    assert substitute(text, VARIABLES) == substituted


@pytest.mark.parametrize("name", VALUES)
def test_values(name: str) -> None:
    value, found = VALUES[name]
    assert references(value) == found


@pytest.mark.parametrize(("value", "places"), PLACES.values(), ids=PLACES)
def test_places(value: Any, places: list[tuple[str, str]]) -> None:
    assert [(name, ".".join(path)) for name, path in referring_places(value)] == places


@pytest.mark.parametrize("name", NAMES)
def test_variable_names(name: str) -> None:
    assert bool(VARIABLE_NAME.match(name)) is NAMES[name]
    assert is_reference(reference(name)) is NAMES[name]


@pytest.mark.parametrize("value", [None, 1, ["${A}"], "x${A}", "${A}x", "${A}\n", "$${A}", "${A}${B}"])
def test_no_reference(value: Any) -> None:
    assert not is_reference(value)


def test_a_value_is_not_substituted_again() -> None:
    assert substitute("${A}", {"A": "${B}", "B": "x"}) == "${B}"
