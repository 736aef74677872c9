# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What to ask a model provider's endpoint, and what its answer means. Nothing here does any I/O.

The statuses are the contract of the module C(verify_models). What the endpoints of Moonshot and Kimi Code answer, and
in which words, comes from the vendors' published API description, their own clients and public bug reports.
"""

from __future__ import annotations

import difflib
import email.utils
import ipaddress
import json
import re
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Union, cast

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import texts
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint, redact

from .types import EndpointInfo

OPENAI = "openai-completions"
ANTHROPIC = "anthropic-messages"

# How an answer can be unusable as a whole, whatever is in it.
TOO_LONG = "too_long"
CUT_SHORT = "cut_short"
UNKNOWN_ENCODING = "unknown_encoding"

# The API version that Anthropic's protocol wants to be named in each request.
_ANTHROPIC_VERSION = "2023-06-01"

_MAX_TEXT = 300
_MAX_RETRY_AFTER = 30.0
_MAX_WAITED = 60.0
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 8.0

_MOONSHOT_HOSTS = {"api.moonshot.cn": "api.moonshot.ai", "api.moonshot.ai": "api.moonshot.cn"}
_CONSOLES = {
    "api.moonshot.cn": "platform.moonshot.cn",
    "api.moonshot.ai": "platform.moonshot.ai",
    "api.kimi.com": "kimi.com/code/console",
}

_CREDENTIAL_HEADER = re.compile(r"authorization|cookie|token|secret|key|password|credential", re.IGNORECASE)
_AFTER_SCHEME = re.compile(r"^[A-Za-z]+ +(\S+)$")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# A key that the endpoint shows in part, its middle starred out: the rest is still more than a fingerprint.
_STARRED_KEY = re.compile(r"\b(?:sk|ak|org)-[^\s'\"<>]*\*[^\s'\"<>]*")
_CHARACTER_NAMES = {"\n": "a line feed", "\r": "a carriage return", "\t": "a tab", " ": "a space"}


class ProviderError(ClawdbotError):
    """A provider is described in a way that cannot be asked; the text names the provider and the field."""


@dataclass(frozen=True)
class Model:
    """A model as the provider block has it: its id, its context in tokens if declared, its own headers."""

    id: str
    context_window: int | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Provider:
    """Whom to ask, with which key, and what is expected of the answer.

    C(models) must be in the listing; C(unlisted) need not be, and only a chat proves them.
    """

    name: str
    base_url: str
    api: str = OPENAI
    api_key: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    models: tuple[Model, ...] = ()
    unlisted: tuple[Model, ...] = ()


@dataclass(frozen=True)
class Request:
    """One question. Equal requests get equal answers, so each is asked once. C(model) is whom a chat is for."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes | None = None
    model: str | None = None


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP: header names in lower case, the decompressed body, one of the defects or C(None)."""

    status: int
    reason: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    defect: str | None = None
    latency_ms: int = 0


class NoAnswer(NamedTuple):
    """Why there is no HTTP answer to judge: a key of C(_NO_ANSWER), who was talked to, what else was seen."""

    kind: str
    peer: str = ""
    detail: str = ""
    http_status: int | None = None


Outcome = Union[Answer, NoAnswer]


class Finding(NamedTuple):
    """What one outcome means.

    C(retry): waiting can help. C(refusal): it is about the model that was asked, not about the provider; C(unknown)
    when the endpoint says that there is no such model, else C(refused). C(advice): a key of the hints where the
    status has several.
    """

    status: str
    message: str
    http_status: int | None = None
    latency_ms: int | None = None
    retry: bool = False
    refusal: str | None = None
    advice: str | None = None


class Listing(NamedTuple):
    """The models that an endpoint lists: ids in its order, contexts in tokens where it tells them."""

    ids: tuple[str, ...]
    contexts: Mapping[str, int]
    has_more: bool
    http_status: int
    latency_ms: int


class Result(NamedTuple):
    """What is returned for a provider; the module documents each field."""

    name: str
    status: str
    http_status: int | None
    latency_ms: int | None
    listed: list[str]
    missing: list[str]
    suggestions: dict[str, list[str]]
    message: str
    hint: str
    warnings: list[str]
    key: str | None

    def as_result(self) -> EndpointInfo:
        """Return the fields as the module returns them."""
        return cast(EndpointInfo, self._asdict())


# Describing a provider


def parse_provider(raw: Mapping[str, object]) -> Provider:
    """The provider that one element of the module's C(providers) describes, its types already checked by Ansible.

    Raises ProviderError for what has no type in an argument spec: model entries and headers.
    """
    name = str(raw["name"])
    entries = [_parse_model(name, index, entry) for index, entry in enumerate(_items(raw.get("models")))]
    described = {model.id: model for model in entries}
    unlisted_ids = list(dict.fromkeys(str(item) for item in _items(raw.get("unlisted_models"))))
    return Provider(
        name=name,
        base_url=str(raw["base_url"]),
        api=str(raw.get("api") or OPENAI),
        api_key=str(raw.get("api_key") or ""),
        headers=_parse_headers(f"providers: {name}: headers", raw.get("headers")),
        models=tuple(model for model in described.values() if model.id not in unlisted_ids),
        unlisted=tuple(described.get(model_id, Model(model_id)) for model_id in unlisted_ids),
    )


def _items(value: object) -> list[object]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _parse_model(provider: str, index: int, entry: object) -> Model:
    where = f"providers: {provider}: models[{index}]"
    if isinstance(entry, str) and entry:
        return Model(entry)
    if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), str) or not entry["id"]:
        raise ProviderError(f"{where} must be a model id, or a mapping with a model id as its id")
    context = entry.get("contextWindow")
    return Model(
        id=str(entry["id"]),
        context_window=context if isinstance(context, int) and not isinstance(context, bool) else None,
        headers=_parse_headers(f"{where}: headers", entry.get("headers")),
    )


def _parse_headers(where: str, raw: object) -> tuple[tuple[str, str], ...]:
    if raw is None:
        return ()
    if not isinstance(raw, Mapping):
        raise ProviderError(f"{where} must be a mapping of header names to values")
    headers = []
    for name, value in raw.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ProviderError(f"{where}: {clean(str(name))!r} is not a header name")
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise ProviderError(f"{where}: the value of {name} must be a string")
        if _first_unsendable(str(value), also=" \t") is not None:
            # The value may be a credential, so the text does not show it.
            raise ProviderError(f"{where}: the value of {name} holds a character that a header cannot carry")
        headers.append((name, str(value)))
    return tuple(headers)


def _first_unsendable(text: str, also: str = "") -> int | None:
    """Where the first character is that a header value cannot carry, white space included but for those in C(also)."""
    for index, character in enumerate(text):
        control = ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0
        if character not in also and (control or character.isspace() or ord(character) > 0xFF):
            return index
    return None


def secrets_in(raw_providers: object) -> set[str]:
    """Every value in the module's C(providers), of whatever shape, that must not be shown.

    Those are keys, headers that by their name carry a credential, and a password in a base URL. The credential after
    a scheme (C(Bearer …)) counts by itself too, as an endpoint may echo it alone. What is no list of mappings may be
    anything.
    """
    if not isinstance(raw_providers, list):
        return {*texts(raw_providers)} - {""}
    secrets: set[str] = set()
    for raw in raw_providers:
        if not isinstance(raw, Mapping):
            secrets.update(texts(raw))
            continue
        secrets.add(str(raw.get("api_key") or ""))
        for user in re.findall(r"//([^/@]*)@", str(raw.get("base_url"))):
            secrets.add(user.partition(":")[2] or user)
        for described in (raw, *_items(raw.get("models"))):
            headers = described.get("headers") if isinstance(described, Mapping) else None
            for name, value in headers.items() if isinstance(headers, Mapping) else ():
                if _CREDENTIAL_HEADER.search(str(name)):
                    secrets.update((str(value), *_AFTER_SCHEME.findall(str(value))))
    return secrets - {""}


def clean(text: str, secrets: Iterable[str] = ()) -> str:
    """Foreign text, fit to be shown: secrets redacted, on one line, printable, not longer than a few lines."""
    text = _STARRED_KEY.sub("<redacted>", redact(text, secrets))
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}…"


# Before anything is sent


def refuse(provider: Provider, allow_insecure_http: bool) -> Finding | None:
    """Why the provider must not be asked at all, or C(None)."""
    if not provider.api_key:
        return Finding("key_missing", "there is no API key")
    where = _first_unsendable(provider.api_key)
    if where is not None:
        character = provider.api_key[where]
        what = _CHARACTER_NAMES.get(character) or (
            "white space"
            if character.isspace()
            else "not of Latin-1"
            if ord(character) > 0xFF
            else "a control character"
        )
        position = f"character {where + 1} of {len(provider.api_key)}"
        return Finding("key_malformed", f"{position} of the API key is {what}: no HTTP header can carry that")
    problem = base_url_problem(provider.base_url)
    if problem:
        return Finding("wrong_base_url", f"base_url {problem}; nothing was sent", advice="base_url_form")
    url = urllib.parse.urlsplit(provider.base_url)
    if url.scheme == "http" and not is_loopback(url.hostname or "") and not allow_insecure_http:
        return Finding("insecure_url", f"base_url is http://, so the key would travel to {url.netloc} in clear text")
    return None


def base_url_problem(base_url: str) -> str | None:
    """What makes a text no base URL: a clause to follow "base_url", or C(None). Never shows any of the text."""
    if any(not "\x20" < character < "\x7f" for character in base_url):
        return "holds a character that a URL cannot hold as it is"
    try:
        url = urllib.parse.urlsplit(base_url)
        port = url.port
    except ValueError:
        return "is not a URL"
    if url.scheme not in ("http", "https"):
        return "starts with neither http:// nor https://"
    if "@" in url.netloc:
        return "holds a user name or password, which belongs in api_key or headers"
    if not url.hostname or port == 0:
        return "names no host that could be asked"
    if "?" in base_url or "#" in base_url:
        return "holds a query or a fragment, to which no path can be added"
    return None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, without asking any resolver."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of a URL. Raises ValueError if it is none."""
    parts = urllib.parse.urlsplit(url)
    port = parts.port if parts.port is not None else {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


def redirect_target(url: str, method: str, status: int, location: str | None) -> str | NoAnswer | None:
    """Where a redirect leads that may be followed; an outcome where it may not; C(None) for what is no redirect.

    The key stays with the origin that it was meant for. A chat is not followed where that would turn it into a GET.
    """
    if status not in (301, 302, 303, 307, 308) or not location:
        return None
    try:
        target = urllib.parse.urljoin(url, location)
        scheme, host, port = origin(target)
    except ValueError:
        return NoAnswer("redirect", detail="something that is not a URL", http_status=status)
    parts = urllib.parse.urlsplit(target)
    same_method = method == "GET" or status in (307, 308)
    if (scheme, host, port) == origin(url) and "@" not in parts.netloc and same_method:
        return target
    # Neither a user name nor a query is shown: both can hold what is secret.
    netloc = parts.netloc.rpartition("@")[2]
    return NoAnswer("redirect", detail=f"{parts.scheme}://{netloc}{parts.path}", http_status=status)


# Questions


def listing_request(provider: Provider, user_agent: str) -> Request:
    """The question which models there are.

    C(user_agent) is sent if the provider has none of its own. Anthropic's protocol lists below C(/v1) with
    C(x-api-key); Kimi Code documents the listing of its Anthropic-style base with C(Authorization), so both are sent
    there.
    """
    own: list[tuple[str, str]] = [("User-Agent", user_agent), ("Authorization", f"Bearer {provider.api_key}")]
    path = "models"
    if provider.api == ANTHROPIC:
        own += [("X-Api-Key", provider.api_key), ("Anthropic-Version", _ANTHROPIC_VERSION)]
        path = "v1/models"
    return Request("GET", _below(provider.base_url, path), _merge_headers(own, provider.headers))


def chat_request(provider: Provider, model: Model, user_agent: str) -> Request:
    """The smallest question that a model can answer: one token, asked as the product asks."""
    question = {"model": model.id, "messages": [{"role": "user", "content": "test"}], "max_tokens": 1, "stream": False}
    own: list[tuple[str, str]] = [("User-Agent", user_agent), ("Content-Type", "application/json")]
    if provider.api == ANTHROPIC:
        path = "v1/messages"
        own += [("X-Api-Key", provider.api_key), ("Anthropic-Version", _ANTHROPIC_VERSION)]
    else:
        path = "chat/completions"
        own += [("Authorization", f"Bearer {provider.api_key}")]
    headers = _merge_headers(own, provider.headers, model.headers)
    return Request("POST", _below(provider.base_url, path), headers, json.dumps(question).encode(), model.id)


def _below(base_url: str, path: str) -> str:
    return f"{base_url.rstrip('/')}/{path}"


def _merge_headers(*layers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """One value a name, whatever its case: a later layer wins, as it does in the product's client."""
    merged = {name.lower(): (name, value) for layer in layers for name, value in layer}
    return tuple(merged.values())


# Answers


class _Seen(NamedTuple):
    status: str
    text: str
    retry: bool = False


_NO_ANSWER: Mapping[str, _Seen] = {
    "dns": _Seen("dns_error", "the name {peer} cannot be resolved"),
    "dns_again": _Seen("dns_error", "the name {peer} cannot be resolved", retry=True),
    "refused": _Seen("connection_refused", "{peer} refused the connection", retry=True),
    "unreachable": _Seen("connection_refused", "there is no way to {peer}: {detail}", retry=True),
    "proxy_refused": _Seen("connection_refused", "{peer} refused to connect to the endpoint: {detail}"),
    "proxy_failed": _Seen("server_error", "{peer} could not connect to the endpoint: {detail}", retry=True),
    "proxy_cleartext": _Seen("insecure_url", "base_url is http://, so the key would travel to {peer} in clear text"),
    "connect_timeout": _Seen("timeout", "no connection to {peer} within {detail} s", retry=True),
    "answer_timeout": _Seen("timeout", "{url} was connected to, but did not answer within {detail} s", retry=True),
    "body_timeout": _Seen("timeout", "{url} began to answer, but did not end within {detail} s", retry=True),
    "dropped": _Seen("server_error", "{url} closed the connection without an answer", retry=True),
    "not_http": _Seen("not_an_api", "{peer} does not speak HTTP"),
    "garbled": _Seen("invalid_response", "{url} answered in a way that is not valid HTTP: {detail}"),
    "redirect": _Seen("redirect_refused", "{url} redirects to {detail}: not followed"),
    "redirect_loop": _Seen("redirect_refused", "{url} redirects again and again, at last to {detail}"),
    "tls_name": _Seen("tls_error", "the certificate of {peer} is for another name"),
    "tls_expired": _Seen("tls_error", "the certificate of {peer} has expired"),
    "tls_not_yet_valid": _Seen("tls_error", "the certificate of {peer} is not valid yet"),
    "tls_issuer": _Seen("tls_error", "the certificate of {peer} is signed by an authority that is not trusted here"),
    "tls_certificate": _Seen("tls_error", "the certificate of {peer} cannot be verified: {detail}"),
    "tls_plain": _Seen("tls_error", "{peer} does not speak TLS"),
    "tls": _Seen("tls_error", "no TLS connection to {peer} came about: {detail}"),
}


class _Rule(NamedTuple):
    """What an HTTP error means: the first rule that fits counts.

    C(words): one of them is in the error's type or text. C(api): the body is an API error (C({"error": {…}})), or is
    not. C(chat): the question was one for a model.
    """

    codes: Iterable[int]
    status: str
    words: tuple[str, ...] = ()
    api: bool | None = None
    chat: bool | None = None
    retry: bool = False
    refusal: str | None = None
    advice: str | None = None

    def fits(self, code: int, words: str, api: bool, chat: bool) -> bool:
        """Whether the rule is for such an answer."""
        return (
            code in self.codes
            and (not self.words or any(word in words for word in self.words))
            and self.api in (None, api)
            and self.chat in (None, chat)
        )


_QUOTA_WORDS = ("quota", "usage limit", "balance", "billing", "insufficient", "credit")

_RULES: Sequence[_Rule] = (
    _Rule(
        (401,), "model_unusable", words=("model id does not exist", "recognized as other"), chat=True, refusal="unknown"
    ),
    _Rule((401,), "unauthorized"),
    # Kimi Code answers 403 for three reasons that only the text tells apart.
    _Rule((402, 403), "membership_required", words=("membership",)),
    _Rule((429,), "rate_limited", words=("rate_limit_reached",), retry=True),
    _Rule((402, 403, 429), "quota_exhausted", words=_QUOTA_WORDS),
    _Rule((402,), "membership_required"),
    _Rule((403,), "client_not_admitted", words=("coding agent", "user-agent", "user agent")),
    _Rule((403,), "model_unusable", api=True, chat=True, refusal="refused"),
    _Rule((403,), "unauthorized", api=True),
    _Rule((404,), "model_unusable", api=True, chat=True, refusal="unknown"),
    _Rule((404, 405, 410, 501), "wrong_base_url"),
    _Rule((407,), "connection_refused", advice="proxy_refused"),
    _Rule((408,), "timeout", retry=True),
    _Rule((429,), "rate_limited", retry=True),
    _Rule(range(500, 600), "server_error", retry=True),
    _Rule(range(400, 500), "model_unusable", api=True, chat=True, refusal="refused"),
    _Rule(range(400, 500), "invalid_response", api=True),
    _Rule(range(400, 500), "not_an_api"),
    _Rule(range(1000), "invalid_response"),
)


def sound(outcome: Outcome, request: Request, secrets: Iterable[str]) -> Answer | Finding:
    """An outcome that is a whole JSON answer with status 200, as it is; of any other, what is wrong with it."""
    if isinstance(outcome, NoAnswer):
        seen = _NO_ANSWER[outcome.kind]
        message = seen.text.format(url=request.url, peer=outcome.peer, detail=outcome.detail)
        return Finding(
            seen.status, clean(message, secrets), outcome.http_status, None, retry=seen.retry, advice=outcome.kind
        )
    if outcome.status == 200:
        return _body_defect(outcome, request, secrets) or outcome
    error = _api_error(outcome.body)
    words = "" if _is_html(outcome) else _decode(outcome.body).lower()
    if error:
        words = " ".join(error).lower()
    chat = request.model is not None
    rule = next(rule for rule in _RULES if rule.fits(outcome.status, words, error is not None, chat))
    text = (error and (error[1] or error[0])) or _show_body(outcome, secrets)
    message = f"{request.url} answered {outcome.status}: {text}"
    asked_to_wait = outcome.headers.get("retry-after", "")
    if rule.retry and re.fullmatch(r"[0-9]{1,6}", asked_to_wait):
        message = f"{message} (it asks to wait {asked_to_wait} s)"
    return Finding(
        rule.status,
        clean(message, secrets),
        outcome.status,
        outcome.latency_ms,
        retry=rule.retry,
        refusal=rule.refusal,
        advice=rule.advice,
    )


def _body_defect(answer: Answer, request: Request, secrets: Iterable[str]) -> Finding | None:
    """Why the body of an answer with status 200 is not JSON that one can read, or C(None)."""
    start = answer.body.lstrip()[:1]
    if answer.defect == TOO_LONG:
        return _unreadable(answer, request, "with more data than a list of models or a chat of one token can be")
    if answer.defect == UNKNOWN_ENCODING:
        return _unreadable(answer, request, "in a content encoding that cannot be read")
    if answer.defect == CUT_SHORT:
        return _unreadable(answer, request, "and broke off before the end", retry=True)
    if not start:
        return _unreadable(answer, request, "with an empty body")
    if _is_html(answer) or start not in b"{[":
        message = clean(f"{request.url} answered 200: {_show_body(answer, secrets)}", secrets)
        # A bare JSON scalar is an answer of the wrong shape; anything else that is not JSON is no API's answer.
        if _is_html(answer) or _parse_json(answer.body) is _NOT_JSON:
            return Finding("not_an_api", message, 200, answer.latency_ms)
        return _unreadable(answer, request, "with JSON of another shape")
    if _parse_json(answer.body) is _NOT_JSON:
        return _unreadable(answer, request, "with JSON that is cut short or broken")
    return None


def _unreadable(answer: Answer, request: Request, how: str, retry: bool = False) -> Finding:
    message = f"{request.url} answered {answer.status} {how}"
    return Finding("invalid_response", message, answer.status, answer.latency_ms, retry=retry)


def read_listing(outcome: Outcome, request: Request, secrets: Iterable[str]) -> Listing | Finding:
    """The listing that an outcome holds, or why it holds none. Relies on C(data[].id) alone."""
    answer = sound(outcome, request, secrets)
    if isinstance(answer, Finding):
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
    # JSON's true and false are integers to Python.
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


def read_chat(outcome: Outcome, request: Request, api: str, secrets: Iterable[str]) -> Finding:
    """Whether an outcome is the answer of a model. Its text may be empty: one token can be all thought."""
    answer = sound(outcome, request, secrets)
    if isinstance(answer, Finding):
        return answer
    document = _parse_json(answer.body)
    answered = isinstance(document, dict) and document.get("content" if api == ANTHROPIC else "choices")
    if api == ANTHROPIC:
        proven = isinstance(document, dict) and document.get("type") == "message" and isinstance(answered, list)
    else:
        proven = isinstance(answered, list) and bool(answered) and all(isinstance(choice, dict) for choice in answered)
    if not proven:
        return _unreadable(answer, request, "with JSON that is not a chat completion")
    return Finding("ok", f"{request.model} answered", answer.status, answer.latency_ms)


_NOT_JSON = object()


def _parse_json(body: bytes) -> object:
    try:
        return json.loads(_decode(body), parse_int=_parse_int)
    except (ValueError, RecursionError):
        return _NOT_JSON


def _parse_int(digits: str) -> object:
    # Turning a million digits into an int takes minutes; no number of an endpoint has that many.
    return int(digits) if len(digits) <= 18 else digits


def _decode(body: bytes) -> str:
    return body.decode("utf-8-sig", "replace")


def _api_error(body: bytes) -> tuple[str, str] | None:
    """Type and text of an API's error body, C({"error": {"message", "type", …}}), or C(None)."""
    document = _parse_json(body)
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return None
    return str(error.get("type") or ""), str(error.get("message") or "")


def _is_html(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "").lower() or answer.body.lstrip().startswith(b"<")


def _show_body(answer: Answer, secrets: Iterable[str]) -> str:
    if _is_html(answer):
        title = re.search(r"<title[^>]*>([^<]*)", _decode(answer.body), re.IGNORECASE)
        text = clean(title.group(1), secrets) if title else ""
        return f'an HTML page, "{text}"' if text else "an HTML page"
    return clean(_decode(answer.body), secrets) or "with an empty body"


# Waiting


def wait_before_retry(
    finding: Finding, outcome: Outcome, *, attempt: int, retries: int, waited: float, jitter: float, now: float
) -> float | None:
    """Seconds to wait before the same question is asked again, or C(None) if it is not worth it.

    C(attempt) counts from 1; C(waited) are the seconds waited so far; C(jitter) is random between 0 and 1, so that
    hosts which failed together do not come back together; C(now) is seconds since 1970. Waits grow, and are at least
    what the endpoint asks for. One that asks for more than half a minute is not asked again: coming earlier would not
    help.
    """
    if not finding.retry or attempt > retries:
        return None
    wait = min(_FIRST_WAIT * 2.0 ** min(attempt - 1, 10), _LONGEST_WAIT) * (1 + jitter)
    asked_for = _retry_after(outcome, now)
    if asked_for is not None:
        if asked_for > _MAX_RETRY_AFTER:
            return None
        wait = max(wait, asked_for + jitter)
    return wait if waited + wait <= _MAX_WAITED else None


def _retry_after(outcome: Outcome, now: float) -> float | None:
    """Seconds that an answer asks to wait: by its header C(Retry-After), or in the words of Moonshot's rate limit."""
    if isinstance(outcome, NoAnswer):
        return None
    value = outcome.headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    if value:
        try:
            return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now)
        except (ValueError, TypeError, OverflowError, IndexError):
            pass
    error = _api_error(outcome.body)
    in_words = re.search(r"try again after ([0-9]{1,9}) second", error[1]) if error else None
    return float(in_words.group(1)) if in_words else None


# Conclusions


def models_to_chat(provider: Provider, listing: Listing) -> list[Model]:
    """The models that a chat probe asks: all but those that the listing has already shown to be missing."""
    return [*(model for model in provider.models if model.id in listing.ids), *provider.unlisted]


def conclude_fault(provider: Provider, finding: Finding) -> Result:
    """The result for a provider that gave no listing."""
    return _result(provider, finding, _hint(provider, finding))


def conclude(
    provider: Provider, listing: Listing, chats: Mapping[str, Finding] | None, secrets: Iterable[str]
) -> Result:
    """The result for a provider that gave its listing, and maybe answered chats.

    C(chats) has what each model answered, in the order asked, up to and including the first answer that is about the
    whole provider; it is C(None) where no chat was wanted. What is about the provider comes before a missing model,
    and that before an unusable one.
    """
    listed = [clean(model_id, secrets) for model_id in listing.ids]
    missing = [model.id for model in provider.models if model.id not in listing.ids]
    answers = chats or {}
    unlisted = {model.id for model in provider.unlisted}
    missing += [m for m, finding in answers.items() if finding.refusal == "unknown" and m not in listing.ids]
    unusable = {m: finding for m, finding in answers.items() if finding.refusal and m not in missing}
    whole = next((finding for finding in answers.values() if finding.status != "ok" and not finding.refusal), None)
    suggestions = {model_id: nearest(model_id, listed) for model_id in missing}

    if whole:
        finding = whole._replace(message=f"the endpoint gave its listing, but {whole.message}")
        hint = _hint(provider, whole)
    elif missing and listing.has_more and not unlisted.issuperset(missing):
        message = f"the listing is only a first page, without: {', '.join(missing)}"
        finding = Finding("invalid_response", message, listing.http_status, listing.latency_ms, advice="first_page")
        hint = _hint(provider, finding)
    elif missing:
        parts = [_missing_message(missing, unlisted, answers), *_unusable_messages(unusable)]
        finding = Finding("model_missing", "; ".join(parts), listing.http_status, listing.latency_ms)
        hint = _missing_hint(provider, suggestions, listed)
    elif unusable:
        first = next(iter(unusable.values()))
        message = "; ".join(_unusable_messages(unusable))
        finding = Finding("model_unusable", message, first.http_status, first.latency_ms)
        hint = _hint(provider, finding)
    else:
        slowest = max([finding.latency_ms or 0 for finding in answers.values()], default=listing.latency_ms)
        finding = Finding("ok", _ok_message(provider, listing, chats), listing.http_status, slowest)
        hint = "Use probe=chat to check the models that are not listed." if provider.unlisted and chats is None else ""
    return _result(
        provider,
        finding,
        hint,
        listed=listed,
        missing=missing,
        suggestions=suggestions,
        warnings=_context_warnings(provider, listing),
    )


def _result(
    provider: Provider,
    finding: Finding,
    hint: str,
    *,
    listed: list[str] | None = None,
    missing: list[str] | None = None,
    suggestions: dict[str, list[str]] | None = None,
    warnings: list[str] | None = None,
) -> Result:
    return Result(
        name=provider.name,
        status=finding.status,
        http_status=finding.http_status,
        latency_ms=finding.latency_ms,
        listed=listed or [],
        missing=missing or [],
        suggestions=suggestions or {},
        message=finding.message,
        hint=hint,
        warnings=warnings or [],
        key=fingerprint(provider.api_key) if provider.api_key else None,
    )


def nearest(model_id: str, listed: Sequence[str]) -> list[str]:
    """Up to three listed ids that look like the given one, the likeliest first; case does not matter."""
    spelled = {candidate.lower(): candidate for candidate in reversed(listed)}
    return [spelled[match] for match in difflib.get_close_matches(model_id.lower(), list(spelled), n=3, cutoff=0.6)]


def _missing_message(missing: Sequence[str], unlisted: Iterable[str], answers: Mapping[str, Finding]) -> str:
    refused = [model_id for model_id in missing if model_id in unlisted]
    parts = [f"not listed: {', '.join(m for m in missing if m not in refused)}"] if len(refused) < len(missing) else []
    parts += [f"{model_id} is neither listed nor accepted: {answers[model_id].message}" for model_id in refused]
    return "; ".join(parts)


def _unusable_messages(unusable: Mapping[str, Finding]) -> list[str]:
    return [f"{model_id} cannot be used: {finding.message}" for model_id, finding in unusable.items()]


def _ok_message(provider: Provider, listing: Listing, chats: Mapping[str, Finding] | None) -> str:
    names = ", ".join(model.id for model in provider.models)
    message = f"listed: {names}" if names else f"the key is accepted; {len(listing.ids)} models are listed"
    if chats:
        message = f"{message}; answered: {', '.join(chats)}"
    if provider.unlisted and chats is None:
        message = f"{message}; not checked, as only a chat proves them: {', '.join(m.id for m in provider.unlisted)}"
    return message


def _context_warnings(provider: Provider, listing: Listing) -> list[str]:
    return [
        f"{model.id}: contextWindow is {model.context_window}, but the endpoint's context_length is"
        f" {listing.contexts[model.id]}: longer conversations will fail"
        for model in (*provider.models, *provider.unlisted)
        if model.context_window is not None
        and model.context_window > listing.contexts.get(model.id, model.context_window)
    ]


# Hints

_HINTS: Mapping[str, str] = {
    "key_missing": "Set api_key of {name} from a vaulted variable.",
    "key_malformed": "Store the key again: one line, without quotes, spaces or a line break at its end.",
    "client_not_admitted": (
        "Kimi Code admits the User-Agent of known coding agents only, and {user_agent}. Set User-Agent in the"
        " headers of the provider block."
    ),
    "membership_required": "The key is right, its account is not: renew or buy the membership ({console}).",
    "quota_exhausted": (
        "Trying again does not help: top up the account, or wait for its next billing period ({console})."
    ),
    "rate_limited": (
        "Ask less often: low tiers allow 3 requests a minute for a whole organisation, so let one host ask for"
        " all, or raise the account's tier ({console})."
    ),
    "model_unusable": (
        "The account's plan may not include the model, or the model does not take this API: choose another of the"
        " listed models, or ask the vendor."
    ),
    "not_an_api": (
        "Something in between, such as a captive portal or a proxy, answers in place of the API, or base_url is"
        " that of a web site: check base_url, and the proxy settings of the host that asks."
    ),
    "invalid_response": (
        "Something in between may have changed the answer, or base_url is that of another kind of service: check"
        " base_url, and the proxy settings of the host that asks."
    ),
    "first_page": (
        "The endpoint lists its models in pages, which this module does not turn: declare the models in"
        " unlisted_models and use probe=chat."
    ),
    "redirect_refused": (
        "The key goes to the configured host only. If that target is right, put it into base_url; if you do not"
        " know it, a captive portal or a proxy is in between."
    ),
    "insecure_url": "Use https://, or set allow_insecure_http=true on a network that you trust with the key.",
    "tls_error": (
        "Something in between may intercept TLS: its authority's certificate goes into ca_path. Check base_url, too."
    ),
    "tls_name": "Check the host in base_url, and whether a proxy or a DNS entry leads elsewhere.",
    "tls_expired": (
        "Check the clock of the host that asks; if it is right, the endpoint's owner has to renew the certificate."
    ),
    "tls_not_yet_valid": "Check the clock of the host that asks.",
    "tls_issuer": (
        "If a proxy of your own inspects TLS, or the endpoint is your own, give its authority's certificate as"
        " ca_path; otherwise install the CA certificates on the host that asks."
    ),
    "tls_plain": "Check the scheme and the port in base_url.",
    "dns_error": "Check the host in base_url, and the DNS and proxy settings of the host that asks.",
    "connection_refused": (
        "Check host and port in base_url, and whether a firewall or a proxy (HTTPS_PROXY, NO_PROXY) is in the way."
    ),
    "proxy_refused": (
        "The proxy wants a login or does not allow the host: check HTTPS_PROXY, or add the host to NO_PROXY."
    ),
    "timeout": "Check the network, firewall and proxy in between, or raise timeout.",
    "server_error": "The endpoint, or a proxy in between, has a problem of its own: try again later.",
}


def _hint(provider: Provider, finding: Finding) -> str:
    host = _host(provider)
    if finding.status == "unauthorized":
        return _unauthorized_hint(provider, host)
    if finding.status == "wrong_base_url":
        return _base_url_hint(provider, host, finding)
    agents = [value for name, value in provider.headers if name.lower() == "user-agent"]
    return _HINTS.get(finding.advice or "", _HINTS.get(finding.status, "")).format(
        name=provider.name,
        console=_CONSOLES.get(host, f"the console of {host}"),
        user_agent="the configured one is not among them" if agents else "no User-Agent is configured",
    )


def _host(provider: Provider) -> str:
    try:
        return urllib.parse.urlsplit(provider.base_url).hostname or ""
    except ValueError:
        return ""


def _unauthorized_hint(provider: Provider, host: str) -> str:
    if host == "api.kimi.com":
        return (
            "Kimi Code takes keys of its own only (kimi.com/code/console): a key of platform.moonshot.cn or"
            " platform.moonshot.ai is not valid there."
        )
    if host not in _MOONSHOT_HOSTS:
        return f"Check on the console of {host} that the key is valid, and that it was made for this host."
    if provider.api_key.startswith("sk-kimi-"):
        return (
            "The key starts with sk-kimi-, so it belongs to Kimi Code: its base URL is https://api.kimi.com/coding/v1."
        )
    other = _MOONSHOT_HOSTS[host]
    return (
        f"The key may be revoked, or belong to the other platform (base URL https://{other}/v1) or to Kimi Code"
        f" (https://api.kimi.com/coding/v1). Keys for {host} are made at {_CONSOLES[host]}."
    )


def _base_url_hint(provider: Provider, host: str, finding: Finding) -> str:
    if finding.advice == "base_url_form":
        return "Write base_url as https://host/path, such as https://api.moonshot.cn/v1."
    base_url = provider.base_url.rstrip("/")
    versioned = re.search(r"/v[0-9]+$", base_url)
    if provider.api == ANTHROPIC:
        if versioned:
            return "With api=anthropic-messages, base_url ends before /v1, which is added: leave it out."
        return "With api=anthropic-messages, the models are listed at /v1/models below base_url: check its path."
    if host == "api.kimi.com":
        return (
            "The base URL of Kimi Code is https://api.kimi.com/coding/v1. Its Anthropic-style base"
            " https://api.kimi.com/coding/ lists its models at /v1/models below it, and needs api=anthropic-messages."
        )
    if not versioned:
        return (
            f"base_url does not end in /v1: try {base_url}/v1. If it is an Anthropic-style base, its models are listed"
            " at /v1/models below it: set api=anthropic-messages."
        )
    return "Check the path of base_url: the models must be listed at /models below it."


def _missing_hint(provider: Provider, suggestions: Mapping[str, Sequence[str]], listed: Sequence[str]) -> str:
    parts = [f"{model_id}: did you mean {near[0]}?" for model_id, near in suggestions.items() if near]
    if len(parts) < len(suggestions):
        shown = ", ".join(listed[:10]) or "no model"
        more = f" and {len(listed) - 10} more" if len(listed) > 10 else ""
        parts.append(f"{_host(provider)} lists {shown}{more} for this key.")
    parts.append("A model that is accepted without being listed belongs in unlisted_models.")
    return " ".join(parts)


# The text of a failure


def failure_text(results: Sequence[Result]) -> str:
    """All providers as a table, then what was seen and what to do for each that is not ok."""
    bad = [result for result in results if result.status != "ok"]
    rows = [("PROVIDER", "STATUS", "HTTP", "MS", "LISTED", "MISSING")]
    rows += [
        (
            result.name,
            result.status,
            "-" if result.http_status is None else str(result.http_status),
            "-" if result.latency_ms is None else str(result.latency_ms),
            str(len(result.listed)),
            ", ".join(result.missing) or "-",
        )
        for result in results
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"{len(bad)} of {len(results)} providers failed the check.", ""]
    lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    for result in bad:
        lines += ["", f"{result.name}: {result.message}", f"  -> {result.hint}"]
    return "\n".join(lines)
