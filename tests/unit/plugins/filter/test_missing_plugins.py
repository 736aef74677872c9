# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.filter._missing_plugins import FilterModule, missing_plugins

PLUGINS = {"discord": "@openclaw/discord@2026.9.6", "acme": "acme@1.0.0"}

LISTINGS = {
    "nothing": ("", ["@openclaw/discord@2026.9.6", "acme@1.0.0"]),
    "no JSON": ("{ no", ["@openclaw/discord@2026.9.6", "acme@1.0.0"]),
    "no list": ('{"plugins": 7}', ["@openclaw/discord@2026.9.6", "acme@1.0.0"]),
    "one, behind a warning": (
        'a warning\n{"plugins": [{"id": "acme", "version": "1.0.0"}]}',
        ["@openclaw/discord@2026.9.6"],
    ),
    "one in another version": (
        '{"plugins": [{"id": "acme", "version": "1.0.1"}, {"id": "discord", "version": "2026.9.6"}]}',
        ["acme@1.0.0"],
    ),
    "both": ('{"plugins": [{"id": "acme", "version": "1.0.0"}, {"id": "discord", "version": "2026.9.6"}]}', []),
}


def test_the_filter_has_the_name_of_its_file() -> None:
    assert FilterModule().filters() == {"_missing_plugins": missing_plugins}


@pytest.mark.parametrize(("listing", "missing"), LISTINGS.values(), ids=LISTINGS)
def test_missing_plugins(listing: str, missing: list[str]) -> None:
    assert missing_plugins(PLUGINS, listing) == missing
