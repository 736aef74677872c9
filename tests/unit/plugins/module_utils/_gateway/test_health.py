# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import health
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.health import (
    call_error,
    may_become_healthy,
    missing_models,
    parse_models,
    unserved_choices,
    wait_until_healthy,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.state import Observation, Service
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.systemd import Unit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway, Listener
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.unit.plugins.module_utils._gateway.observations import observation, paths, run_in_process

CLAWDBOT = PRODUCTS["clawdbot"]
LISTENER = Listener("127.0.0.1", 18789)

WAITS: dict[str, tuple[Observation, bool]] = {
    "answers on its files": (observation(), False),
    "does not answer": (observation(answers=False), True),
    "is older than a file": (observation(restart_reasons=["It is old."]), True),
    "does not run": (observation(None, answers=False), True),
    "has failed for good": (
        observation(None, Unit("u", "failed"), answers=False, restart_reasons=["It is not there."]),
        False,
    ),
    "is started again": (observation(None, Unit("u", "activating", "auto-restart"), answers=False), True),
    "runs, though its unit has failed": (observation(Process(1, 1.0), Unit("u", "failed"), answers=False), True),
}


@pytest.mark.parametrize("name", WAITS)
def test_may_become_healthy(name: str) -> None:
    seen, waits = WAITS[name]
    assert may_become_healthy(seen) is waits


def test_waits_until_it_is_healthy_and_no_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ask", lambda *_arguments: None)
    monkeypatch.setattr(health, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(health, "_OBSERVE_SECONDS", 0.01)
    observations = [
        observation(answers=False),
        observation(restart_reasons=["It is old."]),
        observation(),
        observation(answers=False),
    ]
    monkeypatch.setattr(health, "observe", lambda *_arguments: observations.pop(0))
    assert wait_until_healthy(CLAWDBOT, paths(tmp_path), Service("command", ""), [], 60) == observation()
    assert len(observations) == 1


def test_observes_again_as_soon_as_it_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(health, "_OBSERVE_SECONDS", 60)
    observations = [observation(answers=False), observation()]
    monkeypatch.setattr(health, "observe", lambda *_arguments: observations.pop(0))
    found = [False, False, True]
    monkeypatch.setattr(
        health, "ask", lambda *asked: LISTENER if asked == ("127.0.0.1", 1, "/") and found.pop(0) else None
    )
    assert wait_until_healthy(CLAWDBOT, paths(tmp_path), Service("command", ""), [], 60) == observation()
    assert found == []


def test_observes_again_one_that_answers_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(health, "_OBSERVE_SECONDS", 0.05)
    observations = [observation(restart_reasons=["It is old."]), observation()]
    monkeypatch.setattr(health, "observe", lambda *_arguments: observations.pop(0))
    monkeypatch.setattr(health, "ask", lambda *_arguments: LISTENER)
    assert wait_until_healthy(CLAWDBOT, paths(tmp_path), Service("command", ""), [], 60) == observation()


def test_gives_up_after_the_time_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ask", lambda *_arguments: None)
    monkeypatch.setattr(health, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(health, "observe", lambda *_arguments: observation(answers=False))
    begun = time.monotonic()
    assert wait_until_healthy(CLAWDBOT, paths(tmp_path), Service("command", ""), [], 0.05) == observation(answers=False)
    assert time.monotonic() - begun >= 0.05


def test_gives_up_on_a_unit_that_ends_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "ask", lambda *_arguments: None)
    monkeypatch.setattr(health, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(health, "_OBSERVE_SECONDS", 0.01)
    # It has ended before, and someone starts it meanwhile.
    counts = [7, 9, 0, 1, 1, 4, 5, 6]
    service = Service("systemd_user", "u")

    def observed(*_arguments: object) -> Observation:
        return observation(answers=False, unit=Unit("u", "activating", restarts=counts.pop(0)))

    monkeypatch.setattr(health, "observe", observed)
    assert wait_until_healthy(CLAWDBOT, paths(tmp_path), service, [], 60).restarts == 5
    assert counts == [6]


LISTINGS: dict[str, tuple[Any, set[str]]] = {
    "of the gateway": (
        {"models": [{"id": "kimi-k2.5", "provider": "moonshot"}, {"id": "a/b", "provider": "openrouter"}]},
        {"moonshot/kimi-k2.5", "openrouter/a/b"},
    ),
    "of the command": ({"count": 1, "models": [{"key": "moonshot/kimi-k2.5", "name": "K"}]}, {"moonshot/kimi-k2.5"}),
    "empty": ({"models": []}, set()),
    "no listing": (None, set()),
    "a list": ([{"key": "a/b"}], set()),
    "models of a wrong type": ({"models": {"key": "a/b"}}, set()),
    "entries of wrong types": ({"models": [None, "a/b", {"key": "c/d"}]}, {"c/d"}),
}


@pytest.mark.parametrize("name", LISTINGS)
def test_parse_models(name: str) -> None:
    listing, models = LISTINGS[name]
    assert parse_models(listing) == models


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """A CLI that prints the files named like its commands, and notes what it was asked."""

    def program(arguments: list[str]) -> Any:
        (tmp_path / "asked").write_text(json.dumps(arguments))
        return json.loads((tmp_path / arguments[0]).read_text())

    run_in_process(monkeypatch, program)
    return Gateway(CLAWDBOT, ["clawdbot"], paths(tmp_path), LISTENER, {})


WANTED = ["moonshot/a", "moonshot/b"]
GATEWAY_LISTS = '{"models": [{"provider": "moonshot", "id": "a"}]}'
CONFIG_LISTS = '{"models": [{"key": "moonshot/b"}]}'


def test_models_that_the_gateway_lists(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "gateway").write_text(GATEWAY_LISTS)
    (tmp_path / "clawdbot.json").touch()
    assert missing_models(paths(tmp_path), gateway, observation(), WANTED[:1]) == []


def test_models_that_were_added_to_the_config_since_the_start(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "gateway").write_text(GATEWAY_LISTS)
    (tmp_path / "models").write_text(CONFIG_LISTS)
    (tmp_path / "clawdbot.json").touch()
    assert missing_models(paths(tmp_path), gateway, observation(), [*WANTED, "x/y"]) == ["x/y"]


def test_models_of_a_config_that_is_older_than_the_process(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "gateway").write_text(GATEWAY_LISTS)
    (tmp_path / "models").write_text(CONFIG_LISTS)
    (tmp_path / "clawdbot.json").touch()
    young = observation(Process(1, time.time() + 60))
    assert missing_models(paths(tmp_path), gateway, young, WANTED) == ["moonshot/b"]


def test_models_without_a_config(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "gateway").write_text(GATEWAY_LISTS)
    assert missing_models(paths(tmp_path), gateway, observation(), WANTED) == ["moonshot/b"]


def test_all_models_are_missing_while_the_gateway_does_not_answer(gateway: Gateway, tmp_path: Path) -> None:
    assert missing_models(paths(tmp_path), gateway, observation(answers=False), WANTED) == WANTED
    assert not (tmp_path / "asked").exists()


def test_a_call_that_the_gateway_accepts(gateway: Gateway, tmp_path: Path) -> None:
    (tmp_path / "gateway").write_text("{}")
    assert call_error(gateway) == ""
    asked = json.loads((tmp_path / "asked").read_text())
    assert asked[:3] == ["gateway", "call", "health"]


def test_a_call_that_the_gateway_does_not_accept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def program(_arguments: list[str]) -> None:
        raise SystemExit("Error: unauthorized: t-0123456789")

    run_in_process(monkeypatch, program)
    refused = Gateway(CLAWDBOT, ["clawdbot"], paths(tmp_path), LISTENER, {}, ["t-0123456789"])
    assert call_error(refused) == f"Gateway method health failed: unauthorized: <{fingerprint('t-0123456789')}>"


# What the command lists, and the places of the default `acme/x` and its fallback `nosuch/y` that no provider serves.
DEFAULTS = {"primary": "acme/x", "fallbacks": ["nosuch/y", "moonshot/b"]}
UNSERVED: dict[str, tuple[str | None, list[str]]] = {
    "neither": (CONFIG_LISTS, ["agents.defaults.model", "agents.defaults.model.fallbacks"]),
    "a provider of a plugin": ('{"models": [{"key": "acme/z"}]}', ["agents.defaults.model.fallbacks"]),
    "the command lists nothing": ('{"models": []}', []),
    "the command fails": (None, []),
}


@pytest.mark.parametrize(("listing", "expected"), UNSERVED.values(), ids=UNSERVED)
def test_choices_that_no_provider_serves(
    listing: str | None, expected: list[str], gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if listing is None:
        run_in_process(monkeypatch, lambda _arguments: sys.exit("invalid"))
    else:
        (tmp_path / "models").write_text(listing)
    config = {"agents": {"defaults": {"model": DEFAULTS}}}
    assert [use.place for use in unserved_choices(CLAWDBOT, gateway, config)] == expected


def test_the_command_is_asked_only_where_a_provider_is_unknown(gateway: Gateway, tmp_path: Path) -> None:
    assert unserved_choices(CLAWDBOT, gateway, {"agents": {"defaults": {"model": "moonshot/kimi-k3"}}}) == []
    assert not (tmp_path / "asked").exists()
