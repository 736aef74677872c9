# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import Bench
from tools import fleet
from tools.mock_server import MockServer


@pytest.fixture(scope="module")
def gateways(request: pytest.FixtureRequest) -> Iterator[fleet.Fleet]:
    # A gateway of its own for each test that needs one: what one test does to its gateway is nothing to the others. And
    # two at least, for those that are about a fleet.
    tests = (item for item in request.session.items if item.path == request.path and isinstance(item, pytest.Function))
    count = max(2, sum("bench" in item.fixturenames for item in tests))
    with fleet.running(tuple(f"gateway-{number}" for number in range(1, count + 1))) as running:
        yield running


@pytest.fixture(scope="module")
def unused(gateways: fleet.Fleet) -> list[fleet.Gateway]:
    return list(gateways.gateways)


@pytest.fixture
def mock_server() -> Iterator[MockServer]:
    with MockServer() as endpoints:
        yield endpoints


@pytest.fixture
def bench(gateways: fleet.Fleet, unused: list[fleet.Gateway], mock_server: MockServer, tmp_path: Path) -> Bench:
    return Bench(gateways, unused.pop(), mock_server, tmp_path)
