# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import (
    Paths,
    environment,
    paths_of_process,
    resolve_paths,
    resolve_product,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

CLAWDBOT = PRODUCTS["clawdbot"]

# State directory, config and .env as given, and the paths below the home of the account.
PATHS: dict[str, tuple[tuple[str | None, str | None, str | None], tuple[str, str, str]]] = {
    "defaults": ((None, None, None), (".clawdbot", ".clawdbot/clawdbot.json", ".clawdbot/.env")),
    "another state directory": (("~/x", None, None), ("x", "x/clawdbot.json", "x/.env")),
    "each given": (("~/x", "~/y.json", "~/z/.env"), ("x", "y.json", "z/.env")),
    "empty strings count as not given": (("", "", ""), (".clawdbot", ".clawdbot/clawdbot.json", ".clawdbot/.env")),
    "a detour": (("~/a/../x/", None, None), ("x", "x/clawdbot.json", "x/.env")),
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


# Files in the home, and links to directories; then the state directory as given, and the product that is found.
FOUND: dict[str, tuple[list[str], dict[str, str], str | None, str]] = {
    "nothing": ([], {}, None, "clawdbot"),
    "Clawdbot": ([".clawdbot/clawdbot.json"], {}, None, "clawdbot"),
    "OpenClaw": ([".openclaw/openclaw.json"], {}, None, "openclaw"),
    "OpenClaw that has no config yet": ([".openclaw/.env"], {}, None, "openclaw"),
    "a directory that OpenClaw has taken over": (
        [".openclaw/clawdbot.json", ".openclaw/state/openclaw.sqlite"],
        {".clawdbot": ".openclaw"},
        None,
        "openclaw",
    ),
    "a directory that OpenClaw uses under the old name": (
        [".clawdbot/clawdbot.json", ".clawdbot/state/openclaw.sqlite"],
        {},
        None,
        "openclaw",
    ),
    "a given directory of Clawdbot": ([".openclaw/openclaw.json", "x/clawdbot.json"], {}, "~/x", "clawdbot"),
    "a given directory of OpenClaw": ([".clawdbot/clawdbot.json", "x/openclaw.json"], {}, "~/x", "openclaw"),
    "the default directory of OpenClaw, given": ([".clawdbot/.env", ".openclaw/.env"], {}, "~/.openclaw", "openclaw"),
    "a link to a directory of OpenClaw": (["y/state/openclaw.sqlite"], {"x": "y"}, "~/x", "openclaw"),
    "a directory that does not exist": ([".openclaw/openclaw.json"], {}, "~/x", "clawdbot"),
}


@pytest.mark.parametrize("name", FOUND)
def test_auto_finds_the_product_by_its_files(name: str, home: Path) -> None:
    files, links, state_dir, product = FOUND[name]
    for file in files:
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).touch()
    for link, target in links.items():
        (home / link).symlink_to(home / target)
    assert resolve_product("auto", state_dir).name == product


def test_auto_rejects_an_account_with_two_products(home: Path) -> None:
    (home / ".clawdbot").mkdir()
    (home / ".openclaw").mkdir()
    with pytest.raises(ClawdbotError) as caught:
        resolve_product("auto")
    assert str(caught.value) == (
        f"This account has several state directories: {home}/.clawdbot, {home}/.openclaw. Set product "
        "(providers_product of the role) to the product of the gateway."
    )
    assert resolve_product("openclaw").name == "openclaw"


