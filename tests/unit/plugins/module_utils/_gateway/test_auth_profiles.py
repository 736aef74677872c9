# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import databases
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.auth_profiles import Profile, stores, used
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from hypothesis import given
from hypothesis import strategies as st

from tests.databases import write_agent_store, write_shared_store, write_tables

CLAWDBOT, OPENCLAW = PRODUCTS["clawdbot"], PRODUCTS["openclaw"]
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
    found = used(CLAWDBOT, stores(CLAWDBOT, str(tmp_path), config).agents, config, "moonshot")
    assert found == [Profile(path, id_, secret) for id_, secret in expected]


def test_other_spellings_of_a_provider(tmp_path: Path) -> None:
    path = write(tmp_path / "agents" / "main" / "agent", {"profiles": {"a": api_key("k", "z.ai")}})
    assert used(CLAWDBOT, stores(CLAWDBOT, str(tmp_path), {}).agents, {}, "ZAI") == [Profile(path, "a", "k")]


def test_all_agents_have_the_main_agents_profiles_and_their_own_take_precedence(tmp_path: Path) -> None:
    main = write(tmp_path / "agents" / "main" / "agent", {"profiles": {"a": api_key("1"), "b": api_key("2")}})
    other = write(tmp_path / "agents" / "other" / "agent", {"profiles": {"a": api_key("3"), "c": api_key("4")}})
    ordered = write(tmp_path / "elsewhere", {"order": {"moonshot": ["b"]}, "profiles": {"d": api_key("5")}})
    config = {"agents": {"list": [{"id": "x", "agentDir": f" {tmp_path}/elsewhere "}, {"id": "y", "agentDir": 7}, "z"]}}
    found = used(CLAWDBOT, stores(CLAWDBOT, str(tmp_path), config).agents, config, "moonshot")
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
    assert used(CLAWDBOT, stores(CLAWDBOT, str(tmp_path), {}).agents, {}, "moonshot") == []


def test_no_state_directory_no_profiles(tmp_path: Path) -> None:
    assert used(CLAWDBOT, stores(CLAWDBOT, str(tmp_path / "gone"), {}).agents, {}, "moonshot") == []


def test_no_secret_is_in_a_repr(tmp_path: Path) -> None:
    write(tmp_path / "agents" / "main" / "agent", {"profiles": {"a": api_key("sk-0123456789")}})
    found = stores(CLAWDBOT, str(tmp_path), {}).agents
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
    assert isinstance(used(CLAWDBOT, stores(CLAWDBOT, str(directory), config).agents, config, "moonshot"), list)


# --- OpenClaw's databases ---

AGENT_DATABASE = "openclaw-agent.sqlite"
SHARED_DATABASE = "state/openclaw.sqlite"


def used_by_openclaw(state_dir: Path, config: Any) -> list[tuple[str, str]]:
    """Where each key comes from, relative to the state directory, and the key."""
    agents, unreadable = stores(OPENCLAW, str(state_dir), config)
    assert unreadable == []
    return [(os.path.relpath(one.path, state_dir), one.secret) for one in used(OPENCLAW, agents, config, "moonshot")]


def test_agents_share_one_database_and_have_one_each(tmp_path: Path) -> None:
    write_shared_store(tmp_path / SHARED_DATABASE, {"profiles": {"a": api_key("1"), "b": api_key("2")}})
    write_agent_store(tmp_path / "agents/work/agent" / AGENT_DATABASE, {"profiles": {"b": api_key("3")}})
    write_agent_store(tmp_path / "listed" / AGENT_DATABASE, {"profiles": {"c": api_key("4")}})
    write_agent_store(tmp_path / "entered" / AGENT_DATABASE, {"profiles": {"d": api_key("5")}})
    config = {
        "agents": {
            "list": [{"id": "x", "agentDir": f"{tmp_path}/listed"}],
            "entries": {"y": {"agentDir": f"{tmp_path}/entered"}},
        }
    }
    found = [
        (SHARED_DATABASE, "1"),
        (SHARED_DATABASE, "2"),
        ("agents/work/agent/openclaw-agent.sqlite", "3"),
        ("entered/openclaw-agent.sqlite", "5"),
        ("listed/openclaw-agent.sqlite", "4"),
    ]
    assert used_by_openclaw(tmp_path, config) == found
    # Clawdbot does not know databases.
    assert used(CLAWDBOT, stores(CLAWDBOT, str(tmp_path), config).agents, config, "moonshot") == []


