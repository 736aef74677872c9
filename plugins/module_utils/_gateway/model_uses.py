# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The models that a gateway uses outside its config: those that sessions are set to, and those of scheduled jobs.

Clawdbot keeps both in JSON files, OpenClaw in databases: `sessions.json` and `cron/jobs.json` (Clawdbot's
config/sessions/paths.js and cron/store.js), the tables `session_nodes` of each agent and `cron_jobs` (OpenClaw's
docs/reference/database-schemas). A directory that OpenClaw has taken over from Clawdbot can still have the files.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import ModelUse
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import elements, members, string
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic

_AGENT_DATABASE = "openclaw-agent.sqlite"
_STATE_DATABASE = os.path.join("state", "openclaw.sqlite")
_BUSY_SECONDS = 5.0


class StoredUses(NamedTuple):
    """What is stored. `unreadable`: why a store could not be read, with its path."""

    uses: list[ModelUse]
    unreadable: list[str]


def stored_uses(state_dir: str) -> StoredUses:
    """Return the models that the sessions and scheduled jobs of a gateway use. Nothing is written."""
    uses: list[ModelUse] = []
    unreadable: list[str] = []
    for read in (_session_uses, _job_uses):
        for use in read(state_dir):
            if isinstance(use, ModelUse):
                uses.append(use)
            else:
                unreadable.append(use)
    return StoredUses(uses, unreadable)


def _session_uses(state_dir: str) -> Iterator[ModelUse | str]:
    directory = os.path.join(state_dir, "agents")
    for agent in _names(directory):
        database = os.path.join(directory, agent, "agent", _AGENT_DATABASE)
        store = os.path.join(directory, agent, "sessions", "sessions.json")
        try:
            rows = _rows(database, "SELECT session_key, entry_json FROM session_nodes WHERE archived_at IS NULL")
            entries = members(_load(store)).items() if rows is None else [(key, _parse(text)) for key, text in rows]
        except (ClawdbotError, ValueError) as exc:
            yield str(exc)
            continue
        for key, entry in entries:
            provider, model = string(entry, ("providerOverride",)), string(entry, ("modelOverride",))
            if model:
                yield ModelUse(f"The session {key}", f"{provider}/{model}" if provider else model)


def _job_uses(state_dir: str) -> Iterator[ModelUse | str]:
    try:
        rows = _rows(os.path.join(state_dir, _STATE_DATABASE), "SELECT job_id, job_json FROM cron_jobs")
        if rows is None:
            jobs = elements(_load(os.path.join(state_dir, "cron", "jobs.json")), ("jobs",))
        else:
            jobs = [{"id": job_id, **members(_parse(text))} for job_id, text in rows]
    except (ClawdbotError, ValueError) as exc:
        yield str(exc)
        return
    for job in jobs:
        model = string(job, ("payload", "model"))
        if "/" in model:
            yield ModelUse(f"The scheduled job {string(job, ('name',)) or string(job, ('id',))}", model)


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _load(path: str) -> Any:
    content = atomic.read(path).content
    try:
        return {} if content is None else json5_reader.loads(content.decode("utf-8", "replace"))
    except json5_reader.Json5Error as exc:
        raise ClawdbotError(f"{path} cannot be read: {exc}.") from exc


def _parse(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return {}


def _rows(path: str, query: str) -> list[tuple[Any, Any]] | None:
    """Return the rows of a query, None where there is no such database. The product may write in the meantime.

    Raises `ClawdbotError` where it cannot be read.
    """
    if not os.path.exists(path):
        return None
    try:
        # A part of Python that some distributions leave out.
        import sqlite3
    except ImportError as exc:
        raise ClawdbotError(f"{path} cannot be read: this Python has no sqlite3.") from exc
    address = f"file:{re.sub('[?#%]', lambda found: f'%{ord(found[0]):02x}', path)}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(address, timeout=_BUSY_SECONDS, uri=True)) as connection:
            return list(connection.execute(query))
    except sqlite3.Error as exc:
        raise ClawdbotError(f"{path} cannot be read: {exc}.") from exc
