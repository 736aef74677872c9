# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The report as a web page, and as lines for a terminal.

The page is rendered with the autoescaping of jinja2. Ansible's own templates have none, even if it is requested.
"""

from __future__ import annotations

import base64
import hashlib
import os
import textwrap
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import jinja2
import markupsafe
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._report import STATUSES

#: Status of a host -> its label, its symbol and its severity, which is a class of the CSS.
LABELS = {
    "unreachable": ("Unreachable", "⊘", "bad"),
    "failed": ("Failed", "✕", "bad"),
    "down": ("Down", "▼", "bad"),
    "provider": ("Provider error", "✕", "bad"),
    "gateway": ("Gateway error", "■", "bad"),
    "restart": ("Restart due", "↻", "warn"),
    "drift": ("Drift", "≠", "warn"),
    "rotation": ("Rotation due", "↺", "warn"),
    "ok": ("OK", "✓", "good"),
}
_DIRECTORY = os.path.dirname(__file__)
_SHOWN_HOSTS = 40
_FINDING_WIDTH = 72


def report_page(report: Mapping[str, Any]) -> str:
    """Return the report as one HTML document that loads nothing."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_DIRECTORY),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style, script = (_asset(name) for name in ("_report.css", "_report.js"))
    groups = sorted({group for host in report["hosts"] for group in host["groups"]})
    return environment.get_template("_report.html.j2").render(
        report=report,
        labels=LABELS,
        statuses=[status for status in STATUSES if report["counts"][status]],
        groups=groups,
        number_of_group={group: number for number, group in enumerate(groups)},
        minute=_minute,
        key_lines=_key_lines,
        age=lambda started: _age(started, report["generated"]),
        style=style,
        script=script,
        style_source=_csp_source(style),
        script_source=_csp_source(script),
    )


def report_summary(report: Mapping[str, Any]) -> list[str]:
    """Return the report as lines: the counts, and a table of the hosts, the worst first."""
    counts = report["counts"]
    shown = ", ".join(f"{counts[status]} {LABELS[status][0].lower()}" for status in STATUSES if counts[status])
    rows: list[tuple[str, ...]] = [("HOST", "STATUS", "PROVIDERS", "VERSION", "STARTED", "FINDING")]
    rows += [_row(host) for host in report["hosts"][:_SHOWN_HOSTS]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"Need attention: {counts['hosts'] - counts['ok']} of {counts['hosts']} hosts ({shown or 'none'})"]
    lines += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    more = counts["hosts"] - _SHOWN_HOSTS
    return [*lines, f"and {more} more"] if more > 0 else lines


def _row(host: Mapping[str, Any]) -> tuple[str, ...]:
    asked = [provider for provider in host["providers"] if provider["status"] != "not_asked"]
    providers = ", ".join(f"{provider['name']} {provider['status']}" for provider in asked)
    found = host["findings"]
    first = textwrap.shorten(found[0]["text"], _FINDING_WIDTH, placeholder=" ...") if found else ""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return (
        host["name"],
        LABELS[host["status"]][0],
        providers or "-",
        host["version"] or "-",
        _minute(host["started"]) if host["started"] else "-",
        f"{first}{more}" or "-",
    )


def _asset(name: str) -> str:
    with open(os.path.join(_DIRECTORY, name), encoding="utf-8") as file:
        return file.read()


def _csp_source(text: str) -> str:
    """Return the source expression of a Content-Security-Policy that allows exactly this string."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _key_lines(provider: Mapping[str, Any]) -> list[str]:
    """Return what is known of the key of a provider: that of the files first, then whatever differs from it."""
    stored, age = provider["key_stored"], provider["key_age_days"]
    days = "age unknown" if age is None else "1 day old" if age == 1 else f"{age} days old"
    others = {
        "process": None if provider["key_in_process"] == stored else _key(provider["key_in_process"]),
        "previous": provider["key_previous"] and _key(provider["key_previous"]),
        "pending": provider["key_pending"] and _key(provider["key_pending"]),
        "inventory": _key(provider["key"]) if stored is None else None,
    }
    lines = [_key(stored), *([days] if stored else [])]
    return lines + [markupsafe.Markup("{}: {}").format(name, key) for name, key in others.items() if key]


def _key(fingerprint: str | None) -> str:
    """Return a fingerprint with a place to break the line, or that there is no key, or that it is not known."""
    if not fingerprint:
        return "unknown" if fingerprint is None else "none"
    return markupsafe.Markup(":<wbr>").join(fingerprint.split(":"))


def _minute(time: str) -> str:
    return f"{time[:10]} {time[11:16]} UTC"


def _age(started: str, generated: str) -> str:
    """Return the time from the start to the report, in its largest unit."""
    seconds = (_moment(generated) - _moment(started)).total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return "<1 min"


def _moment(time: str) -> datetime:
    return datetime.strptime(time, "%Y-%m-%dT%H:%M:%SZ")
