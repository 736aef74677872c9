# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installs a Node that is too old for the product, with npm, into the cache folder, for a host of the tests.

npm is also asked for the Node that the role would have it bring, so that it has that on a host without a way out.
"""

from __future__ import annotations

import platform
import shutil
from pathlib import Path

import yaml

from tools.cache import CACHE, installing, is_installed
from tools.product import ROLE, npm, wheel

# That of Debian trixie.
TOO_OLD = "20.19.2"
PACKAGE = f"node-linux-{'arm64' if platform.machine() == 'aarch64' else 'x64'}"


def install() -> Path:
    """The folder with C(bin/node) and C(bin/npm), installed if it is not there. Raises SystemExit where npm fails."""
    products = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))["__gateway_products"]
    packages = [f"{PACKAGE}@{version}" for version in (products["clawdbot"]["node_range"], TOO_OLD)]
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
        (fresh / "bin" / "node").symlink_to(f"../node_modules/{PACKAGE}/bin/node")
    return target


if __name__ == "__main__":
    print(install())
