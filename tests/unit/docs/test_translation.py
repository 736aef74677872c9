# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""README.zh-CN.md has the commands, variables, names and links of README.md, and a section about the guide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
#: The section for the readers of the Chinese guide.
_GUIDE = re.compile(r"^## 指南逐步对照.*?(?=^## )", re.MULTILINE | re.DOTALL)
GUIDE = "".join(_GUIDE.findall(CHINESE))
TRANSLATION = _GUIDE.sub("", CHINESE)

BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
VARIABLE = re.compile(r"\b(?:providers|gateway|rollout)_[a-z_]*[a-z]\b")
LINK = re.compile(r"\]\(([^)\s]+)\)|<(https?://[^>\s]+)>")
#: Each links to the other.
EACH_OTHER = {"README.md", "README.zh-CN.md"}


def prose(text: str) -> str:
    return BLOCK.sub("", text)


def code(text: str) -> set[str]:
    """The code in prose, without line breaks."""
    return set(CODE.findall(re.sub(r"\n +", " ", prose(text))))


def links(text: str) -> set[str]:
    return {page or url for page, url in LINK.findall(prose(text))} - EACH_OTHER


def rows(text: str) -> list[int]:
    """The number of lines of each table."""
    return [table.count("\n") for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]


def test_commands_and_files() -> None:
    assert BLOCK.findall(TRANSLATION) == BLOCK.findall(ENGLISH)


def test_variables() -> None:
    assert set(VARIABLE.findall(TRANSLATION)) == set(VARIABLE.findall(ENGLISH))


def test_code() -> None:
    assert code(TRANSLATION) == code(ENGLISH)


def test_links() -> None:
    assert links(TRANSLATION) == links(ENGLISH)


def test_tables() -> None:
    assert rows(TRANSLATION) == rows(ENGLISH)


def test_sections() -> None:
    assert [text.count("\n## ") for text in (TRANSLATION, GUIDE)] == [ENGLISH.count("\n## "), 0]


def test_each_links_to_the_other() -> None:
    assert "| [简体中文](README.zh-CN.md)\n" in ENGLISH
    assert "[English](README.md) |" in CHINESE


def test_the_guide_uses_variables_that_the_readme_explains() -> None:
    used = set(VARIABLE.findall(GUIDE))
    assert "providers_api_keys" in used
    assert used - set(VARIABLE.findall(ENGLISH)) == set()


@pytest.mark.parametrize("model", ["kimi-k2.5", "moonshot-v1-8k", "moonshot-v1-32k", "moonshot-v1-128k"])
def test_the_guide_section_names_each_model_of_the_guide(model: str) -> None:
    assert f"`{model}`" in GUIDE
