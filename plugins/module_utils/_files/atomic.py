# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Files that others write too: read whole, replaced whole, and only if they are still what was read.

A replacement is written beside its target with the target's owner, mode and attributes, flushed to the disk, and
renamed over it; the folder is flushed as well. A process that dies in between leaves the old file or the new one, never
a part.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

_CANDIDATE_SUFFIX = ".clawfleet-new"
_LOCK_POLL_SECONDS = 0.1

_ACCESS_CONTROL_LIST = "system.posix_acl_access"
# The kernel's own measures of a content: it computes them anew for a new one.
_MEASURES = frozenset(["security.evm", "security.ima"])


class ConflictError(ClawdbotError):
    """Another process changed the file after it was read."""


@dataclass(frozen=True)
class Snapshot:
    """One file as it was read: C(content), C(mode), C(owner) and C(group) are None where there was none."""

    #: The path that was asked for, for messages.
    path: str
    #: The file itself, at the end of all symbolic links: they stay, what they point to is replaced.
    target: str
    #: Keys stand in it, so it is in no repr.
    content: bytes | None = field(repr=False)
    mode: int | None
    owner: int | None
    group: int | None


def read(path: str) -> Snapshot:
    """The file now. Raises ClawdbotError where it cannot be read or is not a regular file."""
    target = os.path.realpath(path)
    try:
        with open(target, "rb", opener=open_without_blocking) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ClawdbotError(f"{path} is not a regular file.")
            return Snapshot(path, target, file.read(), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    except FileNotFoundError:
        return Snapshot(path, target, None, None, None, None)
    except OSError as exc:
        raise ClawdbotError(f"Cannot read {path}: {exc.strerror}.") from exc


@contextlib.contextmanager
def locked(folders: Iterable[str], timeout: float) -> Iterator[None]:
    """Holds the folders for one run of the collection at a time; waits up to C(timeout) seconds for all of them.

    The locks are on the folders themselves, so nothing is left behind, and the system drops them with the process that
    holds them. Raises ClawdbotError, naming the folder, where one cannot be had.
    """
    deadline = time.monotonic() + timeout
    with contextlib.ExitStack() as held:
        # All runs go in the same order: none waits for a folder while it holds one that the other waits for.
        for folder in sorted(set(folders)):
            try:
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            except OSError as exc:
                raise ClawdbotError(
                    f"The folder {folder} cannot be opened: {exc.strerror}. Is the product set up for this account?"
                ) from exc
            held.callback(os.close, descriptor)
            try:
                while not _lock(descriptor):
                    if time.monotonic() >= deadline:
                        raise ClawdbotError(
                            f"Another run of the collection has held {folder} for {timeout:g} seconds: wait for it to "
                            "end."
                        )
                    time.sleep(_LOCK_POLL_SECONDS)
            except OSError as exc:
                raise ClawdbotError(f"The folder {folder} cannot be locked: {exc.strerror}.") from exc
        yield


def leftovers(folder: str) -> list[str]:
    """What runs that died have left in a folder, sorted; only while holding its lock, else it may be one that works."""
    pattern = re.compile(rf"\..+\.[0-9a-f]{{16}}{re.escape(_CANDIDATE_SUFFIX)}")
    try:
        return sorted(os.path.join(folder, entry) for entry in os.listdir(folder) if pattern.match(entry))
    except OSError as exc:
        raise ClawdbotError(f"The folder {folder} cannot be listed: {exc.strerror}.") from exc


def discard_leftovers(path: str) -> None:
    """Removes what a run that died has left beside the file; only while holding the folder's lock.

    Raises ClawdbotError, naming what cannot be removed: it may hold keys.
    """
    folder, name = os.path.split(os.path.realpath(path))
    # Whatever a candidate's name begins belongs to it, as the folder that a checker was given.
    leftover = re.compile(rf"\.{re.escape(name)}\.[0-9a-f]{{16}}{re.escape(_CANDIDATE_SUFFIX)}")
    try:
        entries = os.listdir(folder)
    except OSError as exc:
        raise ClawdbotError(f"The folder {folder} cannot be listed: {exc.strerror}.") from exc
    for entry in entries:
        if leftover.match(entry):
            discard(os.path.join(folder, entry))


@contextlib.contextmanager
def candidate(snapshot: Snapshot, content: bytes, mode: int) -> Iterator[str]:
    """A new file beside the target, whole and flushed, with the target's owner and attributes; gone afterwards.

    Beside it, because a rename is atomic only there, and because a config's relative includes hold only there. Where
    there was no file, and the account may give files away, it is the folder owner's: the gateway has to read it.
    Raises ClawdbotError, naming the file, where it cannot be made.
    """
    folder, name = os.path.split(snapshot.target)
    path = os.path.join(folder, f".{name}.{secrets.token_hex(8)}{_CANDIDATE_SUFFIX}")
    try:
        try:
            with open(path, "xb", opener=_create_private) as file:
                _take_over_attributes(snapshot, file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            raise ClawdbotError(
                f"Cannot write a new {snapshot.path} beside it: {exc.strerror}. It was not changed."
            ) from exc
        yield path
    finally:
        if os.path.lexists(path):
            discard(path)


def commit(snapshot: Snapshot, candidate_path: str) -> None:
    """Puts the candidate in place of the file, if that is still what was read.

    Between the comparison and the rename is nothing but the one system call, which takes no condition.
    Raises ConflictError where the file is not what was read, and it is left alone; ClawdbotError where the rename
    fails, or where it was done and the disk does not confirm it.
    """
    require_unchanged(snapshot)
    try:
        os.rename(candidate_path, snapshot.target)
        _flush_folder(snapshot.target)
    except OSError as exc:
        raise ClawdbotError(f"Cannot replace {snapshot.path}: {exc.strerror}.") from exc


def remove(snapshot: Snapshot) -> None:
    """Removes the file, if it is still what was read; raises as commit does."""
    require_unchanged(snapshot)
    if snapshot.content is None:
        return
    try:
        os.unlink(snapshot.target)
        _flush_folder(snapshot.target)
    except OSError as exc:
        raise ClawdbotError(f"Cannot remove {snapshot.path}: {exc.strerror}.") from exc


def require_unchanged(snapshot: Snapshot) -> None:
    """Raises ConflictError where the file, its mode or its owner, or what its path leads to, is not what was read."""
    if read(snapshot.path) != snapshot:
        raise ConflictError(f"{snapshot.path} was changed by another process while it was being edited.")


def open_without_blocking(path: str, flags: int) -> int:
    """An opener, as open takes it, with which a pipe in the place of a file does not hold the run for ever."""
    return os.open(path, flags | os.O_NONBLOCK)


def _create_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def discard(path: str) -> None:
    """Removes a leftover, file or folder. Raises ClawdbotError, naming it, where it cannot be removed."""
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except OSError as exc:
        raise ClawdbotError(f"Cannot remove {path}: {exc.strerror}. It may hold keys: remove it.") from exc


def _take_over_attributes(snapshot: Snapshot, descriptor: int, mode: int) -> None:
    owner, group = snapshot.owner, snapshot.group
    if snapshot.content is None and os.geteuid() == 0:
        folder = os.stat(os.path.dirname(snapshot.target))
        owner, group = folder.st_uid, folder.st_gid
    status = os.fstat(descriptor)
    if owner is not None and group is not None and (status.st_uid, status.st_gid) != (owner, group):
        os.fchown(descriptor, owner, group)
    if snapshot.content is not None and hasattr(os, "listxattr"):
        _take_over_extended_attributes(snapshot.target, descriptor)
    # Last: an access control list brings its own idea of the mode along.
    os.fchmod(descriptor, mode)


def _take_over_extended_attributes(target: str, descriptor: int) -> None:
    """Access control lists and the SELinux label are extended attributes."""
    wanted, present = _extended_attributes(target), _extended_attributes(descriptor)
    for name, value in wanted.items():
        if value != present.get(name):
            os.setxattr(descriptor, name, value)
    if _ACCESS_CONTROL_LIST in present and _ACCESS_CONTROL_LIST not in wanted:
        # The folder's default list, which the old file did not have.
        os.removexattr(descriptor, _ACCESS_CONTROL_LIST)


def _extended_attributes(file: str | int) -> dict[str, bytes]:
    try:
        return {name: os.getxattr(file, name) for name in os.listxattr(file) if name not in _MEASURES}
    except OSError as exc:
        if exc.errno == errno.ENOTSUP:
            return {}
        raise


def _flush_folder(target: str) -> None:
    descriptor = os.open(os.path.dirname(target), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
