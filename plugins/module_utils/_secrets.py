# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What may be shown of a secret: its fingerprint, and texts with every secret taken out."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator
from typing import Any

# What keys and account ids look like in what an endpoint or the product prints (facts: endpoints).
# A key of ours is replaced by name whatever it looks like; these catch the keys that we do not know.
_LOOKS_SECRET = re.compile(r"\b(?:sk|ak|org)-[A-Za-z0-9_-]{4,}(?:\.{3}|…)?")

# Names under which a config or a header keeps a secret, and what may be shown there: a reference to a variable.
_SECRET_NAME = re.compile(r"key|token|secret|passw|authorization|cookie|credential", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{[A-Z_][A-Z0-9_]*\}\Z")


def fingerprint(secret: str) -> str:
    """A stable short name of a secret, C(sha256:) and 12 hex digits: enough to compare keys, too little to use one."""
    digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
    return f"sha256:{digest[:12]}"


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with each of the secrets, as it is, in JSON or in a URL, replaced by its fingerprint.

    Anything else that looks like a key or an account id of the vendors (C(sk-…), C(ak-…), C(org-…)) is replaced too,
    by a mark without a fingerprint.
    """
    # The longest first: a secret that contains another one must not leave its rest behind.
    for secret in sorted({s for s in secrets if s}, key=len, reverse=True):
        mark = f"<{fingerprint(secret)}>"
        spellings = {secret, json.dumps(secret)[1:-1], urllib.parse.quote(secret, safe="")}
        for spelling in sorted(spellings, key=len, reverse=True):
            text = text.replace(spelling, mark)
    return _LOOKS_SECRET.sub("<redacted>", text)


def named_secrets(value: Any) -> Iterator[str]:
    """Every text in a config value that stands under a name for a secret, as C(apiKey), and is no mere reference."""
    if isinstance(value, dict):
        for name, item in value.items():
            if isinstance(item, str) and item and _SECRET_NAME.search(str(name)) and not _REFERENCE.match(item):
                yield item
            else:
                yield from named_secrets(item)
    elif isinstance(value, list):
        for item in value:
            yield from named_secrets(item)
