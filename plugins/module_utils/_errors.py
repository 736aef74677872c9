# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The base class of the collection's own errors."""

from __future__ import annotations

from typing import Any


class ClawdbotError(Exception):
    """A problem with an input, a file or a host. The message names it and says how to fix it, and holds no secret.

    `result`: what a module that fails with the error returns besides the message. `main()` of the modules catches it.
    """

    def __init__(self, message: str, **result: Any) -> None:
        super().__init__(message)
        self.result = result
