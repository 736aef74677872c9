# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Atomic replacement of files that others write too: only if they are still as they were read.

The new content is written to a temporary file beside the target with the target's owner, mode and attributes, flushed
to the disk, and renamed over it; the directory is flushed as well. A process that dies in between leaves the old file
or the new one, never a part.
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

_TEMPORARY_SUFFIX = ".clawfleet-new"
_LOCK_POLL_SECONDS = 0.1

_ACCESS_CONTROL_LIST = "system.posix_acl_access"
# The kernel's own measures of a content, which it computes again for a new one.
_MEASURES = frozenset(["security.evm", "security.ima"])


class ConflictError(ClawdbotError):
    """Another process changed the file after it was read."""


@dataclass(frozen=True)
class Snapshot:
    """One file as it was read. `content`, `mode`, `owner` and `group` are `None` if there was none."""

    #: The path that was asked for, for messages.
    path: str
    #: The file itself, at the end of all symbolic links: these are kept, what they point to is replaced.
    target: str
    #: It may hold keys, so it is in no repr.
    content: bytes | None = field(repr=False)
    mode: int | None
    owner: int | None
    group: int | None


def read(path: str) -> Snapshot:
    """Read a file. Raises `ClawdbotError` if it cannot be read or is not a regular file."""
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
def locked(directories: Iterable[str], timeout: float) -> Iterator[None]:
    """Lock directories for one run of the collection at a time; wait up to `timeout` seconds for all of them.

    The locks are on the directories themselves, so nothing is left behind, and the system releases them with the
    process that holds them. Raises `ClawdbotError`, naming the directory, if one cannot be locked.
    """
    deadline = time.monotonic() + timeout
    with contextlib.ExitStack() as held:
        # All runs use the same order: none waits for a directory while it holds one that the other waits for.
        for directory in sorted(set(directories)):
            try:
                descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            except OSError as exc:
                raise ClawdbotError(
                    f"Directory {directory} cannot be opened: {exc.strerror}. Check that this account has a gateway."
                ) from exc
            held.callback(os.close, descriptor)
            try:
                while not _lock(descriptor):
                    if time.monotonic() >= deadline:
                        raise ClawdbotError(
                            f"Another run of the collection has locked {directory} for {timeout:g} seconds. Wait until "
                            "it ends."
                        )
                    time.sleep(_LOCK_POLL_SECONDS)
            except OSError as exc:
                raise ClawdbotError(f"Directory {directory} cannot be locked: {exc.strerror}.") from exc
        yield


def leftovers(directory: str) -> list[str]:
    """Return what runs that died have left in a directory, sorted. Hold its lock: it may belong to a running one."""
    pattern = re.compile(rf"\..+\.[0-9a-f]{{16}}{re.escape(_TEMPORARY_SUFFIX)}")
    try:
        return sorted(os.path.join(directory, entry) for entry in os.listdir(directory) if pattern.match(entry))
    except OSError as exc:
        raise ClawdbotError(f"Directory {directory} cannot be listed: {exc.strerror}.") from exc


def discard_leftovers(path: str) -> None:
    """Remove what a run that died has left beside the file. Hold the directory's lock.

    Raises `ClawdbotError`, naming what cannot be removed: it may hold keys.
    """
    directory, name = os.path.split(os.path.realpath(path))
    # Everything whose name begins with a temporary file's belongs to it, as the directory that a checker was given.
    leftover = re.compile(rf"\.{re.escape(name)}\.[0-9a-f]{{16}}{re.escape(_TEMPORARY_SUFFIX)}")
    try:
        entries = os.listdir(directory)
    except OSError as exc:
        raise ClawdbotError(f"Directory {directory} cannot be listed: {exc.strerror}.") from exc
    for entry in entries:
        if leftover.match(entry):
            discard(os.path.join(directory, entry))


