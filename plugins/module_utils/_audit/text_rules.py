# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Rules for texts that are reported line by line and never changed: units, and everything without a parser."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.key_shape import shape_of
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import is_secret_name

from .document_rules import WHOSE, Context, Document, Examination, Rules, manual, match_finding
from .finding import Finding

_ASSIGNED = re.compile(r"^\s*Environment=(.*)$")
# A token or a password need not have the shape of a key.
_MAYBE_SECRET = ("key", "other")
_UNIT_HINT = "Remove it (systemctl edit), reload systemd, and restart the gateway."


def plain_text(hint: str, *, private: bool = False) -> Rules:
    """Return the rules for a text without structure. `hint` says what to do with a key in it."""

    def examine(document: Document, context: Context) -> Examination:
        lines = enumerate(document.text.splitlines(), 1)
        findings = [found for number, line in lines for found in _in_line(document.path, line, number, context, hint)]
        return Examination(findings, (), document.text, private)

    return Rules(str, examine)


def _examine_unit(document: Document, context: Context) -> Examination:
    """A unit, a drop-in, or a file of environment variables that it names."""
    findings: list[Finding] = []
    for number, line in enumerate(document.text.splitlines(), 1):
        assigned = list(_assignments(line))
        for variable, value in assigned:
            status = context.keys.status(value, variable if variable in context.keys.current else None)
            if status != "unknown" or (is_secret_name(variable) and shape_of(value) in _MAYBE_SECRET):
                message = f"{document.path} holds {WHOSE[status]} in plain text in {variable}, in line {number}."
                where = f"line {number}"
                findings.append(
                    Finding("plain_text_key", document.path, message, where, variable, value, status, hint=_UNIT_HINT)
                )
        if not assigned:
            findings += _in_line(document.path, line, number, context, _UNIT_HINT)
    return Examination(findings, (), document.text)


UNIT = Rules(str, _examine_unit)


def _in_line(path: str, line: str, number: int, context: Context, hint: str) -> Iterator[Finding]:
    return (manual(match_finding(path, number, match), hint) for match in context.keys.find(line))


def _assignments(line: str) -> Iterator[tuple[str, str]]:
    """The environment variables that a line of a unit sets."""
    match = _ASSIGNED.match(line)
    if not match:
        return
    try:
        words = shlex.split(match[1])
    except ValueError:
        words = match[1].split()
    for word in words:
        name, equals, value = word.partition("=")
        if equals and value:
            yield name, value


UNPARSED_COPY = plain_text("Delete the file.")
WORKING_DIRECTORY_ENV = plain_text("The gateway reads this file before its own .env: remove the variable from it.")
