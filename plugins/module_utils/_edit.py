# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What both files of a gateway shall be: decided from their contents and what is desired, without touching them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils import _env_file, _json5
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config_plan import (
    Desired,
    alias_clashes,
    at,
    managed_paths,
    missing_variables,
    plan,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._references import reference, references
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets import (
    fingerprint,
    named_secrets,
    redact,
    secret_values,
)

# The checker must not refuse a config for a variable that only the gateway's own process has.
_PLACEHOLDER = "set-in-the-gateway-process"
_NEW_CONFIG = "{}\n"


@dataclass(frozen=True)
class FileTexts:
    """Both files; None where there is none."""

    config: str | None
    env: str | None


@dataclass(frozen=True)
class Edit:
    """Both files as they shall be (None: still none), and what to say of the difference. No secret is in C(diff)."""

    config: str | None
    env: str | None
    #: What the plan sets in the config, whether or not it was so before.
    config_paths: tuple[tuple[str, ...], ...]
    #: What the config may refer to when it is checked, placeholders included.
    variables: Mapping[str, str]
    repaired: tuple[str, ...]
    duplicates: tuple[str, ...]
    warnings: tuple[str, ...]
    #: As Ansible's callbacks take it.
    diff: Sequence[Mapping[str, str]]


def edit(texts: FileTexts, desired: Desired, env: Mapping[str, str], config_path: str, env_path: str) -> Edit:
    """The edit that brings both files to what is desired. The paths are for messages.

    Raises ClawdbotError, naming what is wrong and never a value, for aliases that the product cannot have together, for
    a file that cannot be read as what it should be or cannot hold what is desired, and for a block that refers to a
    variable which C(.env) does not define.
    """
    for clash in alias_clashes(desired.aliases):
        raise ClawdbotError(f"{clash} Nothing was changed.")
    old_config = _NEW_CONFIG if texts.config is None else texts.config
    old_env = "" if texts.env is None else texts.env
    config = _read_config(old_config, config_path)
    variables, new_env, duplicates = _edit_env(old_env, env, env_path)
    _refuse_undefined(desired, variables, env_path)
    decided = plan(config, desired)
    try:
        new_config = _json5.edit(old_config, decided.changes)
    except _json5.Json5PathError as exc:
        raise ClawdbotError(f"{config_path}: {exc}. Nothing was changed.") from exc
    after = _json5.loads(new_config)
    paths = managed_paths(desired, decided.changes)
    placeholders = dict.fromkeys(references(after), _PLACEHOLDER)
    secrets = {*env.values(), *secret_values(_env_file.loads(old_env)), *secret_values(variables)}
    return Edit(
        config=texts.config if new_config == old_config else new_config,
        env=texts.env if new_env == old_env else new_env,
        config_paths=tuple(change.path for change in decided.changes),
        variables={**placeholders, **_passable(variables)},
        repaired=decided.repaired,
        duplicates=duplicates,
        warnings=decided.warnings,
        diff=[
            _diff(env_path, _env_view(old_env, env), _env_view(new_env, env)),
            _diff(config_path, _config_view(config, paths, secrets), _config_view(after, paths, secrets)),
        ],
    )


def _read_config(text: str, path: str) -> dict[str, Any]:
    try:
        config = _json5.loads(text)
    except _json5.Json5Error as exc:
        raise ClawdbotError(
            f"{path} cannot be read: {exc}. The product cannot read it either: mend it, or restore {path}.bak. "
            "Nothing was changed."
        ) from exc
    if not isinstance(config, dict):
        raise ClawdbotError(f"{path} does not hold an object. Nothing was changed.")
    return config


def _edit_env(text: str, env: Mapping[str, str], path: str) -> tuple[dict[str, str], str, tuple[str, ...]]:
    try:
        edited = _env_file.edit(text, env)
    except _env_file.EnvFileError as exc:
        raise ClawdbotError(f"{path}: {exc}. Nothing was changed.") from exc
    return _env_file.loads(edited.text), edited.text, edited.duplicates


def _refuse_undefined(desired: Desired, variables: Mapping[str, str], env_path: str) -> None:
    # The env section of the config does not count: the product applies it after it has replaced the references
    # (its config/io.js), so that a variable of that section is missing at the start.
    defined = [name for name, value in variables.items() if value]
    for provider, names in missing_variables(desired.providers, defined).items():
        raise ClawdbotError(
            f"The block of provider {provider} refers to {', '.join(map(reference, names))}, which neither env nor "
            f"{env_path} defines: the product refuses its whole config for one missing variable. Nothing was changed."
        )


def _passable(variables: Mapping[str, str]) -> dict[str, str]:
    """Those that count for the product and that the environment of a process can hold."""
    return {name: value for name, value in variables.items() if value and "\0" not in value}


def _diff(path: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": path, "after_header": path, "before": before, "after": after}


def _env_view(text: str, managed: Iterable[str]) -> str:
    values = _env_file.loads(text)
    return "".join(f"{name}=<{fingerprint(values[name])}>\n" for name in managed if name in values)


def _config_view(config: Mapping[str, Any], paths: Iterable[Sequence[str]], secrets: Iterable[str]) -> str:
    """The parts of a config that may be shown, as JSON: whatever else stands in it stays on the host.

    The product's own commands write a resolved key wherever its reference was, so that values of C(.env) are looked for
    everywhere, and not only under names for secrets.
    """
    shown = {".".join(path): value for path in paths if (value := at(config, path)) is not _json5.REMOVE}
    text = json.dumps(shown, indent=2, ensure_ascii=False)
    return redact(text, {*secrets, *named_secrets(shown)}) + "\n"
