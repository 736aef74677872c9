# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text of endpoints, cleaned for messages."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.text import clean
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.unit.plugins.module_utils._endpoints.endpoint_cases import KEY

CLEANED: Mapping[str, tuple[str, str]] = {
    "own key": (f"bad {KEY}!", f"bad <{fingerprint(KEY)}>!"),
    "other key": ("bad sk-zyxwvuts!", "bad <redacted>!"),
    "starred key": ("bad sk-a*****yz, sk-ab****", "bad <redacted> <redacted>"),
    "account": ("org-5d41402abc4b<ak-b9719d911017c592>", "<redacted><<redacted>>"),
    "lines": (" a\r\n\tb\x00\x1b[1m\u202e c ", "a b [1m c"),
    "length": ("x" * 301, "x" * 300 + "…"),
    "key at the cut": ("x" * 290 + KEY, "x" * 290 + f"<{fingerprint(KEY)}>"[:10] + "…"),
}


@pytest.mark.parametrize(("text", "shown"), CLEANED.values(), ids=CLEANED)
def test_foreign_text_is_cleaned(text: str, shown: str) -> None:
    assert clean(text, {KEY}) == shown
