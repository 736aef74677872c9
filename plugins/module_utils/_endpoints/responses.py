# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Responses of an endpoint: which status an answer, an error text or a failed attempt becomes."""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import NamedTuple

from .requests import USER_AGENT, has_own_agent
from .text import clean
from .types import (
    ANTHROPIC,
    Advice,
    Answer,
    Api,
    ErrorBody,
    FailureKind,
    Listing,
    NoAnswer,
    Outcome,
    Reading,
    Rejection,
    Request,
    Status,
    Verdict,
)

# Attempts without an answer


class Failure(NamedTuple):
    """What an attempt without an answer means."""

    status: Status
    message: str
    retry: bool = False
    advice: Advice | None = None


FAILURES: Mapping[FailureKind, Failure] = {
    "dns": Failure("dns_error", "the name {peer} cannot be resolved"),
    "dns_again": Failure("dns_error", "the name {peer} cannot be resolved", retry=True),
    "refused": Failure("connection_refused", "{peer} refused the connection", retry=True),
    "unreachable": Failure("connection_refused", "{peer} cannot be reached: {detail}", retry=True),
    "proxy_rejected": Failure(
        "connection_refused", "{peer} rejected the connection to the endpoint: {detail}", advice="proxy_rejected"
    ),
    "proxy_failed": Failure("server_error", "{peer} could not connect to the endpoint: {detail}", retry=True),
    "proxy_cleartext": Failure("insecure_url", "base_url is http://, so the key would be sent to {peer} in clear text"),
    "connect_timeout": Failure("timeout", "no connection to {peer} within {detail} s", retry=True),
    "answer_timeout": Failure(
        "timeout", "{url} accepted the connection, but did not answer within {detail} s", retry=True
    ),
    "body_timeout": Failure("timeout", "{url} started to answer, but did not finish within {detail} s", retry=True),
    "dropped": Failure("server_error", "{url} closed the connection without an answer", retry=True),
    "not_http": Failure("not_an_api", "{peer} does not speak HTTP"),
    "garbled": Failure("invalid_response", "{url} did not answer with valid HTTP: {detail}"),
    "redirect": Failure("redirect_refused", "{url} redirects to {detail}: not followed"),
    "redirect_loop": Failure("redirect_refused", "{url} redirects in a loop, last to {detail}"),
    "tls_name": Failure("tls_error", "the certificate of {peer} is for another name", advice="tls_name"),
    "tls_expired": Failure("tls_error", "the certificate of {peer} has expired", advice="tls_expired"),
    "tls_not_yet_valid": Failure("tls_error", "the certificate of {peer} is not valid yet", advice="tls_not_yet_valid"),
    "tls_issuer": Failure(
        "tls_error",
        "the certificate of {peer} is signed by an untrusted authority",
        advice="tls_issuer",
    ),
    "tls_certificate": Failure("tls_error", "the certificate of {peer} cannot be verified: {detail}"),
    "tls_plain": Failure("tls_error", "{peer} does not speak TLS", advice="tls_plain"),
    "tls": Failure("tls_error", "the TLS connection to {peer} failed: {detail}"),
}


# HTTP errors


class ErrorRule(NamedTuple):
    """What an HTTP error means, if the rule matches.

    `says`: a regular expression that is found in the error's type or text, in lower case. `bodies`: kinds of its body.
    `chat`: whether the request was a chat. None and what is empty match all.
    """

    codes: Container[int]
    status: Status
    says: str = ""
    bodies: tuple[ErrorBody, ...] = ()
    chat: bool | None = None
    retry: bool = False
    rejection: Rejection | None = None
    advice: Advice | None = None

    def matches(self, code: int, text: str, body: ErrorBody, chat: bool) -> bool:
        """Return whether the rule is for such an error. `text`: its type and text in lower case."""
        return (
            code in self.codes
            and bool(re.search(self.says, text))
            and (not self.bodies or body in self.bodies)
            and self.chat in (None, chat)
        )


_JSON: tuple[ErrorBody, ...] = ("api", "json")
_QUOTA = "quota|usage limit|balance|billing|insufficient|credit"
_UNKNOWN_MODEL = (
    r"not found the model|(invalid|unknown|no such)[ _]model|model[ _]not[ _](exist|found)|not a valid model"
    r"|\bmodel\b.{0,200}(does not exist|not found)|not_found_error model:|模型不存在"
)
_WRONG_KEY = (
    r"(invalid|incorrect|expired)[ _]api[ _-]?key|api[ _-]?key (is |has )?(not valid|invalid|incorrect|expired)"
)

