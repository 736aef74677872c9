# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The keys that an audit knows, and where a text holds one of them.

A key is known by its value, or, where it is not on the host any more, by its fingerprint alone. Then every piece of a
text that has the shape of a key is compared by its own fingerprint.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import provider_id
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

#: `current`: its environment variable holds it now; `old`: nothing should hold it any more; `unknown`: neither.
KeyStatus = Literal["current", "old", "unknown"]

# What may be a key, so that one can be found by its fingerprint, and what of it may be one where more is glued to it: a
# part between dots, or what begins with sk- as the keys of many vendors do, behind the n of a line break in JSON.
_PIECE = re.compile(r"[A-Za-z0-9._-]{12,}")
_PARTS = (re.compile(r"[A-Za-z0-9_-]{12,}"), re.compile(r"sk-[A-Za-z0-9_-]{8,}"))
# Shorter values are settings, not keys: to find them would mean nothing.
_SHORTEST_KEY = 8


@dataclass(frozen=True)
class Match:
    """One key in a text, from C(start) to C(end)."""

    start: int
    end: int
    key: str = field(repr=False)
    status: KeyStatus
    #: The variable that holds it, or held it; None where that is not known.
    variable: str | None


@dataclass(frozen=True)
class KnownKeys:
    """The keys of one gateway."""

    #: Provider id -> the variable that holds its key.
    variables: Mapping[str, str]
    #: Variable -> the key that it holds now.
    current: Mapping[str, str] = field(repr=False)
    #: Fingerprints of keys that shall be nowhere.
    old: frozenset[str] = frozenset()
    #: Keys that were found in the place of a current one -> their variable.
    old_values: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Other spellings of provider ids.
    spellings: Mapping[str, str] = field(default_factory=dict)

    def variable_of(self, provider: object) -> str | None:
        """The variable of a provider, however the product's files spell its id; None where it is not managed."""
        if not isinstance(provider, str):
            return None
        variables = {provider_id(known, self.spellings): name for known, name in self.variables.items()}
        return variables.get(provider_id(provider, self.spellings))

    def status(self, key: str, variable: str | None = None) -> KeyStatus:
        """What is known of a key that stands where the key of the variable belongs, or just anywhere."""
        current = self.current.get(variable or "")
        if current is not None:
            return "current" if key == current else "old"
        if key in self.current.values():
            return "current"
        return "old" if key in self.old_values or fingerprint(key) in self.old else "unknown"

    def find(self, text: str) -> list[Match]:
        """All known keys in the text, in their order. None of them overlaps another one."""
        found = sorted((*self._by_value(text), *self._by_shape(text)), key=lambda one: (one.start, -one.end))
        matches: list[Match] = []
        for one in found:
            if not matches or one.start >= matches[-1].end:
                matches.append(one)
        return matches

    def _by_value(self, text: str) -> Iterator[Match]:
        known: dict[str, tuple[KeyStatus, str]] = {
            **{key: ("old", variable) for key, variable in self.old_values.items()},
            **{key: ("current", variable) for variable, key in self.current.items()},
        }
        for key, (status, variable) in known.items():
            if len(key) < _SHORTEST_KEY:
                continue
            start = text.find(key)
            while start >= 0:
                yield Match(start, start + len(key), key, status, variable)
                start = text.find(key, start + len(key))

    def _by_shape(self, text: str) -> Iterator[Match]:
        # Pieces come again and again in a log, and to look one up is a tenth of the work.
        known: dict[str, list[tuple[int, str]]] = {}
        for piece in _PIECE.finditer(text) if self.old else ():
            if piece.group() not in known:
                known[piece.group()] = list(self._old_keys_in(piece.group()))
            for start, key in known[piece.group()]:
                yield Match(piece.start() + start, piece.start() + start + len(key), key, "old", None)

    def _old_keys_in(self, piece: str) -> Iterator[tuple[int, str]]:
        """Where in a piece a old key begins, and that key."""
        candidates = {(0, piece)}
        for part in _PARTS:
            candidates.update((match.start(), match.group()) for match in part.finditer(piece))
        return ((start, key) for start, key in sorted(candidates) if fingerprint(key) in self.old)
