# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a rotation of keys has to deal with on a host, from what gateway_info returns of it.

Runs on the control node; C(gateway) is the module's result, C(fingerprints) is variable -> fingerprint of the key that
the gateway shall have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

_EMPTY = fingerprint("")


def rotation(gateway: Mapping[str, Any], fingerprints: Mapping[str, str]) -> dict[str, Any]:
    """The keys of a host that shall have others.

    C(retired): fingerprints that stand, wherever, in the place of the keys that the host shall have.
    C(held): variable -> the fingerprint that it has in C(.env), and where it has none, that of the key that it shall
    have.
    C(copies): whether an auth profile holds the same key as C(.env), and would go on winning over a new one.
    """
    held = {
        name: next((print_ for place, print_ in _sources(gateway, name) if place == gateway["env_path"]), wanted)
        for name, wanted in fingerprints.items()
    }
    overrides = [
        (provider["variable"], other)
        for provider in gateway.get("providers", {}).values()
        for other in provider["overridden_by"]
    ]
    found = [print_ for name in fingerprints for _place, print_ in _sources(gateway, name)]
    found += [other["fingerprint"] for _variable, other in overrides]
    none = {None, _EMPTY, *fingerprints.values()}
    return {
        "retired": [print_ for print_ in dict.fromkeys(found) if print_ not in none],
        "held": held,
        "copies": any(
            other["kind"] == "auth_profile" and other["fingerprint"] == held.get(variable) != fingerprints.get(variable)
            for variable, other in overrides
        ),
    }


def _sources(gateway: Mapping[str, Any], name: str) -> Iterator[tuple[str, str | None]]:
    for source in gateway["variables"].get(name, {}).get("sources", []):
        yield source["place"], source["fingerprint"]
