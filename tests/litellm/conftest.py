# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""LiteLLM's proxy in front of the mock server, without a database. `make litellm` installs it and runs these tests."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.harness import new_key
from tests.module.verify_models.probing import free_port
from tools.cache import CACHE
from tools.mock_server import MockServer

_STARTUP_SECONDS = 120


@dataclass(frozen=True)
class Proxy:
    """A running proxy, the one key that it accepts, and the vendor behind it."""

    url: str
    key: str
    vendor: MockServer


def _models(vendor: MockServer, key: str) -> list[dict[str, object]]:
    """Return the proxy's models: today's, one that the vendor has retired, and some that the proxy cannot ask."""

    def model(name: str, **params: object) -> dict[str, object]:
        asked = {"model": f"openai/{name}", "api_base": vendor.base_url("moonshot-cn"), "api_key": key, **params}
        return {"model_name": name, "litellm_params": asked}

    coding = vendor.base_url("kimicode", "anthropic").rstrip("/")
    return [
        *(model(name) for name in ("kimi-k3", "kimi-k2.7-code", "kimi-k2.6", "kimi-k2.5")),
        model("revoked", model="openai/kimi-k3", api_key=new_key()),
        model("kimi-for-coding", model="anthropic/kimi-for-coding", api_base=coding),
        model("mock", mock_response="An answer of the proxy itself."),
    ]


@pytest.fixture(scope="session")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    directory = tmp_path_factory.mktemp("litellm")
    upstream, master, port = new_key(), new_key(), free_port()
    with MockServer() as vendor:
        vendor.add_key("moonshot-cn", upstream)
        vendor.add_key("kimicode", upstream)
        config = {
            "model_list": _models(vendor, upstream),
            "general_settings": {"master_key": master},
            # Otherwise it asks Moonshot in a form that Moonshot does not have when it is asked in Anthropic's.
            "litellm_settings": {"telemetry": False, "use_chat_completions_url_for_anthropic_messages": True},
            # Otherwise a model that has failed is not asked for some seconds, and one test would disturb another one.
            "router_settings": {"disable_cooldowns": True},
        }
        (directory / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
        with _running(directory, port):
            yield Proxy(f"http://127.0.0.1:{port}", master, vendor)


@contextlib.contextmanager
def _running(directory: Path, port: int) -> Iterator[None]:
    """Run the proxy for as long as the context lasts. Raises `RuntimeError` with its output if it does not start."""
    command = [str(CACHE / "litellm" / "bin" / "litellm"), "--config", "config.yaml", "--host", "127.0.0.1"]
    # The table of prices that it comes with, so that it asks for no other one.
    offline: Mapping[str, str] = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "HOME": str(directory)}
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with (
        (directory / "output").open("wb") as output,
        subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=directory,
            env={**environment, **offline},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            deadline = time.monotonic() + _STARTUP_SECONDS
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((directory / "output").read_text(encoding="utf-8")[-2000:])
                time.sleep(0.25)
            yield
        finally:
            process.terminate()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=5) as answer:
            return int(answer.status) == 200
    except OSError:
        return False
