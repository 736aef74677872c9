# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Cleanups: each record says what a purge changes in one file, and knows its diff. No diff holds a secret."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypedDict

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import Snapshot

from . import file_scan
from .finding import Finding


class Diff(TypedDict):
    """One entry of a result's `diff`, as Ansible's callbacks take it."""

    before_header: str
    after_header: str
    before: str
    after: str


class Cleanup(Protocol):
    """One change of one file or directory."""

    def diffs(self) -> list[Diff]:
        """Return what `apply` changes."""

    def apply(self) -> None:
        """Make the change.

        Raises `ConflictError` where another process changed the file since it was read, and `ClawdbotError`, naming the
        file, where it cannot be written.
        """


@dataclass(frozen=True)
class RewriteFile:
    """Replace a file as a whole, without the keys of the findings."""

    snapshot: Snapshot
    content: bytes = field(repr=False)
    mode: int
    findings: Sequence[Finding] = ()

    def diffs(self) -> list[Diff]:
        path, before = self.snapshot.path, self.snapshot.mode
        changed = _mode_diffs(path, self.mode if before is None else before, self.mode)
        return [*changed, _diff(path, "".join(map(_line, self.findings)), "")]

    def apply(self) -> None:
        with atomic.temporary_file(self.snapshot, self.content, self.mode) as temporary:
            atomic.commit(self.snapshot, temporary)


@dataclass(frozen=True)
class MaskKey:
    """Overwrite a key with asterisks in place, so that a process that appends to the file is not disturbed."""

    path: str
    key: str = field(repr=False)
    #: Where the key begins, in bytes.
    offsets: Sequence[int]
    finding: Finding

    def diffs(self) -> list[Diff]:
        return [_diff(self.path, _line(self.finding), "")]

    def apply(self) -> None:
        file_scan.mask(self.path, self.key, self.offsets)


@dataclass(frozen=True)
class ChangeMode:
    """Change the mode of a file or directory."""

    path: str
    before: int
    after: int

    def diffs(self) -> list[Diff]:
        return _mode_diffs(self.path, self.before, self.after)

    def apply(self) -> None:
        try:
            os.chmod(self.path, self.after)
        except OSError as exc:
            raise ClawdbotError(f"Cannot change the mode of {self.path}: {exc.strerror}.") from exc


@dataclass(frozen=True)
class RemoveLeftover:
    """Remove a temporary file of an interrupted run."""

    path: str

    def diffs(self) -> list[Diff]:
        return [_diff(self.path, "there\n", "")]

    def apply(self) -> None:
        atomic.discard(self.path)


def finding_diff(finding: Finding) -> Diff:
    """Return the diff of a cleanup that removes what was found."""
    return _diff(finding.place, _line(finding), "")


def _mode_diffs(path: str, before: int, after: int) -> list[Diff]:
    return [] if before == after else [_diff(path, f"mode {before:04o}\n", f"mode {after:04o}\n")]


def _line(finding: Finding) -> str:
    return f"{finding.where}=<{finding.fingerprint}>\n"


def _diff(path: str, before: str, after: str) -> Diff:
    return {"before_header": path, "after_header": path, "before": before, "after": after}
