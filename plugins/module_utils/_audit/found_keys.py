# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Whether keys that were found are still valid: which endpoint is asked about which, and what its answer means.

A key is sent only to the endpoint of the provider that it surely belongs to.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import substitute
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.hints import console_of
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.key_validity import Validity, validity_of
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import EndpointInfo
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from .finding import Finding
from .known_keys import KnownKeys

_NO_OWNER = "it is not known to be a key of a provider of the inventory, so no endpoint was asked"


@dataclass(frozen=True)
class Questions:
    """Which endpoint is asked about which key, and about which none is, because of the reason given."""

    asked: Mapping[str, Mapping[str, Any]] = field(repr=False)
    not_asked: Mapping[str, str] = field(repr=False)


def questions(
    findings: Sequence[Finding],
    keys: KnownKeys,
    also_in: Mapping[str, Sequence[str]],
    hosts: Mapping[str, Collection[str]],
    endpoints: Iterable[Mapping[str, Any]],
) -> Questions:
    """Return what to ask about the keys of the findings.

    `hosts`: key -> the hosts to which a provider block with it sends it.
    `endpoints`: of the inventory, by provider: `name`, `base_url` and what else verify_models takes, without a key.
    """
    known = {endpoint["name"]: endpoint for endpoint in endpoints}
    asked: dict[str, Mapping[str, Any]] = {}
    not_asked: dict[str, str] = {}
    for key in dict.fromkeys(finding.key for finding in findings if finding.key):
        endpoint = known.get(_provider_of(key, findings, keys, also_in) or "")
        if endpoint is None:
            not_asked[key] = _NO_OWNER
        elif not {*hosts.get(key, ())} <= {_host(endpoint["base_url"])}:
            not_asked[key] = f"a block of {endpoint['name']} sends it to another host than {endpoint['base_url']}"
        else:
            asked[key] = endpoint
    return Questions(asked, not_asked)


def hosts_of(blocks: Iterable[Any]) -> dict[str, set[str]]:
    """Return the hosts to which provider blocks send their keys: key -> hosts."""
    hosts: dict[str, set[str]] = {}
    for block in blocks:
        key, url = (block.get(name) if isinstance(block, Mapping) else None for name in ("apiKey", "baseUrl"))
        if isinstance(key, str) and isinstance(url, str):
            hosts.setdefault(key, set()).add(_host(url))
    return hosts


def endpoint_with(key: str, endpoint: Mapping[str, Any], keys: KnownKeys) -> dict[str, Any]:
    """Return an endpoint as verify_models takes it, with the key in the place of that of its provider."""
    variables = {**keys.current, keys.variables[endpoint["name"]]: key}
    headers = {name: substitute(str(text), variables) for name, text in endpoint["headers"].items()}
    return {**endpoint, "name": f"{fingerprint(key)} of {endpoint['name']}", "api_key": key, "headers": headers}


def described(finding: Finding, asked: Questions, answers: Mapping[str, EndpointInfo]) -> tuple[Validity, str]:
    """Return whether the key of a finding is still valid, and a sentence that says so. `answers`: key -> answer."""
    if finding.key in asked.not_asked:
        return "unknown", f"Whether the key is still valid is not known: {asked.not_asked[finding.key]}."
    url, answer = asked.asked[finding.key]["base_url"], answers[finding.key]
    validity = validity_of(answer)
    if validity == "rejected":
        return validity, f"{url} rejects the key (401)."
    if validity == "alive":
        first = "Run the playbook clawfleet.clawdbot.rotate, then revoke" if finding.status == "current" else "Revoke"
        return validity, f"The key is still valid at {url}. {first} it at {console_of(url)}."
    return validity, f"Whether the key is still valid is not known: {answer['status']}: {answer['message']}"


def _provider_of(
    key: str, findings: Iterable[Finding], keys: KnownKeys, also_in: Mapping[str, Sequence[str]]
) -> str | None:
    """Return the provider whose variable holds the key, or else the only one in whose places it is."""

    def of_variable(name: str | None) -> Iterator[str]:
        return (one for one, own in keys.variables.items() if name == own or name in also_in.get(one, ()))

    holder = next((one for name, held in keys.current.items() if held == key for one in of_variable(name)), None)
    if holder is not None:
        return holder
    # An unknown key in the block of a provider, as in a header, may be of another vendor.
    subjects = (found.subject for found in findings if found.key == key and found.status == "old")
    variables = {keys.variable_of(subject) or subject for subject in subjects} | {keys.old_values.get(key)}
    places = {provider for name in variables for provider in of_variable(name)}
    return places.pop() if len(places) == 1 else None


def _host(url: str) -> str:
    """Return host and port of a URL."""
    try:
        return urllib.parse.urlsplit(url).netloc.rpartition("@")[2].lower()
    except ValueError:
        return url
