# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configs with included files, put together by the collection and by the product's own code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.tests.unit.plugins.module_utils._config.test_includes import (
    BROKEN,
    CONFIG,
    MERGED,
)

MODULES = Path(__file__).resolve().parents[2] / ".cache" / "clawdbot" / "node_modules"
RESOLVE_ALL = """
const { resolveConfigIncludes } = await import(process.argv[1])
const JSON5 = (await import(process.argv[2])).default
const fs = await import('node:fs')
const resolved = ([document, files]) => {
  const readFile = (path) => {
    if (!(path in files)) throw new Error('not there')
    return files[path]
  }
  try {
    return { value: resolveConfigIncludes(document, process.argv[3], { readFile, parseJson: JSON5.parse }) }
  } catch (error) { return { rejected: error.name } }
}
console.log(JSON.stringify(JSON.parse(fs.readFileSync(0, 'utf8')).map(resolved)))
"""
# The product has no bound for these: it would take as long, or as deep a stack, as it takes.
UNBOUNDED = {"too many", "nested too deeply"}


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """What the product makes of each of the documents."""
    cases = {name: case[:2] for name, case in (MERGED | BROKEN).items() if name not in UNBOUNDED}
    texts = [
        [document, {path: file if isinstance(file, str) else json.dumps(file) for path, file in files.items()}]
        for document, files in cases.values()
    ]
    places = [str(MODULES / "clawdbot/dist/config/includes.js"), str(MODULES / "json5/lib/index.js"), CONFIG]
    command = [str(MODULES / ".bin" / "node"), "--input-type=module", "-e", RESOLVE_ALL, *places]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, check=True, encoding="utf-8")
    return dict(zip(cases, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("name", MERGED)
def test_what_is_taken_is_put_together_alike(name: str, answers: dict[str, Any]) -> None:
    assert answers[name] == {"value": MERGED[name][2]}


@pytest.mark.parametrize("name", sorted(set(BROKEN) - UNBOUNDED))
def test_what_is_rejected_is_rejected_by_the_product(name: str, answers: dict[str, Any]) -> None:
    assert answers[name]["rejected"] in ("ConfigIncludeError", "CircularIncludeError")
