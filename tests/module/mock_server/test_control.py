# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The methods of the mock server over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.module.mock_server.asking import (
    AI,
    CHAT_CN,
    CN,
    KIMI,
    LIST_AI,
    LIST_CN,
    WRONG,
    ask,
    chat,
)
from tools import mock_server as tool

# Method, path, body -> status, body.
CONTROLS: dict[str, tuple[str, str, Any, int, Any]] = {
    "add a key": ("PUT", "/_mock_server/keys/kimicode", {"key": WRONG}, 200, {}),
    "add a key with all": (
        "PUT",
        "/_mock_server/keys/kimicode",
        {"key": WRONG, "rpm": 3, "window": 1.5, "rejected": "membership"},
        200,
        {},
    ),
    "revoke a key": ("DELETE", "/_mock_server/keys/kimicode", {"key": KIMI}, 200, {}),
    "accept a model": ("PUT", "/_mock_server/models/kimicode", {"model": "k3"}, 200, {}),
    "set a fault": ("PUT", "/_mock_server/faults/kimicode", {"kind": "html", "route": "chat", "times": 1}, 200, {}),
    "clear faults": ("DELETE", "/_mock_server/faults/kimicode", None, 200, {}),
    "clear all faults": ("DELETE", "/_mock_server/faults", None, 200, {}),
    "requests": ("GET", "/_mock_server/requests", None, 200, []),
    "clear requests": ("DELETE", "/_mock_server/requests", None, 200, {}),
    "unknown product": (
        "PUT",
        "/_mock_server/keys/openai",
        {"key": WRONG},
        400,
        {"error": "unknown product 'openai'; known are moonshot-cn, moonshot-ai, kimicode"},
    ),
    "unknown product, faults": (
        "DELETE",
        "/_mock_server/faults/openai",
        None,
        400,
        {"error": "unknown product 'openai'; known are moonshot-cn, moonshot-ai, kimicode"},
    ),
    "key is no string": (
        "PUT",
        "/_mock_server/keys/kimicode",
        {"key": 5},
        400,
        {"error": "key is a string, rpm and window are numbers"},
    ),
    "rpm is no number": (
        "PUT",
        "/_mock_server/keys/kimicode",
        {"key": WRONG, "rpm": "3"},
        400,
        {"error": "key is a string, rpm and window are numbers"},
    ),
    "no key": (
        "PUT",
        "/_mock_server/keys/kimicode",
        None,
        400,
        {"error": "MockServer.add_key() missing 1 required positional argument: 'key'"},
    ),
    "bad JSON": ("PUT", "/_mock_server/keys/kimicode", b"{", 400, {"error": "the body is not a JSON object"}),
    "no product": ("PUT", "/_mock_server/keys", {"key": WRONG}, 404, {"error": "no such control"}),
    "one thing too many": ("GET", "/_mock_server/requests/kimicode", None, 404, {"error": "no such control"}),
    "other method": ("POST", "/_mock_server/requests", None, 404, {"error": "no such control"}),
    "keys are not shown": ("GET", "/_mock_server/keys/kimicode", None, 404, {"error": "no such control"}),
    "nothing": ("GET", "/_mock_server/", None, 404, {"error": "no such control"}),
}


@pytest.mark.parametrize(("method", "path", "body", "status", "expected"), CONTROLS.values(), ids=CONTROLS.keys())
def test_control(mock_server: tool.MockServer, method: str, path: str, body: Any, status: int, expected: Any) -> None:
    reply = ask(mock_server, method, path, body=body)
    assert (reply.status, reply.json) == (status, expected)
    assert mock_server.requests() == []


def test_control_does_what_the_methods_do(mock_server: tool.MockServer) -> None:
    ask(mock_server, "PUT", "/_mock_server/keys/moonshot-cn", body={"key": WRONG, "rejected": "usage_limit"})
    assert ask(mock_server, "GET", LIST_CN, WRONG).status == 403
    ask(mock_server, "DELETE", "/_mock_server/keys/moonshot-cn", body={"key": WRONG})
    assert ask(mock_server, "GET", LIST_CN, WRONG).status == 401
    ask(mock_server, "PUT", "/_mock_server/models/moonshot-cn", body={"model": "kimi-latest"})
    assert ask(mock_server, "POST", CHAT_CN, CN, chat("kimi-latest")).status == 200
    ask(mock_server, "PUT", "/_mock_server/faults/moonshot-cn", body={"kind": "status", "status": 503})
    ask(mock_server, "PUT", "/_mock_server/faults/moonshot-ai", body={"kind": "status", "status": 502})
    assert (ask(mock_server, "GET", LIST_CN, CN).status, ask(mock_server, "GET", LIST_AI, AI).status) == (503, 502)
    ask(mock_server, "DELETE", "/_mock_server/faults/moonshot-cn")
    assert (ask(mock_server, "GET", LIST_CN, CN).status, ask(mock_server, "GET", LIST_AI, AI).status) == (200, 502)
    ask(mock_server, "DELETE", "/_mock_server/faults")
    assert ask(mock_server, "GET", LIST_AI, AI).status == 200
    assert ask(mock_server, "GET", "/_mock_server/requests").json == mock_server.requests()
    assert [record["status"] for record in mock_server.requests()] == [403, 401, 200, 503, 502, 200, 502, 200]
    ask(mock_server, "DELETE", "/_mock_server/requests")
    assert mock_server.requests() == []
