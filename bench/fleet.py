# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role costs across a fleet, beside three bare pings and beside a playbook that is written by hand.

Run it with `make bench`, with nothing else on the machine. The hosts are simulated: the local connection, a state
directory and a process of its own for each, which answers HTTP and is restarted, and a CLI in the place of Clawdbot
that answers at once. So what is measured is Ansible and the collection, and not Clawdbot. `--hosts 300 30` are the
numbers of hosts that nothing-to-change is measured with; everything-to-change is with the last of them.

`make bench-hosts` does the same with ten real hosts in podman, each with the real gateway, over ssh (`--real`).

In each round every playbook runs once, so that the machine's other work meets all of them; shown are medians.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import yaml
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import Desired
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import apply
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._selection import select
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._validation import Variables

from tools.cache import ROOT
from tools.mock_server import GUIDE_MODELS, Form, MockServer

FOLDER = Path(__file__).parent
ROUNDS = 3
FIRST_PORT = 20000
KEYS = {"moonshot": "sk-benchmark-moonshot-0123", "kimicode": "sk-benchmark-kimicode-0123"}
# Before everything changes, the gateway has other keys and other models.
OLD_KEYS = {"MOONSHOT_API_KEY": "sk-benchmark-old-moonshot", "KIMICODE_API_KEY": "sk-benchmark-old-kimicode"}
ENDPOINTS = {"moonshot": "moonshot-cn", "kimicode": "kimicode"}
FORMS: dict[str, Form] = {"moonshot": "openai", "kimicode": "anthropic"}
DEFAULTS: dict[str, Any] = yaml.safe_load((ROOT / "roles/providers/defaults/main.yml").read_text(encoding="utf-8"))

# On real hosts all playbooks act as the gateway's account. The one that is written by hand has no catalogue of its own.
_ON_REAL_HOSTS = {
    "ansible_become": True,
    "ansible_become_user": "gateway",
    "providers_catalogue": DEFAULTS["providers_catalogue"],
}


class Cost(NamedTuple):
    """What one run of ansible-playbook has taken: seconds, seconds of all its processes, MiB of its largest one."""

    seconds: float
    cpu: float
    memory: float


class Run(NamedTuple):
    """One run of ansible-playbook, and whether it has changed something."""

    cost: Cost
    changed: bool


class Host(NamedTuple):
    """A host; of a real one only its name counts."""

    name: str
    directory: Path
    port: int

    @property
    def state_dir(self) -> Path:
        return self.directory / ".clawdbot"

    @property
    def lock(self) -> Path:
        return self.directory / "tmp" / f"clawdbot-{os.geteuid()}" / "gateway.bench.lock"


class Fleet(Protocol):
    """Hosts, and playbooks that are run on them."""

    def reset(self, hosts: Sequence[Host], *, changed: bool) -> None:
        """Gives the hosts their files as the role leaves them, or those of another day, and a new process."""

    def run(self, playbook: str, hosts: Sequence[Host]) -> Run:
        """Runs a playbook on the hosts, which must succeed."""

    def end(self, hosts: Sequence[Host]) -> None:
        """Ends the hosts' processes."""


