# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the product keeps of a provider for each agent, and what is left of it without the provider.

C(models.json) is what the product has made of the config, with keys in plain text; a provider that leaves the config
stays in it (the product's agents/models-config.js). C(auth-profiles.json) holds keys that win over the config (its
agents/auth-profiles/store.js).
"""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_editor, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Change
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.removal import Removal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE, at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

MODELS = "models.json"
_PROFILES = "auth-profiles.json"


@dataclass(frozen=True)
class AgentEdit:
    """One file as it shall be, and what goes from it, as Ansible's callbacks take it. No secret is in C(diff)."""

    text: str = field(repr=False)
    diff: dict[str, str]


def paths(state_dir: str) -> list[str]:
    """Where the agents of a gateway may have such files, sorted; each folder is there, a file need not be."""
    folders = sorted(filter(os.path.isdir, glob.glob(os.path.join(glob.escape(state_dir), "agents", "*", "agent"))))
    return [os.path.join(folder, name) for folder in folders for name in (MODELS, _PROFILES)]


def edit(path: str, text: str, removal: Removal) -> AgentEdit:
    """The file without the providers. Raises ClawdbotError where it cannot be read."""
    try:
        value = json5_reader.loads(text)
    except json5_reader.Json5Error as exc:
        raise ClawdbotError(
            f"{path} cannot be read: {exc}. The product cannot read it either: mend it, or move it away. Nothing was "
            "changed."
        ) from exc
    find = _in_models if os.path.basename(path) == MODELS else _in_profiles
    gone = list(find(value, removal))
    before = "".join(f"{'.'.join(member)}=<{_fingerprint(at(value, member))}>\n" for member in gone)
    return AgentEdit(
        json5_editor.edit(text, [Change(member, REMOVE) for member in gone]),
        {"before_header": path, "after_header": path, "before": before, "after": ""},
    )


def _in_models(value: Any, removal: Removal) -> Iterator[tuple[str, ...]]:
    for provider in _members(value, "providers"):
        if removal.concerns(provider):
            yield "providers", provider


def _in_profiles(value: Any, removal: Removal) -> Iterator[tuple[str, ...]]:
    for profile, credential in _members(value, "profiles").items():
        provider = at(credential, ("provider",))
        if isinstance(provider, str) and removal.concerns(provider):
            yield "profiles", profile
            if profile in _members(value, "usageStats"):
                yield "usageStats", profile
    for section in ("order", "lastGood"):
        for provider in _members(value, section):
            if removal.concerns(provider):
                yield section, provider


def _members(value: Any, name: str) -> dict[str, Any]:
    members = at(value, (name,))
    return members if isinstance(members, dict) else {}


def _fingerprint(value: Any) -> str:
    return fingerprint(json.dumps(value, sort_keys=True))
