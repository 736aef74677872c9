# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import urllib.parse
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import (
    fingerprint,
    named_secrets,
    redact,
    secret_values,
)
from hypothesis import given
from hypothesis import strategies as st

KEY = "Zq8!-0123456789"
MARK = f"<{fingerprint(KEY)}>"

REDACTED: dict[str, tuple[str, list[str], str]] = {
    "nothing secret": ("all is well", [], "all is well"),
    "as it is": (f"key {KEY}.", [KEY], f"key {MARK}."),
    "each time": (f"{KEY}{KEY}", [KEY], f"{MARK}{MARK}"),
    "in JSON": ('"a\\"b\\\\c"', ['a"b\\c'], f'"<{fingerprint(chr(97) + chr(34) + "b" + chr(92) + "c")}>"'),
    "in ASCII JSON": ('"\\u00fcx\\"y"', ['üx"y'], f'"<{fingerprint("üx" + chr(34) + "y")}>"'),
    "in JSON with all letters": ('"üx\\"y"', ['üx"y'], f'"<{fingerprint("üx" + chr(34) + "y")}>"'),
    "in a Python text": ("'a\\'b\"c'", ["a'b\"c"], f"'<{fingerprint('a' + chr(39) + 'b' + chr(34) + 'c')}>'"),
    "in a URL": ("?key=a%2Fb%26c", ["a/b&c"], f"?key=<{fingerprint('a/b&c')}>"),
    "one contains the other": (
        "secret-long secret",
        ["secret", "secret-long"],
        f"<{fingerprint('secret-long')}> <{fingerprint('secret')}>",
    ),
    "one stands in the mark of the other": (
        f"{KEY} sha256",
        [KEY, "sha256"],
        f"{MARK} <{fingerprint('sha256')}>",
    ),
    "an empty one is none": ("all is well", [""], "all is well"),
    "a known one looks like a key": ("sk-0123456789", ["sk-0123456789"], f"<{fingerprint('sk-0123456789')}>"),
    "unknown key": ("Incorrect key sk-abc_DEF-123.", [], "Incorrect key <redacted>."),
    "unknown key, cut": ("key sk-abcd... and sk-abcd… too", [], "key <redacted> and <redacted> too"),
    "account": ("account org-0123abcd<ak-0123abcd> request", [], "account <redacted><<redacted>> request"),
    "no key": ("task-force disk-1234 sk-1 risk-averse", [], "task-force disk-1234 sk-1 risk-averse"),
    "a surrogate in a secret": ("x\udcffy", ["x\udcffy"], f"<{fingerprint(chr(120) + chr(0xDCFF) + 'y')}>"),
    "a pattern is taken by its letters": ("aab a+b", ["a+b"], f"aab <{fingerprint('a+b')}>"),
}

VARIABLES: dict[str, tuple[dict[str, str], set[str]]] = {
    "none": ({}, set()),
    "settings": ({"PORT": "18789", "DEBUG": "1", "EMPTY": ""}, set()),
    "long": ({"X": "12345678"}, {"12345678"}),
    "not quite as long": ({"X": "1234567"}, set()),
    "short, by its name": ({"BOT_TOKEN": "abc", "API_KEY": "d", "PASSWORD": "e", "SECRET_ID": "f"}, {*"def", "abc"}),
    "empty, by its name": ({"BOT_TOKEN": ""}, set()),
}

NAMED: dict[str, tuple[Any, list[str]]] = {
    "no container": ("abc", []),
    "by name": ({"apiKey": "a", "token": "b", "password": "c", "clientSecret": "d", "name": "e"}, ["a", "b", "c", "d"]),
    "headers": (
        {"Authorization": "Bearer a", "X-API-KEY": "b", "Cookie": "c", "User-Agent": "d"},
        ["Bearer a", "b", "c"],
    ),
    "deep": ([{"a": [{"auth": {"token": "b"}}]}], ["b"]),
    "below a name for secrets": ({"tokens": {"apiKey": "a"}}, ["a"]),
    "a reference is none": ({"apiKey": "${A}", "token": "x${A}"}, ["x${A}"]),
    "the name of a variable is none": ({"apiKey": "MOONSHOT_API_KEY", "token": "HUNTER_2"}, ["HUNTER_2"]),
    "empty": ({"apiKey": ""}, []),
    "no text": ({"apiKey": 5, "token": None, "maxTokens": 8192}, []),
    "a number of tokens": ({"maxTokensField": "max_completion_tokens"}, []),
    "a name that is no text": ({1: "a"}, []),
}


@pytest.mark.parametrize("name", REDACTED)
def test_redact(name: str) -> None:
    text, secrets, expected = REDACTED[name]
    assert redact(text, secrets) == expected


@pytest.mark.parametrize("name", VARIABLES)
def test_secret_values(name: str) -> None:
    variables, secrets = VARIABLES[name]
    assert secret_values(variables) == secrets


@pytest.mark.parametrize("name", NAMED)
def test_named_secrets(name: str) -> None:
    value, secrets = NAMED[name]
    assert list(named_secrets(value)) == secrets


def test_fingerprint_is_the_beginning_of_the_digest() -> None:
    # printf %s abc | sha256sum
    assert fingerprint("abc") == "sha256:ba7816bf8f01"


@given(st.text(), st.lists(st.text(min_size=8, max_size=20), min_size=1, max_size=3), st.text())
def test_no_spelling_of_a_secret_stays(before: str, secrets: list[str], after: str) -> None:
    for spelled in (
        lambda secret: secret,
        lambda secret: json.dumps(secret)[1:-1],
        lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
        lambda secret: repr(secret)[1:-1],
        lambda secret: urllib.parse.quote(secret, safe="", errors="surrogatepass"),
    ):
        for secret in secrets:
            spelling = spelled(secret)
            assert spelling not in redact(f"{before}{spelling}{after}", secrets)
