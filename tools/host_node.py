# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installs a Node that is too old for both products, with npm, into the cache directory, for a host of the tests.

npm also downloads the Node of each product, as the role `gateway` installs it, for hosts without internet access.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from plugins.module_utils._product.table import PRODUCTS
from tools.cache import CACHE, installing, is_installed
from tools.product import NODE_PACKAGE, npm, wheel

# That of Debian trixie.
TOO_OLD = "20.19.2"


def install() -> Path:
    """Return the directory with `bin/node` and `bin/npm`, installed if missing. Raises `SystemExit` where npm fails."""
    ranges = [product.install.node_range for product in PRODUCTS.values()]
    packages = [f"{NODE_PACKAGE}@{version}" for version in (*ranges, TOO_OLD)]
    target = CACHE / "host-node"
    if is_installed(target, " ".join(packages)):
        return target
    with installing(target, " ".join(packages)) as fresh:
        # The last one stays.
        for package in packages:
            npm(fresh, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", package)
        own_npm = fresh / "node_modules" / "npm"
        shutil.copytree(wheel() / "lib" / "node_modules" / "npm", own_npm)
        (own_npm / "bin" / "npm-cli.js").chmod(0o755)
        (fresh / "bin").mkdir()
        (fresh / "bin" / "npm").symlink_to("../node_modules/npm/bin/npm-cli.js")
        (fresh / "bin" / "node").symlink_to(f"../node_modules/{NODE_PACKAGE}/bin/node")
    return target


if __name__ == "__main__":
    print(install())
