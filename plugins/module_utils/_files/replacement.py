# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Files that are about to be replaced, and the order in which those of a gateway are written."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.additions import (
    env_with_additions,
    keys_with_additions,
)

from . import atomic, journal
from .atomic import Snapshot

PRIVATE = 0o600


@dataclass(frozen=True)
class Replacement:
    """A file and its desired content, `None` for no file."""

    snapshot: Snapshot
    content: bytes | None = field(repr=False)
    #: `None` keeps the file's own. A new file is private.
    desired_mode: int | None = None

    @property
    def mode(self) -> int:
        """The mode of the file afterwards."""
        modes = (self.desired_mode, self.snapshot.mode)
        return next((mode for mode in modes if mode is not None), PRIVATE)

    @property
    def changes_mode(self) -> bool:
        """Whether a file gets another mode."""
        return self.content is not None and self.snapshot.mode not in (None, self.mode)

    @property
    def changes(self) -> bool:
        """Whether anything is to be written."""
        return self.content != self.snapshot.content or self.changes_mode


def in_order(config: Replacement, env: Replacement, keys: Replacement) -> list[Replacement]:
    """Return what is written in turn so that at each moment all references in the config resolve.

    What is added to `.env` and to the file with keys comes before the config, what is removed from them after it. A
    rollback keeps to the same order.
    """
    first_env, last_env = _in_two(env, env_with_additions)
    first_keys, last_keys = _in_two(keys, keys_with_additions)
    return [first_env, first_keys, config, last_env, last_keys]


def _in_two(
    one: Replacement, additions: Callable[[str | None, str | None], str | None]
) -> tuple[Replacement, Replacement]:
    """Split a replacement: the additions, and all else. One of both changes nothing in most cases.

    A file that does not exist has nothing to remove, so that a second one finds owner and group of the file.
    """
    with_additions = additions(journal.text_of(one.snapshot.content), journal.text_of(one.content))
    first = replace(one, content=journal.content_of(with_additions))
    found = replace(one.snapshot, content=first.content, mode=first.mode) if first.changes else one.snapshot
    return first, replace(one, snapshot=found)


def prepare(temporary_files: contextlib.ExitStack, one: Replacement) -> str | None:
    """Write the new content of a file that changes beside it. Return its path, `None` if nothing is written."""
    if not one.changes or one.content is None:
        return None
    return temporary_files.enter_context(copy(one))


def copy(one: Replacement) -> contextlib.AbstractContextManager[str]:
    """Write the content of a file, changed or not, to a temporary file beside it."""
    return atomic.temporary_file(one.snapshot, one.content or b"", one.mode)


def commit(snapshot: Snapshot, path: str | None) -> None:
    """Replace a file by its temporary file, or remove it. Raises as `atomic.commit` does."""
    if path is None:
        atomic.remove(snapshot)
    else:
        atomic.commit(snapshot, path)
