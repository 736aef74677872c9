#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_chat
short_description: Send a chat message to models through a running gateway
version_added: 0.1.0
description:
  - Sends one short message to each model through the running gateway, as a chat client does, with the key in the memory
    of its process. Fails if the model does not answer, or another model answers instead.
  - With O(kind=tool) the model has to call a tool before it answers. Agents do that in most conversations. If the entry
    of a model that thinks lacks a field, its endpoint rejects the result of a tool, while plain messages are answered.
  - Clawdbot itself reports C(ok) for a message that the provider has rejected or answered with nothing.
  - Each message costs a few tokens. It is sent in a session of its own, which is removed afterwards.
author:
  - clawfleet.clawdbot contributors (@clawfleet)
attributes:
  check_mode:
    description: Sends no message and returns no answers.
    support: full
  diff_mode:
    description: The module changes nothing.
    support: N/A
  idempotent:
    description: Leaves nothing behind.
    support: full
extends_documentation_fragment:
  - clawfleet.clawdbot._gateway
options:
  kind:
    description:
      - What the model is asked for.
      - V(text) asks for an answer of one word.
      - V(tool) asks it to call a tool that only reads, and then to answer. The session's transcript must contain the
        call of the model, the result of the tool, and the answer of the same model after it.
      - A gateway that offers its agent no such tool is no failure. The answer is judged as with V(text),
        RV(chats[].tool) is null, and a warning says so.
    type: str
    choices:
      - text
      - tool
    default: text
  models:
    description: List of C(provider/model).
    type: list
    elements: str
    required: true
  program:
    description: The command that runs the CLI, RV(clawfleet.clawdbot.gateway_info#module:program).
    type: list
    elements: str
    required: true
  service_manager:
    description:
      - What keeps the gateway running. The CLI is run in the environment of the gateway's process, which can have a
        token, or an environment variable that the config refers to, from its unit alone.
      - V(command) stands for anything but systemd. The process is then found by the lock file of the running gateway.
    type: str
    choices: [systemd_user, systemd_system, command]
    default: systemd_user
  service_name:
    description: The name of the unit. If not set, the one that the product's own installation uses.
    type: str
  timeout:
    description: How many seconds to wait for each answer.
    type: float
    default: 60
seealso:
  - module: clawfleet.clawdbot.gateway_info
  - module: clawfleet.clawdbot.verify_models
"""

EXAMPLES = r"""
- name: Gather the state of this account's gateway
  clawfleet.clawdbot.gateway_info:
  register: gateway

- name: Send a message to both providers
  clawfleet.clawdbot.gateway_chat:
    program: "{{ gateway.program }}"
    models:
      - moonshot/kimi-k3
      - kimicode/kimi-for-coding

- name: Have a model call a tool of the gateway
  clawfleet.clawdbot.gateway_chat:
    program: "{{ gateway.program }}"
    models:
      - moonshot/kimi-k3
    kind: tool
"""

RETURN = r"""
chats:
  description: One entry for each of O(models); also in the result of a failure.
  returned: always
  type: list
  elements: dict
  contains:
    model:
      description: The model.
      type: str
      sample: moonshot/kimi-k3
    ok:
      description: Whether this model answered.
      type: bool
      sample: true
    message:
      description: The first 300 characters of the answer or of the error. Keys and account ids are removed.
      type: str
      sample: ready
    tool:
      description:
        - With O(kind=tool), the tool that the model has called. Null if the gateway offers its agent none that can be
          called without harm, and if the model failed.
      type: str
      sample: agents_list
"""

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import main as shared
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module.gateway_chat import ARGUMENT_SPEC, run


def main() -> None:
    shared.main(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
