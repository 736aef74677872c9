# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Providers as the module's option `providers` describes them, and the secrets in them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import strings
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from .text import clean
from .types import ANTHROPIC, OPENAI, Headers, Model, Provider

_CREDENTIAL_HEADER = re.compile(r"authorization|cookie|token|secret|key|password|credential", re.IGNORECASE)
_AFTER_SCHEME = re.compile(r"^[A-Za-z]+ +(\S+)$")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def parse_provider(raw: Mapping[str, object]) -> Provider:
    """Return the provider that one element of the module's `providers` describes.

    Ansible has checked the types, except those in model entries and headers. Raises `ClawdbotError` for them.
    """
    name = str(raw["name"])
    entries = [_parse_model(name, index, entry) for index, entry in enumerate(_items(raw.get("models")))]
    described = {model.id: model for model in entries}
    unlisted_ids = list(dict.fromkeys(str(item) for item in _items(raw.get("unlisted_models"))))
    listed_ids = [model_id for model_id in described if model_id not in unlisted_ids]
    return Provider(
        name=name,
        base_url=str(raw["base_url"]),
        api=ANTHROPIC if raw.get("api") == ANTHROPIC else OPENAI,
        api_key=str(raw.get("api_key") or ""),
        headers=_parse_headers(f"providers: {name}: headers", raw.get("headers")),
        models=tuple(described[model_id] for model_id in listed_ids),
        unlisted=tuple(described.get(model_id, Model(model_id)) for model_id in unlisted_ids),
        optional=frozenset(str(item) for item in _items(raw.get("optional_models"))).intersection(listed_ids),
    )


def _items(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _parse_model(provider: str, index: int, entry: object) -> Model:
    where = f"providers: {provider}: models[{index}]"
    if isinstance(entry, str) and entry:
        return Model(entry)
    if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), str) or not entry["id"]:
        raise ClawdbotError(f"{where} must be a model id, or a mapping with a model id as its id")
    context = entry.get("contextWindow")
    return Model(
        id=str(entry["id"]),
        context_window=context if isinstance(context, int) and not isinstance(context, bool) else None,
        headers=_parse_headers(f"{where}: headers", entry.get("headers")),
    )


def _parse_headers(where: str, raw: object) -> Headers:
    if raw is None:
        return ()
    if not isinstance(raw, Mapping):
        raise ClawdbotError(f"{where} must be a mapping of header names to values")
    headers = []
    for name, value in raw.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ClawdbotError(f"{where}: {clean(str(name))!r} is not a header name")
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ClawdbotError(f"{where}: the value of {name} must be a string")
        if first_unsendable(str(value), also=" \t") is not None:
            # The value may be a credential, so the text does not show it.
            raise ClawdbotError(f"{where}: the value of {name} contains a character that a header cannot hold")
        headers.append((name, str(value)))
    return tuple(headers)


def first_unsendable(text: str, also: str = "") -> int | None:
    """Return the index of the first character that a header value cannot hold. `also`: white space that it may hold."""
    for index, character in enumerate(text):
        control = ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0
        if character not in also and (control or character.isspace() or ord(character) > 0xFF):
            return index
    return None


def secrets_of(raw_providers: object) -> set[str]:
    """Return every secret in the module's `providers`, whatever its shape.

    Secrets are keys, headers whose name says that they carry a credential, and a password in a base URL. The credential
    after a scheme (`Bearer …`) is a secret by itself too, since an endpoint may echo it alone. In anything but a list
    of mappings, every string is a secret.
    """
    if not isinstance(raw_providers, list):
        return {*strings(raw_providers)} - {""}
    secrets: set[str] = set()
    for raw in raw_providers:
        if not isinstance(raw, Mapping):
            secrets.update(strings(raw))
            continue
        secrets.add(str(raw.get("api_key") or ""))
        for user in re.findall(r"//([^/@]*)@", str(raw.get("base_url"))):
            secrets.add(user.partition(":")[2] or user)
        for described in (raw, *_items(raw.get("models"))):
            headers = described.get("headers") if isinstance(described, Mapping) else None
            for name, value in headers.items() if isinstance(headers, Mapping) else ():
                if _CREDENTIAL_HEADER.search(str(name)):
                    secrets.update((str(value), *_AFTER_SCHEME.findall(str(value))))
    return secrets - {""}
