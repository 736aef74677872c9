# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_editor, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Change
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import journal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import Snapshot
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.journal import Journal, Original
from hypothesis import given
from hypothesis import strategies as st

KEY = "sk-0123456789abcdef"


def snapshot(content: bytes | None, mode: int | None = 0o640) -> Snapshot:
    missing = content is None
    return Snapshot("/f", "/real/f", content, None if missing else mode, None if missing else 1, None if missing else 2)


def test_the_journal_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    config, env = str(tmp_path / "c.json"), str(tmp_path / ".env")
    # Also what is no UTF-8.
    text = journal.decode(b"A=\xff\xc3\xa9\n")
    entries = Journal(
        Original(config, None, None, ("d1", "d2"), (("models", "providers", "a"),)),
        Original(env, text, 0o644, ("d3",), (("A",),)),
    )
    assert journal.load(config, env) is None
    journal.save(config, entries)
    file = tmp_path / ".c.json.clawfleet-journal"
    assert (journal.path_beside(config), file.stat().st_mode & 0o777) == (str(file), 0o600)
    assert journal.load(config, env) == entries
    assert journal.encode(text) == b"A=\xff\xc3\xa9\n"
    journal.save(config, Journal())
    assert journal.load(config, env) == Journal()
    journal.discard(config)
    journal.discard(config)
    assert list(tmp_path.iterdir()) == []


def test_the_journal_is_beside_the_file_itself(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "c.json").symlink_to("real/d.json")
    assert journal.path_beside(str(tmp_path / "c.json")) == str(tmp_path / "real" / ".d.json.clawfleet-journal")


