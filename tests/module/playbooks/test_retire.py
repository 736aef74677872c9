# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook retire: old keys must be revoked. It runs nothing on the hosts, which do not exist here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.playbooks.test_hosts import run
from tools.mock_server import MockServer

NOW, OLD, OLDER = f"sk-{1:032x}", f"sk-{2:032x}", f"sk-{3:032x}"


def test_a_key_that_is_still_valid_fails_until_it_is_revoked(tmp_path: Path) -> None:
    with MockServer() as endpoints:
        url = endpoints.base_url("moonshot-cn")
        variables: dict[str, Any] = {
            "providers_api_keys": {"moonshot": NOW},
            "providers_old_api_keys": {"moonshot": [OLD, OLDER]},
            "providers_overrides": {"moonshot": {"block": {"baseUrl": url}}},
        }
        inventory = tmp_path / "inventory.json"
        hosts = {"one.example.com": {}, "two.example.com": {}}
        inventory.write_text(json.dumps({"gateways": {"hosts": hosts, "vars": variables}}))
        for key in (NOW, OLD):
            endpoints.add_key("moonshot-cn", key)

        alive = run(inventory, "clawfleet.clawdbot.retire", "-vvvv")

        text = " ".join((alive.stdout + alive.stderr).split())
        assert alive.returncode == 2
        assert (
            f"The old key {fingerprint(OLD)} of moonshot is still valid. Revoke it at the console of 127.0.0.1." in text
        )
        assert f"{fingerprint(OLDER)} of moonshot is still valid" not in text
        assert [key for key in (NOW, OLD, OLDER) if key in text] == []
        assert sorted(request["key_fingerprint"] for request in endpoints.requests()) == sorted(
            map(fingerprint, (OLD, OLDER))
        )

        endpoints.revoke_key("moonshot-cn", OLD)

        assert run(inventory, "clawfleet.clawdbot.retire").returncode == 0


def test_endpoints_are_asked_as_the_variables_say(tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.json"
    variables = {
        "providers_api_keys": {"moonshot": NOW},
        "providers_old_api_keys": {"moonshot": [OLD]},
        "providers_overrides": {"moonshot": {"block": {"baseUrl": "https://127.0.0.1:1/v1"}}},
        "providers_endpoint_ca_path": str(tmp_path / "missing.pem"),
    }
    inventory.write_text(json.dumps({"gateways": {"hosts": {"one.example.com": {}}, "vars": variables}}))

    rejected = run(inventory, "clawfleet.clawdbot.retire")

    text = " ".join((rejected.stdout + rejected.stderr).split())
    assert rejected.returncode == 2
    assert f"{tmp_path}/missing.pem" in text
