# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of the role gateway, each run by Ansible on this machine, in a directory of the test."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.cache import CACHE, ROOT

COLLECTIONS = CACHE / "collections"

Play = Callable[..., list[dict[str, Any]]]

CHECKSUM = "sha256:" + "0" * 64


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Run a file of the role's tasks with each set of variables; return its error and the value of `shown`."""

    def run(
        tasks_from: str, cases: list[Mapping[str, Any]], shown: str = "none", path: str = ""
    ) -> list[dict[str, Any]]:
        result = f"{{{{ results + [{{'failed': failed | default(none), 'shown': {shown}}}] }}}}"
        role = {"name": "clawfleet.clawdbot.gateway", "tasks_from": tasks_from, "public": True}
        tasks: list[dict[str, Any]] = [{"ansible.builtin.set_fact": {"results": []}}]
        for variables in cases:
            tasks.append(
                {
                    "block": [{"ansible.builtin.include_role": role}],
                    "rescue": [{"ansible.builtin.set_fact": {"failed": "{{ ansible_failed_result.msg }}"}}],
                    "always": [{"ansible.builtin.set_fact": {"results": result, "failed": None}}],
                    "vars": dict(variables),
                }
            )
        kept = {"content": "{{ results | to_json }}", "dest": f"{tmp_path}/results.json", "mode": "0600"}
        tasks.append({"ansible.builtin.copy": kept})
        variables = {"ansible_python_interpreter": sys.executable, "ansible_become": False}
        book = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": tasks}]
        (tmp_path / "play.yml").write_text(yaml.safe_dump(book))
        done = subprocess.run(
            [os.path.join(os.path.dirname(sys.executable), "ansible-playbook"), "-i", "localhost,", "play.yml"],
            cwd=tmp_path,
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
                "ANSIBLE_HOME": str(tmp_path / "ansible"),
                "ANSIBLE_PIPELINING": "true",
                "PATH": f"{path}{os.pathsep}{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        results: list[dict[str, Any]] = json.loads((tmp_path / "results.json").read_text())
        return results

    return run


def test_all_problems_of_the_variables_are_in_one_message(play: Play) -> None:
    good = {"gateway_node_archive_url": "https://example.com/n.tar.gz", "gateway_node_archive_checksum": CHECKSUM}
    bad = {"gateway_version": "2026", "gateway_user": "A", "gateway_port": 0}
    assert [result["failed"] for result in play("validate", [{}, good, bad])] == [
        None,
        None,
        'gateway_user: "A" is not an unprivileged account. Use a name of lower-case letters, digits, _ and -, and not '
        'root. gateway_port: "0" is not a port. Use a number from 1 to 65535.',
    ]


#: The addresses of a host -> why it is rejected with `gateway_bind: tailnet`.
ADDRESSES = {
    "192.0.2.7 100.64.0.1 fd7a:115c:a1e0::1 ": None,
    "100.127.255.254": None,
    "192.0.2.7 100.63.0.1 100.128.0.1 ": "only 192.0.2.7, 100.63.0.1, 100.128.0.1",
    "": "only those of loopback",
}


def test_a_host_without_tailscale_cannot_listen_there(play: Play, tmp_path: Path) -> None:
    # It prints the addresses of the next case each time.
    left = tmp_path / "left"
    left.write_text("".join(f"{addresses}\n" for addresses in ADDRESSES))
    hostname = tmp_path / "bin" / "hostname"
    hostname.parent.mkdir()
    hostname.write_text(f"#!/bin/sh\nsed -n 1p {left}\nsed -i 1d {left}\n")
    hostname.chmod(0o755)

    results = play("addresses", [{}] * len(ADDRESSES), path=str(hostname.parent))

    assert [result["failed"] for result in results] == [
        expected
        and "gateway_bind: tailnet needs an address of Tailscale, from 100.64.0.0 to 100.127.255.255, and the host "
        f"has {expected}. Start Tailscale on the host, or set gateway_bind to loopback, auto or lan."
        for expected in ADDRESSES.values()
    ]


def node(directory: Path, version: str) -> str:
    """Create an executable that claims to be a Node.js of that version."""
    directory.mkdir(parents=True)
    executable = directory / "node"
    executable.write_text(f"#!/bin/sh\necho v{version}\n")
    executable.chmod(0o755)
    return str(executable)


def test_the_first_node_that_is_new_enough_is_used(play: Play, tmp_path: Path) -> None:
    old, new = node(tmp_path / "old", "22.11.0"), node(tmp_path / "new", "22.12.0")
    account = {"__gateway_getent": {"ansible_facts": {"getent_passwd": {"clawdbot": None}}}}
    results = play(
        "node",
        [
            {**account, "gateway_node_path": new},
            {**account, "gateway_node_path": old},
            {**account, "gateway_node_path": f"{tmp_path}/none"},
            account,
        ],
        "__gateway_node",
        str(tmp_path / "new"),
    )
    rejection = (
        "No Node.js 22.12.0 or later found at gateway_node_path {}, only: {}. Set gateway_node_path to one on the "
        "host, or gateway_node_archive_url and gateway_node_archive_checksum to an archive that the host can download, "
        "or install Node.js or npm."
    )
    assert [result["failed"] for result in results] == [
        None,
        rejection.format(old, "22.11.0"),
        rejection.format(f"{tmp_path}/none", "none"),
        None,
    ]
    assert (results[0]["shown"], results[3]["shown"]) == (new, new)


def test_openclaw_uses_a_node_of_its_own_range(play: Play, tmp_path: Path) -> None:
    between, new = node(tmp_path / "between", "25.9.0"), node(tmp_path / "new", "26.1.0")
    openclaw = {
        "gateway_product": "openclaw",
        "__gateway_getent": {"ansible_facts": {"getent_passwd": {"openclaw": None}}},
    }
    cases = [{**openclaw, "gateway_node_path": path} for path in (between, new)]
    results = play("node", cases, "__gateway_node")
    assert results[0]["failed"] == (
        f"No Node.js 24.16.0 or later below 25, or 26.1.0 or later found at gateway_node_path {between}, only: 25.9.0. "
        "Set gateway_node_path to one on the host, or gateway_node_archive_url and gateway_node_archive_checksum to an "
        "archive that the host can download, or install Node.js or npm."
    )
    assert results[1] == {"failed": None, "shown": new}


def test_a_version_with_a_lock_file_has_a_directory_for_its_content(play: Play, tmp_path: Path) -> None:
    lock = tmp_path / "a.lock.json"
    openclaw = {"gateway_product": "openclaw", "gateway_version": "2026.9.5"}
    packages = {"": {"dependencies": {"openclaw": "2026.9.5"}}}
    lock.write_text(json.dumps({"packages": packages}))
    cases = [openclaw, {**openclaw, "gateway_lock_file": str(lock)}, {}]

    results = play("validate", cases, "__gateway_entry")

    assert [result["failed"] for result in results] == [None] * 3
    pattern = r"/opt/openclaw/2026\.9\.5(-[0-9a-f]{8})?/node_modules/openclaw/openclaw\.mjs"
    found = [re.fullmatch(pattern, result["shown"]) for result in results[:2]]
    suffixes = [match and match.group(1) for match in found]
    assert suffixes[0] is None
    assert suffixes[1] is not None
    assert results[2]["shown"] == "/opt/clawdbot/2026.1.24-3/node_modules/clawdbot/dist/entry.js"


def test_npm_installs_a_node(play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From npm's registry, as on a host that has npm and a Node.js that is too old."""
    monkeypatch.setenv("npm_config_cache", str(CACHE / "npm"))
    directory = tmp_path / "node-npm-22.new"
    directory.mkdir()

    (result,) = play("install_node", [{"__gateway_new": str(directory)}], path=os.path.dirname(sys.executable))

    assert result["failed"] is None
    asked = subprocess.run([directory / "bin" / "node", "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"v22\.(\d+)\.\d+\n", asked.stdout)


def test_versions_that_no_gateway_runs_on_are_removed(play: Play, tmp_path: Path) -> None:
    versions = tmp_path / "versions"
    for name, marks in {"1": ["a.unit"], "2": ["a.unit", "b.unit"], "3": [], "node-1": ["a.unit"]}.items():
        (versions / name / "gateways").mkdir(parents=True)
        for file in ("installed", *(f"gateways/{mark}" for mark in marks)):
            (versions / name / file).touch()
    # An interrupted installation.
    (versions / "4.new").mkdir()
    case = {
        "gateway_install_dir": str(versions),
        "__gateway_mark": "a.unit",
        "__gateway_used": [f"{versions}/node-1/bin/node", f"{versions}/3/entry.js"],
    }
    (result,) = play("prune", [case], "__gateway_removed.stdout_lines")
    assert result == {"failed": None, "shown": [f"{versions}/1"]}
    found = {str(path.relative_to(versions)) for path in versions.rglob("*") if not path.is_dir()}
    assert found == {
        "2/installed",
        "2/gateways/b.unit",
        "3/installed",
        "3/gateways/a.unit",
        "node-1/installed",
        "node-1/gateways/a.unit",
    }
    assert sorted(os.listdir(versions)) == ["2", "3", "4.new", "node-1"]


def script(name: str, *arguments: str) -> str:
    """Run a script of the role; return what it prints."""
    path = ROOT / "roles" / "gateway" / "files" / name
    return subprocess.run(["sh", str(path), *arguments], capture_output=True, text=True, check=True).stdout


def tree(directory: Path) -> dict[str, str]:
    paths = sorted(path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_text() for path in paths}


def test_what_another_version_converts_is_restored(tmp_path: Path) -> None:
    state, copy = tmp_path / "state dir", tmp_path / "state dir" / ".clawfleet-before"
    names = (str(state), str(copy), "state", "agents", "npm")
    (state / "agents" / "main").mkdir(parents=True)
    (state / "state").mkdir()
    (state / "state" / "openclaw.sqlite").write_text("schema 1")
    (state / "agents" / "main" / "sessions.json").write_text("{}")
    (state / "openclaw.json").write_text("old config")
    before = tree(state)

    assert script("save_state.sh", *names) == f"{copy}\n"
    assert copy.stat().st_mode & 0o777 == 0o700
    (state / "state" / "openclaw.sqlite").write_text("schema 2")
    (state / "state" / "openclaw.sqlite-wal").write_text("more")
    (state / "agents" / "main" / "sessions.json").unlink()
    (state / "npm").mkdir()
    (state / "openclaw.json").write_text("new config")
    # Of a run that continues an interrupted one: the copy stays.
    assert script("save_state.sh", *names) == ""

    assert script("restore_state.sh", *names) == f"{copy}\n"
    assert tree(state) == {**before, "openclaw.json": "new config"}
    assert not (state / "npm").exists()
    assert script("restore_state.sh", *names) == ""
    assert tree(state) == {**before, "openclaw.json": "new config"}


def layout(state: Path, other_disk: Path) -> tuple[str, ...]:
    """Fill a state directory whose agents are on another disk; return the arguments of the scripts."""
    (other_disk / "main").mkdir(parents=True)
    (other_disk / "main" / "sessions.json").write_text("{}")
    (state / "state").mkdir(parents=True)
    (state / "state" / "openclaw.sqlite").write_text("schema 1")
    (state / "agents").symlink_to(other_disk)
    return str(state), str(state / ".clawfleet-before"), "state", "agents", "npm"


def convert(state: Path) -> None:
    (state / "state" / "openclaw.sqlite").write_text("schema 2")
    (state / "state" / "openclaw.sqlite-wal").write_text("more")
    (state / "agents" / "main" / "sessions.json").unlink()
    (state / "agents" / "main" / "sessions.sqlite").write_text("schema 2")
    (state / "npm").mkdir()


#: The system calls that change files or make them durable, and the commands of the scripts that make them.
WRITES = "'/^(rename|unlink|rmdir|mkdir|symlink|copy_file_range|syncfs)'"
COMMANDS = ("cp", "find", "mkdir", "mv", "rm", "sync")
# The calls are counted over all commands of a script. With the command that is killed, so is the script.
COUNTED = """#!/bin/sh
left=$(cat {directory}/left)
set -- -e inject={writes}:signal=KILL:when="$left" {command} "$@"
strace -qq -o {directory}/log -e trace={writes} "$@" || kill -9 $PPID
echo $((left - $(grep -c '(' {directory}/log))) > {directory}/left
"""


def run_until(name: str, arguments: tuple[str, ...], call: int, directory: Path) -> bool:
    """Run a script and kill it at one of its system calls that write; return whether it ended before that."""
    assert shutil.which("strace"), "strace is needed: apt-get install strace"
    directory.mkdir(exist_ok=True)
    for command in COMMANDS:
        wrapper = directory / command
        wrapper.write_text(COUNTED.format(directory=directory, writes=WRITES, command=shutil.which(command)))
        wrapper.chmod(0o755)
    (directory / "left").write_text(str(call))
    path = str(ROOT / "roles" / "gateway" / "files" / name)
    environment = {**os.environ, "PATH": f"{directory}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["sh", path, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode == 0


def test_a_state_that_is_on_another_disk_is_restored_there(tmp_path: Path) -> None:
    state, disk = tmp_path / "state", tmp_path / "disk"
    names = layout(state, disk)
    before = tree(state), tree(disk)

    script("save_state.sh", *names)
    convert(state)
    script("restore_state.sh", *names)

    assert (tree(state), tree(disk)) == before
    assert (state / "agents").readlink() == disk


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    state = tmp_path / "state"
    names = layout(state, tmp_path / "disk")
    full = tmp_path / "bin" / "cp"
    full.parent.mkdir()
    full.write_text('#!/bin/sh\n/bin/cp "$@"\necho "No space left on device" >&2\nexit 1\n')
    full.chmod(0o755)
    before = sorted(state.iterdir())
    done = subprocess.run(
        ["sh", str(ROOT / "roles" / "gateway" / "files" / "save_state.sh"), *names],
        env={"PATH": f"{full.parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "No space left on device\n")
    assert sorted(state.iterdir()) == before


@pytest.mark.parametrize("name", ["save_state.sh", "restore_state.sh", "remove_copy.sh"])
def test_a_script_that_is_killed_loses_nothing(tmp_path: Path, name: str) -> None:
    """Each run is killed one system call later than the run before, until one ends."""
    call, ended, seen = 0, False, set()
    while not ended:
        call += 1
        state, disk = tmp_path / str(call) / "state", tmp_path / str(call) / "disk"
        names = layout(state, disk)
        copy = Path(names[1])
        before = tree(state), tree(disk)
        if name != "save_state.sh":
            script("save_state.sh", *names)
            convert(state)
        converted = tree(disk)
        ended = run_until(name, names if name != "remove_copy.sh" else names[1:2], call, tmp_path / "bin")
        seen.add(tuple(sorted(os.listdir(state))))
        if name == "save_state.sh":
            # Without a complete copy, the next run begins again.
            complete = copy.exists()
            assert script(name, *names) == ("" if complete else f"{copy}\n")
            convert(state)
        if name == "remove_copy.sh" and not copy.exists():
            assert tree(disk) == converted
            assert script(name, str(copy)) == ""
        else:
            script("restore_state.sh", *names)
            assert (tree(state), tree(disk)) == before
        assert [path for path in os.listdir(state) if path.startswith(".clawfleet")] == []
    assert call > 5
    assert len(seen) > 1


def test_an_account_of_the_inventory_that_takes_precedence(play: Play) -> None:
    given = [{"ansible_become_user": "root"}, {"ansible_sudo_user": "root"}]
    expected = (
        "ansible_become_user is root, which takes precedence over the role. It has to act as root and as clawdbot. "
        "Remove the variable from the inventory."
    )
    assert [result["failed"] for result in play("validate", given)] == [expected] * 2


#: Whether the gateway answers and needs a restart, and whether a copy of the state and a backup of the unit exist ->
#: whether they are removed before anything is changed.
BACKUPS = {
    (True, False, True, True): True,
    (True, False, False, True): True,
    # Something has changed .env since: the gateway was started after its state was copied.
    (True, True, True, True): True,
    # The old version may still run.
    (True, True, False, True): False,
    (True, False, False, False): False,
    (False, True, True, True): False,
}


def test_a_backup_is_removed_once_the_gateway_has_answered(play: Play) -> None:
    cases = [
        {
            "__gateway_info": {"answers": answers, "restart_required": restart},
            "__gateway_state_saved": {"stat": {"exists": copy}},
            "__gateway_backup": {"stat": {"exists": backup}},
        }
        for answers, restart, copy, backup in BACKUPS
    ]
    found = play("validate", cases, "__gateway_is_backup_stale | bool")
    assert [result["shown"] for result in found] == list(BACKUPS.values())


def test_an_older_openclaw_must_read_the_state(play: Play) -> None:
    def case(
        product: str, wanted: str, running: str | None, stdout: str = "", stderr: str = "", pid: int | None = 7
    ) -> dict[str, Any]:
        read = {"stdout": stdout, "stderr": stderr}
        info = {"version": running, "pid": pid}
        return {
            "gateway_product": product,
            "gateway_version": wanted,
            "__gateway_info": info,
            "__gateway_read": read,
        }

    error = json.dumps({"ok": False, "error": {"message": "It uses newer schema version 18;\nthis supports 17."}})
    cases = [
        case("openclaw", "2026.9.6", "2026.9.6"),
        case("openclaw", "2026.9.10", "2026.9.6"),
        case("openclaw", "2026.9.5", None),
        case("openclaw", "2026.9.5", "2026.9.6", pid=None),
        case("clawdbot", "2026.1.24-3", "2026.1.26"),
        case("openclaw", "2026.9.6", "2026.9.10", error),
        case("openclaw", "2026.9.5", "2026.9.6", '{"valid":false}'),
        case("openclaw", "2026.9.5", "2026.9.6-1", "{ It ended.\n", "Why?"),
    ]

    results = play("validate", cases, "__gateway_rejecting if __gateway_is_downgrade else none")

    rejects = (
        "OpenClaw {} rejects the state of {}, which the gateway runs: {} The gateway was not changed. Set another {}"
    )
    assert [result["shown"] for result in results] == [
        *[None] * 5,
        rejects.format(
            "2026.9.6", "2026.9.10", "It uses newer schema version 18; this supports 17.", "gateway_version."
        ),
        rejects.format("2026.9.5", "2026.9.6", '{"valid":false}', "gateway_version."),
        rejects.format("2026.9.5", "2026.9.6-1", "{ It ended. Why?", "gateway_version."),
    ]


def test_a_plugin_is_installed_alone_or_the_reason_is_given(play: Play, tmp_path: Path) -> None:
    plugins = {"kimi": "@openclaw/kimi-provider@2026.9.6", "irc": "@openclaw/irc@2026.9.5"}
    case = {"gateway_product": "openclaw", "gateway_plugins": plugins}
    failed = {"item": "@openclaw/irc@2026.9.5", "rc": 1, "stderr": "[openclaw] Reason:\nIt is too new."}
    cases = [
        {**case, "__gateway_plugin_installs": {"results": results}}
        for results in ([{"skipped": True}, {"rc": 0}], [], [{"rc": 0}, failed])
    ]

    # Ansible evaluates the message of an assertion that holds, too.
    shown = "[__gateway_failed_plugins | length, __gateway_plugin_failure, __gateway_plugin_config]"
    (none, _text, config), (no_plugin, _text, _config), (one, text, _config) = (
        result["shown"] for result in play("validate", cases, shown)
    )

    assert (none, no_plugin, one) == (0, 0, 1)
    assert text == (
        "OpenClaw 2026.9.6 cannot install @openclaw/irc@2026.9.5 of gateway_plugins: [openclaw] Reason: It is too new."
    )
    assert config == {"gateway": {"mode": "local"}, "plugins": {"entries": {"moonshot": {"enabled": False}}}}
    program = tmp_path / "openclaw"
    program.write_text('printf "%s\\n" "$@" "$OPENCLAW_CONFIG_READONLY"\ncat "$OPENCLAW_CONFIG_PATH"\n')

    printed = script("install_plugin.sh", "@openclaw/irc@2026.9.5", json.dumps(config), "/bin/sh", str(program))

    *given, seen = printed.splitlines()
    assert given == [
        "plugins",
        "install",
        "npm:@openclaw/irc@2026.9.5",
        "--pin",
        "--force",
        "--accept-capabilities",
        "0",
    ]
    assert json.loads(seen) == config


#: The product, whether another version is due, whether the gateway is restarted, and missing plugins -> whether the
#: state is saved.
SAVES: dict[tuple[str, bool, bool, tuple[str, ...]], bool] = {
    ("openclaw", True, True, ()): True,
    ("openclaw", True, False, ()): False,
    ("openclaw", False, True, ()): False,
    ("openclaw", False, True, ("moonshot",)): True,
    ("clawdbot", True, True, ()): False,
}


def test_the_state_is_saved_only_for_what_may_convert_it(play: Play) -> None:
    cases = [
        {
            "gateway_product": product,
            "__gateway_is_version_due": version,
            "__gateway_restart_due": restart,
            "__gateway_missing_plugins": list(plugins),
        }
        for product, version, restart, plugins in SAVES
    ]
    found = play("validate", cases, "__gateway_is_save_due | bool")
    assert [result["shown"] for result in found] == list(SAVES.values())


#: What the playbook upgrade has verified, where it is not the gateway to change -> the error.
OTHER_GATEWAYS: dict[str, tuple[dict[str, Any], str]] = {
    "user": ({"account": {"name": "kim"}}, "gateway_user is clawdbot, but the gateway that was verified has kim."),
    "product": (
        {"product": "openclaw"},
        "gateway_product is clawdbot, but the gateway that was verified has openclaw.",
    ),
    "state_dir": (
        {"state_dir": "/srv/a"},
        "gateway_state_dir is /home/clawdbot/.clawdbot, but the gateway that was verified has /srv/a.",
    ),
    "service_name": (
        {"service_name": "other"},
        "gateway_service_name is clawdbot-gateway, but the gateway that was verified has other.",
    ),
}


def test_another_gateway_than_the_one_that_was_verified_is_not_changed(play: Play) -> None:
    entry = ["x", "1001", "1001", "", "/home/clawdbot", "/bin/sh"]
    account = {"__gateway_getent": {"ansible_facts": {"getent_passwd": {"clawdbot": entry}}}}
    same = {
        "account": {"name": "clawdbot"},
        "product": "clawdbot",
        "state_dir": "/home/clawdbot/.clawdbot",
        "service_name": "clawdbot-gateway",
    }
    cases = [same, *({**same, **differs} for differs, _error in OTHER_GATEWAYS.values())]
    found = play(
        "same_gateway",
        [{**account, "__gateway_verified": case} for case in cases],
        "(ansible_failed_result.results | default([]) | selectattr('failed', 'defined') | selectattr('failed')"
        " | map(attribute='msg') | list) if failed | default(none) else []",
    )
    assert [result["shown"] for result in found] == [
        [],
        *(
            [f"{error} Give gateway_{name} and providers_{name} the same value."]
            for name, (_differs, error) in OTHER_GATEWAYS.items()
        ),
    ]
