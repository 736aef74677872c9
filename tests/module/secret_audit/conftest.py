# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.module.secret_audit.gateway_files import BEFORE, KIMI, NOW, OLD, Gateway, Run


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    # Not above: the import of a collection by a conftest.py keeps Ansible from loading it in other tests.
    from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import account
    from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

    (tmp_path / "home").mkdir()
    # The module replaces it for the time of the test.
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    own = {**account.own_account(), "home": str(tmp_path / "home")}
    monkeypatch.setattr(account, "own_account", lambda: own)
    product = replace(PRODUCTS["clawdbot"], log_files=str(tmp_path / "logs" / "*.log"))
    monkeypatch.setitem(PRODUCTS, "clawdbot", product)
    made = Gateway(tmp_path / "gateway")
    made.lay_out(BEFORE)
    return made


@pytest.fixture
def run(gateway: Gateway, capsys: pytest.CaptureFixture[str]) -> Run:
    """The module's result with further arguments; no key is in what it prints."""
    from ansible.module_utils.testing import patch_module_args
    from ansible_collections.clawfleet.clawdbot.plugins.modules import secret_audit

    def run_module(check_mode: bool = False, **more: object) -> dict[str, Any]:
        capsys.readouterr()
        arguments = {**gateway.arguments(**more), "_ansible_check_mode": check_mode, "_ansible_diff": True}
        with patch_module_args(arguments), pytest.raises(SystemExit) as leaving:
            secret_audit.main()
        printed = capsys.readouterr()
        assert [key for key in (NOW, OLD, KIMI) if key in printed.out + printed.err] == []
        result: dict[str, Any] = json.loads(printed.out)
        assert bool(leaving.value.code) == bool(result.get("failed"))
        return result

    return run_module
