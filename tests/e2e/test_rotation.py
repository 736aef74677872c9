# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audit, purge and rotation on real gateways, with keys where the product itself has put them."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.e2e.harness import MOONSHOT, Bench, files_holding, new_key

AUDIT = "clawfleet.clawdbot.audit"
PURGE = "clawfleet.clawdbot.purge"
ROTATE = "clawfleet.clawdbot.rotate"


def profiles_path(bench: Bench) -> Path:
    return bench.gateway.state_dir / "agents" / "main" / "agent" / "auth-profiles.json"


def write_profile(bench: Bench, key: str) -> None:
    """An auth profile as the product's own wizard writes it."""
    profile = {"type": "api_key", "provider": MOONSHOT, "key": key}
    store = {"version": 1, "profiles": {"moonshot:default": profile}, "order": {MOONSHOT: ["moonshot:default"]}}
    profiles_path(bench).write_text(json.dumps(store))
    profiles_path(bench).chmod(0o600)


def say(bench: Bench, message: str) -> None:
    params: dict[str, Any] = {
        "agentId": "main",
        "sessionKey": "agent:main:said",
        "idempotencyKey": secrets.token_hex(8),
    }
    bench.call("agent", "--expect-final", "--timeout", "60000", message=message, **params)


def text(output: str) -> str:
    """What was printed, with line breaks as spaces."""
    return " ".join(output.split())


def test_after_a_rotation_the_host_does_not_hold_the_old_key(bench: Bench) -> None:
    assert bench.rollout(providers_verify_after="turn").code == 0
    old = bench.keys[MOONSHOT]
    # The product's own commands put the key into the config and its backups, and a person puts it into a chat.
    bench.clawdbot("models", "set", "moonshot/kimi-k2.5")
    bench.clawdbot("config", "set", "agents.defaults.maxConcurrent", "3")
    write_profile(bench, old)
    say(bench, f"My key is {old}, and it works.")
    bench.gateway.env.write_text(f"{bench.gateway.env.read_text()}# before: {old}\n")
    places = files_holding(bench.gateway.home, old)
    (transcript,) = (name for name in places if name.endswith(".jsonl"))
    expected = [".env", "auth-profiles.json", "clawdbot.json", "clawdbot.json.bak", "models.json", transcript]
    assert places == sorted(expected)

    files, pids = bench.files(), bench.pids()
    bench.keys[MOONSHOT] = new_key()
    refused = bench.rollout(playbook=ROTATE)

    assert refused.code != 0
    assert "unauthorized" in refused.output
    assert files_holding(bench.gateway.home, old) == places
    assert bench.files() == files
    assert bench.pids() == pids

    bench.admit(MOONSHOT, bench.keys[MOONSHOT])
    bench.revoke(MOONSHOT, old)
    checked = bench.rollout("--check", playbook=ROTATE)

    assert checked.code == 0, checked.output
    assert files_holding(bench.gateway.home, old) == places
    assert bench.files() == files

    rotated = bench.rollout("--diff", "-vvvv", playbook=ROTATE)

    assert rotated.code == 0, rotated.output
    assert files_holding(bench.gateway.home, old) == []
    assert old not in rotated.output
    assert bench.keys[MOONSHOT] not in rotated.output
    assert f"The host no longer stores {fingerprint(old)}." in text(rotated.output)
    assert bench.pids() != pids
    assert files_holding(bench.gateway.home, bench.keys[MOONSHOT]) == [".env", "models.json"]
    backup = json5_reader.loads((bench.gateway.state_dir / "clawdbot.json.bak").read_text())
    assert backup["models"]["providers"][MOONSHOT]["apiKey"] == "${MOONSHOT_API_KEY}"
    assert json.loads(profiles_path(bench).read_text())["profiles"] == {}
    bench.mock_server.clear_requests()
    assert bench.chat()["payloads"][0]["text"] == "Hello from kimi-k2.5 at Moonshot."
    assert [r["key_fingerprint"] for r in bench.mock_server.requests()] == [fingerprint(bench.keys[MOONSHOT])]

    pids = bench.pids()
    second = bench.rollout("-vvv", playbook=ROTATE)

    assert second.recap[bench.gateway.name]["changed"] == 0, second.output
    assert second.modules == ["gateway_info", "secret_audit"]
    assert bench.pids() == pids
    assert "There was no other key on the host." in text(second.output)
    assert bench.rollout(playbook=AUDIT).code == 0

    # Whatever the product wrote while it had the old key, it now writes with the new one.
    bench.clawdbot("config", "set", "agents.defaults.maxConcurrent", "4")
    assert files_holding(bench.gateway.home, old) == []


def test_an_audit_names_all_that_is_wrong_and_a_purge_cleans_it(bench: Bench) -> None:
    assert bench.rollout().code == 0
    clean = bench.rollout("-vvv", playbook=AUDIT)
    assert clean.code == 0, clean.output
    assert clean.modules == ["gateway_info", "secret_audit"]
    assert clean.recap[bench.gateway.name]["changed"] == 0

    key = bench.keys[MOONSHOT]
    state_dir = bench.gateway.state_dir
    bench.clawdbot("models", "set", "moonshot/kimi-k2.5")
    write_profile(bench, new_key())
    (state_dir / "clawdbot.json.bak").chmod(0o644)
    state_dir.chmod(0o755)
    copy = state_dir / ".env~"
    copy.write_text(f"MOONSHOT_API_KEY={key}\nOTHER=x\n")
    foreign = state_dir / "notes.txt"
    foreign.write_text(f"the key is {key}")
    files = bench.files()

    found = bench.rollout("-vvvv", playbook=AUDIT)

    assert found.code != 0
    assert key not in found.output
    said = text(found.output)
    config = bench.gateway.config
    assert f"{config} holds the current key in plain text at models.providers.moonshot.apiKey." in said
    assert f"The auth profile moonshot:default in {profiles_path(bench)} holds an old key" in said
    assert f"{state_dir} has mode 0755: other accounts can read the keys in it." in said
    assert f"{copy}, a copy of the .env, holds the current key in MOONSHOT_API_KEY." in said
    assert f"{foreign} holds the current key in plain text in line 1. Remove it from the file." in said
    assert "The config differs from the inventory. Run the role." in said
    assert bench.files() == files
    assert found.recap[bench.gateway.name]["changed"] == 0

    checked = bench.rollout("--check", "--diff", playbook=PURGE)
    assert bench.files() == files
    foreign.unlink()
    purged = bench.rollout("--diff", playbook=PURGE)

    # The drift of the config is only what the product wrote into it besides the key.
    assert re.search(r"MOONSHOT_API_KEY=<sha256:\w+>", purged.output)
    assert "\n".join(checked.diffs).split() == "\n".join(purged.diffs).split()
    assert set(files_holding(bench.gateway.home, key)) <= {".env", "models.json"}
    assert copy.read_text() == "OTHER=x\n"
    assert state_dir.stat().st_mode & 0o777 == 0o700

    pids = bench.pids()
    again = bench.rollout(playbook=PURGE)
    assert again.recap[bench.gateway.name]["changed"] == 0, again.output
    assert bench.rollout().code == 0
    assert bench.rollout(playbook=AUDIT).code == 0
    assert bench.pids() == pids
