# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!
"""JSON5 documents, read as npm `json5` 2.2.3 reads them, with which Clawdbot and OpenClaw read their config.

What npm `json5` accepts is accepted, what it rejects is rejected at the same line and column. Three differences are
deliberate: an integer is read exactly where JavaScript rounds it, nesting is limited (`MAX_NESTING`), and columns count
code points, so that a misplaced line feed is one column past the end of its line (for npm `json5` it is in column 0 of
the next).

Reading gives a tree of spans, so that an editor knows which part of the document holds which value.
"""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any, Final

MAX_NESTING: Final = 500
"""How deep objects and arrays may be nested. Reading and editing reject deeper ones."""


class Json5Error(ValueError):
    """A string is not JSON5. `line` and `column` count from 1, columns in code points; only LF ends a line.

    The message does not repeat the document, which may hold a secret.
    """

    def __init__(self, problem: str, line: int, column: int) -> None:
        super().__init__(f"{problem} at line {line}, column {column}")
        self.problem = problem
        self.line = line
        self.column = column


def read(text: str) -> Node:
    """Return the tree of spans of a JSON5 document. Raises `Json5Error`."""
    return _Reader(text).document()


def loads(text: str) -> Any:
    """Return the value of a JSON5 document. Of members with the same name the last one counts.

    Objects are `dict` in the order of the source. Numbers are `int` if spelled as one (`-0` is `-0.0`), else `float`.
    An integer beyond the range of a double is an infinity, as in JavaScript. Raises `Json5Error`.
    """
    return read(text).value


# Line terminators and white space of ECMAScript 5.1, 7.2 and 7.3, which JSON5 takes over.
_LINE_ENDS = r"\n\r\u2028\u2029"
_SPACES = r"\t\v\f \u00a0\ufeff\u1680\u2000-\u200a\u202f\u205f\u3000"
_COMMENT = rf"//[^{_LINE_ENDS}]*|/\*.*?\*/"

_GAP = re.compile(rf"(?:[{_SPACES}{_LINE_ENDS}]+|{_COMMENT})+", re.DOTALL)
GAP_TOKEN = re.compile(rf"(?P<line_end>\r\n|[{_LINE_ENDS}])|(?P<comment>{_COMMENT})|[{_SPACES}]+", re.DOTALL)
WHITE = re.compile(rf"[{_SPACES}{_LINE_ENDS}]*")
LINE_END = re.compile(rf"[{_LINE_ENDS}]")

_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?:"
    r"0[xX](?P<hexadecimal>[0-9A-Fa-f]+)"
    r"|(?P<real>(?:0|[1-9][0-9]*)(?:\.[0-9]*(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)|\.[0-9]+(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<integer>0|[1-9][0-9]*))"
)
# The longest beginning of a number, to find where it becomes invalid.
_NUMBER_BEGUN = re.compile(
    r"[+-]?(?:0[xX][0-9A-Fa-f]*|(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]*)?|\.)?"
)
_WORDS: Final = {
    "n": ("null", None),
    "t": ("true", True),
    "f": ("false", False),
    "I": ("Infinity", math.inf),
    "N": ("NaN", math.nan),
}

QUOTES: Final = ('"', "'")
_STRING_STOP = {'"': re.compile(r'["\\\n\r]'), "'": re.compile(r"['\\\n\r]")}
ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]*")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

SIMPLE_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_NAME_START_CATEGORIES: Final = frozenset(["Lu", "Ll", "Lt", "Lm", "Lo", "Nl"])
_NAME_CATEGORIES: Final = _NAME_START_CATEGORIES | frozenset(["Mn", "Mc", "Nd", "Pc"])
# npm json5 knows the letters, marks and digits of Unicode 10. These spans hold those that Unicode 11 to 17 added: with
# Python's newer tables alone, names would be accepted that npm json5 rejects.
_SPANS_AFTER_UNICODE_10: Final = """
    560 588 5ef 7fd 870-89f 8b5 8be-8d3 9fe b55 c04 c3c c5c-c5d cdc-cdd cf3 d04 d81 e86 e89 e8c e8e-e93 e98 ea0
    ea8-ea9 eac eba ece 170d 1715-171f 180f 1878 1abf-1aeb 1b4c 1c89-1cbf 1cfa 1dfa 2c2f 2c5f 312f 31bb-31bf
    4db6-4dbf 9feb-9fff a7af a7b8-a7f6 a82c a8fe-a8ff ab66-ab69 10570-105f3 10780-107ba 10940-10959 10a34-10a35
    10d00-10ff6 11070-11075 110c2 11144-11147 111c9 111ce-111cf 1123f-11241 1133b 11380-113e2 1145e-11461 116b8
    116d0-116e3 1171a 11740-1183a 11900-119e4 11a84-11a85 11a9d-11abf 11b60-11bf9 11d60-11fb0 12f90-12ff0
    1342f-143fa 16100-16139 16a70-16ac9 16d40-16ed3 16f45-16f4f 16f7f-16f87 16fe3-16ff6 187ed-187ff 18af3-1affe
    1b11f-1b167 1ccf0-1cf46 1df00-1df2a 1e030-1e7fe 1e94b 1fbf0-1fbf9 2a6d7-2a6df 2b735-2b73f 2cea2-2cead
    2ebf0-2ee5d 30000-33479"""
