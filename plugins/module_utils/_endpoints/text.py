# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Text of endpoints and users, cleaned for messages."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import redact

_MAX_LENGTH = 300
# A key that the endpoint shows in part, its middle starred out: the rest is still more than a fingerprint.
_STARRED_KEY = re.compile(r"\b(?:sk|ak|org)-[^\s'\"<>]*\*[^\s'\"<>]*")


def clean(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without secrets, on one line, printable, and not longer than a few lines."""
    text = _STARRED_KEY.sub("<redacted>", redact(text, secrets))
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"