class SimulatedFleet:
    """Simulated hosts below a directory, pointed to a mock server for the endpoints."""

    def __init__(self, directory: Path, mock_server: MockServer) -> None:
        self.directory = directory
        self.overrides = {
            name: {"block": {"baseUrl": mock_server.base_url(ENDPOINTS[name], FORMS[name])}} for name in ENDPOINTS
        }
        for name, key in KEYS.items():
            mock_server.add_key(ENDPOINTS[name], key)
        selection = select(
            Variables(
                DEFAULTS["providers_enabled"],
                DEFAULTS["providers_catalogue"],
                self.overrides,
                KEYS,
                DEFAULTS["providers_aliases"],
                "moonshot/kimi-k3",
                None,
                "clawdbot",
                {"moonshot": GUIDE_MODELS},
            )
        )
        self.desired = Desired(
            {name: provider["block"] for name, provider in selection["providers"].items()},
            selection["aliases"],
            "moonshot/kimi-k3",
            None,
        )
        self.env = {provider["env_var"]: provider["api_key"] for provider in selection["providers"].values()}
        listed = [{"key": model, **dict(zip(("provider", "id"), model.split("/", 1)))} for model in selection["models"]]
        self.listing = json.dumps({"models": listed})
        # A package of the product, and Node, as a host has them. The entry script is Python, so Node is Python as well.
        self._node = directory / "bin" / "node22"
        self._entry = directory / "clawdbot" / "dist" / "entry.js"
        for path in (self._node, self._entry):
            path.parent.mkdir(parents=True)
        shutil.copy(os.path.realpath(sys.executable), self._node)
        shutil.copy(FOLDER / "gateway.py", self._entry)
        program = directory / "bin" / "clawdbot"
        program.write_text(f'#!/bin/sh\nexec {self._node} {self._entry} "$@"\n')
        program.chmod(0o700)
        (directory / "clawdbot" / "package.json").write_text(json.dumps({"name": "clawdbot", "version": "2026.1.24-3"}))

    def hosts(self, count: int) -> list[Host]:
        return [
            Host(f"host-{number:03}", self.directory / f"host-{number:03}", FIRST_PORT + number)
            for number in range(count)
        ]

    def reset(self, hosts: Sequence[Host], *, changed: bool) -> None:
        """Gives the hosts their files as the role leaves them, or those of another day, and a new process."""
        for host in hosts:
            shutil.rmtree(host.state_dir, ignore_errors=True)
            host.state_dir.mkdir(parents=True)
            (host.state_dir / "listing.json").write_text(self.listing)
            config = {"gateway": {"mode": "local", "port": host.port, "auth": {"mode": "token", "token": host.name}}}
            (host.state_dir / "clawdbot.json").write_text(json.dumps(config, indent=2) + "\n")
            (host.state_dir / ".env").write_text("".join(f"{name}={key}\n" for name, key in OLD_KEYS.items()))
            (host.state_dir / ".env").chmod(0o600)
            if not changed:
                files = apply.Files(str(host.state_dir / "clawdbot.json"), str(host.state_dir / ".env"))
                apply.apply_providers(files, self.desired, self.env, [], check_mode=False)
                apply.confirm(files, check_mode=False)
            subprocess.run(self._restart_argv(host), check=True)

    def end(self, hosts: Sequence[Host]) -> None:
        for host in hosts:
            subprocess.run([*self._restart_argv(host), "--stop"], check=True)

    def _restart_argv(self, host: Host) -> list[str]:
        of_host = [str(host.port), str(host.lock), str(host.state_dir)]
        return ["/usr/bin/env", f"CLAWDBOT_STATE_DIR={host.state_dir}", str(self._node), str(self._entry), *of_host]

    def inventory(self, hosts: Sequence[Host]) -> Path:
        path = self.directory / f"inventory-{len(hosts)}.yml"
        own = {
            host.name: {
                # Where its gateway keeps its lock.
                "host_environment": {"TMPDIR": str(host.directory / "tmp")},
                "gateway_port": host.port,
                "providers_state_dir": str(host.state_dir),
                "providers_restart_argv": self._restart_argv(host),
            }
            for host in hosts
        }
        common = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "providers_service_manager": "command",
            "providers_default_model": "moonshot/kimi-k3",
            "providers_api_keys": KEYS,
            "providers_overrides": self.overrides,
            "providers_catalogue": DEFAULTS["providers_catalogue"],
        }
        path.write_text(yaml.safe_dump({"all": {"hosts": own, "vars": common}}))
        return path

    def run(self, playbook: str, hosts: Sequence[Host]) -> Run:
        environment = {
            "PATH": os.pathsep.join([str(self.directory / "bin"), os.environ["PATH"]]),
            "ANSIBLE_HOME": str(self.directory / "ansible"),
        }
        return play(FOLDER / "playbooks" / playbook, [self.inventory(hosts)], environment)


class RealFleet:
    """Hosts in podman, made by the playbooks of the scenarios in extensions/molecule."""

    def __init__(self, directory: Path) -> None:
        self._inventories = [ROOT / "extensions/molecule/shared/inventory/hosts.yml", FOLDER / "hosts/inventory.yml"]
        self._environment = {
            "MOLECULE_EPHEMERAL_DIRECTORY": str(directory),
            "MOLECULE_SCENARIO_NAME": "bench",
            "MOLECULE_PROJECT_DIRECTORY": str(ROOT),
            "ANSIBLE_HOME": str(directory / "ansible"),
            # A short path, because a socket's path has to be.
            "ANSIBLE_SSH_CONTROL_PATH_DIR": "/run/clawfleet-ssh",
            "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=600s -o StrictHostKeyChecking=no "
            "-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
        }
        self._play(FOLDER / "hosts/create.yml")

    def reset(self, hosts: Sequence[Host], *, changed: bool) -> None:
        self._play(FOLDER / "hosts/reset.yml", "--extra-vars", json.dumps(_ON_REAL_HOSTS))
        if not changed:
            self.run("role.yml", hosts)

    def run(self, playbook: str, hosts: Sequence[Host]) -> Run:
        limit = ("--limit", ",".join(host.name for host in hosts))
        return self._play(FOLDER / "playbooks" / playbook, "--extra-vars", json.dumps(_ON_REAL_HOSTS), *limit)

    def end(self, hosts: Sequence[Host]) -> None:
        """They end with the benchmark."""

    def _play(self, playbook: Path, *arguments: str) -> Run:
        return play(playbook, self._inventories, self._environment, *arguments)


