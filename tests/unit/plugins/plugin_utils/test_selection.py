# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._selection import select_removed

from tests.unit.plugins.plugin_utils.selection_cases import (
    GOOD,
    KIMI_BLOCK,
    KIMI_KEY,
    MOONSHOT_BLOCK,
    MOONSHOT_KEY,
    VENDOR,
    overridden,
    selected,
)


def test_the_whole_selection() -> None:
    assert selected() == {
        "problems": [],
        "providers": {
            "moonshot": {
                "env_var": "MOONSHOT_API_KEY",
                "also_in": [],
                "api_key": MOONSHOT_KEY,
                "block": {**MOONSHOT_BLOCK, "apiKey": "${MOONSHOT_API_KEY}"},
            },
            "kimicode": {
                "env_var": "KIMICODE_API_KEY",
                "also_in": [],
                "api_key": KIMI_KEY,
                "block": {**KIMI_BLOCK, "apiKey": "${KIMICODE_API_KEY}"},
            },
        },
        "variables": {"moonshot": "MOONSHOT_API_KEY", "kimicode": "KIMICODE_API_KEY"},
        "fingerprints": {
            "MOONSHOT_API_KEY": fingerprint(MOONSHOT_KEY),
            "KIMICODE_API_KEY": fingerprint(KIMI_KEY),
        },
        "also_in": {"moonshot": [], "kimicode": []},
        "aliases": {"k25": "moonshot/kimi-k2.5", "kimi": "kimicode/kimi-for-coding"},
        "endpoints": [
            {
                "name": "moonshot",
                "base_url": "https://api.moonshot.cn/v1",
                "api_key": MOONSHOT_KEY,
                "headers": {},
                "models": MOONSHOT_BLOCK["models"],
                "unlisted_models": [],
                "optional_models": [],
            },
            {
                "name": "kimicode",
                "base_url": "https://api.kimi.com/coding/v1",
                "api_key": KIMI_KEY,
                "headers": {"User-Agent": "KimiCLI/0.77"},
                "models": KIMI_BLOCK["models"],
                "unlisted_models": [],
                "optional_models": [],
            },
        ],
        "keyless_endpoints": [
            {"name": "moonshot", "base_url": "https://api.moonshot.cn/v1", "headers": {}},
            {
                "name": "kimicode",
                "base_url": "https://api.kimi.com/coding/v1",
                "headers": {"User-Agent": "KimiCLI/0.77"},
            },
        ],
        "models": ["moonshot/kimi-k2.5", "moonshot/moonshot-v1-8k", "kimicode/kimi-for-coding"],
        "chat_models": ["moonshot/kimi-k2.5", "kimicode/kimi-for-coding"],
        "optional_models": {"moonshot": [], "kimicode": []},
        "unlisted_models": {"moonshot": [], "kimicode": []},
        "removed_models": [],
        "warnings": [],
    }


