# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Why a gateway needs a new process."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from .env_sources import EnvSources, change_time
from .info import isoformat
from .process import DELETED, Process
from .systemd import Unit

# What systemd sets for each process without being told: no property shows it.
_SET_BY_SYSTEMD = re.compile(
    r"(?:HOME|LOGNAME|SHELL|TERM|USER|INVOCATION_ID|JOURNAL_STREAM|MAINPID|MANAGERPID|NOTIFY_SOCKET|SYSTEMD_EXEC_PID"
    r"|(?:LISTEN|MEMORY_PRESSURE|TRIGGER|WATCHDOG)_\w+|\w+_DIRECTORY)\Z"
)


def restart_reasons(sources: EnvSources, program_files: Sequence[str], names: Iterable[str]) -> list[str]:
    """Return why the gateway needs a new process; empty if the one that runs is like a new one would be.

    `program_files`: the files of which one is replaced when the product is updated. `names`: of the environment
    variables that matter.
    """
    process = sources.process
    if process is None:
        return [_not_running(sources.unit)]
    reasons = [
        *_changed_env_files(sources, process),
        *_changed_unit(sources, process),
        *_changed_program(program_files, process),
    ]
    return reasons or [reason for name in names for reason in _changed_variable(sources, name)]


def _not_running(unit: Unit | None) -> str:
    why = ""
    if unit and unit.active_state == "failed":
        why = f": unit {unit.name} has failed ({unit.result}), and systemd does not restart it"
    elif unit and unit.sub_state == "auto-restart":
        why = f": unit {unit.name} has ended ({unit.result}), and systemd is restarting it"
    return f"The gateway is not running{why}."


def _changed_env_files(sources: EnvSources, process: Process) -> Iterator[str]:
    for path, moment in sources.changed_env_files():
        yield _changed(path, moment, process, "the process has the old values.")


def _changed_unit(sources: EnvSources, process: Process) -> Iterator[str]:
    for path, moment in sources.changed_unit_files():
        yield _changed(path, moment, process, "the process runs with the old unit.")
    if sources.unit and sources.unit.needs_reload:
        yield f"Unit {sources.unit.name} was changed, and systemd has not reloaded it: it needs a daemon-reload."


def _changed_program(program_files: Sequence[str], process: Process) -> Iterator[str]:
    for path in program_files:
        moment = change_time(path)
        if moment is not None and moment >= process.started:
            yield _changed(path, moment, process, "the process runs the old version.")
    if process.executable and process.executable.endswith(DELETED):
        path = process.executable.removesuffix(DELETED)
        yield f"{path}, which the process runs, was removed or replaced."


def _changed_variable(sources: EnvSources, name: str) -> Iterator[str]:
    """Yield a reason if systemd sets the variable to another value than the process has."""
    held = sources.process.environment if sources.process else None
    if held is None or not sources.known_from_systemd(name) or _SET_BY_SYSTEMD.match(name):
        return
    new = next((source.values[name] for source in sources.service if name in source.values), None)
    if (new or "") != held.get(name, ""):
        has, gets = (fingerprint(value) if value else "nothing" for value in (held.get(name), new))
        yield f"The process has {has} in {name}, and systemd gives a new one {gets}."


def _changed(path: str, moment: float, process: Process, consequence: str) -> str:
    return (
        f"{path} was changed at {isoformat(moment)}, after the gateway's process was started at "
        f"{isoformat(process.started)}: {consequence}"
    )
