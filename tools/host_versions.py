# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Downloads with npm what hosts of the tests install besides the default versions: the lock files of the scenarios."""

from __future__ import annotations

import hashlib
import json
import shutil

from tools.cache import CACHE, ROOT, installing, is_installed
from tools.product import npm

LOCKS = sorted((ROOT / "extensions" / "molecule").glob("*/*.lock.json"))


def download() -> None:
    """Fill npm's cache for hosts without internet access. Raises `SystemExit` where npm fails."""
    wanted = hashlib.sha256(b"".join(lock.read_bytes() for lock in LOCKS)).hexdigest()
    target = CACHE / "host-versions"
    if is_installed(target, wanted):
        return
    with installing(target, wanted) as fresh:
        for lock in LOCKS:
            root = json.loads(lock.read_text(encoding="utf-8"))["packages"][""]
            (fresh / "package.json").write_text(json.dumps({**root, "private": True}), encoding="utf-8")
            shutil.copyfile(lock, fresh / "package-lock.json")
            npm(fresh, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
            # Only the downloads are needed.
            shutil.rmtree(fresh / "node_modules")


if __name__ == "__main__":
    download()
