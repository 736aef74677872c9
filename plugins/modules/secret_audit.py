#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_audit
short_description: Find provider keys outside of a gateway's .env and remove them
version_added: 0.1.0
description:
  - Finds provider keys that are stored on a gateway's host outside of its C(.env), and reports them by fingerprint,
    never by value. No key is sent to the host or returned.
  - Known keys are those in C(.env), keys found where a current key belongs, for example after a rotation, and old keys
    by their fingerprints.
  - The module parses the config, copies of it and of C(.env), the C(.env) in the working directory of the process,
    C(models.json) and C(auth-profiles.json) of each agent, the auth profiles in the databases of OpenClaw, and the unit
    with its drop-ins and environment files. Every other file of the state directory, the gateway's logs and the
    histories of the account's shells are searched for known keys, at most 256 MiB and 20,000 files. What does not look
    like a key is not searched for, wherever it is - a name, a word, a placeholder, a reference.
  - Keys that the gateway itself keeps, such as the current keys in C(models.json), and files beyond the limit are
    reported in RV(notes).
  - Also reports references of the config to models that no provider has.
extends_documentation_fragment:
  - clawfleet.clawdbot._gateway
author:
  - clawfleet.clawdbot contributors (@clawfleet)
attributes:
  check_mode:
    description: Reports what O(state=purged) would clean, and changes nothing.
    support: full
  diff_mode:
    description: Shows what O(state=purged) cleans, with a fingerprint in place of each key.
    support: full
  idempotent:
    description: A host with nothing to clean is not changed.
    support: full
options:
  service_manager:
    description: What keeps the gateway running, as for M(clawfleet.clawdbot.gateway_info).
    type: str
    choices: [systemd_user, systemd_system, command]
    default: systemd_user
  service_name:
    description: The name of the unit. The default is the one that the gateway's CLI installs.
    type: str
  providers:
    description: Provider id to the name of the environment variable that holds its key.
    type: dict
    default: {}
  also_in:
    description:
      - Provider id to a list of further environment variables in C(.env) that hold its key on purpose.
    type: dict
    default: {}
  fingerprints:
    description:
      - Environment variable to the fingerprint of the key that C(.env) should hold. A different key is a finding.
    type: dict
    default: {}
  old_keys:
    description:
      - Fingerprints of keys that should be nowhere on the host. Anything that has the shape of a key is compared with
        them.
    type: list
    elements: str
    default: []
  endpoints:
    description:
      - The endpoints of O(providers). If they are given, they are asked whether the keys that are found are still
        valid, also in check mode, with a request for the list of models through the proxies of the gateway.
      - Each key is sent from the host, once, and only to the endpoint of the provider that it belongs to. That is the
        one whose environment variable in C(.env) holds it, or else the only one in whose places it is found. A key is
        sent nowhere if that is not known, as for keys with the status V(unknown), or if a provider block with it has a
        C(baseUrl) on another host.
    type: dict
    suboptions:
      providers:
        description: One endpoint for each provider.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description: The id of the provider, as in O(providers).
            type: str
            required: true
          base_url:
            description: As for M(clawfleet.clawdbot.verify_models).
            type: str
            required: true
          api:
            description: As for M(clawfleet.clawdbot.verify_models).
            type: str
            choices: [openai-completions, anthropic-messages]
            default: openai-completions
          headers:
            description:
              - Headers to send. A reference to the environment variable of the provider, such as
                C(${MOONSHOT_API_KEY}), stands for the key in question, and one to another variable for its value in
                C(.env).
            type: dict
            default: {}
      timeout:
        description: As for M(clawfleet.clawdbot.verify_models).
        type: float
        default: 10
      retries:
        description: As for M(clawfleet.clawdbot.verify_models).
        type: int
        default: 2
      ca_path:
        description: As for M(clawfleet.clawdbot.verify_models).
        type: path
      allow_insecure_http:
        description: As for M(clawfleet.clawdbot.verify_models).
        type: bool
        default: false
  state:
    description:
      - V(audited) changes nothing.
      - V(purged) also cleans the findings that are C(purgeable). In the config and its copies, references replace keys;
        not in the config while a process runs that was started before the last change of C(.env). It removes the
        environment variable from copies of C(.env), the provider from C(models.json) (the gateway adds it again), and
        the profiles of the providers from C(auth-profiles.json), and, with OpenClaw's own command, from its databases.
        In transcripts and logs, asterisks replace a key.
        Permissions of other accounts are removed, and so are temporary files of interrupted runs.
      - Units, environment files, shell histories, values in C(.env), unknown kinds of files, and the rollback journal
        of an interrupted run are only reported, with a hint.
    type: str
    choices: [audited, purged]
    default: audited
