# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The options that several modules share: which gateway, and how it is kept running."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.state import Service
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import (
    Paths,
    resolve_paths,
    resolve_product,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS, Product

#: doc_fragments/_gateway.py documents them.
GATEWAY_ARGUMENTS: Mapping[str, Any] = {
    "product": {"type": "str", "choices": ["auto", *PRODUCTS], "default": "auto"},
    "state_dir": {"type": "path"},
    "config_path": {"type": "path"},
    "env_path": {"type": "path"},
}

#: doc_fragments/_gateway.py documents them as SERVICE.
SERVICE_ARGUMENTS: Mapping[str, Any] = {
    "service_manager": {
        "type": "str",
        "choices": ["systemd_user", "systemd_system", "command"],
        "default": "systemd_user",
    },
    "service_name": {"type": "str"},
}


def resolve_gateway(params: Mapping[str, Any]) -> tuple[Product, Paths]:
    """Return the product and the paths of a gateway for `GATEWAY_ARGUMENTS`. Raises `ClawdbotError` if ambiguous."""
    product = resolve_product(params["product"], params["state_dir"])
    return product, resolve_paths(product, params["state_dir"], params["config_path"], params["env_path"])


def resolve_service(params: Mapping[str, Any], product: Product) -> Service:
    """Return the service of a gateway for `SERVICE_ARGUMENTS`."""
    if params["service_name"]:
        return Service(params["service_manager"], params["service_name"])
    return Service(params["service_manager"], product.unit, product.older_units)
