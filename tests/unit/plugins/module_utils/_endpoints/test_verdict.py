# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The conclusion for a provider."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.responses import read_listing
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import (
    Answer,
    Listing,
    Outcome,
    Verdict,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.verdict import (
    conclude,
    conclude_without_listing,
    nearest,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from hypothesis import given

from tests.unit.plugins.module_utils._endpoints.endpoint_cases import (
    ASK_LISTING,
    KEY,
    OUTCOMES,
    provider,
)

NEAREST: Mapping[str, tuple[str, list[str]]] = {
    "a dot": ("kimi-k25", ["kimi-k2.5", "kimi-k2.6"]),
    "case": ("Kimi-K2.5", ["kimi-k2.5", "kimi-k2.6"]),
    "the product's way": ("moonshot/kimi-k2.5", ["kimi-k2.5", "moonshot-v1-8k", "moonshot-v1-32k"]),
    "a wrong copy": ("moonlight-v1-32k", ["moonshot-v1-32k", "moonshot-v1-8k"]),
    "nothing near": ("gpt", []),
}


@pytest.mark.parametrize(("model_id", "near"), NEAREST.values(), ids=NEAREST)
def test_the_nearest_ids_are_suggested(model_id: str, near: list[str]) -> None:
    assert nearest(model_id, ["moonshot-v1-8k", "moonshot-v1-32k", "kimi-k2.6", "kimi-k2.5"]) == near


def test_a_long_listing_is_shown_in_part() -> None:
    asked = provider(models=["zzz"])
    listing = Listing(tuple(f"m{n}" for n in range(12)), {}, False, 200, 7)
    assert conclude(asked, listing, None, ())["hint"] == (
        "api.moonshot.cn lists m0, m1, m2, m3, m4, m5, m6, m7, m8, m9 and 2 more for this key. A model that is accepted"
        " without being listed belongs in unlisted_models."
    )


def test_an_id_that_echoes_the_key_is_not_shown() -> None:
    listing = Listing((f"a-{KEY}", "b\x1b[2J"), {}, False, 200, 7)
    assert conclude(provider(), listing, None, {KEY})["listed"] == [f"a-<{fingerprint(KEY)}>", "b [2J"]


def test_a_provider_without_models_is_asked_about_its_key() -> None:
    found = conclude(provider(), Listing(("a", "b"), {}, False, 200, 7), None, ())
    assert (found["status"], found["message"], found["hint"]) == ("ok", "the key is accepted; 2 models are listed", "")


def test_an_unlisted_model_may_be_listed() -> None:
    asked = provider(unlisted_models=["a"])
    listing = Listing(("a",), {}, False, 200, 7)
    rejected = Verdict("model_unusable", "no", 404, 9, rejection="unknown")
    found = conclude(asked, listing, {"a": rejected}, ())
    assert (found["status"], found["missing"], found["message"]) == ("model_unusable", [], "a cannot be used: no")


def test_the_slowest_chat_counts() -> None:
    asked = provider(models=["a", "b"])
    chats = {model_id: Verdict("ok", "x", 200, latency) for model_id, latency in (("a", 90), ("b", 30))}
    assert conclude(asked, Listing(("a", "b"), {}, False, 200, 7), chats, ())["latency_ms"] == 90


@given(outcome=OUTCOMES)
def test_ok_means_that_every_model_is_listed(outcome: Outcome) -> None:
    asked = provider(models=["a", "b"])
    listing = read_listing(outcome, ASK_LISTING, {KEY})
    if isinstance(listing, Verdict):
        found = conclude_without_listing(asked, listing)
        assert found["status"] != "ok"
    else:
        found = conclude(asked, listing, None, {KEY})
        assert (found["status"] == "ok") == {"a", "b"}.issubset(listing.ids)
        assert isinstance(outcome, Answer)
        assert (outcome.status, outcome.defect) == (200, None)
        named = json.loads(outcome.body)["data"]
        assert set(listing.ids) == {entry["id"] for entry in named if _has_id(entry)}
    assert bool(found["hint"]) == (found["status"] != "ok")


@given(outcome=OUTCOMES)
def test_ok_with_optional_models_means_that_one_is_listed(outcome: Outcome) -> None:
    asked = provider(models=["a", "b", "c"], optional_models=["a", "b", "c"])
    listing = read_listing(outcome, ASK_LISTING, {KEY})
    if isinstance(listing, Listing):
        found = conclude(asked, listing, None, {KEY})
        assert (found["status"] == "ok") == bool({"a", "b", "c"}.intersection(listing.ids))
        assert found["optional_missing"] == [model_id for model_id in "abc" if model_id not in listing.ids]
        assert found["missing"] == []


def _has_id(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("id"), str) and entry["id"] != ""
