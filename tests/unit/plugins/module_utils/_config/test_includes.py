# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.includes import Part, Resolved, resolve
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

CONFIG = "/g/clawdbot.json"
REJECTED = " The gateway rejects its whole config for that."


def resolved(document: Any, files: dict[str, Any]) -> Resolved:
    texts = {path: value if isinstance(value, str) else json.dumps(value) for path, value in files.items()}
    return resolve(document, CONFIG, texts.get)


MERGED: dict[str, tuple[Any, dict[str, Any], Any]] = {
    "nothing is included": ({"a": [1, {"b": None}]}, {}, {"a": [1, {"b": None}]}),
    "a file": ({"$include": "./a.json5"}, {"/g/a.json5": "{x: 1, /* c */}"}, {"x": 1}),
    "an absolute path": ({"$include": "/etc/a.json"}, {"/etc/a.json": {"x": 1}}, {"x": 1}),
    "the other members win": ({"$include": "a", "x": 2}, {"/g/a": {"x": 1, "y": 1}}, {"x": 2, "y": 1}),
    "wherever the directive stands": ({"x": 2, "$include": "a"}, {"/g/a": {"x": 1}}, {"x": 2}),
    "the later file wins": ({"$include": ["a", "b"]}, {"/g/a": {"x": 1, "y": 1}, "/g/b": {"x": 2}}, {"x": 2, "y": 1}),
    "no file at all": ({"$include": []}, {}, {}),
    "objects are merged": (
        {"$include": "a", "m": {"p": {"k": 1}}},
        {"/g/a": {"m": {"p": {"j": 2}, "q": {}}}},
        {"m": {"p": {"k": 1, "j": 2}, "q": {}}},
    ),
    "lists are put together": ({"$include": "a", "l": [2]}, {"/g/a": {"l": [1]}}, {"l": [1, 2]}),
    "a list takes the place of an object": ({"$include": "a", "l": [2]}, {"/g/a": {"l": {}}}, {"l": [2]}),
    "below": ({"m": {"$include": "a", "y": 2}}, {"/g/a": {"x": 1}}, {"m": {"x": 1, "y": 2}}),
    "a value that is no object": ({"m": {"$include": "a"}}, {"/g/a": "'text'"}, {"m": "text"}),
    "in a list": ({"l": [{"$include": "a"}, 3]}, {"/g/a": {"x": 1}}, {"l": [{"x": 1}, 3]}),
    "relative to the file that includes": (
        {"$include": "sub/a"},
        {"/g/sub/a": {"$include": "../b", "x": 1}, "/g/b": {"y": 2}},
        {"x": 1, "y": 2},
    ),
    "one file twice": (
        {"p": {"$include": "a"}, "q": {"$include": "a"}},
        {"/g/a": {"x": 1}},
        {"p": {"x": 1}, "q": {"x": 1}},
    ),
    "as deep as the product goes": (
        {"$include": "f1"},
        {**{f"/g/f{n}": {"$include": f"f{n + 1}"} for n in range(1, 10)}, "/g/f10": {"x": 1}},
        {"x": 1},
    ),
}


@pytest.mark.parametrize(("document", "files", "expected"), MERGED.values(), ids=MERGED)
def test_included_files_are_put_together_as_the_product_does(
    document: Any, files: dict[str, Any], expected: Any
) -> None:
    assert resolved(document, files).value == expected


