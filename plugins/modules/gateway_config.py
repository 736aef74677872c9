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

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import gateway_changes
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import apply
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.edits import Edit, Found, edit_settings
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import (
    GATEWAY_ARGUMENTS,
    check_command,
    resolve_gateway,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

ARGUMENT_SPEC: dict[str, Any] = {
    **GATEWAY_ARGUMENTS,
    "port": {"type": "int", "required": True},
    "bind": {"type": "str", "choices": ["loopback", "lan", "tailnet", "auto"], "default": "loopback"},
    "token": {"type": "str", "no_log": True},
    "program": {"type": "list", "elements": "str", "default": []},
    "check_unchanged": {"type": "bool", "default": False},
}


_PORTS = range(1, 65536)
# What is sent in a header and read from a file by lines.
_TOKEN = re.compile(r"[!-~]+\Z")


def run(params: dict[str, Any], check_mode: bool) -> apply.Result:
    """What the module does for its parameters; no secret is in the diff. Raises ClawdbotError."""
    _require_usable(params)
    product, paths = resolve_gateway(params)
    wanted = gateway_changes.Wanted(
        params["port"], params["bind"], params["token"], secrets.token_hex(32), product.token_variable
    )

    def settings(config: dict[str, Any], variables: Mapping[str, str]) -> gateway_changes.Settings:
        return gateway_changes.decide(wanted, config, variables)

    def decide(found: Found) -> Edit:
        return edit_settings(found, settings)

    if not os.path.isdir(paths.state_dir):
        if check_mode:
            planned = decide(Found(paths.config, None, paths.env, None, lambda _path: None))
            shown = _shown(planned.diff, wanted)
            return apply.Result(True, planned.env is not None, unconfirmed=True, diff=shown)
        try:
            os.makedirs(paths.state_dir, 0o700)
        except OSError as exc:
            raise ClawdbotError(f"Cannot make the folder {paths.state_dir}: {exc.strerror}.") from exc
    result = apply.edited(
        apply.Files(paths.config, paths.env),
        decide,
        check_command(product, tuple(params["program"])) if params["program"] else [],
        check_mode=check_mode,
        check_unchanged=params["check_unchanged"],
    )
    return replace(result, diff=_shown(result.diff, wanted))


def _require_usable(params: Mapping[str, Any]) -> None:
    if params["port"] not in _PORTS:
        raise ClawdbotError(f"port is {params['port']}: it has to be from 1 to 65535. Nothing was changed.")
    if params["token"] is not None and not _TOKEN.match(params["token"]):
        raise ClawdbotError(
            "token is empty, or has white space or a character that is no ASCII in it. Nothing was changed."
        )


def _shown(diff: Sequence[Mapping[str, str]], wanted: gateway_changes.Wanted) -> list[dict[str, str]]:
    """The difference as a run and check mode before it show it alike: a token that is yet to be made is another one."""
    made = fingerprint(wanted.new_token)
    return [{name: text.replace(made, "made on the host") for name, text in part.items()} for part in diff]


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    try:
        result = run(module.params, module.check_mode)
    except ClawdbotError as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(
        changed=result.config_changed or result.env_changed,
        config_changed=result.config_changed,
        env_changed=result.env_changed,
        unconfirmed=result.unconfirmed,
        diff=list(result.diff),
    )


if __name__ == "__main__":
    main()
