#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_proof
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
  - clawfleet.clawdbot._gateway_info
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
  clawfleet.clawdbot.gateway_proof:
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

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import apply
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.diagnosis import faults
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import gateway_info

ARGUMENT_SPEC = {
    **gateway_info.ARGUMENT_SPEC,
    "fingerprints": {"type": "dict", "default": {}},
    "confirm": {"type": "bool", "default": True},
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        seen = gateway_info.run(module.params)
        found = faults(seen, module.params["fingerprints"])
        if found:
            module.fail_json(msg=" ".join(found), **seen)
        if module.params["confirm"]:
            files = apply.Files(seen["config_path"], seen["env_path"])
            apply.confirmed(files, check_mode=module.check_mode)
    except gateway_info.NoListingError as exc:
        module.fail_json(msg=str(exc), **exc.seen)
    except ClawdbotError as exc:
        module.fail_json(msg=str(exc))
    # What was kept is no part of the gateway's state.
    module.exit_json(changed=False, **seen)


if __name__ == "__main__":
    main()
