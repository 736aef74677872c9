# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.cleanup import (
    ChangeMode,
    Cleanup,
    MaskKey,
    RemoveLeftover,
    RewriteFile,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.finding import Finding
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import ConflictError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

KEY = "sk-now-0123456789"
FINDING = Finding("plain_text_key", "/s/file", "A key.", "line 1", "moonshot", KEY, "current", purgeable=True)


def diffs(cleanup: Cleanup) -> list[tuple[str, str, str]]:
    """Path, before and after of each."""
    assert all(diff["before_header"] == diff["after_header"] for diff in cleanup.diffs())
    return [(diff["before_header"], diff["before"], diff["after"]) for diff in cleanup.diffs()]


def test_a_rewrite_replaces_content_and_mode_and_names_the_keys_by_fingerprint(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(KEY)
    file.chmod(0o644)
    cleanup = RewriteFile(atomic.read(str(file)), b"clean", 0o600, [FINDING, FINDING])
    assert diffs(cleanup) == [
        (str(file), "mode 0644\n", "mode 0600\n"),
        (str(file), 2 * f"line 1=<{fingerprint(KEY)}>\n", ""),
    ]
    assert KEY not in repr(cleanup)
    cleanup.apply()
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("clean", 0o600)
    with pytest.raises(ConflictError):
        cleanup.apply()


def test_a_mask_keeps_the_rest_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(f"a {KEY} b\n")
    cleanup = MaskKey(str(file), KEY, [2], FINDING)
    assert diffs(cleanup) == [(str(file), f"line 1=<{fingerprint(KEY)}>\n", "")]
    assert KEY not in repr(cleanup)
    cleanup.apply()
    assert file.read_text() == f"a {'*' * len(KEY)} b\n"


def test_a_mode_is_changed(tmp_path: Path) -> None:
    cleanup = ChangeMode(str(tmp_path), 0o755, 0o700)
    assert diffs(cleanup) == [(str(tmp_path), "mode 0755\n", "mode 0700\n")]
    cleanup.apply()
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    with pytest.raises(ClawdbotError) as caught:
        ChangeMode(f"{tmp_path}/none", 0o755, 0o700).apply()
    assert str(caught.value) == f"Cannot change the mode of {tmp_path}/none: No such file or directory."


def test_a_leftover_is_removed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(KEY)
    cleanup = RemoveLeftover(str(file))
    assert diffs(cleanup) == [(str(file), "there\n", "")]
    cleanup.apply()
    assert not file.exists()
