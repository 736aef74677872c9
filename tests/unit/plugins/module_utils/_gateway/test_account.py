# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import pwd

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import account

ENTRIES = {
    name: pwd.struct_passwd((name, "x", uid, uid, "", f"/home/{name}", "/bin/sh"))
    for name, uid in (("gateway", 1001), ("other", 1002))
}


@pytest.fixture(autouse=True)
def host(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with two accounts, on which this process runs as the first."""
    by_uid = {entry.pw_uid: entry for entry in ENTRIES.values()}
    monkeypatch.setattr(os, "geteuid", lambda: 1001)
    monkeypatch.setattr(pwd, "getpwuid", by_uid.__getitem__)
    monkeypatch.setattr(pwd, "getpwnam", ENTRIES.__getitem__)


# What su, `sudo -E` and env_keep leave.
FOREIGN = {
    "nothing": {},
    "that of the login": {
        "HOME": "/home/other",
        "XDG_RUNTIME_DIR": "/run/user/1002",
        "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/1002/bus",
    },
}


@pytest.mark.parametrize("left", FOREIGN.values(), ids=FOREIGN)
def test_the_entry_of_the_account_counts(left: dict[str, str]) -> None:
    environment = {"LANG": "C", **left}

    account.use_own_environment(environment)

    assert environment == {"LANG": "C", "HOME": "/home/gateway", "XDG_RUNTIME_DIR": "/run/user/1001"}


def test_an_account_without_an_entry_keeps_its_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setenv("HOME", "/data")

    assert account.own_account() == {"name": "4711", "uid": 4711, "home": "/data"}


def test_the_expected_account() -> None:
    account.require_account("gateway")


REJECTED = {
    "other": "Ansible acts as gateway on this host, and the account of the gateway is other. Variables such as "
    "ansible_become_user and ansible_become take precedence over the account of a role's tasks: remove them from the "
    "inventory.",
    "nobody-here": "This host has no account nobody-here. Check the variable that names it, such as providers_user.",
}


@pytest.mark.parametrize(("name", "message"), REJECTED.items(), ids=REJECTED)
def test_another_account_is_rejected(name: str, message: str) -> None:
    with pytest.raises(ClawdbotError) as rejected:
        account.require_account(name)
    assert str(rejected.value) == message
