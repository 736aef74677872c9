# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the roles in defaults/main.yml, argument_specs.yml, README.md and in the tasks that use them."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.modules import gateway_config, gateway_info, verify_models

ROOT = Path(__file__).resolve().parents[3]
# The keys of a task whose members are the names of variables.
_DEFINING_KEYS = ("vars", "ansible.builtin.set_fact")


@functools.cache
def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Role:
    """One role of the collection."""

    name: str

    @property
    def directory(self) -> Path:
        return ROOT / "roles" / self.name

    @property
    def defaults(self) -> dict[str, Any]:
        return dict(_load(self.directory / "defaults" / "main.yml"))

    @property
    def specs(self) -> dict[str, Any]:
        return dict(_load(self.directory / "meta" / "argument_specs.yml")["argument_specs"])

    @property
    def code(self) -> list[Path]:
        """Return the files that the role runs."""
        directories = (self.directory / part for part in ("tasks", "handlers", "vars", "templates"))
        return sorted(path for directory in directories if directory.is_dir() for path in directory.iterdir())


ROLES = {role.name: role for role in map(Role, ("gateway", "providers"))}
ENTRY_POINTS = [(role, entry_point) for role in ROLES.values() for entry_point in role.specs]
OPTIONS = [(role, entry_point, name) for role, entry_point in ENTRY_POINTS for name in role.defaults]
DEFAULTS = [(role, name) for role in ROLES.values() for name in role.defaults]
CODE = [(role, path) for role in ROLES.values() for path in role.code]
PLAYBOOKS = [(role, path) for role in ROLES.values() for path in sorted((ROOT / "playbooks").glob("*.yml"))]


def _named(value: object) -> str:
    return value.name if isinstance(value, (Role, Path)) else str(value)


def _as_json(value: Any) -> str:
    """Return a string that differs wherever YAML values do: true is not 1, and a missing default is null."""
    return json.dumps(value, sort_keys=True)


def _errors(role: Role, entry_point: str, **variables: Any) -> list[str]:
    """Return the errors of Ansible at the start of the role, with the defaults and these variables over them."""
    validator = ArgumentSpecValidator(role.specs[entry_point]["options"])
    return list(validator.validate({**role.defaults, **variables}, validate_role_argument_spec=True).error_messages)


def _defined(node: Any) -> Iterator[str]:
    """Yield the variables that tasks define."""
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
    assert {role.name: list(role.specs) for role in ROLES.values()} == {
        "gateway": ["main", "migrate"],
        "providers": [
            "main",
            "verify_only",
            "report",
            "preflight",
            "audit",
            "purge",
            "rotate",
            "retire",
            "remove",
            "rollback",
        ],
    }
    assert [point for role, point in ENTRY_POINTS if not (role.directory / "tasks" / f"{point}.yml").is_file()] == []


@pytest.mark.parametrize(("role", "entry_point"), ENTRY_POINTS, ids=_named)
def test_each_default_is_documented_and_each_documented_option_has_a_default(role: Role, entry_point: str) -> None:
    assert list(role.specs[entry_point]["options"]) == list(role.defaults)


@pytest.mark.parametrize(("role", "entry_point", "name"), OPTIONS, ids=_named)
def test_the_documented_default_is_the_one_that_is_set(role: Role, entry_point: str, name: str) -> None:
    assert _as_json(role.specs[entry_point]["options"][name].get("default")) == _as_json(role.defaults[name])


@pytest.mark.parametrize(("role", "entry_point", "name"), OPTIONS, ids=_named)
def test_each_option_is_described_in_whole_sentences(role: Role, entry_point: str, name: str) -> None:
    option = role.specs[entry_point]["options"][name]
    assert option["type"]
    assert [text for text in option["description"] if not text.endswith(".")] == []


@pytest.mark.parametrize(("role", "entry_point"), ENTRY_POINTS, ids=_named)
def test_the_defaults_pass_the_check_at_the_start_of_the_role(role: Role, entry_point: str) -> None:
    assert _errors(role, entry_point) == []


