# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import yaml
from ansible_collections.clawfleet.clawdbot.plugins.doc_fragments._gateway import ModuleDocFragment
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS


def test_each_product_is_documented() -> None:
    options = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    assert options["product"]["choices"] == ["auto", *PRODUCTS]
