# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What is to be done for a gateway, decided from its state: whether anything, whether it may, and in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TypedDict

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.key_files import BACKENDS, key_file
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from .diagnosis import find_blockers, find_unknowns
from .info import UNKNOWN, GatewayInfo, SourceInfo

_EMPTY = fingerprint("")


class RotationPlan(TypedDict):
    """What a rotation of keys has to do beyond what a run does anyway."""

    #: Fingerprints of the keys that are in use, or stored in their place, where others are desired.
    old_keys: list[str]
    #: Whether an auth profile holds the same key as `.env`, so that it would override the new one.
    has_copies: bool
    #: As `Plan.blockers`, but for copies of the gateway's own keys, which a rotation removes. Those in variables of
    #: `.env` that no provider names stay, and are blockers as well.
    blockers: list[str]


class Plan(TypedDict):
    """What a run of the role `providers` has to do."""

    #: Whether nothing is to be done: the files are up to date, and the gateway runs on them and answers.
    converged: bool
    #: Why new keys would not take effect, whatever is written into the gateway's files.
    blockers: list[str]
    #: What is wrong with the endpoints and what to do about it; empty where nothing is, or none was asked.
    endpoint_errors: str
    #: Environment variables that the running process does not have. It rejects a whole config that refers to one, so
    #: they are written, and the gateway is restarted, before the config is written.
    new_variables: list[str]
    #: Provider -> those of its optional models that the host does not get.
    left_out: dict[str, list[str]]
    #: What the user should know, though nothing is wrong, and what could not be observed.
    notes: list[str]
    rotation: RotationPlan


def plan(
    info: GatewayInfo,
    fingerprints: Mapping[str, str],
    referenced: Collection[str] = (),
    stored: Collection[str] = (),
) -> Plan:
    """Return the plan for a gateway.

    `fingerprints`: environment variable -> fingerprint of the desired key. `referenced`: the environment variables that
    the config will refer to, besides those of the providers. `stored`: those whose keys the process does not need,
    because they are in a file from which the gateway reads them.
    """
    return {
        "converged": is_converged(info),
        "blockers": find_blockers(info, fingerprints),
        "endpoint_errors": info["endpoints"].get("msg", "") if "endpoints" in info else "",
        "new_variables": _new_variables(info, referenced, stored),
        "left_out": info["models"]["left_out"] if "models" in info else {},
        "notes": [*find_unknowns(info), *(info["models"]["notes"] if "models" in info else [])],
        "rotation": _rotation(info, fingerprints),
    }


def is_converged(info: GatewayInfo) -> bool:
    """Whether there is nothing to do; False where the files were not compared."""
    return "files" in info and info["files"]["up_to_date"] and info["answers"] and not info["restart_required"]


def _new_variables(info: GatewayInfo, referenced: Collection[str], stored: Collection[str]) -> list[str]:
    """Those that the config will refer to. Others may get a value with the restart that follows."""
    if info["pid"] is None:
        return []
    needed = {*(provider["variable"] for provider in info["providers"].values())} - {*stored} | {*referenced}
    return [name for name, variable in info["variables"].items() if name in needed and not variable["in_process"]]


def _rotation(info: GatewayInfo, fingerprints: Mapping[str, str]) -> RotationPlan:
    held = {name: _held(info, name) or desired for name, desired in fingerprints.items()}
    overrides = [
        (provider["variable"], override)
        for provider in info["providers"].values()
        for override in provider["overridden_by"]
    ]
    in_use = [source["fingerprint"] for name in fingerprints for source in _sources(info, name)]
    in_use += [override["fingerprint"] for _variable, override in overrides]
    desired_keys = {_EMPTY, UNKNOWN, *fingerprints.values()}
    has_copies = any(
        override["kind"] == "auth_profile"
        and override["fingerprint"] == held.get(variable)
        and override["fingerprint"] != fingerprints.get(variable)
        for variable, override in overrides
    )
    return {
        "old_keys": [key for key in dict.fromkeys(in_use) if key is not None and key not in desired_keys],
        "has_copies": has_copies,
        "blockers": [
            *find_blockers(info, held if has_copies else fingerprints),
            *_unnamed_copies(info, held, fingerprints),
        ],
    }


def _unnamed_copies(info: GatewayInfo, held: Mapping[str, str], desired: Mapping[str, str]) -> Iterator[str]:
    """Yield the variables of `.env` that would keep the old key of a provider, as none of its variables is meant."""
    for provider, described in info["providers"].items():
        name = described["variable"]
        if name in info["env_copies"] and held.get(name) != desired.get(name):
            yield (
                f"{info['env_path']} contains the key of {provider} also in {', '.join(info['env_copies'][name])}, "
                f"where the old key would stay. Add that to also_in of {provider} in providers_overrides, or remove it "
                "from the file."
            )


def _held(info: GatewayInfo, name: str) -> str | None:
    """The fingerprint of the key that the files have under the name of an environment variable; None for none."""
    files = {key_file(backend, info["env_path"]) for backend in BACKENDS}
    found = (source["fingerprint"] for source in _sources(info, name) if source["place"] in files)
    return next(found, None)


def _sources(info: GatewayInfo, name: str) -> list[SourceInfo]:
    return info["variables"][name]["sources"] if name in info["variables"] else []
