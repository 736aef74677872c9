# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import dataclasses
import stat
import threading
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import (
    Listing,
    ProbeOptions,
    Reading,
    Request,
    Verdict,
)
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._endpoint_cache import EndpointCache

KEY = "sk-0123456789abcdef"
OPTIONS = ProbeOptions(False, 10.0, 2, None, True, False)
REQUEST = Request("GET", "https://endpoint.example/v1/models", (("Authorization", f"Bearer {KEY}"),))
LISTING = Listing(("kimi-k2.5", "kimi-k3"), {"kimi-k3": 1048576}, False, 200, 12)
VERDICT = Verdict("unauthorized", "it answered 401", 401, 7, retry=False, rejection=None, advice="tls_name")


def never() -> Reading:
    raise AssertionError("It was sent again.")


@pytest.mark.parametrize("reading", [LISTING, VERDICT], ids=["listing", "verdict"])
def test_another_process_gets_the_reading_without_a_request(reading: Reading, tmp_path: Path) -> None:
    assert EndpointCache(tmp_path / "answers", OPTIONS, [KEY])(REQUEST, lambda: reading) == reading
    assert EndpointCache(tmp_path / "answers", OPTIONS, [KEY])(REQUEST, never) == reading


OTHER_REQUESTS = {
    "another key": (dataclasses.replace(REQUEST, headers=(("Authorization", "Bearer sk-other"),)), OPTIONS),
    "another endpoint": (dataclasses.replace(REQUEST, url="https://endpoint.example/v2/models"), OPTIONS),
    "another method": (dataclasses.replace(REQUEST, method="POST"), OPTIONS),
    "another model": (dataclasses.replace(REQUEST, body=b'{"model": "kimi-k3"}'), OPTIONS),
    "other authorities": (REQUEST, OPTIONS._replace(ca_path="/etc/ca.pem")),
    "certificates not verified": (REQUEST, OPTIONS._replace(validate_certs=False)),
    "more time": (REQUEST, OPTIONS._replace(timeout=20.0)),
    "fewer attempts": (REQUEST, OPTIONS._replace(retries=0)),
}


@pytest.mark.parametrize(("request_", "options"), OTHER_REQUESTS.values(), ids=OTHER_REQUESTS)
def test_a_request_that_may_get_another_answer_is_sent(
    request_: Request, options: ProbeOptions, tmp_path: Path
) -> None:
    EndpointCache(tmp_path, OPTIONS, [KEY])(REQUEST, lambda: LISTING)
    assert EndpointCache(tmp_path, options, [KEY])(request_, lambda: VERDICT) == VERDICT


def test_a_request_in_flight_is_waited_for(tmp_path: Path) -> None:
    asked: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def ask() -> Reading:
        asked.append(1)
        begun.set()
        go_on.wait()
        return LISTING

    found: list[Reading] = []
    first, *others = [
        threading.Thread(target=lambda: found.append(EndpointCache(tmp_path, OPTIONS, [KEY])(REQUEST, ask)))
        for _number in range(4)
    ]
    first.start()
    begun.wait()
    for other in others:
        other.start()
    go_on.set()
    for thread in (first, *others):
        thread.join()

    assert found == [LISTING] * 4
    assert asked == [1]


def test_a_request_that_failed_is_sent_by_the_next_process(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        EndpointCache(tmp_path, OPTIONS, [KEY])(REQUEST, never)
    # The files of a process that died while it wrote are not read.
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]
    assert EndpointCache(tmp_path, OPTIONS, [KEY])(REQUEST, lambda: LISTING) == LISTING


def test_the_directory_has_no_key_whatever_the_endpoint_calls_its_models(tmp_path: Path) -> None:
    echo = LISTING._replace(ids=("kimi-k2.5", f"model-{KEY}"), contexts={f"model-{KEY}": 5, "kimi-k2.5": 6})
    directory = tmp_path / "answers"
    EndpointCache(directory, OPTIONS, [KEY])(REQUEST, lambda: echo)

    kept = EndpointCache(directory, OPTIONS, [KEY])(REQUEST, never)

    assert kept == LISTING._replace(ids=("kimi-k2.5",), contexts={"kimi-k2.5": 6})
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert [path for path in directory.iterdir() if KEY in path.name or KEY in path.read_text()] == []
