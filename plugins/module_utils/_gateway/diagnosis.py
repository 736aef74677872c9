# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The problems of a gateway, as text for people, decided from the result of `gateway_info`.

`fingerprints` is environment variable -> fingerprint of the key that the gateway should use from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, TypedDict

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import EndpointInfo
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

from .info import FilesInfo, GatewayInfo, OverrideInfo

#: `down`: the gateway does not run or answer. `restart`: it needs a restart. `gateway`: it lacks models or uses other
#: keys. `provider`: an endpoint is not ok. `drift`: its files differ. `failed`: its files cannot be compared.
ProblemStatus = Literal["failed", "down", "provider", "gateway", "restart", "drift"]
"""The kind of a problem, the worst first."""


_RUN_ON_HOST = (
    'Run the gateway on the host itself, or change its keys by hand: see "Supported gateways" in the documentation.'
)


class Variables(NamedTuple):
    """The variables that the texts name. An empty one: there is none, so that the host has to be corrected."""

    user: str
    state_dir: str
    config_path: str
    env_path: str
    service_manager: str
    service_name: str
    verify_after: str


OF_PROVIDERS = Variables(*(f"providers_{name}" for name in Variables._fields))
OF_MIGRATION = Variables(
    user="gateway_user",
    state_dir="gateway_clawdbot_state_dir",
    config_path="",
    env_path="",
    service_manager="gateway_service_manager",
    service_name="gateway_clawdbot_service_name",
    verify_after="",
)


class Problem(TypedDict):
    """One problem of a gateway, and how to fix it."""

    status: ProblemStatus
    text: str


def find_blockers(
    gateway: GatewayInfo, fingerprints: Mapping[str, str], variables: Variables = OF_PROVIDERS
) -> list[str]:
    """Return why new keys would not take effect, whatever is written into the gateway's files."""
    if not gateway["state_dir_exists"]:
        # Everything else is missing for the same reason.
        return [
            f"State directory {gateway['state_dir']} does not exist. Check `{variables.user}` and "
            f"`{variables.state_dir}`.",
            *find_other_gateway(gateway, variables),
        ]
    return [
        *_service_blockers(gateway, variables),
        *find_other_gateway(gateway, variables),
        *find_program_problems(gateway),
        *_overrides(gateway, fingerprints),
        *_unread_stores(gateway),
        *_blocked_models(gateway),
        *_unserved_choices(gateway),
        *_unreadable_files(gateway),
        *_rejected_call(gateway, variables),
    ]


def find_program_problems(gateway: GatewayInfo) -> list[str]:
    """Return why the gateway's CLI cannot be used, or the gateway not be started again; at most one reason."""
    product = PRODUCTS[gateway["product"]]
    if gateway["isolated"]:
        return [
            f"The gateway's process {gateway['pid']} runs in a container: it has other files than its account has on "
            f"the host. {_RUN_ON_HOST}"
        ]
    if gateway["started_by"]:
        return [
            f"The gateway is started by {gateway['started_by']}, and not by Node with the entry script of "
            f"{product.title}. Nothing else is executed, so no config can be checked. {_RUN_ON_HOST}"
        ]
    if gateway["missing_files"]:
        return [
            f"The gateway is started from {', '.join(gateway['missing_files'])}, which no longer exists, so it would "
            f"not start again. Install {product.title} again, or correct the command of its service."
        ]
    if not gateway["program"]:
        return [
            f"The CLI `{product.name}` is neither in the gateway's service nor on the PATH of its account, so no "
            "config can be checked. Install it, or correct the unit or the PATH."
        ]
    if gateway["version"] and _numbers(gateway["version"]) < _numbers(product.checks_config_since):
        return [
            f"{product.title} {gateway['version']} has no command that checks a config. Update it to "
            f"{product.checks_config_since} or later."
        ]
    return []


