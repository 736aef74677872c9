# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables: what defaults/main.yml sets, what argument_specs.yml and README.md say, what the role uses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.modules import gateway_info, verify_models

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles" / "providers"
# The keys of a task whose members are the names of variables.
_DEFINING_KEYS = ("vars", "ansible.builtin.set_fact")


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


DEFAULTS: dict[str, Any] = _load(ROLE / "defaults" / "main.yml")
SPECS: dict[str, Any] = _load(ROLE / "meta" / "argument_specs.yml")["argument_specs"]
OPTIONS: dict[str, Any] = SPECS["main"]["options"]
# What the role runs.
CODE = sorted(path for part in ("tasks", "handlers", "vars", "templates") for path in (ROLE / part).iterdir())
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))


def _as_json(value: Any) -> str:
    """A text that differs where values of YAML do: true is not 1, and a missing default is null."""
    return json.dumps(value, sort_keys=True)


def _errors(entry_point: str, **variables: Any) -> list[str]:
    """What Ansible says at the role's start, with these variables and otherwise the defaults."""
    validator = ArgumentSpecValidator(SPECS[entry_point]["options"])
    return list(validator.validate({**DEFAULTS, **variables}, validate_role_argument_spec=True).error_messages)


def _defined(node: Any) -> Iterator[str]:
    """The variables that tasks define."""
    if isinstance(node, list):
        for item in node:
            yield from _defined(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in _DEFINING_KEYS:
                yield from value
            elif key == "register" or (key in ("loop_var", "index_var") and isinstance(value, str)):
                yield value
            yield from _defined(value)


def test_entry_points_are_tasks_that_can_be_run_alone() -> None:
    entry_points = ["main", "verify", "report", "preflight", "audit", "purge", "rotate", "remove", "rollback"]
    assert list(SPECS) == entry_points
    assert [name for name in SPECS if not (ROLE / "tasks" / f"{name}.yml").is_file()] == []


@pytest.mark.parametrize("entry_point", SPECS)
def test_each_default_is_documented_and_each_documented_option_has_a_default(entry_point: str) -> None:
    assert list(SPECS[entry_point]["options"]) == list(DEFAULTS)


@pytest.mark.parametrize("entry_point", SPECS)
@pytest.mark.parametrize("name", DEFAULTS)
def test_the_documented_default_is_the_one_that_is_set(name: str, entry_point: str) -> None:
    assert _as_json(SPECS[entry_point]["options"][name].get("default")) == _as_json(DEFAULTS[name])


@pytest.mark.parametrize("entry_point", SPECS)
@pytest.mark.parametrize("name", DEFAULTS)
def test_each_option_says_what_it_means_in_whole_sentences(name: str, entry_point: str) -> None:
    option = SPECS[entry_point]["options"][name]
    assert option["type"]
    assert [text for text in option["description"] if not text.endswith(".")] == []


@pytest.mark.parametrize("entry_point", SPECS)
def test_the_defaults_pass_the_check_at_the_start_of_the_role(entry_point: str) -> None:
    assert _errors(entry_point) == []


REFUSED = {
    "enabled is a dictionary": (
        {"providers_enabled": {"moonshot": True}},
        "argument 'providers_enabled' is of type dict and we were unable to convert to list: "
        "<class 'dict'> cannot be converted to a list",
    ),
    "keys are a text": (
        {"providers_api_keys": "sk-not-to-be-shown"},
        "argument 'providers_api_keys' is of type str and we were unable to convert to dict: "
        "dictionary requested, could not parse JSON or key=value",
    ),
    "keys are a list": (
        {"providers_api_keys": ["sk-not-to-be-shown"]},
        "argument 'providers_api_keys' is of type list and we were unable to convert to dict: "
        "<class 'list'> cannot be converted to a dict",
    ),
    "no such service manager": (
        {"providers_service_manager": "systemd"},
        "value of providers_service_manager must be one of: systemd_user, systemd_system, command, got: systemd",
    ),
    "no such moment to restart": (
        {"providers_restart": "on_change"},
        "value of providers_restart must be one of: if_needed, always, never, got: on_change",
    ),
    "rollback is no truth value": (
        {"providers_rollback": "perhaps"},
        "argument 'providers_rollback' is of type str and we were unable to convert to bool: "
        "The value 'perhaps' is not a valid boolean. ",
    ),
}


@pytest.mark.parametrize("entry_point", SPECS)
@pytest.mark.parametrize(("variables", "expected"), REFUSED.values(), ids=REFUSED)
def test_values_of_a_wrong_kind_are_refused_by_name(variables: dict[str, Any], expected: str, entry_point: str) -> None:
    messages = _errors(entry_point, **variables)
    assert [message.partition(" Valid booleans include")[0] for message in messages] == [expected.rstrip()]
    assert "sk-not-to-be-shown" not in "".join(messages)


def test_only_the_keys_are_kept_out_of_logs() -> None:
    assert [name for name, option in OPTIONS.items() if option.get("no_log")] == ["providers_api_keys"]


CHOICES = {
    "providers_product": ["auto", *PRODUCTS],
    "providers_service_manager": gateway_info.ARGUMENT_SPEC["service_manager"]["choices"],
    "providers_verify_before": ["none", *verify_models.ARGUMENT_SPEC["probe"]["choices"]],
}


@pytest.mark.parametrize(("name", "expected"), CHOICES.items(), ids=CHOICES)
def test_the_role_offers_what_its_modules_offer(name: str, expected: list[str]) -> None:
    assert OPTIONS[name]["choices"] == expected


def test_public_variables_carry_the_name_of_the_role() -> None:
    assert [name for name in DEFAULTS if not name.startswith("providers_")] == []


@pytest.mark.parametrize("path", CODE, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_internal_variables_carry_the_name_of_the_role_and_two_underscores(path: Path) -> None:
    content = _load(path) if path.suffix == ".yml" else {}
    names = list(content) if path.parent.name == "vars" else list(_defined(content))
    assert [name for name in names if not name.startswith("__providers_")] == []


@pytest.mark.parametrize("path", [*CODE, *PLAYBOOKS], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_each_public_variable_that_is_used_has_a_default(path: Path) -> None:
    used = re.findall(r"(?<!\w)providers_\w+", path.read_text(encoding="utf-8"))
    assert sorted(set(used) - set(DEFAULTS)) == []


@pytest.mark.parametrize("name", DEFAULTS)
def test_each_default_is_used(name: str) -> None:
    assert any(re.search(rf"(?<!\w){name}(?!\w)", path.read_text(encoding="utf-8")) for path in CODE)


def test_the_readme_lists_each_variable() -> None:
    rows = re.findall(r"^\| `(providers_\w+)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == list(DEFAULTS)
