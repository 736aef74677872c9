# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.env_sources import (
    EnvSources,
    Source,
    Variable,
    change_time,
    copies_in_env,
    from_product,
    from_unit,
    read_env_file,
    trace,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.systemd import EnvironmentFile, Unit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS, Product
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.unit.plugins.module_utils._gateway.source_cases import (
    HOME,
    MANAGER,
    STARTED,
    STATE,
    UNIT,
    env_file,
    running,
    sources,
)

CLAWDBOT = PRODUCTS["clawdbot"]
CONFIG = "env block of /home/g/.clawdbot/clawdbot.json"
TRACES: dict[str, tuple[Process | None, list[Source], Variable]] = {
    "nowhere": (running({}), [env_file(STATE, None)], Variable((), False, 0)),
    "no file at all": (running({}), [Source(STATE, {})], Variable((), False, 0)),
    "no process": (None, [env_file(STATE, "a")], Variable(((STATE, "a"),), None, 0)),
    "state": (running({}), [env_file(STATE, "a")], Variable(((STATE, "a"),), True, 0)),
    "environment not to be seen": (running(None), [env_file(STATE, "a")], Variable(((STATE, "a"),), True, 0)),
    "environment not to be seen, and no file": (running(None), [env_file(STATE, None)], Variable((), None, 0)),
    "state, changed since": (running({}), [env_file(STATE, "a", STARTED + 1)], Variable(((STATE, "a"),), False, 0)),
    "state, changed at the start": (running({}), [env_file(STATE, "a", STARTED)], Variable(((STATE, "a"),), False, 0)),
    "working directory before state": (
        running({}),
        [env_file(HOME, "b"), env_file(STATE, "a")],
        Variable(((HOME, "b"), (STATE, "a")), True, 1),
    ),
    "working directory alone": (
        running({}),
        [env_file(HOME, "b"), env_file(STATE, None)],
        Variable(((HOME, "b"),), True, 1),
    ),
    "environment before both": (
        running({"KEY": "c"}),
        [env_file(HOME, "b"), env_file(STATE, "a")],
        Variable((("process environment", "c"), (HOME, "b"), (STATE, "a")), True, 2),
    ),
    "environment, as a command that has read the file sets it": (
        running({"KEY": "a"}),
        [env_file(STATE, "a")],
        Variable(((STATE, "a"),), True, 0),
    ),
    "environment, as a later file alone has it": (
        running({"KEY": "a"}),
        [env_file(HOME, "b"), env_file(STATE, "a")],
        Variable((("process environment", "a"), (HOME, "b"), (STATE, "a")), True, 2),
    ),
    "environment, which is not used once a file was changed": (
        running({"KEY": "c"}),
        [env_file(STATE, "a", STARTED + 1)],
        Variable(((STATE, "a"),), True, 0),
    ),
    "an empty value in the environment": (
        running({"KEY": ""}),
        [env_file(STATE, "a")],
        Variable((("process environment", ""), (STATE, "a")), False, 1),
    ),
    "an empty value in the working directory": (
        running({}),
        [env_file(HOME, ""), env_file(STATE, "a")],
        Variable(((HOME, ""), (STATE, "a")), False, 1),
    ),
    "an empty line in the state": (running({}), [env_file(STATE, "")], Variable(((STATE, ""),), False, 0)),
    "a new file in the working directory, the old state is held": (
        running({}),
        [env_file(HOME, "b", STARTED + 1), env_file(STATE, "a")],
        Variable(((HOME, "b"), (STATE, "a")), True, 1),
    ),
    "config and login shell come last": (
        running({}),
        [env_file(STATE, None), Source(CONFIG, {"KEY": "d"}), Source("login shell", {"KEY": None})],
        Variable(((CONFIG, "d"), ("login shell", None)), False, 0),
    ),
}


@pytest.mark.parametrize("name", TRACES)
def test_trace(name: str) -> None:
    process, product, expected = TRACES[name]
    assert trace("KEY", sources(process, product)) == expected


