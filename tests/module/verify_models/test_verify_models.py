# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module verify_models as a whole, against real sockets: one row for each fault that an endpoint can have."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints import client, transport
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.modules import verify_models
from ansible_collections.clawfleet.clawdbot.tests.module.verify_models.raw_server import (
    Behaviour,
    RawServer,
    Received,
    answer,
    error,
    json_answer,
    listing,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

KEY = "sk-0123456789abcdefghij"
FINGERPRINT = fingerprint(KEY)

CHECK_URL = (
    "Something in between, such as a captive portal or a proxy, answers in place of the API, or base_url is that of a"
    " web site: check base_url, and the proxy settings of the host that asks."
)
CHECK_ANSWER = (
    "Something in between may have changed the answer, or base_url is that of another kind of service: check base_url,"
    " and the proxy settings of the host that asks."
)
CHECK_PATH = "Check the path of base_url: the models must be listed at /models below it."
CHECK_KEY = "Check on the console of 127.0.0.1 that the key is valid, and that it was made for this host."
BUY = "The key is right, its account is not: renew or buy the membership (the console of 127.0.0.1)."
TOP_UP = (
    "Trying again does not help: top up the account, or wait for its next billing period (the console of 127.0.0.1)."
)
ASK_LESS = (
    "Ask less often: low tiers allow 3 requests a minute for a whole organisation, so let one host ask for all, or"
    " raise the account's tier (the console of 127.0.0.1)."
)
ADMIT = (
    "Kimi Code admits the User-Agent of known coding agents only, and {}. Set User-Agent in the headers of the provider"
    " block."
)
LATER = "The endpoint, or a proxy in between, has a problem of its own: try again later."
LONGER = "Check the network, firewall and proxy in between, or raise timeout."
REDIRECT = (
    "The key goes to the configured host only. If that target is right, put it into base_url; if you do not know it, a"
    " captive portal or a proxy is in between."
)
CONNECTION = "Check host and port in base_url, and whether a firewall or a proxy (HTTPS_PROXY, NO_PROXY) is in the way."
LOGIN = "The proxy wants a login or does not allow the host: check HTTPS_PROXY, or add the host to NO_PROXY."
DNS = "Check the host in base_url, and the DNS and proxy settings of the host that asks."
URL_FORM = "Write base_url as https://host/path, such as https://api.moonshot.cn/v1."
STORE_AGAIN = "Store the key again: one line, without quotes, spaces or a line break at its end."
USE_HTTPS = "Use https://, or set allow_insecure_http=true on a network that you trust with the key."
UNLISTED = "A model that is accepted without being listed belongs in unlisted_models."
OTHER_MODEL = (
    "The account's plan may not include the model, or the model does not take this API: choose another of the listed"
    " models, or ask the vendor."
)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def run(capsys: Any, *providers: Mapping[str, object], **arguments: object) -> tuple[int, dict[str, Any], str]:
    """Exit code, result and everything printed by one run of the module."""
    whole = {"providers": list(providers), "retries": 0, "timeout": 5, **arguments}
    capsys.readouterr()
    with patch_module_args(whole), pytest.raises(SystemExit) as leaving:
        verify_models.main()
    printed = capsys.readouterr()
    return int(leaving.value.code or 0), json.loads(printed.out), printed.out + printed.err


def provider(server: RawServer, scheme: str = "http", **more: object) -> dict[str, object]:
    """A provider at the server that wants kimi-k2.5."""
    described = {"name": "moonshot", "base_url": f"{scheme}://{server.netloc}/v1", "api_key": KEY}
    return {**described, "models": ["kimi-k2.5"], **more}


def only(result: dict[str, Any]) -> dict[str, Any]:
    """The only provider of a result, without its latency."""
    (found,) = result["providers"]
    assert found["latency_ms"] is None or found["latency_ms"] >= 0
    return {name: value for name, value in found.items() if name != "latency_ms"}


def expected(status: str, http_status: int | None, message: str, hint: str, **more: object) -> dict[str, object]:
    """A provider's result where nothing is listed or missing."""
    rest = {"listed": [], "missing": [], "suggestions": {}, "warnings": [], "key": FINGERPRINT}
    found = {"name": "moonshot", "status": status, "http_status": http_status, "message": message, "hint": hint}
    return {**found, **rest, **more}


# Behaviours that are more than bytes


def says_nothing(connection: socket.socket, _request: Received) -> None:
    connection.recv(1)


def resets(connection: socket.socket, _request: Received) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def redirects_with_a_password(connection: socket.socket, request: Received) -> None:
    connection.sendall(answer(307, b"", f"Location: http://me:hunter2@{request.headers['host']}{request.target}"))


def drips(before: bytes, drop: bytes) -> Behaviour:
    def drip(connection: socket.socket, _request: Received) -> None:
        connection.sendall(before)
        while True:
            connection.sendall(drop)
            time.sleep(0.05)

    return drip


def never_ends(before: bytes, more: bytes) -> Behaviour:
    def pour(connection: socket.socket, _request: Received) -> None:
        connection.sendall(before)
        while True:
            connection.sendall(more)

    return pour


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CUT = HEAD + b'Content-Length: 400\r\n\r\n{"data": [{"id": "kimi-k2.5"}]}'
ZIPPED = gzip.compress(json.dumps({"data": [{"id": "kimi-k2.5"}]}).encode())
ACCOUNT = "org-5d41402abc4b2a76<ak-b9719d911017c592>"


@dataclass(frozen=True)
class Fault:
    """What a listing answers, and what the module must say: C({url}) is the listing's, C({peer}) its host and port."""

    behaviour: Behaviour
    status: str
    http_status: int | None
    message: str
    hint: str
    provider: Mapping[str, object] = field(default_factory=dict)


KIMI_403 = "Kimi For Coding is currently only available for Coding Agents such as Kimi CLI, Claude Code"
FAULTS: Mapping[str, Fault] = {
    # 401
    "invalid key": Fault(
        error(401, "invalid_authentication_error", "Invalid Authentication"),
        "unauthorized",
        401,
        "{url} answered 401: Invalid Authentication",
        CHECK_KEY,
    ),
    "key is echoed": Fault(
        error(401, "incorrect_api_key_error", f"Incorrect API key provided: {KEY}, also sk-01***ghij"),
        "unauthorized",
        401,
        f"{{url}} answered 401: Incorrect API key provided: <{FINGERPRINT}>, also <redacted>",
        CHECK_KEY,
    ),
    "401 without a text": Fault(
        json_answer(401, {"error": {"type": "auth"}}), "unauthorized", 401, "{url} answered 401: auth", CHECK_KEY
    ),
    "401 with nothing": Fault(
        answer(401, b""), "unauthorized", 401, "{url} answered 401: with an empty body", CHECK_KEY
    ),
    # 402, 403
    "membership": Fault(
        error(402, "x", "unable to verify your membership benefits"),
        "membership_required",
        402,
        "{url} answered 402: unable to verify your membership benefits",
        BUY,
    ),
    "membership by 403": Fault(
        error(403, "access_terminated_error", "Your membership has ended"),
        "membership_required",
        403,
        "{url} answered 403: Your membership has ended",
        BUY,
    ),
    "402 of another kind": Fault(
        error(402, "x", "Pay first"), "membership_required", 402, "{url} answered 402: Pay first", BUY
    ),
    "balance": Fault(
        error(402, "x", "Insufficient Balance"),
        "quota_exhausted",
        402,
        "{url} answered 402: Insufficient Balance",
        TOP_UP,
    ),
    "usage limit": Fault(
        error(403, "access_terminated_error", "You've reached your usage limit for this billing cycle"),
        "quota_exhausted",
        403,
        "{url} answered 403: You've reached your usage limit for this billing cycle",
        TOP_UP,
    ),
    "no agent": Fault(
        error(403, "access_terminated_error", KIMI_403),
        "client_not_admitted",
        403,
        f"{{url}} answered 403: {KIMI_403}",
        ADMIT.format("no User-Agent is configured"),
    ),
    "unknown agent": Fault(
        error(403, "access_terminated_error", KIMI_403),
        "client_not_admitted",
        403,
        f"{{url}} answered 403: {KIMI_403}",
        ADMIT.format("the configured one is not among them"),
        {"headers": {"user-agent": "curl/8"}},
    ),
    "403 of another kind": Fault(
        error(403, "permission_denied_error", "not open to you"),
        "unauthorized",
        403,
        "{url} answered 403: not open to you",
        CHECK_KEY,
    ),
    "403 page": Fault(
        answer(403, b"<html><title>Forbidden by policy</title>quota</html>"),
        "not_an_api",
        403,
        '{url} answered 403: an HTML page, "Forbidden by policy"',
        CHECK_URL,
    ),
    # 404
    "no /v1": Fault(
        json_answer(404, {"code": 5, "error": "url.not_found", "message": "no such url"}),
        "wrong_base_url",
        404,
        '{url} answered 404: {{"code": 5, "error": "url.not_found", "message": "no such url"}}',
        "base_url does not end in /v1: try http://{peer}/api/v1. If it is an Anthropic-style base, its models are"
        " listed at /v1/models below it: set api=anthropic-messages.",
        {"base_url": "http://{peer}/api/"},
    ),
    "404 below /v1": Fault(
        answer(404, b"<h1>Not Found</h1>", "Content-Type: text/html"),
        "wrong_base_url",
        404,
        "{url} answered 404: an HTML page",
        CHECK_PATH,
    ),
    "404 in the API's words": Fault(
        error(404, "resource_not_found_error", "no route"),
        "wrong_base_url",
        404,
        "{url} answered 404: no route",
        CHECK_PATH,
    ),
    "anthropic below /v1": Fault(
        answer(404, b""),
        "wrong_base_url",
        404,
        "http://{peer}/v1/v1/models answered 404: with an empty body",
        "With api=anthropic-messages, base_url ends before /v1, which is added: leave it out.",
        {"api": "anthropic-messages"},
    ),
    "anthropic elsewhere": Fault(
        answer(404, b""),
        "wrong_base_url",
        404,
        "http://{peer}/coding/v1/models answered 404: with an empty body",
        "With api=anthropic-messages, the models are listed at /v1/models below base_url: check its path.",
        {"api": "anthropic-messages", "base_url": "http://{peer}/coding/"},
    ),
    "405": Fault(answer(405, b"no"), "wrong_base_url", 405, "{url} answered 405: no", CHECK_PATH),
    "410": Fault(answer(410, b"gone"), "wrong_base_url", 410, "{url} answered 410: gone", CHECK_PATH),
    "501": Fault(answer(501, b"what"), "wrong_base_url", 501, "{url} answered 501: what", CHECK_PATH),
    # Other errors
    "400": Fault(
        error(400, "invalid_request_error", "bad"), "invalid_response", 400, "{url} answered 400: bad", CHECK_ANSWER
    ),
    "418": Fault(answer(418, b"teapot"), "not_an_api", 418, "{url} answered 418: teapot", CHECK_URL),
    "407": Fault(
        answer(407, b"<title>Proxy login</title>"),
        "connection_refused",
        407,
        '{url} answered 407: an HTML page, "Proxy login"',
        LOGIN,
    ),
    "408": Fault(answer(408, b"late"), "timeout", 408, "{url} answered 408: late", LONGER),
    "rate limit": Fault(
        error(
            429,
            "rate_limit_reached_error",
            f"Your account {ACCOUNT} request reached organization max RPM: 3, please try again after 1 seconds",
        ),
        "rate_limited",
        429,
        "{url} answered 429: Your account <redacted><<redacted>> request reached organization max RPM: 3, please try"
        " again after 1 seconds",
        ASK_LESS,
    ),
    "rate limit that names a quota": Fault(
        error(429, "rate_limit_reached_error", "quota of 3 requests a minute"),
        "rate_limited",
        429,
        "{url} answered 429: quota of 3 requests a minute",
        ASK_LESS,
    ),
    "rate limit with a time": Fault(
        answer(429, b"slow down", "Retry-After: 3600"),
        "rate_limited",
        429,
        "{url} answered 429: slow down (it asks to wait 3600 s)",
        ASK_LESS,
    ),
    "out of money": Fault(
        error(429, "exceeded_current_quota_error", "suspended, please check your plan"),
        "quota_exhausted",
        429,
        "{url} answered 429: suspended, please check your plan",
        TOP_UP,
    ),
    "500": Fault(error(500, "server_error", "Internal"), "server_error", 500, "{url} answered 500: Internal", LATER),
    "502 of a proxy": Fault(
        answer(502, b"<html><head><title>502 Bad Gateway</title>"),
        "server_error",
        502,
        '{url} answered 502: an HTML page, "502 Bad Gateway"',
        LATER,
    ),
    "204": Fault(
        b"HTTP/1.1 204 No Content\r\n\r\n",
        "invalid_response",
        204,
        "{url} answered 204: with an empty body",
        CHECK_ANSWER,
    ),
    "206 with a right listing": Fault(
        listing("kimi-k2.5").replace(b" 200 ", b" 206 "),
        "invalid_response",
        206,
        '{url} answered 206: {{"object": "list", "data": [{{"id": "kimi-k2.5", "object": "model"}}]}}',
        CHECK_ANSWER,
    ),
    "999": Fault(answer(999, b"x"), "invalid_response", 999, "{url} answered 999: x", CHECK_ANSWER),
    # 200 that is no listing
    "captive portal": Fault(
        answer(200, b"<!DOCTYPE html><title>\n Log in to\tWiFi &amp; pay</title>", "Content-Type: text/html"),
        "not_an_api",
        200,
        '{url} answered 200: an HTML page, "Log in to WiFi &amp; pay"',
        CHECK_URL,
    ),
    "page in JSON's clothes": Fault(
        answer(200, b'{"data": [{"id": "kimi-k2.5"}]}', "Content-Type: text/html"),
        "not_an_api",
        200,
        "{url} answered 200: an HTML page",
        CHECK_URL,
    ),
    "text": Fault(answer(200, b"It works!"), "not_an_api", 200, "{url} answered 200: It works!", CHECK_URL),
    "control characters": Fault(
        answer(200, b"a\x1b[31m\x00\nb\xff"), "not_an_api", 200, "{url} answered 200: a [31m b\ufffd", CHECK_URL
    ),
    "long text": Fault(answer(200, b"x" * 9000), "not_an_api", 200, "{long}", CHECK_URL),
    "empty body": Fault(
        answer(200, b" \r\n"), "invalid_response", 200, "{url} answered 200 with an empty body", CHECK_ANSWER
    ),
    "a number": Fault(
        answer(200, b"42"), "invalid_response", 200, "{url} answered 200 with JSON of another shape", CHECK_ANSWER
    ),
    "a JSON list": Fault(
        json_answer(200, ["kimi-k2.5"]),
        "invalid_response",
        200,
        "{url} answered 200 with JSON that is not a list of models",
        CHECK_ANSWER,
    ),
    "data is a mapping": Fault(
        json_answer(200, {"data": {"id": "kimi-k2.5"}}),
        "invalid_response",
        200,
        "{url} answered 200 with JSON that is not a list of models",
        CHECK_ANSWER,
    ),
    "models without ids": Fault(
        json_answer(200, {"data": [{"name": "kimi-k2.5"}, 5, {"id": 5}, {"id": ""}]}),
        "invalid_response",
        200,
        "{url} answered 200 with a list of models without ids",
        CHECK_ANSWER,
    ),
    "broken JSON": Fault(
        answer(200, b'{"data": [{"id": "kimi-k2.5"}'),
        "invalid_response",
        200,
        "{url} answered 200 with JSON that is cut short or broken",
        CHECK_ANSWER,
    ),
    "deep JSON": Fault(
        answer(200, b"[" * 200_000),
        "invalid_response",
        200,
        "{url} answered 200 with JSON that is cut short or broken",
        CHECK_ANSWER,
    ),
    "cut short": Fault(CUT, "invalid_response", 200, "{url} answered 200 and broke off before the end", CHECK_ANSWER),
    "chunks cut short": Fault(
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n20\r\n{"data": [{"id": "kimi-k2.5"}]}\r\n',
        "invalid_response",
        200,
        "{url} answered 200 and broke off before the end",
        CHECK_ANSWER,
    ),
    "chunks of no size": Fault(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nwhat\r\n",
        "invalid_response",
        200,
        "{url} answered 200 and broke off before the end",
        CHECK_ANSWER,
    ),
    "zipped, cut short": Fault(
        answer(200, ZIPPED[:-9], "Content-Encoding: gzip"),
        "invalid_response",
        200,
        "{url} answered 200 and broke off before the end",
        CHECK_ANSWER,
    ),
    "not zipped": Fault(
        answer(200, b'{"data": [{"id": "kimi-k2.5"}]}', "Content-Encoding: gzip"),
        "invalid_response",
        200,
        "{url} answered 200 in a content encoding that cannot be read",
        CHECK_ANSWER,
    ),
    "unknown encoding": Fault(
        answer(200, b'{"data": [{"id": "kimi-k2.5"}]}', "Content-Encoding: br"),
        "invalid_response",
        200,
        "{url} answered 200 in a content encoding that cannot be read",
        CHECK_ANSWER,
    ),
    "too long": Fault(
        never_ends(HEAD + b'\r\n{"data": [{"id": "kimi-k2.5"}]}', b" " * 65536),
        "invalid_response",
        200,
        "{url} answered 200 with more data than a list of models or a chat of one token can be",
        CHECK_ANSWER,
    ),
    # No HTTP
    "another protocol": Fault(b"SSH-2.0-OpenSSH_9.2\r\n", "not_an_api", None, "{peer} does not speak HTTP", CHECK_URL),
    "too many headers": Fault(
        HEAD + b"X: y\r\n" * 200 + b"\r\n",
        "invalid_response",
        None,
        "{url} answered in a way that is not valid HTTP: HTTPException",
        CHECK_ANSWER,
    ),
    "endless header": Fault(
        HEAD + b"X: " + b"y" * 70_000,
        "invalid_response",
        None,
        "{url} answered in a way that is not valid HTTP: LineTooLong",
        CHECK_ANSWER,
    ),
    "closed": Fault(b"", "server_error", None, "{url} closed the connection without an answer", LATER),
    "reset": Fault(resets, "server_error", None, "{url} closed the connection without an answer", LATER),
    # Redirects
    "redirect to another host": Fault(
        answer(302, b"", f"Location: https://user:pass@portal.example/login?key={KEY}#x"),
        "redirect_refused",
        302,
        "{url} redirects to https://portal.example/login: not followed",
        REDIRECT,
    ),
    "redirect to another port": Fault(
        answer(301, b"", "Location: http://127.0.0.1:1/v1/models"),
        "redirect_refused",
        301,
        "{url} redirects to http://127.0.0.1:1/v1/models: not followed",
        REDIRECT,
    ),
    "redirect to another name": Fault(
        answer(308, b"", "Location: //localhost/v1/models"),
        "redirect_refused",
        308,
        "{url} redirects to http://localhost/v1/models: not followed",
        REDIRECT,
    ),
    "redirect with a password": Fault(
        redirects_with_a_password,
        "redirect_refused",
        307,
        "{url} redirects to {url}: not followed",
        REDIRECT,
    ),
    "redirect to a file": Fault(
        answer(307, b"", "Location: file:///etc/passwd"),
        "redirect_refused",
        307,
        "{url} redirects to file:///etc/passwd: not followed",
        REDIRECT,
    ),
    "redirect to nowhere": Fault(
        answer(303, b"", "Location: http://[::1/"),
        "redirect_refused",
        303,
        "{url} redirects to something that is not a URL: not followed",
        REDIRECT,
    ),
    "redirect in a circle": Fault(
        answer(302, b"", "Location: /v1/models"),
        "redirect_refused",
        302,
        "{url} redirects again and again, at last to {url}",
        REDIRECT,
    ),
    "redirect without a target": Fault(
        answer(302, b""), "invalid_response", 302, "{url} answered 302: with an empty body", CHECK_ANSWER
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_listing(fault: Fault, capsys: Any) -> None:
    with RawServer(fault.behaviour) as server:
        asked = {**provider(server), **fault.provider}
        asked["base_url"] = str(asked["base_url"]).replace("{peer}", server.netloc)
        code, result, printed = run(capsys, asked)
    url = f"{str(asked['base_url']).rstrip('/')}/models"
    long = f"{url} answered 200: {'x' * 300}"[:300] + "…"
    texts = [text.format(url=url, peer=server.netloc, long=long) for text in (fault.message, fault.hint)]
    assert only(result) == expected(fault.status, fault.http_status, *texts)
    assert (code, result["ok"], result["changed"]) == (1, False, False)
    assert KEY not in printed


# Slow servers: whatever they do, the attempt ends with its time

SLOW: Mapping[str, tuple[Behaviour, str]] = {
    "no answer": (says_nothing, "{url} was connected to, but did not answer within 0.3 s"),
    "dripping status": (drips(b"HTT", b"P"), "{url} was connected to, but did not answer within 0.3 s"),
    "dripping headers": (drips(HEAD, b"X: y\r\n"), "{url} was connected to, but did not answer within 0.3 s"),
    "endless continue": (
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        "{url} was connected to, but did not answer within 0.3 s",
    ),
    "dripping body": (
        drips(HEAD + b"Content-Length: 400\r\n\r\n{", b" "),
        "{url} began to answer, but did not end within 0.3 s",
    ),
    "dripping chunks": (
        drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        "{url} began to answer, but did not end within 0.3 s",
    ),
    "no end": (
        lambda connection, request: (connection.sendall(HEAD + b"\r\n{"), says_nothing(connection, request))[1],
        "{url} began to answer, but did not end within 0.3 s",
    ),
}


@pytest.mark.parametrize(("behaviour", "message"), SLOW.values(), ids=SLOW)
def test_a_slow_server_ends_in_timeout(behaviour: Behaviour, message: str, capsys: Any) -> None:
    with RawServer(behaviour) as server:
        began = time.monotonic()
        code, result, _printed = run(capsys, provider(server), timeout=0.3)
        took = time.monotonic() - began
    url = f"http://{server.netloc}/v1/models"
    assert only(result) == expected("timeout", None, message.format(url=url), LONGER)
    assert code == 1
    assert took >= 0.3


def test_a_connection_that_never_comes_about_ends_in_timeout(capsys: Any) -> None:
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        for _time in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        asked = {"name": "moonshot", "base_url": f"http://127.0.0.1:{port}/v1", "api_key": KEY}
        began = time.monotonic()
        _code, result, _printed = run(capsys, asked, timeout=0.3)
        took = time.monotonic() - began
    assert only(result) == expected("timeout", None, f"no connection to 127.0.0.1:{port} within 0.3 s", LONGER)
    assert took >= 0.3


def test_a_name_lookup_that_hangs_ends_in_timeout(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(transport.socket, "getaddrinfo", lambda *_args: released.wait(5) and [])
    asked = {"name": "moonshot", "base_url": "https://slow.invalid/v1", "api_key": KEY}
    _code, result, _printed = run(capsys, asked, timeout=0.2)
    released.set()
    assert only(result) == expected("timeout", None, "no connection to slow.invalid:443 within 0.2 s", LONGER)


def test_a_late_connection_sends_nothing(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(listing("kimi-k2.5")) as server:

        def slowly(*_args: object) -> list[object]:
            time.sleep(0.4)
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))]

        monkeypatch.setattr(transport.socket, "getaddrinfo", slowly)
        _code, result, _printed = run(capsys, provider(server), timeout=0.1)
        time.sleep(0.6)
        assert (only(result)["status"], server.received) == ("timeout", [])


BOMBS: Mapping[str, Behaviour] = {
    "gigabyte": never_ends(HEAD + b"\r\n", b" " * 65536),
    "gzip bomb": answer(200, gzip.compress(b" " * 200_000_000, 1), "Content-Encoding: gzip"),
    "endless error": never_ends(b"HTTP/1.1 500 x\r\n\r\n", b"<" * 65536),
    "endless chunk": never_ends(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", b" " * 65536),
}


@pytest.mark.parametrize("behaviour", BOMBS.values(), ids=BOMBS)
def test_memory_is_bounded(behaviour: Behaviour, capsys: Any) -> None:
    with RawServer(behaviour) as server:
        tracemalloc.start()
        try:
            _code, result, _printed = run(capsys, provider(server))
            _now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert only(result)["status"] in ("invalid_response", "server_error")
    assert peak < 24 * 1024 * 1024


def test_the_process_ends_although_a_server_goes_on(tmp_path: Path) -> None:
    program = tmp_path / "run.py"
    with RawServer(drips(HEAD, b"X: y\r\n")) as server:
        arguments = {"providers": [provider(server)], "timeout": 0.3, "retries": 0}
        program.write_text(
            "from ansible.module_utils.testing import patch_module_args\n"
            "from ansible_collections.clawfleet.clawdbot.plugins.modules import verify_models\n"
            f"with patch_module_args({arguments!r}):\n    verify_models.main()\n"
        )
        search_path = os.pathsep.join(str(path) for path in sys.path if path)
        done = subprocess.run(
            [sys.executable, str(program)],
            env={**os.environ, "PYTHONPATH": search_path},
            capture_output=True,
            timeout=10,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"")
    assert only(json.loads(done.stdout))["status"] == "timeout"


# What is never sent

REFUSED: Mapping[str, tuple[Mapping[str, object], dict[str, object]]] = {
    "no key": (
        {"api_key": None},
        expected(
            "key_missing", None, "there is no API key", "Set api_key of moonshot from a vaulted variable.", key=None
        ),
    ),
    "empty key": (
        {"api_key": ""},
        expected(
            "key_missing", None, "there is no API key", "Set api_key of moonshot from a vaulted variable.", key=None
        ),
    ),
    "key with a line feed": (
        {"api_key": f"{KEY}\n"},
        expected(
            "key_malformed",
            None,
            "character 24 of 24 of the API key is a line feed: no HTTP header can carry that",
            STORE_AGAIN,
            key=fingerprint(f"{KEY}\n"),
        ),
    ),
    "key with a quotation mark": (
        {"api_key": f"\u201c{KEY}"},
        expected(
            "key_malformed",
            None,
            "character 1 of 24 of the API key is not of Latin-1: no HTTP header can carry that",
            STORE_AGAIN,
            key=fingerprint(f"\u201c{KEY}"),
        ),
    ),
    "another scheme": (
        {"base_url": "ftp://{peer}/v1"},
        expected(
            "wrong_base_url", None, "base_url starts with neither http:// nor https://; nothing was sent", URL_FORM
        ),
    ),
    "password in the URL": (
        {"base_url": "https://me:hunter2@{peer}/v1"},
        expected(
            "wrong_base_url",
            None,
            "base_url holds a user name or password, which belongs in api_key or headers; nothing was sent",
            URL_FORM,
        ),
    ),
    "clear text": (
        {"base_url": "http://endpoint.invalid:8080/v1"},
        expected(
            "insecure_url",
            None,
            "base_url is http://, so the key would travel to endpoint.invalid:8080 in clear text",
            USE_HTTPS,
        ),
    ),
}


@pytest.mark.parametrize(("more", "found"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_is_never_sent(more: Mapping[str, object], found: dict[str, object], capsys: Any) -> None:
    with RawServer(listing("kimi-k2.5")) as server:
        asked = {**provider(server), **more}
        asked["base_url"] = str(asked["base_url"]).replace("{peer}", server.netloc)
        code, result, printed = run(capsys, asked)
    assert only(result) == found
    assert code == 1
    assert server.received == []
    assert KEY not in printed
    assert "hunter2" not in printed


def test_clear_text_is_sent_where_it_is_allowed(capsys: Any) -> None:
    asked = {"name": "moonshot", "base_url": "http://endpoint.invalid/v1", "api_key": KEY}
    _code, result, _printed = run(capsys, asked, allow_insecure_http=True)
    assert only(result) == expected("dns_error", None, "the name endpoint.invalid cannot be resolved", DNS)


# Connections

LOOKUPS: Mapping[str, tuple[int, int]] = {"no such name": (socket.EAI_NONAME, 1), "no resolver": (socket.EAI_AGAIN, 2)}


@pytest.mark.parametrize(("code", "attempts"), LOOKUPS.values(), ids=LOOKUPS)
def test_a_name_that_cannot_be_resolved(code: int, attempts: int, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for = []

    def fail(host: str, *_args: object) -> None:
        asked_for.append(host)
        raise socket.gaierror(code, "no")

    monkeypatch.setattr(transport.socket, "getaddrinfo", fail)
    asked = {"name": "moonshot", "base_url": "https://endpoint.invalid/v1", "api_key": KEY}
    _code, result, _printed = run(capsys, asked, retries=1)
    assert only(result) == expected("dns_error", None, "the name endpoint.invalid cannot be resolved", DNS)
    assert asked_for == ["endpoint.invalid"] * attempts


def test_a_name_that_no_name_can_be(capsys: Any) -> None:
    host = f"{'a' * 70}.invalid"
    asked = {"name": "moonshot", "base_url": f"https://{host}/v1", "api_key": KEY}
    _code, result, _printed = run(capsys, asked)
    assert only(result) == expected("dns_error", None, f"the name {host} cannot be resolved", DNS)


def _free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


def test_a_port_where_nobody_listens(capsys: Any) -> None:
    port = _free_port()
    asked = {"name": "moonshot", "base_url": f"http://127.0.0.1:{port}/v1", "api_key": KEY}
    _code, result, _printed = run(capsys, asked)
    assert only(result) == expected("connection_refused", None, f"127.0.0.1:{port} refused the connection", CONNECTION)


def test_a_network_that_is_not_there(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object) -> None:
        raise OSError(113, "No route to host")

    monkeypatch.setattr(transport.socket, "getaddrinfo", fail)
    asked = {"name": "moonshot", "base_url": "https://10.0.0.1/v1", "api_key": KEY}
    _code, result, _printed = run(capsys, asked)
    message = "there is no way to 10.0.0.1:443: No route to host"
    assert only(result) == expected("connection_refused", None, message, CONNECTION)


def test_a_second_address_is_tried(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(listing("kimi-k2.5")) as server:
        kinds = (socket.AF_INET, socket.SOCK_STREAM, 0, "")
        addresses = [(*kinds, ("127.0.0.1", _free_port())), (*kinds, ("127.0.0.1", server.port))]
        monkeypatch.setattr(transport.socket, "getaddrinfo", lambda *_args: addresses)
        code, result, _printed = run(capsys, provider(server))
    assert (code, only(result)["status"]) == (0, "ok")


def test_the_time_for_one_of_several_addresses_is_for_connecting_only(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(connection: socket.socket, _request: Received) -> None:
        time.sleep(0.8)
        connection.sendall(listing("kimi-k2.5"))

    with RawServer(slow) as server:
        address = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", server.port))
        monkeypatch.setattr(transport.socket, "getaddrinfo", lambda *_args: [address, address])
        code, result, _printed = run(capsys, provider(server), timeout=1.5)
    assert (code, only(result)["status"]) == (0, "ok")


def test_a_name_without_an_address(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport.socket, "getaddrinfo", lambda *_args: [])
    asked = {"name": "moonshot", "base_url": "https://endpoint.example/v1", "api_key": KEY}
    _code, result, _printed = run(capsys, asked)
    message = "there is no way to endpoint.example:443: the name has no address"
    assert only(result) == expected("connection_refused", None, message, CONNECTION)


def test_ipv6(capsys: Any) -> None:
    with RawServer(listing("kimi-k2.5"), host="::1") as server:
        code, result, _printed = run(capsys, provider(server))
    assert (code, only(result)["status"]) == (0, "ok")
    assert server.received[0].headers["host"] == server.netloc


# TLS


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


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    ca = trustme.CA()
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return Authority(ca, str(path))


PAST = datetime.datetime(2020, 1, 1)
FUTURE = datetime.datetime(2090, 1, 1)
CLOCK = "Check the clock of the host that asks"
TLS: Mapping[str, tuple[tuple[str, ...], Mapping[str, datetime.datetime], bool, str, str]] = {
    "another name": (
        ("other.example",),
        {},
        True,
        "the certificate of {peer} is for another name",
        "Check the host in base_url, and whether a proxy or a DNS entry leads elsewhere.",
    ),
    "expired": (
        ("127.0.0.1",),
        {"not_before": PAST, "not_after": PAST + datetime.timedelta(days=9)},
        True,
        "the certificate of {peer} has expired",
        f"{CLOCK}; if it is right, the endpoint's owner has to renew the certificate.",
    ),
    "not yet valid": (
        ("127.0.0.1",),
        {"not_before": FUTURE, "not_after": FUTURE + datetime.timedelta(days=9)},
        True,
        "the certificate of {peer} is not valid yet",
        f"{CLOCK}.",
    ),
    "unknown authority": (
        ("127.0.0.1",),
        {},
        False,
        "the certificate of {peer} is signed by an authority that is not trusted here",
        "If a proxy of your own inspects TLS, or the endpoint is your own, give its authority's certificate as ca_path;"
        " otherwise install the CA certificates on the host that asks.",
    ),
}


@pytest.mark.parametrize(("names", "dates", "trusted", "message", "hint"), TLS.values(), ids=TLS)
def test_a_certificate_that_is_wrong(
    names: tuple[str, ...],
    dates: Mapping[str, datetime.datetime],
    trusted: bool,
    message: str,
    hint: str,
    authority: Authority,
    capsys: Any,
) -> None:
    with RawServer(listing("kimi-k2.5"), tls=authority.server_context(*names, **dates)) as server:
        _code, result, _printed = run(
            capsys, provider(server, "https"), ca_path=authority.path if trusted else None, retries=2
        )
    assert only(result) == expected("tls_error", None, message.format(peer=server.netloc), hint)
    assert server.received == []


def test_a_certificate_of_a_trusted_authority(authority: Authority, capsys: Any) -> None:
    with RawServer(listing("kimi-k2.5"), tls=authority.server_context("127.0.0.1")) as server:
        code, result, _printed = run(capsys, provider(server, "https"), ca_path=authority.path)
    assert (code, only(result)["status"]) == (0, "ok")


def test_certificates_need_not_be_verified(authority: Authority, capsys: Any) -> None:
    context = authority.server_context("other.example")
    with RawServer(listing("kimi-k2.5"), tls=context) as server:
        code, result, _printed = run(capsys, provider(server, "https"), validate_certs=False)
    assert (code, only(result)["status"]) == (0, "ok")


def test_a_server_that_does_not_speak_tls(capsys: Any) -> None:
    def speaks_first(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            peer, _address = connection.accept()
            with peer:
                peer.recv(100)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as plain:
        port = plain.getsockname()[1]
        threading.Thread(target=speaks_first, args=(plain,), daemon=True).start()
        asked = {"name": "moonshot", "base_url": f"https://127.0.0.1:{port}/v1", "api_key": KEY}
        _code, result, _printed = run(capsys, asked)
    message = f"127.0.0.1:{port} does not speak TLS"
    assert only(result) == expected("tls_error", None, message, "Check the scheme and the port in base_url.")


def test_a_handshake_that_never_ends(capsys: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        asked = {"name": "moonshot", "base_url": f"https://127.0.0.1:{port}/v1", "api_key": KEY}
        _code, result, _printed = run(capsys, asked, timeout=0.3)
    assert only(result) == expected("timeout", None, f"no connection to 127.0.0.1:{port} within 0.3 s", LONGER)


def test_a_redirect_from_https_to_http_is_refused(authority: Authority, capsys: Any) -> None:
    with RawServer(listing("kimi-k2.5")) as plain:
        redirect = answer(301, b"", f"Location: http://{plain.netloc}/v1/models")
        with RawServer(redirect, tls=authority.server_context("127.0.0.1")) as server:
            _code, result, _printed = run(capsys, provider(server, "https"), ca_path=authority.path)
    assert only(result) == expected(
        "redirect_refused",
        301,
        f"https://{server.netloc}/v1/models redirects to http://{plain.netloc}/v1/models: not followed",
        REDIRECT,
    )
    assert plain.received == []


def test_a_ca_path_that_cannot_be_read(capsys: Any, tmp_path: Path) -> None:
    missing = tmp_path / "none.pem"
    asked = {"name": "moonshot", "base_url": "https://127.0.0.1:1/v1", "api_key": KEY}
    code, result, _printed = run(capsys, asked, ca_path=str(missing))
    assert (code, result["msg"]) == (1, f"ca_path: {missing} cannot be used: [Errno 2] No such file or directory")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_is_cut_when_its_time_is_over(scheme: str, authority: Authority, capsys: Any) -> None:
    released = threading.Event()

    def drip(connection: socket.socket, _request: Received) -> None:
        connection.sendall(HEAD)
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"X: y\r\n")
                time.sleep(0.05)
        released.set()

    context = authority.server_context("127.0.0.1") if scheme == "https" else None
    with RawServer(drip, tls=context) as server:
        _code, result, _printed = run(capsys, provider(server, scheme), ca_path=authority.path, timeout=0.3)
        # A client that only stopped looking would read on up to the hundredth header, five seconds long.
        cut = released.wait(2)
    assert (only(result)["status"], cut) == ("timeout", True)


# Proxies


def tunnel(connection: socket.socket, request: Received) -> None:
    """What a proxy does with CONNECT."""
    host, _colon, port = request.target.rpartition(":")
    with socket.create_connection((host, int(port)), 5) as onward:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_pump, args=(onward, connection), daemon=True)
        back.start()
        _pump(connection, onward)
        back.join(5)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)


def test_a_proxy_tunnels_tls(authority: Authority, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    context = authority.server_context("127.0.0.1")
    with RawServer(listing("kimi-k2.5"), tls=context) as server, RawServer(tunnel) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:hunter2@{proxy.netloc}")
        code, result, printed = run(capsys, provider(server, "https"), ca_path=authority.path)
    assert (code, only(result)["status"]) == (0, "ok")
    assert (proxy.received[0].method, proxy.received[0].target) == ("CONNECT", server.netloc)
    assert "authorization" not in proxy.received[0].headers
    assert KEY not in printed


def test_no_proxy_is_honoured(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(listing("kimi-k2.5")) as server:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{_free_port()}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        code, result, _printed = run(capsys, provider(server))
    assert (code, only(result)["status"]) == (0, "ok")


PROXIES: Mapping[str, tuple[Behaviour, str, str, str]] = {
    "wants a login": (
        answer(407, b"", reason="Proxy Authentication Required"),
        "connection_refused",
        "the proxy {proxy} refused to connect to the endpoint: 407 Proxy Authentication Required",
        LOGIN,
    ),
    "cannot connect": (
        answer(502, b"<html>", reason="Bad Gateway"),
        "server_error",
        "the proxy {proxy} could not connect to the endpoint: 502 Bad Gateway",
        LATER,
    ),
    "speaks no HTTP": (b"hello\r\n", "not_an_api", "the proxy {proxy} does not speak HTTP", CHECK_URL),
    "says nothing": (says_nothing, "timeout", "no connection to the proxy {proxy} within 0.4 s", LONGER),
    "drips": (
        drips(b"HTTP/1.1 200 x\r\n", b"X: y\r\n"),
        "timeout",
        "no connection to the proxy {proxy} within 0.4 s",
        LONGER,
    ),
}


@pytest.mark.parametrize(("behaviour", "status", "message", "hint"), PROXIES.values(), ids=PROXIES)
def test_a_proxy_with_a_fault(
    behaviour: Behaviour, status: str, message: str, hint: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(behaviour) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.netloc}")
        asked = {"name": "moonshot", "base_url": "https://endpoint.invalid/v1", "api_key": KEY}
        _code, result, _printed = run(capsys, asked, timeout=0.4)
    assert only(result) == expected(status, None, message.format(proxy=proxy.netloc), hint)
    assert proxy.received[0].target == "endpoint.invalid:443"


def test_a_proxy_that_is_not_there(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    port = _free_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
    asked = {"name": "moonshot", "base_url": "https://endpoint.invalid/v1", "api_key": KEY}
    _code, result, _printed = run(capsys, asked)
    message = f"the proxy 127.0.0.1:{port} refused the connection"
    assert only(result) == expected("connection_refused", None, message, CONNECTION)


def test_clear_text_does_not_leave_through_a_proxy(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.invalid:3128")
    asked = {"name": "moonshot", "base_url": "http://127.0.0.1:9/v1", "api_key": KEY}
    _code, result, _printed = run(capsys, asked)
    message = "base_url is http://, so the key would travel to the proxy proxy.invalid:3128 in clear text"
    assert only(result) == expected("insecure_url", None, message, USE_HTTPS)


# Listings


def test_every_model_is_listed(capsys: Any) -> None:
    with RawServer(listing("kimi-k2.5", "moonshot-v1-8k", "kimi-k2.5")) as server:
        asked = provider(server, models=["moonshot-v1-8k", {"id": "kimi-k2.5"}, "kimi-k2.5"])
        code, result, _printed = run(capsys, {**asked, "base_url": f"{asked['base_url']}/"})
    found = expected("ok", 200, "listed: moonshot-v1-8k, kimi-k2.5", "", listed=["kimi-k2.5", "moonshot-v1-8k"])
    assert only(result) == found
    assert (code, result["ok"], result["changed"]) == (0, True, False)
    (request,) = server.received
    assert (request.method, request.target, request.body) == ("GET", "/v1/models", b"")
    assert request.headers == {
        "accept-encoding": "identity",
        "host": server.netloc,
        "user-agent": "ansible-httpget",
        "authorization": f"Bearer {KEY}",
        "connection": "close",
    }


def test_a_zipped_listing_is_read(capsys: Any) -> None:
    with RawServer(answer(200, ZIPPED, "Content-Encoding: GZIP")) as server:
        code, result, _printed = run(capsys, provider(server))
    assert (code, only(result)["status"]) == (0, "ok")


def test_a_redirect_within_the_origin_is_followed(capsys: Any) -> None:
    def behave(connection: socket.socket, request: Received) -> None:
        moved = answer(308, b"", "Location: /v2/models")
        connection.sendall(listing("kimi-k2.5") if request.target == "/v2/models" else moved)

    with RawServer(behave) as server:
        code, result, _printed = run(capsys, provider(server))
    assert (code, only(result)["status"]) == (0, "ok")
    assert [request.headers["authorization"] for request in server.received] == [f"Bearer {KEY}"] * 2


def test_missing_models(capsys: Any) -> None:
    with RawServer(listing("kimi-k2.5", "moonshot-v1-32k", "moonshot-v1-8k")) as server:
        asked = provider(server, models=["kimi-k25", "kimi-k2.5", "moonlight-v1-32k", "zzz"])
        code, result, _printed = run(capsys, asked)
    assert only(result) == expected(
        "model_missing",
        200,
        "not listed: kimi-k25, moonlight-v1-32k, zzz",
        "kimi-k25: did you mean kimi-k2.5? moonlight-v1-32k: did you mean moonshot-v1-32k? 127.0.0.1 lists kimi-k2.5,"
        f" moonshot-v1-32k, moonshot-v1-8k for this key. {UNLISTED}",
        listed=["kimi-k2.5", "moonshot-v1-32k", "moonshot-v1-8k"],
        missing=["kimi-k25", "moonlight-v1-32k", "zzz"],
        suggestions={
            "kimi-k25": ["kimi-k2.5"],
            "moonlight-v1-32k": ["moonshot-v1-32k", "moonshot-v1-8k"],
            "zzz": [],
        },
    )
    assert code == 1


def test_nothing_is_listed(capsys: Any) -> None:
    with RawServer(listing()) as server:
        _code, result, _printed = run(capsys, provider(server))
    assert only(result) == expected(
        "model_missing",
        200,
        "not listed: kimi-k2.5",
        f"127.0.0.1 lists no model for this key. {UNLISTED}",
        missing=["kimi-k2.5"],
        suggestions={"kimi-k2.5": []},
    )


def test_a_first_page_is_no_listing(capsys: Any) -> None:
    with RawServer(json_answer(200, {"data": [{"id": "kimi-k3"}], "has_more": True})) as server:
        _code, result, _printed = run(capsys, provider(server))
    assert only(result) == expected(
        "invalid_response",
        200,
        "the listing is only a first page, without: kimi-k2.5",
        "The endpoint lists its models in pages, which this module does not turn: declare the models in unlisted_models"
        " and use probe=chat.",
        listed=["kimi-k3"],
        missing=["kimi-k2.5"],
        suggestions={"kimi-k2.5": ["kimi-k3"]},
    )


def test_unlisted_models_are_not_checked_by_a_listing(capsys: Any) -> None:
    with RawServer(listing("kimi-k2.5")) as server:
        code, result, _printed = run(capsys, provider(server, unlisted_models=["kimi-latest"]))
    assert only(result) == expected(
        "ok",
        200,
        "listed: kimi-k2.5; not checked, as only a chat proves them: kimi-latest",
        "Use probe=chat to check the models that are not listed.",
        listed=["kimi-k2.5"],
    )
    assert code == 0


def test_a_context_that_is_too_large_is_a_warning(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Ansible prints warnings or returns them, depending on what else the process has loaded.
    warned: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: warned.append(text))
    lengths = {"kimi-k2.5": "262144", "a": "8192", "b": '"8192"', "c": "true", "d": "9" * 5000}
    entries = [f'{{"id": "{model_id}", "context_length": {length}}}' for model_id, length in lengths.items()]
    behaviour = answer(200, f'{{"data": [{", ".join(entries)}]}}'.encode())
    models = [{"id": "kimi-k2.5", "contextWindow": 262145}, {"id": "a", "contextWindow": 8192}]
    models += [{"id": model_id, "contextWindow": 10_000} for model_id in "bcd"]
    with RawServer(behaviour) as server:
        code, result, _printed = run(capsys, provider(server, models=models))
    warning = (
        "kimi-k2.5: contextWindow is 262145, but the endpoint's context_length is 262144: longer conversations will"
        " fail"
    )
    assert only(result)["warnings"] == [warning]
    assert (code, warned) == (0, [f"moonshot: {warning}"])


# Headers


def test_headers_are_sent_as_configured(capsys: Any) -> None:
    headers = {"User-Agent": "KimiCLI/0.77", "X-Number": 1, "authorization": "Bearer tokentokentoken"}
    with RawServer(error(401, "x", "no tokentokentoken")) as server:
        _code, result, printed = run(capsys, provider(server, headers=headers))
    sent = server.received[0].headers
    assert (sent["user-agent"], sent["x-number"]) == ("KimiCLI/0.77", "1")
    assert sent["authorization"] == "Bearer tokentokentoken"
    message = f"http://{server.netloc}/v1/models answered 401: no <{fingerprint('tokentokentoken')}>"
    assert only(result)["message"] == message
    assert "tokentoken" not in printed
    # Its other headers are no secrets: a 1 in the result stays a 1.
    assert "answered 401" in result["msg"]


BAD_INPUT: Mapping[str, tuple[Mapping[str, object], str]] = {
    "header name": ({"headers": {"a b": "c"}}, "providers: moonshot: headers: 'a b' is not a header name"),
    "header value": (
        {"headers": {"X-Api-Key": "hunter2\r\nX: y"}},
        "providers: moonshot: headers: the value of X-Api-Key holds a character that a header cannot carry",
    ),
    "header type": (
        {"headers": {"X": {"y": "z"}}},
        "providers: moonshot: headers: the value of X must be a string",
    ),
    "header truth": ({"headers": {"X": True}}, "providers: moonshot: headers: the value of X must be a string"),
    "model without id": (
        {"models": ["a", {"name": "b"}]},
        "providers: moonshot: models[1] must be a model id, or a mapping with a model id as its id",
    ),
    "model number": (
        {"models": [5]},
        "providers: moonshot: models[0] must be a model id, or a mapping with a model id as its id",
    ),
    "model headers": (
        {"models": [{"id": "a", "headers": ["b"]}]},
        "providers: moonshot: models[0]: headers must be a mapping of header names to values",
    ),
}


@pytest.mark.parametrize(("more", "message"), BAD_INPUT.values(), ids=BAD_INPUT)
def test_input_that_cannot_be_asked(more: Mapping[str, object], message: str, capsys: Any) -> None:
    with RawServer(listing("kimi-k2.5")) as server:
        code, result, printed = run(capsys, provider(server, **more))
    assert (code, result["msg"]) == (1, message)
    assert server.received == []
    assert "hunter2" not in printed


NUMBERS: Mapping[str, tuple[Mapping[str, object], str]] = {
    "no time": ({"timeout": 0}, "timeout must be more than 0 and at most 3600 seconds"),
    "not a time": ({"timeout": "nan"}, "timeout must be more than 0 and at most 3600 seconds"),
    "for ever": ({"timeout": "inf"}, "timeout must be more than 0 and at most 3600 seconds"),
    "negative": ({"retries": -1}, "retries must not be negative"),
}


@pytest.mark.parametrize(("arguments", "message"), NUMBERS.values(), ids=NUMBERS)
def test_numbers_out_of_range(arguments: Mapping[str, object], message: str, capsys: Any) -> None:
    asked = {"name": "moonshot", "base_url": "http://127.0.0.1:1/v1", "api_key": KEY}
    code, result, _printed = run(capsys, asked, **arguments)
    assert (code, result["msg"]) == (1, message)


# Chats


def chat(model: str, text: str = "") -> bytes:
    message = {"role": "assistant", "content": text}
    return json_answer(200, {"model": model, "choices": [{"index": 0, "message": message, "finish_reason": "length"}]})


def chats(ids: tuple[str, ...], **answers: bytes) -> Behaviour:
    """An endpoint that lists ids and answers each model's chat as given, others with a chat."""

    def behave(connection: socket.socket, request: Received) -> None:
        if request.method == "GET":
            connection.sendall(listing(*ids))
        else:
            model = json.loads(request.body)["model"]
            connection.sendall(answers.get(model, chat(model)))

    return behave


def test_a_chat_is_asked_as_the_product_asks(capsys: Any) -> None:
    models = [{"id": "a", "headers": {"User-Agent": "KimiCLI/0.77", "X-Model": "a"}}, "b"]
    headers = {"User-Agent": "Other/1", "X-Both": "yes"}
    with RawServer(chats(("a", "b"))) as server:
        code, result, _printed = run(
            capsys, provider(server, models=models, headers=headers, unlisted_models=["c"]), probe="chat"
        )
    found = expected("ok", 200, "listed: a, b; answered: a, b, c", "", listed=["a", "b"])
    assert only(result) == found
    assert code == 0
    asked = server.received[1]
    assert [request.target for request in server.received] == ["/v1/models", *["/v1/chat/completions"] * 3]
    question = {"model": "a", "messages": [{"role": "user", "content": "test"}], "max_tokens": 1, "stream": False}
    assert json.loads(asked.body) == question
    assert asked.headers == {
        "accept-encoding": "identity",
        "host": server.netloc,
        "user-agent": "KimiCLI/0.77",
        "authorization": f"Bearer {KEY}",
        "content-type": "application/json",
        "content-length": str(len(asked.body)),
        "x-model": "a",
        "x-both": "yes",
        "connection": "close",
    }
    assert server.received[2].headers["user-agent"] == "Other/1"
    assert "x-model" not in server.received[2].headers


def test_the_anthropic_protocol(capsys: Any) -> None:
    def behave(connection: socket.socket, request: Received) -> None:
        done = json_answer(200, {"type": "message", "content": [], "stop_reason": "max_tokens"})
        connection.sendall(listing("k3") if request.method == "GET" else done)

    with RawServer(behave) as server:
        asked = provider(server, api="anthropic-messages", models=["k3"], base_url=f"http://{server.netloc}/coding/")
        code, result, _printed = run(capsys, asked, probe="chat")
    assert (code, only(result)["message"]) == (0, "listed: k3; answered: k3")
    listed, chatted = server.received
    assert (listed.target, chatted.target) == ("/coding/v1/models", "/coding/v1/messages")
    assert (listed.headers["x-api-key"], listed.headers["authorization"]) == (KEY, f"Bearer {KEY}")
    assert (chatted.headers["x-api-key"], chatted.headers["anthropic-version"]) == (KEY, "2023-06-01")
    assert "authorization" not in chatted.headers


@dataclass(frozen=True)
class Chat:
    """What a chat with the model C(a) answers, and what the module must say; C({url}) is the chat's."""

    answer: bytes
    status: str
    http_status: int | None
    message: str
    hint: str
    listed: tuple[str, ...] = ("a",)
    unlisted: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


NO_MODEL = "Not found the model a or Permission denied"
CHATS: Mapping[str, Chat] = {
    "not for this key": Chat(
        error(404, "resource_not_found_error", NO_MODEL),
        "model_unusable",
        404,
        f"a cannot be used: {{url}} answered 404: {NO_MODEL}",
        OTHER_MODEL,
    ),
    "401 for a model": Chat(
        error(401, "x", "Your model id does not exist, recognized as other: a"),
        "model_unusable",
        401,
        "a cannot be used: {url} answered 401: Your model id does not exist, recognized as other: a",
        OTHER_MODEL,
    ),
    "401 for the key": Chat(
        error(401, "x", "Invalid Authentication"),
        "unauthorized",
        401,
        "the endpoint gave its listing, but {url} answered 401: Invalid Authentication",
        CHECK_KEY,
    ),
    "403 for a model": Chat(
        error(403, "permission_denied_error", "no"),
        "model_unusable",
        403,
        "a cannot be used: {url} answered 403: no",
        OTHER_MODEL,
    ),
    "403 for the agent": Chat(
        error(403, "access_terminated_error", KIMI_403),
        "client_not_admitted",
        403,
        f"the endpoint gave its listing, but {{url}} answered 403: {KIMI_403}",
        ADMIT.format("no User-Agent is configured"),
    ),
    "400": Chat(
        error(400, "invalid_request_error", "bad"),
        "model_unusable",
        400,
        "a cannot be used: {url} answered 400: bad",
        OTHER_MODEL,
    ),
    "404 of no API": Chat(
        answer(404, b"<html>"),
        "wrong_base_url",
        404,
        "the endpoint gave its listing, but {url} answered 404: an HTML page",
        CHECK_PATH,
    ),
    "500": Chat(
        answer(500, b""),
        "server_error",
        500,
        "the endpoint gave its listing, but {url} answered 500: with an empty body",
        LATER,
    ),
    "redirect": Chat(
        answer(302, b"", "Location: /v1/chat/completions"),
        "redirect_refused",
        302,
        "the endpoint gave its listing, but {url} redirects to {url}: not followed",
        REDIRECT,
    ),
    "no choices": Chat(
        json_answer(200, {"choices": []}),
        "invalid_response",
        200,
        "the endpoint gave its listing, but {url} answered 200 with JSON that is not a chat completion",
        CHECK_ANSWER,
    ),
    "a stream": Chat(
        answer(200, b'data: {"choices": [{}]}\n\n', "Content-Type: text/event-stream"),
        "not_an_api",
        200,
        'the endpoint gave its listing, but {url} answered 200: data: {{"choices": [{{}}]}}',
        CHECK_URL,
    ),
    "not listed": Chat(
        chat("a"),
        "model_missing",
        200,
        "not listed: a",
        f"127.0.0.1 lists no model for this key. {UNLISTED}",
        listed=(),
        missing=("a",),
    ),
    "unlisted, and unknown": Chat(
        error(404, "resource_not_found_error", NO_MODEL),
        "model_missing",
        200,
        f"a is neither listed nor accepted: {{url}} answered 404: {NO_MODEL}",
        f"127.0.0.1 lists no model for this key. {UNLISTED}",
        listed=(),
        unlisted=("a",),
        missing=("a",),
    ),
    "unlisted, and refused": Chat(
        error(400, "x", "bad"),
        "model_unusable",
        400,
        "a cannot be used: {url} answered 400: bad",
        OTHER_MODEL,
        listed=(),
        unlisted=("a",),
    ),
}


@pytest.mark.parametrize("row", CHATS.values(), ids=CHATS)
def test_a_fault_of_a_chat(row: Chat, capsys: Any) -> None:
    with RawServer(chats(row.listed, a=row.answer)) as server:
        asked = provider(server, models=["a"], unlisted_models=list(row.unlisted))
        code, result, _printed = run(capsys, asked, probe="chat")
    assert only(result) == expected(
        row.status,
        row.http_status,
        row.message.format(url=f"http://{server.netloc}/v1/chat/completions"),
        row.hint,
        listed=list(row.listed),
        missing=list(row.missing),
        suggestions={model_id: [] for model_id in row.missing},
    )
    assert code == 1
    # A model that the listing shows to be missing is not asked, which spares the rate limit.
    assert len(server.received) == (1 if row.status == "model_missing" and not row.unlisted else 2)


def test_a_refused_model_does_not_hide_the_others(capsys: Any) -> None:
    refused = error(404, "resource_not_found_error", NO_MODEL)
    with RawServer(chats(("a", "b"), a=refused, b=refused)) as server:
        _code, result, _printed = run(capsys, provider(server, models=["a", "b", "c"]), probe="chat")
    url = f"http://{server.netloc}/v1/chat/completions"
    found = only(result)
    assert (found["status"], found["missing"]) == ("model_missing", ["c"])
    assert found["message"] == "; ".join(
        ["not listed: c", *(f"{model} cannot be used: {url} answered 404: {NO_MODEL}" for model in "ab")]
    )


def test_a_fault_of_the_account_ends_the_chats(capsys: Any) -> None:
    with RawServer(chats(("a", "b"), a=error(429, "exceeded_current_quota_error", "pay"))) as server:
        _code, result, _printed = run(capsys, provider(server, models=["a", "b"]), probe="chat")
    assert only(result)["status"] == "quota_exhausted"
    assert len(server.received) == 2


# Several providers, several attempts


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """Each request gets the next of the behaviours, the last one for ever."""
    left = list(behaviours)

    def behave(connection: socket.socket, request: Received) -> None:
        now = left.pop(0) if len(left) > 1 else left[0]
        if callable(now):
            now(connection, request)
        else:
            connection.sendall(now)

    return behave


AGAIN: Mapping[str, tuple[Behaviour, int]] = {
    "rate limit": (error(429, "rate_limit_reached_error", "x"), 2),
    "server error": (answer(503, b""), 2),
    "closed": (b"", 2),
    "cut short": (CUT, 2),
    "no answer": (says_nothing, 2),
    "out of money": (error(429, "exceeded_current_quota_error", "x"), 1),
    "unauthorized": (answer(401, b""), 1),
    "wrong URL": (answer(404, b""), 1),
    "too long to wait": (answer(429, b"", "Retry-After: 31"), 1),
}


@pytest.mark.parametrize(("first", "attempts"), AGAIN.values(), ids=AGAIN)
def test_only_what_waiting_can_help_is_asked_again(
    first: Behaviour, attempts: int, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(client.time, "sleep", waits.append)
    with RawServer(in_turn(first, listing("kimi-k2.5"))) as server:
        code, _result, _printed = run(capsys, provider(server), retries=2, timeout=0.5)
    assert (len(server.received), code) == (attempts, 0 if attempts == 2 else 1)
    assert [0.5 <= wait < 1 for wait in waits] == [True] * (attempts - 1)


def test_retry_after_is_honoured(capsys: Any) -> None:
    with RawServer(in_turn(answer(429, b"", "Retry-After: 1"), listing("kimi-k2.5"))) as server:
        began = time.monotonic()
        code, result, _printed = run(capsys, provider(server), retries=1)
        took = time.monotonic() - began
    assert (code, only(result)["status"]) == (0, "ok")
    assert took >= 1


def test_retries_come_to_an_end(capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(client.time, "sleep", waits.append)
    with RawServer(answer(500, b"")) as server:
        _code, result, _printed = run(capsys, provider(server), retries=3)
    assert only(result)["status"] == "server_error"
    assert len(server.received) == 4
    assert [low <= wait < 2 * low for wait, low in zip(waits, (0.5, 1, 2))] == [True] * 3


def test_all_providers_are_asked_at_once(capsys: Any) -> None:
    all_are_there = threading.Barrier(8)

    def patient(connection: socket.socket, _request: Received) -> None:
        all_are_there.wait(30)
        connection.sendall(listing("kimi-k2.5"))

    with RawServer(patient) as server:
        asked = [provider(server, name=f"p{n}", base_url=f"http://{server.netloc}/{n}/v1") for n in range(8)]
        code, result, _printed = run(capsys, *asked)
    assert (code, [found["name"] for found in result["providers"]]) == (0, [f"p{n}" for n in range(8)])
    assert {found["status"] for found in result["providers"]} == {"ok"}


def test_the_same_question_is_asked_once(capsys: Any) -> None:
    with RawServer(chats(("a", "b"))) as server:
        code, result, _printed = run(
            capsys,
            provider(server, name="one", models=["a"]),
            provider(server, name="two", models=["b", "c"], base_url=f"http://{server.netloc}/v1/"),
            provider(server, name="three", models=["a"], headers={"X": "y"}),
            provider(server, name="four", models=["a"]),
            probe="chat",
        )
    assert (code, [found["status"] for found in result["providers"]]) == (1, ["ok", "model_missing", "ok", "ok"])
    # Listings: with and without the header. Chats: a with and without it, b.
    assert sorted(request.method for request in server.received) == ["GET"] * 2 + ["POST"] * 3


def test_the_text_of_a_failure_is_a_table_of_all(capsys: Any) -> None:
    port = _free_port()
    with RawServer(listing("kimi-for-coding")) as server:
        asked = (
            {"name": "moonshot", "base_url": f"http://127.0.0.1:{port}/v1", "api_key": KEY},
            provider(server, name="kimicode", models=["kimi-for-codin"]),
            provider(server, name="kimi", models=["kimi-for-coding"]),
            provider(server, name="other", api_key=""),
        )
        code, result, printed = run(capsys, *asked)
        reported, report, _printed = run(capsys, *asked, fail_on_error=False)
    latencies = [str(found["latency_ms"]) for found in result["providers"]]
    width = max(2, *(len(latency) for latency in latencies[1:3]))
    ms = [latencies[1].ljust(width), latencies[2].ljust(width), "-".ljust(width), "MS".ljust(width)]
    assert result["msg"] == "\n".join(
        [
            "3 of 4 providers failed the check.",
            "",
            f"PROVIDER  STATUS              HTTP  {ms[3]}  LISTED  MISSING",
            f"moonshot  connection_refused  -     {ms[2]}  0       -",
            f"kimicode  model_missing       200   {ms[0]}  1       kimi-for-codin",
            f"kimi      ok                  200   {ms[1]}  1       -",
            f"other     key_missing         -     {ms[2]}  0       -",
            "",
            f"moonshot: 127.0.0.1:{port} refused the connection",
            f"  -> {CONNECTION}",
            "",
            "kimicode: not listed: kimi-for-codin",
            f"  -> kimi-for-codin: did you mean kimi-for-coding? {UNLISTED}",
            "",
            "other: there is no API key",
            "  -> Set api_key of other from a vaulted variable.",
        ]
    )
    assert (code, result["failed"], KEY in printed) == (1, True, False)
    summary = report["msg"].splitlines()[0]
    assert (reported, report["ok"], summary) == (0, False, "3 of 4 providers failed the check.")


def test_no_provider_is_no_problem(capsys: Any) -> None:
    code, result, _printed = run(capsys)
    assert (code, result["ok"], result["providers"]) == (0, True, [])


def test_check_mode_asks_too(capsys: Any) -> None:
    with RawServer(listing("kimi-k2.5")) as server:
        code, result, _printed = run(capsys, provider(server), _ansible_check_mode=True)
    assert (code, result["ok"], len(server.received)) == (0, True, 1)


# Whatever comes


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just("kimi-k2.5"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "id", "error", "message", "type", "object"]), inner, max_size=3)
    ),
    max_leaves=8,
)
STATUS_LINES = st.binary(max_size=30) | st.builds(
    lambda version, code: b"HTTP/%s %s x" % (version, code),
    st.sampled_from([b"1.0", b"1.1", b"2", b"9"]),
    st.integers(-1, 1200).map(lambda code: str(code).encode()) | st.just(b"200"),
)
HEADER_LINES = st.lists(
    st.binary(max_size=30)
    | st.sampled_from(
        [
            b"Content-Type: text/html",
            b"Content-Type: ;;",
            b"Content-Encoding: gzip",
            b"Transfer-Encoding: chunked",
            b"Content-Length: -5",
            b"Content-Length: 99999999999999999999999",
            b"Location: /v1/models",
            b"Location: http://[",
            b"Retry-After: Thu, 99 Foo 9999 99:99:99",
            b"Retry-After: -1",
        ]
    ),
    max_size=4,
)
BODIES = st.binary(max_size=60) | JSON.map(lambda document: json.dumps(document).encode())


@pytest.fixture(scope="module")
def anything() -> Iterator[RawServer]:
    with RawServer(b"") as server:
        yield server


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(status_line=STATUS_LINES, headers=HEADER_LINES, body=BODIES, probe_kind=st.sampled_from(["listing", "chat"]))
def test_whatever_comes_it_is_no_traceback_and_no_false_ok(
    anything: RawServer, capsys: Any, status_line: bytes, headers: list[bytes], body: bytes, probe_kind: str
) -> None:
    anything.behaviour = b"\r\n".join([status_line, *headers, b"", body])
    code, result, _printed = run(capsys, provider(anything), probe=probe_kind, timeout=1)
    found = only(result)
    assert found["status"] in STATUSES
    assert (found["status"] == "ok") == (code == 0)
    assert found["status"] != "ok" or ("kimi-k2.5" in found["listed"] and probe_kind == "listing")
    assert bool(found["hint"]) == (found["status"] != "ok")


STATUSES = {
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
}


def test_every_status_has_its_row() -> None:
    rows = {fault.status for fault in FAULTS.values()} | {row.status for row in CHATS.values()}
    rows |= {str(found["status"]) for _more, found in REFUSED.values()}
    assert STATUSES - rows == {"ok", "tls_error", "dns_error"}
