# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""A gateway as the tests of its package observe it, and a CLI that needs no process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.env_sources import EnvSources, Source
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.program import Cli
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.state import Observation
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.systemd import Unit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import command
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Listener
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths

Completed = subprocess.CompletedProcess[str]


def paths(directory: Path) -> Paths:
    """The paths of a gateway whose state directory this is."""
    return Paths(str(directory), str(directory / "clawdbot.json"), str(directory / ".env"))


def observation(
    process: Process | None = Process(1, 1000.0),  # noqa: B008 - it is frozen
    unit: Unit | None = None,
    **changed: Any,
) -> Observation:
    """A healthy gateway that systemd does not run, with changes."""
    sources = EnvSources(process, unit, [], [Source("/e", {})], "/e")
    base = {"config": {}, "cli": Cli(), "isolated": False, "answers": True, "restart_reasons": []}
    base.update(process_paths=None, port_taken_by="", listener=Listener("127.0.0.1", 1), listening="known")
    base.update(cli_environment={}, secrets=())
    return Observation(**{"sources": sources, **base, **changed})


def executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    """Make an executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def install(directory: Path, described: str = '{"name": "clawdbot", "version": "2026.1.24-3"}') -> Path:
    """Make a package with an entry script, and return that."""
    entry = executable(directory / "dist" / "entry.js", "#!/usr/bin/env node\n")
    (directory / "package.json").write_text(described)
    return entry


def run_in_process(monkeypatch: pytest.MonkeyPatch, program: Callable[[list[str]], Any]) -> None:
    """Have commands answered by a function of their arguments: it returns what they print, or raises SystemExit."""

    def run(argv: Sequence[str], _directory: str, _environment: Mapping[str, str], _timeout: float) -> Completed:
        try:
            return subprocess.CompletedProcess(argv, 0, json.dumps(program(list(argv[1:]))), "")
        except SystemExit as ended:
            return subprocess.CompletedProcess(argv, 1, "", str(ended.code))

    monkeypatch.setattr(command, "run", run)
