# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The CLI of a gateway on the disk: its command, and the package that it belongs to."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Product

from .process import Process
from .systemd import Unit

# Where npm and similar tools install executables. A session without a login shell does not have these on its PATH.
_USUAL_DIRECTORIES = ("~/.local/bin", "~/.npm-global/bin", "~/bin", "/usr/local/bin", "/opt/homebrew/bin")


def find_program(product: Product, unit: Unit | None, process: Process | None) -> tuple[str, ...]:
    """Return the command that runs the CLI: the service's own, else one on a PATH; empty if none is found."""
    if unit and unit.program:
        return unit.program
    running = (process.environment or {}).get("PATH", "") if process else ""
    own = os.environ.get("PATH", os.defpath)
    places = [*running.split(os.pathsep), *own.split(os.pathsep), *map(os.path.expanduser, _USUAL_DIRECTORIES)]
    # An empty entry would mean the current directory.
    path = os.pathsep.join(filter(None, places))
    found = shutil.which(product.name, path=path)
    if found is None:
        return ()
    node = process.executable if process and os.path.basename(process.executable or "") == "node" else None
    node = node or shutil.which("node", path=os.pathsep.join([os.path.dirname(found), path]))
    # With its Node.js, so that the CLI does not depend on the PATH of the caller.
    return (node, os.path.realpath(found)) if node else (found,)


@dataclass(frozen=True)
class Package:
    """The npm package that a CLI belongs to."""

    version: str
    #: Its package.json.
    path: str


def find_package(product: Product, program: Sequence[str]) -> Package | None:
    """Return the package of a CLI; None if it is not found."""
    directory = os.path.dirname(os.path.realpath(program[-1])) if program else "/"
    while directory != os.path.dirname(directory):
        path = os.path.join(directory, "package.json")
        try:
            with open(path, encoding="utf-8") as file:
                described = json.load(file)
            if described.get("name") == product.name:
                return Package(str(described["version"]), path)
        except (OSError, ValueError, KeyError, AttributeError, RecursionError):
            pass
        directory = os.path.dirname(directory)
    return None


def replaceable_files(program: Sequence[str], found: Package | None) -> list[str]:
    """Return the files of which at least one changes when another version of the product is installed.

    npm writes a new package.json. Where versions are kept side by side, a link on the path of the CLI changes.
    """
    links = []
    path = program[-1] if program else "/"
    while path != os.path.dirname(path):
        if os.path.islink(path):
            links.append(path)
        path = os.path.dirname(path)
    return links + ([found.path] if found else [])