# A unit that starts the program itself: systemd shows all that the process is given.
TOLD = Unit("u", executable="/bin/sh")
WRAPPED = Unit("u", executable="/usr/bin/env")
SERVICE = [Source(UNIT, {"KEY": "c"}), Source(MANAGER, {"KEY": "m"})]
# The unit, its sources, the process's environment; the places in order, and how many override the managed file.
SERVICES: dict[str, tuple[Unit, list[Source], dict[str, str] | None, list[tuple[str, str]], int]] = {
    "unit before manager": (TOLD, SERVICE, {"KEY": "c"}, [(UNIT, "c"), (MANAGER, "m"), (STATE, "a")], 2),
    "an environment not to be seen": (TOLD, SERVICE, None, [(UNIT, "c"), (MANAGER, "m"), (STATE, "a")], 2),
    "another value than the process has": (TOLD, SERVICE, {"KEY": "x"}, [(UNIT, "c"), (MANAGER, "m"), (STATE, "a")], 2),
    "the process has what nothing gives any more": (TOLD, [], {"KEY": "x"}, [(STATE, "a")], 0),
    "a command in between that changes nothing": (
        WRAPPED,
        SERVICE,
        {"KEY": "c"},
        [(UNIT, "c"), (MANAGER, "m"), (STATE, "a")],
        2,
    ),
    "a command in between that sets another": (
        WRAPPED,
        SERVICE,
        {"KEY": "x"},
        [("process environment", "x"), (UNIT, "c"), (MANAGER, "m"), (STATE, "a")],
        3,
    ),
    "a command in between that keeps all away": (WRAPPED, SERVICE, {}, [(STATE, "a")], 0),
    "a command in between, and something was changed since": (
        replace(WRAPPED, needs_reload=True),
        SERVICE,
        {"KEY": "x"},
        [(UNIT, "c"), (MANAGER, "m"), (STATE, "a")],
        2,
    ),
    "the service manager's own variable": (
        replace(TOLD, passed=frozenset(["KEY"])),
        [],
        {"KEY": "x"},
        [("process environment", "x"), (STATE, "a")],
        1,
    ),
    "PAM": (replace(TOLD, pam=True), [], {"KEY": "x"}, [("process environment", "x"), (STATE, "a")], 1),
    "a file that this account may not read": (
        replace(TOLD, environment_files=(EnvironmentFile("/etc/secret.env", None),)),
        [Source("/etc/secret.env", {}, STARTED - 1)],
        {"KEY": "x"},
        [("process environment", "x"), (STATE, "a")],
        1,
    ),
    "the managed file, which the unit loads": (
        TOLD,
        [env_file(STATE, "a"), *SERVICE],
        {"KEY": "a"},
        [(STATE, "a"), (UNIT, "c"), (MANAGER, "m")],
        0,
    ),
    "a file over the managed one, which the unit loads": (
        TOLD,
        [env_file("/etc/over.env", "o"), env_file(STATE, "a")],
        {"KEY": "o"},
        [("/etc/over.env", "o"), (STATE, "a")],
        1,
    ),
    "the managed file, which the unit loads, without the variable": (
        TOLD,
        [env_file(STATE, None), *SERVICE],
        {"KEY": "c"},
        [(UNIT, "c"), (MANAGER, "m"), (STATE, "a")],
        0,
    ),
}


@pytest.mark.parametrize("name", SERVICES)
def test_trace_of_a_unit(name: str) -> None:
    unit, service, held, places, overriding = SERVICES[name]
    traced = trace("KEY", sources(running(held), [env_file(STATE, "a")], service, unit))
    assert traced == Variable(tuple(places), True, overriding)


def test_trace_of_a_unit_without_a_process() -> None:
    traced = trace("KEY", sources(None, [env_file(STATE, "a")], SERVICE, WRAPPED))
    assert traced == Variable(((UNIT, "c"), (MANAGER, "m"), (STATE, "a")), None, 2)


