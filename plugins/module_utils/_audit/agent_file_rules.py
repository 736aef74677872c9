# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Rules for the files that the gateway keeps for each agent: `models.json` and `auth-profiles.json`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_editor, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import VARIABLE_NAME
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Change
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import provider_id
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE, at, members, strings
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from .document_rules import WHOSE, Context, Document, Examination, Rules, manual, purgeable
from .finding import Finding
from .known_keys import KnownKeys, Match

_LOGIN = "Remove it with the gateway's CLI, or from the file."


def _examine_models(document: Document, context: Context) -> Examination:
    """A provider with an old key is removed: the gateway enters it again, with the key of the config."""
    findings: list[Finding] = []
    notes: list[Finding] = []
    removed: list[str] = []
    for provider, entry in members(document.value, ("providers",)).items():
        found = _api_key_finding(document.path, provider, entry, context)
        if found is not None:
            (notes if found.status == "current" else findings).append(found)
        # Other members may hold copies of a key, as headers.
        match = None if found is not None and found.purgeable else next(_old_matches(entry, context.keys), None)
        if match is not None:
            findings.append(_old_copy_finding(document.path, provider, match))
        if match is not None or (found is not None and found.purgeable):
            removed.append(provider)
    changes = [Change(("providers", provider), REMOVE) for provider in removed]
    return Examination(findings, notes, _edited(document.text, changes), private=True)


def _api_key_finding(path: str, provider: str, entry: Any, context: Context) -> Finding | None:
    key = _api_key(entry)
    if key is None:
        return None
    variable = context.keys.variable_of(provider)
    status = context.keys.status(key, variable)
    where, message = f"providers.{provider}.apiKey", f"{path} holds {WHOSE[status]} of {provider}."
    if status == "old":
        return Finding("old_key", path, message, where, provider, fingerprint(key), status, purgeable=True)
    if status == "current":
        hint = "The gateway keeps it there by itself."
        return Finding("plain_text_key", path, message, where, provider, fingerprint(key), status, hint=hint)
    if variable is None and provider_id(provider, context.keys.spellings) not in context.expected_providers:
        message = f"{path} holds a key of {provider}, which is not in the config."
        hint = "Remove the provider with clawfleet.clawdbot.remove, or its entry from the file."
        return Finding("old_key", path, message, where, provider, fingerprint(key), status, hint=hint)
    return None


def _old_copy_finding(path: str, provider: str, match: Match) -> Finding:
    message = f"{path} holds {WHOSE['old']} of {provider}."
    place, print_ = f"providers.{provider}", fingerprint(match.key)
    return Finding("old_key", path, message, place, provider, print_, "old", purgeable=True)


def _old_values_in_models(value: Any, keys: KnownKeys) -> dict[str, str]:
    found: dict[str, str] = {}
    for provider, entry in members(value, ("providers",)).items():
        key, variable = _api_key(entry), keys.variable_of(provider)
        if key and variable and keys.status(key, variable) == "old":
            found[key] = variable
    return found


def _api_key(entry: Any) -> str | None:
    """The key of a provider; None where it has none, or where the name of a variable is in its place."""
    key = at(entry, ("apiKey",))
    return key if isinstance(key, str) and key and not VARIABLE_NAME.match(key) else None


def _old_matches(value: Any, keys: KnownKeys) -> Iterator[Match]:
    return (match for text in strings(value) for match in keys.find(text) if match.status == "old")


class _Profile(NamedTuple):
    name: str
    #: As the file has it.
    provider: Any
    key: str | None
    #: Whether a purge may remove it: a login is left to a person.
    removable: bool


def _examine_profiles(document: Document, context: Context) -> Examination:
    """A profile of a managed provider overrides its environment variable, whatever it holds."""
    findings = []
    for profile in _profiles(document.value):
        found = _profile_finding(document.path, profile, context.keys)
        if found is not None:
            findings.append((profile.name, found))
    removed = [name for name, found in findings if found.purgeable]
    changes = [change for name in removed for change in _profile_changes(document.value, name)]
    changes += _order_changes(document.value, removed)
    return Examination([found for _name, found in findings], (), _edited(document.text, changes), private=True)


def _profile_finding(path: str, profile: _Profile, keys: KnownKeys) -> Finding | None:
    variable, key = keys.variable_of(profile.provider), profile.key
    status = "unknown" if key is None else keys.status(key, variable)
    if variable is None and status != "old":
        return None
    held = "a login" if key is None else WHOSE[status]
    message = f"The auth profile {profile.name} in {path} holds {held}"
    where, print_ = f"profiles.{profile.name}", "" if key is None else fingerprint(key)
    if variable is None:
        finding = Finding("old_key", path, f"{message}.", where, str(profile.provider), print_, status)
    else:
        message = f"{message} of {profile.provider} and overrides {variable}."
        finding = Finding("auth_profile", path, message, where, str(profile.provider), print_, status)
    return purgeable(finding) if profile.removable else manual(finding, _LOGIN)


def _old_values_in_profiles(value: Any, keys: KnownKeys) -> dict[str, str]:
    found: dict[str, str] = {}
    for profile in _profiles(value):
        variable = keys.variable_of(profile.provider)
        if profile.removable and profile.key and variable and keys.status(profile.key, variable) == "old":
            found[profile.key] = variable
    return found


def _profiles(value: Any) -> Iterator[_Profile]:
    for name, credential in members(value, ("profiles",)).items():
        held = (at(credential, (member,)) for member in ("key", "token"))
        key = next((one for one in held if isinstance(one, str) and one), None)
        login = key is None or at(credential, ("type",)) == "oauth"
        yield _Profile(name, at(credential, ("provider",)), key, removable=not login)


def _profile_changes(value: Any, name: str) -> Iterator[Change]:
    yield Change(("profiles", name), REMOVE)
    if name in members(value, ("usageStats",)):
        yield Change(("usageStats", name), REMOVE)
    for provider, last in members(value, ("lastGood",)).items():
        if last == name:
            yield Change(("lastGood", provider), REMOVE)


def _order_changes(value: Any, removed: Sequence[str]) -> Iterator[Change]:
    for provider, order in members(value, ("order",)).items():
        if isinstance(order, list) and any(name in removed for name in order):
            yield Change(("order", provider), [name for name in order if name not in removed] or REMOVE)


MODELS = Rules(json5_reader.loads, _examine_models, _old_values_in_models)
PROFILES = Rules(json5_reader.loads, _examine_profiles, _old_values_in_profiles)


def _edited(text: str, changes: Sequence[Change]) -> str:
    return json5_editor.edit(text, changes) if changes else text