def find_other_gateway(gateway: GatewayInfo, variables: Variables = OF_PROVIDERS) -> list[str]:
    """Return why the files of the inventory are those of another gateway than its service, or another one runs."""
    service = _service(gateway)
    for what, seen, own, variable in (
        ("state directory", gateway["process_state_dir"], gateway["state_dir"], variables.state_dir),
        ("config", gateway["process_config_path"], gateway["config_path"], variables.config_path),
        ("the file", gateway["process_env_path"], gateway["env_path"], variables.env_path),
    ):
        if seen is not None and seen != own:
            remedy = f"Set `{variable}` to that of the gateway, or" if variable else f"Let it use {own}, or set"
            return [
                f"{service} uses {what} {seen}, and the inventory means {own}. {remedy} `{variables.service_name}` to "
                f"the unit that uses {own}."
            ]
    if gateway["port_taken_by"]:
        return [
            f"{service} does not run, and {gateway['port_taken_by']} answers on its port {gateway['port']}. Set "
            f"`{variables.service_manager}` and `{variables.service_name}` to what runs the gateway, and remove the "
            "other, or give it a port of its own. A gateway in a container is not supported."
        ]
    return []


def find_health_problems(gateway: GatewayInfo, fingerprints: Mapping[str, str]) -> list[Problem]:
    """Return everything that keeps a gateway from being healthy: not running, old or other keys, missing models."""
    problems: list[Problem] = [{"status": "gateway", "text": text} for text in find_other_gateway(gateway)]
    if gateway["isolated"] or gateway["started_by"] or gateway["missing_files"]:
        problems += [{"status": "gateway", "text": text} for text in find_program_problems(gateway)]
    if gateway["config_put_back"]:
        problems.append({"status": "gateway", "text": gateway["config_put_back"]})
    for reason in gateway["restart_reasons"]:
        problems.append({"status": "down" if gateway["pid"] is None else "restart", "text": reason})
    if gateway["pid"] is not None and not gateway["answers"]:
        text = f"The gateway runs, but does not answer on port {gateway['port']}."
        problems.append({"status": "down", "text": text})
    missing = gateway.get("models_missing", [])
    if missing and gateway["answers"]:
        problems.append({"status": "gateway", "text": f"The gateway does not list {', '.join(missing)}."})
    if "models_missing" in gateway:
        problems += [{"status": "gateway", "text": text} for text in _unserved_choices(gateway)]
    for text in (*_overrides(gateway, fingerprints), *_unread_stores(gateway)):
        problems.append({"status": "gateway", "text": text})
    return problems


def find_problems(
    gateway: GatewayInfo, fingerprints: Mapping[str, str], endpoints: Iterable[EndpointInfo] = ()
) -> list[Problem]:
    """Return all problems of a gateway, its endpoints and its files.

    `endpoints`: those that were asked from elsewhere, in addition to the gateway's own.
    """
    own = gateway["endpoints"]["providers"] if "endpoints" in gateway else []
    return [
        *find_health_problems(gateway, fingerprints),
        *(_endpoint_problem(endpoint) for endpoint in (*own, *endpoints) if endpoint["status"] != "ok"),
        *_model_problems(gateway),
        *(_file_problems(gateway["files"]) if "files" in gateway else ()),
    ]


def find_unknowns(gateway: GatewayInfo) -> list[str]:
    """Return what could not be observed of a gateway, and what shows it."""
    unknowns = []
    if gateway["listening"] == "unknown" and not gateway["isolated"] and not gateway["started_by"]:
        unknowns.append(
            f"Where process {gateway['pid']} listens cannot be read. The gateway is asked on port {gateway['port']}, "
            "as it is configured."
        )
    if gateway["pid"] is not None and gateway["isolated"] is None:
        unknowns.append(
            f"Whether the gateway's process {gateway['pid']} runs in a container is unknown: it runs as another "
            "account, or its unit has a user namespace of its own. If it runs as another account, set "
            "`providers_user` to that."
        )
    if gateway["environment"] == "unknown":
        unknowns.append(
            f"The environment of process {gateway['pid']} cannot be read: whether another key takes precedence over "
            f"those of {gateway['env_path']} is unknown. Only a chat message shows it: set providers_verify_after to "
            "turn."
        )
    if gateway.get("call_error") and gateway["restart_reasons"]:
        unknowns.append(
            "Whether the gateway accepts calls of its own CLI is unknown until it is restarted. Now it does not: "
            f"{gateway['call_error']}"
        )
    return unknowns


def _endpoint_problem(endpoint: EndpointInfo) -> Problem:
    parts = (endpoint["name"], endpoint["status"], endpoint["message"], endpoint["hint"])
    return {"status": "provider", "text": ": ".join(parts)}


def _blocked_models(gateway: GatewayInfo) -> Iterator[str]:
    if "models" in gateway:
        yield from (use["text"] for use in gateway["models"]["blocked"])


