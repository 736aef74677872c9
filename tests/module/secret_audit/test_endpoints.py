# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The endpoints are asked whether the keys that were found are still valid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import secret_audit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.secret_audit.gateway_files import AGENT, KIMI, NOW, OLD, Gateway, Run, models
from tests.module.verify_models.raw_server import RawServer, listing
from tools.mock_server import MockServer

# Of another vendor, and one that only its fingerprint is known of.
FOREIGN, FORGOTTEN = "sk-ant-0123456789abcdef", "sk-gone-0123456789abcdef"
HEADERS = {"X-Key": "Token ${MOONSHOT_API_KEY}"}


@pytest.fixture
def mock_server() -> Iterator[MockServer]:
    with MockServer() as endpoints:
        for key in (NOW, OLD):
            endpoints.add_key("moonshot-cn", key)
        endpoints.add_key("kimicode", KIMI)
        yield endpoints


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.setenv(name, "")


def endpoints(mock_server: MockServer, **more: Any) -> dict[str, Any]:
    return {
        "providers": [
            {"name": "moonshot", "base_url": mock_server.base_url("moonshot-cn"), "headers": HEADERS},
            {
                "name": "kimicode",
                "base_url": mock_server.base_url("kimicode", "anthropic"),
                "api": "anthropic-messages",
            },
        ],
        "retries": 0,
        **more,
    }


def seen(result: dict[str, Any]) -> dict[str, set[str]]:
    """Fingerprint -> what the findings say of its validity."""
    found: dict[str, set[str]] = {}
    for one in result["findings"]:
        found.setdefault(one["fingerprint"], set()).add(one["validity"])
    return found


def asked(mock_server: MockServer) -> list[tuple[str, str]]:
    """Product and key of each request, sorted."""
    return sorted((one["product"], one["key_fingerprint"]) for one in mock_server.requests())


@pytest.mark.parametrize("check_mode", [False, True])
def test_each_key_is_asked_about_once_and_only_at_its_own_endpoint(
    gateway: Gateway, run: Run, mock_server: MockServer, check_mode: bool
) -> None:
    config = gateway.state_dir / "clawdbot.json"
    config.write_text(config.read_text().replace("models:", f"env: {{ANTHROPIC_API_KEY: '{FOREIGN}'}}, models:", 1))
    (gateway.state_dir / "notes.md").write_text(f"{FORGOTTEN} {KIMI}")
    arguments = {"old_keys": [fingerprint(FORGOTTEN)], "endpoints": endpoints(mock_server)}

    before = run(check_mode, **arguments)

    assert seen(before) == {
        fingerprint(NOW): {"alive"},
        fingerprint(OLD): {"alive"},
        fingerprint(KIMI): {"alive"},
        fingerprint(FORGOTTEN): {"unknown"},
        fingerprint(FOREIGN): {"unknown"},
    }
    expected = [("kimicode", fingerprint(KIMI)), *(("moonshot-cn", one) for one in map(fingerprint, (NOW, OLD)))]
    assert asked(mock_server) == sorted(expected)
    assert [key for key in (NOW, OLD, KIMI, FORGOTTEN, FOREIGN) if key in json.dumps(before)] == []
    messages = {(one["fingerprint"], one["status"]): one["validity_message"] for one in before["findings"]}
    url = mock_server.base_url("moonshot-cn")
    assert messages[fingerprint(OLD), "old"] == (
        f"The key is still valid at {url}. Revoke it at the console of 127.0.0.1."
    )
    assert messages[fingerprint(NOW), "current"] == (
        f"The key is still valid at {url}. Run the playbook clawfleet.clawdbot.rotate, then revoke it at the console "
        "of 127.0.0.1."
    )
    assert messages[fingerprint(FORGOTTEN), "old"] == (
        "Whether the key is still valid is not known: it is not known to be a key of a provider of the inventory, so "
        "no endpoint was asked."
    )

    mock_server.revoke_key("moonshot-cn", OLD)
    after = run(check_mode, **arguments)

    assert seen(after)[fingerprint(OLD)] == {"rejected"}
    assert f"{url} rejects the key (401)." in {one["validity_message"] for one in after["findings"]}


def test_without_endpoints_nothing_is_asked(run: Run, mock_server: MockServer) -> None:
    result = run()
    assert {(one["validity"], one["validity_message"]) for one in result["findings"]} == {("", "")}
    assert mock_server.requests() == []


def test_a_key_that_the_config_sends_elsewhere_is_sent_nowhere(
    gateway: Gateway, run: Run, mock_server: MockServer
) -> None:
    block = {"apiKey": OLD, "baseUrl": "https://api.example.com/v1", "models": []}
    config = json.dumps({"models": {"providers": {"moonshot": block}}})
    gateway.lay_out({".env": f"MOONSHOT_API_KEY={NOW}\n", "clawdbot.json": config})
    (finding,) = run(endpoints=endpoints(mock_server))["findings"]
    assert (finding["validity"], finding["validity_message"]) == (
        "unknown",
        "Whether the key is still valid is not known: a block of moonshot sends it to another host than "
        f"{mock_server.base_url('moonshot-cn')}.",
    )
    assert mock_server.requests() == []


@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 500}])
def test_an_answer_that_proves_nothing_is_unknown(
    gateway: Gateway, run: Run, mock_server: MockServer, fault: dict[str, Any]
) -> None:
    gateway.lay_out({".env": f"MOONSHOT_API_KEY={NOW}\n", ".env~": f"MOONSHOT_API_KEY={OLD}\n"})
    mock_server.set_fault("moonshot-cn", "status", body='{"error": {"message": "key {key}"}}', **fault)
    (finding,) = run(endpoints=endpoints(mock_server))["findings"]
    assert finding["validity"] == "unknown"
    assert finding["validity_message"].endswith(f"answered {fault['status']}: key <{fingerprint(OLD)}>")


def test_endpoints_are_asked_through_the_proxies_of_the_gateway(
    run: Run, mock_server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RawServer(listing("kimi-k3")) as proxy:
        proxies = {"http_proxy": f"http://{proxy.netloc}"}
        monkeypatch.setattr(secret_audit, "gateway_proxies", lambda _product, _sources: proxies)
        result = run(endpoints=endpoints(mock_server))
    assert seen(result)[fingerprint(OLD)] == {"alive"}
    assert {received.target for received in proxy.received} == {f"{mock_server.base_url('moonshot-cn')}/models"}
    assert mock_server.requests() == []


def test_what_was_purged_is_asked_about_as_well(run: Run, mock_server: MockServer) -> None:
    result = run(state="purged", endpoints=endpoints(mock_server))
    assert {one["validity"] for one in result["purged"] if one["fingerprint"]} == {"alive"}


def test_notes_are_not_asked_about(gateway: Gateway, run: Run, mock_server: MockServer) -> None:
    gateway.lay_out({".env": f"MOONSHOT_API_KEY={NOW}\n", f"{AGENT}/models.json": models(moonshot=NOW)})
    result = run(endpoints=endpoints(mock_server))
    assert (result["findings"], [one["fingerprint"] for one in result["notes"]]) == ([], [fingerprint(NOW)])
    assert mock_server.requests() == []


def test_a_secret_in_a_header_is_in_no_output(run: Run, mock_server: MockServer) -> None:
    secret = "token-of-the-fleet-0123456789"
    given = endpoints(mock_server)
    given["providers"][0]["headers"] = {"X-Token": secret}
    result = run(endpoints=given)
    assert secret not in json.dumps(result)
    assert seen(result)[fingerprint(OLD)] == {"alive"}
