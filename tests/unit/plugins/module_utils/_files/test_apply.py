# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_reader, key_files
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.env_refs import references
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import Desired, Removal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import apply, atomic, journal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.apply import ApplyResult, Files

OLD_CONFIG, NEW_CONFIG = (
    b"{a: 1}\n",
    b'{a: 1, models: { mode: "merge", providers: { moonshot: { apiKey: "${KEY}" } } }}\n',
)
OLD_ENV, NEW_ENV = b"KEY=old\n", b"KEY=new\n"
DESIRED = Desired(providers={"moonshot": {"apiKey": "${KEY}"}})
JOURNAL, DATES = ".c.json.clawfleet-journal", ".c.json.clawfleet-key-dates"

Commit = Callable[[atomic.Snapshot, str], None]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    found = Files(str(tmp_path / "c.json"), str(tmp_path / ".env"))
    Path(found.config).write_bytes(OLD_CONFIG)
    Path(found.env).write_bytes(OLD_ENV)
    Path(found.env).chmod(0o600)
    return found


def present(files: Files, value: str = "new", check_mode: bool = False) -> ApplyResult:
    return apply.apply_providers(files, DESIRED, {"KEY": value}, [], check_mode=check_mode)


def contents(files: Files) -> tuple[bytes, bytes]:
    return Path(files.config).read_bytes(), Path(files.env).read_bytes()


def names(files: Files) -> list[str]:
    return sorted(os.listdir(os.path.dirname(files.config)))


