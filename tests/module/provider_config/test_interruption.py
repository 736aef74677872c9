# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is killed, or that fails, at every system call."""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.provider_config.gateway_files import (
    CONFIG,
    ENV,
    ENV_WITHOUT,
    JOURNAL,
    NEW_CONFIG,
    NEW_ENV,
    NEW_KEY,
    OLD_CONFIG,
    OLD_ENV,
    OLD_KEY,
    Gateway,
    Run,
    driver,
)
from tests.module.provider_config.system_calls import calls_while_locked, interrupt

SCRATCH = re.compile(r"[0-9a-f]{16}\.clawfleet-new\.")
RANDOM = re.compile(r"[0-9a-f]{16}(?=\.clawfleet-new)|(?<=\.clawfleet-new\.)\w{8}")

# System calls that change no file, whatever their arguments are.
READING = {
    "fcntl",
    "flistxattr",
    "geteuid",
    "getdents64",
    "getpid",
    "getrandom",
    "ioctl",
    "listxattr",
    "lseek",
    "newfstatat",
    "pipe2",
    "read",
    "rt_sigprocmask",
}

PREPARE: dict[str, list[str]] = {
    "present": [],
    "absent": ["present", "confirmed"],
    "rolled_back": ["present"],
    "confirmed": ["present"],
}
OLD, NEW, GONE = (OLD_CONFIG, OLD_ENV), (NEW_CONFIG, NEW_ENV), (OLD_CONFIG, ENV_WITHOUT)
# What both files contain before the first run that is not confirmed, what they may contain in the middle of a run, and
# at its end. A config must never refer to an environment variable that `.env` does not define.
IN_BETWEEN = {
    "present": (OLD, [OLD, (OLD_CONFIG, NEW_ENV), NEW], NEW),
    "absent": (NEW, [NEW, (OLD_CONFIG, NEW_ENV), GONE], GONE),
    "rolled_back": (OLD, [NEW, (NEW_CONFIG, OLD_ENV), OLD], OLD),
    "confirmed": (OLD, [NEW], NEW),
}
# The record of the dates of keys before the first run that is not confirmed, and at the end of the run.
BOTH_KEYS = [fingerprint(OLD_KEY), fingerprint(NEW_KEY)]
DATED: dict[str, tuple[list[str], list[str]]] = {
    "present": ([], BOTH_KEYS),
    "absent": (BOTH_KEYS, []),
    "rolled_back": ([], []),
    "confirmed": ([], BOTH_KEYS),
}


def prepare(directory: Path, state: str, run_on: Run) -> Gateway:
    """Return a gateway on which a run with the state has something to do."""
    gateway = Gateway(directory / "prepared" / "gateway")
    gateway.reset()
    for before in PREPARE[state]:
        assert run_on(gateway, state=before).code == 0
    return gateway


def copy(gateway: Gateway, to: Path) -> Gateway:
    """Return a copy of a gateway, whose rollback journal names the files of the copy."""
    made = Gateway(to / "gateway")
    shutil.copytree(gateway.directory, made.directory)
    journal = made.directory / JOURNAL
    if journal.exists():
        journal.write_bytes(journal.read_bytes().replace(bytes(gateway.directory), bytes(made.directory)))
    return made


def tree(gateway: Gateway) -> frozenset[tuple[str, int, bytes]]:
    """Return name, mode and content of all files, with one word for everything that is different in each run."""
    return frozenset(
        (
            RANDOM.sub("random", str(path.relative_to(gateway.directory))),
            path.stat().st_mode,
            path.read_bytes().replace(bytes(gateway.directory), b"here") if path.is_file() else b"",
        )
        for path in gateway.directory.rglob("*")
    )


def checked(gateway: Gateway, state: str) -> dict[str, object]:
    return gateway.arguments(state=state, validate=["/usr/bin/env", "test", "-s", "%s"])


