#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_check
short_description: Wait until a gateway is healthy and confirm the change
version_added: 0.1.0
description:
  - Waits until the gateway answers, uses the keys of its files and lists its models. Fails with all problems if it does
    not become healthy in time.
  - Then removes the rollback journal of M(clawfleet.clawdbot.provider_config), which confirms the change of the files.
author:
  - clawfleet.clawdbot contributors (@clawfleet)
attributes:
  check_mode:
    description: Checks the gateway and keeps the rollback journal.
    support: full
  diff_mode:
    description: The rollback journal contains keys and is not part of the gateway's state.
    support: none
  idempotent:
    description: Never changes the gateway.
    support: full
extends_documentation_fragment:
  - clawfleet.clawdbot._gateway
  - clawfleet.clawdbot._gateway_state
options:
  fingerprints:
    description: Environment variable to the fingerprint of the key that the gateway should use from it.
    type: dict
    default: {}
  confirm:
    description: Whether to remove the rollback journal. Set to V(false) if more checks follow.
    type: bool
    default: true
seealso:
  - module: clawfleet.clawdbot.gateway_info
  - module: clawfleet.clawdbot.provider_config
"""

EXAMPLES = r"""
- name: Wait until the restarted gateway is healthy
  clawfleet.clawdbot.gateway_check:
    providers:
      moonshot: MOONSHOT_API_KEY
    fingerprints:
      MOONSHOT_API_KEY: "sha256:1b7c64e0f7a5"
    models: [moonshot/kimi-k3]
    wait: 300
"""

RETURN = r"""
answers:
  description:
    - Whether the gateway answers. All other values of M(clawfleet.clawdbot.gateway_info) are returned too.
  returned: always
  type: bool
  sample: true
"""

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import main as shared
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module.gateway_check import ARGUMENT_SPEC, run


def main() -> None:
    shared.main(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
