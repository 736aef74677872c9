# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.port import find_port
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

CLAWDBOT = PRODUCTS["clawdbot"]

# The variable of the process, the config, and the port.
PORTS: dict[str, tuple[str | None, str | None, int]] = {
    "neither": (None, None, 18789),
    "config": (None, "{gateway: {port: 19001}}", 19001),
    "config, as a decimal": (None, "{gateway: {port: 19001.0}}", 19001),
    "process before config": ("19002", "{gateway: {port: 19001}}", 19002),
    "process, white space": (" 19002\n", None, 19002),
    "process: empty": ("", "{gateway: {port: 19001}}", 19001),
    "process: zero": ("0", "{gateway: {port: 19001}}", 19001),
    "process: too large": ("65536", "{gateway: {port: 19001}}", 19001),
    "process: very long": ("1" * 10_000, None, 18789),
    "process: other digits": ("²", None, 18789),
    "config: a string": (None, '{gateway: {port: "19001"}}', 18789),
    "config: true": (None, "{gateway: {port: true}}", 18789),
    "config: a fraction": (None, "{gateway: {port: 1.5}}", 18789),
    "config: not a number": (None, "{gateway: {port: NaN}}", 18789),
    "config: too large": (None, "{gateway: {port: 65536}}", 18789),
    "config: a list": (None, "{gateway: [19001]}", 18789),
    "config: a reference": (None, '{gateway: {port: "${PORT}"}}', 18789),
}


@pytest.mark.parametrize("name", PORTS)
def test_find_port(name: str) -> None:
    variable, config, port = PORTS[name]
    environment = {} if variable is None else {"CLAWDBOT_GATEWAY_PORT": variable}
    value = json5_reader.loads(config or "{}")
    assert find_port(CLAWDBOT, value, Process(1, 1.0, environment), []) == port


# The arguments of the unit, and the port, where the process has 19002 and the config 19001.
ARGUMENTS: dict[str, tuple[list[str], int]] = {
    "none": ([], 19002),
    "a word of its own": (["run", "--port", "19003"], 19003),
    "in one word": (["--port=19003", "--verbose"], 19003),
    "twice": (["--port", "19004", "--port=19003"], 19003),
    "cut short": (["--port"], 19002),
    "no number": (["--port", "--verbose"], 19002),
    "another option": (["--remote-port", "19003"], 19002),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_find_port_with_arguments_of_the_unit(name: str) -> None:
    arguments, port = ARGUMENTS[name]
    process = Process(1, 1.0, {"CLAWDBOT_GATEWAY_PORT": "19002"})
    assert find_port(CLAWDBOT, {"gateway": {"port": 19001}}, process, arguments) == port


@pytest.mark.parametrize("process", [None, Process(1, 1.0, None)])
def test_find_port_without_a_process_or_its_environment(process: Process | None) -> None:
    assert find_port(CLAWDBOT, {"gateway": {"port": 19001}}, process, []) == 19001