def test_trace_as_result() -> None:
    variable = Variable((("process environment", "a"), (STATE, "b"), ("login shell", None)), True, 1)
    assert variable.as_result() == {
        "sources": [
            {"place": "process environment", "fingerprint": fingerprint("a")},
            {"place": STATE, "fingerprint": fingerprint("b")},
            {"place": "login shell", "fingerprint": None},
        ],
        "in_process": True,
        "overriding_env": [{"place": "process environment", "fingerprint": fingerprint("a")}],
    }


def test_no_value_is_in_a_repr() -> None:
    key = "sk-0123456789"
    of = sources(
        running({"KEY": key}), [env_file(STATE, key)], [Source(UNIT, {"KEY": key})], Unit("u", environment={"KEY": key})
    )
    assert key not in repr(of) + repr(trace("KEY", of))


def test_of_unit(tmp_path: Path) -> None:
    file = tmp_path / "a.env"
    file.touch()
    unit = Unit(
        "u",
        environment_files=(
            EnvironmentFile(str(file), {"A": "1", "B": "1", "C": "1"}),
            EnvironmentFile("/no/such.env", None),
        ),
        environment={"A": "2"},
        manager_environment={"A": "3", "B": "3"},
        unset=frozenset(["B", "A=3"]),
    )
    assert from_unit(unit) == [
        Source("/no/such.env", {}, None),
        Source(str(file), {"A": "1", "C": "1"}, file.stat().st_ctime),
        Source(UNIT, {"A": "2"}),
        Source(MANAGER, {}),
    ]


