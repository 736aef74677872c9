# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What verify_models reports of LiteLLM's proxy, in both forms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.e2e.harness import new_key
from tests.litellm.conftest import Proxy
from tests.module.verify_models.hints import BEHIND_PROXY, REFUSED, UNLISTED
from tests.module.verify_models.probing import expected, only, run

LISTED = ["kimi-k3", "kimi-k2.7-code", "kimi-k2.6", "kimi-k2.5", "revoked", "kimi-for-coding", "mock"]
FORMS = {"openai": ("openai-completions", "/v1"), "anthropic": ("anthropic-messages", "")}
ROUTES = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
pytestmark = pytest.mark.parametrize("form", FORMS)


def asked(proxy: Proxy, form: str, **more: Any) -> dict[str, Any]:
    """Return a provider at the proxy."""
    api, path = FORMS[form]
    return {"name": "moonshot", "base_url": f"{proxy.url}{path}", "api": api, "api_key": proxy.key, **more}


def test_the_right_key(proxy: Proxy, form: str) -> None:
    provider = asked(proxy, form, models=["kimi-k3", "k3"], optional_models=["k3"])
    code, result, _printed = run(provider)
    found = expected("ok", 200, "listed: kimi-k3; optional, not listed: k3", "", listed=LISTED)
    assert only(result) == {**found, "optional_missing": ["k3"], "key": fingerprint(proxy.key)}
    assert code == 0


def test_a_wrong_key(proxy: Proxy, form: str) -> None:
    key = new_key()
    code, result, printed = run(asked(proxy, form, api_key=key, models=["kimi-k3"]))
    message = f"{proxy.url}/v1/models answered 400: No connected db."
    assert only(result) == expected("request_refused", 400, message, REFUSED, key=fingerprint(key))
    assert (code, key in printed) == (1, False)


def test_a_missing_model(proxy: Proxy, form: str) -> None:
    code, result, _printed = run(asked(proxy, form, models=["kimi-k3", "kimi-k33"]))
    found = only(result)
    assert (code, found["status"], found["missing"]) == (1, "model_missing", ["kimi-k33"])
    assert found["message"] == "not listed: kimi-k33"
    assert found["hint"] == f"kimi-k33: did you mean kimi-k3? {UNLISTED}"


def test_models_that_answer(proxy: Proxy, form: str) -> None:
    code, result, _printed = run(asked(proxy, form, models=["kimi-k3", "mock"]), probe="chat")
    assert (code, only(result)["message"]) == (0, "listed: kimi-k3, mock; answered: kimi-k3, mock")


def test_an_unlisted_model_that_is_unknown(proxy: Proxy, form: str) -> None:
    code, result, _printed = run(asked(proxy, form, unlisted_models=["kimi-x"]), probe="chat")
    asker = {"openai": "/chat/completions", "anthropic": "anthropic_messages"}[form]
    found = only(result)
    assert (code, found["status"], found["missing"]) == (1, "model_missing", ["kimi-x"])
    assert found["message"] == (
        f"kimi-x is neither listed nor accepted: {proxy.url}{ROUTES[form]} answered 400: {asker}: Invalid model name"
        " passed in model=kimi-x. Call `/v1/models` to view available models for your key."
    )


def test_a_retired_model_that_the_proxy_still_lists(proxy: Proxy, form: str) -> None:
    provider = asked(proxy, form, models=["kimi-k2.5", "kimi-k3"])
    listed, _result, _printed = run(provider)
    code, result, _printed = run(provider, probe="chat")
    found = only(result)
    assert (listed, code, found["status"], found["http_status"]) == (0, 1, "model_retired", 404)
    assert found["message"] == "kimi-k2.5 was retired by Moonshot on 2026-08-31; use kimi-k3"
    assert found["hint"] == "Replace kimi-k2.5 with kimi-k3."


#: What the vendor rejects for the proxy's own key or identity.
OWN: Mapping[str, tuple[int, str]] = {
    "revoked": (401, "litellm.AuthenticationError: AuthenticationError: OpenAIException - Incorrect API key provided"),
    "kimi-for-coding": (403, "litellm.PermissionDeniedError: AnthropicException"),
}


@pytest.mark.parametrize("model", OWN)
def test_what_the_vendor_rejects_for_the_proxy(proxy: Proxy, form: str, model: str) -> None:
    code, result, _printed = run(asked(proxy, form, models=[model, "kimi-k3"]), probe="chat")
    status, text = OWN[model]
    found = only(result)
    assert (code, found["status"], found["http_status"]) == (1, "model_unusable", status)
    assert found["message"].startswith(f"{model} cannot be used: {proxy.url}{ROUTES[form]} answered {status}: {text}")
    assert found["hint"] == BEHIND_PROXY
