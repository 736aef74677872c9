# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.auth_profiles import Profile, stores, used
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from hypothesis import given
from hypothesis import strategies as st

CLAWDBOT = PRODUCTS["clawdbot"]
NOW = time.time() * 1000


def api_key(key: Any = "k", provider: Any = "moonshot") -> dict[str, Any]:
    return {"type": "api_key", "provider": provider, "key": key}


# The main agent's file, the config, and the profiles that are used for moonshot.
ONE_FILE: dict[str, tuple[Any, Any, list[tuple[str, str]]]] = {
    "a key": ({"profiles": {"moonshot:default": api_key()}}, {}, [("moonshot:default", "k")]),
    "white space around it": ({"profiles": {"a": api_key(" k\n")}}, {}, [("a", "k")]),
    "a token": ({"profiles": {"a": {"type": "token", "provider": "moonshot", "token": "t"}}}, {}, [("a", "t")]),
    "a token that is still valid": (
        {"profiles": {"a": {"type": "token", "provider": "moonshot", "token": "t", "expires": NOW + 1e9}}},
        {},
        [("a", "t")],
    ),
    "a token that has expired": (
        {"profiles": {"a": {"type": "token", "provider": "moonshot", "token": "t", "expires": NOW - 1000}}},
        {},
        [],
    ),
    "a login": ({"profiles": {"a": {"type": "oauth", "provider": "moonshot", "access": "x"}}}, {}, [("a", "x")]),
    "a login that has to be renewed": (
        {"profiles": {"a": {"type": "oauth", "provider": "moonshot", "access": " ", "refresh": "r"}}},
        {},
        [("a", "r")],
    ),
    "another spelling of the provider": ({"profiles": {"a": api_key(provider=" MoonShot ")}}, {}, [("a", "k")]),
    "another provider": ({"profiles": {"a": api_key(provider="moonshot-ai")}}, {}, []),
    "several": ({"profiles": {"a": api_key("1"), "b": api_key("2")}}, {}, [("a", "1"), ("b", "2")]),
    "an order in the file": (
        {"profiles": {"a": api_key("1"), "b": api_key("2")}, "order": {"Moonshot": [" b ", 1, "b", "gone"]}},
        {"auth": {"order": {"moonshot": ["a"]}}},
        [("b", "2")],
    ),
    "an empty order in the file is none": (
        {"profiles": {"a": api_key("1"), "b": api_key("2")}, "order": {"moonshot": [""]}},
        {"auth": {"order": {"moonshot": ["a"]}}},
        [("a", "1")],
    ),
    "an empty order in the config": ({"profiles": {"a": api_key()}}, {"auth": {"order": {"moonshot": []}}}, []),
    "the config lists one": (
        {"profiles": {"a": api_key("1"), "b": api_key("2")}},
        {"auth": {"profiles": {"b": {"provider": "moonshot", "mode": "api_key"}}}},
        [("b", "2")],
    ),
    "the config lists one of another provider": (
        {"profiles": {"a": api_key()}},
        {"auth": {"profiles": {"b": {"provider": "acme", "mode": "api_key"}}}},
        [("a", "k")],
    ),
    "the config lists it as another provider's": (
        {"profiles": {"a": api_key()}},
        {"auth": {"profiles": {"a": {"provider": "acme", "mode": "api_key"}}}},
        [],
    ),
    "the config lists it as of another kind": (
        {"profiles": {"a": api_key()}},
        {"auth": {"profiles": {"a": {"provider": "moonshot", "mode": "oauth"}}}},
        [],
    ),
    "a token that the config lists as a login": (
        {"profiles": {"a": {"type": "token", "provider": "moonshot", "token": "t"}}},
        {"auth": {"profiles": {"a": {"provider": "moonshot", "mode": "oauth"}}}},
        [("a", "t")],
    ),
    "an empty key": ({"profiles": {"a": api_key(" ")}}, {}, []),
    "a key that is no string": ({"profiles": {"a": api_key(7)}}, {}, []),
    "a provider that is no string": ({"profiles": {"a": api_key(provider=["moonshot"])}}, {}, []),
    "another kind": ({"profiles": {"a": {"type": "cookie", "provider": "moonshot", "key": "k"}}}, {}, []),
    "a profile that is no object": ({"profiles": {"a": "k", "b": api_key()}}, {}, [("b", "k")]),
    "profiles that are no object": ({"profiles": ["a"], "order": ["a"]}, {}, []),
    "no object": (["a"], {}, []),
    "a config of wrong types": (
        {"profiles": {"a": api_key()}},
        {"auth": {"profiles": ["a"], "order": "a"}, "agents": {"list": {"main": {}}}},
        [("a", "k")],
    ),
}


