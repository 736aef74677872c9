# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The secrets in the files of a gateway: in those with environment variables, and in the file with keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import key_files
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import secret_values

from . import atomic


def read_keys(path: str) -> dict[str, str]:
    """Return the keys in the file with keys, none where it cannot be read: the comparison of the files says so."""
    try:
        content = atomic.read(path).content
        return {} if content is None else key_files.loads(content.decode("utf-8", "surrogateescape"))
    except (ClawdbotError, ValueError):
        return {}


def secrets_in(variables: Iterable[Mapping[str, str | None]], keys: Iterable[Mapping[str, str]]) -> set[str]:
    """Return what may be a secret in environment variables, and all keys but those of a single character."""
    secrets = {key for file in keys for key in file.values() if len(key) > 1}
    return secrets.union(*map(secret_values, variables))