def play(playbook: Path, inventories: Sequence[Path], environment: dict[str, str], *arguments: str) -> Run:
    """Runs a playbook, which must succeed."""
    program = Path(sys.executable).with_name("ansible-playbook")
    named = [argument for inventory in inventories for argument in ("-i", str(inventory))]
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(program), *named, *arguments, str(playbook)],
            env={**os.environ, "ANSIBLE_PIPELINING": "true", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        output.seek(0)
        said = output.read().decode()
    if status:
        sys.exit(said)
    cost = Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
    return Run(cost, bool(re.search(r" changed=[1-9]", said)))


@contextlib.contextmanager
def simulated_fleet() -> Iterator[SimulatedFleet]:
    with MockServer() as mock_server, tempfile.TemporaryDirectory(prefix="clawfleet-") as directory:
        yield SimulatedFleet(Path(directory), mock_server)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hosts", type=int, nargs="+", default=[300, 30])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--real", action="store_true", help="ten real hosts in place of simulated ones")
    arguments = parser.parse_args()
    # Killed, it cleans up as it does after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(1))
    if arguments.real:
        with tempfile.TemporaryDirectory(prefix="clawfleet-") as directory:
            hosts = [Host(f"host-{number:02}", Path(directory), 0) for number in range(1, 11)]
            real = RealFleet(Path(directory))
            for situation in ("nothing to change", "everything to change"):
                measure(real, hosts, situation, arguments.rounds)
        return
    with simulated_fleet() as simulated:
        for count in arguments.hosts:
            measure(simulated, simulated.hosts(count), "nothing to change", arguments.rounds)
        measure(simulated, simulated.hosts(arguments.hosts[-1]), "everything to change", arguments.rounds)


def measure(fleet: Fleet, hosts: Sequence[Host], situation: str, rounds: int) -> None:
    """Shows what each playbook costs in a situation."""
    changed = situation == "everything to change"
    playbooks = ["ping.yml", "pings.yml", "role.yml", "by_hand.yml"]
    if not changed:
        # What the control node keeps of hosts depends on the strategy.
        playbooks.insert(3, "role_host_pinned.yml")
    costs: dict[str, list[Cost]] = {}
    try:
        fleet.reset(hosts, changed=changed)
        if not changed:
            # It formats the config in another way than the role, which accepts both.
            fleet.run("by_hand.yml", hosts)
        for _round in range(rounds):
            for playbook in playbooks:
                # Pings leave everything as it is.
                if changed and playbook not in ("ping.yml", "pings.yml"):
                    fleet.reset(hosts, changed=True)
                run = fleet.run(playbook, hosts)
                if run.changed and not changed:
                    sys.exit(f"{playbook} has changed something, where there was nothing to change.")
                costs.setdefault(playbook, []).append(run.cost)
    finally:
        fleet.end(hosts)
    show(situation, len(hosts), {playbook: median(found) for playbook, found in costs.items()})


def median(costs: Sequence[Cost]) -> Cost:
    return Cost(*(statistics.median(values) for values in zip(*costs)))


def show(situation: str, count: int, costs: dict[str, Cost]) -> None:
    ping, pings, hand = costs["ping.yml"], costs["pings.yml"], costs["by_hand.yml"]
    row = "{:<20}  {:>8}  {:>8}  {:>11}  {:>9}  {:>9}  {:>9}  {:>7}\n"
    sys.stdout.write(f"\n{count} hosts, {situation}\n")
    sys.stdout.write(row.format("playbook", "s", "CPU s", "CPU ms/host", "x 1 ping", "x 3 pings", "x by hand", "MiB"))
    for playbook, cost in costs.items():
        figures = (f"{cost.seconds:.1f}", f"{cost.cpu:.1f}", f"{1000 * cost.cpu / count:.0f}")
        ratios = (f"{cost.seconds / other.seconds:.2f}" for other in (ping, pings, hand))
        sys.stdout.write(row.format(playbook, *figures, *ratios, f"{cost.memory:.0f}"))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
