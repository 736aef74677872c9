# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked, and what must not be asked."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.requests import (
    base_url_problem,
    listing_request,
    origin,
    redirect_target,
    reject,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import NoAnswer, Verdict
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils._endpoints.endpoint_cases import (
    KEY,
    provider,
)

BASE_URLS: Mapping[str, str | None] = {
    "https://api.moonshot.cn/v1": None,
    "HTTPS://[::1]:8443/v1/": None,
    "http://localhost": None,
    "": "does not start with http:// or https://",
    "api.moonshot.cn/v1": "does not start with http:// or https://",
    "file:///etc/passwd": "does not start with http:// or https://",
    "https:///v1": "has no host and port to connect to",
    "https://:443/v1": "has no host and port to connect to",
    "https://host:0/v1": "has no host and port to connect to",
    "https://host:99999/v1": "is not a URL",
    "https://host:port/v1": "is not a URL",
    "https://[::1/v1": "is not a URL",
    "https://me:hunter2@host/v1": "contains a user name or password, which belongs in api_key or headers",
    "https://me@host/v1": "contains a user name or password, which belongs in api_key or headers",
    "https://host/v1?key=hunter2": "contains a query or a fragment",
    "https://host/v1?": "contains a query or a fragment",
    "https://host/v1#top": "contains a query or a fragment",
    "https://host/v 1": "contains a character that a URL cannot contain unescaped",
    "https://host/v1\r\nX: y": "contains a character that a URL cannot contain unescaped",
    "https://höst/v1": "contains a character that a URL cannot contain unescaped",
    "https://host/v1\x7f": "contains a character that a URL cannot contain unescaped",
}


@pytest.mark.parametrize(("base_url", "problem"), BASE_URLS.items(), ids=list(BASE_URLS))
def test_a_base_url_is_checked(base_url: str, problem: str | None) -> None:
    assert base_url_problem(base_url) == problem


@given(st.text(max_size=60) | st.text(max_size=40).map(lambda rest: f"https://{rest}"))
def test_a_base_url_that_passes_can_be_asked(base_url: str) -> None:
    if base_url_problem(base_url) is None:
        scheme, host, _port = origin(listing_request(provider(base_url=base_url)).url)
        assert scheme in ("http", "https")
        assert host


KEYS: Mapping[str, str | None] = {
    KEY: None,
    "caf\xe9": None,
    "sk-a\n": "character 5 of 5 of the API key is a line feed, which an HTTP header cannot hold",
    "sk-a\r\n": "character 5 of 6 of the API key is a carriage return, which an HTTP header cannot hold",
    "\tsk-a": "character 1 of 5 of the API key is a tab, which an HTTP header cannot hold",
    "sk -a": "character 3 of 5 of the API key is a space, which an HTTP header cannot hold",
    "sk-a\xa0": "character 5 of 5 of the API key is white space, which an HTTP header cannot hold",
    "sk-\u2028": "character 4 of 4 of the API key is white space, which an HTTP header cannot hold",
    "sk-\x00": "character 4 of 4 of the API key is a control character, which an HTTP header cannot hold",
    "sk-\x7f": "character 4 of 4 of the API key is a control character, which an HTTP header cannot hold",
    "sk-\x9f": "character 4 of 4 of the API key is a control character, which an HTTP header cannot hold",
    "sk-\u2026": "character 4 of 4 of the API key is outside Latin-1, which an HTTP header cannot hold",
}


@pytest.mark.parametrize(("key", "message"), KEYS.items(), ids=[ascii(key) for key in KEYS])
def test_a_key_is_checked(key: str, message: str | None) -> None:
    finding = Verdict("key_malformed", message) if message else None
    assert reject(provider(api_key=key), allow_insecure_http=False) == finding


CLEAR_TEXT: Mapping[str, bool] = {
    "http://127.0.0.1:8080/v1": True,
    "http://127.9.9.9/v1": True,
    "http://[::1]:80/v1": True,
    "HTTP://LOCALHOST/v1": True,
    "https://10.0.0.1/v1": True,
    "http://10.0.0.1/v1": False,
    "http://localhost.example/v1": False,
    "http://127.0.0.1.example/v1": False,
    "http://[::2]/v1": False,
    "http://2130706433/v1": False,
}


@pytest.mark.parametrize(("base_url", "sent"), CLEAR_TEXT.items(), ids=list(CLEAR_TEXT))
def test_clear_text_is_for_loopback(base_url: str, sent: bool) -> None:
    found = reject(provider(base_url=base_url), allow_insecure_http=False)
    assert (found.status if found else None) == (None if sent else "insecure_url")
    assert reject(provider(base_url=base_url), allow_insecure_http=True) is None


LISTING_URL = "https://host/v1/models"
REDIRECTS: Mapping[str, tuple[str, int, str | None, str | NoAnswer | None]] = {
    "no redirect": ("GET", 200, "/x", None),
    "not modified": ("GET", 304, "/x", None),
    "no target": ("GET", 302, None, None),
    "a path": ("GET", 302, "/x", "https://host/x"),
    "a name": ("GET", 301, "x", "https://host/v1/x"),
    "the default port": ("GET", 308, "https://HOST:443/x", "https://HOST:443/x"),
    "a chat that stays one": ("POST", 307, "/x", "https://host/x"),
    "a chat that would be a GET": ("POST", 303, "/x", NoAnswer("redirect", "", "https://host/x", 303)),
    "another host": ("GET", 302, "//evil/x", NoAnswer("redirect", "", "https://evil/x", 302)),
    "another port": ("GET", 302, "https://host:444/x", NoAnswer("redirect", "", "https://host:444/x", 302)),
    "port zero": ("GET", 302, "https://host:0/x", NoAnswer("redirect", "", "https://host:0/x", 302)),
    "no TLS": ("GET", 302, "http://host/x", NoAnswer("redirect", "", "http://host/x", 302)),
    "no TLS, same port": ("GET", 302, "http://host:443/x", NoAnswer("redirect", "", "http://host:443/x", 302)),
    "a password": ("GET", 302, "https://me:pw@host/x?y#z", NoAnswer("redirect", "", "https://host/x", 302)),
    "a mask": ("GET", 302, "https://host@evil/x", NoAnswer("redirect", "", "https://evil/x", 302)),
    "no URL": ("GET", 302, "https://[", NoAnswer("redirect", "", "something that is not a URL", 302)),
    "no port": ("GET", 302, "https://host:x/", NoAnswer("redirect", "", "something that is not a URL", 302)),
}


@pytest.mark.parametrize(("method", "code", "location", "target"), REDIRECTS.values(), ids=REDIRECTS)
def test_where_a_redirect_may_lead(method: str, code: int, location: str | None, target: str | NoAnswer | None) -> None:
    assert redirect_target(LISTING_URL, method, code, location) == target


@given(st.text(max_size=40) | st.text(max_size=30).map(lambda rest: f"https://host{rest}"))
def test_a_redirect_is_followed_to_the_same_origin_only(location: str) -> None:
    target = redirect_target(LISTING_URL, "GET", 302, location)
    assert not isinstance(target, str) or origin(target) == ("https", "host", 443)
