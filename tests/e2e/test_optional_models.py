# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Models that an endpoint lists for some keys or no longer, from the guide's blocks to today's, on a real gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_reader

from tests.e2e.harness import ENDPOINTS, KIMICODE, MOONSHOT, NO_CHATS, Bench, bench_with_providers
from tools.mock_server import GUIDE_MODELS, MockServer

VERIFY = "clawfleet.clawdbot.verify"
AUDIT = "clawfleet.clawdbot.audit"
KIMI = "kimicode/kimi-for-coding"
# The guide's, as it has them.
GUIDE = {
    MOONSHOT: {
        "env_var": "MOONSHOT_API_KEY",
        "block": {
            "baseUrl": "https://api.moonshot.cn/v1",
            "api": "openai-completions",
            "models": [
                {"id": "kimi-k2.5", "name": "Kimi K2.5", "contextWindow": 200000, "maxTokens": 8192},
                {"id": "moonshot-v1-8k", "name": "Moonshot V1 8K", "contextWindow": 8192, "maxTokens": 2048},
                {"id": "moonshot-v1-32k", "name": "Moonshot V1 32K", "contextWindow": 32768, "maxTokens": 8192},
                {"id": "moonshot-v1-128k", "name": "Moonshot V1 128K", "contextWindow": 131072, "maxTokens": 16384},
            ],
        },
    },
    KIMICODE: {
        "env_var": "KIMICODE_API_KEY",
        "block": {
            "baseUrl": "https://api.kimi.com/coding/v1",
            "api": "openai-completions",
            # The guide's readers add it: without it, Kimi Code rejects the gateway.
            "headers": {"User-Agent": "KimiCLI/0.77"},
            "models": [
                {
                    "id": "kimi-for-coding",
                    "name": "Kimi For Coding",
                    "contextWindow": 200000,
                    "maxTokens": 8192,
                    "compat": {"supportsDeveloperRole": False},
                }
            ],
        },
    },
}


@pytest.fixture
def guide(mock_server: MockServer) -> dict[str, Any]:
    """The variables of a gateway that has the guide's blocks."""
    return {
        "providers_catalogue": GUIDE,
        "providers_overrides": {
            name: {"block": {"baseUrl": mock_server.base_url(endpoint)}} for name, endpoint in ENDPOINTS.items()
        },
        "providers_default_model": KIMI,
        "providers_fallback_models": ["moonshot/kimi-k2.5"],
    }


@pytest.fixture
def bench(mock_server: MockServer, tmp_path: Path, guide: dict[str, Any]) -> Iterator[Bench]:
    with bench_with_providers(mock_server, tmp_path, unlisted=(), **guide) as bench:
        list_models(bench, MOONSHOT, GUIDE_MODELS)
        yield bench


def list_models(bench: Bench, provider: str, models: tuple[str, ...] | None) -> None:
    """Make the endpoint list these models for the key of the gateway."""
    bench.mock_server.add_key(ENDPOINTS[provider], bench.keys[provider], models=models)


def providers_of(bench: Bench) -> dict[str, Any]:
    config: dict[str, Any] = json5_reader.loads(bench.gateway.config.read_text())
    providers: dict[str, Any] = config["models"]["providers"]
    return providers


def models_of(bench: Bench, provider: str) -> list[str]:
    return [model["id"] for model in providers_of(bench)[provider]["models"]]


def aliases_of(bench: Bench) -> dict[str, Any]:
    config = json5_reader.loads(bench.gateway.config.read_text())
    return {ref: entry.get("alias") for ref, entry in config["agents"]["defaults"]["models"].items()}


