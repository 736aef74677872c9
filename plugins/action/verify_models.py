# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin of verify_models: runs the module on the host, or asks from the control node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module.verify_models import (
    ARGUMENT_SPEC,
    ask,
    module_result,
    probe_options,
    secrets_in,
)
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._endpoint_cache import EndpointCache
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._key_action import exposure


class ActionModule(ActionBase):
    """The action plugin of the module verify_models."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        if self._task.args.get("ask_from") != "controller":
            problem = exposure(self)
            if problem:
                return {"failed": True, "msg": problem}
            try:
                result.update(self._execute_module(task_vars=task_vars))
            except AnsibleConnectionFailure as error:
                # With ignore_unreachable the play goes on, and the result must not pass for a verification.
                if self._task.ignore_unreachable:
                    raise AnsibleActionFail(f"The host was not reached: {error}") from error
                raise
            return result
        _validation, params = self.validate_argument_spec(ARGUMENT_SPEC)
        secrets = secrets_in(params)
        # Ansible creates this directory for each run, readable by its user only, and removes it at the end.
        directory = Path(constants.DEFAULT_LOCAL_TMP) / "clawfleet-endpoints"
        try:
            cache = EndpointCache(directory, probe_options(params), secrets)
            found = module_result(params, *ask(params, secrets, cache))
        except ClawdbotError as error:
            found = {"failed": True, "msg": str(error), **error.result}
        result.update(remove_values({"changed": False, **found}, secrets))
        return result
