# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The files of a gateway as one transaction: apply a plan, roll it back, confirm it.

`replacement.in_order` decides the order of the writes.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TypeVar

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import key_files
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import Desired, Removal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.config_check import check

from . import agent_files, atomic, journal, key_dates_file
from .atomic import ConflictError, Snapshot
from .file_plan import CurrentFiles, FilePlan, plan_providers, plan_removal
from .replacement import PRIVATE, Replacement, commit, copy, in_order, prepare

_LOCK_SECONDS = 120.0
# The gateway writes its config a few times in a row at most. More conflicts mean that something else keeps writing.
_ATTEMPTS = 5

_T = TypeVar("_T")


@dataclass(frozen=True)
class Files:
    """The paths of a gateway's files."""

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
    #: The plan for the files; `None` for a rollback or a confirmation.
    plan: FilePlan | None = None
    #: As Ansible's callbacks take it, without secrets.
    diff: Sequence[Mapping[str, str]] = ()


class _Included:
    """The files that a config includes, each read once."""

    def __init__(self) -> None:
        self.snapshots: dict[str, Snapshot] = {}

    def read(self, path: str) -> str | None:
        if path not in self.snapshots:
            self.snapshots[path] = atomic.read(path)
        return journal.text_of(self.snapshots[path].content)


@dataclass(frozen=True)
class _Agents:
    """The files of a gateway's agents, and the providers to remove from them."""

    paths: Sequence[str]
    removal: Removal

    def planned(self) -> tuple[list[Replacement], list[Mapping[str, str]]]:
        """Return the replacements of files that change, and their diffs."""
        replacements: list[Replacement] = []
        diffs: list[Mapping[str, str]] = []
        for path in self.paths:
            snapshot = atomic.read(path)
            if snapshot.content is None:
                continue
            planned = agent_files.plan_agent_file(path, journal.decode(snapshot.content), self.removal)
            replacement = Replacement(snapshot, journal.encode(planned.text))
            if replacement.changes:
                replacements.append(replacement)
                diffs.append(planned.diff)
        return replacements, diffs


@dataclass(frozen=True)
class _Attempt:
    """One attempt to apply a plan: what was read, and what is to be written."""

    plan: FilePlan
    config: Replacement
    env: Replacement
    keys: Replacement
    dates: Replacement
    included: Sequence[Snapshot]
    agents: Sequence[Replacement]
    diff: Sequence[Mapping[str, str]]
    #: The journal of an earlier run that was not confirmed.
    earlier: journal.Journal | None

    @property
    def changes_files(self) -> bool:
        """Whether one of the files changes, so that a journal is needed."""
        return self.config.changes or self.env.changes or self.keys.changes

    @property
    def writes(self) -> list[Replacement]:
        """What is written, in its order.

        The dates of keys are first: a date of a key that was not written means nothing, but without it the age of a key
        is not known.
        """
        return [self.dates, *in_order(self.config, self.env, self.keys), *self.agents]

    def journal_after(self, earlier: journal.Journal) -> journal.Journal:
        """Return the earlier journal with what this attempt is about to write."""
        config, env, keys = earlier.config, earlier.env, earlier.keys
        if self.config.changes and self.config.content is not None:
            snapshot, content = self.config.snapshot, self.config.content
            config = journal.config_original(earlier.config, snapshot, content, self.plan.config_paths)
        if self.env.changes:
            env = journal.env_original(earlier.env, self.env.snapshot, self.env.content, self.plan.env_names)
        if self.keys.changes:
            keys = journal.keys_original(earlier.keys, self.keys.snapshot, self.keys.content, self.plan.key_names)
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
    """Plan the files from their contents and write them. If another process writes in between, plan again.

    `checker`: the command that validates a changed config, with `check_unchanged` an unchanged one too.
    Raises `ClawdbotError` with the files as they were. If they cannot be restored, the error says so, and the rollback
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
    """Remove providers and environment variables from the files, and the providers from the files of the agents.

    Raises `ClawdbotError` as `apply_plan` does. The files of the agents are not rolled back and are in no journal: the
    gateway makes them again from the config as needed.
    """

    def plan(current: CurrentFiles) -> FilePlan:
        return plan_removal(current, removal, variables)

    agents = _Agents(agent_files.paths(state_dir), removal)
    with _locked([*_paths(files), *agents.paths], check_mode):
        return _repeated(files, lambda: _apply(files, plan, agents, checker, check_mode))


def roll_back(files: Files, *, check_mode: bool) -> ApplyResult:
    """Restore the files from the rollback journal; without one, change nothing.

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
    """Make one attempt. Raises `ConflictError`, with the files as the other process left them."""
    with contextlib.ExitStack() as temporary_files:
        with _nothing_changed(check_mode):
            attempt = _planned(files, plan, agents)
            config_file = prepare(temporary_files, attempt.config)
            if checker and (config_file or check_unchanged):
                # An unchanged config is copied too: what a killed checker leaves is beside the config, and found.
                checked = config_file or temporary_files.enter_context(copy(attempt.config))
                check(checker, checked, attempt.plan.variables)
            ready = [
                (one.snapshot, config_file if one is attempt.config else prepare(temporary_files, one))
                for one in (() if check_mode else attempt.writes)
                if one.changes
            ]
        _write(files, attempt, ready)
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


