# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A config that OpenClaw takes for damaged: what it does with it, and that it is noticed."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import journal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.put_back import describe_put_back
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

from tools import product

OPENCLAW = PRODUCTS["openclaw"]
GATEWAY = {"mode": "local", "port": 18789}
BLOCK = {
    "baseUrl": "https://api.moonshot.cn/v1",
    "apiKey": "${MOONSHOT_API_KEY}",
    "api": "openai-completions",
    "models": [{"id": f"kimi-{number}", "name": f"Kimi {number}"} for number in range(40)],
}


def test_a_config_that_has_shrunk_is_put_back_and_named(tmp_path: Path) -> None:
    executables = product.install("openclaw")
    config = tmp_path / "openclaw.json"
    config.write_text(json.dumps({"gateway": GATEWAY, "models": {"providers": {"moonshot": BLOCK}}}))
    environment = {
        "PATH": f"{executables}:{os.defpath}",
        "HOME": str(tmp_path),
        "OPENCLAW_STATE_DIR": str(tmp_path),
        "MOONSHOT_API_KEY": "sk-moonshot",
    }

    def openclaw(*arguments: str) -> None:
        subprocess.run([executables / "openclaw", *arguments], env=environment, check=True, capture_output=True)

    # From now on OpenClaw knows how large the config is, and has a backup of it.
    openclaw("config", "set", "logging.level", "debug")
    openclaw("config", "set", "logging.level", "info")
    written = json.dumps({"gateway": GATEWAY, "meta": {}}).encode()
    config.write_bytes(written)
    assert describe_put_back(OPENCLAW, str(config), journal.digest(written)) == ""

    # It looks at the config as the gateway does at its start.
    openclaw("doctor", "--non-interactive")

    assert config.read_bytes() == (tmp_path / "openclaw.json.bak").read_bytes()
    (replaced,) = tmp_path.glob("openclaw.json.clobbered.*")
    assert replaced.read_bytes() == written
    assert describe_put_back(OPENCLAW, str(config), journal.digest(written)) == (
        f"OpenClaw has taken the config that was written for a damaged one, and has put {config}.bak in its place. "
        f"What was written is in {replaced}. Move {config}.bak away, and run the playbook again."
    )
