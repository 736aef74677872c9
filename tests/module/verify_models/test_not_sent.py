# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is rejected before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.verify_models.hints import (
    DNS,
    STORE_AGAIN,
    URL_FORM,
    USE_HTTPS,
)
from tests.module.verify_models.probing import (
    KEY,
    expected,
    only,
    provider,
    run,
)
from tests.module.verify_models.raw_server import (
    RawServer,
    listing,
)

REJECTED: Mapping[str, tuple[Mapping[str, object], dict[str, object]]] = {
    "no key": (
        {"api_key": None},
        expected(
            "key_missing", None, "the API key is missing", "Set api_key of moonshot from a vaulted variable.", key=None
        ),
    ),
    "empty key": (
        {"api_key": ""},
        expected(
            "key_missing", None, "the API key is missing", "Set api_key of moonshot from a vaulted variable.", key=None
        ),
    ),
    "key with a line feed": (
        {"api_key": f"{KEY}\n"},
        expected(
            "key_malformed",
            None,
            "character 24 of 24 of the API key is a line feed, which an HTTP header cannot hold",
            STORE_AGAIN,
            key=fingerprint(f"{KEY}\n"),
        ),
    ),
    "key with a quotation mark": (
        {"api_key": f"\u201c{KEY}"},
        expected(
            "key_malformed",
            None,
            "character 1 of 24 of the API key is outside Latin-1, which an HTTP header cannot hold",
            STORE_AGAIN,
            key=fingerprint(f"\u201c{KEY}"),
        ),
    ),
    "another scheme": (
        {"base_url": "ftp://{peer}/v1"},
        expected(
            "wrong_base_url", None, "base_url does not start with http:// or https://; nothing was sent", URL_FORM
        ),
    ),
    "password in the URL": (
        {"base_url": "https://me:hunter2@{peer}/v1"},
        expected(
            "wrong_base_url",
            None,
            "base_url contains a user name or password, which belongs in api_key or headers; nothing was sent",
            URL_FORM,
        ),
    ),
    "clear text": (
        {"base_url": "http://endpoint.invalid:8080/v1"},
        expected(
            "insecure_url",
            None,
            "base_url is http://, so the key would be sent to endpoint.invalid:8080 in clear text",
            USE_HTTPS,
        ),
    ),
}


@pytest.mark.parametrize(("more", "found"), REJECTED.values(), ids=REJECTED)
def test_a_rejected_provider_is_never_asked(more: Mapping[str, object], found: dict[str, object]) -> None:
    with RawServer(listing("kimi-k2.5")) as server:
        asked = {**provider(server), **more}
        asked["base_url"] = str(asked["base_url"]).replace("{peer}", server.netloc)
        code, result, printed = run(asked)
    assert only(result) == found
    assert code == 1
    assert server.received == []
    assert KEY not in printed
    assert "hunter2" not in printed


def test_clear_text_is_sent_where_it_is_allowed() -> None:
    asked = {"name": "moonshot", "base_url": "http://endpoint.invalid/v1", "api_key": KEY}
    _code, result, _printed = run(asked, allow_insecure_http=True)
    assert only(result) == expected("dns_error", None, "the name endpoint.invalid cannot be resolved", DNS)


BAD_INPUT: Mapping[str, tuple[Mapping[str, object], str]] = {
    "header name": ({"headers": {"a b": "c"}}, "providers: moonshot: headers: 'a b' is not a header name"),
    "header value": (
        {"headers": {"X-Api-Key": "hunter2\r\nX: y"}},
        "providers: moonshot: headers: the value of X-Api-Key contains a character that a header cannot hold",
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
def test_input_that_cannot_be_asked(more: Mapping[str, object], message: str) -> None:
    with RawServer(listing("kimi-k2.5")) as server:
        code, result, printed = run(provider(server, **more))
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
def test_numbers_out_of_range(arguments: Mapping[str, object], message: str) -> None:
    asked = {"name": "moonshot", "base_url": "http://127.0.0.1:1/v1", "api_key": KEY}
    code, result, _printed = run(asked, **arguments)
    assert (code, result["msg"]) == (1, message)
