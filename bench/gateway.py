# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What takes the place of the product on simulated hosts.

gateway.py PORT LOCK STATE_DIR [--stop] ends the gateway that holds the lock, starts a new one, and returns once it
listens: a process that answers HTTP and keeps a lock as a gateway does. gateway.py COMMAND ... is the CLI: it lists the
models of the gateway, and every config is valid.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import signal
import socket
import sys
from pathlib import Path


def main() -> None:
    if sys.argv[1] in ("gateway", "models", "config"):
        answer_command()
    else:
        restart()


def answer_command() -> None:
    if sys.argv[1] != "config":
        sys.stdout.write((Path(os.environ["CLAWDBOT_STATE_DIR"]) / "listing.json").read_text())


def restart() -> None:
    port, lock, state_dir = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    with contextlib.suppress(OSError, ValueError):
        os.kill(json.loads(lock.read_text())["pid"], signal.SIGKILL)
    if "--stop" in sys.argv:
        return
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # The old process may still be about to end.
    while True:
        try:
            listener.bind(("127.0.0.1", port))
            break
        except OSError:
            os.sched_yield()
    listener.listen(64)
    pid = os.fork()
    if pid:
        lock.parent.mkdir(parents=True, exist_ok=True)
        created = datetime.datetime.now(datetime.timezone.utc).isoformat()
        content = {"pid": pid, "createdAt": created, "configPath": f"{state_dir}/clawdbot.json"}
        lock.write_text(json.dumps(content))
        return
    os.setsid()
    os.chdir(state_dir)
    for descriptor in range(3):
        os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
    while True:
        connection, _address = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


if __name__ == "__main__":
    main()
