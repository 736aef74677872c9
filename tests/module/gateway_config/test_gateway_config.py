# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module gateway_config as a whole, on real files."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.modules import gateway_config, provider_config

VARIABLE = "CLAWDBOT_GATEWAY_TOKEN"
OLD_TOKEN = "old-0123456789abcdef"
NEW_TOKEN = "new-0123456789abcdef"
RECORD = ".clawdbot.json.clawfleet-journal"

OLD_CONFIG = """// written by hand
{
  gateway: { port: 20000, tls: { enabled: false } }, // moved
  agents: { defaults: { workspace: '/srv/work' } },
}
"""
NEW_CONFIG = """// written by hand
{
  gateway: { port: 18789, tls: { enabled: false }, mode: 'local', bind: 'loopback', auth: { mode: 'token' } }, // moved
  agents: { defaults: { workspace: '/srv/work' } },
}
"""
OLD_ENV = "# mine\nTELEGRAM_BOT_TOKEN=somebody-elses\n"


@dataclass(frozen=True)
class Ran:
    """Exit code, result and everything printed by one run of the module."""

    code: int
    result: Mapping[str, Any]
    printed: str

    @property
    def changes(self) -> tuple[bool, bool, bool, bool]:
        assert self.code == 0, self.result
        return (*(self.result[f"{what}changed"] for what in ("", "config_", "env_")), self.result["unconfirmed"])


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory that is not there yet."""
    return tmp_path / "home" / ".clawdbot"


@pytest.fixture
def there(state: Path) -> Path:
    """One with both files in it."""
    state.mkdir(parents=True, mode=0o700)
    (state / "clawdbot.json").write_text(OLD_CONFIG)
    (state / ".env").write_text(OLD_ENV)
    (state / ".env").chmod(0o600)
    return state


Run = Callable[..., Ran]


@pytest.fixture
def run(state: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run_module(check_mode: bool = False, **more: object) -> Ran:
        capsys.readouterr()
        arguments = {"product": "clawdbot", "state_dir": str(state), "port": 18789, **more}
        with (
            patch_module_args({**arguments, "_ansible_check_mode": check_mode, "_ansible_diff": True}),
            pytest.raises(SystemExit) as leaving,
        ):
            gateway_config.main()
        printed = capsys.readouterr()
        return Ran(int(leaving.value.code or 0), json.loads(printed.out), printed.out + printed.err)

    return run_module


def files(state: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(state.iterdir())} if state.is_dir() else {}


def token(state: Path) -> str:
    return dotenv.loads((state / ".env").read_text())[VARIABLE]


def program(tmp_path: Path, script: str) -> list[str]:
    """A program of the product that is a shell script."""
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return [str(path)]


def test_a_host_without_a_state_directory_gets_one_that_is_private(state: Path, run: Run) -> None:
    predicted = run(check_mode=True)
    assert files(state) == {}
    assert not state.parent.exists()
    first = run()
    assert first.changes == (True, True, True, True)
    assert first.result == predicted.result
    assert json5_reader.loads((state / "clawdbot.json").read_text()) == {
        "gateway": {"mode": "local", "port": 18789, "bind": "loopback", "auth": {"mode": "token"}}
    }
    assert re.fullmatch("[0-9a-f]{64}", token(state))
    assert state.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in state.iterdir()} == {0o600}
    assert token(state) not in first.printed
    after = files(state)
    assert run().changes == (False, False, False, True)
    assert files(state) == after


def test_keeps_every_other_byte(there: Path, run: Run) -> None:
    predicted = run(check_mode=True, token=NEW_TOKEN)
    assert files(there) == {".env": OLD_ENV, "clawdbot.json": OLD_CONFIG}
    ran = run(token=NEW_TOKEN)
    assert ran.changes == (True, True, True, True)
    assert ran.result == predicted.result
    now = files(there)
    assert (now["clawdbot.json"], now[".env"]) == (NEW_CONFIG, f"{OLD_ENV}{VARIABLE}={NEW_TOKEN}\n")
    assert NEW_TOKEN not in ran.printed


def test_the_difference_shows_a_token_by_its_fingerprint(there: Path, run: Run) -> None:
    (there / "clawdbot.json").write_text(f"{{gateway: {{auth: {{token: '{OLD_TOKEN}'}}}}}}\n")
    ran = run(token=NEW_TOKEN)
    env, config = ran.result["diff"]
    assert (env["before"], env["after"]) == ("", f"{VARIABLE}=<{fingerprint(NEW_TOKEN)}>\n")
    assert json.loads(config["before"]) == {"gateway.auth.token": f"<{fingerprint(OLD_TOKEN)}>"}
    assert json.loads(config["after"]) == {
        "gateway.mode": "local",
        "gateway.port": 18789,
        "gateway.bind": "loopback",
        "gateway.auth.mode": "token",
    }
    assert not [one for one in (OLD_TOKEN, NEW_TOKEN) if one in ran.printed]
    assert OLD_TOKEN not in (there / "clawdbot.json").read_text()


@pytest.mark.usefixtures("there")
def test_a_token_that_is_made_has_no_fingerprint_before_it_is(run: Run) -> None:
    assert run(check_mode=True).result["diff"][0]["after"] == f"{VARIABLE}=<made on the host>\n"


def test_the_way_back_is_that_of_provider_config(there: Path, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run()
    paths = {"config_path": str(there / "clawdbot.json"), "env_path": str(there / ".env")}
    with patch_module_args({**paths, "state": "rolled_back"}), pytest.raises(SystemExit) as leaving:
        provider_config.main()
    assert leaving.value.code == 0
    capsys.readouterr()
    assert files(there) == {".env": OLD_ENV, "clawdbot.json": OLD_CONFIG}


def test_a_config_that_the_cli_rejects_is_not_written(there: Path, tmp_path: Path, run: Run) -> None:
    # It is given the temporary file, and the token, and a state directory that is not the gateway's.
    refusing = program(
        tmp_path,
        f'grep -q "mode: .local" "$CLAWDBOT_CONFIG_PATH" && test -n "${VARIABLE}" || exit 0\n'
        f'test "$CLAWDBOT_STATE_DIR" != "{there}" && echo "- gateway.port: taken" >&2; exit 1',
    )
    ran = run(program=refusing)
    assert ran.code == 1
    assert ran.result["msg"] == ("The config check rejected the new config: gateway.port: taken. Nothing was changed.")
    assert files(there) == {".env": OLD_ENV, "clawdbot.json": OLD_CONFIG}


@pytest.mark.parametrize(("check_unchanged", "code"), [(True, 1), (False, 0)])
def test_a_config_that_stays_can_be_put_to_another_version(
    there: Path, tmp_path: Path, run: Run, check_unchanged: bool, code: int
) -> None:
    run()
    before = files(there)
    ran = run(program=program(tmp_path, "exit 1"), check_unchanged=check_unchanged)
    assert ran.code == code
    assert files(there) == before


REFUSED: dict[str, tuple[dict[str, object], str]] = {
    "port zero": ({"port": 0}, "port is 0: it must be from 1 to 65535."),
    "port too high": ({"port": 65536}, "port is 65536: it must be from 1 to 65535."),
    "empty token": (
        {"token": ""},
        "token is empty, or contains white space or a character that is not ASCII.",
    ),
    "token with a line feed": (
        {"token": f"{NEW_TOKEN}\n"},
        "token is empty, or contains white space or a character that is not ASCII.",
    ),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_rejects_what_no_gateway_can_have(there: Path, run: Run, arguments: dict[str, object], message: str) -> None:
    ran = run(**arguments)
    assert (ran.code, ran.result["msg"]) == (1, message)
    assert files(there) == {".env": OLD_ENV, "clawdbot.json": OLD_CONFIG}
    assert NEW_TOKEN not in ran.printed


def test_names_the_directory_that_cannot_be_made(state: Path, run: Run) -> None:
    state.parent.write_text("a file in its way")
    ran = run()
    assert (ran.code, ran.result["msg"]) == (1, f"Cannot create directory {state}: Not a directory.")


def test_names_the_file_that_cannot_be_read(there: Path, run: Run) -> None:
    (there / "clawdbot.json").write_text("{gateway: ")
    ran = run()
    assert ran.code == 1
    assert ran.result["msg"].startswith(f"{there}/clawdbot.json cannot be read: ")
    assert sorted(files(there)) == [".env", "clawdbot.json"]


def test_openclaw_gets_a_config_that_it_cannot_write(state: Path, run: Run) -> None:
    predicted = run(check_mode=True, product="openclaw", config_readonly=True)
    first = run(product="openclaw", config_readonly=True)
    assert first.result == predicted.result
    assert dotenv.loads((state / ".env").read_text())["OPENCLAW_CONFIG_READONLY"] == "1"
    assert json5_reader.loads((state / "openclaw.json").read_text()) == {
        "gateway": {"mode": "local", "port": 18789, "bind": "loopback", "auth": {"mode": "token"}},
        "plugins": {"entries": {"moonshot": {"enabled": False}, "kimi": {"enabled": False}}},
    }
    # The value of the variable is no secret, so that its digit is shown wherever it occurs.
    assert json.loads(first.result["diff"][1]["after"])["gateway.port"] == 18789

    after = files(state)
    assert run(product="openclaw").changes == (False, False, False, True)
    assert files(state) == after

    assert run(product="openclaw", config_readonly=False).changes == (True, False, True, True)
    assert list(dotenv.loads((state / ".env").read_text())) == ["OPENCLAW_GATEWAY_TOKEN"]


@pytest.mark.parametrize("readonly", [True, False])
def test_clawdbot_has_no_config_that_it_cannot_write(there: Path, run: Run, readonly: bool) -> None:
    ran = run(config_readonly=readonly)
    message = "config_readonly is set, but Clawdbot cannot reject its own writes to the config."
    assert (ran.code, ran.result["msg"]) == (1, message)
    assert files(there) == {".env": OLD_ENV, "clawdbot.json": OLD_CONFIG}


def test_a_broken_file_with_keys_is_named(there: Path, run: Run) -> None:
    path = there / "clawfleet-keys.json"
    path.write_text("{")
    ran = run()
    assert ran.code == 1
    assert ran.result["msg"].startswith(f"{path} cannot be read: ")
    assert ran.result["msg"].endswith(". Repair it, or move it away. Nothing was changed.")
    assert (there / "clawdbot.json").read_text() == OLD_CONFIG
