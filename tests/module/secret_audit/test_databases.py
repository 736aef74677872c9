# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Auth profiles in the databases of OpenClaw: an audit finds them, and a purge has OpenClaw's CLI remove them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import state
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.program import Cli
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway as Client
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.databases import write_agent_store, write_shared_store, write_tables
from tests.module.secret_audit.gateway_files import KIMI, NOW, OLD, Gateway, Run

SHARED, AGENT = "state/openclaw.sqlite", "agents/work/agent/openclaw-agent.sqlite"
CONFIG = (
    '{agents: {list: [{id: "main"}, {id: "work"}]}, models: {providers: {moonshot: {apiKey: "${MOONSHOT_API_KEY}"}, '
    'kimicode: {apiKey: "${KIMICODE_API_KEY}"}}}}'
)


def profile(key: str, provider: str = "moonshot", kind: str = "api_key") -> dict[str, Any]:
    return {"type": kind, "provider": provider, {"api_key": "key", "oauth": "access"}[kind]: key}


@pytest.fixture
def openclaw(gateway: Gateway) -> Path:
    """The state directory of an OpenClaw after `openclaw doctor --fix`, and an agent with keys of its own."""
    gateway.lay_out({".env": f"MOONSHOT_API_KEY={NOW}\nKIMICODE_API_KEY={KIMI}\n", "openclaw.json": CONFIG})
    shared = {"moonshot:default": profile(OLD), "acme:default": profile("sk-acme-0123456789abcdef", "acme")}
    own = {"kimi": profile(KIMI, "kimicode"), "login": profile("login", "moonshot", "oauth")}
    write_shared_store(gateway.state_dir / SHARED, {"version": 1, "profiles": shared})
    write_agent_store(gateway.state_dir / AGENT, {"version": 1, "profiles": own})
    for path in (SHARED, AGENT):
        (gateway.state_dir / path).chmod(0o600)
    return gateway.state_dir


@pytest.fixture
def cli(openclaw: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """OpenClaw's CLI, which removes profiles; the commands that it was given."""
    commands: list[tuple[str, ...]] = []
    observe = state.observe

    def with_cli(*arguments: Any) -> Any:
        seen = observe(*arguments)
        object.__setattr__(seen, "cli", Cli(program=("/node", "/openclaw.mjs")))
        return seen

    def change(_gateway: Client, arguments: Sequence[str], _timeout: float) -> None:
        commands.append(tuple(arguments))
        shared = arguments[arguments.index("--agent") + 1] == "main"
        path, table, column = (
            (SHARED, "config_machine_state", "value_json") if shared else (AGENT, "auth_profile_store", "store_json")
        )
        with closing(sqlite3.connect(openclaw / path)) as database:
            database.execute("PRAGMA secure_delete = ON")
            for row, text in database.execute(f"SELECT rowid, {column} FROM {table}").fetchall():  # noqa: S608
                value = json.loads(text)
                value.get("profiles", {}).pop(arguments[-1], None)
                database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (json.dumps(value), row))  # noqa: S608
            database.commit()

    monkeypatch.setattr(state, "observe", with_cli)
    monkeypatch.setattr(Client, "change", change)
    return commands


def arguments(openclaw: Path) -> dict[str, Any]:
    return {"product": "openclaw", "state_dir": str(openclaw), "old_keys": [fingerprint(OLD)]}


def found(findings: list[dict[str, Any]]) -> list[tuple[str, str, str, bool]]:
    return [(one["kind"], one["message"], one["hint"], one["purgeable"]) for one in findings]


PURGE = "clawfleet.clawdbot.purge cleans it."


def test_a_purge_has_the_cli_remove_what_it_can(openclaw: Path, cli: list[tuple[str, ...]], run: Run) -> None:
    shared, agent = openclaw / SHARED, openclaw / AGENT
    before = [path.read_bytes() for path in (shared, agent)]
    removable = [
        (
            "auth_profile",
            f"The auth profile moonshot:default in {shared} holds an old key of moonshot and overrides "
            "MOONSHOT_API_KEY.",
            PURGE,
            True,
        ),
        (
            "auth_profile",
            f"The auth profile kimi in {agent} holds the current key of kimicode and overrides KIMICODE_API_KEY.",
            PURGE,
            True,
        ),
    ]
    login = (
        "auth_profile",
        f"The auth profile login in {agent} holds a login of moonshot and overrides MOONSHOT_API_KEY.",
        'Remove it with "openclaw models auth logout --yes --agent work -- login".',
        False,
    )
    assert found(run(**arguments(openclaw))["findings"]) == [*removable, login]

    checked = run(check_mode=True, state="purged", **arguments(openclaw))
    assert (checked["changed"], found(checked["purged"]), found(checked["findings"])) == (True, removable, [login])
    assert cli == []
    assert [path.read_bytes() for path in (shared, agent)] == before

    purged = run(state="purged", **arguments(openclaw))
    assert (purged["changed"], found(purged["purged"]), found(purged["findings"])) == (True, removable, [login])
    assert purged["diff"] == checked["diff"]
    assert cli == [
        ("models", "auth", "logout", "--yes", "--agent", "main", "--", "moonshot:default"),
        ("models", "auth", "logout", "--yes", "--agent", "work", "--", "kimi"),
    ]
    again = run(state="purged", **arguments(openclaw))
    assert (again["changed"], again["purged"], found(again["findings"])) == (False, [], [login])


