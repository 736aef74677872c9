# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real gateways whose models are behind LiteLLM's proxy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import MOONSHOT, Bench
from tests.litellm.conftest import Proxy
from tools import fleet

#: Product -> a harmless tool that it offers its agent.
TOOLS = {"clawdbot": "session_status", "openclaw": "tool_search"}


@pytest.fixture(scope="module")
def gateways() -> Iterator[fleet.Fleet]:
    with fleet.running(tuple(TOOLS), {name: name for name in TOOLS}) as running:
        yield running


@pytest.mark.parametrize(("product", "tool"), TOOLS.items(), ids=TOOLS)
def test_a_model_behind_the_proxy_uses_a_tool(
    product: str, tool: str, gateways: fleet.Fleet, proxy: Proxy, tmp_path: Path
) -> None:
    gateway = next(gateway for gateway in gateways.gateways if gateway.name == product)
    bench = Bench(gateways, gateway, proxy.vendor, tmp_path)
    bench.keys = {MOONSHOT: proxy.key}
    run = bench.rollout(
        providers_overrides={MOONSHOT: {"block": {"baseUrl": f"{proxy.url}/v1"}}},
        providers_default_model="moonshot/kimi-k3",
    )
    assert run.code == 0, run.output
    proxy.vendor.clear_requests()

    answer = bench.chat(message=f"Call the tool {tool} once.")

    texts = " ".join(payload["text"] for payload in answer["payloads"])
    assert texts.startswith(f"{tool} answered: "), texts
    chats = [request for request in proxy.vendor.requests() if request["method"] == "POST"]
    # The second one has the result of the tool, and the reasoning, without which the vendor rejects it.
    assert [(chat["model"], chat["tool_result"], chat["status"]) for chat in chats] == [
        ("kimi-k3", False, 200),
        ("kimi-k3", True, 200),
    ]
    assert {chat["user_agent"].partition("/")[0] for chat in chats} == {"AsyncOpenAI"}