def _planned(files: Files, plan: Callable[[CurrentFiles], FilePlan], agents: _Agents | None) -> _Attempt:
    """Read all files, and plan what is to be written."""
    earlier = journal.load(files.config, files.env)
    config, env = atomic.read(files.config), atomic.read(files.env)
    included = _Included()
    keys, dates = atomic.read(files.keys), atomic.read(files.dates)
    current = CurrentFiles(
        files.config,
        journal.text_of(config.content),
        files.env,
        journal.text_of(env.content),
        included.read,
        journal.text_of(keys.content),
        journal.text_of(dates.content),
        datetime.now(timezone.utc).date(),
    )
    planned = plan(current)
    new_env = Replacement(env, journal.content_of(planned.env), PRIVATE)
    new_keys = Replacement(keys, journal.content_of(planned.keys), PRIVATE)
    of_agents, diffs = agents.planned() if agents else ([], [])
    return _Attempt(
        planned,
        Replacement(config, journal.content_of(planned.config)),
        new_env,
        new_keys,
        Replacement(dates, journal.content_of(planned.dates)),
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
            commit(snapshot, path)
    except ClawdbotError as exc:
        if attempt.changes_files:
            _undo_writes(files, this_run, attempt.earlier, exc)
        raise


def _undo_writes(
    files: Files, this_run: journal.Journal, earlier: journal.Journal | None, reason: ClawdbotError
) -> None:
    """Restore the files and the journal after a commit that failed for the reason."""
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
    changed: set[str] = set()

    def attempt() -> bytes | None:
        """Return the restored config, None for no file or an unknown one."""
        config = _restored(files.config, recorded.config, journal.rolled_back_config)
        env = _restored(files.env, recorded.env, journal.rolled_back_env)
        keys = _restored(files.keys, recorded.keys, journal.rolled_back_config)
        dates = _restored(files.dates, recorded.dates, journal.rolled_back_dates)
        # The dates are last: as long as a new key is there, so is its date.
        writes = [one for one in (*in_order(config, env, keys), dates) if one.changes]
        with contextlib.ExitStack() as temporary_files:
            ready = [(one.snapshot, prepare(temporary_files, one)) for one in writes if not check_mode]
            for snapshot, path in ready:
                commit(snapshot, path)
                changed.add(snapshot.path)
        changed.update(one.snapshot.path for one in writes)
        return config.content

    digest = _digest(_repeated(files, attempt))
    config_changed, env_changed, keys_changed = (path in changed for path in (files.config, files.env, files.keys))
    return ApplyResult(config_changed, env_changed, keys_changed, config_digest=digest)


def _restored(
    path: str,
    original: journal.Original | None,
    rolled_back: Callable[[journal.Original, bytes | None], bytes | None],
) -> Replacement:
    """Return what restores a file to its state in the journal; nothing for a file that is not in it."""
    if original is None:
        return Replacement(Snapshot(path, path, None, None, None, None), None)
    snapshot = atomic.read(path)
    return Replacement(snapshot, rolled_back(original, snapshot.content), original.mode)


def _digest(content: bytes | None) -> str | None:
    return None if content is None else journal.digest(content)


def _mode_diff(path: str, replacement: Replacement) -> Iterator[dict[str, str]]:
    if replacement.changes_mode:
        before, after = f"mode {replacement.snapshot.mode:04o}\n", f"mode {replacement.mode:04o}\n"
        yield {"before_header": path, "after_header": path, "before": before, "after": after}
