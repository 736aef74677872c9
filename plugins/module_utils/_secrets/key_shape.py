# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Whether a string can be a key, by its shape alone.

Keys are searched for in all files of a host and overwritten there. A word, a name or a reference that somebody has put
in the place of a key occurs in those files for other reasons: overwriting it would destroy what people have written. So
only what is as random as a key is taken for one.
"""

from __future__ import annotations

import re
from typing import Literal

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import VARIABLE_NAME

#: `key`: can be one. `name`: of one or more environment variables. `reference`: to a place that holds a key, in any
#: dialect. `placeholder`: stands for a key in documentation. `other`: neither.
Shape = Literal["key", "name", "reference", "placeholder", "other"]

_SHORTEST_KEY = 12
_ALPHABET = re.compile(r"[A-Za-z0-9._~+/=:|-]+\Z")
_SEPARATORS = re.compile(r"[^A-Za-z0-9]+")

# `$NAME`, `{{ name }}`, `%NAME%`, `<% name %>`, `!command`, a path, `env:NAME` and other schemes, OpenClaw's markers.
_REFERENCE = re.compile(
    r"\$|.*(?:\$[{(]|\{\{)|%\w+%|<%|`|!|~?/|\.{1,2}/|[A-Za-z][A-Za-z+_-]*:|secretref\b", re.DOTALL | re.IGNORECASE
)

_BRACKETED = re.compile(r"[<\[(].*[>\])]\Z", re.DOTALL)
_SHORTENED = re.compile(r"\.{3}|…|\*{3}")
_CROSSES = re.compile(r"(?<![A-Za-z0-9])x{3,}(?![A-Za-z0-9])", re.IGNORECASE)
# As long as these, they begin no part of a random key in practice.
_PLACEHOLDER_START = re.compile(r"your|change_?me|replace_?me|placeholder|redacted", re.IGNORECASE)
_PLACEHOLDER_WORD = re.compile(
    "(?:change|dummy|enter|example|fake|fill|goes|here|insert|none|null|paste|removed|replace|sample|todo|undefined"
    r"|unset)\Z",
    re.IGNORECASE,
)
# No random key has so few different characters.
_FEW_CHARACTERS = 5

# How the keys of vendors begin: of models, of search, of code.
_PREFIX = re.compile(
    r"sk[-_]|ak-|pk[-_]|rk[-_]|org-|xai-|gsk_|pplx-|tvly-|fc-|hf_|r8_|nvapi-|jina_|exa[-_]|BSA|AIza|gh[opsu]_|"
    r"github_pat_|glpat-"
)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
_HEXADECIMAL = re.compile(r"(?:[0-9a-f]{16,}|[0-9A-F]{16,})\Z")
_LETTERS = re.compile(r"[A-Za-z]")
_DIGITS = re.compile(r"[0-9]")
# Between a digit and a letter, and before a capital letter: the word before it ends.
_SWITCH = re.compile(r"(?<=[0-9])(?=[A-Za-z])|(?<=[A-Za-z])(?=[0-9])|(?<=[a-z])(?=[A-Z])")


def can_be_key(text: str) -> bool:
    """Whether a string can be a key. A name, a reference or a placeholder cannot."""
    return shape_of(text) == "key"


def has_vendor_prefix(text: str) -> bool:
    """Whether a string can be a key and begins like those of a vendor."""
    return bool(_PREFIX.match(text.strip())) and can_be_key(text)


def shape_of(text: str) -> Shape:
    """Return what a string in the place of a key is. White space around it does not count."""
    text = text.strip()
    if _REFERENCE.match(text):
        return "reference"
    if _is_placeholder(text):
        return "placeholder"
    if len(text) >= _SHORTEST_KEY and _ALPHABET.match(text) and _is_random(text):
        return "key"
    return "name" if all(map(VARIABLE_NAME.match, text.split(","))) else "other"


def _is_placeholder(text: str) -> bool:
    if _BRACKETED.match(text) or _SHORTENED.search(text) or _CROSSES.search(text):
        return True
    parts = _parts(text)
    if any(_PLACEHOLDER_START.match(part) or _PLACEHOLDER_WORD.match(part) for part in parts):
        return True
    rest = _PREFIX.sub("", text, count=1)
    return len(rest) > _FEW_CHARACTERS and len(set(rest.lower())) < _FEW_CHARACTERS


def _is_random(text: str) -> bool:
    """Whether a string is more than words, numbers, and versions."""
    if _UUID.match(text):
        return True
    parts = _parts(text)
    if _PREFIX.match(text):
        # Its prefix tells it from a name, but not from an invented name such as sk-my-key-2.
        return len(_DIGITS.findall(text)) >= 3 or sum(map(_switches, parts)) >= 4
    return any(map(_is_random_part, parts))


def _is_random_part(part: str) -> bool:
    digits, switches = len(_DIGITS.findall(part)), _switches(part)
    if len(part) >= 16 and digits >= 4 and _LETTERS.search(part):
        return bool(_HEXADECIMAL.match(part)) or switches >= 4
    return len(part) >= 20 and switches >= len(part) / 4


def _switches(part: str) -> int:
    return len(_SWITCH.findall(part))


def _parts(text: str) -> list[str]:
    return [part for part in _SEPARATORS.split(text) if part]
