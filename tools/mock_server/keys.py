# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of the endpoints."""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import math


def fingerprint(key: str) -> str:
    """Return the fingerprint of a key, as the collection does."""
    return f"sha256:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


@dataclasses.dataclass
class Key:
    """A valid key. `rejected`: the error that it always gets. `rpm` requests pass in `window` seconds.

    `models`: the ids that are listed for it and that it may chat with; None for all of the product.
    """

    rpm: int | None = None
    window: float = 60.0
    rejected: str | None = None
    models: tuple[str, ...] | None = None
    passed: collections.deque[float] = dataclasses.field(default_factory=collections.deque)

    def wait(self, now: float) -> int:
        """Return the whole seconds until a request may pass. 0 lets this one pass and counts it."""
        while self.passed and now - self.passed[0] >= self.window:
            self.passed.popleft()
        if self.rpm is not None and len(self.passed) >= self.rpm:
            return max(1, math.ceil(self.passed[0] + self.window - now))
        self.passed.append(now)
        return 0
