# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._rotation import rotation

ENV = "/home/clawdbot/.clawdbot/.env"
WANTED = {"MOONSHOT_API_KEY": "sha256:new", "KIMICODE_API_KEY": "sha256:kimi"}


def gateway(sources: list[tuple[str, str | None]], overrides: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "env_path": ENV,
        "variables": {
            "MOONSHOT_API_KEY": {"sources": [{"place": place, "fingerprint": value} for place, value in sources]}
        },
        "providers": {
            "moonshot": {
                "variable": "MOONSHOT_API_KEY",
                "overridden_by": [{"kind": kind, "fingerprint": value} for kind, value in overrides],
            }
        },
    }


CASES: dict[str, tuple[list[tuple[str, str | None]], list[tuple[str, str]], list[str], str, bool]] = {
    "a fresh host": ([], [], [], "sha256:new", False),
    "an old key": ([(ENV, "sha256:old")], [], ["sha256:old"], "sha256:old", False),
    "the new key": ([(ENV, "sha256:new")], [], [], "sha256:new", False),
    "an old key in two places": (
        [("unit", "sha256:old"), (ENV, "sha256:old")],
        [],
        ["sha256:old"],
        "sha256:old",
        False,
    ),
    "an empty variable": ([("unit", fingerprint("")), (ENV, "sha256:old")], [], ["sha256:old"], "sha256:old", False),
    "a place that does not tell": ([("login shell", None)], [], [], "sha256:new", False),
    "a profile that is a copy": (
        [(ENV, "sha256:old")],
        [("auth_profile", "sha256:old")],
        ["sha256:old"],
        "sha256:old",
        True,
    ),
    "a profile with a third key": (
        [(ENV, "sha256:old")],
        [("auth_profile", "sha256:third")],
        ["sha256:old", "sha256:third"],
        "sha256:old",
        False,
    ),
    "a profile with the new key": ([(ENV, "sha256:new")], [("auth_profile", "sha256:new")], [], "sha256:new", False),
    "a variable that is a copy": (
        [(ENV, "sha256:old")],
        [("variable", "sha256:old")],
        ["sha256:old"],
        "sha256:old",
        False,
    ),
    "a key of another provider": ([(ENV, "sha256:kimi")], [], [], "sha256:kimi", False),
}


@pytest.mark.parametrize(("sources", "overrides", "retired", "held", "copies"), CASES.values(), ids=CASES)
def test_what_a_rotation_takes_from_a_host(
    sources: list[tuple[str, str | None]], overrides: list[tuple[str, str]], retired: list[str], held: str, copies: bool
) -> None:
    assert rotation(gateway(sources, overrides), WANTED) == {
        "retired": retired,
        "held": {"MOONSHOT_API_KEY": held, "KIMICODE_API_KEY": "sha256:kimi"},
        "copies": copies,
    }
