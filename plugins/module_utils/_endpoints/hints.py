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

from .types import ANTHROPIC, OPENAI, Advice, Provider, Status, Verdict
from .vendor_models import RETIRED

_MOONSHOT_HOSTS = {"api.moonshot.cn": "api.moonshot.ai", "api.moonshot.ai": "api.moonshot.cn"}
_CONSOLES = {
    "api.moonshot.cn": "platform.moonshot.cn",
    "api.moonshot.ai": "platform.moonshot.ai",
    "api.kimi.com": "kimi.com/code/console",
}

_KIMI_CODE = "https://api.kimi.com/coding/ with api=anthropic-messages"
_OPENAI_FORM = f"With api=openai-completions, Kimi Code has rejected gateways as well: prefer base_url {_KIMI_CODE}."

#: The hints of all statuses, except those that depend on more: unauthorized, wrong_base_url, model_missing and
#: model_retired.
HINTS: Mapping[Status, str] = {
    "key_missing": "Set api_key of {name} from a vaulted variable.",
    "key_malformed": "Store the key again: one line, without quotes, spaces or a line break at its end.",
    "client_not_admitted": (
        "Remove User-Agent from the headers of the provider block, and set base_url to {kimi_code}: there, Kimi Code"
        " admits Clawdbot and OpenClaw by their own User-Agent. It forbids sending that of another client."
    ),
    "membership_required": "Buy or renew the membership of the account ({console}). The key itself is valid.",
    "quota_exhausted": "Top up the account, or wait for its next billing period ({console}). Retries do not help.",
    "rate_limited": (
        "Send fewer requests: low tiers allow 3 a minute for a whole organisation. Set ask_from=controller (in the"
        " role, providers_verify_from) to ask once for all hosts, or raise the account's tier ({console})."
    ),
    "model_unusable": (
        "Choose another of the listed models, or ask the vendor: the account's plan may not include the model, or the"
        " model does not support this API."
    ),
    "request_refused": (
        "Act on the text of the server, which has read the request. Check api_key, headers and api of {name}: a LiteLLM"
        ' proxy without a database, for example, answers "No connected db." to a wrong key.'
    ),
    "not_an_api": (
        "Check base_url, and the proxy settings of the host that asks: a captive portal, a proxy or a web site answers"
        " in place of the API."
    ),
    "invalid_response": (
        "Check base_url, and the proxy settings of the host that asks: another kind of service answers, or a proxy"
        " changes the answer."
    ),
    "redirect_refused": (
        "Set base_url to the target if it is the right one. Otherwise a captive portal or a proxy redirects. The key is"
        " sent to the configured host only."
    ),
    "insecure_url": (
        "Use https://, or set allow_insecure_http=true (in the role, providers_endpoint_allow_insecure_http) on a"
        " network that you trust with the key."
    ),
    "tls_error": (
        "Check base_url. If a proxy inspects TLS, set ca_path (in the role, providers_endpoint_ca_path) to the"
        " certificate of its authority."
    ),
    "dns_error": "Check the host in base_url, and the DNS and proxy settings of the host that asks.",
    "connection_refused": (
        "Check host and port in base_url, and whether a firewall or a proxy (HTTPS_PROXY, NO_PROXY) blocks the"
        " connection."
    ),
    "timeout": (
        "Check the network, firewall and proxy in between, or raise timeout (in the role, providers_endpoint_timeout)."
    ),
    "server_error": "Try again later: the endpoint is overloaded, or it or a proxy in between has a problem.",
}

ADVICE: Mapping[Advice, str] = {
    "base_url_form": "Write base_url as https://host/path, such as https://api.moonshot.cn/v1.",
    "behind_proxy": (
        "Check the model in the configuration of the proxy, which asks the vendor with a key and a User-Agent of its"
        " own. The proxy accepts the key that was sent."
    ),
    "first_page": (
        "Declare the models in unlisted_models and use probe=chat: the endpoint lists its models in pages, and only the"
        " first page is read."
    ),
    "own_agent": (
        "This is no fault of the gateway, which identifies itself. To verify it, send a chat message through it: module"
        " gateway_chat, or providers_verify_after=tool in the role. With probe=listing, nothing that is rejected is"
        " asked."
    ),
    "tls_name": "Check the host in base_url, and whether a proxy or a DNS entry leads to another host.",
    "tls_expired": (
        "Check the clock of the host that asks. If it is right, the endpoint's owner must renew the certificate."
    ),
    "tls_not_yet_valid": "Check the clock of the host that asks.",
    "tls_issuer": (
        "Install the CA certificates on the host that asks. If a proxy inspects TLS, or the endpoint is your own, set"
        " ca_path (in the role, providers_endpoint_ca_path) to the certificate of its authority."
    ),
    "tls_plain": "Check the scheme and the port in base_url.",
    "proxy_rejected": (
        "Check HTTPS_PROXY, or add the host to NO_PROXY: the proxy requires a login or does not allow the host."
    ),
}


