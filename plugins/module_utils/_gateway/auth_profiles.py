# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The auth profiles that the product uses for a provider. They override every environment variable and the config.

See the product's agents/auth-profiles/order.js and store.js. All agents have the main agent's profiles, and an agent's
own take precedence over them. A stored order takes precedence over one in the config. Without either, the config's list
of profiles says which are used. Of several, the product uses a different one from message to message. Clawdbot stores
profiles in files, OpenClaw in databases.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import provider_id
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import at, members, string
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import agent_files, auth_stores
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.agent_files import (
    AUTH_PROFILES,
    AuthProfile,
    AuthProfiles,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import open_without_blocking
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import MAIN_AGENT, Product


@dataclass(frozen=True)
class Profile:
    """One profile that the product uses for a provider."""

    path: str
    id: str
    #: Empty where the profile only refers to it.
    secret: str = field(repr=False)
    #: The environment variable to which the profile refers, as `AuthProfile.variable`.
    variable: str | None = None


@dataclass(frozen=True)
class Store:
    """The profiles of one agent, or of one agent over those that it inherits, as they are stored."""

    #: Id -> its file, and the profile.
    profiles: Mapping[str, tuple[str, AuthProfile]] = field(default_factory=dict)
    #: Provider, in any spelling -> ids.
    order: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def over(self, product: Product, inherited: Store) -> Store:
        """This agent's profiles together with the inherited ones."""
        order = {**inherited.order, **self.order}
        if product.profiles_in_databases:
            # OpenClaw sets the agent's own profiles before an inherited order.
            for provider, ids in inherited.order.items():
                if provider not in self.order:
                    own = (id_ for id_, (_path, profile) in self.profiles.items() if profile.provider == provider)
                    order[provider] = list(dict.fromkeys([*own, *ids]))
        return Store({**inherited.profiles, **self.profiles}, order)


class Stores(NamedTuple):
    """The stores of a gateway. `unreadable`: why one could not be read, with its path."""

    agents: list[Store]
    unreadable: list[str]


def stores(product: Product, state_dir: str, config: Any) -> Stores:
    """Return the profiles of each agent, of the main agent first, even if it has none."""
    unreadable: list[str] = []

    def of_database(path: str) -> Store:
        try:
            found = auth_stores.load(path)
        except ClawdbotError as exc:
            unreadable.append(str(exc))
            return Store()
        return _store(path, found) if found else Store()

    main_directory = os.path.join(state_dir, "agents", MAIN_AGENT, "agent")
    directories = {main_directory: MAIN_AGENT, **agent_files.agent_directories(state_dir, config)}
    found = {directory: _of_file(os.path.join(directory, AUTH_PROFILES)) for directory in directories}
    shared = Store()
    if product.profiles_in_databases:
        database, *of_agents = auth_stores.paths(state_dir, directories, MAIN_AGENT)
        shared = of_database(database.path)
        for directory, (path, _agent) in zip(directories, of_agents):
            found[directory] = of_database(path).over(product, found[directory])
    main = found.pop(main_directory).over(product, shared)
    return Stores([main, *(other.over(product, main) for other in found.values())], unreadable)


def used(product: Product, agents: Sequence[Store], config: Any, provider: str) -> list[Profile]:
    """Return the profiles that the agents use for the provider, each once."""
    found = [
        profile
        for store in agents
        for profile in _used(product, store, config, provider_id(provider, product.provider_spellings))
    ]
    return list(dict.fromkeys(found))


def _used(product: Product, store: Store, config: Any, provider: str) -> Iterator[Profile]:
    configured = members(config, ("auth", "profiles"))

    def is_for(name: str) -> bool:
        return provider_id(name, product.provider_spellings) == provider

    stored, in_config = (_ordered(product, orders, provider) for orders in (store.order, at(config, ("auth", "order"))))
    named = [id_ for id_, listed in configured.items() if is_for(string(listed, ("provider",)))]
    order = next((ids for ids in (stored, in_config) if ids is not None), named or list(store.profiles))
    is_of_config = stored is None and in_config is not None
    if product.profiles_in_databases and not is_of_config and not any(id_ in store.profiles for id_ in order):
        # OpenClaw takes such an order, or list of the config, for outdated.
        order = list(store.profiles)
    for id_ in order:
        path, profile = store.profiles.get(id_, ("", None))
        if profile is None or not is_for(profile.provider):
            continue
        variable = profile.variable if product.profile_references else None
        secret = _secret(profile) if variable is None else ""
        is_usable = bool(secret) or variable is not None
        if is_usable and (id_ not in configured or _agrees(configured[id_], profile, is_for)):
            yield Profile(path, id_, secret, variable)


def _agrees(listed: Any, profile: AuthProfile, is_for: Callable[[str], bool]) -> bool:
    """Return whether a profile of the config describes the one with its id in the file."""
    mode, kind = string(listed, ("mode",)), profile.type
    return is_for(string(listed, ("provider",))) and (mode == kind or (mode == "oauth" and kind == "token"))


def _secret(profile: AuthProfile) -> str:
    """Return the secret that the provider is asked with; empty if the product ignores the profile."""
    if profile.type == "api_key":
        return profile.key.strip()
    if profile.type == "oauth":
        return profile.access.strip() or profile.refresh.strip()
    expired = profile.expires is not None and profile.expires <= time.time() * 1000
    return profile.token.strip() if profile.type == "token" and not expired else ""


def _ordered(product: Product, orders: Any, provider: str) -> Sequence[str] | None:
    """Return the ids in the order for the provider; None if there is no order for it."""
    for name, ids in orders.items() if isinstance(orders, Mapping) else ():
        if provider_id(name, product.provider_spellings) == provider and isinstance(ids, list):
            return [id_ for id_ in ids if isinstance(id_, str)]
    return None


def _of_file(path: str) -> Store:
    """What is in a file; nothing where the product could not read it either."""
    try:
        with open(path, encoding="utf-8", errors="replace", opener=open_without_blocking) as file:
            value = json.load(file)
    except (OSError, ValueError, RecursionError):
        return Store()
    return _store(path, agent_files.parse_auth_profiles(value))


def _store(path: str, found: AuthProfiles) -> Store:
    return Store({id_: (path, profile) for id_, profile in found.profiles.items()}, found.order)
