# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A gateway's `.env` and config as one transaction: apply a plan, roll it back, confirm it.

`_apply` decides the order of the writes: a config must never refer to an environment variable that `.env` lacks.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import NamedTuple, TypeVar

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, key_files
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import Desired, Removal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.config_check import check

from . import agent_files, atomic, journal, key_dates_file
from .atomic import ConflictError, Snapshot
from .file_plan import CurrentFiles, FilePlan, plan_providers, plan_removal

_PRIVATE = 0o600
_LOCK_SECONDS = 120.0
# The gateway writes its config a few times in a row at most. More conflicts mean that something else keeps writing.
_ATTEMPTS = 5

_T = TypeVar("_T")


@dataclass(frozen=True)
class Files:
    """The paths of a gateway's two files."""

    config: str
    env: str

    @property
    def keys(self) -> str:
        """The file with keys beside `.env`, which need not exist."""
        return key_files.key_file("file", self.env)

    @property
    def dates(self) -> str:
        """The record of the dates of keys beside the config, which need not exist."""
        return key_dates_file.path_beside(self.config)


@dataclass(frozen=True)
class ApplyResult:
    """What was changed, or would be in check mode."""

    config_changed: bool = False
    env_changed: bool = False
    keys_changed: bool = False
    #: The changed files of agents.
    agent_files: tuple[str, ...] = ()
    #: Whether a rollback journal is, or would be, kept.
    unconfirmed: bool = False
    #: The digest of the config afterwards, `None` where there is none, or it is not known.
    config_digest: str | None = None
    #: The plan for both files; `None` for a rollback or a confirmation.
    plan: FilePlan | None = None
    #: As Ansible's callbacks take it, without secrets.
    diff: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True)
class _Replacement:
    """A file and its desired content, `None` for no file."""

    snapshot: Snapshot
    content: bytes | None = field(repr=False)
    #: `None` keeps the file's own. A new file is private.
    desired_mode: int | None = None

    @property
    def mode(self) -> int:
        modes = (self.desired_mode, self.snapshot.mode)
        return next((mode for mode in modes if mode is not None), _PRIVATE)

    @property
    def changes_mode(self) -> bool:
        return self.content is not None and self.snapshot.mode not in (None, self.mode)

    @property
    def changes(self) -> bool:
        return self.content != self.snapshot.content or self.changes_mode


class _Included:
    """The files that a config includes, each read once."""

    def __init__(self) -> None:
        self.snapshots: dict[str, Snapshot] = {}

    def read(self, path: str) -> str | None:
        if path not in self.snapshots:
            self.snapshots[path] = atomic.read(path)
        return _text(self.snapshots[path])


@dataclass(frozen=True)
class _Agents:
    """The files of a gateway's agents, and the providers to remove from them."""

    paths: Sequence[str]
    removal: Removal

    def planned(self) -> tuple[list[_Replacement], list[Mapping[str, str]]]:
        """Return the replacements of files that change, and their diffs."""
        replacements: list[_Replacement] = []
        diffs: list[Mapping[str, str]] = []
        for path in self.paths:
            snapshot = atomic.read(path)
            if snapshot.content is None:
                continue
            planned = agent_files.plan_agent_file(path, journal.decode(snapshot.content), self.removal)
            replacement = _Replacement(snapshot, journal.encode(planned.text))
            if replacement.changes:
                replacements.append(replacement)
                diffs.append(planned.diff)
        return replacements, diffs


