# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Rules for the files that the gateway keeps for each agent: `models.json` and `auth-profiles.json`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_editor, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Change
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import provider_id
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE, strings
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.agent_files import (
    AuthProfile,
    AuthProfiles,
    ModelsEntry,
    parse_auth_profiles,
    parse_models,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.key_shape import can_be_key, shape_of

from .document_rules import INSTEAD_OF_KEY, WHOSE, Context, Document, Examination, Rules, manual, purgeable
from .finding import Finding
from .known_keys import KnownKeys, Match

_LOGIN = "Remove it with the gateway's CLI, or from the file."


def _examine_models(document: Document, context: Context) -> Examination:
    """A provider with an old key is removed: the gateway enters it again, with the key of the config."""
    findings: list[Finding] = []
    notes: list[Finding] = []
    removed: list[str] = []
    for entry in parse_models(document.value):
        found = _api_key_finding(document.path, entry, context)
        if found is not None:
            (notes if found.status == "current" else findings).append(found)
        # Other members may hold copies of a key, as headers.
        match = None if found is not None and found.purgeable else next(_old_matches(entry.value, context.keys), None)
        if match is not None:
            findings.append(_old_copy_finding(document.path, entry.provider, match))
        if match is not None or (found is not None and found.purgeable):
            removed.append(entry.provider)
    changes = [Change(("providers", provider), REMOVE) for provider in removed]
    return Examination(findings, notes, _edited(document.text, changes), private=True)


def _api_key_finding(path: str, entry: ModelsEntry, context: Context) -> Finding | None:
    key, provider = entry.api_key, entry.provider
    if not can_be_key(key):
        return None
    variable = context.keys.variable_of(provider)
    status = context.keys.status(key, variable)
    where, message = f"providers.{provider}.apiKey", f"{path} holds {WHOSE[status]} of {provider}."
    if status == "old":
        return Finding("old_key", path, message, where, provider, key, status, purgeable=True)
    if status == "current":
        hint = "The gateway keeps it there by itself."
        return Finding("plain_text_key", path, message, where, provider, key, status, hint=hint)
    if variable is None and provider_id(provider, context.keys.spellings) not in context.expected_providers:
        message = f"{path} holds a key of {provider}, which is not in the config."
        hint = "Remove the provider with clawfleet.clawdbot.remove, or its entry from the file."
        return Finding("old_key", path, message, where, provider, key, status, hint=hint)
    return None


def _old_copy_finding(path: str, provider: str, match: Match) -> Finding:
    message = f"{path} holds {WHOSE['old']} of {provider}."
    return Finding("old_key", path, message, f"providers.{provider}", provider, match.key, "old", purgeable=True)


def _old_values_in_models(value: Any, keys: KnownKeys) -> dict[str, str]:
    return dict(_old_values(((entry.provider, entry.api_key) for entry in parse_models(value)), keys))


def _old_values(held: Iterable[tuple[str, str]], keys: KnownKeys) -> Iterator[tuple[str, str]]:
    """The old ones of pairs of provider and key, as pairs of key and environment variable."""
    for provider, key in held:
        variable = keys.variable_of(provider)
        if variable and keys.status(key, variable) == "old":
            yield key, variable


def _old_matches(value: Any, keys: KnownKeys) -> Iterator[Match]:
    return (match for text in strings(value) for match in keys.find(text) if match.status == "old")


def _examine_profiles(document: Document, context: Context) -> Examination:
    """A profile of a managed provider overrides its environment variable, whatever it holds."""
    file = parse_auth_profiles(document.value)
    findings = []
    for profile in file.profiles.values():
        found = profile_finding(document.path, profile, context.keys)
        if found is not None:
            findings.append((profile.id, found))
    removed = [id_ for id_, found in findings if found.purgeable]
    edited = _edited(document.text, list(_profile_changes(file, removed)))
    return Examination([found for _id, found in findings], (), edited, private=True)


def profile_finding(path: str, profile: AuthProfile, keys: KnownKeys) -> Finding | None:
    """Return the finding for an auth profile in a file or database, None where there is none."""
    variable, key = keys.variable_of(profile.provider), _profile_key(profile)
    if profile.variable is not None and variable is not None:
        return _reference_finding(path, profile, profile.variable, variable, keys)
    status = keys.status(key, variable) if key else "unknown"
    if variable is None and status != "old":
        return None
    held = "a login" if not key else WHOSE[status] if can_be_key(key) else INSTEAD_OF_KEY[shape_of(key)]
    message = f"The auth profile {profile.id} in {path} holds {held}"
    where, found = f"profiles.{profile.id}", key if can_be_key(key) else ""
    if variable is None:
        finding = Finding("old_key", path, f"{message}.", where, profile.provider, found, status)
    else:
        message = (
            f"{message} {'of' if can_be_key(key) or not key else 'for'} {profile.provider} and overrides {variable}."
        )
        finding = Finding("auth_profile", path, message, where, profile.provider, found, status)
    return purgeable(finding) if _is_removable(profile) else manual(finding, _LOGIN)


def _reference_finding(
    path: str, profile: AuthProfile, referred: str, variable: str, keys: KnownKeys
) -> Finding | None:
    """A profile that refers to its key is fine where it refers to the variable itself, or to another with its key."""
    current = keys.current.get(referred)
    if referred == variable or (current is not None and current == keys.current.get(variable)):
        return None
    message = (
        f"The auth profile {profile.id} in {path} refers to {referred or 'another place'} for {profile.provider} and "
        f"overrides {variable}."
    )
    return Finding("auth_profile", path, message, f"profiles.{profile.id}", profile.provider, hint=_LOGIN)


def _old_values_in_profiles(value: Any, keys: KnownKeys) -> dict[str, str]:
    return old_values_of(parse_auth_profiles(value), keys)


def old_values_of(profiles: AuthProfiles, keys: KnownKeys) -> dict[str, str]:
    """Return the old keys in auth profiles: key -> environment variable."""
    removable = filter(_is_removable, profiles.profiles.values())
    return dict(_old_values(((profile.provider, _profile_key(profile)) for profile in removable), keys))


def _profile_key(profile: AuthProfile) -> str:
    return profile.key or profile.token


def _is_removable(profile: AuthProfile) -> bool:
    """Whether a purge may remove a profile: a login is left to a person, and so is what cannot be a key."""
    return can_be_key(_profile_key(profile)) and profile.type != "oauth"


def _profile_changes(file: AuthProfiles, removed: Sequence[str]) -> Iterator[Change]:
    for id_ in removed:
        yield Change(("profiles", id_), REMOVE)
        if id_ in file.used:
            yield Change(("usageStats", id_), REMOVE)
    for provider, last in file.last_good.items():
        if last in removed:
            yield Change(("lastGood", provider), REMOVE)
    for provider, order in file.order.items():
        if any(id_ in removed for id_ in order):
            yield Change(("order", provider), [id_ for id_ in order if id_ not in removed] or REMOVE)


MODELS = Rules(json5_reader.loads, _examine_models, _old_values_in_models)
PROFILES = Rules(json5_reader.loads, _examine_profiles, _old_values_in_profiles)


def _edited(text: str, changes: Sequence[Change]) -> str:
    return json5_editor.edit(text, changes) if changes else text
