# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import state, systemd
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.program import Cli, Package
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.state import Service, cli_environment, observe
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.systemd import Unit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

from tests.unit.plugins.module_utils._gateway.observations import executable, install, paths

CLAWDBOT = PRODUCTS["clawdbot"]

UNITS: dict[str, tuple[Unit | None, bool]] = {
    "runs": (Unit("u", "active", main_pid=os.getpid()), True),
    "does not run": (Unit("u", "inactive"), False),
    "is not known": (None, False),
}


@pytest.mark.parametrize("name", UNITS)
def test_observe_a_unit(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unit, runs = UNITS[name]
    asked = []
    monkeypatch.setattr(systemd, "show_unit", lambda *arguments: asked.append(arguments) or unit)
    monkeypatch.setattr(state, "answers", lambda *_arguments: True)
    observation = observe(CLAWDBOT, paths(tmp_path), Service("systemd_system", "u"), [])
    assert asked == [("u", "system")]
    assert observation.unit == unit
    assert (observation.process is not None) is runs
    assert observation.answers is runs


def test_observe_a_unit_where_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = Unit("u", "active", main_pid=os.getpid(), arguments=("--port", "18889"))
    monkeypatch.setattr(systemd, "show_unit", lambda *_arguments: unit)
    asked = []
    monkeypatch.setattr(state, "answers", lambda *arguments: asked.append(arguments) or True)
    assert observe(CLAWDBOT, paths(tmp_path), Service("systemd_system", "u"), []).port == 18889
    assert asked == [(18889, "/")]


def test_observe_a_unit_that_does_not_run_where_the_next_process_will_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".env").write_text("KEY=b\n")
    (tmp_path / "clawdbot.json").write_text('{env: {KEY: "${GIVEN}"}}')
    unit = Unit(
        "u", working_directory=str(tmp_path / "home"), environment={"GIVEN": "g", "CLAWDBOT_LOAD_SHELL_ENV": "1"}
    )
    monkeypatch.setattr(systemd, "show_unit", lambda *_arguments: unit)
    sources = observe(CLAWDBOT, paths(tmp_path), Service("systemd_user", "u"), []).sources
    assert [(source.place, source.values.get("KEY")) for source in sources.product] == [
        (f"{tmp_path}/home/.env", "b"),
        (f"{tmp_path}/.env", None),
        (f"env block of {tmp_path}/clawdbot.json", "g"),
        ("login shell", None),
    ]


def test_observe_by_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("KEY=a\n")
    (tmp_path / "clawdbot.json").write_text("{gateway: {port: 19001}}")
    process = Process(7, 1000.0, {"CLAWDBOT_GATEWAY_PORT": "19009"})
    monkeypatch.setattr(state, "find_by_lock", lambda *_arguments: process)
    monkeypatch.setattr(state, "answers", lambda port, path: (port, path) == (19009, "/"))
    observation = observe(CLAWDBOT, paths(tmp_path), Service("command", "unused"), [])
    assert (observation.unit, observation.process, observation.port) == (None, process, 19009)
    assert observation.answers
    assert [file.place for file in observation.sources.files] == [str(tmp_path / ".env")]
    assert [reason.partition(" was changed at ")[0] for reason in observation.restart_reasons] == [
        str(tmp_path / ".env")
    ]


def test_a_program_that_was_replaced_is_a_restart_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = install(tmp_path / "package")
    node = executable(tmp_path / "bin" / "node")
    process = Process(7, 1000.0, None, None, str(node), ("node", str(entry)))
    monkeypatch.setattr(state, "find_by_lock", lambda *_arguments: process)
    monkeypatch.setattr(state, "answers", lambda *_arguments: True)
    observation = observe(CLAWDBOT, paths(tmp_path), Service("command", "unused"), [])
    described = str(tmp_path / "package" / "package.json")
    assert observation.cli == Cli((str(node), str(entry)), Package("2026.1.24-3", described))
    assert [reason.partition(" was changed at ")[0] for reason in observation.restart_reasons] == [described]


def test_the_paths_of_a_process_in_a_container_mean_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = install(tmp_path / "package")
    process = Process(7, 1000.0, None, None, str(executable(tmp_path / "node")), ("node", str(entry)))
    asked = []
    monkeypatch.setattr(state, "find_by_lock", lambda *_arguments: process)
    monkeypatch.setattr(state, "answers", lambda *_arguments: True)
    monkeypatch.setattr(state, "sees_other_files", lambda *arguments: asked.append(arguments) or True)
    observation = observe(CLAWDBOT, paths(tmp_path), Service("command", "unused"), [])
    assert asked == [(process, str(tmp_path))]
    assert (observation.isolated, observation.cli) == (True, Cli())


#: The environment of the process, None where it cannot be read -> that of the CLI, but PATH and HOME.
ENVIRONMENTS: dict[str, tuple[Process | None, dict[str, str]]] = {
    "of the process": (Process(7, 1.0, {"GITHUB_PAT": "p"}), {"GITHUB_PAT": "p"}),
    "without what is of the process alone": (
        Process(7, 1.0, {"NODE_CHANNEL_FD": "3", "NOTIFY_SOCKET": "@n", "LISTEN_FDS": "1", "NODE_OPTIONS": "-r x"}),
        {"NODE_OPTIONS": "-r x"},
    ),
    "of the unit": (None, {"CALLER": "c", "GITHUB_PAT": "u"}),
    "of the unit, as that of the process cannot be read": (Process(7, 1.0), {"CALLER": "c", "GITHUB_PAT": "u"}),
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_environment_of_the_cli(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process, expected = ENVIRONMENTS[name]
    own = {"PATH": "/usr/bin", "HOME": str(tmp_path)}
    for variable in os.environ:
        monkeypatch.delenv(variable)
    for variable, value in {**own, "CALLER": "c"}.items():
        monkeypatch.setenv(variable, value)
    unit = Unit("u", "active", main_pid=7, environment={"GITHUB_PAT": "u"})
    monkeypatch.setattr(systemd, "show_unit", lambda *_arguments: unit)
    monkeypatch.setattr(state, "find_by_pid", lambda _pid: process)
    monkeypatch.setattr(state, "answers", lambda *_arguments: True)
    service = Service("systemd_user", "u")
    assert cli_environment(CLAWDBOT, paths(tmp_path), service) == {**own, **expected}
    assert observe(CLAWDBOT, paths(tmp_path), service, []).cli_environment == {**own, **expected}


def test_the_config_is_read_with_its_includes_as_far_as_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "find_by_lock", lambda *_arguments: None)

    def read() -> tuple[Any, int]:
        seen = observe(CLAWDBOT, paths(tmp_path), Service("command", "unused"), [])
        return seen.config, seen.port

    config = tmp_path / "clawdbot.json"
    assert read() == ({}, 18789)
    config.mkdir()
    assert read() == ({}, 18789)
    config.rmdir()
    config.write_text("{")
    assert read() == ({}, 18789)
    config.write_text('{a: 1, "$include": "other.json5"}')
    assert read() == ({"a": 1, "$include": "other.json5"}, 18789)
    (tmp_path / "other.json5").write_text("{b: 2, gateway: {port: 19001}}")
    assert read() == ({"a": 1, "b": 2, "gateway": {"port": 19001}}, 19001)
