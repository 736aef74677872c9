# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A gateway's C(.env) and config as one transaction: edited, rid of providers, rolled back, confirmed."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import Desired, Removal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.config_check import check

from . import agent_files, atomic, journal
from .atomic import ConflictError, Snapshot
from .edits import Edit, Found, edit, edit_out

_PRIVATE = 0o600
_LOCK_SECONDS = 120.0
# The product writes its config a few times in a row at the most; who is beaten this often is up against something else.
_ATTEMPTS = 5

_T = TypeVar("_T")


@dataclass(frozen=True)
class Files:
    """The two files of one gateway, as paths."""

    config: str
    env: str


@dataclass(frozen=True)
class Result:
    """What was done, or in check mode would be."""

    config_changed: bool = False
    env_changed: bool = False
    #: The files of agents that were changed.
    agent_files: tuple[str, ...] = ()
    #: Whether a record of what stood in the files before is, or would be, kept.
    unconfirmed: bool = False
    #: What was decided from the files; None where they are only put back or left alone.
    edit: Edit | None = None
    #: As Ansible's callbacks take it. Nothing in it is secret.
    diff: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class _Replacement:
    """A file and the bytes that shall be in it, None for no file at all."""

    snapshot: Snapshot
    content: bytes | None = field(repr=False)
    #: None leaves the file's own; a new file is private.
    wanted_mode: int | None = None

    @property
    def mode(self) -> int:
        modes = (self.wanted_mode, self.snapshot.mode)
        return next((mode for mode in modes if mode is not None), _PRIVATE)

    @property
    def changes_mode(self) -> bool:
        return self.content is not None and self.snapshot.mode not in (None, self.mode)

    @property
    def changes(self) -> bool:
        return self.content != self.snapshot.content or self.changes_mode


class _Included:
    """The files that a config includes, each as it was read once."""

    def __init__(self) -> None:
        self.snapshots: dict[str, Snapshot] = {}

    def read(self, path: str) -> str | None:
        if path not in self.snapshots:
            self.snapshots[path] = atomic.read(path)
        return _text(self.snapshots[path])


@dataclass(frozen=True)
class _Agents:
    """The files of a gateway's agents, and what shall go from them."""

    paths: Sequence[str]
    removal: Removal

    def planned(self) -> tuple[list[_Replacement], list[Mapping[str, str]]]:
        """Those that change, and how."""
        replacements: list[_Replacement] = []
        diffs: list[Mapping[str, str]] = []
        for path in self.paths:
            snapshot = atomic.read(path)
            if snapshot.content is None:
                continue
            edited = agent_files.edit(path, journal.decode(snapshot.content), self.removal)
            replacement = _Replacement(snapshot, journal.encode(edited.text))
            if replacement.changes:
                replacements.append(replacement)
                diffs.append(edited.diff)
        return replacements, diffs


def present(
    files: Files, desired: Desired, env: Mapping[str, str], checker: Sequence[str], *, check_mode: bool
) -> Result:
    """Gives both files the providers that are desired. Raises ClawdbotError as edited does."""
    return edited(files, lambda found: edit(found, desired, env), checker, check_mode=check_mode)


def edited(
    files: Files,
    decide: Callable[[Found], Edit],
    checker: Sequence[str],
    *,
    check_mode: bool,
    check_unchanged: bool = False,
) -> Result:
    """Brings both files to what is decided from them; it is decided again where another process comes in between.

    With C(check_unchanged), a config that stays as it is has to pass the checker too.
    Raises ClawdbotError, with both files as they were; where they cannot be put back, it says so and keeps the record.
    """
    with _held(_paths(files), check_mode):
        return _repeated(files, lambda: _carried_out(files, decide, None, checker, check_mode, check_unchanged))


