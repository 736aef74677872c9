# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What leaves an OpenClaw as it is: a wrong key, check mode, a failed restart, drift, a model that is in use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway, Listener
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

from tests.e2e.harness import KIMICODE, MOONSHOT, Bench, bench_with_providers, new_key, wait_for_answer
from tools.cache import CACHE
from tools.mock_server import MockServer

OPENCLAW = PRODUCTS["openclaw"]
VERIFY = "clawfleet.clawdbot.verify"
# What the endpoint lists, and which optional models it does not.
LISTED = ("kimi-k3", "kimi-k2.7-code", "kimi-k2.6", "kimi-k2.5")
UNLISTED = ("kimi-k2.7-code-highspeed", "moonshot-v1-8k", "moonshot-v1-32k", "moonshot-v1-128k")

# An OpenClaw takes five times the CPU of a Clawdbot to start. So all tests share one, in one process
# (tests/conftest.py), and leave it as it was. What changes one is tested on hosts: Molecule's openclaw,
# openclaw_rotation and mixed_fleet.


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    directory = tmp_path_factory.mktemp("openclaw")
    with MockServer() as mock_server, bench_with_providers(mock_server, directory, "openclaw", UNLISTED) as bench:
        mock_server.add_key("moonshot-cn", bench.keys[MOONSHOT], models=LISTED)
        yield bench


@pytest.fixture
def new_moonshot_key(bench: Bench) -> Iterator[str]:
    """A key that the endpoint accepts, in the inventory in place of that of the gateway."""
    old, new = bench.keys[MOONSHOT], new_key()
    bench.mock_server.add_key("moonshot-cn", new, models=LISTED)
    bench.keys[MOONSHOT] = new
    yield new
    bench.keys[MOONSHOT] = old


def test_a_wrong_key_changes_nothing(bench: Bench) -> None:
    files, pids = bench.files(), bench.pids()
    right = bench.keys[KIMICODE]
    bench.keys[KIMICODE] = new_key("sk-kimi-")

    rejected = bench.rollout()

    bench.keys[KIMICODE] = right
    assert rejected.code != 0
    assert "unauthorized" in rejected.output
    assert (bench.files(), bench.pids()) == (files, pids)


@pytest.mark.usefixtures("new_moonshot_key")
def test_check_mode_changes_nothing(bench: Bench) -> None:
    files, pids = bench.files(), bench.pids()

    checked = bench.rollout("--check", "--diff")

    assert checked.code == 0, checked.output
    assert checked.recap[bench.gateway.name]["changed"] > 0
    assert (bench.files(), bench.pids()) == (files, pids)


@pytest.mark.usefixtures("new_moonshot_key")
def test_a_failed_restart_restores_both_files(bench: Bench) -> None:
    contents, pids = {name: file[0] for name, file in bench.files().items()}, bench.pids()

    failed = bench.rollout(providers_restart_argv=["/bin/false"])

    assert failed.code != 0
    assert "The rollback failed as well" in failed.output
    assert {name: file[0] for name, file in bench.files().items()} == contents
    wait_for_answer(bench.gateway)
    assert bench.pids() == pids


def test_verify_reports_drift(bench: Bench) -> None:
    drifted = bench.rollout(playbook=VERIFY, providers_default_model="moonshot/kimi-k2.6")

    assert drifted.code != 0
    assert "The config differs from the inventory" in drifted.output


def test_the_gateway_answers_the_script_as_it_answers_the_command(bench: Bench, tmp_path: Path) -> None:
    gateway = bench.gateway
    modules = CACHE / "openclaw" / "node_modules"
    # Copies, with the token in .env alone, as the role `gateway` writes it.
    config, env = tmp_path / gateway.config.name, tmp_path / ".env"
    written = gateway.config.read_text()
    token = f"{gateway.name}-token"
    config.write_text(written.replace(f', token: "{token}"', ""))
    assert token in written
    assert token not in config.read_text()
    env.write_text(f"{gateway.env.read_text()}OPENCLAW_GATEWAY_TOKEN={token}\n")
    paths = Paths(str(tmp_path), str(config), str(env))

    def asked(program: tuple[str, ...], port: int) -> list[str]:
        answers = []
        with Gateway(OPENCLAW, program, paths, Listener("127.0.0.1", port), gateway.environment) as called:
            for method in ("health", "no.such"):
                try:
                    answers.append(json.dumps(called.call(method, {}, 60)))
                except ClawdbotError as error:
                    answers.append(str(error))
        return answers

    by_script = (str(modules / ".bin" / "node"), str(modules / "openclaw" / "openclaw.mjs"))
    by_command = (str(modules / ".bin" / "openclaw"),)
    answers = asked(by_script, gateway.port)
    assert json.loads(answers[0])["ok"] is True
    assert answers[1] == "Gateway method no.such failed: unknown method: no.such"
    healthy, unknown = asked(by_command, gateway.port)
    assert (json.loads(healthy)["ok"], unknown) == (True, answers[1])
    closed = "failed: Gateway not reachable at ws://127.0.0.1:1 (ECONNREFUSED)."
    assert asked(by_script, 1) == [f"Gateway method {method} {closed}" for method in ("health", "no.such")]


def test_a_session_and_a_job_keep_a_model(bench: Bench) -> None:
    bench.call("sessions.patch", key="agent:main:pinned", model="moonshot/kimi-k2.5")
    bench.call(
        "cron.add",
        name="News",
        schedule={"kind": "every", "everyMs": 86400000},
        sessionTarget="isolated",
        wakeMode="next-heartbeat",
        payload={"kind": "agentTurn", "message": "hi", "model": "moonshot/kimi-k2.5"},
    )
    bench.mock_server.add_key("moonshot-cn", bench.keys[MOONSHOT])
    files, pids = bench.files(), bench.pids()

    rejected = bench.rollout()

    assert rejected.code != 0
    for place in ("The session agent:main:pinned", "The scheduled job News"):
        assert f"{place} is moonshot/kimi-k2.5, which the endpoint of moonshot does not list" in rejected.one_line
    assert (bench.files(), bench.pids()) == (files, pids)
