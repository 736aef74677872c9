# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook rollout on a real gateway; on several of them, see test_rollout_fleet.py."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.e2e.harness import (
    KIMICODE,
    MOONSHOT,
    NO_CHATS,
    Bench,
    bench_with_providers,
    files_holding,
    new_key,
    wait_for_answer,
)
from tools import fleet
from tools.mock_server import MockServer

# The tests follow one gateway from its first day on, and then one that has the provider Moonshot: they run in one
# process, in this order (tests/conftest.py).


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A gateway without providers, until a test gives it some."""
    with MockServer() as mock_server, fleet.running(("gateway",)) as running:
        yield Bench(running, running.gateways[0], mock_server, tmp_path_factory.mktemp("gateway"))


@pytest.fixture(scope="module")
def with_moonshot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A gateway that has the provider Moonshot."""
    directory, enabled = tmp_path_factory.mktemp("with_moonshot"), [MOONSHOT]
    with MockServer() as mock_server, bench_with_providers(mock_server, directory, providers_enabled=enabled) as bench:
        yield bench


def chats(bench: Bench) -> list[tuple[str, str, bool]]:
    """Return model, fingerprint of the key, and whether it has a tool's result, of each chat that the endpoints got."""
    requests = [request for request in bench.mock_server.requests() if request["method"] == "POST"]
    return [(request["model"], request["key_fingerprint"], request["tool_result"]) for request in requests]


def kept(bench: Bench) -> list[str]:
    """Return what the collection has left in the state directory."""
    return sorted(path.name for path in bench.gateway.state_dir.iterdir() if "clawfleet" in path.name)


def test_bad_input_reaches_no_host(bench: Bench) -> None:
    files = bench.files()

    rejected = bench.rollout("-vvv", providers_enabled=["moonshoot", "kimicode"])

    assert rejected.code != 0
    assert 'providers_enabled: unknown provider "moonshoot". Did you mean "moonshot"?' in rejected.output
    assert rejected.modules == []
    assert bench.files() == files

    # A key that was copied with a line break is rejected by name, and not shown.
    right = bench.keys[MOONSHOT]
    bench.keys[MOONSHOT] = f"{right}\n"
    broken = bench.rollout("-vvv")

    bench.keys[MOONSHOT] = right
    assert broken.code != 0
    assert "providers_api_keys.moonshot contains white space" in broken.output
    assert right not in broken.output
    assert broken.modules == []


def test_a_wrong_key_changes_nothing(bench: Bench) -> None:
    files, pids = bench.files(), bench.pids()
    right, wrong = bench.keys[KIMICODE], new_key("sk-kimi-")
    bench.keys[KIMICODE] = wrong

    rejected = bench.rollout()

    bench.keys[KIMICODE] = right
    assert rejected.code != 0
    assert "unauthorized" in rejected.output
    assert wrong not in rejected.output
    assert bench.files() == files
    assert bench.pids() == pids


def test_an_environment_variable_that_another_file_overrides_is_rejected(bench: Bench) -> None:
    other = new_key()
    env = bench.gateway.home / ".env"
    env.write_text(f"MOONSHOT_API_KEY={other}\n")
    files = bench.files()

    rejected = bench.rollout()

    env.unlink()
    assert rejected.code != 0
    assert f"MOONSHOT_API_KEY is also set in {env}, to another value ({fingerprint(other)})" in rejected.one_line
    assert other not in rejected.output
    assert bench.files() == files


def test_a_failed_restart_restores_both_files(bench: Bench) -> None:
    contents = {name: file[0] for name, file in bench.files().items()}

    failed = bench.rollout(providers_restart_argv=["/bin/false"])

    assert failed.code != 0
    assert "The rollback failed as well" in failed.output
    assert {name: file[0] for name, file in bench.files().items()} == contents
    wait_for_answer(bench.gateway)


