# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The documents of a gateway: the files that an audit parses, and one reading of each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.key_files import key_file
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import (
    agent_files,
    atomic,
    journal,
    key_dates_file,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import Snapshot
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Product

from . import agent_file_rules, config_rules, env_rules, old_keys_file, text_rules
from .document_rules import Document, Rules

# A hundred times the size of the gateway's own files.
_LARGEST = 16 * 1024 * 1024

JOURNAL_HINT = "Run the role again, or clawfleet.clawdbot.rollback."
_JOURNAL = text_rules.plain_text(JOURNAL_HINT, private=True)


@dataclass(frozen=True)
class Source:
    """A document to read, and the rules that apply to it."""

    path: str
    rules: Rules
    #: Whether a purge may change the file.
    owned: bool = True
    #: The rules for a file that cannot be parsed; without them it is reported as unreadable.
    fallback: Rules | None = None


@dataclass(frozen=True)
class Reading:
    """A document as it was read."""

    source: Source
    #: The rules that apply: those of the source, or its fallback.
    rules: Rules
    #: None where the file could not be read.
    snapshot: Snapshot | None
    #: None where the file could not be read or parsed; `error` says why.
    document: Document | None = field(repr=False)
    error: str = ""


def sources(product: Product, paths: Paths, unit_files: Iterable[str], working_directory: str | None) -> list[Source]:
    """Return the documents of a gateway. A file to which several paths lead is listed once, by the first path."""
    found = [Source(paths.config, config_rules.CONFIG), Source(paths.env, env_rules.ENV)]
    if product.reload_method:
        found.append(Source(key_file("file", paths.env), env_rules.KEYS))
    for path, rules in ((paths.config, config_rules.CONFIG_COPY), (paths.env, env_rules.ENV_COPY)):
        found += [Source(copy, rules, fallback=text_rules.UNPARSED_COPY) for copy in _copies(path)]
    for path in agent_files.paths(paths.state_dir):
        models = os.path.basename(path) == agent_files.MODELS
        found.append(Source(path, agent_file_rules.MODELS if models else agent_file_rules.PROFILES))
    found += [Source(path, text_rules.UNIT, owned=False) for path in unit_files]
    first_env = os.path.join(working_directory or paths.state_dir, ".env")
    found.append(Source(first_env, text_rules.WORKING_DIRECTORY_ENV, owned=False))
    found.append(Source(journal.path_beside(paths.config), _JOURNAL))
    # A copy that is a link to the original must not be cleaned as a copy.
    unique: dict[str, Source] = {}
    for source in found:
        unique.setdefault(os.path.realpath(source.path), source)
    return list(unique.values())


def read_all(found: Sequence[Source]) -> list[Reading]:
    """Read and parse each document that exists."""
    return [reading for source in found if (reading := _read(source)) is not None]


def read_text(path: str) -> str | None:
    """Return the text of a file, None where there is none. Raises `ClawdbotError`."""
    snapshot = _snapshot(path)
    return None if snapshot is None else _text(snapshot)


def _read(source: Source) -> Reading | None:
    rules = source.rules
    try:
        snapshot = _snapshot(source.path)
    except ClawdbotError as exc:
        return Reading(source, rules, None, None, str(exc))
    if snapshot is None:
        return None
    text = _text(snapshot)
    try:
        if source.fallback is not None and "\0" in text:
            raise ValueError("It is not a text")
        return Reading(source, rules, snapshot, Document(source.path, text, rules.parse(text)))
    except ValueError as exc:
        if source.fallback is None:
            return Reading(source, rules, snapshot, None, str(exc))
        return Reading(source, source.fallback, snapshot, Document(source.path, text, None))


def _snapshot(path: str) -> Snapshot | None:
    """The file, None where there is none. Raises `ClawdbotError`, also for one that is too large."""
    try:
        size = os.stat(path).st_size
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ClawdbotError(f"Cannot read {path}: {exc.strerror}.") from exc
    if size > _LARGEST:
        raise ClawdbotError(f"it has {size} bytes, more than the limit of {_LARGEST}.")
    snapshot = atomic.read(path)
    return None if snapshot.content is None else snapshot


def _text(snapshot: Snapshot) -> str:
    return journal.decode(snapshot.content or b"")


def _copies(path: str) -> Iterator[str]:
    """The files beside a file that are named after it: backups of the gateway, of editors, of people."""
    directory, name = os.path.split(path)
    stem = re.escape(name.lstrip("."))
    pattern = re.compile(rf"[.#]*{stem}(?![A-Za-z0-9]).*")
    try:
        entries = sorted(os.listdir(directory))
    except OSError:
        return
    records = (journal.path_beside(path), old_keys_file.path_beside(path), key_dates_file.path_beside(path))
    ours = {name, *map(os.path.basename, records)}
    ours.update(map(os.path.basename, atomic.leftovers(directory)))
    for entry in entries:
        other = os.path.join(directory, entry)
        if entry not in ours and pattern.fullmatch(entry) and os.path.isfile(other):
            yield other
