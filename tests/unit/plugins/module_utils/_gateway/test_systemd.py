# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.systemd import (
    EnvironmentFile,
    Unit,
    parse_arguments,
    parse_assignments,
    parse_command,
    parse_unit,
    split_words,
)
from hypothesis import given
from hypothesis import strategies as st

_TAIL = (
    " ; ignore_errors=no ; start_time=[Sun 2026-11-22 17:00:00 UTC] ; stop_time=[n/a] ; pid=4711 ; code=(null) ; "
    "status=0/0 }"
)


def exec_start(arguments: str) -> str:
    return f"{{ path={arguments.split()[0]} ; argv[]={arguments}{_TAIL}"


COMMANDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "as the product installs it": (
        exec_start("/usr/bin/node /usr/lib/node_modules/clawdbot/dist/entry.js gateway --port 18789"),
        ("/usr/bin/node", "/usr/lib/node_modules/clawdbot/dist/entry.js", "gateway", "--port", "18789"),
    ),
    "another command": (exec_start("/usr/bin/python3 server.py"), ("/usr/bin/python3", "server.py")),
    "what follows": (exec_start("/usr/bin/python3 server.py") + " ; argv[]=x", ("/usr/bin/python3", "server.py")),
    "several commands of a shell": (
        exec_start("/bin/bash -lc cd /srv ; exec clawdbot gateway"),
        ("/bin/bash", "-lc", "cd", "/srv", ";", "exec", "clawdbot", "gateway"),
    ),
    "a quote that is not closed": (
        exec_start("/usr/bin/clawdbot gateway --name it's"),
        ("/usr/bin/clawdbot", "gateway", "--name", "it's"),
    ),
    "nothing": ("", ()),
    "something else": ("gateway", ()),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_command_of(name: str) -> None:
    shown, command = COMMANDS[name]
    assert parse_command(shown) == command


ARGUMENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "a port": (exec_start("/usr/bin/node /opt/entry.js gateway --port 18889"), ("--port", "18889")),
    "none": (exec_start("/usr/local/bin/clawdbot gateway"), ()),
    "gateway twice": (exec_start("/usr/bin/clawdbot gateway --name gateway"), ("--name", "gateway")),
    "by way of a shell": (exec_start("/bin/bash -lc clawdbot gateway --port 18889"), ()),
    "another command": (exec_start("/usr/bin/python3 server.py --port 18889"), ()),
    "nothing": ("", ()),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_of(name: str) -> None:
    shown, arguments = ARGUMENTS[name]
    assert parse_arguments(shown) == arguments


@given(st.text())
def test_command_and_arguments_of_anything(text: str) -> None:
    assert isinstance(parse_command(f"argv[]={text}"), tuple)
    assert isinstance(parse_arguments(f"argv[]={text}"), tuple)


# As 252 and 257 print it.
SHOWN = """MainPID=4711
NRestarts=3
Result=success
ExecStart={ path=/usr/bin/node ; argv[]=/usr/bin/node /opt/entry.js gateway --verbose ; ignore_errors=no ; pid=4711 }
Environment=A=2 "B=x y" KEY=one KEY=two
PassEnvironment=FOO BAR
UnsetEnvironment=G A=2
WorkingDirectory=/srv/gateway
User=
PAMName=login
LoadState=loaded
ActiveState=active
SubState=running
FragmentPath=/etc/systemd/system/u.service
DropInPaths=/etc/systemd/system/u.service.d/a.conf "/etc/systemd/system/u.service.d/with space.conf"
NeedDaemonReload=yes
"""
MANAGER = "Environment=LANG=C.UTF-8 KEY=three\n"
UNITS: dict[str, tuple[str, Unit | None]] = {
    "runs": (
        SHOWN,
        Unit(
            name="u",
            active_state="active",
            sub_state="running",
            result="success",
            main_pid=4711,
            restarts=3,
            command=("/usr/bin/node", "/opt/entry.js", "gateway", "--verbose"),
            arguments=("--verbose",),
            executable="/usr/bin/node",
            files=(
                "/etc/systemd/system/u.service",
                "/etc/systemd/system/u.service.d/a.conf",
                "/etc/systemd/system/u.service.d/with space.conf",
            ),
            needs_reload=True,
            working_directory="/srv/gateway",
            home="/root",
            environment={"A": "2", "B": "x y", "KEY": "two"},
            manager_environment={"LANG": "C.UTF-8", "KEY": "three"},
            unset=frozenset(["G", "A=2"]),
            passed=frozenset(["FOO", "BAR"]),
            pam=True,
        ),
    ),
    "does not run": (
        "LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\nMainPID=0\nExecStart=\n",
        Unit(
            "u",
            "failed",
            "failed",
            "exit-code",
            working_directory="/",
            home="/root",
            manager_environment={"LANG": "C.UTF-8", "KEY": "three"},
        ),
    ),
    "is not known": ("LoadState=not-found\nActiveState=inactive\nMainPID=0\n", None),
    "says nothing": ("", None),
    "says nonsense": (
        "LoadState=loaded\nMainPID=x\n=\nnothing\nEnvironmentFiles=/no/such\nEnvironmentFiles=\n",
        Unit("u", working_directory="/", home="/root", manager_environment={"LANG": "C.UTF-8", "KEY": "three"}),
    ),
}


