# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run playbooks against real gateways and read what they leave behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.cache import ROOT
from tools.fleet import Fleet, Gateway, laid_out, started
from tools.mock_server import GUIDE_MODELS, Form, MockServer

MOONSHOT = "moonshot"
KIMICODE = "kimicode"
# The mock server's name for the endpoint of each provider.
ENDPOINTS = {MOONSHOT: "moonshot-cn", KIMICODE: "kimicode"}
# The forms in which they are asked.
FORMS: dict[str, Form] = {MOONSHOT: "openai", KIMICODE: "anthropic"}
# The canary is verified like the others, without chat messages: where a test sends its own or is about something else.
NO_CHATS = ("--extra-vars", "providers_verify_after=gateway")
_RECAP = re.compile(r"^(\S+)\s+:\s+(ok=.*)$", re.MULTILINE)
_DIFF = re.compile(r"^--- before: .*?(?=^\S*(?:changed|ok): \[)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Run:
    """The result of one ansible-playbook: its exit code, its output, and the counts of its recap by host."""

    code: int
    output: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        return {
            host: {name: int(count) for name, count in (pair.split("=") for pair in counts.split())}
            for host, counts in _RECAP.findall(self.output)
        }

    @property
    def one_line(self) -> str:
        """The whole output on one line, with one blank for each run of white space: messages are wrapped anywhere."""
        return " ".join(self.output.split())

    @property
    def diffs(self) -> list[str]:
        """The differences that it showed, in order."""
        return [diff.strip() for diff in _DIFF.findall(self.output)]

    @property
    def modules(self) -> list[str]:
        """The modules that it ran on hosts, in order; known only at -vvv."""
        paths = re.findall(r"^Using module file (\S+)\.py$", self.output, re.MULTILINE)
        return [os.path.basename(path) for path in paths]


def new_key(prefix: str = "sk-") -> str:
    """Return a new key in the form that a provider issues."""
    return prefix + secrets.token_urlsafe(30).replace("_", "x").replace("-", "y")


def files_holding(directory: Path, *keys: str) -> list[str]:
    """Return the names of the files below a directory that contain one of the keys, sorted."""
    paths = (Path(parent) / name for parent, _directories, names in os.walk(directory) for name in names)
    return sorted(path.name for path in paths if _contains(path, keys))


def _contains(path: Path, keys: tuple[str, ...]) -> bool:
    # A running gateway creates and removes temporary files all the time: a file that is gone by now contains nothing.
    with contextlib.suppress(FileNotFoundError):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            return any(key.encode() in content for key in keys)
    return False


def play(inventory: Path, environment: dict[str, str], *arguments: str) -> Run:
    """Run ansible-playbook on an inventory."""
    executable = os.path.join(os.path.dirname(sys.executable), "ansible-playbook")
    done = subprocess.run(
        [executable, "-i", str(inventory), *arguments],
        env={**environment, "ANSIBLE_CONFIG": str(Path(__file__).with_name("ansible.cfg"))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout)


def gateway_variables(fleet: Fleet, gateway: Gateway) -> dict[str, Any]:
    """Return the variables with which the role finds a gateway of the fleet."""
    control = ["-m", "supervisor.supervisorctl", "-c", str(fleet.supervisor_config)]
    return {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "providers_state_dir": str(gateway.state_dir),
        "providers_service_manager": "command",
        "providers_restart_argv": ["{{ ansible_playbook_python }}", *control, "restart", gateway.name],
        "providers_default_model": "moonshot/kimi-k3",
    }


def write_providers(
    gateway: Gateway,
    keys: Mapping[str, str],
    variables: Mapping[str, Any],
    # The mock server does not list the retired models for a key, unless it is told to.
    unlisted: Sequence[str] = GUIDE_MODELS,
) -> None:
    """Give a gateway the files that a rollout with these variables leaves: for tests of what comes after one.

    It is meant for a gateway that does not run yet, and spares a test a rollout and a restart.
    `unlisted`: the optional models of Moonshot that its endpoint does not list.
    """
    # Not above: the import of a collection by a conftest.py keeps Ansible from loading it in other tests.
    from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import Desired
    from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import apply
    from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._selection import select
    from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._validation import Variables

    defaults = yaml.safe_load((ROOT / "roles/providers/defaults/main.yml").read_text())
    given = {**defaults, **variables, "providers_api_keys": keys}
    names = ("enabled", "catalogue", "overrides", "api_keys", "aliases", "default_model", "fallback_models")
    values = [given[f"providers_{name}"] for name in names]
    selection = select(Variables(*values, gateway.product.name, {MOONSHOT: unlisted}))
    assert selection["problems"] == []
    desired = Desired(
        {name: provider["block"] for name, provider in selection["providers"].items()},
        selection["aliases"],
        given["providers_default_model"],
        given["providers_fallback_models"],
    )
    env = {provider["env_var"]: provider["api_key"] for provider in selection["providers"].values()}
    files = apply.Files(str(gateway.config), str(gateway.env))
    apply.apply_providers(files, desired, env, [], check_mode=False)
    apply.confirm(files, check_mode=False)


@contextlib.contextmanager
def bench_with_providers(
    mock_server: MockServer,
    directory: Path,
    product: str = "clawdbot",
    unlisted: Sequence[str] = GUIDE_MODELS,
    **variables: Any,
) -> Iterator[Bench]:
    """Run a gateway that has had its providers since its start, as a rollout with these variables leaves them."""
    with laid_out(("gateway",), {"gateway": product}) as fleet:
        bench = Bench(fleet, fleet.gateways[0], mock_server, directory)
        write_providers(bench.gateway, bench.keys, bench.variables(**variables), unlisted)
        with started(fleet):
            yield bench


def wait_for_answer(gateway: Gateway) -> None:
    """Wait until the gateway answers HTTP requests. Raises `TimeoutError` where it does not for minutes."""
    deadline = time.monotonic() + 300
    while not gateway.answers():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{gateway.name} does not answer.")
        time.sleep(0.25)


class Bench:
    """One gateway, the mock server in place of its providers, and the keys that it should get."""

    def __init__(self, fleet: Fleet, gateway: Gateway, mock_server: MockServer, directory: Path) -> None:
        self.fleet = fleet
        self.gateway = gateway
        self.mock_server = mock_server
        self._directory = directory
        self.keys = {MOONSHOT: new_key(), KIMICODE: new_key("sk-kimi-")}
        for provider, key in self.keys.items():
            self.admit(provider, key)

    def admit(self, provider: str, key: str) -> None:
        """Make the endpoint accept the key from now on."""
        self.mock_server.add_key(ENDPOINTS[provider], key)

    def revoke(self, provider: str, key: str) -> None:
        """Make the endpoint reject the key from now on."""
        self.mock_server.revoke_key(ENDPOINTS[provider], key)

    def rollout(self, *arguments: str, playbook: str = "clawfleet.clawdbot.rollout", **variables: Any) -> Run:
        """Run a playbook with these variables in addition to those that every gateway here has."""
        inventory = self._directory / "inventory.yml"
        self.write_inventory(inventory, **variables)
        return play(inventory, self.environment, playbook, *arguments)

    def write_inventory(self, path: Path, **variables: Any) -> None:
        """Write an inventory with the gateway as its only host, with these variables in addition to the usual ones."""
        path.write_text(yaml.safe_dump({"gateways": {"hosts": {self.gateway.name: self.variables(**variables)}}}))

    def cli(self, *arguments: str) -> str:
        """Run the product's own CLI and return what it prints. Raises `CalledProcessError` where it fails."""
        return self._run([str(self.gateway.programs / self.gateway.product.name), *arguments])

    def supervisor(self, *command: str) -> None:
        """Run a command of supervisor, which keeps the gateway running."""
        config = str(self.fleet.supervisor_config)
        subprocess.run([sys.executable, "-m", "supervisor.supervisorctl", "-c", config, *command], check=True)

    def _script(self, name: str) -> list[str]:
        """Return the command that runs a script of this directory with Clawdbot's package, the port and the token."""
        product = self.gateway.programs.parent / "clawdbot"
        script = Path(__file__).with_name(name)
        token = f"{self.gateway.name}-token"
        return [str(self.gateway.programs / "node"), str(script), str(product), str(self.gateway.port), token]

    def _run(self, argv: list[str]) -> str:
        return subprocess.run(
            argv,
            cwd=self.gateway.home,
            env=self._own_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def call(self, method: str, *, final: bool = False, **params: Any) -> dict[str, Any]:
        """Return the running gateway's answer to one of its methods: the first one, or the final one."""
        if self.gateway.product.name == "clawdbot":
            answer = self._run([*self._script("call_gateway.mjs"), method, json.dumps(params), json.dumps(final)])
        else:
            options = ["--expect-final", "--timeout", "180000"] if final else []
            answer = self.cli("gateway", "call", method, "--json", "--params", json.dumps(params), *options)
        result: dict[str, Any] = json.loads(answer)
        return result

    def chat(self, session: str = "agent:main:test", message: str = "hi") -> dict[str, Any]:
        """Send one chat message in a session and return its result."""
        params = {"message": message, "agentId": "main", "sessionKey": session, "idempotencyKey": secrets.token_hex(8)}
        answer: dict[str, Any] = self.call("agent", final=True, **params)["result"]
        return answer

    @contextlib.contextmanager
    def chats(self) -> Iterator[list[str | None]]:
        """Send chat messages, one after the other, for as long as the context lasts.

        Afterwards the list contains the answer to each, or `None` for one that the gateway could not take yet.
        """
        answers: list[str | None] = []
        with subprocess.Popen(
            self._script("chats.mjs"),
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

    @property
    def auth_profiles(self) -> Path:
        """The file with the auth profiles of the agent main."""
        return self.gateway.state_dir / "agents" / "main" / "agent" / "auth-profiles.json"

    def write_auth_profile(self, key: str) -> None:
        """Write an auth profile for Moonshot as the product's own wizard writes it."""
        profile = {"type": "api_key", "provider": MOONSHOT, "key": key}
        store = {"version": 1, "profiles": {"moonshot:default": profile}, "order": {MOONSHOT: ["moonshot:default"]}}
        self.auth_profiles.write_text(json.dumps(store))
        self.auth_profiles.chmod(0o600)

    def scatter_keys(self) -> tuple[Path, Path]:
        """Put keys where none should be, and open the state directory and a backup to other accounts.

        Returns a copy of the .env and a note of somebody's, each with the current key of Moonshot.
        """
        # Clawdbot's own command writes the key into the config and its backup.
        self.cli("models", "set", "moonshot/kimi-k3")
        self.write_auth_profile(new_key())
        (self.gateway.state_dir / "clawdbot.json.bak").chmod(0o644)
        self.gateway.state_dir.chmod(0o755)
        copy, notes = self.gateway.state_dir / ".env~", self.gateway.state_dir / "notes.txt"
        copy.write_text(f"MOONSHOT_API_KEY={self.keys[MOONSHOT]}\nOTHER=x\n")
        notes.write_text(f"the key is {self.keys[MOONSHOT]}")
        return copy, notes

    def pids(self) -> set[int]:
        """Return the process of the gateway as its own lock file names it."""
        directories = (self.fleet.directory / "tmp", self.gateway.state_dir / "tmp")
        locks = [
            lock
            for directory in directories
            for lock in directory.glob(f"{self.gateway.product.lock_dir_prefix}-*/gateway.*.lock")
        ]
        found = [json.loads(lock.read_text()) for lock in locks]
        return {lock["pid"] for lock in found if lock["configPath"] == str(self.gateway.config)}

    def files(self) -> dict[str, tuple[bytes, int, int]]:
        """Return content, mode and time of the last change of each of the gateway's two files."""
        return {
            path.name: (path.read_bytes(), path.stat().st_mode & 0o777, path.stat().st_ctime_ns)
            for path in (self.gateway.config, self.gateway.env)
        }

    def variables(self, **more: Any) -> dict[str, Any]:
        """Return the variables of the gateway in an inventory, with these in addition to the usual ones."""
        keys = {name: f"{{{{ lookup('ansible.builtin.env', 'KEY_{name}') }}}}" for name in self.keys}
        base = {
            **gateway_variables(self.fleet, self.gateway),
            # From the environment, so that no file of the test holds a key.
            "providers_api_keys": keys,
            "providers_overrides": {
                name: {"block": {"baseUrl": self.mock_server.base_url(ENDPOINTS[name], FORMS[name])}}
                for name in ENDPOINTS
            },
        }
        return {**base, **more}

    def _own_environment(self) -> dict[str, str]:
        return {**self.fleet.environment, **self.gateway.environment}

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables for whatever runs playbooks, with the keys among them."""
        return {**self.fleet.environment, **{f"KEY_{name}": key for name, key in self.keys.items()}}
