# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import program as programs
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import state, systemd
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.env_sources import Origins, Source
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.program import (
    Package,
    find,
    find_package,
    replaceable,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.state import (
    Observation,
    Service,
    answers,
    listed_models,
    missing_models,
    observe,
    observe_until_settled,
    overriding,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.systemd import Unit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS, Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

CLAWDBOT = PRODUCTS["clawdbot"]
KEY = "Zq8-0123456789"

LISTINGS: dict[str, tuple[Any, set[str]]] = {
    "of the gateway": (
        {"models": [{"id": "kimi-k2.5", "provider": "moonshot"}, {"id": "a/b", "provider": "openrouter"}]},
        {"moonshot/kimi-k2.5", "openrouter/a/b"},
    ),
    "of the command": ({"count": 1, "models": [{"key": "moonshot/kimi-k2.5", "name": "K"}]}, {"moonshot/kimi-k2.5"}),
    "empty": ({"models": []}, set()),
    "no listing": (None, set()),
    "a list": ([{"key": "a/b"}], set()),
    "models of a wrong type": ({"models": {"key": "a/b"}}, set()),
    "entries of wrong types": ({"models": [None, "a/b", {"key": "c/d"}]}, {"c/d"}),
}


@pytest.mark.parametrize("name", LISTINGS)
def test_listed_models(name: str) -> None:
    listing, models = LISTINGS[name]
    assert listed_models(listing) == models


# The variable of the process, the config, and the port that counts.
PORTS: dict[str, tuple[str | None, str | None, int]] = {
    "neither": (None, None, 18789),
    "config": (None, "{gateway: {port: 19001}}", 19001),
    "config, as a decimal": (None, "{gateway: {port: 19001.0}}", 19001),
    "process before config": ("19002", "{gateway: {port: 19001}}", 19002),
    "process, white space": (" 19002\n", None, 19002),
    "process: empty": ("", "{gateway: {port: 19001}}", 19001),
    "process: zero": ("0", "{gateway: {port: 19001}}", 19001),
    "process: too large": ("65536", "{gateway: {port: 19001}}", 19001),
    "process: very long": ("1" * 10_000, None, 18789),
    "process: other digits": ("²", None, 18789),
    "config: a text": (None, '{gateway: {port: "19001"}}', 18789),
    "config: true": (None, "{gateway: {port: true}}", 18789),
    "config: a fraction": (None, "{gateway: {port: 1.5}}", 18789),
    "config: not a number": (None, "{gateway: {port: NaN}}", 18789),
    "config: too large": (None, "{gateway: {port: 65536}}", 18789),
    "config: a list": (None, "{gateway: [19001]}", 18789),
    "config: not to be read": (None, "{", 18789),
    "config: a reference": (None, '{gateway: {port: "${PORT}"}}', 18789),
}


@pytest.mark.parametrize("name", PORTS)
def test_port(name: str, tmp_path: Path) -> None:
    variable, config, port = PORTS[name]
    if config is not None:
        (tmp_path / "clawdbot.json").write_text(config)
    environment = {} if variable is None else {"CLAWDBOT_GATEWAY_PORT": variable}
    read = state._config(str(tmp_path / "clawdbot.json"))
    assert state._port(CLAWDBOT, read, Process(1, 1.0, environment), []) == port


# What the unit gives to the program, and the port that counts where the process has 19002 and the config 19001.
ARGUMENTS: dict[str, tuple[list[str], int]] = {
    "none": ([], 19002),
    "a word of its own": (["run", "--port", "19003"], 19003),
    "in one word": (["--port=19003", "--verbose"], 19003),
    "twice": (["--port", "19004", "--port=19003"], 19003),
    "cut short": (["--port"], 19002),
    "no number": (["--port", "--verbose"], 19002),
    "of another option": (["--remote-port", "19003"], 19002),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_port_that_the_unit_gives(name: str) -> None:
    arguments, port = ARGUMENTS[name]
    process = Process(1, 1.0, {"CLAWDBOT_GATEWAY_PORT": "19002"})
    assert state._port(CLAWDBOT, {"gateway": {"port": 19001}}, process, arguments) == port


@pytest.mark.parametrize("process", [None, Process(1, 1.0, None)])
def test_port_where_no_process_runs_or_may_be_looked_at(process: Process | None) -> None:
    assert state._port(CLAWDBOT, {"gateway": {"port": 19001}}, process, []) == 19001


def test_the_config_is_read_with_what_it_includes_as_far_as_it_can_be(tmp_path: Path) -> None:
    config = tmp_path / "clawdbot.json"
    assert state._config(str(config)) == {}
    config.mkdir()
    assert state._config(str(config)) == {}
    config.rmdir()
    config.write_text('{a: 1, "$include": "other.json5"}')
    assert state._config(str(config)) == {"a": 1, "$include": "other.json5"}
    (tmp_path / "other.json5").write_text("{b: 2}")
    assert state._config(str(config)) == {"a": 1, "b": 2}


def paths(folder: Path) -> Paths:
    return Paths(str(folder), str(folder / "clawdbot.json"), str(folder / ".env"))


class Health(http.server.BaseHTTPRequestHandler):
    """Answers 200 at one path alone."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthy" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        pass


@pytest.fixture
def health_port() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server.server_port
        server.shutdown()


def test_answers(health_port: int) -> None:
    assert answers(health_port, "/healthy")
    # With its control UI turned off, a gateway answers 404.
    assert answers(health_port, "/")


def test_an_answer_that_is_no_http_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 ready\r\n")

        threading.Thread(target=answer).start()
        assert not answers(server.getsockname()[1], "/healthy")


def test_no_answer_where_nobody_listens(health_port: int) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Health) as server:
        free = server.server_port
    assert free != health_port
    assert not answers(free, "/healthy")


def seen(process: Process | None = Process(1, 1000.0), unit: Unit | None = None, **changed: Any) -> Observation:  # noqa: B008 - it is frozen
    origins = Origins(process, unit, [], [Source("/e", {})], "/e")
    base = {"config": {}, "program": (), "package": None, "port": 1, "answers": True, "restart_reasons": []}
    return Observation(origins, **{**base, **changed})


SETTLED: dict[str, tuple[Observation, bool]] = {
    "answers on its files": (seen(), True),
    "does not answer": (seen(answers=False), False),
    "is older than a file": (seen(restart_reasons=["It is old."]), False),
    "does not run": (seen(None, answers=False), False),
    "has failed for good": (seen(None, Unit("u", "failed"), answers=False, restart_reasons=["It is not there."]), True),
    "is started again": (seen(None, Unit("u", "activating", "auto-restart"), answers=False), False),
    "runs, though its unit has failed": (seen(Process(1, 1.0), Unit("u", "failed"), answers=False), False),
}


@pytest.mark.parametrize("name", SETTLED)
def test_settled(name: str) -> None:
    observation, settled = SETTLED[name]
    assert observation.settled is settled


UNITS: dict[str, tuple[Unit | None, bool]] = {
    "runs": (Unit("u", "active", main_pid=os.getpid()), True),
    "does not run": (Unit("u", "inactive"), False),
    "is not known": (None, False),
}


@pytest.mark.parametrize("name", UNITS)
def test_observe_a_unit(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unit, runs = UNITS[name]
    asked = []
    monkeypatch.setattr(systemd, "unit", lambda *arguments: asked.append(arguments) or unit)
    monkeypatch.setattr(state, "answers", lambda *_arguments: True)
    observation = observe(CLAWDBOT, paths(tmp_path), Service("systemd_system", "u"), [])
    assert asked == [("u", "system")]
    assert observation.unit == unit
    assert (observation.process is not None) is runs
    assert observation.answers is runs


def test_observe_a_unit_where_it_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unit = Unit("u", "active", main_pid=os.getpid(), arguments=("--port", "18889"))
    monkeypatch.setattr(systemd, "unit", lambda *_arguments: unit)
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
    monkeypatch.setattr(systemd, "unit", lambda *_arguments: unit)
    origins = observe(CLAWDBOT, paths(tmp_path), Service("systemd_user", "u"), []).origins
    assert [(source.place, source.values.get("KEY")) for source in origins.product] == [
        (f"{tmp_path}/home/.env", "b"),
        (f"{tmp_path}/.env", None),
        (f"env block of {tmp_path}/clawdbot.json", "g"),
        ("login shell", None),
    ]


def test_observe_by_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("KEY=a\n")
    (tmp_path / "clawdbot.json").write_text("{gateway: {port: 19001}}")
    process = Process(7, 1000.0, {"CLAWDBOT_GATEWAY_PORT": "19009"})
    monkeypatch.setattr(state, "of_lock", lambda *_arguments: process)
    monkeypatch.setattr(state, "answers", lambda port, path: (port, path) == (19009, "/"))
    observation = observe(CLAWDBOT, paths(tmp_path), Service("command", "unused"), [])
    assert (observation.unit, observation.process, observation.port) == (None, process, 19009)
    assert observation.answers
    assert [file.place for file in observation.origins.files] == [str(tmp_path / ".env")]
    assert [reason.partition(" was changed at ")[0] for reason in observation.restart_reasons] == [
        str(tmp_path / ".env")
    ]


def test_a_program_that_was_replaced_is_a_reason(
    bare_host: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = executable(bare_host / "bin" / "clawdbot")
    described = bare_host / "bin" / "package.json"
    described.write_text('{"name": "clawdbot", "version": "2"}')
    monkeypatch.setattr(state, "of_lock", lambda *_arguments: Process(7, 1000.0))
    observation = observe(CLAWDBOT, paths(tmp_path), Service("command", "unused"), [])
    assert (observation.program, observation.package) == ((str(program),), Package("2", str(described)))
    assert [reason.partition(" was changed at ")[0] for reason in observation.restart_reasons] == [str(described)]


def test_waits_until_it_is_settled_and_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(state, "_LOOK_SECONDS", 0.01)
    observations = [seen(answers=False), seen(restart_reasons=["It is old."]), seen(), seen(answers=False)]
    monkeypatch.setattr(state, "observe", lambda *_arguments: observations.pop(0))
    assert observe_until_settled(CLAWDBOT, paths(tmp_path), Service("command", ""), [], 60) == seen()
    assert len(observations) == 1


def test_looks_again_as_soon_as_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(state, "_LOOK_SECONDS", 60)
    observations = [seen(answers=False), seen()]
    monkeypatch.setattr(state, "observe", lambda *_arguments: observations.pop(0))
    found = [False, False, True]
    monkeypatch.setattr(state, "answers", lambda port, path: (port, path) == (1, "/") and found.pop(0))
    assert observe_until_settled(CLAWDBOT, paths(tmp_path), Service("command", ""), [], 60) == seen()
    assert found == []


def test_looks_again_at_one_that_answers_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(state, "_LOOK_SECONDS", 0.05)
    observations = [seen(restart_reasons=["It is old."]), seen()]
    monkeypatch.setattr(state, "observe", lambda *_arguments: observations.pop(0))
    monkeypatch.setattr(state, "answers", lambda *_arguments: True)
    assert observe_until_settled(CLAWDBOT, paths(tmp_path), Service("command", ""), [], 60) == seen()


def test_gives_up_after_the_time_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(state, "observe", lambda *_arguments: seen(answers=False))
    begun = time.monotonic()
    assert observe_until_settled(CLAWDBOT, paths(tmp_path), Service("command", ""), [], 0.05) == seen(answers=False)
    assert time.monotonic() - begun >= 0.05


def test_gives_up_on_a_unit_that_ends_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(state, "_LOOK_SECONDS", 0.01)
    # It has ended before, and is started by somebody meanwhile.
    counts = [7, 9, 0, 1, 1, 4, 5, 6]
    service = Service("systemd_user", "u")

    def observed(*_arguments: object) -> Observation:
        return seen(answers=False, unit=Unit("u", "activating", restarts=counts.pop(0)))

    monkeypatch.setattr(state, "observe", observed)
    assert observe_until_settled(CLAWDBOT, paths(tmp_path), service, [], 60).restarts == 5
    assert counts == [6]


STORE = {"profiles": {"moonshot:default": {"type": "api_key", "provider": "moonshot", "key": "p"}}}
# Which variable the config of moonshot refers to, what is set where, and what wins over it besides the profile.
OVERRIDDEN: dict[str, tuple[str, dict[str, str], list[tuple[str, str, str]]]] = {
    "the known name": ("MOONSHOT_API_KEY", {"MOONSHOT_API_KEY": "a"}, []),
    "another name": ("CN_KEY", {"MOONSHOT_API_KEY": " a "}, [("MOONSHOT_API_KEY", ".env", "a")]),
    "another name, the known one is empty": ("CN_KEY", {"MOONSHOT_API_KEY": " "}, []),
    "another name, the known one is not set": ("CN_KEY", {"OTHER": "a"}, []),
}


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_overriding(name: str, tmp_path: Path) -> None:
    variable, values, expected = OVERRIDDEN[name]
    folder = tmp_path / "agents" / "main" / "agent"
    folder.mkdir(parents=True)
    (folder / "auth-profiles.json").write_text(json.dumps(STORE))
    env = paths(tmp_path).env
    observation = replace(seen(), origins=Origins(None, None, [], [Source(env, values)], env))
    assert overriding(CLAWDBOT, paths(tmp_path), observation, {"moonshot": variable, "acme": "ACME_KEY"}) == {
        "moonshot": {
            "variable": variable,
            "overridden_by": [
                {
                    "kind": "auth_profile",
                    "name": "moonshot:default",
                    "place": f"{folder}/auth-profiles.json",
                    "fingerprint": fingerprint("p"),
                },
                *(
                    {"kind": "variable", "name": name, "place": f"{tmp_path}/{file}", "fingerprint": fingerprint(value)}
                    for name, file, value in expected
                ),
            ],
        },
        "acme": {"variable": "ACME_KEY", "overridden_by": []},
    }


def test_of_several_known_names_the_first_with_a_value_wins_and_none_behind_the_own() -> None:
    def named(variable: str, **values: str) -> list[str]:
        observation = replace(seen(), origins=Origins(None, None, [], [Source("/e", values)], "/e"))
        found = overriding(CLAWDBOT, Paths("/no", "/no/c", "/no/e"), observation, {"Anthropic": variable})
        return [override["name"] for override in found["Anthropic"]["overridden_by"]]

    both = {"ANTHROPIC_API_KEY": "a", "ANTHROPIC_OAUTH_TOKEN": "b"}
    assert named("OTHER", **both) == ["ANTHROPIC_OAUTH_TOKEN"]
    assert named("OTHER", ANTHROPIC_API_KEY="a", ANTHROPIC_OAUTH_TOKEN="") == ["ANTHROPIC_API_KEY"]
    assert named("ANTHROPIC_API_KEY", **both) == ["ANTHROPIC_OAUTH_TOKEN"]
    assert named("ANTHROPIC_OAUTH_TOKEN", **both) == []


# The product's program in little: it prints what the test has put into a file, and fails if that is not there.
PROGRAM = """
import json, os, pathlib, sys
folder = pathlib.Path(sys.argv[0]).parent
place = [os.environ["CLAWDBOT_CONFIG_PATH"], os.environ.get("CLAWDBOT_GATEWAY_PORT")]
(folder / "asked").write_text(json.dumps([sys.argv[1:], os.getcwd(), *place]))
print((folder / sys.argv[1]).read_text())
"""


def gateway(folder: Path) -> Gateway:
    (folder / "program.py").write_text(PROGRAM)
    return Gateway(CLAWDBOT, [sys.executable, str(folder / "program.py")], paths(folder), 18789, [KEY])


WANTED = ["moonshot/a", "moonshot/b"]
GATEWAY_LISTS = '{"models": [{"provider": "moonshot", "id": "a"}]}'
CONFIG_LISTS = '{"models": [{"key": "moonshot/b"}]}'


def test_models_that_the_gateway_lists(tmp_path: Path) -> None:
    (tmp_path / "gateway").write_text(GATEWAY_LISTS)
    (tmp_path / "clawdbot.json").touch()
    assert missing_models(CLAWDBOT, paths(tmp_path), gateway(tmp_path), seen(), WANTED[:1]) == []


def test_models_that_were_added_to_the_config_since_the_start(tmp_path: Path) -> None:
    (tmp_path / "gateway").write_text(GATEWAY_LISTS)
    (tmp_path / "models").write_text(CONFIG_LISTS)
    (tmp_path / "clawdbot.json").touch()
    assert missing_models(CLAWDBOT, paths(tmp_path), gateway(tmp_path), seen(), [*WANTED, "x/y"]) == ["x/y"]


def test_models_of_a_config_that_is_older_than_the_process(tmp_path: Path) -> None:
    (tmp_path / "gateway").write_text(GATEWAY_LISTS)
    (tmp_path / "models").write_text(CONFIG_LISTS)
    (tmp_path / "clawdbot.json").touch()
    young = seen(Process(1, time.time() + 60))
    assert missing_models(CLAWDBOT, paths(tmp_path), gateway(tmp_path), young, WANTED) == ["moonshot/b"]


def test_models_without_a_config(tmp_path: Path) -> None:
    (tmp_path / "gateway").write_text(GATEWAY_LISTS)
    assert missing_models(CLAWDBOT, paths(tmp_path), gateway(tmp_path), seen(), WANTED) == ["moonshot/b"]


def test_all_models_are_missing_while_the_gateway_does_not_answer(tmp_path: Path) -> None:
    assert missing_models(CLAWDBOT, paths(tmp_path), gateway(tmp_path), seen(answers=False), WANTED) == WANTED
    assert not (tmp_path / "asked").exists()


def test_the_program_is_run_on_the_files_of_the_gateway(tmp_path: Path) -> None:
    (tmp_path / "gateway").write_text('{"ok": true}')
    assert gateway(tmp_path).call("a.b", {"x": 1}, 1.5, final=True) == {"ok": True}
    assert (tmp_path / "asked").read_text() == (
        '[["gateway", "call", "a.b", "--json", "--params", "{\\"x\\": 1}", "--timeout", "1500", "--expect-final"], '
        f'"{tmp_path}", "{tmp_path}/clawdbot.json", "18789"]'
    )


FAILURES: dict[str, tuple[str, str]] = {
    "says why": (
        f"echo 'Gateway call failed: Error: no {KEY} here'; echo '    at file:1:2'; exit 1",
        f"failed. It says: no <{fingerprint(KEY)}> here",
    ),
    "says it on stderr": ("echo out; echo err >&2; exit 1", "failed. It says: err"),
    "says nothing": ("exit 3", "failed. It says: nothing"),
    "prints something else": ("echo hello", "gave an answer that is not JSON."),
    "prints nothing": (":", "gave an answer that is not JSON."),
    "takes too long": ("exec sleep 5", "gave no answer within 0.2 seconds."),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures_of_the_program(name: str, tmp_path: Path) -> None:
    script, message = FAILURES[name]
    failing = Gateway(CLAWDBOT, ["/bin/sh", "-c", script], paths(tmp_path), 18789, [KEY])
    with pytest.raises(ClawdbotError) as caught:
        failing.run(["models", "list"], 0.2)
    assert str(caught.value) == f"The product's models list {message}"


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ClawdbotError) as caught:
        Gateway(CLAWDBOT, ["/nonexistent/clawdbot"], paths(tmp_path), 18789).run(["models"], 1)
    assert str(caught.value) == "The product's program cannot be run: No such file or directory."
    with pytest.raises(ClawdbotError) as caught:
        Gateway(CLAWDBOT, [], paths(tmp_path), 18789).call("models.list", {}, 1)
    assert str(caught.value) == "The gateway's models.list cannot be asked for: the product's program was not found."


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host without programs, on which everything a test puts somewhere is in one folder."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(programs, "_USUAL_FOLDERS", ("~/.local/bin",))
    return tmp_path


def test_the_program_of_the_unit_comes_first(bare_host: Path) -> None:
    executable(bare_host / "bin" / "clawdbot")
    assert find(CLAWDBOT, Unit("u", program=("/n", "/e.js")), None) == ("/n", "/e.js")


def test_the_program_on_the_path_with_its_node(bare_host: Path) -> None:
    entry = executable(bare_host / "lib" / "entry.js")
    node = executable(bare_host / "bin" / "node")
    (bare_host / "bin" / "clawdbot").symlink_to(entry)
    assert find(CLAWDBOT, Unit("u"), None) == (str(node), str(entry))


def test_the_program_without_node(bare_host: Path) -> None:
    program = executable(bare_host / "home" / ".local" / "bin" / "clawdbot")
    assert find(CLAWDBOT, None, None) == (str(program),)


def test_the_program_on_the_path_of_the_process_with_its_node(bare_host: Path) -> None:
    executable(bare_host / "bin" / "clawdbot")
    executable(bare_host / "bin" / "node")
    program = executable(bare_host / "other" / "clawdbot")
    process = Process(1, 1.0, {"PATH": str(bare_host / "other")}, None, "/opt/node/bin/node")
    assert find(CLAWDBOT, None, process) == ("/opt/node/bin/node", str(program))


@pytest.mark.parametrize("process", [None, Process(1, 1.0), Process(1, 1.0, {}), Process(1, 1.0, {"PATH": ":"})])
def test_the_current_folder_is_no_place_for_programs(
    process: Process | None, bare_host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(bare_host / "clawdbot")
    monkeypatch.chdir(bare_host)
    monkeypatch.setenv("PATH", "")
    assert find(CLAWDBOT, None, process) == ()


PACKAGES: dict[str, tuple[str, str | None]] = {
    "the product's": ('{"name": "clawdbot", "version": "2026.1.24-3"}', "2026.1.24-3"),
    "another": ('{"name": "other", "version": "1"}', None),
    "without a version": ('{"name": "clawdbot"}', None),
    "no object": ("[]", None),
    "no JSON": ("{", None),
}


@pytest.mark.parametrize("name", PACKAGES)
def test_package(name: str, tmp_path: Path) -> None:
    described, expected = PACKAGES[name]
    entry = executable(tmp_path / "clawdbot" / "dist" / "entry.js")
    (tmp_path / "clawdbot" / "package.json").write_text(described)
    found = find_package(CLAWDBOT, ["/usr/bin/node", str(entry)])
    assert found == (expected and Package(expected, str(tmp_path / "clawdbot" / "package.json")))


def test_no_program_no_version() -> None:
    assert find_package(CLAWDBOT, []) is None
    assert replaceable([], None) == []


def test_what_is_replaced_together_with_a_program(tmp_path: Path) -> None:
    executable(tmp_path / "2" / "dist" / "entry.js")
    (tmp_path / "current").symlink_to("2")
    (tmp_path / "2" / "run.js").symlink_to("dist/entry.js")
    program = ["/usr/bin/node", str(tmp_path / "current" / "run.js")]
    assert replaceable(program, Package("2", "/p.json")) == [
        str(tmp_path / "current" / "run.js"),
        str(tmp_path / "current"),
        "/p.json",
    ]