REJECTED: dict[str, tuple[dict[str, Any], str]] = {
    "enabled is a dictionary": (
        {"providers_enabled": {"moonshot": True}},
        "argument 'providers_enabled' is of type dict and we were unable to convert to list: "
        "<class 'dict'> cannot be converted to a list",
    ),
    "keys are a string": (
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
    "no such restart mode": (
        {"providers_restart": "on_change"},
        "value of providers_restart must be one of: if_needed, always, never, got: on_change",
    ),
    "rollback is not a boolean": (
        {"providers_rollback": "perhaps"},
        "argument 'providers_rollback' is of type str and we were unable to convert to bool: "
        "The value 'perhaps' is not a valid boolean. ",
    ),
}


@pytest.mark.parametrize("entry_point", ROLES["providers"].specs)
@pytest.mark.parametrize(("variables", "expected"), REJECTED.values(), ids=REJECTED)
def test_values_of_a_wrong_type_are_rejected_by_name(
    variables: dict[str, Any], expected: str, entry_point: str
) -> None:
    messages = _errors(ROLES["providers"], entry_point, **variables)
    assert [message.partition(" Valid booleans include")[0] for message in messages] == [expected.rstrip()]
    assert "sk-not-to-be-shown" not in "".join(messages)


def test_only_the_keys_are_kept_out_of_logs() -> None:
    hidden = {name for role, point, name in OPTIONS if role.specs[point]["options"][name].get("no_log")}
    assert hidden == {"gateway_token", "providers_api_keys", "providers_old_api_keys"}


CHOICES = {
    "gateway_bind": gateway_config.ARGUMENT_SPEC["bind"]["choices"],
    "gateway_product": list(PRODUCTS),
    "gateway_service_manager": ["systemd_user", "systemd_system"],
    "providers_product": ["auto", *PRODUCTS],
    "providers_service_manager": gateway_info.ARGUMENT_SPEC["service_manager"]["choices"],
    "providers_verify_before": ["none", *verify_models.ARGUMENT_SPEC["probe"]["choices"]],
}


@pytest.mark.parametrize(("name", "expected"), CHOICES.items(), ids=CHOICES)
def test_a_role_offers_what_its_modules_offer(name: str, expected: list[str]) -> None:
    role = ROLES[name.partition("_")[0]]
    assert role.specs["main"]["options"][name]["choices"] == expected


@pytest.mark.parametrize("name", PRODUCTS)
def test_the_gateway_role_documents_and_pins_the_default_version_of_each_product(name: str) -> None:
    product = PRODUCTS[name]
    described = ROLES["gateway"].specs["main"]["options"]["gateway_version"]["description"][0]
    assert f"C({product.install.version}) of {product.title}" in described
    assert (ROLES["gateway"].directory / "files" / product.lock_name).is_file()


@pytest.mark.parametrize(("role", "name"), DEFAULTS, ids=_named)
def test_public_variables_carry_the_name_of_the_role(role: Role, name: str) -> None:
    assert name.startswith(f"{role.name}_")


@pytest.mark.parametrize(("role", "path"), CODE, ids=_named)
def test_internal_variables_carry_the_name_of_the_role_and_two_underscores(role: Role, path: Path) -> None:
    content = _load(path) if path.suffix == ".yml" else {}
    names = list(content) if path.parent.name == "vars" else list(_defined(content))
    assert [name for name in names if not name.startswith(f"__{role.name}_")] == []


# The hosts of a playbook are not a variable of a role.
OF_PLAYBOOKS = {"gateway_hosts"}


@pytest.mark.parametrize(("role", "path"), [*CODE, *PLAYBOOKS], ids=_named)
def test_each_public_variable_that_is_used_has_a_default(role: Role, path: Path) -> None:
    # Modules carry the word in their names too: clawfleet.clawdbot.gateway_info.
    used = re.findall(rf"(?<![\w.]){role.name}_\w+", path.read_text(encoding="utf-8"))
    assert sorted(set(used) - set(role.defaults) - OF_PLAYBOOKS) == []


@pytest.mark.parametrize(("role", "name"), DEFAULTS, ids=_named)
def test_each_default_is_used(role: Role, name: str) -> None:
    assert any(re.search(rf"(?<!\w){name}(?!\w)", path.read_text(encoding="utf-8")) for path in role.code)


@pytest.mark.parametrize("role", ROLES.values(), ids=_named)
def test_the_readme_lists_each_variable(role: Role) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(rf"^\| `({role.name}_\w+)` \|", readme, re.MULTILINE) == list(role.defaults)


#: providers_restart, providers_secret_backend, whether the gateway needs a restart, whether .env is changed -> how the
#: gateway is verified.
VERIFIED: dict[tuple[str, str, bool, bool], str] = {
    ("if_needed", "env", True, True): "tool",
    ("never", "env", False, False): "none",
    ("never", "file", False, False): "tool",
    ("never", "file", True, False): "none",
    ("never", "file", False, True): "none",
}


@pytest.mark.parametrize(("case", "expected"), VERIFIED.items())
def test_a_gateway_that_reads_its_keys_again_is_verified(case: tuple[str, str, bool, bool], expected: str) -> None:
    restart, backend, required, env_changed = case
    expression = _load(ROLES["providers"].directory / "vars" / "main.yml")["__providers_verify_after"]
    given = {
        "providers_restart": restart,
        "providers_secret_backend": backend,
        "providers_verify_after": "tool",
        "__providers_gateway": {"restart_required": required},
        "__providers_config": {"env_changed": env_changed},
    }
    assert jinja2.Environment(autoescape=True).from_string(expression).render(given) == expected
    # Before anything is gathered.
    if not required and not env_changed:
        del given["__providers_gateway"], given["__providers_config"]
        assert jinja2.Environment(autoescape=True).from_string(expression).render(given) == expected
