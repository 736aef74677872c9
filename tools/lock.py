# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Creates the lock file of a version of Clawdbot or OpenClaw, with the hashes of all dependencies: make lock.

The role `gateway` installs from it, as the file of the variable `gateway_lock_file`.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from plugins.module_utils._product.table import PRODUCTS
from tools.cache import CACHE
from tools.product import npm


def create(name: str, version: str, directory: Path) -> Path:
    """Write a lock file into a directory, and return its path. No package is installed.

    An empty version is the default one.
    Raises `SystemExit` for an unknown product, and with npm's output where npm fails.
    """
    product = PRODUCTS.get(name)
    if product is None:
        raise SystemExit(f"Unknown product {name}. Choose one of {', '.join(PRODUCTS)}.")
    version = version or product.install.version
    target = directory / f"{name}-{version}.lock.json"
    with tempfile.TemporaryDirectory() as scratch:
        package = json.dumps(product.package_json(version))
        (Path(scratch) / "package.json").write_text(package, encoding="utf-8")
        npm(Path(scratch), "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund")
        lock = json.loads((Path(scratch) / "package-lock.json").read_text(encoding="utf-8"))
    # The name of the scratch directory.
    del lock["name"]
    directory.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")
    return target


if __name__ == "__main__":
    made = create(sys.argv[1], sys.argv[2], CACHE / "locks")
    print(f"{made}\nPut it beside your inventory, and set gateway_lock_file to its path.")
