# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import env_sources, restart_reasons
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.env_sources import EnvSources, Source
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.systemd import Unit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.unit.plugins.module_utils._gateway.source_cases import (
    HOME,
    MANAGER,
    STARTED,
    STATE,
    UNIT,
    env_file,
    running,
    sources,
)

# A unit that starts the CLI itself, so that systemd shows all that the process is given, and one that does not.
TOLD = Unit("u", executable="/bin/sh")
WRAPPED = Unit("u", executable="/usr/bin/env")
CHANGED = (
    f"{STATE} was changed at 1970-01-01T00:16:40.500Z, after the gateway's process was started at "
    "1970-01-01T00:16:40.000Z: the process has the old values."
)
FAILED = Unit("u", "failed", "failed", "start-limit-hit")
REASONS: dict[str, tuple[EnvSources, list[str]]] = {
    "no process": (sources(None, [env_file(STATE, "a", STARTED + 1)]), ["The gateway is not running."]),
    "no process, the unit is stopped": (sources(None, [], [], Unit("u", "inactive")), ["The gateway is not running."]),
    "no process, the unit has failed": (
        sources(None, [], [], FAILED),
        ["The gateway is not running: unit u has failed (start-limit-hit), and systemd does not restart it."],
    ),
    "no process, the unit is started again": (
        sources(None, [], [], Unit("u", "activating", "auto-restart", "exit-code")),
        ["The gateway is not running: unit u has ended (exit-code), and systemd is restarting it."],
    ),
    "no files": (sources(running(), [Source(STATE, {})]), []),
    "older files": (sources(running(), [env_file(HOME, "a"), env_file(STATE, "a")]), []),
    "a newer file": (sources(running(), [env_file(HOME, "a"), env_file(STATE, "a", STARTED + 0.5)]), [CHANGED]),
    "a file as old as the process": (
        sources(running(), [env_file(STATE, "a", STARTED)]),
        [CHANGED.replace("40.500Z", "40.000Z")],
    ),
    "two newer files": (
        sources(running(), [env_file(HOME, "a", STARTED + 0.5), env_file(STATE, "a", STARTED + 0.5)]),
        [CHANGED.replace(STATE, HOME), CHANGED],
    ),
    "a newer file that the unit loads too": (
        sources(running(), [env_file(STATE, "a", STARTED + 0.5)], [env_file(STATE, "a", STARTED + 0.5)], TOLD),
        [CHANGED],
    ),
    "a newer file of the unit": (
        sources(running(), [env_file(STATE, "a")], [env_file("/etc/x.env", None, STARTED + 0.5)], TOLD),
        [CHANGED.replace(STATE, "/etc/x.env")],
    ),
    "the unit was changed and not read again": (
        sources(running(), [], [], replace(TOLD, needs_reload=True)),
        ["Unit u was changed, and systemd has not reloaded it: it needs a daemon-reload."],
    ),
    "systemd gives another value": (
        sources(running({"KEY": "old"}), [], [Source(UNIT, {"KEY": "new"})], TOLD),
        [f"The process has {fingerprint('old')} in KEY, and systemd gives a new one {fingerprint('new')}."],
    ),
    "systemd gives a value that the process does not have": (
        sources(running({}), [], [Source(MANAGER, {"KEY": "new"})], TOLD),
        [f"The process has nothing in KEY, and systemd gives a new one {fingerprint('new')}."],
    ),
    "systemd does not give a value any more": (
        sources(running({"KEY": "old"}), [], [], TOLD),
        [f"The process has {fingerprint('old')} in KEY, and systemd gives a new one nothing."],
    ),
    "systemd gives another value, which a newer file explains": (
        sources(running({"KEY": "old"}), [env_file(STATE, "a", STARTED + 0.5)], [Source(UNIT, {"KEY": "new"})], TOLD),
        [CHANGED],
    ),
    "systemd gives the same": (sources(running({"KEY": "a"}), [], [Source(UNIT, {"KEY": "a"})], TOLD), []),
    "an empty value is none": (sources(running({}), [], [Source(UNIT, {"KEY": ""})], TOLD), []),
    "a command in between sets another value": (
        sources(running({"KEY": "x"}), [env_file(STATE, None)], [Source(UNIT, {"KEY": "c"})], WRAPPED),
        [],
    ),
    "an environment that is not to be seen": (sources(running(None), [], [Source(UNIT, {"KEY": "c"})], TOLD), []),
    "the process's executable was replaced": (
        sources(replace(running(), executable="/opt/node/bin/node (deleted)"), []),
        ["/opt/node/bin/node, which the process runs, was removed or replaced."],
    ),
}


@pytest.mark.parametrize("name", REASONS)
def test_restart_reasons(name: str) -> None:
    of, reasons = REASONS[name]
    assert restart_reasons.restart_reasons(of, [], ["KEY"]) == reasons


@pytest.mark.parametrize("name", ["HOME", "INVOCATION_ID", "LISTEN_FDS", "STATE_DIRECTORY"])
def test_variables_that_systemd_always_sets_are_no_reason(name: str) -> None:
    assert restart_reasons.restart_reasons(sources(running({name: "x"}), [], [], TOLD), [], [name]) == []


def test_a_changed_unit_or_program_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {
        "/u.service": STARTED + 0.5,
        "/u.service.d/x.conf": STARTED,
        "/old.conf": STARTED - 1,
        "/p.json": STARTED + 1,
    }
    monkeypatch.setattr(env_sources, "change_time", times.get)
    monkeypatch.setattr(restart_reasons, "change_time", times.get)
    unit = replace(TOLD, files=("/u.service", "/u.service.d/x.conf", "/old.conf", "/gone.conf"))
    since = "after the gateway's process was started at 1970-01-01T00:16:40.000Z: the process runs"
    reasons = restart_reasons.restart_reasons(
        sources(running(), [], [], unit), ["/old.conf", "/p.json", "/gone.conf"], []
    )
    assert reasons == [
        f"/u.service was changed at 1970-01-01T00:16:40.500Z, {since} with the old unit.",
        f"/u.service.d/x.conf was changed at 1970-01-01T00:16:40.000Z, {since} with the old unit.",
        f"/p.json was changed at 1970-01-01T00:16:41.000Z, {since} the old version.",
    ]
