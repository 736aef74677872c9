# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""One Node process for all calls to a gateway: to start it costs more than the calls.

Each line of its input is a call as JSON, each line of its output the answer to one, with the call's id; the first line
is `{}` and says that it is ready. Node prints other lines too where an option of the user loads a module that does.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any

_READY = b"{}"


class Conversation:
    """A process that calls a gateway's methods one after the other, until it is closed."""

    def __init__(self, argv: Sequence[str], directory: str, variables: Mapping[str, str], timeout: float) -> None:
        """Start the process and wait `timeout` seconds until it is ready.

        Raises `OSError`, `subprocess.TimeoutExpired`, and `EOFError` if the product's modules are not as expected.
        """
        self._unread = b""
        self._last_id = 0
        self._socket, theirs = socket.socketpair()
        with contextlib.ExitStack() as unless_ready:
            unless_ready.callback(self._socket.close)
            with theirs:
                self._process = subprocess.Popen(
                    argv,
                    cwd=directory,
                    env=variables,
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            unless_ready.callback(self.close)
            if self._read_line(timeout) != _READY:
                raise EOFError
            unless_ready.pop_all()

    def ask(self, call: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        """Return `answer`, or the text of an `error`, to a call within `timeout` seconds.

        Other lines are passed over. Raises `OSError` and `EOFError` if the process has ended, and
        `subprocess.TimeoutExpired`.
        """
        self._last_id += 1
        self._socket.sendall(json.dumps({**call, "id": self._last_id}).encode() + b"\n")
        deadline = time.monotonic() + timeout
        while True:
            said = _parse(self._read_line(deadline - time.monotonic()))
            if said.get("id") == self._last_id:
                return said

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._socket.close()

    def _read_line(self, timeout: float) -> bytes:
        deadline = time.monotonic() + timeout
        while b"\n" not in self._unread:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                raise subprocess.TimeoutExpired(self._process.args, timeout)
            read = self._socket.recv(1 << 16)
            if not read:
                raise EOFError
            self._unread += read
        line, _newline, self._unread = self._unread.partition(b"\n")
        return line


def _parse(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
