# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each model of the catalogue calls a tool of the real product: the table "Tool messages" in docs/models.md."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.vendor_models import THINKING
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.chat import Kind, send
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.chat_answers import ChatResult
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway, Listener
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._catalogue import merge, model_ids
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._thinking import thinking_warnings

from tests.e2e.harness import new_key
from tools import fleet
from tools.mock_server import Answer, Fault, MockServer
from tools.mock_server.server import Request

DEFAULTS = Path(__file__).parents[2] / "roles" / "providers" / "defaults" / "main.yml"
CATALOGUE = yaml.safe_load(DEFAULTS.read_text())["providers_catalogue"]

COMPAT = {"supportsDeveloperRole": False, "supportsReasoningEffort": False, "supportsStore": False}
# What docs/models.md gives as the override for the guide's form of Kimi Code.
OPENAI_FORM = {
    "block": {
        "baseUrl": "https://api.kimi.com/coding/v1",
        "api": "openai-completions",
        "headers": {"User-Agent": "KimiCLI/0.77"},
        "models": [{"id": name, "compat": COMPAT} for name in model_ids(CATALOGUE["kimicode"])],
    }
}
K3 = {"id": "kimi-k3", "name": "Kimi K3", "contextWindow": 1048576, "maxTokens": 32768}
#: Provider -> the models in a block that lacks something.
LACKING = {"bare": {**K3}, "reasoning": {**K3, "reasoning": True}}

# Its context is smaller than what both products send with each message, and than what Clawdbot takes.
TOO_SMALL = "moonshot/moonshot-v1-8k"
#: The models of the catalogue, and Kimi Code's in the guide's form.
MODELS = [
    f"{provider}/{model}"
    for provider, entry in {**CATALOGUE, "kimicode-openai": CATALOGUE["kimicode"]}.items()
    for model in model_ids(entry)
    if f"{provider}/{model}" != TOO_SMALL
]
PATHS = {
    "moonshot": "/moonshot-cn/v1/chat/completions",
    "kimicode": "/kimi/coding/v1/messages",
    "kimicode-openai": "/kimi/coding/v1/chat/completions",
}
KINDS: tuple[Kind, ...] = ("text", "tool")

#: The tool that the mock model calls: the last one of the message that the product offers.
TOOLS = {"clawdbot": "agents_list", "openclaw": "ls"}
#: What the vendor fixes, or does not know, for models that think: no client may send it in the OpenAI form.
NOT_TO_BE_SENT = {
    *("temperature", "top_p", "n", "presence_penalty", "frequency_penalty"),
    *("thinking", "reasoning_effort", "store"),
}


class Recording(MockServer):
    """The mock server, which also keeps the fields of each request."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[set[str]] = []

    def answer(self, request: Request) -> tuple[Answer, Fault | None]:
        self.fields.append(set(request.asked or ()))
        return super().answer(request)


class OneProcess(Gateway):
    """A gateway that is called by the product's own client in one process, since its CLI takes seconds to start."""

    def __init__(self, gateway: fleet.Gateway, client: subprocess.Popen[str]) -> None:
        paths = Paths(str(gateway.state_dir), str(gateway.config), str(gateway.env))
        super().__init__(
            PRODUCTS[gateway.product.name], [gateway.product.name], paths, Listener("127.0.0.1", gateway.port), {}
        )
        self._client = client

    def call(self, method: str, params: Mapping[str, Any], timeout: float, *, final: bool = False) -> Any:
        if method == "sessions.delete":
            # A fifth of the time that OpenClaw takes for a message; the sessions end with the gateway.
            return {}
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        request = {"method": method, "params": params, "timeout": timeout * 1000, "final": final}
        self._client.stdin.write(f"{json.dumps(request)}\n")
        self._client.stdin.flush()
        answer = json.loads(self._client.stdout.readline())
        if "error" in answer:
            raise ClawdbotError(f"Gateway method {method} failed: {answer['error']}")
        return answer["answer"]


