# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook rollout on a fleet of real gateways: which endpoints it asks, which hosts it changes, where it stops."""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.e2e.harness import (
    FORMS,
    KIMICODE,
    MOONSHOT,
    NO_CHATS,
    Run,
    gateway_variables,
    new_key,
    play,
    wait_for_answer,
)
from tools import fleet
from tools.mock_server import MockServer

NAMES = ("gateway-1", "gateway-2", "gateway-3", "gateway-4")
CONNECTIONS = Path(__file__).with_name("connections")
# No process listens on the port.
DOWN = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 9}
_SUMMARY = re.compile(
    r"^TASK \[Show the summary\] \*+\n(?:task path: .*\n)?ok: \[[^]]+\] => (\{\n.*?^\})", re.MULTILINE | re.DOTALL
)
UNKNOWN_PROVIDER = 'providers_enabled: unknown provider "moonshoot". Did you mean "moonshot"?'

# The tests follow one fleet from its first day on: they run in one process, in this order (tests/conftest.py).


@pytest.fixture(scope="module")
def gateways() -> Iterator[fleet.Fleet]:
    with fleet.running(NAMES) as running:
        yield running


class Rollout:
    """The playbook on the whole fleet, each gateway with its own keys and region."""

    def __init__(self, running: fleet.Fleet, mock_server: MockServer, directory: Path) -> None:
        self.fleet = running
        self.mock_server = mock_server
        self.directory = directory
        self.keys: dict[str, dict[str, str]] = {}
        # The mock server's name of the endpoint that a host's block moonshot is for.
        self.regions = dict.fromkeys(NAMES, "moonshot-cn")
        shared = {MOONSHOT: new_key(), KIMICODE: new_key("sk-kimi-")}
        for name in NAMES:
            self.give(name, **shared)

    def give(self, name: str, **keys: str) -> None:
        """Give the host these keys, which the endpoints accept."""
        self.keys[name] = {**self.keys.get(name, {}), **keys}
        for provider, key in keys.items():
            self.mock_server.add_key(self._endpoint(name, provider), key)

    def run(self, *arguments: str, playbook: str = "rollout", **variables: dict[str, Any]) -> Run:
        """Run a playbook; `variables` maps a host, with an underscore for its hyphen, to its extra variables."""
        hosts = {gateway.name: self._variables(gateway) for gateway in self.fleet.gateways}
        for name, more in variables.items():
            hosts[name.replace("_", "-")].update(more)
        inventory = self.directory / "inventory.yml"
        inventory.write_text(yaml.safe_dump({"gateways": {"hosts": hosts}}))
        self.mock_server.clear_requests()
        keys = {f"KEY_{name}_{provider}": key for name, own in self.keys.items() for provider, key in own.items()}
        environment = {**self.fleet.environment, **keys, "ANSIBLE_CONNECTION_PLUGINS": str(CONNECTIONS)}
        return play(inventory, environment, f"clawfleet.clawdbot.{playbook}", *arguments)

    def asked(self) -> collections.Counter[tuple[str, str]]:
        """Return how often each endpoint was asked for its models with each key, by path and fingerprint."""
        requests = self.mock_server.requests()
        return collections.Counter((r["path"], r["key_fingerprint"]) for r in requests if r["method"] == "GET")

    def answered(self) -> list[str]:
        """Return the models that got a chat message, in order."""
        return [r["model"] for r in self.mock_server.requests() if r["method"] == "POST"]

    def files(self) -> dict[str, tuple[bytes, bytes, int, int]]:
        """Return the config and .env of each gateway, and when they were last changed."""
        return {
            gateway.name: (
                gateway.config.read_bytes(),
                gateway.env.read_bytes(),
                gateway.config.stat().st_ctime_ns,
                gateway.env.stat().st_ctime_ns,
            )
            for gateway in self.fleet.gateways
        }

    def changed(self, before: dict[str, tuple[bytes, bytes, int, int]]) -> list[str]:
        """Return the gateways of which a file was changed since."""
        return [name for name, file in self.files().items() if file != before[name]]

    def overrides(self, name: str) -> dict[str, Any]:
        """Return the `providers_overrides` of a host: where its endpoints are."""
        return {
            provider: {"block": {"baseUrl": self.mock_server.base_url(self._endpoint(name, provider), FORMS[provider])}}
            for provider in (MOONSHOT, KIMICODE)
        }

    def _endpoint(self, name: str, provider: str) -> str:
        return self.regions[name] if provider == MOONSHOT else "kimicode"

    def _variables(self, gateway: fleet.Gateway) -> dict[str, Any]:
        name = gateway.name
        return {
            **gateway_variables(self.fleet, gateway),
            # From the environment, so that no file of the test holds a key.
            "providers_api_keys": {
                provider: f"{{{{ lookup('ansible.builtin.env', 'KEY_{name}_{provider}') }}}}"
                for provider in self.keys[name]
            },
            "providers_overrides": self.overrides(name),
        }


