# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import ModelUse
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.model_uses import StoredUses, stored_uses

PINNED = {"sessionId": "1", "providerOverride": "moonshot", "modelOverride": "kimi-k2.5"}
JOB = {"id": "j1", "name": "Morning news", "payload": {"kind": "agentTurn", "model": "moonshot/kimi-k3"}}


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


def database(path: Path, table: str, rows: list[tuple[Any, ...]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE {table}")
    name = table.partition(" ")[0]
    connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)  # noqa: S608
    connection.commit()
    connection.close()


SESSIONS = "session_nodes (session_key TEXT, entry_json TEXT, archived_at INTEGER)"
JOBS = "cron_jobs (job_id TEXT, job_json TEXT)"


def test_a_new_gateway(tmp_path: Path) -> None:
    assert stored_uses(str(tmp_path)) == StoredUses([], [])
    assert stored_uses(str(tmp_path / "none")) == StoredUses([], [])


def test_files(tmp_path: Path) -> None:
    sessions = {"agent:main:main": PINNED, "agent:main:free": {"sessionId": "2"}, "agent:main:odd": 5}
    write(tmp_path / "agents/main/sessions/sessions.json", sessions)
    write(tmp_path / "agents/work/sessions/sessions.json", {"agent:work:main": {"modelOverride": "kimi-k3"}})
    write(tmp_path / "cron/jobs.json", {"version": 1, "jobs": [JOB, {"id": "j2", "payload": {"model": 1}}, None]})
    assert stored_uses(str(tmp_path)) == StoredUses(
        [
            ModelUse("The session agent:main:main", "moonshot/kimi-k2.5"),
            ModelUse("The session agent:work:main", "kimi-k3"),
            ModelUse("The scheduled job Morning news", "moonshot/kimi-k3"),
        ],
        [],
    )


def test_databases_take_precedence_over_files(tmp_path: Path) -> None:
    rows = [
        ("agent:main:main", json.dumps(PINNED), None),
        ("agent:main:old", json.dumps(PINNED), 1760000000),
        ("agent:main:broken", "{", None),
    ]
    database(tmp_path / "agents/main/agent/openclaw-agent.sqlite", SESSIONS, rows)
    database(tmp_path / "state/openclaw.sqlite", JOBS, [("j1", json.dumps({"payload": JOB["payload"]}))])
    write(tmp_path / "agents/main/sessions/sessions.json", {"agent:main:left": PINNED})
    write(tmp_path / "cron/jobs.json", {"jobs": [{**JOB, "name": "Left"}]})
    assert stored_uses(str(tmp_path)) == StoredUses(
        [
            ModelUse("The session agent:main:main", "moonshot/kimi-k2.5"),
            ModelUse("The scheduled job j1", "moonshot/kimi-k3"),
        ],
        [],
    )


def test_a_database_that_is_written_to_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "agents/a #1?/agent/openclaw-agent.sqlite"
    database(path, SESSIONS, [("agent:a:main", json.dumps(PINNED), None)])
    with sqlite3.connect(path) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO session_nodes VALUES ('agent:a:new', '{}', NULL)")
        assert stored_uses(str(tmp_path)).uses == [ModelUse("The session agent:a:main", "moonshot/kimi-k2.5")]
        writer.rollback()
    writer.close()


BROKEN = {
    "sessions.json": ("agents/main/sessions/sessions.json", "{", "expected a member name or '}'"),
    "jobs.json": ("cron/jobs.json", "[", "expected a value or ']'"),
    "a database": ("state/openclaw.sqlite", "no database at all", "file is not a database"),
}


@pytest.mark.parametrize(("name", "text", "reason"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, text: str, reason: str) -> None:
    write(tmp_path / name, text)
    uses, unreadable = stored_uses(str(tmp_path))
    assert uses == []
    assert len(unreadable) == 1
    assert unreadable[0].startswith(f"{tmp_path / name} cannot be read: {reason}")


def test_a_database_of_another_version(tmp_path: Path) -> None:
    path = tmp_path / "state/openclaw.sqlite"
    database(path, "other (a TEXT)", [("x",)])
    assert stored_uses(str(tmp_path)) == StoredUses([], [f"{path} cannot be read: no such table: cron_jobs."])
