# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The `main()` that all modules share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.account import use_own_environment
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.module import SecretiveModule


def no_secrets(_params: Mapping[str, Any]) -> set[str]:
    """For a module all of whose secrets are `no_log` in its argument spec."""
    return set()


def main(
    argument_spec: Mapping[str, Any],
    run: Callable[[dict[str, Any], bool], Mapping[str, Any]],
    secrets_in: Callable[[Mapping[str, Any]], set[str]] = no_secrets,
) -> None:
    """Run a module: exit with what `run` returns for the parameters and check mode, fail with its `ClawdbotError`.

    `warnings` in either result are shown, and not returned.
    `secrets_in`: every secret in the parameters, of whatever shape they are, that the argument spec does not name.
    """
    # Before the module expands `~` in its parameters.
    use_own_environment(os.environ)
    module = SecretiveModule(argument_spec, secrets_in)
    try:
        result, failure = dict(run(module.params, module.check_mode)), None
    except ClawdbotError as exc:
        result, failure = dict(exc.result), str(exc)
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    result.setdefault("changed", False)
    if failure is not None:
        module.fail_json(msg=failure, **result)
    module.exit_json(**result)
