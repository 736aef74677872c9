#!/usr/bin/python

# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module verify_models."""

from __future__ import annotations

DOCUMENTATION = r"""
module: verify_models
short_description: Verify API keys and models at model providers
version_added: 0.1.0
author:
  - clawfleet.clawdbot contributors (@clawfleet)
description:
  - Asks the endpoint of each provider with its key which models it lists, and fails unless it lists every wanted
    model that is not optional. With O(probe=chat) each listed model must also answer.
  - The commands C(models list) and C(models status --probe) of Clawdbot and OpenClaw ask no endpoint, or report a
    revoked key as fine. This module reports V(ok) only after the endpoint has listed the models, or answered with them.
  - All providers are asked at the same time. Providers with the same endpoint, key and headers share one request.
  - It changes nothing. An account may allow only three requests a minute. With O(ask_from=controller) each endpoint is
    asked once for all hosts.
extends_documentation_fragment:
  - clawfleet.clawdbot._attributes.info_module
options:
  providers:
    description:
      - The providers to ask.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - The name of the provider in the result.
        type: str
        required: true
      base_url:
        description:
          - The base URL, as in the provider block's C(baseUrl), with or without a trailing slash.
          - For Moonshot V(https://api.moonshot.cn/v1) or V(https://api.moonshot.ai/v1), for Kimi Code
            V(https://api.kimi.com/coding/) with O(providers[].api=anthropic-messages), or
            V(https://api.kimi.com/coding/v1) with O(providers[].api=openai-completions).
        type: str
        required: true
      api:
        description:
          - The protocol of the endpoint, as in the provider block's C(api).
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
          - The API key. Without it nothing is sent, and the status is V(key_missing).
        type: str
      headers:
        description:
          - The provider block's headers. They are sent unchanged, and replace headers of this module.
          - The default C(User-Agent) is Ansible's, C(ansible-httpget).
          - Values of headers whose name says that they carry a credential (C(authorization), C(cookie), or a name with
            C(key), C(token), C(secret), C(password) or C(credential) in it) are treated as secret.
        type: dict
        default: {}
      models:
        description:
          - The models that the endpoint must list. Each is an id, or an entry of the provider block's C(models).
          - An entry needs an C(id). Its C(headers) are sent with its chat, and a C(contextWindow) larger than the
            endpoint's C(context_length) is reported in RV(providers[].warnings).
        type: list
        elements: raw
        default: []
      unlisted_models:
        description:
          - Ids of models that the endpoint accepts without listing them. They may be in O(providers[].models) too.
          - Only O(probe=chat) verifies them. With O(probe=listing), RV(providers[].message) names them as not checked.
        type: list
        elements: str
        default: []
      optional_models:
        description:
          - Ids of O(providers[].models) that the endpoint need not list, such as those that depend on the plan of the
            account or on the host. Other ids are ignored.
          - If the endpoint lists none of O(providers[].models), the provider is not V(ok), even if all are optional,
            unless it has O(providers[].unlisted_models).
          - RV(providers[].optional_missing) returns those that are not listed. O(probe=chat) asks only those that are.
        type: list
        elements: str
        default: []
  probe:
    description:
      - V(listing) asks each endpoint which models it lists. It costs nothing and verifies the key.
      - V(chat) then asks each model for one token, one model of a provider after the other. It finds what a listing
        cannot, such as a listed model that the endpoint rejects, or a C(User-Agent) that is not admitted. It uses a few
        tokens of the account's quota, and one request of its rate limit for each model.
    type: str
    choices:
      - listing
      - chat
    default: listing
  timeout:
    description:
      - The maximum of seconds for one attempt, from the name lookup to the last byte.
    type: float
    default: 10
  retries:
    description:
      - How often a request is repeated after V(rate_limited), V(server_error), V(timeout), V(connection_refused), an
        incomplete body, or a resolver that did not answer. All else is not repeated.
      - The waits grow from half a second to at most 16 seconds, with a random part. C(Retry-After) is honoured up to 30
        seconds; a request is not repeated if the endpoint asks for more, or if its waits would exceed 60 seconds
        together.
    type: int
    default: 2
  ca_path:
    description:
      - A file with PEM certificates of trusted authorities, which replaces those of the system.
    type: path
  validate_certs:
    description:
      - Whether TLS certificates are verified. If not, the key can be intercepted.
    type: bool
    default: true
  allow_insecure_http:
    description:
      - Whether a key may be sent over C(http://) to another machine. Loopback is always allowed.
    type: bool
    default: false
  ask_from:
    description:
      - V(host) asks from the host, which also verifies the host's network.
      - V(controller) asks from the control node, without a connection to the host. Each distinct request (endpoint,
        key, headers and model) is sent once in a run of C(ansible-playbook) for all hosts and tasks, and its answer is
        compared with the models of each host. The environment is that of C(ansible-playbook), not the task's.
    type: str
    choices:
      - host
      - controller
    default: host
  fail_on_error:
    description:
      - Whether the module fails if a provider is not V(ok). For a report, set it to V(false) and read RV(ok).
    type: bool
    default: true
notes:
  - Proxies are taken from the environment (E(HTTPS_PROXY), E(HTTP_PROXY), E(NO_PROXY)), as M(ansible.builtin.uri) does.
  - A redirect is followed only to the same scheme, host and port.
  - The result never contains keys, or account ids that an endpoint mentions. Keys are shown as fingerprints.
seealso:
  - module: ansible.builtin.uri
"""

