# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.environment_file import assignments, loads
from hypothesis import given
from hypothesis import strategies as st

# An EnvironmentFile=, and the environment that systemd made of it.
ENVIRONMENT_FILES: dict[str, tuple[str, dict[str, str]]] = {
    "plain": ("Q=1\nR= 2 \n", {"Q": "1", "R": "2"}),
    "nothing": ("", {}),
    "empty": ("A=\nB=1", {"A": "", "B": "1"}),
    "the last one": ("A=1\nA=2\n", {"A": "2"}),
    "quotes": ("S=\"a b\" 'c'\n", {"S": "a bc"}),
    "quotes behind something": ('T=a"b" c \n', {"T": 'a"b" c'}),
    "something behind quotes": ("X='si\nngle'tail\n", {"X": "si\nngletail"}),
    "escapes": ("U=a\\ b\\\nc\n", {"U": "a bc"}),
    "an escaped space at the end": ("U=a\\ \n", {"U": "a "}),
    "escapes in quotes": ('V="x\\$y\\n\\"z\\\nw"\n', {"V": 'x$y\\n"zw'}),
    "comments": (" ; one=1\n#two=2\nY=x#y\n", {"Y": "x#y"}),
    "a comment with a backslash at its end": ("; comment \\\nW=no\n", {"W": "no"}),
    "export": (" export AA=1\n", {}),
    "a space before the equals sign": ("BB =2\n", {"BB": "2"}),
    "a digit first": ("1C=3\n", {}),
    "no equals sign": ("A\nB=1\n", {"B": "1"}),
    "no name": ("=1\nB=1\n", {"B": "1"}),
    "a quote that is not closed": ('DD="open\nEE=5', {"DD": "open\nEE=5"}),
    "an apostrophe that is not closed": ("DD='open\nEE=5", {"DD": "open\nEE=5"}),
    "a backslash at the end": ("A=b\\", {"A": "b"}),
    "a backslash at the end of quotes": ('A="b\\', {"A": "b"}),
    "other line ends": ("A=1\r\nB=2\rC=3", {"A": "1", "B": "2", "C": "3"}),
}


@pytest.mark.parametrize("name", ENVIRONMENT_FILES)
def test_read_environment_file(name: str) -> None:
    text, expected = ENVIRONMENT_FILES[name]
    assert loads(text) == expected


@given(st.text(alphabet="AB=\"'\\ #;\n\r$x"))
def test_read_any_environment_file(text: str) -> None:
    assert all(name for name in loads(text))


@given(st.dictionaries(st.sampled_from(["A", "KEY", "b_1"]), st.text(alphabet="sk-019\"'\\ #;$\n`é")))
def test_what_is_quoted_in_an_environment_file_is_read_back(values: dict[str, str]) -> None:
    lines = []
    for name, value in values.items():
        escaped = "".join(f"\\{character}" if character in '"\\`$' else character for character in value)
        lines.append(f'{name}="{escaped}"\n')
    assert loads("".join(lines)) == values


def test_each_assignment_has_its_place() -> None:
    text = "# A=0\n A=1\nB='x\nA=2'\n\nA=3"
    assert [(name, value, text[start:].partition("=")[0]) for name, value, start in assignments(text)] == [
        ("A", "1", "A"),
        ("B", "x\nA=2", "B"),
        ("A", "3", "A"),
    ]
