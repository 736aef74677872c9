# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Databases as OpenClaw makes them, with a store of auth profiles."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any


def write_tables(path: Path, tables: dict[str, list[tuple[Any, ...]]]) -> str:
    """Write a database in write-ahead mode. `tables`: name and columns, as `jobs (id, text)` -> rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        for table, rows in tables.items():
            connection.execute(f"CREATE TABLE {table}")
            for row in rows:
                places = ", ".join("?" * len(row))
                connection.execute(f"INSERT INTO {table.partition(' ')[0]} VALUES ({places})", row)  # noqa: S608
        connection.commit()
    return str(path)


def write_agent_store(path: Path, store: Any, state: Any = None) -> str:
    """Write the database of an agent."""
    text = store if isinstance(store, str) else json.dumps(store)
    tables: dict[str, list[tuple[Any, ...]]] = {"auth_profile_store (store_key, store_json)": [("primary", text)]}
    tables["auth_profile_state (state_key, state_json)"] = [] if state is None else [("primary", json.dumps(state))]
    return write_tables(path, tables)


def write_shared_store(path: Path, store: Any, state: Any = None) -> str:
    """Write the database of a gateway."""
    rows = [("authProfiles.store", json.dumps(store)), ("auth.sharedStore", '{"location": "state-db"}')]
    rows += [] if state is None else [("authProfiles.state", json.dumps(state))]
    return write_tables(path, {"config_machine_state (state_key, value_json)": rows})
