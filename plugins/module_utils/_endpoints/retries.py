# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Retries: whether to repeat a request, and how long to wait before."""

from __future__ import annotations

import email.utils
import re

from .responses import api_error
from .types import NoAnswer, Outcome, Verdict

# Seconds.
_MAX_RETRY_AFTER = 30.0
_MAX_WAITED = 60.0
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 8.0


def wait_before_retry(
    verdict: Verdict, outcome: Outcome, *, attempt: int, retries: int, waited: float, jitter: float, now: float
) -> float | None:
    """Return the seconds to wait before the next attempt, or None if there should be none.

    `attempt` counts from 1. `waited`: seconds waited so far. `jitter`: random between 0 and 1, so that hosts that
    failed together do not come back together. `now`: seconds since 1970. Waits grow, and are at least as long as the
    endpoint asks for. If it asks for more than half a minute, there is no other attempt, since an earlier one fails.
    """
    if not verdict.retry or attempt > retries:
        return None
    wait = min(_FIRST_WAIT * 2.0 ** min(attempt - 1, 10), _LONGEST_WAIT) * (1 + jitter)
    asked_for = _retry_after(outcome, now)
    if asked_for is not None:
        if asked_for > _MAX_RETRY_AFTER:
            return None
        wait = max(wait, asked_for + jitter)
    return wait if waited + wait <= _MAX_WAITED else None


def _retry_after(outcome: Outcome, now: float) -> float | None:
    """Return the seconds that an answer asks to wait, in `Retry-After` or in the text of Moonshot and LiteLLM."""
    if isinstance(outcome, NoAnswer):
        return None
    value = outcome.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    if value:
        try:
            return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now)
        except (ValueError, TypeError, OverflowError, IndexError):
            pass
    error = api_error(outcome.body)
    in_words = re.search(r"try again (?:after|in) ([0-9]{1,9}) second", error.text, re.IGNORECASE) if error else None
    return float(in_words.group(1)) if in_words else None