# The configs in the state directory, and the one that OpenClaw reads.
CONFIGS: dict[str, tuple[list[str], str]] = {
    "none": ([], "openclaw.json"),
    "its own": (["openclaw.json"], "openclaw.json"),
    "that of Clawdbot": (["clawdbot.json"], "clawdbot.json"),
    "both": (["clawdbot.json", "openclaw.json"], "openclaw.json"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_openclaw_reads_the_config_of_a_directory_that_it_has_taken_over(name: str, home: Path) -> None:
    files, config = CONFIGS[name]
    (home / ".openclaw").mkdir()
    for file in files:
        (home / ".openclaw" / file).touch()
    assert resolve_paths(PRODUCTS["openclaw"], None, None, None).config == str(home / ".openclaw" / config)
    assert resolve_paths(PRODUCTS["openclaw"], None, "~/c.json", None).config == str(home / "c.json")


def test_environment_variables_lead_the_cli_to_the_files() -> None:
    assert environment(CLAWDBOT, Paths("/s", "/c.json", "/e")) == {
        "CLAWDBOT_STATE_DIR": "/s",
        "CLAWDBOT_CONFIG_PATH": "/c.json",
    }


#: Product, environment variables, command line and directories of the home -> state directory and config.
USED: dict[str, tuple[str, dict[str, str], str, list[str], str, str]] = {
    "defaults": ("clawdbot", {}, "", [], "{home}/.clawdbot", "{home}/.clawdbot/clawdbot.json"),
    "a state directory": (
        "openclaw",
        {"OPENCLAW_STATE_DIR": "/srv/openclaw"},
        "",
        [".openclaw"],
        "/srv/openclaw",
        "/srv/openclaw/openclaw.json",
    ),
    "below the home": ("clawdbot", {"CLAWDBOT_STATE_DIR": "~/x"}, "", [], "{home}/x", "{home}/x/clawdbot.json"),
    "below the directory of the process": (
        "clawdbot",
        {"CLAWDBOT_STATE_DIR": "x/../y"},
        "",
        [],
        "/start/y",
        "/start/y/clawdbot.json",
    ),
    "a config": ("clawdbot", {"CLAWDBOT_CONFIG_PATH": "/etc/c.json"}, "", [], "{home}/.clawdbot", "/etc/c.json"),
    "another product's variables": (
        "openclaw",
        {"CLAWDBOT_STATE_DIR": "/srv/x"},
        "",
        [],
        "{home}/.openclaw",
        "{home}/.openclaw/openclaw.json",
    ),
    "a profile": (
        "openclaw",
        {},
        "node e.js --profile two gateway --port 1",
        [".openclaw"],
        "{home}/.openclaw-two",
        "{home}/.openclaw-two/openclaw.json",
    ),
    "a profile in one word": (
        "clawdbot",
        {},
        "node e.js --profile=two gateway",
        [],
        "{home}/.clawdbot-two",
        "{home}/.clawdbot-two/clawdbot.json",
    ),
    "the profile of developers": (
        "clawdbot",
        {},
        "clawdbot --dev gateway",
        [],
        "{home}/.clawdbot-dev",
        "{home}/.clawdbot-dev/clawdbot.json",
    ),
    "a profile and a state directory": (
        "clawdbot",
        {"CLAWDBOT_STATE_DIR": "/srv/x"},
        "node e.js --profile two gateway",
        [],
        "/srv/x",
        "/srv/x/clawdbot.json",
    ),
    "the default profile": (
        "clawdbot",
        {},
        "node e.js --profile Default gateway",
        [],
        "{home}/.clawdbot",
        "{home}/.clawdbot/clawdbot.json",
    ),
    "an option of the gateway": (
        "clawdbot",
        {},
        "node e.js gateway --dev",
        [],
        "{home}/.clawdbot",
        "{home}/.clawdbot/clawdbot.json",
    ),
    "a profile after the command": (
        "clawdbot",
        {},
        "node e.js gateway --profile two",
        [],
        "{home}/.clawdbot",
        "{home}/.clawdbot/clawdbot.json",
    ),
    "a profile after the command of OpenClaw": (
        "openclaw",
        {},
        "node e.js gateway --port 1 --profile=two",
        [],
        "{home}/.openclaw-two",
        "{home}/.openclaw-two/openclaw.json",
    ),
    "an option of the gateway of OpenClaw": (
        "openclaw",
        {},
        "node e.js gateway --dev",
        [],
        "{home}/.openclaw",
        "{home}/.openclaw/openclaw.json",
    ),
    "another home": (
        "openclaw",
        {"OPENCLAW_HOME": "/srv/h", "HOME": "/home/g"},
        "",
        [],
        "/srv/h/.openclaw",
        "/srv/h/.openclaw/openclaw.json",
    ),
    "a directory of Clawdbot that OpenClaw has not taken over": (
        "openclaw",
        {},
        "",
        [".clawdbot"],
        "{home}/.clawdbot",
        "{home}/.clawdbot/openclaw.json",
    ),
    "directories of both": (
        "openclaw",
        {},
        "",
        [".clawdbot", ".openclaw"],
        "{home}/.openclaw",
        "{home}/.openclaw/openclaw.json",
    ),
}


def no_env(_path: str) -> dict[str, str]:
    return {}


@pytest.mark.parametrize("name", USED)
def test_the_paths_of_a_process(name: str, home: Path) -> None:
    product, variables, command, directories, state_dir, config = USED[name]
    for directory in directories:
        (home / directory).mkdir()
    assert paths_of_process(PRODUCTS[product], variables, command.split(), "/start", no_env) == Paths(
        state_dir.format(home=home),
        config.format(home=home),
        f"{state_dir.format(home=home)}/.env",
    )


#: Product, variables and command of a process; what each `.env` sets -> its state directory, config and `.env`.
MOVED: dict[str, tuple[str, dict[str, str], str, dict[str, dict[str, str]], Paths]] = {
    "in the working directory": (
        "clawdbot",
        {},
        "node e.js gateway",
        {"/start/.env": {"CLAWDBOT_STATE_DIR": "/srv/x"}, "/srv/x/.env": {"CLAWDBOT_STATE_DIR": "/srv/y"}},
        Paths("/srv/x", "/srv/x/clawdbot.json", "/srv/x/.env"),
    ),
    "in the state directory, whose .env stays": (
        "clawdbot",
        {},
        "node e.js gateway",
        {"/home/g/.clawdbot/.env": {"CLAWDBOT_STATE_DIR": "/srv/x"}, "/srv/x/.env": {"CLAWDBOT_STATE_DIR": "/srv/y"}},
        Paths("/srv/x", "/srv/x/clawdbot.json", "/home/g/.clawdbot/.env"),
    ),
    "only the config": (
        "clawdbot",
        {},
        "node e.js gateway",
        {"/start/.env": {"CLAWDBOT_CONFIG_PATH": "~/c.json"}},
        Paths("/home/g/.clawdbot", "/home/g/c.json", "/home/g/.clawdbot/.env"),
    ),
    "and in the environment, which takes precedence": (
        "clawdbot",
        {"CLAWDBOT_STATE_DIR": "/srv/x"},
        "node e.js gateway",
        {"/start/.env": {"CLAWDBOT_STATE_DIR": "/srv/y"}, "/srv/x/.env": {"CLAWDBOT_STATE_DIR": "/srv/y"}},
        Paths("/srv/x", "/srv/x/clawdbot.json", "/srv/x/.env"),
    ),
    "and by a profile, which takes precedence": (
        "clawdbot",
        {},
        "node e.js --profile two gateway",
        {
            "/start/.env": {"CLAWDBOT_STATE_DIR": "/srv/y"},
            "/home/g/.clawdbot-two/.env": {"CLAWDBOT_STATE_DIR": "/srv/y"},
        },
        Paths("/home/g/.clawdbot-two", "/home/g/.clawdbot-two/clawdbot.json", "/home/g/.clawdbot-two/.env"),
    ),
    "in the working directory of OpenClaw, which ignores it": (
        "openclaw",
        {},
        "node e.js gateway",
        {"/start/.env": {"OPENCLAW_STATE_DIR": "/srv/x"}},
        Paths("/home/g/.openclaw", "/home/g/.openclaw/openclaw.json", "/home/g/.openclaw/.env"),
    ),
    "in the state directory of OpenClaw": (
        "openclaw",
        {},
        "node e.js gateway",
        {"/home/g/.openclaw/.env": {"OPENCLAW_STATE_DIR": "/srv/x"}},
        Paths("/srv/x", "/srv/x/openclaw.json", "/home/g/.openclaw/.env"),
    ),
}


@pytest.mark.parametrize("name", MOVED)
def test_the_paths_of_a_process_that_a_file_moves(name: str) -> None:
    product, variables, command, files, expected = MOVED[name]
    held = {"HOME": "/home/g", **variables}
    found = paths_of_process(PRODUCTS[product], held, command.split(), "/start", lambda path: files.get(path, {}))
    assert found == expected


def test_the_config_of_a_process_is_the_one_that_exists(home: Path) -> None:
    (home / ".openclaw").mkdir()
    (home / ".openclaw" / "clawdbot.json").touch()
    assert paths_of_process(PRODUCTS["openclaw"], {"HOME": str(home)}, [], "/", no_env).config == (
        f"{home}/.openclaw/clawdbot.json"
    )


#: Files in the home, the state directory as given, and the directory that is rejected.
MOLTBOT: dict[str, tuple[list[str], str | None, str | None]] = {
    "its own directory": ([".moltbot/moltbot.json"], None, ".moltbot"),
    "its directory under another name": ([".moldbot/moltbot.json"], None, ".moldbot"),
    "the directory of Clawdbot": ([".clawdbot/moltbot.json"], None, ".clawdbot"),
    "a given one": (["x/moltbot.json", ".openclaw/openclaw.json"], "~/x", "x"),
    "its directory beside that of OpenClaw": ([".moltbot/moltbot.json", ".openclaw/openclaw.json"], None, None),
    "a config of Clawdbot as well": ([".clawdbot/moltbot.json", ".clawdbot/clawdbot.json"], None, None),
}


@pytest.mark.parametrize("name", MOLTBOT)
def test_moltbot_is_rejected(name: str, home: Path) -> None:
    files, state_dir, rejected = MOLTBOT[name]
    for file in files:
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).touch()
    if rejected is None:
        assert resolve_product("auto", state_dir)
        return
    with pytest.raises(ClawdbotError) as caught:
        resolve_product("auto", state_dir)
    assert str(caught.value) == (
        f"{home / rejected} is a state directory of Moltbot, which is not supported. Install its successor OpenClaw, "
        'and move the files to its state directory: see "Supported gateways" in the documentation.'
    )
