# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Where the keys of providers are kept: the one place that says what differs between the backends.

`env`: in `.env`, and a new key takes effect with a restart. `file`: in a JSON file beside `.env`, from which OpenClaw
reads them again when it is told to. Both have the keys under the names of environment variables.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal

from . import json5_editor, json5_reader
from .env_refs import reference
from .json5_editor import Change
from .tree import REMOVE, walk

Backend = Literal["env", "file"]

BACKENDS: tuple[Backend, ...] = ("env", "file")
#: The entry of a config that names the file, and the name of that entry in references.
ENTRY = ("secrets", "providers", "clawfleet")
_FILE_NAME = "clawfleet-keys.json"
_NEW_FILE = "{}\n"


def key_reference(backend: Backend, name: str) -> Any:
    """Return the value of `apiKey` that refers to a key."""
    return reference(name) if backend == "env" else {"source": "file", "provider": ENTRY[-1], "id": f"/{name}"}


def key_file(backend: Backend, env_path: str) -> str:
    """Return the path of the file with the keys."""
    return env_path if backend == "env" else os.path.join(os.path.dirname(env_path), _FILE_NAME)


def file_entry(path: str) -> dict[str, str]:
    """Return the entry of a config for the file at a path."""
    return {"source": "file", "path": path, "mode": "json"}


def file_references(value: Any) -> set[str]:
    """Return the names of the keys in the file that a config value refers to."""
    return {
        part["id"][1:]
        for _path, part in walk(value)
        if isinstance(part, Mapping)
        and (part.get("source"), part.get("provider")) == ("file", ENTRY[-1])
        and isinstance(part.get("id"), str)
    }


def held_key(name: str, config: Any, env: Mapping[str, str], keys: Mapping[str, str]) -> str:
    """Return the key that a gateway's files have under a name, empty for none. A config says which file counts."""
    first, second = (keys, env) if name in file_references(config) else (env, keys)
    return first.get(name) or second.get(name) or ""


def loads(text: str | None) -> dict[str, str]:
    """Return the keys in the text of the file. Raises `ValueError` if it cannot be read."""
    value = {} if text is None else json5_reader.loads(text)
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value.values()):
        raise ValueError("it is not an object of strings")
    return value


def edit(text: str | None, changes: Mapping[str, str | None]) -> str | None:
    """Return the text with the keys set or, for None, removed; None where no key is left. Raises as `loads` does."""
    before = loads(text)
    after = {**before, **changes}
    if not any(value is not None for value in after.values()):
        return None
    edits = [
        Change((name,), REMOVE if value is None else value)
        for name, value in changes.items()
        if before.get(name) != value
    ]
    return json5_editor.edit(_NEW_FILE if text is None else text, edits) if edits else text
