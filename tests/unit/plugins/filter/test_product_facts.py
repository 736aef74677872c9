# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.clawfleet.clawdbot.plugins.filter._product_facts import FilterModule, product_facts


def test_the_filter_has_the_name_of_its_file() -> None:
    assert FilterModule().filters() == {"_product_facts": product_facts}


def test_facts_of_clawdbot() -> None:
    assert product_facts("clawdbot", "2026.1.25") == {
        "title": "Clawdbot",
        "entry": "dist/entry.js",
        "node_version": "22.12.0",
        "node_range": "22",
        "package_json": {
            "private": True,
            "dependencies": {"clawdbot": "2026.1.25", "strip-ansi": "^7"},
            "overrides": {"libsignal": "npm:libsignal-node@2.0.1"},
        },
        "unit": "clawdbot-gateway",
        "state_dir": "~/.clawdbot",
        "config_name": "clawdbot.json",
        "variable_prefix": "CLAWDBOT",
    }
