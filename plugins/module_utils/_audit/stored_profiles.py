# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Auth profiles in the databases of a gateway: an audit reads them, and a purge has the gateway's CLI remove them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import agents
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import agent_files, auth_stores
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.agent_files import AuthProfiles
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.auth_stores import Database
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import MAIN_AGENT

from . import agent_file_rules
from .cleanup import Diff, finding_diff
from .document_rules import manual
from .finding import Finding
from .known_keys import KnownKeys

_TIMEOUT_SECONDS = 120.0


class StoredProfiles(NamedTuple):
    """The stores of a gateway. `unreadable`: database -> why it cannot be read."""

    stores: dict[Database, AuthProfiles]
    unreadable: dict[str, str]


@dataclass(frozen=True)
class RemoveProfile:
    """Have the gateway's CLI remove an auth profile. Others must not write the databases of a running gateway."""

    gateway: Gateway
    arguments: tuple[str, ...]
    finding: Finding

    def diffs(self) -> list[Diff]:
        return [finding_diff(self.finding)]

    def apply(self) -> None:
        self.gateway.change(self.arguments, _TIMEOUT_SECONDS)


def read_all(gateway: Gateway, state_dir: str, config: Any) -> StoredProfiles:
    """Return the auth profiles of all databases, none where the product stores them in files."""
    found = StoredProfiles({}, {})
    if not gateway.product.profiles_in_databases:
        return found
    for database in auth_stores.paths(state_dir, agent_files.agent_directories(state_dir, config), MAIN_AGENT):
        try:
            profiles = auth_stores.load(database.path)
        except ClawdbotError as exc:
            found.unreadable[database.path] = str(exc)
            continue
        if profiles:
            found.stores[database] = profiles
    return found


def old_values(stored: StoredProfiles, keys: KnownKeys) -> dict[str, str]:
    """Return the old keys in the stores: key -> environment variable."""
    return {
        key: name for one in stored.stores.values() for key, name in agent_file_rules.old_values_of(one, keys).items()
    }


def examine(
    gateway: Gateway, stored: StoredProfiles, keys: KnownKeys, config: Any
) -> Iterator[tuple[Finding, RemoveProfile | None]]:
    """Yield the findings for profiles, each with the cleanup if a purge can remove it.

    The CLI takes only agents that the config lists, or the main one where it lists none.
    """
    listed = {name for _place, name, _agent in agents(config) if name} or {MAIN_AGENT}
    for database, profiles in stored.stores.items():
        for profile in profiles.profiles.values():
            finding = agent_file_rules.profile_finding(database.path, profile, keys)
            if finding is None:
                continue
            of_agent = ("--agent", database.agent) if database.agent else ()
            arguments = (*gateway.product.logout_args, *of_agent, "--", profile.id)
            command = f'"{gateway.product.name} {" ".join(arguments)}"'
            if database.agent and database.agent not in listed:
                hint = f"Add the agent {database.agent} to the config, then remove it with {command}."
                yield manual(finding, hint), None
            elif finding.purgeable and gateway.is_installed:
                yield finding, RemoveProfile(gateway, arguments, finding)
            else:
                yield manual(finding, f"Remove it with {command}."), None
