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
        "version": "2026.1.25",
        "entry": "dist/entry.js",
        "node_prose": "22.12.0 or later",
        "node_range": "22",
        "package_json": {
            "private": True,
            "dependencies": {"clawdbot": "2026.1.25", "strip-ansi": "^7"},
            "overrides": {"libsignal": "npm:libsignal-node@2.0.1"},
        },
        "scripts_of": "",
        "converted_state": [],
        "check_args": ["config", "get", "agents.defaults.maxConcurrent"],
        "service_settings": ["TimeoutStopSec=30"],
        "opens_with_openat2": False,
        "requested_plugins": [],
        "unit": "clawdbot-gateway",
        "state_dir": "~/.clawdbot",
        "config_name": "clawdbot.json",
        "variable_prefix": "CLAWDBOT",
    }


def test_facts_of_openclaw() -> None:
    assert product_facts("openclaw", "") == {
        "title": "OpenClaw",
        "version": "2026.9.6",
        "entry": "openclaw.mjs",
        "node_prose": "24.16.0 or later below 25, or 26.1.0 or later",
        "node_range": "24",
        "package_json": {
            "private": True,
            "dependencies": {"openclaw": "2026.9.6"},
            "overrides": {},
        },
        "scripts_of": "openclaw",
        "converted_state": ["state", "agents", "npm"],
        "check_args": ["config", "validate", "--json"],
        "service_settings": ["RestartPreventExitStatus=78", "SuccessExitStatus=0 143", "TimeoutStopSec=330"],
        "opens_with_openat2": True,
        "requested_plugins": ["moonshot", "kimi"],
        "unit": "openclaw-gateway",
        "state_dir": "~/.openclaw",
        "config_name": "openclaw.json",
        "variable_prefix": "OPENCLAW",
    }
