# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import yaml
from ansible_collections.clawfleet.clawdbot.plugins.filter._rollout_summary import FilterModule
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._rollout import summary

ROOT = Path(__file__).resolve().parents[4]


def asked(name: str, key: str, *listed: str, status: str = "ok") -> dict[str, object]:
    return {"providers": [{"name": name, "status": status, "listed": list(listed), "key": key}]}


def test_each_host_has_one_outcome_in_the_order_of_the_play() -> None:
    variables = {
        "late": {"__rollout_outcome": {"state": "done", "reason": ""}},
        "down": {"__rollout_outcome": {"state": "not_reached", "reason": "The host was not reached: no route."}},
        "same": {"__rollout_outcome": {"state": "unchanged", "reason": ""}},
        "early": {"__rollout_outcome": {"state": "done", "reason": ""}},
        "bad": {"__rollout_outcome": {"state": "failed", "reason": "The gateway does not answer."}},
        "next": {"providers_user": "gateway"},
    }
    assert summary(["late", "down", "same", "early", "bad", "next"], variables) == {
        "done": ["late", "early"],
        "unchanged": ["same"],
        "failed": {"bad": "The gateway does not answer."},
        "not_reached": {"down": "The host was not reached: no route."},
        "not_tried": ["next"],
        "endpoints": [],
    }


def test_an_endpoint_of_several_hosts_is_listed_once() -> None:
    variables = {
        "one": {"__providers_endpoints": asked("moonshot", "sha256:aaaaaaaaaaaa", "kimi-k2.5", "kimi-k3")},
        "two": {"__providers_endpoints": asked("moonshot", "sha256:aaaaaaaaaaaa", "kimi-k2.5", "kimi-k3")},
        "other": {"__providers_endpoints": asked("moonshot", "sha256:bbbbbbbbbbbb", status="unauthorized")},
        "asked by the host": {
            "__providers_endpoints": asked("kimicode", "sha256:cccccccccccc", status="timeout"),
            "__providers_gateway": {"endpoints": asked("kimicode", "sha256:cccccccccccc", "kimi-for-coding")},
        },
        "skipped": {"__providers_endpoints": {"skipped": True}},
        "lost": {"__providers_endpoints": {"unreachable": True, "msg": "no route"}},
        "none": {},
    }
    assert summary(variables, variables)["endpoints"] == [
        "moonshot is ok and lists kimi-k2.5, kimi-k3 for the key sha256:aaaaaaaaaaaa",
        "moonshot is unauthorized and lists nothing for the key sha256:bbbbbbbbbbbb",
        "kimicode is ok and lists kimi-for-coding for the key sha256:cccccccccccc",
    ]


def test_the_filter_has_the_name_of_its_file_and_its_options_are_the_arguments() -> None:
    assert FilterModule().filters() == {"_rollout_summary": summary}
    documented = yaml.safe_load((ROOT / "plugins/filter/_rollout_summary.yml").read_text(encoding="utf-8"))
    assert list(documented["DOCUMENTATION"]["options"]) == ["_input", "variables"]
