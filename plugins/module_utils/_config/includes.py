# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A config merged with the files that it includes, as the product does it (its config/includes.js).

An object with a `$include` member has the value of the named file, or of several files merged in their order, merged
with the object's other members. Objects are merged by name, lists are concatenated, of other values the later one takes
precedence. Included files are only ever read.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from . import json5_reader

_INCLUDE = "$include"
# The product's own limit.
_MAX_DEPTH = 10
# Files that include each other in several places multiply: the product does not finish either.
_MAX_FILES = 1000

Read = Callable[[str], "str | None"]
"""Returns the text of the file at an absolute path, `None` if there is none. Raises `ClawdbotError`."""


@dataclass(frozen=True)
class Part:
    """One included file: its place in the config, and its value as it was read."""

    path: str
    place: tuple[str, ...]
    value: Any = field(repr=False)

    def concerns(self, path: Sequence[str]) -> bool:
        """Whether the file sets something at this path of the config, around it or in it."""
        common = min(len(path), len(self.place))
        if tuple(path[:common]) != self.place[:common]:
            return False
        value = self.value
        for name in path[common:]:
            if not isinstance(value, dict):
                # A value that is no object is replaced by an object, or replaces it.
                return True
            if name not in value:
                return False
            value = value[name]
        return True


@dataclass(frozen=True)
class Resolved:
    """A config as the gateway sees it, before it replaces the references to environment variables."""

    value: Any = field(repr=False)
    parts: tuple[Part, ...]

    def concerning(self, path: Sequence[str]) -> list[Part]:
        """Return the included files that set something at this path, around it or in it."""
        return [part for part in self.parts if part.concerns(path)]

    def inside(self, path: Sequence[str]) -> list[Part]:
        """Return the files that would no longer be included with another value at this path of the config itself."""
        return [part for part in self.parts if part.place[: len(path)] == tuple(path)]


def resolve(document: Any, config_path: str, read: Read) -> Resolved:
    """Merge a config with its included files. Relative paths start from `config_path`.

    Raises `ClawdbotError`, naming the file, for one that is missing, cannot be read, includes itself, or is included
    too deeply, and for a `$include` that the product rejects.
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
        """Return a value of the last file of the chain, the first of which is the config itself, merged."""
        if len(place) > json5_reader.MAX_NESTING:
            raise _rejection(f"{chain[-1]} nests more than {json5_reader.MAX_NESTING} levels, with what it includes.")
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
            raise _rejection(f"{chain[-1]} has other settings beside an {_INCLUDE} of a file that is no object.")
        return _merged(included, members)

    def included(self, names: Any, chain: tuple[str, ...], place: tuple[str, ...]) -> Any:
        if isinstance(names, str):
            return self.loaded(names, chain, place)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise _rejection(f"{chain[-1]} has an {_INCLUDE} that is neither a string nor a list of strings.")
        value: Any = {}
        for name in names:
            value = _merged(value, self.loaded(name, chain, place))
        return value

    def loaded(self, name: str, chain: tuple[str, ...], place: tuple[str, ...]) -> Any:
        path = os.path.normpath(os.path.join(os.path.dirname(chain[-1]), name))
        if path in chain:
            raise _rejection(f"{chain[-1]} includes {path}, which leads back to itself.")
        if len(chain) > _MAX_DEPTH:
            raise _rejection(f"{chain[-1]} includes {path}, more than {_MAX_DEPTH} files deep.")
        if len(self.parts) >= _MAX_FILES:
            raise _rejection(f"{chain[0]} includes more than {_MAX_FILES} files, each time counted.")
        if "\0" in path:
            raise _rejection(f"{chain[-1]} has an {_INCLUDE} that is not a path.")
        text = self.read(path)
        if text is None:
            raise _rejection(f"{chain[-1]} includes {path}, which does not exist.")
        try:
            value = json5_reader.loads(text)
        except json5_reader.Json5Error as exc:
            raise _rejection(f"{path}, included by {chain[-1]}, cannot be read: {exc}.") from exc
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


def _rejection(problem: str) -> ClawdbotError:
    return ClawdbotError(f"{problem} The gateway rejects its whole config for that.")