def test_from_the_blocks_of_the_guide_to_those_of_today(bench: Bench, guide: dict[str, Any]) -> None:
    verified = bench.rollout(playbook=VERIFY, providers_verify_after="turn", **guide)

    assert verified.code == 0, verified.output
    assert models_of(bench, MOONSHOT) == list(GUIDE_MODELS)
    asked = {record["model"] for record in bench.mock_server.requests() if record["method"] == "POST"}
    assert asked == {"kimi-k2.5", "kimi-for-coding"}

    # The vendor retires them. The blocks of the guide are rejected now.
    list_models(bench, MOONSHOT, None)
    bench.call("sessions.patch", key="agent:main:pinned", model="moonshot/kimi-k2.5")
    retired = bench.rollout(playbook=VERIFY, **guide)

    assert retired.code != 0
    assert "model_retired" in retired.output
    assert "kimi-k2.5 was retired by Moonshot on 2026-08-31; use kimi-k3" in retired.one_line

    # Those of today are not written while something uses what would be gone.
    files, pids = bench.files(), bench.pids()
    rejected = bench.rollout(providers_default_model="")

    assert rejected.code != 0
    for place in ("agents.defaults.model.fallbacks", "The session agent:main:pinned"):
        assert (
            f"{place} is moonshot/kimi-k2.5, which the endpoint of moonshot does not list for this key. kimi-k2.5 was "
            "retired by Moonshot on 2026-08-31; use kimi-k3 there."
        ) in rejected.one_line
    assert (bench.files(), bench.pids()) == (files, pids)
    found = bench.rollout(playbook=AUDIT, providers_default_model="")
    assert "The session agent:main:pinned is moonshot/kimi-k2.5" in found.one_line

    # Chats go on while the blocks are replaced, Kimi Code's form with them.
    bench.call("sessions.patch", key="agent:main:pinned", model=None)
    bench.mock_server.clear_requests()
    today = {"providers_default_model": KIMI, "providers_fallback_models": ["moonshot/kimi-k3"]}
    with bench.chats() as answers:
        done = bench.rollout("--diff", *NO_CHATS, **today)

    assert done.code == 0, done.output
    assert set(answers) == {"Hello from kimi-for-coding at Kimi Code."}
    assert (
        "Optional models that are not configured, as their endpoint does not list them: moonshot/kimi-k2.5, "
        "moonshot/moonshot-v1-8k, moonshot/moonshot-v1-32k, moonshot/moonshot-v1-128k."
    ) in done.one_line
    assert "Aliases of such models are left out: k25." in done.one_line
    assert models_of(bench, MOONSHOT) == ["kimi-k3", "kimi-k2.7-code", "kimi-k2.7-code-highspeed", "kimi-k2.6"]
    assert {ref: alias for ref, alias in aliases_of(bench).items() if alias} == {
        "moonshot/kimi-k3": "k3",
        KIMI: "kimi",
    }
    assert not set(aliases_of(bench)) & {f"moonshot/{model}" for model in GUIDE_MODELS}
    bench.mock_server.clear_requests()
    bench.chat("agent:main:new")
    assert [
        (record["path"], record["user_agent"].split("/")[0], record["status"])
        for record in bench.mock_server.requests()
    ] == [("/kimi/coding/v1/messages", "Anthropic", 200)]

    # The plan of the account changes: the models that depend on it come and go.
    list_models(bench, KIMICODE, ("kimi-for-coding",))
    checked = bench.rollout("--check", "--diff", **today)
    less = bench.rollout("--diff", *NO_CHATS, **today)

    assert less.code == 0, less.output
    assert "\n".join(checked.diffs).split() == "\n".join(less.diffs).split()
    assert "Of these, removed from the config: kimicode/kimi-for-coding-highspeed, kimicode/k3, kimicode/k3-256k." in (
        less.one_line
    )
    assert models_of(bench, KIMICODE) == ["kimi-for-coding"]
    again = bench.rollout("-vvv", **today)
    assert (again.recap[bench.gateway.name]["changed"], again.modules) == (0, ["gateway_info"])
    # Without asking, optional models stay as they are.
    list_models(bench, KIMICODE, None)
    unasked = bench.rollout(providers_verify_before="none", **today)
    assert unasked.recap[bench.gateway.name]["changed"] == 0, unasked.output
    # Asked from the control node, they are back.
    more = bench.rollout(*NO_CHATS, providers_verify_from="controller", **today)
    assert more.code == 0, more.output
    assert models_of(bench, KIMICODE) == ["kimi-for-coding", "kimi-for-coding-highspeed", "k3", "k3-256k"]
