# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What `.env` and the file with keys contain while the config is replaced, so that all its references resolve.

Before the config is written, names are only added. What is removed is removed after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import dotenv, key_files


def env_with_additions(current: str | None, desired: str | None) -> str | None:
    """Return the text of `.env` before the config is written; None for no file.

    That is the desired one if it has all environment variables of the current one. Otherwise it is the current one with
    those that only the desired one has. An empty variable is none, as for the gateway.
    """
    return _with_additions(current, desired, _variables, _with_variables)


def keys_with_additions(current: str | None, desired: str | None) -> str | None:
    """Return the same for the file with keys."""
    return _with_additions(current, desired, key_files.loads, key_files.edit)


def _with_additions(
    current: str | None,
    desired: str | None,
    loads: Callable[[str | None], Mapping[str, str]],
    edit: Callable[[str | None, Mapping[str, str]], str | None],
) -> str | None:
    try:
        old, new = ({name: value for name, value in loads(text).items() if value} for text in (current, desired))
        if old.keys() <= new.keys():
            return desired
        added = {name: value for name, value in new.items() if name not in old}
        return edit(current, added) if added else current
    except ValueError:
        # Others have broken the file: until it is replaced, nothing resolves.
        return desired


def _variables(text: str | None) -> dict[str, str]:
    return dotenv.loads(text or "")


def _with_variables(text: str | None, variables: Mapping[str, str]) -> str:
    return dotenv.align_with_systemd(dotenv.edit(text or "", variables).text, variables)
