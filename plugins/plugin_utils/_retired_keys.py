# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Whether old keys are revoked: what to ask the endpoints, and what their answers mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypedDict

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.hints import console_of, other_platform
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.key_validity import validity_of
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import EndpointInfo
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint


class Questions(TypedDict):
    """What to ask about old keys. It contains them."""

    #: Everything that is wrong with `providers_old_api_keys`, without a key in it.
    problems: list[str]
    #: As the module verify_models takes them in `providers`, one for each old key.
    endpoints: list[dict[str, Any]]


def questions(old_keys: Any, endpoints: Sequence[Mapping[str, Any]]) -> Questions:
    """Return what to ask. `endpoints`: those of the host, with its current keys.

    A key that one platform of a vendor rejects may be valid on the other, so both are asked.
    """
    problems = list(_problems(old_keys, endpoints))
    if problems:
        return {"problems": problems, "endpoints": []}
    asked = [question for one in endpoints for key in _keys(old_keys, one) for question in _questions(one, key)]
    return {"problems": [], "endpoints": asked}


def not_revoked(answers: Iterable[EndpointInfo], endpoints: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a problem for each old key that is not known to be revoked. `endpoints`: those that were asked."""
    consoles = {endpoint["name"]: console_of(endpoint["base_url"]) for endpoint in endpoints}
    return [_problem(one, consoles[one["name"]]) for one in answers if validity_of(one) != "rejected"]


def _problem(answer: EndpointInfo, console: str) -> str:
    name = answer["name"]
    if validity_of(answer) == "alive":
        return f"The old key {name} is still valid. Revoke it at {console}."
    return f"Whether the old key {name} is revoked is not known: {answer['status']}: {answer['message']}"


def _problems(old_keys: Any, endpoints: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not isinstance(old_keys, Mapping) or not old_keys:
        yield "providers_old_api_keys is empty. Give the old keys, as provider to a list of keys."
        return
    current = {endpoint["name"]: endpoint["api_key"] for endpoint in endpoints}
    for name, keys in old_keys.items():
        where = f"providers_old_api_keys.{name}"
        if name not in current:
            yield f"{where}: unknown or disabled provider. Use one of {', '.join(current)}."
        elif not isinstance(keys, Sequence) or isinstance(keys, (str, bytes)) or not keys:
            yield f"{where} is not a list of keys."
        elif not all(isinstance(key, str) and key.strip() for key in keys):
            yield f"{where} contains something that is no key."
        elif current[name] in keys:
            yield f"{where} contains the key that the host should have, {fingerprint(current[name])}. Remove it there."


def _keys(old_keys: Mapping[str, Sequence[str]], endpoint: Mapping[str, Any]) -> Iterable[str]:
    return dict.fromkeys(old_keys.get(endpoint["name"], ()))


def _questions(endpoint: Mapping[str, Any], key: str) -> Iterator[dict[str, Any]]:
    name = f"{fingerprint(key)} of {endpoint['name']}"
    yield _question(endpoint, key, name)
    other = other_platform(endpoint["base_url"])
    if other:
        yield _question({**endpoint, "base_url": other}, key, f"{name} on {console_of(other)}")


def _question(endpoint: Mapping[str, Any], key: str, name: str) -> dict[str, Any]:
    # A header with the current key would answer for that, and an endpoint may reject a request without the header.
    headers = {header: text.replace(endpoint["api_key"], key) for header, text in endpoint["headers"].items()}
    asked = {"name": name, "api_key": key, "headers": headers, "models": []}
    return {"base_url": endpoint["base_url"], **({"api": endpoint["api"]} if "api" in endpoint else {}), **asked}
