# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import (
    PRODUCTS,
    Paths,
    Product,
    check_command,
    environment,
    resolve_paths,
    resolve_product,
)

CLAWDBOT = PRODUCTS["clawdbot"]

# State folder, config and .env as given, and where they then are below the home of the account.
PATHS: dict[str, tuple[tuple[str | None, str | None, str | None], tuple[str, str, str]]] = {
    "defaults": ((None, None, None), (".clawdbot", ".clawdbot/clawdbot.json", ".clawdbot/.env")),
    "another state folder": (("~/x", None, None), ("x", "x/clawdbot.json", "x/.env")),
    "each of its own": (("~/x", "~/y.json", "~/z/.env"), ("x", "y.json", "z/.env")),
    "empty ones are not given": (("", "", ""), (".clawdbot", ".clawdbot/clawdbot.json", ".clawdbot/.env")),
    "a way round": (("~/a/../x/", None, None), ("x", "x/clawdbot.json", "x/.env")),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", PATHS)
def test_paths(name: str, home: Path) -> None:
    given, expected = PATHS[name]
    assert resolve_paths(CLAWDBOT, *given) == Paths(*(str(home / path) for path in expected))


def test_relative_paths_become_absolute() -> None:
    assert resolve_paths(CLAWDBOT, "/s", "c.json", None) == Paths("/s", os.path.join(os.getcwd(), "c.json"), "/s/.env")


def test_every_product_has_its_own_name_and_places() -> None:
    assert all(name == row.name for name, row in PRODUCTS.items())
    for field in ("state_dir", "unit", "state_dir_variable", "config_path_variable", "port_variable"):
        assert len({getattr(row, field) for row in PRODUCTS.values()}) == len(PRODUCTS)


@pytest.fixture
def another(home: Path, monkeypatch: pytest.MonkeyPatch) -> Product:
    """A last row of the table, on a host that has no product's state folder yet."""
    row = dataclasses.replace(CLAWDBOT, name="another", state_dir=str(home / "another"))
    monkeypatch.setitem(PRODUCTS, "another", row)  # type: ignore[arg-type] # the table is a dict
    return row


def test_product_by_name_whatever_is_there(another: Product) -> None:
    assert resolve_product("another") == another
    Path(another.state_dir).mkdir()
    assert resolve_product("clawdbot") == CLAWDBOT


def test_product_by_the_state_folder_that_is_there(another: Product) -> None:
    first = next(iter(PRODUCTS.values()))
    assert resolve_product("auto") == first
    Path(another.state_dir).mkdir()
    assert resolve_product("auto") == another
    Path(first.state_dir).expanduser().mkdir()
    assert resolve_product("auto") == first


def test_the_program_is_led_to_the_files() -> None:
    assert environment(CLAWDBOT, Paths("/s", "/c.json", "/e")) == {
        "CLAWDBOT_STATE_DIR": "/s",
        "CLAWDBOT_CONFIG_PATH": "/c.json",
    }


def test_check_command_leads_to_candidate_and_scratch_folder() -> None:
    assert check_command(CLAWDBOT, ("/node", "/entry.js")) == [
        "/usr/bin/env",
        "CLAWDBOT_CONFIG_PATH=%s",
        "CLAWDBOT_STATE_DIR=%d",
        "/node",
        "/entry.js",
        "config",
        "get",
        "agents.defaults.maxConcurrent",
    ]
