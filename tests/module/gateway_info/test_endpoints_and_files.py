# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import ModelUse
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import health
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.modules import gateway_check, gateway_info, provider_config

from tests.module.verify_models.raw_server import RawServer, listing
from tools.mock_server import MockServer

KEY = f"sk-{0:032x}"
REFERENCE = "${MOONSHOT_API_KEY}"


@pytest.fixture
def mock_server() -> Iterator[MockServer]:
    with MockServer() as endpoints:
        endpoints.add_key("moonshot-cn", KEY)
        yield endpoints


class Gateway:
    """The two files of a gateway that does not run, and their desired content."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.config, self.env = directory / "clawdbot.json", directory / ".env"
        self._capsys = capsys
        self.config.write_text('{gateway: {mode: "local"}}\n')
        self.files: dict[str, Any] = {
            "env": {"MOONSHOT_API_KEY": KEY},
            "providers": {"moonshot": {"baseUrl": "https://api.example.com/v1", "apiKey": REFERENCE, "models": []}},
        }
        self.gateway = {"state_dir": str(directory), "service_manager": "command"}

    def run(self, module: Any, **arguments: Any) -> dict[str, Any]:
        with patch_module_args(arguments), pytest.raises(SystemExit) as ended:
            module.main()
        printed = self._capsys.readouterr()
        assert KEY not in printed.out + printed.err
        result: dict[str, Any] = json.loads(printed.out)
        assert (ended.value.code == 1) == result.get("failed", False)
        return result

    def info(self, **arguments: Any) -> dict[str, Any]:
        return self.run(gateway_info, **self.gateway, **arguments)

    def write(self, **arguments: Any) -> None:
        assert self.run(
            provider_config, config_path=str(self.config), env_path=str(self.env), **{**self.files, **arguments}
        )["changed"]

    def confirm(self) -> None:
        self.run(provider_config, config_path=str(self.config), env_path=str(self.env), state="confirmed")


@pytest.fixture
def gateway(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Gateway:
    return Gateway(tmp_path, capsys)


def questions(mock_server: MockServer, **more: Any) -> dict[str, Any]:
    provider = {
        "name": "moonshot",
        "base_url": mock_server.base_url("moonshot-cn"),
        "api_key": KEY,
        "models": ["kimi-k3"],
    }
    return {"providers": [{**provider, **more}]}


def test_a_rejected_key_does_not_fail_the_module(gateway: Gateway, mock_server: MockServer) -> None:
    seen = gateway.info(endpoints=questions(mock_server))

    assert seen["endpoints"]["ok"] is True
    (provider,) = seen["endpoints"]["providers"]
    assert (provider["status"], provider["key"]) == ("ok", fingerprint(KEY))

    mock_server.revoke_key("moonshot-cn", KEY)
    rejected = gateway.info(endpoints=questions(mock_server))

    assert rejected["endpoints"]["ok"] is False
    assert rejected["endpoints"]["msg"].startswith("1 of 1 providers failed the check.\n")
    assert (rejected["changed"], "failed" in rejected) == (False, False)


def compared(*, config: bool = False, env: bool = False, unfinished: bool = False, error: str = "") -> dict[str, Any]:
    return {
        "up_to_date": not (config or env or unfinished or error),
        "config_changed": config,
        "env_changed": env,
        "keys_changed": False,
        "unfinished": unfinished,
        "error": error,
    }


def test_files_are_compared_and_left_as_they_are(gateway: Gateway) -> None:
    before = gateway.config.read_bytes()

    assert gateway.info(files=gateway.files)["files"] == compared(config=True, env=True)
    assert (gateway.config.read_bytes(), gateway.env.exists()) == (before, False)

    gateway.write()
    # The rollback journal is still there.
    assert gateway.info(files=gateway.files)["files"] == compared(unfinished=True)
    gateway.confirm()
    assert gateway.info(files=gateway.files)["files"] == compared()
    more = {**gateway.files, "aliases": {"k": "moonshot/kimi"}}
    assert gateway.info(files=more)["files"] == compared(config=True)


BROKEN = "{config} cannot be read: expected a member name or '}}', found the end of the document at line 1, column 2."
CHANGES: dict[str, tuple[Any, dict[str, Any]]] = {
    "a mode": (lambda gateway: gateway.env.chmod(0o644), compared(env=True)),
    "a key": (lambda gateway: gateway.env.write_text("MOONSHOT_API_KEY=other\n"), compared(env=True)),
    "a broken config": (lambda gateway: gateway.config.write_text("{"), compared(error=BROKEN)),
    "a temporary file of an interrupted run": (
        lambda gateway: (gateway.config.parent / ".clawdbot.json.0123456789abcdef.clawfleet-new").touch(),
        compared(unfinished=True),
    ),
}


@pytest.mark.parametrize(("change", "expected"), CHANGES.values(), ids=CHANGES)
def test_files_that_are_not_up_to_date(gateway: Gateway, change: Any, expected: dict[str, Any]) -> None:
    gateway.write()
    gateway.confirm()

    change(gateway)

    seen = gateway.info(files=gateway.files)["files"]
    error = expected["error"].format(config=gateway.config)
    assert seen["error"][: len(error)] == error
    assert {**seen, "error": bool(seen["error"])} == {**expected, "error": bool(error)}


def test_a_host_with_nothing_to_do_is_not_converged_while_the_gateway_does_not_run(gateway: Gateway) -> None:
    gateway.write()
    gateway.confirm()

    assert gateway.info(files=gateway.files)["plan"] == {
        "converged": False,
        "blockers": gateway.info()["plan"]["blockers"],
        "endpoint_errors": "",
        "new_variables": [],
        "left_out": {},
        "notes": [],
        "rotation": {"old_keys": [], "has_copies": False, "blockers": gateway.info()["plan"]["blockers"]},
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"files": {"state": "absent"}}, r"files: state. Supported parameters include: aliases, "),
        ({"endpoints": {"probe": "listing"}}, "endpoints: missing required arguments: providers"),
        ({"endpoints": {"providers": "moonshot"}}, "endpoints: "),
    ],
    ids=["another option", "no providers", "providers that are none"],
)
def test_bad_options_below_are_named(gateway: Gateway, arguments: dict[str, Any], message: str) -> None:
    assert gateway.info(**arguments)["msg"].startswith(message)


def test_files_that_cannot_be_asked_for_are_not_up_to_date(gateway: Gateway) -> None:
    gateway.files["env"]["lower"] = KEY

    seen = gateway.info(files=gateway.files)["files"]

    assert seen["error"].startswith(
        "env: 'lower' cannot be the name of an environment variable that the config refers to"
    )
    assert seen["up_to_date"] is False


# What the inventory sets besides the block of moonshot, and the places that still choose a model without a provider.
CHOICES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": ({}, ["agents.defaults.model", "agents.defaults.model.fallbacks"]),
    "another default": ({"default_model": "moonshot/a"}, ["agents.defaults.model.fallbacks"]),
    "all": ({"default_model": "moonshot/a", "fallback_models": []}, []),
    "the provider": ({"providers": {"nosuch": {"baseUrl": "https://api.example.com/v1", "models": []}}}, []),
}


@pytest.mark.parametrize(("more", "expected"), CHOICES.values(), ids=CHOICES)
def test_a_default_that_no_provider_serves_is_a_blocker_unless_it_is_replaced(
    more: dict[str, Any], expected: list[str], gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    uses = [ModelUse(place, "nosuch/x") for place in CHOICES["nothing"][1]]
    monkeypatch.setattr(health, "unserved_choices", lambda *_arguments: uses)
    seen = gateway.info(files={**gateway.files, **more})
    assert [use["place"] for use in seen["unserved_choices"]] == expected
    texts = [
        f"{place} is nosuch/x, and the gateway has no provider nosuch: what uses it fails. Choose another model there, "
        "or add the provider."
        for place in expected
    ]
    assert [text for text in seen["plan"]["blockers"] if "nosuch" in text] == texts


@pytest.fixture
def of_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give the gateway a unit with that Environment=, as systemctl shows it. No process of it runs."""

    def show(environment: str) -> None:
        systemctl = tmp_path / "bin" / "systemctl"
        systemctl.parent.mkdir()
        systemctl.write_text(f"#!/bin/sh\necho LoadState=loaded\necho 'Environment={environment}'\n")
        systemctl.chmod(0o755)
        monkeypatch.setenv("PATH", f"{systemctl.parent}:/usr/bin:/bin")

    return show


