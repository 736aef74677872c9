# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.aliases import alias_clashes

CLASHES: dict[str, tuple[dict[str, str], list[str]]] = {
    "none": ({"a": "m/1", "b": "m/2"}, []),
    "case": (
        {"kimi": "m/1", "KIMI": "m/2"},
        ["The aliases 'kimi' and 'KIMI' are one to the product: it does not tell upper from lower case."],
    ),
    "model": (
        {"a": "m/1", "b": "m/1"},
        ["The aliases 'a' and 'b' both stand for m/1, and the product keeps one for a model."],
    ),
}


@pytest.mark.parametrize("name", CLASHES)
def test_alias_clashes(name: str) -> None:
    aliases, clashes = CLASHES[name]
    assert list(alias_clashes(aliases)) == clashes
