# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.env_sources import EnvSources, Source
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.overrides import provider_overrides
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.unit.plugins.module_utils._gateway.observations import paths

CLAWDBOT = PRODUCTS["clawdbot"]

STORE = {"profiles": {"moonshot:default": {"type": "api_key", "provider": "moonshot", "key": "p"}}}
# The variable that the config refers to, the variables of `.env`, and what overrides the first besides the profile.
OVERRIDDEN: dict[str, tuple[str, dict[str, str], list[tuple[str, str, str]]]] = {
    "the known name": ("MOONSHOT_API_KEY", {"MOONSHOT_API_KEY": "a"}, []),
    "another name": ("CN_KEY", {"MOONSHOT_API_KEY": " a "}, [("MOONSHOT_API_KEY", ".env", "a")]),
    "another name, the known one is empty": ("CN_KEY", {"MOONSHOT_API_KEY": " "}, []),
    "another name, the known one is not set": ("CN_KEY", {"OTHER": "a"}, []),
}


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_provider_overrides(name: str, tmp_path: Path) -> None:
    variable, values, expected = OVERRIDDEN[name]
    directory = tmp_path / "agents" / "main" / "agent"
    directory.mkdir(parents=True)
    (directory / "auth-profiles.json").write_text(json.dumps(STORE))
    env = paths(tmp_path).env
    sources = EnvSources(None, None, [], [Source(env, values)], env)
    found = provider_overrides(CLAWDBOT, paths(tmp_path), {}, sources, {"moonshot": variable, "acme": "ACME_KEY"}, {})
    assert found.unreadable == []
    assert found.providers == {
        "moonshot": {
            "variable": variable,
            "overridden_by": [
                {
                    "kind": "auth_profile",
                    "name": "moonshot:default",
                    "place": f"{directory}/auth-profiles.json",
                    "fingerprint": fingerprint("p"),
                },
                *(
                    {"kind": "variable", "name": name, "place": f"{tmp_path}/{file}", "fingerprint": fingerprint(value)}
                    for name, file, value in expected
                ),
            ],
        },
        "acme": {"variable": "ACME_KEY", "overridden_by": []},
    }


def test_the_first_known_variable_with_a_value_takes_precedence_if_it_comes_before_the_own() -> None:
    def named(variable: str, **values: str) -> list[str]:
        sources = EnvSources(None, None, [], [Source("/e", values)], "/e")
        found = provider_overrides(CLAWDBOT, Paths("/no", "/no/c", "/no/e"), {}, sources, {"Anthropic": variable}, {})
        return [override["name"] for override in found.providers["Anthropic"]["overridden_by"]]

    both = {"ANTHROPIC_API_KEY": "a", "ANTHROPIC_OAUTH_TOKEN": "b"}
    assert named("OTHER", **both) == ["ANTHROPIC_OAUTH_TOKEN"]
    assert named("OTHER", ANTHROPIC_API_KEY="a", ANTHROPIC_OAUTH_TOKEN="") == ["ANTHROPIC_API_KEY"]
    assert named("ANTHROPIC_API_KEY", **both) == ["ANTHROPIC_OAUTH_TOKEN"]
    assert named("ANTHROPIC_OAUTH_TOKEN", **both) == []


OPENCLAW = PRODUCTS["openclaw"]
NOW, OTHER = fingerprint("now"), fingerprint("other")
# The key of the profile, what `.env` holds besides, what it should hold, and the fingerprint and name of an override.
REFERRING: dict[str, tuple[dict[str, Any], dict[str, str], dict[str, str], list[tuple[str, str]]]] = {
    "to the variable itself": ({"key": "${MOONSHOT_API_KEY}"}, {}, {}, []),
    "to another one with another key": (
        {"keyRef": {"source": "env", "provider": "default", "id": "KIMI_API_KEY"}},
        {"KIMI_API_KEY": "other"},
        {"MOONSHOT_API_KEY": NOW},
        [("a, which refers to KIMI_API_KEY,", OTHER)],
    ),
    "to another one that should hold the same key": (
        {"key": "$KIMI_API_KEY"},
        {"KIMI_API_KEY": "other"},
        {"MOONSHOT_API_KEY": NOW, "KIMI_API_KEY": NOW},
        [],
    ),
    "to the one of another provider": (
        {"key": "$KIMICODE_API_KEY"},
        {"KIMICODE_API_KEY": "other"},
        {"MOONSHOT_API_KEY": NOW, "KIMICODE_API_KEY": OTHER},
        [("a, which refers to KIMICODE_API_KEY,", OTHER)],
    ),
    "to one that is not set": ({"key": "$KIMI_API_KEY"}, {}, {}, [("a, which refers to KIMI_API_KEY,", "unknown")]),
    "to a file": (
        {"keyRef": {"source": "file", "provider": "p", "id": "/key"}},
        {},
        {},
        [("a, which refers to another place,", "unknown")],
    ),
}


@pytest.mark.parametrize(("key", "values", "desired", "expected"), REFERRING.values(), ids=REFERRING)
def test_a_profile_that_refers_to_its_key(
    key: dict[str, Any],
    values: dict[str, str],
    desired: dict[str, str],
    expected: list[tuple[str, str]],
    tmp_path: Path,
) -> None:
    directory = tmp_path / "agents" / "main" / "agent"
    directory.mkdir(parents=True)
    store = {"profiles": {"a": {"type": "api_key", "provider": "moonshot", **key}}}
    (directory / "auth-profiles.json").write_text(json.dumps(store))
    env = paths(tmp_path).env
    sources = EnvSources(None, None, [], [Source(env, {"MOONSHOT_API_KEY": "now", **values})], env)
    providers = {"moonshot": "MOONSHOT_API_KEY"}
    found = provider_overrides(OPENCLAW, paths(tmp_path), {}, sources, providers, desired)
    overrides = found.providers["moonshot"]["overridden_by"]
    assert [(one["name"], one["fingerprint"]) for one in overrides] == expected
    # Clawdbot sends the text in place of a key.
    literal = provider_overrides(CLAWDBOT, paths(tmp_path), {}, sources, providers, desired).providers["moonshot"]
    assert [one["fingerprint"] for one in literal["overridden_by"]] == [
        fingerprint(text) for text in key.values() if isinstance(text, str)
    ]
