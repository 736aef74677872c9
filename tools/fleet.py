# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real gateways of either product on this machine, each kept up by supervisor, for the demo and the tests.

Every gateway has a home, a state directory and a port of its own below one temporary directory, which is removed at the
end.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from plugins.module_utils._product.table import PRODUCTS, Product
from tools import product
from tools.cache import CACHE

# A gateway also uses some of the ports that follow its own.
_PORTS_EACH = 16
_STARTUP_SECONDS = 300.0

# A config as a person writes it. The plugins are off: Clawdbot compiles them at its first start, which takes a minute
# for each gateway, and OpenClaw asks npm for them at each start.
CONFIG = """\
// The gateway {name}, written by hand.
{{
  gateway: {{
    mode: "local",
    port: {port},
    bind: "loopback",
    auth: {{ mode: "token", token: "{token}" }}, // only this machine has it
  }},
  plugins: {{ enabled: false }},
  browser: {{ enabled: false }},
  logging: {{ file: "{home}/gateway.log" }},
  agents: {{ defaults: {{ workspace: "{home}/workspace" }} }},
{more}}}
"""
#: Product -> what its config needs besides, so that a gateway sends no request to another machine.
OFFLINE = {
    "clawdbot": "",
    "openclaw": """\
  update: { checkOnStart: false },
  models: { catalogRefresh: { enabled: false } },
""",
}
ENV = """\
# The gateway's own.
TELEGRAM_BOT_TOKEN="{token}-bot"
"""


@dataclass(frozen=True)
class Gateway:
    """One gateway of the fleet."""

    name: str
    home: Path
    port: int
    product: Product
    #: The directory with the product's CLI and its Node.
    programs: Path

    @property
    def state_dir(self) -> Path:
        return self.home / self.product.state_dir.removeprefix("~/")

    @property
    def config(self) -> Path:
        return self.state_dir / self.product.config_names[0]

    @property
    def env(self) -> Path:
        return self.state_dir / ".env"

    @property
    def starts_alone(self) -> bool:
        """Whether no other gateway may start at the same time."""
        return self.product.name == "openclaw"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which the product's CLI runs this gateway, or finds it."""
        return {
            "HOME": str(self.home),
            self.product.state_dir_variable: str(self.state_dir),
            "PATH": os.pathsep.join([str(self.programs), os.environ["PATH"]]),
        }

    def answers(self) -> bool:
        """Return whether it answers HTTP requests."""
        try:
            url = f"http://127.0.0.1:{self.port}{self.product.health_path}"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return int(answer.status) == 200
        except (OSError, urllib.error.URLError):
            return False