# The first rule that matches decides. Statuses and words come from the vendors' published API description, their own
# clients and public bug reports.
ERROR_RULES: Sequence[ErrorRule] = (
    # LiteLLM's error about its own key or identity at the vendor: the key that was sent to LiteLLM is fine.
    ErrorRule(
        (401, 403),
        "model_unusable",
        r"litellm\.(authentication|permissiondenied)error",
        chat=True,
        rejection="rejected",
        advice="behind_proxy",
    ),
    ErrorRule((401,), "model_unusable", "model_access_denied", chat=True, rejection="rejected"),
    ErrorRule((401,), "model_unusable", "model id does not exist|recognized as other", chat=True, rejection="unknown"),
    ErrorRule((401,), "unauthorized"),
    # Kimi Code answers 403 for three reasons; only the text distinguishes them.
    ErrorRule((402, 403), "membership_required", "membership"),
    # The load of the vendor, or models that LiteLLM does not ask for a while after a failure; not the account's rate.
    ErrorRule((429,), "server_error", "overloaded|no deployments available", retry=True),
    ErrorRule((429,), "rate_limited", "rate_limit_reached", retry=True),
    ErrorRule((402, 403, 429), "quota_exhausted", _QUOTA),
    ErrorRule((402,), "membership_required"),
    ErrorRule((403,), "client_not_admitted", "coding agent|user-agent|user agent"),
    ErrorRule((403,), "model_unusable", bodies=("api",), chat=True, rejection="rejected"),
    ErrorRule((403,), "unauthorized", bodies=_JSON),
    ErrorRule((400, 404, 422), "model_unusable", _UNKNOWN_MODEL, bodies=_JSON, chat=True, rejection="unknown"),
    ErrorRule((404,), "model_unusable", bodies=("api",), chat=True, rejection="rejected"),
    ErrorRule((404, 405, 410, 501), "wrong_base_url"),
    ErrorRule((407,), "connection_refused", advice="proxy_rejected"),
    ErrorRule((408,), "timeout", retry=True),
    ErrorRule((429,), "rate_limited", retry=True),
    ErrorRule(range(500, 600), "server_error", retry=True),
    ErrorRule((400, 422), "unauthorized", _WRONG_KEY, bodies=_JSON),
    ErrorRule((400, 422), "quota_exhausted", "credit balance|insufficient[ _](balance|quota)", bodies=_JSON),
    ErrorRule(range(400, 500), "request_refused", bodies=_JSON, chat=True, rejection="rejected"),
    ErrorRule(range(400, 500), "request_refused", bodies=_JSON),
    ErrorRule(range(400, 500), "not_an_api"),
    ErrorRule(range(1000), "invalid_response"),
)


def judge(outcome: Outcome, request: Request, secrets: Iterable[str]) -> Answer | Verdict:
    """Return an answer with status 200 and a JSON body as it is, and the verdict on any other outcome."""
    if isinstance(outcome, NoAnswer):
        failure = FAILURES[outcome.kind]
        message = clean(failure.message.format(url=request.url, peer=outcome.peer, detail=outcome.detail), secrets)
        return Verdict(failure.status, message, outcome.http_status, None, retry=failure.retry, advice=failure.advice)
    if outcome.status != 200:
        return _judge_error(outcome, request, secrets)
    return _judge_body(outcome, request, secrets) or outcome


def _judge_error(answer: Answer, request: Request, secrets: Iterable[str]) -> Verdict:
    error = api_error(answer.body)
    text = f"{error.kind} {error.text}" if error else "" if _is_html(answer) else _decode(answer.body)
    chat = request.model is not None
    body = error.body if error else "other"
    rule = next(rule for rule in ERROR_RULES if rule.matches(answer.status, text.lower(), body, chat))
    shown = (error and (error.text or error.kind)) or _show_body(answer, secrets)
    message, advice = f"{request.url} answered {answer.status}: {shown}", rule.advice
    if rule.status == "client_not_admitted" and has_own_agent(request):
        asker = f"the client that asked ({USER_AGENT}), not the gateway"
        message, advice = f"{request.url} rejected {asker}, with {answer.status}: {shown}", "own_agent"
    retry_after = answer.headers.get("retry-after", "")
    if rule.retry and re.fullmatch(r"[0-9]{1,6}", retry_after):
        message = f"{message} (it asks to wait {retry_after} s)"
    return Verdict(
        rule.status,
        clean(message, secrets),
        answer.status,
        answer.latency_ms,
        retry=rule.retry,
        rejection=rule.rejection,
        advice=advice,
    )


# Answers with status 200


def _judge_body(answer: Answer, request: Request, secrets: Iterable[str]) -> Verdict | None:
    """Return the verdict on a body that is not whole JSON, or None."""
    start = answer.body.lstrip()[:1]
    if answer.defect == "too_long":
        return _unreadable(answer, request, "with more data than a list of models or a chat has")
    if answer.defect == "unknown_encoding":
        return _unreadable(answer, request, "in a content encoding that cannot be read")
    if answer.defect == "cut_short":
        return _unreadable(answer, request, "with an incomplete body", retry=True)
    if not start:
        return _unreadable(answer, request, "with an empty body")
    if _is_html(answer) or start not in b"{[":
        message = clean(f"{request.url} answered 200: {_show_body(answer, secrets)}", secrets)
        # A JSON scalar is an answer of the wrong shape. Anything else that is not JSON does not come from an API.
        if _is_html(answer) or _parse_json(answer.body) is _NOT_JSON:
            return Verdict("not_an_api", message, 200, answer.latency_ms)
        return _unreadable(answer, request, "with JSON of another shape")
    if _parse_json(answer.body) is _NOT_JSON:
        return _unreadable(answer, request, "with JSON that is cut short or broken")
    return None


