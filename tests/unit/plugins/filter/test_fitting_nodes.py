# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.filter._fitting_nodes import FilterModule, fitting_nodes

VERSIONS = ("20.19.2", "22.11.0", "22.12.0", "24.15.9", "24.16.0", "24.100.0", "25.9.0", "26.0.9", "26.1.0", "28.0.0")


def test_the_filter_has_the_name_of_its_file() -> None:
    assert FilterModule().filters() == {"_fitting_nodes": fitting_nodes}


@pytest.mark.parametrize(
    ("product", "fitting"),
    [("clawdbot", VERSIONS[2:]), ("openclaw", ("24.16.0", "24.100.0", "26.1.0", "28.0.0"))],
)
def test_each_product_runs_on_the_node_that_its_package_names(product: str, fitting: tuple[str, ...]) -> None:
    found = {f"/opt/{version}/bin/node": version for version in VERSIONS}
    assert fitting_nodes(found, product) == [f"/opt/{version}/bin/node" for version in fitting]
