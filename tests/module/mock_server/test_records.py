# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the mock server remembers of requests."""

from __future__ import annotations

import email.message
import json
import time
from collections.abc import Iterator

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets import redaction
from hypothesis import given
from hypothesis import strategies as st

from tests.module.mock_server.asking import (
    AGENT,
    AI,
    CHAT_CN,
    CHAT_KIMI,
    CN,
    KEYS,
    KIMI,
    LIST_CN,
    WRONG,
    ask,
    chat,
    connect,
    recorded,
)
from tools import mock_server as tool


def test_records_requests(mock_server: tool.MockServer) -> None:
    before = time.time()
    ask(mock_server, "GET", LIST_CN, CN)
    ask(mock_server, "POST", CHAT_KIMI, WRONG, chat("kimi-for-coding", stream=True), AGENT)
    ask(mock_server, "GET", "/elsewhere")
    records = mock_server.requests()
    assert all(before <= record.pop("time") <= time.time() for record in records)
    assert records == [
        {
            "product": "moonshot-cn",
            "method": "GET",
            "path": LIST_CN,
            "key_fingerprint": redaction.fingerprint(CN),
            "user_agent": None,
            "headers": ["Host", "Accept-Encoding", "Authorization"],
            "model": None,
            "stream": None,
            "tools": 0,
            "tool_result": False,
            "status": 200,
        },
        {
            "product": "kimicode",
            "method": "POST",
            "path": CHAT_KIMI,
            "key_fingerprint": redaction.fingerprint(WRONG),
            "user_agent": AGENT,
            "headers": ["Host", "Accept-Encoding", "Content-Length", "Authorization", "User-Agent"],
            "model": "kimi-for-coding",
            "stream": True,
            "tools": 0,
            "tool_result": False,
            "status": 401,
        },
        {
            "product": None,
            "method": "GET",
            "path": "/elsewhere",
            "key_fingerprint": None,
            "user_agent": None,
            "headers": ["Host", "Accept-Encoding"],
            "model": None,
            "stream": None,
            "tools": 0,
            "tool_result": False,
            "status": 404,
        },
    ]
    mock_server.clear_requests()
    assert mock_server.requests() == []


def test_a_request_is_recorded_before_it_is_answered(mock_server: tool.MockServer) -> None:
    mock_server.set_fault("moonshot-cn", "delay", seconds=60)
    with pytest.raises(TimeoutError):
        ask(mock_server, "GET", LIST_CN, CN, timeout=0.1)
    assert [record["status"] for record in recorded(mock_server)] == [200]


@pytest.mark.parametrize("key", [CN, AI, WRONG])
def test_no_record_has_a_key(mock_server: tool.MockServer, key: str) -> None:
    """A key shows nowhere: neither the key that was sent nor one of another product, wherever a client puts it."""
    for sent in (key, None):
        connection = connect(mock_server)
        headers = {"User-Agent": f"x/{key}", key: "1"} | ({"Authorization": f"Bearer {sent}"} if sent else {})
        body = json.dumps(chat(f"m-{key}"))
        connection.request("POST", f"/moonshot-cn/v1/{key}?k={key}", body, headers)
        connection.getresponse().read()
        connection.close()
        if key == WRONG:
            # A key that is neither valid nor sent as one is a string like any other.
            break
    records = mock_server.requests()
    assert key not in json.dumps(records)
    assert key not in ask(mock_server, "GET", "/_mock_server/requests").body.decode()
    mark = tool.fingerprint(key)
    assert [record["model"] for record in records] == [f"m-{mark}"] * len(records)
    assert [record["path"] for record in records] == [f"/moonshot-cn/v1/{mark}"] * len(records)
    assert records[0]["key_fingerprint"] == mark


@pytest.fixture(scope="module")
def one() -> Iterator[tool.MockServer]:
    with tool.MockServer() as running:
        for product, key in KEYS.items():
            running.add_key(product, key)
        yield running


@given(
    method=st.sampled_from(["GET", "POST", "PUT"]),
    path=st.sampled_from([LIST_CN, CHAT_CN, CHAT_KIMI, "/moonshot-cn/v1/x", ""]) | st.text(),
    authorization=st.sampled_from([f"Bearer {CN}", f"bearer  {KIMI}", f"Bearer {WRONG}", "Basic x"]) | st.text(),
    body=st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["model", "messages", "stream", "stream_options", "max_tokens", "include_usage"]), inner
            )
        ),
    ).map(lambda value: json.dumps(value).encode()),
)
def test_answers_anything(one: tool.MockServer, method: str, path: str, authorization: str, body: bytes) -> None:
    one.clear_requests()
    headers = email.message.Message()
    headers["Authorization"] = authorization
    answer, fault = one.answer(tool.Request(method, path, headers, body))
    assert fault is None
    assert answer.status in (200, 400, 401, 403, 404)
    assert b"".join(answer.wire()).startswith(b"HTTP/1.1 %d " % answer.status)
    (record,) = one.requests()
    assert record["status"] == answer.status
    assert not any(key in json.dumps(record) for key in KEYS.values())