def _unserved_choices(gateway: GatewayInfo) -> Iterator[str]:
    yield from (use["text"] for use in gateway["unserved_choices"])


def _unreadable_files(gateway: GatewayInfo) -> Iterator[str]:
    if "files" in gateway and gateway["files"]["error"]:
        yield gateway["files"]["error"]


def _rejected_call(gateway: GatewayInfo, variables: Variables) -> Iterator[str]:
    # A process that is older than its files can have another token than they.
    if gateway.get("call_error") and not gateway["restart_reasons"]:
        product = PRODUCTS[gateway["product"]]
        other = f", or set `{variables.verify_after}` to none" if variables.verify_after else ""
        yield (
            f"The gateway does not accept calls of its own CLI, so no change could be verified: "
            f"{gateway['call_error'].rstrip('.')}. Set {product.token_variable} or {product.password_variable} in "
            f"{gateway['env_path']} to what the gateway accepts{other}."
        )


def _model_problems(gateway: GatewayInfo) -> Iterator[Problem]:
    if "models" in gateway:
        models = gateway["models"]
        for use in (*models["blocked"], *models["unserved"]):
            yield {"status": "gateway", "text": use["text"]}
        for reason in models["unknown"]:
            yield {"status": "failed", "text": f"{reason} Which models it uses is not known."}


def _file_problems(files: FilesInfo) -> Iterator[Problem]:
    if files["error"]:
        yield {"status": "failed", "text": files["error"]}
    if files["config_changed"]:
        yield {"status": "drift", "text": "The config differs from the inventory. Run the role."}
    if files["env_changed"]:
        yield {"status": "drift", "text": ".env does not contain the keys of the inventory. Run the role."}
    if files["keys_changed"]:
        yield {"status": "drift", "text": "The file with keys differs from the inventory. Run the role."}
    if files["unfinished"]:
        yield {"status": "drift", "text": "An earlier run was not completed. Run the role."}


def _service(gateway: GatewayInfo) -> str:
    return "The gateway" if gateway["service_loaded"] is None else f"Unit {gateway['service_name']}"


def _service_blockers(gateway: GatewayInfo, variables: Variables) -> Iterator[str]:
    # Without its unit, neither the gateway's environment nor a way to restart it is known.
    if gateway["service_loaded"] is False:
        yield (
            f"systemd has no unit {gateway['service_name']}. Check `{variables.service_manager}`, "
            f"`{variables.service_name}` and `{variables.user}`, and enable lingering for the account of a user unit."
        )


def _overrides(gateway: GatewayInfo, fingerprints: Mapping[str, str]) -> Iterator[str]:
    """Yield the places that override the keys of `.env` with other keys."""
    for name, desired in fingerprints.items():
        sources = gateway["variables"][name]["overriding_env"] if name in gateway["variables"] else []
        # The gateway uses the first of them, whatever the others contain.
        for source in sources[:1]:
            if source["fingerprint"] != desired:
                yield (
                    f"{name} is also set in {source['place']}, to another value ({source['fingerprint']}), which "
                    f"takes precedence over {gateway['key_file']}. Remove it there."
                )
    for provider, info in gateway["providers"].items():
        variable = info["variable"]
        for override in info["overridden_by"]:
            if variable in fingerprints and override["fingerprint"] != fingerprints[variable]:
                yield _override(provider, variable, override)


def _unread_stores(gateway: GatewayInfo) -> Iterator[str]:
    for reason in gateway["unreadable_stores"]:
        yield f"{reason} Whether an auth profile in it takes precedence over {gateway['env_path']} is not known."


def _override(provider: str, variable: str, override: OverrideInfo) -> str:
    remedy = "Remove it there."
    if override["kind"] == "auth_profile":
        where = f"Auth profile {override['name']} in {override['place']}"
        if override["place"].endswith(".sqlite"):
            remedy = "Run clawfleet.clawdbot.purge, or `openclaw models auth logout`."
    else:
        where = f"{override['name']}, set in {override['place']},"
    return (
        f"{where} contains another key ({override['fingerprint']}) for {provider}, which takes precedence over "
        f"{variable}. {remedy}"
    )


def _numbers(version: str) -> tuple[int, ...]:
    """Return year, month and day or patch of a version, to compare it; empty for an empty one."""
    return tuple(map(int, re.findall(r"[0-9]+", version)[:3]))
