# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Which keys a gateway uses in place of the environment variables that its config refers to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import provider_id
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Product
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from . import auth_profiles
from .env_sources import EnvSources, trace
from .info import OverrideInfo, ProviderInfo


def provider_overrides(
    product: Product, paths: Paths, config: Any, sources: EnvSources, providers: Mapping[str, str]
) -> dict[str, ProviderInfo]:
    """Return for each provider its environment variable, and the keys that take precedence over it, the first first.

    `providers`: provider -> the environment variable that the config refers to.
    """
    agents = auth_profiles.stores(paths.state_dir, config) if providers else []
    return {
        provider: {
            "variable": variable,
            "overridden_by": [
                *(
                    _override("auth_profile", profile.id, profile.path, profile.secret)
                    for profile in auth_profiles.used(product, agents, config, provider)
                ),
                *_known_variable(product, sources, provider, variable),
            ],
        }
        for provider, variable in providers.items()
    }


def _known_variable(product: Product, sources: EnvSources, provider: str, variable: str) -> Iterator[OverrideInfo]:
    """Yield the first variable with a value of those that the product reads for the provider before `variable`."""
    for name in product.key_variables.get(provider_id(provider, product.provider_spellings), ()):
        if name == variable:
            return
        place, value = next(iter(trace(name, sources).sources), ("", None))
        if value and value.strip():
            yield _override("variable", name, place, value.strip())
            return


def _override(kind: Literal["auth_profile", "variable"], name: str, place: str, value: str) -> OverrideInfo:
    return {"kind": kind, "name": name, "place": place, "fingerprint": fingerprint(value)}
