# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it costs to check a config and to list a gateway's models, by a product's program and by scripts in its place.

Run it with C(make bench). Shown are medians; the rounds take turns, so that the machine's other work meets both.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import node_snippets
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import LIST_MODELS_METHOD

from tools import fleet

ROUNDS = 5
PRODUCTS_BY_GATEWAY = {"clawdbot": "clawdbot", "openclaw": "openclaw"}
LIST = ("gateway", "call", LIST_MODELS_METHOD, "--json", "--params", "{}", "--timeout", "30000")


def cost(argv: Sequence[str], said: str, environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds, and seconds of CPU of all its processes; `said` is its input, which fits into a pipe."""
    began = time.perf_counter()
    reading, writing = os.pipe()
    os.write(writing, said.encode())
    os.close(writing)
    process = subprocess.Popen(argv, env=environment, stdin=reading, stdout=subprocess.DEVNULL)
    os.close(reading)
    _pid, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{argv} failed.")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime


def ways(gateway: fleet.Gateway) -> Iterator[tuple[str, list[tuple[list[str], str]]]]:
    """Yield what is done, and each way to do it: its argv and its input."""
    product = gateway.product
    program = [str(gateway.programs / "node"), os.path.realpath(gateway.programs / product.name)]
    if product.check_script:
        check = node_snippets.argv(product.check_script, program, product.check_args)
        yield "check a config", [([*program, *product.check_args], ""), (check, "")]
    call = node_snippets.script_argv(product.call_script, program)
    asked = {"method": LIST_MODELS_METHOD, "params": {}, "timeoutMs": 30000, "port": gateway.port}
    listing = [*program, *LIST, *([] if product.calls_url else ["--port", str(gateway.port)])]
    yield "list the models", [(listing, ""), (call, json.dumps(asked) + "\n")]


def main() -> None:
    row = "{:<9} {:<16}  {:>12}  {:>12}  {:>12}  {:>12}  {:>8}\n"
    sys.stdout.write(row.format("", "", "program, s", "CPU s", "script, s", "CPU s", "x CPU"))
    with fleet.running(tuple(PRODUCTS_BY_GATEWAY), PRODUCTS_BY_GATEWAY) as running:
        for gateway in running.gateways:
            environment = {**os.environ, **gateway.environment}
            for what, both in ways(gateway):
                found = [[cost(*way, environment) for way in both] for _round in range(ROUNDS)]
                whole, little = ([statistics.median(values) for values in zip(*costs)] for costs in zip(*found))
                numbers = (f"{value:.2f}" for value in (*whole, *little, whole[1] / little[1]))
                sys.stdout.write(row.format(gateway.product.title, what, *numbers))


if __name__ == "__main__":
    main()
