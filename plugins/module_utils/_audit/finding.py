# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What an audit says of a key on a host: by fingerprint, with the place, and with what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

#: A key stands in plain text where a reference belongs, or nothing.
PLAIN_TEXT_KEY = "plain_text_key"
#: A place that holds keys by its nature holds one that is not the current one.
STALE_KEY = "stale_key"
#: An auth profile wins over the variable of a managed provider.
AUTH_PROFILE = "auth_profile"
#: A file or folder with keys in it is open to other accounts, or belongs to another one.
WRONG_MODE = "wrong_mode"
WRONG_OWNER = "wrong_owner"
#: What a run that died has left: a record of what stood in the files before, or a file that never got into place.
UNFINISHED_RUN = "unfinished_run"
LEFTOVER = "leftover"
#: A place that cannot be looked into, so that nothing can be said of it.
UNREADABLE = "unreadable"

_PURGE = "clawfleet.clawdbot.purge cleans it."


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be, or, among the notes of an audit, that is worth knowing."""

    kind: str
    #: A file or folder.
    place: str
    message: str
    #: Where in it: a path in the JSON, a variable, a line.
    where: str = ""
    #: The provider, or where none is concerned the variable.
    subject: str = ""
    fingerprint: str = ""
    #: V(current), V(retired) or V(unknown); empty where no key is concerned.
    status: str = ""
    purgeable: bool = False
    hint: str = _PURGE

    def as_result(self) -> dict[str, Any]:
        """The finding as a module returns it."""
        return asdict(self)
