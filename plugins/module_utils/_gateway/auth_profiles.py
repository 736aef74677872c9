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

import glob
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import open_without_blocking
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import MAIN_AGENT, Product

_FILE = "auth-profiles.json"


@dataclass(frozen=True)
class Profile:
    """One profile that the product uses for a provider."""

    path: str
    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Store:
    """The profiles of one agent, or of one agent over the main one's, as they stand in files."""

    #: Id -> its file and what is in it.
    profiles: Mapping[str, tuple[str, Mapping[str, Any]]] = field(repr=False)
    #: Provider, in any spelling -> ids.
    order: Mapping[str, Sequence[str]]

    def over(self, main: Store) -> Store:
        """This agent's profiles together with the main agent's."""
        return Store({**main.profiles, **self.profiles}, {**main.order, **self.order})


def stores(state_dir: str, config: Any) -> list[Store]:
    """Return the profiles of each agent, of the main agent first, even if it has no file."""
    folders = glob.glob(os.path.join(glob.escape(state_dir), "agents", "*", "agent"))
    agents = at(config, ("agents", "list"))
    for agent in agents if isinstance(agents, list) else []:
        folder = at(agent, ("agentDir",))
        if isinstance(folder, str):
            folders.append(os.path.abspath(os.path.expanduser(folder.strip())))
    main_folder = os.path.join(state_dir, "agents", MAIN_AGENT, "agent")
    main = _store(os.path.join(main_folder, _FILE))
    others = [_store(os.path.join(folder, _FILE)) for folder in sorted(set(folders) - {main_folder})]
    return [main, *(other.over(main) for other in others)]


def used(product: Product, agents: Sequence[Store], config: Any, provider: str) -> list[Profile]:
    """Return the profiles that the agents use for the provider, each once."""
    found = [profile for store in agents for profile in _used(product, store, config, product.provider(provider))]
    return list(dict.fromkeys(found))


def _used(product: Product, store: Store, config: Any, provider: str) -> Iterator[Profile]:
    listed = at(config, ("auth", "profiles"))
    configured: Mapping[str, Any] = listed if isinstance(listed, dict) else {}

    def is_for(credential: Any) -> bool:
        name = at(credential, ("provider",))
        return isinstance(name, str) and product.provider(name) == provider

    order = _ordered(product, store.order, provider)
    if order is None:
        order = _ordered(product, at(config, ("auth", "order")), provider)
    if order is None:
        order = [id_ for id_, credential in configured.items() if is_for(credential)] or list(store.profiles)
    for id_ in order:
        path, credential = store.profiles.get(id_, ("", {}))
        secret = _secret(credential)
        if secret and is_for(credential) and (id_ not in configured or _agrees(configured[id_], credential, is_for)):
            yield Profile(path, id_, secret)


def _agrees(listed: Any, credential: Mapping[str, Any], is_for: Callable[[Any], bool]) -> bool:
    """Return whether a profile of the config describes the one with its id in the file."""
    mode, kind = at(listed, ("mode",)), credential["type"]
    return is_for(listed) and (mode == kind or (mode == "oauth" and kind == "token"))


def _secret(credential: Mapping[str, Any]) -> str:
    """Return the secret that the provider is asked with; empty if the product ignores the profile."""
    if credential.get("type") == "api_key":
        return _text(credential, "key")
    if credential.get("type") == "oauth":
        return _text(credential, "access") or _text(credential, "refresh")
    expires = credential.get("expires")
    if isinstance(expires, (int, float)) and 0 < expires <= time.time() * 1000:
        return ""
    return _text(credential, "token") if credential.get("type") == "token" else ""


def _text(credential: Mapping[str, Any], name: str) -> str:
    value = credential.get(name)
    return value.strip() if isinstance(value, str) else ""


def _ordered(product: Product, orders: Any, provider: str) -> Sequence[str] | None:
    """Return the ids in the order for the provider; None if there is no order for it."""
    for name, ids in orders.items() if isinstance(orders, Mapping) else ():
        if product.provider(name) == provider and isinstance(ids, list):
            return [id_ for id_ in ids if isinstance(id_, str)]
    return None


def _store(path: str) -> Store:
    """What is in a file; nothing where the product could not read it either."""
    try:
        with open(path, encoding="utf-8", errors="replace", opener=open_without_blocking) as file:
            value = json.load(file)
    except (OSError, ValueError, RecursionError):
        return Store({}, {})
    profiles, orders = at(value, ("profiles",)), at(value, ("order",))
    return Store(
        {
            id_: (path, credential)
            for id_, credential in (profiles.items() if isinstance(profiles, dict) else ())
            if isinstance(credential, dict)
        },
        {
            provider: [id_.strip() for id_ in ids if isinstance(id_, str) and id_.strip()]
            for provider, ids in (orders.items() if isinstance(orders, dict) else ())
            if isinstance(ids, list) and any(isinstance(id_, str) and id_.strip() for id_ in ids)
        },
    )
