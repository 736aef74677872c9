# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Rules for the config and its copies: a reference replaces each key that `.env` holds, or should hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_editor, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import reference, references
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Change
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.key_files import ENTRY, key_reference
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import PROVIDERS
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE, at, members, string
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.key_shape import (
    can_be_key,
    has_vendor_prefix,
    shape_of,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import named_secrets

from .document_rules import (
    INSTEAD_OF_KEY,
    REMOVED,
    WHOSE,
    Context,
    Document,
    Examination,
    Rules,
    clean_comments,
    manual,
)
from .finding import Finding
from .known_keys import KeyStatus, KnownKeys

# Members that hold the key of a vendor, whatever it looks like: apiKey, OPENAI_API_KEY.
_API_KEY = re.compile(r"api_?key", re.IGNORECASE)

_RESTART = "Restart the gateway, which runs with an older .env. Then run clawfleet.clawdbot.purge."
_MOVE = "Move it to .env, and refer to its environment variable instead."


class _Occurrence(NamedTuple):
    """A key in a config."""

    place: tuple[str, ...]
    key: str
    status: KeyStatus
    variable: str | None
    #: Whether the replacement holds something else in its place.
    replaceable: bool = True


class _Member(NamedTuple):
    """A member of an object that holds keys, and what replaces its value."""

    path: tuple[str, ...]
    value: Any
    replacement: Any
    occurrences: Sequence[_Occurrence]


def _examine_config(document: Document, context: Context) -> Examination:
    private = any(True for _secret in named_secrets(document.value))
    examined = _examine(document, context.keys)
    findings, cleaned = list(examined.findings), examined.cleaned
    if not context.replaceable:
        findings = [manual(one, _RESTART) if one.purgeable else one for one in findings]
        cleaned = document.text
    return Examination([*findings, *_missing_references(document, context.keys)], (), cleaned, private)


def _examine_copy(document: Document, context: Context) -> Examination:
    """A backup may hold unknown keys: they are not managed."""
    examined = _examine(document, context.keys, is_copy=True)
    return replace(examined, findings=[finding for finding in examined.findings if finding.status != "unknown"])


def _old_values(value: Any, keys: KnownKeys) -> dict[str, str]:
    return {
        one.key: one.variable
        for member in _members(value, (), keys)
        for one in member.occurrences
        if one.status == "old" and one.variable
    }


CONFIG = Rules(json5_reader.loads, _examine_config, _old_values)
CONFIG_COPY = Rules(json5_reader.loads, _examine_copy, _old_values)


def _examine(document: Document, keys: KnownKeys, *, is_copy: bool = False) -> Examination:
    if at(document.value, ENTRY) is REMOVE:
        # A reference to the file with keys would lead nowhere.
        keys = replace(keys, in_file=frozenset())
    members = list(_members(document.value, (), keys))
    if is_copy:
        members = list(map(_without_known_keys, members))
    findings = [_finding(document.path, one) for member in members for one in member.occurrences]
    changes = [Change(member.path, member.replacement) for member in members if member.replacement != member.value]
    edited = json5_editor.edit(document.text, changes) if changes else document.text
    # People keep old keys in comments.
    commented, cleaned = clean_comments(document.path, edited, keys, json5_reader.loads)
    return Examination([*findings, *commented], (), cleaned)


def _without_known_keys(member: _Member) -> _Member:
    """A copy keeps no known key, also where nothing defines a reference to it: no gateway runs on it."""
    if all(one.replaceable or one.status == "unknown" for one in member.occurrences):
        return member
    cleaned = [one._replace(replaceable=True) for one in member.occurrences]
    return member._replace(replacement=REMOVED, occurrences=cleaned)


def _missing_references(document: Document, keys: KnownKeys) -> Iterator[Finding]:
    """What is in the place of a key, and neither a key nor a reference."""
    for provider in members(document.value, PROVIDERS):
        place = (*PROVIDERS, provider, "apiKey")
        text, variable = string(document.value, place), keys.variable_of(provider)
        if not text or references(text) or can_be_key(text):
            continue
        shape = shape_of(text)
        # A local server may be given anything.
        if variable is None and shape != "name":
            continue
        where = ".".join(place)
        message = f"{document.path} has {INSTEAD_OF_KEY[shape]} at {where}, in place of a reference."
        hint = f'Write "{reference(variable or text)}" there{", or run the role" if variable else ""}.'
        yield Finding("no_key", document.path, message, where, provider, hint=hint)


def _finding(path: str, found: _Occurrence) -> Finding:
    where = ".".join(found.place)
    subject = found.place[2] if found.place[:2] == PROVIDERS and len(found.place) > 2 else found.variable or ""
    message = f"{path} holds {WHOSE[found.status]} in plain text at {where}."
    finding = Finding("plain_text_key", path, message, where, subject, found.key, found.status, True)
    return finding if found.replaceable else manual(finding, _MOVE)


def _members(value: Any, path: tuple[str, ...], keys: KnownKeys) -> Iterator[_Member]:
    """The innermost members that hold keys: an array is one value."""
    for name, item in value.items() if isinstance(value, dict) else ():
        member = (*path, name)
        if isinstance(item, dict):
            yield from _members(item, member, keys)
        else:
            replacement, occurrences = _replaced(item, member, keys)
            if occurrences:
                yield _Member(member, item, replacement, occurrences)


def _replaced(value: Any, path: tuple[str, ...], keys: KnownKeys) -> tuple[Any, list[_Occurrence]]:
    """A value without keys, and the keys."""
    if isinstance(value, str):
        return _replaced_string(value, path, keys)
    if not isinstance(value, (dict, list)):
        return value, []
    items = value.items() if isinstance(value, dict) else ((str(index), item) for index, item in enumerate(value))
    replaced = {name: _replaced(item, (*path, name), keys) for name, item in items}
    occurrences = [one for _value, found in replaced.values() for one in found]
    if isinstance(value, list):
        return [new for new, _found in replaced.values()], occurrences
    return {name: new for name, (new, _found) in replaced.items() if new is not REMOVE}, occurrences


def _replaced_string(text: str, path: tuple[str, ...], keys: KnownKeys) -> tuple[Any, list[_Occurrence]]:
    provider = path[2] if path[:2] == PROVIDERS and len(path) > 3 else None
    own = keys.variable_of(provider)
    is_api_key = provider is not None and path[3:] == ("apiKey",) and can_be_key(text)
    # A known key is replaced wherever it is, also within a longer string.
    if is_api_key and (own is not None or not keys.find(text)):
        return _replaced_api_key(text, path, own, keys)
    if path[0] == "env" and path[-1] in keys.current and can_be_key(text):
        # `.env` has the variable too and takes precedence: this value is of no use.
        return REMOVE, [_Occurrence(path, text, keys.status(text, path[-1]), path[-1])]
    occurrences = []
    for match in reversed(keys.find(text)):
        variable = match.variable or own
        occurrences.append(_Occurrence(path, match.key, match.status, variable))
        text = text[: match.start] + _substitute(variable, keys) + text[match.end :]
    return text, occurrences or list(_keys_of_others(text, path))


def _replaced_api_key(
    text: str, path: tuple[str, ...], variable: str | None, keys: KnownKeys
) -> tuple[Any, list[_Occurrence]]:
    """The key of a provider; `variable` is None where the provider is not managed, and the key is not known."""
    if variable is not None:
        by_file = variable in keys.in_file and variable in keys.current
        # The running gateway must have what the config refers to.
        replaceable = by_file or _is_in_env(variable, keys)
        found = _Occurrence(path, text, keys.status(text, variable), variable, replaceable)
        return key_reference("file" if by_file else "env", variable) if replaceable else text, [found]
    return text, [_Occurrence(path, text, "unknown", None, replaceable=False)]


def _keys_of_others(text: str, path: tuple[str, ...]) -> Iterator[_Occurrence]:
    """The keys of vendors that are not managed, of plugins, skills, tools and channels."""
    for word in text.split():
        if has_vendor_prefix(word) or (_API_KEY.search(path[-1]) and can_be_key(word)):
            yield _Occurrence(path, word, "unknown", None, replaceable=False)


def _substitute(variable: str | None, keys: KnownKeys) -> str:
    return reference(variable) if variable and _is_in_env(variable, keys) else REMOVED


def _is_in_env(variable: str, keys: KnownKeys) -> bool:
    return variable in keys.current and variable not in keys.not_in_env
