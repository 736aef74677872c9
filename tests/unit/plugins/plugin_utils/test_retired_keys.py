# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._retired_keys import not_revoked, questions

NOW, OLD, OLDER = "sk-now-0123456789abcdef", "sk-old-0123456789abcdef", "sk-older-0123456789abcdef"
ENDPOINT = {
    "name": "moonshot",
    "base_url": "https://api.moonshot.cn/v1",
    "api_key": NOW,
    "headers": {"X-Key": f"Bearer {NOW}", "X-Fleet": "a"},
    "models": [{"id": "kimi-k3"}],
    "unlisted_models": [],
    "optional_models": [],
}
KIMI = {**ENDPOINT, "name": "kimicode", "base_url": "https://api.kimi.com/coding/", "api": "anthropic-messages"}


def test_each_old_key_is_asked_about_once() -> None:
    asked = questions({"moonshot": [OLD, OLDER, OLD]}, [ENDPOINT, KIMI])
    assert asked["problems"] == []
    assert asked["endpoints"] == [
        {
            "name": f"{fingerprint(key)} of moonshot{platform}",
            "base_url": base_url,
            "api_key": key,
            "headers": {"X-Key": f"Bearer {key}", "X-Fleet": "a"},
            "models": [],
        }
        for key in (OLD, OLDER)
        # A key of one platform gets HTTP 401 from the other.
        for platform, base_url in {
            "": "https://api.moonshot.cn/v1",
            " on platform.moonshot.ai": "https://api.moonshot.ai/v1",
        }.items()
    ]
    (kimi,) = questions({"kimicode": [OLD]}, [ENDPOINT, KIMI])["endpoints"]
    assert kimi["api"] == "anthropic-messages"


EMPTY = "providers_old_api_keys is empty. Give the old keys, as provider to a list of keys."
WRONG: dict[str, tuple[Any, str]] = {
    "none": ({}, EMPTY),
    "a list": ([OLD], EMPTY),
    "an unknown provider": (
        {"acme": [OLD]},
        "providers_old_api_keys.acme: unknown or disabled provider. Use one of moonshot, kimicode.",
    ),
    "a string": ({"moonshot": OLD}, "providers_old_api_keys.moonshot is not a list of keys."),
    "an empty list": ({"moonshot": []}, "providers_old_api_keys.moonshot is not a list of keys."),
    "no key": ({"moonshot": [OLD, " "]}, "providers_old_api_keys.moonshot contains something that is no key."),
    "the current key": (
        {"moonshot": [OLD, NOW]},
        f"providers_old_api_keys.moonshot contains the key that the host should have, {fingerprint(NOW)}. Remove it "
        "there.",
    ),
}


@pytest.mark.parametrize(("old_keys", "problem"), WRONG.values(), ids=WRONG)
def test_old_keys_that_are_wrong(old_keys: Any, problem: str) -> None:
    assert questions(old_keys, [ENDPOINT, KIMI]) == {"problems": [problem], "endpoints": []}


NAME = f"{fingerprint(OLD)} of moonshot"
ALIVE = f"The old key {NAME} is still valid. Revoke it at platform.moonshot.cn."
UNKNOWN = f"Whether the old key {NAME} is revoked is not known: "
ANSWERS: dict[str, tuple[str, int | None, list[str]]] = {
    "rejected": ("unauthorized", 401, []),
    "accepted": ("ok", 200, [ALIVE]),
    "no money left": ("quota_exhausted", 429, [ALIVE]),
    "no answer": ("timeout", None, [f"{UNKNOWN}timeout: it says"]),
    "busy": ("rate_limited", 429, [f"{UNKNOWN}rate_limited: it says"]),
    "forbidden": ("unauthorized", 403, [f"{UNKNOWN}unauthorized: it says"]),
}


@pytest.mark.parametrize(("status", "code", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_only_http_401_shows_that_a_key_is_revoked(status: str, code: int | None, expected: list[str]) -> None:
    answer: Any = {"name": NAME, "status": status, "http_status": code, "message": "it says"}
    assert not_revoked([answer], questions({"moonshot": [OLD]}, [ENDPOINT])["endpoints"]) == expected
