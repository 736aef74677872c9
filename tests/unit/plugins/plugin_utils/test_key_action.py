# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.clawfleet.clawdbot.plugins.action import gateway_config as config_action
from ansible_collections.clawfleet.clawdbot.plugins.action import gateway_info as info_action
from ansible_collections.clawfleet.clawdbot.plugins.action import provider_config as provider_action
from ansible_collections.clawfleet.clawdbot.plugins.action import secret_audit as audit_action
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import (
    gateway_config,
    gateway_info,
    provider_config,
    secret_audit,
)
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._key_action import KeyAction, exposure

EXPOSED = (
    "Ansible may write the keys into a file that every account of the host can read, as allow_world_readable_tmpfiles "
    "is set and pipelining is not used. Set pipelining = true in the section [connection] of ansible.cfg, or remove "
    "allow_world_readable_tmpfiles and ansible_shell_allow_world_readable_temp. Nothing was sent to the host."
)


class Action:
    """What Ansible knows of a task."""

    def __init__(self, is_allowed: bool, pipelines: bool, is_unprivileged: bool) -> None:
        self._options = {"world_readable_temp": is_allowed}
        self._pipelines = pipelines
        self._is_unprivileged = is_unprivileged

    def get_shell_option(self, option: str, default: Any = None) -> Any:
        return self._options.get(option, default)

    def _is_pipelining_enabled(self, module_style: str) -> bool:
        return module_style == "new" and self._pipelines

    def _is_become_unprivileged(self) -> bool:
        return self._is_unprivileged


# Whether a file that all may read is allowed, whether Ansible pipelines, whether it becomes another unprivileged
# account, and what is wrong.
TASKS = {
    "all may read": (True, False, True, EXPOSED),
    "there is no file": (True, True, True, ""),
    "it is not allowed": (False, False, True, ""),
    "the account can read the file anyway": (True, False, False, ""),
}


@pytest.mark.parametrize(("is_allowed", "pipelines", "is_unprivileged", "expected"), TASKS.values(), ids=TASKS)
def test_exposure(is_allowed: bool, pipelines: bool, is_unprivileged: bool, expected: str) -> None:
    assert exposure(cast(ActionBase, Action(is_allowed, pipelines, is_unprivileged))) == expected


KEY = "sk-0123456789abcdef"
BLOCKS = {"providers": {"moonshot": {"headers": {"Authorization": f"Bearer {KEY}"}}}}

#: Module, its action, and options in which only the module's `secrets_in` finds keys.
MODULES: dict[str, tuple[ModuleType, type[KeyAction], tuple[dict[str, Any], ...]]] = {
    "gateway_config": (gateway_config, config_action.ActionModule, ()),
    "gateway_info": (
        gateway_info,
        info_action.ActionModule,
        ({"files": BLOCKS}, {"endpoints": {"providers": [{"name": "moonshot", "api_key": KEY}]}}),
    ),
    "provider_config": (provider_config, provider_action.ActionModule, (BLOCKS,)),
    "secret_audit": (
        secret_audit,
        audit_action.ActionModule,
        ({"endpoints": {"providers": [{"name": "moonshot", "headers": {"Authorization": f"Bearer {KEY}"}}]}},),
    ),
}


@pytest.mark.parametrize("name", MODULES)
def test_every_option_with_keys_counts(name: str) -> None:
    module, action, found = MODULES[name]
    spec: Mapping[str, Any] = module.ARGUMENT_SPEC
    hidden = [option for option, one in spec.items() if one.get("no_log")]
    assert [module.secrets_in(options) != set() for options in found] == [True] * len(found)
    assert sorted(action.key_options) == sorted([*hidden, *(option for options in found for option in options)])


def test_every_module_with_an_option_that_is_hidden_has_an_action() -> None:
    plugins = Path(config_action.__file__).parents[1]
    for path in (plugins / "module_utils" / "_module").glob("*.py"):
        if '"no_log": True' in path.read_text():
            assert (plugins / "action" / path.name).exists(), path
