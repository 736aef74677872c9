# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = """
name: lossy
author:
  - clawfleet.clawdbot contributors (@clawfleet)
short_description: Runs commands here, and loses the connection where a test wants it to be lost
description:
  - While the file of O(losses) has a line that is in what is sent to be executed, the command runs, and its answer is
    lost. The line is used up, unless it ends in an asterisk.
options:
  losses:
    description: The file.
    vars:
      - name: losses
extends_documentation_fragment:
  - connection_pipelining
"""


class Connection(LocalConnection):
    """The local connection, with losses."""

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        answer: Any = super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        losses = Path(self.get_option("losses"))
        lines = losses.read_text(encoding="utf-8").splitlines()
        for line in lines:
            if line.rstrip("*").encode() in (in_data or b""):
                if not line.endswith("*"):
                    lines.remove(line)
                    losses.write_text("".join(f"{left}\n" for left in lines), encoding="utf-8")
                raise AnsibleConnectionFailure("the test has cut the line")
        return int(answer[0]), answer[1], answer[2]
