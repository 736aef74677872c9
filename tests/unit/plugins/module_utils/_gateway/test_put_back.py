# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.put_back import describe_put_back
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

WRITTEN = hashlib.sha256(b"written").hexdigest()
COPY = ".clobbered.2026-11-28T15-20-58-245Z"
# What was written, the files by what follows the name of the config, and whether the product has replaced the config.
FILES: dict[str, tuple[str | None, dict[str, str], bool]] = {
    "not known": (None, {"": "older", ".bak": "older", COPY: "written"}, False),
    "as it was written": (WRITTEN, {"": "written", ".bak": "written", COPY: "written"}, False),
    "somebody has written since": (WRITTEN, {"": "newer", ".bak": "older"}, False),
    "and the same was replaced in an earlier run": (WRITTEN, {"": "newer", ".bak": "written", COPY: "written"}, False),
    "another was replaced": (WRITTEN, {"": "older", ".bak": "older", COPY: "another"}, False),
    "replaced": (WRITTEN, {"": "older", ".bak": "older", COPY: "written", f"{COPY}-01": "another"}, True),
    "removed": (WRITTEN, {COPY: "written"}, False),
}


@pytest.mark.parametrize(("written", "files", "is_replaced"), FILES.values(), ids=FILES)
def test_put_back(written: str | None, files: dict[str, str], is_replaced: bool, tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / f"openclaw.json{name}").write_text(content)
    config = f"{tmp_path}/openclaw.json"
    text = (
        f"OpenClaw has taken the config that was written for a damaged one, and has put {config}.bak in its place. "
        f"What was written is in {config}{COPY}. Move {config}.bak away, and run the playbook again."
    )
    found = describe_put_back(PRODUCTS["openclaw"], config, written)
    assert found == (text if is_replaced else "")


@pytest.mark.parametrize("unreadable", ["", ".bak", COPY])
def test_a_file_that_cannot_be_read_shows_nothing(unreadable: str, tmp_path: Path) -> None:
    for name, content in {"": "older", ".bak": "older", COPY: "written"}.items():
        (tmp_path / f"openclaw.json{name}").write_text(content)
    (tmp_path / f"openclaw.json{unreadable}").unlink()
    os.mkfifo(tmp_path / f"openclaw.json{unreadable}")
    assert describe_put_back(PRODUCTS["openclaw"], f"{tmp_path}/openclaw.json", WRITTEN) == ""
