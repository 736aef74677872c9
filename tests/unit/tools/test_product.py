# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The products as the tools install and run them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

from tools import fleet, product

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


@pytest.mark.parametrize(("by_role", "directory"), [(True, "roles/gateway/files"), (False, "tools/locks")])
def test_a_product_without_a_lock_file_is_not_installed(by_role: bool, directory: str) -> None:
    install = replace(CLAWDBOT.install, version="2027.1.1", by_role=by_role)
    with pytest.raises(SystemExit) as caught:
        product.npm_files(replace(CLAWDBOT, install=install))
    assert str(caught.value) == (
        f"Clawdbot 2027.1.1 has no lock file. Create {directory}/clawdbot-2027.1.1.lock.json with npm install "
        "--package-lock-only."
    )


def test_a_fleet_keeps_each_product_offline() -> None:
    assert list(fleet.OFFLINE) == list(PRODUCTS)
