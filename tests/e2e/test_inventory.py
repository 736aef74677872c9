# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module over an inventory of real gateways, through pytest-ansible: the one place that knows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.fleet import Fleet


def test_each_host_of_an_inventory_finds_its_own_gateway(
    gateways: Fleet, ansible_adhoc: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in gateways.environment.items():
        monkeypatch.setenv(name, value)
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    states = {gateway.name: str(gateway.state_dir) for gateway in gateways.gateways[:2]}
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(yaml.safe_dump({"gateways": {"hosts": dict.fromkeys(states), "vars": local}}))

    hosts = ansible_adhoc(inventory=str(inventory))
    seen = {
        name: getattr(hosts[name], "clawfleet.clawdbot.gateway_info")(state_dir=state, service_manager="command")[name]
        for name, state in states.items()
    }

    assert {name: (result["state_dir"], result["port"], result["answers"]) for name, result in seen.items()} == {
        gateway.name: (str(gateway.state_dir), gateway.port, True) for gateway in gateways.gateways[:2]
    }
    assert [result["version"] for result in seen.values()] == ["2026.1.24-3", "2026.1.24-3"]