_AFTER_UNICODE_10 = re.compile(
    "[" + re.sub(r"\s*([0-9a-f]+)", lambda code: chr(int(code[1], 16)), _SPANS_AFTER_UNICODE_10) + "]"
)
# Marks of Unicode 10 that Unicode 12 made letters: within a name, but not at its start.
_MARKS_OF_UNICODE_10: Final = "\u1cf2\u1cf3"


def _is_name_character(char: str, first: bool) -> bool:
    """Whether an unquoted member name may contain the character, as npm `json5` decides."""
    if char in "$_":
        return True
    if first:
        return (
            unicodedata.category(char) in _NAME_START_CATEGORIES
            and char not in _MARKS_OF_UNICODE_10
            and not _AFTER_UNICODE_10.match(char)
        )
    return char in "\u200c\u200d" or (
        unicodedata.category(char) in _NAME_CATEGORIES and not _AFTER_UNICODE_10.match(char)
    )


def join_surrogates(string: str) -> str:
    """Return the string with each pair of surrogates joined to one character, as in every JavaScript string."""
    if not _SURROGATE.search(string):
        return string
    return string.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def is_beyond_double(number: int) -> bool:
    """Whether an integer is too large for a double, JavaScript's only number."""
    try:
        float(number)
    except OverflowError:
        return True
    return False


class Node:
    """A value and its span, `text[start:end]`. As an entry of a container it begins at `first`, with its name."""

    __slots__ = ("comma", "end", "first", "name", "start", "value")

    def __init__(self, start: int, end: int, value: Any) -> None:
        self.first = self.start = start
        self.end = end
        self.value = value
        self.name = ""
        self.comma: int | None = None

    @property
    def after(self) -> int:
        """The offset at which the next entry's part of the container begins."""
        return self.end if self.comma is None else self.comma + 1


