# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import json5
import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5 import (
    MAX_NESTING,
    REMOVE,
    Change,
    Json5Error,
    Json5PathError,
    edit,
    loads,
)
from ansible_collections.clawfleet.clawdbot.tests.unit.plugins.module_utils._config import json5_cases as cases
from hypothesis import given, settings
from hypothesis import strategies as st

SLOW = settings(deadline=None, max_examples=300)


def exact(value: Any) -> str:
    """Equal for two values exactly if they, their types and the order of their members are."""
    return repr(value)


# --- Reading -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "value"), cases.TAKEN.values(), ids=cases.TAKEN)
def test_takes(text: str, value: Any) -> None:
    assert exact(loads(text)) == exact(value)


@pytest.mark.parametrize(("text", "message"), cases.REFUSED.values(), ids=cases.REFUSED)
def test_refuses(text: str, message: str) -> None:
    with pytest.raises(Json5Error) as refusal:
        loads(text)
    assert str(refusal.value) == message
    assert message == f"{refusal.value.problem} at line {refusal.value.line}, column {refusal.value.column}"
    with pytest.raises(Json5Error) as refusal:
        edit(text, [Change(("a",), 1)])
    assert str(refusal.value) == message


@SLOW
@given(cases.documents())
def test_reads_what_the_document_was_made_from(document: cases.Document) -> None:
    assert exact(loads(document.text)) == exact(document.value)


@settings(deadline=None, max_examples=100)
@given(cases.documents())
def test_reads_what_the_json5_library_reads(document: cases.Document) -> None:
    assert cases.canonical(loads(document.text)) == cases.canonical(json5.loads(document.text))


@SLOW
@given(st.one_of(cases.broken_documents(), st.text(max_size=20)))
def test_refuses_with_no_other_error_whatever_the_text(text: str) -> None:
    try:
        loads(text)
    except Json5Error as error:
        refusal = error
    else:
        return
    assert 1 <= refusal.line <= text.count("\n") + 1
    assert 1 <= refusal.column <= len(text.split("\n")[refusal.line - 1]) + 1


@settings(deadline=None, max_examples=100)
@given(cases.broken_documents())
def test_refuses_what_the_json5_library_refuses(text: str) -> None:
    try:
        expected = cases.canonical(json5.loads(text))
    except ValueError:
        with pytest.raises(Json5Error):
            loads(text)
    else:
        assert cases.canonical(loads(text)) == expected


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a:", "}")], ids=["arrays", "objects"])
def test_nesting_is_bounded(opening: str, closing: str) -> None:
    innermost = opening[0] + closing
    value = loads(opening * (MAX_NESTING - 1) + innermost + closing * (MAX_NESTING - 1))
    for _time in range(MAX_NESTING - 1):
        value = value["a"] if isinstance(value, dict) else value[0]
    assert value in ({}, [])
    column = len(opening) * MAX_NESTING + 1
    with pytest.raises(Json5Error) as refusal:
        loads(opening * 100_000)
    assert str(refusal.value) == f"expected no more than 500 levels of nesting at line 1, column {column}"


def test_messages_do_not_repeat_the_document() -> None:
    for text in ("{key: sk-secret}", "{key: 'sk-secret", "{sk-secret: 1}", "sk-secret", "{a: 1 sk-secret"):
        with pytest.raises(Json5Error) as refusal:
            loads(text)
        assert "secret" not in repr(refusal.value)


# --- Editing: the law --------------------------------------------------------------------------------------------


class CannotBeSetError(Exception):
    pass


def applied(value: Any, changes: list[Change]) -> Any:
    """The value with the changes made: what has to be read from the edited text."""
    value = copy.deepcopy(value)
    for path, new in changes:
        parent = value
        for name in path[:-1]:
            if not isinstance(parent, dict):
                break
            parent = parent.setdefault(name, {}) if new is not REMOVE else parent.get(name)
        if new is REMOVE:
            if isinstance(parent, dict):
                parent.pop(path[-1], None)
        elif isinstance(parent, dict):
            parent[path[-1]] = copy.deepcopy(new)
        else:
            raise CannotBeSetError
    return value


@SLOW
@given(st.data())
def test_what_is_read_after_an_edit_is_the_edited_value(data: st.DataObject) -> None:
    document = data.draw(st.one_of(cases.documents(), cases.documents(of_objects=True)))
    changes = data.draw(cases.changes(document.value))
    untouched = copy.deepcopy(changes)
    try:
        expected = applied(document.value, changes)
    except CannotBeSetError:
        with pytest.raises(Json5PathError):
            edit(document.text, changes)
        return
    edited = edit(document.text, changes)
    assert cases.canonical(loads(edited)) == cases.canonical(expected)
    assert edit(edited, changes[-1:]) == edited
    assert repr(changes) == repr(untouched)
    if cases.canonical(expected) == cases.canonical(document.value):
        assert edited == document.text


