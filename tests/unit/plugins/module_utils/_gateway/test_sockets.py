# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import process, sockets
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.sockets import Address

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#: Address in a table, whose words are in the byte order of the machine -> address.
HOSTS = {
    "0100007F": "127.0.0.1",
    "00000000": "0.0.0.0",  # noqa: S104 - not listened on
    "0500000A": "10.0.0.5",
    "00000000000000000000000000000000": "::",
    "00000000000000000000000001000000": "::1",
    "0000000000000000FFFF00000100007F": "::ffff:127.0.0.1",
    "B80D0120000000000000000034120000": "2001:db8::1234",
}


def row(host: str, port: int, inode: int, state: str = "0A") -> str:
    if sys.byteorder == "big":
        host = "".join(bytes.fromhex(host[at : at + 8])[::-1].hex().upper() for at in range(0, len(host), 8))
    rest = "00000000:00000000 00:00000000 00000000  1000        0"
    return f"   0: {host}:{port:04X} 00000000:0000 {state} {rest} {inode} 1 0000000000000000 100 0 0 10 0\n"


@pytest.mark.parametrize("host", HOSTS)
def test_an_address_of_a_table(host: str) -> None:
    assert list(sockets.parse(HEADER + row(host, 18789, 7))) == [(Address(HOSTS[host], 18789), "7")]


def test_only_listening_sockets_of_a_table() -> None:
    table = HEADER + row("0100007F", 1, 7, "01") + row("0100007F", 2, 8) + "half a line\n" + row("0100007F", 3, 9, "06")
    assert list(sockets.parse(table)) == [(Address("127.0.0.1", 2), "8")]
    assert list(sockets.parse("")) == []


class Proc:
    """A directory in place of /proc."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "self" / "net").mkdir(parents=True)
        self.add("self", "", [])

    def add(
        self, pid: int | str, executable: str, inodes: list[int], children: str = "", network: str = "net:[1]"
    ) -> None:
        directory = self.directory / str(pid)
        for name in ("fd", "ns", f"task/{pid}"):
            (directory / name).mkdir(parents=True)
        (directory / "exe").symlink_to(executable or "/none")
        (directory / "ns" / "net").symlink_to(network)
        (directory / f"task/{pid}/children").write_text(children)
        for number, target in enumerate(["/dev/null", "pipe:[12]", *(f"socket:[{inode}]" for inode in inodes)]):
            (directory / "fd" / str(number)).symlink_to(target)


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Proc:
    monkeypatch.setattr(sockets, "_PROC", str(tmp_path))
    monkeypatch.setattr(process, "_PROC", str(tmp_path))
    proc = Proc(tmp_path)
    (tmp_path / "self" / "net" / "tcp").write_text(HEADER + row("0100007F", 18789, 12) + row("0100007F", 18791, 13))
    (tmp_path / "self" / "net" / "tcp6").write_text(HEADER + row("00000000000000000000000001000000", 18789, 14))
    return proc


def test_where_a_process_listens(proc: Proc) -> None:
    proc.add(7, "/usr/bin/node", [12, 14, 99])
    assert sockets.of_gateway(7) == [Address("127.0.0.1", 18789), Address("::1", 18789)]
    assert sockets.of_host() == [Address("127.0.0.1", 18789), Address("127.0.0.1", 18791), Address("::1", 18789)]


def test_where_the_child_of_a_launcher_listens(proc: Proc) -> None:
    proc.add(7, "/usr/bin/node", [], "8 ")
    proc.add(8, "/usr/bin/node", [12], "9 ")
    # A server that its agent runs.
    proc.add(9, "/usr/bin/node", [13])
    assert sockets.of_gateway(7) == [Address("127.0.0.1", 18789)]


def test_what_other_programs_listen_on_is_not_the_gateway(proc: Proc) -> None:
    proc.add(7, "/usr/bin/node", [], "8 9 ")
    proc.add(8, "/usr/bin/chromium", [12])
    proc.add(9, "/usr/bin/node", [])
    assert sockets.of_gateway(7) == []


def test_a_process_that_cannot_be_read(proc: Proc, monkeypatch: pytest.MonkeyPatch) -> None:
    proc.add(7, "/usr/bin/node", [], "8 ")
    proc.add(8, "/usr/bin/node", [12])
    listed = os.listdir

    def listdir(path: str) -> list[str]:
        if path.endswith("/8/fd"):
            raise PermissionError
        return listed(path)

    monkeypatch.setattr(os, "listdir", listdir)
    assert sockets.of_gateway(7) is None


def test_a_process_that_has_ended(proc: Proc) -> None:
    proc.add(7, "/usr/bin/node", [12], "8 ")
    (proc.directory / "7" / "fd" / "2").unlink()
    proc.add(8, "/usr/bin/node", [])
    (proc.directory / "8" / "fd").rename(proc.directory / "8" / "gone")
    assert sockets.of_gateway(7) == []


def test_a_process_in_a_network_of_its_own(proc: Proc) -> None:
    proc.add(7, "/usr/bin/node", [12], network="net:[2]")
    assert sockets.of_gateway(7) is None


# As lsof 4.95 shows the sockets of a process that listens on these.
LSOF = "p25399\ntIPv4\nn127.0.0.1:57035\ntIPv6\nn*:60799\ntIPv6\nn[::1]:51727\ntIPv4\nn*:59749\n"


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (LSOF, [("127.0.0.1", 57035), ("::", 60799), ("::1", 51727), ("0.0.0.0", 59749)]),  # noqa: S104
        # Nothing, or nothing that this account may see.
        ("", None),
        ("p7\ntIPv4\nn127.0.0.1:http\n", None),
        (FileNotFoundError(), None),
        (subprocess.TimeoutExpired("lsof", 20), None),
    ],
)
def test_a_system_without_proc_shows_sockets_with_lsof(
    shown: str | Exception, expected: list[tuple[str, int]] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = []

    def run(argv: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        ran.append(argv)
        if isinstance(shown, Exception):
            raise shown
        return subprocess.CompletedProcess(argv, 0 if shown else 1, shown)

    monkeypatch.setattr(sockets, "_PROC", str(tmp_path / "none"))
    monkeypatch.setattr(subprocess, "run", run)
    assert (sockets.of_gateway(7), sockets.of_host()) == (expected, [])
    assert ran == [["lsof", "-nP", "-a", "-p", "7", "-iTCP", "-sTCP:LISTEN", "-Fnt"]]
