#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_reload
short_description: Have a running gateway read the keys in files again
version_added: 0.1.0
description:
  - Has OpenClaw read the files with keys again that its config refers to, as C(openclaw secrets reload) does. The
    process stays the same, and continues to answer chat messages.
  - Fails if the gateway could not read one of the keys. It then keeps the old one.
  - Clawdbot has no such method, and is rejected.
author:
  - clawfleet.clawdbot contributors (@clawfleet)
attributes:
  check_mode:
    description: The gateway is not asked.
    support: full
  diff_mode:
    description: The keys that the gateway holds are not shown.
    support: none
  idempotent:
    description: What the gateway holds is not known, so it reads the keys in any case.
    support: none
extends_documentation_fragment:
  - clawfleet.clawdbot._gateway
options:
  program:
    description: The command that runs the CLI, RV(clawfleet.clawdbot.gateway_info#module:program).
    type: list
    elements: str
    required: true
  service_manager:
    description:
      - What keeps the gateway running. The CLI is run in the environment of the gateway's process, which can have a
        token from its unit alone.
      - V(command) stands for anything but systemd. The process is then found by the lock file of the running gateway.
    type: str
    choices: [systemd_user, systemd_system, command]
    default: systemd_user
  service_name:
    description: The name of the unit. If not set, the one that the product's own installation uses.
    type: str
  timeout:
    description: How many seconds to wait for the answer.
    type: float
    default: 60
seealso:
  - module: clawfleet.clawdbot.provider_config
"""

EXAMPLES = r"""
- name: Have the gateway read its keys again
  clawfleet.clawdbot.gateway_reload:
    program: "{{ gateway.program }}"
"""

RETURN = r"""
"""

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import main as shared
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module.gateway_reload import ARGUMENT_SPEC, run


def main() -> None:
    shared.main(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
