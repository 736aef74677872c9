# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The SQLite databases of OpenClaw: where they are, and how they are read while the gateway writes them.

Nothing is written, not even the files that SQLite keeps beside a database.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from .atomic import open_without_blocking

#: The database of an agent, in the agent's directory, and the one of the gateway, in the state directory.
AGENT_DATABASE = "openclaw-agent.sqlite"
STATE_DATABASE = os.path.join("state", "openclaw.sqlite")

_BUSY_SECONDS = 5.0
# The two bytes of a header that say whether a database has a write-ahead log.
_VERSIONS = slice(18, 20)
_WITH_LOG = b"\2\2"


def rows(path: str, queries: Mapping[str, str]) -> dict[str, list[tuple[Any, ...]]] | None:
    """Return table -> the rows of the query of that table, all of the same moment; None where there is no database.

    A table that does not exist is left out. Raises `ClawdbotError` where the database cannot be read.
    """
    try:
        with open(path, "rb", opener=open_without_blocking) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ClawdbotError(f"{path} cannot be read: it is not a regular file.")
            has_log = file.read(_VERSIONS.stop)[_VERSIONS] == _WITH_LOG
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ClawdbotError(f"{path} cannot be read: {exc.strerror}.") from exc
    log = f"{path}-wal"
    # A database whose log is gone is closed. SQLite would make a new log to read it, and leave that behind.
    if has_log and not os.path.exists(log):
        found = _read(path, "immutable=1", queries)
        if not os.path.exists(log):
            return found
    return _read(path, "mode=ro", queries)


def _read(path: str, mode: str, queries: Mapping[str, str]) -> dict[str, list[tuple[Any, ...]]]:
    try:
        # A part of Python that some distributions leave out.
        import sqlite3
    except ImportError as exc:
        raise ClawdbotError(
            f"{path} cannot be read: this Python has no sqlite3. Install it, or set ansible_python_interpreter to a "
            "Python that has it."
        ) from exc
    address = f"file:{re.sub('[?#%]', lambda found: f'%{ord(found[0]):02x}', path)}?{mode}"
    try:
        with contextlib.closing(sqlite3.connect(address, timeout=_BUSY_SECONDS, uri=True)) as connection:
            connection.execute("BEGIN")
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            return {table: list(connection.execute(query)) for table, query in queries.items() if table in tables}
    except sqlite3.Error as exc:
        raise ClawdbotError(f"{path} cannot be read: {exc}.") from exc
