# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rollout through ansible-runner's transmit, worker and process: how AWX feeds its execution nodes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.e2e.harness import Bench, new_key

RUNNER = os.path.join(os.path.dirname(sys.executable), "ansible-runner")
VAULT = os.path.join(os.path.dirname(sys.executable), "ansible-vault")


@pytest.fixture
def job(bench: Bench, tmp_path: Path) -> Path:
    """A job as AWX makes one: a project whose keys are vaulted, an inventory, and the vault's password for a prompt."""
    directory = tmp_path / "job"
    for name in ("project", "inventory/group_vars/all", "env"):
        (directory / name).mkdir(parents=True)
    password = new_key("password-")
    (directory / "project" / "rollout.yml").write_text(
        yaml.safe_dump([{"name": "Roll out", "import_playbook": "clawfleet.clawdbot.rollout"}])
    )
    bench.write_inventory(
        directory / "inventory" / "hosts.yml",
        providers_api_keys={name: f"{{{{ vault_{name} }}}}" for name in bench.keys},
    )
    password_file = tmp_path / "password"
    password_file.write_text(password)
    vaulted = subprocess.run(
        [VAULT, "encrypt", "--vault-password-file", str(password_file), "--output", "-"],
        input=yaml.safe_dump({f"vault_{name}": key for name, key in bench.keys.items()}),
        capture_output=True,
        text=True,
        check=True,
    )
    (directory / "inventory" / "group_vars" / "all" / "vault.yml").write_text(vaulted.stdout)
    (directory / "env" / "passwords").write_text(json.dumps({r"Vault password:\s*?$": password}))
    (directory / "env" / "cmdline").write_text("--ask-vault-pass")
    return directory


def test_a_job_goes_to_a_worker_and_its_events_come_back(bench: Bench, job: Path, tmp_path: Path) -> None:
    node = tmp_path / "node"
    back = tmp_path / "back"

    def runner(*arguments: str, stdin: bytes = b"") -> bytes:
        done = subprocess.run(
            [RUNNER, *arguments], env=bench.fleet.environment, input=stdin, stdout=subprocess.PIPE, check=False
        )
        assert done.returncode == 0, done.stdout[:9000]
        return done.stdout

    sent = runner("transmit", str(job), "--ident", "1", "--playbook", "rollout.yml")
    done = runner("worker", "--private-data-dir", str(node), stdin=sent)
    runner("process", str(back), "--ident", "1", stdin=done)

    artifacts = back / "artifacts" / "1"
    assert (artifacts / "status").read_text() == "successful"
    events = [json.loads(file.read_text()) for file in (artifacts / "job_events").glob("*.json")]
    (stats,) = (event["event_data"] for event in events if event["event"] == "playbook_on_stats")
    assert (set(stats["ok"]), stats["failures"], stats["dark"]) == ({bench.gateway.name}, {}, {})
    assert {bench.chat()["meta"]["agentMeta"]["provider"]} == {"moonshot"}
    # What AWX stores and shows of a job.
    seen = [done, *(file.read_bytes() for file in back.rglob("*") if file.is_file())]
    assert [key for key in bench.keys.values() for text in seen if key.encode() in text] == []