@dataclass(frozen=True)
class _Attempt:
    """One attempt to apply a plan: what was read, and what is to be written."""

    plan: FilePlan
    config: _Replacement
    env: _Replacement
    keys: _Replacement
    dates: _Replacement
    included: Sequence[Snapshot]
    agents: Sequence[_Replacement]
    diff: Sequence[Mapping[str, str]]
    #: The journal of an earlier run that was not confirmed.
    earlier: journal.Journal | None

    @property
    def changes_files(self) -> bool:
        """Whether one of the files changes, so that a journal is needed."""
        return self.config.changes or self.env.changes or self.keys.changes

    def in_order(self, removes: bool) -> list[_Replacement]:
        """Return the files in the order of the writes.

        Keys are added before the config refers to them, and removed after it no longer does. Their dates are first: a
        date of a key that was not written means nothing, but without it the age of a key is not known.
        """
        if removes:
            return [self.dates, self.config, self.env, self.keys]
        if self.plan.adds_keys:
            return [self.dates, self.keys, self.config, self.env]
        return [self.dates, self.env, self.config, self.keys]

    def journal_after(self, earlier: journal.Journal) -> journal.Journal:
        """Return the earlier journal with what this attempt is about to write."""
        config, env, keys = earlier.config, earlier.env, earlier.keys
        if self.config.changes and self.config.content is not None:
            content, paths = self.config.content, self.plan.config_paths
            config = journal.config_original(earlier.config, self.config.snapshot, content, paths)
        if self.env.changes and self.env.content is not None:
            content, names = self.env.content, self.plan.env_names
            env = journal.env_original(earlier.env, self.env.snapshot, content, names)
        if self.keys.changes:
            key_paths = [(name,) for name in self.plan.key_names]
            content = self.keys.content or b"{}"
            keys = journal.config_original(earlier.keys, self.keys.snapshot, content, key_paths)
        dates = journal.dates_original(earlier.dates, self.dates.snapshot) if self.dates.changes else earlier.dates
        return journal.Journal(config, env, keys, dates)


def apply_providers(
    files: Files,
    desired: Desired,
    env: Mapping[str, str],
    checker: Sequence[str],
    *,
    check_mode: bool,
    keys: Mapping[str, str] | None = None,
) -> ApplyResult:
    """Give the files the desired providers. Raises `ClawdbotError` as `apply_plan` does."""

    def plan(current: CurrentFiles) -> FilePlan:
        return plan_providers(current, desired, env, keys)

    return apply_plan(files, plan, checker, check_mode=check_mode)


def apply_plan(
    files: Files,
    plan: Callable[[CurrentFiles], FilePlan],
    checker: Sequence[str],
    *,
    check_mode: bool,
    check_unchanged: bool = False,
) -> ApplyResult:
    """Plan both files from their contents and write them. If another process writes in between, plan again.

    `checker`: the command that validates a changed config, with `check_unchanged` an unchanged one too.
    Raises `ClawdbotError` with both files as they were. If they cannot be restored, the error says so, and the rollback
    journal is kept.
    """
    with _locked(_paths(files), check_mode):
        return _repeated(files, lambda: _apply(files, plan, None, checker, check_mode, check_unchanged))


def apply_removal(
    files: Files,
    removal: Removal,
    variables: Sequence[str],
    state_dir: str,
    checker: Sequence[str],
    *,
    check_mode: bool,
) -> ApplyResult:
    """Remove providers and environment variables from both files, and the providers from the files of the agents.

    Raises `ClawdbotError` as `apply_plan` does. The files of the agents are not rolled back and are in no journal: the
    gateway makes them again from the config as needed.
    """

    def plan(current: CurrentFiles) -> FilePlan:
        return plan_removal(current, removal, variables)

    agents = _Agents(agent_files.paths(state_dir), removal)
    with _locked([*_paths(files), *agents.paths], check_mode):
        return _repeated(files, lambda: _apply(files, plan, agents, checker, check_mode))


def roll_back(files: Files, *, check_mode: bool) -> ApplyResult:
    """Restore both files from the rollback journal; without one, change nothing.

    Raises `ClawdbotError` if they cannot be restored. The journal is then kept.
    """
    with _locked(_paths(files), check_mode):
        recorded = journal.load(files.config, files.env)
        if recorded is None:
            return ApplyResult()
        result = _restore(files, recorded, check_mode)
        if not check_mode:
            journal.discard(files.config)
        return result


def confirm(files: Files, *, check_mode: bool) -> ApplyResult:
    """Remove the rollback journal, after the run that wrote it was verified."""
    with _locked(_paths(files), check_mode):
        if not check_mode:
            journal.discard(files.config)
    return ApplyResult()


def _paths(files: Files) -> list[str]:
    return [files.config, files.env, files.keys, files.dates, journal.path_beside(files.config)]


@contextlib.contextmanager
def _locked(paths: Sequence[str], check_mode: bool) -> Iterator[None]:
    with atomic.locked((os.path.dirname(os.path.realpath(path)) for path in paths), _LOCK_SECONDS):
        if not check_mode:
            for path in paths:
                atomic.discard_leftovers(path)
        yield


