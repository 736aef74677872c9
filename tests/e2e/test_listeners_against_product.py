# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where real gateways of both products listen, and whether they accept our calls there, whatever their config says."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import listener, sockets
from ansible_collections.clawfleet.clawdbot.plugins.modules import gateway_info

from tests.e2e.harness import MOONSHOT, NO_CHATS, Bench
from tools import fleet
from tools.mock_server import MockServer

# All are started at once, in one process of pytest (tests/conftest.py): most of what a gateway costs is its start.

BIND = 'bind: "loopback"'


@dataclass(frozen=True)
class Case:
    """A gateway whose config and command differ from the usual ones, and where it listens then."""

    product: str
    #: In place of the token and of `gateway.bind` in the config.
    auth: str = 'mode: "token", token: "t-0123456789"'
    bind: str = BIND
    #: What is added to the command, and to `.env`; the port is {port}, and another one {other}.
    arguments: str = "--port {port}"
    env: str = ""
    address: str = "127.0.0.1"
    tls: bool = False
    other_port: bool = False
    #: How the gateway rejects our calls; empty where it accepts them.
    error: str = ""


TLS = "tls: { enabled: true }"
CASES = {
    "lan-tls": Case("clawdbot", bind=f'bind: "lan", {TLS}', tls=True),
    # On a host without Tailscale.
    "tailnet-password": Case("clawdbot", auth='mode: "password", password: "p-0123456789"', bind='bind: "tailnet"'),
    # The gateway takes that of its config.
    "auto-tokens": Case("clawdbot", bind='bind: "auto"', env="CLAWDBOT_GATEWAY_TOKEN=o-0123456789\n"),
    "tools": Case("clawdbot", arguments="", env="CLAWDBOT_GATEWAY_PORT={other}\n", other_port=True),
    "refused": Case(
        "clawdbot",
        auth='mode: "token"',
        arguments="--port {port} --token c-0123456789",
        error="gateway closed (1008): unauthorized: gateway token missing "
        "(set gateway.remote.token to match gateway.auth.token)",
    ),
    "custom-tls": Case(
        "openclaw",
        auth='mode: "trusted-proxy", trustedProxy: { userHeader: "x-user" }',
        bind=f'bind: "custom", customBindHost: "127.0.0.2", trustedProxies: ["127.0.0.3"], {TLS}',
        arguments="",
        env="OPENCLAW_GATEWAY_PORT={other}\nOPENCLAW_GATEWAY_PASSWORD=p-0123456789\n",
        other_port=True,
        tls=True,
    ),
}


def change(gateway: fleet.Gateway, supervisor_config: Path) -> None:
    """Give a gateway the config, the command and the `.env` of its case."""
    case = CASES[gateway.name]
    ports = {"port": gateway.port, "other": other_port(gateway)}
    config = gateway.config.read_text()
    config = config.replace(f'mode: "token", token: "{gateway.name}-token"', case.auth).replace(BIND, case.bind)
    if gateway.name == "tools":
        config = config.replace("browser: { enabled: false }", "browser: { enabled: true }")
    gateway.config.write_text(config)
    gateway.env.write_text(gateway.env.read_text() + case.env.format(**ports))
    command = f"{gateway.programs}/{gateway.product.name} gateway"
    started, wanted = f"{command} --port {gateway.port}\n", f"{command} {case.arguments.format(**ports)}\n"
    supervisor_config.write_text(supervisor_config.read_text().replace(started, wanted))


def other_port(gateway: fleet.Gateway) -> int:
    """Return a port of the gateway's own that its config does not name."""
    return gateway.port + 8


