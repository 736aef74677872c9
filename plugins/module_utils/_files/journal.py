# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The rollback journal: the files as they were before a run, kept beside the config until the run is verified.

It holds keys, like the files themselves: it has mode 0600, and is removed as soon as it is not needed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_editor, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.additions import (
    env_with_additions,
    keys_with_additions,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.key_files import key_file
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE, at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from . import atomic

_VERSION = 1


@dataclass(frozen=True)
class Original:
    """One file before a run, and what the run changed in it."""

    #: The file itself, at the end of all symbolic links.
    path: str
    #: Its content, `None` if there was no file. It may hold keys, so it is in no repr.
    text: str | None = field(repr=False)
    mode: int | None
    #: The digests of what the run writes, and its rollback before the end. Only a file with one of them is restored as
    #: a whole.
    written: tuple[str, ...]
    #: What the run has set, by path in the config or by name in `.env`.
    changed: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Journal:
    """The rollback journal of one run, or of one that died and those that continued it."""

    config: Original | None = None
    env: Original | None = None
    #: Of the file with keys beside `.env`.
    keys: Original | None = None
    #: Of the record of the dates of keys, which nothing else writes.
    dates: Original | None = None


def path_beside(config_path: str) -> str:
    """Return the path of the journal of a config."""
    directory, name = os.path.split(os.path.realpath(config_path))
    return os.path.join(directory, f".{name}.clawfleet-journal")


def load(config_path: str, env_path: str) -> Journal | None:
    """Return the journal beside the config, `None` if there is none.

    Raises `ClawdbotError` for one that is broken or belongs to another `.env`, or to the file with keys beside that.
    """
    path = path_beside(config_path)
    snapshot = atomic.read(path)
    if snapshot.content is None:
        return None
    try:
        journal = _parsed(json.loads(snapshot.content))
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise ClawdbotError(
            f"{path}, the rollback journal of an earlier run, is broken. Check the files of the gateway, then remove "
            "it."
        ) from exc
    for original, given in ((journal.env, env_path), (journal.keys, key_file("file", env_path))):
        if original and original.path != os.path.realpath(given):
            raise ClawdbotError(
                f"{path} is the rollback journal of an earlier run that wrote {original.path}, not {given}. Confirm "
                "or roll back that run first."
            )
    return journal


def save(config_path: str, journal: Journal) -> None:
    """Write the journal beside the config and flush it. To be called before anything is changed."""
    snapshot = atomic.read(path_beside(config_path))
    content = json.dumps({"version": _VERSION, **asdict(journal)}).encode("ascii")
    with atomic.temporary_file(snapshot, content, 0o600) as path:
        atomic.commit(snapshot, path)


def discard(config_path: str) -> None:
    """Remove the journal, if there is one."""
    atomic.remove(atomic.read(path_beside(config_path)))


def config_original(
    earlier: Original | None, snapshot: atomic.Snapshot, content: bytes, paths: Sequence[tuple[str, ...]]
) -> Original:
    """Return the journal entry of a config that is about to be written. One of an unconfirmed run keeps its original.

    Raises `ClawdbotError` as `rolled_back_config` does.
    """
    before = snapshot.content if earlier is None else rolled_back_config(earlier, snapshot.content)
    return _original(earlier, snapshot, before, [content], paths)


def env_original(
    earlier: Original | None, snapshot: atomic.Snapshot, content: bytes | None, names: Sequence[str]
) -> Original:
    """Do the same for `.env`."""
    before = snapshot.content if earlier is None else rolled_back_env(earlier, snapshot.content)
    contents = _contents(env_with_additions, snapshot.content, before, content)
    return _original(earlier, snapshot, before, contents, [(name,) for name in names])


def keys_original(
    earlier: Original | None, snapshot: atomic.Snapshot, content: bytes | None, names: Sequence[str]
) -> Original:
    """Do the same for the file with keys, which is rolled back as a config is."""
    before = snapshot.content if earlier is None else rolled_back_config(earlier, snapshot.content)
    contents = _contents(keys_with_additions, snapshot.content, before, content)
    return _original(earlier, snapshot, before, contents, [(name,) for name in names])


def rolled_back_config(original: Original, current: bytes | None) -> bytes | None:
    """Return the config after a rollback, `None` for no file.

    That is its original or, if others have written since, the current one with the run's changes rolled back.
    Raises `ClawdbotError` if the current one is no longer a config.
    """
    if current is None or _is_own(original, current):
        return content_of(original.text)
    try:
        before = {} if original.text is None else json5_reader.loads(original.text)
        text = decode(current)
        return encode(
            json5_editor.edit(text, list(_rollback_changes(json5_reader.loads(text), before, original.changed)))
        )
    except (json5_reader.Json5Error, json5_editor.Json5PathError) as exc:
        raise _cannot_roll_back(original, exc) from exc


def dates_original(earlier: Original | None, snapshot: atomic.Snapshot) -> Original:
    """Return the journal entry of the record of the dates of keys."""
    return earlier or Original(snapshot.target, text_of(snapshot.content), snapshot.mode, (), ())


def rolled_back_dates(original: Original, _current: bytes | None) -> bytes | None:
    """Return that record as it was before the run."""
    return content_of(original.text)


def rolled_back_env(original: Original, current: bytes | None) -> bytes | None:
    """Do the same for `.env`."""
    if current is None or _is_own(original, current):
        return content_of(original.text)
    values = {} if original.text is None else dotenv.loads(original.text)
    try:
        edited = dotenv.edit(decode(current), {name: values.get(name) for (name,) in original.changed})
    except dotenv.EnvFileError as exc:
        raise _cannot_roll_back(original, exc) from exc
    return encode(edited.text)


def text_of(content: bytes | None) -> str | None:
    """Return the content of a file as `decode` does, None for no file."""
    return None if content is None else decode(content)


def content_of(text: str | None) -> bytes | None:
    """Return the bytes that `text_of` was given."""
    return None if text is None else encode(text)


def decode(content: bytes) -> str:
    """Return bytes as a string that keeps every byte, also invalid UTF-8."""
    return content.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """Return the bytes that `decode` was given."""
    return text.encode("utf-8", "surrogateescape")


def digest(content: bytes) -> str:
    """Return the digest of the content of a file."""
    return hashlib.sha256(content).hexdigest()


def _is_own(original: Original, current: bytes) -> bool:
    """Whether only the run has written: the content is what it wrote, or what it found and never replaced."""
    found = () if original.text is None else (digest(encode(original.text)),)
    return digest(current) in (*original.written, *found)


def _contents(
    additions: Callable[[str | None, str | None], str | None],
    found: bytes | None,
    before: bytes | None,
    content: bytes | None,
) -> Iterator[bytes]:
    """Yield what a run writes into a file in turn, and for each of them what a rollback writes into it first."""
    written = [additions(text_of(found), text_of(content)), text_of(content)]
    back = [additions(text, text_of(before)) for text in written]
    yield from (encode(text) for text in (*written, *back) if text is not None)


def _original(
    earlier: Original | None,
    snapshot: atomic.Snapshot,
    before: bytes | None,
    contents: Iterable[bytes],
    changed: Sequence[tuple[str, ...]],
) -> Original:
    text, digests = text_of(before), map(digest, contents)
    if earlier is None:
        return Original(snapshot.target, text, snapshot.mode, tuple(dict.fromkeys(digests)), tuple(changed))
    return Original(
        snapshot.target,
        text,
        snapshot.mode if earlier.mode is None else earlier.mode,
        # If others have written in between, this text is not the one before the earlier writes.
        tuple(dict.fromkeys((*(earlier.written if text == earlier.text else ()), *digests))),
        tuple(dict.fromkeys((*earlier.changed, *changed))),
    )


def _rollback_changes(current: Any, before: Any, changed: Sequence[tuple[str, ...]]) -> Iterator[json5_editor.Change]:
    """Yield the changes that roll back the run's part. `current` is modified.

    A parent that the run added is removed with the last of its values: an empty list of models allows every model, and
    one with an empty entry only that.
    """
    for path in changed:
        if any(path[:length] in changed for length in range(1, len(path))):
            # A parent was set as well, perhaps by another run, and is rolled back as a whole.
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


def _cannot_roll_back(original: Original, exc: Exception) -> ClawdbotError:
    return ClawdbotError(
        f"Others have written {original.path} since, and the changes of the earlier run in it cannot be rolled back: "
        f"{exc}. Repair the file, or keep it as it is with state=confirmed."
    )


def _parsed(data: Any) -> Journal:
    if data["version"] != _VERSION:
        raise ValueError("another version")
    # A run of an older version of the collection may have left a journal without the last two.
    return Journal(*map(_parsed_original, (data["config"], data["env"], data.get("keys"), data.get("dates"))))


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