def _repeated(files: Files, attempt: Callable[[], _T]) -> _T:
    """Return the result of the first attempt without a conflict."""
    for _attempt in range(_ATTEMPTS):
        with contextlib.suppress(ConflictError):
            return attempt()
    raise ClawdbotError(
        f"{files.config} or {files.env} was changed by another process during each of {_ATTEMPTS} attempts. Both are "
        "as that process left them: find out what keeps writing, or run again later."
    )


def _apply(
    files: Files,
    plan: Callable[[CurrentFiles], FilePlan],
    agents: _Agents | None,
    checker: Sequence[str],
    check_mode: bool,
    check_unchanged: bool = False,
) -> ApplyResult:
    """Make one attempt. Raises `ConflictError`, with both files as the other process left them."""
    with contextlib.ExitStack() as temporary_files:
        with _nothing_changed(check_mode):
            attempt = _prepared(files, plan, agents)
            config_file = _temporary_file(temporary_files, attempt.config)
            if checker and (config_file or check_unchanged):
                # An unchanged config is copied too: what a killed checker leaves is beside the config, and found.
                checked = config_file or temporary_files.enter_context(_copy(attempt.config))
                check(checker, checked, attempt.plan.variables)
            ready = [
                (one, config_file if one is attempt.config else _temporary_file(temporary_files, one))
                for one in (() if check_mode else (*attempt.in_order(agents is not None), *attempt.agents))
                if one.changes
            ]
        _write(files, attempt, [(one.snapshot, path) for one, path in ready])
    return ApplyResult(
        attempt.config.changes,
        attempt.env.changes,
        attempt.keys.changes,
        tuple(replacement.snapshot.path for replacement in attempt.agents),
        attempt.changes_files or attempt.earlier is not None,
        _digest(attempt.config.content),
        attempt.plan,
        attempt.diff,
    )


def _prepared(files: Files, plan: Callable[[CurrentFiles], FilePlan], agents: _Agents | None) -> _Attempt:
    """Read all files, and plan what is to be written."""
    earlier = journal.load(files.config, files.env)
    config, env = atomic.read(files.config), atomic.read(files.env)
    included = _Included()
    keys, dates = atomic.read(files.keys), atomic.read(files.dates)
    current = (files.config, _text(config), files.env, _text(env), included.read, _text(keys), _text(dates))
    planned = plan(CurrentFiles(*current, datetime.now(timezone.utc).date()))
    new_env = _Replacement(env, _content(planned.env), _PRIVATE)
    new_keys = _Replacement(keys, _content(planned.keys), _PRIVATE)
    of_agents, diffs = agents.planned() if agents else ([], [])
    return _Attempt(
        planned,
        _Replacement(config, _content(planned.config)),
        new_env,
        new_keys,
        _Replacement(dates, _content(planned.dates)),
        tuple(included.snapshots.values()),
        of_agents,
        [*planned.diff, *_mode_diff(files.env, new_env), *_mode_diff(files.keys, new_keys), *diffs],
        earlier,
    )


@contextlib.contextmanager
def _nothing_changed(check_mode: bool) -> Iterator[None]:
    """Say in an error that nothing was changed: it comes before the first write. In check mode that goes without."""
    try:
        yield
    except ConflictError:
        raise
    except ClawdbotError as exc:
        if check_mode:
            raise
        raise ClawdbotError(f"{exc} Nothing was changed.", **exc.result) from exc


def _write(files: Files, attempt: _Attempt, ready: Sequence[tuple[Snapshot, str | None]]) -> None:
    """Write the journal, then replace the files in the given order. If that fails, restore them."""
    if not ready:
        return
    this_run = attempt.journal_after(journal.Journal())
    try:
        if attempt.changes_files:
            journal.save(files.config, attempt.journal_after(attempt.earlier or journal.Journal()))
        # The checker takes seconds: changes by others in the meantime are found before the first file is written.
        for snapshot in (attempt.config.snapshot, *attempt.included):
            atomic.require_unchanged(snapshot)
        for snapshot, path in ready:
            if path is None:
                atomic.remove(snapshot)
            else:
                atomic.commit(snapshot, path)
    except ClawdbotError as exc:
        if attempt.changes_files:
            _undo_writes(files, this_run, attempt.earlier, exc)
        raise


