# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A gateway's C(.env) and config as one transaction: brought to what is desired, rolled back, confirmed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.clawfleet.clawdbot.plugins.module_utils import _transaction, _undo
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._checker import check
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config_plan import Desired
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._edit import Edit, FileTexts, edit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._transaction import Conflict, Snapshot

_PRIVATE = 0o600
_LOCK_SECONDS = 120.0
# The product writes its config a few times in a row at the most; who is beaten this often is up against something else.
_ATTEMPTS = 5


@dataclass(frozen=True)
class Result:
    """What was done, or in check mode would be."""

    config_changed: bool = False
    env_changed: bool = False
    #: Whether a record of what stood in the files before is, or would be, kept.
    unconfirmed: bool = False
    edit: Edit | None = None


@dataclass(frozen=True)
class _Replacement:
    """A file and the bytes that shall be in it, None for no file at all."""

    snapshot: Snapshot
    content: bytes | None
    mode: int

    @property
    def changes(self) -> bool:
        return self.content != self.snapshot.content or (self.content is not None and self.mode != self.snapshot.mode)


def present(
    config_path: str,
    env_path: str,
    desired: Desired,
    env: Mapping[str, str],
    checker: Sequence[str],
    *,
    check_mode: bool,
) -> Result:
    """Brings both files to what is desired. Raises ClawdbotError, with both files as they were."""
    with _locked(config_path):
        undo = _undo.load(config_path)
        for _attempt in range(_ATTEMPTS):
            config, dotenv = _read(config_path, env_path)
            planned = edit(FileTexts(_text(config), _text(dotenv)), desired, env, config_path, env_path)
            new_config = _replacement(config, planned.config, _PRIVATE if config.mode is None else config.mode)
            new_env = _replacement(dotenv, planned.env, _PRIVATE)
            changes = new_config.changes or new_env.changes
            result = Result(new_config.changes, new_env.changes, changes or undo is not None, planned)
            with contextlib.suppress(Conflict), contextlib.ExitStack() as files:
                config_candidate = _candidate(files, new_config)
                if config_candidate and checker:
                    check(checker, config_candidate, {**planned.variables, "PATH": os.environ.get("PATH", os.defpath)})
                if changes and not check_mode:
                    env_candidate = _candidate(files, new_env)
                    _undo.save(config_path, _remembered(undo, new_config, new_env, planned, tuple(env)))
                    _commit(dotenv, env_candidate, config, config_candidate)
                return result
    raise ClawdbotError(
        f"{config_path} or {env_path} was changed by another process each of the {_ATTEMPTS} times that an edit was made. "
        "Both are as that process left them: find out what keeps writing, or run again later."
    )


def rolled_back(config_path: str, env_path: str, *, check_mode: bool) -> Result:
    """Puts both files back to what they were before the run that is recorded; nothing where none is."""
    with _locked(config_path):
        undo = _undo.load(config_path)
        if undo is None:
            return Result()
        config, dotenv = _read(config_path, env_path)
        old_config, old_env = (
            _Replacement(config, config.content, _PRIVATE),
            _Replacement(dotenv, dotenv.content, _PRIVATE),
        )
        if undo.config:
            mode = _PRIVATE if undo.config.mode is None else undo.config.mode
            old_config = _Replacement(config, _undo.config_before(undo.config, config.content), mode)
        if undo.env:
            mode = _PRIVATE if undo.env.mode is None else undo.env.mode
            old_env = _Replacement(dotenv, _undo.env_before(undo.env, dotenv.content), mode)
        result = Result(bool(undo.config) and old_config.changes, bool(undo.env) and old_env.changes)
        if not check_mode:
            # The other way round than forwards: no block may be left that refers to a variable which is gone.
            if result.config_changed:
                _replace(old_config)
            if result.env_changed:
                _replace(old_env)
            _undo.discard(config_path)
        return result


def confirmed(config_path: str, *, check_mode: bool) -> Result:
    """Drops the record: the run that made it is proven good."""
    with _locked(config_path):
        if not check_mode:
            _undo.discard(config_path)
    return Result()


@contextlib.contextmanager
def _locked(config_path: str) -> Iterator[None]:
    with _transaction.locked(os.path.dirname(os.path.realpath(config_path)), _LOCK_SECONDS):
        yield


def _read(config_path: str, env_path: str) -> tuple[Snapshot, Snapshot]:
    config, dotenv = _transaction.read(config_path), _transaction.read(env_path)
    for snapshot in (config, dotenv):
        _transaction.discard_leftovers(snapshot)
    return config, dotenv


def _text(snapshot: Snapshot) -> str | None:
    return None if snapshot.content is None else _undo.decode(snapshot.content)


def _replacement(snapshot: Snapshot, text: str | None, mode: int) -> _Replacement:
    return _Replacement(snapshot, None if text is None else _undo.encode(text), mode)


def _candidate(files: contextlib.ExitStack, replacement: _Replacement) -> str | None:
    if not replacement.changes or replacement.content is None:
        return None
    return files.enter_context(_transaction.candidate(replacement.snapshot, replacement.content, replacement.mode))


def _remembered(
    undo: _undo.Undo | None, config: _Replacement, env: _Replacement, planned: Edit, names: tuple[str, ...]
) -> _undo.Undo:
    undo = undo or _undo.Undo()
    new_config, new_env = undo.config, undo.env
    if config.changes and config.content is not None:
        new_config = _undo.remember(undo.config, config.snapshot, config.content, planned.config_paths)
    if env.changes and env.content is not None:
        new_env = _undo.remember(undo.env, env.snapshot, env.content, [(name,) for name in names])
    return _undo.Undo(new_config, new_env)


def _commit(dotenv: Snapshot, env_candidate: str | None, config: Snapshot, config_candidate: str | None) -> None:
    """The .env first: a config must never refer to a variable that is not there yet."""
    if env_candidate is None:
        if config_candidate is not None:
            _transaction.commit(config, config_candidate)
        return
    _transaction.commit(dotenv, env_candidate)
    if config_candidate is None:
        return
    try:
        _transaction.commit(config, config_candidate)
    except ClawdbotError:
        _replace(_Replacement(_transaction.read(dotenv.path), dotenv.content, dotenv.mode or _PRIVATE))
        raise


def _replace(replacement: _Replacement) -> None:
    with contextlib.ExitStack() as files:
        candidate = _candidate(files, replacement)
        if candidate is None:
            _transaction.remove(replacement.snapshot)
        else:
            _transaction.commit(replacement.snapshot, candidate)
