# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""JSON5 documents, read as the product reads them and edited without losing a byte.

The reader to agree with is npm C(json5) 2.2.3, which the product reads its configuration with: what that takes is
taken, what that refuses is refused at the same line and column. Three differences are on purpose: an integer is read
exactly where JavaScript would round it, nesting is bounded (C(MAX_NESTING)), and columns count code points, so that
a misplaced line feed is one column past the end of its line (for npm C(json5) it is in column 0 of the next).

An edit is the difference between two values: the document is read into a tree of spans (C(_Reader)), the changes are
made on its value (C(_changed)), and only where the two values differ is the text spliced (C(_Editor)).
"""

from __future__ import annotations

import enum
import functools
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

MAX_NESTING: Final = 500
"""How deep objects and arrays may stand in one another; more is refused, by reading and by editing."""


class _Remove(enum.Enum):
    REMOVE = "remove"


REMOVE: Final = _Remove.REMOVE
"""The value of a C(Change) that deletes its member."""


class Change(NamedTuple):
    """What one member of a document is to be: C(path) names it, from the outermost object inwards."""

    path: tuple[str, ...]
    value: Any


class Json5Error(ValueError):
    """The text is not JSON5. C(line) and C(column) count from 1, columns in code points; only LF ends a line.

    The text of the document is not repeated in the message: it may hold a secret.
    """

    def __init__(self, problem: str, line: int, column: int) -> None:
        super().__init__(f"{problem} at line {line}, column {column}")
        self.problem = problem
        self.line = line
        self.column = column


class Json5PathError(ValueError):
    """A change cannot be made in this document; the text names the path."""


def loads(text: str) -> Any:
    """The value of a JSON5 document; of members with the same name the last one counts.

    Objects are C(dict) in the order of the source, numbers C(int) if spelled as one (C(-0) is C(-0.0)), else C(float).
    An integer beyond the range of a double is an infinity, as it is for the product.
    Raises C(Json5Error).
    """
    return _Reader(text).document().value


def edit(text: str, changes: Sequence[Change]) -> str:
    """The document with the changes made, in their order; every byte that they do not concern is kept.

    What is read from the result equals the value of the document with the changes made on it. A value that is already
    equal is not rewritten: C(1) equals C(1.0), NaN equals NaN, a boolean equals no number, the order of members does
    not count. Missing parents are made. Within a changed object only the members that differ are touched, within an
    array of the same length only such elements; an array that grew at its end is appended to.
    A removed member takes along its comma, the comment after it on its line and the comment lines right above it.

    Raises C(Json5Error) if C(text) is not JSON5, C(Json5PathError) if a parent is not an object or a value cannot be
    written as JSON5, C(TypeError) for a value of no JSON type.
    """
    document = _Reader(text).document()
    wanted = document.value
    for change in changes:
        wanted = _changed(wanted, change)
    return _Editor(text, document).turned_into(wanted)


# --- The text of a document --------------------------------------------------------------------------------------

# Line terminators and white space of ECMAScript 5.1, 7.2 and 7.3, which JSON5 takes over.
_LINE_ENDS = r"\n\r\u2028\u2029"
_SPACES = r"\t\v\f \u00a0\ufeff\u1680\u2000-\u200a\u202f\u205f\u3000"
_COMMENT = rf"//[^{_LINE_ENDS}]*|/\*.*?\*/"

_GAP = re.compile(rf"(?:[{_SPACES}{_LINE_ENDS}]+|{_COMMENT})+", re.DOTALL)
_GAP_TOKEN = re.compile(rf"(?P<line_end>\r\n|[{_LINE_ENDS}])|(?P<comment>{_COMMENT})|[{_SPACES}]+", re.DOTALL)
_WHITE = re.compile(rf"[{_SPACES}{_LINE_ENDS}]*")
_LINE_END = re.compile(rf"[{_LINE_ENDS}]")
_INDENTATION = re.compile(r"[ \t]*")

_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?:"
    r"0[xX](?P<hexadecimal>[0-9A-Fa-f]+)"
    r"|(?P<real>(?:0|[1-9][0-9]*)(?:\.[0-9]*(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)|\.[0-9]+(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<integer>0|[1-9][0-9]*))"
)
# As much of a number as there is, to tell where it breaks off.
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

_STRING_STOP = {'"': re.compile(r'["\\\n\r]'), "'": re.compile(r"['\\\n\r]")}
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]*")
_SURROGATE = re.compile(r"[\ud800-\udfff]")

_SIMPLE_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_NAME_START_CATEGORIES: Final = frozenset(["Lu", "Ll", "Lt", "Lm", "Lo", "Nl"])
_NAME_CATEGORIES: Final = _NAME_START_CATEGORIES | frozenset(["Mn", "Mc", "Nd", "Pc"])
# npm json5 knows the letters, marks and digits of Unicode 10. These spans hold what Unicode 11 to 17 made one, so that
# Python's newer tables take no name which the product refuses.
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


def _may_stand_in_name(char: str, first: bool) -> bool:
    """Whether an unquoted member name may have the character, as npm C(json5) decides."""
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


def _with_pairs_joined(text: str) -> str:
    """The string with each pair of surrogates made the one character it stands for, as every JavaScript string is."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _is_beyond_double(number: int) -> bool:
    try:
        float(number)
    except OverflowError:
        return True
    return False


