# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.put_back import describe_put_back
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

WRITTEN = hashlib.sha256(b"written").hexdigest()
COPY = "openclaw.json.clobbered.2026-11-28T15-20-58-245Z"
# What was written, the files, and whether the product has replaced the config.
FILES: dict[str, tuple[str | None, dict[str, str], bool]] = {
    "not known": (None, {"openclaw.json": "older", COPY: "written"}, False),
    "as it was written": (WRITTEN, {"openclaw.json": "written", COPY: "written"}, False),
    "somebody has written since": (WRITTEN, {"openclaw.json": "newer"}, False),
    "another was replaced long ago": (WRITTEN, {"openclaw.json": "newer", COPY: "another"}, False),
    "replaced": (WRITTEN, {"openclaw.json": "older", COPY: "written", f"{COPY}-01": "another"}, True),
    "replaced, and then removed": (WRITTEN, {COPY: "written"}, True),
}


@pytest.mark.parametrize(("written", "files", "is_replaced"), FILES.values(), ids=FILES)
def test_put_back(written: str | None, files: dict[str, str], is_replaced: bool, tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    config = f"{tmp_path}/openclaw.json"
    text = (
        f"OpenClaw has taken the config that was written for a damaged one, and has put {config}.bak in its place. "
        f"What was written is in {tmp_path}/{COPY}. Move {config}.bak away, and run the playbook again."
    )
    found = describe_put_back(PRODUCTS["openclaw"], config, written)
    assert found == (text if is_replaced else "")
