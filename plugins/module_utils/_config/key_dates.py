# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The dates of keys: since when a host has which key, by fingerprint.

Each environment variable has a log of the keys that runs have found and written. Which of them the host has now is only
known from its files: an entry of a run that died before it wrote its key means nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

_FINGERPRINT = re.compile(r"sha256:[0-9a-f]{12}\Z")


class KeyDate(NamedTuple):
    """One key in a log. `since`: when a run first wrote it, None if it was there before."""

    key: str
    since: date | None


class KeyHistory(NamedTuple):
    """What a log says of a key, None for what it does not know. `previous` is empty if there was no key before."""

    age_days: int | None
    previous: str | None


def updated(text: str | None, changes: Mapping[str, tuple[str, str]], today: date) -> str | None:
    """Return the text of the record after changes of keys.

    `changes`: environment variable -> fingerprint before and after, empty for none. Return the same text where no key
    changes, None where no key is left. A record that cannot be read starts again.
    """
    changed = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
    if not changed:
        return text
    logs = _loads(text)
    for name, (before, after) in changed.items():
        log = logs.pop(name, [])
        if after:
            logs[name] = _with_key(log, before, after, today)
    return _dumps(logs) if logs else None


def history_of(text: str | None, name: str, key: str, today: date) -> KeyHistory:
    """Return what the record says of the key that an environment variable has now."""
    log = _loads(text).get(name, [])
    index = _last_index(log, key)
    if index is None:
        return KeyHistory(None, None)
    since = log[index].since
    # A clock that was wrong proves nothing.
    age = None if since is None or since > today else (today - since).days
    first = None if since is None else ""
    return KeyHistory(age, log[index - 1].key if index else first)


def _with_key(log: Sequence[KeyDate], before: str, after: str, today: date) -> list[KeyDate]:
    """Return the log after a change of the key. What follows `before` was not written, or was rolled back."""
    index = _last_index(log, before)
    if not before:
        kept = []
    elif index is None:
        kept = [*log, KeyDate(before, None)]
    else:
        kept = [*log[: index + 1]]
    first = {one.key: one.since for one in reversed(kept)}
    return [*kept, KeyDate(after, first.get(after, today))]


def _last_index(log: Sequence[KeyDate], key: str) -> int | None:
    return next((index for index in reversed(range(len(log))) if log[index].key == key), None)


def _loads(text: str | None) -> dict[str, list[KeyDate]]:
    try:
        return {name: [_parsed(one) for one in log] for name, log in json.loads(text or "{}").items()}
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        return {}


def _parsed(entry: Mapping[str, object]) -> KeyDate:
    key, since = entry["key"], entry["since"]
    if not isinstance(key, str) or not _FINGERPRINT.match(key):
        raise ValueError("not a fingerprint")
    if since is not None and not isinstance(since, str):
        raise TypeError("not a date")
    return KeyDate(key, None if since is None else date.fromisoformat(since))


def _dumps(logs: Mapping[str, Sequence[KeyDate]]) -> str:
    value = {
        name: [{"key": one.key, "since": one.since and one.since.isoformat()} for one in log]
        for name, log in sorted(logs.items())
    }
    return json.dumps(value, indent=1) + "\n"