def absent(
    files: Files,
    removal: Removal,
    variables: Sequence[str],
    state_dir: str,
    checker: Sequence[str],
    *,
    check_mode: bool,
) -> Result:
    """Takes providers and variables out of both files, and the providers out of the files of the agents.

    Raises ClawdbotError as present does. The files of the agents are not put back and are in no record: the product
    makes what it needs of them from the config.
    """

    def decide(found: Found) -> Edit:
        return edit_out(found, removal, variables)

    of_agents = agent_files.paths(state_dir)
    with _held([*_paths(files), *of_agents], check_mode):
        return _repeated(files, lambda: _carried_out(files, decide, _Agents(of_agents, removal), checker, check_mode))


def rolled_back(files: Files, *, check_mode: bool) -> Result:
    """Puts both files back to what they were before the run that is recorded; nothing where none is.

    Raises ClawdbotError where that cannot be done; the record is then kept.
    """
    with _held(_paths(files), check_mode):
        undo = journal.load(files.config, files.env)
        if undo is None:
            return Result()
        result = _put_back(files, undo, check_mode)
        if not check_mode:
            journal.discard(files.config)
        return result


def confirmed(files: Files, *, check_mode: bool) -> Result:
    """Drops the record: the run that made it is proven good."""
    with _held(_paths(files), check_mode):
        if not check_mode:
            journal.discard(files.config)
    return Result()


def _paths(files: Files) -> list[str]:
    return [files.config, files.env, journal.path_beside(files.config)]


@contextlib.contextmanager
def _held(paths: Sequence[str], check_mode: bool) -> Iterator[None]:
    with atomic.locked((os.path.dirname(os.path.realpath(path)) for path in paths), _LOCK_SECONDS):
        if not check_mode:
            for path in paths:
                atomic.discard_leftovers(path)
        yield


def _repeated(files: Files, attempt: Callable[[], _T]) -> _T:
    """The result of the first attempt that nobody comes in between."""
    for _attempt in range(_ATTEMPTS):
        with contextlib.suppress(ConflictError):
            return attempt()
    raise ClawdbotError(
        f"{files.config} or {files.env} was changed by another process each of the {_ATTEMPTS} times that an edit was "
        "made. Both are as that process left them: find out what keeps writing, or run again later."
    )


def _carried_out(
    files: Files,
    decide: Callable[[Found], Edit],
    agents: _Agents | None,
    checker: Sequence[str],
    check_mode: bool,
    check_unchanged: bool = False,
) -> Result:
    """One attempt. Raises ConflictError, with both files as the other process left them, where it came in between."""
    undo = journal.load(files.config, files.env)
    config, env = atomic.read(files.config), atomic.read(files.env)
    included = _Included()
    planned = decide(Found(files.config, _text(config), files.env, _text(env), included.read))
    new_config = _Replacement(config, _content(planned.config))
    new_env = _Replacement(env, _content(planned.env), _PRIVATE)
    # A config must never refer to a variable that is not there: new ones come first, those that are not needed go last.
    both = [new_env, new_config] if agents is None else [new_config, new_env]
    recorded = any(replacement.changes for replacement in both)
    others, diffs = agents.planned() if agents else ([], [])
    with contextlib.ExitStack() as candidates:
        config_candidate = _candidate(candidates, new_config)
        if checker and (config_candidate or check_unchanged):
            # Beside the config also where nothing changes, so that what the checker leaves when it is killed is found.
            check(checker, config_candidate or candidates.enter_context(_copy(new_config)), planned.variables)
        if (recorded or others) and not check_mode:
            this_run = _recorded(journal.Undo(), new_config, new_env, planned)
            ready = [
                (one, config_candidate if one is new_config else _candidate(candidates, one))
                for one in (*both, *others)
            ]
            try:
                if recorded:
                    journal.save(files.config, _recorded(undo or journal.Undo(), new_config, new_env, planned))
                # The checker takes seconds: what others did meanwhile is seen before the first file is written.
                for snapshot in (config, *included.snapshots.values()):
                    atomic.require_unchanged(snapshot)
                for replacement, candidate in ready:
                    if candidate is not None:
                        atomic.commit(replacement.snapshot, candidate)
            except ClawdbotError as exc:
                if recorded:
                    _take_back(files, this_run, undo, exc)
                raise
    return Result(
        new_config.changes,
        new_env.changes,
        tuple(replacement.snapshot.path for replacement in others),
        recorded or undo is not None,
        planned,
        [*planned.diff, *_mode_diff(files.env, new_env), *diffs],
    )


