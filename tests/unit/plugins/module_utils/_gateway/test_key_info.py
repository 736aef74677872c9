# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import key_dates
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import key_dates_file
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.env_sources import (
    EnvSources,
    Source,
    held_by_process,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.key_info import describe_keys
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.unit.plugins.module_utils._gateway.source_cases import HOME, STARTED, STATE, env_file, running, sources

NEW, OLD = f"sk-{1:032x}", f"sk-{2:032x}"
TODAY = date(2026, 11, 28)
IN_FILE = {"models": {"providers": {"moonshot": {"apiKey": {"source": "file", "provider": "clawfleet", "id": "/KEY"}}}}}
NOT_SINCE_START = STARTED + 1

#: What the process has, by its sources.
HELD: dict[str, tuple[EnvSources, str | None]] = {
    "none runs": (sources(None, [env_file(STATE, NEW)]), ""),
    "its environment cannot be read": (sources(running(None), [env_file(STATE, NEW)]), None),
    "in its environment": (sources(running({"KEY": OLD}), [env_file(STATE, NEW)]), OLD),
    "an empty string in it": (sources(running({"KEY": ""}), [env_file(STATE, NEW)]), ""),
    "read from the file": (sources(running({}), [env_file(STATE, NEW)]), NEW),
    "in no file": (sources(running({}), [env_file(STATE, None)]), ""),
    "the file was changed since": (sources(running({}), [env_file(STATE, NEW, NOT_SINCE_START)]), None),
    "a file before it was changed since": (
        sources(running({}), [env_file(HOME, None, NOT_SINCE_START), env_file(STATE, NEW)]),
        None,
    ),
    "a file behind it was changed since": (
        sources(running({}), [env_file(STATE, NEW), env_file(HOME, None, NOT_SINCE_START)]),
        NEW,
    ),
    "perhaps in the config": (sources(running({}), [Source("env block", {"KEY": NEW})]), None),
    "a file takes precedence over its environment": (
        sources(running({"KEY": OLD}), [replace(env_file(STATE, NEW), overriding=frozenset(["KEY"]))]),
        NEW,
    ),
}


@pytest.mark.parametrize(("found", "expected"), HELD.values(), ids=HELD)
def test_the_value_that_the_process_has(found: EnvSources, expected: str | None) -> None:
    assert held_by_process("KEY", found) == expected


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    (tmp_path / ".env").write_text(f"KEY={NEW}\n")
    return Paths(str(tmp_path), str(tmp_path / "clawdbot.json"), str(tmp_path / ".env"))


def described(paths: Paths, config: Any = None, process: dict[str, str] | None = None) -> dict[str, Any]:
    found = sources(running(process or {"KEY": OLD}), [env_file(STATE, NEW)])
    return dict(describe_keys(paths, config or {}, found, {"moonshot": "KEY"}, TODAY)["moonshot"])


def test_a_key_that_was_there_before_has_no_age(paths: Paths) -> None:
    assert described(paths) == {
        "stored": fingerprint(NEW),
        "in_process": fingerprint(OLD),
        "previous": None,
        "age_days": None,
    }


def test_a_key_that_a_run_has_written_has_an_age_and_a_previous_key(paths: Paths) -> None:
    record = key_dates.updated(None, {"KEY": (fingerprint(OLD), fingerprint(NEW))}, date(2026, 8, 1))
    Path(key_dates_file.path_beside(paths.config)).write_text(record or "")
    assert described(paths, process={"KEY": NEW}) == {
        "stored": fingerprint(NEW),
        "in_process": fingerprint(NEW),
        "previous": fingerprint(OLD),
        "age_days": 119,
    }


def test_a_key_in_the_other_file_counts_where_the_config_refers_to_it(paths: Paths) -> None:
    (Path(paths.state_dir) / "clawfleet-keys.json").write_text(f'{{"KEY": "{OLD}"}}')
    assert described(paths)["stored"] == fingerprint(NEW)
    in_file = described(paths, IN_FILE)
    assert (in_file["stored"], in_file["in_process"]) == (fingerprint(OLD), None)


def test_no_key_is_not_an_unknown_key(paths: Paths) -> None:
    Path(paths.env).write_text("")
    assert described(paths)["stored"] == ""
    Path(paths.env).unlink()
    assert described(paths)["stored"] == ""
    Path(paths.env).mkdir()
    assert described(paths)["stored"] is None


def test_a_record_that_cannot_be_read_leaves_the_age_unknown(paths: Paths) -> None:
    Path(key_dates_file.path_beside(paths.config)).mkdir()
    assert described(paths)["age_days"] is None
