# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a small fleet of real gateways, of which one works and each other one has another problem."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import key_dates_file
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.e2e.harness import (
    ENDPOINTS,
    FORMS,
    KIMICODE,
    MOONSHOT,
    Run,
    gateway_variables,
    new_key,
    play,
    write_providers,
)
from tools import fleet
from tools.mock_server import MockServer

REPORT = "clawfleet.clawdbot.report"
NAMES = ("healthy", "drifted", "refused")
# No process listens on this port.
UNREACHABLE = {
    "ansible_connection": "ansible.builtin.ssh",
    "ansible_host": "127.0.0.1",
    "ansible_port": 1,
    "ansible_ssh_common_args": "-F /dev/null -o ConnectTimeout=5",
}


# The tests share a fleet: they run in one process (tests/conftest.py).


@pytest.fixture(scope="module")
def mock_server() -> Iterator[MockServer]:
    with MockServer() as endpoints:
        yield endpoints


@pytest.fixture(scope="module")
def overrides(mock_server: MockServer) -> dict[str, Any]:
    """The `providers_overrides` of all gateways: where the endpoints are."""
    return {
        name: {"block": {"baseUrl": mock_server.base_url(endpoint, FORMS[name])}}
        for name, endpoint in ENDPOINTS.items()
    }


@pytest.fixture(scope="module")
def gateways(keys: dict[str, dict[str, str]], overrides: dict[str, Any]) -> Iterator[fleet.Fleet]:
    """Gateways that have both providers."""
    with fleet.laid_out(NAMES) as laid_out:
        for gateway in laid_out.gateways:
            variables = {**gateway_variables(laid_out, gateway), "providers_overrides": overrides}
            write_providers(gateway, keys[gateway.name], variables)
        with fleet.started(laid_out):
            yield laid_out


@pytest.fixture(scope="module")
def keys(mock_server: MockServer) -> dict[str, dict[str, str]]:
    """Each gateway's own keys, which its endpoints accept."""
    found = {name: {MOONSHOT: new_key(), KIMICODE: new_key("sk-kimi-")} for name in NAMES}
    for own in found.values():
        for provider, key in own.items():
            mock_server.add_key(ENDPOINTS[provider], key)
    return found