#: The agents of the config -> those in whose store the CLI removes a profile; the shared store is that of main.
ROSTERS = {"[]": ["main"], "[{id: 'work'}]": ["work"], "[{id: 'other'}]": []}


@pytest.mark.parametrize("roster", ROSTERS)
def test_the_cli_takes_no_agent_that_the_config_does_not_list(
    openclaw: Path, cli: list[tuple[str, ...]], run: Run, roster: str
) -> None:
    config = openclaw / "openclaw.json"
    config.write_text(CONFIG.replace('[{id: "main"}, {id: "work"}]', roster))
    result = run(state="purged", **arguments(openclaw))
    assert [command[command.index("--agent") + 1] for command in cli] == ROSTERS[roster]
    left = {one["where"]: one["hint"] for one in result["findings"] if one["kind"] == "auth_profile"}
    for agent, profile_id in (("main", "moonshot:default"), ("work", "kimi")):
        hint = (
            f"Add the agent {agent} to the config, then remove it with "
            f'"openclaw models auth logout --yes --agent {agent} -- {profile_id}".'
        )
        assert (hint in left.values()) is (agent not in ROSTERS[roster])


def test_without_the_cli_the_command_is_named(openclaw: Path, run: Run) -> None:
    result = run(state="purged", **arguments(openclaw))
    assert result["changed"] is False
    assert [one["hint"] for one in result["findings"]] == [
        'Remove it with "openclaw models auth logout --yes --agent main -- moonshot:default".',
        'Remove it with "openclaw models auth logout --yes --agent work -- kimi".',
        'Remove it with "openclaw models auth logout --yes --agent work -- login".',
    ]


@pytest.mark.usefixtures("cli")
def test_a_failure_of_the_cli_is_said(openclaw: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_gateway: Client, arguments: Sequence[str], _timeout: float) -> None:
        raise ClawdbotError(f"Command openclaw {' '.join(arguments)} failed: it is locked")

    monkeypatch.setattr(Client, "change", fail)
    result = run(state="purged", **arguments(openclaw))
    assert result["failed"]
    assert result["msg"].startswith(
        "Command openclaw models auth logout --yes --agent main -- moonshot:default failed: it is locked"
    )


def test_a_key_elsewhere_in_a_database_is_left_to_a_person(openclaw: Path, run: Run) -> None:
    path = write_tables(openclaw / "agents/main/agent/openclaw-agent.sqlite", {"session_nodes (text)": [(f"a {OLD}",)]})
    elsewhere = [one for one in run(**arguments(openclaw))["findings"] if one["place"] == path]
    assert [(one["kind"], one["status"], one["hint"]) for one in elsewhere] == [
        (
            "plain_text_key",
            "old",
            "Delete the session that it is in. What was deleted is overwritten when the gateway is restarted.",
        )
    ]


def test_a_database_that_cannot_be_read_is_a_finding(openclaw: Path, run: Run) -> None:
    path = openclaw / SHARED
    path.write_text("no database" * 100)
    result = run(state="purged", **arguments(openclaw))
    assert found(result["findings"])[-1:] == [
        (
            "unreadable",
            f"{path} cannot be read: file is not a database.",
            "Until it can be read, keys in it are not known.",
            False,
        )
    ]


def test_keys_in_a_file_belong_there(openclaw: Path, run: Run) -> None:
    (openclaw / ".env").write_text("")
    path = openclaw / "clawfleet-keys.json"
    path.write_text(json.dumps({"MOONSHOT_API_KEY": OLD, "KIMICODE_API_KEY": KIMI}))
    path.chmod(0o644)
    options = {**arguments(openclaw), "old_keys": [], "fingerprints": {"MOONSHOT_API_KEY": fingerprint(NOW)}}
    here = [one for one in run(**options)["findings"] if one["place"] == str(path)]
    assert [(one["kind"], one["where"], one["message"]) for one in here] == [
        ("old_key", "MOONSHOT_API_KEY", f"{path} holds an old key in MOONSHOT_API_KEY."),
        ("wrong_mode", "", f"{path} has mode 0644: other accounts can read the keys in it."),
    ]
    run(state="purged", **options)
    assert path.stat().st_mode & 0o7777 == 0o600
