# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Putting a candidate config to the product's own checker, so that the product never starts on a file it refuses."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets import redact

_TIMEOUT_SECONDS = 120
_ISSUE = re.compile(r"^\s*- (\S.*)$")
_EXCEPTION = re.compile(r"(?:^|\s)\w*Error: (.+)$")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def check(argv: Sequence[str], candidate: str, variables: Mapping[str, str]) -> None:
    """Runs the checker on the candidate with the variables in its environment.

    In the argv, C(%s) stands for the candidate and C(%d) for an empty folder of its own (mode 0700, also its working
    directory), removed afterwards: the product writes resolved keys into its state. Raises ClawdbotError with the
    checker's own words, without secrets, where it refuses the candidate or cannot be run.
    """
    with tempfile.TemporaryDirectory(prefix="clawfleet-check-") as scratch:
        command = [part.replace("%s", candidate).replace("%d", scratch) for part in argv]
        try:
            result = subprocess.run(
                command,
                cwd=scratch,
                env={**variables, "HOME": scratch},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            raise ClawdbotError(
                f"The product's checker did not end within {_TIMEOUT_SECONDS} seconds; nothing was changed. It was: {argv}"
            ) from exc
        except OSError as exc:
            raise ClawdbotError(
                f"The product's checker cannot be run ({exc.strerror}); nothing was changed. It was: {argv}"
            ) from exc
    if result.returncode != 0:
        words = redact("; ".join(problems(result.stderr)), variables.values()).replace(candidate, "the new config")
        raise ClawdbotError(f"The product refuses the new config; nothing was changed. It says: {words}")


def problems(stderr: str) -> list[str]:
    """The problems in what the checker printed: its list of issues, else its exceptions, else its last line."""
    lines = [_COLOUR.sub("", line) for line in stderr.splitlines()]
    issues = [match.group(1) for match in map(_ISSUE.match, lines) if match]
    exceptions = [match.group(1) for match in map(_EXCEPTION.search, lines) if match]
    last = [line.strip() for line in lines if line.strip()][-1:]
    return list(dict.fromkeys(issues or exceptions or last)) or ["nothing"]
