# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Which keys a gateway uses in place of the environment variables that its config refers to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import provider_id
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Product
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from . import auth_profiles
from .auth_profiles import Profile
from .env_sources import EnvSources, trace
from .info import UNKNOWN, OverrideInfo, ProviderInfo


class Overrides(NamedTuple):
    """The providers of a gateway. `unreadable`: why a store of auth profiles could not be read, with its path."""

    providers: dict[str, ProviderInfo]
    unreadable: list[str]


def provider_overrides(
    product: Product,
    paths: Paths,
    config: Any,
    sources: EnvSources,
    providers: Mapping[str, str],
    fingerprints: Mapping[str, str],
) -> Overrides:
    """Return for each provider its environment variable, and the keys that take precedence over it, the first first.

    `providers`: provider -> the environment variable that the config refers to. `fingerprints`: environment variable ->
    fingerprint of the key that it should hold.
    """
    if not providers:
        return Overrides({}, [])
    agents, unreadable = auth_profiles.stores(product, paths.state_dir, config)
    found: dict[str, ProviderInfo] = {
        provider: {
            "variable": variable,
            "overridden_by": [
                *_profiles(auth_profiles.used(product, agents, config, provider), sources, variable, fingerprints),
                *_known_variable(product, sources, provider, variable),
            ],
        }
        for provider, variable in providers.items()
    }
    return Overrides(found, unreadable)


def _profiles(
    profiles: Iterable[Profile], sources: EnvSources, variable: str, fingerprints: Mapping[str, str]
) -> Iterator[OverrideInfo]:
    """Yield the auth profiles, but those that refer to the variable itself, or to one that should hold the same key."""
    for profile in profiles:
        if profile.variable is None:
            yield _override("auth_profile", profile.id, profile.path, fingerprint(profile.secret))
            continue
        desired = fingerprints.get(profile.variable)
        if profile.variable == variable or (desired is not None and desired == fingerprints.get(variable)):
            continue
        name = f"{profile.id}, which refers to {profile.variable or 'another place'},"
        _place, value = next(iter(trace(profile.variable, sources).sources), ("", None))
        yield _override("auth_profile", name, profile.path, fingerprint(value) if value else UNKNOWN)


def _known_variable(product: Product, sources: EnvSources, provider: str, variable: str) -> Iterator[OverrideInfo]:
    """Yield the first variable with a value of those that the product reads for the provider before `variable`."""
    for name in product.key_variables.get(provider_id(provider, product.provider_spellings), ()):
        if name == variable:
            return
        place, value = next(iter(trace(name, sources).sources), ("", None))
        if value and value.strip():
            yield _override("variable", name, place, fingerprint(value.strip()))
            return


def _override(kind: Literal["auth_profile", "variable"], name: str, place: str, key: str) -> OverrideInfo:
    return {"kind": kind, "name": name, "place": place, "fingerprint": key}
