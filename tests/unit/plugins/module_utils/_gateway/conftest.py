# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator

import pytest


def _fail(*_arguments: object, **_named: object) -> None:
    raise AssertionError("A unit test starts no process and opens no socket: tests/module is for those that do.")


@pytest.fixture(autouse=True, scope="module")
def no_process_and_no_socket() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", _fail)
        patch.setattr(socket, "socket", _fail)
        yield
