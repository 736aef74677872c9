# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Where the keys of a gateway stand on its host besides where they belong, and how the host gets rid of them."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.includes import resolve
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import (
    PROVIDERS,
    Dangling,
    dangling_models,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import at
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import agent_files, atomic, journal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import ConflictError, Snapshot
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Product
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint, named_secrets

from . import document_rules, file_scan
from .finding import Finding
from .known_keys import KnownKeys

_OTHERS = 0o077
_LOCK_SECONDS = 120.0
_ATTEMPTS = 5
# What is read whole. The product's own files are a hundredth of it.
_LARGEST_DOCUMENT = 16 * 1024 * 1024

_REMOVE_IT = "Remove it."
_CWD = "The gateway reads this file before its own .env: take the variable out of it."
_HISTORY = "Take the line out of it (history -d in bash), and give the provider a new key."
_ELSEWHERE = "Take it out of there."
# In these the product only ever appends lines: a key in one gives way to as many asterisks, in its place.
_LINES = re.compile(r"\.(?:jsonl|log)(?:\.|$)")


@dataclass(frozen=True)
class DesiredKeys:
    """What an audit compares with."""

    #: Provider id -> the variable that holds its key.
    providers: Mapping[str, str]
    #: Variable -> fingerprint of the key that it shall hold.
    fingerprints: Mapping[str, str]
    #: Fingerprints of keys that shall be nowhere.
    old_keys: frozenset[str]


@dataclass(frozen=True)
class Surroundings:
    """What is to be known of a gateway besides its folder."""

    #: Whether a process runs that has not read the C(.env) as it is.
    outdated: bool
    #: The folder in which the process works.
    working_directory: str | None
    #: The unit's files, and those with variables that it names.
    unit_files: Sequence[str]


@dataclass
class Report:
    """What was found, and what would be done about it. No secret is in C(diffs)."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    dangling: list[Dangling] = field(default_factory=list)
    actions: list[Callable[[], None]] = field(default_factory=list, repr=False)
    diffs: list[dict[str, str]] = field(default_factory=list)
    #: Fingerprints of all keys that were looked for because they shall be nowhere.
    old_keys: frozenset[str] = frozenset()


def audit(product: Product, paths: Paths, desired: DesiredKeys, around: Surroundings) -> Report:
    """What is on the host. Raises ClawdbotError where the gateway's folder cannot be looked into."""
    with _held(paths):
        return _examined(product, paths, desired, around)


def purge(product: Product, paths: Paths, desired: DesiredKeys, around: Surroundings, *, check_mode: bool) -> Report:
    """The same, with what can be cleaned cleaned, or in check mode as if it were; the report is of before.

    Raises ClawdbotError, naming the file, where one cannot be written; each file is as it was, or clean.
    """
    with _held(paths):
        for _attempt in range(_ATTEMPTS):
            report = _examined(product, paths, desired, around)
            if check_mode:
                return report
            with contextlib.suppress(ConflictError):
                # A run that dies in between, or that cannot clean all, must not be the last to know what to look for.
                _remember(paths, report.old_keys)
                for act in report.actions:
                    act()
                left = {one.fingerprint for one in report.findings if not one.purgeable}
                _remember(paths, report.old_keys & left)
                return report
    raise ClawdbotError(
        f"A file of {paths.state_dir} was changed by another process each of the {_ATTEMPTS} times that it was to be "
        "cleaned. Run again later."
    )


def _held(paths: Paths) -> contextlib.AbstractContextManager[None]:
    return atomic.locked([os.path.realpath(paths.state_dir), *_folders(paths)], _LOCK_SECONDS)


def _folders(paths: Paths) -> list[str]:
    """Those in which the collection replaces files."""
    files = [paths.config, paths.env, *agent_files.paths(paths.state_dir)]
    return sorted({os.path.dirname(os.path.realpath(path)) for path in files})


def _examined(product: Product, paths: Paths, desired: DesiredKeys, around: Surroundings) -> Report:
    variables = dotenv.loads(_text_or_empty(paths.env))
    current = {name: variables[name] for name in desired.providers.values() if variables.get(name)}
    # What the host shall have is not old any more, as after a rotation that was taken back.
    old_keys = (desired.old_keys | _remembered(paths)) - frozenset(desired.fingerprints.values())
    keys = KnownKeys(desired.providers, current, old_keys, spellings=product.provider_spellings)
    first = _Examination(product, paths, desired, around, keys)
    first.look_at_documents()
    # A key that stood in the place of a current one is looked for everywhere else.
    second = _Examination(product, paths, desired, around, replace(keys, old_values=first.old_values))
    second.look_at_documents()
    second.look_at_folders()
    second.search()
    second.report.old_keys = old_keys | frozenset(map(fingerprint, first.old_values))
    return second.report


def _memory(config_path: str) -> str:
    """Where the fingerprints of keys are kept that the host could not be cleaned of yet."""
    folder, name = os.path.split(os.path.realpath(config_path))
    return os.path.join(folder, f".{name}.clawfleet-old-keys")


def _remembered(paths: Paths) -> frozenset[str]:
    """They are a help, no more: where they cannot be read, nothing is remembered."""
    lines = _text_or_empty(_memory(paths.config)).splitlines()
    return frozenset(line for line in lines if line.startswith("sha256:"))


def _remember(paths: Paths, old_keys: frozenset[str]) -> None:
    snapshot = atomic.read(_memory(paths.config))
    content = "".join(f"{one}\n" for one in sorted(old_keys)).encode("ascii")
    if not content:
        atomic.remove(snapshot)
    elif content != snapshot.content:
        _rewrite(snapshot, content, 0o600)


class _Examination:
    def __init__(
        self, product: Product, paths: Paths, desired: DesiredKeys, around: Surroundings, keys: KnownKeys
    ) -> None:
        self.product, self.paths, self.desired, self.around, self.keys = product, paths, desired, around, keys
        self.report = Report()
        self.old_values: dict[str, str] = {}
        #: What need not be searched any more, at the end of all links.
        self.seen: set[str] = set()
        self.owner = os.stat(paths.state_dir).st_uid

    def look_at_documents(self) -> None:
        """All files whose parts are known."""
        paths, keys = self.paths, self.keys
        config = self.value(paths.config)
        self.look(
            paths.config,
            lambda path, text: document_rules.config(path, text, keys, replaceable=not self.around.outdated),
            private=any(True for _secret in named_secrets(config)),
        )
        self.look(
            paths.env, lambda path, text: document_rules.env(path, text, keys, self.desired.fingerprints), private=True
        )
        for path in _copies(paths.config):
            self.look_at_copy(path, document_rules.config_copy)
        for path in _copies(paths.env):
            self.look_at_copy(path, document_rules.env_copy)
        expected = {*self.product.built_in_providers, *map(self.product.provider, _names(config))}
        for path in agent_files.paths(paths.state_dir):
            if os.path.basename(path) == agent_files.MODELS:
                self.look(path, lambda path, text: document_rules.models(path, text, keys, expected), private=True)
            else:
                self.look(path, lambda path, text: document_rules.profiles(path, text, keys), private=True)
        for path in self.around.unit_files:
            if os.path.realpath(path) != os.path.realpath(paths.env):
                self.look(path, lambda path, text: document_rules.unit(path, text, keys), own=False)
        own = os.path.join(self.around.working_directory or paths.state_dir, ".env")
        if os.path.realpath(own) not in self.seen:
            self.look(own, lambda path, text: document_rules.plain(path, text, keys, _CWD), own=False)
        self.look_at_record()
        self.find_dangling(config)

    def look_at_record(self) -> None:
        """What a run that was not completed has left for the way back."""
        path = journal.path_beside(self.paths.config)
        if not os.path.lexists(path):
            return
        hint = "Run the role again, or clawfleet.clawdbot.rollback."
        self.look(path, lambda path, text: document_rules.plain(path, text, self.keys, hint), private=True)
        message = f"{path} holds what stood in both files before a run that was not completed."
        self.report.findings.append(Finding("unfinished_run", path, message, hint=hint))

    def look_at_folders(self) -> None:
        """What runs that died have left, and who may enter the state folder."""
        for folder in _folders(self.paths):
            for leftover in atomic.leftovers(folder):
                self.seen.add(os.path.realpath(leftover))
                message = f"{leftover} is what a run that died has left; it may hold keys."
                self.report.findings.append(Finding("leftover", leftover, message, purgeable=True))
                self.report.actions.append(partial(atomic.discard, leftover))
                self.report.diffs.append(_diff(leftover, "there\n", ""))
        status = os.stat(self.paths.state_dir)
        self.check_mode(self.paths.state_dir, stat.S_IMODE(status.st_mode), status.st_uid)

    def search(self) -> None:
        """Every other file of the state folder, the logs, and the history of the account's shells."""
        search = file_scan.Search(self.keys)
        logs = [
            *_configured_log(self.value(self.paths.config)),
            *filter(self.is_own, glob.glob(self.product.log_files)),
        ]
        inside = list(file_scan.files(self.paths.state_dir))
        others = [os.path.join(os.path.expanduser("~"), name) for name in file_scan.HISTORIES]
        for path in dict.fromkeys((*inside, *logs, *others)):
            if os.path.realpath(path) in self.seen:
                continue
            self.seen.add(os.path.realpath(path))
            masks = bool(_LINES.search(os.path.basename(path)))
            hint = _HISTORY if path in others else _ELSEWHERE
            try:
                hits = search.hits(path)
            except ClawdbotError as exc:
                self.report.findings.append(_unreadable(path, exc))
                continue
            for key, positions in hits.items():
                self.report_hit(path, key, positions, hint, masks)
        if search.left_out:
            message = (
                f"{len(search.left_out)} files were not searched, as there is more than an audit reads: "
                f"{', '.join(search.left_out[:3])}{' and others' if len(search.left_out) > 3 else ''}."
            )
            self.report.notes.append(Finding("unreadable", self.paths.state_dir, message, hint="Search them by hand."))

    def is_own(self, path: str) -> bool:
        """Whether a file is this gateway's account's: other accounts may have gateways that log to the same folder."""
        try:
            return os.stat(path).st_uid == self.owner
        except OSError:
            return False

    def report_hit(
        self, path: str, found: file_scan.FoundKey, positions: list[file_scan.Position], hint: str, masks: bool
    ) -> None:
        finding = document_rules.line_finding(path, positions[0].line, found.status, found.key, found.variable)
        if len(positions) > 1:
            message = f"{finding.message[:-1]} and in {len(positions) - 1} more places."
            finding = replace(finding, message=message)
        self.report.findings.append(replace(finding, purgeable=True) if masks else replace(finding, hint=hint))
        if masks:
            offsets = [position.offset for position in positions]
            self.report.actions.append(partial(file_scan.mask, path, found.key, offsets))
            self.report.diffs.append(_diff(path, f"{finding.where}=<{finding.fingerprint}>\n", ""))

    def look_at_copy(self, path: str, examine: Callable[[str, str, KnownKeys], document_rules.Examination]) -> None:
        def look(path: str, text: str) -> document_rules.Examination:
            if "\0" not in text:
                with contextlib.suppress(ValueError):
                    return examine(path, text, self.keys)
            return document_rules.plain(path, text, self.keys, _REMOVE_IT)

        self.look(path, look)

    def look(
        self,
        path: str,
        examine: Callable[[str, str], document_rules.Examination],
        *,
        private: bool = False,
        own: bool = True,
    ) -> None:
        """Takes one file into the report. C(private): no other account may read it, whatever is found in it."""
        try:
            snapshot = _read(path)
            if snapshot is None:
                return
            self.seen.add(snapshot.target)
            text = journal.decode(snapshot.content or b"")
            look = examine(path, text)
        except (ClawdbotError, ValueError) as exc:
            self.report.findings.append(_unreadable(path, exc))
            return
        self.report.findings += look.findings
        self.report.notes += look.notes
        self.old_values.update(look.old_values)
        if not own:
            return
        mode = snapshot.mode or 0
        if private or look.findings or look.notes:
            mode = self.check_mode(path, mode, snapshot.owner, look.cleaned != text)
        if look.cleaned != text:
            content = journal.encode(look.cleaned)
            self.report.actions.append(partial(_rewrite, snapshot, content, mode))
            gone = [finding for finding in look.findings if finding.purgeable]
            self.report.diffs.append(
                _diff(path, "".join(f"{finding.where}=<{finding.fingerprint}>\n" for finding in gone), "")
            )

    def check_mode(self, path: str, mode: int, owner: int | None, rewritten: bool = False) -> int:
        """The mode that the file or folder shall have."""
        if owner != self.owner:
            message = f"{path} belongs to the account {owner}, and the gateway's folder to {self.owner}."
            hint = f"chown it to {self.owner}, or remove it."
            self.report.findings.append(Finding("wrong_owner", path, message, hint=hint))
        wanted = mode & ~_OTHERS
        if wanted != mode:
            message = f"{path} has mode {mode:04o}: other accounts get at the keys in it."
            self.report.findings.append(Finding("wrong_mode", path, message, purgeable=True))
            self.report.diffs.append(_diff(path, f"mode {mode:04o}\n", f"mode {wanted:04o}\n"))
            if not rewritten:
                self.report.actions.append(partial(_chmod, path, wanted))
        return wanted

    def find_dangling(self, config: Any) -> None:
        with contextlib.suppress(ClawdbotError, json5_reader.Json5Error):
            seen = resolve(config, self.paths.config, _text).value
            if isinstance(seen, dict):
                own, spellings = self.product.built_in_providers, self.product.provider_spellings
                self.report.dangling += dangling_models(seen, self.known_models(), own, spellings)

    def known_models(self) -> dict[str, set[str]]:
        """What the product has put together, provider to ids of models."""
        known: dict[str, set[str]] = {}
        for path in agent_files.paths(self.paths.state_dir):
            if os.path.basename(path) != agent_files.MODELS:
                continue
            providers = at(self.value(path), ("providers",))
            for name, entry in providers.items() if isinstance(providers, dict) else ():
                listed = at(entry, ("models",))
                ids = [at(model, ("id",)) for model in listed] if isinstance(listed, list) else []
                known.setdefault(name, set()).update(one for one in ids if isinstance(one, str))
        return known

    def value(self, path: str) -> Any:
        """What stands in a file, an empty object where it cannot be told; that it cannot is found elsewhere."""
        try:
            return json5_reader.loads(_text_or_empty(path))
        except json5_reader.Json5Error:
            return {}


def _names(config: Any) -> Iterable[str]:
    providers = at(config, PROVIDERS)
    return providers if isinstance(providers, dict) else ()


def _copies(path: str) -> Iterator[str]:
    """The files beside a file that are named after it: backups of the product, of editors, of people."""
    folder, name = os.path.split(path)
    stem = re.escape(name.lstrip("."))
    pattern = re.compile(rf"[.#]*{stem}(?![A-Za-z0-9]).*")
    ours = {name, *(os.path.basename(own) for own in (journal.path_beside(path), _memory(path)))}
    try:
        entries = sorted(os.listdir(folder))
    except OSError:
        return
    ours.update(map(os.path.basename, atomic.leftovers(folder)))
    for entry in entries:
        other = os.path.join(folder, entry)
        if entry not in ours and pattern.fullmatch(entry) and os.path.isfile(other):
            yield other


def _configured_log(config: Any) -> list[str]:
    path = at(config, ("logging", "file"))
    return [path] if isinstance(path, str) and os.path.isabs(path) else []


def _read(path: str) -> Snapshot | None:
    """The file, None where there is none. Raises ClawdbotError for one that is too large to be what it should be."""
    try:
        size = os.stat(path).st_size
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ClawdbotError(f"Cannot read {path}: {exc.strerror}.") from exc
    if size > _LARGEST_DOCUMENT:
        raise ClawdbotError(f"It has {size} bytes, and what it should be has no more than {_LARGEST_DOCUMENT}.")
    snapshot = atomic.read(path)
    return None if snapshot.content is None else snapshot


def _text(path: str) -> str | None:
    snapshot = _read(path)
    return None if snapshot is None else journal.decode(snapshot.content or b"")


def _text_or_empty(path: str) -> str:
    """The text, empty where there is none or it cannot be read, which is found elsewhere."""
    try:
        return _text(path) or ""
    except ClawdbotError:
        return ""


def _unreadable(path: str, reason: Exception) -> Finding:
    message = f"{path} cannot be looked into: {str(reason).rstrip('.')}."
    return Finding("unreadable", path, message, hint="Mend it, or move it away.")


def _rewrite(snapshot: Snapshot, content: bytes, mode: int) -> None:
    with atomic.temporary_file(snapshot, content, mode) as candidate:
        atomic.commit(snapshot, candidate)


def _chmod(path: str, mode: int) -> None:
    try:
        os.chmod(path, mode)
    except OSError as exc:
        raise ClawdbotError(f"Cannot change the mode of {path}: {exc.strerror}.") from exc


def _diff(path: str, before: str, after: str) -> dict[str, str]:
    return {"before_header": path, "after_header": path, "before": before, "after": after}
