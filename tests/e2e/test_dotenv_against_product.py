# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The product's own dotenv reads each text beside ours: every table of the unit tests, and texts made by hypothesis."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.dotenv import EnvFileError, edit, loads
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.plugins.module_utils._config.test_dotenv import (
    ANY_TEXT,
    BROKEN,
    CHANGES,
    EDITS,
    READS,
    SPELLINGS,
    applied,
)

MODULES = Path(__file__).parents[2] / ".cache" / "clawdbot" / "node_modules"

# Answers each line, a JSON list of texts, with the JSON list of what dotenv reads from them.
SERVER = """
const { parse } = require(process.argv[1])
require('readline').createInterface({ input: process.stdin }).on('line', line => {
  console.log(JSON.stringify(JSON.parse(line).map(text => parse(text))))
})
"""


class Dotenv:
    """The real dotenv in one node process for all questions."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def parse(self, *texts: str) -> list[dict[str, str]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(texts) + "\n")
        self._process.stdin.flush()
        answer: list[dict[str, str]] = json.loads(self._process.stdout.readline())
        return answer


@pytest.fixture(scope="module")
def dotenv() -> Iterator[Dotenv]:
    argv = [str(MODULES / ".bin" / "node"), "-e", SERVER, str(MODULES / "dotenv")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as process:
        yield Dotenv(process)


def test_the_tables_say_what_dotenv_says(dotenv: Dotenv) -> None:
    assert dotenv.parse(*(text for text, _variables in READS.values())) == [read for _text, read in READS.values()]
    spelled = dotenv.parse(*(f"A={spelling}\nB='x'\n" for _value, spelling in SPELLINGS.values()))
    assert spelled == [{"A": value, "B": "x"} for value, _spelling in SPELLINGS.values()]


def test_dotenv_reads_the_edited_tables(dotenv: Dotenv) -> None:
    before = dotenv.parse(*(text for text, _changes, _result, _duplicates in EDITS.values()))
    after = dotenv.parse(*(result for _text, _changes, result, _duplicates in EDITS.values()))
    for (_text, changes, result, _duplicates), read_before, read_after in zip(EDITS.values(), before, after):
        assert (result, read_after) == (result, applied(read_before, changes))


def test_dotenv_too_is_misled_where_the_edit_is_rejected(dotenv: Dotenv) -> None:
    text, changes, _line = BROKEN["removal gives an empty variable a value"]
    assert changes == {"A": None}
    assert dotenv.parse(text, text.replace("A=1\n", "")) == [{"X": "1", "Y": "", "A": "1"}, {"X": "1", "Y": "x"}]


def test_each_character_means_the_same(dotenv: Dotenv) -> None:
    # All of UTF-16 in each role that a character can have: white space, end of a line, part of a name, neither.
    shapes = ("{0}A{0}={0}x{0}#{0}B=1", "A:{0}x\n#{0}B{0}C=1", "A={0}x{0}y{0}\nB='{0}'{0}", "A=1{0}'y'\nA{0}")
    texts = [shape.format(chr(code)) for code in range(0x10000) for shape in shapes]
    for text, read in zip(texts, dotenv.parse(*texts)):
        assert (text, loads(text)) == (text, read)


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(ANY_TEXT, min_size=20, max_size=40))
def test_loads_equals_parse(dotenv: Dotenv, texts: list[str]) -> None:
    for text, read in zip(texts, dotenv.parse(*texts)):
        assert (text, loads(text)) == (text, read)


@settings(max_examples=100, deadline=None)
@given(edits=st.lists(st.tuples(ANY_TEXT, CHANGES), min_size=20, max_size=40))
def test_dotenv_reads_exactly_the_values(dotenv: Dotenv, edits: list[tuple[str, dict[str, str | None]]]) -> None:
    done = []
    for text, changes in edits:
        try:
            done.append((text, changes, edit(text, changes).text))
        except EnvFileError:
            continue
    before = dotenv.parse(*(text for text, _changes, _result in done))
    after = dotenv.parse(*(result for _text, _changes, result in done))
    for (text, changes, result), read_before, read_after in zip(done, before, after):
        assert (text, result, read_after) == (text, result, applied(read_before, changes))
