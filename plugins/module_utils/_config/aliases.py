# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Which aliases of models the product can have together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


def alias_clashes(aliases: Mapping[str, str]) -> Iterator[str]:
    """Texts, each on two aliases that the product cannot have at the same time (its agents/model-selection.js)."""
    spellings: dict[str, str] = {}
    by_model: dict[str, str] = {}
    for alias, ref in aliases.items():
        same = spellings.setdefault(alias.lower(), alias)
        if same != alias:
            yield f"The aliases {same!r} and {alias!r} are one to the product: it does not tell upper from lower case."
        other = by_model.setdefault(ref, alias)
        if other != alias:
            yield f"The aliases {other!r} and {alias!r} both stand for {ref}, and the product keeps one for a model."
