# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Findings of an audit: a key by its fingerprint, the place, and the remedy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from .known_keys import KeyStatus

FindingKind = Literal[
    # A key in plain text where a reference belongs, or nothing.
    "plain_text_key",
    # An old key, or one of a provider that is not in the config, in a place for keys.
    "old_key",
    # In the place of a key or a reference, something that is neither.
    "no_key",
    # An auth profile overrides the environment variable of a managed provider.
    "auth_profile",
    # Other accounts may read a file or directory with keys, or own it.
    "wrong_mode",
    "wrong_owner",
    # An interrupted run left a rollback journal, or a temporary file.
    "unfinished_run",
    "leftover",
    # A file that cannot be audited.
    "unreadable",
]

_PURGE = "clawfleet.clawdbot.purge cleans it."


@dataclass(frozen=True)
class Finding:
    """One problem, or, among the notes of an audit, one fact that is worth knowing."""

    kind: FindingKind
    #: A file or directory.
    place: str
    message: str
    #: Where in it: a path in the JSON, an environment variable, a line.
    where: str = ""
    #: The provider, or where none is concerned the environment variable.
    subject: str = ""
    #: The key itself, empty where none is concerned. It is in no repr and no result.
    key: str = field(default="", repr=False)
    #: Empty where no key is concerned.
    status: KeyStatus | Literal[""] = ""
    purgeable: bool = False
    hint: str = _PURGE

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the key, empty where no key is concerned."""
        return fingerprint(self.key) if self.key else ""

    def as_result(self) -> dict[str, Any]:
        """Return the finding as the module returns it."""
        return {
            "kind": self.kind,
            "place": self.place,
            "message": self.message,
            "where": self.where,
            "subject": self.subject,
            "fingerprint": self.fingerprint,
            "status": self.status,
            "purgeable": self.purgeable,
            "hint": self.hint,
        }
