# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.migration import (
    Move,
    Outside,
    convert_config,
    convert_env,
    model_to_test,
    spellings,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

MOVE = Move(("/home/gw/.clawdbot", "~/.clawdbot"), "/home/gw/.openclaw")
FIXED, GONE = "OpenClaw uses a value of its own", "OpenClaw has no such setting"

OLD = """\
// Written by hand.
{
  meta: { lastTouchedVersion: "2026.1.24-3", lastTouchedAt: "2026-01-25T10:00:00.000Z" },
  env: { FLAT: "one", vars: { NESTED: "two" } },
  gateway: {
    port: 18789, // the usual one
    auth: { token: "${CLAWDBOT_GATEWAY_TOKEN}" },
    reload: { mode: "hot", debounceMs: 500 },
  },
  agents: { defaults: { workspace: "~/clawd" } },
  models: { providers: { moonshot: { apiKey: "${MOONSHOT_API_KEY}" } } }, // kept
}
"""
NEW = """\
// Written by hand.
{
  meta: { lastTouchedVersion: "2026.1.24-3" },
  env: { vars: { NESTED: "two", FLAT: "one" } },
  gateway: {
    port: 18789, // the usual one
    auth: { token: "${OPENCLAW_GATEWAY_TOKEN}" },
    reload: { mode: "hybrid" },
  },
  agents: { defaults: { workspace: "~/clawd" } },
  models: { providers: { moonshot: { apiKey: "${MOONSHOT_API_KEY}" } } }, // kept
}
"""


def test_a_config_keeps_every_byte_that_openclaw_takes() -> None:
    converted = convert_config(OLD, MOVE)

    assert converted.text == NEW
    assert converted.changes == (
        "env.FLAT becomes env.vars.FLAT.",
        "gateway.reload.mode becomes hybrid: OpenClaw has no mode hot.",
        "gateway.auth.token refers to OPENCLAW_* in place of CLAWDBOT_*.",
    )
    assert converted.lost == (
        f"gateway.reload.debounceMs is removed: {FIXED}.",
        f"meta.lastTouchedAt is removed: {GONE}.",
    )


def test_a_converted_config_needs_no_change() -> None:
    assert convert_config(NEW, MOVE) == (NEW, (), ())


WORKSPACE: dict[str, Any] = {"defaults": {"workspace": "/srv/work"}}
# What is in the config, what is then, what is changed, what is lost. Each has a workspace besides.
MEMBERS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str], list[str]]] = {
    "a variable that is also in vars": (
        {"env": {"A": "flat", "vars": {"A": "nested"}}},
        {"env": {"vars": {"A": "nested"}}},
        [],
        ["env.A is removed: env.vars.A is set as well."],
    ),
    "vars is no object": ({"env": {"A": "flat", "vars": 1}}, {"env": {"A": "flat", "vars": 1}}, [], []),
    "the shell's variables": ({"env": {"shellEnv": {}}}, {"env": {"shellEnv": {}}}, [], []),
    "commands of nodes": (
        {"gateway": {"nodes": {"allowCommands": ["a"], "denyCommands": ["b"]}}},
        {"gateway": {"nodes": {"commands": {"allow": ["a"], "deny": ["b"]}}}},
        [
            "gateway.nodes.allowCommands becomes gateway.nodes.commands.allow.",
            "gateway.nodes.denyCommands becomes gateway.nodes.commands.deny.",
        ],
        [],
    ),
    "a session's end": (
        {"session": {"idleMinutes": 60}},
        {"session": {"reset": {"idleMinutes": 60, "mode": "idle"}}},
        ["session.idleMinutes becomes session.reset.idleMinutes."],
        [],
    ),
    "a session's end in both places": (
        {"session": {"idleMinutes": 60, "reset": {"mode": "daily", "idleMinutes": 5}}},
        {"session": {"reset": {"mode": "daily", "idleMinutes": 5}}},
        [],
        ["session.idleMinutes is removed: session.reset.idleMinutes is set as well."],
    ),
    "a parent that is no object": (
        {"session": {"idleMinutes": 60, "reset": "never"}},
        {"session": {"idleMinutes": 60, "reset": "never"}},
        [],
        [],
    ),
    "web": (
        {"web": {"enabled": False, "heartbeatSeconds": 5}},
        {"channels": {"whatsapp": {"enabled": False}}},
        ["web.enabled becomes channels.whatsapp.enabled."],
        [f"web is removed: {FIXED}."],
    ),
    "each profile of the browser": (
        {"browser": {"profiles": {"a": {"cdpPort": 1, "color": "#fff"}, "b": {"color": "#000"}}}},
        {"browser": {"profiles": {"a": {"cdpPort": 1}, "b": {}}}},
        [],
        [f"browser.profiles.a.color is removed: {GONE}.", f"browser.profiles.b.color is removed: {GONE}."],
    ),
    "paths, and files that it includes": (
        {"hooks": {"transformsDir": "~/.clawdbot/hooks"}, "channels": {"$include": "/home/gw/.clawdbot/c.json5"}},
        {
            "hooks": {"transformsDir": "/home/gw/.openclaw/hooks"},
            "channels": {"$include": "/home/gw/.openclaw/c.json5"},
        },
        [
            "hooks.transformsDir gets the path of the new state directory.",
            "channels.$include gets the path of the new state directory.",
        ],
        [],
    ),
    "a path beside the state directory": ({"a": "/home/gw/.clawdbot-2/x"}, {"a": "/home/gw/.clawdbot-2/x"}, [], []),
    "peers of bindings": (
        {"bindings": [{"match": {"peer": {"kind": "group"}}}, {"match": {"peer": {"kind": "dm"}}}, 1]},
        {"bindings": [{"match": {"peer": {"kind": "group"}}}, {"match": {"peer": {"kind": "direct"}}}, 1]},
        ["bindings.1.match.peer.kind becomes direct: OpenClaw has no kind dm."],
        [],
    ),
    "an escaped reference": ({"a": "$${CLAWDBOT_A}"}, {"a": "$${CLAWDBOT_A}"}, [], []),
    "what OpenClaw's check has to name": (
        {"cron": {"store": "/srv/jobs.json"}, "unknown": 1, "tools": {"web": {"search": {"apiKey": "k"}}}},
        {"cron": {"store": "/srv/jobs.json"}, "unknown": 1, "tools": {"web": {"search": {"apiKey": "k"}}}},
        [],
        [],
    ),
}


