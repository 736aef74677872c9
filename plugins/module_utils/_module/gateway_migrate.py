# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The module gateway_migrate."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.vendor_models import THINKING
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import state_copy
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.state_copy import Record
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.migration import (
    NEW,
    OLD,
    OLD_CONFIG,
    Desired,
    MigrationInfo,
    Plan,
    plan,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.state import Service

ARGUMENT_SPEC: Mapping[str, Any] = {
    "state": {"type": "str", "choices": ["copied", "confirmed", "removed"], "default": "copied"},
    "state_dir": {"type": "path"},
    "clawdbot_state_dir": {"type": "path"},
    "clawdbot_service_name": {"type": "str", "default": OLD.unit},
    "service_name": {"type": "str", "default": NEW.unit},
    "service_manager": {"type": "str", "choices": ["systemd_user", "systemd_system"], "default": "systemd_user"},
    "port": {"type": "int", "required": True},
    "bind": {"type": "str", "default": "loopback"},
    "program": {"type": "list", "elements": "str", "default": []},
}


class Result(MigrationInfo):
    """The result of the module."""

    changed: bool


def run(params: dict[str, Any], check_mode: bool) -> Result:
    """Return what is to be done, or was done. Raises `ClawdbotError`."""
    desired = Desired(
        _path(params["clawdbot_state_dir"] or OLD.state_dir),
        os.path.realpath(_path(params["state_dir"] or NEW.state_dir)),
        Service(params["service_manager"], params["clawdbot_service_name"]),
        params["service_name"],
        params["port"],
        params["bind"],
        params["program"],
        THINKING,
    )
    planned = plan(desired)
    return {**planned.info, "changed": _change(params["state"], desired.target, planned, check_mode)}


def _change(state: str, target: str, planned: Plan, check_mode: bool) -> bool:
    """Return whether anything is, or would be, changed."""
    info, found = planned.info, planned.found
    if state == "removed":
        is_due = found.status == "interrupted" or (
            found.status == "due" and found.source not in (target, found.link) and found.replaces
        )
        if is_due and not check_mode:
            state_copy.remove(target)
        return is_due
    if state == "confirmed":
        if found.status == "interrupted" and not check_mode:
            state_copy.confirm(target)
        return found.status == "interrupted"
    if info["status"] != "due" or check_mode:
        return info["status"] == "due"
    if info["blockers"]:
        raise ClawdbotError(" ".join(info["blockers"]), **info)

    def record(source: str) -> Record:
        return Record(source, found.replaces, found.link, info["enabled"])

    state_copy.create(found, target, planned.files, OLD_CONFIG, record)
    return True


def _path(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))
