# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A config with the files that it includes, put together as the product does it (its config/includes.js).

An object with a C($include) member is what the named file holds, or several files one over the other, with the object's
other members over that. Objects are merged by name, lists are put one behind the other, of anything else the later one
counts. Included files are only ever read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from . import json5_reader

_INCLUDE = "$include"
# As many files as the product follows one out of the other.
_MAX_DEPTH = 10
# Files that include each other in several places multiply: the product would not come to an end either.
_MAX_FILES = 1000

Read = Callable[[str], "str | None"]
"""Gives the text of the file at an absolute path, None where there is none; raises ClawdbotError."""


@dataclass(frozen=True)
class Part:
    """One included file: where in the config it stands, and what is in it, as it was read."""

    path: str
    place: tuple[str, ...]
    value: Any = field(repr=False)

    def concerns(self, path: Sequence[str]) -> bool:
        """Whether the file has something at this path of the config, around it or in it."""
        common = min(len(path), len(self.place))
        if tuple(path[:common]) != self.place[:common]:
            return False
        value = self.value
        for name in path[common:]:
            if not isinstance(value, dict):
                # What is no object gives way to one, or takes its place.
                return True
            if name not in value:
                return False
            value = value[name]
        return True


@dataclass(frozen=True)
class Resolved:
    """A config as the product sees it, before it replaces the references to variables."""

    value: Any = field(repr=False)
    parts: tuple[Part, ...]

    def concerning(self, path: Sequence[str]) -> list[Part]:
        """The included files that have something at this path, around it or in it."""
        return [part for part in self.parts if part.concerns(path)]

    def inside(self, path: Sequence[str]) -> list[Part]:
        """The files that would no longer be included if another value stood at this path of the config itself."""
        return [part for part in self.parts if part.place[: len(path)] == tuple(path)]


def resolve(document: Any, config_path: str, read: Read) -> Resolved:
    """The config with its included files. C(config_path) is where relative paths start from.

    Raises ClawdbotError, naming the file, for one that is missing, cannot be read, includes itself, or is included too
    deeply, and for a C($include) that the product would not take.
    """
    resolver = _Resolver(read)
    path = os.path.abspath(config_path)
    value = resolver.resolved(document, (path,), ())
    return Resolved(value, tuple(resolver.parts))


class _Resolver:
    def __init__(self, read: Read) -> None:
        self.read = read
        self.parts: list[Part] = []

    def resolved(self, value: Any, chain: tuple[str, ...], place: tuple[str, ...]) -> Any:
        """A value of the last file of the chain, the first of which is the config itself."""
        if len(place) > json5_reader.MAX_NESTING:
            raise _refusal(f"{chain[-1]} nests more than {json5_reader.MAX_NESTING} levels, with what it includes.")
        if isinstance(value, list):
            items = []
            for index, item in enumerate(value):
                items.append(self.resolved(item, chain, (*place, str(index))))
            return items
        if not isinstance(value, dict):
            return value
        members = {}
        for name, item in value.items():
            if name != _INCLUDE:
                members[name] = self.resolved(item, chain, (*place, name))
        if _INCLUDE not in value:
            return members
        included = self.included(value[_INCLUDE], chain, place)
        if not members:
            return included
        if not isinstance(included, dict):
            raise _refusal(
                f"{chain[-1]} has an {_INCLUDE} with other settings beside it, and what it includes is no object."
            )
        return _merged(included, members)

    def included(self, names: Any, chain: tuple[str, ...], place: tuple[str, ...]) -> Any:
        if isinstance(names, str):
            return self.loaded(names, chain, place)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise _refusal(f"{chain[-1]} has an {_INCLUDE} that is neither a text nor a list of texts.")
        value: Any = {}
        for name in names:
            value = _merged(value, self.loaded(name, chain, place))
        return value

    def loaded(self, name: str, chain: tuple[str, ...], place: tuple[str, ...]) -> Any:
        path = os.path.normpath(os.path.join(os.path.dirname(chain[-1]), name))
        if path in chain:
            raise _refusal(f"{chain[-1]} includes {path}, which leads back to itself.")
        if len(chain) > _MAX_DEPTH:
            raise _refusal(f"{chain[-1]} includes {path}, more than {_MAX_DEPTH} files deep.")
        if len(self.parts) >= _MAX_FILES:
            raise _refusal(f"{chain[0]} includes more than {_MAX_FILES} files, each time counted.")
        if "\0" in path:
            raise _refusal(f"{chain[-1]} has an {_INCLUDE} that is no path.")
        text = self.read(path)
        if text is None:
            raise _refusal(f"{chain[-1]} includes {path}, which is not there.")
        try:
            value = json5_reader.loads(text)
        except json5_reader.Json5Error as exc:
            raise _refusal(f"{path}, which {chain[-1]} includes, cannot be read: {exc}.") from exc
        self.parts.append(Part(path, place, value))
        return self.resolved(value, (*chain, path), place)


def _merged(base: Any, over: Any) -> Any:
    if isinstance(base, list) and isinstance(over, list):
        return [*base, *over]
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    merged = dict(base)
    for name, value in over.items():
        merged[name] = _merged(merged[name], value) if name in merged else value
    return merged


def _refusal(problem: str) -> ClawdbotError:
    return ClawdbotError(f"{problem} The product refuses its whole config for that. Nothing was changed.")
