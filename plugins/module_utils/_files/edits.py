# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What both files of a gateway shall be: decided from their contents and what is desired, without touching them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_editor, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import reference, references
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.gateway_changes import Settings
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.includes import Part, Read, Resolved, resolve
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Change
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import PROVIDERS, alias_clashes
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import (
    Desired,
    Removal,
    desired_changes,
    empty_parents,
    managed_paths,
    missing_variables,
    remaining_uses,
    removal_changes,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE, at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import (
    fingerprint,
    named_secrets,
    redact,
    secret_values,
)

# The checker must not refuse a config for a variable that only the gateway's own process has.
_PLACEHOLDER = "set-in-the-gateway-process"
_NEW_CONFIG = "{}\n"


@dataclass(frozen=True)
class Found:
    """Both files as they are; None where there is none. The paths are for messages, and for relative includes."""

    config_path: str
    config: str | None = field(repr=False)
    env_path: str
    env: str | None = field(repr=False)
    #: Gives the files that the config includes.
    read: Read = field(repr=False)


@dataclass(frozen=True)
class Edit:
    """Both files as they shall be (None: still none), and what to say of the difference. No secret is in C(diff)."""

    config: str | None
    env: str | None
    #: What the plan sets or removes in the config, whether or not it was so before.
    config_paths: tuple[tuple[str, ...], ...]
    #: The same for .env.
    env_names: tuple[str, ...]
    #: What the config may refer to when it is checked, placeholders included.
    variables: Mapping[str, str]
    repaired: tuple[str, ...]
    duplicates: tuple[str, ...]
    #: Variables that were to be removed, and stay because the config still refers to them.
    kept: tuple[str, ...]
    warnings: tuple[str, ...]
    #: As Ansible's callbacks take it.
    diff: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class _Config:
    """One state of the config: the text and value of the file itself, and what the product sees with its includes."""

    text: str
    value: dict[str, Any]
    seen: Resolved


def edit(found: Found, desired: Desired, env: Mapping[str, str]) -> Edit:
    """The edit that brings both files to what is desired.

    Raises ClawdbotError, naming what is wrong and never a value, for aliases that the product cannot have together, for
    a file that cannot be read as what it should be or cannot hold what is desired, for an included file that would make
    something else of it, and for a block that refers to a variable which C(.env) does not define.
    """
    for clash in alias_clashes(desired.aliases):
        raise ClawdbotError(f"{clash} Nothing was changed.")
    before = _read_config(found)
    _refuse_included_providers(found, before, desired.providers)
    new_env, duplicates = _edit_env(found, env)
    _refuse_undefined(desired, dotenv.loads(new_env), found.env_path)
    decided = desired_changes(before.seen.value, desired)
    after = _edited(found, before, decided.changes, ())
    return Edit(
        config=found.config if after.text == before.text else after.text,
        env=found.env if new_env == (found.env or "") else new_env,
        config_paths=tuple(change.path for change in decided.changes),
        env_names=tuple(env),
        variables=_variables(after, new_env),
        repaired=decided.repaired,
        duplicates=duplicates,
        kept=(),
        warnings=decided.warnings,
        diff=_diffs(found, before, after, new_env, managed_paths(desired, decided.changes), env),
    )


def edit_settings(found: Found, decide: Callable[[dict[str, Any], Mapping[str, str]], Settings]) -> Edit:
    """The edit that brings both files to the settings which are decided from the config and the variables of C(.env).

    Raises ClawdbotError as edit does.
    """
    before = _read_config(found)
    settings = decide(before.seen.value, dotenv.loads(found.env or ""))
    new_env, duplicates = _edit_env(found, settings.env)
    after = _edited(found, before, settings.changes, ())
    paths = tuple(change.path for change in settings.changes)
    return Edit(
        config=found.config if after.text == before.text else after.text,
        env=found.env if new_env == (found.env or "") else new_env,
        config_paths=paths,
        env_names=tuple(settings.env),
        variables=_variables(after, new_env),
        repaired=(),
        duplicates=duplicates,
        kept=(),
        warnings=(),
        diff=_diffs(found, before, after, new_env, paths, settings.env),
    )


def edit_out(found: Found, removal: Removal, names: Sequence[str]) -> Edit:
    """The edit that takes providers and the named variables out of both files.

    A variable that the config still refers to afterwards stays. Raises ClawdbotError as edit does, and where a model of
    the providers is chosen in a place that is not the collection's to change.
    """
    before = _read_config(found)
    problems = list(remaining_uses(before.seen.value, removal))
    if problems:
        raise ClawdbotError(" ".join([*problems, "Nothing was changed."]))
    decided = removal_changes(before.seen.value, removal)
    further = empty_parents(before.value, decided.changes)
    after = _edited(found, before, decided.changes, further)
    referred = references(after.seen.value)
    kept = tuple(name for name in names if name in referred)
    new_env, _duplicates = _edit_env(found, {name: None for name in names if name not in referred})
    paths = _innermost([change.path for change in (*decided.changes, *further)])
    return Edit(
        config=found.config if after.text == before.text else after.text,
        env=found.env if new_env == (found.env or "") else new_env,
        config_paths=tuple(paths),
        env_names=tuple(names),
        variables=_variables(after, new_env),
        repaired=(),
        duplicates=(),
        kept=kept,
        warnings=(
            *decided.warnings,
            *(f"{name} stays in {found.env_path}: the config still refers to it." for name in kept),
        ),
        diff=_diffs(found, before, after, new_env, paths, names),
    )


def _read_config(found: Found) -> _Config:
    path = found.config_path
    text = _NEW_CONFIG if found.config is None else found.config
    try:
        value = json5_reader.loads(text)
    except json5_reader.Json5Error as exc:
        raise ClawdbotError(
            f"{path} cannot be read: {exc}. The product cannot read it either: mend it, or restore {path}.bak. "
            "Nothing was changed."
        ) from exc
    seen = resolve(value, path, found.read)
    if not isinstance(value, dict) or not isinstance(seen.value, dict):
        raise ClawdbotError(f"{path} does not hold an object. Nothing was changed.")
    return _Config(text, value, seen)


def _edited(found: Found, before: _Config, changes: Sequence[Change], further: Sequence[Change]) -> _Config:
    """The config with the changes made, and then the further ones, which are of no effect to the product."""
    seen = before.seen
    # What an included file says as it is wanted is not said a second time: a list would be there twice.
    own = [
        change for change in changes if not seen.concerning(change.path) or at(seen.value, change.path) != change.value
    ]
    for change in own:
        _refuse(found, change.path, seen.inside(change.path))
    try:
        text = json5_editor.edit(before.text, [*own, *further])
    except json5_editor.Json5PathError as exc:
        raise ClawdbotError(f"{found.config_path}: {exc}. Nothing was changed.") from exc
    value = json5_reader.loads(text)
    after = _Config(text, value, resolve(value, found.config_path, found.read))
    for path, wanted in {change.path: change.value for change in changes}.items():
        if at(after.seen.value, path) != wanted:
            _refuse(found, path, seen.concerning(path))
    return after


def _refuse_included_providers(found: Found, before: _Config, providers: Iterable[str]) -> None:
    for name in providers:
        for part in before.seen.concerning((*PROVIDERS, name)):
            raise ClawdbotError(
                f"{part.path}, which {found.config_path} includes, has something for the provider {name} as well, and "
                "the product puts the models of both together. Included files are not written: take it out there. "
                "Nothing was changed."
            )


def _refuse(found: Found, path: Sequence[str], parts: Sequence[Part]) -> None:
    for part in parts:
        raise ClawdbotError(
            f"{part.path}, which {found.config_path} includes, has something at {'.'.join(path)} with which that "
            "cannot become what is asked. Included files are not written: take it out there. Nothing was changed."
        )


def _edit_env(found: Found, changes: Mapping[str, str | None]) -> tuple[str, tuple[str, ...]]:
    try:
        edited = dotenv.edit(found.env or "", changes)
    except dotenv.EnvFileError as exc:
        raise ClawdbotError(f"{found.env_path}: {exc}. Nothing was changed.") from exc
    return edited.text, edited.duplicates


def _refuse_undefined(desired: Desired, variables: Mapping[str, str], env_path: str) -> None:
    # The env section of the config does not count: the product applies it after it has replaced the references
    # (its config/io.js), so that a variable of that section is missing at the start.
    defined = [name for name, value in variables.items() if value]
    for provider, names in missing_variables(desired.providers, defined).items():
        raise ClawdbotError(
            f"The block of provider {provider} refers to {', '.join(map(reference, names))}, which neither env nor "
            f"{env_path} defines: the product refuses its whole config for one missing variable. Nothing was changed."
        )


def _variables(config: _Config, env: str) -> dict[str, str]:
    """What a process is given to check the config with: those that count for the product and that it can hold."""
    variables = {name: value for name, value in dotenv.loads(env).items() if value and "\0" not in value}
    return {**dict.fromkeys(references(config.seen.value), _PLACEHOLDER), **variables}


def _innermost(paths: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Those that have none of the others below them."""
    return [path for path in paths if not any(len(other) > len(path) and other[: len(path)] == path for other in paths)]


def _diffs(
    found: Found, before: _Config, after: _Config, env: str, paths: Sequence[tuple[str, ...]], names: Collection[str]
) -> list[dict[str, str]]:
    old_env = found.env or ""
    variables = [dotenv.loads(text) for text in (old_env, env)]
    # What is asked for is a secret, whatever it looks like.
    secrets = {value for values in variables for name, value in values.items() if name in names}
    secrets.update(*map(secret_values, variables))
    return [
        _diff(found.env_path, *(_env_view(values, names) for values in variables)),
        _diff(found.config_path, *(_config_view(config.value, paths, secrets) for config in (before, after))),
    ]


def _diff(path: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def _env_view(values: Mapping[str, str], managed: Iterable[str]) -> str:
    return "".join(f"{name}=<{fingerprint(values[name])}>\n" for name in managed if name in values)


def _config_view(config: Mapping[str, Any], paths: Iterable[Sequence[str]], secrets: Iterable[str]) -> str:
    """The parts of a config that may be shown, as JSON: whatever else stands in it stays on the host.

    The product's own commands write a resolved key wherever its reference was, so that values of C(.env) are looked for
    everywhere, and not only under names for secrets.
    """
    shown = {".".join(path): value for path in paths if (value := at(config, path)) is not REMOVE}
    text = json.dumps(shown, indent=2, ensure_ascii=False)
    return redact(text, {*secrets, *named_secrets(shown)}) + "\n"
