# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import sockets, state, systemd
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.program import Cli, Package
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.sockets import Address
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.state import Service, observe
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.systemd import Unit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Listener
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

from tests.unit.plugins.module_utils._gateway.observations import executable, install, paths

CLAWDBOT = PRODUCTS["clawdbot"]


def listens(
    monkeypatch: pytest.MonkeyPatch, own: Sequence[Address] = (Address("127.0.0.1", 19009),), *, answers: bool = True
) -> list[Any]:
    """Have each process listen there and a listener found at the configured port; return what that was asked with."""
    asked: list[Any] = []

    def find_listener(*arguments: Any) -> tuple[Listener, bool]:
        asked.append(arguments)
        return Listener("127.0.0.1", arguments[1]), answers

    monkeypatch.setattr(sockets, "of_gateway", lambda _pid: list(own))
    monkeypatch.setattr(state, "find_listener", find_listener)
    return asked


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
    listens(monkeypatch)
    observation = observe(CLAWDBOT, paths(tmp_path), Service("systemd_system", "u"), [])
    assert asked[:1] == [("u", "system")]
    # Where it does not run and something answers, that is looked for.
    assert (asked[1:] == []) is runs
    assert observation.port_taken_by == ("" if runs else "another process")
    assert observation.unit == unit
    assert (observation.process is not None) is runs
    assert observation.answers is runs


def test_observe_a_unit_where_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = Unit("u", "active", main_pid=7, arguments=("--port", "18889"))
    monkeypatch.setattr(systemd, "show_unit", lambda *_arguments: unit)
    monkeypatch.setattr(state, "find_by_pid", lambda _pid: Process(7, 1.0))
    asked = listens(monkeypatch, [Address("10.0.0.5", 1)])
    observation = observe(CLAWDBOT, paths(tmp_path), Service("systemd_system", "u"), [])
    assert asked == [([Address("10.0.0.5", 1)], 18889, "/")]
    assert (observation.listener, observation.listening) == (Listener("127.0.0.1", 18889), "known")


def test_observe_a_unit_that_does_not_show_where_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd, "show_unit", lambda *_arguments: Unit("u", "active", main_pid=7))
    monkeypatch.setattr(state, "find_by_pid", lambda _pid: Process(7, 1.0))
    asked = listens(monkeypatch)
    monkeypatch.setattr(sockets, "of_gateway", lambda _pid: None)
    observation = observe(CLAWDBOT, paths(tmp_path), Service("systemd_system", "u"), [])
    assert (asked, observation.listening) == ([(None, 18789, "/")], "unknown")


#: Where the port is set -> what is configured: in the unit, in the process, in `.env`, in the config.
PORTS: dict[str, tuple[list[str], dict[str, str] | None, str, int]] = {
    "in the unit": (["--port", "19004"], {"CLAWDBOT_GATEWAY_PORT": "19003"}, "CLAWDBOT_GATEWAY_PORT=19002\n", 19004),
    "in the process": ([], {"CLAWDBOT_GATEWAY_PORT": "19003"}, "CLAWDBOT_GATEWAY_PORT=19002\n", 19003),
    "in .env": ([], {}, "CLAWDBOT_GATEWAY_PORT=19002\n", 19002),
    "in .env, and the process cannot be read": ([], None, "CLAWDBOT_GATEWAY_PORT=19002\n", 19002),
    "in the config": ([], {}, "", 19001),
}


