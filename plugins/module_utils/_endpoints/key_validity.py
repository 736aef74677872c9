# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Whether a key is still valid, as the answer of an endpoint shows."""

from __future__ import annotations

from typing import Literal

from .types import EndpointInfo

Validity = Literal["alive", "rejected", "unknown"]

_REJECTED = 401
# A key of which the endpoint says so much is valid. A rate limit can be one of the address, and proves nothing.
_ALIVE = frozenset(["ok", "model_missing", "model_retired", "quota_exhausted", "membership_required"])


def validity_of(answer: EndpointInfo) -> Validity:
    """Return what an answer shows of the key that it was asked with. Only HTTP 401 shows that it was rejected."""
    if answer["http_status"] == _REJECTED:
        return "rejected"
    return "alive" if answer["status"] in _ALIVE else "unknown"
