# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from tests.module.provider_config.gateway_files import Gateway, Ran, Run


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    made = Gateway(tmp_path / "gateway")
    made.reset()
    return made


@pytest.fixture
def run_on(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the module on a gateway, with further arguments."""
    # Not above: the import of a collection by a conftest.py keeps Ansible from loading it in other tests.
    from ansible.module_utils.testing import patch_module_args
    from ansible_collections.clawfleet.clawdbot.plugins.modules import provider_config

    def run_module(gateway: Gateway, check_mode: bool = False, **more: object) -> Ran:
        capsys.readouterr()
        arguments = {**gateway.arguments(**more), "_ansible_check_mode": check_mode, "_ansible_diff": True}
        with patch_module_args(arguments), pytest.raises(SystemExit) as leaving:
            provider_config.main()
        printed = capsys.readouterr()
        return Ran(int(leaving.value.code or 0), json.loads(printed.out), printed.out + printed.err)

    return run_module


@pytest.fixture
def run(gateway: Gateway, run_on: Run) -> Run:
    return partial(run_on, gateway)
