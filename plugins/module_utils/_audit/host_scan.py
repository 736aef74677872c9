# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Keys on a gateway's host outside the places where they belong: finding them, and cleaning the host of them.

An audit reads everything once and decides what is wrong and what a purge would change. A purge applies just that.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import referring_places
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.includes import resolve
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import (
    PROVIDERS,
    Dangling,
    dangling_models,
    provider_id,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import at, members
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import agent_files, atomic, journal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import ConflictError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import Product
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from . import (
    agent_file_rules,
    config_rules,
    documents,
    env_rules,
    file_scan,
    found_keys,
    old_keys_file,
    stored_profiles,
)
from .cleanup import ChangeMode, Cleanup, Diff, MaskKey, RemoveLeftover, RewriteFile
from .document_rules import Context, Rules, line_finding, manual, purgeable
from .documents import JOURNAL_HINT, Reading
from .finding import Finding
from .known_keys import KnownKeys
from .stored_profiles import StoredProfiles

_OTHERS = 0o077
_LOCK_SECONDS = 120.0
_ATTEMPTS = 5

_HISTORY = "Delete the line (history -d in bash), and replace the key."
_ELSEWHERE = "Remove it from the file."
_IN_DATABASE = "Delete the session that it is in. What was deleted is overwritten when the gateway is restarted."
# A database, and the files that SQLite keeps beside it.
_DATABASE = re.compile(r"\.sqlite(-(?:wal|journal|shm))?\Z")
# The gateway only ever appends lines to these: a key in one is masked in place.
_APPENDED = re.compile(r"\.(?:jsonl|log)(?:\.|$)")


@dataclass(frozen=True)
class DesiredKeys:
    """The keys that a host should hold, and those that it should not."""

    #: Provider id -> the environment variable that holds its key.
    providers: Mapping[str, str]
    #: Provider id -> the further environment variables that hold its key.
    also_in: Mapping[str, Sequence[str]]
    #: Environment variable -> fingerprint of the key that it should hold.
    fingerprints: Mapping[str, str]
    #: Fingerprints of keys that should be nowhere.
    old_keys: frozenset[str]


@dataclass(frozen=True)
class ServiceFacts:
    """What an audit needs to know of a gateway besides its files."""

    #: Whether a process runs that has not read `.env` since it was changed.
    outdated: bool
    #: The directory in which the process works.
    working_directory: str | None
    #: The files of the unit, and the files of environment variables that it names.
    unit_files: Sequence[str]
    #: Its CLI, which removes what is in databases.
    gateway: Gateway


@dataclass(frozen=True)
class Report:
    """The result of an audit: findings, notes, and the cleanups that a purge would apply."""

    findings: Sequence[Finding] = ()
    notes: Sequence[Finding] = ()
    cleanups: Sequence[Cleanup] = field(default=(), repr=False)
    dangling: Sequence[Dangling] = ()
    #: Fingerprints of all old keys that were searched for.
    old_keys: frozenset[str] = frozenset()
    #: The keys that were searched for, and to which hosts provider blocks send which key.
    keys: KnownKeys = field(default_factory=lambda: KnownKeys({}, {}))
    hosts: Mapping[str, Collection[str]] = field(default_factory=dict, repr=False)

    def diffs(self) -> list[Diff]:
        """Return what a purge changes. No secret is in it."""
        return [diff for cleanup in self.cleanups for diff in cleanup.diffs()]


def audit(product: Product, paths: Paths, desired: DesiredKeys, service: ServiceFacts) -> Report:
    """Return what is on the host. Raises `ClawdbotError` where the state directory cannot be read."""
    with _locked(paths):
        return _examine(product, paths, desired, service)


def purge(product: Product, paths: Paths, desired: DesiredKeys, service: ServiceFacts, *, check_mode: bool) -> Report:
    """Audit, then apply the cleanups unless in check mode. The report is of the state before.

    Raises `ClawdbotError`, naming the file, where one cannot be written; each file is unchanged or clean.
    """
    with _locked(paths):
        for _attempt in range(_ATTEMPTS):
            report = _examine(product, paths, desired, service)
            if check_mode:
                return report
            with contextlib.suppress(ConflictError):
                _apply(paths, report)
                return report
    raise ClawdbotError(
        f"Cannot clean {paths.state_dir}: another process changed a file in each of {_ATTEMPTS} attempts. Run again "
        "later."
    )


def _apply(paths: Paths, report: Report) -> None:
    # The next run must know the old keys too, should this one be interrupted or not be able to clean everything.
    old_keys_file.save(paths.config, report.old_keys)
    for cleanup in report.cleanups:
        cleanup.apply()
    left = {finding.fingerprint for finding in report.findings if not finding.purgeable}
    old_keys_file.save(paths.config, report.old_keys & left)


def _locked(paths: Paths) -> contextlib.AbstractContextManager[None]:
    return atomic.locked([os.path.realpath(paths.state_dir), *_written_directories(paths)], _LOCK_SECONDS)


def _written_directories(paths: Paths) -> list[str]:
    """The directories in which the collection replaces files."""
    files = [paths.config, paths.env, *agent_files.paths(paths.state_dir)]
    return sorted({os.path.dirname(os.path.realpath(path)) for path in files})


def _examine(product: Product, paths: Paths, desired: DesiredKeys, service: ServiceFacts) -> Report:
    readings = documents.read_all(documents.sources(product, paths, service.unit_files, service.working_directory))
    config = _value(readings, config_rules.CONFIG)
    resolved = _resolved(config, paths.config) or config
    stored = stored_profiles.read_all(service.gateway, paths.state_dir, resolved)
    context = Context(
        keys=_known_keys(readings, stored, desired, old_keys_file.load(paths.config), product.provider_spellings),
        replaceable=not service.outdated,
        fingerprints=desired.fingerprints,
        uses=_uses(resolved),
        expected_providers={
            *product.built_in_providers,
            *(provider_id(name, product.provider_spellings) for name in members(config, PROVIDERS)),
        },
    )
    owner = os.stat(paths.state_dir).st_uid
    leftovers = [path for directory in _written_directories(paths) for path in atomic.leftovers(directory)]
    examined = {reading.snapshot.target for reading in readings if reading.snapshot}
    examined.update(map(os.path.realpath, leftovers))
    in_stores = _store_report(stored, service.gateway, context.keys, resolved)
    parts = [
        *(_document_report(reading, context, owner) for reading in readings),
        _journal_report(journal.path_beside(paths.config)),
        *map(_leftover_report, leftovers),
        _directory_report(paths.state_dir, owner),
        _search(_search_paths(product, paths, config, owner), examined, context.keys, paths.state_dir, in_stores),
        # Last: the CLI may write the config, and the cleanups above expect the files as they were read.
        in_stores,
    ]
    return Report(
        findings=[finding for part in parts for finding in part.findings],
        notes=[note for part in parts for note in part.notes],
        cleanups=[cleanup for part in parts for cleanup in part.cleanups],
        dangling=_dangling(config, paths.config, readings, product),
        old_keys=context.keys.old | frozenset(map(fingerprint, context.keys.old_values)),
        keys=context.keys,
        hosts=found_keys.hosts_of(_provider_blocks(readings)),
    )


# --- Documents -------------------------------------------------------------------------------------------------------


def _value(readings: Iterable[Reading], rules: Rules) -> Any:
    """The value of the only document with these rules; None where it cannot be parsed."""
    return next((one.document.value for one in readings if one.rules is rules and one.document), None)


def _provider_blocks(readings: Iterable[Reading]) -> Iterator[Any]:
    """The provider blocks of the config, its copies and the files of agents."""
    paths = {
        config_rules.CONFIG: PROVIDERS,
        config_rules.CONFIG_COPY: PROVIDERS,
        agent_file_rules.MODELS: PROVIDERS[1:],
    }
    for reading in readings:
        if reading.document is not None and reading.rules in paths:
            yield from members(reading.document.value, paths[reading.rules]).values()


def _known_keys(
    readings: Sequence[Reading],
    stored: StoredProfiles,
    desired: DesiredKeys,
    remembered: frozenset[str],
    spellings: Mapping[str, str],
) -> KnownKeys:
    """The keys of `.env`, the old keys by fingerprint, and those in the places of current ones."""
    in_file = _value(readings, env_rules.KEYS) or {}
    in_env = _value(readings, env_rules.ENV) or {}
    variables = {**in_env, **in_file}
    further = [name for names in desired.also_in.values() for name in names]
    # The variable that the block of a provider refers to is the last, and stands for its key.
    current = {name: variables[name] for name in (*further, *desired.providers.values()) if variables.get(name)}
    # A key that the host should hold is not old, as after a rotation that was reverted.
    old = (desired.old_keys | remembered) - frozenset(desired.fingerprints.values())
    keys = KnownKeys(
        desired.providers,
        current,
        old,
        spellings=spellings,
        in_file=frozenset(in_file),
        not_in_env=frozenset(name for name in in_file if not in_env.get(name)),
    )
    old_values = stored_profiles.old_values(stored, keys)
    for reading in readings:
        if reading.document is not None and reading.rules.old_values is not None:
            old_values.update(reading.rules.old_values(reading.document.value, keys))
    return replace(keys, old_values=old_values)


def _document_report(reading: Reading, context: Context, owner: int) -> Report:
    if reading.document is None or reading.snapshot is None:
        return Report([_unreadable(reading.source.path, reading.error)])
    document, snapshot = reading.document, reading.snapshot
    examined = reading.rules.examine(document, context)
    report = Report(examined.findings, examined.notes)
    if not reading.source.owned:
        return report
    before = after = snapshot.mode or 0
    if examined.private or examined.findings or examined.notes:
        access, after = _access(document.path, before, snapshot.owner, owner)
        report = replace(report, findings=[*report.findings, *access])
    if examined.cleaned != document.text:
        removed = [finding for finding in examined.findings if finding.purgeable]
        content = journal.encode(examined.cleaned)
        return replace(report, cleanups=[RewriteFile(snapshot, content, after, removed)])
    return replace(report, cleanups=_mode_cleanups(document.path, before, after))


def _access(path: str, mode: int, owner: int | None, expected_owner: int) -> tuple[list[Finding], int]:
    """The findings for owner and mode, and the right mode."""
    findings = []
    if owner != expected_owner:
        message = f"{path} belongs to UID {owner}, and the state directory to UID {expected_owner}."
        hint = f"Change its owner to {expected_owner}, or delete it."
        findings.append(Finding("wrong_owner", path, message, hint=hint))
    private = mode & ~_OTHERS
    if private != mode:
        message = f"{path} has mode {mode:04o}: other accounts can read the keys in it."
        findings.append(Finding("wrong_mode", path, message, purgeable=True))
    return findings, private


def _mode_cleanups(path: str, before: int, after: int) -> list[Cleanup]:
    return [] if before == after else [ChangeMode(path, before, after)]


def _unreadable(path: str, reason: str) -> Finding:
    message = f"Cannot audit {path}: {reason.rstrip('.')}."
    return Finding("unreadable", path, message, hint="Repair it, or move it away.")


def _store_report(stored: StoredProfiles, gateway: Gateway, keys: KnownKeys, config: Any) -> Report:
    """The auth profiles in databases."""
    examined = list(stored_profiles.examine(gateway, stored, keys, config))
    hint = "Until it can be read, keys in it are not known."
    unreadable = [Finding("unreadable", path, reason, hint=hint) for path, reason in stored.unreadable.items()]
    return Report(
        [*(found for found, _cleanup in examined), *unreadable],
        cleanups=[cleanup for _found, cleanup in examined if cleanup],
    )


# --- Interrupted runs ------------------------------------------------------------------------------------------------


def _journal_report(path: str) -> Report:
    if not os.path.lexists(path):
        return Report()
    message = f"{path} is the rollback journal of a run that was not completed."
    return Report([Finding("unfinished_run", path, message, hint=JOURNAL_HINT)])


def _leftover_report(path: str) -> Report:
    message = f"{path} was left by an interrupted run and may hold keys."
    return Report([Finding("leftover", path, message, purgeable=True)], cleanups=[RemoveLeftover(path)])


def _directory_report(state_dir: str, owner: int) -> Report:
    """The mode of the state directory."""
    mode = stat.S_IMODE(os.stat(state_dir).st_mode)
    findings, private = _access(state_dir, mode, owner, owner)
    return Report(findings, cleanups=_mode_cleanups(state_dir, mode, private))


# --- Files of any kind -----------------------------------------------------------------------------------------------


def _search_paths(product: Product, paths: Paths, config: Any, owner: int) -> Iterator[str]:
    """Every file of the state directory, the logs, and the histories of the account's shells."""
    yield from file_scan.files(paths.state_dir)
    configured = at(config, ("logging", "file"))
    if isinstance(configured, str) and os.path.isabs(configured):
        yield configured
    yield from (path for path in glob.glob(product.log_files) if _belongs_to(path, owner))
    yield from _histories()


def _histories() -> list[str]:
    return [os.path.join(os.path.expanduser("~"), name) for name in file_scan.HISTORIES]


def _belongs_to(path: str, owner: int) -> bool:
    """Gateways of other accounts may log to the same directory."""
    try:
        return os.stat(path).st_uid == owner
    except OSError:
        return False


def _search(
    paths: Iterable[str], examined: Collection[str], keys: KnownKeys, state_dir: str, in_stores: Report
) -> Report:
    """Search the files, except those that were examined as documents. What was found in a store is not repeated."""
    search = file_scan.Search(keys)
    known = {(one.place, one.fingerprint) for one in in_stores.findings}
    findings: list[Finding] = []
    cleanups: list[Cleanup] = []
    searched, histories = set(examined), _histories()
    for path in paths:
        target = os.path.realpath(path)
        if target in searched:
            continue
        searched.add(target)
        try:
            hits = search.hits(path)
        except ClawdbotError as exc:
            findings.append(_unreadable(path, str(exc)))
            continue
        for key, positions in hits.items():
            if (_DATABASE.sub(".sqlite", path), fingerprint(key.key)) in known:
                continue
            hint = _HISTORY if path in histories else _IN_DATABASE if _DATABASE.search(path) else _ELSEWHERE
            finding = _hit_finding(path, key, positions, hint)
            findings.append(finding)
            if finding.purgeable:
                cleanups.append(MaskKey(path, key.key, [position.offset for position in positions], finding))
    return Report(findings, _left_out(search.left_out, state_dir), cleanups)


def _hit_finding(path: str, key: file_scan.FoundKey, positions: Sequence[file_scan.Position], hint: str) -> Finding:
    finding = line_finding(path, positions[0].line, key.status, key.key, key.variable, count=len(positions))
    return purgeable(finding) if _APPENDED.search(os.path.basename(path)) else manual(finding, hint)


def _left_out(paths: Sequence[str], state_dir: str) -> list[Finding]:
    if not paths:
        return []
    message = (
        f"{len(paths)} files were not searched, because the limit of an audit was reached: "
        f"{', '.join(paths[:3])}{' and others' if len(paths) > 3 else ''}."
    )
    return [Finding("unreadable", state_dir, message, hint="Search them by hand.")]


# --- Models ----------------------------------------------------------------------------------------------------------


def _dangling(config: Any, config_path: str, readings: Iterable[Reading], product: Product) -> list[Dangling]:
    resolved = _resolved(config, config_path)
    if not isinstance(resolved, dict):
        return []
    known, own = _known_models(readings), product.built_in_providers
    return list(dangling_models(resolved, known, own, product.provider_spellings))


def _resolved(config: Any, config_path: str) -> Any:
    """The config with the files that it includes; None where they cannot be read."""
    with contextlib.suppress(ClawdbotError):
        return resolve(config, config_path, documents.read_text).value
    return None


def _uses(config: Any) -> dict[str, list[str]]:
    """Environment variable -> the places of the config that refer to it."""
    uses: dict[str, list[str]] = {}
    for name, path in referring_places(config):
        uses.setdefault(name, []).append(".".join(path))
    return uses


def _known_models(readings: Iterable[Reading]) -> dict[str, set[str]]:
    """The models that the gateway itself has put together: provider -> ids of models."""
    known: dict[str, set[str]] = {}
    for reading in readings:
        if reading.rules is agent_file_rules.MODELS and reading.document is not None:
            for entry in agent_files.parse_models(reading.document.value):
                known.setdefault(entry.provider, set()).update(entry.model_ids)
    return known