class _Node:
    """A value and where it stands: C(text[start:end]); as an entry of a container it begins at C(first), its name."""

    __slots__ = ("comma", "end", "first", "name", "start", "value")

    def __init__(self, start: int, end: int, value: Any) -> None:
        self.first = self.start = start
        self.end = end
        self.value = value
        self.name = ""
        self.comma: int | None = None

    @property
    def after(self) -> int:
        """Where the next entry's part of the container begins."""
        return self.end if self.comma is None else self.comma + 1


class _Container(_Node):
    """An object or array and its entries, in the order of the text and with those that a later one overrides."""

    __slots__ = ("entries",)

    def __init__(self, start: int, value: dict[str, Any] | list[Any]) -> None:
        super().__init__(start, start + 1, value)
        self.entries: list[_Node] = []

    def gap_before(self, index: int) -> tuple[int, int]:
        """The span between the entry and the comma or bracket before it."""
        return (self.entries[index - 1].after if index else self.start + 1), self.entries[index].first


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text

    def error(self, expected: str, at: int) -> Json5Error:
        line_start = self.text.rfind("\n", 0, at) + 1
        found = ", found the end of the document" if at >= len(self.text) else ""
        return Json5Error(f"expected {expected}{found}", self.text.count("\n", 0, at) + 1, at - line_start + 1)

    def document(self) -> _Node:
        """The tree of the whole text. Loops where the grammar recurses, so that nesting costs no stack."""
        root = self.value(self.gap_end(0), "a value")
        opened = [root] if isinstance(root, _Container) else []
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
            if isinstance(entry, _Container):
                if len(opened) == MAX_NESTING:
                    raise self.error(f"no more than {MAX_NESTING} levels of nesting", entry.start)
                opened.append(entry)
            at = entry.end
        at = self.gap_end(at)
        if at < len(self.text):
            raise self.error("the end of the document", at)
        return root

    def gap_end(self, at: int) -> int:
        """Where the white space and the comments that begin here end."""
        gap = _GAP.match(self.text, at)
        end = gap.end() if gap else at
        if self.text.startswith("/", end):
            if self.text.startswith("/*", end):
                raise self.error("'*/'", len(self.text))
            raise self.error("'/' or '*'", end + 1)
        return end

    def entry(self, container: _Container, at: int) -> _Node:
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

    def value(self, at: int, expected: str) -> _Node:
        """A scalar, or a container of which only the bracket is read yet."""
        char = self.text[at : at + 1]
        if char == "{":
            return _Container(at, {})
        if char == "[":
            return _Container(at, [])
        if char in _STRING_STOP:
            string, end = self.string(at)
            return _Node(at, end, string)
        if char in _WORDS:
            return self.word(at, at)
        if not char or char not in "+-.0123456789":
            raise self.error(expected, at)
        return self.number(at)

    def word(self, start: int, at: int) -> _Node:
        word, value = _WORDS[self.text[at]]
        if not self.text.startswith(word, at):
            wrong = next(i for i, char in enumerate(word) if not self.text.startswith(char, at + i))
            raise self.error(f"'{word}'", at + wrong)
        if self.text[start] == "-":
            value = -math.inf if word == "Infinity" else value
        return _Node(start, at + len(word), value)

    def number(self, at: int) -> _Node:
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
            if _is_beyond_double(magnitude):
                magnitude = math.inf
            elif negative and not magnitude:
                magnitude = 0.0
        return _Node(at, found.end(), -magnitude if negative else magnitude)

    def string(self, at: int) -> tuple[str, int]:
        """The value of the string whose quote stands here, and where the string ends."""
        quote = self.text[at]
        pieces = []
        at += 1
        while True:
            stop = _STRING_STOP[quote].search(self.text, at)
            if not stop:
                raise self.error(f"the closing {quote}", len(self.text))
            pieces.append(self.text[at : stop.start()])
            if stop.group() == quote:
                return _with_pairs_joined("".join(pieces)), stop.end()
            if stop.group() != "\\":
                raise self.error(f"the closing {quote}", stop.start())
            piece, at = self.escape(stop.end())
            pieces.append(piece)

    def escape(self, at: int) -> tuple[str, int]:
        """What the escape stands for whose backslash is before C(at), and where the escape ends."""
        char = self.text[at : at + 1]
        if char in ("x", "u"):
            return self.code_escape(at)
        if char == "0":
            if self.text[at + 1 : at + 2] in tuple("0123456789"):
                raise self.error("no digit after '\\0'", at + 1)
            return "\0", at + 1
        if not char or char in "123456789":
            raise self.error("an escape", at)
        if _LINE_END.match(char):
            return "", at + (2 if self.text.startswith("\r\n", at) else 1)
        return _ESCAPES.get(char, char), at + 1

    def code_escape(self, at: int) -> tuple[str, int]:
        digits = 2 if self.text[at] == "x" else 4
        found = _HEXADECIMAL.match(self.text, at + 1, at + 1 + digits)
        code = found.group() if found else ""
        if len(code) < digits:
            raise self.error("a hexadecimal digit", at + 1 + len(code))
        return chr(int(code, 16)), at + 1 + digits

    def name(self, at: int) -> tuple[str, int]:
        """The member name that stands here, and where it ends."""
        if self.text[at : at + 1] in _STRING_STOP:
            return self.string(at)
        start = at
        simple = _SIMPLE_NAME.match(self.text, at)
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
                if not _may_stand_in_name(char, first):
                    raise self.error("the escape of a character that a name may have", at)
            elif char and _may_stand_in_name(char, first):
                end = at + 1
            elif first:
                raise self.error("a member name or '}'", at)
            else:
                return "".join(pieces), at
            pieces.append(char)
            at = end


