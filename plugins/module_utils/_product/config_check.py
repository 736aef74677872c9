# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Checks a new config with the product's own command, so that it never starts on a config that it rejects."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import redact, secret_values

from . import command, node_snippets
from .table import Product

_TIMEOUT_SECONDS = 120
_PLACEHOLDER = re.compile("%[sd]")
_ISSUE = re.compile(r"^\s*- (\S.*)$")
_EXCEPTION = re.compile(r"(?:^|\s)\w*Error: (.+)$")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def check_command(product: Product, program: Sequence[str]) -> list[str]:
    """Return the argv that checks a config: `%s` stands for its path, `%d` for a scratch directory.

    The CLI writes resolved keys into its state directory, so the scratch directory takes the place of the real one.
    """
    return [
        "/usr/bin/env",
        f"{product.config_path_variable}=%s",
        f"{product.state_dir_variable}=%d",
        *node_snippets.argv(product.check_script, program, product.check_args),
    ]


def check(argv: Sequence[str], config: str, variables: Mapping[str, str]) -> None:
    """Check the config at a path; the command's environment is the variables, `PATH` and `HOME`.

    In the argv, `%s` stands for that path and `%d` for an empty scratch directory (mode 0700, also the working
    directory and home), which is removed afterwards: the product writes resolved keys into its state. The name of the
    scratch directory begins with the name of the config, so that a cleanup of temporary files finds both.
    Raises `ClawdbotError` with the command's own words, without secrets, where it rejects the config or cannot be run.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=f"{os.path.basename(config)}.", dir=os.path.dirname(config)) as scratch:
            paths = {"%s": config, "%d": scratch}
            done = command.run(
                [_PLACEHOLDER.sub(lambda match: paths[match.group()], part) for part in argv],
                scratch,
                {**variables, "PATH": os.environ.get("PATH", os.defpath), "HOME": scratch},
                _TIMEOUT_SECONDS,
            )
    except subprocess.TimeoutExpired as exc:
        raise ClawdbotError(f"The config check timed out after {_TIMEOUT_SECONDS} seconds: {list(argv)}.") from exc
    except OSError as exc:
        raise ClawdbotError(f"The config check cannot be run ({exc.strerror}): {list(argv)}.") from exc
    if done.returncode != 0:
        said = "; ".join(problems(done.stdout, done.stderr))
        words = redact(said, secret_values(variables)).replace(config, "the new config")
        raise ClawdbotError(f"The config check rejected the new config: {words.rstrip('.')}.")


def problems(stdout: str, stderr: str) -> list[str]:
    """Return the problems in the output of the product's CLI, whether it lists them as JSON or as text.

    From JSON on stdout, its issues, else its error. From text on stderr, its list of issues, else its exceptions, else
    its last line.
    """
    lines = [_COLOUR.sub("", line) for line in stderr.splitlines()]
    issues = [match.group(1) for match in map(_ISSUE.match, lines) if match]
    exceptions = [match.group(1) for match in map(_EXCEPTION.search, lines) if match]
    last = [line.strip() for line in lines if line.strip()][-1:]
    return list(dict.fromkeys(_from_json(stdout) or issues or exceptions or last)) or ["no output"]


def _from_json(stdout: str) -> list[str]:
    """Return the problems in a JSON string; none where it is not JSON."""
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
