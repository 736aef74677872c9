# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One list of statuses: the type, the hints, the module's documentation and docs/verification.md agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.hints import ADVICE, HINTS
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.responses import ERROR_RULES, FAILURES
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import Advice, FailureKind, Status
from ansible_collections.clawfleet.clawdbot.plugins.modules import verify_models

STATUSES = set(get_args(Status))
GUIDE = Path(__file__).parents[5] / "docs" / "verification.md"


def test_every_status_is_in_the_guide() -> None:
    assert set(re.findall(r"^### (\w+)$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)) == STATUSES


def test_every_status_is_in_the_documentation_of_the_module() -> None:
    documented = verify_models.RETURN.partition("status:")[2].partition("returned:")[0]
    assert set(re.findall(r"V\((\w+)\)", documented)) == STATUSES


def test_every_status_has_a_hint() -> None:
    # These depend on the provider or the listing, so functions write them.
    assert set(HINTS) == STATUSES - {"ok", "unauthorized", "wrong_base_url", "model_missing", "model_retired"}
    assert set(ADVICE) == set(get_args(Advice))


def test_every_failure_has_a_meaning() -> None:
    assert set(FAILURES) == set(get_args(FailureKind))


def test_every_rule_gives_a_status() -> None:
    given = {rule.status for rule in ERROR_RULES} | {failure.status for failure in FAILURES.values()}
    assert given <= STATUSES - {"ok"}
