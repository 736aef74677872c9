# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The project's cache directory, and installations in it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache"

STAMP = "installed"


def is_installed(target: Path, wanted: str) -> bool:
    """Return whether the directory holds a complete installation of `wanted`."""
    stamp = target / STAMP
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted


@contextmanager
def installing(target: Path, wanted: str) -> Iterator[Path]:
    """Yield a directory to fill, which then replaces `target`.

    It is created beside `target` and moved there when it is complete, so that an interrupted installation never passes
    for a complete one.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=target.parent))
    try:
        yield fresh
        fresh.chmod(0o755)
        (fresh / STAMP).write_text(wanted, encoding="utf-8")
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
