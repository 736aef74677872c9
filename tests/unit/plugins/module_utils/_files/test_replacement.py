# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.replacement import (
    PRIVATE,
    Replacement,
    commit,
    in_order,
    prepare,
)


def test_no_content_is_in_a_repr(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"KEY=old\n")
    replacement = Replacement(atomic.read(str(file)), b"KEY=new\n")
    assert ("KEY=old" in repr(replacement), "KEY=new" in repr(replacement)) == (False, False)


def test_a_file_that_is_written_twice_gets_its_mode_first_and_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_bytes(b"A=1\n")
    real.chmod(0o644)
    env, config, keys = tmp_path / ".env", tmp_path / "c.json", tmp_path / "k.json"
    env.symlink_to("real")
    writes = in_order(
        Replacement(atomic.read(str(config)), b"{}"),
        Replacement(atomic.read(str(env)), b"B=2\n", PRIVATE),
        Replacement(atomic.read(str(keys)), None, PRIVATE),
    )
    assert [(Path(one.snapshot.path).name, one.content, one.changes) for one in writes] == [
        (".env", b"A=1\nB=2\n", True),
        ("k.json", None, False),
        ("c.json", b"{}", True),
        (".env", b"B=2\n", True),
        ("k.json", None, False),
    ]
    with contextlib.ExitStack() as stack:
        ready = [(one.snapshot, prepare(stack, one)) for one in writes if one.changes]
        commit(*ready[0])
        assert (real.read_bytes(), real.stat().st_mode & 0o7777, env.is_symlink()) == (b"A=1\nB=2\n", 0o600, True)
        commit(*ready[1])
        commit(*ready[2])
    assert (real.read_bytes(), real.stat().st_mode & 0o7777, env.is_symlink()) == (b"B=2\n", 0o600, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".env", "c.json", "real"]


def test_what_others_write_between_both_writes_of_a_file_is_a_conflict(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_bytes(b"A=1\n")
    nothing = Replacement(atomic.read(str(tmp_path / "none")), None)
    with contextlib.ExitStack() as stack:
        writes = in_order(nothing, Replacement(atomic.read(str(env)), b"B=2\n"), nothing)
        (first, last) = ((one.snapshot, prepare(stack, one)) for one in writes if one.changes)
        commit(*first)
        env.write_bytes(b"A=1\nB=2\n# theirs\n")
        with pytest.raises(ClawdbotError, match="was changed by another process while it was being edited"):
            commit(*last)
    assert env.read_bytes() == b"A=1\nB=2\n# theirs\n"