@contextlib.contextmanager
def temporary_file(snapshot: Snapshot, content: bytes, mode: int) -> Iterator[str]:
    """Write a temporary file beside the target, flushed, with the target's owner and attributes. Remove it afterwards.

    It is beside it because a rename is atomic only there, and because a config's relative includes work only there.
    Without a target, and if the account may give files away, it belongs to the directory's owner: the gateway must be
    able to read it. Raises `ClawdbotError`, naming the file, if it cannot be written.
    """
    directory, name = os.path.split(snapshot.target)
    path = os.path.join(directory, f".{name}.{secrets.token_hex(8)}{_TEMPORARY_SUFFIX}")
    try:
        try:
            with open(path, "xb", opener=_create_private) as file:
                _copy_attributes(snapshot, file.fileno(), mode)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as exc:
            raise ClawdbotError(f"Cannot write a temporary file beside {snapshot.path}: {exc.strerror}.") from exc
        yield path
    finally:
        if os.path.lexists(path):
            discard(path)


def commit(snapshot: Snapshot, temporary_path: str) -> None:
    """Replace the file by the temporary file, if it is still as it was read.

    Nothing happens between the comparison and the rename, which takes no condition.
    Raises `ConflictError` if the file is not as it was read, and keeps it; `ClawdbotError` if the rename fails, or if
    it was done and the disk does not confirm it.
    """
    require_unchanged(snapshot)
    try:
        os.rename(temporary_path, snapshot.target)
        _flush_directory(snapshot.target)
    except OSError as exc:
        raise ClawdbotError(f"Cannot replace {snapshot.path}: {exc.strerror}.") from exc


def remove(snapshot: Snapshot) -> None:
    """Remove the file, if it is still as it was read. Raises as `commit` does."""
    require_unchanged(snapshot)
    if snapshot.content is None:
        return
    try:
        os.unlink(snapshot.target)
        _flush_directory(snapshot.target)
    except OSError as exc:
        raise ClawdbotError(f"Cannot remove {snapshot.path}: {exc.strerror}.") from exc


def require_unchanged(snapshot: Snapshot) -> None:
    """Raise `ConflictError` if the file, its mode, its owner or the target of its path is not as it was read."""
    if read(snapshot.path) != snapshot:
        raise ConflictError(f"{snapshot.path} was changed by another process while it was being edited.")


def open_without_blocking(path: str, flags: int) -> int:
    """An opener, as `open` takes it, that does not block on a pipe in the place of a file."""
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
    """Remove a leftover file or directory. Raises `ClawdbotError`, naming it, if it cannot be removed."""
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except OSError as exc:
        raise ClawdbotError(f"Cannot remove {path}: {exc.strerror}. It may hold keys: remove it.") from exc


def _copy_attributes(snapshot: Snapshot, descriptor: int, mode: int) -> None:
    owner, group = snapshot.owner, snapshot.group
    if snapshot.content is None and os.geteuid() == 0:
        directory = os.stat(os.path.dirname(snapshot.target))
        owner, group = directory.st_uid, directory.st_gid
    status = os.fstat(descriptor)
    if owner is not None and group is not None and (status.st_uid, status.st_gid) != (owner, group):
        os.fchown(descriptor, owner, group)
    if snapshot.content is not None and hasattr(os, "listxattr"):
        _copy_extended_attributes(snapshot.target, descriptor)
    # Last: an access control list changes the mode.
    os.fchmod(descriptor, mode)


def _copy_extended_attributes(target: str, descriptor: int) -> None:
    """Access control lists and the SELinux label are extended attributes."""
    wanted, present = _extended_attributes(target), _extended_attributes(descriptor)
    for name, value in wanted.items():
        if value != present.get(name):
            os.setxattr(descriptor, name, value)
    if _ACCESS_CONTROL_LIST in present and _ACCESS_CONTROL_LIST not in wanted:
        # The directory's default list, which the old file did not have.
        os.removexattr(descriptor, _ACCESS_CONTROL_LIST)


def _extended_attributes(file: str | int) -> dict[str, bytes]:
    try:
        return {name: os.getxattr(file, name) for name in os.listxattr(file) if name not in _MEASURES}
    except OSError as exc:
        if exc.errno == errno.ENOTSUP:
            return {}
        raise


def _flush_directory(target: str) -> None:
    descriptor = os.open(os.path.dirname(target), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
