# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts of each playbook: the group `gateways`, or what `gateway_hosts` names, and never all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

PLAYBOOKS = sorted((Path(__file__).resolve().parents[3] / "playbooks").glob("*.yml"))
#: Of the first play of a playbook: it rejects an inventory without the group.
FIRST = (
    "{{ gateway_hosts | default('gateways' if 'gateways' in groups else undef( hint='The inventory has no group "
    '"gateways". Add the hosts to it, or set gateway_hosts to a pattern of hosts.\')) }}'
)
NEXT = "{{ gateway_hosts | default('gateways') }}"


def plays(playbook: Path) -> list[dict[str, Any]]:
    """The plays of a playbook that are its own."""
    return [play for play in yaml.safe_load(playbook.read_text(encoding="utf-8")) if "hosts" in play]


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda playbook: playbook.stem)
def test_hosts(playbook: Path) -> None:
    hosts = [" ".join(play["hosts"].split()) for play in plays(playbook)]
    assert hosts == [FIRST, *[NEXT] * (len(hosts) - 1)][: len(hosts)]


def test_each_playbook_is_read() -> None:
    assert [playbook.stem for playbook in PLAYBOOKS if not plays(playbook)] == ["migrate", "rotate"]
