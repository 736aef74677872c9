# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations


class ModuleDocFragment:
    """Which gateway a module is about, as module_utils/_product.py GATEWAY_ARGUMENTS takes it."""

    DOCUMENTATION = r"""
options:
  product:
    description: What the gateway is; V(auto) looks which product's state folder is there.
    type: str
    choices: [auto, clawdbot]
    default: auto
  state_dir:
    description:
      - The gateway's state folder. Not given, the product's own in the home of the account that the module runs under.
    type: path
  config_path:
    description: The gateway's config. Not given, the product's own in O(state_dir).
    type: path
  env_path:
    description: The gateway's C(.env). Not given, the one in O(state_dir).
    type: path
"""
