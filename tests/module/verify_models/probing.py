# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of the module against servers of the tests, and its result."""

from __future__ import annotations

import contextlib
import io
import json
import socket
from collections.abc import Mapping
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.modules import verify_models

from tests.module.verify_models.raw_server import (
    RawServer,
)

KEY = "sk-0123456789abcdefghij"
FINGERPRINT = fingerprint(KEY)


def run(*providers: Mapping[str, object], **arguments: object) -> tuple[int, dict[str, Any], str]:
    """Run the module; return its exit code, its result and everything that it prints."""
    whole = {"providers": list(providers), "retries": 0, "timeout": 5, **arguments}
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        patch_module_args(whole),
        pytest.raises(SystemExit) as leaving,
    ):
        verify_models.main()
    return int(leaving.value.code or 0), json.loads(out.getvalue()), out.getvalue() + err.getvalue()


def provider(server: RawServer, scheme: str = "http", **more: object) -> dict[str, object]:
    """A provider at the server that wants kimi-k2.5."""
    described = {"name": "moonshot", "base_url": f"{scheme}://{server.netloc}/v1", "api_key": KEY}
    return {**described, "models": ["kimi-k2.5"], **more}


def only(result: dict[str, Any]) -> dict[str, Any]:
    """The only provider of a result, without its latency."""
    (found,) = result["providers"]
    assert found["latency_ms"] is None or found["latency_ms"] >= 0
    return {name: value for name, value in found.items() if name != "latency_ms"}


def expected(status: str, http_status: int | None, message: str, hint: str, **more: object) -> dict[str, object]:
    """A provider's result where nothing is listed or missing."""
    rest = {"listed": [], "missing": [], "optional_missing": [], "suggestions": {}, "warnings": []}
    found = {"name": "moonshot", "status": status, "http_status": http_status, "message": message, "hint": hint}
    return {**found, **rest, "key": FINGERPRINT, **more}


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])
