# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook audit on a real gateway."""

from __future__ import annotations

from tests.e2e.harness import MOONSHOT, Bench

AUDIT = "clawfleet.clawdbot.audit"


def test_an_audit_finds_nothing_on_a_clean_host_and_names_all_that_is_wrong(installed: Bench) -> None:
    clean = installed.rollout("-vvv", playbook=AUDIT)
    assert clean.code == 0, clean.output
    assert clean.modules == ["gateway_info", "secret_audit"]
    assert clean.recap[installed.gateway.name]["changed"] == 0

    key = installed.keys[MOONSHOT]
    state_dir = installed.gateway.state_dir
    copy, notes = installed.scatter_keys()
    files = installed.files()

    found = installed.rollout("-vvvv", playbook=AUDIT)

    assert found.code != 0
    assert key not in found.output
    message = found.one_line
    config = installed.gateway.config
    assert f"{config} holds the current key in plain text at models.providers.moonshot.apiKey." in message
    assert f"The auth profile moonshot:default in {installed.auth_profiles} holds an old key" in message
    assert f"{state_dir} has mode 0755: other accounts can read the keys in it." in message
    assert f"{copy}, a copy of the .env, holds the current key in MOONSHOT_API_KEY." in message
    assert f"{notes} holds the current key in plain text in line 1. Remove it from the file." in message
    assert "The config differs from the inventory. Run the role." in message
    assert installed.files() == files
    assert found.recap[installed.gateway.name]["changed"] == 0
