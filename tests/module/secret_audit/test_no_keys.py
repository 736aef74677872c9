# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is in the place of a key and cannot be one is neither searched for nor masked."""

from __future__ import annotations

import json

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.secret_audit.gateway_files import AFTER, AGENT, SESSIONS, Gateway, Run, config, models

NO_KEYS = {
    "a name": "MOONSHOT_API_KEY",
    "a name in lower case": "moonshot-api-key",
    "another reference": "$MOONSHOT_API_KEY",
    "a reference of a template": "{{MOONSHOT_API_KEY}}",
    "a reference with a scheme": "env:MOONSHOT_API_KEY",
    "a marker of OpenClaw": "secretref-env:MOONSHOT_API_KEY",
    "a placeholder": "YOUR_MOONSHOT_API_KEY",
    "a shortened key": "sk-abcdefgh...",
    "a placeholder in brackets": "<moonshot-api-key>",
    "a word": "changeme-please",
    "crosses": "sk-xxxxxxxxxxxxxxxx",
}


def _mentions(text: str) -> dict[str, str]:
    """Files of a gateway in which a person writes about what is in the place of a key."""
    profile = {"type": "api_key", "provider": "moonshot", "key": text}
    return {
        **AFTER,
        ".env": f"# {text}: the key of Moonshot\n{AFTER['.env']}NOTE={text}\n",
        ".env~": f"# {text}\nMOONSHOT_API_KEY={text}\n",
        "clawdbot.json": config(text),
        "clawdbot.json.bak": config(text),
        f"{AGENT}/models.json": models(moonshot=text),
        f"{AGENT}/auth-profiles.json": json.dumps({"version": 1, "profiles": {"moonshot:default": profile}}),
        f"{SESSIONS}/1.jsonl": json.dumps({"text": f"set {text} in .env, then restart"}) + "\n",
        "logs/gateway.log": f"reads {text}\n",
    }


@pytest.mark.parametrize("text", NO_KEYS.values(), ids=NO_KEYS)
def test_what_cannot_be_a_key_is_unchanged_in_every_file(gateway: Gateway, run: Run, text: str) -> None:
    files = _mentions(text)
    gateway.lay_out(files)
    # A rotation gives the fingerprints of everything that was in use.
    result = run(state="purged", old_keys=[fingerprint(text)])
    assert gateway.files() == files
    assert (result["changed"], result["purged"]) == (False, [])


@pytest.mark.parametrize("text", NO_KEYS.values(), ids=NO_KEYS)
def test_what_is_in_env_and_cannot_be_a_key_is_unchanged(gateway: Gateway, run: Run, text: str) -> None:
    files = {**AFTER, ".env": f"# {text}\nMOONSHOT_API_KEY={text}\n", "logs/gateway.log": f"reads {text}\n"}
    gateway.lay_out(files)
    run(state="purged")
    assert gateway.files() == files