def _undo_writes(
    files: Files, this_run: journal.Journal, earlier: journal.Journal | None, reason: ClawdbotError
) -> None:
    """Restore both files and the journal after a commit that failed for the reason."""
    try:
        _restore(files, this_run, check_mode=False)
        if earlier is None:
            journal.discard(files.config)
        else:
            journal.save(files.config, earlier)
    except ClawdbotError as exc:
        raise ClawdbotError(
            f"{reason} The files that had been written before could not be restored: {exc} As soon as they can be "
            "written, restore them with state=rolled_back."
        ) from exc


def _restore(files: Files, recorded: journal.Journal, check_mode: bool) -> ApplyResult:
    """Restore the files from a journal, which is kept."""
    steps = {
        "config": partial(_restored, files.config, recorded.config, journal.rolled_back_config, check_mode),
        "env": partial(_restored, files.env, recorded.env, journal.rolled_back_env, check_mode),
        "keys": partial(_restored, files.keys, recorded.keys, journal.rolled_back_config, check_mode),
        "dates": partial(_restored, files.dates, recorded.dates, journal.rolled_back_dates, check_mode),
    }
    # The config must not refer to a key that its file no longer has, or does not have yet.
    first = [
        *(["env"] if _adds_names(files.env, recorded.env, dotenv.loads) else []),
        *(["keys"] if _adds_names(files.keys, recorded.keys, key_files.loads) else []),
    ]
    restored = {name: _repeated(files, steps[name]) for name in dict.fromkeys([*first, *steps])}
    config, env, keys = (restored[name] for name in ("config", "env", "keys"))
    return ApplyResult(config.changes, env.changes, keys.changes, config_digest=_digest(config.content))


def _adds_names(path: str, original: journal.Original | None, loads: Callable[[str], Mapping[str, str]]) -> bool:
    """Whether restoring a file with keys adds names to it."""
    if original is None or original.text is None:
        return False
    content = atomic.read(path).content
    try:
        now = {} if content is None else loads(journal.decode(content))
    except ValueError:
        # Others have broken the file: what restores it says so.
        return True
    before = loads(original.text)
    return any(name in before and name not in now for (name,) in original.changed)


class _Restored(NamedTuple):
    """What a file was restored to: whether that changed it, and its content, `None` for no file or an unknown one."""

    changes: bool
    content: bytes | None


def _restored(
    path: str,
    original: journal.Original | None,
    rolled_back: Callable[[journal.Original, bytes | None], bytes | None],
    check_mode: bool,
) -> _Restored:
    """Restore a file to its state in the journal, but in check mode."""
    if original is None:
        return _Restored(False, None)
    snapshot = atomic.read(path)
    replacement = _Replacement(snapshot, rolled_back(original, snapshot.content), original.mode)
    if replacement.changes and not check_mode:
        _replace(replacement)
    return _Restored(replacement.changes, replacement.content)


def _digest(content: bytes | None) -> str | None:
    return None if content is None else journal.digest(content)


def _replace(replacement: _Replacement) -> None:
    with contextlib.ExitStack() as temporary_files:
        path = _temporary_file(temporary_files, replacement)
        if path is None:
            atomic.remove(replacement.snapshot)
        else:
            atomic.commit(replacement.snapshot, path)


def _temporary_file(temporary_files: contextlib.ExitStack, replacement: _Replacement) -> str | None:
    """Write the new content of a file that changes beside it. Return its path, `None` if nothing is written."""
    if not replacement.changes or replacement.content is None:
        return None
    return temporary_files.enter_context(_copy(replacement))


def _copy(replacement: _Replacement) -> contextlib.AbstractContextManager[str]:
    return atomic.temporary_file(replacement.snapshot, replacement.content or b"", replacement.mode)


def _mode_diff(path: str, replacement: _Replacement) -> Iterator[dict[str, str]]:
    if replacement.changes_mode:
        before, after = f"mode {replacement.snapshot.mode:04o}\n", f"mode {replacement.mode:04o}\n"
        yield {"before_header": path, "after_header": path, "before": before, "after": after}


def _text(snapshot: Snapshot) -> str | None:
    return None if snapshot.content is None else journal.decode(snapshot.content)


def _content(text: str | None) -> bytes | None:
    return None if text is None else journal.encode(text)
