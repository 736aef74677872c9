# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
import struct
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import ConflictError, Snapshot

ACL = "system.posix_acl_access"
DEFAULT_ACL = "system.posix_acl_default"


def acl(mask: int, user: int = 4711) -> bytes:
    """The attribute of an access control list that lets a user read (linux/posix_acl_xattr.h)."""
    nobody = 0xFFFFFFFF
    entries = [(0x01, 6, nobody), (0x02, 4, user), (0x04, 0, nobody), (0x10, mask, nobody), (0x20, 0, nobody)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "clawdbot.json"
    path.write_bytes(b"old")
    path.chmod(0o640)
    return path


def replace(path: Path, content: bytes, mode: int | None = None) -> None:
    snapshot = atomic.read(str(path))
    chosen = snapshot.mode if mode is None else mode
    with atomic.temporary_file(snapshot, content, 0o600 if chosen is None else chosen) as temporary_file:
        atomic.commit(snapshot, temporary_file)


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_read(file: Path, tmp_path: Path) -> None:
    owner = (os.getuid(), os.getgid())
    assert atomic.read(str(file)) == Snapshot(str(file), str(file), b"old", 0o640, *owner)
    link = tmp_path / "link"
    link.symlink_to(file.name)
    assert atomic.read(str(link)) == Snapshot(str(link), str(file), b"old", 0o640, *owner)
    dangling = tmp_path / "dangling"
    dangling.symlink_to("missing")
    expected = Snapshot(str(dangling), str(tmp_path / "missing"), None, None, None, None)
    assert atomic.read(str(dangling)) == expected


def test_no_content_is_in_a_repr(file: Path) -> None:
    assert "old" not in repr(atomic.read(str(file)))


def test_a_commit_replaces_the_file_and_leaves_nothing_else(file: Path, tmp_path: Path) -> None:
    replace(file, b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode), names(tmp_path)) == (b"new", 0o640, [file.name])


