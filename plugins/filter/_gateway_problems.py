# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import members
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS, Product

_VERSION = re.compile(r"[0-9][0-9A-Za-z.+-]*")
_USER = re.compile(r"[a-z_][a-z0-9_-]*")
_UNIT = re.compile(r"[A-Za-z0-9:_.@-]+")
_CHECKSUM = re.compile(r"sha256:[0-9a-f]{64}")
_TOKEN = re.compile(r"[!-~]*")
_PATH = re.compile(r"/[A-Za-z0-9._/@+-]*")
_PLUGIN = re.compile(r"[a-z0-9][a-z0-9._-]*")
_PACKAGE = re.compile(r"(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*@[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*")


def gateway_problems(variables: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the variables of the role `gateway`, which are named without the prefix `gateway_`."""
    product = PRODUCTS[variables["product"]]
    given = {name: str(value) for name, value in variables.items()}
    url, checksum = given["node_archive_url"], given["node_archive_checksum"]
    problems = []
    if not _VERSION.fullmatch(given["version"]):
        problems.append(f'gateway_version: "{given["version"]}" is not an exact version. Use one as 2026.1.24-3.')
    if not _USER.fullmatch(given["user"]) or given["user"] == "root":
        problems.append(
            f'gateway_user: "{given["user"]}" is not an unprivileged account. Use a name of lower-case letters, '
            "digits, _ and -, and not root."
        )
    problems += [
        f'gateway_{name}: "{given[name]}" is not the name of a unit. Use letters, digits and :_.@-, without .service.'
        for name in ("service_name", "clawdbot_service_name")
        if not _UNIT.fullmatch(given[name]) or given[name].endswith(".service")
    ]
    if not _is_port(given["port"]):
        problems.append(f'gateway_port: "{given["port"]}" is not a port. Use a number from 1 to 65535.')
    if bool(url) != bool(checksum):
        problems.append(
            "gateway_node_archive_url, gateway_node_archive_checksum: one of them is empty. Set both or neither."
        )
    if checksum and not _CHECKSUM.fullmatch(checksum):
        problems.append(
            f'gateway_node_archive_checksum: "{checksum}" is not a SHA-256 checksum. Use sha256: and 64 digits.'
        )
    if not _TOKEN.fullmatch(given["token"]):
        problems.append("gateway_token: white space or a character that is not ASCII. Use printable ASCII.")
    for name in ("install_dir", "node_path", "state_dir", "clawdbot_state_dir"):
        if (given[name] or name == "install_dir") and not _PATH.fullmatch(given[name]):
            problems.append(
                f'gateway_{name}: "{given[name]}" is not a usable path. Use an absolute path of letters, digits and '
                "._/@+-."
            )
    return problems + _openclaw_problems(product, variables) + _lock_problems(product, variables)


def _openclaw_problems(product: Product, variables: Mapping[str, Any]) -> list[str]:
    plugins, problems = variables["plugins"], []
    if variables["config_readonly"] is not None and not product.config_can_be_readonly:
        problems.append(
            f"gateway_config_readonly: {product.title} has no way to reject its own writes to the config. "
            "Remove the variable, or set gateway_product to openclaw."
        )
    if plugins and not product.install.pins_plugins:
        return [*problems, f"gateway_plugins: {product.title} has its plugins in its package. Remove the variable."]
    problems += [
        f'gateway_plugins: "{name}" is not the id of a plugin. Use the id in its openclaw.plugin.json, as moonshot.'
        for name in plugins
        if not _PLUGIN.fullmatch(str(name))
    ]
    problems += [
        f'gateway_plugins.{name}: "{package}" is not a package with its exact version. Use one as '
        "@openclaw/moonshot-provider@2026.9.6."
        for name, package in plugins.items()
        if not _PACKAGE.fullmatch(str(package))
    ]
    return problems


def _lock_problems(product: Product, variables: Mapping[str, Any]) -> list[str]:
    """Return why npm cannot install the version from the lock file of `gateway_lock_file`."""
    if not variables["lock_file"]:
        return []
    version = str(variables["version"])
    remedy = f"Create it in a clone of the collection: make lock PRODUCT={product.name} VERSION={version}"
    subject = f"gateway_lock_file: {variables['lock_file']}"
    if variables["lock"] is None:
        return [f"{subject} does not exist. {remedy}"]
    try:
        packages = members(json.loads(variables["lock"]), ("packages",))
    except ValueError:
        return [f"{subject} is not JSON. {remedy}"]
    if members(packages, ("", "dependencies")) != product.package_json(version)["dependencies"]:
        return [f"{subject} pins other packages than {product.name} {version}. {remedy}"]
    unpinned = [path for path in packages if path and not _is_pinned(members(packages, (path,)))]
    return [f"{subject} has no hash of {unpinned[0]}. {remedy}"] if unpinned else []


def _is_pinned(package: Mapping[str, Any]) -> bool:
    """Whether a package of a lock file has a hash, or is part of a package that has one."""
    return bool(package.get("integrity")) or package.get("inBundle") is True


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65535


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {"_gateway_problems": gateway_problems}
