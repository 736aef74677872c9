# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The outcome of a rollout, from what the playbook has recorded for each host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import EndpointsInfo


class RolloutSummary(TypedDict):
    """The hosts of a rollout by their outcome, in the order of the play."""

    #: Changed, or would be in check mode.
    done: list[str]
    #: Nothing to change.
    unchanged: list[str]
    #: Host -> reason.
    failed: dict[str, str]
    not_reached: dict[str, str]
    #: The rollout ended before them.
    not_tried: list[str]
    #: A line for each distinct provider and key that was verified.
    endpoints: list[str]


def summary(hosts: Iterable[str], variables: Mapping[str, Mapping[str, Any]]) -> RolloutSummary:
    """Return the hosts by their outcome. `variables`: `hostvars`."""
    result: RolloutSummary = {
        "done": [],
        "unchanged": [],
        "failed": {},
        "not_reached": {},
        "not_tried": [],
        "endpoints": [],
    }
    lines: dict[str, None] = {}
    for host in hosts:
        own = variables[host]
        # The result of the host takes precedence over the one of the control node.
        asked = (own.get("__providers_gateway") or {}).get("endpoints") or own.get("__providers_endpoints")
        lines.update(dict.fromkeys(_endpoint_lines(asked)))
        outcome = own.get("__rollout_outcome")
        if outcome is None:
            result["not_tried"].append(host)
        elif outcome["state"] == "failed":
            result["failed"][host] = outcome["reason"]
        elif outcome["state"] == "not_reached":
            result["not_reached"][host] = outcome["reason"]
        elif outcome["state"] == "done":
            result["done"].append(host)
        else:
            result["unchanged"].append(host)
    return {**result, "endpoints": list(lines)}


def _endpoint_lines(asked: EndpointsInfo | None) -> Iterable[str]:
    # The result of a task that was skipped, or of an unreachable host, has no providers.
    if asked and "providers" in asked:
        for provider in asked["providers"]:
            listed = ", ".join(provider["listed"]) or "nothing"
            yield f"{provider['name']} is {provider['status']} and lists {listed} for the key {provider['key']}"
