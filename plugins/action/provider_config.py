# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin of provider_config: runs the module on the host, where no other account may read the keys."""

from __future__ import annotations

from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._key_action import KeyAction


class ActionModule(KeyAction):
    """The action plugin of the module provider_config."""

    key_options = ("env", "keys", "providers")
