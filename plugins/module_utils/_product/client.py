# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The product's CLI on a host, and through it the running gateway."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import redact, secret_values

from . import command, node_snippets
from .config_check import problems
from .conversation import Conversation
from .locate import Paths, environment
from .table import Product

# The CLI itself takes some seconds to start.
_STARTUP_SECONDS = 60


@dataclass(frozen=True)
class Listener:
    """Where a gateway is asked: an address of this host."""

    host: str
    port: int
    #: The SHA-256 fingerprint of the certificate that it shows; empty where it does not use TLS.
    certificate: str = ""

    @property
    def authority(self) -> str:
        """Address and port as in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL at which clients connect."""
        return f"{'wss' if self.certificate else 'ws'}://{self.authority}"


class Gateway:
    """A running gateway, called through the product's CLI, which finds the token in the gateway's files.

    At the end of its context, no process of it is left.

    `variables` is the environment of the gateway's process, which can have a token, or what the config refers to, from
    its unit alone.
    """

    def __init__(
        self,
        product: Product,
        program: Sequence[str],
        paths: Paths,
        listener: Listener,
        variables: Mapping[str, str],
        secrets: Iterable[str] = (),
    ) -> None:
        self.product = product
        self._program = list(program)
        self._listener = listener
        self._environment = {
            **variables,
            **environment(product, paths),
            product.port_variable: str(listener.port),
        }
        self._directory = paths.state_dir
        self._secrets = (*secrets, *secret_values(variables))
        self._script = node_snippets.script_argv(product.call_script, program)
        self._conversation: Conversation | None = None

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._end_conversation()

    def redact(self, text: str) -> str:
        """Return the text without this gateway's secrets."""
        return redact(text, self._secrets)

    def call(self, method: str, params: Mapping[str, Any], timeout: float, *, final: bool = False) -> Any:
        """Return the gateway's answer to one method. Raises `ClawdbotError` with its error, without secrets.

        The argv contains no secret: the CLI reads the gateway's token from the config, `.env` or its environment.
        """
        what = f"Gateway method {method}"
        limit = timeout + _STARTUP_SECONDS
        milliseconds = round(timeout * 1000)
        conversation = self._converse()
        if conversation is not None:
            call = {
                "method": method,
                "params": params,
                "timeoutMs": milliseconds,
                "expectFinal": final,
                "port": self._listener.port,
                "url": self._listener.url,
                "tlsFingerprint": self._listener.certificate or None,
            }
            return self._ask(conversation, call, limit, what)
        arguments = [
            "gateway",
            # Else it may call another gateway: `gateway.remote.url` of the config, or that of an environment variable.
            *([] if self.product.calls_url else ["--port", str(self._listener.port)]),
            "call",
            method,
            "--json",
            "--params",
            json.dumps(params),
            "--timeout",
            f"{milliseconds}",
            *(["--url", self._listener.url] if self.product.calls_url else []),
            *(["--expect-final"] if final else []),
        ]
        return self._run([*self._program, *arguments], limit, what)

    def run(self, arguments: Sequence[str], timeout: float) -> Any:
        """Return what the CLI prints as JSON about this gateway's files. Raises `ClawdbotError` as `call` does."""
        return self._run([*self._program, *arguments], timeout, self._command(arguments))

    def change(self, arguments: Sequence[str], timeout: float) -> None:
        """Have the CLI change something of this gateway. Raises `ClawdbotError` as `call` does."""
        readonly = self.product.readonly_variable
        # A gateway whose process cannot write its config must not keep a purge from removing a key.
        writable = {**self._environment, readonly: "0"} if readonly else self._environment
        self._output([*self._program, *arguments], timeout, self._command(arguments), writable)

    @property
    def is_installed(self) -> bool:
        """Whether the CLI was found."""
        return bool(self._program)

    def _command(self, arguments: Sequence[str]) -> str:
        return f"Command {self.product.name} {' '.join(arguments)}"

    def _converse(self) -> Conversation | None:
        """Return the process that calls the product's own modules; None if they are not as expected."""
        if self._conversation is None and self._script:
            try:
                self._conversation = Conversation(self._script, self._directory, self._environment, _STARTUP_SECONDS)
            except (OSError, EOFError, subprocess.TimeoutExpired):
                # The CLI, which is called instead from now on, says why.
                self._script = []
        return self._conversation

    def _ask(self, conversation: Conversation, call: Mapping[str, Any], timeout: float, what: str) -> Any:
        try:
            said = conversation.ask(call, timeout)
        except subprocess.TimeoutExpired as exc:
            self._end_conversation()
            raise _timed_out(what, timeout) from exc
        except (OSError, EOFError) as exc:
            # Not repeated: the call may have reached the gateway.
            self._end_conversation()
            raise ClawdbotError(f"{what} failed: Node ended without an answer.") from exc
        if "error" in said:
            raise self._failed(what, "", str(said["error"]))
        return said.get("answer")

    def _end_conversation(self) -> None:
        if self._conversation is not None:
            self._conversation.close()
            self._conversation = None

    def _failed(self, what: str, stdout: str, stderr: str) -> ClawdbotError:
        said = "; ".join(problems(stdout, stderr))
        return ClawdbotError(f"{what} failed: {self.redact(said)}")

    def _run(self, argv: Sequence[str], timeout: float, what: str) -> Any:
        try:
            return json.loads(self._output(argv, timeout, what))
        except (ValueError, RecursionError) as exc:
            raise ClawdbotError(f"{what} returned no JSON.") from exc

    def _output(
        self, argv: Sequence[str], timeout: float, what: str, variables: Mapping[str, str] | None = None
    ) -> str:
        cli = f"the {self.product.title} CLI"
        if not self._program:
            raise ClawdbotError(f"{what} cannot be run: {cli} was not found.")
        try:
            done = command.run(argv, self._directory, variables or self._environment, timeout)
        except subprocess.TimeoutExpired as exc:
            raise _timed_out(what, timeout) from exc
        except OSError as exc:
            raise ClawdbotError(f"{what} cannot be run: {cli} does not start ({exc.strerror}).") from exc
        if done.returncode != 0:
            raise self._failed(what, done.stdout, done.stderr or done.stdout)
        return done.stdout


def _timed_out(what: str, timeout: float) -> ClawdbotError:
    return ClawdbotError(f"{what} timed out after {timeout:g} seconds.")
