# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of one gateway, and an examination of a text as a test compares it."""

from __future__ import annotations

from typing import Any, NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.document_rules import (
    Context,
    Document,
    Examination,
    Rules,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.known_keys import KnownKeys
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

NOW, OLD, KIMI, FOREIGN = "sk-now-0123456789", "sk-old-0123456789", "sk-kimi-0123456789", "sk-foreign-0123456789"
#: An old key of which not even the fingerprint is known: only its place says that it is old.
STALE = "sk-stale-0123456789"
KEYS = KnownKeys(
    {"moonshot": "MOONSHOT_API_KEY", "kimicode": "KIMICODE_API_KEY", "none": "NONE_API_KEY"},
    {"MOONSHOT_API_KEY": NOW, "KIMICODE_API_KEY": KIMI},
    frozenset([fingerprint(OLD)]),
)
PATH = "/s/file"


class Found(NamedTuple):
    """A finding, as the tests tell them apart."""

    where: str
    subject: str
    fingerprint: str
    status: str
    #: Empty where a purge cleans it.
    hint: str


def examine(rules: Rules, text: str, **context: Any) -> Examination:
    """What the rules say of a text that was read from `PATH`."""
    return rules.examine(Document(PATH, text, rules.parse(text)), Context(KEYS, **context))


def found(examination: Examination) -> list[Found]:
    """The findings of an examination."""
    return [
        Found(one.where, one.subject, one.fingerprint, one.status, "" if one.purgeable else one.hint)
        for one in examination.findings
    ]
