# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A file of environment variables as systemd reads it for `EnvironmentFile=`, seen on 252 and 257.

Its syntax differs from that of the product's `.env`: it knows no comment behind a value, for example.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# One line, which quotes and a backslash at its end continue. Text after quotes belongs to the value; quotes after other
# text are literal.
_LINE = re.compile(
    r"""
    [ \t\r\n]*
    (?: [#;] [^\r\n]*
      | (?P<name> [^\r\n=]* )
        (?: =
            (?P<quoted> (?: [ \t] | '[^']*(?:'|\Z) | "(?:[^"\\]|\\.)*(?:"|\\?\Z) )* )
            (?P<bare> (?: [^\\\r\n] | \\(?:.|\Z) )* )
        )?
    )
    (?: [\r\n] | \Z )
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(r"""'([^']*)'?|"((?:[^"\\]|\\.)*)\\?"?""", re.DOTALL)
_DOUBLE_QUOTED_ESCAPE = re.compile(r'\\(["\\`$]|\n)')
_BARE_ESCAPE = re.compile(r"\\(.|\Z)", re.DOTALL)


class Assignment(NamedTuple):
    """One environment variable, and the offset of its name in the text."""

    name: str
    value: str
    start: int


def loads(text: str) -> dict[str, str]:
    """Return the environment variables in a text; the last assignment of a name counts."""
    return {found.name: found.value for found in assignments(text)}


def assignments(text: str) -> Iterator[Assignment]:
    """Yield all assignments in a text, in their order."""
    for line in _LINE.finditer(text):
        name = (line["name"] or "").rstrip(" \t")
        if line["bare"] is not None and _VARIABLE.match(name):
            bare = re.sub(r"(?<!\\)[ \t]+\Z", "", line["bare"])
            quoted = "".join(map(_unquoted, _QUOTED.finditer(line["quoted"])))
            yield Assignment(name, quoted + _BARE_ESCAPE.sub(_plain, bare), line.start("name"))


def _unquoted(match: re.Match[str]) -> str:
    single, double = match.groups()
    return single if double is None else _DOUBLE_QUOTED_ESCAPE.sub(_plain, double)


def _plain(match: re.Match[str]) -> str:
    """Return what follows a backslash; a line break there only joins two lines."""
    return match.group(1).strip("\r\n")
