#!/usr/bin/python

# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module verify_models: asks endpoints whether keys and models work."""

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_models
short_description: Ask model providers whether a key works and which models it may use
version_added: 0.1.0
author:
  - clawfleet.clawdbot contributors (@clawfleet)
description:
  - Asks the endpoint of each provider with its key which models it lists, and fails unless every model that is wanted
    is there. With O(probe=chat) it also has each model answer.
  - The product's own C(models list) and C(models status --probe) ask no endpoint, or report a revoked key as fine.
    This module says V(ok) only after the endpoint has proven it.
  - All providers are asked at the same time. Providers with the same endpoint, key and headers share one question.
  - It changes nothing. An account may allow as little as three requests a minute. With O(ask_from=controller) each
    endpoint is asked once for all hosts.
extends_documentation_fragment:
  - clawfleet.clawdbot._attributes.info_module
options:
  providers:
    description:
      - Whom to ask, and what for.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - What the provider is called in the result.
        type: str
        required: true
      base_url:
        description:
          - The base URL, as in the provider block's C(baseUrl), with or without a slash at its end.
          - For Moonshot V(https://api.moonshot.cn/v1) or V(https://api.moonshot.ai/v1), for Kimi Code
            V(https://api.kimi.com/coding/v1).
        type: str
        required: true
      api:
        description:
          - Which protocol the endpoint speaks, as in the provider block's C(api).
          - V(openai-completions) lists at C(/models) and chats at C(/chat/completions) below O(providers[].base_url),
            with the key in C(Authorization).
          - V(anthropic-messages) lists at C(/v1/models) and chats at C(/v1/messages) below O(providers[].base_url),
            with the key in C(x-api-key); for the listing also in C(Authorization), as Kimi Code documents it.
        type: str
        choices:
          - openai-completions
          - anthropic-messages
        default: openai-completions
      api_key:
        description:
          - The key. Without it nothing is sent, and the status is V(key_missing).
        type: str
      headers:
        description:
          - The provider block's own headers. They are sent as they are, and win over those of this module.
          - Without a C(User-Agent) of its own, a provider is asked with Ansible's, C(ansible-httpget).
          - Values of headers that by their name carry a credential (C(authorization), C(cookie), or a name with C(key),
            C(token), C(secret), C(password) or C(credential) in it) are treated as secret.
        type: dict
        default: {}
      models:
        description:
          - The models that the endpoint must list. Each is an id, or an entry of the provider block's C(models).
          - Of an entry, C(id) is needed. C(headers) are sent when that model is asked to chat, and a C(contextWindow)
            larger than the endpoint's C(context_length) is reported in RV(providers[].warnings).
        type: list
        elements: raw
        default: []
      unlisted_models:
        description:
          - Ids of models that the endpoint accepts without listing them, be they in O(providers[].models) or not.
          - Only O(probe=chat) proves them. With O(probe=listing) they are named as not checked in
            RV(providers[].message).
        type: list
        elements: str
        default: []
  probe:
    description:
      - V(listing) asks each endpoint which models it lists. It costs nothing and shows whether the key is accepted.
      - V(chat) then has each model answer one token, one model of a provider after the other. It shows what a listing
        cannot, such as a model that is listed but refused, or a C(User-Agent) that is not admitted. It needs a little
        of the account's quota and one request a model of its rate limit.
    type: str
    choices:
      - listing
      - chat
    default: listing
  timeout:
    description:
      - Seconds that one attempt may take altogether, from the name lookup to the last byte.
    type: float
    default: 10
  retries:
    description:
      - How often a question is asked again after V(rate_limited), V(server_error), V(timeout), V(connection_refused),
        an answer that broke off, or a resolver that did not answer. Nothing else gets better by waiting.
      - The waits grow, from half a second to at most 16 seconds, with a random part. C(Retry-After) is honoured up to
        30 seconds; an endpoint that asks for more is not asked again. The waits for one question are at most 60 seconds
        altogether.
    type: int
    default: 2
  ca_path:
    description:
      - A file with PEM certificates of the authorities to trust, in place of the system's.
    type: path
  validate_certs:
    description:
      - Whether TLS certificates are verified. Without that anybody in between can read the key.
    type: bool
    default: true
  allow_insecure_http:
    description:
      - Whether a key may be sent over C(http://) to another machine. To loopback it always may.
    type: bool
    default: false
  ask_from:
    description:
      - V(host) asks from the host, so it shows what the host reaches.
      - V(controller) asks from the control node, without a connection to the host. Each distinct question, that is
        endpoint, key, headers and model, is asked once in a run of C(ansible-playbook), however many hosts and tasks
        have it, and each host is judged by its own models. It uses the environment of C(ansible-playbook), not the
        task's.
    type: str
    choices:
      - host
      - controller
    default: host
  fail_on_error:
    description:
      - Whether the module fails if a provider is not V(ok). Reports set this to V(false) and look at RV(ok).
    type: bool
    default: true
notes:
  - Proxies are taken from the environment (E(HTTPS_PROXY), E(HTTP_PROXY), E(NO_PROXY)), as M(ansible.builtin.uri) does.
  - A redirect is followed only to the same scheme, host and port.
  - Keys, and account ids that an endpoint mentions, are never in the result. Keys are shown as fingerprints.
seealso:
  - module: ansible.builtin.uri
"""

EXAMPLES = r"""
- name: Make sure that the keys list the models
  clawfleet.clawdbot.verify_models:
    providers:
      - name: moonshot
        base_url: https://api.moonshot.cn/v1
        api_key: "{{ vault_moonshot_api_key }}"
        models:
          - kimi-k2.5
          - moonshot-v1-128k
      - name: kimicode
        base_url: https://api.kimi.com/coding/v1
        api_key: "{{ vault_kimicode_api_key }}"
        headers:
          User-Agent: KimiCLI/0.77
        models:
          - kimi-for-coding

- name: Have each model answer, asked from the control node, each model once for all hosts
  clawfleet.clawdbot.verify_models:
    providers:
      - name: kimicode
        base_url: https://api.kimi.com/coding/v1
        api_key: "{{ vault_kimicode_api_key }}"
        headers:
          User-Agent: KimiCLI/0.77
        models: "{{ kimicode_block.models }}"
    probe: chat
    timeout: 30
    ask_from: controller

- name: Report without failing
  clawfleet.clawdbot.verify_models:
    providers: "{{ providers_to_check }}"
    fail_on_error: false
  register: report

- name: Show what is wrong and what to do
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.message }} {{ item.hint }}"
  loop: "{{ report.providers | rejectattr('status', 'equalto', 'ok') }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
msg:
  description: All providers as a table, and what to do for each that is not V(ok).
  returned: unless every provider is V(ok)
  type: str
ok:
  description: Whether every provider has the status V(ok).
  returned: always
  type: bool
  sample: false
providers:
  description: What was found, one element for each of O(providers) and in their order.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The provider's name.
      returned: always
      type: str
      sample: moonshot
    status:
      description:
        - One of V(ok), V(key_missing), V(key_malformed), V(unauthorized), V(client_not_admitted),
          V(membership_required), V(quota_exhausted), V(rate_limited), V(model_missing), V(model_unusable),
          V(wrong_base_url), V(not_an_api), V(invalid_response), V(redirect_refused), V(insecure_url), V(tls_error),
          V(dns_error), V(connection_refused), V(timeout), V(server_error).
      returned: always
      type: str
      sample: model_missing
    http_status:
      description: The HTTP status of the answer that decided, or V(none) if there was no answer.
      returned: always
      type: int
      sample: 200
    latency_ms:
      description:
        - Milliseconds from the beginning of the attempt to the end of the answer that decided, or V(none) if there
          was no answer.
        - Where chats were asked and answered, the slowest of them counts.
      returned: always
      type: int
      sample: 312
    listed:
      description: The ids of the models that the endpoint lists for this key.
      returned: always
      type: list
      elements: str
      sample:
        - kimi-k2.5
        - moonshot-v1-128k
    missing:
      description:
        - The wanted ids that are not listed, and those of O(providers[].unlisted_models) that the endpoint does not
          know.
      returned: always
      type: list
      elements: str
      sample:
        - kimi-k25
    suggestions:
      description: For each missing id, the listed ids that look most like it, at most three.
      returned: always
      type: dict
      sample:
        kimi-k25:
          - kimi-k2.5
    message:
      description: What was seen.
      returned: always
      type: str
      sample: "not listed: kimi-k25"
    hint:
      description: What to do about it, empty if there is nothing to do.
      returned: always
      type: str
      sample: >-
        kimi-k25: did you mean kimi-k2.5? A model that is accepted without being listed belongs in unlisted_models.
    warnings:
      description: What will not fail now but later, such as a C(contextWindow) larger than the endpoint's.
      returned: always
      type: list
      elements: str
      sample: []
    key:
      description: The fingerprint of the key, to compare keys by, or V(none) without a key.
      returned: always
      type: str
      sample: sha256:0123456789ab
"""

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import main as shared
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module.verify_models import (
    ARGUMENT_SPEC,
    run,
    secrets_in,
)


def main() -> None:
    shared.main(ARGUMENT_SPEC, run, secrets_in)


if __name__ == "__main__":
    main()