def changes(result: ApplyResult) -> tuple[bool, bool, bool]:
    return result.config_changed, result.env_changed, result.unconfirmed


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are replaced or removed, in their order."""
    order: list[str] = []
    rename, unlink = os.rename, os.unlink

    def watched_rename(source: str, target: str) -> None:
        order.append(os.path.basename(target))
        rename(source, target)

    def watched_unlink(path: str) -> None:
        if not path.endswith(".clawfleet-new"):
            order.append(f"no {os.path.basename(path)}")
        unlink(path)

    monkeypatch.setattr(os, "rename", watched_rename)
    monkeypatch.setattr(os, "unlink", watched_unlink)
    return order


def test_the_order_is_journal_env_config_also_in_a_rollback(files: Files, replaced: list[str]) -> None:
    assert changes(present(files)) == (True, True, True)
    assert replaced == [JOURNAL, DATES, ".env", "c.json"]
    assert contents(files) == (NEW_CONFIG, NEW_ENV)
    replaced.clear()
    assert changes(apply.roll_back(files, check_mode=False)) == (True, True, False)
    assert replaced == [".env", "c.json", f"no {DATES}", f"no {JOURNAL}"]
    assert contents(files) == (OLD_CONFIG, OLD_ENV)


@pytest.mark.parametrize("unconfirmed", [False, True])
def test_nothing_is_written_where_nothing_changes(files: Files, replaced: list[str], unconfirmed: bool) -> None:
    present(files)
    if not unconfirmed:
        apply.confirm(files, check_mode=False)
    replaced.clear()
    assert changes(present(files)) == (False, False, unconfirmed)
    assert changes(present(files, check_mode=True)) == (False, False, unconfirmed)
    assert replaced == []


def test_check_mode_writes_nothing(files: Files) -> None:
    assert changes(present(files, check_mode=True)) == (True, True, True)
    assert (contents(files), names(files)) == ((OLD_CONFIG, OLD_ENV), [".env", "c.json"])
    present(files)
    assert changes(apply.roll_back(files, check_mode=True)) == (True, True, False)
    assert changes(apply.confirm(files, check_mode=True)) == (False, False, False)
    assert (contents(files), names(files)) == ((NEW_CONFIG, NEW_ENV), [JOURNAL, DATES, ".env", "c.json"])


def test_a_conflict_that_is_seen_before_the_env_is_written_does_not_touch_it(
    files: Files, monkeypatch: pytest.MonkeyPatch, replaced: list[str]
) -> None:
    save = journal.save
    writers = iter([lambda: Path(files.config).write_bytes(b"{a: 2}\n")])

    def saved(config_path: str, entry: journal.Journal) -> None:
        save(config_path, entry)
        next(writers, lambda: None)()

    monkeypatch.setattr(journal, "save", saved)
    assert changes(present(files)) == (True, True, True)
    assert replaced == [JOURNAL, f"no {JOURNAL}", JOURNAL, DATES, ".env", "c.json"]
    assert contents(files) == (NEW_CONFIG.replace(b"1", b"2"), NEW_ENV)


BETWEEN: dict[str, tuple[bytes, bytes]] = {
    "config": (b"", b"// theirs\n"),
    "both": (b"THEIRS=1\n", b"// theirs\n"),
}


@pytest.mark.parametrize(("to_env", "to_config"), BETWEEN.values(), ids=BETWEEN)
@pytest.mark.parametrize("times", [1, 99])
def test_changes_by_others_between_the_two_renames_are_kept(
    files: Files, monkeypatch: pytest.MonkeyPatch, to_env: bytes, to_config: bytes, times: int
) -> None:
    commit = atomic.commit
    wrote = 0

    def between(snapshot: atomic.Snapshot, temporary: str) -> None:
        nonlocal wrote
        commit(snapshot, temporary)
        if snapshot.path == files.env and snapshot.content is not None and b"old" in snapshot.content and wrote < times:
            wrote += 1
            for path, text in ((files.env, to_env), (files.config, to_config)):
                Path(path).write_bytes(Path(path).read_bytes() + text)

    monkeypatch.setattr(atomic, "commit", between)
    if times == 1:
        assert changes(present(files)) == (True, True, True)
        assert contents(files) == (NEW_CONFIG + to_config, NEW_ENV + to_env)
        apply.roll_back(files, check_mode=False)
        assert contents(files) == (OLD_CONFIG + to_config, OLD_ENV + to_env)
    else:
        with pytest.raises(ClawdbotError) as caught:
            present(files)
        assert str(caught.value) == (
            f"{files.config} or {files.env} was changed by another process during each of 5 attempts. "
            "Both are as that process left them: find out what keeps writing, or run again later."
        )
        assert wrote == 5
        assert contents(files) == (OLD_CONFIG + 5 * to_config, OLD_ENV + 5 * to_env)
    assert names(files) == [".env", "c.json"]


def test_a_failed_run_leaves_the_journal_of_the_one_before(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    present(files)
    record = Path(journal.path_beside(files.config)).read_bytes()
    commit = atomic.commit

    def full(snapshot: atomic.Snapshot, temporary: str) -> None:
        if snapshot.path == files.env:
            raise ClawdbotError("Cannot replace it: No space left on device.")
        commit(snapshot, temporary)

    with monkeypatch.context() as patched:
        patched.setattr(atomic, "commit", full)
        with pytest.raises(ClawdbotError, match=r"\ACannot replace it: No space left on device\.\Z"):
            present(files, "newer")
    assert (contents(files), Path(journal.path_beside(files.config)).read_bytes()) == ((NEW_CONFIG, NEW_ENV), record)


@pytest.mark.parametrize("times", [1, 5])
@pytest.mark.parametrize("kind", ["config", "env"])
def test_a_rollback_too_is_planned_again_where_others_write(
    files: Files, monkeypatch: pytest.MonkeyPatch, kind: str, times: int
) -> None:
    present(files)
    path = Path(getattr(files, kind))
    before = getattr(journal, f"rolled_back_{kind}")
    writers = iter([b"// theirs\n" if kind == "config" else b"# theirs\n"] * times)

    def slowly(original: journal.Original, current: bytes | None) -> bytes | None:
        found: bytes | None = before(original, current)
        path.write_bytes((current or b"") + next(writers, b""))
        return found

    monkeypatch.setattr(journal, f"rolled_back_{kind}", slowly)
    if times == 1:
        assert changes(apply.roll_back(files, check_mode=False)) == (True, True, False)
        theirs = {"config": (OLD_CONFIG + b"// theirs\n", OLD_ENV), "env": (OLD_CONFIG, OLD_ENV + b"# theirs\n")}
        assert (contents(files), names(files)) == (theirs[kind], [".env", "c.json"])
    else:
        with pytest.raises(ClawdbotError, match="was changed by another process during each of 5 attempts"):
            apply.roll_back(files, check_mode=False)
        assert names(files) == [JOURNAL, DATES, ".env", "c.json"]


def test_both_directories_are_held(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "_LOCK_SECONDS", 0.0)
    (tmp_path / "elsewhere").mkdir()
    apart = Files(files.config, str(tmp_path / "elsewhere" / ".env"))
    for directory in (tmp_path, tmp_path / "elsewhere"):
        for work in (
            partial(present, apart),
            partial(apply.roll_back, apart, check_mode=False),
            partial(apply.confirm, apart, check_mode=False),
        ):
            with atomic.locked([str(directory)], 0), pytest.raises(ClawdbotError) as caught:
                work()
            assert str(caught.value) == (
                f"Another run of the collection has locked {directory} for 0 seconds. Wait until it ends."
            )
    assert changes(present(apart)) == (True, True, True)
    assert Path(apart.env).read_bytes() == NEW_ENV


# --- Keys in a file, and further variables -----------------------------------------------------------------------

KEYS = "clawfleet-keys.json"


def to(files: Files, env: Mapping[str, str], keys: Mapping[str, str], check_mode: bool = False) -> ApplyResult:
    """Give the files a provider that refers to all the environment variables and to the keys."""
    block: dict[str, Any] = {"headers": {name: f"${{{name}}}" for name in env}}
    block["keys"] = [{"source": "file", "provider": "clawfleet", "id": f"/{name}"} for name in keys]
    desired = Desired({"moonshot": block}, key_file=files.keys if keys else None)
    return apply.apply_providers(files, desired, env, [], check_mode=check_mode, keys=keys)


def unresolved(files: Files) -> set[str]:
    """Return the names to which the config refers and that are in no file."""
    config = json5_reader.loads(Path(files.config).read_text())
    env = {name for name, value in dotenv.loads(Path(files.env).read_text()).items() if value}
    keys = Path(files.keys)
    stored = key_files.loads(keys.read_text() if keys.exists() else None)
    return (references(config) - env) | (key_files.file_references(config) - set(stored))


#: What the first run writes, what the second one writes, and in which order.
CHANGED: dict[str, tuple[tuple[dict[str, str], dict[str, str]], tuple[dict[str, str], dict[str, str]], list[str]]] = {
    "a new key": (({}, {"K": "1"}), ({}, {"K": "2"}), [KEYS]),
    "a further variable": (({}, {"K": "1"}), ({"V": "1"}, {"K": "2"}), [".env", KEYS, "c.json"]),
    "no further variable": (({"V": "1"}, {"K": "1"}), ({}, {"K": "1"}), ["c.json"]),
    "to the file": (({"K": "1"}, {}), ({}, {"K": "2"}), [KEYS, "c.json", ".env"]),
    "to the file with a further variable": (
        ({"K": "1"}, {}),
        ({"V": "1"}, {"K": "2"}),
        [".env", KEYS, "c.json", ".env"],
    ),
    "back to .env": (({}, {"K": "1"}), ({"K": "2"}, {}), [".env", "c.json", f"no {KEYS}"]),
    "back to .env with a further variable": (
        ({}, {"K": "1", "L": "1"}),
        ({"K": "2", "V": "1"}, {"L": "1"}),
        [".env", "c.json", KEYS],
    ),
    "another one to the file with another variable": (
        ({"L": "1"}, {"K": "1"}),
        ({"V": "1"}, {"K": "1", "L": "1"}),
        [".env", KEYS, "c.json", ".env"],
    ),
    "one to the file, one to .env": (
        ({"K": "1"}, {"L": "1"}),
        ({"L": "1", "V": "1"}, {"K": "1"}),
        [".env", KEYS, "c.json", ".env", KEYS],
    ),
}


@pytest.mark.parametrize("name", CHANGED)
@pytest.mark.parametrize("unconfirmed", [False, True])
def test_all_references_resolve_after_each_write_and_a_rollback_restores_all_bytes(
    files: Files, monkeypatch: pytest.MonkeyPatch, replaced: list[str], name: str, unconfirmed: bool
) -> None:
    first, second, order = CHANGED[name]
    watched = atomic._flush_directory
    missing: list[set[str]] = []

    def flushed(target: str) -> None:
        watched(target)
        missing.append(unresolved(files))

    monkeypatch.setattr(atomic, "_flush_directory", flushed)
    found = everything(files)
    to(files, *first)
    if not unconfirmed:
        apply.confirm(files, check_mode=False)
        found = everything(files)
    expected = to(files, *second, check_mode=True)
    replaced.clear()

    done = to(files, *second)

    assert [path for path in replaced if path not in (JOURNAL, DATES)] == order
    assert (changes(done), done.keys_changed, done.diff) == (changes(expected), expected.keys_changed, expected.diff)
    apply.roll_back(files, check_mode=False)
    assert everything(files) == found
    assert set().union(*missing) == set()


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_rollback_changes_no_file_if_one_of_them_cannot_be_rolled_back(files: Files, check_mode: bool) -> None:
    to(files, {"V": "1"}, {"K": "1"})
    Path(files.keys).write_bytes(b"{")
    left = everything(files)
    with pytest.raises(ClawdbotError) as caught:
        apply.roll_back(files, check_mode=check_mode)
    assert str(caught.value) == (
        f"Others have written {files.keys} since, and the changes of the earlier run in it cannot be rolled back: "
        "expected a member name or '}', found the end of the document at line 1, column 2. Repair the file, or keep it "
        "as it is with state=confirmed."
    )
    assert (everything(files), JOURNAL in names(files)) == (left, True)


@pytest.mark.parametrize("content", [b'{"K": 1}', b'{"K": "theirs", "M": "2"}'])
def test_a_rollback_keeps_what_others_have_written_to_the_file_with_keys(files: Files, content: bytes) -> None:
    to(files, {"V": "1"}, {"K": "1"})
    Path(files.keys).write_bytes(content)
    apply.roll_back(files, check_mode=False)
    others = content.replace(b'"K": 1', b"").replace(b'"K": "theirs", ', b"")
    assert (contents(files), Path(files.keys).read_bytes()) == ((OLD_CONFIG, OLD_ENV), others)


class Killed(BaseException):
    """A run dies."""


@pytest.fixture
def before_write(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, BaseException], None]:
    """Raise an exception in place of a write, once; the number says before which."""
    due: list[tuple[int, BaseException]] = []

    def counted(work: Callable[..., None]) -> Callable[..., None]:
        def limited(*arguments: object) -> None:
            if due:
                number, exception = due.pop()
                if number == 0:
                    raise exception
                due.append((number - 1, exception))
            work(*arguments)

        return limited

    def arm(number: int, exception: BaseException) -> None:
        due[:] = [(number, exception)]

    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    monkeypatch.setattr(atomic, "commit", counted(atomic.commit))
    monkeypatch.setattr(atomic, "remove", counted(atomic.remove))
    return arm


@pytest.mark.parametrize("name", [name for name, (*_runs, order) in CHANGED.items() if order[0] == ".env"])
def test_a_run_after_an_unconfirmed_one_and_the_rollback_of_both_may_die_before_any_write(
    tmp_path: Path, before_write: Callable[[int, BaseException], None], name: str
) -> None:
    first, second, order = CHANGED[name]
    # Also the journal, the dates of keys, and none.
    numbers = range(len(order) + 3)
    for number, number_back in itertools.product(numbers, numbers):
        files = Files(*(str(tmp_path / f"{number}-{number_back}" / path) for path in ("c.json", ".env")))
        Path(files.config).parent.mkdir()
        Path(files.config).write_bytes(OLD_CONFIG)
        Path(files.env).write_bytes(b"export K='0' # mine\n# theirs\n")
        found = everything(files)
        to(files, *first)
        before_write(number, Killed())
        with contextlib.suppress(Killed):
            to(files, *second)
        assert (number, unresolved(files)) == (number, set())
        before_write(number_back, Killed())
        with contextlib.suppress(Killed):
            apply.roll_back(files, check_mode=False)
        assert (number, number_back, unresolved(files)) == (number, number_back, set())
        before_write(99, Killed())
        apply.roll_back(files, check_mode=False)
        assert (number, number_back, everything(files)) == (number, number_back, found)


@pytest.mark.parametrize("name", CHANGED)
@pytest.mark.parametrize("unconfirmed", [False, True])
def test_a_run_that_fails_at_any_write_restores_all_bytes(
    files: Files, before_write: Callable[[int, BaseException], None], name: str, unconfirmed: bool
) -> None:
    first, second, order = CHANGED[name]
    to(files, *first)
    if not unconfirmed:
        apply.confirm(files, check_mode=False)
    found = {**everything(files), JOURNAL: journal.load(files.config, files.env)}
    for number in range(len(order) + 1):
        before_write(number, ClawdbotError("Cannot replace it: No space left on device."))
        with pytest.raises(ClawdbotError, match=r"\ACannot replace it: No space left on device\.\Z"):
            to(files, *second)
        assert (number, {**everything(files), JOURNAL: journal.load(files.config, files.env)}) == (number, found)


def everything(files: Files) -> dict[str, bytes]:
    directory = Path(files.config).parent
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file() and path.name != JOURNAL}


# --- Providers that go -------------------------------------------------------------------------------------------

AGENT_FILE = '{"providers": {"moonshot": {"apiKey": "sk-0123456789"}, "other": {}}}\n'
AGENT_FILE_AFTER = '{"providers": {"other": {}}}\n'


def absent(files: Files, check_mode: bool = False, checker: Sequence[str] = ()) -> ApplyResult:
    directory = os.path.dirname(files.config)
    return apply.apply_removal(files, Removal(["moonshot"]), ["KEY"], directory, checker, check_mode=check_mode)


@pytest.fixture
def given_provider(files: Files) -> Path:
    """The files with the provider, and an agent's file that holds it."""
    present(files)
    apply.confirm(files, check_mode=False)
    agent = Path(files.config).parent / "agents" / "main" / "agent" / "models.json"
    agent.parent.mkdir(parents=True)
    agent.write_text(AGENT_FILE)
    agent.chmod(0o640)
    return agent


