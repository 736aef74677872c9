# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several providers, and what the module returns of them."""

from __future__ import annotations

import socket
import threading

from tests.module.verify_models.behaviours import (
    chats,
)
from tests.module.verify_models.hints import (
    CONNECTION,
    UNLISTED,
)
from tests.module.verify_models.probing import (
    KEY,
    free_port,
    provider,
    run,
)
from tests.module.verify_models.raw_server import (
    RawServer,
    Received,
    listing,
)


def test_all_providers_are_asked_at_once() -> None:
    all_are_there = threading.Barrier(8)

    def patient(connection: socket.socket, _request: Received) -> None:
        all_are_there.wait(30)
        connection.sendall(listing("kimi-k2.5"))

    with RawServer(patient) as server:
        asked = [provider(server, name=f"p{n}", base_url=f"http://{server.netloc}/{n}/v1") for n in range(8)]
        code, result, _printed = run(*asked)
    assert (code, [found["name"] for found in result["providers"]]) == (0, [f"p{n}" for n in range(8)])
    assert {found["status"] for found in result["providers"]} == {"ok"}


def test_equal_requests_are_sent_once() -> None:
    with RawServer(chats(("a", "b"))) as server:
        code, result, _printed = run(
            provider(server, name="one", models=["a"]),
            provider(server, name="two", models=["b", "c"], base_url=f"http://{server.netloc}/v1/"),
            provider(server, name="three", models=["a"], headers={"X": "y"}),
            provider(server, name="four", models=["a"]),
            probe="chat",
        )
    assert (code, [found["status"] for found in result["providers"]]) == (1, ["ok", "model_missing", "ok", "ok"])
    # Listings: with and without the header. Chats: a with and without it, b.
    assert sorted(request.method for request in server.received) == ["GET"] * 2 + ["POST"] * 3


def test_the_text_of_a_failure_is_a_table_of_all() -> None:
    port = free_port()
    with RawServer(listing("kimi-for-coding")) as server:
        asked = (
            {"name": "moonshot", "base_url": f"http://127.0.0.1:{port}/v1", "api_key": KEY},
            provider(server, name="kimicode", models=["kimi-for-codin"]),
            provider(server, name="kimi", models=["kimi-for-coding"]),
            provider(server, name="other", api_key=""),
        )
        code, result, printed = run(*asked)
        reported, report, _printed = run(*asked, fail_on_error=False)
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
            "other: the API key is missing",
            "  -> Set api_key of other from a vaulted variable.",
        ]
    )
    assert (code, result["failed"], KEY in printed) == (1, True, False)
    summary = report["msg"].splitlines()[0]
    assert (reported, report["ok"], summary) == (0, False, "3 of 4 providers failed the check.")


def test_no_provider_is_no_problem() -> None:
    code, result, _printed = run()
    assert (code, result["ok"], result["providers"]) == (0, True, [])


def test_check_mode_asks_too() -> None:
    with RawServer(listing("kimi-k2.5")) as server:
        code, result, _printed = run(provider(server), _ansible_check_mode=True)
    assert (code, result["ok"], len(server.received)) == (0, True, 1)