# --- The value of a document -------------------------------------------------------------------------------------


def _changed(root: Any, change: Change) -> Any:
    """The value with the change made; what the change does not concern is shared with C(root), not copied."""
    path = tuple(_with_pairs_joined(name) for name in change.path)
    if not path:
        raise Json5PathError("a change has to name a member")
    if change.value is REMOVE and not _has(root, path):
        return root
    value = change.value if change.value is REMOVE else _plain(change.value, path, len(path))
    outermost: dict[str, Any] = {"": root}
    holder, key = outermost, ""
    for depth, name in enumerate(path):
        parent = holder[key]
        if not isinstance(parent, dict):
            where = _shown(path[:depth]) if depth else "the document"
            raise Json5PathError(f"cannot set {_shown(path)}: {where} is not an object")
        holder[key] = dict(parent)
        holder, key = holder[key], name
        if depth < len(path) - 1:
            holder.setdefault(key, {})
        elif value is REMOVE:
            del holder[key]
        else:
            holder[key] = value
    return outermost[""]


def _has(value: Any, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True


def _plain(value: Any, path: tuple[str, ...], level: int) -> Any:
    """A copy of the value of plain types only, such as reading gives. C(level): how many containers it stands in."""
    is_container = isinstance(value, (list, tuple, dict))
    if level + is_container > MAX_NESTING:
        raise Json5PathError(f"cannot set {_shown(path)}: more than {MAX_NESTING} levels of nesting")
    if not is_container:
        return _plain_scalar(value, path)
    if isinstance(value, dict):
        members = {}
        for name, member in value.items():
            if not isinstance(name, str):
                raise TypeError(f"cannot set {_shown(path)}: a member name is of type {type(name).__name__}")
            members[_with_pairs_joined(str(name))] = _plain(member, path, level + 1)
        return members
    elements = []
    for element in value:
        elements.append(_plain(element, path, level + 1))
    return elements


def _plain_scalar(value: Any, path: tuple[str, ...]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _with_pairs_joined(str(value))
    if isinstance(value, float):
        return float(value)
    if not isinstance(value, int):
        raise TypeError(f"cannot set {_shown(path)}: a value is of type {type(value).__name__}")
    if _is_beyond_double(value):
        raise Json5PathError(f"cannot set {_shown(path)}: a number is too large")
    return int(value)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _equal(one: Any, other: Any) -> bool:
    """Whether two values that reading can give are the same JSON value. Loops, so that nesting costs no stack."""
    pairs = [(one, other)]
    while pairs:
        left, right = pairs.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            if left.keys() != right.keys():
                return False
            pairs.extend((left[name], right[name]) for name in left)
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            pairs.extend(zip(left, right))
        elif isinstance(left, bool) or isinstance(right, bool):
            if left is not right:
                return False
        elif left != right and not (_is_nan(left) and _is_nan(right)):
            return False
    return True


# --- The edited text ---------------------------------------------------------------------------------------------

_TO_ESCAPE = re.compile(r"[\x00-\x1f\x7f-\x9f\\\"'\u2028\u2029\ud800-\udfff]")
_SHORT_ESCAPES: Final = {value: f"\\{letter}" for letter, value in _ESCAPES.items() if letter != "v"}


def _quoted(string: str, quote: str) -> str:
    def escaped(found: re.Match[str]) -> str:
        char = found.group()
        if char in "\"'\\":
            return "\\" + char if char in ("\\", quote) else char
        return _SHORT_ESCAPES.get(char) or f"\\u{ord(char):04x}"

    return quote + _TO_ESCAPE.sub(escaped, string) + quote


def _shown(path: tuple[str, ...]) -> str:
    return ".".join(name if re.fullmatch(r"[\w$/:@-]+", name) else _quoted(name, '"') for name in path)


def _number_text(number: int | float) -> str:
    if isinstance(number, int):
        return str(number)
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    return "NaN" if math.isnan(number) else repr(number)


class _Layout(NamedTuple):
    """How the entries of a container are written: C(indent) is that of the lines they stand on."""

    indent: str
    own_lines: bool
    trailing_comma: bool
    bare_names: bool


class _Habits(NamedTuple):
    """What the whole file does: the text of a line end and of one level of indentation, its quote, its names."""

    line_end: str
    unit: str
    quote: str
    bare_names: bool


class _Editor:
    """Makes splices out of the difference between a document and a wanted value."""

    def __init__(self, text: str, document: _Node) -> None:
        self.text = text
        self.document = document
        self.splices: list[tuple[int, int, str]] = []

    def turned_into(self, wanted: Any) -> str:
        """The text edited so that it is read as C(wanted), which shares with the document what it does not change."""
        if wanted is self.document.value:
            return self.text
        outermost = _Layout("", own_lines=True, trailing_comma=False, bare_names=self.habits.bare_names)
        pending = [(self.document, wanted, self.indentation(0, self.document.first) or "", outermost)]
        while pending:
            node, value, indent, around = pending.pop()
            if value is node.value:
                continue
            if isinstance(node, _Container) and self.stays(node, value):
                layout = self.layout(node, indent, around)
                for index, entry_value in self.reshaped(node, value, indent, layout).items():
                    if entry_value is not node.entries[index].value:
                        own_indent = self.indentation(*node.gap_before(index))
                        entry_indent = layout.indent if own_indent is None else own_indent
                        pending.append((node.entries[index], entry_value, entry_indent, layout))
            elif isinstance(node.value, str) and isinstance(value, str) and node.value != value:
                self.splices.append((node.start, node.end, _quoted(value, self.text[node.start])))
            elif not _equal(node.value, value):
                self.splices.append((node.start, node.end, self.written(value, indent, around)))
        return self.spliced()

    def stays(self, node: _Container, value: Any) -> bool:
        """Whether the container is edited entry by entry; otherwise it is replaced as a whole."""
        if isinstance(node.value, dict):
            return isinstance(value, dict)
        if not isinstance(value, list):
            return False
        length = len(node.value)
        return len(value) == length or (len(value) > length and _equal(node.value, value[:length]))

    def spliced(self) -> str:
        """The text with the splices made. Removals may overlap; what is inserted at one place keeps its order."""
        pieces = []
        at = 0
        for start, end, replacement in sorted(self.splices, key=lambda splice: splice[0]):
            pieces.append(self.text[at:start])
            pieces.append(replacement)
            at = max(at, end)
        pieces.append(self.text[at:])
        return "".join(pieces)

    # What the text does already, and new text is to do as well

    @functools.cached_property
    def habits(self) -> _Habits:
        line_end = re.search(r"\r\n|\n|\r", self.text)
        bare_names = None
        quotes = {'"': 0, "'": 0}
        pending = [self.document]
        while pending:
            node = pending.pop()
            for start in (node.start,) if node.first == node.start else (node.first, node.start):
                if self.text[start] in quotes:
                    quotes[self.text[start]] += 1
            if bare_names is None and _SIMPLE_NAME.fullmatch(node.name):
                bare_names = self.text[node.first] not in quotes
            if isinstance(node, _Container):
                pending.extend(reversed(node.entries))
        return _Habits(
            line_end=line_end.group() if line_end else "\n",
            unit=self.unit(),
            quote="'" if quotes["'"] > quotes['"'] else '"',
            bare_names=bool(bare_names),
        )

    def unit(self) -> str:
        """One level of indentation: what the outermost indented entry has more than its container."""
        level = [(self.document, self.indentation(0, self.document.first) or "")]
        while level:
            inner_level = []
            for node, indent in level:
                if not isinstance(node, _Container):
                    continue
                for index, entry in enumerate(node.entries):
                    own_indent = self.indentation(*node.gap_before(index))
                    if own_indent and own_indent != indent and own_indent.startswith(indent):
                        return own_indent[len(indent) :]
                    inner_level.append((entry, indent if own_indent is None else own_indent))
            level = inner_level
        return "  "

    def layout(self, node: _Container, indent: str, around: _Layout) -> _Layout:
        """How entries of this container are written: as those it has or, where they tell nothing, as around it."""
        if not node.entries:
            own_lines = around.own_lines or bool(_LINE_END.search(self.text, node.start, node.end))
            return around._replace(indent=indent + self.habits.unit if own_lines else indent, own_lines=own_lines)
        gap_starts = [node.start + 1] + [entry.end for entry in node.entries]
        gap_ends = [entry.first for entry in node.entries] + [node.end - 1]
        own_lines = any(_LINE_END.search(self.text, start, end) for start, end in zip(gap_starts, gap_ends))
        indents = (self.indentation(*node.gap_before(index)) for index in reversed(range(len(node.entries))))
        own_indent = next((own for own in indents if own is not None), None)
        if own_indent is None:
            own_indent = indent + self.habits.unit if own_lines else indent
        bare_names = (
            self.text[entry.first] not in _STRING_STOP
            for entry in reversed(node.entries)
            if _SIMPLE_NAME.fullmatch(entry.name)
        )
        return _Layout(
            indent=own_indent,
            own_lines=own_lines,
            trailing_comma=node.entries[-1].comma is not None,
            bare_names=next(bare_names, around.bare_names),
        )

    def gap_tokens(self, start: int, end: int) -> Iterator[re.Match[str]]:
        return _GAP_TOKEN.finditer(self.text, start, end)

    def indentation(self, start: int, end: int) -> str | None:
        """The indentation of the line on which the gap ends; C(None) if no line begins in the gap."""
        line_start = None if start else 0
        for token in self.gap_tokens(start, end):
            if token.lastgroup == "line_end":
                line_start = token.end()
        found = None if line_start is None else _INDENTATION.match(self.text, line_start, end)
        return found.group() if found else None

    # Entries that go and come

    def reshaped(
        self, node: _Container, value: dict[str, Any] | list[Any], indent: str, layout: _Layout
    ) -> dict[int, Any]:
        """Splices out entries that C(value) lacks, in those it has more; gives what the others are to be, by index."""
        if isinstance(value, list):
            removed = []
            texts = [self.written(element, layout.indent, layout) for element in value[len(node.value) :]]
            others = dict(enumerate(value[: len(node.value)]))
        else:
            last_of_name = {entry.name: index for index, entry in enumerate(node.entries)}
            removed = [index for index, entry in enumerate(node.entries) if entry.name not in value]
            texts = [
                f"{self.name(name, layout)}: {self.written(value[name], layout.indent, layout)}"
                for name in value
                if name not in last_of_name
            ]
            others = {last_of_name[name]: value[name] for name in value if name in last_of_name}
        if removed or texts:
            removals = [self.removal(node, index, position == index) for position, index in enumerate(removed)]
            self.splices.extend((start, end, "") for start, end in removals)
            if others:
                self.end_after(node, max(set(range(len(node.entries))).difference(removed)), texts, layout)
            else:
                self.refill(node, removals, texts, indent, layout)
        return others

    def refill(
        self, node: _Container, removals: list[tuple[int, int]], texts: list[str], indent: str, layout: _Layout
    ) -> None:
        """Inserts the texts into a container of which no entry stays, after the comments that do."""
        close = node.end - 1
        at = gap = node.start + 1
        for start, end in [*removals, (close, close)]:
            for token in self.gap_tokens(gap, start):
                if token.lastgroup == "comment":
                    at = token.end()
            gap = max(gap, end)
        if texts or at == node.start + 1:
            self.splices.append((at, close, self.block(texts, indent, layout, isinstance(node.value, dict))))

    def end_after(self, node: _Container, index: int, texts: list[str], layout: _Layout) -> None:
        """Inserts the texts after the entry, the last one that stays, or ends the container with it."""
        entry = node.entries[index]
        if texts:
            at, _comment = self.tail(node, index)
            between = self.habits.line_end + layout.indent if layout.own_lines else " "
            if entry.comma is None:
                # On a line of its own a comment may run to the line's end, so the comma has to come before it.
                self.splices.append((entry.end, entry.end, ",") if layout.own_lines else (at, at, ","))
            self.splices.append((at, at, between + f",{between}".join(texts) + "," * layout.trailing_comma))
        elif entry.comma is not None and not layout.trailing_comma:
            start = entry.end if _WHITE.fullmatch(self.text, entry.end, entry.comma) else entry.comma
            self.splices.append((start, entry.comma + 1, ""))

    def removal(self, node: _Container, index: int, leads: bool) -> tuple[int, int]:
        """The span of an entry with its comma and the comments that belong to it; C(leads): none before it stays.

        A comment belongs to an entry if it follows it on its line, stands before it on its line, or on the lines
        right above it. The end of a line on which another's comment stands is never within the span.
        """
        entry = node.entries[index]
        before, _comment = node.gap_before(index)
        line_end, first = self.head(before, entry.first)
        tail, ends_line = self.tail(node, index)
        if ends_line:
            return (before if line_end is None else line_end), tail
        if line_end is None and not leads:
            return before, tail
        if index + 1 < len(node.entries):
            white = _WHITE.match(self.text, entry.after)
            return first, white.end() if white else entry.after
        if line_end is None or self.ends_line_comment(before, line_end):
            return first, tail
        return line_end, tail

    def ends_line_comment(self, start: int, end: int) -> bool:
        return any(token.group().startswith("//") for token in self.gap_tokens(start, end) if token.end() == end)

    def head(self, before: int, first: int) -> tuple[int | None, int]:
        """Of the gap before an entry: the line end before what belongs to the entry, and the start of that."""
        line_end = comment = None
        is_blank = True
        for token in self.gap_tokens(before, first):
            if token.lastgroup == "comment":
                is_blank = False
                comment = token.start() if comment is None else comment
            elif token.lastgroup == "line_end":
                if is_blank or line_end is None:
                    line_end, comment = token.start(), None
                is_blank = True
        return line_end, first if comment is None else comment

    def tail(self, node: _Container, index: int) -> tuple[int, bool]:
        """Where what belongs to an entry after it ends, its comma included, and whether its line ends there."""
        entry = node.entries[index]
        is_last = index + 1 == len(node.entries)
        at = entry.after
        for token in self.gap_tokens(at, node.end - 1 if is_last else node.entries[index + 1].first):
            if token.lastgroup == "line_end":
                return token.start(), True
            if token.lastgroup == "comment":
                at = token.end()
        return (at if is_last else entry.after), False

    # New text

    def name(self, name: str, layout: _Layout) -> str:
        return name if layout.bare_names and _SIMPLE_NAME.fullmatch(name) else _quoted(name, self.habits.quote)

    def written(self, value: Any, indent: str, around: _Layout) -> str:
        """The value as new text; C(indent) is that of the line on which it begins. One stack frame a level."""
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return _quoted(value, self.habits.quote)
        if isinstance(value, (int, float)):
            return _number_text(value)
        layout = around._replace(indent=indent + self.habits.unit if around.own_lines else indent)
        texts = []
        if isinstance(value, dict):
            for name in value:
                texts.append(f"{self.name(name, layout)}: {self.written(value[name], layout.indent, layout)}")
            return "{" + self.block(texts, indent, layout, True) + "}"
        for element in value:
            texts.append(self.written(element, layout.indent, layout))
        return "[" + self.block(texts, indent, layout, False) + "]"

    def block(self, texts: list[str], indent: str, layout: _Layout, is_object: bool) -> str:
        """What stands between the brackets of a container whose lines begin with C(indent)."""
        if not texts:
            return ""
        if not layout.own_lines:
            padding = " " if is_object else ""
            return padding + ", ".join(texts) + padding
        line = self.habits.line_end + layout.indent
        return line + f",{line}".join(texts) + "," * layout.trailing_comma + self.habits.line_end + indent
