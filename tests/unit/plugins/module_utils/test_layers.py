# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layers of `module_utils`: a package imports only packages below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

MODULE_UTILS = Path(__file__).parents[4] / "plugins" / "module_utils"
PACKAGE = "ansible_collections.clawfleet.clawdbot.plugins.module_utils"
#: Lowest first; docs/architecture.md says what is in each.
LAYERS = [
    "_errors",
    "_config",
    "_secrets",
    "_product",
    "_files",
    "_endpoints",
    "_gateway",
    "_audit",
    "_module",
]
FILES = sorted(MODULE_UTILS.rglob("*.py"))


def layer(path: Path) -> str:
    """The package of a file; the name of a file that is in none."""
    return path.relative_to(MODULE_UTILS).with_suffix("").parts[0]


def imported_layers(path: Path) -> Iterator[str]:
    """The other layers that a file imports from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").startswith(PACKAGE):
            below = (node.module or "")[len(PACKAGE) :].lstrip(".")
            yield from [below.partition(".")[0]] if below else [name.name for name in node.names]


def test_every_file_is_in_a_layer() -> None:
    assert {layer(path) for path in FILES} == set(LAYERS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(MODULE_UTILS)))
def test_imports_point_downwards(path: Path) -> None:
    own = LAYERS.index(layer(path))
    assert [name for name in imported_layers(path) if LAYERS.index(name) >= own] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(MODULE_UTILS)))
def test_siblings_are_imported_relatively(path: Path) -> None:
    levels = [node.level for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    assert set(levels) <= {0, 1}
