#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_config
short_description: The own settings of a Clawdbot gateway, where it listens and what a client has to show
version_added: 0.1.0
description:
  - Sets C(gateway.mode), C(gateway.port), C(gateway.bind) and C(gateway.auth.mode) in the gateway's config, and sees to
    it that the gateway has a token. Everything else in both files stays as it is, byte for byte.
  - The token stands in C(.env), and not in the config, from where the product's own installation copies it into the
    unit. One that stands in the config already stays there, unless O(token) is given. A gateway that asks for a
    password goes on doing so, unless O(token) is given.
  - Both files are edited as M(clawfleet.clawdbot.provider_config) edits them, with the same record for going back, so
    that its O(clawfleet.clawdbot.provider_config#module:state=rolled_back) and
    O(clawfleet.clawdbot.provider_config#module:state=confirmed) are for this module too.
  - The state folder is made with mode C(0700) where there is none. New files have mode C(0600).
author:
  - clawfleet.clawdbot contributors (@clawfleet)
extends_documentation_fragment:
  - clawfleet.clawdbot._gateway
attributes:
  check_mode:
    description: Makes the same plan, has it checked by the product, and changes neither file.
    support: full
  diff_mode:
    description: Shows the managed parts of both files, with a fingerprint in place of a token.
    support: full
  idempotent:
    description: A file that already is as asked is not written.
    support: full
options:
  port:
    description: The port that the gateway listens on.
    type: int
    required: true
  bind:
    description: The addresses that it listens on, as the product names them.
    type: str
    choices: [loopback, lan, tailnet, auto]
    default: loopback
  token:
    description:
      - What a client has to show. Not given, the gateway's own stays; where it has none, one is made on the host, and
        never shown.
    type: str
  program:
    description:
      - The command that runs the product's program, which judges the config before it replaces the old one. Not given,
        nothing judges it.
    type: list
    elements: str
    default: []
  check_unchanged:
    description:
      - Whether O(program) judges a config that stays as it is too, as before another version is started on it.
    type: bool
    default: false
seealso:
  - module: clawfleet.clawdbot.gateway_info
  - module: clawfleet.clawdbot.provider_config
"""

EXAMPLES = r"""
- name: Have the gateway listen on this host alone, and ask for a token
  clawfleet.clawdbot.gateway_config:
    port: 18789
    bind: loopback
"""

RETURN = r"""
config_changed:
  description: Whether the config was changed.
  returned: success
  type: bool
  sample: true
env_changed:
  description: Whether C(.env) was changed.
  returned: success
  type: bool
  sample: true
unconfirmed:
  description: Whether a record of what stood in the files before is kept, as after a change, or after a run that died.
  returned: success
  type: bool
  sample: true
diff:
  description: The managed parts of both files before and after, with fingerprints in place of secrets.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import main as shared
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module.gateway_config import ARGUMENT_SPEC, run


def main() -> None:
    shared.main(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
