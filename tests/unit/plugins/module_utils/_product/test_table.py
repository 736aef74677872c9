# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS, Install, Product

CLAWDBOT = PRODUCTS["clawdbot"]


def test_each_row_carries_its_own_name() -> None:
    assert all(name == row.name for name, row in PRODUCTS.items())


@pytest.mark.parametrize("field", ["state_dir", "unit", "lock_dir_prefix", "log_files", "variable_prefix"])
def test_no_two_products_share_a_place(field: str) -> None:
    assert len({getattr(row, field) for row in PRODUCTS.values()}) == len(PRODUCTS)


@pytest.mark.parametrize("field", [*fields(Product), *fields(Install)], ids=lambda field: field.name)
def test_each_field_differs_between_products(field: Field[Any]) -> None:
    values = [getattr(row, field.name, getattr(row.install, field.name, None)) for row in PRODUCTS.values()]
    assert any(value != values[0] for value in values)


def test_environment_variables_begin_with_the_prefix() -> None:
    assert (
        CLAWDBOT.state_dir_variable,
        CLAWDBOT.config_path_variable,
        CLAWDBOT.port_variable,
        CLAWDBOT.token_variable,
        CLAWDBOT.shell_env_variable,
    ) == (
        "CLAWDBOT_STATE_DIR",
        "CLAWDBOT_CONFIG_PATH",
        "CLAWDBOT_GATEWAY_PORT",
        "CLAWDBOT_GATEWAY_TOKEN",
        "CLAWDBOT_LOAD_SHELL_ENV",
    )
