# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The keys that a gateway's files and its process have, by fingerprint, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import key_dates, key_files
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import key_dates_file
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.stored_keys import read_keys, read_variables
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from .env_sources import EnvSources, held_by_process
from .info import KeyInfo


class _Files(NamedTuple):
    """The keys in `.env` and in the file beside it, by environment variable."""

    env: Mapping[str, str]
    keys: Mapping[str, str]


def describe_keys(
    paths: Paths, config: Any, sources: EnvSources, providers: Mapping[str, str], today: date
) -> dict[str, KeyInfo]:
    """Return the key of each provider. `providers`: provider id -> environment variable."""
    files, record = _read(paths), key_dates_file.load(paths.config)
    return {name: _describe(variable, config, files, sources, record, today) for name, variable in providers.items()}


def _describe(
    name: str, config: Any, files: _Files | None, sources: EnvSources, record: str | None, today: date
) -> KeyInfo:
    stored = None if files is None else _print(key_files.held_key(name, config, *files))
    history = key_dates.history_of(record, name, stored, today) if stored else key_dates.KeyHistory(None, None)
    # What OpenClaw has read from the file, it does not say.
    from_file = name in key_files.file_references(config) and sources.process is not None
    held = None if from_file else held_by_process(name, sources)
    return {
        "stored": stored,
        "in_process": None if held is None else _print(held),
        "previous": history.previous,
        "age_days": history.age_days,
    }


def _print(key: str) -> str:
    return fingerprint(key) if key else ""


def _read(paths: Paths) -> _Files | None:
    """Return the keys in both files, None where one cannot be read."""
    env, keys = read_variables(paths.env), read_keys(key_files.key_file("file", paths.env))
    return None if env is None or keys is None else _Files(env, keys)
