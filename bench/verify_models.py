# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The time of verify_models, compared with a loop of ansible.builtin.uri over the same endpoints.

Run it with `make bench`, with nothing else on the machine.
The endpoints are mock servers on loopback that answer after 300 ms. Each time is the best of five playbook runs, less
that of a playbook without a task; the runs to compare take turns, so that the machine's other work meets all of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tools.mock_server import MockServer

COUNTS = (1, 8)
SECONDS = 0.3
RUNS = 5
KEY = "sk-benchmark0123456789"
MODEL = "kimi-k3"

MODULE_TASK = {
    "clawfleet.clawdbot.verify_models": {"providers": "{{ endpoints }}"},
}
URI_TASK = {
    "ansible.builtin.uri": {
        "url": "{{ item.base_url }}/models",
        "headers": {"Authorization": "Bearer {{ item.api_key }}"},
        "return_content": True,
    },
    "loop": "{{ endpoints }}",
    "loop_control": {"label": "{{ item.name }}"},
    "register": "answer",
    "failed_when": f"'{MODEL}' not in (answer.json.data | default([]) | map(attribute='id'))",
}


def seconds(playbook: Path) -> float:
    """Return the time of one playbook run, which must succeed."""
    environment = {
        **os.environ,
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
    }
    command = Path(sys.executable).with_name("ansible-playbook")
    began = time.perf_counter()
    done = subprocess.run([str(command), str(playbook)], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return time.perf_counter() - began


def playbook(directory: Path, name: str, tasks: Sequence[object], endpoints: Sequence[object]) -> Path:
    """Write a playbook of these tasks, as JSON, which is YAML too."""
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    path = directory / name
    path.write_text(json.dumps([{**play, "vars": {"endpoints": endpoints}}]))
    return path


def main() -> None:
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        endpoints = []
        for number in range(max(COUNTS)):
            mock_server = stack.enter_context(MockServer())
            mock_server.add_key("moonshot-cn", KEY)
            mock_server.set_fault("moonshot-cn", "delay", seconds=SECONDS)
            endpoints.append(
                {
                    "name": f"endpoint-{number}",
                    "base_url": mock_server.base_url("moonshot-cn"),
                    "api_key": KEY,
                    "models": [MODEL],
                }
            )
        row = "{:>9}  {:>11}  {:>16}  {:>12}\n"
        sys.stdout.write(row.format("endpoints", "uri loop, s", "verify_models, s", "times faster"))
        for count in COUNTS:
            books = [
                playbook(directory, f"{number}.json", tasks, endpoints[:count])
                for number, tasks in enumerate(([], [URI_TASK], [MODULE_TASK]))
            ]
            turns = [[seconds(book) for book in books] for _turn in range(RUNS)]
            empty, loop, module = (min(times) for times in zip(*turns))
            times_faster = (loop - empty) / (module - empty)
            figures = (f"{loop - empty:.2f}", f"{module - empty:.2f}", f"{times_faster:.1f}")
            sys.stdout.write(row.format(count, *figures))


if __name__ == "__main__":
    main()
