# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hints that the module gives."""

from __future__ import annotations

CHECK_URL = (
    "Check base_url, and the proxy settings of the host that asks: a captive portal, a proxy or a web site answers in"
    " place of the API."
)
CHECK_ANSWER = (
    "Check base_url, and the proxy settings of the host that asks: another kind of service answers, or a proxy changes"
    " the answer."
)
CHECK_PATH = "Check the path of base_url: the models are listed at /models below it."
CHECK_KEY = "Check on the console of 127.0.0.1 that the key is valid, and that it was made for this host."
BUY = "Buy or renew the membership of the account (the console of 127.0.0.1). The key itself is valid."
TOP_UP = "Top up the account, or wait for its next billing period (the console of 127.0.0.1). Retries do not help."
ASK_LESS = (
    "Send fewer requests: low tiers allow 3 a minute for a whole organisation. Set ask_from=controller (in the role,"
    " providers_verify_from) to ask once for all hosts, or raise the account's tier (the console of 127.0.0.1)."
)
KIMI_CODE = "https://api.kimi.com/coding/ with api=anthropic-messages"
ADMIT = (
    f"Remove User-Agent from the headers of the provider block, and set base_url to {KIMI_CODE}: there, Kimi Code"
    " admits Clawdbot and OpenClaw by their own User-Agent. It forbids sending that of another client."
)
OWN_AGENT = (
    "This is no fault of the gateway, which identifies itself. To verify it, send a chat message through it: module"
    " gateway_chat, or providers_verify_after=tool in the role. With probe=listing, nothing that is rejected is asked."
)
OWN_AGENT_IN_OPENAI_FORM = (
    f"{OWN_AGENT} With api=openai-completions, Kimi Code has rejected gateways as well: prefer base_url {KIMI_CODE}."
)
REFUSED = (
    "Act on the text of the server, which has read the request. Check api_key, headers and api of moonshot: a LiteLLM"
    ' proxy without a database, for example, answers "No connected db." to a wrong key.'
)
LATER = "Try again later: the endpoint is overloaded, or it or a proxy in between has a problem."
LONGER = "Check the network, firewall and proxy in between, or raise timeout (in the role, providers_endpoint_timeout)."
REDIRECT = (
    "Set base_url to the target if it is the right one. Otherwise a captive portal or a proxy redirects. The key is"
    " sent to the configured host only."
)
CONNECTION = (
    "Check host and port in base_url, and whether a firewall or a proxy (HTTPS_PROXY, NO_PROXY) blocks the connection."
)
LOGIN = "Check HTTPS_PROXY, or add the host to NO_PROXY: the proxy requires a login or does not allow the host."
DNS = "Check the host in base_url, and the DNS and proxy settings of the host that asks."
URL_FORM = "Write base_url as https://host/path, such as https://api.moonshot.cn/v1."
STORE_AGAIN = "Store the key again: one line, without quotes, spaces or a line break at its end."
USE_HTTPS = (
    "Use https://, or set allow_insecure_http=true (in the role, providers_endpoint_allow_insecure_http) on a network"
    " that you trust with the key."
)
UNLISTED = "A model that is accepted without being listed belongs in unlisted_models."
OTHER_MODEL = (
    "Choose another of the listed models, or ask the vendor: the account's plan may not include the model, or the model"
    " does not support this API."
)
BEHIND_PROXY = (
    "Check the model in the configuration of the proxy, which asks the vendor with a key and a User-Agent of its own."
    " The proxy accepts the key that was sent."
)