BROKEN: dict[str, tuple[Any, dict[str, Any], str]] = {
    "not there": ({"$include": "a"}, {}, "/g/clawdbot.json includes /g/a, which does not exist."),
    "not there, further down": (
        {"$include": "a"},
        {"/g/a": {"$include": "b"}},
        "/g/a includes /g/b, which does not exist.",
    ),
    "broken": (
        {"$include": "a"},
        {"/g/a": '{\n key: "sk-secret-0123" "x"}'},
        "/g/a, included by /g/clawdbot.json, cannot be read: expected ',' or '}' at line 2, column 24.",
    ),
    "itself": (
        {"$include": "clawdbot.json"},
        {},
        "/g/clawdbot.json includes /g/clawdbot.json, which leads back to itself.",
    ),
    "a circle": (
        {"$include": "a"},
        {"/g/a": {"x": {"$include": "./b"}}, "/g/b": {"$include": "a"}},
        "/g/b includes /g/a, which leads back to itself.",
    ),
    "too deep": (
        {"$include": "f1"},
        {f"/g/f{n}": {"$include": f"f{n + 1}"} for n in range(1, 12)},
        "/g/f10 includes /g/f11, more than 10 files deep.",
    ),
    "too many": (
        {"$include": ["a"] * 40},
        {"/g/a": {"$include": ["b"] * 40}, "/g/b": {}},
        "/g/clawdbot.json includes more than 1000 files, each time counted.",
    ),
    "a number": (
        {"$include": 1},
        {},
        "/g/clawdbot.json has an $include that is neither a string nor a list of strings.",
    ),
    "a number in a list": (
        {"$include": ["a", 1]},
        {"/g/a": {}},
        "/g/clawdbot.json has an $include that is neither a string nor a list of strings.",
    ),
    "no path": ({"$include": "a\0b"}, {}, "/g/clawdbot.json has an $include that is not a path."),
    "settings beside a list": (
        {"m": {"$include": "a", "x": 1}},
        {"/g/a": [1]},
        "/g/clawdbot.json has other settings beside an $include of a file that is no object.",
    ),
    "nested too deeply": (
        json.loads('{"m":' * 300 + '{"$include": "a"}' + "}" * 300),
        {"/g/a": '{"m":' * 300 + "1" + "}" * 300},
        "/g/a nests more than 500 levels, with what it includes.",
    ),
}


@pytest.mark.parametrize(("document", "files", "problem"), BROKEN.values(), ids=BROKEN)
def test_invalid_includes_are_rejected_with_the_file(document: Any, files: dict[str, Any], problem: str) -> None:
    with pytest.raises(ClawdbotError) as error:
        resolved(document, files)
    assert str(error.value) == problem + REJECTED


PLACES: dict[str, tuple[tuple[str, ...], Any, tuple[str, ...], bool]] = {
    "at the path": ((), {"a": {"b": 1}}, ("a", "b"), True),
    "null at the path": ((), {"a": {"b": None}}, ("a", "b"), True),
    "beside the path": ((), {"a": {"c": 1}}, ("a", "b"), False),
    "a text around the path": ((), {"a": "text"}, ("a", "b"), True),
    "included at the path": (("a", "b"), {}, ("a", "b"), True),
    "included below the path": (("a", "b", "0"), {}, ("a", "b"), True),
    "included around the path": (("a",), {"b": 1}, ("a", "b"), True),
    "included beside the path": (("a", "c"), {"b": 1}, ("a", "b"), False),
    "included around it, with something else": (("a",), {"c": 1}, ("a", "b"), False),
}


@pytest.mark.parametrize(("place", "value", "path", "expected"), PLACES.values(), ids=PLACES)
def test_a_file_concerns_a_path_if_it_has_something_there(
    place: tuple[str, ...], value: Any, path: tuple[str, ...], expected: bool
) -> None:
    assert Part("/g/a", place, value).concerns(path) is expected


def test_each_included_file_is_told_with_its_place() -> None:
    files = {"/g/a": {"m": {"$include": "b"}}, "/g/b": {"x": 1}}
    found = resolved({"$include": "a", "l": [{"$include": "b"}]}, files)
    parts = {(part.path, part.place) for part in found.parts}
    assert parts == {("/g/b", ("l", "0")), ("/g/a", ()), ("/g/b", ("m",))}
    assert [part.path for part in found.concerning(("m", "x"))] == ["/g/b"]
    assert [part.path for part in found.inside(("m",))] == ["/g/b"]
    assert found.inside(("m", "x")) == []


def test_nothing_of_a_file_is_in_a_repr() -> None:
    assert "sk-" not in repr(resolved({"$include": "a"}, {"/g/a": {"key": "sk-secret"}}))
