# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules with keys in their parameters leave in the host's log, and in a failure of Ansible's own."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args
from ansible_collections.clawfleet.clawdbot.plugins.modules import gateway_info, provider_config, verify_models

KEY = f"sk-{0:032x}"
# None of these looks like a key, and Python, JSON and URLs write each otherwise.
HEADER = 'it\'s "not" \\ for/you'
ENDPOINT = {"name": "moonshot", "base_url": "http://127.0.0.1:9/v1", "api_key": KEY, "headers": {"X-Api-Key": HEADER}}
BLOCK = {"baseUrl": "https://api.example.com/v1", "headers": {"X-Api-Key": HEADER}, "models": []}
ENV = {"MOONSHOT_API_KEY": KEY}


def cases(directory: Path) -> dict[str, tuple[ModuleType, dict[str, Any]]]:
    files = {"env": ENV, "providers": {"moonshot": BLOCK}}
    asks = {"providers": [ENDPOINT], "timeout": 1, "retries": 0}
    paths = {"config_path": str(directory / "clawdbot.json"), "env_path": str(directory / ".env")}
    gateway = {"state_dir": str(directory), "service_manager": "command"}
    return {
        "verify_models": (verify_models, asks),
        "provider_config": (provider_config, {**paths, **files}),
        "gateway_info": (gateway_info, {**gateway, "files": files, "endpoints": asks}),
    }


@pytest.mark.parametrize("name", ["verify_models", "provider_config", "gateway_info"])
@pytest.mark.parametrize("more", [{}, {"unknown": True}], ids=["right", "with an option that there is not"])
def test_no_secret_is_logged_or_shown(
    name: str,
    more: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    module, arguments = cases(tmp_path)[name]
    logged: list[str] = []
    monkeypatch.setattr(AnsibleModule, "log", lambda _self, text, log_args=None: logged.append(f"{text} {log_args}"))

    # As Ansible runs a module: whether it logs is the task's to say.
    with patch_module_args({**arguments, **more, "_ansible_no_log": False}), pytest.raises(SystemExit):
        module.main()

    result = json.loads(capsys.readouterr().out)
    texts = [*logged, json.dumps(result), str(result)]
    spelled = [KEY, HEADER, json.dumps(HEADER)[1:-1], repr(HEADER)[1:-1], HEADER.replace("\\", "\\\\")]
    assert not [secret for secret in spelled for text in texts if secret in text]
    assert bool(logged) != bool(more)
    # Nothing else is hidden.
    assert "moonshot" in str([*logged, result])


@pytest.mark.parametrize(
    "given",
    [
        KEY,
        [KEY],
        {"providers": KEY, "env": KEY},
        {"providers": [KEY], "env": [KEY]},
        {"providers": {"moonshot": {"api_key": KEY}}, "env": {"a": [KEY]}},
    ],
)
def test_no_secret_is_logged_or_shown_where_other_shapes_belong(
    given: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(AnsibleModule, "log", lambda _self, text, log_args=None: logged.append(f"{text} {log_args}"))
    arguments = {"state_dir": str(tmp_path), "service_manager": "command", "files": given, "endpoints": given}

    with patch_module_args({**arguments, "_ansible_no_log": False}), pytest.raises(SystemExit):
        gateway_info.main()

    assert KEY not in capsys.readouterr().out + str(logged)
