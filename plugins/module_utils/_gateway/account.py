# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The account that a module runs as, by its own entry in passwd.

`su`, `sudo -E` and `env_keep` leave the environment of another account: its home directory, and the address of its
service manager.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import MutableMapping

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from .info import AccountInfo


def own_account() -> AccountInfo:
    """Return the account of this process. Without an entry, as in some containers, HOME is all that is known."""
    uid = os.geteuid()
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return {"name": str(uid), "uid": uid, "home": os.path.expanduser("~")}
    return {"name": entry.pw_name, "uid": uid, "home": entry.pw_dir}


def use_own_environment(environment: MutableMapping[str, str]) -> None:
    """Give an environment the home directory and the service manager of this account."""
    account = own_account()
    environment["HOME"] = account["home"]
    environment["XDG_RUNTIME_DIR"] = f"/run/user/{account['uid']}"
    # It takes the place of the bus in that directory.
    environment.pop("DBUS_SESSION_BUS_ADDRESS", None)


def require_account(name: str) -> None:
    """Raise `ClawdbotError` if this process does not run as the account of that name."""
    account = own_account()
    try:
        expected = pwd.getpwnam(name).pw_uid
    except KeyError:
        raise ClawdbotError(
            f"This host has no account {name}. Check the variable that names it, such as providers_user."
        ) from None
    if account["uid"] != expected:
        raise ClawdbotError(
            f"Ansible acts as {account['name']} on this host, and the account of the gateway is {name}. Variables such "
            "as ansible_become_user and ansible_become take precedence over the account of a role's tasks: remove "
            "them from the inventory."
        )
