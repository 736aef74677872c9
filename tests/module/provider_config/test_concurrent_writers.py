# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Other processes that write the same files, or hold the lock, during a run."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import time
from collections.abc import Callable

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_reader import loads
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import apply

from tests.module.provider_config.gateway_files import (
    BLOCK,
    CONFIG,
    ENV,
    NEW_CONFIG,
    NEW_ENV,
    OLD_CONFIG,
    OLD_ENV,
    Gateway,
    Run,
    driver,
    shell,
)

# Each stands for another process that comes in while the checker runs; it writes as often as {times} says.
ONCE_MORE = 'n=$(cat ../n 2>/dev/null || echo 0); [ "$n" -lt {times} ] || exit 0; echo $((n+1)) > ../n; cd ..; '
WRITERS: dict[str, tuple[str, Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    "config, in place": (
        f'echo "// touched" >> {CONFIG}',
        lambda config: config + b"// touched\n",
        lambda env: env,
    ),
    "config, by a rename": (
        f'{{ echo "// touched"; cat {CONFIG}; }} > tmp; chmod 640 tmp; mv tmp {CONFIG}',
        lambda config: b"// touched\n" + config,
        lambda env: env,
    ),
    "env, in place": (f"echo A=1 >> {ENV}", lambda config: config, lambda env: env + b"A=1\n"),
    "env, by a rename": (
        f"{{ echo A=1; cat {ENV}; }} > tmp; chmod 600 tmp; mv tmp {ENV}",
        lambda config: config,
        lambda env: b"A=1\n" + env,
    ),
    "config becomes a link": (
        f'{{ echo "// touched"; cat {CONFIG}; }} > to$n; chmod 640 to$n; ln -sf to$n {CONFIG}',
        lambda config: b"// touched\n" + config,
        lambda env: env,
    ),
}


@pytest.mark.parametrize(("script", "config", "env"), WRITERS.values(), ids=WRITERS)
def test_a_writer_in_between_loses_nothing(
    gateway: Gateway, run: Run, script: str, config: Callable[[bytes], bytes], env: Callable[[bytes], bytes]
) -> None:
    once = ONCE_MORE.format(times=1) + script
    assert run(validate=shell(once.replace("../n", str(gateway.directory.parent / "n")))).changes == (
        True,
        True,
        True,
        True,
    )
    assert (gateway.config.read_bytes(), gateway.env.read_bytes()) == (config(NEW_CONFIG), env(NEW_ENV))
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert (gateway.config.read_bytes(), gateway.env.read_bytes()) == (config(OLD_CONFIG), env(OLD_ENV))


@pytest.mark.parametrize(("script", "config", "env"), WRITERS.values(), ids=WRITERS)
def test_a_writer_that_never_ends_takes_precedence(
    gateway: Gateway, run: Run, script: str, config: Callable[[bytes], bytes], env: Callable[[bytes], bytes]
) -> None:
    ran = run(
        validate=shell((ONCE_MORE.format(times=99) + script).replace("../n", str(gateway.directory.parent / "n")))
    )
    assert (ran.code, ran.result["msg"]) == (
        1,
        f"{gateway.config} or {gateway.env} was changed by another process during each of 5 attempts."
        " Both are as that process left them: find out what keeps writing, or run again later.",
    )
    theirs_config, theirs_env = OLD_CONFIG, OLD_ENV
    for _write in range(5):
        theirs_config, theirs_env = config(theirs_config), env(theirs_env)
    files = {name: content for name, content in gateway.files().items() if not name.startswith("to")}
    assert files == {CONFIG: theirs_config, ENV: theirs_env}


def test_a_second_run_waits_for_the_first(gateway: Gateway) -> None:
    slow = {"validate": ["/bin/sleep", "1"], "env": {}, "default_model": "other/x", "providers": {}}
    first = subprocess.Popen(driver(gateway.arguments(**slow)), stdout=subprocess.PIPE, text=True)
    while not any(path.name.endswith("-new") for path in gateway.directory.iterdir()):
        time.sleep(0.01)
    second = subprocess.run(driver(gateway.arguments()), stdout=subprocess.PIPE, text=True, check=True)
    first_result = json.loads(first.communicate()[0])
    assert [first_result["changed"], json.loads(second.stdout)["changed"]] == [True, True]
    config = loads(gateway.config.read_text())
    assert config["agents"]["defaults"]["model"] == {"primary": "other/x"}
    assert config["models"]["providers"]["moonshot"] == BLOCK


def test_the_wait_has_an_end(gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "_LOCK_SECONDS", 0.3)
    holder = os.open(gateway.directory, os.O_RDONLY)
    try:
        fcntl.flock(holder, fcntl.LOCK_EX)
        ran = run()
    finally:
        os.close(holder)
    assert (ran.code, ran.result["msg"]) == (
        1,
        f"Another run of the collection has locked {gateway.directory} for 0.3 seconds. Wait until it ends.",
    )
    assert run().changes == (True, True, True, True)