@pytest.mark.parametrize("state", PREPARE)
def test_killed_at_any_system_call_each_file_is_whole_and_the_next_run_finishes(
    tmp_path: Path, run_on: Run, state: str
) -> None:
    before, between, after = IN_BETWEEN[state]
    prepared = prepare(tmp_path, state, run_on)
    whole = copy(prepared, tmp_path / "whole")
    made = calls_while_locked(whole, checked(whole, state))
    assert {"flock", "close"} < {one.name for one in made}
    # What a killed run leaves is what the calls before have changed: after one that only reads, it is the same again.
    calls = [made[0], *(one for before, one in itertools.pairwise(made) if before.name not in READING)]
    gateways = [copy(prepared, tmp_path / str(index)) for index in range(len(calls))]
    ended = interrupt(gateways, calls, lambda gateway: checked(gateway, state), lambda _name: "signal=KILL")

    # The next run depends on nothing but the files, so it must finish once for each different tree that is left.
    recovered = set()
    for gateway, at, one in zip(gateways, calls, ended):
        assert (at, one.status) == (at, signal.SIGKILL)
        found = (gateway.config.read_bytes(), gateway.env.read_bytes())
        assert (at, found) in [(at, pair) for pair in between]
        left = tree(gateway)
        if left in recovered:
            continue
        recovered.add(left)
        aside = tmp_path / "aside"
        shutil.copytree(gateway.directory, aside)
        assert run_on(gateway, state=state).code == 0
        assert run_on(gateway, state="confirmed").code == 0
        assert (at, gateway.files()) == (at, {CONFIG: after[0], ENV: after[1]})
        assert (at, gateway.dated_keys()) == (at, DATED[state][1])
        # A rollback in place of that run.
        shutil.rmtree(gateway.directory)
        shutil.copytree(aside, gateway.directory)
        shutil.rmtree(aside)
        journal, dated = (gateway.directory / JOURNAL).exists(), gateway.dated_keys()
        assert run_on(gateway, state="rolled_back").code == 0
        back = before if journal else found
        assert (at, gateway.files()) == (at, {CONFIG: back[0], ENV: back[1]})
        assert (at, gateway.dated_keys()) == (at, DATED[state][0] if journal else dated)


# A failure that each kind of call has in reality: a full disk, one that was remounted read-only, an immutable file, ...
FAILURES = {
    "openat": "EROFS",
    "write": "ENOSPC",
    "fsync": "EIO",
    "rename": "EPERM",
    "unlink": "EPERM",
    "fchmod": "EPERM",
    "read": "EIO",
    "getdents64": "EIO",
    "flock": "ENOLCK",
    "mkdir": "ENOSPC",
}


@pytest.mark.parametrize("state", ["present", "absent", "rolled_back"])
def test_failing_at_any_system_call_both_files_are_as_they_were_and_the_error_names_the_file(
    tmp_path: Path, run_on: Run, state: str
) -> None:
    before, _between, after = IN_BETWEEN[state]
    prepared = prepare(tmp_path, state, run_on)
    whole = copy(prepared, tmp_path / "whole")
    about = str(whole.directory)
    calls = [
        one for one in calls_while_locked(whole, checked(whole, state)) if one.name in FAILURES and about in one.line
    ]
    assert {"openat", "write", "fsync", "rename", "fchmod", "read"} <= {one.name for one in calls}
    gateways = [copy(prepared, tmp_path / str(index)) for index in range(len(calls))]
    outcomes = interrupt(
        gateways, calls, lambda gateway: checked(gateway, state), lambda name: f"error={FAILURES[name]}"
    )

    recovered = set()
    for gateway, at, done in zip(gateways, calls, outcomes):
        assert (at, os.waitstatus_to_exitcode(done.status), done.stderr) == (at, 1, "")
        result = json.loads(done.stdout)
        strerror = os.strerror(getattr(errno, FAILURES[at.name]))
        assert (at, "exception" in result, strerror in result["msg"]) == (at, False, True)
        named = result["msg"].replace(str(gateway.directory), "{directory}")
        assert (at, "{directory}" in named or "config check" in named) == (at, True), named
        if state != "rolled_back":
            assert (at, gateway.config.read_bytes(), gateway.env.read_bytes()) == (at, *before)
            assert (at, gateway.dated_keys()) == (at, DATED[state][0])
            leftover = set(gateway.files()) - {CONFIG, ENV}
            # A scratch directory that cannot be removed is left to the next run.
            assert (at, leftover) == (at, set()) or (SCRATCH.search(at.line) and all(map(SCRATCH.search, leftover)))
        left = tree(gateway)
        if left in recovered:
            continue
        recovered.add(left)
        # As soon as the fault is gone, the same run ends as if it had never been.
        assert run_on(gateway, state=state).code == 0
        assert run_on(gateway, state="confirmed").code == 0
        assert (at, gateway.files()) == (at, {CONFIG: after[0], ENV: after[1]})
        assert (at, gateway.dated_keys()) == (at, DATED[state][1])


def test_a_file_that_does_not_fit_changes_nothing(gateway: Gateway) -> None:
    limited = ["/bin/sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *driver(gateway.arguments())]
    done = subprocess.run(limited, stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["msg"]) == (
        1,
        f"Cannot write a temporary file beside {gateway.config}: File too large. Nothing was changed.",
    )
    assert gateway.files() == {CONFIG: OLD_CONFIG, ENV: OLD_ENV}
