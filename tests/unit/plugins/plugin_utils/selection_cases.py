# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of a host that are right, and the selection of a host that has some of them changed."""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._selection import Selection, select
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._validation import Variables

MOONSHOT_KEY = "sk-moonshot-0123456789"
KIMI_KEY = "sk-kimi-0123456789"

COMPAT = {"supportsDeveloperRole": False, "supportsReasoningEffort": False, "supportsStore": False}
MOONSHOT_BLOCK = {
    "baseUrl": "https://api.moonshot.cn/v1",
    "api": "openai-completions",
    "models": [{"id": "kimi-k2.5", "name": "Kimi K2.5"}, {"id": "moonshot-v1-8k", "name": "Moonshot V1 8K"}],
}
KIMI_BLOCK = {
    "baseUrl": "https://api.kimi.com/coding/v1",
    "api": "openai-completions",
    "headers": {"User-Agent": "KimiCLI/0.77"},
    "models": [{"id": "kimi-for-coding", "name": "Kimi For Coding", "reasoning": True, "compat": COMPAT}],
}
GOOD: dict[str, Any] = {
    "enabled": ["moonshot", "kimicode"],
    "catalogue": {
        "moonshot": {"env_var": "MOONSHOT_API_KEY", "key_prefix": "sk-", "block": MOONSHOT_BLOCK},
        "kimicode": {"env_var": "KIMICODE_API_KEY", "key_prefix": "sk-", "block": KIMI_BLOCK},
    },
    "overrides": {},
    "api_keys": {"moonshot": MOONSHOT_KEY, "kimicode": KIMI_KEY},
    "aliases": {"k25": "moonshot/kimi-k2.5", "kimi": "kimicode/kimi-for-coding"},
    "default_model": "",
    "fallback_models": None,
    "product": "auto",
}


def selected(**changed: Any) -> Selection:
    return select(Variables(**{**copy.deepcopy(GOOD), **changed}))


def overridden(provider: str, **fields: Any) -> dict[str, Any]:
    return {"overrides": {provider: fields}}


VENDOR = {
    "env_var": "OTHER_API_KEY",
    "block": {"baseUrl": "http://127.0.0.1:8080", "models": [{"id": "m/1", "name": "M"}]},
}
