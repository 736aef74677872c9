# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run with state=absent removes, keeps and reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_reader import loads
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.provider_config.gateway_files import (
    ENV_WITHOUT,
    NEW_CONFIG,
    NEW_ENV,
    NEW_KEY,
    OLD_CONFIG,
    OLD_ENV,
    Gateway,
    Run,
)


def test_absent_removes_what_present_brought(gateway: Gateway, run: Run) -> None:
    profiles = gateway.directory / "agents" / "main" / "agent" / "auth-profiles.json"
    profiles.parent.mkdir(parents=True)
    profiles.write_text(json.dumps({"profiles": {"moonshot:default": {"provider": "moonshot", "key": NEW_KEY}}}))
    run()
    run(state="confirmed")
    less = {"state": "absent", "env": {"MOONSHOT_API_KEY": ""}, "providers": {"moonshot": {}}}
    before = gateway.files()
    predicted = run(check_mode=True, **less)
    assert gateway.files() == before

    done = run(**less)

    assert done.changes == (True, True, True, True)
    assert done.result == predicted.result
    assert (done.result["agent_files"], done.result["kept"]) == ([str(profiles)], [])
    assert (gateway.config.read_bytes(), gateway.env.read_bytes()) == (OLD_CONFIG, ENV_WITHOUT)
    assert json.loads(profiles.read_text()) == {"profiles": {}}
    assert done.result["diff"][0]["before"] == f"MOONSHOT_API_KEY=<{fingerprint(NEW_KEY)}>\n"
    assert NEW_KEY not in done.printed
    assert run(**less).changes == (False, False, False, True)
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert (gateway.config.read_bytes(), gateway.env.read_bytes()) == (NEW_CONFIG, NEW_ENV)


@pytest.fixture
def spelled(gateway: Gateway) -> Gateway:
    """A gateway whose files spell the provider qwen in more than one way."""
    agent = gateway.directory / "agents" / "main" / "agent"
    agent.mkdir(parents=True)
    block = {"models": [{"id": "coder"}]}
    models = {"qwen-portal/coder": {"alias": "q"}, "Qwen/coder": {}, "other/x": {}}
    choice = {"primary": "other/x", "fallbacks": ["qwen/coder", "q", "other/y"]}
    gateway.config.write_text(
        json.dumps(
            {
                "models": {"mode": "merge", "providers": {"qwen-portal": block, "Qwen": block, "other": block}},
                "agents": {"defaults": {"models": models, "model": choice}},
            }
        )
    )
    (agent / "models.json").write_text(json.dumps({"providers": {"qwen-portal": block, "QWEN": block, "other": block}}))
    profiles = {"a": {"provider": "qwen-portal"}, "b": {"provider": "qwen"}, "c": {"provider": "other"}}
    (agent / "auth-profiles.json").write_text(json.dumps({"profiles": profiles, "order": {"qwen-portal": ["a"]}}))
    return gateway


def providers_left(gateway: Gateway) -> dict[str, Any]:
    """Return what the files of a gateway contain of providers."""
    agent = gateway.directory / "agents" / "main" / "agent"
    config = loads(gateway.config.read_text())
    profiles = json.loads((agent / "auth-profiles.json").read_text())
    return {
        "blocks": [*config["models"]["providers"]],
        "models": [*config["agents"]["defaults"]["models"]],
        "fallbacks": config["agents"]["defaults"]["model"]["fallbacks"],
        "models.json": [*json.loads((agent / "models.json").read_text())["providers"]],
        "profiles": [*profiles["profiles"]],
        "order": [*profiles["order"]],
    }


@pytest.mark.parametrize("name", ["qwen", "qwen-portal", "QWEN"])
def test_absent_removes_all_spellings_of_a_provider(spelled: Gateway, run_on: Run, name: str) -> None:
    done = run_on(spelled, state="absent", providers={name: {}}, env={})
    assert done.changes == (True, True, False, True)
    assert [Path(path).name for path in done.result["agent_files"]] == ["models.json", "auth-profiles.json"]
    assert providers_left(spelled) == {
        "blocks": ["other"],
        "models": ["other/x"],
        "fallbacks": ["other/y"],
        "models.json": ["other"],
        "profiles": ["c"],
        "order": [],
    }


@pytest.mark.parametrize("known", ["by its files", "by the option"])
def test_absent_keeps_what_is_another_provider_to_openclaw(spelled: Gateway, run_on: Run, known: str) -> None:
    more = {"product": "openclaw"}
    if known == "by its files":
        (spelled.directory / "openclaw.json").touch()
        more = {}
    run_on(spelled, state="absent", providers={"qwen": {}}, env={}, **more)
    assert providers_left(spelled) == {
        "blocks": ["qwen-portal", "other"],
        "models": ["qwen-portal/coder", "other/x"],
        "fallbacks": ["q", "other/y"],
        "models.json": ["qwen-portal", "other"],
        "profiles": ["a", "c"],
        "order": ["qwen-portal"],
    }


def test_a_default_model_in_another_spelling_of_the_provider_is_rejected(spelled: Gateway, run_on: Run) -> None:
    before = spelled.files()
    done = run_on(spelled, state="absent", providers={"qwen": {}}, env={}, default_model="qwen-portal/coder")
    assert (done.code, done.result["msg"]) == (
        1,
        "default_model is qwen-portal/coder, a model of a provider that is to be removed.",
    )
    assert spelled.files() == before


def test_the_files_of_agents_may_be_elsewhere(run: Run, tmp_path: Path) -> None:
    models = tmp_path / "state" / "agents" / "main" / "agent" / "models.json"
    models.parent.mkdir(parents=True)
    models.write_text('{"providers": {"moonshot": {}}}')
    done = run(state="absent", state_dir=str(tmp_path / "state"))
    assert done.result["agent_files"] == [str(models)]
    assert models.read_text() == '{"providers": {}}'


def test_an_environment_variable_that_stays_is_reported(gateway: Gateway, run: Run) -> None:
    done = run(state="absent", providers={}, env={"OTHER_API_KEY": ""})
    assert done.changes == (False, False, False, False)
    assert done.result["kept"] == ["OTHER_API_KEY"]
    assert gateway.env.read_bytes() == OLD_ENV