REMOVED_NONE = {"problems": [], "variables": {}, "fingerprints": {}, "models": [], "chat_models": []}
BAD_VARIABLE = (
    " is not the name of an environment variable. Use upper-case letters, digits and '_', and do not begin with a "
    "digit."
)
REMOVED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "both": (
        {},
        {
            **REMOVED_NONE,
            "providers": {"moonshot": {}, "kimicode": {}},
            "env": {"MOONSHOT_API_KEY": "", "KIMICODE_API_KEY": ""},
        },
    ),
    "one, with another environment variable": (
        {"enabled": ["moonshot"], "overrides": {"moonshot": {"env_var": "MINE"}}},
        {**REMOVED_NONE, "providers": {"moonshot": {}}, "env": {"MINE": ""}},
    ),
    "with further environment variables": (
        {"enabled": ["moonshot"], "overrides": {"moonshot": {"also_in": ["KIMI_API_KEY", "MOONSHOT_KEY"]}}},
        {
            **REMOVED_NONE,
            "providers": {"moonshot": {}},
            "env": {"MOONSHOT_API_KEY": "", "KIMI_API_KEY": "", "MOONSHOT_KEY": ""},
        },
    ),
    "a further environment variable that is none": (
        {"enabled": ["moonshot"], "overrides": {"moonshot": {"also_in": ["kimi"]}}},
        {"problems": [f'providers_overrides.moonshot.also_in: "kimi"{BAD_VARIABLE}']},
    ),
    "an invalid block is ignored": (
        {"enabled": ["moonshot"], "overrides": {"moonshot": {"block": 1}}},
        {**REMOVED_NONE, "providers": {"moonshot": {}}, "env": {"MOONSHOT_API_KEY": ""}},
    ),
    "not set": (
        {"enabled": None},
        {"problems": ["providers_enabled is not set. List the providers to remove."]},
    ),
    "nothing": ({"enabled": []}, {**REMOVED_NONE, "providers": {}, "env": {}}),
    "unknown": (
        {"enabled": ["moonshoot"]},
        {"problems": ['providers_enabled: unknown provider "moonshoot". Did you mean "moonshot"?']},
    ),
    "no list": (
        {"enabled": "moonshot"},
        {"problems": ["providers_enabled is not a list of strings. List the names of providers."]},
    ),
    "no dictionary": ({"overrides": []}, {"problems": ["providers_overrides is not a dictionary."]}),
    "no environment variable": (
        {"catalogue": {"moonshot": {}, "kimicode": 1}},
        {
            "problems": [
                f"providers_catalogue.moonshot.env_var{BAD_VARIABLE}",
                f"providers_catalogue.kimicode.env_var{BAD_VARIABLE}",
            ]
        },
    ),
}


@pytest.mark.parametrize(("changed", "expected"), REMOVED.values(), ids=REMOVED)
def test_removed_selection(changed: dict[str, Any], expected: dict[str, Any]) -> None:
    variables = {**copy.deepcopy(GOOD), **changed}
    assert select_removed(variables["enabled"], variables["catalogue"], variables["overrides"]) == expected


def test_further_environment_variables_get_the_key() -> None:
    headers = {"X-Search": "${KIMI_API_KEY}"}
    selection = selected(**overridden("moonshot", also_in=["KIMI_API_KEY"], block={"headers": headers}))
    assert selection["problems"] == []
    assert selection["providers"]["moonshot"]["also_in"] == ["KIMI_API_KEY"]
    assert selection["also_in"] == {"moonshot": ["KIMI_API_KEY"], "kimicode": []}
    assert selection["variables"] == {"moonshot": "MOONSHOT_API_KEY", "kimicode": "KIMICODE_API_KEY"}
    assert selection["fingerprints"] == {
        "MOONSHOT_API_KEY": fingerprint(MOONSHOT_KEY),
        "KIMI_API_KEY": fingerprint(MOONSHOT_KEY),
        "KIMICODE_API_KEY": fingerprint(KIMI_KEY),
    }
    assert selection["endpoints"][0]["headers"] == {"X-Search": MOONSHOT_KEY}


def test_block_begins_with_url_and_reference() -> None:
    assert list(selected()["providers"]["kimicode"]["block"]) == ["baseUrl", "apiKey", "api", "headers", "models"]


@pytest.mark.parametrize("api_key", [None, "${MOONSHOT_API_KEY}"])
def test_a_block_may_contain_the_reference_or_null(api_key: Any) -> None:
    catalogue = copy.deepcopy(GOOD["catalogue"])
    catalogue["moonshot"]["block"]["apiKey"] = api_key
    selection = selected(catalogue=catalogue)
    assert selection["problems"] == []
    assert selection["providers"]["moonshot"]["block"]["apiKey"] == "${MOONSHOT_API_KEY}"