@pytest.fixture
def rollout(gateways: fleet.Fleet, tmp_path: Path) -> Iterator[Rollout]:
    with MockServer() as mock_server:
        yield Rollout(gateways, mock_server, tmp_path)


def summary(run: Run) -> dict[str, Any]:
    """Return what the playbook reports about each host at its end."""
    (shown,) = _SUMMARY.findall(run.output)
    result: dict[str, Any] = json.loads(shown)["msg"]
    return {name: result[name] for name in ("done", "unchanged", "failed", "not_reached", "not_tried")}


def path_of(mock_server: MockServer, endpoint: str) -> str:
    return mock_server.base_url(endpoint).removeprefix(mock_server.url) + "/models"


def test_a_rejected_key_of_one_host_stops_every_host(rollout: Rollout) -> None:
    before = rollout.files()
    wrong = new_key()
    rollout.keys["gateway-4"][MOONSHOT] = wrong

    rejected = rollout.run("-vvv")

    assert rejected.code == 2
    result = summary(rejected)
    reason = result["failed"].pop("gateway-4")
    assert "moonshot  unauthorized" in reason
    assert result == {"done": [], "unchanged": [], "failed": {}, "not_reached": {}, "not_tried": list(NAMES[:3])}
    assert rejected.modules == []
    assert rollout.changed(before) == []
    # Three hosts share a key, and all four the other one.
    right = rollout.keys["gateway-1"]
    assert rollout.asked() == {
        (path_of(rollout.mock_server, "moonshot-cn"), fingerprint(right[MOONSHOT])): 1,
        (path_of(rollout.mock_server, "moonshot-cn"), fingerprint(wrong)): 1,
        (path_of(rollout.mock_server, "kimicode"), fingerprint(right[KIMICODE])): 1,
    }
    assert not [key for own in rollout.keys.values() for key in own.values() if key in rejected.output]


def test_invalid_variables_of_one_host_stop_every_host(rollout: Rollout) -> None:
    before = rollout.files()

    rejected = rollout.run("-vvv", gateway_3={"providers_enabled": ["moonshoot"]})

    assert rejected.code == 2
    result = summary(rejected)
    assert result["failed"] == {"gateway-3": UNKNOWN_PROVIDER}
    assert result["not_tried"] == ["gateway-1", "gateway-2", "gateway-4"]
    assert rejected.modules == []
    assert rollout.changed(before) == []


@pytest.mark.parametrize("playbook", ["verify", "audit"])
def test_invalid_variables_of_one_host_do_not_stop_the_others_from_being_read(rollout: Rollout, playbook: str) -> None:
    done = rollout.run("-vvv", playbook=playbook, gateway_3={"providers_enabled": ["moonshoot"]})

    assert done.code == 2
    assert done.modules.count("gateway_info") == 3
    assert done.recap["gateway-3"]["failed"] == 1
    assert UNKNOWN_PROVIDER in done.output


def test_an_overridden_key_on_one_host_stops_its_batch(rollout: Rollout) -> None:
    other = new_key()
    env = rollout.fleet.gateways[2].home / ".env"
    env.write_text(f"MOONSHOT_API_KEY={other}\n")
    before = rollout.files()

    stopped = rollout.run(*NO_CHATS, "--extra-vars", '{"rollout_batches": ["100%"]}', gateway_1=DOWN)

    env.unlink()
    assert stopped.code == 2
    result = summary(stopped)
    assert result["failed"] == {
        "gateway-3": f"MOONSHOT_API_KEY is also set in {env}, to another value ({fingerprint(other)}), which takes "
        f"precedence over {rollout.fleet.gateways[2].env}. Remove it there."
    }
    assert "Connection refused" in result["not_reached"]["gateway-1"]
    assert (result["done"], result["not_tried"]) == (["gateway-2"], ["gateway-4"])
    # The canary went before.
    assert rollout.changed(before) == ["gateway-2"]


def test_the_first_failed_host_is_rolled_back_and_stops_the_next_ones(rollout: Rollout) -> None:
    before = rollout.files()

    failed = rollout.run(
        *NO_CHATS, "--extra-vars", '{"rollout_batches": [1]}', gateway_3={"providers_restart_argv": ["/bin/false"]}
    )

    assert failed.code == 2
    result = summary(failed)
    assert (result["done"], result["not_tried"]) == (["gateway-1", "gateway-2"], ["gateway-4"])
    assert list(result["failed"]) == ["gateway-3"]
    assert "The rollback failed as well" in result["failed"]["gateway-3"]
    after = rollout.files()
    assert after["gateway-3"][:2] == before["gateway-3"][:2]
    wait_for_answer(rollout.fleet.gateways[2])
    assert after["gateway-4"] == before["gateway-4"]