def write(directory: Path, value: Any) -> str:
    directory.mkdir(parents=True)
    path = directory / "auth-profiles.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return str(path)


@pytest.mark.parametrize("name", ONE_FILE)
def test_profiles_of_one_file(name: str, tmp_path: Path) -> None:
    value, config, expected = ONE_FILE[name]
    path = write(tmp_path / "agents" / "main" / "agent", value)
    found = used(CLAWDBOT, stores(str(tmp_path), config), config, "moonshot")
    assert found == [Profile(path, id_, secret) for id_, secret in expected]


def test_other_spellings_of_a_provider(tmp_path: Path) -> None:
    path = write(tmp_path / "agents" / "main" / "agent", {"profiles": {"a": api_key("k", "z.ai")}})
    assert used(CLAWDBOT, stores(str(tmp_path), {}), {}, "ZAI") == [Profile(path, "a", "k")]


def test_all_agents_have_the_main_agents_profiles_and_their_own_take_precedence(tmp_path: Path) -> None:
    main = write(tmp_path / "agents" / "main" / "agent", {"profiles": {"a": api_key("1"), "b": api_key("2")}})
    other = write(tmp_path / "agents" / "other" / "agent", {"profiles": {"a": api_key("3"), "c": api_key("4")}})
    ordered = write(tmp_path / "elsewhere", {"order": {"moonshot": ["b"]}, "profiles": {"d": api_key("5")}})
    config = {"agents": {"list": [{"id": "x", "agentDir": f" {tmp_path}/elsewhere "}, {"id": "y", "agentDir": 7}, "z"]}}
    found = used(CLAWDBOT, stores(str(tmp_path), config), config, "moonshot")
    assert found == [
        Profile(main, "a", "1"),
        Profile(main, "b", "2"),
        Profile(other, "a", "3"),
        Profile(other, "c", "4"),
    ]
    assert ordered not in {profile.path for profile in found}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        '{"profiles": {"a": {"type": "api_key"',
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_unreadable_files_have_no_profiles(text: str, tmp_path: Path) -> None:
    write(tmp_path / "agents" / "main" / "agent", text)
    os.mkfifo(tmp_path / "agents" / "pipe")
    (tmp_path / "agents" / "b" / "agent").mkdir(parents=True)
    os.mkfifo(tmp_path / "agents" / "b" / "agent" / "auth-profiles.json")
    (tmp_path / "agents" / "c" / "agent" / "auth-profiles.json").mkdir(parents=True)
    assert used(CLAWDBOT, stores(str(tmp_path), {}), {}, "moonshot") == []


def test_no_state_directory_no_profiles(tmp_path: Path) -> None:
    assert used(CLAWDBOT, stores(str(tmp_path / "gone"), {}), {}, "moonshot") == []


def test_no_secret_is_in_a_repr(tmp_path: Path) -> None:
    write(tmp_path / "agents" / "main" / "agent", {"profiles": {"a": api_key("sk-0123456789")}})
    found = stores(str(tmp_path), {})
    assert "sk-0123456789" not in repr(found) + repr(used(CLAWDBOT, found, {}, "moonshot"))


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.sampled_from(["a", "moonshot", "api_key", "token"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["a", "profiles", "order", "type", "provider", "key", "token", "expires", "moonshot"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(JSON, JSON)
def test_any_file_and_any_config(tmp_path_factory: pytest.TempPathFactory, value: Any, auth: Any) -> None:
    directory = tmp_path_factory.mktemp("state")
    write(directory / "agents" / "main" / "agent", {"profiles": value, "order": value})
    config = {"auth": auth}
    assert isinstance(used(CLAWDBOT, stores(str(directory), config), config, "moonshot"), list)