def test_nothing_enabled() -> None:
    assert selected(enabled=[]) == {
        "problems": [],
        "providers": {},
        "variables": {},
        "fingerprints": {},
        "also_in": {},
        "aliases": {},
        "endpoints": [],
        "keyless_endpoints": [],
        "models": [],
        "chat_models": [],
        "optional_models": {},
        "unlisted_models": {},
        "removed_models": [],
        "warnings": [],
    }


def test_without_a_list_the_providers_with_a_key_are_enabled() -> None:
    selection = selected(enabled=None, api_keys={"kimicode": KIMI_KEY, "acme": "sk-acme"})
    assert list(selection["providers"]) == ["kimicode"]
    assert selection["warnings"] == [
        "providers_api_keys has no key for moonshot: left out, as providers_enabled is not set.",
        "providers_api_keys has keys for unknown providers, which are not used: acme.",
    ]
    assert selected(enabled=None)["warnings"] == []


def test_an_alias_of_a_model_that_the_block_lacks_is_left_out() -> None:
    selection = selected(aliases={"k25": "moonshot/kimi-k2.5", "k26": "moonshot/kimi-k2.6", "z": "moonshot/zzz"})
    assert selection["aliases"] == {"k25": "moonshot/kimi-k2.5"}
    assert selection["warnings"] == [
        'providers_aliases.k26: left out, as moonshot has no model "kimi-k2.6". Did you mean "kimi-k2.5"?',
        'providers_aliases.z: left out, as moonshot has no model "zzz".',
    ]


def test_a_warning_holds_no_key() -> None:
    selection = selected(aliases={"k": f"moonshot/{KIMI_KEY}"})
    assert selection["warnings"] == [
        f'providers_aliases.k: left out, as moonshot has no model "<{fingerprint(KIMI_KEY)}>".'
    ]


def test_models_that_are_left_out() -> None:
    more = overridden("moonshot", optional_models=["kimi-k2.5", "moonshot-v1-8k"])
    whole = selected(**more)
    assert whole["optional_models"] == {"moonshot": ["kimi-k2.5", "moonshot-v1-8k"], "kimicode": []}
    assert whole["endpoints"][0]["optional_models"] == ["kimi-k2.5", "moonshot-v1-8k"]
    selection = selected(**more, left_out={"moonshot": ["kimi-k2.5"]})
    assert selection["models"] == ["moonshot/moonshot-v1-8k", "kimicode/kimi-for-coding"]
    assert selection["chat_models"] == ["moonshot/moonshot-v1-8k", "kimicode/kimi-for-coding"]
    assert [model["id"] for model in selection["providers"]["moonshot"]["block"]["models"]] == ["moonshot-v1-8k"]
    assert selection["aliases"] == {"kimi": "kimicode/kimi-for-coding"}
    assert selection["removed_models"] == ["moonshot/kimi-k2.5"]
    assert selection["optional_models"]["moonshot"] == ["moonshot-v1-8k"]


def test_default_and_fallbacks_may_be_built_in_or_unlisted() -> None:
    variables = {
        **overridden("moonshot", unlisted_models=["latest"]),
        "default_model": "moonshot/latest",
        "fallback_models": ["anthropic/claude-opus-4-5", "openrouter/a/b"],
    }
    assert selected(**variables)["problems"] == []


def test_two_providers_may_share_an_environment_variable_and_its_key() -> None:
    selection = selected(
        **overridden("kimicode", env_var="MOONSHOT_API_KEY"),
        api_keys={"moonshot": MOONSHOT_KEY, "kimicode": MOONSHOT_KEY},
    )
    assert selection["problems"] == []
    assert selection["fingerprints"] == {"MOONSHOT_API_KEY": fingerprint(MOONSHOT_KEY)}


def test_provider_of_another_vendor() -> None:
    selection = selected(enabled=["other"], overrides={"other": VENDOR}, api_keys={"other": "anything"})
    assert selection["problems"] == []
    assert selection["providers"]["other"]["block"]["apiKey"] == "${OTHER_API_KEY}"
    assert selection["models"] == ["other/m/1"]


