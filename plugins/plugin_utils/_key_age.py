# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The age of the keys that hosts have, judged by `providers_key_max_age`.

The results of the hosts are not trusted: they can have any shape.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypedDict

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.info import KeyInfo

_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{12}\Z")
_NO_AGE = 1_000_000
_DAYS = re.compile(r"[0-9]{1,6}\Z")


def max_age_problems(max_age: Any) -> list[str]:
    """Return what is wrong with `providers_key_max_age`."""
    if isinstance(max_age, (int, str)) and not isinstance(max_age, bool) and _DAYS.match(str(max_age)):
        return []
    return [
        f"providers_key_max_age: {max_age!r} is not a number of days. Use a whole number, such as 90, or 0 for keys of "
        "any age."
    ]


def parse_keys(keys: Any) -> dict[str, KeyInfo]:
    """Return the `keys` of a result of gateway_info by provider id. What is not of its type is not known."""
    items = keys.items() if isinstance(keys, Mapping) else ()
    return {str(name): _parsed(one) for name, one in items if isinstance(one, Mapping)}


class JudgedKeys(TypedDict):
    """A sentence for each key that is older than it may be, and for each whose age is not known."""

    too_old: list[str]
    unknown: list[str]


def judged_keys(keys: Any, max_age: Any) -> JudgedKeys:
    """Return what is wrong with the age of keys, and what is not known. `max_age`: days; 0 judges none."""
    limit = int(max_age)
    stored = [(name, key["stored"], key["age_days"]) for name, key in parse_keys(keys).items() if key["stored"]]
    return {
        "too_old": [
            f"The key {key} of {name} is {age} days old, more than the {limit} of providers_key_max_age. Create a new "
            "one, and run the playbook clawfleet.clawdbot.rotate."
            for name, key, age in stored
            if limit and age is not None and age > limit
        ],
        "unknown": [
            f"The age of the key {key} of {name} is not known: no run of the collection has written it."
            for name, key, age in stored
            if limit and age is None
        ],
    }


def _parsed(key: Mapping[str, Any]) -> KeyInfo:
    age = key.get("age_days")
    return {
        "stored": _fingerprint(key.get("stored")),
        "in_process": _fingerprint(key.get("in_process")),
        "previous": _fingerprint(key.get("previous")),
        "age_days": age if isinstance(age, int) and not isinstance(age, bool) and 0 <= age < _NO_AGE else None,
    }


def _fingerprint(value: Any) -> str | None:
    return str(value) if isinstance(value, str) and (not value or _FINGERPRINT.match(value)) else None
