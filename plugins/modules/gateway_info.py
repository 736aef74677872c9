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
options:
  service_manager:
    description:
      - What keeps the gateway running.
      - With V(command), which stands for anything but systemd, its process is found by the lock that a running gateway
        keeps.
    type: str
    choices: [systemd_user, systemd_system, command]
    default: systemd_user
  service_name:
    description: The unit's name. Not given, the one that the product's own installation uses.
    type: str
  variables:
    description: Names of variables to trace.
    type: list
    elements: str
    default: []
  providers:
    description:
      - Id of a provider to the name of the variable that its C(apiKey) in the config refers to.
      - These variables are traced too, and RV(providers) tells what the product takes for a key in place of theirs.
    type: dict
    default: {}
  models:
    description: List of C(provider/model) which the running gateway has to list. Not given, it is not asked.
    type: list
    elements: str
    default: []
  wait:
    description:
      - How many seconds to wait at the most until the gateway answers and needs no restart.
      - A unit that has failed, and that systemd starts no more, is not waited for. One that systemd starts again and
        again is waited for until it has ended five times.
    type: float
    default: 0
seealso:
  - module: clawfleet.clawdbot.provider_config
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
    winning_over_env:
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
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.clawfleet.clawdbot.plugins.module_utils import _gateway, _program, _variables
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import (
    GATEWAY_ARGUMENTS,
    check_command,
    resolve_gateway,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._references import VARIABLE_NAME
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets import secret_values

ARGUMENT_SPEC: dict[str, Any] = {
    **GATEWAY_ARGUMENTS,
    "service_manager": {
        "type": "str",
        "choices": ["systemd_user", "systemd_system", "command"],
        "default": "systemd_user",
    },
    "service_name": {"type": "str"},
    "variables": {"type": "list", "elements": "str", "default": []},
    "providers": {"type": "dict", "default": {}},
    "models": {"type": "list", "elements": "str", "default": []},
    "wait": {"type": "float", "default": 0},
}


class NoListingError(ClawdbotError):
    """The gateway has not told its models; C(seen) is all else that was seen of it."""

    def __init__(self, message: str, seen: dict[str, Any]) -> None:
        super().__init__(message)
        self.seen = seen


def run(params: dict[str, Any]) -> dict[str, Any]:
    """The module's result for its parameters. Raises ClawdbotError."""
    product, paths = resolve_gateway(params)
    service = _gateway.Service(params["service_manager"], params["service_name"] or product.unit)
    providers = _texts(params["providers"])
    names = list(dict.fromkeys([*params["variables"], *providers.values()]))
    seen = _gateway.observe_until_settled(product, paths, service, names, params["wait"])
    variables = {name: _variables.trace(name, seen.origins) for name in names}
    result = {
        "product": product.name,
        "version": seen.package.version if seen.package else None,
        "program": list(seen.program),
        "check_command": check_command(product, seen.program) if seen.program else [],
        "state_dir": paths.state_dir,
        "state_dir_exists": os.path.isdir(paths.state_dir),
        "config_path": paths.config,
        "env_path": paths.env,
        "service_name": service.name,
        "service_loaded": None if service.manager == "command" else seen.unit is not None,
        "active_state": seen.unit.active_state if seen.unit else None,
        "port": seen.port,
        "answers": seen.answers,
        "pid": seen.process.pid if seen.process else None,
        "started": _variables.isoformat(seen.process.started) if seen.process else None,
        "restart_required": bool(seen.restart_reasons),
        "restart_reasons": list(seen.restart_reasons),
        "variables": {name: variable.as_result() for name, variable in variables.items()},
        "providers": _gateway.overriding(product, paths, seen, providers),
    }
    if params["models"]:
        secrets = {value for file in seen.origins.files for value in secret_values(file.values)}
        gateway = _program.Gateway(product, seen.program, paths, seen.port, secrets)
        try:
            result["models_missing"] = _gateway.missing_models(product, paths, gateway, seen, params["models"])
        except ClawdbotError as exc:
            raise NoListingError(str(exc), result) from exc
    return result


def _texts(providers: dict[str, Any]) -> dict[str, str]:
    for provider, variable in providers.items():
        if not isinstance(variable, str) or not VARIABLE_NAME.match(variable):
            raise ClawdbotError(
                f"providers.{provider} has to be the name of the variable that the config of {provider} refers to."
            )
    return providers


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = run(module.params)
    except NoListingError as exc:
        # Whoever goes on from here, as to put files back, needs to know which they are.
        module.fail_json(msg=str(exc), **exc.seen)
    except ClawdbotError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
