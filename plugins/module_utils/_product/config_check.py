# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Putting a candidate config to the product's own checker, so that the product never starts on a file it refuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import redact, secret_values

from . import command

_TIMEOUT_SECONDS = 120
_PLACEHOLDER = re.compile("%[sd]")
_ISSUE = re.compile(r"^\s*- (\S.*)$")
_EXCEPTION = re.compile(r"(?:^|\s)\w*Error: (.+)$")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def check(argv: Sequence[str], candidate: str, variables: Mapping[str, str]) -> None:
    """Runs the checker on the candidate with the variables in its environment, and nothing else but PATH and HOME.

    In the argv, C(%s) stands for the candidate and C(%d) for an empty folder of its own (mode 0700, also its working
    directory and home), removed afterwards: the product writes resolved keys into its state. That folder's name begins
    as the candidate's does, so that whoever removes a candidate that was left behind finds it.
    Raises ClawdbotError with the checker's own words, without secrets, where it refuses the candidate or cannot be run.
    """
    try:
        with tempfile.TemporaryDirectory(
            prefix=f"{os.path.basename(candidate)}.", dir=os.path.dirname(candidate)
        ) as scratch:
            paths = {"%s": candidate, "%d": scratch}
            done = command.run(
                [_PLACEHOLDER.sub(lambda match: paths[match.group()], part) for part in argv],
                scratch,
                {**variables, "PATH": os.environ.get("PATH", os.defpath), "HOME": scratch},
                _TIMEOUT_SECONDS,
            )
    except subprocess.TimeoutExpired as exc:
        raise ClawdbotError(
            f"The product's checker did not end within {_TIMEOUT_SECONDS} seconds; nothing was changed. "
            f"It was: {list(argv)}"
        ) from exc
    except OSError as exc:
        raise ClawdbotError(
            f"The product's checker cannot be run ({exc.strerror}); nothing was changed. It was: {list(argv)}"
        ) from exc
    if done.returncode != 0:
        said = "; ".join(problems(done.stdout, done.stderr))
        words = redact(said, secret_values(variables)).replace(candidate, "the new config")
        raise ClawdbotError(f"The product refuses the new config; nothing was changed. It says: {words}")


def problems(stdout: str, stderr: str) -> list[str]:
    """The problems in what a program of the product printed, whether its list of them is JSON or text.

    In JSON on stdout, its issues, else its error. In text on stderr, its list of issues, else its exceptions, else its
    last line.
    """
    lines = [_COLOUR.sub("", line) for line in stderr.splitlines()]
    issues = [match.group(1) for match in map(_ISSUE.match, lines) if match]
    exceptions = [match.group(1) for match in map(_EXCEPTION.search, lines) if match]
    last = [line.strip() for line in lines if line.strip()][-1:]
    return list(dict.fromkeys(_told(stdout) or issues or exceptions or last)) or ["nothing"]


def _told(stdout: str) -> list[str]:
    """The problems in a JSON text; none where it is another text."""
    try:
        answer = json.loads(stdout)
    except (ValueError, RecursionError):
        return []
    issues = at(answer, ("issues",))
    named = [f"{issue.get('path')}: {issue.get('message')}" for issue in _mappings(issues)]
    message = at(answer, ("error", "message"))
    return named or ([message] if isinstance(message, str) and message else [])


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
