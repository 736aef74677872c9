# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A unit as systemd has loaded it, and the environment that it gives to the unit's next process.

How `systemctl show` prints values was seen on 252 and 257.
"""

from __future__ import annotations

import glob
import os
import pwd
import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import environment_file
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import open_without_blocking

from .account import use_own_environment

#: Whose service manager has a unit.
Scope = Literal["user", "system"]

_COMMAND_SECONDS = 20
_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "MainPID",
    "NRestarts",
    "ExecStart",
    "FragmentPath",
    "DropInPaths",
    "UnitFileState",
    "NeedDaemonReload",
    "WorkingDirectory",
    "User",
    "PAMName",
    "Environment",
    "EnvironmentFiles",
    "PassEnvironment",
    "UnsetEnvironment",
)
#: The command line of a shell is one argument, and systemd shows it without its quotes.
SHELLS = frozenset(["bash", "dash", "fish", "ksh", "sh", "zsh"])
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)', re.DOTALL)
_ESCAPE = re.compile(r"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ENVIRONMENT_FILE = re.compile(r"(.*) \(ignore_errors=(?:yes|no)\)\Z", re.DOTALL)


@dataclass(frozen=True)
class EnvironmentFile:
    """One file of EnvironmentFile=."""

    path: str
    #: None where this account may not read it.
    values: Mapping[str, str] | None = field(repr=False)


@dataclass(frozen=True)
class Unit:
    """A unit as systemd has loaded it."""

    name: str
    active_state: str = ""
    sub_state: str = ""
    #: How its last process ended: `success`, `exit-code`, `start-limit-hit` and so on.
    result: str = ""
    main_pid: int = 0
    #: How often systemd has restarted it on its own since it was started.
    restarts: int = 0
    #: The words of its command line, without quotes where it starts a shell. They are read, and never executed.
    command: tuple[str, ...] = field(default=(), repr=False)
    #: Those after the word `gateway`, the arguments of the CLI; empty if a shell is started.
    arguments: tuple[str, ...] = field(default=(), repr=False)
    #: The file that is executed, which is not always the CLI.
    executable: str = ""
    #: The unit's own file and its drop-ins.
    files: tuple[str, ...] = ()
    #: Whether systemd starts it with the host, or with the account's services.
    enabled: bool = False
    #: Whether its files were changed since systemd has loaded them.
    needs_reload: bool = False
    #: Where its processes start; None if not known.
    working_directory: str | None = None
    #: The home directory of its account; None if not known.
    home: str | None = None
    #: Environment=.
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: The existing files of EnvironmentFile=, in the order in which systemd reads them: the last takes precedence.
    environment_files: tuple[EnvironmentFile, ...] = ()
    #: The environment that the service manager gives to every process.
    manager_environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: UnsetEnvironment=, names and assignments.
    unset: frozenset[str] = frozenset()
    #: Names in PassEnvironment=: their values are the service manager's own, which it does not show.
    passed: frozenset[str] = frozenset()
    #: Whether PAM may add to the environment.
    pam: bool = False


def show_unit(name: str, scope: Scope) -> Unit | None:
    """Return a unit of the user's or the system's service manager; None if none of that name is loaded."""
    # Both commands run at once, as each mostly waits.
    queries = ([name, f"--property={','.join(_PROPERTIES)}"], ["--property=Environment"])
    shown, manager = map(_output, [_start([f"--{scope}", "show", *query]) for query in queries])
    return parse_unit(name, scope, shown, manager)


def parse_unit(name: str, scope: Scope, shown: str, manager: str) -> Unit | None:
    """Return the unit in the output of `systemctl show` for it and for the service manager; None if none is loaded.

    Reads the files of EnvironmentFile=.
    """
    lines = [line.partition("=") for line in shown.split("\n") if "=" in line]
    properties = {key: value for key, _equals, value in lines}
    if properties.get("LoadState") != "loaded":
        return None
    exec_start = properties.get("ExecStart", "")
    matches = [_ENVIRONMENT_FILE.match(value) for key, _equals, value in lines if key == "EnvironmentFiles"]
    of_manager = dict(line.split("=", 1) for line in manager.split("\n") if "=" in line)
    return Unit(
        name=name,
        active_state=properties.get("ActiveState", ""),
        sub_state=properties.get("SubState", ""),
        result=properties.get("Result", ""),
        main_pid=_number(properties.get("MainPID", "")),
        restarts=_number(properties.get("NRestarts", "")),
        command=parse_command(exec_start),
        arguments=parse_arguments(exec_start),
        executable=exec_start.partition("path=")[2].partition(" ; ")[0],
        files=tuple(split_words(f"{properties.get('FragmentPath', '')} {properties.get('DropInPaths', '')}")),
        enabled=properties.get("UnitFileState") == "enabled",
        needs_reload=properties.get("NeedDaemonReload") == "yes",
        working_directory=_working_directory(properties.get("WorkingDirectory", ""), properties.get("User", ""), scope),
        home=_home(properties.get("User", ""), scope),
        environment=parse_assignments(split_words(properties.get("Environment", ""))),
        environment_files=tuple(_read_files(match.group(1) for match in matches if match)),
        manager_environment=parse_assignments(split_words(of_manager.get("Environment", ""))),
        unset=frozenset(split_words(properties.get("UnsetEnvironment", ""))),
        passed=frozenset(split_words(properties.get("PassEnvironment", ""))),
        pam=bool(properties.get("PAMName")),
    )


def parse_command(exec_start: str) -> tuple[str, ...]:
    """Return the words of the command line in an ExecStart of `systemctl show`, which prints it without its quotes."""
    _before, found, rest = exec_start.partition("argv[]=")
    shown = rest.partition(" ; ignore_errors=")[0] if found else ""
    try:
        return tuple(shlex.split(shown))
    except ValueError:
        # A quote that belongs to a word.
        return tuple(shown.split())


def parse_arguments(exec_start: str) -> tuple[str, ...]:
    """Return the arguments of the CLI's command `gateway` in an ExecStart of `systemctl show`.

    Empty if that word is missing, or a shell is started.
    """
    command = parse_command(exec_start)
    if "gateway" not in command or os.path.basename(command[0]) in SHELLS:
        return ()
    return command[command.index("gateway") + 1 :]


def split_words(text: str) -> list[str]:
    """Return the strings of a list as `systemctl show` prints it: separated by spaces, in quotes where needed."""
    return [_ESCAPE.sub(_unescaped, quoted) if quoted or not bare else bare for quoted, bare in _WORD.findall(text)]


def parse_assignments(items: Sequence[str]) -> dict[str, str]:
    """Return the environment variables in strings `NAME=value`; the last of a name takes precedence."""
    return dict(item.split("=", 1) for item in items if "=" in item)


def _unescaped(match: re.Match[str]) -> str:
    escaped = match.group(1)
    if escaped.isdigit() and len(escaped) == 3:
        return chr(int(escaped, 8))
    return _ESCAPED.get(escaped, escaped)


def _read_files(patterns: Iterable[str]) -> Iterator[EnvironmentFile]:
    for pattern in patterns:
        for path in sorted(glob.glob(pattern)):
            try:
                with open(path, encoding="utf-8", errors="surrogateescape", opener=open_without_blocking) as file:
                    yield EnvironmentFile(path, environment_file.loads(file.read()))
            except OSError:
                yield EnvironmentFile(path, None)


def _working_directory(shown: str, account: str, scope: Scope) -> str | None:
    directory = shown.lstrip("!") or ("~" if scope == "user" else "/")
    return directory if directory != "~" else _home(account, scope)


def _home(account: str, scope: Scope) -> str | None:
    if scope == "user":
        return os.path.expanduser("~")
    try:
        return pwd.getpwnam(account or "root").pw_dir
    except KeyError:
        return None


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0


def _start(arguments: Sequence[str]) -> subprocess.Popen[str] | None:
    environment = {**os.environ, "LC_ALL": "C"}
    use_own_environment(environment)
    try:
        return subprocess.Popen(
            ["systemctl", *arguments],  # noqa: S607 - its place differs between distributions
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            env=environment,
        )
    except OSError:
        return None


def _output(process: subprocess.Popen[str] | None) -> str:
    """Return what a command prints; an empty string if it cannot be run or does not end in time."""
    if process is None:
        return ""
    with process:
        try:
            return process.communicate(timeout=_COMMAND_SECONDS)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            return ""
