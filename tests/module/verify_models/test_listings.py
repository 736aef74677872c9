# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listings and the models in them."""

from __future__ import annotations

import socket

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.verify_models.behaviours import (
    ZIPPED,
)
from tests.module.verify_models.hints import (
    UNLISTED,
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
    Received,
    answer,
    error,
    json_answer,
    listing,
)


def test_every_model_is_listed() -> None:
    with RawServer(listing("kimi-k2.5", "moonshot-v1-8k", "kimi-k2.5")) as server:
        asked = provider(server, models=["moonshot-v1-8k", {"id": "kimi-k2.5"}, "kimi-k2.5"])
        code, result, _printed = run({**asked, "base_url": f"{asked['base_url']}/"})
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


def test_a_zipped_listing_is_read() -> None:
    with RawServer(answer(200, ZIPPED, "Content-Encoding: GZIP")) as server:
        code, result, _printed = run(provider(server))
    assert (code, only(result)["status"]) == (0, "ok")


def test_a_redirect_within_the_origin_is_followed() -> None:
    def behave(connection: socket.socket, request: Received) -> None:
        moved = answer(308, b"", "Location: /v2/models")
        connection.sendall(listing("kimi-k2.5") if request.target == "/v2/models" else moved)

    with RawServer(behave) as server:
        code, result, _printed = run(provider(server))
    assert (code, only(result)["status"]) == (0, "ok")
    assert [request.headers["authorization"] for request in server.received] == [f"Bearer {KEY}"] * 2


def test_missing_models() -> None:
    with RawServer(listing("kimi-k2.5", "moonshot-v1-32k", "moonshot-v1-8k")) as server:
        asked = provider(server, models=["kimi-k25", "kimi-k2.5", "moonlight-v1-32k", "zzz"])
        code, result, _printed = run(asked)
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


def test_nothing_is_listed() -> None:
    with RawServer(listing()) as server:
        _code, result, _printed = run(provider(server, models=["kimi-k3"]))
    assert only(result) == expected(
        "model_missing",
        200,
        "not listed: kimi-k3",
        f"127.0.0.1 lists no model for this key. {UNLISTED}",
        missing=["kimi-k3"],
        suggestions={"kimi-k3": []},
    )


def test_optional_models_need_not_be_listed() -> None:
    asked = {"models": ["kimi-k3", "kimi-k2.5", "k3", "kimi-k2.6"], "optional_models": ["k3", "kimi-k2.5", "kimi-k2.6"]}
    with RawServer(listing("kimi-k3", "kimi-k2.6")) as server:
        code, result, _printed = run(provider(server, **asked))
    assert only(result) == expected(
        "ok",
        200,
        "listed: kimi-k3, kimi-k2.6; optional, not listed: kimi-k2.5, k3",
        "",
        listed=["kimi-k3", "kimi-k2.6"],
        optional_missing=["kimi-k2.5", "k3"],
    )
    assert (code, result["ok"]) == (0, True)


def test_an_optional_model_does_not_excuse_a_missing_one() -> None:
    with RawServer(listing("kimi-k2.6")) as server:
        code, result, _printed = run(
            provider(server, models=["kimi-k3", "k3", "kimi-k2.6"], optional_models=["k3"]),
        )
    assert only(result) == expected(
        "model_missing",
        200,
        "not listed: kimi-k3",
        f"kimi-k3: did you mean kimi-k2.6? {UNLISTED}",
        listed=["kimi-k2.6"],
        missing=["kimi-k3"],
        optional_missing=["k3"],
        suggestions={"kimi-k3": ["kimi-k2.6"]},
    )
    assert code == 1
    (row,) = [line for line in result["msg"].splitlines() if line.startswith("moonshot ")]
    assert row.endswith("  kimi-k3, k3 (optional)")


def test_an_endpoint_must_list_one_of_its_models() -> None:
    with RawServer(listing("gpt-5", "kimi-k2")) as server:
        code, result, _printed = run(provider(server, models=["k3", "kimi-k2.6"], optional_models=["k3", "kimi-k2.6"]))
    assert only(result) == expected(
        "model_missing",
        200,
        "none of its models is listed: k3, kimi-k2.6",
        f"kimi-k2.6: did you mean kimi-k2? 127.0.0.1 lists gpt-5, kimi-k2 for this key. {UNLISTED}",
        listed=["gpt-5", "kimi-k2"],
        optional_missing=["k3", "kimi-k2.6"],
        suggestions={"k3": [], "kimi-k2.6": ["kimi-k2"]},
    )
    assert code == 1


def test_the_guides_models_are_retired_at_the_vendor() -> None:
    guide = ["kimi-k2.5", "moonshot-v1-8k", "moonshot-v1-128k"]
    with RawServer(listing("kimi-k3", "kimi-k2.6")) as server:
        code, result, _printed = run(provider(server, models=guide, optional_models=guide))
    assert only(result) == expected(
        "model_retired",
        200,
        "none of its models is listed; kimi-k2.5 was retired by Moonshot on 2026-08-31; use kimi-k3; moonshot-v1-8k was"
        " retired by Moonshot on 2026-08-31; use kimi-k2.6; moonshot-v1-128k was retired by Moonshot on 2026-08-31; use"
        " kimi-k2.6",
        "Replace kimi-k2.5 with kimi-k3. Replace moonshot-v1-8k, moonshot-v1-128k with kimi-k2.6.",
        listed=["kimi-k3", "kimi-k2.6"],
        optional_missing=guide,
        suggestions={"kimi-k2.5": ["kimi-k3"], "moonshot-v1-8k": ["kimi-k2.6"], "moonshot-v1-128k": ["kimi-k2.6"]},
    )
    assert code == 1


