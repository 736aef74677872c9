# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import config_check, node_snippets
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

# What Clawdbot 2026.1.24-3 prints, shortened.
STDERR: dict[str, tuple[str, list[str]]] = {
    "unknown key": (
        'Invalid config at /x/c.json:\\n- models: Unrecognized key: "foo"\n- gateway.mode: Invalid input\n'
        'Config invalid\nFile: /x/c.json\nProblem:\n  - models: Unrecognized key: "foo"\n'
        "  - gateway.mode: Invalid input\n\nRun: clawdbot doctor --fix\n",
        ["gateway.mode: Invalid input", 'models: Unrecognized key: "foo"'],
    ),
    "syntax": (
        "Failed to read config at /x/c.json SyntaxError: JSON5: invalid character 'x' at 1:32\n"
        "    at syntaxError (/x/json5/lib/parse.js:1110:17) {\n  lineNumber: 1\n}\n",
        ["JSON5: invalid character 'x' at 1:32"],
    ),
    "missing variable": (
        'Failed to read config at /x/c.json MissingEnvVarError: Missing env var "A" referenced at config path: b {\n'
        'Problem:\n  - <root>: Missing env var "A" referenced at config path: b\n',
        ['<root>: Missing env var "A" referenced at config path: b'],
    ),
    "colours": ("\x1b[31mProblem:\x1b[39m\n\x1b[2m  - a: b\x1b[0m\n", ["a: b"]),
    "another last line": ("something\n  went wrong  \n\n", ["went wrong"]),
    "no output": ("", ["no output"]),
}


# What OpenClaw 2026.9.6 prints on stdout, shortened.
STDOUT: dict[str, tuple[str, list[str]]] = {
    "issues": (
        '{"ok": false, "error": {"message": "OpenClaw config is invalid: /x/c.json"}, "valid": false, "issues": ['
        '{"path": "models.providers.x.models.0", "message": "Unrecognized key: \\"region\\""},'
        '{"path": "<root>", "message": "JSON5 parse failed"}]}',
        ['models.providers.x.models.0: Unrecognized key: "region"', "<root>: JSON5 parse failed"],
    ),
    "an error alone": ('{"ok": false, "error": {"message": "model not allowed: a/b"}}', ["model not allowed: a/b"]),
    "issues of wrong types": ('{"issues": ["x", null], "error": "no"}', ["said on stderr"]),
    "an empty error": ('{"error": {"message": ""}}', ["said on stderr"]),
    "text": ("- a: b", ["said on stderr"]),
    "another value": ("[]", ["said on stderr"]),
    "too deep": ("[" * 100_000, ["said on stderr"]),
}


@pytest.mark.parametrize(("stderr", "found"), STDERR.values(), ids=STDERR)
def test_problems_as_text(stderr: str, found: list[str]) -> None:
    assert config_check.problems("", stderr) == found


@pytest.mark.parametrize(("stdout", "found"), STDOUT.values(), ids=STDOUT)
def test_problems_as_json(stdout: str, found: list[str]) -> None:
    assert config_check.problems(stdout, "said on stderr\n") == found


@pytest.fixture
def config(tmp_path: Path) -> str:
    # The path contains what looks like placeholders.
    path = tmp_path / "100%d" / "c%s.json"
    path.parent.mkdir()
    path.write_text("{}")
    return str(path)


def shell(script: str) -> list[str]:
    return ["/bin/sh", "-euc", script, "sh", "%s", "--state=%d", "%s+%d"]


def test_an_accepted_config(config: str, tmp_path: Path) -> None:
    seen = f'for part in "$@"; do echo "$part"; done > {tmp_path}/args; pwd > {tmp_path}/pwd; env > {tmp_path}/env'
    config_check.check(
        shell(f"{seen}; echo x > left"),
        config,
        {"NAME": "value with = and\nlines", "PATH": "theirs", "HOME": "theirs"},
    )
    scratch = (tmp_path / "pwd").read_text().strip()
    args = (tmp_path / "args").read_text().splitlines()
    assert args == [config, f"--state={scratch}", f"{config}+{scratch}"]
    assert scratch.startswith(f"{config}.")
    assert os.listdir(os.path.dirname(config)) == ["c%s.json"]
    environment = (tmp_path / "env").read_text()
    for line in ("NAME=value with = and\nlines\n", f"PATH={os.environ['PATH']}\n", f"HOME={scratch}\n"):
        assert line in environment
    assert "theirs" not in environment


KEY = "sk-0123456789abcdef"
REJECTED: dict[str, tuple[list[str], str]] = {
    "a problem": (
        shell('echo "  - a.b: wrong in $1" >&2; exit 1'),
        "The config check rejected the new config: a.b: wrong in the new config.",
    ),
    "no secrets": (
        shell('echo "  - a.b: $KEY, $TOKEN and sk-of-somebody-else, but port $PORT" >&2; exit 1'),
        f"The config check rejected the new config: a.b: <{fingerprint(KEY)}>,"
        f" <{fingerprint('t0')}> and <redacted>, but port 18789.",
    ),
    "no output": (
        shell("exit 3"),
        "The config check rejected the new config: no output.",
    ),
    "not UTF-8": (
        shell("printf '  - \\377\\n' >&2; exit 1"),
        "The config check rejected the new config: \ufffd.",
    ),
    "a problem on stdout": (
        shell("echo '  - a'; exit 1"),
        "The config check rejected the new config: no output.",
    ),
    "no such command": (
        ["/nowhere", "%s"],
        "The config check cannot be run (No such file or directory): ['/nowhere', '%s'].",
    ),
    "killed": (
        shell("kill -9 $$"),
        "The config check rejected the new config: no output.",
    ),
}


@pytest.mark.parametrize(("argv", "message"), REJECTED.values(), ids=REJECTED)
def test_a_rejected_config(config: str, argv: list[str], message: str) -> None:
    with pytest.raises(ClawdbotError) as caught:
        config_check.check(argv, config, {"KEY": KEY, "TOKEN": "t0", "PORT": "18789"})
    assert str(caught.value) == message
    assert os.listdir(os.path.dirname(config)) == ["c%s.json"]


def test_a_scratch_directory_that_cannot_be_created(config: str) -> None:
    with pytest.raises(ClawdbotError) as caught:
        config_check.check(["/bin/true"], f"{config}/not/a/directory", {})
    assert str(caught.value) == ("The config check cannot be run (Not a directory): ['/bin/true'].")


def test_check_command_of_clawdbot_runs_the_script() -> None:
    assert config_check.check_command(PRODUCTS["clawdbot"], ("/node", "/entry.js")) == [
        "/usr/bin/env",
        "CLAWDBOT_CONFIG_PATH=%s",
        "CLAWDBOT_STATE_DIR=%d",
        "/node",
        "--no-opt",
        "-e",
        node_snippets.CHECK_CONFIG,
        "/entry.js",
        "config",
        "get",
        "agents.defaults.maxConcurrent",
    ]


def test_check_command_of_openclaw_runs_the_cli() -> None:
    assert config_check.check_command(PRODUCTS["openclaw"], ("/node", "/openclaw.mjs"))[1:] == [
        "OPENCLAW_CONFIG_PATH=%s",
        "OPENCLAW_STATE_DIR=%d",
        "/node",
        "/openclaw.mjs",
        "config",
        "validate",
        "--json",
    ]
