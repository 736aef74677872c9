# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import (
    Change,
    Json5PathError,
    edit,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_reader import (
    MAX_NESTING,
    Json5Error,
    loads,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE
from ansible_collections.clawfleet.clawdbot.tests.unit.plugins.module_utils._config import json5_cases as cases
from hypothesis import given, settings
from hypothesis import strategies as st

SLOW = settings(deadline=None, max_examples=300)
# Each strategy once: a new one, which hypothesis must look through, costs as much as a document.
ANY_DOCUMENTS = st.one_of(cases.documents(), cases.documents(of_objects=True))
WITH_MEMBERS = cases.documents(of_objects=True).filter(lambda document: bool(document.members))
WITH_MEMBERS_ALONE = cases.documents(cases.WITHOUT_COMMENTS, of_objects=True).filter(
    lambda document: bool(document.members)
)


# --- What is read after an edit --------------------------------------------------------------------------------------


class CannotBeSetError(Exception):
    pass


def applied(value: Any, changes: list[Change]) -> Any:
    """The value with the changes made: what must be read from the edited text."""
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


def require_edited(text: str, value: Any, changes: list[Change]) -> None:
    """Assert that what is read after the edit is the value with the changes made."""
    untouched = copy.deepcopy(changes)
    try:
        expected = applied(value, changes)
    except CannotBeSetError:
        with pytest.raises(Json5PathError):
            edit(text, changes)
        return
    edited = edit(text, changes)
    assert cases.canonical(loads(edited)) == cases.canonical(expected)
    assert edit(edited, changes[-1:]) == edited
    assert repr(changes) == repr(untouched)
    if cases.canonical(expected) == cases.canonical(value):
        assert edited == text


@SLOW
@given(st.data())
def test_what_is_read_after_an_edit_is_the_edited_value(data: st.DataObject) -> None:
    document = data.draw(ANY_DOCUMENTS)
    changes = data.draw(cases.changes(document.value))
    require_edited(document.text, document.value, changes)


@pytest.mark.parametrize(("text", "changes"), cases.BEYOND_DOUBLE.values(), ids=cases.BEYOND_DOUBLE)
def test_integers_that_no_double_holds_are_edited_exactly(text: str, changes: list[Change]) -> None:
    require_edited(text, loads(text), changes)


@SLOW
@given(st.data())
def test_replacing_a_value_changes_its_bytes_alone(data: st.DataObject) -> None:
    document = data.draw(WITH_MEMBERS)
    path = data.draw(st.sampled_from(sorted(document.members)))
    new: Any = [] if isinstance(cases.at(document.value, path), dict) else {}
    member = document.members[path]
    edited = edit(document.text, [Change(path, new)])
    assert edited == document.text[: member.value_start] + repr(new) + document.text[member.end :]


@SLOW
@given(st.data())
def test_removing_a_member_leaves_the_others_as_they_are(data: st.DataObject) -> None:
    document = data.draw(WITH_MEMBERS)
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
    document = data.draw(WITH_MEMBERS_ALONE)
    path = data.draw(st.sampled_from(sorted(document.members)))[:-1]
    added = edit(document.text, [Change((*path, "new"), data.draw(cases.json_values))])
    assert edit(added, [Change((*path, "new"), REMOVE)]) == document.text


# --- The edited text -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "changes", "edited"), cases.EDITED.values(), ids=cases.EDITED)
def test_edits(text: str, changes: dict[str, Any], edited: str) -> None:
    made = [Change(tuple(path.split(".")), value) for path, value in changes.items()]
    assert edit(text, made) == edited
    assert cases.canonical(loads(edited)) == cases.canonical(applied(loads(text), made))


@pytest.mark.parametrize(("text", "message"), cases.REJECTED.values(), ids=cases.REJECTED)
def test_edit_rejects_documents_that_are_not_json5(text: str, message: str) -> None:
    with pytest.raises(Json5Error) as error:
        edit(text, [Change(("a",), 1)])
    assert str(error.value) == message


@pytest.mark.parametrize(("value", "written"), cases.WRITTEN.values(), ids=cases.WRITTEN)
def test_writes(value: Any, written: str) -> None:
    assert edit("{a: {}}", [Change(("a",), value)]) == f"{{a: {written}}}"


@pytest.mark.parametrize(("text", "path", "value", "message"), cases.UNSETTABLE.values(), ids=cases.UNSETTABLE)
def test_rejects_to_set(text: str, path: tuple[str, ...], value: Any, message: str) -> None:
    with pytest.raises(Json5PathError) as error:
        edit(text, [Change(path, value)])
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1: 2}, "cannot set a.b: a member name is of type int"),
        ([{"c": {1}}], "cannot set a.b: a value is of type set"),
        ({"c": REMOVE}, "cannot set a.b: a value is of type _Remove"),
    ],
    ids=["name", "value", "removal within a value"],
)
def test_rejects_values_of_no_json_type(value: Any, message: str) -> None:
    with pytest.raises(TypeError) as error:
        edit("{}", [Change(("a", "b"), value)])
    assert str(error.value) == message


@pytest.mark.parametrize("kind", [lambda value: [value], lambda value: {"a": value}], ids=["arrays", "objects"])
def test_the_deepest_value_is_written_and_edited(kind: Callable[[Any], Any]) -> None:
    value: Any = {}
    for _time in range(MAX_NESTING - 2):
        value = kind(value)
    text = edit("{}", [Change(("a",), value)])
    assert loads(text) == {"a": value}
    assert edit(text, [Change(("a",), copy.copy(value))]) == text
    with pytest.raises(Json5PathError) as error:
        edit(text, [Change(("a",), kind(value))])
    assert str(error.value) == "cannot set a: more than 500 levels of nesting"


def test_a_value_within_itself_is_rejected() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(Json5PathError) as error:
        edit("{}", [Change(("a",), value)])
    assert str(error.value) == "cannot set a: more than 500 levels of nesting"