def info(gateway: fleet.Gateway, directory: Path, **changed: Any) -> dict[str, Any]:
    """Return the module's result for a gateway."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(directory / "tmp"))
        given = {"state_dir": str(gateway.state_dir), "service_manager": "command", **changed}
        defaults = {name: option.get("default") for name, option in gateway_info.ARGUMENT_SPEC.items()}
        return gateway_info.run({**defaults, **given}, True)


@pytest.fixture(scope="module")
def gateways() -> Iterator[dict[str, fleet.Gateway]]:
    with fleet.laid_out(tuple(CASES), {name: case.product for name, case in CASES.items()}) as laid_out:
        for gateway in laid_out.gateways:
            change(gateway, laid_out.supervisor_config)
        with fleet.started(laid_out, lambda gateway: bool(info(gateway, laid_out.directory)["answers"])):
            yield {gateway.name: gateway for gateway in laid_out.gateways}


@pytest.fixture(scope="module")
def running(gateways: dict[str, fleet.Gateway]) -> fleet.Fleet:
    directory = next(iter(gateways.values())).home.parent
    return fleet.Fleet(directory, tuple(gateways.values()))


@pytest.mark.parametrize("name", CASES)
def test_a_gateway_is_found_where_it_listens(name: str, running: fleet.Fleet, gateways: Any) -> None:
    case, gateway = CASES[name], gateways[name]
    found = info(gateway, running.directory, check_call=True)
    expected = {
        "address": case.address,
        "port": other_port(gateway) if case.other_port else gateway.port,
        "tls": case.tls,
        "listening": "known",
        "answers": True,
        "process_state_dir": str(gateway.state_dir),
        "process_config_path": str(gateway.config),
        "process_env_path": str(gateway.env),
    }
    assert {field: found[field] for field in expected} == expected
    assert case.error in found["call_error"]
    assert bool(found["call_error"]) is bool(case.error)


def test_the_port_of_clients_is_found_among_those_of_the_tools(running: fleet.Fleet, gateways: Any) -> None:
    gateway = gateways["tools"]
    own = sockets.of_gateway(info(gateway, running.directory)["pid"])
    assert own is not None
    assert {address.port - other_port(gateway) for address in own} == {0, 2, 3}
    # Where nothing says which port is configured, each is asked for a WebSocket.
    found, answers = listener.find_listener(sorted(own, reverse=True), 1, "/")
    assert (found.port, answers) == (other_port(gateway), True)


def test_a_rollout_is_rejected_before_the_first_write_where_our_calls_are_not_accepted(
    running: fleet.Fleet, gateways: Any, tmp_path: Path
) -> None:
    with MockServer() as mock_server:
        bench = Bench(running, gateways["refused"], mock_server, tmp_path)
        files, pids = bench.files(), bench.pids()

        rejected = bench.rollout(providers_enabled=[MOONSHOT])

        assert rejected.code != 0
        assert (
            "The gateway does not accept calls of its own CLI, so no change could be verified: Gateway method health "
            f"failed: {CASES['refused'].error}"
        ) in rejected.one_line
        assert (
            f"Set CLAWDBOT_GATEWAY_TOKEN or CLAWDBOT_GATEWAY_PASSWORD in {bench.gateway.env} to what the gateway "
            "accepts, or set `providers_verify_after` to none."
        ) in rejected.one_line
        assert (bench.files(), bench.pids()) == (files, pids)

        # As it says.
        bench.gateway.env.write_text(f"{bench.gateway.env.read_text()}CLAWDBOT_GATEWAY_TOKEN=c-0123456789\n")
        allowed = bench.rollout(*NO_CHATS, providers_enabled=[MOONSHOT])

        assert allowed.code == 0, allowed.output


def test_a_message_goes_through_a_gateway_with_tls(running: fleet.Fleet, gateways: Any, tmp_path: Path) -> None:
    with MockServer() as mock_server:
        bench = Bench(running, gateways["lan-tls"], mock_server, tmp_path)

        rolled_out = bench.rollout(providers_enabled=[MOONSHOT], providers_verify_after="turn")

        assert rolled_out.code == 0, rolled_out.output
        chats = [request["model"] for request in mock_server.requests() if request["method"] == "POST"]
        assert set(chats) == {"kimi-k3"}
