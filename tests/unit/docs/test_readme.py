# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""README.md lists the playbooks, roles, modules and pages that the collection has; tests/unit/roles its variables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def listed(heading: str) -> list[str]:
    """The entries of the table that has this heading in its first column, without the namespace and markup."""
    table = README.partition(f"\n| {heading} | ")[2].partition("\n\n")[0]
    return re.findall(r"^\| [`\[](?:clawfleet\.clawdbot\.|docs/)?([\w.-]+)", table, re.MULTILINE)


CONTENT = {
    "playbook": ("playbooks/*.yml", "stem"),
    "role": ("roles/*", "name"),
    "module": ("plugins/modules/*.py", "stem"),
}


@pytest.mark.parametrize("heading", CONTENT)
def test_content(heading: str) -> None:
    pattern, attribute = CONTENT[heading]
    assert sorted(listed(heading)) == sorted(getattr(path, attribute) for path in ROOT.glob(pattern))


def test_pages() -> None:
    assert sorted(listed("page")) == sorted(["CONTRIBUTING.md", *(path.name for path in ROOT.glob("docs/*.md"))])