@pytest.mark.parametrize("name", UNITS)
def test_parsed(name: str) -> None:
    shown, expected = UNITS[name]
    assert parse_unit("u", "system", shown, MANAGER) == expected


@given(st.text(), st.text())
def test_parsed_anything(shown: str, manager: str) -> None:
    assert parse_unit("u", "user", f"LoadState=loaded\n{shown}", manager) is not None or "LoadState=" in shown


# The account, whose unit it is, and its home.
HOMES: dict[str, tuple[str, str, str | None]] = {
    "a user's": ("", "user", "/home/g"),
    "the system's": ("", "system", "/root"),
    "an account's": ("root", "system", "/root"),
    "an unknown account's": ("no-such-account", "system", None),
}


@pytest.mark.parametrize("name", HOMES)
def test_home(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/g")
    account, scope, home = HOMES[name]
    found = parse_unit("u", scope, f"LoadState=loaded\nUser={account}\n", "")
    assert found is not None
    assert found.home == home


# The properties, whose unit it is, and where its processes start.
DIRECTORIES: dict[str, tuple[str, str, str | None]] = {
    "a user's, not set": ("WorkingDirectory=\n", "user", "/home/g"),
    "a user's, home": ("WorkingDirectory=~\n", "user", "/home/g"),
    "a user's": ("WorkingDirectory=/srv\n", "user", "/srv"),
    "need not be there": ("WorkingDirectory=!/srv\n", "user", "/srv"),
    "the system's, not set": ("WorkingDirectory=\nUser=g\n", "system", "/"),
    "the system's, home": ("WorkingDirectory=~\nUser=root\n", "system", "/root"),
    "the system's, home of root": ("WorkingDirectory=!~\nUser=\n", "system", "/root"),
    "the system's, home of an unknown account": ("WorkingDirectory=~\nUser=no-such-account\n", "system", None),
}


@pytest.mark.parametrize("name", DIRECTORIES)
def test_working_directory(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/g")
    shown, scope, directory = DIRECTORIES[name]
    found = parse_unit("u", scope, f"LoadState=loaded\n{shown}", "")
    assert found is not None
    assert found.working_directory == directory


WORDS: dict[str, tuple[str, list[str]]] = {
    "nothing": ("", []),
    "bare": ("A=1 B=x=y", ["A=1", "B=x=y"]),
    "a space": ('"B=x y" C=', ["B=x y", "C="]),
    "shell characters": (
        r'"C=d\$e" "D=quo\"te" "E=back\\slash" "F=tick\`x"',
        ["C=d$e", 'D=quo"te', "E=back\\slash", "F=tick`x"],
    ),
    "control characters": (r'"H=new\nline" "K=tab\tx" "L=\001"', ["H=new\nline", "K=tab\tx", "L=\x01"]),
    "an escaped backslash before an n": (r'"A=\\n"', ["A=\\n"]),
    "an apostrophe": ('"J=it\'s"', ["J=it's"]),
    "other letters": ("I=ümlaut", ["I=ümlaut"]),
    "an empty string": ('"" A=1', ["", "A=1"]),
    "a quote that is not closed": ('A=1 "B=x y', ["A=1", '"B=x', "y"]),
}


@pytest.mark.parametrize("name", WORDS)
def test_words(name: str) -> None:
    shown, expected = WORDS[name]
    assert split_words(shown) == expected


def test_the_last_assignment_takes_precedence() -> None:
    assert parse_assignments(["A=1", "B", "A=2=3", "C="]) == {"A": "2=3", "C": ""}


def test_environment_files_are_read_in_the_order_of_systemd(tmp_path: Path) -> None:
    (tmp_path / "b.env").write_text("KEY=b\n")
    (tmp_path / "a.env").write_text("KEY=a\n")
    (tmp_path / "directory.env").mkdir()
    (tmp_path / "with space.env").write_bytes(b"KEY=c\nOTHER=\xff\n")
    shown = (
        f"LoadState=loaded\nEnvironmentFiles={tmp_path}/with space.env (ignore_errors=no)\n"
        f"EnvironmentFiles={tmp_path}/gone.env (ignore_errors=yes)\n"
        f"EnvironmentFiles={tmp_path}/*.env (ignore_errors=no)\n"
    )
    found = parse_unit("u", "system", shown, "")
    assert found is not None
    assert found.environment_files == (
        EnvironmentFile(f"{tmp_path}/with space.env", {"KEY": "c", "OTHER": "\udcff"}),
        EnvironmentFile(f"{tmp_path}/a.env", {"KEY": "a"}),
        EnvironmentFile(f"{tmp_path}/b.env", {"KEY": "b"}),
        EnvironmentFile(f"{tmp_path}/directory.env", None),
        EnvironmentFile(f"{tmp_path}/with space.env", {"KEY": "c", "OTHER": "\udcff"}),
    )
    assert "KEY" not in repr(found)
