# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Whether the product has put back an older config in place of the one that was written.

OpenClaw restores `openclaw.json.bak` at its start where it takes the config for damaged: it has shrunk by more than
half, or has lost `meta` or `gateway.mode` (its config/io.observe-suspicious.ts). What it has replaced is beside the
config, as `openclaw.json.clobbered.<time>`.
"""

from __future__ import annotations

import glob

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic, journal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Product


def describe_put_back(product: Product, config_path: str, written: str | None) -> str:
    """Return what has become of the config whose digest was `written`; empty where the product has not replaced it.

    Others may have written since, the product itself too. It was replaced if there is a copy of it and the config is
    the backup. An earlier run may have left a copy of the same. A file that cannot be read shows nothing of that.
    """
    if not written:
        return ""
    config, backup = _content(config_path), _content(f"{config_path}.bak")
    if config is None or config != backup or journal.digest(config) == written:
        return ""
    copies = sorted(glob.glob(f"{glob.escape(config_path)}.clobbered.*"), reverse=True)
    replaced = next((path for path in copies if _contains(path, written)), None)
    if replaced is None:
        return ""
    return (
        f"{product.title} has taken the config that was written for a damaged one, and has put {config_path}.bak in "
        f"its place. What was written is in {replaced}. Move {config_path}.bak away, and run the playbook again."
    )


def _content(path: str) -> bytes | None:
    try:
        return atomic.read(path).content
    except ClawdbotError:
        return None


def _contains(path: str, digest: str) -> bool:
    content = _content(path)
    return content is not None and journal.digest(content) == digest
