# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations


class ModuleDocFragment:
    """The options of modules that gather the state of a gateway: `STATE_ARGUMENTS` of module_utils/_module."""

    DOCUMENTATION = r"""
options:
  service_manager:
    description:
      - What keeps the gateway running.
      - V(command) stands for anything but systemd. The process is then found by the lock file of the running gateway.
    type: str
    choices: [systemd_user, systemd_system, command]
    default: systemd_user
  service_name:
    description: The name of the unit. If not set, the one that the product's own installation uses.
    type: str
  account:
    description:
      - The account that the gateway runs under. The module fails if it runs as another one, because a variable such as
        C(ansible_become_user) takes precedence over the C(become_user) of the task.
    type: str
  variables:
    description: Names of environment variables to trace.
    type: list
    elements: str
    default: []
  providers:
    description:
      - Id of a provider to the name of the environment variable that its C(apiKey) in the config refers to.
      - These are traced too, and RV(clawfleet.clawdbot.gateway_info#module:providers) contains the keys that the
        gateway uses in place of theirs.
    type: dict
    default: {}
  secret_backend:
    description:
      - Where the keys of O(providers) are kept - with V(env) in C(.env), with V(file) in C(clawfleet-keys.json) beside
        it.
      - What sets one of their environment variables elsewhere takes precedence over that file.
    type: str
    choices: [env, file]
    default: env
  models:
    description: List of C(provider/model) that the running gateway must list. If empty, it is not asked.
    type: list
    elements: str
    default: []
  written_config:
    description:
      - RV(clawfleet.clawdbot.provider_config#module:config_digest) of the run that has written the config. If OpenClaw
        has replaced that config by an older one since, the result says so.
    type: str
  wait:
    description:
      - How many seconds to wait at most until the gateway answers and needs no restart.
      - The module does not wait for a unit that has failed and that systemd does not restart. It gives up on a unit
        that systemd has restarted five times meanwhile.
    type: float
    default: 0
"""