def test_a_removal_writes_the_config_first_and_its_rollback_env_first(
    files: Files, given_provider: Path, replaced: list[str]
) -> None:
    assert changes(absent(files)) == (True, True, True)
    assert replaced == [JOURNAL, f"no {DATES}", "c.json", ".env", "models.json"]
    assert contents(files) == (b"{a: 1}\n", b"")
    assert (given_provider.read_text(), given_provider.stat().st_mode & 0o777) == (AGENT_FILE_AFTER, 0o640)
    replaced.clear()
    assert changes(apply.roll_back(files, check_mode=False)) == (True, True, False)
    assert replaced == [".env", "c.json", DATES, f"no {JOURNAL}"]
    assert contents(files) == (NEW_CONFIG, NEW_ENV)
    assert given_provider.read_text() == AGENT_FILE_AFTER


def test_a_second_removal_and_check_mode_write_nothing(files: Files, given_provider: Path, replaced: list[str]) -> None:
    predicted = absent(files, check_mode=True)
    assert (changes(predicted), predicted.agent_files) == ((True, True, True), (str(given_provider),))
    assert replaced == []
    done = absent(files)
    assert (done.diff, done.agent_files) == (predicted.diff, predicted.agent_files)
    replaced.clear()
    again = absent(files)
    assert (changes(again), again.agent_files, replaced) == ((False, False, True), (), [])