@pytest.mark.parametrize("name", PORTS)
def test_the_port_that_is_configured(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, environment, env, expected = PORTS[name]
    (tmp_path / ".env").write_text(env)
    (tmp_path / "clawdbot.json").write_text("{gateway: {port: 19001}}")
    monkeypatch.setattr(systemd, "show_unit", lambda *_arguments: Unit("u", main_pid=7, arguments=tuple(arguments)))
    monkeypatch.setattr(state, "find_by_pid", lambda _pid: Process(7, time.time() + 60, environment))
    asked = listens(monkeypatch)
    observe(CLAWDBOT, paths(tmp_path), Service("systemd_user", "u"), [])
    assert [port for _own, port, _path in asked] == [expected]


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
    listens(monkeypatch, answers=False)
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
    asked = listens(monkeypatch)
    observation = observe(CLAWDBOT, paths(tmp_path), Service("command", "unused"), [])
    assert (observation.unit, observation.process) == (None, process)
    assert asked == [([Address("127.0.0.1", 19009)], 19009, "/")]
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
    listens(monkeypatch)
    observation = observe(CLAWDBOT, paths(tmp_path), Service("command", "unused"), [])
    described = str(tmp_path / "package" / "package.json")
    assert observation.cli == Cli((str(node), str(entry)), Package("2026.1.24-3", described))
    assert [reason.partition(" was changed at ")[0] for reason in observation.restart_reasons] == [described]


def test_the_paths_of_a_process_in_a_container_mean_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = install(tmp_path / "package")
    process = Process(7, 1000.0, None, None, str(executable(tmp_path / "node")), ("node", str(entry)))
    asked = []
    monkeypatch.setattr(state, "find_by_lock", lambda *_arguments: process)
    listens(monkeypatch)
    monkeypatch.setattr(state, "sees_other_files", lambda *arguments: asked.append(arguments) or True)
    observation = observe(CLAWDBOT, paths(tmp_path), Service("command", "unused"), [])
    assert asked == [(process, str(tmp_path))]
    assert (observation.isolated, observation.cli) == (True, Cli())


def test_the_unit_of_an_earlier_product_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    units = {"clawdbot-gateway": Unit("clawdbot-gateway", "active"), "u": Unit("u", "active")}
    monkeypatch.setattr(systemd, "show_unit", lambda name, _scope: units.get(name))
    listens(monkeypatch, answers=False)
    service = Service("systemd_user", "openclaw-gateway", ("clawdbot-gateway", "u"))
    found = observe(PRODUCTS["openclaw"], paths(tmp_path), service, [])
    assert found.unit is not None
    assert found.unit.name == "clawdbot-gateway"
    assert observe(PRODUCTS["openclaw"], paths(tmp_path), Service("systemd_user", "openclaw-gateway"), []).unit is None


#: The service of the inventory, and the units that run -> what answers on its port.
OTHERS: dict[str, tuple[Service, dict[tuple[str, str], int], str]] = {
    "the system's unit of the same name": (
        Service("systemd_user", "clawdbot-gateway"),
        {("clawdbot-gateway", "system"): 1},
        "the system unit clawdbot-gateway",
    ),
    "the system's unit with the name of the product": (
        Service("systemd_user", "clawdbot-gateway"),
        {("clawdbot-gateway", "system"): 0, ("clawdbot", "system"): 1},
        "the system unit clawdbot",
    ),
    "a user's unit": (
        Service("systemd_system", "x"),
        {("clawdbot-gateway", "user"): 1},
        "the user unit clawdbot-gateway",
    ),
    "no unit": (Service("systemd_system", "x"), {}, "another process"),
    "a supervisor's": (Service("command", "x"), {("clawdbot-gateway", "system"): 1}, "another process"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_answers_in_the_place_of_the_gateway(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    service, units, expected = OTHERS[name]

    def show_unit(name: str, scope: str) -> Unit | None:
        return Unit(name, main_pid=units[name, scope]) if (name, scope) in units else None

    monkeypatch.setattr(systemd, "show_unit", show_unit)
    monkeypatch.setattr(state, "find_by_lock", lambda *_arguments: None)
    listens(monkeypatch)
    observation = observe(CLAWDBOT, paths(tmp_path), service, [])
    assert (observation.port_taken_by, observation.answers) == (expected, False)


#: Process and unit -> state directory of the process, None where it is not known; `own` is that of the inventory.
STATE_DIRS: dict[str, tuple[Process | None, Unit, str | None]] = {
    "of the process": (Process(7, 1.0, {"CLAWDBOT_STATE_DIR": "/srv/x"}), Unit("u", main_pid=7), "/srv/x"),
    "its home": (Process(7, 1.0, {"HOME": "/srv"}), Unit("u", main_pid=7), "/srv/.clawdbot"),
    "the inventory's": (Process(7, 1.0, {"CLAWDBOT_STATE_DIR": "{own}/../link"}), Unit("u", main_pid=7), "{own}"),
    "its profile": (
        Process(7, 1.0, {"HOME": "/srv"}),
        Unit("u", main_pid=7, command=("node", "e.js", "--profile", "two", "gateway")),
        "/srv/.clawdbot-two",
    ),
    "of the unit": (None, Unit("u", home="/root", environment={"CLAWDBOT_STATE_DIR": "/srv/x"}), "/srv/x"),
    "of the unit's account": (None, Unit("u", home="/srv"), "/srv/.clawdbot"),
    "of an unknown account": (None, Unit("u"), None),
    "of a process that cannot be read": (Process(7, 1.0), Unit("u", main_pid=7, home="/srv"), None),
    "of the unit of a process that cannot be read": (
        Process(7, 1.0),
        Unit("u", main_pid=7, home="/root", executable="/bin/node", environment={"CLAWDBOT_STATE_DIR": "/srv/x"}),
        "/srv/x",
    ),
    "of a wrapper whose process cannot be read": (
        Process(7, 1.0),
        Unit("u", main_pid=7, home="/root", executable="/bin/sh", environment={"CLAWDBOT_STATE_DIR": "/srv/x"}),
        None,
    ),
    "of another program": (
        Process(7, 1.0, {"HOME": "/srv"}, executable="/usr/bin/podman"),
        Unit("u", main_pid=7),
        None,
    ),
}


@pytest.mark.parametrize("name", STATE_DIRS)
def test_the_state_directory_of_the_process(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    process, unit, expected = STATE_DIRS[name]
    own = tmp_path / "own"
    own.mkdir()
    (tmp_path / "link").symlink_to("own")
    if process and process.environment:
        variables = {key: value.format(own=own) for key, value in process.environment.items()}
        process = replace(process, environment=variables)
    monkeypatch.setattr(systemd, "show_unit", lambda *_arguments: unit)
    monkeypatch.setattr(state, "find_by_pid", lambda _pid: process)
    listens(monkeypatch, answers=process is not None)
    found = observe(CLAWDBOT, paths(own), Service("systemd_user", "u"), []).process_paths
    assert found == (paths(Path(expected.format(own=own))) if expected else None)


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
    listens(monkeypatch)
    observation = observe(CLAWDBOT, paths(tmp_path), Service("systemd_user", "u"), [])
    assert observation.cli_environment == {**own, **expected}


TOKEN, PASSWORD = "CLAWDBOT_GATEWAY_TOKEN", "CLAWDBOT_GATEWAY_PASSWORD"

#: Arguments of the unit, `gateway.auth` of the config -> token and password of the CLI, where the process has t and p.
CREDENTIALS: dict[str, tuple[tuple[str, ...], str, tuple[str, str]]] = {
    "of the process": ((), "{}", ("t", "p")),
    "of the config": ((), "{token: 'c', password: 'c'}", ("", "")),
    "of the process, by the config": ((), "{token: '${CLAWDBOT_GATEWAY_TOKEN}', password: ''}", ("t", "p")),
    "of the config, by another variable": ((), "{token: '${TOKEN}'}", ("", "p")),
    "of the unit": (("--token", "u", "--password=v"), "{token: 'c'}", ("u", "v")),
    "of the unit, with padding": (("--token", "dQ==", "--password=dg=="), "{}", ("dQ==", "dg==")),
    "of the unit, by a variable": (("--token", f"${{{PASSWORD}}}", f"--password=a${{{TOKEN}}}"), "{}", ("p", "at")),
    "of the unit, by a variable that is not known": (("--token", "${NOT_KNOWN}"), "{token: 'c'}", ("", "p")),
    "in a form that is not known": ((), "{token: {source: 'env', provider: 'default', id: 'X'}}", ("t", "p")),
}


@pytest.mark.parametrize("name", CREDENTIALS)
def test_the_cli_sends_what_the_gateway_takes(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments, auth, expected = CREDENTIALS[name]
    (tmp_path / "clawdbot.json").write_text(f"{{gateway: {{auth: {auth}}}}}")
    unit = Unit("u", "active", main_pid=7, arguments=arguments)
    monkeypatch.setattr(systemd, "show_unit", lambda *_arguments: unit)
    monkeypatch.setattr(state, "find_by_pid", lambda _pid: Process(7, 1.0, {TOKEN: "t", PASSWORD: "p"}))
    listens(monkeypatch)
    held = observe(CLAWDBOT, paths(tmp_path), Service("systemd_user", "u"), []).cli_environment
    assert (held[TOKEN], held[PASSWORD]) == expected


#: The environment of a process that was found by the lock of its config -> the state directory of the process.
LOCKED: dict[str, tuple[dict[str, str], str]] = {
    "of a profile": ({"HOME": "/root"}, "{own}"),
    "of its environment": (
        {"CLAWDBOT_STATE_DIR": "/srv/x", "CLAWDBOT_CONFIG_PATH": "{own}/clawdbot.json"},
        "/srv/x",
    ),
    "with a config elsewhere": ({"HOME": "/srv", "CLAWDBOT_CONFIG_PATH": "{own}/clawdbot.json"}, "/srv/.clawdbot"),
}


@pytest.mark.parametrize("name", LOCKED)
def test_the_state_directory_of_a_process_with_a_lock(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables, expected = LOCKED[name]
    environment = {key: value.format(own=tmp_path) for key, value in variables.items()}
    monkeypatch.setattr(state, "find_by_lock", lambda *_arguments: Process(7, 1.0, environment))
    listens(monkeypatch)
    found = observe(CLAWDBOT, paths(tmp_path), Service("command", "unused"), []).process_paths
    assert found is not None
    assert (found.state_dir, found.config) == (expected.format(own=tmp_path), f"{tmp_path}/clawdbot.json")


def test_the_state_directory_that_a_file_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / ".clawdbot", tmp_path / "second"
    first.mkdir()
    (first / ".env").write_text(f"CLAWDBOT_STATE_DIR={second}\n")
    monkeypatch.setattr(systemd, "show_unit", lambda *_arguments: Unit("u", main_pid=7))
    monkeypatch.setattr(state, "find_by_pid", lambda _pid: Process(7, 1.0, {"HOME": str(tmp_path)}))
    listens(monkeypatch)

    def found(own: Paths) -> Paths | None:
        return observe(CLAWDBOT, own, Service("systemd_user", "u"), []).process_paths

    expected = Paths(str(second), f"{second}/clawdbot.json", f"{first}/.env")
    assert found(paths(first)) == found(paths(second)) == expected
    # A file that is named on purpose can be one that the service loads.
    named = replace(paths(second), env="/etc/keys.env")
    assert found(named) == named


def test_the_config_is_read_with_its_includes_as_far_as_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "find_by_lock", lambda *_arguments: None)
    listens(monkeypatch, answers=False)

    def read() -> tuple[Any, int]:
        seen = observe(CLAWDBOT, paths(tmp_path), Service("command", "unused"), [])
        return seen.config, seen.listener.port

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
