# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The addresses on which a process listens, or any process of this host, as the kernel shows them (proc(5)).

macOS shows those of a process through lsof(8), and not those of its host.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .process import children, is_node, link

_PROC = "/proc"
_LISTENING = "0A"
# In /usr/sbin on macOS.
_LSOF_PATH = "/usr/sbin:/usr/bin"
_LSOF_SECONDS = 20
_SOCKET = re.compile(r"socket:\[([0-9]+)\]\Z")
# The gateway is the process of its unit, or a child of that, which is only a launcher.
_DEPTH = 3


class Address(NamedTuple):
    """An address and a port on which something listens; `0.0.0.0` and `::` stand for all addresses."""

    host: str
    port: int


def of_gateway(pid: int) -> list[Address] | None:
    """Return where the process of a gateway listens; None where this account may not see that.

    A launcher does not listen, but the Node that it starts. What that starts in turn, as the servers that an agent
    runs, is not the gateway.
    """
    level = [pid]
    for _level in range(_DEPTH):
        found = [of_process(each) for each in level]
        if None in found:
            return None
        addresses = [address for each in found for address in each or ()]
        if addresses:
            return addresses
        level = [child for each in level for child in children(each) if is_node(link(f"{_PROC}/{child}/exe") or "")]
    return []


def of_process(pid: int) -> list[Address] | None:
    """Return where a process listens; None where this account may not see that, or its network is not the host's."""
    directory = f"{_PROC}/{pid}/fd"
    if not os.path.isdir(f"{_PROC}/self"):
        return _of_lsof(pid)
    try:
        targets = [link(f"{directory}/{name}") or "" for name in os.listdir(directory)]
    except FileNotFoundError:
        # It has ended.
        return []
    except OSError:
        return None
    if link(f"{_PROC}/{pid}/ns/net") != link(f"{_PROC}/self/ns/net"):
        return None
    own = {match.group(1) for match in map(_SOCKET.match, targets) if match}
    return [address for address, inode in _listening() if inode in own]


def of_host() -> list[Address]:
    """Return where any process of this host listens; empty where the system does not show it."""
    return [address for address, _inode in _listening()]


def parse(table: str) -> Iterator[tuple[Address, str]]:
    """Yield address and inode of each listening socket in the text of a `/proc/net/tcp` or `/proc/net/tcp6`."""
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == _LISTENING:
            host, _colon, port = fields[1].partition(":")
            yield Address(_host(host), int(port, 16)), fields[9]


def parse_lsof(output: str) -> Iterator[Address]:
    """Yield the addresses in the output of `lsof -Fnt`: a line for each field, its type before its name."""
    every = "0.0.0.0"  # noqa: S104 - what a process listens on, not what we do
    for line in output.splitlines():
        kind, text = line[:1], line[1:]
        if kind == "t":
            every = "::" if text == "IPv6" else "0.0.0.0"  # noqa: S104
        elif kind == "n":
            host, _colon, port = text.rpartition(":")
            yield Address(every if host == "*" else host.strip("[]"), int(port))


def _of_lsof(pid: int) -> list[Address] | None:
    """Return where a process listens; None for nothing as well, since the child of a launcher is not looked for."""
    argv = ["lsof", "-nP", "-a", "-p", str(pid), "-iTCP", "-sTCP:LISTEN", "-Fnt"]
    environment = {"PATH": _LSOF_PATH, "LC_ALL": "C"}
    try:
        shown = subprocess.run(
            argv, env=environment, capture_output=True, text=True, timeout=_LSOF_SECONDS, check=False
        )
        return list(parse_lsof(shown.stdout)) or None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def _listening() -> Sequence[tuple[Address, str]]:
    return [found for name in ("tcp", "tcp6") for found in parse(_read(f"{_PROC}/self/net/{name}"))]


def _host(text: str) -> str:
    """Return an address from its hexadecimal form: words of 32 bits, each in the byte order of the machine."""
    words = [int(text[start : start + 8], 16) for start in range(0, len(text), 8)]
    packed = b"".join(word.to_bytes(4, sys.byteorder) for word in words)
    return socket.inet_ntop(socket.AF_INET6 if len(packed) == 16 else socket.AF_INET, packed)


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""
