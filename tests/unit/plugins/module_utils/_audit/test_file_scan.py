# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit import file_scan
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.file_scan import (
    FoundKey,
    Position,
    Search,
    files,
    mask,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.known_keys import KnownKeys
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import ConflictError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

NOW, OLD = "sk-now-0123456789", "sk-old-0123456789"
KEYS = KnownKeys({"moonshot": "MOONSHOT_API_KEY"}, {"MOONSHOT_API_KEY": NOW}, frozenset([fingerprint(OLD)]))
FOUND_NOW, FOUND_OLD = FoundKey(NOW, "current", "MOONSHOT_API_KEY"), FoundKey(OLD, "old", None)


def test_keys_are_found_with_byte_and_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(f"\xe4\xfc\n{OLD}\n\xff {NOW} {NOW}\n".encode("latin-1"))
    assert Search(KEYS).hits(str(file)) == {
        FOUND_OLD: [Position(3, 2)],
        FOUND_NOW: [Position(23, 3), Position(41, 3)],
    }


@pytest.mark.parametrize("before", range(60))
def test_a_key_is_found_wherever_a_chunk_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int) -> None:
    monkeypatch.setattr(file_scan, "_CHUNK", 32)
    monkeypatch.setattr(file_scan, "_LONGEST_KEY", 20)
    file = tmp_path / "file"
    file.write_text("\n" * before + OLD + "\n" + NOW + " " * 100)
    assert Search(KEYS).hits(str(file)) == {
        FOUND_OLD: [Position(before, before + 1)],
        FOUND_NOW: [Position(before + len(OLD) + 1, before + 2)],
    }


def test_reading_is_limited_and_the_rest_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_scan, "_MOST_BYTES", 50)
    for name, size in {"a": 40, "b": 20, "c": 10}.items():
        (tmp_path / name).write_text("x" * size)
    search = Search(KEYS)
    for path in files(str(tmp_path)):
        search.hits(path)
    assert search.left_out == [str(tmp_path / "b")]


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_text("x")
    (tmp_path / "link").symlink_to("deep/file")
    assert list(files(str(tmp_path))) == [str(tmp_path / "deep" / "file")]
    assert Search(KEYS).hits(str(tmp_path / "none")) == {}
    assert Search(KEYS).hits("/dev/null") == {}
    with pytest.raises(ClawdbotError, match=rf"Cannot read {tmp_path}: Is a directory\."):
        Search(KEYS).hits(str(tmp_path))


def test_asterisks_replace_a_key_in_the_same_file(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(f"a {NOW} b {OLD} c {NOW}\n")
    inode = file.stat().st_ino
    with file.open("a") as appending:
        mask(str(file), NOW, [2, 42])
        appending.write("and more\n")
    stars = "*" * len(NOW)
    assert file.read_text() == f"a {stars} b {OLD} c {stars}\nand more\n"
    assert file.stat().st_ino == inode


def test_a_key_that_has_changed_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text(f"b {NOW}")
    with pytest.raises(ConflictError, match="was changed by another process while it was being cleaned"):
        mask(str(file), NOW, [1])
    assert file.read_text() == f"b {NOW}"
    with pytest.raises(ClawdbotError, match=rf"Cannot write {tmp_path}/none: No such file or directory\."):
        mask(str(tmp_path / "none"), NOW, [1])
    assert not (tmp_path / "none").exists()
