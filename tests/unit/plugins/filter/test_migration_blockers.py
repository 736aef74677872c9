# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.filter._migration_blockers import migration_blockers

GOOD: dict[str, Any] = {
    "product": "clawdbot",
    "version": "2026.1.24-3",
    "program": ["/usr/bin/node", "/opt/clawdbot/dist/entry.js"],
    "started_by": None,
    "missing_files": [],
    "isolated": False,
    "state_dir": "/home/g/.clawdbot",
    "state_dir_exists": True,
    "config_path": "/home/g/.clawdbot/clawdbot.json",
    "env_path": "/home/g/.clawdbot/.env",
    "process_state_dir": None,
    "process_config_path": None,
    "process_env_path": None,
    "port": 18789,
    "port_taken_by": "",
    "service_name": "clawdbot-gateway",
    "service_loaded": True,
    "pid": 4711,
    "restart_reasons": [],
    "unserved_choices": [],
    "variables": {},
    "providers": {},
    "unreadable_stores": [],
}
# What is different, and the text. Only variables that the playbook migrate reads are named.
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": ({}, []),
    "no state directory": (
        {"state_dir_exists": False},
        [
            "State directory /home/g/.clawdbot does not exist. Check `gateway_user` and `gateway_clawdbot_state_dir`.",
        ],
    ),
    "no unit": (
        {"service_loaded": False},
        [
            "systemd has no unit clawdbot-gateway. Check `gateway_service_manager`, `gateway_clawdbot_service_name` "
            "and `gateway_user`, and enable lingering for the account of a user unit."
        ],
    ),
    "another state directory": (
        {"process_state_dir": "/srv/x"},
        [
            "Unit clawdbot-gateway uses state directory /srv/x, and the inventory means /home/g/.clawdbot. Set "
            "`gateway_clawdbot_state_dir` to that of the gateway, or `gateway_clawdbot_service_name` to the unit that "
            "uses /home/g/.clawdbot."
        ],
    ),
    "another config": (
        {"process_config_path": "/etc/c.json"},
        [
            "Unit clawdbot-gateway uses config /etc/c.json, and the inventory means /home/g/.clawdbot/clawdbot.json. "
            "Let it use /home/g/.clawdbot/clawdbot.json, or set `gateway_clawdbot_service_name` to the unit that uses "
            "/home/g/.clawdbot/clawdbot.json."
        ],
    ),
    "two units": (
        {"pid": None, "port_taken_by": "the system unit clawdbot"},
        [
            "Unit clawdbot-gateway does not run, and the system unit clawdbot answers on its port 18789. Set "
            "`gateway_service_manager` and `gateway_clawdbot_service_name` to what runs the gateway, and remove the "
            "other, or give it a port of its own. A gateway in a container is not supported."
        ],
    ),
    "its own CLI is rejected": (
        {"call_error": "unauthorized."},
        [
            "The gateway does not accept calls of its own CLI, so no change could be verified: unauthorized. Set "
            "CLAWDBOT_GATEWAY_TOKEN or CLAWDBOT_GATEWAY_PASSWORD in /home/g/.clawdbot/.env to what the gateway accepts."
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_migration_blockers(name: str) -> None:
    changed, expected = CASES[name]
    assert migration_blockers({**GOOD, **changed}) == expected