def test_a_canary_whose_block_lacks_a_field_is_rolled_back(bench: Bench) -> None:
    contents = {name: file[0] for name, file in bench.files().items()}
    block = {"baseUrl": bench.mock_server.base_url("moonshot-cn"), "models": [{"id": "kimi-k3", "compat": None}]}

    failed = bench.rollout(providers_enabled=["moonshot"], providers_overrides={"moonshot": {"block": block}})

    assert failed.code != 0
    assert "with `reasoning: true`, Clawdbot needs `compat.supportsDeveloperRole: false`" in failed.one_line
    assert (
        "No answer through the gateway. moonshot/kimi-k3: moonshot/kimi-k3 failed: 400 Invalid request: invalid role "
        "'developer' in message at index 0"
    ) in failed.one_line
    assert {name: file[0] for name, file in bench.files().items()} == contents


def test_a_fresh_gateway_gets_both_providers_and_a_second_run_changes_nothing(bench: Bench) -> None:
    config_before = bench.gateway.config.read_text()
    env_before = bench.gateway.env.read_text()
    files, pids = bench.files(), bench.pids()

    checked = bench.rollout("--check", "--diff")

    assert checked.code == 0, checked.output
    assert checked.recap[bench.gateway.name]["changed"] > 0
    assert (bench.files(), bench.pids()) == (files, pids)

    bench.mock_server.clear_requests()
    first = bench.rollout("-vvvv", "--diff")

    assert first.code == 0, first.output
    # The run shows .env twice: before the restart that brings the variables in, and then not again.
    assert "\n".join(checked.diffs).split() == "\n".join(first.diffs).split()
    config = bench.gateway.config.read_text()
    value = json5_reader.loads(config)
    assert set(value["models"]["providers"]) == {"moonshot", "kimicode"}
    assert value["models"]["mode"] == "merge"
    assert value["models"]["providers"]["moonshot"]["apiKey"] == "${MOONSHOT_API_KEY}"
    assert value["models"]["providers"]["kimicode"]["api"] == "anthropic-messages"
    assert "headers" not in value["models"]["providers"]["kimicode"]
    assert value["agents"]["defaults"]["model"] == {"primary": "moonshot/kimi-k3"}
    assert value["agents"]["defaults"]["models"]["kimicode/kimi-for-coding"] == {"alias": "kimi"}
    # The user's own part is unchanged.
    user_part = config_before[: config_before.index("  agents:")]
    assert config.startswith(user_part)
    assert bench.gateway.env.read_text() == (
        f"{env_before}MOONSHOT_API_KEY={bench.keys[MOONSHOT]}\nKIMICODE_API_KEY={bench.keys[KIMICODE]}\n"
    )
    assert stat.S_IMODE(bench.gateway.env.stat().st_mode) == 0o600

    # Both models have called a tool of this canary and answered then, each with its own key.
    assert chats(bench) == [
        ("kimi-k3", fingerprint(bench.keys[MOONSHOT]), False),
        ("kimi-k3", fingerprint(bench.keys[MOONSHOT]), True),
        ("kimi-for-coding", fingerprint(bench.keys[KIMICODE]), False),
        ("kimi-for-coding", fingerprint(bench.keys[KIMICODE]), True),
    ]

    # No key in what was printed, not in Ansible's temporary directories, nor anywhere on the host but where it belongs.
    keys = list(bench.keys.values())
    assert not [key for key in keys if key in first.output]
    assert files_holding(bench.fleet.directory / "tmp", *keys) == []
    assert files_holding(bench.fleet.directory / "ansible", *keys) == []
    assert files_holding(bench.gateway.home, *keys) == [".env", "models.json"]
    assert kept(bench) == [".clawdbot.json.clawfleet-key-dates"]

    files, pids = bench.files(), bench.pids()
    second = bench.rollout("-vvv")

    assert second.recap[bench.gateway.name]["changed"] == 0, second.output
    assert second.modules == ["gateway_info"]
    # Check mode says that too.
    again = bench.rollout("--check", "--diff")
    assert again.recap[bench.gateway.name]["changed"] == 0
    assert again.diffs == []
    assert bench.files() == files
    assert bench.pids() == pids


