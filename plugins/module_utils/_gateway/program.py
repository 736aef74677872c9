# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The program of a gateway on the disk: where it is, and the package that it belongs to."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Product

from .process import Process
from .systemd import Unit

# Where npm and its kin put programs, and which a session without a login shell does not have on its PATH.
_USUAL_FOLDERS = ("~/.local/bin", "~/.npm-global/bin", "~/bin", "/usr/local/bin", "/opt/homebrew/bin")


def find_program(product: Product, unit: Unit | None, process: Process | None) -> tuple[str, ...]:
    """The argv that runs the product's program: the service's own, else what is found; empty where there is none."""
    if unit and unit.program:
        return unit.program
    running = (process.environment or {}).get("PATH", "") if process else ""
    own = os.environ.get("PATH", os.defpath)
    places = [*running.split(os.pathsep), *own.split(os.pathsep), *map(os.path.expanduser, _USUAL_FOLDERS)]
    # An empty entry means the current folder, wherever that is.
    folders = os.pathsep.join(filter(None, places))
    found = shutil.which(product.name, path=folders)
    if found is None:
        return ()
    node = process.executable if process and os.path.basename(process.executable or "") == "node" else None
    node = node or shutil.which("node", path=os.pathsep.join([os.path.dirname(found), folders]))
    # Named together, so that the program does not depend on the PATH of whoever calls it.
    return (node, os.path.realpath(found)) if node else (found,)


@dataclass(frozen=True)
class Package:
    """The npm package that a program belongs to."""

    version: str
    #: Its package.json.
    path: str


def find_package(product: Product, program: Sequence[str]) -> Package | None:
    """The product's package on the disk; None where it cannot be told."""
    folder = os.path.dirname(os.path.realpath(program[-1])) if program else "/"
    while folder != os.path.dirname(folder):
        path = os.path.join(folder, "package.json")
        try:
            with open(path, encoding="utf-8") as file:
                described = json.load(file)
            if described.get("name") == product.name:
                return Package(str(described["version"]), path)
        except (OSError, ValueError, KeyError, AttributeError, RecursionError):
            pass
        folder = os.path.dirname(folder)
    return None


def replaceable_files(program: Sequence[str], found: Package | None) -> list[str]:
    """The files of which at least one is another when a version of the product is put in the place of another.

    npm writes package.json anew; who keeps versions side by side turns a link on the way to the program.
    """
    links = []
    path = program[-1] if program else "/"
    while path != os.path.dirname(path):
        if os.path.islink(path):
            links.append(path)
        path = os.path.dirname(path)
    return links + ([found.path] if found else [])
