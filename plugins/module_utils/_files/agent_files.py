# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The files that Clawdbot and OpenClaw keep for each agent: how to find, parse and change them.

`models.json` is what the gateway has made of the config, with keys in plain text. A provider that is removed from the
config stays in it (the product's agents/models-config.js). `auth-profiles.json` holds keys that override the config
(its agents/auth-profiles/store.js).
"""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_editor, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import references
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Change
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import agents
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import Removal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import (
    REMOVE,
    at,
    elements,
    members,
    string,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

MODELS = "models.json"
AUTH_PROFILES = "auth-profiles.json"

# In place of a key (OpenClaw's config/types.secrets.ts).
_REFERENCE = re.compile(r"\$(?:\{([A-Z][A-Z0-9_]*)\}|([A-Z][A-Z0-9_]*))\Z")


@dataclass(frozen=True)
class ModelsEntry:
    """A provider of a `models.json`."""

    #: As the file spells it.
    provider: str
    #: Empty where there is none.
    api_key: str = field(repr=False)
    model_ids: tuple[str, ...]
    #: The whole entry.
    value: Any = field(repr=False)


@dataclass(frozen=True)
class AuthProfile:
    """A profile of an `auth-profiles.json`. Members are as the file has them, empty where it has no such string."""

    id: str
    #: As the file spells it.
    provider: str
    #: `api_key`, `token` or `oauth`.
    type: str
    key: str = field(repr=False)
    token: str = field(repr=False)
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    #: Of a profile that only refers to its key or token: the environment variable that holds it, empty where something
    #: else does. None where the profile does not refer. Only OpenClaw follows references.
    variable: str | None
    #: When `token` expires, in milliseconds since the epoch, `None` for never.
    expires: float | None


@dataclass(frozen=True)
class AuthProfiles:
    """An `auth-profiles.json`."""

    #: By id.
    profiles: Mapping[str, AuthProfile]
    #: Provider, as the file spells it -> the ids of its profiles in their order. Without empty lists.
    order: Mapping[str, Sequence[str]]
    #: Provider, as the file spells it -> the id of the profile that worked last.
    last_good: Mapping[str, str]
    #: The ids of profiles of which the file counts the use.
    used: frozenset[str]


@dataclass(frozen=True)
class AgentFilePlan:
    """The desired content of a file, and a diff without secrets, as Ansible's callbacks take it."""

    text: str = field(repr=False)
    diff: dict[str, str]


def directories(state_dir: str) -> list[str]:
    """Return the directories of a gateway's agents, sorted."""
    return sorted(filter(os.path.isdir, glob.glob(os.path.join(glob.escape(state_dir), "agents", "*", "agent"))))


def agent_directories(state_dir: str, config: Any) -> dict[str, str]:
    """Return the directory of each agent -> its id, empty for none: in the state directory, and where a config says."""
    found = {directory: os.path.basename(os.path.dirname(directory)) for directory in directories(state_dir)}
    for _place, name, agent in agents(config):
        directory = string(agent, ("agentDir",))
        if directory:
            found[os.path.abspath(os.path.expanduser(directory))] = name or ""
    return dict(sorted(found.items()))


def paths(state_dir: str) -> list[str]:
    """Return the paths of the agents' files, sorted. The directories exist, the files need not."""
    return [os.path.join(directory, name) for directory in directories(state_dir) for name in (MODELS, AUTH_PROFILES)]


def parse_models(value: Any) -> list[ModelsEntry]:
    """Return the providers in the value of a `models.json`. Parts of an unexpected type are left out."""
    return [
        ModelsEntry(
            name,
            _plain(entry, "apiKey"),
            tuple(filter(None, (string(model, ("id",)) for model in elements(entry, ("models",))))),
            entry,
        )
        for name, entry in members(value, ("providers",)).items()
    ]


def parse_auth_profiles(value: Any) -> AuthProfiles:
    """Return the parts of the value of an `auth-profiles.json`. Parts of an unexpected type are left out."""
    orders = {
        provider: list(filter(None, map(string, ids)))
        for provider, ids in members(value, ("order",)).items()
        if isinstance(ids, list)
    }
    return AuthProfiles(
        {id_: _profile(id_, entry) for id_, entry in members(value, ("profiles",)).items() if isinstance(entry, dict)},
        {provider: ids for provider, ids in orders.items() if ids},
        {provider: id_ for provider, id_ in members(value, ("lastGood",)).items() if isinstance(id_, str)},
        frozenset(members(value, ("usageStats",))),
    )


def plan_agent_file(path: str, text: str, removal: Removal) -> AgentFilePlan:
    """Plan a file without the providers. Raises `ClawdbotError` if it cannot be read."""
    try:
        value = json5_reader.loads(text)
    except json5_reader.Json5Error as exc:
        raise ClawdbotError(
            f"{path} cannot be read: {exc}. The gateway cannot read it either: repair it, or move it away."
        ) from exc
    find = _in_models if os.path.basename(path) == MODELS else _in_auth_profiles
    gone = list(find(value, removal))
    before = "".join(f"{'.'.join(member)}=<{_fingerprint(at(value, member))}>\n" for member in gone)
    return AgentFilePlan(
        json5_editor.edit(text, [Change(member, REMOVE) for member in gone]),
        {"before_header": path, "after_header": path, "before": before, "after": ""},
    )


def _profile(id_: str, entry: Mapping[str, Any]) -> AuthProfile:
    expires = entry.get("expires")
    return AuthProfile(
        id=id_,
        provider=_plain(entry, "provider"),
        type=_plain(entry, "type"),
        key=_plain(entry, "key"),
        token=_plain(entry, "token"),
        access=_plain(entry, "access"),
        refresh=_plain(entry, "refresh"),
        variable=_referred(entry, "token" if entry.get("type") == "token" else "key"),
        expires=expires if isinstance(expires, (int, float)) and expires > 0 else None,
    )


def _referred(entry: Mapping[str, Any], name: str) -> str | None:
    """Return the environment variable to which a member as `keyRef` refers, or `key` itself: `${NAME}` or `$NAME`."""
    if isinstance(entry.get(f"{name}Ref"), dict):
        return next(iter(references(entry[f"{name}Ref"])), "")
    match = _REFERENCE.match(string(entry, (name,)))
    return (match.group(1) or match.group(2)) if match else None


def _in_models(value: Any, removal: Removal) -> Iterator[tuple[str, ...]]:
    for entry in parse_models(value):
        if removal.concerns(entry.provider):
            yield "providers", entry.provider


def _in_auth_profiles(value: Any, removal: Removal) -> Iterator[tuple[str, ...]]:
    file = parse_auth_profiles(value)
    for profile in file.profiles.values():
        if removal.concerns(profile.provider):
            yield "profiles", profile.id
            if profile.id in file.used:
                yield "usageStats", profile.id
    for section in ("order", "lastGood"):
        for provider in members(value, (section,)):
            if removal.concerns(provider):
                yield section, provider


def _plain(entry: Any, name: str) -> str:
    """Return a member that is a string as it is: a key with white space around it is another key to a search."""
    value = at(entry, (name,))
    return value if isinstance(value, str) else ""


def _fingerprint(value: Any) -> str:
    return fingerprint(json.dumps(value, sort_keys=True))
