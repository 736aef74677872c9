# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate authority for the tests."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass

import trustme


@dataclass(frozen=True)
class Authority:
    """An authority made for the tests, and the file in which a client finds it."""

    ca: trustme.CA
    path: str

    def server_context(self, *names: str, **dates: datetime.datetime) -> ssl.SSLContext:
        """TLS for a server with such a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*names, **dates).configure_cert(context)
        return context
