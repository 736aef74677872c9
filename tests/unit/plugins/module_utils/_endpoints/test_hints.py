# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the hints advise."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.hints import ADVICE, HINTS, hint_for
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.requests import listing_request
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.responses import FAILURES, judge
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import NoAnswer, Outcome, Verdict

from tests.unit.plugins.module_utils._endpoints.endpoint_cases import (
    answer,
    error,
    provider,
)


def hint(outcome: Outcome, **more: object) -> str:
    asked = provider(**more)
    finding = judge(outcome, listing_request(asked), set())
    assert isinstance(finding, Verdict)
    return hint_for(asked, finding)


KIMI = "https://api.kimi.com/coding/v1"
KIMI_CODE = "https://api.kimi.com/coding/ with api=anthropic-messages"
UNAUTHORIZED: Mapping[str, tuple[dict[str, object], str]] = {
    "China": (
        {},
        "Check the key at platform.moonshot.cn: it may be revoked, or belong to the other platform (base URL"
        f" https://api.moonshot.ai/v1) or to Kimi Code ({KIMI_CODE}).",
    ),
    "international": (
        {"base_url": "https://api.moonshot.ai/v1"},
        "Check the key at platform.moonshot.ai: it may be revoked, or belong to the other platform (base URL"
        f" https://api.moonshot.cn/v1) or to Kimi Code ({KIMI_CODE}).",
    ),
    "a key of Kimi Code": (
        {"base_url": "https://API.moonshot.ai/v1", "api_key": "sk-kimi-0123456789"},
        f"Set base_url to {KIMI_CODE}: a key that starts with sk-kimi- belongs to Kimi Code.",
    ),
    "Kimi Code": (
        {"base_url": KIMI},
        "Use a key of kimi.com/code/console: Kimi Code does not accept keys of platform.moonshot.cn or"
        " platform.moonshot.ai.",
    ),
    "another vendor": (
        {"base_url": "https://llm.example/v1", "api_key": "sk-kimi-0123456789"},
        "Check on the console of llm.example that the key is valid, and that it was made for this host.",
    ),
}


@pytest.mark.parametrize(("more", "text"), UNAUTHORIZED.values(), ids=UNAUTHORIZED)
def test_a_rejected_key_may_belong_to_another_endpoint(more: dict[str, object], text: str) -> None:
    assert hint(error(401, "x", "Invalid Authentication"), **more) == text


WRONG_URLS: Mapping[str, tuple[dict[str, object], str]] = {
    "no version": (
        {"base_url": "https://api.moonshot.cn/"},
        "Try https://api.moonshot.cn/v1, since base_url does not end in /v1. For an Anthropic-style base URL, set"
        " api=anthropic-messages.",
    ),
    "another version": (
        {"base_url": "https://llm.example/api/v4"},
        "Check the path of base_url: the models are listed at /models below it.",
    ),
    "Kimi Code": (
        {"base_url": "https://api.kimi.com/coding/"},
        f"Set base_url to {KIMI_CODE}, or to https://api.kimi.com/coding/v1 with api=openai-completions.",
    ),
    "Anthropic's protocol": (
        {"base_url": KIMI, "api": "anthropic-messages"},
        "Remove /v1 from base_url: with api=anthropic-messages it is added.",
    ),
}


@pytest.mark.parametrize(("more", "text"), WRONG_URLS.values(), ids=WRONG_URLS)
def test_a_wrong_base_url_is_corrected(more: dict[str, object], text: str) -> None:
    assert hint(answer(404, b"<html>"), **more) == text


CONSOLES: Mapping[str, str] = {
    "https://api.moonshot.cn/v1": "platform.moonshot.cn",
    "https://api.moonshot.ai/v1": "platform.moonshot.ai",
    KIMI: "kimi.com/code/console",
    "https://llm.example/v1": "the console of llm.example",
}


@pytest.mark.parametrize(("base_url", "console"), CONSOLES.items())
def test_a_hint_names_the_vendors_console(base_url: str, console: str) -> None:
    text = f"Top up the account, or wait for its next billing period ({console}). Retries do not help."
    assert hint(error(429, "exceeded_current_quota_error", "x"), base_url=base_url) == text


def test_every_failure_has_a_hint() -> None:
    kinds = {kind: hint(NoAnswer(kind, "peer", "detail")) for kind in FAILURES}
    assert [kind for kind, text in kinds.items() if not text] == []


def test_no_hint_advises_the_agent_of_another_client() -> None:
    texts = [*HINTS.values(), *ADVICE.values()]
    assert [text for text in texts if "KimiCLI" in text or "Set User-Agent" in text] == []
