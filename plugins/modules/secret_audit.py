#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_audit
short_description: Where the keys of a Clawdbot gateway stand on its host
version_added: 0.1.0
description:
  - Looks where provider keys stand on a host besides where they belong, and tells by fingerprint, never by value. No
    key travels to or from the host for that.
  - It knows the keys that the gateway's C(.env) holds, finds those that stand in their place elsewhere, as after a
    rotation, and knows old ones by their fingerprints.
  - It looks into the config, the product's and people's copies of it and of C(.env), the C(.env) in the folder that the
    gateway works in, C(models.json) and C(auth-profiles.json) of each agent, the unit with its drop-ins and files of
    variables, and for keys that it knows into every other file of the state folder, the gateway's logs, and the
    histories of the account's shells. It reads 256 MiB and 20,000 files of these at the most, and says what it left
    out.
  - What the product keeps by itself, as the current keys in C(models.json), is no finding but a note.
  - It also names the models that the config refers to and that no provider has.
extends_documentation_fragment:
  - clawfleet.clawdbot._gateway
author:
  - clawfleet.clawdbot contributors (@clawfleet)
attributes:
  check_mode:
    description: Tells what O(state=purged) would clean, and changes nothing.
    support: full
  diff_mode:
    description: Shows what O(state=purged) cleans, with a fingerprint in place of each key.
    support: full
  idempotent:
    description: A host with nothing to clean is not changed.
    support: full
options:
  service_manager:
    description: What keeps the gateway running, as M(clawfleet.clawdbot.gateway_info) takes it.
    type: str
    choices: [systemd_user, systemd_system, command]
    default: systemd_user
  service_name:
    description: The unit. Not given, the product's own.
    type: str
  providers:
    description: Provider id to the name of the variable that holds its key.
    type: dict
    default: {}
  fingerprints:
    description:
      - Variable to the fingerprint of the key that the host shall have in it. Another key in C(.env) is a finding then.
    type: dict
    default: {}
  old_keys:
    description:
      - Fingerprints of keys that shall be nowhere on the host. Text that has the shape of a key is compared with them.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(audited) changes nothing.
      - V(purged) cleans what is marked as C(purgeable). In the config and its copies the reference to the variable
        takes the place of the key; a running process that has not read C(.env) as it is keeps the config from being
        cleaned.
        Copies of C(.env) lose the variable, C(models.json) the provider, which the product enters anew, and
        C(auth-profiles.json) the profiles of the providers. In transcripts and logs, asterisks take the place of a
        key.
        Modes are narrowed to the owner. What a run that died has left is removed.
      - Units, files of variables, shell histories, the variables of C(.env), files of unknown kinds, and a record of
        what stood in the files before are left alone, with a hint.
    type: str
    choices: [audited, purged]
    default: audited
seealso:
  - module: clawfleet.clawdbot.gateway_info
  - module: clawfleet.clawdbot.provider_config
"""

EXAMPLES = r"""
- name: See where keys stand in plain text
  clawfleet.clawdbot.secret_audit:
    providers:
      moonshot: MOONSHOT_API_KEY
      kimicode: KIMICODE_API_KEY
  register: keys

- name: Clean what an old key has left
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
    - What is not as it should be. With O(state=purged), what is left of it, or in check mode would be.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description:
        - V(plain_text_key), a key where none belongs; V(old_key), an old key in a place for keys;
          V(auth_profile), an auth profile that wins over a provider's variable; V(wrong_mode) and V(wrong_owner);
          V(unfinished_run), the record of a run that was not completed; V(leftover), a file that such a run has left;
          V(unreadable), a place of which nothing can be said.
      type: str
      sample: plain_text_key
    place:
      description: The file or folder.
      type: str
      sample: /home/clawdbot/.clawdbot/clawdbot.json.bak
    where:
      description: The path in its JSON, the variable, or the line.
      type: str
      sample: models.providers.moonshot.apiKey
    subject:
      description: The provider, or else the variable.
      type: str
      sample: moonshot
    fingerprint:
      description: That of the key, empty where none is concerned.
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
    message:
      description: All that, for a person.
      type: str
    hint:
      description: What to do.
      type: str
      sample: clawfleet.clawdbot.purge cleans it.
purged:
  description: The findings that were cleaned, or in check mode would be.
  returned: O(state=purged)
  type: list
  elements: dict
notes:
  description: What is as it should be and worth knowing, in the shape of RV(findings).
  returned: success
  type: list
  elements: dict
dangling:
  description:
    - The places of the config that name a model which no provider has, each with C(place), C(model) and C(message).
  returned: success
  type: list
  elements: dict
  sample: []
diff:
  description: What was cleaned, with fingerprints in place of keys.
  returned: O(state=purged)
  type: list
  elements: dict
"""

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import main as shared
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module.secret_audit import ARGUMENT_SPEC, run


def main() -> None:
    shared.main(ARGUMENT_SPEC, run)


if __name__ == "__main__":
    main()
