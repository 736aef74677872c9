# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The copy of a state directory for another product: made beside its place, moved there, kept or removed again.

The original is never written to. It is moved only as a whole, by a rename. So is the copy, which has a record of where
the original is from its first moment to the end of the migration: a run that dies leaves a state that the next one
knows.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from . import atomic
from .agent_files import AUTH_PROFILES, MODELS

#: The original in the new state directory, after the migration: an audit searches it with all else there.
ARCHIVE = "clawdbot-before-migration"
_RECORD = ".clawfleet-migration"
_NEW = ".clawfleet-new"
_ASIDE = ".clawfleet-before"
_OF_AGENT = re.compile(r"agents/[^/]+/agent\Z")


@dataclass(frozen=True)
class Record:
    """What the copy knows of its original."""

    #: The original's path.
    source: str
    #: Whether the copy has the place of the original, which was moved aside.
    replaces: bool
    #: A link to the original, which a finished migration removes; empty for none.
    link: str
    #: Whether the unit of the original was enabled.
    enabled: bool


@dataclass(frozen=True)
class Found:
    """The state directories on a host.

    `status`: `absent` where there is nothing to migrate, `due`, or `interrupted` with a copy that is not confirmed.
    """

    status: Literal["absent", "due", "interrupted"]
    source: str
    replaces: bool = False
    link: str = ""
    record: Record | None = None
    #: Why nothing can be done; empty if it can.
    blocker: str = ""


def find(old: str, target: str, old_config: str, new_config: str) -> Found:
    """Return the state directories, of which `old` is where the old one is expected. Raises `ClawdbotError`."""
    record = _read_record(target)
    if record:
        return Found("interrupted", record.source, record.replaces, record.link, record)
    aside = target + _ASIDE
    has_target = os.path.isdir(target) and bool(os.listdir(target))
    if os.path.isdir(aside):
        if has_target:
            return Found("due", aside, blocker=f"Both {aside} and {target} exist. Move away the one that is not meant.")
        return Found("due", aside, replaces=True)
    if not os.path.lexists(old) or os.path.realpath(old) == os.path.realpath(target):
        # A newer product has taken over the directory, under its own name, with the old name of the config.
        is_old = os.path.isfile(os.path.join(target, old_config))
        is_new = os.path.isfile(os.path.join(target, new_config))
        return Found("due" if is_old and not is_new else "absent", target, replaces=True)
    source, link = os.path.realpath(old), old if os.path.islink(old) else ""
    if has_target:
        return Found(
            "due",
            source,
            blocker=f"Both {old} and {target} exist, and which of them is meant is not known. Move the other one away.",
        )
    if not os.path.isfile(os.path.join(source, old_config)):
        return Found("due", source, blocker=f"{old} contains no {old_config}. Check gateway_clawdbot_state_dir.")
    return Found("due", source, link=link)


def missing_bytes(source: str, target: str) -> int:
    """Return how many bytes the disk of the target lacks for a copy; 0 if it has room for one."""
    size = sum(
        os.lstat(os.path.join(parent, name)).st_size for parent, _dirs, names in os.walk(source) for name in names
    )
    return max(0, size - shutil.disk_usage(os.path.dirname(target)).free)


def create(
    found: Found, target: str, files: Mapping[str, str], old_config: str, record: Callable[[str], Record]
) -> None:
    """Copy the original, with files of other contents, and move the copy to its place. Raises `ClawdbotError`.

    `files`: name -> content of the files in the copy that are not the original's. `record`: that of an original at a
    path.
    """
    new, aside = target + _NEW, target + _ASIDE
    source = found.source
    try:
        with atomic.locked([os.path.dirname(target)], 120):
            _discard(new)
            shutil.copytree(source, new, symlinks=True, ignore=_left_out(source, {old_config, *files}))
            _redirect_links(new, source, target)
            os.chmod(new, 0o700)
            kept = record(aside if found.replaces else source)
            for name, text in {**files, _RECORD: json.dumps(asdict(kept))}.items():
                _write_private(os.path.join(new, name), text)
            # All of it must be on the disk before it has its name.
            os.sync()
            if found.replaces and source == target:
                os.rename(target, aside)
            elif os.path.isdir(target):
                os.rmdir(target)
            os.rename(new, target)
            os.sync()
    except (OSError, shutil.Error) as exc:
        raise ClawdbotError(f"Cannot copy {source} to {target}: {_reason(exc)}.") from exc


