#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_info
short_description: What a Clawdbot gateway on a host is, and whether it runs on the files as they are
version_added: 0.1.0
description:
  - Finds the files, the service and the process of one gateway, whether it answers, where it has variables from, and
    whether it needs a restart.
  - A gateway reads its variables when its process starts, never again. So a process that is older than C(.env) is on
    old keys, whoever changed the file and whenever; that is what RV(restart_required) says.
author:
  - clawfleet.clawdbot contributors (@clawfleet)
extends_documentation_fragment:
  - clawfleet.clawdbot._attributes.info_module
  - clawfleet.clawdbot._gateway
  - clawfleet.clawdbot._gateway_state
options:
  fingerprints:
    description:
      - Environment variable to the fingerprint of the key that the gateway should take from it. RV(plan) depends on it.
    type: dict
    default: {}
  endpoints:
    description:
      - What M(clawfleet.clawdbot.verify_models) takes, but for O(clawfleet.clawdbot.verify_models#module:ask_from), as
        it is the host that asks. Not given, no endpoint is asked.
      - An endpoint that does not answer as it should is no failure here.
    type: dict
  files:
    description:
      - What M(clawfleet.clawdbot.provider_config) takes to bring both files to what is asked, but for their paths and
        the checker. Not given, they are not compared.
    type: dict
seealso:
  - module: clawfleet.clawdbot.provider_config
  - module: clawfleet.clawdbot.verify_models
"""

EXAMPLES = r"""
- name: Look at the gateway of this account
  clawfleet.clawdbot.gateway_info:
    providers:
      moonshot: MOONSHOT_API_KEY
  register: gateway

- name: Say why it is not on the key that stands in its file
  ansible.builtin.debug:
    msg: "{{ gateway.restart_reasons }}"
  when: gateway.restart_required

- name: Wait until a restarted gateway answers and lists a model
  clawfleet.clawdbot.gateway_info:
    service_manager: systemd_system
    service_name: clawdbot
    state_dir: /var/lib/clawdbot
    models: [moonshot/kimi-k2.5]
    wait: 60

- name: Look whether there is anything to do
  clawfleet.clawdbot.gateway_info:
    providers:
      moonshot: MOONSHOT_API_KEY
    endpoints:
      providers:
        - name: moonshot
          base_url: https://api.moonshot.cn/v1
          api_key: "{{ vault_moonshot_api_key }}"
          models:
            - kimi-k2.5
    files:
      env:
        MOONSHOT_API_KEY: "{{ vault_moonshot_api_key }}"
      providers:
        moonshot:
          baseUrl: https://api.moonshot.cn/v1
          apiKey: ${MOONSHOT_API_KEY}
          api: openai-completions
          models:
            - id: kimi-k2.5
              name: Kimi K2.5
              contextWindow: 200000
              maxTokens: 8192
  register: gateway

- name: Say whether there is
  ansible.builtin.debug:
    msg: "{{ 'Nothing to do.' if gateway.endpoints.ok and gateway.files.up_to_date and not gateway.restart_required }}"
"""

RETURN = r"""
product:
  description: What the gateway is.
  returned: success
  type: str
  sample: clawdbot
version:
  description:
    - The version of the product's program on the disk, null if it is not found.
    - Where it was replaced since the process was started, that is among RV(restart_reasons). Which version the process
      has, it does not tell.
  returned: success
  type: str
  sample: 2026.1.24-3
program:
  description: The command that runs the product's program, empty if it is not found.
  returned: success
  type: list
  elements: str
  sample: [/usr/bin/node, /usr/lib/node_modules/clawdbot/dist/entry.js]
check_command:
  description:
    - The command that judges a candidate config, as O(clawfleet.clawdbot.provider_config#module:validate) takes it.
      Empty if the program is not found.
  returned: success
  type: list
  elements: str
state_dir:
  description: The state folder.
  returned: success
  type: str
  sample: /home/gateway/.clawdbot
state_dir_exists:
  description: Whether the state folder is there.
  returned: success
  type: bool
  sample: true
config_path:
  description: The config.
  returned: success
  type: str
  sample: /home/gateway/.clawdbot/clawdbot.json
env_path:
  description: The C(.env).
  returned: success
  type: str
  sample: /home/gateway/.clawdbot/.env
service_name:
  description: The unit's name.
  returned: success
  type: str
  sample: clawdbot-gateway
service_loaded:
  description: Whether systemd has that unit; null with V(command), where nothing tells.
  returned: success
  type: bool
  sample: true
active_state:
  description: What systemd calls the state of the unit; null without a unit.
  returned: success
  type: str
  sample: active
port:
  description: The port that the gateway listens on.
  returned: success
  type: int
  sample: 18789
answers:
  description: Whether the gateway runs and answers.
  returned: success
  type: bool
  sample: true
pid:
  description: The main process, null if none runs.
  returned: success
  type: int
  sample: 4711
started:
  description: When the main process was started, in UTC; null if none runs.
  returned: success
  type: str
  sample: '2026-11-01T08:00:00.000Z'
restart_required:
  description:
    - Whether the gateway needs a new process, because none runs, or because something is not as it was when the process
      was started, be it a C(.env), the unit or a file that it names, a variable of O(variables) that systemd gives to
      its processes, or the product's program.
    - It is told from the host as it is, so it stays true until there is a new process, also after a run that died.
  returned: success
  type: bool
  sample: false
restart_reasons:
  description: Why.
  returned: success
  type: list
  elements: str
  sample: []
variables:
  description: Each of O(variables).
  returned: success
  type: dict
  contains:
    sources:
      description:
        - The places that give it to a new process, the one that wins first, each with C(place) and C(fingerprint) of
          the value.
        - With systemd these are the files of C(EnvironmentFile=), C(Environment=) of the unit, and the environment of
          the service manager. V(process environment) stands for what the process was given and none of them explains.
        - Then come the files C(.env) in the working directory and in the state folder, the config's C(env), and last
          the login shell, whose values are not known, so that C(fingerprint) is null.
      type: list
      elements: dict
    in_process:
      description: Whether the running process has a value in the variable; null if none runs.
      type: bool
    overriding_env:
      description: Those of the sources that win over the gateway's C(.env). What they hold is what the gateway uses.
      type: list
      elements: dict
providers:
  description: Each of O(providers).
  returned: success
  type: dict
  contains:
    variable:
      description: Its variable.
      type: str
    overridden_by:
      description:
        - What the product takes for the provider's key in place of the variable's value, the one that wins first,
          whatever it holds.
        - C(kind) is V(auth_profile) or V(variable), C(name) the id of the profile or the name of the variable,
          C(place) the file or the place that sets the variable, C(fingerprint) that of the key.
      type: list
      elements: dict
  sample:
    moonshot:
      variable: MOONSHOT_API_KEY
      overridden_by:
        - kind: auth_profile
          name: moonshot:default
          place: /home/gateway/.clawdbot/agents/main/agent/auth-profiles.json
          fingerprint: sha256:1b7c64e0f7a5
models_missing:
  description: Those of O(models) that the gateway does not list; all of them if it does not answer.
  returned: O(models) given
  type: list
  elements: str
  sample: []
endpoints:
  description: What M(clawfleet.clawdbot.verify_models) returns.
  returned: O(endpoints) given
  type: dict
  contains:
    ok:
      description: Whether every provider has the status V(ok).
      type: bool
    msg:
      description: All providers as a table, and what to do for each that is not V(ok).
      returned: unless every provider is V(ok)
      type: str
    providers:
      description: What was found, one element for each provider.
      type: list
      elements: dict
files:
  description: Both files, compared with O(files).
  returned: O(files) given
  type: dict
  contains:
    up_to_date:
      description: Whether neither file differs, and no run has left anything beside them.
      type: bool
    config_changed:
      description: Whether the config differs.
      type: bool
    env_changed:
      description: Whether C(.env) differs.
      type: bool
    unfinished:
      description: Whether an earlier run was not completed.
      type: bool
    error:
      description: Why the files cannot be compared; empty if they can.
      type: str
  sample:
    up_to_date: true
    config_changed: false
    env_changed: false
    unfinished: false
    error: ""
plan:
  description: What a run of the role P(clawfleet.clawdbot.providers#role) has to do.
  returned: success
  type: dict
  contains:
    converged:
      description:
        - Whether there is nothing to do, as the files are up to date and the gateway runs on them and answers.
        - V(false) without O(files).
      type: bool
    blockers:
      description: Why new keys would not take effect, whatever is written into the gateway's files.
      type: list
      elements: str
    endpoint_errors:
      description: RV(endpoints) as a table, if a provider is not V(ok), else empty.
      type: str
    new_variables:
      description:
        - Environment variables that the running process does not have. The config must not refer to them before a
          restart.
      type: list
      elements: str
    rotation:
      description:
        - What a rotation of keys has to do. C(old_keys), a list of fingerprints of keys that are in use where others
          are desired; C(has_copies), whether an auth profile holds the key of C(.env); C(blockers), as above, without
          such copies.
      type: dict
"""

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import main as shared
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module.gateway_info import (
    ARGUMENT_SPEC,
    run,
    secrets_in,
)


def main() -> None:
    shared.main(ARGUMENT_SPEC, run, secrets_in)


if __name__ == "__main__":
    main()
