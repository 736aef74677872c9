# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS for the mock server and its clients."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import NamedTuple


class Tls(NamedTuple):
    server: ssl.SSLContext
    client: ssl.SSLContext
    certfile: Path
