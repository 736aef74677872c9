# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""References to environment variables in a config: `${NAME}`, as the product itself replaces them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .tree import walk

#: The name of a variable in a reference (the product's config/env-substitution.js). Other spellings are not replaced.
VARIABLE_NAME = re.compile(r"[A-Z_][A-Z0-9_]*\Z")

_REFERENCE = re.compile(r"\$(\$?)\{([A-Z_][A-Z0-9_]*)\}")
_ONE_REFERENCE = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}\Z")


def reference(name: str) -> str:
    """Return the reference to an environment variable."""
    return "${" + name + "}"


def is_reference(value: Any) -> bool:
    """Whether a config value is one reference to an environment variable, without other text."""
    return isinstance(value, str) and bool(_ONE_REFERENCE.match(value))


def references(value: Any) -> set[str]:
    """Return the names of all environment variables that a config value refers to. `$${NAME}` is an escape.

    OpenClaw also has the reference `{source: env, provider: ..., id: NAME}`.
    """
    return {name for name, _path in referring_places(value)}


def referring_places(value: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each environment variable that a config value refers to, and the path of the reference."""
    for path, part in walk(value):
        if isinstance(part, str):
            yield from ((match.group(2), path) for match in _REFERENCE.finditer(part) if not match.group(1))
        elif isinstance(part, Mapping) and part.get("source") == "env" and isinstance(part.get("id"), str):
            yield part["id"], path


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """Return the string with each reference to one of the variables replaced by its value."""

    def value_of(match: re.Match[str]) -> str:
        escaped, name = match.groups()
        return match.group(0) if escaped else variables.get(name, match.group(0))

    return _REFERENCE.sub(value_of, text)