def hint_for(provider: Provider, verdict: Verdict) -> str:
    """Return what to do about a verdict, in one or two sentences."""
    if verdict.advice == "own_agent" and provider.api == OPENAI:
        return f"{ADVICE['own_agent']} {_OPENAI_FORM}"
    if verdict.advice:
        return ADVICE[verdict.advice]
    host = _host(provider.base_url)
    if verdict.status == "unauthorized":
        return _unauthorized_hint(provider, host)
    if verdict.status == "wrong_base_url":
        return _base_url_hint(provider, host)
    return HINTS[verdict.status].format(name=provider.name, console=console_of(provider.base_url), kimi_code=_KIMI_CODE)


def console_of(base_url: str) -> str:
    """Return the address of the console on which the keys of an endpoint are managed."""
    host = _host(base_url)
    return _CONSOLES.get(host, f"the console of {host}")


def other_platform(base_url: str) -> str:
    """Return the same endpoint on the vendor's other platform, whose keys this one rejects; empty if there is none."""
    host = _host(base_url)
    return base_url.replace(host, _MOONSHOT_HOSTS[host], 1) if host in _MOONSHOT_HOSTS else ""


def _host(base_url: str) -> str:
    try:
        return urllib.parse.urlsplit(base_url).hostname or ""
    except ValueError:
        return ""


def _unauthorized_hint(provider: Provider, host: str) -> str:
    if host == "api.kimi.com":
        return (
            "Use a key of kimi.com/code/console: Kimi Code does not accept keys of platform.moonshot.cn or"
            " platform.moonshot.ai."
        )
    if host not in _MOONSHOT_HOSTS:
        return f"Check on the console of {host} that the key is valid, and that it was made for this host."
    if provider.api_key.startswith("sk-kimi-"):
        return f"Set base_url to {_KIMI_CODE}: a key that starts with sk-kimi- belongs to Kimi Code."
    other = _MOONSHOT_HOSTS[host]
    return (
        f"Check the key at {_CONSOLES[host]}: it may be revoked, or belong to the other platform (base URL"
        f" https://{other}/v1) or to Kimi Code ({_KIMI_CODE})."
    )


def _base_url_hint(provider: Provider, host: str) -> str:
    base_url = provider.base_url.rstrip("/")
    versioned = re.search(r"/v[0-9]+$", base_url)
    if provider.api == ANTHROPIC:
        if versioned:
            return "Remove /v1 from base_url: with api=anthropic-messages it is added."
        return "Check the path of base_url: with api=anthropic-messages, the models are listed at /v1/models below it."
    if host == "api.kimi.com":
        return f"Set base_url to {_KIMI_CODE}, or to https://api.kimi.com/coding/v1 with api=openai-completions."
    if not versioned:
        return (
            f"Try {base_url}/v1, since base_url does not end in /v1. For an Anthropic-style base URL, set"
            " api=anthropic-messages."
        )
    return "Check the path of base_url: the models are listed at /models below it."


def hint_for_missing(
    provider: Provider, suggestions: Mapping[str, Sequence[str]], retired: Sequence[str], listed: Sequence[str]
) -> str:
    """Return what to do about missing models. `suggestions`: what to use instead, by the id of each missing model.

    `retired`: those of them, and of the listed ones, that the vendor has retired.
    """
    lost = [model_id for model_id in suggestions if model_id not in retired]
    successors: dict[str, list[str]] = {}
    for model_id in retired:
        successors.setdefault(RETIRED[model_id].successor, []).append(model_id)
    parts = [f"{model_id}: did you mean {suggestions[model_id][0]}?" for model_id in lost if suggestions[model_id]]
    parts += [f"Replace {', '.join(old)} with {new}." for new, old in successors.items() if new in listed]
    if any(not suggestions[model_id] for model_id in lost) or any(new not in listed for new in successors):
        shown = ", ".join(listed[:10]) or "no model"
        more = f" and {len(listed) - 10} more" if len(listed) > 10 else ""
        parts.append(f"{_host(provider.base_url)} lists {shown}{more} for this key.")
    if lost:
        parts.append("A model that is accepted without being listed belongs in unlisted_models.")
    return " ".join(parts)
