# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.text_rules import UNIT, plain_text
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.unit.plugins.module_utils._audit.audit_cases import NOW, OLD, STALE, examine, found


def test_a_unit_is_reported_and_left_alone() -> None:
    text = (
        "[Service]\n"
        f"Environment=\"MOONSHOT_API_KEY={STALE}\" PORT=18789 'CLAWDBOT_GATEWAY_TOKEN=t0ken'\n"
        "Environment=NODE_ENV=production\n"
        f"ExecStart=/bin/x --key {OLD}\n"
        "Environment=OPENCLAW_SERVICE_MANAGED_ENV_KEYS=MOONSHOT_API_KEY,KIMICODE_API_KEY KEY_FILE=/run/secrets/key\n"
        'Environment="broken MINE_TOKEN=abc\n'
    )
    examination = examine(UNIT, text)
    hint = "Remove it (systemctl edit), reload systemd, and restart the gateway."
    assert found(examination) == [
        ("line 2", "MOONSHOT_API_KEY", fingerprint(STALE), "old", hint),
        ("line 2", "CLAWDBOT_GATEWAY_TOKEN", fingerprint("t0ken"), "unknown", hint),
        ("line 4", "", fingerprint(OLD), "old", hint),
        ("line 6", "MINE_TOKEN", fingerprint("abc"), "unknown", hint),
    ]
    assert examination.findings[1].message == "/s/file holds a key in plain text in CLAWDBOT_GATEWAY_TOKEN, in line 2."
    assert examination.cleaned == text


def test_any_other_text_is_reported_with_the_line() -> None:
    examination = examine(plain_text("Do it."), f"a\nb {NOW}\n")
    assert found(examination) == [("line 2", "MOONSHOT_API_KEY", fingerprint(NOW), "current", "Do it.")]
    assert examination.findings[0].message == "/s/file holds the current key in plain text in line 2."