def test_references_in_headers_are_resolved_for_the_endpoints_only() -> None:
    headers = {"X-Key": "Token ${MOONSHOT_API_KEY}", "X-Other": "${OTHER} $${MOONSHOT_API_KEY}"}
    model_headers = {"X-Model": "${KIMICODE_API_KEY}"}
    block = {"headers": headers, "models": [{"id": "kimi-k2.5", "headers": model_headers}]}
    selection = selected(**overridden("moonshot", block=block))
    endpoint = selection["endpoints"][0]
    assert endpoint["headers"] == {
        "X-Key": f"Token {MOONSHOT_KEY}",
        "X-Other": "${OTHER} $${MOONSHOT_API_KEY}",
    }
    assert endpoint["models"] == [
        {"id": "kimi-k2.5", "name": "Kimi K2.5", "headers": {"X-Model": KIMI_KEY}},
        {"id": "moonshot-v1-8k", "name": "Moonshot V1 8K"},
    ]
    assert selection["keyless_endpoints"][0]["headers"] == headers
    configured = selection["providers"]["moonshot"]["block"]
    assert configured["headers"] == headers
    assert configured["models"][0]["headers"] == model_headers


def test_an_endpoint_without_keys_has_none_in_its_headers() -> None:
    selection = selected(**overridden("moonshot", block={"headers": {"X-Key": f"Token {MOONSHOT_KEY}"}}))
    assert selection["keyless_endpoints"][0]["headers"] == {"X-Key": "Token ${MOONSHOT_API_KEY}"}


def test_endpoint_has_an_api_only_if_it_is_not_the_default() -> None:
    selection = selected(**overridden("kimicode", block={"api": "anthropic-messages"}))
    assert [endpoint.get("api") for endpoint in selection["endpoints"]] == [None, "anthropic-messages"]


def test_a_model_that_thinks_without_what_a_product_needs() -> None:
    selection = selected(
        product="openclaw", **overridden("moonshot", block={"models": [{"id": "kimi-k3", "name": "K3"}]})
    )
    assert selection["warnings"] == [
        "providers_overrides.moonshot.block.models: OpenClaw needs `reasoning: true` for kimi-k3. Without it, the "
        "endpoint rejects the result of each tool that the model calls, because the model's reasoning is not sent "
        "again. Set it."
    ]


def test_a_block_refers_to_a_key_in_a_file() -> None:
    selection = selected(backend="file", product="openclaw")
    assert selection["providers"]["moonshot"]["block"]["apiKey"] == {
        "source": "file",
        "provider": "clawfleet",
        "id": "/MOONSHOT_API_KEY",
    }


def test_clawdbot_takes_no_key_from_a_file() -> None:
    assert selected(backend="file", product="clawdbot") == {
        "problems": [
            "providers_secret_backend is file, but Clawdbot takes only strings as `apiKey`, and reads keys only at its "
            "start. Set it to env."
        ]
    }


def test_a_null_in_a_block_removes_a_member_from_the_host() -> None:
    catalogue = copy.deepcopy(GOOD["catalogue"])
    catalogue["moonshot"]["block"].update(timeoutSeconds=None, headers=None)
    override = {"moonshot": {"block": {"authHeader": None, "headers": {"X-Team": "a"}}}}
    selection = selected(catalogue=catalogue, overrides=override)
    assert selection["problems"] == []
    block = selection["providers"]["moonshot"]["block"]
    shown = ("timeoutSeconds", "authHeader", "headers", "apiKey")
    assert {name: block[name] for name in shown} == {
        "timeoutSeconds": None,
        "authHeader": None,
        "headers": {"X-Team": "a"},
        "apiKey": "${MOONSHOT_API_KEY}",
    }
    assert selection["endpoints"][0]["headers"] == {"X-Team": "a"}
