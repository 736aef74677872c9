#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gateway_info
short_description: Gather the state of a Clawdbot or OpenClaw gateway
version_added: 0.1.0
description:
  - Returns the files, the service and the process of one gateway, whether it answers, where its environment variables
    come from, and whether it needs a restart.
  - A gateway reads its environment variables only when its process starts. A process that is older than C(.env) uses
    the old keys, even if an earlier run has changed the file. RV(restart_required) reports this.
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
      - The options of M(clawfleet.clawdbot.verify_models), except O(clawfleet.clawdbot.verify_models#module:ask_from),
        as the host asks. If not set, no endpoint is asked.
      - An endpoint with another status than V(ok) does not fail the module.
    type: dict
  endpoint_results:
    description:
      - RV(clawfleet.clawdbot.verify_models#module:providers) of endpoints that were asked from elsewhere, to decide
        which optional models the host gets.
    type: list
    elements: dict
    default: []
  files:
    description:
      - The options of M(clawfleet.clawdbot.provider_config) that say what the files should contain, except their paths
        and the checker. If not set, the files are not compared.
      - In addition C(optional_models), provider to ids of models that the host gets only where the endpoint lists them,
        and C(unlisted_models), provider to ids of models that need not be listed. The blocks contain both. Where no
        endpoint was asked, the optional models stay as they are in the config.
    type: dict
  check_call:
    description:
      - Whether to call the gateway once through its CLI, so that a token or password that it does not accept is one of
        the blockers. Calls verify a change, and a gateway can reject them although it answers.
      - It is not called if there is nothing to do, if it does not answer, or if there are other blockers.
    type: bool
    default: false
seealso:
  - module: clawfleet.clawdbot.provider_config
  - module: clawfleet.clawdbot.verify_models
"""

EXAMPLES = r"""
- name: Gather the state of this account's gateway
  clawfleet.clawdbot.gateway_info:
    providers:
      moonshot: MOONSHOT_API_KEY
  register: gateway

- name: Report why it does not use the key in its file
  ansible.builtin.debug:
    msg: "{{ gateway.restart_reasons }}"
  when: gateway.restart_required

- name: Wait until a restarted gateway answers and lists a model
  clawfleet.clawdbot.gateway_info:
    service_manager: systemd_system
    service_name: clawdbot
    state_dir: /var/lib/clawdbot
    models: [moonshot/kimi-k3]
    wait: 60

- name: Compare files, endpoints and process with the desired state
  clawfleet.clawdbot.gateway_info:
    providers:
      moonshot: MOONSHOT_API_KEY
    endpoints:
      providers:
        - name: moonshot
          base_url: https://api.moonshot.cn/v1
          api_key: "{{ vault_moonshot_api_key }}"
          models:
            - kimi-k3
    files:
      env:
        MOONSHOT_API_KEY: "{{ vault_moonshot_api_key }}"
      providers:
        moonshot:
          baseUrl: https://api.moonshot.cn/v1
          apiKey: ${MOONSHOT_API_KEY}
          api: openai-completions
          models:
            - id: kimi-k3
              name: Kimi K3
              reasoning: true
              contextWindow: 1048576
              maxTokens: 131072
              compat:
                supportsDeveloperRole: false
                supportsReasoningEffort: false
                supportsStore: false
  register: gateway

- name: Report whether it is up to date
  ansible.builtin.debug:
    msg: "{{ 'Up to date.' if gateway.endpoints.ok and gateway.files.up_to_date and not gateway.restart_required }}"
"""

RETURN = r"""
account:
  description: The account that the module runs as, by its entry in passwd, whatever HOME says.
  returned: success
  type: dict
  contains:
    name:
      description: Its name.
      type: str
    uid:
      description: Its number.
      type: int
    home:
      description: Its home directory.
      type: str
  sample:
    name: gateway
    uid: 1001
    home: /home/gateway
product:
  description: The product.
  returned: success
  type: str
  sample: clawdbot
version:
  description:
    - The version of the CLI on the disk, null if the CLI is not found.
    - The version of the running process is not known. An update after its start is one of the RV(restart_reasons).
  returned: success
  type: str
  sample: 2026.1.24-3
program:
  description:
    - The command that runs the CLI, Node and the entry script of the product's package. Empty if it is not found.
    - It is that of the process or its unit, else of the first package of the product on a PATH. Command lines and
      wrapper scripts are read, and never executed.
  returned: success
  type: list
  elements: str
  sample: [/usr/bin/node, /usr/lib/node_modules/clawdbot/dist/entry.js]
check_command:
  description:
    - The command that checks a new config, for O(clawfleet.clawdbot.provider_config#module:validate). Empty if the CLI
      is not found.
  returned: success
  type: list
  elements: str
started_by:
  description:
    - The executable that starts the gateway, where that is neither Node nor a wrapper that names an entry script, for
      example C(podman). Null in all other cases.
  returned: success
  type: str
missing_files:
  description: The files that the gateway is started from, and that no longer exist.
  returned: success
  type: list
  elements: str
  sample: []
isolated:
  description:
    - Whether the process runs in a container, so that its Node or its state directory are not those of the host.
    - Null if no process runs, or this account may not read it.
  returned: success
  type: bool
  sample: false
state_dir:
  description: The path of the state directory.
  returned: success
  type: str
  sample: /home/gateway/.clawdbot
state_dir_exists:
  description: Whether the state directory exists.
  returned: success
  type: bool
  sample: true
config_path:
  description: The path of the config.
  returned: success
  type: str
  sample: /home/gateway/.clawdbot/clawdbot.json
env_path:
  description: The path of the managed C(.env).
  returned: success
  type: str
  sample: /home/gateway/.clawdbot/.env
key_file:
  description: The path of the file with the keys of O(providers), as O(secret_backend) says.
  returned: success
  type: str
  sample: /home/gateway/.clawdbot/.env
process_state_dir:
  description:
    - The state directory that the process uses, or that the next one will use, by its environment and its profile.
      It is RV(state_dir) if it leads there.
    - Null if the environment of the process cannot be read, or none is known.
  returned: success
  type: str
  sample: /home/gateway/.clawdbot
process_config_path:
  description: The config, as RV(process_state_dir).
  returned: success
  type: str
  sample: /home/gateway/.clawdbot/clawdbot.json
process_env_path:
  description:
    - The C(.env) that the product reads in its state directory, as RV(process_state_dir). It is RV(env_path) if
      O(env_path) is another file, which the service can load.
  returned: success
  type: str
  sample: /home/gateway/.clawdbot/.env
service_name:
  description:
    - The name of the unit. Without O(service_name) it is that of the product, or, if there is none, that of an earlier
      product, under which OpenClaw can still run.
  returned: success
  type: str
  sample: clawdbot-gateway
service_loaded:
  description: Whether systemd has that unit; null with O(service_manager=command).
  returned: success
  type: bool
  sample: true
active_state:
  description: The C(ActiveState) of the unit; null without a unit.
  returned: success
  type: str
  sample: active
address:
  description:
    - The address at which the gateway is asked. It is one on which its process listens, whatever the config says.
    - If that is not known, or none runs, it is one of the host on which something listens on the configured port.
  returned: success
  type: str
  sample: 127.0.0.1
port:
  description: The port that the gateway listens on, as RV(address).
  returned: success
  type: int
  sample: 18789
tls:
  description: Whether the gateway answers with TLS there. Its certificate is not verified.
  returned: success
  type: bool
  sample: false
listening:
  description:
    - V(known) if the sockets of the process can be read, else V(unknown). Null if no process runs.
  returned: success
  type: str
  sample: known
port_taken_by:
  description: What answers on RV(port) although the process does not run, for example another unit. Else empty.
  returned: success
  type: str
  sample: ""
answers:
  description: Whether the gateway runs and answers.
  returned: success
  type: bool
  sample: true
pid:
  description: The id of the main process, null if none runs.
  returned: success
  type: int
  sample: 4711
started:
  description: The start time of the main process in UTC, null if none runs.
  returned: success
  type: str
  sample: '2026-11-01T08:00:00.000Z'
restart_required:
  description:
    - Whether the gateway needs a new process, because none runs, or because something was changed since its start. That
      can be a C(.env), the unit or a file that it names, one of O(variables) that systemd sets, or the CLI.
    - The host is compared with the process, so the value stays true until a new process runs, also after a failed run.
  returned: success
  type: bool
  sample: false
restart_reasons:
  description: Why the gateway needs a restart.
  returned: success
  type: list
  elements: str
  sample: []
config_put_back:
  description:
    - That the product has put back an older config in place of O(written_config), and where that one is. OpenClaw does
      so at a start where it takes the config for damaged. Else empty.
  returned: success
  type: str
  sample: ""
unserved_choices:
  description:
    - The chosen models of agents and hooks, fallbacks included, that surely no provider serves, each with C(place),
      C(model) and C(text). Their provider is not in the config, the product does not know it, and its CLI lists no
      model of it. With O(files), those that a run replaces or serves are left out.
  returned: success
  type: list
  elements: dict
  sample: []
environment:
  description:
    - V(known) if the environment of the process can be read, else V(unknown). Then another key may take precedence over
      those of the files, and only a chat message through the gateway shows which one it uses. Null if no process runs.
  returned: success
  type: str
  sample: known
variables:
  description: O(variables) and those of O(providers), by name.
  returned: success
  type: dict
  contains:
    sources:
      description:
        - The places that set it for a new process, in order of precedence, each with C(place) and the C(fingerprint) of
          its value.
        - With systemd these are the files of C(EnvironmentFile=), C(Environment=) of the unit, and the environment of
          the service manager. V(process environment) is a value that the process has from another place, for example
          from a command in between.
        - Then come the files C(.env) in the working directory and in the state directory, the C(env) block of the
          config, and last the login shell. Its values are not known, so C(fingerprint) is null.
        - With OpenClaw, the files C(.env) and C(~/.config/openclaw/gateway.env) come first for the variables that the
          unit lists in C(OPENCLAW_SERVICE_MANAGED_ENV_KEYS).
        - A line of the managed C(.env) from which systemd reads another value than the gateway is a source of its own.
      type: list
      elements: dict
    in_process:
      description: Whether the running process has a value in it; null if none runs, or if that is not known.
      type: bool
    overriding_env:
      description:
        - The sources that take precedence over the managed C(.env). The gateway uses the value of the first one.
      type: list
      elements: dict
providers:
  description: O(providers), by id.
  returned: success
  type: dict
  contains:
    variable:
      description: Its environment variable.
      type: str
    overridden_by:
      description:
        - The keys that the gateway uses in place of that of the environment variable, in order of precedence. They may
          be equal to it.
        - C(kind) is V(auth_profile) or V(variable), C(name) the id of the profile or the name of the environment
          variable, C(place) the file, the database or the place that sets it, C(fingerprint) that of the key, or
          V(unknown).
        - With OpenClaw, a profile that refers to the environment variable, or to another one in O(fingerprints) with
          the same key, is left out.
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
keys:
  description:
    - The key of each of O(providers), by id. A fingerprint is empty where there is no key, and null where that is not
      known.
  returned: success
  type: dict
  contains:
    stored:
      description: The fingerprint of the key in the files. The config says which file counts.
      type: str
      sample: sha256:0c5e1d7f3a92
    in_process:
      description:
        - That of the key that the running process has. It is not known where its environment cannot be read, where a
          file was changed after its start, and where OpenClaw reads the key from the file beside C(.env).
      type: str
      sample: sha256:0c5e1d7f3a92
    previous:
      description: That of the key which the files had before the last change by M(clawfleet.clawdbot.provider_config).
      type: str
      sample: sha256:1b7c64e0f7a5
    age_days:
      description:
        - How many days ago, by the date in UTC, M(clawfleet.clawdbot.provider_config) first wrote the stored key. Null
          for a key that was there before, or that something else has written.
      type: int
      sample: 41
env_copies:
  description:
    - Environment variable to further variables of the managed C(.env) that contain the same value, other than
      O(variables) and those of O(providers).
  returned: success
  type: dict
  sample: {}
unreadable_stores:
  description:
    - Why a database with auth profiles could not be read, with its path. Whether a profile in it overrides a key is not
      known, so each is one of the blockers of RV(plan).
    - Only OpenClaw has such databases, and only those of gateways with O(providers) are read.
  returned: success
  type: list
  elements: str
  sample: []
models_missing:
  description: Those of O(models) that the gateway does not list; all if it does not answer.
  returned: O(models) given
  type: list
  elements: str
  sample: []
call_error:
  description: Why the gateway does not accept a call of its own CLI. Empty if it does.
  returned: O(check_call=true), and it was called
  type: str
  sample: ""
endpoints:
  description: The result of M(clawfleet.clawdbot.verify_models).
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
      description: One element for each provider.
      type: list
      elements: dict
files:
  description: The files, compared with O(files).
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
    keys_changed:
      description: Whether the file with keys beside C(.env) differs.
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
    keys_changed: false
    unfinished: false
    error: ""
models:
  description: Optional models, and models that are used and not served.
  returned: O(files) given
  type: dict
  contains:
    left_out:
      description: Provider to ids of its optional models that the host does not get.
      type: dict
    removed:
      description: Those of them that the config has, as C(provider/model). A run removes them.
      type: list
      elements: str
    blocked:
      description:
        - The places that use a model which a run would take away, each with C(place), C(model) and C(text). They are in
          the config, in a session or in a scheduled job.
      type: list
      elements: dict
    unserved:
      description: The places that use a model which its endpoint does not list, or which its vendor has retired.
      type: list
      elements: dict
    unknown:
      description: Why sessions or scheduled jobs could not be read.
      type: list
      elements: str
    notes:
      description: What the user should know of the models that are left out.
      type: list
      elements: str
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
      description:
        - Why new keys would not take effect, whatever is written into the gateway's files, or why the files cannot be
          written.
      type: list
      elements: str
    endpoint_errors:
      description: RV(endpoints) as a table, if a provider is not V(ok), else empty.
      type: str
    new_variables:
      description:
        - Environment variables that the running process does not have, and to which the config will refer. It must not
          refer to them before a restart. Those of O(providers), and those of O(variables) to which a block in O(files)
          refers.
      type: list
      elements: str
    left_out:
      description: RV(models.left_out), empty without O(files).
      type: dict
    notes:
      description: RV(models.notes), if O(files) is given, and what could not be observed.
      type: list
      elements: str
    rotation:
      description:
        - What a rotation of keys has to do.
      type: dict
      contains:
        old_keys:
          description: Fingerprints of keys that are in use in place of the desired ones.
          type: list
          elements: str
        has_copies:
          description: Whether an auth profile contains the key of C(.env). A rotation removes such copies.
          type: bool
        blockers:
          description:
            - As RV(plan.blockers), without the copies. In addition the variables in RV(env_copies) that would keep an
              old key.
          type: list
          elements: str
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