def _recorded(undo: journal.Undo, config: _Replacement, env: _Replacement, planned: Edit) -> journal.Undo:
    """The record with what this run is about to do."""
    new_config, new_env = undo.config, undo.env
    if config.changes and config.content is not None:
        new_config = journal.config_original(undo.config, config.snapshot, config.content, planned.config_paths)
    if env.changes and env.content is not None:
        new_env = journal.env_original(undo.env, env.snapshot, env.content, planned.env_names)
    return journal.Undo(new_config, new_env)


def _take_back(files: Files, this_run: journal.Undo, earlier: journal.Undo | None, reason: ClawdbotError) -> None:
    """Leaves both files and the record as they were before a commit that failed for the reason."""
    try:
        _put_back(files, this_run, check_mode=False)
        if earlier is None:
            journal.discard(files.config)
        else:
            journal.save(files.config, earlier)
    except ClawdbotError as exc:
        raise ClawdbotError(
            f"{reason} What had been done before that could not be taken back: {exc} As soon as the files can be "
            "written, state=rolled_back takes it back."
        ) from exc


def _put_back(files: Files, undo: journal.Undo, check_mode: bool) -> Result:
    """Both files as they were by the record, which is left alone."""
    steps = [
        partial(_restored, files.config, undo.config, journal.config_before, check_mode),
        partial(_restored, files.env, undo.env, journal.env_before, check_mode),
    ]
    # No block may be left that refers to a variable which is gone, or which is not there yet.
    env_first = _brings_variables(files.env, undo.env)
    done = [_repeated(files, step) for step in (reversed(steps) if env_first else steps)]
    config_changed, env_changed = reversed(done) if env_first else done
    return Result(config_changed, env_changed)


def _brings_variables(path: str, original: journal.Original | None) -> bool:
    """Whether a .env gets variables by being put back."""
    if original is None or original.text is None:
        return False
    content = atomic.read(path).content
    now = dotenv.loads(journal.decode(content or b""))
    before = dotenv.loads(original.text)
    return any(name in before and name not in now for (name,) in original.changed)


def _restored(
    path: str,
    original: journal.Original | None,
    before: Callable[[journal.Original, bytes | None], bytes | None],
    check_mode: bool,
) -> bool:
    """Whether the file was not yet, or in check mode is not, as it was by the record; now it is."""
    if original is None:
        return False
    snapshot = atomic.read(path)
    replacement = _Replacement(snapshot, before(original, snapshot.content), original.mode)
    if replacement.changes and not check_mode:
        _replace(replacement)
    return replacement.changes


def _replace(replacement: _Replacement) -> None:
    with contextlib.ExitStack() as candidates:
        candidate = _candidate(candidates, replacement)
        if candidate is None:
            atomic.remove(replacement.snapshot)
        else:
            atomic.commit(replacement.snapshot, candidate)


def _candidate(candidates: contextlib.ExitStack, replacement: _Replacement) -> str | None:
    if not replacement.changes or replacement.content is None:
        return None
    return candidates.enter_context(_copy(replacement))


def _copy(replacement: _Replacement) -> contextlib.AbstractContextManager[str]:
    return atomic.candidate(replacement.snapshot, replacement.content or b"", replacement.mode)


def _mode_diff(path: str, replacement: _Replacement) -> Iterator[dict[str, str]]:
    if replacement.changes_mode:
        before, after = f"mode {replacement.snapshot.mode:04o}\n", f"mode {replacement.mode:04o}\n"
        yield {"before_header": path, "after_header": path, "before": before, "after": after}


def _text(snapshot: Snapshot) -> str | None:
    return None if snapshot.content is None else journal.decode(snapshot.content)


def _content(text: str | None) -> bytes | None:
    return None if text is None else journal.encode(text)
