#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: providers_info
short_description: All that there is to see of a Clawdbot gateway and its providers, by one connection
version_added: 0.1.0
description:
  - Looks at the gateway as M(clawfleet.clawdbot.gateway_info) does, asks the endpoints as
    M(clawfleet.clawdbot.verify_models) does, and compares both files with what they shall be as
    M(clawfleet.clawdbot.provider_config) does in check mode.
  - A host of a fleet has nothing to change most of the time. This tells so in the time of one module.
author:
  - clawfleet.clawdbot contributors (@clawfleet)
extends_documentation_fragment:
  - clawfleet.clawdbot._attributes.info_module
  - clawfleet.clawdbot._gateway
  - clawfleet.clawdbot._gateway_info
options:
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
  - module: clawfleet.clawdbot.gateway_info
  - module: clawfleet.clawdbot.provider_config
  - module: clawfleet.clawdbot.verify_models
"""

EXAMPLES = r"""
- name: Look whether there is anything to do
  clawfleet.clawdbot.providers_info:
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
    msg: "{{ 'Nothing to do.' if gateway.endpoints.ok and gateway.files.as_asked and not gateway.restart_required }}"
"""

RETURN = r"""
answers:
  description: This, and all else that M(clawfleet.clawdbot.gateway_info) returns.
  returned: success
  type: bool
  sample: true
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
  description: What would be done to both files.
  returned: O(files) given
  type: dict
  contains:
    as_asked:
      description:
        - Whether both files are as asked, and nothing of a run that did not come to its end is beside them.
        - V(false) also where they cannot be compared; M(clawfleet.clawdbot.provider_config) then says why.
      type: bool
  sample:
    as_asked: true
"""

import os
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import texts
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints import status
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import apply, atomic
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import gateway_info, parameters, verify_models
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.module import SecretiveModule

ARGUMENT_SPEC: dict[str, Any] = {
    **gateway_info.ARGUMENT_SPEC,
    # Keys are within: not no_log, which would hide every text of them, names of models and all.
    "endpoints": {"type": "dict"},
    "files": {"type": "dict"},
}


def validated(name: str, spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The options below the one of that name, with their defaults. Raises ClawdbotError."""
    validation = ArgumentSpecValidator(spec).validate(given)
    if validation.error_messages:
        raise ClawdbotError(f"{name}: {'; '.join(validation.error_messages)}")
    params: dict[str, Any] = validation.validated_parameters
    return params


def as_asked(files: apply.Files, params: dict[str, Any]) -> bool:
    """Whether both files are as the parameters of provider_config have them, and no run has left anything there."""
    try:
        result = apply.present(files, parameters.desired(params), params["env"], [], check_mode=True)
        folders = {os.path.dirname(os.path.realpath(path)) for path in (files.config, files.env)}
        left = [path for folder in folders for path in atomic.leftovers(folder)]
    except ClawdbotError:
        return False
    return not (result.config_changed or result.env_changed or result.unconfirmed or left)


def run(params: dict[str, Any], secrets: set[str]) -> tuple[dict[str, Any], list[str]]:
    """The module's result for its parameters, and its warnings. Raises ClawdbotError."""
    result = gateway_info.run(params)
    warnings: list[str] = []
    if params["files"] is not None:
        files = apply.Files(result["config_path"], result["env_path"])
        wanted = validated("files", parameters.FILES_ARGUMENTS, params["files"])
        result["files"] = {"as_asked": as_asked(files, wanted)}
    if params["endpoints"] is not None:
        options = validated("endpoints", verify_models.ARGUMENT_SPEC, params["endpoints"])
        result["endpoints"], warnings = verify_models.run({**options, "fail_on_error": False}, secrets)
    return result, warnings


def secrets_in(params: Mapping[str, Any]) -> set[str]:
    """All in the parameters that is or may be secret, of whatever shape they are."""
    files, endpoints = params.get("files") or {}, params.get("endpoints") or {}
    secrets: set[str] = set()
    if isinstance(files, Mapping):
        env = files.get("env")
        secrets.update(map(str, env.values()) if isinstance(env, Mapping) else texts(env))
        secrets |= parameters.secrets(files.get("providers"))
    if isinstance(endpoints, Mapping):
        secrets |= status.secrets_in(endpoints.get("providers"))
    # What stands where a mapping was to be may be anything.
    return {*secrets, *texts([given for given in (files, endpoints) if not isinstance(given, Mapping)])}


def main() -> None:
    module = SecretiveModule(ARGUMENT_SPEC, secrets_in)
    secrets = secrets_in(module.params)
    try:
        result, warnings = run(module.params, secrets)
    except gateway_info.NoListingError as exc:
        module.fail_json(msg=str(exc), **exc.seen)
    except ClawdbotError as exc:
        module.fail_json(msg=str(exc))
    for warning in warnings:
        module.warn(warning)
    module.exit_json(**{**result, "changed": False})


if __name__ == "__main__":
    main()
