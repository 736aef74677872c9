# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What is known about the vendors' models by their ids: which are retired, and which think.

From Moonshot's own list of models, as docs/models.md has it. A host of somebody else may still serve a retired model.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Collection, Mapping
from typing import NamedTuple


class Retirement(NamedTuple):
    """That a vendor no longer serves a model. `date`: the first day without it, ISO 8601. `successor`: a model's id."""

    vendor: str
    date: str
    successor: str


_AUGUST = Retirement("Moonshot", "2026-08-31", "kimi-k3")
_CHEAP_SUCCESSOR = Retirement("Moonshot", "2026-08-31", "kimi-k2.6")
_MAY = Retirement("Moonshot", "2026-05-25", "kimi-k3")

RETIRED: Mapping[str, Retirement] = {
    "kimi-k2.5": _AUGUST,
    "moonshot-v1-8k": _CHEAP_SUCCESSOR,
    "moonshot-v1-32k": _CHEAP_SUCCESSOR,
    "moonshot-v1-128k": _CHEAP_SUCCESSOR,
    "moonshot-v1-auto": _CHEAP_SUCCESSOR,
    "moonshot-v1-8k-vision-preview": _CHEAP_SUCCESSOR,
    "moonshot-v1-32k-vision-preview": _CHEAP_SUCCESSOR,
    "moonshot-v1-128k-vision-preview": _CHEAP_SUCCESSOR,
    "kimi-k2-0711-preview": _MAY,
    "kimi-k2-0905-preview": _MAY,
    "kimi-k2-turbo-preview": _MAY,
    "kimi-k2-thinking": _MAY,
    "kimi-k2-thinking-turbo": _MAY,
    "kimi-latest": Retirement("Moonshot", "2026-01-28", "kimi-k3"),
}

#: The models that think before they answer: their reasoning has to be sent again with a tool's result.
THINKING = frozenset(
    {
        "kimi-k3",
        "kimi-k2.7-code",
        "kimi-k2.7-code-highspeed",
        "kimi-k2.6",
        "kimi-for-coding",
        "kimi-for-coding-highspeed",
        "k3",
        "k3-256k",
    }
)

_VENDOR_HOSTS = frozenset({"api.moonshot.cn", "api.moonshot.ai"})


def describe_retirement(model_id: str, listed: Collection[str] | None = None) -> str | None:
    """Return when a model was retired and what to use instead, as a clause after its id; None for other models.

    `listed`: the ids that the endpoint lists, if it was asked. A successor that it does not list is not recommended.
    """
    retired = RETIRED.get(model_id)
    if retired is None:
        return None
    advice = f"use {retired.successor}"
    if listed is not None and retired.successor not in listed:
        advice = f"its successor {retired.successor} is not listed"
    return f"was retired by {retired.vendor} on {retired.date}; {advice}"


def is_vendor(base_url: str) -> bool:
    """Whether a base URL is the vendor's own, which no longer serves its retired models."""
    try:
        return urllib.parse.urlsplit(base_url).hostname in _VENDOR_HOSTS
    except ValueError:
        return False