# The tables of a database, and the keys that are used for moonshot.
TWO = {"profiles": {"a": api_key("1"), "b": api_key("2")}}
TABLES: dict[str, tuple[dict[str, list[tuple[Any, ...]]], list[str]]] = {
    "before schema 13": ({"auth_profile_stores (store_key, store_json)": [("shared", json.dumps(TWO))]}, ["1", "2"]),
    "the state has an order": (
        {
            "config_machine_state (state_key, value_json)": [
                ("authProfiles.state", json.dumps({"order": {"moonshot": ["b"]}})),
                ("authProfiles.store", json.dumps({**TWO, "order": {"moonshot": ["a"]}})),
            ]
        },
        ["2"],
    ),
    "an order of profiles that are gone": (
        {
            "config_machine_state (state_key, value_json)": [
                ("authProfiles.store", json.dumps({**TWO, "order": {"moonshot": ["gone"]}}))
            ]
        },
        ["1", "2"],
    ),
    "other settings of the gateway": ({"config_machine_state (state_key, value_json)": [("x", "no JSON")]}, []),
    "no table of profiles": ({"other (a)": [("x",)]}, []),
}


@pytest.mark.parametrize(("tables", "expected"), TABLES.values(), ids=TABLES)
def test_tables_of_a_database(tables: Any, expected: list[str], tmp_path: Path) -> None:
    write_tables(tmp_path / SHARED_DATABASE, tables)
    assert [secret for _place, secret in used_by_openclaw(tmp_path, {})] == expected


def test_profiles_of_the_config_that_are_not_stored_do_not_hide_those_that_are(tmp_path: Path) -> None:
    write_shared_store(tmp_path / SHARED_DATABASE, TWO)
    config = {"auth": {"profiles": {"gone": {"provider": "moonshot", "mode": "api_key"}}}}
    assert [secret for _place, secret in used_by_openclaw(tmp_path, config)] == ["1", "2"]
    # An order of the config is final.
    assert used_by_openclaw(tmp_path, {"auth": {"order": {"moonshot": ["gone"]}}}) == []


def test_an_agents_own_profiles_come_before_an_inherited_order(tmp_path: Path) -> None:
    write_shared_store(tmp_path / SHARED_DATABASE, TWO, {"order": {"moonshot": ["b"]}})
    write_agent_store(tmp_path / "agents/work/agent" / AGENT_DATABASE, {"profiles": {"c": api_key("3")}})
    assert [secret for _place, secret in used_by_openclaw(tmp_path, {})] == ["2", "3"]


def test_a_database_is_read_while_it_is_written_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / SHARED_DATABASE
    write_shared_store(path, TWO)
    before = {entry.name: entry.read_bytes() for entry in path.parent.iterdir()}
    assert list(before) == ["openclaw.sqlite"]
    assert used_by_openclaw(tmp_path, {}) == [(SHARED_DATABASE, "1"), (SHARED_DATABASE, "2")]
    assert {entry.name: entry.read_bytes() for entry in path.parent.iterdir()} == before

    with closing(sqlite3.connect(path)) as writer:
        # What is committed is only in the log, and more is being written.
        new = json.dumps({"profiles": {"a": api_key("3")}})
        writer.execute("UPDATE config_machine_state SET value_json = ? WHERE state_key = 'authProfiles.store'", (new,))
        writer.commit()
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM config_machine_state")
        assert used_by_openclaw(tmp_path, {}) == [(SHARED_DATABASE, "3")]
        writer.rollback()


def lock(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=DELETE")
    connection.execute("BEGIN EXCLUSIVE")
    return connection


def test_a_locked_database_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_BUSY_SECONDS", 0.1)
    path = write_shared_store(tmp_path / SHARED_DATABASE, TWO)
    with closing(lock(Path(path))):
        agents, unreadable = stores(OPENCLAW, str(tmp_path), {})
    assert unreadable == [f"{path} cannot be read: database is locked."]
    assert used(OPENCLAW, agents, {}, "moonshot") == []


BROKEN = {
    "no database": ("nothing of the kind" * 100, "file is not a database"),
    "a part of one": (b"SQLite format 3\0\x10\0\2\2", "file is not a database"),
}


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_damaged_database_is_not_known(content: str | bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / SHARED_DATABASE
    path.parent.mkdir()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert stores(OPENCLAW, str(tmp_path), {}).unreadable == [f"{path} cannot be read: {reason}."]


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "[" * 100_000])
def test_a_broken_store_is_not_known(text: str, tmp_path: Path) -> None:
    path = write_agent_store(tmp_path / "agents/main/agent" / AGENT_DATABASE, text)
    expected = [f"{path} cannot be read: its auth profiles are broken."]
    assert stores(OPENCLAW, str(tmp_path), {}).unreadable == expected


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / SHARED_DATABASE
    path.parent.mkdir()
    os.mkfifo(path)
    expected = [f"{path} cannot be read: it is not a regular file."]
    assert stores(OPENCLAW, str(tmp_path), {}).unreadable == expected


def test_without_sqlite3_a_database_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stores(OPENCLAW, str(tmp_path), {}).unreadable == []
    path = write_shared_store(tmp_path / SHARED_DATABASE, TWO)
    monkeypatch.setitem(sys.modules, "sqlite3", None)
    assert stores(OPENCLAW, str(tmp_path), {}).unreadable == [
        f"{path} cannot be read: this Python has no sqlite3. Install it, or set ansible_python_interpreter to a Python "
        "that has it."
    ]
