# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import health
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.program import Cli, Package
from ansible_collections.clawfleet.clawdbot.plugins.modules import gateway_info

from tests.unit.plugins.module_utils._gateway.observations import executable, install, observation


def run(capsys: pytest.CaptureFixture[str], **arguments: Any) -> tuple[object, dict[str, Any]]:
    with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
        gateway_info.main()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return ended.value.code, result


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A unit that starts a gateway with podman, which writes down each call and runs on; and where it does."""
    executables = tmp_path / "bin"
    executables.mkdir()
    calls = tmp_path / "calls"
    program = executables / "podman"
    program.write_text(f'#!/bin/sh\necho "$@" >> {calls}\nread -r _line\n')
    unit = [str(program), *["run", "--name", "openclaw", "--replace", "--rm", "node", "dist/index.js", "gateway"]]
    with (
        subprocess.Popen(["/bin/sh", *unit], stdin=subprocess.PIPE) as process,
        ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler) as server,
    ):
        (executables / "systemctl").write_text(
            f"#!/bin/sh\necho LoadState=loaded\necho ActiveState=active\necho MainPID={process.pid}\n"
            f"echo 'ExecStart={{ path={program} ; argv[]={' '.join(unit)} ; ignore_errors=no ; pid=1 }}'\n"
        )
        for path in executables.iterdir():
            path.chmod(0o755)
        (tmp_path / "openclaw.json").write_text(f"{{gateway: {{port: {server.server_port}}}}}")
        monkeypatch.setenv("PATH", f"{executables}:/usr/bin:/bin")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        while not calls.exists():
            time.sleep(0.01)
        calls.unlink()
        yield calls
        server.shutdown()
        thread.join()
        process.kill()


def test_a_unit_that_runs_podman_is_only_read(podman: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gateway: dict[str, Any] = {"product": "openclaw", "state_dir": str(tmp_path)}

    code, result = run(capsys, **gateway)
    with_models = run(capsys, **gateway, models=["moonshot/kimi-k3"])

    assert not podman.exists()
    assert (code, result["answers"], result["program"], result["check_command"]) == (0, True, [], [])
    reason = (
        f"The gateway is started by {tmp_path}/bin/podman, and not by Node with the entry script of OpenClaw. Nothing "
        "else is executed, so no config can be checked. Run the gateway on the host itself, or change its keys by "
        'hand: see "Supported gateways" in the documentation.'
    )
    assert result["plan"]["blockers"] == [reason]
    assert (with_models[0], with_models[1]["msg"]) == (1, reason)


def test_a_gateway_that_does_not_list_its_models_fails_with_the_rest_of_its_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_arguments: object) -> list[str]:
        raise ClawdbotError("Gateway method models.list failed: no.")

    monkeypatch.setattr(health, "missing_models", fail)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "clawdbot").symlink_to(install(tmp_path / "package"))
    executable(tmp_path / "bin" / "node")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    code, result = run(capsys, state_dir=str(tmp_path), service_manager="command", models=["moonshot/kimi-k2.5"])

    assert (code, result["failed"], result["msg"]) == (1, True, "Gateway method models.list failed: no.")
    assert (result["config_path"], result["env_path"]) == (f"{tmp_path}/clawdbot.json", f"{tmp_path}/.env")
    assert "models_missing" not in result


def test_a_provider_without_the_name_of_a_variable_is_rejected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result = run(capsys, state_dir=str(tmp_path), service_manager="command", providers={"moonshot": "sk-"})

    assert (code, result["msg"]) == (
        1,
        "providers.moonshot is not the name of an environment variable. Give the one that its `apiKey` refers to.",
    )


#: The options, the gateway -> why it does not accept a call, None where it is not called.
REFUSED = "Gateway method health failed: unauthorized"
FILES = {"env": {"KEY": "k"}, "providers": {}}
CALLS: dict[str, tuple[dict[str, Any], dict[str, Any], str | None]] = {
    "a change is planned": ({"files": FILES, "check_call": True}, {}, REFUSED),
    "the files are not compared": ({"check_call": True}, {}, REFUSED),
    "nothing is to be done": ({"files": {"env": {}, "providers": {}}, "check_call": True}, {}, None),
    "it does not answer": ({"files": FILES, "check_call": True}, {"answers": False}, None),
    "it is rejected anyway": ({"files": FILES, "check_call": True}, {"isolated": True}, None),
    "no call is verified": ({"files": FILES}, {}, None),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_that_is_not_accepted_is_a_blocker(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options, changed, error = CALLS[name]
    (tmp_path / "clawdbot.json").write_text("{}")
    seen = observation(cli=Cli(("/bin/node", "/entry.js"), Package("2026.1.24-3", "/package.json")), **changed)
    monkeypatch.setattr(health, "wait_until_healthy", lambda *_arguments: seen)
    called: list[object] = []
    monkeypatch.setattr(health, "call_error", lambda gateway: called.append(gateway) or REFUSED)

    code, result = run(capsys, state_dir=str(tmp_path), service_manager="command", **options)

    assert (code, result.get("call_error"), len(called)) == (0, error, 0 if error is None else 1)
    assert bool([text for text in result["plan"]["blockers"] if REFUSED in text]) is (error is not None)
