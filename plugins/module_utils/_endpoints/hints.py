# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Hints: what to do about each status."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Mapping, Sequence

from .types import ANTHROPIC, Advice, Provider, Status, Verdict

_MOONSHOT_HOSTS = {"api.moonshot.cn": "api.moonshot.ai", "api.moonshot.ai": "api.moonshot.cn"}
_CONSOLES = {
    "api.moonshot.cn": "platform.moonshot.cn",
    "api.moonshot.ai": "platform.moonshot.ai",
    "api.kimi.com": "kimi.com/code/console",
}

#: The hints of all statuses, except those that depend on more: unauthorized, wrong_base_url, model_missing.
HINTS: Mapping[Status, str] = {
    "key_missing": "Set api_key of {name} from a vaulted variable.",
    "key_malformed": "Store the key again: one line, without quotes, spaces or a line break at its end.",
    "client_not_admitted": (
        "Kimi Code admits the User-Agent of known coding agents only, and {user_agent}. Set User-Agent in the"
        " headers of the provider block."
    ),
    "membership_required": "The key is right, its account is not: renew or buy the membership ({console}).",
    "quota_exhausted": (
        "Trying again does not help: top up the account, or wait for its next billing period ({console})."
    ),
    "rate_limited": (
        "Ask less often: low tiers allow 3 requests a minute for a whole organisation, so let one host ask for"
        " all, or raise the account's tier ({console})."
    ),
    "model_unusable": (
        "The account's plan may not include the model, or the model does not take this API: choose another of the"
        " listed models, or ask the vendor."
    ),
    "not_an_api": (
        "Something in between, such as a captive portal or a proxy, answers in place of the API, or base_url is"
        " that of a web site: check base_url, and the proxy settings of the host that asks."
    ),
    "invalid_response": (
        "Something in between may have changed the answer, or base_url is that of another kind of service: check"
        " base_url, and the proxy settings of the host that asks."
    ),
    "redirect_refused": (
        "The key goes to the configured host only. If that target is right, put it into base_url; if you do not"
        " know it, a captive portal or a proxy is in between."
    ),
    "insecure_url": "Use https://, or set allow_insecure_http=true on a network that you trust with the key.",
    "tls_error": (
        "Something in between may intercept TLS: its authority's certificate goes into ca_path. Check base_url, too."
    ),
    "dns_error": "Check the host in base_url, and the DNS and proxy settings of the host that asks.",
    "connection_refused": (
        "Check host and port in base_url, and whether a firewall or a proxy (HTTPS_PROXY, NO_PROXY) is in the way."
    ),
    "timeout": "Check the network, firewall and proxy in between, or raise timeout.",
    "server_error": "The endpoint, or a proxy in between, has a problem of its own: try again later.",
}

ADVICE: Mapping[Advice, str] = {
    "base_url_form": "Write base_url as https://host/path, such as https://api.moonshot.cn/v1.",
    "first_page": (
        "The endpoint lists its models in pages, which this module does not turn: declare the models in"
        " unlisted_models and use probe=chat."
    ),
    "tls_name": "Check the host in base_url, and whether a proxy or a DNS entry leads elsewhere.",
    "tls_expired": (
        "Check the clock of the host that asks; if it is right, the endpoint's owner has to renew the certificate."
    ),
    "tls_not_yet_valid": "Check the clock of the host that asks.",
    "tls_issuer": (
        "If a proxy of your own inspects TLS, or the endpoint is your own, give its authority's certificate as"
        " ca_path; otherwise install the CA certificates on the host that asks."
    ),
    "tls_plain": "Check the scheme and the port in base_url.",
    "proxy_rejected": (
        "The proxy wants a login or does not allow the host: check HTTPS_PROXY, or add the host to NO_PROXY."
    ),
}


def hint_for(provider: Provider, verdict: Verdict) -> str:
    """Return what to do about a verdict, in one or two sentences."""
    if verdict.advice:
        return ADVICE[verdict.advice]
    host = _host(provider)
    if verdict.status == "unauthorized":
        return _unauthorized_hint(provider, host)
    if verdict.status == "wrong_base_url":
        return _base_url_hint(provider, host)
    agents = [value for name, value in provider.headers if name.lower() == "user-agent"]
    return HINTS[verdict.status].format(
        name=provider.name,
        console=_CONSOLES.get(host, f"the console of {host}"),
        user_agent="the configured one is not among them" if agents else "no User-Agent is configured",
    )


def _host(provider: Provider) -> str:
    try:
        return urllib.parse.urlsplit(provider.base_url).hostname or ""
    except ValueError:
        return ""


def _unauthorized_hint(provider: Provider, host: str) -> str:
    if host == "api.kimi.com":
        return (
            "Kimi Code takes keys of its own only (kimi.com/code/console): a key of platform.moonshot.cn or"
            " platform.moonshot.ai is not valid there."
        )
    if host not in _MOONSHOT_HOSTS:
        return f"Check on the console of {host} that the key is valid, and that it was made for this host."
    if provider.api_key.startswith("sk-kimi-"):
        return (
            "The key starts with sk-kimi-, so it belongs to Kimi Code: its base URL is https://api.kimi.com/coding/v1."
        )
    other = _MOONSHOT_HOSTS[host]
    return (
        f"The key may be revoked, or belong to the other platform (base URL https://{other}/v1) or to Kimi Code"
        f" (https://api.kimi.com/coding/v1). Keys for {host} are made at {_CONSOLES[host]}."
    )


def _base_url_hint(provider: Provider, host: str) -> str:
    base_url = provider.base_url.rstrip("/")
    versioned = re.search(r"/v[0-9]+$", base_url)
    if provider.api == ANTHROPIC:
        if versioned:
            return "With api=anthropic-messages, base_url ends before /v1, which is added: leave it out."
        return "With api=anthropic-messages, the models are listed at /v1/models below base_url: check its path."
    if host == "api.kimi.com":
        return (
            "The base URL of Kimi Code is https://api.kimi.com/coding/v1. Its Anthropic-style base"
            " https://api.kimi.com/coding/ lists its models at /v1/models below it, and needs api=anthropic-messages."
        )
    if not versioned:
        return (
            f"base_url does not end in /v1: try {base_url}/v1. If it is an Anthropic-style base, its models are listed"
            " at /v1/models below it: set api=anthropic-messages."
        )
    return "Check the path of base_url: the models must be listed at /models below it."


def hint_for_missing(provider: Provider, suggestions: Mapping[str, Sequence[str]], listed: Sequence[str]) -> str:
    """Return what to do about missing models. `suggestions`: similar listed ids by missing id."""
    parts = [f"{model_id}: did you mean {near[0]}?" for model_id, near in suggestions.items() if near]
    if len(parts) < len(suggestions):
        shown = ", ".join(listed[:10]) or "no model"
        more = f" and {len(listed) - 10} more" if len(listed) > 10 else ""
        parts.append(f"{_host(provider)} lists {shown}{more} for this key.")
    parts.append("A model that is accepted without being listed belongs in unlisted_models.")
    return " ".join(parts)
