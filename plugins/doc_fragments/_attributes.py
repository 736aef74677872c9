# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

from __future__ import annotations


class ModuleDocFragment:
    """The attributes of modules that only gather information."""

    INFO_MODULE = r"""
options: {}
attributes:
  check_mode:
    description: Does the same as outside check mode.
    support: full
  diff_mode:
    description: The module changes nothing.
    support: N/A
  idempotent:
    description: The module changes nothing.
    support: full
"""
