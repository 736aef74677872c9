# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module provider_config with the products' own checkers: what it accepts, rejects and leaves behind."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.config_check import check_command
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.modules import provider_config

KEY = "sk-new-0123456789abcdef"
OTHERS_KEY = "sk-others-0123456789abcdef"
CONFIG = """{
  // written by hand
  models: { providers: { other: { baseUrl: "https://other.example/v1", apiKey: "${OTHER_API_KEY}", models: [] } } },
}
"""
ENV = f"OTHER_API_KEY={OTHERS_KEY}\n"
BLOCK = {
    "baseUrl": "https://api.moonshot.cn/v1",
    "apiKey": "${MOONSHOT_API_KEY}",
    "api": "openai-completions",
    "models": [{"id": "kimi-k2.5", "name": "Kimi K2.5"}],
}

CASES: dict[str, tuple[dict[str, object], str | None]] = {
    "good block": ({"aliases": {"k25": "moonshot/kimi-k2.5"}, "default_model": "moonshot/kimi-k2.5"}, None),
    "unknown key": (
        {"providers": {"moonshot": {**BLOCK, "models": [{"id": "kimi-k2.5", "name": "Kimi K2.5", "region": "cn"}]}}},
        'models.providers.moonshot.models.0: Unrecognized key: "region"',
    ),
    "model without a name": (
        {"providers": {"moonshot": {**BLOCK, "models": [{"id": "kimi-k2.5"}]}}},
        "models.providers.moonshot.models.0.name: Invalid input: expected string, received undefined",
    ),
}


def program(product: str) -> tuple[str, ...]:
    modules = Path(__file__).parents[2] / ".cache" / product / "node_modules"
    return str(modules / ".bin" / "node"), str(modules / product / PRODUCTS[product].install.entry)


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize(("arguments", "problem"), CASES.values(), ids=CASES)
def test_the_product_judges_the_new_config(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: dict[str, object], problem: str | None, product: str
) -> None:
    config, env = tmp_path / "clawdbot.json", tmp_path / ".env"
    config.write_text(CONFIG)
    env.write_text(ENV)
    asked: dict[str, Any] = {
        "config_path": str(config),
        "env_path": str(env),
        "providers": {"moonshot": BLOCK},
        "env": {"MOONSHOT_API_KEY": KEY},
        "validate": check_command(PRODUCTS[product], program(product)),
    }
    capsys.readouterr()
    with patch_module_args({**asked, **arguments}), pytest.raises(SystemExit) as leaving:
        provider_config.main()
    printed = capsys.readouterr().out
    result = json.loads(printed)
    assert KEY not in printed
    assert OTHERS_KEY not in printed
    if problem is None:
        assert (leaving.value.code, result["changed"]) == (0, True)
        assert sorted(os.listdir(tmp_path)) == [
            ".clawdbot.json.clawfleet-journal",
            ".clawdbot.json.clawfleet-key-dates",
            ".env",
            "clawdbot.json",
        ]
    else:
        message = f"The config check rejected the new config: {problem}. Nothing was changed."
        assert (leaving.value.code, result["msg"]) == (1, message)
        assert (config.read_text(), env.read_text()) == (CONFIG, ENV)
        assert sorted(os.listdir(tmp_path)) == [".env", "clawdbot.json"]
