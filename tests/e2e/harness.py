# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role on real gateways: runs playbooks against them and reads what they left behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.fleet import Fleet, Gateway
from tools.mock_server import MockServer

MOONSHOT = "moonshot"
KIMICODE = "kimicode"
# What the mock server calls the endpoint of each provider.
ENDPOINTS = {MOONSHOT: "moonshot-cn", KIMICODE: "kimicode"}
_RECAP = re.compile(r"^(\S+)\s+:\s+(ok=.*)$", re.MULTILINE)
_DIFF = re.compile(r"^--- before: .*?(?=^\S*(?:changed|ok): \[)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Run:
    """What one ansible-playbook has left: its exit code, all that it printed, and the counts of its recap by host."""

    code: int
    output: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        return {
            host: {name: int(count) for name, count in (pair.split("=") for pair in counts.split())}
            for host, counts in _RECAP.findall(self.output)
        }

    @property
    def diffs(self) -> list[str]:
        """The differences that were shown, in order."""
        return [diff.strip() for diff in _DIFF.findall(self.output)]

    @property
    def modules(self) -> list[str]:
        """The modules that were executed on hosts, in order; known only at -vvv."""
        paths = re.findall(r"^Using module file (\S+)\.py$", self.output, re.MULTILINE)
        return [os.path.basename(path) for path in paths]


def new_key(prefix: str = "sk-") -> str:
    """A key as a provider makes them."""
    return prefix + secrets.token_urlsafe(30).replace("_", "x").replace("-", "y")


def files_holding(folder: Path, key: str) -> list[str]:
    """The files below a folder that hold the key, by name."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return sorted(path.name for path in files if key.encode() in path.read_bytes())


def play(inventory: Path, environment: dict[str, str], *arguments: str) -> Run:
    """Runs ansible-playbook on an inventory."""
    program = os.path.join(os.path.dirname(sys.executable), "ansible-playbook")
    done = subprocess.run(
        [program, "-i", str(inventory), *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout)


def gateway_variables(fleet: Fleet, gateway: Gateway) -> dict[str, Any]:
    """The variables that lead the role to a gateway of the fleet."""
    control = ["-m", "supervisor.supervisorctl", "-c", str(fleet.supervisor_config)]
    return {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "providers_state_dir": str(gateway.state_dir),
        "providers_service_manager": "command",
        "providers_restart_argv": ["{{ ansible_playbook_python }}", *control, "restart", gateway.name],
        "providers_default_model": "moonshot/kimi-k2.5",
    }


class Bench:
    """One gateway, the mock server that it is pointed to, and the keys that it shall have."""

    def __init__(self, fleet: Fleet, gateway: Gateway, mock_server: MockServer, folder: Path) -> None:
        self.fleet = fleet
        self.gateway = gateway
        self.mock_server = mock_server
        self._folder = folder
        self.keys = {MOONSHOT: new_key(), KIMICODE: new_key("sk-kimi-")}
        for provider, key in self.keys.items():
            self.admit(provider, key)

    def admit(self, provider: str, key: str) -> None:
        """The endpoint takes the key from now on."""
        self.mock_server.add_key(ENDPOINTS[provider], key)

    def revoke(self, provider: str, key: str) -> None:
        """The endpoint refuses the key from now on."""
        self.mock_server.revoke_key(ENDPOINTS[provider], key)

    def rollout(self, *arguments: str, playbook: str = "clawfleet.clawdbot.rollout", **variables: Any) -> Run:
        """Runs a playbook with the role's variables over those that every gateway here has."""
        inventory = self._folder / "inventory.yml"
        self.write_inventory(inventory, **variables)
        return play(inventory, self.environment, playbook, *arguments)

    def write_inventory(self, path: Path, **variables: Any) -> None:
        """The gateway as the only host, with the role's variables over those that every gateway here has."""
        path.write_text(yaml.safe_dump({"gateways": {"hosts": {self.gateway.name: self._variables(variables)}}}))

    def clawdbot(self, *arguments: str) -> str:
        """What the product's own program prints. Raises CalledProcessError where it fails."""
        return subprocess.run(
            [str(self.gateway.programs / self.gateway.product.name), *arguments],
            cwd=self.gateway.home,
            env=self._own_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def call(self, method: str, *options: str, **params: Any) -> dict[str, Any]:
        """The running gateway's answer to one of its methods."""
        answer = self.clawdbot("gateway", "call", method, "--json", "--params", json.dumps(params), *options)
        result: dict[str, Any] = json.loads(answer)
        return result

    def chat(self, session: str = "agent:main:test") -> dict[str, Any]:
        """Send one message in a session and return the result of its answer."""
        params = {"message": "hi", "agentId": "main", "sessionKey": session, "idempotencyKey": secrets.token_hex(8)}
        answer: dict[str, Any] = self.call("agent", "--expect-final", "--timeout", "180000", **params)["result"]
        return answer

    @contextlib.contextmanager
    def chats(self) -> Iterator[list[str | None]]:
        """Send messages one after the other meanwhile; fill the list with the answers, None for one that must wait."""
        product = self.gateway.programs.parent / "clawdbot"
        token = f"{self.gateway.name}-token"
        answers: list[str | None] = []
        script = str(Path(__file__).with_name("chats.mjs"))
        with subprocess.Popen(
            [str(self.gateway.programs / "node"), script, str(product), str(self.gateway.port), token],
            cwd=self.gateway.home,
            env=self._own_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as sender:
            reader = threading.Thread(target=lambda: answers.extend(json.loads(line) for line in sender.stdout or ()))
            reader.start()
            yield answers
            if sender.stdin:
                sender.stdin.close()
            reader.join()

    def pids(self) -> set[int]:
        """The gateway's process as its own lock names it."""
        places = (self.fleet.directory / "tmp", self.gateway.state_dir / "tmp")
        locks = [
            lock for place in places for lock in place.glob(f"{self.gateway.product.lock_dir_prefix}-*/gateway.*.lock")
        ]
        found = [json.loads(lock.read_text()) for lock in locks]
        return {lock["pid"] for lock in found if lock["configPath"] == str(self.gateway.config)}

    def files(self) -> dict[str, tuple[bytes, int, int]]:
        """Content, mode and time of the last change of each of the gateway's two files."""
        return {
            path.name: (path.read_bytes(), path.stat().st_mode & 0o777, path.stat().st_ctime_ns)
            for path in (self.gateway.config, self.gateway.env)
        }

    def _variables(self, variables: dict[str, Any]) -> dict[str, Any]:
        keys = {name: f"{{{{ lookup('ansible.builtin.env', 'KEY_{name}') }}}}" for name in self.keys}
        base = {
            **gateway_variables(self.fleet, self.gateway),
            # From the environment, so that no file of the test holds a key.
            "providers_api_keys": keys,
            "providers_overrides": {
                name: {"block": {"baseUrl": self.mock_server.base_url(ENDPOINTS[name])}} for name in ENDPOINTS
            },
        }
        return {**base, **variables}

    def _own_environment(self) -> dict[str, str]:
        return {**self.fleet.environment, **self.gateway.environment}

    @property
    def environment(self) -> dict[str, str]:
        """The variables for whatever runs playbooks; the keys are among them."""
        return {**self.fleet.environment, **{f"KEY_{name}": key for name, key in self.keys.items()}}
