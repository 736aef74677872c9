# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No key is shown, whether in a result, in a repr or by Ansible at -vvvv."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import journal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.provider_config.gateway_files import (
    BLOCK,
    COLLECTIONS,
    NEW_CONFIG,
    NEW_KEY,
    OLD_KEY,
    OTHERS_KEY,
    Gateway,
    Run,
    shell,
)


def test_only_fingerprints_are_shown(run: Run) -> None:
    hidden = "s3cr3t-proxy-word"
    inline = "sk-inline-0123456789"
    block = {**BLOCK, "headers": {"X-Proxy-Token": hidden, "X-Odd": f"Bearer {inline}"}}
    ran = run(providers={"moonshot": block})
    assert ran.changes == (True, True, True, True)
    for secret in (OLD_KEY, NEW_KEY, OTHERS_KEY, hidden, inline, "a-token-of-the-gateway"):
        assert secret not in ran.printed
    assert [part["before"] for part in ran.result["diff"]] == [f"MOONSHOT_API_KEY=<{fingerprint(OLD_KEY)}>\n", "{}\n"]
    assert ran.result["diff"][0]["after"] == f"MOONSHOT_API_KEY=<{fingerprint(NEW_KEY)}>\n"
    shown = json.loads(ran.result["diff"][1]["after"])["models.providers.moonshot"]
    assert shown["headers"] == {"X-Proxy-Token": f"<{fingerprint(hidden)}>", "X-Odd": "Bearer <redacted>"}


def test_the_journal_hides_its_text(gateway: Gateway, run: Run) -> None:
    assert run().code == 0
    loaded = journal.load(str(gateway.config), str(gateway.env))
    assert loaded is not None
    assert OLD_KEY not in repr(loaded)


# What the tasks of one play are given besides; the last one changes the files.
REJECTED: dict[str, dict[str, object]] = {
    "by the checker": {"validate": shell('echo "- bad $MOONSHOT_API_KEY and $OTHER_API_KEY" >&2; exit 1')},
    "for a literal key": {"providers": {"moonshot": {**BLOCK, "apiKey": NEW_KEY}}},
}
COUNTS = " ok=4    changed=2    unreachable=0    failed=0    skipped=0    rescued=2    ignored=0"


@pytest.fixture
def ansible(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    def play(tasks: Sequence[Mapping[str, object]], pipelining: bool) -> subprocess.CompletedProcess[str]:
        (tmp_path / "play.json").write_text(
            json.dumps(
                [
                    {
                        "hosts": "localhost",
                        "connection": "local",
                        "gather_facts": False,
                        "vars": {"ansible_python_interpreter": sys.executable},
                        "tasks": tasks,
                    }
                ]
            )
        )
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
            "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote"),
            "ANSIBLE_PIPELINING": str(pipelining),
            "TMPDIR": str(tmp_path / "tmp"),
        }
        (tmp_path / "tmp").mkdir(exist_ok=True)
        playbook_cli = Path(sys.executable).parent / "ansible-playbook"
        return subprocess.run(
            [str(playbook_cli), "-vvvv", "--diff", "-i", "localhost,", str(tmp_path / "play.json")],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return play


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "files"])
def test_at_vvvv_no_key_is_seen_and_nothing_stays_in_the_temporary_directories(
    tmp_path: Path,
    gateway: Gateway,
    ansible: Callable[..., subprocess.CompletedProcess[str]],
    pipelining: bool,
) -> None:
    def task(**given: object) -> dict[str, object]:
        return {"clawfleet.clawdbot.provider_config": gateway.arguments(**given)}

    rescued = {"rescue": [{"ansible.builtin.debug": {"var": "ansible_failed_result"}}]}
    rejected = [{"block": [task(**given)], **rescued} for given in REJECTED.values()]
    done = ansible([*rejected, {**task(), "check_mode": True}, task()], pipelining)
    assert (done.returncode, COUNTS in done.stdout) == (0, True), done.stdout
    assert gateway.config.read_bytes() == NEW_CONFIG
    seen = done.stdout + done.stderr
    assert ("PIPELINING: True" in seen or "pipelining is enabled" in seen.lower()) is pipelining
    for secret in (OLD_KEY, NEW_KEY, OTHERS_KEY, "a-token-of-the-gateway"):
        assert secret not in seen
    # Both diffs, the predicted one and that of the change.
    assert seen.count(f"+MOONSHOT_API_KEY=<{fingerprint(NEW_KEY)}>") == 2
    left = [path for name in ("local", "remote", "tmp") for path in (tmp_path / name).rglob("*") if path.is_file()]
    assert left == []
