# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The module class that hides secrets in parameters which its argument spec cannot mark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .redaction import spellings


class SecretiveModule(AnsibleModule):
    """Hides what `secrets_in` finds in the parameters, which it gets as they were given, of whatever shape.

    Ansible writes the parameters of a module into the host's log, and into the error about wrong ones, before the
    module's own code runs. `no_log=True` does not prevent that: the task's own `no_log` overrides it.
    """

    def __init__(self, argument_spec: Mapping[str, Any], secrets_in: Callable[[Mapping[str, Any]], set[str]]) -> None:
        self._secrets_in = secrets_in
        super().__init__(argument_spec=dict(argument_spec), supports_check_mode=True)

    def _load_params(self) -> None:
        super()._load_params()
        for secret in self._secrets_in(self.params) - {""}:
            self.no_log_values |= spellings(secret)
