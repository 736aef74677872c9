# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The proxies through which a gateway asks its endpoints, so that a host can ask them in the same way.

Node ignores proxy variables unless it is told to use them. OpenClaw installs undici's EnvHttpProxyAgent for them (its
infra/net/proxy-env.ts): names in lower case take precedence, also empty ones, HTTPS falls back to the proxy of HTTP,
and both to that of ALL_PROXY.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Product

from .env_sources import EnvSources, trace

_PROXY_NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_NAMES = (*_PROXY_NAMES, *map(str.upper, _PROXY_NAMES))
#: Makes Node itself use them, as of 22.21 and 24.
_NODE_SWITCH = "NODE_USE_ENV_PROXY"


def gateway_proxies(product: Product, sources: EnvSources) -> dict[str, str] | None:
    """Return the variables with which urllib uses the proxies of a gateway; None where its environment is unknown."""
    process = sources.process
    if sources.unit is None and (process is None or process.environment is None):
        return None
    held: dict[str, str] = {}
    for name in (*_NAMES, _NODE_SWITCH):
        _place, value = next(iter(trace(name, sources).sources), ("", None))
        if value is not None:
            held[name] = value
    return proxies_of(product, held)


def proxies_of(product: Product, held: Mapping[str, str]) -> dict[str, str]:
    """Return the same for the environment variables of a process."""
    if not product.uses_proxies and held.get(_NODE_SWITCH) != "1":
        return {}
    http, https, other, exceptions = (held.get(name, held.get(name.upper(), "")).strip() for name in _PROXY_NAMES)
    http = http or (other if product.uses_proxies else "")
    # urllib knows suffixes without `*`, separated by commas.
    entries = (entry if entry == "*" else entry.removeprefix("*") for entry in exceptions.replace(",", " ").split())
    found = {"http_proxy": http, "https_proxy": https or http, "no_proxy": ",".join(entries)}
    return {name: value for name, value in found.items() if value}


def use_proxies(environment: MutableMapping[str, str], proxies: Mapping[str, str]) -> None:
    """Give an environment these proxies in place of its own."""
    for name in _NAMES:
        environment.pop(name, None)
    environment.update(proxies)
