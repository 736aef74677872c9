# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installs the ansible-core of this environment for the Python of each host of the tests, into the cache folder.

A host has it from there as it would have it from a package: it works with ansible-pull, and has no way out.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from tools.product import CACHE

# The Python of each Debian release.
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}


def install(release: str) -> Path:
    """The folder with C(bin) and the packages, installed if another version is there.

    Raises subprocess.CalledProcessError where pip fails; it has then said why.
    """
    wanted = version("ansible-core")
    target = CACHE / "ansible-core" / release
    if (target / f"ansible_core-{wanted}.dist-info").is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    # Made beside its place and moved there whole, so that an installation that was cut short is never taken for one.
    fresh = Path(tempfile.mkdtemp(prefix=f"{release}-", dir=target.parent))
    try:
        arguments = ["--python-version", PYTHONS[release], "--only-binary=:all:", "--no-compile"]
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--target",
                fresh,
                *arguments,
                f"ansible-core=={wanted}",
            ],
            check=True,
        )
        for program in (fresh / "bin").iterdir():
            _interpreter, _end, code = program.read_text(encoding="utf-8").partition("\n")
            program.write_text(f"#!/usr/bin/python3\n{code}", encoding="utf-8")
        fresh.chmod(0o755)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return target


if __name__ == "__main__":
    for release in PYTHONS:
        print(install(release))
