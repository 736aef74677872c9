# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.node_snippets import argv

CASES: dict[str, tuple[str, tuple[str, ...], list[str]]] = {
    "run by Node": (
        "script",
        ("/n/node", "/entry.js"),
        ["/n/node", "--no-opt", "-e", "script", "/entry.js", "config", "get"],
    ),
    "run by Debian's Node": (
        "script",
        ("/n/nodejs", "/entry.js"),
        ["/n/nodejs", "--no-opt", "-e", "script", "/entry.js", "config", "get"],
    ),
    "run by something else": ("script", ("/n/bun", "/entry.js"), ["/n/bun", "/entry.js", "config", "get"]),
    "run by Node with options": (
        "script",
        ("/n/node", "--no-warnings", "/entry.js"),
        ["/n/node", "--no-warnings", "/entry.js", "config", "get"],
    ),
    "run by itself": ("script", ("/usr/bin/node",), ["/usr/bin/node", "config", "get"]),
    "a product without a script": ("", ("/n/node", "/entry.js"), ["/n/node", "/entry.js", "config", "get"]),
}


@pytest.mark.parametrize(("script", "program", "expected"), CASES.values(), ids=CASES)
def test_only_where_node_runs_the_cli_a_script_is_used(
    script: str, program: tuple[str, ...], expected: list[str]
) -> None:
    assert argv(script, program, ["config", "get"]) == expected
