# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scripts in place of commands of the products' CLIs: they answer as the commands do, or else run them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import node_snippets
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway, Listener
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

from tests.e2e.harness import Bench
from tools import product
from tools.cache import CACHE

CLAWDBOT = PRODUCTS["clawdbot"]
CHECK = CLAWDBOT.check_args
MODULES = CACHE / "clawdbot" / "node_modules"
NODE = str(MODULES / ".bin" / "node")
PROGRAM = (NODE, str(MODULES / "clawdbot" / "dist" / "entry.js"))

BLOCK = {
    "baseUrl": "https://api.moonshot.cn/v1",
    "apiKey": "${MOONSHOT_API_KEY}",
    "api": "openai-completions",
    "models": [{"id": "kimi-k2.5", "name": "Kimi K2.5"}],
}
VALID = {"gateway": {"mode": "local"}, "models": {"mode": "merge", "providers": {"moonshot": BLOCK}}}
AGENTS = [{"id": "a", "agentDir": "/agents/same"}, {"id": "b", "agentDir": "/agents/same"}]
CONFIGS = {
    "valid": (json.dumps(VALID), 0),
    "valid, as a person writes it": ("// by hand\n{ gateway: { mode: 'local', }, }\n", 0),
    "nothing in it": ("{}", 0),
    "of an unknown setting": (json.dumps({**VALID, "colour": "red"}), 1),
    "half written": (json.dumps(VALID)[:-20], 1),
    "empty": ("", 1),
    "no object": ("[]", 1),
    "of a variable that is not there": (json.dumps(VALID).replace("MOONSHOT", "NO"), 1),
    "of a file that is not there": ('{$include: "./no.json"}', 1),
    "of agents that share a directory": (json.dumps({**VALID, "agents": {"list": AGENTS}}), 1),
    "as an older version had it": (json.dumps({**VALID, "agent": {"model": "moonshot/kimi-k2.5"}}), 1),
}


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    product.install()


@pytest.fixture
def no_other_process(tmp_path: Path) -> dict[str, str]:
    """Variables with which Node starts no other process: the command cannot be run in the script's place."""
    refusal = tmp_path / "no_other_process.cjs"
    refusal.write_text("require('child_process').spawnSync = () => { console.error('REFUSED'); process.exit(99); };\n")
    return {"NODE_OPTIONS": f"--require={refusal}"}


def run(
    argv: list[str], home: Path, variables: Mapping[str, str] | None = None, said: str = ""
) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.defpath,
        "HOME": str(home),
        "MOONSHOT_API_KEY": "sk-moonshot",
        "CLAWDBOT_STATE_DIR": str(home / "state"),
        "CLAWDBOT_CONFIG_PATH": str(home / "config.json"),
        **(variables or {}),
    }
    return subprocess.run(argv, env=environment, cwd=home, input=said, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("config", "code"), CONFIGS.values(), ids=CONFIGS)
def test_a_config_is_judged_as_the_command_judges_it(
    tmp_path: Path, no_other_process: dict[str, str], config: str, code: int
) -> None:
    (tmp_path / "config.json").write_text(config)
    assert run([*PROGRAM, *CHECK], tmp_path).returncode == code
    # The script leaves it to the command to reject a config.
    argv = node_snippets.argv(node_snippets.CHECK_CONFIG, PROGRAM, CHECK)
    assert run(argv, tmp_path, no_other_process).returncode == (99 if code else 0)


def test_only_a_config_that_is_not_valid_is_left_to_the_command(
    tmp_path: Path, no_other_process: dict[str, str]
) -> None:
    argv = node_snippets.argv(node_snippets.CHECK_CONFIG, PROGRAM, CHECK)
    (tmp_path / "config.json").write_text(CONFIGS["valid"][0])
    assert run(argv, tmp_path, no_other_process).returncode == 0
    # The command leaves the resolved keys there.
    assert not (tmp_path / "state").exists()
    (tmp_path / "config.json").write_text(CONFIGS["half written"][0])
    assert run(argv, tmp_path).returncode == 1


# A program that prints its arguments, with modules beside it as another version might have them.
PROGRAM_IN_LITTLE = "console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;"
MODULES_IN_LITTLE: dict[str, dict[str, str]] = {
    "are not there": {},
    "have other functions": {"config/config.js": "", "infra/dotenv.js": "", "gateway/call.js": ""},
    "are no modules": {"config/config.js": "{", "infra/dotenv.js": "{", "gateway/call.js": "{"},
    "answer in another way": {
        "config/config.js": "exports.readConfigFileSnapshot = () => ({ok: true});",
        "infra/dotenv.js": "exports.loadDotEnv = () => { throw Error('moved'); };",
        "gateway/call.js": "exports.callGateway = async () => ({});",
    },
}


def in_little(directory: Path, modules: Mapping[str, str]) -> tuple[str, str]:
    for name, text in {"program.js": PROGRAM_IN_LITTLE, **modules}.items():
        (directory / "dist" / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / "dist" / name).write_text(text)
    # As npm links it.
    (directory / "program").symlink_to(directory / "dist" / "program.js")
    return NODE, str(directory / "program")


