# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No answer, however odd, is a traceback or a false ok."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import get_args

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import Status
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.module.verify_models.probing import (
    only,
    provider,
    run,
)
from tests.module.verify_models.raw_server import (
    RawServer,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just("kimi-k2.5"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "id", "error", "message", "type", "object"]), inner, max_size=3)
    ),
    max_leaves=8,
)
STATUS_LINES = st.binary(max_size=30) | st.builds(
    lambda version, code: b"HTTP/%s %s x" % (version, code),
    st.sampled_from([b"1.0", b"1.1", b"2", b"9"]),
    st.integers(-1, 1200).map(lambda code: str(code).encode()) | st.just(b"200"),
)
HEADER_LINES = st.lists(
    st.binary(max_size=30)
    | st.sampled_from(
        [
            b"Content-Type: text/html",
            b"Content-Type: ;;",
            b"Content-Encoding: gzip",
            b"Transfer-Encoding: chunked",
            b"Content-Length: -5",
            b"Content-Length: 99999999999999999999999",
            b"Location: /v1/models",
            b"Location: http://[",
            b"Retry-After: Thu, 99 Foo 9999 99:99:99",
            b"Retry-After: -1",
        ]
    ),
    max_size=4,
)
BODIES = st.binary(max_size=60) | JSON.map(lambda document: json.dumps(document).encode())


@pytest.fixture(scope="module")
def anything() -> Iterator[RawServer]:
    with RawServer(b"") as server:
        yield server


@settings(max_examples=250, deadline=None)
@given(status_line=STATUS_LINES, headers=HEADER_LINES, body=BODIES, probe_kind=st.sampled_from(["listing", "chat"]))
def test_any_answer_gives_a_status_and_no_false_ok(
    anything: RawServer, status_line: bytes, headers: list[bytes], body: bytes, probe_kind: str
) -> None:
    anything.behaviour = b"\r\n".join([status_line, *headers, b"", body])
    code, result, _printed = run(provider(anything), probe=probe_kind, timeout=1)
    found = only(result)
    assert found["status"] in get_args(Status)
    assert (found["status"] == "ok") == (code == 0)
    assert found["status"] != "ok" or ("kimi-k2.5" in found["listed"] and probe_kind == "listing")
    assert bool(found["hint"]) == (found["status"] != "ok")
