# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils import _gateway, _process, _program
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import (
    Observation,
    Service,
    answers,
    listed_models,
    missing_models,
    observe,
    observe_until_settled,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._process import Process, Unit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import PRODUCTS, Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._program import Gateway, find, version
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._variables import EnvFile

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
    assert _gateway._port(CLAWDBOT, paths(tmp_path), Process(1, 1.0, environment)) == port


def test_port_where_no_process_runs_or_may_be_looked_at(tmp_path: Path) -> None:
    (tmp_path / "clawdbot.json").write_text("{gateway: {port: 19001}}")
    assert _gateway._port(CLAWDBOT, paths(tmp_path), None) == 19001
    assert _gateway._port(CLAWDBOT, paths(tmp_path), Process(1, 1.0, None)) == 19001


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


def seen(**changed: Any) -> Observation:
    return Observation(
        **{"unit": None, "process": Process(1, 1000.0), "env_files": [], "port": 1, "answers": True, **changed}
    )


NEWER = EnvFile("/e", {}, 1001.0)
SETTLED: dict[str, tuple[dict[str, Any], bool]] = {
    "answers on its files": ({}, True),
    "does not answer": ({"answers": False}, False),
    "is older than a file": ({"env_files": [NEWER]}, False),
    "does not run": ({"process": None, "answers": False}, False),
}


@pytest.mark.parametrize("name", SETTLED)
def test_settled(name: str) -> None:
    changed, settled = SETTLED[name]
    assert seen(**changed).settled is settled
    assert (seen(**changed).restart_reasons == []) is ("process" not in changed and "env_files" not in changed)


UNITS: dict[str, tuple[Unit | None, bool]] = {
    "runs": (Unit("u", "active", os.getpid(), ("node",)), True),
    "does not run": (Unit("u", "inactive", 0, ()), False),
    "is not known": (None, False),
}


@pytest.mark.parametrize("name", UNITS)
def test_observe_a_unit(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unit, runs = UNITS[name]
    asked = []
    monkeypatch.setattr(_process, "unit", lambda *arguments: asked.append(arguments) or unit)
    monkeypatch.setattr(_gateway, "answers", lambda *_arguments: True)
    observation = observe(CLAWDBOT, paths(tmp_path), Service("systemd_system", "u"))
    assert asked == [("u", "system")]
    assert observation.unit == unit
    assert (observation.process is not None) is runs
    assert observation.answers is runs


def test_observe_by_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("KEY=a\n")
    process = Process(7, 1000.0, {"CLAWDBOT_GATEWAY_PORT": "19009"})
    monkeypatch.setattr(_process, "of_lock", lambda *_arguments: process)
    monkeypatch.setattr(_gateway, "answers", lambda port, path: (port, path) == (19009, "/"))
    observation = observe(CLAWDBOT, paths(tmp_path), Service("command", "unused"))
    assert (observation.unit, observation.process, observation.port) == (None, process, 19009)
    assert observation.answers
    assert [file.path for file in observation.env_files] == [str(tmp_path / ".env")]


def test_waits_until_it_is_settled_and_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_gateway, "_POLL_SECONDS", 0.01)
    observations = [seen(answers=False), seen(env_files=[NEWER]), seen(), seen(answers=False)]
    monkeypatch.setattr(_gateway, "observe", lambda *_arguments: observations.pop(0))
    assert observe_until_settled(CLAWDBOT, paths(tmp_path), Service("command", ""), 60) == seen()
    assert len(observations) == 1


def test_gives_up_after_the_time_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_gateway, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(_gateway, "observe", lambda *_arguments: seen(answers=False))
    begun = time.monotonic()
    assert observe_until_settled(CLAWDBOT, paths(tmp_path), Service("command", ""), 0.05) == seen(answers=False)
    assert 0.05 <= time.monotonic() - begun < 5


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
    young = seen(process=Process(1, time.time() + 60))
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
    monkeypatch.setattr(_program, "_USUAL_FOLDERS", ("~/.local/bin",))
    return tmp_path


def test_the_program_of_the_unit_comes_first(bare_host: Path) -> None:
    executable(bare_host / "bin" / "clawdbot")
    assert find(CLAWDBOT, Unit("u", "active", 1, ("/n", "/e.js")), None) == ("/n", "/e.js")


def test_the_program_on_the_path_with_its_node(bare_host: Path) -> None:
    entry = executable(bare_host / "lib" / "entry.js")
    node = executable(bare_host / "bin" / "node")
    (bare_host / "bin" / "clawdbot").symlink_to(entry)
    assert find(CLAWDBOT, Unit("u", "active", 1, ()), None) == (str(node), str(entry))


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
def test_version(name: str, tmp_path: Path) -> None:
    package, expected = PACKAGES[name]
    entry = executable(tmp_path / "clawdbot" / "dist" / "entry.js")
    (tmp_path / "clawdbot" / "package.json").write_text(package)
    assert version(CLAWDBOT, ["/usr/bin/node", str(entry)]) == expected


def test_no_program_no_version() -> None:
    assert version(CLAWDBOT, []) is None