@pytest.mark.parametrize("modules", MODULES_IN_LITTLE.values(), ids=MODULES_IN_LITTLE)
def test_the_command_is_run_where_the_modules_differ(tmp_path: Path, modules: dict[str, str]) -> None:
    program = in_little(tmp_path, modules)
    done = run(node_snippets.argv(node_snippets.CHECK_CONFIG, program, CHECK), tmp_path)
    assert (done.returncode, json.loads(done.stdout)) == (7, list(CHECK))
    # The caller runs the command.
    done = run(node_snippets.script_argv(node_snippets.CALL_CLAWDBOT, program), tmp_path)
    assert (done.returncode, done.stdout) == (1, "")


# Each call, and the line with its answer. A gateway is not asked again what it has refused.
CONVERSATION: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"method": "agent", "params": {"message": "hi"}, "timeoutMs": 5000, "expectFinal": True},
        {
            "answer": {
                "method": "agent",
                "params": {"message": "hi"},
                "timeoutMs": 5000,
                "expectFinal": True,
                "clientName": "cli",
                "mode": "cli",
            }
        },
    ),
    ({"method": "no"}, {"error": "Error: no no"}),
    ({"method": "no"}, {"error": "Error: no no, again"}),
]


def test_a_gateway_is_asked_what_each_line_says(tmp_path: Path) -> None:
    call = """\
let again = "";
exports.callGateway = async (options) => {
  if (options.method === "no") {
    const error = new Error(`no no${again}`);
    again = ", again";
    throw error;
  }
  return options;
};
"""
    program = in_little(tmp_path, {"infra/dotenv.js": "exports.loadDotEnv = () => {};", "gateway/call.js": call})
    lines = "".join(json.dumps(asked) + "\n" for asked, _answer in CONVERSATION)
    done = run(node_snippets.script_argv(node_snippets.CALL_CLAWDBOT, program), tmp_path, said=lines)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, answers) == (0, [{}, *(answer for _asked, answer in CONVERSATION)])


@pytest.mark.parametrize(
    "runtime",
    [None, "export const other = 1;", "export {"],
    ids=["has no such module", "has other functions", "has no module there"],
)
def test_another_openclaw_is_left_to_the_command(tmp_path: Path, runtime: str | None) -> None:
    program = openclaw_in_little(tmp_path, runtime)
    done = run(node_snippets.script_argv(node_snippets.CALL_OPENCLAW, program), tmp_path)
    assert (done.returncode, done.stdout) == (1, "")


def test_what_openclaw_prints_is_no_answer(tmp_path: Path) -> None:
    runtime = """\
export const callGatewayFromCli = async (...asked) => {
  console.log("More warnings:");
  return asked;
};
"""
    program = openclaw_in_little(tmp_path, runtime)
    asked = {"method": "agent", "params": {"message": "hi"}, "timeoutMs": 5000, "expectFinal": True, "port": 18789}
    line = json.dumps({**asked, "id": 1, "url": "ws://[::1]:18789"}) + "\n"
    done = run(node_snippets.script_argv(node_snippets.CALL_OPENCLAW, program), tmp_path, said=line)
    options = {"port": "18789", "timeout": "5000", "expectFinal": True, "json": True}
    called = ["agent", options, {"message": "hi"}, {"sharedStateMode": "read-only"}]
    assert (done.returncode, done.stderr) == (0, "Config warnings:\nMore warnings:\n")
    assert [json.loads(answer) for answer in done.stdout.splitlines()] == [{}, {"id": 1, "answer": called}]


def openclaw_in_little(directory: Path, runtime: str | None) -> tuple[str, str]:
    """A package with OpenClaw's name, and what it offers to plugins as another version might have it."""
    exports = {"./plugin-sdk/gateway-runtime": "./runtime.mjs", "./plugin-sdk/runtime-config-snapshot": "./config.mjs"}
    (directory / "package.json").write_text(json.dumps({"name": "openclaw", "exports": exports}))
    (directory / "config.mjs").write_text("export const getRuntimeConfig = () => console.log('Config warnings:');")
    if runtime is not None:
        (directory / "runtime.mjs").write_text(runtime)
    (directory / "openclaw.mjs").write_text("")
    (directory / "program").symlink_to(directory / "openclaw.mjs")
    return NODE, str(directory / "program")


def test_a_gateway_answers_as_it_answers_the_command(
    bench: Bench, no_other_process: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = Paths(str(bench.gateway.state_dir), str(bench.gateway.config), str(bench.gateway.env))
    for name, value in {**bench.gateway.environment, **no_other_process}.items():
        monkeypatch.setenv(name, value)

    def asked(program: tuple[str, ...], method: str, port: int = bench.gateway.port) -> Any:
        with Gateway(CLAWDBOT, program, paths, Listener("127.0.0.1", port), dict(os.environ)) as gateway:
            return gateway.call(method, {}, 300)

    by_itself = (str(MODULES / ".bin" / "clawdbot"),)
    listing = asked(PROGRAM, "models.list")
    assert len(listing["models"]) > 100
    assert listing == asked(by_itself, "models.list")

    closed = "gateway closed (1006 abnormal closure (no close frame)): no close reason"
    for program in (PROGRAM, by_itself):
        with pytest.raises(ClawdbotError) as refused:
            asked(program, "no.such")
        assert str(refused.value) == "Gateway method no.such failed: unknown method: no.such"
        with pytest.raises(ClawdbotError) as refused:
            asked(program, "models.list", port=1)
        assert str(refused.value) == f"Gateway method models.list failed: {closed}"
