#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_migrate
short_description: Copy the state of a gateway of Clawdbot for OpenClaw
version_added: 0.1.0
description:
  - Copies the state directory of Clawdbot to that of OpenClaw, with a config and a C(.env) that OpenClaw takes. The
    original is not written to. It is moved only after the migration is confirmed.
  - What OpenClaw rejects is converted where that needs no judgement. The rest is returned in RV(blockers), and
    nothing is copied then.
  - Neither starts nor stops a gateway. The role P(clawfleet.clawdbot.gateway#role) does that in its entry point
    C(migrate).
author:
  - clawfleet.clawdbot contributors (@clawfleet)
attributes:
  check_mode:
    description: Returns the same, and changes nothing.
    support: full
  diff_mode:
    description: Both files contain keys. What changes in them is in RV(changes) and RV(lost), without values.
    support: none
  idempotent:
    description: Where there is nothing to migrate, or the copy is there already, nothing is changed.
    support: full
options:
  state:
    description:
      - V(copied) makes the copy. Stop the gateway of Clawdbot before.
      - V(confirmed) moves the original into the copy, once the gateway of OpenClaw was verified.
      - V(removed) removes a copy that is not confirmed. Stop the gateway of OpenClaw before.
    type: str
    choices: [copied, confirmed, removed]
    default: copied
  state_dir:
    description: The state directory of OpenClaw. By default, C(~/.openclaw).
    type: path
  clawdbot_state_dir:
    description: The state directory of Clawdbot. By default, C(~/.clawdbot).
    type: path
  clawdbot_service_name:
    description: The name of the unit of Clawdbot without C(.service).
    type: str
    default: clawdbot-gateway
  service_name:
    description: The name of the unit that OpenClaw will have, without C(.service).
    type: str
    default: openclaw-gateway
  service_manager:
    description: Whether both units are the account's or the host's.
    type: str
    choices: [systemd_user, systemd_system]
    default: systemd_user
  port:
    description: The port on which OpenClaw will listen. It must be the one on which Clawdbot listens.
    type: int
    required: true
  bind:
    description: The addresses on which OpenClaw will listen, as the config names them. They must be those of Clawdbot.
    type: str
    default: loopback
  program:
    description:
      - The command that runs the CLI of OpenClaw, which checks the new config before anything is copied. If omitted,
        the config is not checked.
    type: list
    elements: str
    default: []
seealso:
  - module: clawfleet.clawdbot.gateway_info
  - module: clawfleet.clawdbot.gateway_config
"""

EXAMPLES = r"""
- name: Show what a migration changes, and what is lost
  clawfleet.clawdbot.gateway_migrate:
    port: 18789
    program: [/opt/openclaw/node-npm-24/bin/node, /opt/openclaw/2026.9.6/node_modules/openclaw/openclaw.mjs]
  check_mode: true
"""

RETURN = r"""
status:
  description:
    - V(absent) if there is nothing to migrate, V(due) if there is, V(interrupted) if a run has made the copy and was
      not completed.
  returned: always
  type: str
  sample: due
source:
  description: The state directory of Clawdbot.
  returned: always
  type: str
  sample: /home/gateway/.clawdbot
target:
  description: The state directory of OpenClaw.
  returned: always
  type: str
  sample: /home/gateway/.openclaw
archive:
  description: The directory in which the state directory of Clawdbot is kept after the migration.
  returned: always
  type: str
  sample: /home/gateway/.openclaw/clawdbot-before-migration
active:
  description: Whether the unit of Clawdbot runs.
  returned: always
  type: bool
  sample: true
enabled:
  description: Whether the unit of Clawdbot is enabled, or was before an interrupted run.
  returned: always
  type: bool
  sample: true
model:
  description: The model with which the gateway can be verified. Empty if the config chooses none.
  returned: always
  type: str
  sample: moonshot/kimi-k3
changes:
  description: What is changed, in sentences without values.
  returned: always
  type: list
  elements: str
  sample: ["env.A becomes env.vars.A."]
lost:
  description: What OpenClaw does not get, in sentences without values.
  returned: always
  type: list
  elements: str
  sample: ["meta.lastTouchedAt is removed: OpenClaw has no such setting."]
blockers:
  description: Why the host cannot be migrated, and what to do.
  returned: always
  type: list
  elements: str
  sample: []
"""

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import main as shared
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module.gateway_migrate import ARGUMENT_SPEC, run


def main() -> None:
    shared.main(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
