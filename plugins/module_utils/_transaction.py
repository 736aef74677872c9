# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Files that others write too: read whole, replaced whole, and only if they are still what was read.

A replacement is written beside its target, flushed to the disk, given the target's owner, mode and attributes, and renamed
over it; the folder is flushed as well. A process that dies in between leaves the old file or the new one, never a part.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

_CANDIDATE_SUFFIX = ".clawfleet-new"
_LOCK_POLL_SECONDS = 0.1


class Conflict(ClawdbotError):
    """Another process changed the file after it was read."""


@dataclass(frozen=True)
class Snapshot:
    """One file as it was read: C(content) is None where there was none."""

    #: The path that was asked for, for messages.
    path: str
    #: The file itself, at the end of all symbolic links: they stay, what they point to is replaced.
    target: str
    content: bytes | None
    mode: int | None
    owner: int | None
    group: int | None


def read(path: str) -> Snapshot:
    """The file now. Raises ClawdbotError where it cannot be read or is not a regular file."""
    target = os.path.realpath(path)
    try:
        with open(target, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise ClawdbotError(f"{path} is not a regular file.")
            return Snapshot(path, target, file.read(), stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid)
    except FileNotFoundError:
        return Snapshot(path, target, None, None, None, None)
    except OSError as exc:
        raise ClawdbotError(f"Cannot read {path}: {exc.strerror}.") from exc


@contextlib.contextmanager
def locked(folder: str, timeout: float) -> Iterator[None]:
    """Holds the folder for one run of the collection at a time; waits up to C(timeout) seconds.

    The lock is on the folder itself, so nothing is left behind, and the system drops it with the process that holds it.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as exc:
        raise ClawdbotError(
            f"The folder {folder} cannot be opened: {exc.strerror}. Is the product set up for this account?"
        ) from exc
    try:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as exc:
                if time.monotonic() >= deadline:
                    raise ClawdbotError(
                        f"Another run of the collection has held {folder} for {timeout:g} seconds: wait for it to end."
                    ) from exc
                time.sleep(_LOCK_POLL_SECONDS)
        yield
    finally:
        os.close(descriptor)


def discard_leftovers(snapshot: Snapshot) -> None:
    """Removes candidates of this file that a run which died has left; only while holding the folder's lock."""
    folder, name = os.path.split(snapshot.target)
    if not os.path.isdir(folder):
        return
    for entry in os.listdir(folder):
        if entry.startswith(f".{name}.") and entry.endswith(_CANDIDATE_SUFFIX):
            os.unlink(os.path.join(folder, entry))


@contextlib.contextmanager
def candidate(snapshot: Snapshot, content: bytes, mode: int) -> Iterator[str]:
    """A new file beside the target, whole and flushed, with the target's owner and attributes; gone afterwards.

    Beside it, because a rename is atomic only there, and because a config's relative includes hold only there.
    """
    folder, name = os.path.split(snapshot.target)
    path = os.path.join(folder, f".{name}.{secrets.token_hex(8)}{_CANDIDATE_SUFFIX}")
    try:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                _copy_attributes(snapshot, file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            raise ClawdbotError(
                f"Cannot write beside {snapshot.path}: {exc.strerror}. Nothing was changed there."
            ) from exc
        yield path
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def commit(snapshot: Snapshot, candidate_path: str) -> None:
    """Puts the candidate in place of the file, if that is still what was read.

    Raises Conflict where it is not, ClawdbotError where the rename fails; the file is then as it was.
    """
    _unchanged(snapshot)
    try:
        os.rename(candidate_path, snapshot.target)
        _flush_folder(snapshot.target)
    except OSError as exc:
        raise ClawdbotError(f"Cannot replace {snapshot.path}: {exc.strerror}.") from exc


def remove(snapshot: Snapshot) -> None:
    """Removes the file, if it is still what was read; raises as commit does."""
    _unchanged(snapshot)
    if snapshot.content is None:
        return
    try:
        os.unlink(snapshot.target)
        _flush_folder(snapshot.target)
    except OSError as exc:
        raise ClawdbotError(f"Cannot remove {snapshot.path}: {exc.strerror}.") from exc


def _unchanged(snapshot: Snapshot) -> None:
    if read(snapshot.path) != snapshot:
        raise Conflict(f"{snapshot.path} was changed by another process while it was being edited.")


def _copy_attributes(snapshot: Snapshot, descriptor: int, mode: int) -> None:
    if snapshot.owner is not None and snapshot.group is not None:
        status = os.fstat(descriptor)
        if (status.st_uid, status.st_gid) != (snapshot.owner, snapshot.group):
            os.fchown(descriptor, snapshot.owner, snapshot.group)
    os.fchmod(descriptor, mode)
    if snapshot.content is None or not hasattr(os, "listxattr"):
        return
    # Access control lists and the SELinux label are extended attributes.
    for name in os.listxattr(snapshot.target):
        try:
            os.setxattr(descriptor, name, os.getxattr(snapshot.target, name))
        except OSError as exc:
            if exc.errno not in (errno.ENOTSUP, errno.EPERM):
                raise
    # An access control list brings its own idea of the mode along.
    os.fchmod(descriptor, mode)


def _flush_folder(target: str) -> None:
    descriptor = os.open(os.path.dirname(target), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
