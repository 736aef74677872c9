# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The products as the tools install and run them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

from tools import fleet, lock, product

CLAWDBOT = PRODUCTS["clawdbot"]


@pytest.mark.parametrize("name", PRODUCTS)
def test_each_product_is_installed_from_its_lock_file(name: str) -> None:
    files = product.npm_files(PRODUCTS[name])
    package, lock = (json.loads(files[file]) for file in ("package.json", "package-lock.json"))
    assert lock["packages"][f"node_modules/{name}"]["version"] == PRODUCTS[name].install.version
    assert lock["packages"][""]["dependencies"] == package["dependencies"]


def test_an_unknown_product_is_not_installed() -> None:
    with pytest.raises(SystemExit) as caught:
        product.install("moltbot")
    assert str(caught.value) == "Unknown product moltbot. Choose one of clawdbot, openclaw."


def test_a_product_without_a_lock_file_is_not_installed() -> None:
    install = replace(CLAWDBOT.install, version="2027.1.1")
    with pytest.raises(SystemExit) as caught:
        product.npm_files(replace(CLAWDBOT, install=install))
    assert str(caught.value) == (
        "Clawdbot 2027.1.1 has no lock file. Run make lock PRODUCT=clawdbot and move it to roles/gateway/files."
    )


def test_a_lock_file_of_an_unknown_product_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        lock.create("moltbot", "", tmp_path)
    assert str(caught.value) == "Unknown product moltbot. Choose one of clawdbot, openclaw."
    assert list(tmp_path.iterdir()) == []


def test_a_fleet_keeps_each_product_offline() -> None:
    assert list(fleet.OFFLINE) == list(PRODUCTS)
