# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Providers, answers and strategies for the tests of endpoints."""

from __future__ import annotations

import json

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.providers import parse_provider
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.responses import FAILURES
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import (
    Answer,
    NoAnswer,
    Provider,
    Request,
)
from hypothesis import strategies as st

KEY = "sk-0123456789abcdefghij"
URL = "https://api.moonshot.cn/v1"


def provider(**more: object) -> Provider:
    described: dict[str, object] = {"name": "moonshot", "base_url": URL, "api_key": KEY, **more}
    return parse_provider(described)


def answer(code: int, document: object, **headers: str) -> Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Answer(code, "x", {name.replace("_", "-"): value for name, value in headers.items()}, body, None, 7)


def error(code: int, kind: str, message: str) -> Answer:
    return answer(code, {"error": {"type": kind, "message": message}})


ASK_LISTING = Request("GET", f"{URL}/models", ())
ASK_CHAT = Request("POST", f"{URL}/chat/completions", (), b"{}", "kimi-k2.5")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "id", "error", "message", "type", "choices", "content", "context_length"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
LISTINGS = st.fixed_dictionaries({"data": st.lists(st.fixed_dictionaries({"id": st.sampled_from("abc")}) | JSON)})
BODIES = st.binary(max_size=80) | (JSON | LISTINGS).map(lambda document: json.dumps(document).encode())
ANSWERS = st.builds(
    Answer,
    st.integers(0, 999) | st.sampled_from([200, 401, 403, 404, 429]),
    st.text(max_size=5),
    st.dictionaries(st.sampled_from(["content-type", "retry-after"]), st.text(max_size=30), max_size=2),
    BODIES,
    st.sampled_from([None, None, None, "too_long", "cut_short", "unknown_encoding"]),
    st.integers(0, 9),
)
OUTCOMES = ANSWERS | st.builds(NoAnswer, st.sampled_from(sorted(FAILURES)), st.text(), st.text())
