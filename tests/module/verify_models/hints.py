# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hints that the module gives."""

from __future__ import annotations

CHECK_URL = (
    "Something in between, such as a captive portal or a proxy, answers in place of the API, or base_url is that of a"
    " web site: check base_url, and the proxy settings of the host that asks."
)
CHECK_ANSWER = (
    "Something in between may have changed the answer, or base_url is that of another kind of service: check base_url,"
    " and the proxy settings of the host that asks."
)
CHECK_PATH = "Check the path of base_url: the models must be listed at /models below it."
CHECK_KEY = "Check on the console of 127.0.0.1 that the key is valid, and that it was made for this host."
BUY = "The key is right, its account is not: renew or buy the membership (the console of 127.0.0.1)."
TOP_UP = (
    "Trying again does not help: top up the account, or wait for its next billing period (the console of 127.0.0.1)."
)
ASK_LESS = (
    "Ask less often: low tiers allow 3 requests a minute for a whole organisation, so let one host ask for all, or"
    " raise the account's tier (the console of 127.0.0.1)."
)
ADMIT = (
    "Kimi Code admits the User-Agent of known coding agents only, and {}. Set User-Agent in the headers of the provider"
    " block."
)
LATER = "The endpoint, or a proxy in between, has a problem of its own: try again later."
LONGER = "Check the network, firewall and proxy in between, or raise timeout."
REDIRECT = (
    "The key goes to the configured host only. If that target is right, put it into base_url; if you do not know it, a"
    " captive portal or a proxy is in between."
)
CONNECTION = "Check host and port in base_url, and whether a firewall or a proxy (HTTPS_PROXY, NO_PROXY) is in the way."
LOGIN = "The proxy wants a login or does not allow the host: check HTTPS_PROXY, or add the host to NO_PROXY."
DNS = "Check the host in base_url, and the DNS and proxy settings of the host that asks."
URL_FORM = "Write base_url as https://host/path, such as https://api.moonshot.cn/v1."
STORE_AGAIN = "Store the key again: one line, without quotes, spaces or a line break at its end."
USE_HTTPS = "Use https://, or set allow_insecure_http=true on a network that you trust with the key."
UNLISTED = "A model that is accepted without being listed belongs in unlisted_models."
OTHER_MODEL = (
    "The account's plan may not include the model, or the model does not take this API: choose another of the listed"
    " models, or ask the vendor."
)
