# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Fingerprints of secrets, and strings with every secret redacted."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import VARIABLE_NAME, is_reference
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import walk

# The shape of keys and account ids in what an endpoint or the product prints.
# Known keys are replaced whatever their shape; this catches unknown ones.
_LOOKS_SECRET = re.compile(r"\b(?:sk|ak|org)-[A-Za-z0-9_-]{4,}(?:\.{3}|…)?")

# Names under which a config, a header or a variable has a secret. The plural counts a model's tokens: maxTokensField.
_SECRET_NAME = re.compile(r"key|token(?!s)|secret|passw|authorization|cookie|credential", re.IGNORECASE)
# A shorter value with a harmless name, as `PORT=18789`, is a setting: hiding it makes output unreadable.
_SHORTEST_SECRET = 8


def fingerprint(secret: str) -> str:
    """Return a stable short name of a secret, `sha256:` and 12 hex digits: enough to compare keys, not to use one."""
    digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
    return f"sha256:{digest[:12]}"


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the string with each secret, as it is, quoted or in a URL, replaced by its fingerprint.

    Anything else in the shape of a key or an account id (`sk-…`, `ak-…`, `org-…`) is replaced too, by a mark without a
    fingerprint.
    """
    marks = {spelling: f"<{fingerprint(secret)}>" for secret in secrets if secret for spelling in spellings(secret)}
    if marks:
        # The longest first: a secret that contains another one must not leave its rest behind.
        known = re.compile("|".join(map(re.escape, sorted(marks, key=len, reverse=True))))
        text = known.sub(lambda match: marks[match.group()], text)
    return _LOOKS_SECRET.sub("<redacted>", text)


def secret_values(variables: Mapping[str, str | None]) -> set[str]:
    """Return the values of variables that may be secrets: by their name, or because they are as long as one."""
    return {
        value for name, value in variables.items() if value and (len(value) >= _SHORTEST_SECRET or is_secret_name(name))
    }


def is_secret_name(name: str) -> bool:
    """Whether something of this name is a secret, as `apiKey` or `GATEWAY_TOKEN`."""
    return bool(_SECRET_NAME.search(name))


def named_secrets(value: Any) -> Iterator[str]:
    """Yield every string in a config value under a name for a secret, as `apiKey`, that is not just a reference.

    The name of an environment variable without the `${}` of a reference, as `MOONSHOT_API_KEY`, is no secret either.
    """
    for path, part in walk(value):
        if path and is_secret_name(path[-1]) and isinstance(part, str) and part and not _is_name_or_reference(part):
            yield part


def _is_name_or_reference(text: str) -> bool:
    return is_reference(text) or (bool(VARIABLE_NAME.match(text)) and "_" in text and is_secret_name(text))


def spellings(secret: str) -> set[str]:
    """Return the secret as it is in plain text, in JSON, in what Python prints, and in a URL."""
    return {
        secret,
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        urllib.parse.quote(secret, safe="", errors="surrogatepass"),
    }
