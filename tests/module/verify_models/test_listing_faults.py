# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One row for each fault that a listing can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from tests.module.verify_models.behaviours import (
    CUT,
    HEAD,
    KIMI_403,
    ZIPPED,
    never_ends,
    redirects_with_a_password,
    resets,
)
from tests.module.verify_models.hints import (
    ADMIT,
    ASK_LESS,
    BUY,
    CHECK_ANSWER,
    CHECK_KEY,
    CHECK_PATH,
    CHECK_URL,
    LATER,
    LOGIN,
    LONGER,
    OWN_AGENT_IN_OPENAI_FORM,
    REDIRECT,
    REFUSED,
    TOP_UP,
)
from tests.module.verify_models.probing import (
    FINGERPRINT,
    KEY,
    expected,
    only,
    provider,
    run,
)
from tests.module.verify_models.raw_server import (
    Behaviour,
    RawServer,
    answer,
    error,
    json_answer,
    listing,
)

ACCOUNT = "org-5d41402abc4b2a76<ak-b9719d911017c592>"


@dataclass(frozen=True)
class Fault:
    """A server's behaviour and the expected result. `{url}` is the listing's, `{peer}` its host and port."""

    behaviour: Behaviour
    status: str
    http_status: int | None
    message: str
    hint: str
    provider: Mapping[str, object] = field(default_factory=dict)


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
    "401 with nothing": Fault(answer(401, b""), "unauthorized", 401, "{url} answered 401: an empty body", CHECK_KEY),
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
        f"{{url}} rejected the client that asked (ansible-httpget), not the gateway, with 403: {KIMI_403}",
        OWN_AGENT_IN_OPENAI_FORM,
    ),
    "unknown agent": Fault(
        error(403, "access_terminated_error", KIMI_403),
        "client_not_admitted",
        403,
        f"{{url}} answered 403: {KIMI_403}",
        ADMIT,
        {"headers": {"user-agent": "curl/8"}},
    ),
    "403 of another kind": Fault(
        error(403, "permission_denied_error", "not open to you"),
        "unauthorized",
        403,
        "{url} answered 403: not open to you",
        CHECK_KEY,
    ),
    "403 with a detail": Fault(
        json_answer(403, {"detail": "Not authenticated"}),
        "unauthorized",
        403,
        "{url} answered 403: Not authenticated",
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
        "{url} answered 404: no such url",
        "Try http://{peer}/api/v1, since base_url does not end in /v1. For an Anthropic-style base URL, set"
        " api=anthropic-messages.",
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
        "http://{peer}/v1/v1/models answered 404: an empty body",
        "Remove /v1 from base_url: with api=anthropic-messages it is added.",
        {"api": "anthropic-messages"},
    ),
    "anthropic elsewhere": Fault(
        answer(404, b""),
        "wrong_base_url",
        404,
        "http://{peer}/coding/v1/models answered 404: an empty body",
        "Check the path of base_url: with api=anthropic-messages, the models are listed at /v1/models below it.",
        {"api": "anthropic-messages", "base_url": "http://{peer}/coding/"},
    ),
    "405": Fault(answer(405, b"no"), "wrong_base_url", 405, "{url} answered 405: no", CHECK_PATH),
    "410": Fault(answer(410, b"gone"), "wrong_base_url", 410, "{url} answered 410: gone", CHECK_PATH),
    "501": Fault(answer(501, b"what"), "wrong_base_url", 501, "{url} answered 501: what", CHECK_PATH),
    # Other errors
    "400": Fault(
        error(400, "invalid_request_error", "bad"), "request_refused", 400, "{url} answered 400: bad", REFUSED
    ),
    "wrong key at LiteLLM": Fault(
        json_answer(400, {"error": {"message": "No connected db.", "type": "no_db_connection", "param": None}}),
        "request_refused",
        400,
        "{url} answered 400: No connected db.",
        REFUSED,
    ),
    "400 of Anthropic's protocol": Fault(
        json_answer(400, {"type": "error", "error": {"type": "invalid_request_error", "message": "bad"}}),
        "request_refused",
        400,
        "{url} answered 400: bad",
        REFUSED,
    ),
    "400 without a text": Fault(
        json_answer(400, {"error": {"type": "bad", "code": 7}}),
        "request_refused",
        400,
        "{url} answered 400: bad 7",
        REFUSED,
    ),
    "422 of FastAPI": Fault(
        json_answer(422, {"detail": [{"loc": ["header"], "msg": "Field required", "type": "missing"}, {"msg": "No"}]}),
        "request_refused",
        422,
        "{url} answered 422: Field required; No",
        REFUSED,
    ),
    "400 with a detail": Fault(
        json_answer(400, {"detail": "no tenant"}), "request_refused", 400, "{url} answered 400: no tenant", REFUSED
    ),
    "400 with a bare text": Fault(
        json_answer(400, {"error": "no tenant"}), "request_refused", 400, "{url} answered 400: no tenant", REFUSED
    ),
    "400 with a bare message": Fault(
        json_answer(400, {"object": "error", "message": "no tenant", "code": 40}),
        "request_refused",
        400,
        "{url} answered 400: no tenant",
        REFUSED,
    ),
    "400 in a list": Fault(
        json_answer(400, [{"error": {"code": 400, "message": "no tenant"}}]),
        "request_refused",
        400,
        "{url} answered 400: no tenant",
        REFUSED,
    ),
    "409 with an error in an error": Fault(
        json_answer(409, {"detail": {"error": {"message": "busy"}}}),
        "request_refused",
        409,
        "{url} answered 409: busy",
        REFUSED,
    ),
    "400 for the key": Fault(
        json_answer(400, [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}]),
        "unauthorized",
        400,
        "{url} answered 400: API key not valid. Please pass a valid API key.",
        CHECK_KEY,
    ),
    "400 for the balance": Fault(
        error(400, "invalid_request_error", "Your credit balance is too low to access the API"),
        "quota_exhausted",
        400,
        "{url} answered 400: Your credit balance is too low to access the API",
        TOP_UP,
    ),
    "400 in JSON without a text": Fault(
        json_answer(400, {"ok": False}), "not_an_api", 400, '{url} answered 400: {{"ok": false}}', CHECK_URL
    ),
    "400 page": Fault(
        answer(400, b"<title>Bad Request</title>"),
        "not_an_api",
        400,
        '{url} answered 400: an HTML page, "Bad Request"',
        CHECK_URL,
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
    "overloaded engine": Fault(
        error(429, "engine_overloaded_error", "The engine is currently overloaded, please try again later"),
        "server_error",
        429,
        "{url} answered 429: The engine is currently overloaded, please try again later",
        LATER,
    ),
    "overloaded engine of Anthropic's protocol": Fault(
        json_answer(429, {"type": "error", "error": {"type": "engine_overloaded_error", "message": "Busy"}}),
        "server_error",
        429,
        "{url} answered 429: Busy",
        LATER,
    ),
    "no deployment of LiteLLM": Fault(
        error(429, "rate_limit_error", "No deployments available for selected model, Try again in 5 seconds."),
        "server_error",
        429,
        "{url} answered 429: No deployments available for selected model, Try again in 5 seconds.",
        LATER,
    ),
    "overloaded vendor of Anthropic's protocol": Fault(
        json_answer(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        "server_error",
        529,
        "{url} answered 529: Overloaded",
        LATER,
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
        "{url} answered 204: an empty body",
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
    "cut short": Fault(CUT, "invalid_response", 200, "{url} answered 200 with an incomplete body", CHECK_ANSWER),
    "chunks cut short": Fault(
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n20\r\n{"data": [{"id": "kimi-k2.5"}]}\r\n',
        "invalid_response",
        200,
        "{url} answered 200 with an incomplete body",
        CHECK_ANSWER,
    ),
    "chunks of no size": Fault(
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nwhat\r\n",
        "invalid_response",
        200,
        "{url} answered 200 with an incomplete body",
        CHECK_ANSWER,
    ),
    "zipped, cut short": Fault(
        answer(200, ZIPPED[:-9], "Content-Encoding: gzip"),
        "invalid_response",
        200,
        "{url} answered 200 with an incomplete body",
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
        "{url} answered 200 with more data than a list of models or a chat has",
        CHECK_ANSWER,
    ),
    # No HTTP
    "another protocol": Fault(b"SSH-2.0-OpenSSH_9.2\r\n", "not_an_api", None, "{peer} does not speak HTTP", CHECK_URL),
    "too many headers": Fault(
        HEAD + b"X: y\r\n" * 200 + b"\r\n",
        "invalid_response",
        None,
        "{url} did not answer with valid HTTP: HTTPException",
        CHECK_ANSWER,
    ),
    "endless header": Fault(
        HEAD + b"X: " + b"y" * 70_000,
        "invalid_response",
        None,
        "{url} did not answer with valid HTTP: LineTooLong",
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
        "{url} redirects in a loop, last to {url}",
        REDIRECT,
    ),
    "redirect without a target": Fault(
        answer(302, b""), "invalid_response", 302, "{url} answered 302: an empty body", CHECK_ANSWER
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_listing(fault: Fault) -> None:
    with RawServer(fault.behaviour) as server:
        asked = {**provider(server), **fault.provider}
        asked["base_url"] = str(asked["base_url"]).replace("{peer}", server.netloc)
        code, result, printed = run(asked)
    url = f"{str(asked['base_url']).rstrip('/')}/models"
    long = f"{url} answered 200: {'x' * 300}"[:300] + "…"
    texts = [text.format(url=url, peer=server.netloc, long=long) for text in (fault.message, fault.hint)]
    assert only(result) == expected(fault.status, fault.http_status, *texts)
    assert (code, result["ok"], result["changed"]) == (1, False, False)
    assert KEY not in printed
