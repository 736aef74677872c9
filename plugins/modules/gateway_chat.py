#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_chat
short_description: Get a real answer from models through a running Clawdbot gateway
version_added: 0.1.0
description:
  - Sends one short message to each model, through the running gateway, and tells whether that very model has answered.
    It is the whole way that a person's message takes, with the key that the gateway's process has in memory.
  - The product itself calls a turn C(ok) that the provider has refused, or answered with nothing; this module does not.
  - Each message costs a few tokens of the account, and is sent in a session of its own that is removed afterwards.
author:
  - clawfleet.clawdbot contributors (@clawfleet)
attributes:
  check_mode:
    description: Asks nothing and returns no answers.
    support: full
  diff_mode:
    description: There is nothing to show a difference of.
    support: N/A
  idempotent:
    description: Changes nothing that is there.
    support: full
extends_documentation_fragment:
  - clawfleet.clawdbot._gateway
options:
  models:
    description: List of C(provider/model).
    type: list
    elements: str
    required: true
  port:
    description:
      - The port that the gateway listens on, RV(clawfleet.clawdbot.gateway_info#module:port).
      - Not given, the one in its config, which is not the gateway's if its unit names another.
    type: int
  program:
    description: The command that runs the product's program, RV(clawfleet.clawdbot.gateway_info#module:program).
    type: list
    elements: str
    required: true
  timeout:
    description: How many seconds one answer may take.
    type: float
    default: 60
seealso:
  - module: clawfleet.clawdbot.gateway_info
  - module: clawfleet.clawdbot.verify_models
"""

EXAMPLES = r"""
- name: Look at the gateway of this account
  clawfleet.clawdbot.gateway_info:
  register: gateway

- name: Get an answer from both providers
  clawfleet.clawdbot.gateway_chat:
    program: "{{ gateway.program }}"
    models:
      - moonshot/kimi-k2.5
      - kimicode/kimi-for-coding
"""

RETURN = r"""
chats:
  description: One entry for each of O(models); also in the result of a failure.
  returned: always
  type: list
  elements: dict
  contains:
    model:
      description: The model that was asked.
      type: str
      sample: moonshot/kimi-k2.5
    ok:
      description: Whether this model has answered.
      type: bool
      sample: true
    message:
      description: The beginning of the answer, or what went wrong. Keys and account ids are taken out.
      type: str
      sample: ready
"""

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import main as shared
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module.gateway_chat import ARGUMENT_SPEC, run


def main() -> None:
    shared.main(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
