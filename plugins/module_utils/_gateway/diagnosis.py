# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What is wrong with a gateway, as texts for a person, from what the modules return of it.

C(gateway) is the result of gateway_info, C(fingerprints) is variable -> fingerprint of the
key that the gateway shall have, C(endpoints) are the C(providers) of the result of verify_models, C(files) is the
result of provider_config in check mode.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def obstacles(gateway: Mapping[str, Any], fingerprints: Mapping[str, str]) -> list[str]:
    """What keeps new keys from taking effect, whatever is written into the gateway's files."""
    if not gateway["state_dir_exists"]:
        # Nothing else that is missing then is a finding of its own.
        return [
            f"There is no folder {gateway['state_dir']} on the host: see to it that providers_user and "
            "providers_state_dir are those of the gateway, and that the product is set up for that account."
        ]
    return [*_service_obstacles(gateway), *_program_obstacles(gateway), *_shadows(gateway, fingerprints)]


def faults(gateway: Mapping[str, Any], fingerprints: Mapping[str, str]) -> list[str]:
    """All that a gateway which is up, on the keys of its files, and lists its models, does not have."""
    return [text for _status, text in _faults(gateway, fingerprints)]


def findings(
    gateway: Mapping[str, Any],
    fingerprints: Mapping[str, str],
    endpoints: Iterable[Mapping[str, Any]] = (),
) -> list[dict[str, str]]:
    """All that a look at a host can find wrong: C(status), of STATUSES of the report, and C(text).

    C(endpoints): those that the host has not asked itself.
    """
    asked = [*gateway.get("endpoints", {}).get("providers", []), *endpoints]
    found = [*_faults(gateway, fingerprints), *_refusals(asked), *_drift(gateway.get("files", {}))]
    return [{"status": status, "text": text} for status, text in found]


def _faults(gateway: Mapping[str, Any], fingerprints: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for reason in gateway["restart_reasons"]:
        yield ("down" if gateway["pid"] is None else "restart"), reason
    if gateway["pid"] is not None and not gateway["answers"]:
        yield "down", f"The gateway runs, but does not answer on port {gateway['port']}."
    missing = gateway.get("models_missing", [])
    if missing and gateway["answers"]:
        yield "gateway", f"The gateway does not list {', '.join(missing)}."
    for text in _shadows(gateway, fingerprints):
        yield "gateway", text


def _refusals(endpoints: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for endpoint in endpoints:
        if endpoint["status"] != "ok":
            yield "provider", ": ".join(endpoint[part] for part in ("name", "status", "message", "hint"))


def _drift(files: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if files.get("error"):
        yield "failed", files["error"]
    if files.get("config_changed"):
        yield "drift", "The config is not as the inventory has it: run the role."
    if files.get("env_changed"):
        yield "drift", ".env does not hold the keys of the inventory: run the role."
    if files.get("unfinished"):
        yield "drift", "An earlier run was not completed: run the role."


def _service_obstacles(gateway: Mapping[str, Any]) -> Iterator[str]:
    # What runs the gateway then is not known, so neither is what it has in its variables, nor can it be restarted.
    if gateway["service_loaded"] is False:
        yield (
            f"systemd has no unit {gateway['service_name']} there: see to it that providers_service_manager, "
            "providers_service_name and providers_user are those of the gateway, and that the account of a user unit "
            "has lingering."
        )


def _program_obstacles(gateway: Mapping[str, Any]) -> Iterator[str]:
    if not gateway["program"]:
        yield (
            f"The program {gateway['product']} was found neither in the gateway's service nor on the PATH of its "
            "account, so no config can be checked: install the product, or see to it that the unit or the PATH leads "
            "to it."
        )


def _shadows(gateway: Mapping[str, Any], fingerprints: Mapping[str, str]) -> Iterator[str]:
    for name, wanted in fingerprints.items():
        winning = gateway["variables"].get(name, {}).get("overriding_env", [])
        # The first of them is what the gateway uses, whatever the others hold.
        for source in winning[:1]:
            if source["fingerprint"] != wanted:
                yield (
                    f"{name} is also set in {source['place']}, to another value ({source['fingerprint']}), and that "
                    f"one wins over {gateway['env_path']}: take it out there."
                )
    for provider, traced in gateway.get("providers", {}).items():
        variable = traced["variable"]
        for other in traced["overridden_by"]:
            if variable in fingerprints and other["fingerprint"] != fingerprints[variable]:
                yield _override(provider, variable, other)


def _override(provider: str, variable: str, other: Mapping[str, str]) -> str:
    if other["kind"] == "auth_profile":
        where = f"The auth profile {other['name']} in {other['place']}"
    else:
        where = f"{other['name']}, set in {other['place']},"
    return (
        f"{where} holds another key ({other['fingerprint']}) for {provider}, and that one wins over {variable}: take "
        "it out there."
    )
