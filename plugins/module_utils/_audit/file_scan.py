# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Search for known keys in files of any kind and size, chunk by chunk, and masking in place."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import (
    ConflictError,
    open_without_blocking,
)

from .known_keys import KeyStatus, KnownKeys

#: The histories of shells, relative to the home of an account.
HISTORIES = (".bash_history", ".zsh_history", ".histfile", ".sh_history", ".local/share/fish/fish_history")

_CHUNK = 1024 * 1024
# No key is longer. A key that may be cut off at the end of a chunk is searched again with the next one.
_LONGEST_KEY = 4096
_MOST_BYTES = 256 * 1024 * 1024
_MOST_FILES = 20_000
# One character is one byte, so that an offset in the text is one in the file.
_BYTES = "latin-1"


class FoundKey(NamedTuple):
    """A known key in a file."""

    key: str
    status: KeyStatus
    variable: str | None


class Position(NamedTuple):
    """The start of a key: offset in bytes, and line, counted from 1."""

    offset: int
    line: int


class Search:
    """A search through several files, up to a limit of files and bytes."""

    def __init__(self, keys: KnownKeys) -> None:
        self._keys = keys
        self._bytes_left = _MOST_BYTES
        self._files_left = _MOST_FILES
        #: The files beyond the limit.
        self.left_out: list[str] = []

    def hits(self, path: str) -> dict[FoundKey, list[Position]]:
        """Return the known keys in a file with their positions; none for a missing file. Raises `ClawdbotError`."""
        found: dict[FoundKey, list[Position]] = {}
        try:
            with open(path, "rb", opener=open_without_blocking) as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    return {}
                if status.st_size > self._bytes_left or not self._files_left:
                    self.left_out.append(path)
                    return {}
                self._bytes_left -= status.st_size
                self._files_left -= 1
                offset, line, text = 0, 1, ""
                while True:
                    chunk = file.read(_CHUNK).decode(_BYTES)
                    text += chunk
                    complete = len(text) - _LONGEST_KEY if chunk else len(text)
                    for match in self._keys.find(text):
                        if match.start < complete:
                            where = Position(offset + match.start, line + text.count("\n", 0, match.start))
                            found.setdefault(FoundKey(match.key, match.status, match.variable), []).append(where)
                    if not chunk:
                        return found
                    done = max(complete, 0)
                    offset, line, text = offset + done, line + text.count("\n", 0, done), text[done:]
        except FileNotFoundError:
            return {}
        except OSError as exc:
            raise ClawdbotError(f"Cannot read {path}: {exc.strerror}.") from exc


def files(directory: str) -> Iterator[str]:
    """Yield the files below a directory in a stable order, without following links."""
    for parent, directories, names in os.walk(directory):
        directories.sort()
        for name in sorted(names):
            path = os.path.join(parent, name)
            if not os.path.islink(path):
                yield path


def mask(path: str, key: str, offsets: Sequence[int]) -> None:
    """Overwrite a key with asterisks at each offset.

    Inode and size of the file stay, so that a process can go on appending to it. Raises `ConflictError` where the key
    is not there any more, and `ClawdbotError` where the file cannot be written.
    """
    expected = key.encode(_BYTES)
    try:
        with open(path, "r+b", opener=open_without_blocking) as file:
            for offset in offsets:
                if os.pread(file.fileno(), len(expected), offset) != expected:
                    raise ConflictError(f"{path} was changed by another process while it was being cleaned.")
                os.pwrite(file.fileno(), b"*" * len(expected), offset)
            os.fsync(file.fileno())
    except OSError as exc:
        raise ClawdbotError(f"Cannot write {path}: {exc.strerror}.") from exc
