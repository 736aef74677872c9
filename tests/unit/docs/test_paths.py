# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation names exists: paths, names in Python files, links and their anchors."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
DIRECTORIES = (
    "bench",
    "changelogs",
    "docs",
    "examples",
    "extensions",
    "playbooks",
    "plugins",
    "roles",
    "tests",
    "tools",
)
#: A path of the repository, perhaps with `*` or `<module>` for parts of it.
PATH = re.compile(rf"(?<![\w./~<>-])(?:{'|'.join(DIRECTORIES)})/(?:[\w*./-]|<\w+>)*(?:[\w*/]|<\w+>)")
PLACEHOLDER = re.compile(r"<\w+>")
#: A path and what it defines: `plugins/filter/_restart.py`, `FilterModule`.
DEFINITION = re.compile(r"`([\w/]+\.py)`, `(\w+)(?:\(\))?`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(text(page))}


@functools.cache
def definitions(path: Path) -> set[str]:
    """The functions, classes and constants that a Python file defines."""

    def names() -> Iterator[str]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                yield node.name
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                yield from (target.id for target in targets if isinstance(target, ast.Name))

    return set(names())


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_each_path_exists(page: Path) -> None:
    paths = sorted({*PATH.findall(text(page))})
    assert [path for path in paths if not any(ROOT.glob(PLACEHOLDER.sub("*", path).rstrip("/")))] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_each_name_is_defined_in_its_file(page: Path) -> None:
    found = DEFINITION.findall(text(page))
    assert [(path, item) for path, item in found if item not in definitions(ROOT / path)] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_each_link_leads_somewhere(page: Path) -> None:
    dead = []
    for link in LINK.findall(text(page)):
        target, _hash, anchor = link.partition("#")
        file = page.parent / target if target else page
        if "://" not in link and (not file.exists() or (anchor and anchor not in anchors(file))):
            dead.append(link)
    assert dead == []


def test_architecture_names_definitions() -> None:
    assert len(DEFINITION.findall(text(ROOT / "docs" / "architecture.md"))) > 20
