# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The `.env` file as the product reads it, read and edited without losing a byte.

The dialect is that of `parse` in `lib/main.js` of the npm package dotenv 17.4.2, with which Clawdbot 2026.1.24-3 loads
its files. It is followed exactly, also where it surprises: a quoted value may start on a later line than its `=`,
`NAME:` takes the next line as its value, and a quote that is never closed is plain text.
"""

from __future__ import annotations

import contextlib
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

from . import environment_file

# JavaScript's \s and the characters that end a line for its ^, $ and dot (ECMA-262: WhiteSpace, LineTerminator).
# Python's sets are others. A carriage return is missing in the second one: dotenv replaces it before it looks.
_SPACES = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000\ufeff"
_LINE_ENDS = "\n\u2028\u2029"

_S = f"[{_SPACES}]"
_LINE_START = f"(?<![^{_LINE_ENDS}])"
_LINE_END = f"(?![^{_LINE_ENDS}])"

_BOM = "\ufeff"
_CARRIAGE_RETURN = re.compile(r"\r\n?")
_NEWLINE = re.compile(r"\r\n?|\n")
_INDENT = re.compile(f"{_LINE_START}{_S}*")
_ASSIGNMENT = re.compile(
    rf"""
    (?: export {_S}+ )?
    (?P<name> [A-Za-z0-9_.-]+ )
    (?: (?P<equals> {_S}*= ) | :{_S} )
    (?P<value> (?:
        {_S}* ' [^']* (?: (?<=\\)' [^']* )* '
      | {_S}* " [^"]* (?: (?<=\\)" [^"]* )* "
      | {_S}* ` [^`]* (?: (?<=\\)` [^`]* )* `
      | [^#\n]+
    )? )
    {_S}* (?: \# [^{_LINE_ENDS}]* )?
    {_LINE_END}
    """,
    re.VERBOSE,
)
_LINE_BREAK = re.compile(f"[{_LINE_ENDS}]")
_QUOTED = re.compile(rf"""{_LINE_START}(['"`])([\s\S]*)\1{_LINE_END}""")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PROTOTYPE = "__proto__"
# UTF-8 has no unpaired surrogate, and an environment variable ends at a NUL.
_NOT_IN_ENVIRONMENT = re.compile("[\0\ud800-\udfff]")


class EnvFileError(ValueError):
    """A change of a `.env` file is impossible. The message contains no value."""


class EditedEnv(NamedTuple):
    """An edited text.

    text: the whole new text.
    duplicates: the managed variables that were assigned more than once, in the order of the changes. All but the
    assignment that counted, or all of them where the variable is removed, are gone.
    """

    text: str
    duplicates: tuple[str, ...]


class _Assignment(NamedTuple):
    """One assignment that dotenv sees. The numbers are offsets into the text.

    start, end: its whole lines, with indentation, inline comment and line ending.
    value_start, value_end: from behind the separator to the end of the value, quotes included.
    gap: the white space before a value there.
    """

    name: str
    value: str
    start: int
    end: int
    value_start: int
    value_end: int
    gap: str


class _Splice(NamedTuple):
    start: int
    end: int
    text: str


def loads(text: str) -> dict[str, str]:
    """Return the variables of a `.env` text, exactly as dotenv's `parse` returns them. Any text can be read."""
    return {found.name: found.value for found in _assignments(text)}


