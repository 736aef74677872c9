# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Node scripts that do what a command of a product's CLI does, by the same modules, without loading the rest of it.

Loading the rest is most of what a command takes: 1.6 to 1.8 of 2.4 seconds of CPU (bench/program.py). Where the modules
are not those of Clawdbot 2026.1.24-3 or OpenClaw 2026.9.6, the command is run instead.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

# Debian has used both names.
_NODES = frozenset(["node", "nodejs"])
# In a run of half a second the optimizing compiler costs more than it saves: a tenth less CPU without it.
_FLAGS = ("--no-opt",)

_LOAD = """\
const [program, ...args] = process.argv.slice(1);
const load = (name) => import(require("path").join(require("fs").realpathSync(program), "..", name));
"""

#: Exits 0 where the config is valid. Otherwise it runs the command, which reports the problems.
CHECK_CONFIG = (
    _LOAD
    + """\
const {spawnSync} = require("child_process");
const run = () => process.exit(spawnSync(process.execPath, [program, ...args], {stdio: "inherit"}).status ?? 1);
const valid = async () => {
  const {readConfigFileSnapshot} = await load("config/config.js");
  return (await readConfigFileSnapshot()).valid === true;
};
valid().then((yes) => yes || run(), run);
"""
)

#: What both scripts below do with the function that their `prepare` returns: conversation.py is the other end. The
#: product's own messages go elsewhere than the answers.
_CONVERSE = """\
const print = (line) => process.stdout.write(JSON.stringify(line) + "\\n");
console.log = console.info = console.error;
const answer = async (call, line) => {
  const {id, ...options} = JSON.parse(line);
  try {
    return {id, answer: await call(options)};
  } catch (error) {
    return {id, error: String(error)};
  }
};
const converse = async (call) => {
  print({});
  for await (const line of require("readline").createInterface({input: process.stdin})) {
    print(await answer(call, line));
  }
  process.exit();
};
prepare().then(converse, () => process.exit(1));
"""

#: Calls the gateway as `gateway call` does (`conversation.py`). Exits 1 before it is ready if it cannot do that.
CALL_CLAWDBOT = (
    _LOAD
    + """\
const prepare = async () => {
  const [{loadDotEnv}, {callGateway}] = await Promise.all([load("infra/dotenv.js"), load("gateway/call.js")]);
  loadDotEnv({quiet: true});
  // Fails here where it is no function.
  const call = callGateway.bind(undefined);
  return ({port, ...options}) => call({...options, clientName: "cli", mode: "cli"});
};
"""
    + _CONVERSE
)

#: Likewise, by what the package offers to plugins. To read the config is what reads `.env`, which can have the token.
CALL_OPENCLAW = (
    """\
const prepare = async () => {
  const program = require("fs").realpathSync(process.argv[1]);
  const {resolve} = require("module").createRequire(program);
  const load = (name) => import(resolve(`openclaw/plugin-sdk/${name}`));
  const modules = [load("runtime-config-snapshot"), load("gateway-runtime")];
  const [{getRuntimeConfig}, {callGatewayFromCli}] = await Promise.all(modules);
  getRuntimeConfig();
  const call = callGatewayFromCli.bind(undefined);
  return ({method, params, timeoutMs, expectFinal, port}) => {
    const options = {port: String(port), timeout: String(timeoutMs), expectFinal, json: true};
    return call(method, options, params, {sharedStateMode: "read-only"});
  };
};
"""
    + _CONVERSE
)


def argv(script: str, program: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Return the argv of a CLI command: of the script, where there is one and Node runs the CLI."""
    by_script = script_argv(script, program)
    return [*by_script, *arguments] if by_script else [*program, *arguments]


def script_argv(script: str, program: Sequence[str]) -> list[str]:
    """Return the argv of a script without arguments; empty where there is none, or Node does not run the CLI."""
    if script and len(program) == 2 and os.path.basename(program[0]) in _NODES:
        return [program[0], *_FLAGS, "-e", script, program[1]]
    return []