def test_a_rotated_key_is_used_and_the_old_one_is_gone(bench: Bench) -> None:
    old = bench.keys[MOONSHOT]
    pids = bench.pids()
    bench.keys[MOONSHOT] = new_key()
    bench.admit(MOONSHOT, bench.keys[MOONSHOT])
    bench.revoke(MOONSHOT, old)

    rotated = bench.rollout("--diff", "-vvv")

    assert rotated.code == 0, rotated.output
    assert f"-MOONSHOT_API_KEY=<{fingerprint(old)}>" in rotated.output
    assert f"+MOONSHOT_API_KEY=<{fingerprint(bench.keys[MOONSHOT])}>" in rotated.output
    assert old not in rotated.output
    assert bench.keys[MOONSHOT] not in rotated.output
    assert bench.pids() != pids
    assert len(rotated.modules) <= 8

    bench.mock_server.clear_requests()
    answer = bench.chat()

    assert answer["payloads"][0]["text"] == "Hello from kimi-k3 at Moonshot."
    assert [r["key_fingerprint"] for r in bench.mock_server.requests()] == [fingerprint(bench.keys[MOONSHOT])]
    assert files_holding(bench.gateway.home, old) == []


def test_a_run_that_died_before_its_restart_is_finished_by_the_next_one(bench: Bench) -> None:
    old = bench.keys[MOONSHOT]
    bench.keys[MOONSHOT] = new_key()
    bench.admit(MOONSHOT, bench.keys[MOONSHOT])
    # As a run that is killed between the write and its handler leaves it.
    bench.gateway.env.write_text(bench.gateway.env.read_text().replace(old, bench.keys[MOONSHOT]))
    pids = bench.pids()

    bench.mock_server.clear_requests()

    # An extra variable decides how the canary is verified.
    finished = bench.rollout("-vvv", "--extra-vars", "providers_verify_after=none")

    assert finished.code == 0, finished.output
    assert "the process has the old values" in finished.output
    assert bench.pids() != pids
    assert chats(bench) == []
    assert kept(bench) == [".clawdbot.json.clawfleet-key-dates"]
    wait_for_answer(bench.gateway)
    bench.mock_server.clear_requests()
    bench.chat()
    assert [r["key_fingerprint"] for r in bench.mock_server.requests()] == [fingerprint(bench.keys[MOONSHOT])]

    # The product's own command writes the key into the config in plain text; the next run puts the reference back.
    bench.cli("models", "set", "moonshot/kimi-k2.6")
    assert bench.keys[MOONSHOT] in bench.gateway.config.read_text()

    repaired = bench.rollout("--diff", *NO_CHATS)

    assert repaired.code == 0, repaired.output
    assert repaired.recap[bench.gateway.name]["changed"] == 1
    value = json.loads(bench.gateway.config.read_text())
    assert value["models"]["providers"]["moonshot"]["apiKey"] == "${MOONSHOT_API_KEY}"
    assert bench.keys[MOONSHOT] not in repaired.output
    assert dotenv.loads(bench.gateway.env.read_text())["MOONSHOT_API_KEY"] == bench.keys[MOONSHOT]


def test_a_changed_block_is_used_without_a_restart(with_moonshot: Bench) -> None:
    pids = with_moonshot.pids()
    block = {
        "baseUrl": with_moonshot.mock_server.base_url("moonshot-cn"),
        "models": [{"id": "kimi-k2.6", "contextWindow": 200000}],
    }

    changed = with_moonshot.rollout(
        *NO_CHATS, providers_enabled=["moonshot"], providers_overrides={"moonshot": {"block": block}}
    )

    assert changed.code == 0, changed.output
    assert changed.recap[with_moonshot.gateway.name]["changed"] == 1
    assert with_moonshot.pids() == pids
    # The aliases have made the list of models an allow-list: the new one is on it.
    patched = with_moonshot.call("sessions.patch", key="agent:main:new", model="moonshot/kimi-k2.6")
    assert patched["ok"] is True
    with_moonshot.mock_server.clear_requests()
    with_moonshot.chat("agent:main:new")
    assert [r["model"] for r in with_moonshot.mock_server.requests()] == ["kimi-k2.6"]


def test_no_chat_message_fails_while_a_provider_is_added(with_moonshot: Bench) -> None:
    pids = with_moonshot.pids()

    with with_moonshot.chats() as answers:
        added = with_moonshot.rollout()

    assert added.code == 0, added.output
    assert with_moonshot.pids() != pids
    # None is a message that waits until the new process takes it.
    assert set(answers) - {None} == {"Hello from kimi-k3 at Moonshot."}
    assert answers[-1] == "Hello from kimi-k3 at Moonshot."