def edit(text: str, changes: Mapping[str, str | None]) -> EditedEnv:
    """Give the named variables new values, or with `None` remove them. Every other byte is kept.

    What dotenv reads from the result is what it read before with the changes made; that is checked on the result.
    An assignment that has its value already is left as it is. A changed one keeps its place, `export`, spacing and
    inline comment. New ones are appended in the order given, or put at the top where the end of the file would not be
    read as an assignment.

    text: the file with its line endings untouched, decoded from UTF-8 with `surrogateescape` so that invalid bytes
    are kept. A byte order mark is kept.

    Raises `EnvFileError` for a name that no variable can have, a value that dotenv cannot read, and if a broken line
    elsewhere in the file would be read differently after the change; it names that line.
    """
    for name in changes:
        _require_name(name)
    mark, body = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    first_ending = re.search(r"\r?\n", body)
    ending = first_ending.group() if first_ending else "\n"

    found = _assignments(body)
    effective = {assignment.name: assignment for assignment in found}
    splices: list[_Splice] = []
    kept: list[tuple[str, str]] = []
    for assignment in found:
        name, value = assignment.name, assignment.value
        if name in changes:
            desired = changes[name]
            if desired is None or assignment is not effective[name]:
                splices.append(_Splice(assignment.start, assignment.end, ""))
                continue
            if desired != value:
                value = desired
                spelling = assignment.gap + _spelling(name, value, ending)
                splices.append(_Splice(assignment.value_start, assignment.value_end, spelling))
        kept.append((name, value))

    added = [(name, value) for name, value in changes.items() if value is not None and name not in effective]
    lines = "".join(f"{name}={_spelling(name, value, ending)}{ending}" for name, value in added)
    edited = _spliced(body, splices)
    joint = ending if lines and edited and not edited.endswith(("\n", "\r")) else ""

    at_end = ([*splices, _Splice(len(body), len(body), joint + lines)], [*kept, *added])
    at_top = ([_Splice(0, 0, lines), *splices], [*added, *kept])
    for placed, expected in (at_end, at_top):
        misread = _first_misread(body, placed, expected)
        if misread is None:
            counts = Counter(assignment.name for assignment in found)
            return EditedEnv(mark + _spliced(body, placed), tuple(name for name in changes if counts[name] > 1))
    raise EnvFileError(
        f"line {misread}: what dotenv reads here depends on the lines below, and a change there would change it: "
        "close its quote, or put its name, its = and its value on one line"
    )


def align_with_systemd(text: str, names: Iterable[str]) -> str:
    """Return the text with the lines of the named variables written so that systemd reads the same values from them.

    The file may also be the `EnvironmentFile=` of a unit, for which a comment behind a value belongs to the value. Such
    a comment gets a line of its own. A line that systemd does not read at all, as one with `export`, is left as it is:
    the product itself reads it later. So is one for which that would change what dotenv reads from other lines.
    """
    mark, body = (_BOM, text[1:]) if text.startswith(_BOM) else ("", text)
    found = _assignments(body)
    effective = {assignment.name: assignment for assignment in found}
    splices = []
    for assignment in (effective[name] for name in names if name in effective):
        line = body[assignment.start : assignment.end]
        if not _is_alike(assignment, line):
            with contextlib.suppress(EnvFileError):
                aligned = _aligned(assignment, line, body)
                if _is_alike(assignment, aligned):
                    splices.append(_Splice(assignment.start, assignment.end, aligned))
    splices.sort()
    unchanged = [(assignment.name, assignment.value) for assignment in found]
    return mark + _spliced(body, splices) if _first_misread(body, splices, unchanged) is None else text


def misread_by_systemd(text: str) -> dict[str, int]:
    """Return the variables of which systemd reads another value than dotenv, and the line (from 1) that it reads.

    Those that it reads from a line of the variable itself are left out: `edit` and `align_with_systemd` repair it.
    """
    own: dict[str, list[_Assignment]] = {}
    for assignment in _assignments(text):
        own.setdefault(assignment.name, []).append(assignment)
    misread = {}
    for name, found in {found.name: found for found in environment_file.assignments(text)}.items():
        lines = own.get(name, [])
        if lines and lines[-1].value != found.value and not any(one.start <= found.start < one.end for one in lines):
            misread[name] = len(_NEWLINE.findall(text[: found.start])) + 1
    return misread


def _is_alike(assignment: _Assignment, line: str) -> bool:
    """Whether systemd reads the value of an assignment from its line, or nothing."""
    return environment_file.loads(line).get(assignment.name, assignment.value) == assignment.value


def _aligned(assignment: _Assignment, line: str, body: str) -> str:
    """The lines of an assignment as dotenv and systemd read them alike."""
    ending = line[len(line.rstrip("\r\n")) :]
    comment = body[assignment.value_end : assignment.end].strip(_SPACES)
    written = f"{assignment.name}={_spelling(assignment.name, assignment.value, ending or chr(10))}{ending}"
    return f"{comment}{ending or chr(10)}{written}" if comment.startswith("#") else written


def _require_name(name: str) -> None:
    if name == _PROTOTYPE:
        raise EnvFileError(f"{name} cannot be the name of a variable: JavaScript has its own use for it")
    if not _NAME.fullmatch(name):
        raise EnvFileError(f"{name!r} is not the name of a variable: letters, digits and _ only, no digit first")


