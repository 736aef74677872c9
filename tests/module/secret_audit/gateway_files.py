# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A state directory with a key in every place that an audit knows, and how each file is once it is clean."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOW, OLD, KIMI = "sk-now-0123456789abcdef", "sk-old-0123456789abcdef", "sk-kimi-0123456789abcdef"
OLD_KEYS_FILE = ".clawdbot.json.clawfleet-old-keys"
REFERENCE = "${MOONSHOT_API_KEY}"


def config(key: str) -> str:
    return f"{{\n  // mine\n  models: {{ providers: {{ moonshot: {{ apiKey: '{key}', models: [] }} }} }},\n}}\n"


def models(**keys: str) -> str:
    return json.dumps({"providers": {name: {"apiKey": key, "models": []} for name, key in keys.items()}})


PROFILES = json.dumps({"version": 1, "profiles": {"moonshot:default": {"provider": "moonshot", "key": OLD}}})
AGENT, SESSIONS = "agents/main/agent", "agents/main/sessions"
#: Path -> text before and after a purge.
FILES: dict[str, tuple[str, str]] = {
    ".env": (f"MOONSHOT_API_KEY={NOW}\nKIMICODE_API_KEY={KIMI}\n",) * 2,
    ".env~": (f"MOONSHOT_API_KEY={OLD}\nA=b\n", "A=b\n"),
    "clawdbot.json": (config(NOW), config(REFERENCE)),
    "clawdbot.json.bak": (config(OLD), config(REFERENCE)),
    "clawdbot.json.bak.1": (config(REFERENCE),) * 2,
    f"{AGENT}/models.json": (models(moonshot=OLD, kimicode=KIMI), models(kimicode=KIMI)),
    f"{AGENT}/auth-profiles.json": (PROFILES, json.dumps({"version": 1, "profiles": {}})),
    f"{SESSIONS}/1.jsonl": (f'{{"text": "it is\\n{OLD}"}}\n', f'{{"text": "it is\\n{"*" * len(OLD)}"}}\n'),
    "logs/gateway.log": (f"{NOW} {NOW}\n{OLD}\n", f"{'*' * 23} {'*' * 23}\n{'*' * 23}\n"),
}


@dataclass(frozen=True)
class Gateway:
    """The state directory of a gateway."""

    state_dir: Path

    def arguments(self, **more: object) -> dict[str, object]:
        providers = {"moonshot": "MOONSHOT_API_KEY", "kimicode": "KIMICODE_API_KEY"}
        own = {"state_dir": str(self.state_dir), "service_manager": "command", "providers": providers}
        return {**own, **more}

    def lay_out(self, files: Mapping[str, str]) -> None:
        shutil.rmtree(self.state_dir, ignore_errors=True)
        for name, text in files.items():
            path = self.state_dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o600)
        self.state_dir.chmod(0o700)

    def files(self) -> dict[str, str]:
        """Name to text."""
        paths = [path for path in sorted(self.state_dir.rglob("*")) if path.is_file()]
        return {str(path.relative_to(self.state_dir)): path.read_text() for path in paths}

    def modes(self) -> dict[str, int]:
        return {str(path.relative_to(self.state_dir)): path.stat().st_mode for path in self.state_dir.rglob("*")}


BEFORE = {name: before for name, (before, _after) in FILES.items()}
AFTER = {name: after for name, (_before, after) in FILES.items()}


Run = Callable[..., dict[str, Any]]


def places(findings: list[dict[str, Any]], gateway: Gateway) -> list[tuple[str, str, str, str]]:
    """Kind, file, where and status of each."""
    return [
        (one["kind"], os.path.relpath(one["place"], gateway.state_dir), one["where"], one["status"]) for one in findings
    ]


#: `places` of all findings of `BEFORE`.
FOUND = [
    ("plain_text_key", "clawdbot.json", "models.providers.moonshot.apiKey", "current"),
    ("plain_text_key", "clawdbot.json.bak", "models.providers.moonshot.apiKey", "old"),
    ("plain_text_key", ".env~", "MOONSHOT_API_KEY", "old"),
    ("old_key", f"{AGENT}/models.json", "providers.moonshot.apiKey", "old"),
    ("auth_profile", f"{AGENT}/auth-profiles.json", "profiles.moonshot:default", "old"),
    ("plain_text_key", f"{SESSIONS}/1.jsonl", "line 1", "old"),
    ("plain_text_key", "logs/gateway.log", "line 1", "current"),
    ("plain_text_key", "logs/gateway.log", "line 2", "old"),
]
