# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.env_sources import EnvSources, Source
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.proxies import (
    gateway_proxies,
    proxies_of,
    use_proxies,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.systemd import Unit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

A, B, C = "http://a:3128", "http://b:3128", "http://c:3128"
# The product, the environment variables of its process, and the proxies that it uses.
USED: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "none": ("openclaw", {}, {}),
    "OpenClaw": (
        "openclaw",
        {"HTTP_PROXY": A, "HTTPS_PROXY": B, "NO_PROXY": "10.0.0.5"},
        {"http_proxy": A, "https_proxy": B, "no_proxy": "10.0.0.5"},
    ),
    "HTTPS falls back to HTTP": ("openclaw", {"HTTP_PROXY": A}, {"http_proxy": A, "https_proxy": A}),
    "and both to ALL_PROXY": ("openclaw", {"ALL_PROXY": C}, {"http_proxy": C, "https_proxy": C}),
    "lower case takes precedence": (
        "openclaw",
        {"HTTPS_PROXY": A, "https_proxy": B, "NO_PROXY": "a", "no_proxy": ""},
        {"https_proxy": B},
    ),
    "an empty one in lower case": ("openclaw", {"HTTPS_PROXY": A, "https_proxy": " "}, {}),
    "exceptions as Node writes them": (
        "openclaw",
        {"HTTPS_PROXY": A, "NO_PROXY": "*.a.example .b.example,c.example"},
        {"https_proxy": A, "no_proxy": ".a.example,.b.example,c.example"},
    ),
    "no proxy for anything": (
        "openclaw",
        {"HTTPS_PROXY": A, "NO_PROXY": "*"},
        {"https_proxy": A, "no_proxy": "*"},
    ),
    "Clawdbot": ("clawdbot", {"HTTPS_PROXY": A, "ALL_PROXY": B}, {}),
    "Clawdbot, and its Node is told to": (
        "clawdbot",
        {"HTTPS_PROXY": A, "ALL_PROXY": B, "NODE_USE_ENV_PROXY": "1"},
        {"https_proxy": A},
    ),
}


@pytest.mark.parametrize(("product", "held", "expected"), USED.values(), ids=USED)
def test_used_proxies(product: str, held: dict[str, str], expected: dict[str, str]) -> None:
    assert proxies_of(PRODUCTS[product], held) == expected


def test_they_come_from_the_process_and_its_files() -> None:
    own = Source("/g/.env", {"HTTPS_PROXY": B, "NO_PROXY": "10.0.0.5"}, 1.0)
    process = Process(7, 2.0, {"HTTPS_PROXY": A})
    sources = EnvSources(process, None, [], [own], "/g/.env")

    assert gateway_proxies(PRODUCTS["openclaw"], sources) == {"https_proxy": A, "no_proxy": "10.0.0.5"}


def test_they_come_from_the_unit_where_no_process_runs() -> None:
    sources = EnvSources(None, Unit("u"), [Source("unit", {"HTTPS_PROXY": A})], [Source("/g/.env", {})], "/g/.env")

    assert gateway_proxies(PRODUCTS["openclaw"], sources) == {"https_proxy": A}


@pytest.mark.parametrize("process", [None, Process(7, 2.0, None)], ids=["none runs", "it cannot be read"])
def test_they_are_unknown(process: Process | None, tmp_path: Path) -> None:
    env = str(tmp_path / ".env")
    assert gateway_proxies(PRODUCTS["openclaw"], EnvSources(process, None, [], [Source(env, {})], env)) is None


def test_they_replace_those_of_the_module() -> None:
    environment = {"HTTP_PROXY": A, "no_proxy": "x", "all_proxy": B, "PATH": "/bin"}

    use_proxies(environment, {"https_proxy": C})

    assert environment == {"PATH": "/bin", "https_proxy": C}
