# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real Clawdbot gateways on this machine, each kept up by supervisor, for the demo and the tests.

Every gateway has a home, a state folder and a port of its own below one temporary folder. Nothing outlives the fleet.
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
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import product

# A gateway also uses some of the ports that follow its own.
_PORTS_EACH = 16
_STARTUP_SECONDS = 120.0

# A config as a person writes it. The plugins are off, because they are compiled at the first start, which takes a
# minute a gateway.
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
}}
"""
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

    @property
    def state_dir(self) -> Path:
        return self.home / ".clawdbot"

    @property
    def config(self) -> Path:
        return self.state_dir / "clawdbot.json"

    @property
    def env(self) -> Path:
        return self.state_dir / ".env"

    def answers(self) -> bool:
        """Whether it answers HTTP requests."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as answer:
                return int(answer.status) == 200
        except (OSError, urllib.error.URLError):
            return False


@dataclass(frozen=True)
class Fleet:
    """The gateways, and how they are spoken to."""

    folder: Path
    gateways: tuple[Gateway, ...]
    programs: Path

    @property
    def supervisor_config(self) -> Path:
        return self.folder / "supervisord.conf"

    @property
    def environment(self) -> dict[str, str]:
        """The variables for whatever works on the fleet: it finds the project's programs, and writes only here."""
        paths = [str(self.programs), str(Path(sys.executable).parent), os.environ["PATH"]]
        return {
            **os.environ,
            "PATH": os.pathsep.join(paths),
            "TMPDIR": str(self.folder / "tmp"),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(product.CACHE / "collections"),
            "ANSIBLE_PIPELINING": "true",
            "CLAWFLEET_FLEET": str(self.folder),
        }


@contextlib.contextmanager
def running(names: tuple[str, ...]) -> Iterator[Fleet]:
    """The fleet while it runs; at its end its processes and its folder are gone.

    Raises TimeoutError with the gateway's own words where one does not come up.
    """
    programs = product.install()
    # A short path, because a socket's path has to be.
    folder = Path(tempfile.mkdtemp(prefix="clawfleet-"))
    with contextlib.ExitStack() as at_the_end:
        at_the_end.callback(shutil.rmtree, folder, ignore_errors=True)
        ports = at_the_end.enter_context(_ports(len(names)))
        fleet = Fleet(folder, tuple(_lay_out(folder, name, port) for name, port in zip(names, ports)), programs)
        (folder / "tmp").mkdir()
        fleet.supervisor_config.write_text(_supervisor_config(fleet), encoding="utf-8")
        command = [sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "-c", str(fleet.supervisor_config)]
        # In a session of its own: Ctrl-C is for us, and we then end it in good order.
        process = subprocess.Popen(
            command, env=fleet.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )
        try:
            _await_answers(fleet, process)
            yield fleet
        finally:
            process.terminate()
            process.wait()


def _lay_out(folder: Path, name: str, port: int) -> Gateway:
    gateway = Gateway(name, folder / name, port)
    gateway.state_dir.mkdir(parents=True)
    gateway.state_dir.chmod(0o700)
    values = {"name": name, "port": port, "home": gateway.home, "token": f"{name}-token"}
    gateway.config.write_text(CONFIG.format(**values), encoding="utf-8")
    gateway.env.write_text(ENV.format(**values), encoding="utf-8")
    for file in (gateway.config, gateway.env):
        file.chmod(0o600)
    return gateway


@contextlib.contextmanager
def _ports(count: int) -> Iterator[list[int]]:
    """As many ports, each with those behind it free that its gateway uses too, for as long as the context lasts.

    The last of those that belong to a gateway is not used by it: who has that one has them all, so that fleets that are
    started at the same moment do not take the same.
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
    socket_path = fleet.folder / "supervisor.sock"
    sections = [
        f"[unix_http_server]\nfile={socket_path}\nchmod=0600",
        f"[supervisord]\nlogfile={fleet.folder}/supervisord.log\npidfile={fleet.folder}/supervisord.pid",
        "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
        f"[supervisorctl]\nserverurl=unix://{socket_path}",
    ]
    for gateway in fleet.gateways:
        environment = {"HOME": gateway.home, "CLAWDBOT_STATE_DIR": gateway.state_dir}
        pairs = ",".join(f'{name}="{value}"' for name, value in environment.items())
        sections.append(
            f"[program:{gateway.name}]\n"
            f"command={fleet.programs}/clawdbot gateway --port {gateway.port}\n"
            f"directory={gateway.home}\n"
            f"environment={pairs}\n"
            f"stdout_logfile={gateway.home}/stdout.log\nredirect_stderr=true\n"
            # The program is a launcher and the gateway its child: both end together.
            "stopasgroup=true\nkillasgroup=true\nautorestart=true\nstartsecs=0"
        )
    return "\n\n".join(sections) + "\n"


def _await_answers(fleet: Fleet, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _STARTUP_SECONDS
    waiting = list(fleet.gateways)
    while waiting:
        waiting = [gateway for gateway in waiting if not gateway.answers()]
        if process.poll() is not None:
            raise RuntimeError("supervisor ended: " + (fleet.folder / "supervisord.log").read_text(encoding="utf-8"))
        if waiting and time.monotonic() > deadline:
            logs = [(gateway.home / "stdout.log").read_text(encoding="utf-8")[-2000:] for gateway in waiting]
            raise TimeoutError(
                "No answer from " + ", ".join(gateway.name for gateway in waiting) + "\n" + "\n".join(logs)
            )
        time.sleep(0.25)
