# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import node_snippets
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import (
    PRODUCTS,
    Paths,
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


# What is in the home: files, and links to folders; then the state folder as given, and the product that is found.
FOUND: dict[str, tuple[list[str], dict[str, str], str | None, str]] = {
    "nothing": ([], {}, None, "clawdbot"),
    "Clawdbot": ([".clawdbot/clawdbot.json"], {}, None, "clawdbot"),
    "OpenClaw": ([".openclaw/openclaw.json"], {}, None, "openclaw"),
    "OpenClaw that has no config yet": ([".openclaw/.env"], {}, None, "openclaw"),
    "a folder that OpenClaw has taken over": (
        [".openclaw/clawdbot.json", ".openclaw/state/openclaw.sqlite"],
        {".clawdbot": ".openclaw"},
        None,
        "openclaw",
    ),
    "a folder that OpenClaw works in under the old name": (
        [".clawdbot/clawdbot.json", ".clawdbot/state/openclaw.sqlite"],
        {},
        None,
        "openclaw",
    ),
    "the folder of Clawdbot as given": ([".openclaw/openclaw.json", "x/clawdbot.json"], {}, "~/x", "clawdbot"),
    "the folder of OpenClaw as given": ([".clawdbot/clawdbot.json", "x/openclaw.json"], {}, "~/x", "openclaw"),
    "OpenClaw's own folder as given": ([".clawdbot/.env", ".openclaw/.env"], {}, "~/.openclaw", "openclaw"),
    "a link to a folder of OpenClaw": (["y/state/openclaw.sqlite"], {"x": "y"}, "~/x", "openclaw"),
    "a folder that is not there": ([".openclaw/openclaw.json"], {}, "~/x", "clawdbot"),
}


@pytest.mark.parametrize("name", FOUND)
def test_product_by_what_is_there(name: str, home: Path) -> None:
    files, links, state_dir, product = FOUND[name]
    for file in files:
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).touch()
    for link, target in links.items():
        (home / link).symlink_to(home / target)
    assert resolve_product("auto", state_dir).name == product


def test_two_products_of_one_account_have_to_be_told_apart(home: Path) -> None:
    (home / ".clawdbot").mkdir()
    (home / ".openclaw").mkdir()
    with pytest.raises(ClawdbotError) as caught:
        resolve_product("auto")
    assert str(caught.value) == (
        f"This account has the state folders {home}/.clawdbot, {home}/.openclaw: say with product (providers_product "
        "of the role) which product the gateway is."
    )
    assert resolve_product("openclaw").name == "openclaw"


# Which configs are in the state folder, and the one that OpenClaw reads.
CONFIGS: dict[str, tuple[list[str], str]] = {
    "none": ([], "openclaw.json"),
    "its own": (["openclaw.json"], "openclaw.json"),
    "that of Clawdbot": (["clawdbot.json"], "clawdbot.json"),
    "both": (["clawdbot.json", "openclaw.json"], "openclaw.json"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_the_config_of_a_folder_that_was_taken_over(name: str, home: Path) -> None:
    files, config = CONFIGS[name]
    (home / ".openclaw").mkdir()
    for file in files:
        (home / ".openclaw" / file).touch()
    assert resolve_paths(PRODUCTS["openclaw"], None, None, None).config == str(home / ".openclaw" / config)
    assert resolve_paths(PRODUCTS["openclaw"], None, "~/c.json", None).config == str(home / "c.json")


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
        "--no-opt",
        "-e",
        node_snippets.CHECK_CONFIG,
        "/entry.js",
        "config",
        "get",
        "agents.defaults.maxConcurrent",
    ]


def test_check_command_of_the_other_product() -> None:
    assert check_command(PRODUCTS["openclaw"], ("/node", "/openclaw.mjs"))[1:] == [
        "OPENCLAW_CONFIG_PATH=%s",
        "OPENCLAW_STATE_DIR=%d",
        "/node",
        "/openclaw.mjs",
        "config",
        "validate",
        "--json",
    ]
