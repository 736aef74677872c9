# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.agent_file_rules import MODELS, PROFILES
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.config_rules import CONFIG, CONFIG_COPY
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.document_rules import Rules
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.documents import (
    Reading,
    Source,
    read_all,
    sources,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.env_rules import ENV, ENV_COPY, KEYS
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.text_rules import (
    UNIT,
    UNPARSED_COPY,
    WORKING_DIRECTORY_ENV,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(str(tmp_path), str(tmp_path / "clawdbot.json"), str(tmp_path / ".env"))


def lay_out(directory: Path, *names: str) -> None:
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text("{}")


def read_one(path: Path, rules: Rules, fallback: Rules | None = None) -> Reading:
    (reading,) = read_all([Source(str(path), rules, fallback=fallback)])
    return reading


def test_each_document_has_its_rules(tmp_path: Path, paths: Paths) -> None:
    agent = "agents/main/agent"
    lay_out(tmp_path, ".env", ".env.save", "clawdbot.json", "clawdbot.json.bak.1", "#clawdbot.json#", f"{agent}/x")
    # Ours, of other files, or no copies.
    lay_out(tmp_path, ".clawdbot.json.clawfleet-old-keys", ".clawdbot.json.clawfleet-key-dates")
    lay_out(tmp_path, ".clawdbot.json.0123456789abcdef.clawfleet-new", ".envrc")
    lay_out(tmp_path, "unit", "work/.env", ".env.d/file")
    found = sources(PRODUCTS["openclaw"], paths, [f"{tmp_path}/unit", f"{tmp_path}/.env"], f"{tmp_path}/work")
    assert [(source.path, source.rules, source.owned) for source in found[:-1]] == [
        (f"{tmp_path}/{name}", rules, owned)
        for name, rules, owned in (
            ("clawdbot.json", CONFIG, True),
            (".env", ENV, True),
            ("clawfleet-keys.json", KEYS, True),
            ("#clawdbot.json#", CONFIG_COPY, True),
            ("clawdbot.json.bak.1", CONFIG_COPY, True),
            (".env.save", ENV_COPY, True),
            (f"{agent}/models.json", MODELS, True),
            (f"{agent}/auth-profiles.json", PROFILES, True),
            ("unit", UNIT, False),
            ("work/.env", WORKING_DIRECTORY_ENV, False),
        )
    ]
    assert found[-1].path == f"{tmp_path}/.clawdbot.json.clawfleet-journal"
    assert [source.path for source in found if source.fallback] == [source.path for source in found[3:6]]


def test_a_file_that_several_paths_lead_to_is_one_document(tmp_path: Path, paths: Paths) -> None:
    lay_out(tmp_path, ".env", "clawdbot.json")
    (tmp_path / ".env.current").symlink_to(".env")
    (tmp_path / "clawdbot.json.current").symlink_to("clawdbot.json")
    found = sources(PRODUCTS["openclaw"], paths, [f"{tmp_path}/.env"], None)
    assert [source.rules for source in found[:-1]] == [CONFIG, ENV, KEYS]
    # Clawdbot reads no keys from a file: such a file is one of any kind.
    assert KEYS not in [source.rules for source in sources(PRODUCTS["clawdbot"], paths, [], None)]


def test_a_missing_document_is_not_read(tmp_path: Path) -> None:
    assert read_all([Source(str(tmp_path / "none"), CONFIG)]) == []


def test_a_document_is_read_and_parsed(tmp_path: Path) -> None:
    lay_out(tmp_path, "file")
    reading = read_one(tmp_path / "file", CONFIG)
    assert reading.document is not None
    assert reading.snapshot is not None
    assert (reading.document.text, reading.document.value, reading.snapshot.content) == ("{}", {}, b"{}")
    assert reading.error == ""


@pytest.mark.parametrize("content", [b"{", b"{\0}"])
def test_a_broken_copy_falls_back_to_its_lines(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    reading = read_one(file, CONFIG_COPY, UNPARSED_COPY)
    assert reading.rules is UNPARSED_COPY
    assert reading.document is not None
    assert reading.document.text == content.decode()


def test_a_broken_document_is_named_without_its_text(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("{a: secret}")
    reading = read_one(file, CONFIG)
    assert reading.document is None
    assert reading.snapshot is not None
    assert reading.error == "expected a value at line 1, column 5"
