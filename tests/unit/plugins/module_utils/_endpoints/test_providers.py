# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Providers as the module takes them, and the secrets in them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.providers import secrets_of
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.requests import listing_request
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import Model, Provider

from tests.unit.plugins.module_utils._endpoints.endpoint_cases import (
    KEY,
    URL,
    answer,
    provider,
)


def test_a_provider_block_is_understood() -> None:
    found = provider(
        base_url="https://api.kimi.com/coding/v1",
        api="anthropic-messages",
        headers={"User-Agent": "KimiCLI/0.77", "X-Number": 1.5},
        models=["a", {"id": "b", "name": "B", "contextWindow": 262144, "headers": {"X": "y"}, "cost": {}}, "a"],
        unlisted_models=["b", "c", "c"],
        # A model that need not be listed is optional anyway, and one that is not wanted is none.
        optional_models=["a", "c", "z"],
    )
    assert found == Provider(
        name="moonshot",
        base_url="https://api.kimi.com/coding/v1",
        api="anthropic-messages",
        api_key=KEY,
        headers=(("User-Agent", "KimiCLI/0.77"), ("X-Number", "1.5")),
        models=(Model("a"),),
        unlisted=(Model("b", 262144, (("X", "y"),)), Model("c")),
        optional=frozenset({"a"}),
    )


def test_a_missing_field_is_empty() -> None:
    found = provider(headers=None, models=None, unlisted_models=None, optional_models=None, api=None, api_key=None)
    assert found == Provider("moonshot", URL)


CONTEXTS: Mapping[str, object] = {"text": "262144", "truth": True, "fraction": 1.5, "nothing": None}


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
def test_an_invalid_context_is_none(context: object) -> None:
    assert provider(models=[{"id": "a", "contextWindow": context}]).models == (Model("a"),)


def test_no_secret_is_in_a_repr() -> None:
    whole = provider(headers={"Authorization": "hunter2"}, models=[{"id": "a", "headers": {"X-Api-Key": "hunter2"}}])
    request = listing_request(whole)
    outcome = answer(200, KEY.encode(), x=KEY)
    assert not [text for text in (repr(whole), repr(request), repr(outcome)) if KEY in text or "hunter2" in text]


SECRETS: Mapping[str, tuple[Mapping[str, object], set[str]]] = {
    "key": ({"api_key": KEY}, {KEY}),
    "no key": ({"api_key": None}, set()),
    "bearer": ({"headers": {"authorization": "Bearer abc"}}, {"Bearer abc", "abc"}),
    "several words": ({"headers": {"Cookie": "a=b; c=d e"}}, {"a=b; c=d e"}),
    "names": (
        {"headers": {"X-Api-Key": "a", "x-TOKEN": "b", "Client-Secret": "c", "password": "d", "X-Credential": "e"}},
        {"a", "b", "c", "d", "e"},
    ),
    "other names": ({"headers": {"User-Agent": "a", "X-Version": 1}}, set()),
    "a number": ({"headers": {"X-Key": 5}}, {"5"}),
    "model headers": ({"models": ["x", {"headers": {"X-Key": "a"}}, {"headers": ["X-Key"]}]}, {"a"}),
    "password in the URL": ({"base_url": "https://me:hunter2@host/"}, {"hunter2"}),
    "token in the URL": ({"base_url": "https://hunter2@host/"}, {"hunter2"}),
}


@pytest.mark.parametrize(("raw", "secrets"), SECRETS.values(), ids=SECRETS)
def test_secrets_are_known_before_anything_is_checked(raw: Mapping[str, object], secrets: set[str]) -> None:
    assert secrets_of([raw]) == secrets
