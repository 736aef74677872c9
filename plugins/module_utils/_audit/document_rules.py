# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Types and helpers of the rules for each kind of document: what they take and return, and how they name a key.

A document is read and parsed once. Its rules then answer two questions: which old keys it holds in the places of
current ones, and, when the old keys of all documents are known, what is wrong with it and what its clean text is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.key_shape import Shape

from .finding import Finding
from .known_keys import KeyStatus, KnownKeys, Match

#: Replaces a key where no reference can.
REMOVED = "removed"
#: The words for a key in a message.
WHOSE: Mapping[KeyStatus, str] = {
    "current": "the current key",
    "old": "an old key",
    "unknown": "a key",
}
#: The words for what is in the place of a key and cannot be one.
INSTEAD_OF_KEY: Mapping[Shape, str] = {
    "name": "the name of an environment variable",
    "reference": "a reference in another form",
    "placeholder": "a placeholder",
    "other": "something that is no key",
}


@dataclass(frozen=True)
class Document:
    """One file that was read whole."""

    path: str
    text: str = field(repr=False)
    #: The value that the parser of its rules returned.
    value: Any = field(repr=False)


@dataclass(frozen=True)
class Context:
    """What the rules compare a document with."""

    keys: KnownKeys
    #: Whether references may replace keys in the config. A running gateway rejects its whole config for a reference to
    #: an environment variable that it does not have.
    replaceable: bool = True
    #: Environment variable -> fingerprint of the key that `.env` should hold.
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    #: Environment variable -> the places of the config that refer to it.
    uses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    #: Ids of the providers that the gateway keeps in `models.json` by itself.
    expected_providers: Collection[str] = ()


@dataclass(frozen=True)
class Examination:
    """The result of the rules for one document."""

    findings: Sequence[Finding] = ()
    #: Keys that are where they belong, and worth knowing.
    notes: Sequence[Finding] = ()
    #: The text without what a purge removes; the same text where it removes nothing.
    cleaned: str = field(default="", repr=False)
    #: Whether no other account may read the file, whatever was found in it.
    private: bool = False


class Rules(NamedTuple):
    """The rules for one kind of document."""

    #: Returns the value of a text. Raises `ValueError`.
    parse: Callable[[str], Any]
    examine: Callable[[Document, Context], Examination]
    #: Returns the old keys in the places of current ones: key -> environment variable.
    old_values: Callable[[Any, KnownKeys], Mapping[str, str]] | None = None


def line_finding(path: str, number: int, status: KeyStatus, key: str, variable: str | None, count: int = 1) -> Finding:
    """Return the finding for a known key in a text, first in this line and `count` times in all."""
    place = f"in line {number}" if count == 1 else f"in {count} places, first in line {number}"
    message = f"{path} holds {WHOSE[status]} in plain text {place}."
    return Finding("plain_text_key", path, message, f"line {number}", variable or "", key, status)


def match_finding(path: str, number: int, match: Match) -> Finding:
    """Return the finding for a match in a line of a text."""
    return line_finding(path, number, match.status, match.key, match.variable)


def manual(finding: Finding, hint: str) -> Finding:
    """Return the finding as one that a person has to deal with."""
    return replace(finding, purgeable=False, hint=hint)


def purgeable(finding: Finding) -> Finding:
    """Return the finding as one that a purge cleans."""
    return replace(finding, purgeable=True, hint=Finding.hint)


def clean_comments(path: str, text: str, keys: KnownKeys, parse: Callable[[str], Any]) -> tuple[list[Finding], str]:
    """Find known keys in the parts of a text that its parser ignores, as comments; return the text without them."""
    findings: list[Finding] = []
    matches = keys.find(text)
    value = parse(text) if matches else None
    for match in reversed(matches):
        without = text[: match.start] + REMOVED + text[match.end :]
        try:
            ignored = parse(without) == value
        except ValueError:
            ignored = False
        if ignored:
            findings.insert(0, purgeable(match_finding(path, text.count("\n", 0, match.start) + 1, match)))
            text = without
    return findings, text
