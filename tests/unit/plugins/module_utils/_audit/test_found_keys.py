# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.finding import Finding
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.found_keys import (
    Questions,
    described,
    endpoint_with,
    hosts_of,
    questions,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.known_keys import KeyStatus, KnownKeys
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

NOW, OLD, KIMI = f"sk-{1:032x}", f"sk-{2:032x}", f"sk-kimi-{3:032x}"
KEYS = KnownKeys(
    {"moonshot": "MOONSHOT_API_KEY", "kimicode": "KIMICODE_API_KEY"},
    {"MOONSHOT_API_KEY": NOW, "KIMICODE_API_KEY": KIMI, "KIMI_SEARCH_KEY": KIMI},
    old_values={},
)
ALSO_IN = {"kimicode": ["KIMI_SEARCH_KEY"]}
MOONSHOT: dict[str, Any] = {"name": "moonshot", "base_url": "https://api.moonshot.cn/v1", "headers": {}}
KIMICODE: dict[str, Any] = {"name": "kimicode", "base_url": "https://api.kimi.com/coding/", "headers": {}}
NO_OWNER = "it is not known to be a key of a provider of the inventory, so no endpoint was asked"


def found(key: str, subject: str = "", status: KeyStatus = "old") -> Finding:
    return Finding("plain_text_key", "/s/file", "It holds a key.", "line 1", subject, key, status)


def owner(*findings: Finding, keys: KnownKeys = KEYS) -> str | None:
    asked = questions(findings, keys, ALSO_IN, {}, [MOONSHOT, KIMICODE])
    assert len(asked.asked) + len(asked.not_asked) == 1
    assert set(asked.not_asked.values()) <= {NO_OWNER}
    return next((endpoint["name"] for endpoint in asked.asked.values()), None)


OWNERS: dict[str, tuple[list[Finding], str | None]] = {
    "the current key, anywhere": ([found(NOW, status="current")], "moonshot"),
    "the current key of another provider, in a place of this one": ([found(KIMI, "moonshot")], "kimicode"),
    "in the block of a provider": ([found(OLD, "moonshot")], "moonshot"),
    "in a variable": ([found(OLD, "MOONSHOT_API_KEY")], "moonshot"),
    "in a further variable": ([found(OLD, "KIMI_SEARCH_KEY")], "kimicode"),
    "in a place of the provider and in a log": ([found(OLD), found(OLD, "moonshot")], "moonshot"),
    "in places of two providers": ([found(OLD, "kimicode"), found(OLD, "MOONSHOT_API_KEY")], None),
    "by its fingerprint alone": ([found(OLD)], None),
    "in another variable": ([found(OLD, "SEARCH_KEY")], None),
    "of another provider": ([found(OLD, "openai", "unknown")], None),
    "perhaps of another vendor, in the block of this one": ([found(OLD, "moonshot", "unknown")], None),
}


@pytest.mark.parametrize(("findings", "expected"), OWNERS.values(), ids=OWNERS)
def test_the_provider_that_a_key_belongs_to(findings: list[Finding], expected: str | None) -> None:
    assert owner(*findings) == expected


def test_an_old_key_that_was_in_a_place_of_the_provider_is_known_in_a_log() -> None:
    keys = KnownKeys(KEYS.variables, KEYS.current, old_values={OLD: "MOONSHOT_API_KEY"})
    assert owner(found(OLD), keys=keys) == "moonshot"


def test_each_key_is_asked_about_once_and_what_is_no_key_never() -> None:
    nothing = Finding("no_key", "/s/clawdbot.json", "A name.", subject="moonshot")
    asked = questions([found(OLD, "moonshot"), nothing, found(OLD)], KEYS, ALSO_IN, {}, [MOONSHOT, KIMICODE])
    assert (asked.asked, asked.not_asked) == ({OLD: MOONSHOT}, {})


def test_a_provider_without_an_endpoint_is_not_asked() -> None:
    asked = questions([found(KIMI, status="current")], KEYS, ALSO_IN, {}, [MOONSHOT])
    assert (asked.asked, asked.not_asked) == ({}, {KIMI: NO_OWNER})


def test_a_key_that_a_block_sends_to_another_host_is_sent_nowhere() -> None:
    blocks = [
        {"apiKey": OLD, "baseUrl": "https://API.moonshot.cn"},
        {"apiKey": NOW, "baseUrl": "https://api.example.com/v1"},
        {"apiKey": {"source": "env"}, "baseUrl": "x"},
        "hostile",
    ]
    hosts = hosts_of(blocks)
    assert hosts == {OLD: {"api.moonshot.cn"}, NOW: {"api.example.com"}}
    asked = questions([found(OLD, "moonshot"), found(NOW)], KEYS, ALSO_IN, hosts, [MOONSHOT])
    assert (asked.asked, asked.not_asked) == (
        {OLD: MOONSHOT},
        {NOW: "a block of moonshot sends it to another host than https://api.moonshot.cn/v1"},
    )


def test_headers_have_the_key_in_question_and_the_other_keys_of_the_host() -> None:
    headers = {"X-Key": "Bearer ${MOONSHOT_API_KEY}", "X-Other": "${KIMICODE_API_KEY}", "X-Team": "a"}
    assert endpoint_with(OLD, {**MOONSHOT, "headers": headers}, KEYS) == {
        "name": f"{fingerprint(OLD)} of moonshot",
        "base_url": "https://api.moonshot.cn/v1",
        "api_key": OLD,
        "headers": {"X-Key": f"Bearer {OLD}", "X-Other": KIMI, "X-Team": "a"},
    }


URL = MOONSHOT["base_url"]
STILL = f"The key is still valid at {URL}."
UNKNOWN = "Whether the key is still valid is not known: "
ANSWERS: dict[str, tuple[str, int | None, KeyStatus, tuple[str, str]]] = {
    "accepted": ("ok", 200, "old", ("alive", f"{STILL} Revoke it at platform.moonshot.cn.")),
    "accepted, and in use": (
        "ok",
        200,
        "current",
        (
            "alive",
            f"{STILL} Run the playbook clawfleet.clawdbot.rotate, then revoke it at platform.moonshot.cn.",
        ),
    ),
    "no money left": ("quota_exhausted", 429, "old", ("alive", f"{STILL} Revoke it at platform.moonshot.cn.")),
    "rejected": ("unauthorized", 401, "old", ("rejected", f"{URL} rejects the key (401).")),
    "forbidden": ("unauthorized", 403, "old", ("unknown", f"{UNKNOWN}unauthorized: it says")),
    "busy": ("rate_limited", 429, "old", ("unknown", f"{UNKNOWN}rate_limited: it says")),
    "no answer": ("timeout", None, "old", ("unknown", f"{UNKNOWN}timeout: it says")),
}


@pytest.mark.parametrize(("status", "code", "of_key", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_what_an_answer_means(status: str, code: int | None, of_key: KeyStatus, expected: tuple[str, str]) -> None:
    answer: Any = {"status": status, "http_status": code, "message": "it says"}
    assert described(found(OLD, status=of_key), Questions({OLD: MOONSHOT}, {}), {OLD: answer}) == expected


def test_a_key_about_which_nothing_was_asked_is_unknown() -> None:
    assert described(found(OLD), Questions({}, {OLD: NO_OWNER}), {}) == ("unknown", f"{UNKNOWN}{NO_OWNER}.")


def test_no_key_is_in_a_repr_or_a_result() -> None:
    one = found(OLD, "moonshot")
    asked = questions([one, found(NOW)], KEYS, ALSO_IN, {}, [KIMICODE])
    assert (OLD in f"{one!r}{one.as_result()}{asked!r}", one.fingerprint) == (False, fingerprint(OLD))