ORIGINAL = {"path": "/e", "text": f"A={KEY}", "mode": 384, "written": ["d"], "changed": [["A"]]}
BROKEN = {
    "empty": "",
    "no JSON": "{",
    "no object": "[]",
    "another version": json.dumps({"version": 2, "config": None, "env": None}),
    "a part is missing": json.dumps({"version": 1, "config": None}),
    "text is a number": json.dumps({"version": 1, "config": None, "env": {**ORIGINAL, "text": 1}}),
    "mode is a text": json.dumps({"version": 1, "config": None, "env": {**ORIGINAL, "mode": "0600"}}),
    "changed holds numbers": json.dumps({"version": 1, "config": {**ORIGINAL, "changed": [[1]]}, "env": None}),
    "too deep": "[" * 100_000,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_journal_is_named_and_what_it_holds_is_not(tmp_path: Path, content: str) -> None:
    file = tmp_path / ".c.json.clawfleet-journal"
    file.write_text(content)
    with pytest.raises(ClawdbotError) as caught:
        journal.load(str(tmp_path / "c.json"), "/e")
    assert str(caught.value) == (
        f"{file}, the rollback journal of an earlier run, is broken. Check the files of the gateway, then remove it."
    )
    assert file.read_text() == content


def test_no_key_is_in_a_repr() -> None:
    original = journal.env_original(None, snapshot(f"A={KEY}".encode()), b"A=2", ["A"])
    assert KEY not in repr(Journal(original, original))


# --- One file back ---------------------------------------------------------------------------------------------

FOUND = b"{a: 1, m: {p: {x: 1}}}"
WRITTEN = b"{a: 1, m: {p: {x: 2, y: 3}}, n: {o: {q: {}}}}"
PATHS = [("m", "p"), ("n", "o", "q")]

# What was there, what the run wrote and what it set, what stands there now -> what shall stand there again.
BACK: dict[str, tuple[bytes | None, bytes, list[tuple[str, ...]], bytes | None, bytes | None]] = {
    "as written": (FOUND, WRITTEN, PATHS, WRITTEN, FOUND),
    "never written": (FOUND, WRITTEN, PATHS, FOUND, FOUND),
    "was not there": (None, WRITTEN, PATHS, WRITTEN, None),
    "removed since": (FOUND, WRITTEN, PATHS, None, FOUND),
    "others wrote": (FOUND, WRITTEN, PATHS, WRITTEN + b"//!", b"{a: 1, m: {p: {x: 1}}}//!"),
    "others wrote a new file": (None, b"{m: {p: 1}}", [("m", "p")], b"{m: {p: 1}, b: 2}", b"{b: 2}"),
    "others wrote into ours": (FOUND, WRITTEN, PATHS, b"{m: {p: {x: 9}}, n: {o: {q: {r: 1}}}}", b"{m: {p: {x: 1}}}"),
    "others wrote beside ours": (
        FOUND,
        WRITTEN,
        PATHS,
        b"{m: {p: 0}, n: {o: {q: {}, r: 1}}}",
        b"{m: {p: { x: 1 }}, n: {o: {r: 1}}}",
    ),
    "others removed ours": (FOUND, WRITTEN, PATHS, b"{m: {p: {x: 1}}}  ", b"{m: {p: {x: 1}}}  "),
    "what was empty stays": (b"{n: {}}", b"{n: {o: 1}}", [("n", "o")], b"{n: {o: 1}} ", b"{n: {}} "),
    "one around another": (b"{n: 1}", b"{n: {o: 2}}", [("n", "o"), ("n",)], b"{n: {o: 2}} ", b"{n: 1} "),
    "two in one": (b"{}", b"{n: {o: 1, p: 2}}", [("n", "o"), ("n", "p")], b"{n: {o: 1, p: 2}} ", b"{} "),
}


@pytest.mark.parametrize(("found", "written", "paths", "now", "back"), BACK.values(), ids=BACK)
def test_rolled_back_config(
    found: bytes | None, written: bytes, paths: list[tuple[str, ...]], now: bytes | None, back: bytes | None
) -> None:
    original = journal.config_original(None, snapshot(found), written, paths)
    assert journal.rolled_back_config(original, now) == back


BACK_ENV: dict[str, tuple[bytes | None, bytes, list[str], bytes | None, bytes | None]] = {
    "as written": (b"A=1\n", b"A=2\n", ["A"], b"A=2\n", b"A=1\n"),
    "was not there": (None, b"A=2\n", ["A"], b"A=2\n", None),
    "never written": (b"A=1\nA=3\n", b"A=2\n", ["A"], b"A=1\nA=3\n", b"A=1\nA=3\n"),
    "others wrote": (b"A=1\n", b"A=2\n", ["A"], b"# \xff\nA=2\nB=1\n", b"# \xff\nA=1\nB=1\n"),
    "others wrote, new name": (b"C=1\n", b"C=1\nA=2\n", ["A"], b"B=1\nC=1\nA=2\n", b"B=1\nC=1\n"),
    "others wrote a new file": (None, b"A=2\n", ["A"], b"A=2\nB=1\n", b"B=1\n"),
    "others removed ours": (b"A=1\n", b"A=2\n", ["A"], b"B=1\n", b"B=1\nA=1\n"),
}


@pytest.mark.parametrize(("found", "written", "names", "now", "back"), BACK_ENV.values(), ids=BACK_ENV)
def test_rolled_back_env(
    found: bytes | None, written: bytes, names: list[str], now: bytes | None, back: bytes | None
) -> None:
    original = journal.env_original(None, snapshot(found), written, names)
    assert journal.rolled_back_env(original, now) == back


NOT_UNDOABLE = {
    "no JSON5": (b"{", "expected a member name or '}', found the end of the document at line 1, column 2"),
    "no object on the way": (b"{m: 1}", "cannot set m.p: m is not an object"),
}


@pytest.mark.parametrize(("now", "problem"), NOT_UNDOABLE.values(), ids=NOT_UNDOABLE)
def test_a_config_in_which_nothing_can_be_rolled_back(now: bytes, problem: str) -> None:
    original = journal.config_original(None, snapshot(FOUND), WRITTEN, PATHS)
    with pytest.raises(ClawdbotError) as caught:
        journal.rolled_back_config(original, now)
    assert str(caught.value) == (
        f"Others have written /real/f since, and the changes of the earlier run in it cannot be rolled back: {problem}."
        " Repair the file, or keep it as it is with state=confirmed."
    )


def test_an_env_in_which_nothing_can_be_rolled_back() -> None:
    original = journal.env_original(None, snapshot(b""), b"A=1\n", ["A"])
    with pytest.raises(ClawdbotError) as caught:
        journal.rolled_back_env(original, b"X=1\nY=\nA=1\n'x'\n")
    assert str(caught.value).startswith(
        "Others have written /real/f since, and the changes of the earlier run in it cannot be"
    )
    assert "line 2" in str(caught.value)


# --- Several runs before one is proven -------------------------------------------------------------------------


def test_a_second_run_keeps_the_first_original() -> None:
    first = journal.config_original(None, snapshot(b"{a: 1}"), b"{a: 2}", [("a",)])
    second = journal.config_original(first, snapshot(b"{a: 2}", 0o600), b"{a: 2, b: 3}", [("b",), ("a",)])
    digests = (journal.digest(b"{a: 2}"), journal.digest(b"{a: 2, b: 3}"))
    assert second == Original("/real/f", "{a: 1}", 0o640, digests, (("a",), ("b",)))
    # The second may die before it writes.
    for now in (b"{a: 1}", b"{a: 2}", b"{a: 2, b: 3}"):
        assert journal.rolled_back_config(second, now) == b"{a: 1}"


def test_what_others_wrote_between_two_runs_is_part_of_the_original() -> None:
    first = journal.config_original(None, snapshot(b"{a: 1}"), b"{a: 2}", [("a",)])
    second = journal.config_original(first, snapshot(b"{a: 2, theirs: 1}"), b"{a: 3, theirs: 1}", [("a",)])
    assert second.text == "{a: 1, theirs: 1}"
    assert second.written == (journal.digest(b"{a: 3, theirs: 1}"),)
    assert journal.rolled_back_config(second, b"{a: 3, theirs: 1}") == b"{a: 1, theirs: 1}"
    assert journal.env_original(
        journal.env_original(None, snapshot(None), b"A=1\n", ["A"]), snapshot(b"A=1\nB=1\n"), b"A=2\nB=1\n", ["A"]
    ) == Original("/real/f", "B=1\n", 0o640, (journal.digest(b"A=2\nB=1\n"),), (("A",),))


def test_the_digests_are_of_all_that_a_run_and_its_rollback_write() -> None:
    first = journal.env_original(None, snapshot(b"A=1\n"), b"B=2\n", ["B", "A"])
    assert first.written == tuple(map(journal.digest, (b"A=1\nB=2\n", b"B=2\n", b"B=2\nA=1\n")))
    second = journal.env_original(first, snapshot(b"B=2\n"), b"C=3\n", ["C", "B"])
    assert second.written == (
        *first.written,
        *map(journal.digest, (b"B=2\nC=3\n", b"C=3\n", b"B=2\nC=3\nA=1\n", b"C=3\nA=1\n")),
    )
    assert journal.rolled_back_env(second, b"C=3\nA=1\n") == b"A=1\n"
    removed = journal.keys_original(None, snapshot(b'{"A": "1"}'), None, ["A"])
    assert removed.written == (journal.digest(b'{"A": "1"}'),)


# --- For any file -----------------------------------------------------------------------------------------------

NAMES = st.sampled_from("abc")
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.integers(0, 3), lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
CONFIGS = st.dictionaries(NAMES, VALUES, max_size=3)
CHANGES = st.lists(st.builds(Change, st.lists(NAMES, min_size=1, max_size=3).map(tuple), VALUES), max_size=4)


@given(found=CONFIGS, changes=CHANGES, theirs=st.dictionaries(st.sampled_from("xyz"), VALUES, min_size=1))
def test_what_others_add_survives_and_everything_else_is_as_it_was(
    found: dict[str, Any], changes: list[json5_editor.Change], theirs: dict[str, Any]
) -> None:
    before = json.dumps(found)
    try:
        written = json5_editor.edit(before, changes)
    except json5_editor.Json5PathError:
        return
    original = journal.config_original(None, snapshot(before.encode()), written.encode(), [c.path for c in changes])
    now = json5_editor.edit(written, [Change((name,), value) for name, value in theirs.items()])
    back = journal.rolled_back_config(original, now.encode())
    assert back is not None
    assert json5_reader.loads(back.decode()) == {**found, **theirs}
    assert journal.rolled_back_config(original, written.encode()) == before.encode()


@given(
    found=st.dictionaries(NAMES, st.text("uv'\" #", max_size=3)),
    new=st.dictionaries(NAMES, st.text("uv'\" #", max_size=3), min_size=1),
)
def test_any_env_comes_back(found: dict[str, str], new: dict[str, str]) -> None:
    before = dotenv.edit("# mine\n", found).text
    written = dotenv.edit(before, new).text
    original = journal.env_original(None, snapshot(before.encode()), written.encode(), list(new))
    now = dotenv.edit(written, {"THEIRS": "1"}).text
    back = journal.rolled_back_env(original, now.encode())
    assert back is not None
    assert dotenv.loads(back.decode()) == {**found, "THEIRS": "1"}
