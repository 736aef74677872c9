# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Arguments and files that are rejected, and the config check."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import config_check
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.provider_config.gateway_files import (
    BLOCK,
    CONFIG,
    ENV,
    JOURNAL,
    NEW_CONFIG,
    NEW_ENV,
    NEW_KEY,
    OLD_CONFIG,
    OLD_ENV,
    OTHERS_KEY,
    Gateway,
    Run,
    shell,
)

REJECTED: dict[str, tuple[dict[str, object], str]] = {
    "literal key": (
        {"providers": {"moonshot": {**BLOCK, "apiKey": NEW_KEY}}},
        "providers.moonshot.apiKey must be a reference to an environment variable: put the key into env and ${NAME}"
        " here.",
    ),
    "no environment variable": (
        {"env": {}, "providers": {"kimicode": {**BLOCK, "apiKey": "${KIMICODE_API_KEY}"}}},
        "The block of provider kimicode refers to ${KIMICODE_API_KEY}, which neither env nor {env} defines. The gateway"
        " rejects its whole config for one missing variable: add it to env.{unchanged}",
    ),
    "several faults": (
        {"providers": {"moonshot": []}, "env": {"key": NEW_KEY}, "default_model": "kimi"},
        "providers.moonshot must be a dictionary, as the config takes it. env: 'key' cannot be the name of an"
        " environment variable that the config refers to: use capital letters, digits and _, and no digit first."
        " default_model must be of the form provider/model.",
    ),
    "checker": (
        {"validate": shell('echo "Problem:" >&2; echo "  - models.x: bad $MOONSHOT_API_KEY in $1" >&2; exit 1')},
        f"The config check rejected the new config: models.x: bad <{fingerprint(NEW_KEY)}> in the new config."
        "{unchanged}",
    ),
    "no checker": (
        {"validate": ["/nowhere/clawdbot", "%s"]},
        "The config check cannot be run (No such file or directory): ['/nowhere/clawdbot', '%s'].{unchanged}",
    ),
}


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(("arguments", "message"), REJECTED.values(), ids=REJECTED)
def test_what_is_rejected_changes_nothing(
    gateway: Gateway, run: Run, arguments: dict[str, object], message: str, check_mode: bool
) -> None:
    unchanged = "" if check_mode else " Nothing was changed."
    ran = run(check_mode=check_mode, **arguments)
    assert (ran.code, ran.result["msg"]) == (
        1,
        message.replace("{env}", str(gateway.env)).replace("{unchanged}", unchanged),
    )
    assert gateway.files() == {CONFIG: OLD_CONFIG, ENV: OLD_ENV}
    assert NEW_KEY not in ran.printed


# What is done in the directory, and the error of the module then.
UNUSABLE: dict[str, tuple[str, str]] = {
    "config is no JSON5": (
        f"echo \"{{a: 1,, 'sk-0123456789'}}\" > {CONFIG}",
        "{config} cannot be read: expected a member name or '}' at line 1, column 7. The gateway cannot read it either:"
        " repair it, or restore {config}.bak. Nothing was changed.",
    ),
    "config is a directory": (
        f"rm {CONFIG}; mkdir {CONFIG}",
        "Cannot read {config}: Is a directory. Nothing was changed.",
    ),
    "config is a pipe": (f"rm {CONFIG}; mkfifo {CONFIG}", "{config} is not a regular file. Nothing was changed."),
    "env is a loop of links": (
        f"rm {ENV}; ln -s {ENV} {ENV}",
        "Cannot read {env}: Too many levels of symbolic links. Nothing was changed.",
    ),
    "no directory": (
        'rm -r "$PWD"',
        "Directory {directory} cannot be opened: No such file or directory. Check that this account has a gateway.",
    ),
    "journal is broken": (
        f"echo {{}} > {JOURNAL}",
        "{directory}/.clawdbot.json.clawfleet-journal, the rollback journal of an earlier run, is broken. Check the"
        " files of the gateway, then remove it. Nothing was changed.",
    ),
}


@pytest.mark.parametrize(("spoil", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_file_that_cannot_be_used_is_named(gateway: Gateway, run: Run, spoil: str, message: str) -> None:
    subprocess.run(["/bin/sh", "-ec", spoil], cwd=gateway.directory, check=True)
    for name in ("config", "env", "directory"):
        message = message.replace("{" + name + "}", str(getattr(gateway, name)))
    ran = run()
    assert (ran.code, ran.result["msg"]) == (1, message)


def test_the_checker_gets_the_new_config_and_the_new_environment_and_nothing_stays(gateway: Gateway, run: Run) -> None:
    seen = gateway.directory.parent
    script = f'cp "$1" {seen}/config; env > {seen}/env; pwd > {seen}/pwd; echo x > "$2/state"; ls -ld "$2" > {seen}/ls'
    assert run(validate=shell(script)).changes == (True, True, True, True)
    assert (seen / "config").read_bytes() == NEW_CONFIG
    scratch = (seen / "pwd").read_text().strip()
    assert Path(scratch).parent == gateway.directory
    assert (seen / "ls").read_text().startswith("drwx------")
    assert sorted(gateway.files()) == [JOURNAL, ENV, CONFIG]
    environment = dict(line.split("=", 1) for line in (seen / "env").read_text().splitlines())
    assert {name: environment[name] for name in ("MOONSHOT_API_KEY", "OTHER_API_KEY", "HOME", "PATH")} == {
        "MOONSHOT_API_KEY": NEW_KEY,
        "OTHER_API_KEY": OTHERS_KEY,
        "HOME": scratch,
        "PATH": os.environ["PATH"],
    }
    assert "PYTEST_CURRENT_TEST" not in environment


def test_the_checker_does_not_run_where_the_config_does_not_change(gateway: Gateway, run: Run) -> None:
    assert run(providers={}, validate=["/bin/false"]).changes == (True, False, True, True)
    assert gateway.env.read_bytes() == NEW_ENV


def test_a_checker_that_hangs_is_ended_with_all_its_processes(
    gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_check, "_TIMEOUT_SECONDS", 1)
    pid = gateway.directory.parent / "pid"
    ran = run(validate=["/bin/sh", "-c", f"sleep 60 & echo $! > {pid}; wait"])
    assert ran.result["msg"] == (
        "The config check timed out after 1 seconds:"
        f" ['/bin/sh', '-c', 'sleep 60 & echo $! > {pid}; wait']. Nothing was changed."
    )
    assert gateway.files() == {CONFIG: OLD_CONFIG, ENV: OLD_ENV}
    deadline = time.monotonic() + 5
    while runs(int(pid.read_text())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runs(int(pid.read_text()))


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
