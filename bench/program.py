# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What it costs to check a config and to list a gateway's models, by Clawdbot's program and by scripts in its place.

Run it with C(make bench). Shown are medians; the rounds take turns, so that the machine's other work meets both.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import node_snippets
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import LIST_MODELS_METHOD, PRODUCTS

from tools import fleet

ROUNDS = 5
CLAWDBOT = PRODUCTS["clawdbot"]
LIST = ("gateway", "call", LIST_MODELS_METHOD, "--json", "--params", "{}", "--timeout", "30000")
LISTING = json.dumps({"method": LIST_MODELS_METHOD, "params": {}, "timeoutMs": 30000}) + "\n"


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


def main() -> None:
    with fleet.running(("gateway",)) as running:
        (gateway,) = running.gateways
        environment = {**os.environ, **gateway.environment}
        program = (str(gateway.programs / "node"), os.path.realpath(gateway.programs / "clawdbot"))
        row = "{:<22}  {:>12}  {:>12}  {:>12}  {:>12}  {:>8}\n"
        sys.stdout.write(row.format("", "program, s", "CPU s", "script, s", "CPU s", "x CPU"))
        check = node_snippets.argv(CLAWDBOT.check_script, program, CLAWDBOT.check_args)
        call = node_snippets.script_argv(CLAWDBOT.call_script, program)
        for what, arguments, by_script, said in (
            ("check a config", CLAWDBOT.check_args, check, ""),
            ("list the models", LIST, call, LISTING),
        ):
            ways = (([*program, *arguments], ""), (by_script, said))
            found = [[cost(*way, environment) for way in ways] for _round in range(ROUNDS)]
            whole, little = ([statistics.median(values) for values in zip(*costs)] for costs in zip(*found))
            ratio = whole[1] / little[1]
            sys.stdout.write(row.format(what, *(f"{value:.2f}" for value in (*whole, *little, ratio))))


if __name__ == "__main__":
    main()