@pytest.mark.parametrize(("before", "after", "changes", "lost"), MEMBERS.values(), ids=MEMBERS)
def test_members(before: dict[str, Any], after: dict[str, Any], changes: list[str], lost: list[str]) -> None:
    converted = convert_config(json.dumps({**before, "agents": WORKSPACE}), MOVE)

    assert json5_reader.loads(converted.text) == {**after, "agents": WORKSPACE}
    assert list(converted.changes) == changes
    assert list(converted.lost) == lost


def test_the_settings_of_each_agent() -> None:
    converted = convert_config(
        "{agents: {defaults: {timeFormat: '24', tools: {exec: {timeoutSec: 5}}}, list: ["
        "{id: 'Home', tools: {exec: {timeoutSec: 7}}}, {id: 'work', default: true, "
        "heartbeat: {every: '5m', ackMaxChars: 3}}, {id: 'own', workspace: '/srv/own'}]}}",
        MOVE,
    )

    assert json5_reader.loads(converted.text)["agents"] == {
        "defaults": {"tools": {"exec": {"timeoutSeconds": 5}}, "workspace": "~/clawd"},
        "list": [
            {"id": "Home", "tools": {"exec": {"timeoutSeconds": 7}}, "workspace": "~/clawd-home"},
            {"id": "work", "default": True, "heartbeat": {"every": "5m"}, "workspace": "~/clawd"},
            {"id": "own", "workspace": "/srv/own"},
        ],
    }
    assert converted.lost == (
        f"agents.defaults.timeFormat is removed: {GONE}.",
        f"agents.list.1.heartbeat.ackMaxChars is removed: {FIXED}.",
    )
    assert converted.changes == (
        "agents.defaults.tools.exec.timeoutSec becomes agents.defaults.tools.exec.timeoutSeconds.",
        "agents.list.0.tools.exec.timeoutSec becomes agents.list.0.tools.exec.timeoutSeconds.",
        "agents.defaults.workspace is set to ~/clawd, where Clawdbot has the agents' files.",
        "agents.list.0.workspace is set to the directory that Clawdbot uses.",
        "agents.list.1.workspace is set to the directory that Clawdbot uses.",
    )


def test_models_that_think_call_tools() -> None:
    converted = convert_config(
        """{
  agents: { defaults: { workspace: "~/clawd" } },
  models: { providers: {
    own: { api: "openai-completions", models: [
      { id: "k3", name: "K3" }, // the newest
      { id: "k2", reasoning: false, compat: { supportsStore: true } },
      { id: "k3", reasoning: true },
      { id: "fast" },
      { id: "k3", api: "anthropic-messages" },
    ] },
    other: { models: [{ id: "k3" }, { id: "k3", api: "openai-completions" }, 1] },
    broken: 1,
  } },
}
""",
        MOVE,
        {"k3", "k2"},
    )

    assert (
        converted.text
        == """{
  agents: { defaults: { workspace: "~/clawd" } },
  models: { providers: {
    own: { api: "openai-completions", models: [
      { id: "k3", name: "K3", reasoning: true }, // the newest
      { id: "k2", reasoning: true, compat: { supportsStore: true } },
      { id: "k3", reasoning: true },
      { id: "fast" },
      { id: "k3", api: "anthropic-messages" },
    ] },
    other: { models: [{ id: "k3" }, { id: "k3", api: "openai-completions", reasoning: true }, 1] },
    broken: 1,
  } },
}
"""
    )
    thinks = "thinks, and calls no tool on OpenClaw without it."
    assert converted.changes == (
        f"models.providers.own.models.0.reasoning is set to true: k3 {thinks}",
        f"models.providers.own.models.1.reasoning is set to true: k2 {thinks}",
        f"models.providers.other.models.1.reasoning is set to true: k3 {thinks}",
    )
    assert converted.lost == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "The config cannot be read: "),
        ("[]", "The config does not contain an object. Repair it first."),
    ],
)
def test_a_broken_config_is_rejected(text: str, message: str) -> None:
    with pytest.raises(ClawdbotError, match=re.escape(message)):
        convert_config(text, MOVE)