@dataclass(frozen=True)
class Fleet:
    """The gateways, and how to reach them."""

    directory: Path
    gateways: tuple[Gateway, ...]

    @property
    def programs(self) -> Path:
        """The directory with the CLI of the first gateway's product."""
        return self.gateways[0].programs

    @property
    def supervisor_config(self) -> Path:
        return self.directory / "supervisord.conf"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of commands on the fleet: they find the project's executables and write only here."""
        programs = dict.fromkeys(str(gateway.programs) for gateway in self.gateways)
        paths = [*programs, str(Path(sys.executable).parent), os.environ["PATH"]]
        return {
            **os.environ,
            "PATH": os.pathsep.join(paths),
            "TMPDIR": str(self.directory / "tmp"),
            "ANSIBLE_HOME": str(self.directory / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(CACHE / "collections"),
            "ANSIBLE_PIPELINING": "true",
            "CLAWFLEET_FLEET": str(self.directory),
        }


@contextlib.contextmanager
def running(names: tuple[str, ...], products: Mapping[str, str] | None = None) -> Iterator[Fleet]:
    """Run a fleet for as long as the context lasts; then its processes and its directory are removed.

    `products` has the product of each gateway that is not Clawdbot.
    Raises `TimeoutError` with the gateway's log where a gateway does not start.
    """
    with laid_out(names, products) as fleet, started(fleet):
        yield fleet


@contextlib.contextmanager
def laid_out(names: tuple[str, ...], products: Mapping[str, str] | None = None) -> Iterator[Fleet]:
    """Write the files of a fleet, which `started` runs; its directory is removed at the end."""
    chosen = {name: (products or {}).get(name, "clawdbot") for name in names}
    programs = {name: product.install(name) for name in dict.fromkeys(chosen.values())}
    # The path of a socket must be short.
    directory = Path(tempfile.mkdtemp(prefix="clawfleet-"))
    with contextlib.ExitStack() as at_the_end:
        at_the_end.callback(shutil.rmtree, directory, ignore_errors=True)
        ports = zip(chosen.items(), at_the_end.enter_context(_ports(len(names))))
        gateways = [
            Gateway(name, directory / name, port, PRODUCTS[kind], programs[kind]) for (name, kind), port in ports
        ]
        for gateway in gateways:
            _lay_out(gateway)
        fleet = Fleet(directory, tuple(gateways))
        (directory / "tmp").mkdir()
        # Where both products cache what Node has compiled: the next fleet starts in half the time.
        (CACHE / "compiled").mkdir(exist_ok=True)
        (directory / "tmp" / "node-compile-cache").symlink_to(CACHE / "compiled")
        fleet.supervisor_config.write_text(_supervisor_config(fleet), encoding="utf-8")
        yield fleet


@contextlib.contextmanager
def started(fleet: Fleet, answers: Callable[[Gateway], bool] = Gateway.answers) -> Iterator[None]:
    """Run the gateways of a fleet for as long as the context lasts. Raises `TimeoutError` as `running` does.

    Those of OpenClaw start one after the other: their starts take so much CPU that several at once time out.
    `answers`: whether a gateway does, for those whose config is not the usual one.
    """
    command = [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", str(fleet.supervisor_config)]
    # In a session of its own: Ctrl-C reaches this process, which then ends the fleet in order.
    process = subprocess.Popen(
        command, env=fleet.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        for gateway in fleet.gateways:
            if gateway.starts_alone:
                _start(fleet, gateway, process)
                _await_answers(fleet, [gateway], process, answers)
        _await_answers(fleet, fleet.gateways, process, answers)
        yield
    finally:
        process.terminate()
        process.wait()


def _start(fleet: Fleet, gateway: Gateway, process: subprocess.Popen[bytes]) -> None:
    control = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(fleet.supervisor_config)]
    while process.poll() is None:
        started = subprocess.run([*control, "start", gateway.name], capture_output=True, check=False)
        if started.returncode == 0:
            return
        # supervisor itself has just been started.
        time.sleep(0.25)


def _lay_out(gateway: Gateway) -> None:
    gateway.state_dir.mkdir(parents=True)
    gateway.state_dir.chmod(0o700)
    values = {
        "name": gateway.name,
        "port": gateway.port,
        "home": gateway.home,
        "token": f"{gateway.name}-token",
        "more": OFFLINE[gateway.product.name],
    }
    gateway.config.write_text(CONFIG.format(**values), encoding="utf-8")
    gateway.env.write_text(ENV.format(**values), encoding="utf-8")
    for file in (gateway.config, gateway.env):
        file.chmod(0o600)


@contextlib.contextmanager
def _ports(count: int) -> Iterator[list[int]]:
    """Yield free ports, each followed by those that its gateway uses too, for as long as the context lasts.

    The last port of each gateway is held here as a lock on all of its ports, so that fleets that start at the same
    moment get different ones.
    """
    found: list[int] = []
    with contextlib.ExitStack() as held:
        for first in range(28789, 60000, _PORTS_EACH):
            with contextlib.ExitStack() as probes:
                try:
                    for port in range(first, first + 5):
                        _bind(probes, port)
                    _bind(held, first + _PORTS_EACH - 1)
                except OSError:
                    continue
            found.append(first)
            if len(found) == count:
                yield found
                return
    raise RuntimeError("There are not enough free ports on this machine.")


def _bind(stack: contextlib.ExitStack, port: int) -> None:
    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))


def _supervisor_config(fleet: Fleet) -> str:
    socket_path = fleet.directory / "supervisor.sock"
    sections = [
        f"[unix_http_server]\nfile={socket_path}\nchmod=0600",
        f"[supervisord]\nlogfile={fleet.directory}/supervisord.log\npidfile={fleet.directory}/supervisord.pid",
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
        f"[supervisorctl]\nserverurl=unix://{socket_path}",
    ]
    for gateway in fleet.gateways:
        pairs = ",".join(f'{name}="{value}"' for name, value in gateway.environment.items())
        sections.append(
            f"[program:{gateway.name}]\n"
            f"command={gateway.programs}/{gateway.product.name} gateway --port {gateway.port}\n"
            f"directory={gateway.home}\n"
            f"environment={pairs}\n"
            f"stdout_logfile={gateway.home}/stdout.log\nredirect_stderr=true\n"
            # Clawdbot's CLI is a launcher and the gateway its child: both end together.
            "stopasgroup=true\nkillasgroup=true\nautorestart=true\nstartsecs=0\n"
            f"autostart={str(not gateway.starts_alone).lower()}"
        )
    return "\n\n".join(sections) + "\n"


def _await_answers(
    fleet: Fleet, gateways: Sequence[Gateway], process: subprocess.Popen[bytes], answers: Callable[[Gateway], bool]
) -> None:
    deadline = time.monotonic() + _STARTUP_SECONDS
    waiting = list(gateways)
    while waiting:
        waiting = [gateway for gateway in waiting if not answers(gateway)]
        if process.poll() is not None:
            raise RuntimeError("supervisor ended: " + (fleet.directory / "supervisord.log").read_text(encoding="utf-8"))
        if waiting and time.monotonic() > deadline:
            logs = [(gateway.home / "stdout.log").read_text(encoding="utf-8")[-2000:] for gateway in waiting]
            raise TimeoutError(
                "No answer from " + ", ".join(gateway.name for gateway in waiting) + "\n" + "\n".join(logs)
            )
        time.sleep(0.25)
