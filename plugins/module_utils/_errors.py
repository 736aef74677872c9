# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The base of every error that the collection's own code raises on purpose."""

from __future__ import annotations


class ClawdbotError(Exception):
    """Something is wrong with an input, a file or a host; the text says what, where, and how to mend it.

    The text never holds a secret. A module catches it once, in its C(main), and fails with it.
    """
