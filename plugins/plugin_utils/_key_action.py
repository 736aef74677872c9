# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Modules with keys in their options: no account of the host but that of the task may read them.

Without pipelining, Ansible writes a module with its options into a file on the host. If the account that it logs in as
and the one that it becomes are both unprivileged, the file must be shared between them. Where neither setfacl nor chown
does that, the option `world_readable_temp` lets every account read the file.
"""

from __future__ import annotations

from typing import Any, ClassVar

from ansible.plugins.action import ActionBase
from ansible.plugins.action.normal import ActionModule as NormalAction


class KeyAction(NormalAction):
    """Runs a module on the host, unless every account there might read the keys in its options."""

    #: The options that contain keys.
    key_options: ClassVar[tuple[str, ...]]

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        if any(self._task.args.get(name) for name in self.key_options):
            problem = exposure(self)
            if problem:
                return {"failed": True, "msg": problem}
        result: dict[str, Any] = super().run(tmp, task_vars)
        return result


def exposure(action: ActionBase) -> str:
    """Return why every account might read the options of a module on its host; empty if only one may."""
    if (
        not action.get_shell_option("world_readable_temp", False)
        or action._is_pipelining_enabled("new")
        or not action._is_become_unprivileged()
    ):
        return ""
    return (
        "Ansible may write the keys into a file that every account of the host can read, as "
        "allow_world_readable_tmpfiles is set and pipelining is not used. Set pipelining = true in the section "
        "[connection] of ansible.cfg, or remove allow_world_readable_tmpfiles and "
        "ansible_shell_allow_world_readable_temp. Nothing was sent to the host."
    )
