# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a JSON5 document takes to edit, from 20 KB to 5 MB, beside reading it with the PyPI library C(json5).

Run it with C(make bench).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import json5
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Change, edit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE

SIZES = (20_000, 80_000, 320_000, 1_250_000, 5_000_000)
LIBRARY_UP_TO = 320_000  # about 20 microseconds a byte: 5 MB would take it minutes

PROVIDER = """\
      // the endpoint of region {number}
      'provider-{number}': {{
        baseUrl: 'https://api-{number}.example.com/v1', apiKey: "${{KEY_{number}}}",
        models: [
          {{ id: 'small', contextWindow: 0x20000, cost: {{ input: .5, output: 2.5e0 }} }},
          {{ id: 'large', contextWindow: 262144, input: ["text", "image"], reasoning: true }}, // and a comment
        ],
      }},
"""


def document(size: int) -> str:
    blocks: list[str] = []
    length = 0
    while length < size:
        blocks.append(PROVIDER.format(number=len(blocks)))
        length += len(blocks[-1])
    return "{\n  models: {\n    providers: {\n" + "".join(blocks) + "    },\n  },\n}\n"


def changes(count: int) -> list[Change]:
    """A change at the start, the middle and the end of a document of so many providers, a removal and a new block."""
    providers = ("models", "providers")
    return [
        Change((*providers, "provider-0", "apiKey"), "${OTHER_KEY}"),
        Change((*providers, f"provider-{count // 2}"), REMOVE),
        Change((*providers, f"provider-{count - 1}", "models"), [{"id": "only"}]),
        Change((*providers, "moonshot"), {"baseUrl": "https://api.moonshot.ai/v1", "models": [{"id": "kimi"}]}),
    ]


def seconds(act: Callable[[], Any]) -> float:
    """The best of three runs, or of one if that takes long."""
    times: list[float] = []
    while not times or (len(times) < 3 and times[0] < 1):
        start = time.perf_counter()
        act()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    row = "{:>10}  {:>10}  {:>12}  {:>14}\n"
    sys.stdout.write(row.format("bytes", "edit, ms", "edit, ns/byte", "json5.loads, ms"))
    for size in SIZES:
        text = document(size)
        wanted = changes(text.count("apiKey"))
        ours = seconds(partial(edit, text, wanted))
        theirs = f"{seconds(partial(json5.loads, text)) * 1e3:.1f}" if size <= LIBRARY_UP_TO else "-"
        sys.stdout.write(row.format(len(text), f"{ours * 1e3:.1f}", f"{ours * 1e9 / len(text):.0f}", theirs))


if __name__ == "__main__":
    main()
