# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a migration from Clawdbot to OpenClaw finds on a host, what it will change, and what will be lost."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypedDict

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, includes, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.migration import (
    Converted,
    Move,
    Outside,
    convert_config,
    convert_env,
    model_to_test,
    spellings,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import (
    models_without_reasoning,
    provider_id,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import string
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import (
    agent_files,
    atomic,
    journal,
    key_dates_file,
    state_copy,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.agent_files import AUTH_PROFILES, AuthProfile
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.state_copy import ARCHIVE, Found
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.config_check import check, check_command
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import MAIN_AGENT, PRODUCTS

from . import systemd
from .env_sources import read_env_file
from .listener import configured_port, option
from .process import Process, find_by_lock, find_by_pid
from .state import Service
from .systemd import Unit

OLD, NEW = PRODUCTS["clawdbot"], PRODUCTS["openclaw"]
_OF_OPENCLAW = re.compile(
    rf"/node_modules/{NEW.name}/|/{NEW.name}/(?:dist/|{re.escape(NEW.install.entry)})|(?:\A|/){NEW.name}(?:-gateway)?\Z"
)
OLD_CONFIG, NEW_CONFIG = OLD.config_names[0], NEW.config_names[0]


class MigrationInfo(TypedDict):
    """What a migration will do on a host, and what it knows of the gateway of Clawdbot."""

    #: `absent`: there is nothing to migrate. `interrupted`: a run has made the copy, and was not completed.
    status: Literal["absent", "due", "interrupted"]
    #: The state directory of Clawdbot, that of OpenClaw, and where the first will be kept.
    source: str
    target: str
    archive: str
    #: Whether the unit of Clawdbot runs.
    active: bool
    #: Whether it is enabled, or was before an interrupted run.
    enabled: bool
    #: The model that has to answer.
    model: str
    changes: list[str]
    lost: list[str]
    #: Why the host cannot be migrated.
    blockers: list[str]


class Plan(NamedTuple):
    """What a migration will do, and the new files."""

    info: MigrationInfo
    found: Found
    files: Mapping[str, str] = {}


@dataclass(frozen=True)
class Desired:
    """The gateway that OpenClaw will be, and where Clawdbot is expected."""

    #: The state directories.
    old: str
    target: str
    service: Service
    #: The name of the unit that OpenClaw will have.
    new_unit: str
    port: int
    bind: str
    #: The CLI of OpenClaw; empty where it is not installed yet.
    program: Sequence[str]
    #: The ids of the models that think.
    thinking: Collection[str]


@dataclass
class _Draft:
    changes: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    blockers: list[str] = field(default_factory=list)

    def add(self, converted: Converted) -> str:
        self.changes += converted.changes
        self.lost += converted.lost
        return converted.text


def plan(desired: Desired) -> Plan:
    """Return what a migration will do. Raises `ClawdbotError` where that cannot be found out."""
    found = state_copy.find(desired.old, desired.target, OLD_CONFIG, NEW_CONFIG)
    unit = systemd.show_unit(desired.service.name, desired.service.scope)
    process = find_by_pid(unit.main_pid) if unit and unit.main_pid else None
    draft = _Draft()
    info: MigrationInfo = {
        "status": found.status,
        "source": found.source,
        "target": desired.target,
        "archive": os.path.join(desired.target, ARCHIVE),
        "active": process is not None,
        "enabled": found.record.enabled if found.record else bool(unit and unit.enabled),
        "model": "",
        "changes": draft.changes,
        "lost": draft.lost,
        "blockers": draft.blockers,
    }
    if (
        found.status == "due"
        and found.replaces
        and (_is_openclaw(process) if process else _is_openclaw(_process_of_new_unit(desired)))
    ):
        # It has taken over the directory, and kept the name of the config.
        info["status"] = "absent"
    if info["status"] == "absent":
        return Plan(info, found)
    if found.status == "interrupted":
        info["model"] = _model(os.path.join(desired.target, NEW_CONFIG))
        if process:
            draft.blockers.append(
                f"Unit {desired.service.name} runs again since a migration was interrupted, so {desired.target} is "
                "outdated. Stop the unit to complete the migration, or remove that directory to begin again."
            )
        draft.changes.append(f"The interrupted migration of {found.source} to {desired.target} is completed.")
        return Plan(info, found)
    if found.blocker:
        draft.blockers.append(found.blocker)
        return Plan(info, found)
    draft.blockers += _host_blockers(desired, found, unit, process)
    info["model"] = _model(os.path.join(found.source, OLD_CONFIG))
    if not info["model"]:
        draft.blockers.append(
            f"{found.source}/{OLD_CONFIG} chooses no model, so that no message could verify the migration. Set "
            "agents.defaults.model.primary in it."
        )
    files = _convert(desired, found, unit, draft)
    if unit:
        draft.changes.append(f"Unit {unit.name} is stopped and disabled.")
    draft.changes.append(
        f"{found.source} is copied to {desired.target}, and kept in {info['archive']} once a model has answered."
    )
    return Plan(info, found, files)


def _convert(desired: Desired, found: Found, unit: Unit | None, draft: _Draft) -> dict[str, str]:
    """Return the new files by their names."""
    path = os.path.join(found.source, OLD_CONFIG)
    text = _read(path) or ""
    env = _read(os.path.join(found.source, ".env")) or ""
    home = os.path.expanduser("~")
    new = spellings([desired.target], home)
    move = Move(tuple(one for one in spellings([desired.old, found.source], home) if one not in new), desired.target)
    config = draft.add(convert_config(text, move, desired.thinking))
    # Where it can find what it includes.
    in_place = convert_config(text, Move((), ""), desired.thinking).text
    draft.blockers += _included_without_reasoning(path, in_place, desired.thinking)
    outside = _outside(found, unit, desired.new_unit, draft)
    held = {**dotenv.loads(env), **{name: variable.value for name, variable in outside.items()}}
    keys = _keys_of_profiles(found.source, _resolved(path), held, draft)
    new_env = draft.add(convert_env(env, outside, keys, move))
    if desired.program:
        draft.blockers += _rejected(desired.program, path, in_place, new_env)
    files = {NEW_CONFIG: config, ".env": new_env}
    dates = key_dates_file.load(path)
    if dates is not None:
        files[os.path.basename(key_dates_file.path_beside(os.path.join(desired.target, NEW_CONFIG)))] = dates
    return files


def _included_without_reasoning(path: str, converted: str, thinking: Collection[str]) -> Iterator[str]:
    """Yield why models of files that a config includes, which are not converted, would call no tool on OpenClaw."""
    for place, model in models_without_reasoning(_resolved_text(path, converted), thinking):
        yield (
            f"{path} includes {'.'.join(place)} without `reasoning: true`: {model} thinks, and calls no tool on "
            "OpenClaw without it. Set it in the included file, and for Clawdbot `compat: {supportsDeveloperRole: "
            "false, supportsReasoningEffort: false, supportsStore: false}`."
        )


def _rejected(program: Sequence[str], path: str, converted: str, env: str) -> list[str]:
    """Return what OpenClaw's own check rejects in the new config, which it sees where it can find what it includes."""
    content = journal.encode(converted)
    with atomic.temporary_file(atomic.read(path), content, 0o600) as temporary:
        try:
            check(check_command(NEW, tuple(program)), temporary, dotenv.loads(env))
        except ClawdbotError as exc:
            return [f"{exc} Correct that in {path}, which Clawdbot reads as before."]
    return []


def _host_blockers(desired: Desired, found: Found, unit: Unit | None, process: Process | None) -> list[str]:
    source, path = found.source, os.path.join(found.source, OLD_CONFIG)
    config = _resolved(path)
    blockers = [*_address_blockers(desired, source, config, unit), *_unit_blockers(desired)]
    running = None if process else find_by_lock(OLD, Paths(source, path, ""))
    if running:
        blockers.append(
            f"Process {running.pid} runs the gateway, and unit {desired.service.name} does not. Set "
            "gateway_clawdbot_service_name and gateway_service_manager to what runs it, or stop it."
        )
    if os.path.lexists(journal.path_beside(path)):
        blockers.append(
            f"{source} has the rollback journal of a run that was not completed. Run clawfleet.clawdbot.rollout or "
            "clawfleet.clawdbot.rollback first."
        )
    lacking = state_copy.missing_bytes(source, desired.target)
    if lacking:
        blockers.append(f"The disk of {desired.target} has {lacking} bytes too few for a copy of {source}.")
    for directory in agent_files.agent_directories(source, config):
        profiles = os.path.join(directory, AUTH_PROFILES)
        if not os.path.realpath(directory).startswith(source + "/") and os.path.isfile(profiles):
            blockers.append(
                f"OpenClaw does not start with {profiles}, which is outside the state directory. Move it away: its "
                "keys are not kept."
            )
    return blockers


def _address_blockers(desired: Desired, source: str, config: Any, unit: Unit | None) -> list[str]:
    """Return why OpenClaw would not listen where Clawdbot does."""
    env = read_env_file(os.path.join(source, ".env"))
    given = (unit.environment if unit else {}, env.values if env else {})
    arguments = unit.arguments if unit else ()
    port = configured_port(arguments, [variables.get(OLD.port_variable) for variables in given], config)
    bind = option(arguments, "--bind") or string(config, ("gateway", "bind")) or "loopback"
    return [
        f"gateway_{name} is {wanted}, and the gateway of Clawdbot has {seen}. Set gateway_{name} to {seen}."
        for name, seen, wanted in (("port", str(port), str(desired.port)), ("bind", bind, desired.bind))
        if seen != wanted
    ]


def _unit_blockers(desired: Desired) -> Iterator[str]:
    """Yield the units that would be a second gateway beside the migrated one, or be replaced while they run."""
    new = systemd.show_unit(desired.new_unit, desired.service.scope)
    if new and _is_started(new):
        yield (
            f"Unit {new.name} is started already, and would be replaced. Stop and disable it, or set "
            "gateway_service_name to another name. If it has replaced Clawdbot, stop and disable unit "
            f"{desired.service.name} instead."
        )
    other: systemd.Scope = "system" if desired.service.scope == "user" else "user"
    for name in dict.fromkeys((desired.service.name, desired.new_unit)):
        beside = systemd.show_unit(name, other)
        # One of the system can be that of another account.
        if beside and (beside.enabled or _is_started(beside)) and beside.home in (None, os.path.expanduser("~")):
            yield (
                f"systemd has a unit {name} of the {other} as well, which would start a second gateway. Stop and "
                f"disable it, or set gateway_service_manager to systemd_{other} if that is the gateway."
            )


def _is_started(unit: Unit) -> bool:
    """Whether a unit runs, or is restarted again and again."""
    return bool(unit.main_pid) or unit.active_state in ("active", "activating", "reloading")


def _outside(found: Found, unit: Unit | None, new_unit: str, draft: _Draft) -> dict[str, Outside]:
    """Return the variables that Clawdbot has from its unit, and from `.env` where that starts it."""
    outside: dict[str, Outside] = {}
    if unit is None:
        return outside
    directory = os.path.realpath(unit.working_directory or "/")
    started = read_env_file(os.path.join(directory, ".env")) if directory != found.source else None
    if started:
        outside.update({name: Outside(value, started.place) for name, value in started.values.items() if value})
    outside.update({name: Outside(value, f"unit {unit.name}") for name, value in unit.environment.items()})
    for file in unit.environment_files:
        if file.values is None:
            draft.blockers.append(
                f"Unit {unit.name} has environment variables from {file.path}, which the account of the gateway "
                f"cannot read. Move them to {found.source}/.env."
            )
        elif os.path.realpath(file.path) != os.path.join(found.source, ".env"):
            outside.update({name: Outside(value, file.path) for name, value in file.values.items()})
    draft.lost += [
        f"Drop-in {path} of unit {unit.name} is not kept. If it is needed, write one for unit {new_unit}."
        for path in unit.files[1:]
    ]
    return outside


def _keys_of_profiles(source: str, config: Any, held: Mapping[str, str], draft: _Draft) -> dict[str, str]:
    """Return the keys of auth profiles that OpenClaw can read from environment variables."""
    keys: dict[str, str] = {}
    for directory, agent in sorted(
        agent_files.agent_directories(source, config).items(), key=lambda item: (item[1] != MAIN_AGENT, item[0])
    ):
        text = _read(os.path.join(directory, AUTH_PROFILES))
        if text is None:
            continue
        try:
            profiles = agent_files.parse_auth_profiles(json.loads(text)).profiles.values()
        except (ValueError, RecursionError):
            draft.lost.append(f"{directory}/{AUTH_PROFILES} is not kept: it cannot be read.")
            continue
        for profile in profiles:
            _keep_profile(profile, agent, held, keys, draft)
    return keys


def _keep_profile(
    profile: AuthProfile, agent: str, held: Mapping[str, str], keys: dict[str, str], draft: _Draft
) -> None:
    subject = f"Auth profile {profile.id} of agent {agent}"
    names: Iterable[str] = OLD.key_variables.get(provider_id(profile.provider, OLD.provider_spellings), ())
    name = next((one for one in names if one.endswith("_KEY")), "")
    if profile.type != "api_key" or not profile.key or profile.variable is not None or not name:
        draft.lost.append(f"{subject} is not kept. Log in again: openclaw models auth login.")
    elif (keys.get(name) or held.get(name) or profile.key) != profile.key:
        draft.lost.append(f"{subject} is not kept: {name} has another key, which OpenClaw uses.")
    else:
        keys[name] = profile.key
        draft.changes.append(f"The key of auth profile {profile.id} of agent {agent} becomes {name} of .env.")


def _model(path: str) -> str:
    return model_to_test(_resolved(path))


def _resolved(path: str) -> Any:
    """Return a config with what it includes. Raises `ClawdbotError`."""
    return _resolved_text(path, _read(path) or "")


def _resolved_text(path: str, text: str) -> Any:
    try:
        return includes.resolve(json5_reader.loads(text), path, _read).value
    except json5_reader.Json5Error as exc:
        raise ClawdbotError(f"{path} cannot be read: {exc}. Repair it first.") from exc


def _read(path: str) -> str | None:
    content = atomic.read(path).content
    return None if content is None else journal.decode(content)


def _process_of_new_unit(desired: Desired) -> Process | None:
    unit = systemd.show_unit(desired.new_unit, desired.service.scope)
    return find_by_pid(unit.main_pid) if unit and unit.main_pid else None


def _is_openclaw(process: Process | None) -> bool:
    """Whether a process runs OpenClaw: by the files that it was started from and has loaded, or its title."""
    return process is not None and any(map(_OF_OPENCLAW.search, (*process.arguments, *process.loaded)))