def test_unlisted_models_are_enough_without_any_optional_one() -> None:
    asked = {"models": ["k3"], "optional_models": ["k3"], "unlisted_models": ["kimi-x"]}
    with RawServer(listing("gpt-5")) as server:
        _code, result, _printed = run(provider(server, **asked))
    assert only(result) == expected(
        "ok",
        200,
        "the key is accepted; 1 model is listed; optional, not listed: k3; not checked without a chat: kimi-x",
        "Use probe=chat to check the models that are not listed.",
        listed=["gpt-5"],
        optional_missing=["k3"],
    )


def test_a_retired_model() -> None:
    with RawServer(listing("kimi-k3", "kimi-k2.6")) as server:
        code, result, _printed = run(provider(server, models=["kimi-k2.5", "kimi-k3"]))
    assert only(result) == expected(
        "model_retired",
        200,
        "kimi-k2.5 was retired by Moonshot on 2026-08-31; use kimi-k3",
        "Replace kimi-k2.5 with kimi-k3.",
        listed=["kimi-k3", "kimi-k2.6"],
        missing=["kimi-k2.5"],
        suggestions={"kimi-k2.5": ["kimi-k3"]},
    )
    assert code == 1


def test_a_retired_model_whose_successor_is_not_listed() -> None:
    with RawServer(listing("kimi-k2.6")) as server:
        _code, result, _printed = run(provider(server, models=["kimi-latest"]))
    assert only(result) == expected(
        "model_retired",
        200,
        "kimi-latest was retired by Moonshot on 2026-01-28; its successor kimi-k3 is not listed",
        "127.0.0.1 lists kimi-k2.6 for this key.",
        listed=["kimi-k2.6"],
        missing=["kimi-latest"],
        suggestions={"kimi-latest": []},
    )


def test_a_retired_model_beside_a_missing_one() -> None:
    with RawServer(listing("kimi-k3")) as server:
        _code, result, _printed = run(provider(server, models=["kimi-k2.5", "kimi-k33"]))
    assert only(result) == expected(
        "model_missing",
        200,
        "not listed: kimi-k33; kimi-k2.5 was retired by Moonshot on 2026-08-31; use kimi-k3",
        f"kimi-k33: did you mean kimi-k3? Replace kimi-k2.5 with kimi-k3. {UNLISTED}",
        listed=["kimi-k3"],
        missing=["kimi-k2.5", "kimi-k33"],
        suggestions={"kimi-k2.5": ["kimi-k3"], "kimi-k33": ["kimi-k3"]},
    )


@pytest.mark.parametrize("optional", [[], ["kimi-k2.6"]], ids=["required", "optional"])
def test_a_first_page_is_no_listing(optional: list[str]) -> None:
    with RawServer(json_answer(200, {"data": [{"id": "kimi-k3"}], "has_more": True})) as server:
        # It may be on the next page, so it is not reported as optional and missing.
        _code, result, _printed = run(provider(server, models=["kimi-k3", "kimi-k2.6"], optional_models=optional))
    assert only(result) == expected(
        "invalid_response",
        200,
        "the listing is only a first page, without: kimi-k2.6",
        "Declare the models in unlisted_models and use probe=chat: the endpoint lists its models in pages, and only the"
        " first page is read.",
        listed=["kimi-k3"],
        missing=["kimi-k2.6"],
        suggestions={"kimi-k2.6": ["kimi-k3"]},
    )


def test_unlisted_models_are_not_checked_by_a_listing() -> None:
    with RawServer(listing("kimi-k2.5")) as server:
        code, result, _printed = run(provider(server, unlisted_models=["kimi-latest"]))
    assert only(result) == expected(
        "ok",
        200,
        "listed: kimi-k2.5; not checked without a chat: kimi-latest",
        "Use probe=chat to check the models that are not listed.",
        listed=["kimi-k2.5"],
    )
    assert code == 0


def test_a_context_that_is_too_large_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    # Ansible prints warnings or returns them, depending on what else the process has loaded.
    warned: list[str] = []
    monkeypatch.setattr(AnsibleModule, "warn", lambda _module, text: warned.append(text))
    lengths = {"kimi-k2.5": "262144", "a": "8192", "b": '"8192"', "c": "true", "d": "9" * 5000}
    entries = [f'{{"id": "{model_id}", "context_length": {length}}}' for model_id, length in lengths.items()]
    behaviour = answer(200, f'{{"data": [{", ".join(entries)}]}}'.encode())
    models = [{"id": "kimi-k2.5", "contextWindow": 262145}, {"id": "a", "contextWindow": 8192}]
    models += [{"id": model_id, "contextWindow": 10_000} for model_id in "bcd"]
    with RawServer(behaviour) as server:
        code, result, _printed = run(provider(server, models=models))
    warning = (
        "kimi-k2.5: contextWindow is 262145, but the endpoint's context_length is 262144: longer conversations will"
        " fail"
    )
    assert only(result)["warnings"] == [warning]
    assert (code, warned) == (0, [f"moonshot: {warning}"])


def test_headers_are_sent_as_configured() -> None:
    headers = {"User-Agent": "KimiCLI/0.77", "X-Number": 1, "authorization": "Bearer tokentokentoken"}
    with RawServer(error(401, "x", "no tokentokentoken")) as server:
        _code, result, printed = run(provider(server, headers=headers))
    sent = server.received[0].headers
    assert (sent["user-agent"], sent["x-number"]) == ("KimiCLI/0.77", "1")
    assert sent["authorization"] == "Bearer tokentokentoken"
    message = f"http://{server.netloc}/v1/models answered 401: no <{fingerprint('tokentokentoken')}>"
    assert only(result)["message"] == message
    assert "tokentoken" not in printed
    # Its other headers are no secrets: a 1 in the result stays a 1.
    assert "answered 401" in result["msg"]
