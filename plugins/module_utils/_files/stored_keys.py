# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The secrets in the files of a gateway: in those with environment variables, and in the file with keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, key_files
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import secret_values

from . import atomic, journal


def read_variables(path: str) -> dict[str, str] | None:
    """Return the environment variables in a `.env`, None where it cannot be read."""
    try:
        return dotenv.loads(journal.text_of(atomic.read(path).content) or "")
    except ClawdbotError:
        return None


def read_keys(path: str) -> dict[str, str] | None:
    """Return the keys in the file with keys, None where it cannot be read: the comparison of the files says so."""
    try:
        return key_files.loads(journal.text_of(atomic.read(path).content))
    except (ClawdbotError, ValueError):
        return None


def secrets_in(variables: Iterable[Mapping[str, str | None]], keys: Iterable[Mapping[str, str]]) -> set[str]:
    """Return what may be a secret in environment variables, and all keys but those of a single character."""
    secrets = {key for file in keys for key in file.values() if len(key) > 1}
    return secrets.union(*map(secret_values, variables))
