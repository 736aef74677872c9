# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Rules for `.env`, which should hold the current keys, and for copies of it, which should hold none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, key_files
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.key_shape import can_be_key, shape_of
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from .document_rules import INSTEAD_OF_KEY, WHOSE, Context, Document, Examination, Rules, clean_comments
from .finding import Finding
from .text_rules import UNPARSED_COPY

_RUN_THE_ROLE = "Run the role: it writes the key of the inventory."
_NAME_OR_REMOVE = (
    "If it is meant to hold the key of a provider, add it to also_in of that provider, and a rotation writes it too. "
    "Otherwise remove it."
)


def _examine_env(document: Document, context: Context) -> Examination:
    return _examine(document, context, dotenv.loads)


def _examine_keys(document: Document, context: Context) -> Examination:
    return _examine(document, context, key_files.loads)


def _examine(document: Document, context: Context, parse: Callable[[str], Any]) -> Examination:
    """Values are left to the role; only comments are cleaned."""
    path, keys = document.path, context.keys
    findings: list[Finding] = []
    for variable, value in document.value.items():
        if not value:
            continue
        print_ = fingerprint(value)
        managed = variable in keys.current
        undesired = managed and print_ != context.fingerprints.get(variable, print_)
        if not can_be_key(value):
            if undesired:
                message = f"{path} has {INSTEAD_OF_KEY[shape_of(value)]} in {variable}, in place of a key."
                findings.append(Finding("no_key", path, message, variable, variable, hint=_RUN_THE_ROLE))
        elif undesired or print_ in keys.old:
            message = f"{path} holds {WHOSE['old']} in {variable}{'' if managed else _users(variable, context)}."
            hint = _RUN_THE_ROLE if managed else _NAME_OR_REMOVE
            findings.append(Finding("old_key", path, message, variable, variable, value, "old", hint=hint))
        elif not managed and keys.status(value) != "unknown":
            status = keys.status(value)
            users = _users(variable, context)
            message = f"{path} holds {WHOSE[status]} of another variable in {variable}{users}."
            findings.append(
                Finding("plain_text_key", path, message, variable, variable, value, status, hint=_NAME_OR_REMOVE)
            )
    commented, cleaned = clean_comments(path, document.text, keys, parse)
    return Examination([*findings, *commented], (), cleaned, private=True)


def _users(variable: str, context: Context) -> str:
    """The places of the config that use a variable, as the end of a message."""
    places = context.uses.get(variable, ())
    return f", which the config uses at {', '.join(places)}" if places else ""


def _examine_copy(document: Document, context: Context) -> Examination:
    """The managed variables and those with known keys are removed."""
    path, keys = document.path, context.keys
    findings: list[Finding] = []
    for variable, value in document.value.items():
        status = keys.status(value, variable if variable in keys.current else None)
        if value and status != "unknown":
            message = f"{path}, a copy of the .env, holds {WHOSE[status]} in {variable}."
            findings.append(Finding("plain_text_key", path, message, variable, variable, value, status, True))
    try:
        edited = dotenv.edit(document.text, {finding.where: None for finding in findings}).text
    except dotenv.EnvFileError:
        return UNPARSED_COPY.examine(document, context)
    commented, cleaned = clean_comments(path, edited, keys, dotenv.loads)
    return Examination([*findings, *commented], (), cleaned)


ENV = Rules(dotenv.loads, _examine_env)
KEYS = Rules(key_files.loads, _examine_keys)
ENV_COPY = Rules(dotenv.loads, _examine_copy)
