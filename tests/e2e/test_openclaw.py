# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks rollout, verify and remove on OpenClaw, also beside Clawdbot in one inventory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.e2e.harness import KIMICODE, MOONSHOT, Bench, files_holding, new_key, wait_for_answer
from tools import fleet
from tools.mock_server import MockServer

REMOVE = "clawfleet.clawdbot.remove"
ROTATE = "clawfleet.clawdbot.rotate"
VERIFY = "clawfleet.clawdbot.verify"

# An OpenClaw takes five times the CPU of a Clawdbot to start. So the tests follow one from its first day on: they run
# in one process, in this order (tests/conftest.py).


@pytest.fixture(scope="module")
def gateways() -> Iterator[fleet.Fleet]:
    with fleet.running(("openclaw", "clawdbot"), {"openclaw": "openclaw"}) as running:
        yield running


@pytest.fixture(scope="module")
def mock_server() -> Iterator[MockServer]:
    with MockServer() as endpoints:
        yield endpoints


@pytest.fixture(scope="module")
def bench(gateways: fleet.Fleet, mock_server: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The OpenClaw."""
    return Bench(gateways, gateways.gateways[0], mock_server, tmp_path_factory.mktemp("openclaw"))


@pytest.fixture(scope="module")
def beside(
    gateways: fleet.Fleet, mock_server: MockServer, tmp_path_factory: pytest.TempPathFactory, bench: Bench
) -> Bench:
    """A Clawdbot that has the same keys."""
    beside = Bench(gateways, gateways.gateways[1], mock_server, tmp_path_factory.mktemp("clawdbot"))
    beside.keys = bench.keys
    return beside


def chats(bench: Bench) -> set[tuple[str, str]]:
    """Return model and fingerprint of the key of each chat that the endpoints got since they were last cleared."""
    requests = [request for request in bench.mock_server.requests() if request["method"] == "POST"]
    return {(request["model"], request["key_fingerprint"]) for request in requests}


def test_a_wrong_key_changes_nothing(bench: Bench) -> None:
    files, pids = bench.files(), bench.pids()
    right = bench.keys[KIMICODE]
    bench.keys[KIMICODE] = new_key("sk-kimi-")

    rejected = bench.rollout()

    bench.keys[KIMICODE] = right
    assert rejected.code != 0
    assert "unauthorized" in rejected.output
    assert bench.files() == files
    assert bench.pids() == pids


def test_a_failed_restart_restores_both_files(bench: Bench) -> None:
    contents = {name: file[0] for name, file in bench.files().items()}

    failed = bench.rollout(providers_restart_argv=["/bin/false"])

    assert failed.code != 0
    assert "The rollback failed as well" in failed.output
    assert {name: file[0] for name, file in bench.files().items()} == contents
    wait_for_answer(bench.gateway)


def test_check_mode_changes_nothing(bench: Bench) -> None:
    files, pids = bench.files(), bench.pids()

    checked = bench.rollout("--check", "--diff")

    assert checked.code == 0, checked.output
    assert bench.files() == files
    assert bench.pids() == pids


def test_one_rollout_covers_both_products_and_a_second_one_changes_nothing(
    bench: Bench, beside: Bench, tmp_path: Path
) -> None:
    config_before, env_before = bench.gateway.config.read_text(), bench.gateway.env.read_text()
    beside.write_inventory(tmp_path / "beside.yml", providers_verify_after="turn")
    both = ("-i", str(tmp_path / "beside.yml"))
    bench.mock_server.clear_requests()

    first = bench.rollout(*both, "--diff", "-vvv", providers_verify_after="turn")

    assert first.code == 0, first.output
    names = (bench.gateway.name, beside.gateway.name)
    assert {host: counts["failed"] for host, counts in first.recap.items()} == dict.fromkeys(names, 0)
    for gateway in (bench.gateway, beside.gateway):
        value = json5_reader.loads(gateway.config.read_text())
        assert set(value["models"]["providers"]) == {MOONSHOT, KIMICODE}
        assert value["models"]["providers"][MOONSHOT]["apiKey"] == "${MOONSHOT_API_KEY}"
        assert value["agents"]["defaults"]["model"] == {"primary": "moonshot/kimi-k3"}
    # The user's own part of the config is unchanged.
    assert bench.gateway.config.read_text().startswith(config_before[: config_before.index("  agents:")])
    keys = [bench.keys[MOONSHOT], bench.keys[KIMICODE]]
    assert bench.gateway.env.read_text() == f"{env_before}MOONSHOT_API_KEY={keys[0]}\nKIMICODE_API_KEY={keys[1]}\n"
    assert not [key for key in keys if key in first.output]
    assert [files_holding(bench.gateway.home, key) for key in keys] == [[".env"], [".env"]]
    assert chats(bench) == {("kimi-k3", fingerprint(keys[0])), ("kimi-for-coding", fingerprint(keys[1]))}
    assert list(bench.gateway.state_dir.glob(".*clawfleet*")) == []
    # The transcripts of the chat messages are gone.
    assert list((bench.gateway.state_dir / "agents").rglob("*.deleted.*")) == []

    files, pids = bench.files(), bench.pids()
    second = bench.rollout(*both, "-vvv", providers_verify_after="turn")

    assert {host: counts["changed"] for host, counts in second.recap.items()} == dict.fromkeys(names, 0)
    assert bench.files() == files
    assert bench.pids() == pids


def test_a_rotated_key_is_used_and_the_old_one_is_gone_from_the_database(bench: Bench) -> None:
    old, pids = bench.keys[MOONSHOT], bench.pids()
    # OpenClaw's own repair copies the keys into the database that its agents share.
    bench.supervisor("stop", bench.gateway.name)
    bench.cli("doctor", "--fix", "--non-interactive")
    bench.supervisor("start", bench.gateway.name)
    wait_for_answer(bench.gateway)
    database = bench.gateway.state_dir / "state" / "openclaw.sqlite"
    assert "openclaw.sqlite" in files_holding(bench.gateway.home, old)
    bench.keys[MOONSHOT] = new_key()
    bench.admit(MOONSHOT, bench.keys[MOONSHOT])
    bench.revoke(MOONSHOT, old)
    files = bench.files()

    rejected = bench.rollout()

    assert rejected.code != 0
    assert (
        f"Auth profile moonshot:default in {database} contains another key ({fingerprint(old)}) for moonshot, which "
        "takes precedence over MOONSHOT_API_KEY. Run clawfleet.clawdbot.purge, or `openclaw models auth logout`."
    ) in rejected.one_line
    assert bench.files() == files

    rotated = bench.rollout("--diff", "-vvv", playbook=ROTATE)

    assert rotated.code == 0, rotated.output
    assert f"-MOONSHOT_API_KEY=<{fingerprint(old)}>" in rotated.output
    assert not [key for key in (old, *bench.keys.values()) if key in rotated.output]
    assert bench.pids() != pids
    bench.mock_server.clear_requests()
    assert bench.chat()["payloads"][0]["text"] == "Hello from kimi-k3 at Moonshot."
    assert chats(bench) == {("kimi-k3", fingerprint(bench.keys[MOONSHOT]))}
    assert files_holding(bench.gateway.home, old) == []


def test_keys_in_a_file_are_rotated_without_a_restart(bench: Bench) -> None:
    in_file = {"providers_secret_backend": "file"}
    env, keys = bench.gateway.env, bench.gateway.state_dir / "clawfleet-keys.json"
    moved = bench.rollout(**in_file)
    assert moved.code == 0, moved.output
    assert "MOONSHOT_API_KEY" not in dotenv.loads(env.read_text())
    assert json.loads(keys.read_text())["MOONSHOT_API_KEY"] == bench.keys[MOONSHOT]
    pids, old = bench.pids(), bench.keys[MOONSHOT]
    bench.keys[MOONSHOT] = new_key()
    bench.admit(MOONSHOT, bench.keys[MOONSHOT])

    with ThreadPoolExecutor() as senders:
        rotating = senders.submit(bench.rollout, "-vvv", playbook=ROTATE, providers_restart="never", **in_file)
        answers = [bench.chat("agent:main:meanwhile")["payloads"][0]["text"]]
        while not rotating.done():
            answers.append(bench.chat("agent:main:meanwhile")["payloads"][0]["text"])

    rotated = rotating.result()
    assert rotated.code == 0, rotated.output
    assert not [key for key in (old, *bench.keys.values()) if key in rotated.output]
    assert bench.pids() == pids
    assert set(answers) == {"Hello from kimi-k3 at Moonshot."}
    assert files_holding(bench.gateway.home, old) == []
    assert files_holding(bench.gateway.home, bench.keys[MOONSHOT]) == [keys.name]
    bench.revoke(MOONSHOT, old)
    bench.mock_server.clear_requests()
    bench.chat()
    assert chats(bench) == {("kimi-k3", fingerprint(bench.keys[MOONSHOT]))}
    again = bench.rollout(playbook=ROTATE, **in_file)
    assert {host: counts["changed"] for host, counts in again.recap.items()} == {bench.gateway.name: 0}

    back = bench.rollout()

    assert back.code == 0, back.output
    assert bench.pids() != pids
    assert not keys.exists()
    assert "secrets" not in json5_reader.loads(bench.gateway.config.read_text())
    assert dotenv.loads(env.read_text())["MOONSHOT_API_KEY"] == bench.keys[MOONSHOT]
    bench.mock_server.clear_requests()
    bench.chat()
    assert chats(bench) == {("kimi-k3", fingerprint(bench.keys[MOONSHOT]))}


def test_verify_reports_drift(bench: Bench) -> None:
    drifted = bench.rollout(playbook=VERIFY, providers_default_model="moonshot/kimi-k2.6")

    assert drifted.code != 0
    assert "The config differs from the inventory" in drifted.output


def test_remove_leaves_nothing_of_a_provider(bench: Bench) -> None:
    key, pids = bench.keys[MOONSHOT], bench.pids()
    less = {
        "providers_enabled": [MOONSHOT],
        "providers_api_keys": {},
        "providers_default_model": "kimicode/kimi-for-coding",
    }

    removed = bench.rollout(playbook=REMOVE, **less)

    assert removed.code == 0, removed.output
    assert bench.pids() != pids
    value = json5_reader.loads(bench.gateway.config.read_text())
    assert list(value["models"]["providers"]) == [KIMICODE]
    left = {ref: entry.get("alias") for ref, entry in value["agents"]["defaults"]["models"].items()}
    assert left == {
        "kimicode/kimi-for-coding": "kimi",
        "kimicode/kimi-for-coding-highspeed": None,
        "kimicode/k3": None,
        "kimicode/k3-256k": None,
    }
    assert "MOONSHOT_API_KEY" not in dotenv.loads(bench.gateway.env.read_text())
    assert files_holding(bench.gateway.home, key) == []
    bench.mock_server.clear_requests()
    assert bench.chat()["meta"]["agentMeta"]["provider"] == KIMICODE
    assert chats(bench) == {("kimi-for-coding", fingerprint(bench.keys[KIMICODE]))}
