# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of the role gateway, each run by Ansible on this machine, in a folder of the test."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.cache import CACHE

COLLECTIONS = CACHE / "collections"

Play = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Runs a file of the role's tasks, once for each set of variables; gives what it failed with, and a variable."""

    def run(
        tasks_from: str, cases: list[Mapping[str, Any]], shown: str = "none", path: str = ""
    ) -> list[dict[str, Any]]:
        tasks: list[dict[str, Any]] = []
        for number, variables in enumerate(cases):
            kept = {
                "ansible.builtin.copy": {
                    "content": f"{{{{ {{'failed': failed | default(none), 'shown': {shown}}} | to_json }}}}",
                    "dest": f"{tmp_path}/{number}.json",
                    "mode": "0600",
                }
            }
            role = {"name": "clawfleet.clawdbot.gateway", "tasks_from": tasks_from, "public": True}
            tasks.append(
                {
                    "block": [{"ansible.builtin.include_role": role}],
                    "rescue": [{"ansible.builtin.set_fact": {"failed": "{{ ansible_failed_result.msg }}"}}],
                    "always": [kept],
                    "vars": dict(variables),
                }
            )
            tasks.append({"ansible.builtin.set_fact": {"failed": None}})
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
                "PATH": f"{path}{os.pathsep}{os.environ['PATH']}",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads((tmp_path / f"{number}.json").read_text()) for number in range(len(cases))]

    return run


CHECKSUM = "sha256:" + "0" * 64
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a tag for a version": (
        {"gateway_version": "latest"},
        "gateway_version is latest: name one exact version, as 2026.1.24-3.",
    ),
    "a range for a version": (
        {"gateway_version": "^2026.1.0"},
        "gateway_version is ^2026.1.0: name one exact version, as 2026.1.24-3.",
    ),
    "root": ({"gateway_user": "root"}, "gateway_user is root: name an account that is not root."),
    "a unit with its suffix": (
        {"gateway_service_name": "a.service"},
        "gateway_service_name is a.service: letters, digits and :_.@- only, without .service.",
    ),
    "a port that is none": ({"gateway_port": 65536}, "gateway_port is 65536: it has to be from 1 to 65535."),
    "an archive without a checksum": (
        {"gateway_node_archive_url": "https://example.com/node.tar.gz"},
        "gateway_node_archive_url and gateway_node_archive_checksum go together: one of them is empty.",
    ),
    "a checksum of another kind": (
        {"gateway_node_archive_url": "https://example.com/node.tar.gz", "gateway_node_archive_checksum": "md5:0"},
        "gateway_node_archive_checksum has to be sha256: and 64 digits.",
    ),
    "a folder with a space": (
        {"gateway_state_dir": "/srv/my gateway"},
        "gateway_state_dir has to be an absolute path of letters, digits and ._/@+- only.",
    ),
    "a folder that is relative": (
        {"gateway_install_dir": "opt"},
        "gateway_install_dir has to be an absolute path of letters, digits and ._/@+- only.",
    ),
    "a token with a line feed": (
        {"gateway_token": "not-to-be-shown\n"},
        "gateway_token has white space or a character that is no ASCII in it.",
    ),
    "two at a time": (
        {"gateway_version": "2026", "gateway_user": "A", "gateway_port": 0},
        "gateway_user is A: name an account that is not root. gateway_port is 0: it has to be from 1 to 65535.",
    ),
}


def test_bad_variables_are_refused_by_name(play: Play) -> None:
    good = {"gateway_node_archive_url": "https://example.com/n.tar.gz", "gateway_node_archive_checksum": CHECKSUM}
    results = play("preflight", [good, *(variables for variables, _message in REFUSED.values())])
    assert [result["failed"] for result in results] == [None, *(message for _variables, message in REFUSED.values())]


def node(folder: Path, version: str) -> str:
    """A program that calls itself a Node of that version."""
    folder.mkdir(parents=True)
    program = folder / "node"
    program.write_text(f"#!/bin/sh\necho v{version}\n")
    program.chmod(0o755)
    return str(program)


def test_the_first_node_that_is_new_enough_is_taken(play: Play, tmp_path: Path) -> None:
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
    refusal = (
        "There is no Node 22.12.0 or later at gateway_node_path {}, only {}. Set gateway_node_path to one that is "
        "there, or gateway_node_archive_url and gateway_node_archive_checksum to one that can be got from the host, or "
        "install Node or npm."
    )
    assert [result["failed"] for result in results] == [
        None,
        refusal.format(old, "22.11.0"),
        refusal.format(f"{tmp_path}/none", "none"),
        None,
    ]
    assert (results[0]["shown"], results[3]["shown"]) == (new, new)


def test_npm_brings_a_node(play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real one, from npm's registry, as on a host that has npm and a Node that is too old."""
    monkeypatch.setenv("npm_config_cache", str(CACHE / "npm"))
    folder = tmp_path / "node-npm-22.new"
    folder.mkdir()

    (result,) = play("node_npm", [{"__gateway_new": str(folder)}], path=os.path.dirname(sys.executable))

    assert result["failed"] is None
    version = subprocess.run([folder / "bin" / "node", "--version"], capture_output=True, text=True, check=True).stdout
    assert re.fullmatch(r"v22\.(\d+)\.\d+\n", version)


def test_versions_go_when_no_gateway_runs_on_them(play: Play, tmp_path: Path) -> None:
    versions = tmp_path / "versions"
    for name, marks in {"1": ["a.unit"], "2": ["a.unit", "b.unit"], "3": [], "node-1": ["a.unit"]}.items():
        (versions / name / "gateways").mkdir(parents=True)
        for file in ("installed", *(f"gateways/{mark}" for mark in marks)):
            (versions / name / file).touch()
    # Nobody's, and half made.
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