def remove(target: str) -> Record | None:
    """Remove the copy, and put back an original that was moved aside. Return the record of the copy, None for none.

    Raises `ClawdbotError`.
    """
    record, gone, aside = _read_record(target), target + _NEW, target + _ASIDE
    try:
        with atomic.locked([os.path.dirname(target)], 120):
            _discard(gone)
            if record:
                # In one step, so that half of it never passes for a state directory.
                os.rename(target, gone)
            if os.path.isdir(aside) and not os.path.lexists(target):
                os.rename(aside, target)
            _discard(gone)
            os.sync()
    except OSError as exc:
        raise ClawdbotError(f"Cannot remove {target}: {_reason(exc)}.") from exc
    return record


def confirm(target: str) -> bool:
    """Move the original into the copy, and forget where it was. Return whether there was anything to do.

    Raises `ClawdbotError`.
    """
    record = _read_record(target)
    if record is None:
        return False
    archive = os.path.join(target, ARCHIVE)
    try:
        if os.path.isdir(record.source):
            _discard(archive)
            shutil.move(record.source, archive)
            os.chmod(archive, 0o700)
        if record.link and os.path.islink(record.link):
            os.unlink(record.link)
        os.sync()
        os.unlink(os.path.join(target, _RECORD))
    except (OSError, shutil.Error) as exc:
        raise ClawdbotError(f"Cannot move {record.source} to {archive}: {_reason(exc)}.") from exc
    return True


def _read_record(target: str) -> Record | None:
    path = os.path.join(target, _RECORD)
    content = atomic.read(path).content if os.path.isdir(target) else None
    if content is None:
        return None
    try:
        return Record(**json.loads(content))
    except (ValueError, TypeError) as exc:
        raise ClawdbotError(
            f"{path} is damaged, so it is not known where the state of Clawdbot is. Restore it, or remove {target} if "
            "that is the copy."
        ) from exc


def _left_out(source: str, own: set[str]) -> Callable[[str, list[str]], list[str]]:
    """Return what tells `copytree` the names in a directory that are not copied.

    Keys that the new product does not read, or that it ends at; backups of the config, which contain keys; and what
    belongs to a process.
    """

    def ignored(directory: str, names: list[str]) -> list[str]:
        place = os.path.relpath(directory, source)
        return [
            name
            for name in names
            if not _is_copied(os.path.join(directory, name))
            or name.endswith(".lock")
            or (
                place == "." and (name == ARCHIVE or any(re.match(rf"\.?{re.escape(one)}(\.|\Z)", name) for one in own))
            )
            or (_OF_AGENT.match(place) and name in (MODELS, AUTH_PROFILES))
        ]

    return ignored


def _is_copied(path: str) -> bool:
    mode = os.lstat(path).st_mode
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


def _redirect_links(copy: str, source: str, target: str) -> None:
    """Let the links of a copy that lead into the original lead into the copy."""
    for parent, directories, names in os.walk(copy):
        for path in (os.path.join(parent, name) for name in (*directories, *names)):
            leads = os.readlink(path) if os.path.islink(path) else ""
            if leads.startswith(source + "/"):
                os.unlink(path)
                os.symlink(target + leads[len(source) :], path)


def _write_private(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)


def _discard(path: str) -> None:
    if os.path.lexists(path):
        atomic.discard(path)


def _reason(exc: Any) -> str:
    """Return why files could not be copied, without their contents: of several, the first."""
    first = exc.args[0] if isinstance(exc, shutil.Error) and exc.args else None
    if isinstance(first, list) and first:
        return f"{first[0][0]}: {first[0][2]}"
    return str(exc.strerror or exc)