def test_what_an_agent_has_again_is_removed_without_a_journal(
    files: Files, given_provider: Path, replaced: list[str]
) -> None:
    absent(files)
    apply.confirm(files, check_mode=False)
    given_provider.write_text(AGENT_FILE)
    replaced.clear()
    result = absent(files)
    assert (changes(result), result.agent_files) == ((False, False, False), (str(given_provider),))
    assert replaced == ["models.json"]


@pytest.mark.usefixtures("given_provider")
def test_what_others_wrote_since_a_removal_survives_the_way_back(files: Files) -> None:
    absent(files)
    Path(files.config).write_bytes(b"{a: 2}\n")
    Path(files.env).write_bytes(b"THEIRS=1\n")
    apply.roll_back(files, check_mode=False)
    assert contents(files) == (
        b'{a: 2, models: { providers: { moonshot: { apiKey: "${KEY}" } }, mode: "merge" }}\n',
        b"THEIRS=1\nKEY=new\n",
    )


@pytest.mark.parametrize("name", ["c.json", ".env", "models.json"])
def test_a_removal_that_fails_takes_both_files_back(
    files: Files, given_provider: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    commit = atomic.commit

    def full(snapshot: atomic.Snapshot, temporary: str) -> None:
        if os.path.basename(snapshot.path) == name:
            monkeypatch.undo()
            raise ClawdbotError("Cannot replace it: No space left on device.")
        commit(snapshot, temporary)

    monkeypatch.setattr(atomic, "commit", full)
    with pytest.raises(ClawdbotError, match=r"\ACannot replace it: No space left on device\.\Z"):
        absent(files)
    assert contents(files) == (NEW_CONFIG, NEW_ENV)
    assert given_provider.read_text() == AGENT_FILE
    assert names(files) == [DATES, ".env", "agents", "c.json"]
    assert os.listdir(given_provider.parent) == ["models.json"]


def test_an_agent_that_writes_in_between_loses_nothing(
    files: Files, given_provider: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = atomic.commit

    def between(snapshot: atomic.Snapshot, temporary: str) -> None:
        commit(snapshot, temporary)
        if snapshot.path == files.env:
            monkeypatch.undo()
            given_provider.write_text(AGENT_FILE.replace("other", "theirs"))

    monkeypatch.setattr(atomic, "commit", between)
    assert changes(absent(files)) == (True, True, True)
    assert given_provider.read_text() == AGENT_FILE_AFTER.replace("other", "theirs")
    assert contents(files) == (b"{a: 1}\n", b"")


def test_what_a_dead_removal_left_beside_an_agents_file_goes(files: Files, given_provider: Path) -> None:
    leftover = given_provider.parent / ".models.json.0123456789abcdef.clawfleet-new"
    leftover.write_text(AGENT_FILE)
    absent(files, check_mode=True)
    assert leftover.exists()
    absent(files)
    assert not leftover.exists()


def test_a_broken_file_of_an_agent_changes_nothing(files: Files, given_provider: Path) -> None:
    given_provider.write_text("{")
    with pytest.raises(ClawdbotError, match=f"^{given_provider} cannot be read: "):
        absent(files)
    assert contents(files) == (NEW_CONFIG, NEW_ENV)


# --- Included files ----------------------------------------------------------------------------------------------


@pytest.fixture
def included(files: Files) -> Path:
    path = Path(files.config).parent / "more.json5"
    path.write_bytes(b"{models: {mode: 'replace'}}")
    Path(files.config).write_bytes(b"{$include: 'more.json5'}\n")
    return path


def test_an_included_file_counts_and_is_not_written(files: Files, included: Path, replaced: list[str]) -> None:
    assert changes(present(files)) == (True, True, True)
    assert replaced == [JOURNAL, DATES, ".env", "c.json"]
    assert contents(files)[0] == (
        b"{$include: 'more.json5', models: { providers: { moonshot: { apiKey: '${KEY}' } } }}\n"
    )
    assert included.read_bytes() == b"{models: {mode: 'replace'}}"


def test_an_included_file_that_changes_meanwhile_is_looked_at_again(
    files: Files, included: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = journal.save

    def saved(config_path: str, entry: journal.Journal) -> None:
        save(config_path, entry)
        included.write_bytes(b"{}")

    monkeypatch.setattr(journal, "save", saved)
    present(files)
    assert b"merge" in contents(files)[0]


def test_an_included_file_that_is_not_there_is_named(files: Files, included: Path) -> None:
    included.unlink()
    with pytest.raises(ClawdbotError) as caught:
        present(files)
    assert str(caught.value) == (
        f"{files.config} includes {included}, which does not exist. The gateway rejects its whole config for that. "
        "Nothing was changed."
    )
