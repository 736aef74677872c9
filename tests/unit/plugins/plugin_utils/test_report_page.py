# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import copy
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._report import STATUSES, fleet_report
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._report_page import (
    LABELS,
    report_page,
    report_summary,
)

from tests.unit.plugins.plugin_utils.report_cases import FLEET, GENERATED, NOT_RUNNING, REJECTED, host

# What the page selects or compares by.
COMPARED = ("status", "generated", "started", "key_stored", "key_in_process")
EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}"


def page_of(fleet: dict[str, dict[str, Any]]) -> str:
    return report_page(fleet_report(fleet, list(fleet), GENERATED))


class Elements(HTMLParser):
    """Collects the elements of a page, each with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def _evil(value: Any) -> Any:
    """Return a value with EVIL in place of each string, except for `COMPARED`."""
    if isinstance(value, dict):
        return {name: item if name in COMPARED else _evil(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_evil(item) for item in value]
    return EVIL if value and isinstance(value, str) else value


def test_each_status_has_a_label() -> None:
    assert tuple(LABELS) == STATUSES


def test_each_string_of_the_report_is_text_on_the_page() -> None:
    report = fleet_report(FLEET, list(FLEET), GENERATED)
    good = Elements(report_page(report)).found

    page = report_page(_evil(copy.deepcopy(report)))

    # The same elements, except for the groups, which are one now: no string has become an element.
    def tags(elements: list[tuple[str, dict[str, str | None]]]) -> list[str]:
        return [tag for tag, _attributes in elements if tag not in ("option", "wbr")]

    assert tags(Elements(page).found) == tags(good)
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "{{ 7 * 7 }}" in page


def test_the_page_loads_nothing_and_allows_only_its_own_style_and_script() -> None:
    page = page_of(FLEET)
    elements = Elements(page).found
    attributes = {name for _tag, found in elements for name in found}
    assert attributes & {"src", "href", "style", "action", "srcset", "data"} == set()
    assert [name for name in attributes if name.startswith("on")] == []
    assert "@import" not in page
    assert "url(" not in page

    def source(tag: str) -> str:
        texts = re.findall(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert len(texts) == 1
        return "'sha256-" + base64.b64encode(hashlib.sha256(texts[0].encode()).digest()).decode() + "'"

    policies = [found["content"] for tag, found in elements if found.get("http-equiv") == "Content-Security-Policy"]
    assert policies == [
        f"default-src 'none'; style-src {source('style')}; script-src {source('script')}; base-uri 'none'; "
        "form-action 'none'"
    ]


def test_the_page_without_hosts() -> None:
    assert "Need attention: 0 of 0 gateways" in page_of({})


AGES = {
    "2026-11-22T19:50:00.000Z": "&lt;1 min",
    "2026-11-22T19:49:00.999Z": "1 min",
    "2026-11-22T18:50:01.000Z": "59 min",
    "2026-11-21T19:50:01.000Z": "23 h",
    "2026-11-21T19:50:00.000Z": "1 d",
    # The clock of the host is ahead.
    "2026-11-23T19:50:00.000Z": "&lt;1 min",
}


@pytest.mark.parametrize("started", AGES)
def test_the_page_shows_how_long_a_gateway_has_been_running(started: str) -> None:
    page = page_of({"h": host({"started": started})})
    assert f"{started[:10]} {started[11:16]} UTC</time> ({AGES[started]})" in page


def test_the_summary_is_a_table() -> None:
    fleet = {
        "gateway-1": host(moonshot=REJECTED),
        "gateway-2": host(),
        "gateway-3": host(NOT_RUNNING, moonshot=REJECTED),
        "gateway-4": {},
    }
    url = "https://api.moonshot.cn/v1/models"
    assert report_summary(fleet_report(fleet, list(fleet), GENERATED)) == [
        "Need attention: 3 of 4 hosts (1 failed, 1 down, 1 provider error, 1 ok)",
        "HOST       STATUS          PROVIDERS                           VERSION      STARTED               FINDING",
        "gateway-4  Failed          -                                   -            -                     "
        "The run ended before the state of this host was gathered.",
        "gateway-3  Down            moonshot unauthorized, kimicode ok  2026.1.24-3  -                     "
        "The gateway is not running. (and 1 more)",
        "gateway-1  Provider error  moonshot unauthorized, kimicode ok  2026.1.24-3  2026-11-20 08:00 UTC  "
        f"moonshot: unauthorized: {url} answered ...",
        "gateway-2  OK              moonshot ok, kimicode ok            2026.1.24-3  2026-11-20 08:00 UTC  -",
    ]


def test_the_summary_of_a_large_fleet_is_limited() -> None:
    fleet = {f"gateway-{number}": host() for number in range(1000)}
    lines = report_summary(fleet_report(fleet, list(fleet), GENERATED))
    assert lines[0] == "Need attention: 0 of 1000 hosts (1000 ok)"
    assert len(lines) == 43
    assert lines[-1] == "and 960 more"


def test_the_page_of_a_large_fleet_is_small_enough_for_a_phone() -> None:
    fleet = {f"gateway-{number}.example.com": host() for number in range(1000)}
    assert len(page_of(fleet).encode()) < 2_000_000
