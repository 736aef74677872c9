# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role on gateways of the product's current name, also beside those of its first one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.e2e.harness import KIMICODE, MOONSHOT, Bench, files_holding, new_key
from tools import fleet
from tools.mock_server import MockServer

REMOVE = "clawfleet.clawdbot.remove"
VERIFY = "clawfleet.clawdbot.verify"


@pytest.fixture(scope="module")
def gateways() -> Iterator[fleet.Fleet]:
    names = ("openclaw-1", "openclaw-2", "clawdbot-1")
    with fleet.running(names, {"openclaw-1": "openclaw", "openclaw-2": "openclaw"}) as running:
        yield running


@pytest.fixture
def beside(gateways: fleet.Fleet, mock_server: MockServer, tmp_path: Path, bench: Bench) -> Bench:
    """A Clawdbot that has the same keys."""
    folder = tmp_path / "beside"
    folder.mkdir()
    beside = Bench(gateways, gateways.gateways[2], mock_server, folder)
    beside.keys = bench.keys
    return beside


@pytest.fixture
def unused(gateways: fleet.Fleet) -> list[fleet.Gateway]:
    return [gateway for gateway in gateways.gateways if gateway.product.name == "openclaw"]


def asked(bench: Bench) -> set[tuple[str, str]]:
    """Model and fingerprint of the key of each chat that the endpoints were asked for since they last forgot."""
    requests = [request for request in bench.mock_server.requests() if request["method"] == "POST"]
    return {(request["model"], request["key_fingerprint"]) for request in requests}


def test_one_rollout_over_both_products_and_a_rotation(bench: Bench, beside: Bench, tmp_path: Path) -> None:
    config_before, env_before = bench.gateway.config.read_text(), bench.gateway.env.read_text()
    beside.write_inventory(tmp_path / "beside.yml", providers_verify_after="turn")
    both = ("-i", str(tmp_path / "beside.yml"))
    files, pids = bench.files(), bench.pids()

    checked = bench.rollout("--check", "--diff")

    assert checked.code == 0, checked.output
    assert bench.files() == files
    assert bench.pids() == pids

    first = bench.rollout(*both, "--diff", "-vvv", providers_verify_after="turn")

    assert first.code == 0, first.output
    names = (bench.gateway.name, beside.gateway.name)
    assert {host: counts["failed"] for host, counts in first.recap.items()} == dict.fromkeys(names, 0)
    for gateway in (bench.gateway, beside.gateway):
        value = json5_reader.loads(gateway.config.read_text())
        assert set(value["models"]["providers"]) == {MOONSHOT, KIMICODE}
        assert value["models"]["providers"][MOONSHOT]["apiKey"] == "${MOONSHOT_API_KEY}"
        assert value["agents"]["defaults"]["model"] == {"primary": "moonshot/kimi-k2.5"}
    # What the user had stands there as it stood.
    assert bench.gateway.config.read_text().startswith(config_before[: config_before.index("  agents:")])
    keys = [bench.keys[MOONSHOT], bench.keys[KIMICODE]]
    assert bench.gateway.env.read_text() == (f"{env_before}MOONSHOT_API_KEY={keys[0]}\nKIMICODE_API_KEY={keys[1]}\n")
    assert not [key for key in keys if key in first.output]
    assert [files_holding(bench.gateway.home, key) for key in keys] == [[".env"], [".env"]]
    assert asked(bench) == {("kimi-k2.5", fingerprint(keys[0])), ("kimi-for-coding", fingerprint(keys[1]))}
    assert list(bench.gateway.state_dir.glob(".*clawfleet*")) == []
    # The transcripts of the chat messages are gone.
    assert list((bench.gateway.state_dir / "agents").rglob("*.deleted.*")) == []

    files, pids = bench.files(), bench.pids()
    second = bench.rollout(*both, "-vvv", providers_verify_after="turn")

    assert {host: counts["changed"] for host, counts in second.recap.items()} == dict.fromkeys(names, 0)
    assert bench.files() == files
    assert bench.pids() == pids

    old = keys[0]
    bench.keys[MOONSHOT] = new_key()
    bench.admit(MOONSHOT, bench.keys[MOONSHOT])
    bench.revoke(MOONSHOT, old)
    rotated = bench.rollout("--diff")

    assert rotated.code == 0, rotated.output
    assert f"-MOONSHOT_API_KEY=<{fingerprint(old)}>" in rotated.output
    assert bench.pids() != pids
    bench.mock_server.clear_requests()
    assert bench.chat()["payloads"][0]["text"] == "Hello from kimi-k2.5 at Moonshot."
    assert asked(bench) == {("kimi-k2.5", fingerprint(bench.keys[MOONSHOT]))}
    assert files_holding(bench.gateway.home, old) == []


def test_a_wrong_key_a_failed_restart_a_drift_and_a_removal(bench: Bench) -> None:
    files, pids = bench.files(), bench.pids()
    right = bench.keys[KIMICODE]
    bench.keys[KIMICODE] = new_key("sk-kimi-")

    refused = bench.rollout()

    assert refused.code != 0
    assert "unauthorized" in refused.output
    assert bench.files() == files
    assert bench.pids() == pids
    bench.keys[KIMICODE] = right

    failed = bench.rollout(providers_restart_argv=["/bin/false"])

    assert failed.code != 0
    assert "The rollback failed as well" in failed.output
    assert {name: file[0] for name, file in bench.files().items()} == {name: file[0] for name, file in files.items()}
    assert bench.gateway.answers()

    assert bench.rollout().code == 0
    drifted = bench.rollout(playbook=VERIFY, providers_default_model="moonshot/moonshot-v1-8k")

    assert drifted.code != 0
    assert "The config differs from the inventory" in drifted.output

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
    assert value["agents"]["defaults"]["models"] == {"kimicode/kimi-for-coding": {"alias": "kimi"}}
    assert "MOONSHOT_API_KEY" not in dotenv.loads(bench.gateway.env.read_text())
    assert files_holding(bench.gateway.home, key) == []
    bench.mock_server.clear_requests()
    assert bench.chat()["meta"]["agentMeta"]["provider"] == KIMICODE
    assert asked(bench) == {("kimi-for-coding", fingerprint(right))}
