#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_config
short_description: Manage the address, token and plugins of a gateway
version_added: 0.1.0
description:
  - Sets C(gateway.mode), C(gateway.port), C(gateway.bind) and C(gateway.auth.mode) in the gateway's config, and
    makes sure that the gateway has a token. Everything else in both files is kept, byte for byte.
  - The token is stored in C(.env), not in the config, because C(gateway install) copies a token from the config into
    the unit. A token that is already in the config is kept there, and so is a password, unless O(token) is set.
  - Enables the plugins in O(plugins). OpenClaw asks npm for the plugins C(moonshot) and C(kimi) at each start, so they
    are disabled where the config neither enables nor disables them.
  - Both files are edited as M(clawfleet.clawdbot.provider_config) edits them, with the same rollback journal, so that
    its O(clawfleet.clawdbot.provider_config#module:state=rolled_back) and
    O(clawfleet.clawdbot.provider_config#module:state=confirmed) work for this module too.
  - A missing state directory is created with mode C(0700). New files have mode C(0600).
author:
  - clawfleet.clawdbot contributors (@clawfleet)
extends_documentation_fragment:
  - clawfleet.clawdbot._gateway
attributes:
  check_mode:
    description: Makes and validates the same plan, and changes no file.
    support: full
  diff_mode:
    description: Shows the managed parts of both files, with a fingerprint in place of a token.
    support: full
  idempotent:
    description: A file that is up to date is not written.
    support: full
options:
  port:
    description: The port that the gateway listens on.
    type: int
    required: true
  bind:
    description: The addresses that it listens on, as the config names them.
    type: str
    choices: [loopback, lan, tailnet, auto]
    default: loopback
  token:
    description:
      - The token that clients must send. If omitted, the gateway's own is kept. If it has none, one is created on the
        host and never shown.
    type: str
  config_readonly:
    description:
      - Whether OpenClaw rejects its own writes to the config, by C(OPENCLAW_CONFIG_READONLY) in C(.env), which its
        gateway and its CLI read. If omitted, C(.env) is kept. Clawdbot cannot do that.
    type: bool
  plugins:
    description:
      - The ids of plugins that are installed, to enable them.
    type: list
    elements: str
    default: []
  program:
    description:
      - The command that runs the gateway's CLI, which validates the new config before it replaces the old one. If
        omitted, the config is not validated.
    type: list
    elements: str
    default: []
  check_unchanged:
    description:
      - Whether O(program) validates an unchanged config too, for example before an upgrade.
    type: bool
    default: false
seealso:
  - module: clawfleet.clawdbot.gateway_info
  - module: clawfleet.clawdbot.provider_config
"""

EXAMPLES = r"""
- name: Make the gateway listen on this host only, and require a token
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
  description: Whether a rollback journal is kept, after a change or an interrupted run.
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
