# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the vendors serve: products, models, clients and errors, as docs/models.md describes them."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

# The clients that may chat with Kimi Code, by form. The vendor's list is not public; its error names the first agents,
# and the Anthropic form was seen to admit Anthropic's own library.
_AGENTS = r"KimiCLI|claude-code|claude-cli|RooCode|Kilo-Code"
ADMITTED_AGENTS: Mapping[str, re.Pattern[str]] = {
    "openai": re.compile(rf"({_AGENTS})/", re.IGNORECASE),
    # OpenClaw, which the vendor names among the tools that a membership is for, sends `undici` alone.
    "anthropic": re.compile(rf"(({_AGENTS})/|Anthropic/JS |undici\Z)", re.IGNORECASE),
}

_ACCOUNT = "org-5d41402abc4b2a76<ak-b9719d911017c592>"
# Our name, for add_key(rejected=...) and the fault "error" -> status, type, message.
ERRORS = {
    "bad_request": (400, "invalid_request_error", "Invalid request: {detail}"),
    "invalid_authentication": (401, "invalid_authentication_error", "Invalid Authentication"),
    "incorrect_api_key": (401, "incorrect_api_key_error", "Incorrect API key provided"),
    "expired_api_key": (
        401,
        "invalid_authentication_error",
        "The API Key appears to be invalid or may have expired. Please verify your credentials and try again.",
    ),
    "wrong_model_id": (
        401,
        "invalid_authentication_error",
        "Your model id does not exist, recognized as other: {model}",
    ),
    "membership": (
        402,
        "invalid_request_error",
        "We're unable to verify your membership benefits at this time. Please ensure your membership is active.",
    ),
    "client_not_admitted": (
        403,
        "access_terminated_error",
        "Kimi For Coding is currently only available for Coding Agents such as Kimi CLI, Claude Code, Roo Code, "
        "Kilo Code, etc.",
    ),
    "usage_limit": (
        403,
        "access_terminated_error",
        "You've reached your usage limit for this billing cycle. Your quota will be refreshed in the next cycle.",
    ),
    "model_not_found": (404, "resource_not_found_error", "Not found the model {model} or Permission denied"),
    "rate_limit": (
        429,
        "rate_limit_reached_error",
        f"Your account {_ACCOUNT} request reached organization max RPM: {{rpm}}, please try again after "
        "{seconds} seconds",
    ),
    "exceeded_quota": (
        429,
        "exceeded_current_quota_error",
        f"Your account {_ACCOUNT} is suspended due to insufficient balance, please recharge your account or check "
        "your plan and billing details",
    ),
    "engine_overloaded": (
        429,
        "engine_overloaded_error",
        "The engine is currently overloaded, please try again later",
    ),
}


@dataclasses.dataclass(frozen=True)
class Model:
    """A model. `context`: tokens; None where the listing says nothing.

    `thinking`: whether it thinks before it answers, and whether a request may say otherwise. `efforts`: the values of
    `reasoning_effort` that it takes. `fixes_sampling`: whether it rejects parameters such as `temperature`.
    """

    id: str
    context: int | None
    vision: bool = True
    thinking: Literal["always", "optional", "never"] = "never"
    efforts: tuple[str, ...] = ()
    fixes_sampling: bool = False
    more: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def listed(self) -> dict[str, Any]:
        """Return its entry in the listing."""
        supports = {f"supports_{what}": self.vision for what in ("image_in", "video_in")}
        base = {"id": self.id, "object": "model", "created": 1769385600, "owned_by": "moonshot"}
        context = {} if self.context is None else {"context_length": self.context}
        return {**base, **context, **supports, "supports_reasoning": self.thinking != "never", **self.more}


@dataclasses.dataclass(frozen=True)
class Product:
    """A product: its path, name and models, its error for a wrong key, whether only known agents may chat.

    `anthropic`: whether it has the Anthropic form as well.
    """

    prefix: str
    label: str
    models: tuple[Model, ...]
    key_error: str
    agents_only: bool = False
    anthropic: bool = False


_MOONSHOT_MODELS = (
    Model("kimi-k3", 1048576, thinking="always", efforts=("low", "high", "max"), fixes_sampling=True),
    Model("kimi-k2.7-code", 262144, thinking="always", fixes_sampling=True),
    Model("kimi-k2.7-code-highspeed", 262144, thinking="always", fixes_sampling=True),
    Model("kimi-k2.6", 262144, thinking="optional"),
)
_EFFORTS = ("low", "high", "max")


def _coding_model(model_id: str, name: str, context: int) -> Model:
    efforts = {"support": True, "valid_efforts": list(_EFFORTS), "default_effort": "high"}
    more = {"display_name": name, "supports_thinking_type": "both", "think_efforts": efforts}
    return Model(model_id, context, thinking="optional", efforts=_EFFORTS, more=more)


_KIMICODE_MODELS = (
    _coding_model("kimi-for-coding", "Kimi For Coding", 262144),
    _coding_model("kimi-for-coding-highspeed", "Kimi For Coding HighSpeed", 262144),
    _coding_model("k3", "Kimi K3", 1048576),
    _coding_model("k3-256k", "Kimi K3 256K", 262144),
)
#: What the vendor has retired and other hosts still serve: for add_key(models=...).
GUIDE_MODELS = ("kimi-k2.5", "moonshot-v1-8k", "moonshot-v1-32k", "moonshot-v1-128k")
_RETIRED_MODELS = (
    Model("kimi-k2.5", 262144),
    Model("moonshot-v1-8k", 8192, vision=False),
    Model("moonshot-v1-32k", 32768, vision=False),
    Model("moonshot-v1-128k", 131072, vision=False),
)
PRODUCTS = {
    "moonshot-cn": Product("/moonshot-cn", "Moonshot", _MOONSHOT_MODELS, "incorrect_api_key"),
    "moonshot-ai": Product("/moonshot-ai", "Moonshot international", _MOONSHOT_MODELS, "incorrect_api_key"),
    "kimicode": Product(
        "/kimi/coding", "Kimi Code", _KIMICODE_MODELS, "expired_api_key", agents_only=True, anthropic=True
    ),
}


def find_models(product: str, ids: Iterable[str] | None) -> tuple[Model, ...]:
    """Return the models of a product, or those of the given ids, which may be any."""
    served = PRODUCTS[product].models
    if ids is None:
        return served
    known = {model.id: model for model in (*_RETIRED_MODELS, *served)}
    return tuple(known.get(name) or Model(name, None) for name in ids)


def known(what: str, name: str, names: Iterable[str]) -> str:
    """Return the name. Raises `ValueError` where it is not one of the names."""
    if name not in names:
        raise ValueError(f"unknown {what} {name!r}; known are {', '.join(names)}")
    return name
