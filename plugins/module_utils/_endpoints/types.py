# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The shapes of this package: providers, requests, answers, what they mean, and what the module returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypedDict, Union

Api = Literal["openai-completions", "anthropic-messages"]
OPENAI: Final = "openai-completions"
ANTHROPIC: Final = "anthropic-messages"

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
    "model_retired",
    "model_unusable",
    "request_refused",
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
"""The status of a provider; docs/verification.md explains each."""

Advice = Literal[
    "base_url_form",
    "behind_proxy",
    "first_page",
    "own_agent",
    "proxy_rejected",
    "tls_name",
    "tls_expired",
    "tls_not_yet_valid",
    "tls_issuer",
    "tls_plain",
]
"""Which hint to give where a status has several."""

FailureKind = Literal[
    "dns",
    "dns_again",
    "refused",
    "unreachable",
    "proxy_rejected",
    "proxy_failed",
    "proxy_cleartext",
    "connect_timeout",
    "answer_timeout",
    "body_timeout",
    "dropped",
    "not_http",
    "garbled",
    "redirect",
    "redirect_loop",
    "tls_name",
    "tls_expired",
    "tls_not_yet_valid",
    "tls_issuer",
    "tls_certificate",
    "tls_plain",
    "tls",
]
"""Why an attempt ended without an HTTP answer."""

BodyDefect = Literal["too_long", "cut_short", "unknown_encoding"]
"""Why a body cannot be used, whatever is in it."""

ErrorBody = Literal["api", "json", "other"]
"""What the body of an HTTP error is: an error as both protocols have it, other JSON with a text, or anything else."""

Rejection = Literal["unknown", "rejected"]
"""How an endpoint rejects one model: it does not know the model, or it rejects it for another reason."""

Headers = tuple[tuple[str, str], ...]


# Whom and what to ask


@dataclass(frozen=True)
class Model:
    """A model of the provider block. `context_window`: tokens, if declared. `headers`: its own."""

    id: str
    context_window: int | None = None
    headers: Headers = field(default=(), repr=False)


@dataclass(frozen=True)
class Provider:
    """An endpoint, its key and the models that it must have.

    `models` must be in the listing, except for those whose ids are in `optional`; at least one must be. `unlisted` need
    not be; only a chat verifies them.
    """

    name: str
    base_url: str
    api: Api = OPENAI
    api_key: str = field(default="", repr=False)
    headers: Headers = field(default=(), repr=False)
    models: tuple[Model, ...] = ()
    unlisted: tuple[Model, ...] = ()
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Request:
    """An HTTP request. Equal requests are sent once. `model`: the model that a chat is for."""

    method: str
    url: str
    headers: Headers = field(repr=False)
    body: bytes | None = None
    model: str | None = None


class ProbeOptions(NamedTuple):
    """How to ask. `timeout`: seconds for one attempt, from the name lookup to the last byte."""

    chat: bool
    timeout: float
    retries: int
    ca_path: str | None
    validate_certs: bool
    allow_insecure_http: bool


# What came back


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: header names in lower case, the decompressed body."""

    status: int
    reason: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    defect: BodyDefect | None = None
    latency_ms: int = 0


class NoAnswer(NamedTuple):
    """Why an attempt ended without an HTTP answer. `peer`: the endpoint or proxy. `detail`: what else is known."""

    kind: FailureKind
    peer: str = ""
    detail: str = ""
    http_status: int | None = None


Outcome = Union[Answer, NoAnswer]
"""The end of one attempt."""


# What it means


class Listing(NamedTuple):
    """The models that an endpoint lists: ids in its order, contexts in tokens where it has them."""

    ids: tuple[str, ...]
    contexts: Mapping[str, int]
    has_more: bool
    http_status: int
    latency_ms: int


class Verdict(NamedTuple):
    """A status and its reason, for one answer or for a provider as a whole.

    `retry`: the same request may succeed later. `rejection`: set if the answer is about the model that was asked, not
    about the provider.
    """

    status: Status
    message: str
    http_status: int | None = None
    latency_ms: int | None = None
    retry: bool = False
    rejection: Rejection | None = None
    advice: Advice | None = None


Reading = Union[Listing, Verdict]
"""What a request led to: the listing that was asked for, or a verdict. It holds no secret of the request."""


# What the module returns


class EndpointInfo(TypedDict):
    """One provider's endpoint, as the module verify_models returns it."""

    name: str
    status: Status
    http_status: int | None
    latency_ms: int | None
    listed: list[str]
    missing: list[str]
    #: Optional models that the endpoint does not list for this key.
    optional_missing: list[str]
    suggestions: dict[str, list[str]]
    message: str
    hint: str
    warnings: list[str]
    key: str | None


class _EndpointsInfo(TypedDict):
    ok: bool
    providers: list[EndpointInfo]


class EndpointsInfo(_EndpointsInfo, total=False):
    """All endpoints. `msg`: what is wrong and what to do, unless all are ok."""

    msg: str
