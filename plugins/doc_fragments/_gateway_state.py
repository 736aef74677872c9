# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations


class ModuleDocFragment:
    """What is to be seen of a gateway, as module_utils/_module/gateway_state.py STATE_ARGUMENTS takes it."""

    DOCUMENTATION = r"""
options:
  service_manager:
    description:
      - What keeps the gateway running.
      - With V(command), which stands for anything but systemd, its process is found by the lock that a running gateway
        keeps.
    type: str
    choices: [systemd_user, systemd_system, command]
    default: systemd_user
  service_name:
    description: The unit's name. Not given, the one that the product's own installation uses.
    type: str
  variables:
    description: Names of variables to trace.
    type: list
    elements: str
    default: []
  providers:
    description:
      - Id of a provider to the name of the variable that its C(apiKey) in the config refers to.
      - These variables are traced too, and RV(clawfleet.clawdbot.gateway_info#module:providers) tells what the product
        takes for a key in place of theirs.
    type: dict
    default: {}
  models:
    description: List of C(provider/model) which the running gateway has to list. Not given, it is not asked.
    type: list
    elements: str
    default: []
  wait:
    description:
      - How many seconds to wait at the most until the gateway answers and needs no restart.
      - A unit that has failed, and that systemd starts no more, is not waited for. One that systemd starts again and
        again is waited for until it has ended five times.
    type: float
    default: 0
"""
