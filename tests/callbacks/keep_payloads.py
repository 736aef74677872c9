# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Have several runs of Ansible share the modules that they have packed.

Ansible packs a module with all that it imports once in each run, for all hosts, which takes about a second of CPU for
one of this collection. It keeps the results in a directory that it removes at the end of the run. The tests run it
hundreds of times on the same files, and so that directory is one that outlives the run.
"""

from __future__ import annotations

import contextlib
import os

from ansible import constants
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: keep_payloads
type: aggregate
short_description: Have several runs of Ansible share the modules that they have packed
description: They are in the directory that the environment variable C(CLAWFLEET_PAYLOADS) names.
"""


class CallbackModule(CallbackBase):
    """Put a link to the shared directory where Ansible looks for packed modules."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "keep_payloads"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        # A process that has run Ansible already has the link.
        with contextlib.suppress(FileExistsError):
            os.symlink(os.environ["CLAWFLEET_PAYLOADS"], os.path.join(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache"))
