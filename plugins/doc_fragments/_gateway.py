# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations


class ModuleDocFragment:
    """Which gateway a module is about, as module_utils/_module/arguments.py GATEWAY_ARGUMENTS takes it."""

    DOCUMENTATION = r"""
options:
  product:
    description:
      - What the gateway is, by the name of its program.
      - V(auto) tells it by O(state_dir), else by the state folder that the account has. A folder that OpenClaw has
        taken over from Clawdbot is OpenClaw's. An account that has one of each is refused.
    type: str
    choices: [auto, clawdbot, openclaw]
    default: auto
  state_dir:
    description:
      - The gateway's state folder. Not given, the product's own in the home of the account that the module runs under.
    type: path
  config_path:
    description:
      - The gateway's config. Not given, the product's own in O(state_dir), which is C(clawdbot.json) for OpenClaw too
        where that is there alone.
    type: path
  env_path:
    description: The gateway's C(.env). Not given, the one in O(state_dir).
    type: path
"""