class Container(Node):
    """An object or array, and its entries in the order of the text, overridden ones included."""

    __slots__ = ("entries",)

    def __init__(self, start: int, value: dict[str, Any] | list[Any]) -> None:
        super().__init__(start, start + 1, value)
        self.entries: list[Node] = []

    def gap_before(self, index: int) -> tuple[int, int]:
        """Return the span between the entry and the comma or bracket before it."""
        return (self.entries[index - 1].after if index else self.start + 1), self.entries[index].first


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text

    def error(self, expected: str, at: int) -> Json5Error:
        line_start = self.text.rfind("\n", 0, at) + 1
        found = ", found the end of the document" if at >= len(self.text) else ""
        return Json5Error(f"expected {expected}{found}", self.text.count("\n", 0, at) + 1, at - line_start + 1)

    def document(self) -> Node:
        """Return the tree of the whole text. It loops where the grammar recurses, so nesting uses no stack."""
        root = self.value(self.gap_end(0), "a value")
        opened = [root] if isinstance(root, Container) else []
        at = root.end
        while opened:
            container = opened[-1]
            closing = "}" if isinstance(container.value, dict) else "]"
            at = self.gap_end(at)
            if container.entries and container.entries[-1].comma is None:
                if self.text.startswith(",", at):
                    container.entries[-1].comma = at
                    at = self.gap_end(at + 1)
                elif not self.text.startswith(closing, at):
                    raise self.error(f"',' or '{closing}'", at)
            if self.text.startswith(closing, at):
                at = container.end = at + 1
                opened.pop()
                continue
            entry = self.entry(container, at)
            if isinstance(entry, Container):
                if len(opened) == MAX_NESTING:
                    raise self.error(f"no more than {MAX_NESTING} levels of nesting", entry.start)
                opened.append(entry)
            at = entry.end
        at = self.gap_end(at)
        if at < len(self.text):
            raise self.error("the end of the document", at)
        return root

    def gap_end(self, at: int) -> int:
        """Return the end of the white space and comments that begin here."""
        gap = _GAP.match(self.text, at)
        end = gap.end() if gap else at
        if self.text.startswith("/", end):
            if self.text.startswith("/*", end):
                raise self.error("'*/'", len(self.text))
            raise self.error("'/' or '*'", end + 1)
        return end

    def entry(self, container: Container, at: int) -> Node:
        if isinstance(container.value, list):
            node = self.value(at, "a value or ']'")
            container.value.append(node.value)
        else:
            name, end = self.name(at)
            colon = self.gap_end(end)
            if not self.text.startswith(":", colon):
                raise self.error("':'", colon)
            node = self.value(self.gap_end(colon + 1), "a value")
            node.first = at
            node.name = name
            container.value[name] = node.value
        container.entries.append(node)
        return node

    def value(self, at: int, expected: str) -> Node:
        """Return a scalar, or a container of which only the bracket has been read."""
        char = self.text[at : at + 1]
        if char == "{":
            return Container(at, {})
        if char == "[":
            return Container(at, [])
        if char in _STRING_STOP:
            string, end = self.string(at)
            return Node(at, end, string)
        if char in _WORDS:
            return self.word(at, at)
        if not char or char not in "+-.0123456789":
            raise self.error(expected, at)
        return self.number(at)

    def word(self, start: int, at: int) -> Node:
        word, value = _WORDS[self.text[at]]
        if not self.text.startswith(word, at):
            wrong = next(i for i, char in enumerate(word) if not self.text.startswith(char, at + i))
            raise self.error(f"'{word}'", at + wrong)
        if self.text[start] == "-":
            value = -math.inf if word == "Infinity" else value
        return Node(start, at + len(word), value)

    def number(self, at: int) -> Node:
        if self.text[at] in "+-" and self.text[at + 1 : at + 2] in ("I", "N"):
            return self.word(at, at + 1)
        found = _NUMBER.match(self.text, at)
        if not found or self.text[found.end() : found.end() + 1] in ("e", "E", "x", "X"):
            begun = _NUMBER_BEGUN.match(self.text, at)
            end = begun.end() if begun else at
            raise self.error("a hexadecimal digit" if self.text[end - 1] in "xX" else "a digit", end)
        negative = found["sign"] == "-"
        magnitude: int | float
        if found["real"]:
            magnitude = float(found["real"])
        elif found["hexadecimal"]:
            magnitude = int(found["hexadecimal"], 16)
        else:
            # Decimal digits cost int() quadratic time, and more than 309 are beyond a double anyway.
            magnitude = int(found["integer"]) if len(found["integer"]) < 310 else math.inf
        if isinstance(magnitude, int):
            if is_beyond_double(magnitude):
                magnitude = math.inf
            elif negative and not magnitude:
                magnitude = 0.0
        return Node(at, found.end(), -magnitude if negative else magnitude)

    def string(self, at: int) -> tuple[str, int]:
        """Return the value of the string whose quote is at `at`, and the end of the string."""
        quote = self.text[at]
        pieces = []
        at += 1
        while True:
            stop = _STRING_STOP[quote].search(self.text, at)
            if not stop:
                raise self.error(f"the closing {quote}", len(self.text))
            pieces.append(self.text[at : stop.start()])
            if stop.group() == quote:
                return join_surrogates("".join(pieces)), stop.end()
            if stop.group() != "\\":
                raise self.error(f"the closing {quote}", stop.start())
            piece, at = self.escape(stop.end())
            pieces.append(piece)

    def escape(self, at: int) -> tuple[str, int]:
        """Return what the escape after the backslash before `at` means, and the end of the escape."""
        char = self.text[at : at + 1]
        if char in ("x", "u"):
            return self.code_escape(at)
        if char == "0":
            if self.text[at + 1 : at + 2] in tuple("0123456789"):
                raise self.error("no digit after '\\0'", at + 1)
            return "\0", at + 1
        if not char or char in "123456789":
            raise self.error("an escape", at)
        if LINE_END.match(char):
            return "", at + (2 if self.text.startswith("\r\n", at) else 1)
        return ESCAPES.get(char, char), at + 1

    def code_escape(self, at: int) -> tuple[str, int]:
        digits = 2 if self.text[at] == "x" else 4
        found = _HEXADECIMAL.match(self.text, at + 1, at + 1 + digits)
        code = found.group() if found else ""
        if len(code) < digits:
            raise self.error("a hexadecimal digit", at + 1 + len(code))
        return chr(int(code, 16)), at + 1 + digits

    def name(self, at: int) -> tuple[str, int]:
        """Return the member name at `at`, and its end."""
        if self.text[at : at + 1] in _STRING_STOP:
            return self.string(at)
        start = at
        simple = SIMPLE_NAME.match(self.text, at)
        if simple:
            at = simple.end()
        pieces = [self.text[start:at]]
        while True:
            first = at == start
            char = self.text[at : at + 1]
            if char == "\\":
                if not self.text.startswith("u", at + 1):
                    raise self.error("'u'", at + 1)
                char, end = self.code_escape(at + 1)
                if not _is_name_character(char, first):
                    raise self.error("the escape of a character that a name may have", at)
            elif char and _is_name_character(char, first):
                end = at + 1
            elif first:
                raise self.error("a member name or '}'", at)
            else:
                return "".join(pieces), at
            pieces.append(char)
            at = end
