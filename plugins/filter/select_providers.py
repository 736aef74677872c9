# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._selection import Variables, select


def select_providers(
    enabled: Sequence[str],
    catalogue: Mapping[str, Any],
    overrides: Mapping[str, Any],
    api_keys: Mapping[str, Any],
    aliases: Mapping[str, Any],
    default_model: str | None = None,
    fallback_models: Sequence[str] | None = None,
    product: str = "auto",
) -> dict[str, Any]:
    """The selection of a host as C(_selection.select) makes it."""
    for name, value, kind in (
        ("providers_enabled", enabled, list),
        ("providers_catalogue", catalogue, Mapping),
        ("providers_overrides", overrides, Mapping),
        ("providers_api_keys", api_keys, Mapping),
        ("providers_aliases", aliases, Mapping),
    ):
        if not isinstance(value, kind):
            raise AnsibleFilterError(f"{name} is not a {'list' if kind is list else 'dictionary'}.")
    return select(Variables(enabled, catalogue, overrides, api_keys, aliases, default_model, fallback_models, product))


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {"select_providers": select_providers}
