# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of a fleet as the role registers them, with at least one host for each status."""

from __future__ import annotations

from typing import Any

GENERATED = "2026-11-22T19:50:00Z"
MODELS = ["kimi-k2.5", "moonshot-v1-8k"]
EXPECTED: dict[str, Any] = {
    "fingerprints": {"MOONSHOT_API_KEY": "sha256:0123456789ab", "KIMICODE_API_KEY": "sha256:ba9876543210"},
    "probe": "listing",
    "key_max_age": 90,
    "providers": {
        "moonshot": {
            "base_url": "https://api.moonshot.cn/v1",
            "variable": "MOONSHOT_API_KEY",
            "key": "sha256:0123456789ab",
            "models": MODELS,
        },
        "kimicode": {
            "base_url": "https://api.kimi.com/coding/v1",
            "variable": "KIMICODE_API_KEY",
            "key": "sha256:ba9876543210",
            "models": ["kimi-for-coding"],
        },
    },
}
MOONSHOT_KEY: dict[str, Any] = {
    "stored": "sha256:0123456789ab",
    "in_process": "sha256:0123456789ab",
    "previous": "sha256:111111111111",
    "age_days": 41,
}
#: One that was there before the collection.
KIMICODE_KEY = {
    "stored": "sha256:ba9876543210",
    "in_process": "sha256:ba9876543210",
    "previous": None,
    "age_days": None,
}
GATEWAY: dict[str, Any] = {
    "product": "clawdbot",
    "version": "2026.1.24-3",
    "started": "2026-11-20T08:00:00.123Z",
    "answers": True,
    "pid": 4711,
    "isolated": False,
    "environment": "known",
    "port": 18789,
    "listening": "known",
    "port_taken_by": "",
    "started_by": None,
    "missing_files": [],
    "service_loaded": True,
    "service_name": "clawdbot-gateway",
    "program": ["/usr/bin/node", "/opt/clawdbot/dist/entry.js"],
    "state_dir": "/home/g/.clawdbot",
    "state_dir_exists": True,
    "config_path": "/home/g/.clawdbot/clawdbot.json",
    "process_state_dir": "/home/g/.clawdbot",
    "process_config_path": "/home/g/.clawdbot/clawdbot.json",
    "process_env_path": "/home/g/.clawdbot/.env",
    "restart_required": False,
    "restart_reasons": [],
    "unserved_choices": [],
    "config_put_back": "",
    "env_copies": {},
    "env_path": "/home/g/.clawdbot/.env",
    "key_file": "/home/g/.clawdbot/.env",
    "variables": {},
    "providers": {},
    "keys": {"moonshot": MOONSHOT_KEY, "kimicode": KIMICODE_KEY},
    "unreadable_stores": [],
    "models_missing": [],
}
MOONSHOT: dict[str, Any] = {
    "name": "moonshot",
    "status": "ok",
    "http_status": 200,
    "latency_ms": 212,
    "listed": MODELS,
    "missing": [],
    "optional_missing": [],
    "message": "lists kimi-k2.5, moonshot-v1-8k",
    "hint": "",
}
KIMICODE = {**MOONSHOT, "name": "kimicode", "latency_ms": 187, "listed": ["kimi-for-coding"], "message": "lists it"}
FILES = {
    "up_to_date": True,
    "config_changed": False,
    "env_changed": False,
    "keys_changed": False,
    "unfinished": False,
    "error": "",
}
UNREACHABLE = {"unreachable": True, "msg": "ssh: connect to host gateway-1 port 22: Connection refused"}
NOT_RUNNING = {
    "pid": None,
    "started": None,
    "answers": False,
    "restart_required": True,
    "restart_reasons": ["The gateway is not running."],
    "models_missing": ["moonshot/kimi-k2.5", "moonshot/moonshot-v1-8k", "kimicode/kimi-for-coding"],
}
REJECTED = {
    "status": "unauthorized",
    "http_status": 401,
    "listed": [],
    "message": "https://api.moonshot.cn/v1/models answered 401: Incorrect API key provided",
    "hint": "Make a new one.",
}
MISSING = {"status": "model_missing", "listed": ["kimi-k2.5"], "missing": ["moonshot-v1-8k"], "message": "not listed"}
HOSTILE = "<script>document.title = 'broken into'</script>"


def host(
    gateway: dict[str, Any] | None = None,
    moonshot: dict[str, Any] | None = None,
    files: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return the variables of a host that is healthy except for the given parts."""
    return {
        "__providers_gateway": {**GATEWAY, "files": {**FILES, **(files or {})}, **(gateway or {})},
        "__providers_endpoints": {"providers": [{**MOONSHOT, **(moonshot or {})}, KIMICODE]},
        "__providers_report_expected": EXPECTED,
        "group_names": ["eu", "production"],
        **more,
    }


FLEET: dict[str, dict[str, Any]] = {
    # So many groups that the number of one begins with the number of another.
    "gateway-10": host(group_names=["eu", "production", *(f"rack-{number}" for number in range(10))]),
    "gateway-9": host(moonshot={"listed": ["kimi-k2.5"], "optional_missing": ["moonshot-v1-8k"]}, group_names=["us"]),
    "gateway-1": {"__providers_gateway": UNREACHABLE, "__providers_report_expected": EXPECTED, "group_names": ["us"]},
    "gateway-2": {"__providers_report_failure": "providers_enabled is empty.", "group_names": []},
    "gateway-3": host(NOT_RUNNING),
    "gateway-4": host(moonshot=REJECTED),
    "gateway-5": host(moonshot=MISSING),
    "gateway-6": host({"models_missing": ["moonshot/kimi-k2.5"]}),
    "gateway-7": host({"restart_required": True, "restart_reasons": ["The .env is newer."]}),
    "gateway-8": host(
        {
            "keys": {
                "moonshot": {**MOONSHOT_KEY, "stored": "sha256:222222222222", "age_days": 1},
                "kimicode": {"stored": "", "in_process": None, "previous": None, "age_days": None},
            }
        },
        files={"up_to_date": False, "config_changed": True},
    ),
    "stale": host({"keys": {"moonshot": {**MOONSHOT_KEY, "age_days": 91}, "kimicode": KIMICODE_KEY}}),
    HOSTILE: host({"version": HOSTILE}, {**REJECTED, "message": HOSTILE}, group_names=[HOSTILE]),
}
