# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import program as programs
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.program import (
    Package,
    find_package,
    find_program,
    replaceable_files,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.systemd import Unit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

CLAWDBOT = PRODUCTS["clawdbot"]


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host without executables other than those of the test."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(programs, "_USUAL_DIRECTORIES", ("~/.local/bin",))
    return tmp_path


def test_the_unit_takes_precedence(bare_host: Path) -> None:
    executable(bare_host / "bin" / "clawdbot")
    assert find_program(CLAWDBOT, Unit("u", program=("/n", "/e.js")), None) == ("/n", "/e.js")


def test_the_program_on_the_path_with_its_node(bare_host: Path) -> None:
    entry = executable(bare_host / "lib" / "entry.js")
    node = executable(bare_host / "bin" / "node")
    (bare_host / "bin" / "clawdbot").symlink_to(entry)
    assert find_program(CLAWDBOT, Unit("u"), None) == (str(node), str(entry))


def test_the_program_without_node(bare_host: Path) -> None:
    program = executable(bare_host / "home" / ".local" / "bin" / "clawdbot")
    assert find_program(CLAWDBOT, None, None) == (str(program),)


def test_the_program_on_the_path_of_the_process_with_its_node(bare_host: Path) -> None:
    executable(bare_host / "bin" / "clawdbot")
    executable(bare_host / "bin" / "node")
    program = executable(bare_host / "other" / "clawdbot")
    process = Process(1, 1.0, {"PATH": str(bare_host / "other")}, None, "/opt/node/bin/node")
    assert find_program(CLAWDBOT, None, process) == ("/opt/node/bin/node", str(program))


@pytest.mark.parametrize("process", [None, Process(1, 1.0), Process(1, 1.0, {}), Process(1, 1.0, {"PATH": ":"})])
def test_no_cli_is_found_in_the_current_directory(
    process: Process | None, bare_host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(bare_host / "clawdbot")
    monkeypatch.chdir(bare_host)
    monkeypatch.setenv("PATH", "")
    assert find_program(CLAWDBOT, None, process) == ()


PACKAGES: dict[str, tuple[str, str | None]] = {
    "the product's": ('{"name": "clawdbot", "version": "2026.1.24-3"}', "2026.1.24-3"),
    "another": ('{"name": "other", "version": "1"}', None),
    "without a version": ('{"name": "clawdbot"}', None),
    "no object": ("[]", None),
    "no JSON": ("{", None),
}


@pytest.mark.parametrize("name", PACKAGES)
def test_package(name: str, tmp_path: Path) -> None:
    described, expected = PACKAGES[name]
    entry = executable(tmp_path / "clawdbot" / "dist" / "entry.js")
    (tmp_path / "clawdbot" / "package.json").write_text(described)
    found = find_package(CLAWDBOT, ["/usr/bin/node", str(entry)])
    assert found == (expected and Package(expected, str(tmp_path / "clawdbot" / "package.json")))


def test_no_program_no_version() -> None:
    assert find_package(CLAWDBOT, []) is None
    assert replaceable_files([], None) == []


def test_files_that_are_replaced_with_a_cli(tmp_path: Path) -> None:
    executable(tmp_path / "2" / "dist" / "entry.js")
    (tmp_path / "current").symlink_to("2")
    (tmp_path / "2" / "run.js").symlink_to("dist/entry.js")
    program = ["/usr/bin/node", str(tmp_path / "current" / "run.js")]
    assert replaceable_files(program, Package("2", "/p.json")) == [
        str(tmp_path / "current" / "run.js"),
        str(tmp_path / "current"),
        "/p.json",
    ]
