# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.clawfleet.clawdbot.plugins.filter._select_providers import FilterModule, select_providers
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._selection import select_removed

ROOT = Path(__file__).resolve().parents[4]
KEYS = {"moonshot": "sk-moonshot-0123456789", "kimicode": "sk-kimi-0123456789"}
DEFAULTS = yaml.safe_load((ROOT / "roles/providers/defaults/main.yml").read_text(encoding="utf-8"))


def test_the_filters_have_the_names_of_their_documentation() -> None:
    assert FilterModule().filters() == {
        "_select_providers": select_providers,
        "_select_removed_providers": select_removed,
    }


def test_the_documented_options_are_the_arguments() -> None:
    documented = yaml.safe_load((ROOT / "plugins/filter/_select_providers.yml").read_text(encoding="utf-8"))
    arguments = select_providers.__code__.co_varnames[: select_providers.__code__.co_argcount]
    assert ["_input", *arguments[1:]] == list(documented["DOCUMENTATION"]["options"])


def test_the_defaults_of_the_role_are_valid_with_keys() -> None:
    selection = select_providers(
        DEFAULTS["providers_enabled"],
        DEFAULTS["providers_catalogue"],
        DEFAULTS["providers_overrides"],
        KEYS,
        DEFAULTS["providers_aliases"],
        DEFAULTS["providers_default_model"],
        DEFAULTS["providers_fallback_models"],
        DEFAULTS["providers_product"],
    )
    assert selection["problems"] == []
    assert selection["models"] == [
        "moonshot/kimi-k3",
        "moonshot/kimi-k2.7-code",
        "moonshot/kimi-k2.7-code-highspeed",
        "moonshot/kimi-k2.6",
        "moonshot/kimi-k2.5",
        "moonshot/moonshot-v1-8k",
        "moonshot/moonshot-v1-32k",
        "moonshot/moonshot-v1-128k",
        "kimicode/kimi-for-coding",
        "kimicode/kimi-for-coding-highspeed",
        "kimicode/k3",
        "kimicode/k3-256k",
    ]
    assert selection["warnings"] == []


EXPRESSION = """{{ providers_enabled | clawfleet.clawdbot._select_providers(
  catalogue=providers_catalogue, overrides=providers_overrides, api_keys=providers_api_keys,
  aliases=providers_aliases, default_model=providers_default_model,
  fallback_models=providers_fallback_models, product=providers_product) }}"""


def templated(directory: Path, variables: dict[str, Any]) -> Any:
    """Return the value of the expression of the role, templated by Ansible with variables of an inventory."""
    # A value that Ansible must template first, as a key in a vault.
    values = {**DEFAULTS, **variables, "selection": EXPRESSION, "vaulted": KEYS["moonshot"]}
    (directory / "vars.json").write_text(json.dumps(values))
    (directory / "ansible.cfg").write_text("[defaults]\n")
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "collections"),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        "ANSIBLE_LOAD_CALLBACK_PLUGINS": "0",
    }
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "ansible",
            "adhoc",
            "localhost",
            "-m",
            "ansible.builtin.copy",
            "-c",
            "local",
            "-e",
            f"@{directory}/vars.json",
            "-e",
            f"ansible_python_interpreter={sys.executable}",
            "-a",
            json.dumps(
                {"dest": str(directory / "selection.json"), "content": "{{ selection | to_json }}", "mode": "0600"}
            ),
        ],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((directory / "selection.json").read_text())


@pytest.mark.parametrize(
    ("variables", "problems"),
    [
        ({"providers_api_keys": {**KEYS, "moonshot": "{{ vaulted }}"}}, []),
        (
            {"providers_enabled": ["moonshoot"], "providers_api_keys": KEYS},
            ['providers_enabled: unknown provider "moonshoot". Did you mean "moonshot"?'],
        ),
    ],
    ids=["selection", "problems"],
)
def test_in_a_template(variables: dict[str, Any], problems: list[str], tmp_path: Path) -> None:
    selection = templated(tmp_path, variables)
    assert selection["problems"] == problems
    if not problems:
        assert selection["fingerprints"]["MOONSHOT_API_KEY"] == fingerprint(KEYS["moonshot"])
        assert selection["endpoints"][0]["api_key"] == KEYS["moonshot"]
        assert selection["aliases"] == DEFAULTS["providers_aliases"]
