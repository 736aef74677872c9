# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the module verify_models returns of endpoints."""

from __future__ import annotations

from typing import Literal, TypedDict

Status = Literal[
    "ok",
    "key_missing",
    "key_malformed",
    "unauthorized",
    "client_not_admitted",
    "membership_required",
    "quota_exhausted",
    "rate_limited",
    "model_missing",
    "model_unusable",
    "wrong_base_url",
    "not_an_api",
    "invalid_response",
    "redirect_refused",
    "insecure_url",
    "tls_error",
    "dns_error",
    "connection_refused",
    "timeout",
    "server_error",
]
"""What is found of a provider; the documentation of the module says what each means."""


class EndpointInfo(TypedDict):
    """One provider's endpoint, as the module verify_models returns it."""

    name: str
    status: Status
    http_status: int | None
    latency_ms: int | None
    listed: list[str]
    missing: list[str]
    suggestions: dict[str, list[str]]
    message: str
    hint: str
    warnings: list[str]
    key: str | None


class _EndpointsInfo(TypedDict):
    ok: bool
    providers: list[EndpointInfo]


class EndpointsInfo(_EndpointsInfo, total=False):
    """All endpoints. `msg`: what is wrong and what to do, where one is not ok."""

    msg: str
