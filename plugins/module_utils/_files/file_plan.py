# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The desired content of the files of a gateway, planned from their current content without any I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import (
    dotenv,
    environment_file,
    json5_editor,
    json5_reader,
    key_dates,
    key_files,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import reference, references
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.gateway_changes import SettingChanges
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.includes import Part, Read, Resolved, resolve
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Change
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import PROVIDERS, alias_clashes
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import (
    Desired,
    Removal,
    blocked_uses,
    desired_changes,
    empty_parents,
    managed_paths,
    missing_variables,
    remaining_uses,
    removal_changes,
    unused_entry,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE, at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import (
    fingerprint,
    named_secrets,
    redact,
)

from .stored_keys import secrets_in

# The checker must not reject a config for a variable that only the gateway's own process has.
_PLACEHOLDER = "set-in-the-gateway-process"
_NEW_CONFIG = "{}\n"


@dataclass(frozen=True)
class CurrentFiles:
    """The current content of the files, `None` for no file. The paths are for messages and for relative includes."""

    config_path: str
    config: str | None = field(repr=False)
    env_path: str
    env: str | None = field(repr=False)
    #: Reads the files that the config includes.
    read: Read = field(repr=False)
    #: The content of the file with keys beside `.env`, `None` for no file.
    keys: str | None = field(default=None, repr=False)
    #: The content of the record of the dates of keys, `None` for no file.
    dates: str | None = None
    today: date = date.min


@dataclass(frozen=True)
class FilePlan:
    """The desired content of the files, `None` for no file, and what to report. `diff` is without secrets."""

    config: str | None
    env: str | None
    #: What the plan sets or removes in the config, up to date or not.
    config_paths: tuple[tuple[str, ...], ...]
    #: The same for `.env`.
    env_names: tuple[str, ...]
    #: The environment variables with which the config is checked, placeholders included.
    variables: Mapping[str, str]
    repaired: tuple[str, ...]
    duplicates: tuple[str, ...]
    #: Variables that were to be removed and are kept because the config still refers to them.
    kept: tuple[str, ...]
    warnings: tuple[str, ...]
    #: As Ansible's callbacks take it.
    diff: Sequence[Mapping[str, str]]
    #: The desired content of the file with keys, and the names in it that are set or removed.
    keys: str | None = None
    key_names: tuple[str, ...] = ()
    #: The desired content of the record of the dates of keys.
    dates: str | None = None


@dataclass(frozen=True)
class _Config:
    """One state of the config: the text and value of the file, and what the gateway sees with its includes."""

    text: str
    value: dict[str, Any]
    seen: Resolved


class ModelsInUseError(ClawdbotError):
    """A model that the changes would take away is used."""


def plan_providers(
    current: CurrentFiles, desired: Desired, env: Mapping[str, str], keys: Mapping[str, str] | None = None
) -> FilePlan:
    """Plan the files with the desired providers, the environment variables, and the keys of the other file.

    A key that is set in one file is removed from the other, unless the config still refers to it there.

    Raises `ClawdbotError`, without any value, for aliases that cannot exist together, for a file that cannot be read or
    cannot hold what is desired, for an included file that would make it something else, and for a block that refers to
    a variable that `.env` does not define. Raises `ModelsInUseError` where a model is used that a block would lose.
    """
    for clash in alias_clashes(desired.aliases):
        raise ClawdbotError(clash)
    before = _read_config(current)
    _reject_included_providers(current, before, desired.providers)
    keys, stored = keys or {}, _stored_keys(current)
    new_env, duplicates = _edit_env(current, env)
    _reject_undefined(desired, dotenv.loads(new_env), current.env_path)
    uses = blocked_uses(before.seen.value, desired)
    if uses:
        raise ModelsInUseError(
            " ".join(
                f"{use.place} is {use.model}, which would be removed from the config. Choose another model there."
                for use in uses
            )
        )
    decided = desired_changes(before.seen.value, desired)
    after = _edited(current, before, decided.changes, ())
    further = _unused_entry(before, after)
    if further:
        after = _edited(current, before, decided.changes, further)
    moved = [name for name in keys if name not in references(after.seen.value)]
    new_env, _duplicates = _edit_env(current, {**env, **dict.fromkeys(moved)})
    returned = _unused_keys(stored, env, after)
    new_keys = _edit_keys(current, {**dict.fromkeys(returned), **keys})
    paths = (*(change.path for change in decided.changes), *(change.path for change in further))
    names = (*env, *keys, *returned)
    return FilePlan(
        config=current.config if after.text == before.text else after.text,
        env=current.env if new_env == (current.env or "") else new_env,
        config_paths=paths,
        env_names=(*env, *moved),
        variables=_variables(after, new_env),
        repaired=decided.repaired,
        duplicates=duplicates,
        kept=(),
        warnings=decided.warnings,
        diff=_diffs(
            current,
            before,
            after,
            new_env,
            [*managed_paths(desired, decided.changes), *(change.path for change in further)],
            (*env, *moved),
            new_keys,
        ),
        keys=new_keys,
        key_names=(*returned, *keys),
        dates=_dates(current, before, (after, new_env, new_keys), names),
    )


def plan_settings(
    current: CurrentFiles, decide: Callable[[dict[str, Any], Mapping[str, str]], SettingChanges]
) -> FilePlan:
    """Plan the files with the changes that are decided from the config and the variables of `.env`.

    Raises `ClawdbotError` as `plan_providers` does.
    """
    before = _read_config(current)
    _stored_keys(current)
    settings = decide(before.seen.value, dotenv.loads(current.env or ""))
    new_env, duplicates = _edit_env(current, settings.env)
    after = _edited(current, before, settings.changes, ())
    paths = tuple(change.path for change in settings.changes)
    return FilePlan(
        config=current.config if after.text == before.text else after.text,
        env=current.env if new_env == (current.env or "") else new_env,
        config_paths=paths,
        env_names=tuple(settings.env),
        variables=_variables(after, new_env),
        repaired=(),
        duplicates=duplicates,
        kept=(),
        warnings=(),
        diff=_diffs(current, before, after, new_env, paths, settings.env, current.keys),
        keys=current.keys,
        dates=current.dates,
    )


def plan_removal(current: CurrentFiles, removal: Removal, names: Sequence[str]) -> FilePlan:
    """Plan the files without the providers and the named environment variables.

    A variable that the config still refers to is kept. Raises `ClawdbotError` as `plan_providers` does, and if a model
    of the providers is chosen in a place that the collection does not manage.
    """
    before, stored = _read_config(current), _stored_keys(current)
    problems = list(remaining_uses(before.seen.value, removal))
    if problems:
        raise ClawdbotError(" ".join(problems))
    decided = removal_changes(before.seen.value, removal)
    further = empty_parents(before.value, decided.changes)
    after = _edited(current, before, decided.changes, further)
    unused = _unused_entry(before, after)
    if unused:
        further = [*further, *unused]
        after = _edited(current, before, decided.changes, further)
    referred = references(after.seen.value)
    kept = tuple(name for name in names if name in referred)
    new_env, _duplicates = _edit_env(current, {name: None for name in names if name not in referred})
    gone = _unused_keys(stored, names, after)
    new_keys = _edit_keys(current, dict.fromkeys(gone))
    paths = _innermost([change.path for change in (*decided.changes, *further)])
    return FilePlan(
        config=current.config if after.text == before.text else after.text,
        env=current.env if new_env == (current.env or "") else new_env,
        config_paths=tuple(paths),
        env_names=tuple(names),
        variables=_variables(after, new_env),
        repaired=(),
        duplicates=(),
        kept=kept,
        warnings=(
            *decided.warnings,
            *(f"{name} is kept in {current.env_path}: the config still refers to it." for name in kept),
        ),
        diff=_diffs(current, before, after, new_env, paths, names, new_keys),
        keys=new_keys,
        key_names=tuple(gone),
        dates=_dates(current, before, (after, new_env, new_keys), names),
    )


def _read_config(current: CurrentFiles) -> _Config:
    path = current.config_path
    text = _NEW_CONFIG if current.config is None else current.config
    try:
        value = json5_reader.loads(text)
    except json5_reader.Json5Error as exc:
        raise ClawdbotError(
            f"{path} cannot be read: {exc}. The gateway cannot read it either: repair it, or restore {path}.bak."
        ) from exc
    seen = resolve(value, path, current.read)
    if not isinstance(value, dict) or not isinstance(seen.value, dict):
        raise ClawdbotError(f"{path} does not contain an object.")
    return _Config(text, value, seen)


def _edited(current: CurrentFiles, before: _Config, changes: Sequence[Change], further: Sequence[Change]) -> _Config:
    """Return the config with the changes made, then the further ones, which have no effect on the gateway."""
    seen = before.seen
    # What an included file already sets as desired is not set again: a list would be there twice.
    own = [
        change for change in changes if not seen.concerning(change.path) or at(seen.value, change.path) != change.value
    ]
    for change in own:
        _reject(current, change.path, seen.inside(change.path))
    try:
        text = json5_editor.edit(before.text, [*own, *further])
    except json5_editor.Json5PathError as exc:
        raise ClawdbotError(f"{current.config_path}: {exc}.") from exc
    value = json5_reader.loads(text)
    after = _Config(text, value, resolve(value, current.config_path, current.read))
    for path, wanted in {change.path: change.value for change in changes}.items():
        if at(after.seen.value, path) != wanted:
            _reject(current, path, seen.concerning(path))
    return after


def _reject_included_providers(current: CurrentFiles, before: _Config, providers: Iterable[str]) -> None:
    for name in providers:
        for part in before.seen.concerning((*PROVIDERS, name)):
            raise ClawdbotError(
                f"Cannot set {'.'.join(PROVIDERS)}.{name}: {part.path}, included by {current.config_path}, also sets "
                f"it, and the gateway merges the models of both. Remove it from {part.path}."
            )


def _reject(current: CurrentFiles, path: Sequence[str], parts: Sequence[Part]) -> None:
    for part in parts:
        raise ClawdbotError(
            f"Cannot set {'.'.join(path)}: {part.path}, included by {current.config_path}, also sets it. Remove it "
            f"from {part.path}."
        )


def _edit_env(current: CurrentFiles, changes: Mapping[str, str | None]) -> tuple[str, tuple[str, ...]]:
    try:
        edited = dotenv.edit(current.env or "", changes)
    except dotenv.EnvFileError as exc:
        raise ClawdbotError(f"{current.env_path}: {exc}.") from exc
    kept = [name for name, value in changes.items() if value is not None]
    return dotenv.align_with_systemd(edited.text, kept), edited.duplicates


def _unused_entry(before: _Config, after: _Config) -> list[Change]:
    """Return the changes that remove the entry of the file with keys if nothing refers to it after the others."""
    return [change for change in unused_entry(after.seen.value) if at(before.value, change.path) is not REMOVE]


def _stored_keys(current: CurrentFiles) -> dict[str, str]:
    try:
        return key_files.loads(current.keys)
    except ValueError as exc:
        path = key_files.key_file("file", current.env_path)
        raise ClawdbotError(f"{path} cannot be read: {exc}. Repair it, or move it away.") from exc


def _unused_keys(stored: Collection[str], names: Iterable[str], config: _Config) -> list[str]:
    """Return those of the names that the file with keys has, and to which a config does not refer there."""
    referred = key_files.file_references(config.seen.value)
    return [name for name in names if name in stored and name not in referred]


def _edit_keys(current: CurrentFiles, changes: Mapping[str, str | None]) -> str | None:
    return key_files.edit(current.keys, changes) if changes else current.keys


def _dates(
    current: CurrentFiles, before: _Config, after: tuple[_Config, str, str | None], names: Iterable[str]
) -> str | None:
    """Return the record of the dates of keys after the plan: `after` is config, `.env` and the file with keys."""
    states = [
        (config.seen.value, dotenv.loads(env or ""), key_files.loads(keys))
        for config, env, keys in ((before, current.env, current.keys), after)
    ]
    held = {name: [key_files.held_key(name, *state) for state in states] for name in dict.fromkeys(names)}
    prints = {name: [fingerprint(key) if key else "" for key in keys] for name, keys in held.items()}
    changes = {name: (old, new) for name, (old, new) in prints.items()}
    return key_dates.updated(current.dates, changes, current.today)


def _reject_undefined(desired: Desired, variables: Mapping[str, str], env_path: str) -> None:
    # The env section of the config does not count: it is applied after the references are replaced (the product's
    # config/io.js), so that its variables are missing at the start.
    defined = [name for name, value in variables.items() if value]
    for provider, names in missing_variables(desired.providers, defined).items():
        raise ClawdbotError(
            f"The block of provider {provider} refers to {', '.join(map(reference, names))}, which neither env nor "
            f"{env_path} defines. The gateway rejects its whole config for one missing variable: add it to env."
        )


def _variables(config: _Config, env: str) -> dict[str, str]:
    """Return the variables to check the config with: those that the gateway uses and a process can have."""
    variables = {name: value for name, value in dotenv.loads(env).items() if value and "\0" not in value}
    return {**dict.fromkeys(references(config.seen.value), _PLACEHOLDER), **variables}


def _innermost(paths: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the paths that are not parents of others."""
    return [path for path in paths if not any(len(other) > len(path) and other[: len(path)] == path for other in paths)]


def _diffs(
    current: CurrentFiles,
    before: _Config,
    after: _Config,
    env: str,
    paths: Sequence[tuple[str, ...]],
    names: Collection[str],
    new_keys: str | None,
) -> list[dict[str, str]]:
    old_env = current.env or ""
    variables = [dotenv.loads(text) for text in (old_env, env)]
    # A managed variable is a secret, whatever it looks like. A single character is none, and would be found everywhere.
    secrets = {value for values in variables for name, value in values.items() if name in names and len(value) > 1}
    keys = [key_files.loads(text) for text in (current.keys, new_keys)]
    secrets.update(secrets_in(variables, keys))
    key_views = [_keys_view(one) for one in keys]
    return [
        _diff(current.env_path, *(_env_view(text, names) for text in (old_env, env))),
        _diff(current.config_path, *(_config_view(config.value, paths, secrets) for config in (before, after))),
        *([_diff(key_files.key_file("file", current.env_path), *key_views)] if any(key_views) else []),
    ]


def _keys_view(keys: Mapping[str, str]) -> str:
    return "".join(f"{name}=<{fingerprint(key)}>\n" for name, key in keys.items())


def _diff(path: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def _env_view(text: str, managed: Iterable[str]) -> str:
    values, by_systemd = dotenv.loads(text), environment_file.loads(text)
    lines = []
    for name in (name for name in managed if name in values):
        other = by_systemd.get(name, values[name])
        note = "" if other == values[name] else f" (<{fingerprint(other)}> for EnvironmentFile=)"
        lines.append(f"{name}=<{fingerprint(values[name])}>{note}\n")
    return "".join(lines)


def _config_view(config: Mapping[str, Any], paths: Iterable[Sequence[str]], secrets: Iterable[str]) -> str:
    """Return the parts of a config that may be shown, as JSON. Everything else stays on the host.

    The product's own commands write a resolved key wherever its reference was, so that values of `.env` are searched
    everywhere, and not only under names for secrets.
    """
    shown = {".".join(path): value for path in paths if (value := at(config, path)) is not REMOVE}
    text = json.dumps(shown, indent=2, ensure_ascii=False)
    return redact(text, {*secrets, *named_secrets(shown)}) + "\n"
