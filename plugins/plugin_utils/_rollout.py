# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What has become of each host of a rollout, from what the playbook has kept of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def summary(hosts: Iterable[str], variables: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The hosts by what has become of them, in their order; C(variables) is host -> its variables.

    C(done): names of those that were changed, or in check mode would be. C(unchanged): names of those with nothing to
    change. C(failed), C(not_reached): name -> reason. C(not_tried): names of those that the rollout did not get to.
    C(endpoints): a line for each distinct provider and key that was asked about.
    """
    found: dict[str, Any] = {"done": [], "unchanged": [], "failed": {}, "not_reached": {}, "not_tried": []}
    lines: dict[str, None] = {}
    for host in hosts:
        own = variables[host]
        outcome = own.get("__rollout_outcome")
        # Where the host has asked as well, that is what counts.
        asked = (own.get("__providers_gateway") or {}).get("endpoints") or own.get("__providers_endpoints")
        lines.update(dict.fromkeys(_endpoint_lines(asked)))
        if outcome is None:
            found["not_tried"].append(host)
        elif outcome["state"] in ("failed", "not_reached"):
            found[outcome["state"]][host] = outcome["reason"]
        else:
            found[outcome["state"]].append(host)
    return {**found, "endpoints": list(lines)}


def _endpoint_lines(asked: Mapping[str, Any] | None) -> Iterable[str]:
    # A task that was skipped or lost has asked nobody.
    for provider in (asked or {}).get("providers", []):
        listed = ", ".join(provider["listed"]) or "nothing"
        yield f"{provider['name']} is {provider['status']} and lists {listed} for the key {provider['key']}"
