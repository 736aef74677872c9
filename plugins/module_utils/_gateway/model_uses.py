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

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import ModelUse
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import elements, members, string
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic, databases

_SESSIONS = {"session_nodes": "SELECT session_key, entry_json FROM session_nodes WHERE archived_at IS NULL"}
_JOBS = {"cron_jobs": "SELECT job_id, job_json FROM cron_jobs"}


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
        database = os.path.join(directory, agent, "agent", databases.AGENT_DATABASE)
        store = os.path.join(directory, agent, "sessions", "sessions.json")
        try:
            rows = _rows(database, _SESSIONS)
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
        rows = _rows(os.path.join(state_dir, databases.STATE_DATABASE), _JOBS)
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


def _rows(path: str, query: Mapping[str, str]) -> list[tuple[Any, ...]] | None:
    """Return the rows of a query, None where there is no such database. Raises `ClawdbotError`."""
    found = databases.rows(path, query)
    if found is None:
        return None
    for table in query:
        if table not in found:
            raise ClawdbotError(f"{path} cannot be read: no such table: {table}.")
    return [row for table in found.values() for row in table]
