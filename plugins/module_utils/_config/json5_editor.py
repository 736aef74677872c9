# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!
"""JSON5 documents, edited without losing a byte.

An edit is the difference between two values: the document is read into a tree of spans, the changes are made on its
value (`_changed`), and the string is spliced only where the two values differ (`_Editor`).
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from .json5_reader import (
    ESCAPES,
    GAP_TOKEN,
    LINE_END,
    MAX_NESTING,
    QUOTES,
    SIMPLE_NAME,
    WHITE,
    Container,
    Node,
    is_beyond_double,
    join_surrogates,
    read,
)
from .tree import REMOVE, at, equal


class Change(NamedTuple):
    """The desired value of one member of a document. `path` names it, from the outermost object inwards."""

    path: tuple[str, ...]
    value: Any


class Json5PathError(ValueError):
    """A change cannot be made in a document. The message names the path."""


def edit(text: str, changes: Sequence[Change]) -> str:
    """Return the document with the changes made, in their order. Every byte that they do not concern is kept.

    What is read from the result equals the value of the document with the changes made on it. A value that is already
    equal is not rewritten: `1` equals `1.0`, NaN equals NaN, a boolean equals no number, the order of members does
    not count. Missing parents are added. Within a changed object only the members that differ are edited, within an
    array of the same length only the elements that differ; an array that grew at its end is appended to.
    A removed member is removed with its comma, the comment after it on its line and the comment lines right above it.

    Raises `Json5Error` if `text` is not JSON5, `Json5PathError` if a parent is not an object or a value cannot be
    written as JSON5, `TypeError` for a value of no JSON type.
    """
    document = read(text)
    desired = document.value
    for change in changes:
        desired = _changed(desired, change)
    return _Editor(text, document).edited(desired)


def _changed(root: Any, change: Change) -> Any:
    """Return the value with the change made. Parts that the change does not concern are shared with `root`."""
    path = tuple(join_surrogates(name) for name in change.path)
    if not path:
        raise Json5PathError("a change has to name a member")
    if change.value is REMOVE and at(root, path) is REMOVE:
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


def _plain(value: Any, path: tuple[str, ...], level: int) -> Any:
    """Return a copy of the value in the plain types that reading gives. `level`: the number of containers around it."""
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
            members[join_surrogates(str(name))] = _plain(member, path, level + 1)
        return members
    elements = []
    for element in value:
        elements.append(_plain(element, path, level + 1))
    return elements


def _plain_scalar(value: Any, path: tuple[str, ...]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return join_surrogates(str(value))
    if isinstance(value, float):
        return float(value)
    if not isinstance(value, int):
        raise TypeError(f"cannot set {_shown(path)}: a value is of type {type(value).__name__}")
    if is_beyond_double(value):
        raise Json5PathError(f"cannot set {_shown(path)}: a number is too large")
    return int(value)


_INDENTATION = re.compile(r"[ \t]*")
_TO_ESCAPE = re.compile(r"[\x00-\x1f\x7f-\x9f\\\"'\u2028\u2029\ud800-\udfff]")
_SHORT_ESCAPES: Final = {value: f"\\{letter}" for letter, value in ESCAPES.items() if letter != "v"}


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
    """How the entries of a container are written. `indent` is the indentation of their lines."""

    indent: str
    own_lines: bool
    trailing_comma: bool
    bare_names: bool


class _Style(NamedTuple):
    """The style of the whole document: its line end, one level of indentation, its quote, whether names are bare."""

    line_end: str
    unit: str
    quote: str
    bare_names: bool


class _Editor:
    """Makes splices from the difference between a document and its desired value."""

    def __init__(self, text: str, document: Node) -> None:
        self.text = text
        self.document = document
        self.splices: list[tuple[int, int, str]] = []

    def edited(self, desired: Any) -> str:
        """Return the text whose value is `desired`, which shares its unchanged parts with the document's value."""
        if desired is self.document.value:
            return self.text
        outermost = _Layout("", own_lines=True, trailing_comma=False, bare_names=self.style.bare_names)
        pending = [(self.document, desired, self.indentation(0, self.document.first) or "", outermost)]
        while pending:
            node, value, indent, around = pending.pop()
            if value is node.value:
                continue
            if isinstance(node, Container) and self.is_edited_in_place(node, value):
                layout = self.layout(node, indent, around)
                for index, entry_value in self.reshaped(node, value, indent, layout).items():
                    if entry_value is not node.entries[index].value:
                        own_indent = self.indentation(*node.gap_before(index))
                        entry_indent = layout.indent if own_indent is None else own_indent
                        pending.append((node.entries[index], entry_value, entry_indent, layout))
            elif isinstance(node.value, str) and isinstance(value, str) and node.value != value:
                self.splices.append((node.start, node.end, _quoted(value, self.text[node.start])))
            elif not equal(node.value, value):
                self.splices.append((node.start, node.end, self.written(value, indent, around)))
        return self.spliced()

    def is_edited_in_place(self, node: Container, value: Any) -> bool:
        """Whether the container is edited entry by entry. If not, it is replaced as a whole."""
        if isinstance(node.value, dict):
            return isinstance(value, dict)
        if not isinstance(value, list):
            return False
        length = len(node.value)
        return len(value) == length or (len(value) > length and equal(node.value, value[:length]))

    def spliced(self) -> str:
        """Return the text with the splices made. Removals may overlap; insertions at one place keep their order."""
        pieces = []
        at = 0
        for start, end, replacement in sorted(self.splices, key=lambda splice: splice[0]):
            pieces.append(self.text[at:start])
            pieces.append(replacement)
            at = max(at, end)
        pieces.append(self.text[at:])
        return "".join(pieces)

    # The style of the text, which new text follows

    @functools.cached_property
    def style(self) -> _Style:
        line_end = re.search(r"\r\n|\n|\r", self.text)
        bare_names = None
        quotes = {'"': 0, "'": 0}
        pending = [self.document]
        while pending:
            node = pending.pop()
            for start in (node.start,) if node.first == node.start else (node.first, node.start):
                if self.text[start] in quotes:
                    quotes[self.text[start]] += 1
            if bare_names is None and SIMPLE_NAME.fullmatch(node.name):
                bare_names = self.text[node.first] not in quotes
            if isinstance(node, Container):
                pending.extend(reversed(node.entries))
        return _Style(
            line_end=line_end.group() if line_end else "\n",
            unit=self.unit(),
            quote="'" if quotes["'"] > quotes['"'] else '"',
            bare_names=bool(bare_names),
        )

    def unit(self) -> str:
        """Return one level of indentation: what the outermost indented entry adds to its container's."""
        level = [(self.document, self.indentation(0, self.document.first) or "")]
        while level:
            inner_level = []
            for node, indent in level:
                if not isinstance(node, Container):
                    continue
                for index, entry in enumerate(node.entries):
                    own_indent = self.indentation(*node.gap_before(index))
                    if own_indent and own_indent != indent and own_indent.startswith(indent):
                        return own_indent[len(indent) :]
                    inner_level.append((entry, indent if own_indent is None else own_indent))
            level = inner_level
        return "  "

    def layout(self, node: Container, indent: str, around: _Layout) -> _Layout:
        """Return how entries of this container are written: as its own entries or, without any, as those around it."""
        if not node.entries:
            own_lines = around.own_lines or bool(LINE_END.search(self.text, node.start, node.end))
            return around._replace(indent=indent + self.style.unit if own_lines else indent, own_lines=own_lines)
        gap_starts = [node.start + 1] + [entry.end for entry in node.entries]
        gap_ends = [entry.first for entry in node.entries] + [node.end - 1]
        own_lines = any(LINE_END.search(self.text, start, end) for start, end in zip(gap_starts, gap_ends))
        indents = (self.indentation(*node.gap_before(index)) for index in reversed(range(len(node.entries))))
        own_indent = next((own for own in indents if own is not None), None)
        if own_indent is None:
            own_indent = indent + self.style.unit if own_lines else indent
        bare_names = (
            self.text[entry.first] not in QUOTES
            for entry in reversed(node.entries)
            if SIMPLE_NAME.fullmatch(entry.name)
        )
        return _Layout(
            indent=own_indent,
            own_lines=own_lines,
            trailing_comma=node.entries[-1].comma is not None,
            bare_names=next(bare_names, around.bare_names),
        )

    def gap_tokens(self, start: int, end: int) -> Iterator[re.Match[str]]:
        return GAP_TOKEN.finditer(self.text, start, end)

    def indentation(self, start: int, end: int) -> str | None:
        """Return the indentation of the line on which the gap ends, `None` if no line begins in the gap."""
        line_start = None if start else 0
        for token in self.gap_tokens(start, end):
            if token.lastgroup == "line_end":
                line_start = token.end()
        found = None if line_start is None else _INDENTATION.match(self.text, line_start, end)
        return found.group() if found else None

    # Removed and added entries

    def reshaped(
        self, node: Container, value: dict[str, Any] | list[Any], indent: str, layout: _Layout
    ) -> dict[int, Any]:
        """Splice out entries that `value` lacks, splice in new ones. Return those desired of the others, by index."""
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
        self, node: Container, removals: list[tuple[int, int]], texts: list[str], indent: str, layout: _Layout
    ) -> None:
        """Insert the texts into a container that loses all its entries, after the comments that it keeps."""
        close = node.end - 1
        at = gap = node.start + 1
        for start, end in [*removals, (close, close)]:
            for token in self.gap_tokens(gap, start):
                if token.lastgroup == "comment":
                    at = token.end()
            gap = max(gap, end)
        if texts or at == node.start + 1:
            self.splices.append((at, close, self.block(texts, indent, layout, isinstance(node.value, dict))))

    def end_after(self, node: Container, index: int, texts: list[str], layout: _Layout) -> None:
        """Insert the texts after the last kept entry, or make it the last one of the container."""
        entry = node.entries[index]
        if texts:
            at, _comment = self.tail(node, index)
            between = self.style.line_end + layout.indent if layout.own_lines else " "
            if entry.comma is None:
                # On a line of its own a comment may run to the line's end, so the comma has to come before it.
                self.splices.append((entry.end, entry.end, ",") if layout.own_lines else (at, at, ","))
            self.splices.append((at, at, between + f",{between}".join(texts) + "," * layout.trailing_comma))
        elif entry.comma is not None and not layout.trailing_comma:
            start = entry.end if WHITE.fullmatch(self.text, entry.end, entry.comma) else entry.comma
            self.splices.append((start, entry.comma + 1, ""))

    def removal(self, node: Container, index: int, leads: bool) -> tuple[int, int]:
        """Return the span of an entry with its comma and its comments. `leads`: no entry before it is kept.

        A comment belongs to an entry if it is on the entry's line after or before it, or on the lines right above it.
        The end of a line with another entry's comment is never within the span.
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
            white = WHITE.match(self.text, entry.after)
            return first, white.end() if white else entry.after
        if line_end is None or self.ends_line_comment(before, line_end):
            return first, tail
        return line_end, tail

    def ends_line_comment(self, start: int, end: int) -> bool:
        return any(token.group().startswith("//") for token in self.gap_tokens(start, end) if token.end() == end)

    def head(self, before: int, first: int) -> tuple[int | None, int]:
        """Return, of the gap before an entry, the line end before the entry's comments, and the start of these."""
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

    def tail(self, node: Container, index: int) -> tuple[int, bool]:
        """Return the end of an entry's comma and comments after it, and whether its line ends there."""
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
        return name if layout.bare_names and SIMPLE_NAME.fullmatch(name) else _quoted(name, self.style.quote)

    def written(self, value: Any, indent: str, around: _Layout) -> str:
        """Return the value as new text. `indent`: the indentation of its first line. One stack frame a level."""
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return _quoted(value, self.style.quote)
        if isinstance(value, (int, float)):
            return _number_text(value)
        layout = around._replace(indent=indent + self.style.unit if around.own_lines else indent)
        texts = []
        if isinstance(value, dict):
            for name in value:
                texts.append(f"{self.name(name, layout)}: {self.written(value[name], layout.indent, layout)}")
            return "{" + self.block(texts, indent, layout, True) + "}"
        for element in value:
            texts.append(self.written(element, layout.indent, layout))
        return "[" + self.block(texts, indent, layout, False) + "]"

    def block(self, texts: list[str], indent: str, layout: _Layout, is_object: bool) -> str:
        """Return the text between the brackets of a container whose lines begin with `indent`."""
        if not texts:
            return ""
        if not layout.own_lines:
            padding = " " if is_object else ""
            return padding + ", ".join(texts) + padding
        line = self.style.line_end + layout.indent
        return line + f",{line}".join(texts) + "," * layout.trailing_comma + self.style.line_end + indent