seealso:
  - module: clawfleet.clawdbot.gateway_info
  - module: clawfleet.clawdbot.provider_config
"""

EXAMPLES = r"""
- name: Find keys in plain text
  clawfleet.clawdbot.secret_audit:
    providers:
      moonshot: MOONSHOT_API_KEY
      kimicode: KIMICODE_API_KEY
  register: keys

- name: Remove an old key
  clawfleet.clawdbot.secret_audit:
    providers:
      moonshot: MOONSHOT_API_KEY
    old_keys:
      - sha256:0c5e1d7f3a92
    state: purged
"""

RETURN = r"""
findings:
  description:
    - The findings. With O(state=purged), those that remain, or in check mode would remain.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description:
        - V(plain_text_key), a key where none belongs.
        - V(old_key), in a place for keys, an old key or one of a provider that is not in the config.
        - V(no_key), in the place of a key or of a reference, something that is neither, such as a placeholder.
        - V(auth_profile), an auth profile that overrides a provider's environment variable.
        - V(wrong_mode) and V(wrong_owner), a file or directory with keys that other accounts may access or own.
        - V(unfinished_run) and V(leftover), the rollback journal or a temporary file of an interrupted run.
        - V(unreadable), a file that cannot be audited.
      type: str
      sample: plain_text_key
    place:
      description: The file or directory.
      type: str
      sample: /home/clawdbot/.clawdbot/clawdbot.json.bak
    where:
      description: The path in its JSON, the environment variable, or the line.
      type: str
      sample: models.providers.moonshot.apiKey
    subject:
      description: The provider, or the environment variable where no provider is concerned.
      type: str
      sample: moonshot
    fingerprint:
      description: The fingerprint of the key, empty where no key is concerned.
      type: str
      sample: sha256:0c5e1d7f3a92
    status:
      description: V(current), V(old) or V(unknown), empty where no key is concerned.
      type: str
      sample: old
    purgeable:
      description: Whether O(state=purged) cleans it.
      type: bool
      sample: true
    validity:
      description:
        - With O(endpoints), V(alive), V(rejected) or V(unknown). Only HTTP 401 shows that a key was rejected. Empty
          where no key is concerned, and without O(endpoints).
      type: str
      sample: alive
    validity_message:
      description: A sentence that says so, with the endpoint, and the reason or the remedy.
      type: str
      sample: The key is still valid at https://api.moonshot.cn/v1. Revoke it at platform.moonshot.cn.
    message:
      description: A sentence that says all of this but the validity.
      type: str
    hint:
      description: The remedy.
      type: str
      sample: clawfleet.clawdbot.purge cleans it.
purged:
  description: The findings that were cleaned, or in check mode would be cleaned.
  returned: O(state=purged)
  type: list
  elements: dict
notes:
  description: Facts that are worth knowing but need no action, in the form of RV(findings), without C(validity).
  returned: success
  type: list
  elements: dict
dangling:
  description:
    - The references of the config to models that no provider has, each with C(place), C(model) and C(message).
  returned: success
  type: list
  elements: dict
  sample: []
diff:
  description: The changes, with fingerprints in place of keys.
  returned: O(state=purged)
  type: list
  elements: dict
"""

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import main as shared
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module.secret_audit import (
    ARGUMENT_SPEC,
    run,
    secrets_in,
)


def main() -> None:
    shared.main(ARGUMENT_SPEC, run, secrets_in)


if __name__ == "__main__":
    main()
