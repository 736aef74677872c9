# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The product's own program on a host, which is asked, and which asks the running gateway."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import redact

from . import command, node_snippets
from .config_check import problems
from .table import Paths, Product, environment


class Gateway:
    """A running gateway, asked through the product's program, which finds the token in its files by itself.

    C(port) is where the gateway listens; None leaves that to the config as well, which does not know what a unit says.
    """

    def __init__(
        self, product: Product, program: Sequence[str], paths: Paths, port: int | None, secrets: Iterable[str] = ()
    ) -> None:
        self.product = product
        self._program = list(program)
        place = {} if port is None else {product.port_variable: str(port)}
        self._environment = {**os.environ, **environment(product, paths), **place}
        self._folder = paths.state_dir
        self._secrets = tuple(secrets)

    def redact(self, text: str) -> str:
        """The text without this gateway's secrets."""
        return redact(text, self._secrets)

    def call(self, method: str, params: Mapping[str, Any], timeout: float, *, final: bool = False) -> Any:
        """The gateway's answer to one method. Raises ClawdbotError with what it said, without secrets.

        Nothing secret is in the argv: the program reads the gateway's token from the config or C(.env).
        """
        arguments = [
            "gateway",
            "call",
            method,
            "--json",
            "--params",
            json.dumps(params),
            "--timeout",
            f"{timeout * 1000:.0f}",
        ]
        argv = node_snippets.argv(
            self.product.call_script, self._program, [*arguments, *(["--expect-final"] if final else [])]
        )
        # The program itself takes some seconds to start.
        return self._run(argv, timeout + 60, f"The gateway's {method}")

    def run(self, arguments: Sequence[str], timeout: float) -> Any:
        """What the program prints as JSON, on this gateway's files. Raises ClawdbotError as call does."""
        return self._run([*self._program, *arguments], timeout, f"The product's {' '.join(arguments)}")

    def _run(self, argv: Sequence[str], timeout: float, what: str) -> Any:
        if not self._program:
            raise ClawdbotError(f"{what} cannot be asked for: the product's program was not found.")
        try:
            done = command.run(argv, self._folder, self._environment, timeout)
        except subprocess.TimeoutExpired as exc:
            raise ClawdbotError(f"{what} gave no answer within {timeout:g} seconds.") from exc
        except OSError as exc:
            raise ClawdbotError(f"The product's program cannot be run: {exc.strerror}.") from exc
        if done.returncode != 0:
            said = "; ".join(problems(done.stdout, done.stderr or done.stdout))
            raise ClawdbotError(f"{what} failed. It says: {self.redact(said)}")
        try:
            return json.loads(done.stdout)
        except (ValueError, RecursionError) as exc:
            raise ClawdbotError(f"{what} gave an answer that is not JSON.") from exc