def test_a_lost_connection_is_a_failure(rollout: Rollout) -> None:
    two = f"--limit={','.join(NAMES[:2])}"
    before = rollout.files()
    losses = rollout.directory / "losses"
    lossy = {"ansible_connection": "lossy", "losses": str(losses)}
    # The files are written, and the result is lost; the connection is back at once.
    losses.write_text("modules.provider_config\n")

    lost = rollout.run(two, gateway_1=lossy)

    assert (lost.code, losses.read_text()) == (2, "")
    result = summary(lost)
    reason = "The host was not reached: Task failed: the test has cut the line"
    put_back = "The files are as they were before; the gateway answers."
    assert result["failed"] == {"gateway-1": f"{reason} {put_back}"}
    assert (result["done"], result["not_reached"], result["not_tried"]) == ([], {}, ["gateway-2"])
    assert rollout.changed(before) == ["gateway-1"]
    assert rollout.files()["gateway-1"][:2] == before["gateway-1"][:2]

    # It does not come back.
    losses.write_text("modules.provider_config*\n")
    gone = rollout.run(two, gateway_1=lossy)

    assert gone.code == 2
    result = summary(gone)
    assert result["failed"]["gateway-1"].startswith(
        f"{reason} The rollback failed as well: {reason.partition(': ')[2]}"
    )
    assert (result["done"], result["not_tried"]) == ([], ["gateway-2"])

    # Lost while the gateway gets a variable that its process does not have.
    losses.write_text("modules.provider_config\n")
    overrides = rollout.overrides("gateway-1")
    overrides[KIMICODE]["env_var"] = "OTHER_API_KEY"
    without = rollout.run(two, gateway_1={**lossy, "providers_overrides": overrides})

    assert (without.code, losses.read_text()) == (2, "")
    assert summary(without)["failed"] == {"gateway-1": f"{reason} {put_back}"}
    assert b"OTHER_API_KEY" not in rollout.files()["gateway-1"][1]

    # Lost after the gateway was verified: there is nothing left to roll back.
    assert rollout.run(*NO_CHATS, two).code == 0
    rollout.give("gateway-2", **{MOONSHOT: new_key()})
    losses.write_text("modules.gateway_check\n")
    verified = rollout.run(two, gateway_2=lossy)

    assert (verified.code, losses.read_text()) == (2, "")
    written = "The files are as this run has written them, and they were verified; the gateway answers."
    assert summary(verified)["failed"] == {"gateway-2": f"{reason} {written}"}
    again = rollout.run(two, gateway_2=lossy)
    assert (again.code, summary(again)["unchanged"]) == (0, list(NAMES[:2]))


def test_hosts_with_keys_and_regions_of_their_own_and_one_that_is_down(rollout: Rollout) -> None:
    before = rollout.files()
    international = new_key()
    rollout.regions["gateway-3"] = "moonshot-ai"
    rollout.give("gateway-3", **{MOONSHOT: international})
    common = {"providers_verify_from": "controller"}
    hosts = {name.replace("-", "_"): common for name in NAMES}

    done = rollout.run(**{**hosts, "gateway_1": {**common, **DOWN}})

    assert done.code == 2
    result = summary(done)
    assert (result["done"], list(result["not_reached"])) == (["gateway-2", "gateway-3", "gateway-4"], ["gateway-1"])
    assert rollout.changed(before) == ["gateway-2", "gateway-3", "gateway-4"]
    # Asked once for all, also for the host that is down; only the canary has sent a chat message to each provider.
    own = rollout.keys["gateway-2"]
    assert rollout.asked() == {
        (path_of(rollout.mock_server, "moonshot-cn"), fingerprint(own[MOONSHOT])): 1,
        (path_of(rollout.mock_server, "moonshot-ai"), fingerprint(international)): 1,
        (path_of(rollout.mock_server, "kimicode"), fingerprint(own[KIMICODE])): 1,
    }
    # Each model of the canary has called a tool, which takes two requests.
    assert rollout.answered() == ["kimi-k3", "kimi-k3", "kimi-for-coding", "kimi-for-coding"]
    for gateway in rollout.fleet.gateways[1:]:
        block = json5_reader.loads(gateway.config.read_text())["models"]["providers"]["moonshot"]
        assert block["baseUrl"] == rollout.mock_server.base_url(rollout.regions[gateway.name])
        assert f"MOONSHOT_API_KEY={rollout.keys[gateway.name][MOONSHOT]}\n" in gateway.env.read_text()

    # The host is back: another run goes on, and the others are left alone.
    before = rollout.files()
    resumed = rollout.run(**hosts)

    assert resumed.code == 0, resumed.output
    assert summary(resumed) == {
        "done": ["gateway-1"],
        "unchanged": ["gateway-2", "gateway-3", "gateway-4"],
        "failed": {},
        "not_reached": {},
        "not_tried": [],
    }
    assert rollout.changed(before) == ["gateway-1"]