# The product, and whether its unit's proxy is asked, and not that of the module's own environment.
@pytest.mark.parametrize(("product", "is_asked"), [("openclaw", True), ("clawdbot", False)])
def test_endpoints_are_asked_through_the_proxies_of_the_gateway(
    product: str,
    is_asked: bool,
    gateway: Gateway,
    mock_server: MockServer,
    of_unit: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What is set here is restored afterwards, whatever the module does.
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.setenv(name, "")
    with RawServer(listing("kimi-k3")) as proxy, RawServer(listing("kimi-k3")) as other:
        monkeypatch.setenv("HTTP_PROXY", f"http://{other.netloc}")
        of_unit(f"HTTP_PROXY=http://{proxy.netloc}")
        state_dir = gateway.gateway["state_dir"]
        seen = gateway.run(gateway_info, product=product, state_dir=state_dir, endpoints=questions(mock_server))
    asked = [received.target for received in proxy.received]
    assert seen["endpoints"]["ok"]
    assert asked == ([f"{mock_server.base_url('moonshot-cn')}/models"] if is_asked else [])
    assert other.received == []
    assert len(mock_server.requests()) == (0 if is_asked else 1)


def test_members_of_a_block_that_only_the_host_has_are_kept_and_named(gateway: Gateway) -> None:
    gateway.config.write_text(
        '{gateway: {mode: "local"}, models: {mode: "merge", providers: {moonshot: {timeoutSeconds: 9, headers: {}}}}}'
    )
    note = (
        "The block of moonshot keeps timeoutSeconds, headers, which the inventory does not set. To remove one, set it "
        "to null in providers_overrides.moonshot.block."
    )
    gateway.files["optional_models"] = {}
    assert note in gateway.info(files=gateway.files)["plan"]["notes"]

    del gateway.files["optional_models"]
    gateway.write()
    gateway.confirm()

    assert "timeoutSeconds: 9" in gateway.config.read_text()
    seen = gateway.info(files=gateway.files)
    assert (seen["files"]["up_to_date"], seen["plan"]["notes"]) == (True, [note])


def test_it_runs_in_the_home_of_its_account(gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As su and `sudo -E` leave it.
    monkeypatch.setenv("HOME", str(tmp_path / "foreign"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/4711")
    home = pwd.getpwuid(os.geteuid()).pw_dir

    seen = gateway.run(gateway_info, product="clawdbot", service_manager="command", state_dir="~/no-gateway")

    assert seen["state_dir"] == f"{home}/no-gateway"
    assert seen["account"]["home"] == home
    assert os.environ["XDG_RUNTIME_DIR"] == f"/run/user/{os.geteuid()}"


def test_another_account_than_that_of_the_gateway_is_rejected(gateway: Gateway) -> None:
    other = next(entry.pw_name for entry in pwd.getpwall() if entry.pw_uid != os.geteuid())
    seen = gateway.info(account=other)
    assert seen["msg"].startswith(f"Ansible acts as {pwd.getpwuid(os.geteuid()).pw_name} on this host, and ")


def test_a_config_that_the_product_has_replaced_is_named(gateway: Gateway) -> None:
    written = gateway.run(provider_config, config_path=str(gateway.config), env_path=str(gateway.env), **gateway.files)
    assert gateway.info(written_config=written["config_digest"])["config_put_back"] == ""

    copy = gateway.config.with_name("clawdbot.json.clobbered.2026-11-28T15-20-58-245Z")
    gateway.config.rename(copy)
    for path in (gateway.config, gateway.config.with_name("clawdbot.json.bak")):
        path.write_text('{gateway: {mode: "local"}}\n')

    seen = gateway.info(written_config=written["config_digest"])
    assert f"What was written is in {copy}." in seen["config_put_back"]
    checked = gateway.run(gateway_check, **gateway.gateway, written_config=written["config_digest"])
    assert seen["config_put_back"] in checked["msg"]


IN_FILE = {"source": "file", "provider": "clawfleet", "id": "/MOONSHOT_API_KEY"}


def keys_in_file(gateway: Gateway) -> dict[str, Any]:
    """Have the key in a file, and return the arguments for that."""
    block = {**gateway.files["providers"]["moonshot"], "apiKey": IN_FILE}
    gateway.files = {"env": {}, "keys": {"MOONSHOT_API_KEY": KEY}, "providers": {"moonshot": block}}
    return {"files": gateway.files, "providers": {"moonshot": "MOONSHOT_API_KEY"}, "secret_backend": "file"}


def test_keys_in_a_file(gateway: Gateway, tmp_path: Path) -> None:
    arguments = {"product": "openclaw", "config_path": str(gateway.config), **keys_in_file(gateway)}
    gateway.env.write_text("MOONSHOT_API_KEY=old\n")
    before = gateway.info(**arguments)
    assert before["files"] == {**compared(config=True, env=True), "keys_changed": True}
    # A run removes it from there.
    assert before["variables"]["MOONSHOT_API_KEY"]["overriding_env"] == []

    gateway.write()
    gateway.confirm()
    seen = gateway.info(fingerprints={"MOONSHOT_API_KEY": fingerprint(KEY)}, **arguments)

    path = str(tmp_path / "clawfleet-keys.json")
    assert (seen["files"], seen["key_file"]) == (compared(), path)
    assert seen["variables"]["MOONSHOT_API_KEY"]["sources"] == [{"place": path, "fingerprint": fingerprint(KEY)}]
    assert seen["plan"]["new_variables"] == []
    # What else sets the variable takes precedence, as it would over `.env`.
    gateway.config.write_text(gateway.config.read_text().replace("{", '{env: {vars: {MOONSHOT_API_KEY: "other"}}, ', 1))
    (blocker,) = gateway.info(fingerprints={"MOONSHOT_API_KEY": fingerprint(KEY)}, **arguments)["plan"]["blockers"][-1:]
    assert blocker == (
        f"MOONSHOT_API_KEY is also set in env block of {gateway.config}, to another value ({fingerprint('other')}), "
        f"which takes precedence over {path}. Remove it there."
    )


def test_clawdbot_cannot_read_keys_from_a_file(gateway: Gateway) -> None:
    seen = gateway.info(product="clawdbot", **keys_in_file(gateway))
    assert seen["files"] == compared(
        error="providers_secret_backend is file, but Clawdbot takes only strings as `apiKey`, and reads keys only at "
        "its start. Set it to env."
    )
    assert seen["files"]["error"] in seen["plan"]["blockers"]
