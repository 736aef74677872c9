# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import MOONSHOT, Bench, bench_with_providers
from tools import fleet
from tools.mock_server import MockServer


@pytest.fixture
def gateways() -> Iterator[fleet.Fleet]:
    """One gateway for each test: no test depends on what another one did, and each can run in any process."""
    with fleet.running(("gateway",)) as running:
        yield running


@pytest.fixture
def mock_server() -> Iterator[MockServer]:
    with MockServer() as endpoints:
        yield endpoints


@pytest.fixture
def bench(gateways: fleet.Fleet, mock_server: MockServer, tmp_path: Path) -> Bench:
    return Bench(gateways, gateways.gateways[0], mock_server, tmp_path)


@pytest.fixture
def installed(mock_server: MockServer, tmp_path: Path) -> Iterator[Bench]:
    """A gateway that has both providers."""
    with bench_with_providers(mock_server, tmp_path) as bench:
        yield bench


@pytest.fixture
def with_moonshot(mock_server: MockServer, tmp_path: Path) -> Iterator[Bench]:
    """A gateway that has the provider Moonshot."""
    with bench_with_providers(mock_server, tmp_path, providers_enabled=[MOONSHOT]) as bench:
        yield bench
