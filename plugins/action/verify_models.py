# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module verify_models on the host, or asks from the control node in its place."""

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
    outcome,
    secrets_in,
    settings,
)
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._answers import Answers


class ActionModule(ActionBase):
    """The action of the module's name."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        if self._task.args.get("ask_from") != "controller":
            try:
                result.update(self._execute_module(task_vars=task_vars))
            except AnsibleConnectionFailure as error:
                # Where that does not end the play for the host, nobody must take it for a proof.
                if self._task.ignore_unreachable:
                    raise AnsibleActionFail(f"The host was not reached: {error}") from error
                raise
            return result
        _validation, params = self.validate_argument_spec(ARGUMENT_SPEC)
        secrets = secrets_in(params)
        # Ansible makes this folder for each run, for nobody else to read, and removes it at the end.
        folder = Path(constants.DEFAULT_LOCAL_TMP) / "clawfleet-answers"
        try:
            answer = outcome(params, *ask(params, secrets, Answers(folder, settings(params), secrets)))
        except ClawdbotError as error:
            answer = {"failed": True, "msg": str(error), **error.result}
        result.update(remove_values({"changed": False, **answer}, secrets))
        return result
