# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Known keys, and a search for them in a string.

A key is known by its value, or, if it is not on the host any more, only by its fingerprint. Then the fingerprint of
every part of the string that has the shape of a key is compared. What cannot be a key, such as a placeholder in the
place of one, is not searched for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import provider_id
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.key_shape import can_be_key
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

#: `current`: its environment variable holds it now; `old`: nothing should hold it any more; `unknown`: neither.
KeyStatus = Literal["current", "old", "unknown"]

# The shape of a key, and the parts of such a piece that may be a key: between dots, or from sk-, as the keys of many
# vendors begin. The n of a line break in JSON may precede it.
_PIECE = re.compile(r"[A-Za-z0-9._-]{12,}")
_PARTS = (re.compile(r"[A-Za-z0-9_-]{12,}"), re.compile(r"sk-[A-Za-z0-9_-]{8,}"))


@dataclass(frozen=True)
class Match:
    """One key in a string, from `start` to `end`."""

    start: int
    end: int
    key: str = field(repr=False)
    status: KeyStatus
    #: The environment variable that holds or held it; None if unknown.
    variable: str | None


@dataclass(frozen=True)
class KnownKeys:
    """The keys of one gateway."""

    #: Provider id -> the environment variable that holds its key.
    variables: Mapping[str, str]
    #: Environment variable -> the key that it holds now.
    current: Mapping[str, str] = field(repr=False)
    #: Fingerprints of keys that should be nowhere.
    old: frozenset[str] = frozenset()
    #: Old keys that were found in the places of current ones -> their environment variable.
    old_values: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Other spellings of provider ids.
    spellings: Mapping[str, str] = field(default_factory=dict)
    #: The environment variables under whose names the keys are in a file beside `.env`.
    in_file: frozenset[str] = frozenset()
    #: Those of them that `.env` does not have.
    not_in_env: frozenset[str] = frozenset()

    def variable_of(self, provider: object) -> str | None:
        """Return the environment variable of a provider, however its id is spelled; None if it is not managed."""
        if not isinstance(provider, str):
            return None
        variables = {provider_id(known, self.spellings): name for known, name in self.variables.items()}
        return variables.get(provider_id(provider, self.spellings))

    def status(self, key: str, variable: str | None = None) -> KeyStatus:
        """Return the status of a key in the place of the variable's key, or without `variable` in any place.

        What cannot be a key is `unknown`.
        """
        if not can_be_key(key):
            return "unknown"
        current = self.current.get(variable or "")
        if current is not None:
            return "current" if key == current else "old"
        if key in self.current.values():
            return "current"
        return "old" if key in self.old_values or fingerprint(key) in self.old else "unknown"

    def find(self, text: str) -> list[Match]:
        """Return all known keys in the text, in their order and without overlaps."""
        found = sorted((*self._by_value(text), *self._by_shape(text)), key=lambda one: (one.start, -one.end))
        matches: list[Match] = []
        for one in found:
            if not matches or one.start >= matches[-1].end:
                matches.append(one)
        return matches

    @cached_property
    def _known(self) -> Mapping[str, tuple[KeyStatus, str]]:
        """The keys that are known by their value, each with its status and environment variable."""
        known: dict[str, tuple[KeyStatus, str]] = {
            **{key: ("old", variable) for key, variable in self.old_values.items()},
            **{key: ("current", variable) for variable, key in self.current.items()},
        }
        return {key: known[key] for key in filter(can_be_key, known)}

    def _by_value(self, text: str) -> Iterator[Match]:
        for key, (status, variable) in self._known.items():
            start = text.find(key)
            while start >= 0:
                yield Match(start, start + len(key), key, status, variable)
                start = text.find(key, start + len(key))

    def _by_shape(self, text: str) -> Iterator[Match]:
        # Pieces recur in a log, and a lookup takes a tenth of the time.
        known: dict[str, list[tuple[int, str]]] = {}
        for piece in _PIECE.finditer(text) if self.old else ():
            if piece.group() not in known:
                known[piece.group()] = list(self._old_keys_in(piece.group()))
            for start, key in known[piece.group()]:
                yield Match(piece.start() + start, piece.start() + start + len(key), key, "old", None)

    def _old_keys_in(self, piece: str) -> Iterator[tuple[int, str]]:
        """The old keys in a piece, each with its offset."""
        candidates = {(0, piece)}
        for part in _PARTS:
            candidates.update((match.start(), match.group()) for match in part.finditer(piece))
        return ((start, key) for start, key in sorted(candidates) if fingerprint(key) in self.old and can_be_key(key))
