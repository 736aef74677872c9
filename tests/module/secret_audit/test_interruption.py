# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A purge that is killed at every system call that changes a file."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.module.secret_audit.gateway_files import AFTER, BEFORE, FILES, Gateway, Run

COLLECTIONS = Path(__file__).parents[3] / ".cache" / "collections"
CALLS = ("rename", "pwrite64", "fsync")

# One start of Python purges all gateways, each in its own process. strace kills each process at the same count; calls
# that fail, a different number of them in each process before the purge, move it to a different call of the purge.
SCRIPT = """
import contextlib, json, os, sys
sys.path.insert(0, sys.argv[1])
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import account
from ansible_collections.clawfleet.clawdbot.plugins.modules import secret_audit

# The histories in the home of whoever runs the tests are not searched.
own = {**account.own_account(), "home": "/nowhere"}
account.own_account = lambda: own
NO_FILE = 1000000
FAILING = {
    "rename": lambda: os.rename("/nowhere/a", "/nowhere/b"),
    "pwrite64": lambda: os.pwrite(NO_FILE, b"", 0),
    "fsync": lambda: os.fsync(NO_FILE),
}
call, children = sys.argv[2], []
for calls_before, arguments in json.loads(sys.argv[3]):
    child = os.fork()
    if not child:
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            for _ in range(calls_before):
                with contextlib.suppress(OSError):
                    FAILING[call]()
            with patch_module_args(arguments):
                secret_audit.main()
        except SystemExit as leaving:
            code = leaving.code or 0
        finally:
            os._exit(code)
    children.append(child)
print(json.dumps([os.waitpid(child, 0)[1] for child in children]))
"""


def purge_all(gateways: list[tuple[int, Gateway]], call: str, *options: str) -> list[int]:
    """The exit status of each purge, as `os.waitpid` returns it."""
    strace = shutil.which("strace")
    assert strace, "strace is needed: apt-get install strace"
    arguments = [(calls_before, gateway.arguments(state="purged")) for calls_before, gateway in gateways]
    done = subprocess.run(
        [strace, "-f", "-qq", *options, sys.executable, "-c", SCRIPT, str(COLLECTIONS), call, json.dumps(arguments)],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    statuses: list[int] = json.loads(done.stdout)
    return statuses


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    """System call -> how often a purge that is not killed makes it."""
    directory = tmp_path_factory.mktemp("counts")
    gateway, log = Gateway(directory / "gateway"), directory / "strace"
    gateway.lay_out(BEFORE)
    assert purge_all([(0, gateway)], "none", "-e", f"trace={','.join(CALLS)}", "-o", str(log)) == [0]
    assert gateway.files() == AFTER
    return Counter(re.findall(r"\b(\w+)\(", log.read_text()))


@pytest.mark.parametrize("call", CALLS)
def test_killed_at_any_change_each_file_is_the_old_or_the_clean_one_and_the_next_run_finishes(
    run: Run, tmp_path: Path, counts: Counter[str], call: str
) -> None:
    count = counts[call]
    assert count >= 3
    gateways = [(number, Gateway(tmp_path / str(number))) for number in range(count)]
    for _number, gateway in gateways:
        gateway.lay_out(BEFORE)

    inject = f"inject={call}:signal=KILL:when={count}"
    statuses = purge_all(gateways, call, "-o", "/dev/null", "-e", f"trace={call}", "-e", inject)
    assert [os.WTERMSIG(status) for status in statuses] == [9] * count

    seen = set()
    for _number, gateway in gateways:
        left = gateway.files()
        for name, content in left.items():
            if name in FILES and name != "logs/gateway.log":
                assert content in FILES[name]
        seen.add(tuple(left.get(name) == AFTER[name] for name in FILES))
        assert run(state="purged", state_dir=str(gateway.state_dir))["findings"] == []
        assert gateway.files() == AFTER
    assert len(seen) > 1