class Subject:
    """A gateway that has every block, and the mock server behind it."""

    def __init__(self, gateway: fleet.Gateway, mock_server: Recording, client: Gateway) -> None:
        self.gateway = gateway
        self.mock_server = mock_server
        self._client = client
        self.tool = TOOLS[gateway.product.name]

    def send(self, model: str, kind: Kind = "tool") -> ChatResult:
        return send(self._client, "main", model, kind, 60)

    def write(self, **settings: Any) -> None:
        """Add settings to the config. The gateway takes them while it runs."""
        config = json5_reader.loads(self.gateway.config.read_text())
        new = self.gateway.config.with_suffix(".new")
        new.write_text(json.dumps({**config, **settings}))
        new.chmod(0o600)
        os.replace(new, self.gateway.config)

    def write_blocks(self) -> None:
        keys = {"moonshot-cn": new_key(), "kimicode": new_key("sk-kimi-")}
        self.mock_server.add_key("moonshot-cn", keys["moonshot-cn"], models=model_ids(CATALOGUE["moonshot"]))
        self.mock_server.add_key("kimicode", keys["kimicode"])
        moonshot = {"baseUrl": self.mock_server.base_url("moonshot-cn"), "apiKey": keys["moonshot-cn"]}
        kimicode = {"apiKey": keys["kimicode"]}
        anthropic = {**kimicode, "baseUrl": self.mock_server.base_url("kimicode", "anthropic")}
        openai_block = merge(CATALOGUE["kimicode"], OPENAI_FORM)["block"]
        blocks = {
            "moonshot": {**CATALOGUE["moonshot"]["block"], **moonshot},
            "kimicode": {**CATALOGUE["kimicode"]["block"], **anthropic},
            "kimicode-openai": {**openai_block, **kimicode, "baseUrl": self.mock_server.base_url("kimicode")},
        }
        for provider, model in LACKING.items():
            blocks[provider] = {**moonshot, "api": "openai-completions", "models": [model]}
        # A null in the catalogue removes what a host has.
        written = {
            provider: {name: value for name, value in block.items() if value is not None}
            for provider, block in blocks.items()
        }
        self.write(models={"mode": "merge", "providers": written})


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    product = request.param
    with Recording() as mock_server, fleet.running(("gateway",), {"gateway": product}) as running:
        gateway = running.gateways[0]
        modules = gateway.programs.parent
        script = Path(__file__).with_name("gateway_calls.mjs")
        argv = [gateway.programs / "node", script, product, modules / product, str(gateway.port), "gateway-token"]
        environment = {**running.environment, **gateway.environment}
        with subprocess.Popen(
            argv, env=environment, cwd=gateway.home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as client:
            subject = Subject(gateway, mock_server, OneProcess(gateway, client))
            subject.write_blocks()
            with contextlib.closing(client.stdin):  # type: ignore[type-var] # a pipe, as asked for above
                yield subject


# In one test, since a gateway takes longer to start than to answer.
@pytest.mark.parametrize("subject", PRODUCTS, indirect=True)
def test_tool_messages(subject: Subject) -> None:
    product, tool = subject.gateway.product.name, subject.tool
    await_model(subject)
    every_model_of_the_catalogue_passes(subject, tool)
    if product == "clawdbot":
        what_clawdbot_needs(subject, tool)
    else:
        what_openclaw_needs(subject, tool)
    a_gateway_without_tools_proves_nothing(subject)


def await_model(subject: Subject) -> None:
    """Wait until the gateway has taken the blocks."""
    deadline = time.monotonic() + 60
    while not (result := subject.send("moonshot/kimi-k3", "text")).ok:
        assert time.monotonic() < deadline, result
    assert result == ChatResult("moonshot/kimi-k3", True, "Hello from kimi-k3 at Moonshot.")


def every_model_of_the_catalogue_passes(subject: Subject, tool: str) -> None:
    mock_server = subject.mock_server
    mock_server.clear_requests()
    mock_server.fields.clear()
    results = {model: subject.send(model) for model in MODELS}
    assert {model: (result.ok, result.tool) for model, result in results.items()} == dict.fromkeys(MODELS, (True, tool))
    assert {result.message.partition(":")[0] for result in results.values()} == {f"{tool} answered"}
    # Two requests for each model, in the form of its block, none of them rejected.
    requests = mock_server.requests()
    expected = [(*model.split("/"), with_result) for model in MODELS for with_result in (False, True)]
    assert [(one["path"], one["model"], one["tool_result"], one["status"]) for one in requests] == [
        (PATHS[provider], model, with_result, 200) for provider, model, with_result in expected
    ]
    sent = [
        fields
        for one, fields in zip(requests, mock_server.fields)
        if one["path"].endswith("/completions") and one["model"] in THINKING
    ]
    assert len(sent) == 16
    assert [fields & NOT_TO_BE_SENT for fields in sent] == [set()] * 16


def what_clawdbot_needs(subject: Subject, tool: str) -> None:
    """Without `reasoning` it sends the reasoning again; with it, it needs `compat` for any message."""
    assert subject.send("bare/kimi-k3").tool == tool
    failed = "reasoning/kimi-k3 failed: 400 Invalid request: invalid role 'developer' in message at index 0"
    for kind in KINDS:
        assert subject.send("reasoning/kimi-k3", kind) == ChatResult("reasoning/kimi-k3", False, failed)
    assert warned("clawdbot") == ["reasoning"]
    too_small = subject.send(TOO_SMALL)
    assert not too_small.ok
    assert f"{TOO_SMALL}: Model context window too small (8192 tokens). Minimum is 16000." in too_small.message


def what_openclaw_needs(subject: Subject, tool: str) -> None:
    """Without `reasoning` it answers plain messages, and fails after the call of a tool."""
    assert subject.send("reasoning/kimi-k3").tool == tool
    assert subject.send("bare/kimi-k3", "text").ok
    assert subject.send("bare/kimi-k3") == ChatResult(
        "bare/kimi-k3",
        False,
        "After a call of the tool ls: Gateway method agent failed: GatewayClientRequestError: LLM request failed: "
        "provider rejected the request schema or tool payload. If the model thinks, check its `reasoning` and "
        "`compat`.",
    )
    assert warned("openclaw") == ["bare"]
    # Its own prompt leaves one token for the answer.
    assert subject.send(TOO_SMALL) == ChatResult(
        TOO_SMALL,
        True,
        "ls ⚠️ Reply truncated at the model's output token limit. The text above is partial — ask to continue it.",
        "ls",
    )


def warned(product: str) -> list[str]:
    """Return the blocks of LACKING that are warned of."""
    entries = {name: {"block": {"api": "openai-completions", "models": [model]}} for name, model in LACKING.items()}
    return [name for name, entry in entries.items() if thinking_warnings({name: entry}, product)]


def a_gateway_without_tools_proves_nothing(subject: Subject) -> None:
    subject.write(tools={"deny": ["*"]})
    deadline = time.monotonic() + 60
    while (result := subject.send("moonshot/kimi-k3")).tool is not None:
        assert time.monotonic() < deadline, result
    assert result == ChatResult("moonshot/kimi-k3", True, "Hello from kimi-k3 at Moonshot.")
    assert subject.mock_server.requests()[-1]["tools"] == 0
