# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What each kind of file of a gateway says to an audit, and what it is without it: decided from its text alone.

C(path) is for the findings; what is raised is a Json5Error or an EnvFileError, where a text is not what it should be.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_editor, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import (
    VARIABLE_NAME,
    is_reference,
    reference,
    references,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Change
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import PROVIDERS, provider_id
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE, at, strings
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint, is_secret_name

from .finding import Finding, FindingKind
from .known_keys import KeyStatus, KnownKeys, Match

#: What takes the place of a key where nothing else can be said for it.
REMOVED = "removed"

# A literal of another provider that is shorter is what local servers get in place of a key, as ollama-local.
_SHORTEST_FOREIGN_KEY = 16
_WHOSE = {"current": "the current key", "old": "a key that is not the current one", "unknown": "a key"}
_ASSIGNED = re.compile(r"^\s*Environment=(.*)$")

_RESTART = "Restart the gateway, which is on older variables; then it can be cleaned."
_RUN_THE_ROLE = "Run the role: it writes the key of the inventory."


@dataclass(frozen=True)
class Examination:
    """What was found in one text."""

    findings: Sequence[Finding] = ()
    #: What is as it should be, and worth knowing.
    notes: Sequence[Finding] = ()
    #: The text without what can be purged; the same text where there is nothing of that kind.
    cleaned: str = field(default="", repr=False)
    #: Keys that stood where the current key of a variable belongs -> that variable.
    old_values: Mapping[str, str] = field(default_factory=dict, repr=False)


def config(path: str, text: str, keys: KnownKeys, *, replaceable: bool) -> Examination:
    """The gateway's config. C(replaceable): whether the running process has the variables, so that the references may
    come back; a running gateway refuses its whole config for one that it does not have."""
    look = _document(path, text, keys)
    if replaceable:
        return look
    return replace(look, findings=[_not_ours(finding, _RESTART) for finding in look.findings], cleaned=text)


def config_copy(path: str, text: str, keys: KnownKeys) -> Examination:
    """A backup of the config: it stays one, with references in place of the keys."""
    look = _document(path, text, keys)
    # A backup may hold whatever it likes of what is not managed.
    return replace(look, findings=[finding for finding in look.findings if finding.status != "unknown"])


def models(path: str, text: str, keys: KnownKeys, expected: Collection[str]) -> Examination:
    """A C(models.json). C(expected) are the providers, in lower case, that the product keeps in it by itself."""
    value = json5_reader.loads(text)
    findings: list[Finding] = []
    notes: list[Finding] = []
    gone: list[Change] = []
    old_values: dict[str, str] = {}
    for provider, entry in _members(value, "providers").items():
        variable = keys.variable_of(provider)
        key = at(entry, ("apiKey",))
        if not isinstance(key, str) or not key or VARIABLE_NAME.match(key):
            continue
        status = keys.status(key, variable)
        where = f"providers.{provider}.apiKey"
        message = f"{path} holds {_WHOSE[status]} of {provider}."
        kind: FindingKind = "plain_text_key" if status == "current" else "old_key"
        seen = Finding(kind, path, message, where, provider, fingerprint(key), status, purgeable=True)
        if status == "current":
            notes.append(_not_ours(seen, "The product keeps it there by itself."))
        elif status == "old":
            gone.append(Change(("providers", provider), REMOVE))
            old_values.update({key: variable} if variable else {})
            findings.append(seen)
        elif variable is None and provider_id(provider, keys.spellings) not in expected:
            message = f"{path} holds a key of {provider}, which the config does not have."
            hint = "Remove the provider with clawfleet.clawdbot.remove, or its entry there."
            findings.append(_not_ours(replace(seen, message=message), hint))
    # Copies in other members, as headers, that the product makes of the config as well.
    left = json5_editor.edit(text, gone)
    for provider, entry in _members(json5_reader.loads(left), "providers").items():
        for match in _old_matches(entry, keys):
            gone.append(Change(("providers", provider), REMOVE))
            message = f"{path} holds {_WHOSE['old']} of {provider}."
            place, print_ = f"providers.{provider}", fingerprint(match.key)
            findings.append(Finding("old_key", path, message, place, provider, print_, "old", purgeable=True))
            break
    return Examination(findings, notes, json5_editor.edit(text, gone), old_values)


def profiles(path: str, text: str, keys: KnownKeys) -> Examination:
    """An C(auth-profiles.json): a profile of a managed provider wins over its variable, whatever is in it."""
    value = json5_reader.loads(text)
    findings: list[Finding] = []
    gone: list[str] = []
    old_values: dict[str, str] = {}
    for name, credential in _members(value, "profiles").items():
        provider, kind = at(credential, ("provider",)), at(credential, ("type",))
        variable = keys.variable_of(provider)
        held = [key for member in ("key", "token") if isinstance(key := at(credential, (member,)), str) and key]
        status = keys.status(held[0], variable) if held else "unknown"
        if variable is None and status != "old":
            continue
        print_ = fingerprint(held[0]) if held else ""
        purgeable = bool(held) and kind != "oauth"
        kind_of_finding: FindingKind = "old_key" if variable is None else "auth_profile"
        if variable is None:
            message = f"The auth profile {name} in {path} holds {_WHOSE['old']}."
        else:
            what = _WHOSE[status] if held else "a login"
            message = f"The auth profile {name} in {path} holds {what} of {provider} and wins over {variable}."
        if purgeable:
            gone.append(name)
            if status == "old" and variable:
                old_values[held[0]] = variable
        finding = Finding(kind_of_finding, path, message, f"profiles.{name}", str(provider), print_, status)
        findings.append(
            _purgeable(finding) if purgeable else _not_ours(finding, "Remove it with the product, or there.")
        )
    changes = [change for name in gone for change in _without_profile(value, name)]
    changes += _order_changes(value, gone)
    return Examination(findings, (), json5_editor.edit(text, changes), old_values)


def env(path: str, text: str, keys: KnownKeys, wanted: Mapping[str, str]) -> Examination:
    """The gateway's C(.env). C(wanted): variable -> the fingerprint of the key that it shall hold."""
    values = dotenv.loads(text)
    findings: list[Finding] = []
    for variable, value in values.items():
        if not value:
            continue
        print_ = fingerprint(value)
        managed = variable in keys.current
        if (managed and print_ != wanted.get(variable, print_)) or print_ in keys.old:
            message = f"{path} holds {_WHOSE['old']} in {variable}."
            hint = _RUN_THE_ROLE if managed else "Take the variable out of it."
            findings.append(Finding("old_key", path, message, variable, variable, print_, "old", hint=hint))
        elif not managed and keys.status(value) != "unknown":
            status = keys.status(value)
            message = f"{path} holds {_WHOSE[status]} of another variable in {variable}."
            hint = "Take the variable out of it."
            findings.append(Finding("plain_text_key", path, message, variable, variable, print_, status, hint=hint))
    commented = _unread(path, text, keys, dotenv.loads)
    return Examination([*findings, *commented.findings], (), commented.cleaned)


def env_copy(path: str, text: str, keys: KnownKeys) -> Examination:
    """A copy of a C(.env): it loses the variables with keys that are known, and those that are managed."""
    findings: list[Finding] = []
    gone: dict[str, None] = {}
    for variable, value in dotenv.loads(text).items():
        status = keys.status(value, variable if variable in keys.current else None)
        if value and status != "unknown":
            gone[variable] = None
            message = f"{path}, a copy of the .env, holds {_WHOSE[status]} in {variable}."
            print_ = fingerprint(value)
            findings.append(Finding("plain_text_key", path, message, variable, variable, print_, status, True))
    edited = dotenv.edit(text, gone).text
    commented = _unread(path, edited, keys, dotenv.loads)
    return Examination([*findings, *commented.findings], (), commented.cleaned)


def unit(path: str, text: str, keys: KnownKeys) -> Examination:
    """A unit, a drop-in, or a file of variables that it names: none is the collection's to change."""
    findings: list[Finding] = []
    hint = "Take it out of there (systemctl edit), reload systemd, and restart the gateway."
    for number, line in enumerate(text.splitlines(), 1):
        assigned = list(_assignments(line))
        for variable, value in assigned:
            status = keys.status(value, variable if variable in keys.current else None)
            if status != "unknown" or is_secret_name(variable):
                message = f"{path} holds {_WHOSE[status]} in plain text in {variable}, in line {number}."
                where, print_ = f"line {number}", fingerprint(value)
                findings.append(Finding("plain_text_key", path, message, where, variable, print_, status, hint=hint))
        if not assigned:
            findings += [_not_ours(found, hint) for found in _in_line(path, line, number, keys)]
    return Examination(findings, (), text)


def plain(path: str, text: str, keys: KnownKeys, hint: str) -> Examination:
    """Any other text."""
    lines = enumerate(text.splitlines(), 1)
    found = [_not_ours(one, hint) for number, line in lines for one in _in_line(path, line, number, keys)]
    return Examination(found, (), text)


def line_finding(path: str, number: int, status: KeyStatus, key: str, variable: str | None) -> Finding:
    """A known key in a line of a text."""
    message = f"{path} holds {_WHOSE[status]} in plain text in line {number}."
    return Finding("plain_text_key", path, message, f"line {number}", variable or "", fingerprint(key), status)


def _in_line(path: str, line: str, number: int, keys: KnownKeys) -> Iterator[Finding]:
    for match in keys.find(line):
        yield line_finding(path, number, match.status, match.key, match.variable)


def _document(path: str, text: str, keys: KnownKeys) -> Examination:
    """A config or a copy of it."""
    value = json5_reader.loads(text)
    cleaner = _Cleaner(keys)
    changes = [Change(member, new) for member, new in cleaner.differences(value, ())]
    findings: list[Finding] = []
    for place, key, status, variable, cleanable in cleaner.seen:
        subject = place[2] if place[:2] == PROVIDERS and len(place) > 2 else variable or ""
        where = ".".join(place)
        message = f"{path} holds {_WHOSE[status]} in plain text at {where}."
        finding = Finding("plain_text_key", path, message, where, subject, fingerprint(key), status, purgeable=True)
        if not cleanable:
            finding = _not_ours(finding, "Put it into .env, and a reference to the variable there.")
        findings.append(finding)
    # Comments are no members: people keep old keys in them.
    commented = _unread(path, json5_editor.edit(text, changes), keys, json5_reader.loads)
    return Examination([*findings, *commented.findings], (), commented.cleaned, cleaner.old_values)


class _Cleaner:
    """Goes through a config and notes each key, and what shall stand in its place."""

    def __init__(self, keys: KnownKeys) -> None:
        self.keys = keys
        #: Path, key, status, variable, and whether something can take its place.
        self.seen: list[tuple[tuple[str, ...], str, KeyStatus, str | None, bool]] = []
        self.old_values: dict[str, str] = {}

    def differences(self, value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        """Each member of an object that changes, with what it shall be."""
        for name, item in value.items() if isinstance(value, dict) else ():
            member = (*path, name)
            if isinstance(item, dict):
                yield from self.differences(item, member)
            else:
                new = self.cleaned(item, member)
                if new != item:
                    yield member, new

    def cleaned(self, value: Any, path: tuple[str, ...]) -> Any:
        if isinstance(value, list):
            return [self.cleaned(item, (*path, str(index))) for index, item in enumerate(value)]
        if isinstance(value, dict):
            return {name: self.cleaned(item, (*path, name)) for name, item in value.items()}
        return self.text(value, path) if isinstance(value, str) else value

    def text(self, text: str, path: tuple[str, ...]) -> Any:
        provider = path[2] if path[:2] == PROVIDERS and len(path) > 3 else None
        own = self.keys.variable_of(provider)
        if provider is not None and path[3:] == ("apiKey",) and text and not references(text):
            return self.key(text, path, own)
        if path[0] == "env" and path[-1] in self.keys.current and text and not is_reference(text):
            # The variable is in .env, which wins: what stands here is of no use.
            self.note(path, text, self.keys.status(text, path[-1]), path[-1])
            return REMOVE
        for match in reversed(self.keys.find(text)):
            self.note(path, match.key, match.status, match.variable or own)
            text = text[: match.start] + self.substitute(match.variable or own) + text[match.end :]
        return text

    def key(self, text: str, path: tuple[str, ...], variable: str | None) -> str:
        status = self.keys.status(text, variable)
        if variable is not None:
            # The running gateway must have what is referred to.
            cleanable = variable in self.keys.current
            self.seen.append((path, text, status, variable, cleanable))
            if status == "old":
                self.old_values[text] = variable
            return reference(variable) if cleanable else text
        match = next((match for match in self.keys.find(text) if match.key == text), None)
        if match is not None:
            self.note(path, text, match.status, match.variable)
            return self.substitute(match.variable)
        if len(text) >= _SHORTEST_FOREIGN_KEY:
            self.seen.append((path, text, "unknown", None, False))
        return text

    def note(self, path: tuple[str, ...], key: str, status: KeyStatus, variable: str | None) -> None:
        self.seen.append((path, key, status, variable, True))
        if status == "old" and variable:
            self.old_values[key] = variable

    def substitute(self, variable: str | None) -> str:
        return reference(variable) if variable in self.keys.current and variable else REMOVED


def _unread(path: str, text: str, keys: KnownKeys, loads: Callable[[str], Any]) -> Examination:
    """Known keys in those parts of a text that its reader does not see, as comments; what it does see is left alone."""
    findings: list[Finding] = []
    seen = loads(text)
    for match in reversed(keys.find(text)):
        without = text[: match.start] + REMOVED + text[match.end :]
        try:
            unseen = loads(without) == seen
        except ValueError:
            unseen = False
        if unseen:
            number = text.count("\n", 0, match.start) + 1
            finding = line_finding(path, number, match.status, match.key, match.variable)
            findings.insert(0, _purgeable(finding))
            text = without
    return Examination(findings, (), text)


def _assignments(line: str) -> Iterator[tuple[str, str]]:
    """The variables that a line of a unit sets."""
    match = _ASSIGNED.match(line)
    if not match:
        return
    try:
        words = shlex.split(match[1])
    except ValueError:
        words = match[1].split()
    for word in words:
        name, equals, value = word.partition("=")
        if equals and value:
            yield name, value


def _without_profile(value: Any, name: str) -> Iterator[Change]:
    yield Change(("profiles", name), REMOVE)
    if name in _members(value, "usageStats"):
        yield Change(("usageStats", name), REMOVE)
    for provider, last in _members(value, "lastGood").items():
        if last == name:
            yield Change(("lastGood", provider), REMOVE)


def _order_changes(value: Any, gone: Sequence[str]) -> Iterator[Change]:
    for provider, order in _members(value, "order").items():
        if isinstance(order, list) and any(name in gone for name in order):
            yield Change(("order", provider), [name for name in order if name not in gone] or REMOVE)


def _old_matches(value: Any, keys: KnownKeys) -> Iterator[Match]:
    """The old keys in a value."""
    for text in strings(value):
        yield from (match for match in keys.find(text) if match.status == "old")


def _members(value: Any, name: str) -> dict[str, Any]:
    members = at(value, (name,))
    return members if isinstance(members, dict) else {}


def _not_ours(finding: Finding, hint: str) -> Finding:
    """The finding, where a person has to do what there is to do."""
    return replace(finding, purgeable=False, hint=hint)


def _purgeable(finding: Finding) -> Finding:
    return replace(finding, purgeable=True, hint=Finding.hint)
