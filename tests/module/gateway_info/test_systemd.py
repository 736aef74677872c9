# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import systemd
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.systemd import show_unit


def systemctl(directory: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = directory / "systemctl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:/usr/bin:/bin")


def test_unit_and_service_manager_are_read_in_their_scope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    systemctl(
        tmp_path,
        monkeypatch,
        f"""if [ "$3" = clawdbot-gateway ]; then
          echo "$@ $LC_ALL $XDG_RUNTIME_DIR" > {tmp_path}/unit
          echo LoadState=loaded
          echo Environment=A=1
        else
          echo "$@" > {tmp_path}/manager
          echo Environment=B=2
        fi""",
    )
    found = show_unit("clawdbot-gateway", "user")
    assert found is not None
    assert (found.environment, found.manager_environment) == ({"A": "1"}, {"B": "2"})
    assert (tmp_path / "unit").read_text() == (
        "--user show clawdbot-gateway --property=LoadState,ActiveState,SubState,Result,MainPID,NRestarts,ExecStart,"
        "FragmentPath,DropInPaths,UnitFileState,NeedDaemonReload,WorkingDirectory,User,PAMName,Environment,"
        f"EnvironmentFiles,PassEnvironment,UnsetEnvironment C /run/user/{os.geteuid()}\n"
    )
    assert (tmp_path / "manager").read_text() == "--user show --property=Environment\n"


def test_no_unit_without_systemd_or_when_it_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert show_unit("u", "user") is None
    monkeypatch.setattr(systemd, "_COMMAND_SECONDS", 0.1)
    systemctl(tmp_path, monkeypatch, "exec sleep 5")
    assert show_unit("u", "user") is None
