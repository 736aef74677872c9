# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a gateway before and after a run of provider_config, and how to run it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COLLECTIONS = Path(__file__).parents[3] / ".cache" / "collections"

OLD_KEY = "sk-old-0123456789abcdef"
NEW_KEY = "sk-new-0123456789abcdef"
OTHERS_KEY = "sk-others-0123456789abcdef"

OLD_CONFIG = b"""// written by hand
{
  gateway: { port: 18789, auth: { token: 'a-token-of-the-gateway' } }, // stays
  models: {
    mode: 'merge',
    providers: {
      other: { baseUrl: 'https://other.example/v1', apiKey: '${OTHER_API_KEY}', models: [] },
    },
  },
}
"""
OLD_ENV = f"# mine\nOTHER_API_KEY={OTHERS_KEY}\nMOONSHOT_API_KEY={OLD_KEY}\n".encode()
ENV_WITHOUT = f"# mine\nOTHER_API_KEY={OTHERS_KEY}\n".encode()
NEW_ENV = f"# mine\nOTHER_API_KEY={OTHERS_KEY}\nMOONSHOT_API_KEY={NEW_KEY}\n".encode()

BLOCK = {
    "baseUrl": "https://api.moonshot.cn/v1",
    "apiKey": "${MOONSHOT_API_KEY}",
    "models": [{"id": "kimi-k2.5", "name": "Kimi K2.5"}],
}
NEW_CONFIG = OLD_CONFIG.replace(
    b"models: [] },\n",
    b"""models: [] },
      moonshot: {
        baseUrl: 'https://api.moonshot.cn/v1',
        apiKey: '${MOONSHOT_API_KEY}',
        models: [
          {
            id: 'kimi-k2.5',
            name: 'Kimi K2.5',
          },
        ],
      },
""",
)

CONFIG, ENV, JOURNAL = "clawdbot.json", ".env", ".clawdbot.json.clawfleet-journal"
DATES = ".clawdbot.json.clawfleet-key-dates"


@dataclass(frozen=True)
class Gateway:
    """The directory of a gateway, with its two files."""

    directory: Path

    @property
    def config(self) -> Path:
        return self.directory / CONFIG

    @property
    def env(self) -> Path:
        return self.directory / ENV

    def arguments(self, **more: object) -> dict[str, object]:
        """The module's arguments that change the old files to the new ones."""
        wanted = {"providers": {"moonshot": BLOCK}, "env": {"MOONSHOT_API_KEY": NEW_KEY}}
        return {"config_path": str(self.config), "env_path": str(self.env), **wanted, **more}

    def reset(self) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.config.write_bytes(OLD_CONFIG)
        self.config.chmod(0o640)
        self.env.write_bytes(OLD_ENV)
        self.env.chmod(0o600)

    def files(self) -> dict[str, bytes]:
        """Return name and content of all but the dates of keys in the directory; a directory in it has no content."""
        found = (path for path in sorted(self.directory.iterdir()) if path.name != DATES)
        return {path.name: path.read_bytes() if path.is_file() else b"" for path in found}

    def dated_keys(self) -> list[str]:
        """Return the fingerprints in the record of the dates of keys, in their order."""
        path = self.directory / DATES
        logs = json.loads(path.read_text()) if path.exists() else {}
        return [entry["key"] for log in logs.values() for entry in log]


@dataclass(frozen=True)
class Ran:
    """Exit code, result and everything printed by one run of the module."""

    code: int
    result: Mapping[str, Any]
    printed: str

    @property
    def changes(self) -> tuple[bool, bool, bool, bool]:
        assert self.code == 0, self.result
        return (*(self.result[f"{what}changed"] for what in ("", "config_", "env_")), self.result["unconfirmed"])


Run = Callable[..., Ran]


def shell(script: str) -> list[str]:
    """A checker that is a shell script: $1 is the temporary file, $2 the scratch directory."""
    return ["/bin/sh", "-euc", script, "sh", "%s", "%d"]


def driver(arguments: Mapping[str, object]) -> list[str]:
    """A process of its own that is the module."""
    script = (
        f"import json, sys; sys.path.insert(0, {str(COLLECTIONS)!r})\n"
        "from ansible.module_utils.testing import patch_module_args\n"
        "from ansible_collections.clawfleet.clawdbot.plugins.modules import provider_config\n"
        "with patch_module_args(json.loads(sys.argv[1])):\n"
        "    provider_config.main()\n"
    )
    return [sys.executable, "-c", script, json.dumps(arguments)]
