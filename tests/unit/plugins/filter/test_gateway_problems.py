# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.clawfleet.clawdbot.plugins.filter._gateway_problems import FilterModule, gateway_problems

ROOT = Path(__file__).resolve().parents[4]
DEFAULTS = {
    name.removeprefix("gateway_"): value
    for name, value in yaml.safe_load((ROOT / "roles/gateway/defaults/main.yml").read_text(encoding="utf-8")).items()
}
#: The defaults as the role completes them.
GOOD = {
    **DEFAULTS,
    "service_name": "clawdbot-gateway",
    "version": "2026.1.24-3",
    "user": "clawdbot",
    "install_dir": "/opt/clawdbot",
    "lock": None,
}
OPENCLAW = {"product": "openclaw", "version": "2026.9.6"}
LOCKED = {
    "packages": {
        "": {"dependencies": {"openclaw": "2026.9.6"}},
        "node_modules/openclaw": {"version": "2026.9.6", "integrity": "sha512-AA=="},
        "node_modules/openclaw/node_modules/a": {"version": "1.0.0", "inBundle": True},
    }
}
LOCK = {**OPENCLAW, "lock_file": "/srv/a.lock.json", "lock": json.dumps(LOCKED)}
CREATE = "Create it in a clone of the collection: make lock PRODUCT=openclaw VERSION=2026.9.6"
MOONSHOT = {"moonshot": "@openclaw/moonshot-provider@2026.9.6"}
CHECKSUM = "sha256:" + "0" * 64

ACCEPTED: dict[str, dict[str, Any]] = {
    "the defaults": {},
    "an archive with a checksum": {
        "node_archive_url": "https://example.com/n.tar.gz",
        "node_archive_checksum": CHECKSUM,
    },
    "the name of a template unit": {"service_name": "gateway@1"},
    "the last port, as a string": {"port": "65535"},
    "paths": {"install_dir": "/opt/a+b", "node_path": "/usr/bin/node", "state_dir": "/srv/_x-1/@y.z"},
    "a token of symbols": {"token": "!~\"'${x}{{"},
    "openclaw, which writes no config": {**OPENCLAW, "config_readonly": True},
    "plugins": {**OPENCLAW, "plugins": {**MOONSHOT, "acme": "acme@1.0.0-rc.1"}},
    "a lock file": LOCK,
}

REJECTED: dict[str, tuple[dict[str, Any], str]] = {
    "a tag for a version": (
        {"version": "latest"},
        'gateway_version: "latest" is not an exact version. Use one as 2026.1.24-3.',
    ),
    "a range for a version": (
        {"version": "^2026.1.0"},
        'gateway_version: "^2026.1.0" is not an exact version. Use one as 2026.1.24-3.',
    ),
    "root": (
        {"user": "root"},
        'gateway_user: "root" is not an unprivileged account. Use a name of lower-case letters, digits, _ and -, and '
        "not root.",
    ),
    "a unit with its suffix": (
        {"service_name": "a.service"},
        'gateway_service_name: "a.service" is not the name of a unit. Use letters, digits and :_.@-, without .service.',
    ),
    "the unit of Clawdbot is none": (
        {"clawdbot_service_name": "a b"},
        'gateway_clawdbot_service_name: "a b" is not the name of a unit. Use letters, digits and :_.@-, without '
        ".service.",
    ),
    "a port that is too high": (
        {"port": 65536},
        'gateway_port: "65536" is not a port. Use a number from 1 to 65535.',
    ),
    "a port that is not a number": (
        {"port": "\u00b2"},
        'gateway_port: "\u00b2" is not a port. Use a number from 1 to 65535.',
    ),
    "an archive without a checksum": (
        {"node_archive_url": "https://example.com/node.tar.gz"},
        "gateway_node_archive_url, gateway_node_archive_checksum: one of them is empty. Set both or neither.",
    ),
    "a checksum of another kind": (
        {"node_archive_url": "https://example.com/node.tar.gz", "node_archive_checksum": "md5:0"},
        'gateway_node_archive_checksum: "md5:0" is not a SHA-256 checksum. Use sha256: and 64 digits.',
    ),
    "a path with a space": (
        {"state_dir": "/srv/my gateway"},
        'gateway_state_dir: "/srv/my gateway" is not a usable path. Use an absolute path of letters, digits and '
        "._/@+-.",
    ),
    "a relative path": (
        {"install_dir": "opt"},
        'gateway_install_dir: "opt" is not a usable path. Use an absolute path of letters, digits and ._/@+-.',
    ),
    "no path": (
        {"install_dir": ""},
        'gateway_install_dir: "" is not a usable path. Use an absolute path of letters, digits and ._/@+-.',
    ),
    "a path with a line feed": (
        {"node_path": "/usr/bin/node\n"},
        'gateway_node_path: "/usr/bin/node\n" is not a usable path. Use an absolute path of letters, digits and '
        "._/@+-.",
    ),
    "clawdbot, which writes no config": (
        {"config_readonly": True},
        "gateway_config_readonly: Clawdbot has no way to reject its own writes to the config. Remove the variable, or "
        "set gateway_product to openclaw.",
    ),
    "a plugin of clawdbot": (
        {"plugins": MOONSHOT},
        "gateway_plugins: Clawdbot has its plugins in its package. Remove the variable.",
    ),
    "a plugin by its package": (
        {**OPENCLAW, "plugins": {"@openclaw/moonshot-provider": "@openclaw/moonshot-provider@2026.9.6"}},
        'gateway_plugins: "@openclaw/moonshot-provider" is not the id of a plugin. Use the id in its '
        "openclaw.plugin.json, as moonshot.",
    ),
    "a plugin that is not pinned": (
        {**OPENCLAW, "plugins": {"moonshot": "@openclaw/moonshot-provider@latest"}},
        'gateway_plugins.moonshot: "@openclaw/moonshot-provider@latest" is not a package with its exact version. Use '
        "one as @openclaw/moonshot-provider@2026.9.6.",
    ),
    "no lock file": (
        {**LOCK, "lock": None},
        f"gateway_lock_file: /srv/a.lock.json does not exist. {CREATE}",
    ),
    "a lock file of another kind": (
        {**LOCK, "lock": "lockfileVersion: 9"},
        f"gateway_lock_file: /srv/a.lock.json is not JSON. {CREATE}",
    ),
    "a lock file of another version": (
        {**LOCK, "version": "2026.9.5"},
        "gateway_lock_file: /srv/a.lock.json pins other packages than openclaw 2026.9.5. Create it in a clone of the "
        "collection: make lock PRODUCT=openclaw VERSION=2026.9.5",
    ),
    "a lock file without hashes": (
        {**LOCK, "lock": json.dumps({"packages": {**LOCKED["packages"], "node_modules/b": {"version": "1.0.0"}}})},
        f"gateway_lock_file: /srv/a.lock.json has no hash of node_modules/b. {CREATE}",
    ),
    "a token with a line feed": (
        {"token": "not-to-be-shown\n"},
        "gateway_token: white space or a character that is not ASCII. Use printable ASCII.",
    ),
}


def test_the_filter_has_the_name_of_its_file() -> None:
    assert FilterModule().filters() == {"_gateway_problems": gateway_problems}


@pytest.mark.parametrize("changed", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted_variables(changed: dict[str, Any]) -> None:
    assert gateway_problems({**GOOD, **changed}) == []


@pytest.mark.parametrize(("changed", "problem"), REJECTED.values(), ids=REJECTED)
def test_rejected_variables(changed: dict[str, Any], problem: str) -> None:
    assert gateway_problems({**GOOD, **changed}) == [problem]
