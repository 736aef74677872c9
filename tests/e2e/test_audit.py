# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook audit on a real gateway."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import key_dates_file
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.e2e.harness import ENDPOINTS, KIMICODE, MOONSHOT, Bench

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

    dates = Path(key_dates_file.path_beside(str(installed.gateway.config)))
    record = json.loads(dates.read_text())
    record["MOONSHOT_API_KEY"][-1]["since"] = "2026-01-01"
    dates.write_text(json.dumps({"MOONSHOT_API_KEY": record["MOONSHOT_API_KEY"]}))
    url = installed.mock_server.base_url(ENDPOINTS[MOONSHOT])
    installed.mock_server.clear_requests()

    found = installed.rollout("-vvvv", "-e", "verify_found=true", "-e", "providers_key_max_age=90", playbook=AUDIT)

    assert found.code != 0
    assert key not in found.output
    message = found.one_line
    config = installed.gateway.config
    assert f"{config} holds the current key in plain text at models.providers.moonshot.apiKey." in message
    assert f"The auth profile moonshot:default in {installed.auth_profiles} holds an old key" in message
    assert f"{state_dir} has mode 0755: other accounts can read the keys in it." in message
    assert f"{copy}, a copy of the .env, holds the current key in MOONSHOT_API_KEY." in message
    assert f"{notes} holds the current key in plain text in line 1. Remove it from the file." in message
    assert re.search(rf"The key {fingerprint(key)} of moonshot is \d+ days old, more than the 90 of providers", message)
    other = fingerprint(installed.keys[KIMICODE])
    assert f"The age of the key {other} of kimicode is not known: no run of the collection has written it." in message
    assert "The config differs from the inventory. Run the role." in message
    # With each current key for the models, then with each key that was found: both current ones, and the old one.
    old = fingerprint(json.loads(installed.auth_profiles.read_text())["profiles"]["moonshot:default"]["key"])
    requests = [(one["product"], one["key_fingerprint"]) for one in installed.mock_server.requests()]
    current = [(ENDPOINTS[name], fingerprint(held)) for name, held in installed.keys.items()]
    assert sorted(requests) == sorted([*current, *current, (ENDPOINTS[MOONSHOT], old)])
    assert f"Remove it from the file. The key is still valid at {url}. Run the playbook" in message
    assert f"purge cleans it. {url} rejects the key (401)." in message
    assert installed.files() == files
    assert found.recap[installed.gateway.name]["changed"] == 0
