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
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_editor, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE, at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from . import atomic

_VERSION = 1


@dataclass(frozen=True)
class Original:
    """One file before the run, and what the run did to it."""

    #: The file itself, at the end of all symbolic links.
    path: str
    #: What stood in it; None where there was no file. Keys stand in it, so it is in no repr.
    text: str | None = field(repr=False)
    mode: int | None
    #: The digests of what the run has written: the file is put back whole only as long as it is one of these.
    written: tuple[str, ...]
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


def load(config_path: str, env_path: str) -> Undo | None:
    """The record that stands beside the config, None where none does.

    Raises ClawdbotError on one that is broken, or that is about another .env.
    """
    path = path_beside(config_path)
    snapshot = atomic.read(path)
    if snapshot.content is None:
        return None
    try:
        undo = _parsed(json.loads(snapshot.content))
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise ClawdbotError(
            f"{path}, the record of what stood in the files before an earlier run, is broken: look at both files, then "
            "remove it."
        ) from exc
    if undo.env and undo.env.path != os.path.realpath(env_path):
        raise ClawdbotError(
            f"{path} is the record of an earlier run that has written {undo.env.path}, not {env_path}: confirm or roll "
            "back that run first."
        )
    return undo


def save(config_path: str, undo: Undo) -> None:
    """Puts the record beside the config, flushed. To be done before anything is changed."""
    snapshot = atomic.read(path_beside(config_path))
    content = json.dumps({"version": _VERSION, **asdict(undo)}).encode("ascii")
    with atomic.candidate(snapshot, content, 0o600) as candidate:
        atomic.commit(snapshot, candidate)


def discard(config_path: str) -> None:
    """Removes the record, if there is one."""
    atomic.remove(atomic.read(path_beside(config_path)))


def config_original(
    earlier: Original | None, snapshot: atomic.Snapshot, content: bytes, paths: Sequence[tuple[str, ...]]
) -> Original:
    """The record of a config that is about to be written: an earlier run that was never proven keeps its original.

    Raises ClawdbotError as config_before does.
    """
    before = snapshot.content if earlier is None else config_before(earlier, snapshot.content)
    return _original(earlier, snapshot, before, content, paths)


def env_original(earlier: Original | None, snapshot: atomic.Snapshot, content: bytes, names: Sequence[str]) -> Original:
    """The same for the .env file."""
    before = snapshot.content if earlier is None else env_before(earlier, snapshot.content)
    return _original(earlier, snapshot, before, content, [(name,) for name in names])


def config_before(original: Original, current: bytes | None) -> bytes | None:
    """What the config shall be again, None for no file.

    That is its original, or, where others have written since, the current one with the run's part undone.
    Raises ClawdbotError where the current one is not a config any more.
    """
    if current is None or _is_own(original, current):
        return None if original.text is None else encode(original.text)
    try:
        before = {} if original.text is None else json5_reader.loads(original.text)
        text = decode(current)
        return encode(json5_editor.edit(text, list(_steps_back(json5_reader.loads(text), before, original.changed))))
    except (json5_reader.Json5Error, json5_editor.Json5PathError) as exc:
        raise _not_undoable(original, exc) from exc


def env_before(original: Original, current: bytes | None) -> bytes | None:
    """The same for the .env file."""
    if current is None or _is_own(original, current):
        return None if original.text is None else encode(original.text)
    values = {} if original.text is None else dotenv.loads(original.text)
    try:
        edited = dotenv.edit(decode(current), {name: values.get(name) for (name,) in original.changed})
    except dotenv.EnvFileError as exc:
        raise _not_undoable(original, exc) from exc
    return encode(edited.text)


def decode(content: bytes) -> str:
    """Bytes as text in which every byte is kept, also those that are no UTF-8."""
    return content.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that decode was given."""
    return text.encode("utf-8", "surrogateescape")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _is_own(original: Original, current: bytes) -> bool:
    """Whether nobody but the run has written: the content is what it wrote, or what it found and never replaced."""
    found = () if original.text is None else (_digest(encode(original.text)),)
    return _digest(current) in (*original.written, *found)


def _original(
    earlier: Original | None,
    snapshot: atomic.Snapshot,
    before: bytes | None,
    content: bytes,
    changed: Sequence[tuple[str, ...]],
) -> Original:
    text = None if before is None else decode(before)
    if earlier is None:
        return Original(snapshot.target, text, snapshot.mode, (_digest(content),), tuple(changed))
    return Original(
        snapshot.target,
        text,
        snapshot.mode if earlier.mode is None else earlier.mode,
        # Where others have written in between, this text is not what was there before the earlier writes.
        (*(earlier.written if text == earlier.text else ()), _digest(content)),
        tuple(dict.fromkeys((*earlier.changed, *changed))),
    )


def _steps_back(current: Any, before: Any, changed: Sequence[tuple[str, ...]]) -> Iterator[json5_editor.Change]:
    """The changes that undo the run's part; C(current) is used up.

    What the run made to hold its values goes with the last of them: an empty list of models allows every model, and
    one with an empty entry only that.
    """
    for path in changed:
        if any(path[:length] in changed for length in range(1, len(path))):
            # Something around it was set as well, perhaps by another run, and goes back as a whole.
            continue
        value = at(before, path)
        if value is not REMOVE:
            yield json5_editor.Change(path, value)
            continue
        if at(current, path) is REMOVE:
            continue
        while len(path) > 1 and at(before, path[:-1]) is REMOVE and len(at(current, path[:-1])) == 1:
            path = path[:-1]
        yield json5_editor.Change(path, REMOVE)
        del at(current, path[:-1])[path[-1]]


def _not_undoable(original: Original, exc: Exception) -> ClawdbotError:
    return ClawdbotError(
        f"Others have written {original.path} since, and the part of the earlier run in it cannot be undone: {exc}. "
        "Mend the file, or keep it as it is with state=confirmed."
    )


def _parsed(data: Any) -> Undo:
    if data["version"] != _VERSION:
        raise ValueError("another version")
    return Undo(_parsed_original(data["config"]), _parsed_original(data["env"]))


def _parsed_original(data: Any) -> Original | None:
    if data is None:
        return None
    text, mode = data["text"], data["mode"]
    strings = [
        data["path"],
        *([] if text is None else [text]),
        *data["written"],
        *(n for p in data["changed"] for n in p),
    ]
    if not all(isinstance(string, str) for string in strings) or not (mode is None or isinstance(mode, int)):
        raise TypeError("a field of another type")
    return Original(data["path"], text, mode, tuple(data["written"]), tuple(tuple(path) for path in data["changed"]))