def _unreadable(answer: Answer, request: Request, how: str, retry: bool = False) -> Verdict:
    message = f"{request.url} answered {answer.status} {how}"
    return Verdict("invalid_response", message, answer.status, answer.latency_ms, retry=retry)


def read_listing(outcome: Outcome, request: Request, secrets: Iterable[str]) -> Reading:
    """Return the listing in an outcome, or the verdict on an outcome without one. It needs `data[].id` alone."""
    answer = judge(outcome, request, secrets)
    if isinstance(answer, Verdict):
        return answer
    document = _parse_json(answer.body)
    if not isinstance(document, dict) or not isinstance(document.get("data"), list):
        return _unreadable(answer, request, "with JSON that is not a list of models")
    entries = document["data"]
    models = [
        entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str) and entry["id"]
    ]
    if entries and not models:
        return _unreadable(answer, request, "with a list of models without ids")
    lengths = {model["id"]: model.get("context_length") for model in models}
    # JSON's true and false are integers in Python.
    contexts = {
        name: length for name, length in lengths.items() if isinstance(length, int) and not isinstance(length, bool)
    }
    return Listing(
        ids=tuple(dict.fromkeys(model["id"] for model in models)),
        contexts=contexts,
        has_more=document.get("has_more") is True,
        http_status=answer.status,
        latency_ms=answer.latency_ms,
    )


def read_chat(outcome: Outcome, request: Request, api: Api, secrets: Iterable[str]) -> Verdict:
    """Return the verdict on the outcome of a chat. The model's text may be empty: one token can be all thought."""
    answer = judge(outcome, request, secrets)
    if isinstance(answer, Verdict):
        return answer
    document = _parse_json(answer.body)
    answered = isinstance(document, dict) and document.get("content" if api == ANTHROPIC else "choices")
    if api == ANTHROPIC:
        is_chat = isinstance(document, dict) and document.get("type") == "message" and isinstance(answered, list)
    else:
        is_chat = isinstance(answered, list) and bool(answered) and all(isinstance(choice, dict) for choice in answered)
    if not is_chat:
        return _unreadable(answer, request, "with JSON that is not a chat completion")
    return Verdict("ok", f"{request.model} answered", answer.status, answer.latency_ms)


# Bodies


_NOT_JSON = object()


def _parse_json(body: bytes) -> object:
    try:
        return json.loads(_decode(body), parse_int=_parse_int)
    except (ValueError, RecursionError):
        return _NOT_JSON


def _parse_int(digits: str) -> object:
    # Converting a million digits to an int takes minutes. No number of an endpoint has that many.
    return int(digits) if len(digits) <= 18 else digits


def _decode(body: bytes) -> str:
    return body.decode("utf-8-sig", "replace")


class ApiError(NamedTuple):
    """An error in JSON: its type and code, its text, and what the body is."""

    kind: str
    text: str
    body: ErrorBody


def api_error(body: bytes) -> ApiError | None:
    """Return the error in a body, or None.

    Both protocols have `{"error": {"message", "type", …}}`. Servers that speak them also answer with `{"detail": …}`,
    `{"error": "text"}`, `{"message": …}` and the like.
    """
    document = _parse_json(body)
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, dict):
        return None
    error = document.get("error")
    if isinstance(error, dict):
        return ApiError(_error_kind(error), _error_text(error), "api")
    text = _error_text(document)
    return ApiError(_error_kind(document), text, "json") if text else None


def _error_kind(error: Mapping[str, object]) -> str:
    return " ".join(str(error[name]) for name in ("type", "code") if isinstance(error.get(name), (str, int)))


def _error_text(error: object, depth: int = 4) -> str:
    """Return the text in an error, whatever its shape, or an empty string."""
    if isinstance(error, str) or not depth:
        return error if isinstance(error, str) else ""
    if isinstance(error, list):
        return "; ".join(text for text in (_error_text(item, depth - 1) for item in error) if text)
    if not isinstance(error, dict):
        return ""
    names = ("message", "msg", "detail", "error_description", "error", "errors", "title")
    return next((text for text in (_error_text(error.get(name), depth - 1) for name in names) if text), "")


def _is_html(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "").lower() or answer.body.lstrip().startswith(b"<")


def _show_body(answer: Answer, secrets: Iterable[str]) -> str:
    if _is_html(answer):
        title = re.search(r"<title[^>]*>([^<]*)", _decode(answer.body), re.IGNORECASE)
        text = clean(title.group(1), secrets) if title else ""
        return f'an HTML page, "{text}"' if text else "an HTML page"
    return clean(_decode(answer.body), secrets) or "an empty body"
