# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of the catalogue as a command that asks an endpoint, with a key from its environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tools import mock_server as tool
from tools.cache import ROOT

KEY = "sk-0123456789abcdef"
VARIABLES = {"moonshot-cn": "MOONSHOT_API_KEY", "kimicode": "KIMICODE_API_KEY"}


@pytest.fixture
def mock_server() -> Iterator[tool.MockServer]:
    with tool.MockServer() as running:
        for product in VARIABLES:
            running.add_key(product, KEY)
        yield running


def base_url(mock_server: tool.MockServer, product: str) -> str:
    return mock_server.base_url(product, "anthropic" if product == "kimicode" else "openai")


def check(url: str, product: str, key: str = KEY, **environment: str) -> tuple[int, str, str]:
    """Run the command, and return exit code, stdout and stderr. None of them shows the key."""
    provider = product.partition("-")[0]
    done = subprocess.run(
        [sys.executable, "-m", "tools.check_catalogue", "--provider", provider, "--base-url", url],
        cwd=ROOT,
        env={**os.environ, VARIABLES[product]: key, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert key not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


TODAY = {
    "moonshot-cn": (
        "optional: not listed: kimi-k2.5, moonshot-v1-8k, moonshot-v1-32k, moonshot-v1-128k.\n"
        "The catalogue of moonshot is up to date: 4 models are listed.\n"
    ),
    "kimicode": "The catalogue of kimicode is up to date: 4 models are listed.\n",
}


@pytest.mark.parametrize(("product", "output"), TODAY.items(), ids=TODAY)
def test_what_the_vendors_serve_today(mock_server: tool.MockServer, product: str, output: str) -> None:
    # A proxy gets no request to this machine.
    assert check(base_url(mock_server, product), product, http_proxy="http://127.0.0.1:9") == (0, output, "")
    assert [(r["path"], r["key_fingerprint"], r["status"]) for r in mock_server.requests()] == [
        (f"{tool.PRODUCTS[product].prefix}/v1/models", tool.fingerprint(KEY), 200)
    ]


def test_what_the_guide_has(mock_server: tool.MockServer) -> None:
    mock_server.add_key("moonshot-cn", KEY, models=list(tool.GUIDE_MODELS))
    code, output, errors = check(base_url(mock_server, "moonshot-cn"), "moonshot-cn")
    assert (code, errors) == (1, "")
    assert output.splitlines() == [
        "gone: kimi-k3 is not listed.",
        "gone: kimi-k2.7-code is not listed.",
        "gone: kimi-k2.6 is not listed.",
        "different: kimi-k2.5 has contextWindow 200000, and is listed with 262144 tokens.",
        "different: kimi-k2.5 was retired by Moonshot on 2026-08-31; use kimi-k3. It is listed all the same.",
        "different: moonshot-v1-8k was retired by Moonshot on 2026-08-31; use kimi-k2.6. It is listed all the same.",
        "different: moonshot-v1-32k was retired by Moonshot on 2026-08-31; use kimi-k2.6. It is listed all the same.",
        "different: moonshot-v1-128k was retired by Moonshot on 2026-08-31; use kimi-k2.6. It is listed all the same.",
        "optional: not listed: kimi-k2.7-code-highspeed.",
    ]


def test_a_wrong_key(mock_server: tool.MockServer) -> None:
    url = base_url(mock_server, "moonshot-cn")
    error = f"check_catalogue: error: {url}/models answered 401: Incorrect API key provided.\n"
    assert check(url, "moonshot-cn", key="sk-wrong-0123456789") == (2, "", error)


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "HTML": ({"kind": "html"}, "The listing is an HTML page."),
    "empty": ({"kind": "empty"}, "The listing is empty."),
    "other JSON": ({"kind": "other_json"}, "The listing is not of the form {{"),
    "redirect": ({"kind": "redirect", "location": "http://127.0.0.1:9/v1/models"}, "{url} answered 302."),
    "account in the error": (
        {"kind": "error", "error": "rate_limit"},
        "{url} answered 429: Your account <redacted><<redacted>> request reached organization max RPM: 3, "
        "please try again after 1 seconds.",
    ),
    "key in the error": (
        {"kind": "status", "status": 400, "body": '{"error": {"message": "bad key {key}, in\\n400"}}'},
        "{url} answered 400: bad key <redacted>, in 400.",
    ),
    "server error": ({"kind": "status", "status": 503, "body": "<p>Sorry"}, "{url} answered 503."),
    "too much": ({"kind": "huge"}, "{url} answered with more data than a list of models has."),
    "no HTTP": ({"kind": "garbage"}, "{url} did not answer: ÿ this is no HTTP."),
}


@pytest.mark.parametrize(("fault", "message"), FAULTS.values(), ids=FAULTS)
def test_what_is_no_listing(mock_server: tool.MockServer, fault: dict[str, Any], message: str) -> None:
    mock_server.set_fault("moonshot-cn", **fault)
    url = base_url(mock_server, "moonshot-cn")
    code, output, errors = check(url, "moonshot-cn")
    assert (code, output) == (2, "")
    assert errors.startswith(f"check_catalogue: error: {message.format(url=f'{url}/models')}")
    assert len(errors.splitlines()) == 1


def test_nothing_listens() -> None:
    with tool.MockServer() as stopped:
        url = base_url(stopped, "moonshot-cn")
    error = f"check_catalogue: error: {url}/models did not answer: [Errno 111] Connection refused.\n"
    assert check(url, "moonshot-cn") == (2, "", error)
