# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installs the ansible-core of this environment for the Python of each host of the tests, into the cache directory.

A host without internet access gets it from there instead of a package, for ansible-pull.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from tools.cache import CACHE, installing, is_installed

# The Python of each Debian release that runs ansible-pull: the host of that scenario.
PYTHONS = {"trixie": "3.13"}


def install(release: str) -> Path:
    """Return the directory with `bin` and the packages, installed unless it has the same version.

    Raises `subprocess.CalledProcessError` where pip fails, which has printed the reason.
    """
    wanted = version("ansible-core")
    target = CACHE / "ansible-core" / release
    if is_installed(target, wanted):
        return target
    arguments = ["--python-version", PYTHONS[release], "--only-binary=:all:", "--no-compile", f"ansible-core=={wanted}"]
    with installing(target, wanted) as fresh:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", fresh, *arguments], check=True)
        for program in (fresh / "bin").iterdir():
            _interpreter, _end, code = program.read_text(encoding="utf-8").partition("\n")
            program.write_text(f"#!/usr/bin/python3\n{code}", encoding="utf-8")
    return target


if __name__ == "__main__":
    for release in PYTHONS:
        print(install(release))