EXAMPLES = r"""
- name: Verify that the keys list the models
  clawfleet.clawdbot.verify_models:
    providers:
      - name: moonshot
        base_url: https://api.moonshot.cn/v1
        api_key: "{{ vault_moonshot_api_key }}"
        models:
          - kimi-k3
          - kimi-k2.6
          - kimi-k2.7-code-highspeed
        optional_models:
          - kimi-k2.7-code-highspeed
      - name: kimicode
        base_url: https://api.kimi.com/coding/
        api: anthropic-messages
        api_key: "{{ vault_kimicode_api_key }}"
        models:
          - kimi-for-coding

- name: Verify that each model answers, once for all hosts from the control node
  clawfleet.clawdbot.verify_models:
    providers:
      - name: moonshot
        base_url: https://api.moonshot.cn/v1
        api_key: "{{ vault_moonshot_api_key }}"
        models: "{{ moonshot_block.models }}"
    probe: chat
    timeout: 30
    ask_from: controller

- name: Report without failing
  clawfleet.clawdbot.verify_models:
    providers: "{{ providers_to_check }}"
    fail_on_error: false
  register: report

- name: Show problems and remedies
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.message }} {{ item.hint }}"
  loop: "{{ report.providers | rejectattr('status', 'equalto', 'ok') }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
msg:
  description: All providers as a table, then problem and remedy of each that is not V(ok).
  returned: unless every provider is V(ok)
  type: str
ok:
  description: Whether every provider has the status V(ok).
  returned: always
  type: bool
  sample: false
providers:
  description: The result of each of O(providers), in their order.
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
          V(membership_required), V(quota_exhausted), V(rate_limited), V(model_missing), V(model_retired),
          V(model_unusable), V(request_refused), V(wrong_base_url), V(not_an_api), V(invalid_response),
          V(redirect_refused), V(insecure_url), V(tls_error), V(dns_error), V(connection_refused), V(timeout),
          V(server_error).
      returned: always
      type: str
      sample: model_missing
    http_status:
      description: The HTTP status of the deciding answer, or V(none) without an answer.
      returned: always
      type: int
      sample: 200
    latency_ms:
      description:
        - Milliseconds from the start of the attempt to the end of the deciding answer, or V(none) without an answer.
        - If all chats were answered, that of the slowest one.
      returned: always
      type: int
      sample: 312
    listed:
      description: The ids of the models that the endpoint lists for this key.
      returned: always
      type: list
      elements: str
      sample:
        - kimi-k3
        - kimi-k2.6
    missing:
      description:
        - The wanted ids that are not listed, except those in RV(providers[].optional_missing), and those of
          O(providers[].unlisted_models) that are unknown to the endpoint.
      returned: always
      type: list
      elements: str
      sample:
        - kimi-k26
    optional_missing:
      description:
        - The ids of O(providers[].optional_models) that are not listed.
        - If the endpoint shows only a first page of its models, the others may be on the next one. So it is empty, and
          RV(providers[].missing) has them.
      returned: always
      type: list
      elements: str
      sample:
        - kimi-k2.7-code-highspeed
    suggestions:
      description:
        - For each missing id, at most three listed ids that are similar to it. For a retired model, its successor.
        - The optional ids are among them if the endpoint lists none of the provider's models.
      returned: always
      type: dict
      sample:
        kimi-k26:
          - kimi-k2.6
    message:
      description: The problem, or what was verified.
      returned: always
      type: str
      sample: "not listed: kimi-k26"
    hint:
      description: The remedy, empty if there is nothing to do.
      returned: always
      type: str
      sample: >-
        kimi-k26: did you mean kimi-k2.6? A model that is accepted without being listed belongs in unlisted_models.
    warnings:
      description: What will fail later, such as a C(contextWindow) larger than the endpoint's.
      returned: always
      type: list
      elements: str
      sample: []
    key:
      description: The fingerprint of the key, for comparisons, or V(none) without a key.
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
