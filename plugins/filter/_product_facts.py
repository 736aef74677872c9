# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS


def product_facts(name: str, version: str) -> dict[str, Any]:
    """Return what the table of products says about installing and running a version of a product.

    An empty version is the default one.
    """
    product = PRODUCTS[name]
    version = version or product.install.version
    return {
        "title": product.title,
        "version": version,
        "entry": product.install.entry,
        "node_prose": product.node_prose,
        "node_range": product.install.node_range,
        "package_json": product.package_json(version),
        "scripts_of": name if product.install.own_scripts else "",
        "converted_state": list(product.install.converted_state),
        "check_args": list(product.check_args),
        "service_settings": list(product.install.service_settings),
        "opens_with_openat2": product.install.opens_with_openat2,
        "requested_plugins": list(product.install.requested_plugins),
        "unit": product.unit,
        "state_dir": product.state_dir,
        "config_name": product.config_names[0],
        "variable_prefix": product.variable_prefix,
    }


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {"_product_facts": product_facts}
