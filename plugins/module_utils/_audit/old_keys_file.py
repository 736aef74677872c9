# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The file beside the config with the fingerprints of old keys that the host still holds.

A run that is interrupted, or that cannot clean everything, leaves them to the next one.
"""

from __future__ import annotations

import os
from collections.abc import Collection

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic

from .cleanup import RewriteFile


def path_beside(config_path: str) -> str:
    """Return the path of the file."""
    directory, name = os.path.split(os.path.realpath(config_path))
    return os.path.join(directory, f".{name}.clawfleet-old-keys")


def load(config_path: str) -> frozenset[str]:
    """Return the fingerprints; none where the file is missing or cannot be read, since it is only a help."""
    try:
        content = atomic.read(path_beside(config_path)).content or b""
    except ClawdbotError:
        return frozenset()
    lines = content.decode("utf-8", "replace").splitlines()
    return frozenset(line for line in lines if line.startswith("sha256:"))


def save(config_path: str, fingerprints: Collection[str]) -> None:
    """Write the fingerprints, or remove the file where there are none.

    Raises `ConflictError` and `ClawdbotError` as a cleanup does.
    """
    snapshot = atomic.read(path_beside(config_path))
    content = "".join(f"{one}\n" for one in sorted(fingerprints)).encode("ascii")
    if not content:
        atomic.remove(snapshot)
    elif content != snapshot.content:
        RewriteFile(snapshot, content, 0o600).apply()