def test_a_commit_through_a_dangling_link_makes_its_target(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("target")
    replace(link, b"new")
    assert (os.readlink(link), (tmp_path / "target").read_bytes()) == ("target", b"new")


# What another process does in the directory.
CHANGES = {
    "written": "echo theirs > clawdbot.json",
    "same size and time": "touch -r clawdbot.json t; printf OLD > clawdbot.json; touch -r t clawdbot.json; rm t",
    "replaced": "echo theirs > tmp; mv tmp clawdbot.json",
    "removed": "rm clawdbot.json",
    "mode": "chmod 600 clawdbot.json",
    "now a link": "mv clawdbot.json moved; ln -s moved clawdbot.json",
}


@pytest.mark.parametrize("act", ["commit", "remove"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_in_between_is_a_conflict_and_stays(file: Path, change: str, act: str) -> None:
    snapshot = atomic.read(str(file))
    with atomic.temporary_file(snapshot, b"ours", 0o600) as temporary_file:
        subprocess.run(["/bin/sh", "-ec", change], cwd=file.parent, check=True)
        theirs = atomic.read(str(file))
        acts = {
            "commit": partial(atomic.commit, snapshot, temporary_file),
            "remove": partial(atomic.remove, snapshot),
        }
        with pytest.raises(ConflictError) as caught:
            acts[act]()
    assert str(caught.value) == f"{file} was changed by another process while it was being edited."
    assert atomic.read(str(file)) == theirs


def test_a_file_that_appears_in_between_is_a_conflict(tmp_path: Path) -> None:
    path = tmp_path / "new"
    snapshot = atomic.read(str(path))
    with atomic.temporary_file(snapshot, b"ours", 0o600) as temporary_file:
        path.write_bytes(b"theirs")
        with pytest.raises(ConflictError):
            atomic.commit(snapshot, temporary_file)
    assert (path.read_bytes(), names(tmp_path)) == (b"theirs", ["new"])


def test_the_same_content_again_is_no_conflict(file: Path) -> None:
    snapshot = atomic.read(str(file))
    with atomic.temporary_file(snapshot, b"ours", 0o640) as temporary_file:
        file.with_name("tmp").write_bytes(b"old")
        file.with_name("tmp").chmod(0o640)
        file.with_name("tmp").rename(file)
        atomic.commit(snapshot, temporary_file)
    assert file.read_bytes() == b"ours"


def test_remove(file: Path, tmp_path: Path) -> None:
    atomic.remove(atomic.read(str(file)))
    assert names(tmp_path) == []
    atomic.remove(atomic.read(str(file)))


def test_the_temporary_file_is_private_while_it_is_written_and_flushed_before_it_is_whole(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    fchmod, fsync, rename = os.fchmod, os.fsync, os.rename

    def watched_fchmod(descriptor: int, mode: int) -> None:
        seen.append(("before its mode", stat.S_IMODE(os.fstat(descriptor).st_mode), os.fstat(descriptor).st_size))
        fchmod(descriptor, mode)

    def watched_fsync(descriptor: int) -> None:
        status = os.fstat(descriptor)
        seen.append("directory flushed" if stat.S_ISDIR(status.st_mode) else ("flushed", status.st_size))
        fsync(descriptor)

    def watched_rename(source: str, target: str) -> None:
        seen.append("renamed")
        rename(source, target)

    monkeypatch.setattr(os, "fchmod", watched_fchmod)
    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(os, "rename", watched_rename)
    replace(file, b"whole")
    assert seen == [("before its mode", 0o600, 0), ("flushed", 5), "renamed", "directory flushed"]


def test_the_owner_is_taken_over(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fchown", lambda _descriptor, owner, group: given.append((owner, group)))
    snapshot = Snapshot(str(file), str(file), b"old", 0o640, 4711, 4712)
    with atomic.temporary_file(snapshot, b"new", 0o640):
        pass
    assert given == [(4711, 4712)]
    # Not asked for what it has anyway: an account that may not give files away can still write its own.
    with atomic.temporary_file(atomic.read(str(file)), b"new", 0o640):
        pass
    assert given == [(4711, 4712)]


@pytest.mark.parametrize(("account", "given"), [(0, [(4711, 4712)]), (1000, [])], ids=["root", "another account"])
def test_a_new_file_belongs_to_the_owner_of_its_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, account: int, given: list[tuple[int, int]]
) -> None:
    asked: list[tuple[int, int]] = []
    real = os.stat

    def of_somebody(path: str, **more: bool) -> os.stat_result:
        fields = list(real(path, **more))
        fields[stat.ST_UID], fields[stat.ST_GID] = 4711, 4712
        return os.stat_result(fields)

    snapshot = atomic.read(str(tmp_path / "new"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "geteuid", lambda: account)
        patched.setattr(os, "stat", of_somebody)
        patched.setattr(os, "fchown", lambda _descriptor, owner, group: asked.append((owner, group)))
        with atomic.temporary_file(snapshot, b"new", 0o600):
            pass
    assert asked == given


def test_extended_attributes_and_the_access_control_list_are_taken_over(file: Path) -> None:
    os.setxattr(file, "user.note", b"kept")
    os.setxattr(file, ACL, acl(mask=4))
    replace(file, b"new")
    assert {name: os.getxattr(file, name) for name in os.listxattr(file)} == {"user.note": b"kept", ACL: acl(mask=4)}
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o640)


def test_a_private_mode_closes_an_access_control_list(file: Path) -> None:
    os.setxattr(file, ACL, acl(mask=4))
    replace(file, b"new", 0o600)
    assert (os.getxattr(file, ACL), stat.S_IMODE(file.stat().st_mode)) == (acl(mask=0), 0o600)


def test_the_default_list_of_the_directory_does_not_open_a_file_that_had_none(file: Path, tmp_path: Path) -> None:
    os.setxattr(tmp_path, DEFAULT_ACL, acl(mask=4))
    replace(file, b"new")
    assert (os.listxattr(file), stat.S_IMODE(file.stat().st_mode)) == ([], 0o640)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (errno.ENOTSUP, None),
        (errno.EIO, "Cannot write a temporary file beside {}: Input/output error."),
    ],
    ids=["a file system without", "a broken one"],
)
def test_extended_attributes_that_cannot_be_listed(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, outcome: str | None
) -> None:
    def fail_call(_file: object) -> list[str]:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "listxattr", fail_call)
    if outcome is None:
        replace(file, b"new")
    else:
        with pytest.raises(ClawdbotError) as caught:
            replace(file, b"new")
        assert str(caught.value) == outcome.format(file)
    assert names(tmp_path) == [file.name]


def test_a_security_attribute_that_is_the_same_anyway_is_not_set_and_a_measure_is_not_taken_over(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {"security.selinux": b"label", "security.ima": b"of the old content"}
    new = {"security.selinux": b"label"}
    monkeypatch.setattr(os, "listxattr", lambda of: list(old if of == str(file) else new))
    monkeypatch.setattr(os, "getxattr", lambda of, name: (old if of == str(file) else new)[name])

    def fail_call(_descriptor: int, name: str, _value: bytes) -> None:
        raise PermissionError(errno.EPERM, f"{name} is set")

    monkeypatch.setattr(os, "setxattr", fail_call)
    replace(file, b"new")
    assert file.read_bytes() == b"new"


FAILURES: dict[str, tuple[str, str, bytes]] = {
    "flush": ("fsync", "Cannot write a temporary file beside {}: No space left on device.", b"old"),
    "mode": ("fchmod", "Cannot write a temporary file beside {}: No space left on device.", b"old"),
    "rename": ("rename", "Cannot replace {}: No space left on device.", b"old"),
}


@pytest.mark.parametrize(("call", "message", "left"), FAILURES.values(), ids=FAILURES)
def test_a_failure_names_the_file_and_leaves_no_temporary_file(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, message: str, left: bytes
) -> None:
    def fail(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(ClawdbotError) as caught:
        replace(file, b"new")
    assert str(caught.value) == message.format(file)
    assert (file.read_bytes(), names(tmp_path)) == (left, [file.name])


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "file"
    with pytest.raises(ClawdbotError) as caught:
        replace(path, b"new")
    assert str(caught.value) == f"Cannot write a temporary file beside {path}: No such file or directory."


def test_a_temporary_file_that_cannot_be_removed_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_call(_path: str) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "unlink", fail_call)
    with (
        pytest.raises(ClawdbotError) as caught,
        atomic.temporary_file(atomic.read(str(file)), b"", 0o600) as path,
    ):
        pass
    assert str(caught.value) == f"Cannot remove {path}: Operation not permitted. It may hold keys: remove it."


def test_a_temporary_file_does_not_follow_a_link_that_waits_for_it(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda _bytes: "0123456789abcdef")
    trap = tmp_path / ".clawdbot.json.0123456789abcdef.clawfleet-new"
    trap.symlink_to("elsewhere")
    with pytest.raises(ClawdbotError) as caught:
        replace(file, b"a key")
    assert str(caught.value) == f"Cannot write a temporary file beside {file}: File exists."
    assert not (tmp_path / "elsewhere").exists()


def test_locks_are_taken_in_one_order_and_given_back(tmp_path: Path) -> None:
    directories = [str(tmp_path / name) for name in ("b", "a")]
    for directory in directories:
        Path(directory).mkdir()
    with (
        atomic.locked(directories, 1),
        pytest.raises(ClawdbotError) as caught,
        atomic.locked([*directories[::-1]], 0),
    ):
        pass
    assert (
        str(caught.value)
        == f"Another run of the collection has locked {directories[1]} for 0 seconds. Wait until it ends."
    )
    with atomic.locked([*directories, *directories], 0):
        pass
    with atomic.locked(directories[:1], 0), pytest.raises(ClawdbotError), atomic.locked(directories, 0):
        pass
    with atomic.locked(directories, 0):
        pass


def test_a_lock_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    answers = iter([False, False, True])
    monkeypatch.setattr(atomic, "_lock", lambda _descriptor: next(answers))
    monkeypatch.setattr(time, "sleep", waits.append)
    with atomic.locked([str(tmp_path)], 60):
        pass
    assert waits == [0.1, 0.1]


def test_a_directory_that_cannot_be_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_call(_descriptor: int, _operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", fail_call)
    with pytest.raises(ClawdbotError) as caught, atomic.locked([str(tmp_path)], 60):
        pass
    assert str(caught.value) == f"Directory {tmp_path} cannot be locked: No locks available."


def test_leftovers_are_those_of_the_file_alone(tmp_path: Path) -> None:
    leftover = ".a.json.0123456789abcdef.clawfleet-new"
    others = [
        "a.json",
        ".a.json.clawfleet-journal",
        ".a.json.clawfleet-new",
        ".a.json.0123456789ABCDEF.clawfleet-new",
        ".aXjson.0123456789abcdef.clawfleet-new",
        ".b.json.0123456789abcdef.clawfleet-new",
    ]
    for name in (leftover, *others):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / f"{leftover}.scratch" / "deep").mkdir(parents=True)
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "kept").write_bytes(b"")
    (tmp_path / f"{leftover}.link").symlink_to(outside)
    atomic.discard_leftovers(str(tmp_path / "a.json"))
    assert names(tmp_path) == sorted(others)
    assert names(outside) == ["kept"]
