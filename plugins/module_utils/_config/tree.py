# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The value of a config or another JSON document, as a tree: find, list and compare its parts.

A path is the names of members, from the outermost object inwards. Any value can be searched: a part of an unexpected
type is treated like a missing one.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final


class _Remove(enum.Enum):
    REMOVE = "remove"


REMOVE: Final = _Remove.REMOVE
"""No value: what `at` returns for a missing member. As the value of a change it deletes the member."""


def at(value: Any, path: Sequence[str]) -> Any:
    """Return the value at a path, `REMOVE` where there is none."""
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return REMOVE
        value = value[name]
    return value


def members(value: Any, path: Sequence[str] = ()) -> dict[str, Any]:
    """Return the object at a path, an empty one where there is none."""
    found = at(value, path)
    return found if isinstance(found, dict) else {}


def elements(value: Any, path: Sequence[str] = ()) -> list[Any]:
    """Return the array at a path, an empty one where there is none."""
    found = at(value, path)
    return found if isinstance(found, list) else []


def string(value: Any, path: Sequence[str] = ()) -> str:
    """Return the string at a path without the white space around it, an empty one where there is none."""
    found = at(value, path)
    return found.strip() if isinstance(found, str) else ""


def walk(value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each part of a value with its path, the value itself first. Array elements are named by their index."""
    pending: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while pending:
        path, part = pending.pop()
        yield path, part
        if isinstance(part, Mapping):
            pending.extend(((*path, str(name)), item) for name, item in reversed(list(part.items())))
        elif isinstance(part, (list, tuple)):
            pending.extend(((*path, str(index)), item) for index, item in reversed(list(enumerate(part))))


def strings(value: Any) -> Iterator[str]:
    """Yield every string in a value. Names of members do not count."""
    return (part for _path, part in walk(value) if isinstance(part, str))


def equal(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON value: `1` equals `1.0`, NaN equals NaN, a boolean equals no number.

    It loops, so that nesting uses no stack.
    """
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


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
