# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COLLECTIONS = Path(__file__).parents[3] / ".cache" / "collections"


def run(inventory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", "-i", str(inventory), *arguments],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_HOME": str(inventory.parent)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("playbook", ["install", "rotate"])
def test_an_inventory_without_the_group_is_rejected(playbook: str, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.yml"
    inventory.write_text("web:\n  hosts:\n    web-1.example.com:\n")

    done = run(inventory, f"clawfleet.clawdbot.{playbook}")

    assert done.returncode != 0
    assert (
        'The inventory has no group "gateways". Add the hosts to it, or set gateway_hosts to a pattern of hosts.'
        in done.stderr
    )
    assert "PLAY [" not in done.stdout


def test_other_hosts_are_left_alone(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(
        "web:\n  hosts:\n    web-1:\ngateways:\n  hosts:\n    gateway-1:\nothers:\n  hosts:\n    g2:\n"
    )

    assert "gateway-1\n" in (listed := run(inventory, "clawfleet.clawdbot.install", "--list-hosts").stdout)
    assert "hosts (1):" in listed
    named = run(inventory, "clawfleet.clawdbot.install", "--list-hosts", "--extra-vars", "gateway_hosts=others").stdout
    assert "hosts (1):\n      g2\n" in named