@pytest.fixture
def hosts(
    gateways: fleet.Fleet, keys: dict[str, dict[str, str]], overrides: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """The variables of each gateway in an inventory."""
    return {
        gateway.name: {
            **gateway_variables(gateways, gateway),
            # From the environment, so that no file of the test holds a key.
            "providers_api_keys": {
                name: f"{{{{ lookup('ansible.builtin.env', 'KEY_{gateway.name}_{name}') }}}}"
                for name in keys[gateway.name]
            },
            "providers_overrides": overrides,
        }
        for gateway in gateways.gateways
    }


@pytest.fixture
def run(gateways: fleet.Fleet, keys: dict[str, dict[str, str]], tmp_path: Path) -> Callable[..., Run]:
    """Runs a playbook on hosts with these variables."""

    def run_playbook(hosts: dict[str, dict[str, Any]], *arguments: str) -> Run:
        inventory = tmp_path / "inventory.yml"
        inventory.write_text(yaml.safe_dump({"gateways": {"hosts": hosts}}))
        own = {f"KEY_{host}_{name}": key for host, named in keys.items() for name, key in named.items()}
        return play(inventory, {**gateways.environment, **own}, *arguments)

    return run_playbook


def state_of(gateways: fleet.Fleet) -> dict[Path, tuple[bytes, int]]:
    """Return the content of each gateway's files and when each was changed last."""
    files = [path for gateway in gateways.gateways for path in (gateway.config, gateway.env)]
    return {path: (path.read_bytes(), path.stat().st_ctime_ns) for path in files}


def test_each_host_is_a_row_with_its_trouble_and_no_key_is_in_the_files(
    gateways: fleet.Fleet,
    keys: dict[str, dict[str, str]],
    hosts: dict[str, dict[str, Any]],
    run: Callable[..., Run],
    mock_server: MockServer,
    tmp_path: Path,
) -> None:
    # As a person or the product changes it.
    config = gateways.gateways[1].config
    config.write_text(config.read_text().replace("1048576", "1000000"))
    mock_server.revoke_key(ENDPOINTS[MOONSHOT], keys["refused"][MOONSHOT])
    # Written 100 days ago, and there before the collection.
    dates = Path(key_dates_file.path_beside(str(gateways.gateways[2].config)))
    record = json.loads(dates.read_text())
    record["MOONSHOT_API_KEY"][-1]["since"] = (datetime.now(timezone.utc) - timedelta(days=100)).date().isoformat()
    dates.write_text(json.dumps({"MOONSHOT_API_KEY": record["MOONSHOT_API_KEY"]}))
    hosts["refused"]["providers_key_max_age"] = 90
    state = state_of(gateways)
    # What is wrong with these shows before the host is read.
    hosts["unreachable"] = {**hosts["healthy"], **UNREACHABLE}
    hosts["misconfigured"] = {**hosts["healthy"], "providers_enabled": ["moonshoot"]}
    hosts["mistyped"] = {**hosts["healthy"], "providers_service_manager": "systemd"}
    directory = tmp_path / "out of the" / "fleet"

    reported = run(hosts, REPORT, "-vvvv", "--diff", "-e", json.dumps({"report_dir": str(directory)}))

    assert reported.code == 0, reported.output
    assert {host: counts["changed"] for host, counts in reported.recap.items()} == dict.fromkeys(hosts, 0)
    assert state_of(gateways) == state
    report = json.loads((directory / "report.json").read_text())
    page = (directory / "report.html").read_text()
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {
        "report.html": 0o600,
        "report.json": 0o600,
    }
    entries = {host["name"]: host for host in report["hosts"]}
    assert {name: entry["status"] for name, entry in entries.items()} == {
        "healthy": "ok",
        "drifted": "drift",
        "refused": "provider",
        "unreachable": "unreachable",
        "misconfigured": "failed",
        "mistyped": "failed",
    }
    assert entries["unreachable"]["findings"][0]["text"].endswith("port 1: Connection refused")
    assert [found["text"] for found in entries["drifted"]["findings"]] == [
        "The config differs from the inventory. Run the role."
    ]
    assert [found["text"] for found in entries["misconfigured"]["findings"]] == [
        'providers_enabled: unknown provider "moonshoot". Did you mean "moonshot"?'
    ]
    assert [found["text"] for found in entries["mistyped"]["findings"]] == [
        "value of service_manager must be one of: systemd_user, systemd_system, command, got: systemd"
    ]
    statuses = [(provider["name"], provider["status"]) for provider in entries["refused"]["providers"]]
    assert statuses == [(MOONSHOT, "unauthorized"), (KIMICODE, "ok")]
    aged = fingerprint(keys["refused"][MOONSHOT])
    assert [found["text"] for found in entries["refused"]["findings"] if found["status"] == "rotation"] == [
        f"The key {aged} of moonshot is 100 days old, more than the 90 of providers_key_max_age. Create a new one, and "
        "run the playbook clawfleet.clawdbot.rotate."
    ]
    assert [provider["key_age_days"] for provider in entries["refused"]["providers"]] == [100, None]
    works = entries["healthy"]
    assert (works["product"], works["version"], works["answers"]) == ("clawdbot", "2026.1.24-3", True)
    assert (works["restart_required"], works["drift"]) == (False, dict.fromkeys(("config", "env", "unfinished"), False))
    assert works["started"] < report["generated"]
    for provider in works["providers"]:
        key = fingerprint(keys["healthy"][provider["name"]])
        assert [provider[name] for name in ("key", "key_stored", "key_in_process", "key_pending")] == [
            key,
            key,
            key,
            "",
        ]
        assert (provider["key_previous"], provider["key_age_days"]) == ("", 0)
        models = {(model["status"], model["in_gateway"]) for model in provider["models"]}
        # The vendor no longer serves the models of the guide.
        assert models == ({("ok", True), ("optional", None)} if provider["name"] == MOONSHOT else {("ok", True)})
    for entry in report["hosts"]:
        assert entry["name"] in page
    secrets = [key for own in keys.values() for key in own.values()]
    assert [key for key in secrets if key in page + json.dumps(report) + reported.output] == []

    summary = reported.output[reported.output.index("Show the summary") :]
    assert "Need attention: 5 of 6 hosts (1 unreachable, 2 failed, 1 provider error, 1 drift, 1 ok)" in summary
    assert str(directory / "report.html") in summary


def test_check_mode_looks_and_tells_and_writes_nothing(
    gateways: fleet.Fleet, hosts: dict[str, dict[str, Any]], run: Callable[..., Run], tmp_path: Path
) -> None:
    state = state_of(gateways)
    directory = tmp_path / "out"

    drifted = {"healthy": {**hosts["healthy"], "providers_default_model": "moonshot/kimi-k2.6"}}
    reported = run(drifted, REPORT, "--check", "-e", json.dumps({"report_dir": str(directory)}))

    assert reported.code == 0, reported.output
    assert state_of(gateways) == state
    assert not directory.exists()
    assert "Need attention: 1 of 1 hosts (1 drift)" in reported.output