# The config, what the process is given beside, and what its env block and the login shell add.
CONFIGS: dict[str, tuple[Any, dict[str, str], list[tuple[str, dict[str, str | None]]]]] = {
    "nothing": ({}, {}, []),
    "no object": ([], {}, []),
    "both ways to write": ({"env": {"vars": {"A": "1", "B": "2"}, "B": "3"}}, {}, [("block", {"A": "1", "B": "3"})]),
    "nothing in it": ({"env": {"vars": {"A": ""}, "B": " ", "C": 1, "D": None}}, {}, [("block", {})]),
    "of wrong types": ({"env": {"vars": ["A"], "shellEnv": "yes"}}, {}, [("block", {})]),
    "no block": ({"env": "A=1"}, {}, []),
    "a reference to what is given": ({"env": {"A": "${KEY}-${GIVEN}"}}, {"GIVEN": "g"}, [("block", {"A": "k-g"})]),
    "the login shell": (
        {"env": {"shellEnv": {"enabled": True}}},
        {},
        [("block", {}), ("shell", dict.fromkeys(CLAWDBOT.shell_variables))],
    ),
    "the login shell by a variable": (
        {},
        {"CLAWDBOT_LOAD_SHELL_ENV": " Yes"},
        [("shell", dict.fromkeys(CLAWDBOT.shell_variables))],
    ),
    "no login shell": ({"env": {"shellEnv": {"enabled": "true"}}}, {"CLAWDBOT_LOAD_SHELL_ENV": "0"}, [("block", {})]),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_of_the_config(name: str, tmp_path: Path) -> None:
    config, given, expected = CONFIGS[name]
    env = tmp_path / ".env"
    env.write_text("KEY=k\n")
    paths = Paths(str(tmp_path), str(tmp_path / "c.json"), str(env))
    places = {"block": f"env block of {tmp_path}/c.json", "shell": "login shell"}
    assert from_product(CLAWDBOT, None, paths, config, given) == [
        Source(str(env), {"KEY": "k"}, env.stat().st_ctime),
        *(Source(places[place], values) for place, values in expected),
    ]


def test_a_product_may_ignore_variables_in_the_working_directory(tmp_path: Path) -> None:
    state, home = tmp_path / "state", tmp_path / "home"
    for directory in (state, home):
        directory.mkdir()
        (directory / ".env").write_text("MOONSHOT_API_KEY=a\nFLEET_KEY=b\n")
    paths = Paths(str(state), str(state / "c.json"), str(state / ".env"))
    both = {"MOONSHOT_API_KEY": "a", "FLEET_KEY": "b"}
    read = {
        name: [source.values for source in from_product(product, str(home), paths, {}, {})]
        for name, product in PRODUCTS.items()
    }
    assert read == {"clawdbot": [both, both], "openclaw": [{"FLEET_KEY": "b"}, both]}


def test_the_file_in_the_working_directory_takes_precedence(tmp_path: Path) -> None:
    state, home = tmp_path / "state", tmp_path / "home"
    for directory in (state, home):
        directory.mkdir()
        (directory / ".env").write_text("A=1\n")
    paths = Paths(str(state), str(state / "c.json"), str(state / ".env"))

    def places(directory: Path | None) -> list[tuple[str, bool]]:
        found = from_product(CLAWDBOT, directory and str(directory), paths, {}, {})
        return [(source.place, source.changed is not None) for source in found]

    managed = (str(state / ".env"), True)
    assert places(home) == [(str(home / ".env"), True), managed]
    assert places(None) == [managed]
    # The managed file counts once where it is the one in the working directory, also behind a link.
    (tmp_path / "link").symlink_to(state)
    assert places(tmp_path / "link") == [managed]
    (home / ".env").unlink()
    (state / ".env").unlink()
    assert places(home) == [(str(state / ".env"), False)]


def test_read(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"A=1\nB=\xff\n")
    found = read_env_file(str(path))
    assert found is not None
    assert (found.place, found.values, found.changed) == (str(path), {"A": "1", "B": "\udcff"}, path.stat().st_ctime)


@pytest.mark.parametrize("name", ["missing", "directory", "directory/.env/x", "pipe"])
def test_unreadable_files_are_none(name: str, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "directory" / ".env").touch()
    os.mkfifo(tmp_path / "pipe")
    assert read_env_file(str(tmp_path / name)) is None


def test_the_change_time_of_a_file_that_was_moved_into_place_is_that_of_the_move(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    prepared = tmp_path / "prepared"
    prepared.touch()
    os.utime(prepared, (1, 1))
    prepared.rename(path)
    assert change_time(str(path)) == path.stat().st_ctime > 1


def test_the_change_time_ignores_the_modification_time(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.touch()
    os.utime(path, (2e9, 2e9))
    assert change_time(str(path)) == path.stat().st_ctime < 2e9


def test_the_change_time_includes_that_of_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "target").touch()
    (tmp_path / "link").symlink_to("target")
    monkeypatch.setattr(os, "stat", lambda _path: os.stat_result([0] * 10))
    assert change_time(str(tmp_path / "link")) == os.lstat(tmp_path / "link").st_ctime
    monkeypatch.undo()
    assert change_time(str(tmp_path / "missing")) is None


OPENCLAW = PRODUCTS["openclaw"]
LISTED = {"OPENCLAW_SYSTEMD_UNIT": "u.service", "OPENCLAW_SERVICE_MANAGED_ENV_KEYS": "OTHER, fleet_key"}
REFERRED = {"a": "${FLEET_KEY}"}
#: What the unit gives besides, the files that set FLEET_KEY to their own name, the config, and the sources in order.
OPENCLAW_ORDERS: dict[str, tuple[dict[str, str], str, dict[str, Any], str]] = {
    "all": ({}, "cwd state gateway", {}, "unit cwd state gateway"),
    "without the unit's": ({"FLEET_KEY": ""}, "cwd state gateway", {}, "unit cwd state gateway"),
    "gateway.env alone": ({}, "gateway", {}, "unit gateway"),
    "listed, all": (LISTED, "cwd state gateway", {}, "state gateway unit cwd"),
    "listed, in gateway.env alone": (LISTED, "gateway", {}, "gateway unit"),
    "listed, in no file, and used": (LISTED, "", REFERRED, "unit"),
    "listed, in no file, and not used": (LISTED, "", {}, ""),
    "listed, in the working directory alone, and not used": (LISTED, "cwd", {}, "cwd"),
    "listed, in the config": (LISTED, "state", {"env": {"vars": {"FLEET_KEY": "config"}}}, "state unit config"),
    "others are listed": (
        {**LISTED, "OPENCLAW_SERVICE_MANAGED_ENV_KEYS": "OTHER"},
        "cwd state gateway",
        {},
        "unit cwd state gateway",
    ),
    "listed, but not for systemd": (
        {"OPENCLAW_SERVICE_MANAGED_ENV_KEYS": "FLEET_KEY"},
        "cwd state gateway",
        {},
        "unit cwd state gateway",
    ),
    "listed, and systemd is known by what it sets": (
        {"OPENCLAW_SERVICE_MANAGED_ENV_KEYS": "FLEET_KEY", "INVOCATION_ID": "0123"},
        "cwd state",
        {},
        "state unit cwd",
    ),
    "nothing is listed": ({**LISTED, "OPENCLAW_SERVICE_MANAGED_ENV_KEYS": " ,"}, "state", {}, "unit state"),
}


def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: str) -> dict[str, Path]:
    monkeypatch.setenv("HOME", str(tmp_path))
    places = {
        "cwd": tmp_path / ".env",
        "state": tmp_path / ".openclaw" / ".env",
        "gateway": tmp_path / ".config" / "openclaw" / "gateway.env",
    }
    for name, path in places.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in files.split():
            path.write_text(f"FLEET_KEY={name}\n")
    return places


@pytest.mark.parametrize(("given", "files", "config", "expected"), OPENCLAW_ORDERS.values(), ids=OPENCLAW_ORDERS)
def test_precedence_in_openclaw(
    given: dict[str, str],
    files: str,
    config: dict[str, Any],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places = _home(tmp_path, monkeypatch, files)
    state = tmp_path / ".openclaw"
    paths = Paths(str(state), str(state / "openclaw.json"), str(places["state"]))
    environment = {"FLEET_KEY": "unit", **given}
    product = from_product(OPENCLAW, str(tmp_path), paths, config, environment)
    traced = trace("FLEET_KEY", EnvSources(None, Unit("u"), [Source(UNIT, environment)], product, paths.env))
    values = [value for _place, value in traced.sources]
    assert values == [value if value != "unit" else environment["FLEET_KEY"] for value in expected.split()]
    # What overrides the managed file comes before its place.
    before = expected.split()[: expected.split().index("state")] if "state" in expected else None
    assert before is None or traced.overriding == len(before)


def test_a_variable_that_openclaw_takes_from_its_files_does_not_come_from_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = _home(tmp_path, monkeypatch, "")
    paths = Paths(str(tmp_path / ".openclaw"), "c", str(places["state"]))
    process = replace(running({"FLEET_KEY": "unit", **LISTED}), started=4e9)
    service = [Source(UNIT, {"FLEET_KEY": "unit", **LISTED})]

    def in_process() -> bool | None:
        product = from_product(OPENCLAW, str(tmp_path), paths, {}, {"FLEET_KEY": "unit", **LISTED})
        return trace("FLEET_KEY", EnvSources(process, Unit("u"), service, product, paths.env)).in_process

    assert in_process() is False
    places["state"].write_text("FLEET_KEY=state\n")
    assert in_process() is True


@pytest.mark.parametrize(("directory", "read"), [(".openclaw", True), ("srv/openclaw", False)])
def test_gateway_env_belongs_to_the_default_state_directory(
    directory: str, read: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = _home(tmp_path, monkeypatch, "gateway")
    paths = Paths(str(tmp_path / directory), "c", str(tmp_path / directory / ".env"))
    found = [source.place for source in from_product(OPENCLAW, None, paths, {}, {})]
    assert found == [paths.env, *([str(places["gateway"])] if read else [])]
    assert [source.place for source in from_product(CLAWDBOT, None, paths, {}, {})] == [paths.env]


# The environment of the process, the managed file, and the values in order of precedence.
BESIDE_CONFIG: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "the config is where it always is": ({}, "state", ["state"]),
    "told of the config": ({"OPENCLAW_CONFIG_PATH": "/etc/openclaw/openclaw.json"}, "state", ["state", "config"]),
    "told of both": (
        {"OPENCLAW_CONFIG_PATH": "/etc/openclaw/openclaw.json", "OPENCLAW_STATE_DIR": "/srv/openclaw"},
        "state",
        ["state"],
    ),
    "the keys are beside the config": (
        {"OPENCLAW_CONFIG_PATH": "/etc/openclaw/openclaw.json"},
        "config",
        ["state", "config"],
    ),
}


@pytest.mark.parametrize(("given", "managed", "expected"), BESIDE_CONFIG.values(), ids=BESIDE_CONFIG)
def test_openclaw_reads_the_file_beside_a_config_elsewhere(
    given: dict[str, str], managed: str, expected: list[str], tmp_path: Path
) -> None:
    files = {name: tmp_path / name / ".env" for name in ("state", "config")}
    for name, path in files.items():
        path.parent.mkdir()
        path.write_text(f"KEY={name}\n")
    paths = Paths(str(tmp_path / "state"), str(tmp_path / "config" / "openclaw.json"), str(files[managed]))

    def read(product: Product) -> list[str | None]:
        found = from_product(product, None, paths, {}, given)
        return [value for _place, value in trace("KEY", EnvSources(None, None, [], found, paths.env)).sources]

    assert read(OPENCLAW) == expected
    assert read(CLAWDBOT) == [managed]


# What systemd and the product read from the managed file, the line that is to blame, and the sources in order.
BY_SYSTEMD = f"{STATE}, as systemd reads it for EnvironmentFile="
DIALECTS: dict[str, tuple[str | None, dict[str, int], list[tuple[str, str]], int]] = {
    "alike": ("a", {}, [(STATE, "a"), (UNIT, "c")], 0),
    "its own line, which is written again": ("a # n", {}, [(STATE, "a"), (BY_SYSTEMD, "a # n"), (UNIT, "c")], 0),
    "another line": ("b", {"KEY": 3}, [(f"line 3 of {BY_SYSTEMD}", "b"), (STATE, "a"), (UNIT, "c")], 1),
}


@pytest.mark.parametrize(("value", "misread", "places", "overriding"), DIALECTS.values(), ids=DIALECTS)
def test_systemd_may_read_the_managed_file_differently(
    value: str, misread: dict[str, int], places: list[tuple[str, str]], overriding: int
) -> None:
    service = [env_file(STATE, value), Source(UNIT, {"KEY": "c"})]
    product = [replace(env_file(STATE, "a"), misread=misread)]
    traced = trace("KEY", sources(running({"KEY": value}), product, service, TOLD))
    assert traced == Variable(tuple(places), True, overriding)


def test_copies_of_a_value_in_the_managed_file() -> None:
    values = {"KEY": "a", "FURTHER": "a", "COPY": "a", "OTHER": "b", "EMPTY": "", "ALSO_EMPTY": ""}
    read = EnvSources(None, None, [], [env_file(HOME, "a"), Source(STATE, values)], STATE)
    assert copies_in_env(read, ["KEY", "FURTHER", "EMPTY", "MISSING"]) == {"KEY": ["COPY"], "FURTHER": ["COPY"]}
    assert copies_in_env(read, ["OTHER"]) == {}


def test_a_file_is_read_with_what_systemd_misreads(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\nB=`\nA=2\n`\n")
    found = read_env_file(str(path))
    assert found is not None
    assert found.misread == {"A": 3}