def _assignments(text: str) -> list[_Assignment]:
    """Return all assignments that dotenv sees in the text, in their order. The last one of a name counts."""
    lines = _CARRIAGE_RETURN.sub("\n", text)
    # Where in `lines` a CRLF has become one character: from there on offsets into the text are larger.
    shortened = [match.start() - index for index, match in enumerate(re.finditer("\r\n", text))]

    def offset(position: int) -> int:
        return position + bisect_left(shortened, position)

    found = []
    position = 0
    while position < len(lines):
        # The indentation is part of dotenv's expression. Matched together with the rest, it would make a search through
        # n blank lines go through those that follow from each of them: n * n steps.
        indent = _INDENT.search(lines, position)
        if indent is None:
            break
        match = _ASSIGNMENT.match(lines, indent.end())
        if match is None:
            position = indent.end() + 1
            continue
        position = match.end()
        if match["name"] == _PROTOTYPE:
            continue  # dotenv assigns it to a plain object, and JavaScript drops it there
        value_start = match.start("value") + len(match["value"]) - len(match["value"].lstrip(_SPACES))
        value_end = value_start + len(match["value"].strip(_SPACES))
        separator_end = match.end("name") + 1 if match["equals"] is None else match.end("equals")
        gap = lines[separator_end:value_start]
        if value_start == value_end and ("\n" in gap or lines.startswith("#", value_end)):
            gap, value_end = "", separator_end
        if "\n" in gap:
            gap = ""  # only a quoted value is read from a later line
        if match["equals"] is None and not gap:
            gap = " "  # the colon separates only together with white space
        line_start = indent.start() + 1 + max(map(indent.group().rfind, _LINE_ENDS))
        line_break = _LINE_BREAK.search(lines, value_end)
        found.append(
            _Assignment(
                name=match["name"],
                value=_value(match["value"].strip(_SPACES)),
                start=offset(line_start),
                end=offset(line_break.end() if line_break else len(lines)),
                value_start=offset(separator_end),
                value_end=offset(value_end),
                gap=gap,
            )
        )
    return found


def _value(written: str) -> str:
    """Return a written value, without the white space around it, as dotenv reads it."""
    value = _QUOTED.sub(r"\2", written)
    if written.startswith('"'):
        value = value.replace("\\n", "\n").replace("\\r", "\r")
    return value


def _spelling(name: str, value: str, ending: str) -> str:
    """Write a value so that dotenv reads it exactly, whatever the lines below are, without quotes if possible.

    Of several spellings the first that systemd reads in the same way is taken.
    """
    if _NOT_IN_ENVIRONMENT.search(value):
        raise EnvFileError(f"the value of {name} holds a NUL or an unpaired surrogate, no environment variable can")
    escaped = value.replace("\n", "\\n").replace("\r", "\\r")
    quoted = {"'": f"'{value}'", '"': f'"{escaped}"', "`": f"`{value}`"}
    spellings = (value, *(quoted[quote] for quote in sorted(quoted, key=lambda quote: quote in value)))
    # The second line would close a quote that the first one leaves open.
    readable = [one for one in spellings if one and loads(f"{name}={one}\n{one[0]}") == {name: value}]
    alike = [one for one in readable if environment_file.loads(f"{name}={one}") == {name: value}]
    if readable:
        return (alike or readable)[0].replace("\n", ending)
    raise EnvFileError(f"the value of {name} cannot be written so that dotenv reads it unchanged, in no kind of quotes")


def _spliced(text: str, splices: Sequence[_Splice]) -> str:
    """Return the text with the splices made, which are in order and do not overlap."""
    pieces = []
    position = 0
    for splice in splices:
        pieces += [text[position : splice.start], splice.text]
        position = splice.end
    return "".join([*pieces, text[position:]])


def _first_misread(text: str, splices: Sequence[_Splice], expected: Sequence[tuple[str, str]]) -> int | None:
    """Return the first line of the text (from 1) at which dotenv reads something unexpected after the splices."""
    result = _spliced(text, splices)
    for found, pair in zip_longest(_assignments(result), expected):
        if found is None or (found.name, found.value) != pair:
            offset = len(result) if found is None else found.start
            for splice in splices:
                if offset >= splice.start + len(splice.text):
                    offset += splice.end - splice.start - len(splice.text)
            return len(_NEWLINE.findall(text[:offset])) + 1
    return None
