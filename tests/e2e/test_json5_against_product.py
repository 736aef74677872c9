# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's JSON5 beside the product's own reader, npm C(json5), which takes all documents in one process."""

from __future__ import annotations

import json
import re
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Json5PathError, edit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_reader import Json5Error, loads
from ansible_collections.clawfleet.clawdbot.tests.unit.plugins.module_utils._config import json5_cases as cases
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

NAME_CATEGORIES = ("Lu", "Ll", "Lt", "Lm", "Lo", "Nl", "Mn", "Mc", "Nd", "Pc")
MODULES = Path(__file__).resolve().parents[2] / ".cache" / "clawdbot" / "node_modules"

# Numbers as texts, since JSON has no NaN; members as pairs, since JSON.parse would not keep __proto__ apart.
READ_ALL = """
console.warn = () => {}
const JSON5 = require(process.argv[1])
const plain = (part) =>
  typeof part === 'number' ? { number: Object.is(part, -0) ? '-0' : String(part) }
  : Array.isArray(part) ? part.map(plain)
  : part !== null && typeof part === 'object' ? { object: Object.keys(part).map((name) => [name, plain(part[name])]) }
  : part
const read = (text) => {
  try { return { value: plain(JSON5.parse(text)) } } catch (error) { return { refusal: error.message } }
}
console.log(JSON.stringify(JSON.parse(require('fs').readFileSync(0, 'utf8')).map(read)))
"""
# The characters that are taken at the start of a name, and those that are after an "a".
NAMES = """
const JSON5 = require(process.argv[1])
const taken = (name) => { try { return name in JSON5.parse(`{${name}:0}`) } catch { return false } }
const chars = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code))
const assigned = chars.filter((char) => !/[\\p{Cn}\\p{Co}\\p{Cs}]/u.test(char))
console.log(JSON.stringify(['', 'a'].map((before) => assigned.filter((char) => taken(before + char)))))
"""


def run(script: str, given: str = "") -> Any:
    command = [str(MODULES / ".bin" / "node"), "-e", script, str(MODULES / "json5")]
    return json.loads(subprocess.run(command, input=given, capture_output=True, check=True, encoding="utf-8").stdout)


def value_of(part: Any) -> Any:
    if isinstance(part, dict) and "object" in part:
        return {name: value_of(member) for name, member in part["object"]}
    if isinstance(part, dict):
        return float(part["number"])
    return [value_of(element) for element in part] if isinstance(part, list) else part


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def our_answer(text: str) -> str:
    try:
        return cases.canonical(cases.as_doubles(loads(text)))
    except Json5Error as refusal:
        lines = text.split("\n")
        line = lines[refusal.line - 1]
        if refusal.column > len(line) and refusal.line < len(lines):
            # A line feed that may not be there is for the product in column 0 of the line that it begins.
            return f"{refusal.line + 1}:0"
        before, at = line[: refusal.column - 1], line[refusal.column - 1 : refusal.column]
        # The product counts UTF-16 units, and up to the end of the character that it rejects.
        return f"{refusal.line}:{utf16_length(before) + (utf16_length(at) or 1)}"


def their_answers(texts: list[str]) -> list[str]:
    answers = []
    for answer in run(READ_ALL, json.dumps(texts)):
        if "refusal" in answer:
            place = re.search(r" at (\d+:\d+)$", answer["refusal"])
            answers.append(place.group(1) if place else answer["refusal"])
        else:
            answers.append(cases.canonical(value_of(answer["value"])))
    return answers


def generated(strategy: st.SearchStrategy[str], count: int) -> list[str]:
    texts: list[str] = []

    @settings(max_examples=count, phases=[Phase.generate], database=None, deadline=None)
    @given(strategy)
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    return texts


@st.composite
def edited_documents(draw: st.DrawFn) -> str:
    document = draw(cases.documents(of_objects=True))
    try:
        return edit(document.text, draw(cases.changes(document.value)))
    except Json5PathError:
        return document.text


BATCHES: dict[str, Callable[[], list[str]]] = {
    "documents of the tables": lambda: [
        case[0] for table in (cases.ACCEPTED, cases.REJECTED) for case in table.values()
    ],
    "generated documents": lambda: generated(cases.documents().map(lambda document: document.text), 500),
    "broken documents": lambda: generated(cases.broken_documents(), 2000),
    "edited documents": lambda: generated(edited_documents(), 500),
}


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_reads_and_rejects_as_the_product_does(batch: Callable[[], list[str]]) -> None:
    texts = batch()
    ours = [our_answer(text) for text in texts]
    differing = [(text, our, their) for text, our, their in zip(texts, ours, their_answers(texts)) if our != their]
    assert differing == []


def test_unquoted_names_have_the_characters_that_the_product_allows() -> None:
    beginning, continuing = map(frozenset, run(NAMES))
    assert len(loads("{" + "".join(f"{char}: 0," for char in beginning) + "}")) == len(beginning)
    assert loads(f"{{a{''.join(sorted(continuing))}: 0}}") == {f"a{''.join(sorted(continuing))}": 0}
    # Of the others those are worth a try that Unicode has for letters, marks, digits or connectors by now.
    tried = [char for char in map(chr, range(0x110000)) if unicodedata.category(char) in NAME_CATEGORIES]
    assert [char for char in tried if char not in beginning and is_taken(f"{{{char}: 0}}")] == []
    assert [char for char in tried if char not in continuing and is_taken(f"{{a{char}: 0}}")] == []


def is_taken(text: str) -> bool:
    try:
        loads(text)
    except Json5Error:
        return False
    return True
