# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rate limit and the fingerprints of the mock server."""

from __future__ import annotations

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets import redaction
from hypothesis import given
from hypothesis import strategies as st

from tools import mock_server as tool


@pytest.mark.parametrize(
    ("rpm", "window", "times", "waits"),
    [
        (None, 60.0, [0, 0, 0, 0], [0, 0, 0, 0]),
        (1, 60.0, [0, 0, 30.5, 59.9, 60, 61], [0, 60, 30, 1, 0, 59]),
        (2, 60.0, [0, 10, 20, 60, 61, 70], [0, 0, 40, 0, 9, 0]),
        (1, 0.5, [0, 0.4, 0.5], [0, 1, 0]),
    ],
)
def test_a_window_of_requests(rpm: int | None, window: float, times: list[float], waits: list[int]) -> None:
    key = tool.Key(rpm, window)
    assert [key.wait(now) for now in times] == waits


@given(st.text(min_size=1))
def test_fingerprints_as_the_collection_does(key: str) -> None:
    assert tool.fingerprint(key) == redaction.fingerprint(key)
