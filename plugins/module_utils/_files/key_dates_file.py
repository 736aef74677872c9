# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The file beside the config with the record of the dates of keys: fingerprints and dates, never a key."""

from __future__ import annotations

import os

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from . import atomic, journal


def path_beside(config_path: str) -> str:
    """Return the path of the file."""
    directory, name = os.path.split(os.path.realpath(config_path))
    return os.path.join(directory, f".{name}.clawfleet-key-dates")


def load(config_path: str) -> str | None:
    """Return the text of the record, None where it is missing or cannot be read: then the dates are not known."""
    try:
        return journal.text_of(atomic.read(path_beside(config_path)).content)
    except ClawdbotError:
        return None
