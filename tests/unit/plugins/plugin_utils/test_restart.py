# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._restart import restart

OLD = "The .env is newer than the process."
NEVER = "providers_restart is never: process 4711 of 2026-11-01T08:00:00.000Z keeps the environment of its start."
CASES: dict[str, tuple[str, bool, bool, bool, list[str]]] = {
    "nothing has changed": ("if_needed", False, False, False, ["The gateway needs no restart."]),
    "an old process": ("if_needed", True, False, True, [OLD]),
    "new keys": ("if_needed", False, True, True, [".env is changed."]),
    "an old process and new keys": ("if_needed", True, True, True, [OLD, ".env is changed."]),
    "always": ("always", False, False, True, ["providers_restart is always."]),
    "always, with a reason": ("always", True, False, True, [OLD]),
    "never, and none is needed": ("never", False, False, False, ["The gateway needs no restart."]),
    "never, on an old process": ("never", True, False, False, [NEVER]),
    "never, with new keys": ("never", False, True, False, [NEVER]),
}


@pytest.mark.parametrize(("mode", "required", "env_changed", "due", "reasons"), CASES.values(), ids=CASES)
def test_restart(mode: Any, required: bool, env_changed: bool, due: bool, reasons: list[str]) -> None:
    info: Any = {
        "pid": 4711,
        "started": "2026-11-01T08:00:00.000Z",
        "restart_required": required,
        "restart_reasons": [OLD] if required else [],
    }
    assert restart(info, mode, env_changed) == {"due": due, "reasons": reasons}
