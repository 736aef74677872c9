# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations


class ModuleDocFragment:
    """The options that name a gateway: GATEWAY_ARGUMENTS of module_utils/_module/arguments.py."""

    DOCUMENTATION = r"""
options:
  product:
    description:
      - The product that the gateway is.
      - V(auto) finds it by the files in O(state_dir), else by the state directory of the account. A directory that
        OpenClaw has taken over from Clawdbot is OpenClaw's. An account with one directory of each is rejected.
    type: str
    choices: [auto, clawdbot, openclaw]
    default: auto
  state_dir:
    description:
      - The gateway's state directory. By default, the product's own in the home of the account that runs the module.
    type: path
  config_path:
    description:
      - The gateway's config. By default, the product's own in O(state_dir). For OpenClaw this is C(clawdbot.json) where
        C(openclaw.json) does not exist.
    type: path
  env_path:
    description: The gateway's C(.env). By default, the one in O(state_dir).
    type: path
"""
