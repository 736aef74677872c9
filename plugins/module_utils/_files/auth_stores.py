# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The auth profiles in the databases of OpenClaw: one store for each agent, and one that all agents share.

See its agents/auth-profiles/sqlite-json.ts and persisted.ts. The shared store is in the main agent's database, or,
after `openclaw doctor --fix`, in the one of the gateway; before schema 13, in tables of its own there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import members
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from . import databases
from .agent_files import AuthProfiles, parse_auth_profiles

# Table -> query. The state, with the order of the profiles, takes precedence over what the store has of it.
_CELLS = {
    "auth_profile_store": "SELECT store_json FROM auth_profile_store",
    "auth_profile_stores": "SELECT store_json FROM auth_profile_stores",
    "auth_profile_state": "SELECT state_json FROM auth_profile_state",
    "config_machine_state": (
        "SELECT value_json FROM config_machine_state WHERE state_key IN ('authProfiles.store', 'authProfiles.state') "
        "ORDER BY state_key DESC"
    ),
}
_SECTIONS = ("profiles", "order", "lastGood", "usageStats")


class Database(NamedTuple):
    """A database with a store. `agent`: the id of the agent that it belongs to, or as which the shared one is seen."""

    path: str
    agent: str


def paths(state_dir: str, directories: Mapping[str, str], main_agent: str) -> Iterator[Database]:
    """Yield the databases of a gateway, the shared one first. They need not exist.

    `directories`: directory of each agent -> its id.
    """
    yield Database(os.path.join(state_dir, databases.STATE_DATABASE), main_agent)
    for directory, agent in directories.items():
        yield Database(os.path.join(directory, databases.AGENT_DATABASE), agent)


def load(path: str) -> AuthProfiles | None:
    """Return the auth profiles in a database, None where there is none. Raises `ClawdbotError` if it cannot be read."""
    found = databases.rows(path, _CELLS)
    if found is None:
        return None
    merged: dict[str, dict[str, Any]] = {name: {} for name in _SECTIONS}
    for rows in found.values():
        for (text,) in rows:
            value = _parsed(path, text)
            for name in _SECTIONS:
                merged[name].update(members(value, (name,)))
    return parse_auth_profiles(merged)


def _parsed(path: str, text: Any) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError) as exc:
        raise ClawdbotError(f"{path} cannot be read: its auth profiles are broken.") from exc
    if not isinstance(value, dict):
        raise ClawdbotError(f"{path} cannot be read: its auth profiles are broken.")
    return value