@SLOW
@given(st.data())
def test_replacing_a_value_changes_its_bytes_alone(data: st.DataObject) -> None:
    document = data.draw(cases.documents(of_objects=True).filter(lambda document: bool(document.members)))
    path = data.draw(st.sampled_from(sorted(document.members)))
    new: Any = [] if isinstance(cases.at(document.value, path), dict) else {}
    member = document.members[path]
    edited = edit(document.text, [Change(path, new)])
    assert edited == document.text[: member.value_start] + repr(new) + document.text[member.end :]


@SLOW
@given(st.data())
def test_removing_a_member_leaves_the_others_as_they_are(data: st.DataObject) -> None:
    document = data.draw(cases.documents(of_objects=True).filter(lambda document: bool(document.members)))
    path = data.draw(st.sampled_from(sorted(document.members)))
    edited = edit(document.text, [Change(path, REMOVE)])
    start, end = 0, len(document.text)
    if len(path) > 1:
        _value, start, end = document.members[path[:-1]]
    assert edited.startswith(document.text[:start])
    assert edited.endswith(document.text[end:])
    at = 0
    for other, member in document.members.items():
        if other[:-1] == path[:-1] and other != path:
            kept = document.text[member.start : member.end]
            assert kept in edited[at:]
            at = edited.index(kept, at) + len(kept)


@SLOW
@given(st.data())
def test_a_member_that_is_added_and_removed_leaves_no_trace(data: st.DataObject) -> None:
    document = data.draw(
        cases.documents(cases.WITHOUT_COMMENTS, of_objects=True).filter(lambda document: bool(document.members))
    )
    path = data.draw(st.sampled_from(sorted(document.members)))[:-1]
    added = edit(document.text, [Change((*path, "new"), data.draw(cases.json_values))])
    assert edit(added, [Change((*path, "new"), REMOVE)]) == document.text


# --- Editing: how the text looks ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "changes", "edited"), cases.EDITED.values(), ids=cases.EDITED)
def test_edits(text: str, changes: dict[str, Any], edited: str) -> None:
    made = [Change(tuple(path.split(".")), value) for path, value in changes.items()]
    assert edit(text, made) == edited
    assert cases.canonical(loads(edited)) == cases.canonical(applied(loads(text), made))


@pytest.mark.parametrize(("value", "written"), cases.WRITTEN.values(), ids=cases.WRITTEN)
def test_writes(value: Any, written: str) -> None:
    assert edit("{a: {}}", [Change(("a",), value)]) == f"{{a: {written}}}"


@pytest.mark.parametrize(("text", "path", "value", "message"), cases.UNSETTABLE.values(), ids=cases.UNSETTABLE)
def test_refuses_to_set(text: str, path: tuple[str, ...], value: Any, message: str) -> None:
    with pytest.raises(Json5PathError) as refusal:
        edit(text, [Change(path, value)])
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1: 2}, "cannot set a.b: a member name is of type int"),
        ([{"c": {1}}], "cannot set a.b: a value is of type set"),
        ({"c": REMOVE}, "cannot set a.b: a value is of type _Remove"),
    ],
    ids=["name", "value", "removal within a value"],
)
def test_refuses_what_is_no_json(value: Any, message: str) -> None:
    with pytest.raises(TypeError) as refusal:
        edit("{}", [Change(("a", "b"), value)])
    assert str(refusal.value) == message


@pytest.mark.parametrize("kind", [lambda value: [value], lambda value: {"a": value}], ids=["arrays", "objects"])
def test_the_deepest_value_is_written_and_edited(kind: Callable[[Any], Any]) -> None:
    value: Any = {}
    for _time in range(MAX_NESTING - 2):
        value = kind(value)
    text = edit("{}", [Change(("a",), value)])
    assert loads(text) == {"a": value}
    assert edit(text, [Change(("a",), copy.copy(value))]) == text
    with pytest.raises(Json5PathError) as refusal:
        edit(text, [Change(("a",), kind(value))])
    assert str(refusal.value) == "cannot set a: more than 500 levels of nesting"


def test_a_value_within_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(Json5PathError) as refusal:
        edit("{}", [Change(("a",), value)])
    assert str(refusal.value) == "cannot set a: more than 500 levels of nesting"
