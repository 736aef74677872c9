# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The way back: what two files were before a run, kept beside the config until the run is proven good.

The record holds keys, like the files themselves: it has mode 0600, and it is deleted as soon as it is not needed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils import _env_file, _json5, _transaction
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config_plan import at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

_VERSION = 1


@dataclass(frozen=True)
class Original:
    """One file before the run, and what the run did to it."""

    path: str
    #: What stood in it; None where there was no file.
    text: str | None
    mode: int | None
    #: The digest of what the run has written: the file is put back whole only as long as it is still that.
    written: str
    #: What the run has set, by path in the config or by name in the .env file.
    changed: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Undo:
    """The record of one run, or of one that died and those that went on with it."""

    config: Original | None = None
    env: Original | None = None


def path_beside(config_path: str) -> str:
    """Where the record of a config is kept."""
    folder, name = os.path.split(os.path.realpath(config_path))
    return os.path.join(folder, f".{name}.clawfleet-undo")


def load(config_path: str) -> Undo | None:
    """The record that stands beside the config, None where none does. Raises ClawdbotError on one that is broken."""
    path = path_beside(config_path)
    snapshot = _transaction.read(path)
    if snapshot.content is None:
        return None
    try:
        data = json.loads(snapshot.content)
        if data["version"] != _VERSION:
            raise ValueError("version")
        return Undo(_original(data["config"]), _original(data["env"]))
    except (ValueError, KeyError, TypeError) as exc:
        raise ClawdbotError(
            f"{path}, the record of what stood in the files before an earlier run, is broken: look at both files, then remove it."
        ) from exc


def save(config_path: str, undo: Undo) -> None:
    """Puts the record beside the config, flushed, before anything is changed."""
    snapshot = _transaction.read(path_beside(config_path))
    content = json.dumps({"version": _VERSION, **asdict(undo)}).encode("ascii")
    with _transaction.candidate(snapshot, content, 0o600) as candidate:
        _transaction.commit(snapshot, candidate)


def discard(config_path: str) -> bool:
    """Removes the record; whether there was one."""
    snapshot = _transaction.read(path_beside(config_path))
    _transaction.remove(snapshot)
    return snapshot.content is not None


def remember(
    earlier: Original | None, snapshot: _transaction.Snapshot, content: bytes, changed: Sequence[tuple[str, ...]]
) -> Original:
    """The record of a file that is about to be written: an earlier run that was never proven keeps its original."""
    if earlier is not None:
        return Original(
            earlier.path,
            earlier.text,
            earlier.mode,
            digest(content),
            tuple(dict.fromkeys((*earlier.changed, *changed))),
        )
    text = None if snapshot.content is None else decode(snapshot.content)
    return Original(snapshot.path, text, snapshot.mode, digest(content), tuple(changed))


def config_before(original: Original, current: bytes | None) -> bytes | None:
    """What the config shall be again: its original, or, where others have written since, the current with our part undone."""
    if current is None or digest(current) == original.written:
        return None if original.text is None else encode(original.text)
    value = {} if original.text is None else _json5.loads(original.text)
    changes = [_json5.Change(path, at(value, path)) for path in original.changed]
    return encode(_json5.edit(decode(current), changes))


def env_before(original: Original, current: bytes | None) -> bytes | None:
    """The same for the .env file."""
    if current is None or digest(current) == original.written:
        return None if original.text is None else encode(original.text)
    values = {} if original.text is None else _env_file.loads(original.text)
    return encode(_env_file.edit(decode(current), {name: values.get(name) for (name,) in original.changed}).text)


def digest(content: bytes) -> str:
    """The identity of a file's content."""
    return hashlib.sha256(content).hexdigest()


def decode(content: bytes) -> str:
    """Bytes as text in which every byte is kept, also those that are no UTF-8."""
    return content.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that decode was given."""
    return text.encode("utf-8", "surrogateescape")


def _original(data: dict[str, Any] | None) -> Original | None:
    if data is None:
        return None
    changed = tuple(tuple(str(part) for part in path) for path in data["changed"])
    return Original(data["path"], data["text"], data["mode"], data["written"], changed)