def test_env() -> None:
    converted = convert_env(
        "# mine\nMOONSHOT_API_KEY=sk-file\nexport CLAWDBOT_GATEWAY_TOKEN='t # x'\nCLAWDBOT_STATE_DIR=/srv\n"
        "GOOGLE=/home/gw/.clawdbot/g.json\nOPENAI_API_KEY=\n",
        {
            "HOME": Outside("/home/gw", "the unit"),
            "PATH": Outside("/usr/bin", "the unit"),
            "LC_ALL": Outside("C", "the unit"),
            "CLAWDBOT_GATEWAY_PORT": Outside("18789", "the unit"),
            "CLAWDBOT_SERVICE_KIND": Outside("gateway", "the unit"),
            "CLAWDBOT_LOAD_SHELL_ENV": Outside("1", "the unit"),
            "MOONSHOT_API_KEY": Outside("sk-unit", "/home/gw/.env"),
            "GITHUB_PAT": Outside("pat", "/etc/clawdbot/env"),
            "NODE_OPTIONS": Outside("--max-old-space-size=512", "the unit"),
        },
        {"ANTHROPIC_API_KEY": "sk-ant", "OPENAI_API_KEY": "sk-oai", "MOONSHOT_API_KEY": "sk-profile"},
        MOVE,
    )

    assert converted.text == (
        "# mine\nMOONSHOT_API_KEY=sk-unit\nGOOGLE=/home/gw/.openclaw/g.json\nOPENAI_API_KEY=sk-oai\n"
        "OPENCLAW_GATEWAY_TOKEN='t # x'\nOPENCLAW_LOAD_SHELL_ENV=1\nGITHUB_PAT=pat\nANTHROPIC_API_KEY=sk-ant\n"
    )
    assert converted.changes == (
        "MOONSHOT_API_KEY of /home/gw/.env is written to .env.",
        "CLAWDBOT_GATEWAY_TOKEN of .env becomes OPENCLAW_GATEWAY_TOKEN of .env.",
        "GOOGLE of .env gets the path of the new state directory.",
        "CLAWDBOT_LOAD_SHELL_ENV of the unit becomes OPENCLAW_LOAD_SHELL_ENV of .env.",
        "GITHUB_PAT of /etc/clawdbot/env is written to .env.",
    )
    assert converted.lost == (
        "CLAWDBOT_STATE_DIR of .env is removed: the unit of OpenClaw sets its own.",
        "NODE_OPTIONS of the unit is not kept: Node.js reads it before .env. Set it in a drop-in.",
    )


def test_a_new_name_that_is_there_is_kept() -> None:
    assert convert_env("CLAWDBOT_A=old\nOPENCLAW_A=new\n", {}, {}, MOVE).text == "OPENCLAW_A=new\n"


def test_a_value_that_env_cannot_hold_is_named_and_not_shown() -> None:
    with pytest.raises(ClawdbotError) as error:
        convert_env("", {"A": Outside("secret\0", "the unit")}, {}, MOVE)

    assert str(error.value) == (
        ".env cannot be converted: the value of A holds a NUL or an unpaired surrogate, no environment variable can."
    )


@pytest.mark.parametrize(
    ("config", "model"),
    [
        ({}, ""),
        ({"agents": {"defaults": {"model": "a/b"}}}, "a/b"),
        ({"agents": {"defaults": {"model": {"primary": "a/b", "fallbacks": ["c/d"]}}}}, "a/b"),
        ({"agents": {"defaults": {"model": {"primary": "k"}, "models": {"a/b": {"alias": "k"}}}}}, "a/b"),
        ({"models": {"providers": {"a": {"models": []}, "b": {"models": [{"id": "c"}]}}}}, "b/c"),
    ],
)
def test_the_model_to_test_with(config: Any, model: str) -> None:
    assert model_to_test(config) == model


def test_spellings_of_a_path(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert spellings([str(tmp_path / "link")], str(tmp_path)) == (
        str(tmp_path / "link"),
        str(tmp_path / "real"),
        "~/link",
        "~/real",
    )
