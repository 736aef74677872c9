# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._variables import (
    EnvFile,
    Variable,
    files,
    isoformat,
    read,
    restart_reasons,
    trace,
)

STARTED = 1000.0
STATE = "/home/g/.clawdbot/.env"
HOME = "/home/g/.env"


def running(environment: dict[str, str] | None = None) -> Process:
    return Process(4711, STARTED, environment)


def env_file(path: str, value: str | None, changed: float = STARTED - 1) -> EnvFile:
    return EnvFile(path, {} if value is None else {"KEY": value}, changed)


def places(*pairs: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((place, fingerprint(value)) for place, value in pairs)


TRACES: dict[str, tuple[Process | None, list[EnvFile], Variable]] = {
    "nowhere": (running(), [env_file(STATE, None)], Variable((), False, 0)),
    "no process": (None, [env_file(STATE, "a")], Variable(places((STATE, "a")), None, 0)),
    "state": (running({}), [env_file(STATE, "a")], Variable(places((STATE, "a")), True, 0)),
    "environment not to be seen": (running(None), [env_file(STATE, "a")], Variable(places((STATE, "a")), True, 0)),
    "state, changed since": (
        running({}),
        [env_file(STATE, "a", STARTED + 1)],
        Variable(places((STATE, "a")), False, 0),
    ),
    "state, changed at the start": (
        running({}),
        [env_file(STATE, "a", STARTED)],
        Variable(places((STATE, "a")), False, 0),
    ),
    "working directory before state": (
        running({}),
        [env_file(HOME, "b"), env_file(STATE, "a")],
        Variable(places((HOME, "b"), (STATE, "a")), True, 1),
    ),
    "working directory alone": (
        running({}),
        [env_file(HOME, "b"), env_file(STATE, None)],
        Variable(places((HOME, "b")), True, 1),
    ),
    "environment before both": (
        running({"KEY": "c"}),
        [env_file(HOME, "b"), env_file(STATE, "a")],
        Variable(places(("process environment", "c"), (HOME, "b"), (STATE, "a")), True, 2),
    ),
    "environment, files changed since": (
        running({"KEY": "c"}),
        [env_file(STATE, "a", STARTED + 1)],
        Variable(places(("process environment", "c"), (STATE, "a")), True, 1),
    ),
    "an empty environment wins as well": (
        running({"KEY": ""}),
        [env_file(STATE, "a")],
        Variable(places(("process environment", ""), (STATE, "a")), False, 1),
    ),
    "an empty line in the working directory wins as well": (
        running({}),
        [env_file(HOME, ""), env_file(STATE, "a")],
        Variable(places((HOME, ""), (STATE, "a")), False, 1),
    ),
    "an empty line in the state": (running({}), [env_file(STATE, "")], Variable(places((STATE, "")), False, 0)),
    "a new file in the working directory, the old state is held": (
        running({}),
        [env_file(HOME, "b", STARTED + 1), env_file(STATE, "a")],
        Variable(places((HOME, "b"), (STATE, "a")), True, 1),
    ),
}


@pytest.mark.parametrize("name", TRACES)
def test_trace(name: str) -> None:
    process, env_files, expected = TRACES[name]
    assert trace("KEY", process, env_files, STATE) == expected


def test_trace_as_result() -> None:
    variable = Variable((("process environment", "sha256:a"), (STATE, "sha256:b")), True, 1)
    assert variable.as_result() == {
        "sources": [
            {"place": "process environment", "fingerprint": "sha256:a"},
            {"place": STATE, "fingerprint": "sha256:b"},
        ],
        "in_process": True,
        "winning_over_env": [{"place": "process environment", "fingerprint": "sha256:a"}],
    }


CHANGED = (
    f"{STATE} was changed at 1970-01-01T00:16:40.500Z, after the gateway's process was started at "
    "1970-01-01T00:16:40.000Z: the process has the old values."
)
REASONS: dict[str, tuple[Process | None, list[EnvFile], list[str]]] = {
    "no process": (None, [env_file(STATE, "a")], ["The gateway is not running."]),
    "no files": (running(), [], []),
    "older files": (running(), [env_file(HOME, "a"), env_file(STATE, "a")], []),
    "a newer file": (running(), [env_file(HOME, "a"), env_file(STATE, "a", STARTED + 0.5)], [CHANGED]),
    "a file as old as the process": (
        running(),
        [env_file(STATE, "a", STARTED)],
        [CHANGED.replace("40.500Z", "40.000Z")],
    ),
    "two newer files": (
        running(),
        [env_file(HOME, "a", STARTED + 0.5), env_file(STATE, "a", STARTED + 0.5)],
        [CHANGED.replace(STATE, HOME), CHANGED],
    ),
}


@pytest.mark.parametrize("name", REASONS)
def test_restart_reasons(name: str) -> None:
    process, env_files, reasons = REASONS[name]
    assert restart_reasons(process, env_files) == reasons


def test_read(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"A=1\nB=\xff\n")
    found = read(str(path))
    assert found is not None
    assert (found.path, found.values) == (str(path), {"A": "1", "B": "\udcff"})


def test_a_file_that_was_written_later_is_newer(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.touch()
    later = path.stat().st_ctime + 1000
    os.utime(path, (later, later))
    found = read(str(path))
    assert found is not None
    assert found.changed == later


def test_an_old_file_that_was_moved_into_place_is_newer(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    prepared = tmp_path / "prepared"
    prepared.touch()
    os.utime(prepared, (1, 1))
    prepared.rename(path)
    found = read(str(path))
    assert found is not None
    assert found.changed == path.stat().st_ctime > 1


@pytest.mark.parametrize("name", ["missing", "folder", "folder/.env/x"])
def test_what_cannot_be_read_is_no_file(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / ".env").touch()
    assert read(str(tmp_path / name)) is None


def test_files_in_the_order_in_which_they_win(tmp_path: Path) -> None:
    state, home = tmp_path / "state", tmp_path / "home"
    for folder in (state, home):
        folder.mkdir()
        (folder / ".env").write_text("A=1\n")
    found = files(Process(1, 1.0, None, str(home)), str(state / ".env"))
    assert [file.path for file in found] == [str(home / ".env"), str(state / ".env")]
    assert [file.path for file in files(Process(1, 1.0), str(state / ".env"))] == [str(state / ".env")]
    assert [file.path for file in files(None, str(state / ".env"))] == [str(state / ".env")]
    (home / ".env").unlink()
    assert [file.path for file in files(Process(1, 1.0, None, str(home)), str(state / ".env"))] == [str(state / ".env")]


def test_the_managed_file_is_not_taken_for_another_when_a_link_leads_to_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / ".env").write_text("KEY=a\n")
    link = tmp_path / "link"
    link.symlink_to(state)
    env_path = str(link / ".env")
    process = Process(1, 1.0, {}, str(state))
    found = files(process, env_path)
    assert [file.path for file in found] == [env_path]
    assert trace("KEY", process, found, env_path).winning == 0


def test_isoformat_is_in_utc_to_the_millisecond() -> None:
    assert isoformat(1795368101.5031) == "2026-11-22T17:21:41.503Z"
