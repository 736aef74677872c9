# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The auth profiles that the product uses for a provider. They override every environment variable and the config.

See the product's agents/auth-profiles/order.js and store.js. All agents have the main agent's profiles, and an agent's
own take precedence over them. An order in the file takes precedence over one in the config. Without either, the
config's list of profiles says which are used. Of several, the product uses a different one from message to message.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import provider_id
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import at, elements, members, string
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import agent_files
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.agent_files import AUTH_PROFILES, AuthProfile
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
    """The profiles of one agent, or of one agent over the main one's, as they stand in files."""

    #: Id -> its file, and the profile.
    profiles: Mapping[str, tuple[str, AuthProfile]]
    #: Provider, in any spelling -> ids.
    order: Mapping[str, Sequence[str]]

    def over(self, main: Store) -> Store:
        """This agent's profiles together with the main agent's."""
        return Store({**main.profiles, **self.profiles}, {**main.order, **self.order})


def stores(state_dir: str, config: Any) -> list[Store]:
    """Return the profiles of each agent, of the main agent first, even if it has no file."""
    directories = agent_files.directories(state_dir)
    for agent in elements(config, ("agents", "list")):
        directory = at(agent, ("agentDir",))
        if isinstance(directory, str):
            directories.append(os.path.abspath(os.path.expanduser(directory.strip())))
    main_directory = os.path.join(state_dir, "agents", MAIN_AGENT, "agent")
    main = _store(os.path.join(main_directory, AUTH_PROFILES))
    others = [
        _store(os.path.join(directory, AUTH_PROFILES)) for directory in sorted(set(directories) - {main_directory})
    ]
    return [main, *(other.over(main) for other in others)]


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

    order = _ordered(product, store.order, provider)
    if order is None:
        order = _ordered(product, at(config, ("auth", "order")), provider)
    if order is None:
        named = [id_ for id_, listed in configured.items() if is_for(string(listed, ("provider",)))]
        order = named or list(store.profiles)
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


def _store(path: str) -> Store:
    """What is in a file; nothing where the product could not read it either."""
    try:
        with open(path, encoding="utf-8", errors="replace", opener=open_without_blocking) as file:
            value = json.load(file)
    except (OSError, ValueError, RecursionError):
        return Store({}, {})
    file_ = agent_files.parse_auth_profiles(value)
    return Store({id_: (path, profile) for id_, profile in file_.profiles.items()}, file_.order)
