# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Which product a gateway is, and where its files are."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from .table import PRODUCTS, Product


@dataclass(frozen=True)
class Paths:
    """The absolute paths of one gateway's files."""

    state_dir: str
    config: str
    env: str


def resolve_product(name: str, state_dir: str | None = None) -> Product:
    """Return the product of that name; `auto` is the one that has used the state directory, else the account's own.

    Raises `ClawdbotError` where the account has state directories of several products, and none is given.
    """
    if name != "auto":
        return PRODUCTS[name]
    # A product that takes over the directory of the one before it leaves a link in its place: the later one has it.
    own = {os.path.realpath(os.path.expanduser(product.state_dir)): product for product in PRODUCTS.values()}
    found = [os.path.realpath(os.path.expanduser(state_dir))] if state_dir else list(filter(os.path.isdir, own))
    if len(found) > 1:
        raise ClawdbotError(
            f"This account has several state directories: {', '.join(found)}. Set product (providers_product of the "
            "role) to the product of the gateway."
        )
    first = next(iter(PRODUCTS.values()))
    return next((_last_used_by(directory) or own.get(directory) or first for directory in found), first)


def _last_used_by(state_dir: str) -> Product | None:
    """Return the newest product that has left one of its files in a state directory."""
    for product in reversed(list(PRODUCTS.values())):
        if any(os.path.exists(os.path.join(state_dir, name)) for name in product.marker_files):
            return product
    return None


def resolve_paths(product: Product, state_dir: str | None, config_path: str | None, env_path: str | None) -> Paths:
    """Return the paths as given, else the product's defaults; `~` is the home of the account that runs this."""
    state = os.path.abspath(os.path.expanduser(state_dir or product.state_dir))
    configs = [os.path.join(state, name) for name in product.config_names]
    own_config = next(filter(os.path.isfile, configs), configs[0])
    return Paths(
        state_dir=state,
        config=os.path.abspath(os.path.expanduser(config_path or own_config)),
        env=os.path.abspath(os.path.expanduser(env_path or os.path.join(state, ".env"))),
    )


def environment(product: Product, paths: Paths) -> dict[str, str]:
    """Return the environment variables with which the product's CLI finds this gateway's files."""
    return {product.state_dir_variable: paths.state_dir, product.config_path_variable: paths.config}
