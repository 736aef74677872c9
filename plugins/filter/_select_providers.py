# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible.utils.display import Display
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.key_files import Backend
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._selection import Selection, select, select_removed
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._validation import Variables

_display = Display()


def select_providers(
    enabled: Any,
    catalogue: Any,
    overrides: Any,
    api_keys: Any,
    aliases: Any,
    default_model: Any = None,
    fallback_models: Any = None,
    product: str = "auto",
    left_out: Any = None,
    backend: Backend = "env",
) -> Selection:
    """Return the selection of a host, or everything that is wrong with its variables.

    Its warnings are shown once for all hosts.
    """
    selection = select(
        Variables(
            enabled,
            catalogue,
            overrides,
            api_keys,
            aliases,
            default_model,
            fallback_models,
            product,
            left_out or {},
            backend,
        )
    )
    for warning in selection.get("warnings", []):
        _display.warning(warning)
    return selection


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {"_select_providers": select_providers, "_select_removed_providers": select_removed}
