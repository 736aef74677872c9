#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_check
short_description: Prove that a Clawdbot gateway works on its new files, and give up the old ones
version_added: 0.1.0
description:
  - Waits until the gateway is up, on the keys of its files, and lists its models, and fails with all that is wrong
    where it does not come to that.
  - Then drops what M(clawfleet.clawdbot.provider_config) has kept for going back.
author:
  - clawfleet.clawdbot contributors (@clawfleet)
attributes:
  check_mode:
    description: Proves the gateway, and drops nothing.
    support: full
  diff_mode:
    description: What is dropped holds keys, and is no part of the gateway's state.
    support: none
  idempotent:
    description: Changes nothing of the gateway.
    support: full
extends_documentation_fragment:
  - clawfleet.clawdbot._gateway
  - clawfleet.clawdbot._gateway_state
options:
  fingerprints:
    description: Name of a variable to the fingerprint of the key that the gateway shall take from it.
    type: dict
    default: {}
  confirm:
    description: Whether to drop what was kept for going back. Set it to V(false) where there is more to prove.
    type: bool
    default: true
seealso:
  - module: clawfleet.clawdbot.gateway_info
  - module: clawfleet.clawdbot.provider_config
"""

EXAMPLES = r"""
- name: Prove that the restarted gateway works
  clawfleet.clawdbot.gateway_check:
    providers:
      moonshot: MOONSHOT_API_KEY
    fingerprints:
      MOONSHOT_API_KEY: "sha256:1b7c64e0f7a5"
    models: [moonshot/kimi-k2.5]
    wait: 300
"""

RETURN = r"""
answers:
  description: This, and all else that M(clawfleet.clawdbot.gateway_info) returns; also where the proof fails.
  returned: success
  type: bool
  sample: true
"""

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import main as shared
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module.gateway_check import ARGUMENT_SPEC, run


def main() -> None:
    shared.main(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
