# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process, its unit and its `.env` files, for the tests of where variables come from and why a restart is needed."""

from __future__ import annotations

import os

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.env_sources import EnvSources, Source
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.systemd import Unit

STARTED = 1000.0
STATE = "/home/g/.clawdbot/.env"
HOME = "/home/g/.env"
UNIT = "Environment= of the unit u"
MANAGER = "environment of the service manager"
NODE = os.path.realpath("/bin/sh")


def running(environment: dict[str, str] | None = None) -> Process:
    return Process(4711, STARTED, environment, None, NODE)


def env_file(path: str, value: str | None, changed: float = STARTED - 1) -> Source:
    return Source(path, {} if value is None else {"KEY": value}, changed)


def sources(
    process: Process | None, product: list[Source], service: list[Source] | None = None, unit: Unit | None = None
) -> EnvSources:
    return EnvSources(process, unit, service or [], product, STATE)
