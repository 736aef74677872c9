# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which key a real gateway uses where several places have one, compared with the result of gateway_info."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_editor
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.modules import gateway_info

from tests.e2e.harness import MOONSHOT, NO_CHATS, Bench, bench_with_providers, new_key
from tools import fleet
from tools.mock_server import MockServer

CN_VARIABLE = "MOONSHOT_CN_API_KEY"


def info(bench: Bench, monkeypatch: pytest.MonkeyPatch, **changed: Any) -> dict[str, Any]:
    """Return the module's result for the gateway."""
    monkeypatch.setattr(tempfile, "tempdir", str(bench.fleet.directory / "tmp"))
    given = {"state_dir": str(bench.gateway.state_dir), "service_manager": "command", **changed}
    defaults = {name: option.get("default") for name, option in gateway_info.ARGUMENT_SPEC.items()}
    return gateway_info.run({**defaults, **given}, True)


def restart(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.supervisor("restart", bench.gateway.name)
    assert info(bench, monkeypatch, wait=120.0)["answers"]


def used_keys(bench: Bench, session: str) -> set[str]:
    """Return the fingerprints of the keys that the endpoint receives with a chat message."""
    bench.mock_server.clear_requests()
    bench.chat(session)
    return {request["key_fingerprint"] for request in bench.mock_server.requests()}


def test_an_auth_profile_overrides_the_variable_and_blocks_a_rollout(
    with_moonshot: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = with_moonshot.keys[MOONSHOT], new_key()
    with_moonshot.admit(MOONSHOT, other)
    assert used_keys(with_moonshot, "agent:main:one") == {fingerprint(own)}
    store = with_moonshot.gateway.state_dir / "agents" / "main" / "agent" / "auth-profiles.json"
    kept = store.read_text() if store.exists() else json.dumps({"version": 1, "profiles": {}})
    profile = {"type": "api_key", "provider": MOONSHOT, "key": other}
    store.write_text(json.dumps({**json.loads(kept), "profiles": {"moonshot:default": profile}}))

    assert used_keys(with_moonshot, "agent:main:two") == {fingerprint(other)}

    found = info(with_moonshot, monkeypatch, providers={MOONSHOT: "MOONSHOT_API_KEY"})
    assert found["providers"] == {
        MOONSHOT: {
            "variable": "MOONSHOT_API_KEY",
            "overridden_by": [
                {
                    "kind": "auth_profile",
                    "name": "moonshot:default",
                    "place": str(store),
                    "fingerprint": fingerprint(other),
                }
            ],
        }
    }
    files, pids = with_moonshot.files(), with_moonshot.pids()
    text = (
        f"Auth profile moonshot:default in {store} contains another key ({fingerprint(other)}) for moonshot, which "
        "takes precedence over MOONSHOT_API_KEY. Remove it there."
    )
    for playbook in ("rollout", "verify"):
        rejected = with_moonshot.rollout(
            "-vvv", providers_enabled=[MOONSHOT], playbook=f"clawfleet.clawdbot.{playbook}"
        )
        assert rejected.code != 0
        assert text in rejected.one_line
        assert other not in rejected.output
    assert (with_moonshot.files(), with_moonshot.pids()) == (files, pids)

    # A profile with the desired key does not block, until the key is changed.
    store.write_text(json.dumps({**json.loads(kept), "profiles": {"moonshot:default": {**profile, "key": own}}}))
    assert with_moonshot.rollout(*NO_CHATS, providers_enabled=[MOONSHOT]).code == 0
    with_moonshot.keys[MOONSHOT] = new_key()
    with_moonshot.admit(MOONSHOT, with_moonshot.keys[MOONSHOT])
    rejected = with_moonshot.rollout(providers_enabled=[MOONSHOT])
    assert rejected.code != 0
    assert text.replace(fingerprint(other), fingerprint(own)) in rejected.one_line
    assert with_moonshot.files() == files


@pytest.fixture
def wanted(mock_server: MockServer) -> dict[str, Any]:
    """Variables that have Moonshot's key in an environment variable that Clawdbot does not know."""
    block = {"baseUrl": mock_server.base_url("moonshot-cn")}
    overrides = {MOONSHOT: {"env_var": CN_VARIABLE, "block": block}}
    return {"providers_enabled": [MOONSHOT], "providers_overrides": overrides}


@pytest.fixture
def with_cn_variable(mock_server: MockServer, tmp_path: Path, wanted: dict[str, Any]) -> Iterator[Bench]:
    with bench_with_providers(mock_server, tmp_path, **wanted) as bench:
        yield bench


def test_a_variable_that_clawdbot_knows_overrides_that_of_the_config(
    with_cn_variable: Bench, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = with_cn_variable
    own, in_config, in_file = bench.keys[MOONSHOT], new_key(), new_key()
    for key in (in_config, in_file):
        bench.admit(MOONSHOT, key)
    assert used_keys(bench, "agent:main:one") == {fingerprint(own)}

    def override(place: str, key: str) -> list[dict[str, str]]:
        return [
            {"kind": "variable", "name": "MOONSHOT_API_KEY", "place": place, "fingerprint": fingerprint(key)},
        ]

    def found() -> Any:
        return info(bench, monkeypatch, providers={MOONSHOT: CN_VARIABLE})["providers"][MOONSHOT]["overridden_by"]

    assert found() == []
    config = bench.gateway.config.read_text()
    bench.gateway.config.write_text(
        json5_editor.edit(config, [json5_editor.Change(("env",), {"vars": {"MOONSHOT_API_KEY": in_config}})])
    )
    assert found() == override(f"env block of {bench.gateway.config}", in_config)
    restart(bench, monkeypatch)
    assert used_keys(bench, "agent:main:two") == {fingerprint(in_config)}

    env = bench.gateway.env.read_text()
    bench.gateway.env.write_text(f"{env}MOONSHOT_API_KEY={in_file}\n")
    assert found() == override(str(bench.gateway.env), in_file)
    restart(bench, monkeypatch)
    assert used_keys(bench, "agent:main:three") == {fingerprint(in_file)}

    files, pids = bench.files(), bench.pids()
    rejected = bench.rollout(**wanted)
    assert rejected.code != 0
    assert (
        f"MOONSHOT_API_KEY, set in {bench.gateway.env}, contains another key ({fingerprint(in_file)}) for moonshot, "
        "which takes precedence over MOONSHOT_CN_API_KEY. Remove it there."
    ) in rejected.one_line
    assert (bench.files(), bench.pids()) == (files, pids)


def test_a_key_is_rotated_where_the_service_loads_the_managed_file_itself(
    with_moonshot: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a unit does with EnvironmentFile=, or a container with --env-file.
    config = with_moonshot.fleet.supervisor_config.read_text()
    started = f"{with_moonshot.fleet.programs}/clawdbot gateway --port {with_moonshot.gateway.port}"
    loading = f"/bin/sh -c 'set -a; . {with_moonshot.gateway.env}; exec {started}'"
    with_moonshot.fleet.supervisor_config.write_text(config.replace(f"command={started}\n", f"command={loading}\n"))
    with_moonshot.supervisor("update", with_moonshot.gateway.name)
    assert info(with_moonshot, monkeypatch, wait=120.0)["answers"]
    held = info(with_moonshot, monkeypatch, variables=["MOONSHOT_API_KEY"])["variables"]["MOONSHOT_API_KEY"]
    place = {"place": str(with_moonshot.gateway.env), "fingerprint": fingerprint(with_moonshot.keys[MOONSHOT])}
    assert held == {"sources": [place], "in_process": True, "overriding_env": []}

    with_moonshot.keys[MOONSHOT] = new_key()
    with_moonshot.admit(MOONSHOT, with_moonshot.keys[MOONSHOT])
    rotated = with_moonshot.rollout(*NO_CHATS, providers_enabled=[MOONSHOT])

    assert rotated.code == 0, rotated.output
    assert used_keys(with_moonshot, "agent:main:one") == {fingerprint(with_moonshot.keys[MOONSHOT])}

    # A key that the service sets in addition is found, and takes precedence.
    other = new_key()
    with_moonshot.admit(MOONSHOT, other)
    stated = with_moonshot.fleet.supervisor_config.read_text()
    with_moonshot.fleet.supervisor_config.write_text(
        stated.replace("; exec " + started, f"; MOONSHOT_API_KEY={other} exec {started}")
    )
    with_moonshot.supervisor("update", with_moonshot.gateway.name)
    assert info(with_moonshot, monkeypatch, wait=120.0)["answers"]
    assert used_keys(with_moonshot, "agent:main:two") == {fingerprint(other)}
    rejected = with_moonshot.rollout(providers_enabled=[MOONSHOT])
    assert rejected.code != 0
    assert (
        f"MOONSHOT_API_KEY is also set in process environment, to another value ({fingerprint(other)})"
    ) in rejected.one_line


def test_each_host_of_an_inventory_finds_its_own_gateway(
    ansible_adhoc: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Through pytest-ansible: the only place that uses it.
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    inventory = tmp_path / "inventory.yml"
    with fleet.running(("gateway-1", "gateway-2")) as gateways:
        for name, value in gateways.environment.items():
            monkeypatch.setenv(name, value)
        states = {gateway.name: str(gateway.state_dir) for gateway in gateways.gateways}
        inventory.write_text(yaml.safe_dump({"gateways": {"hosts": dict.fromkeys(states), "vars": local}}))

        hosts = ansible_adhoc(inventory=str(inventory))
        results = {
            name: getattr(hosts[name], "clawfleet.clawdbot.gateway_info")(state_dir=state, service_manager="command")[
                name
            ]
            for name, state in states.items()
        }

    assert {name: (result["state_dir"], result["port"], result["answers"]) for name, result in results.items()} == {
        gateway.name: (str(gateway.state_dir), gateway.port, True) for gateway in gateways.gateways
    }
    assert [result["version"] for result in results.values()] == ["2026.1.24-3", "2026.1.24-3"]
