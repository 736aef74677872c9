# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import json5
import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_reader import (
    MAX_NESTING,
    Json5Error,
    loads,
)
from ansible_collections.clawfleet.clawdbot.tests.unit.plugins.module_utils._config import json5_cases as cases
from hypothesis import given, settings
from hypothesis import strategies as st

SLOW = settings(deadline=None, max_examples=300)


def exact(value: Any) -> str:
    """Equal for two values exactly if they, their types and the order of their members are."""
    return repr(value)


@pytest.mark.parametrize(("text", "value"), cases.ACCEPTED.values(), ids=cases.ACCEPTED)
def test_accepts(text: str, value: Any) -> None:
    assert exact(loads(text)) == exact(value)


@pytest.mark.parametrize(("text", "message"), cases.REJECTED.values(), ids=cases.REJECTED)
def test_rejects(text: str, message: str) -> None:
    with pytest.raises(Json5Error) as error:
        loads(text)
    assert str(error.value) == message
    assert message == f"{error.value.problem} at line {error.value.line}, column {error.value.column}"


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
def test_rejects_with_no_other_error_whatever_the_text(text: str) -> None:
    try:
        loads(text)
    except Json5Error as exc:
        error = exc
    else:
        return
    assert 1 <= error.line <= text.count("\n") + 1
    assert 1 <= error.column <= len(text.split("\n")[error.line - 1]) + 1


@settings(deadline=None, max_examples=100)
@given(cases.broken_documents())
def test_rejects_what_the_json5_library_rejects(text: str) -> None:
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
    with pytest.raises(Json5Error) as error:
        loads(opening * 100_000)
    assert str(error.value) == f"expected no more than 500 levels of nesting at line 1, column {column}"


def test_messages_do_not_repeat_the_document() -> None:
    for text in ("{key: sk-secret}", "{key: 'sk-secret", "{sk-secret: 1}", "sk-secret", "{a: 1 sk-secret"):
        with pytest.raises(Json5Error) as error:
            loads(text)
        assert "secret" not in repr(error.value)
