# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demo: three real gateways get Kimi models with keys from a vault, and a model of each provider answers.

The first argument is the product of the gateways; further ones go to ansible-playbook, for example -vvvv.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import types

import yaml

from plugins.module_utils._product.table import PRODUCTS
from tools import fleet, product
from tools.cache import ROOT
from tools.mock_server import MockServer

DIRECTORY = ROOT / "examples" / "demo"
GATEWAYS = ("gateway-1", "gateway-2", "gateway-3")
#: How many seconds the gateways of a product take to start.
STARTS = {"clawdbot": 10, "openclaw": 60}
_CHANGED = re.compile(r"\bchanged=([0-9]+)")


def main() -> None:
    signal.signal(signal.SIGTERM, _end)
    try:
        run(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("\nInterrupted. Everything that was started is gone.")


def run(name: str = "clawdbot", *arguments: str) -> None:
    """Run the demo with gateways of a product. Raises `SystemExit` for an unknown one, and where a step fails."""
    product.install(name)
    say("A mock server for the endpoints of Moonshot and Kimi Code starts on loopback, with the keys of the vault.")
    with MockServer() as mock_server:
        keys = vaulted_keys()
        mock_server.add_key("moonshot-cn", keys["vault_moonshot_api_key"])
        mock_server.add_key("kimicode", keys["vault_kimicode_api_key"])
        title, seconds = PRODUCTS[name].title, STARTS[name]
        say(f"Three real gateways of {title} start, each kept up by supervisor (about {seconds} seconds).")
        with fleet.running(GATEWAYS, dict.fromkeys(GATEWAYS, name)) as gateways:
            environment = {
                **gateways.environment,
                "CLAWFLEET_ENDPOINTS": mock_server.url,
                "CLAWFLEET_PRODUCT": name,
            }
            say("The collection's playbook: first one gateway, then the others (about a minute and a half).")
            play(environment, "clawfleet.clawdbot.rollout", "--diff", *arguments)
            say("An answer from a model of each provider, through the first gateway (about 20 seconds).")
            play(environment, "ask.yml", *arguments)
            say("The same playbook again: nothing changes.")
            changed = play(environment, "clawfleet.clawdbot.rollout", *arguments)
            if any(changed):
                raise SystemExit("The second run changed something.")
            show(gateways, mock_server)
    say("Done. The gateways, the mock server and their directory are removed; make demo runs it again, from the cache.")


def vaulted_keys() -> dict[str, str]:
    """Return the keys from the vault; they stay in memory."""
    command = [program("ansible-vault"), "view", "group_vars/all/vault.yml"]
    shown = subprocess.run(command, cwd=DIRECTORY, stdout=subprocess.PIPE, text=True, check=True)
    keys: dict[str, str] = yaml.safe_load(shown.stdout)
    return keys


def play(environment: dict[str, str], *arguments: str) -> list[int]:
    """Run a playbook, show its output, and return the number of changes on each host."""
    colour = {"ANSIBLE_FORCE_COLOR": "true"} if sys.stdout.isatty() else {}
    command = [program("ansible-playbook"), *arguments]
    print(f"$ ansible-playbook {' '.join(arguments)}", flush=True)
    lines = []
    with subprocess.Popen(
        command,
        cwd=DIRECTORY,
        env={**environment, **colour},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode != 0:
        raise SystemExit(f"ansible-playbook failed with {process.returncode}.")
    recap = lines[max(number for number, line in enumerate(lines) if line.startswith("PLAY RECAP")) :]
    return [int(match.group(1)) for match in map(_CHANGED.search, recap) if match]


def show(gateways: fleet.Fleet, mock_server: MockServer) -> None:
    """Show the references in the files, and the requests to the endpoints."""
    say("The config refers to the keys, which are stored only in .env (mode 0600):")
    for gateway in gateways.gateways:
        references = re.findall(r"\$\{[A-Z_]+\}", gateway.config.read_text(encoding="utf-8"))
        mode = gateway.env.stat().st_mode & 0o777
        print(f"  {gateway.name}: {gateway.config.name} has {', '.join(references)}; .env has mode {mode:04o}")
    say("Requests to the endpoints, by path, key and client:")
    asked: dict[tuple[str, ...], int] = {}
    for request in mock_server.requests():
        line = tuple(str(request[name]) for name in ("method", "path", "key_fingerprint", "user_agent"))
        asked[line] = asked.get(line, 0) + 1
    for line, times in asked.items():
        print(f"  {times:2} x {' '.join(line)}")


def program(name: str) -> str:
    """Return the path of an executable in the virtual environment that runs this."""
    return os.path.join(os.path.dirname(sys.executable), name)


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


def _end(_signal: int, _frame: types.FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
