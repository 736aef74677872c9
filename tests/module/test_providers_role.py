# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role `providers` rejects before the first write, on a host without a gateway: this machine."""

from __future__ import annotations

import getpass
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

COLLECTIONS = Path(__file__).parents[2] / ".cache" / "collections"
KEY = f"sk-{0:032x}"
# Nothing answers there.
DEAD = "127.0.0.1:9"
Play = Callable[..., str]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Run the role with some variables and return what it prints, on one line. It must fail, and show no key.

    `others`: the variables of further hosts, where they differ.
    """
    state_dir = tmp_path / ".clawdbot"
    state_dir.mkdir()

    def run(
        entry_point: str = "main",
        base_url: str = f"http://{DEAD}/v1",
        others: Sequence[dict[str, Any]] = (),
        **variables: Any,
    ) -> str:
        variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "providers_api_keys": {"moonshot": KEY},
            "providers_enabled": ["moonshot"],
            "providers_aliases": {},
            "providers_overrides": {"moonshot": {"block": {"baseUrl": base_url}}},
            "providers_endpoint_retries": 0,
            "providers_state_dir": str(state_dir),
            "providers_service_manager": "command",
            "providers_restart_argv": ["/bin/false"],
            **variables,
        }
        role = {"include_role": {"name": "clawfleet.clawdbot.providers", "tasks_from": entry_point}}
        playbook = tmp_path / "play.yml"
        playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [role]}]))
        inventory = tmp_path / "inventory.yml"
        hosts = {f"gateway-{number}": {**variables, **more} for number, more in enumerate([{}, *others], 1)}
        inventory.write_text(yaml.safe_dump({"all": {"hosts": hosts}}))
        done = subprocess.run(
            [os.path.join(os.path.dirname(sys.executable), "ansible-playbook"), "-i", str(inventory), str(playbook)],
            env={
                **os.environ,
                "HOME": str(tmp_path),
                "LC_ALL": "C.UTF-8",
                "ANSIBLE_HOME": str(tmp_path / "ansible"),
                "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_SHELL_ALLOW_WORLD_READABLE_TEMP": "true",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        output = " ".join((done.stdout + done.stderr).split())
        assert done.returncode != 0, output
        assert KEY not in output
        assert os.listdir(state_dir) == []
        return output

    return run


def test_a_rollback_does_not_restart_what_would_not_start(play: Play) -> None:
    output = play("rollback", providers_api_keys={})
    assert "The CLI `clawdbot` is neither in the gateway's service nor on the PATH of its account" in output
    assert "Run the restart command" not in output


# The account of the gateway, what runs it, the account in the inventory, and the one that the role must act as.
ACCOUNTS: dict[str, tuple[str, str, dict[str, str], str]] = {
    "of another account": ("clawdbot", "systemd_user", {"ansible_become_user": "root"}, "clawdbot"),
    "of a system unit": ("clawdbot", "systemd_system", {"ansible_become_user": "clawdbot"}, "root"),
    "by a name of sudo's own": ("clawdbot", "systemd_user", {"ansible_sudo_user": "root"}, "clawdbot"),
}


@pytest.mark.parametrize(("user", "manager", "given", "needed"), ACCOUNTS.values(), ids=ACCOUNTS)
def test_an_account_of_the_inventory_that_takes_precedence(
    user: str, manager: str, given: dict[str, str], needed: str, play: Play
) -> None:
    (account,) = given.values()
    assert (
        f"ansible_become_user is {account}, which takes precedence over the role. It has to act as {needed}. Remove "
        "the variable from the inventory."
    ) in play(providers_user=user, providers_service_manager=manager, **given)


def test_the_account_is_compared_on_the_host(play: Play) -> None:
    output = play(providers_user="nobody", ansible_become=False, providers_verify_before="none")
    assert (
        f"Ansible acts as {getpass.getuser()} on this host, and the account of the gateway is nobody. Variables such "
        "as ansible_become_user and ansible_become take precedence over the account of a role's tasks: remove them "
        "from the inventory."
    ) in output


def test_keys_do_not_go_into_a_file_that_all_may_read(play: Play) -> None:
    # Nothing is executed as that account: the play ends before.
    output = play(providers_user="nobody", providers_verify_before="none", ansible_become_exe="/bin/false")
    assert "Ansible may write the keys into a file that every account of the host can read" in output


def test_clear_text_to_another_machine(play: Play) -> None:
    # An address for documentation, at which nothing answers.
    asked = {"base_url": "http://192.0.2.5:4000/v1", "providers_endpoint_timeout": 0.2}
    rejected = play("verify_only", **asked)
    assert "insecure_url" in rejected
    assert "set allow_insecure_http=true (in the role, providers_endpoint_allow_insecure_http)" in rejected
    allowed = play("verify_only", **asked, providers_endpoint_allow_insecure_http=True)
    assert "insecure_url" not in allowed
    assert "no connection to 192.0.2.5:4000 within 0.2 s" in allowed or "192.0.2.5:4000 cannot be reached" in allowed


@pytest.mark.parametrize("asks", ["host", "controller"])
def test_how_endpoints_are_asked(asks: str, play: Play) -> None:
    output = play(
        base_url=f"https://{DEAD}/v1",
        others=[{"providers_endpoint_timeout": 0}, {"providers_endpoint_retries": -1}],
        providers_verify_from=asks,
        providers_endpoint_ca_path="/nowhere/ca.pem",
    )
    errors = dict(re.findall(r"fatal: \[(gateway-\d)\]: FAILED! => (\{.*?\})(?= )", output))
    assert "ca_path: /nowhere/ca.pem cannot be used: [Errno 2] No such file or directory" in errors["gateway-1"]
    assert "timeout must be more than 0 and at most 3600 seconds" in errors["gateway-2"]
    assert "retries must not be negative" in errors["gateway-3"]
