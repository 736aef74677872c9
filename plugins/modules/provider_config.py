#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: provider_config
short_description: Manage model providers and their keys in the files of a gateway
version_added: 0.1.0
description:
  - Writes environment variables with API keys to the gateway's C(.env), and the provider blocks that refer to them to
    its config, as one transaction. Keys can also be in a file of their own beside C(.env).
  - It manages the named variables, provider blocks, aliases, default model and fallback models. Everything else in
    these files is kept, byte for byte.
  - All files are read, a plan is made, and the command of O(validate) checks a changed config. The plan is applied
    only if no other process has changed a file in the meantime; otherwise the plan is made again, up to five times.
    What is added to C(.env) and to the file with keys is written before the config, and what is removed from them after
    it, so that each reference in the config always resolves. A run that fails leaves all files as they were.
  - A config may C($include) other files. They are read, so that the plan is right for the merged config, and never
    written. If one of them also sets what is to be changed, the task fails with its name and changes nothing.
  - Owner, group, mode, access control list and other extended attributes of the files are kept. A new file has mode
    C(0600).
  - Only one run at a time changes the files of a gateway. A second one waits for up to two minutes.
  - A rollback journal with the previous content is kept beside the config, with mode C(0600), until O(state=confirmed)
    or O(state=rolled_back) ends the run.
author:
  - clawfleet.clawdbot contributors (@clawfleet)
attributes:
  check_mode:
    description: Makes and validates the same plan, and changes no file.
    support: full
  diff_mode:
    description: Shows the managed parts of the files, with a fingerprint in place of each key.
    support: full
  idempotent:
    description: A file that is up to date is not written.
    support: full
options:
  config_path:
    description:
      - The gateway's config, JSON or JSON5. A symbolic link is kept.
    type: path
    required: true
  env_path:
    description:
      - The gateway's C(.env). Its mode is C(0600) after O(state=present) and O(state=absent).
    type: path
    required: true
  providers:
    description:
      - Provider id to its block, as the config takes it, so that a block from the documentation of Clawdbot or OpenClaw
        can be used.
      - The members of a block replace those of the existing one. Others, such as C(timeoutSeconds) and C(headers), are
        kept, and a null removes one.
      - Its C(apiKey) must be a reference to an environment variable, V(${NAME}).
      - Each variable that a block refers to must be in O(env) or in the file O(env_path).
      - With O(state=absent) only the ids are used, and a block may be empty.
    type: dict
    default: {}
  env:
    description:
      - Environment variables for C(.env), name to value. A name consists of capital letters, digits and C(_), as
        references allow it. A value is a string that is not empty.
      - With O(state=absent) only the names are used.
    type: dict
    default: {}
  keys:
    description:
      - Keys for the file C(clawfleet-keys.json) beside C(.env), named as in O(env). The C(apiKey) of a block refers to
        one by a mapping with the C(source) V(file), the C(provider) V(clawfleet) and the C(id) V(/NAME), which only
        OpenClaw takes.
      - A key that is set in one of these files is removed from the other, unless the config still refers to it there.
    type: dict
    default: {}
  aliases:
    description:
      - Alias to C(provider/model).
      - Aliases are stored in C(agents.defaults.models). As soon as that has an entry, it is the list of all models that
        may be used. So the models of O(providers), the default and the fallbacks are added to it too, and if it was
        empty before, each model that the config's agents name.
    type: dict
    default: {}
  default_model:
    description:
      - C(provider/model) for C(agents.defaults.model.primary). If omitted, the config's own is kept.
      - Required for O(state=absent) if the config's own is a model of a provider that is to be removed.
    type: str
  fallback_models:
    description:
      - List of C(provider/model) for C(agents.defaults.model.fallbacks). If omitted, the config's own are kept.
    type: list
    elements: str
  removed_models:
    description:
      - List of C(provider/model) of models that are removed with all that only names them, which is their alias and
        the lists of models that may be used.
      - If an agent or a hook uses one of them, or a model that a block would lose, the module fails and
        changes nothing.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(present) gives the files the desired content.
      - V(absent) removes the named providers from the config, with their models and aliases in
        C(agents.defaults.models) and among the fallbacks of C(agents.defaults.model) and C(agents.defaults.imageModel),
        the named variables from C(.env), and the entries of the providers in the agents' C(models.json) and
        C(auth-profiles.json). A variable that the config still refers to is kept. The task fails while another place of
        the config names a model of the providers.
      - V(rolled_back) restores the files from the rollback journal, as they were before the unconfirmed V(present) or
        V(absent), or before the first of several. In a file that others have written since, only the run's changes are
        rolled back. The agents' files are not restored, as the gateway makes C(models.json) again from the config.
      - V(confirmed) removes the rollback journal. This is not reported as a change.
    type: str
    choices: [present, absent, rolled_back, confirmed]
    default: present
  state_dir:
    description:
      - The gateway's state directory, in which O(state=absent) finds the files of its agents. If omitted, the directory
        of O(config_path).
    type: path
  product:
    description:
      - What the gateway is, by the name of its executable. It decides which other spellings of a provider's id
        O(state=absent) removes, as C(qwen-portal) for C(qwen) with Clawdbot. With OpenClaw these are two providers.
      - V(auto) detects it from O(state_dir).
    type: str
    choices: [auto, clawdbot, openclaw]
    default: auto
  validate:
    description:
      - The command that validates a changed config before it replaces the old one. V(%s) stands for the path of the new
        config, a temporary file, V(%d) for an empty directory that is removed afterwards. Its environment is the
        variables of the new C(.env), C(PATH), and that directory as C(HOME).
      - RV(clawfleet.clawdbot.gateway_info#module:check_command) is the gateway's own.
      - If omitted, the config is not validated.
    type: list
    elements: str
    default: []
seealso:
  - module: clawfleet.clawdbot.gateway_info
  - module: clawfleet.clawdbot.verify_models
"""

EXAMPLES = r"""
- name: Find the gateway's files
  clawfleet.clawdbot.gateway_info:
  register: gateway

- name: Add Moonshot's models
  clawfleet.clawdbot.provider_config:
    config_path: "{{ gateway.config_path }}"
    env_path: "{{ gateway.env_path }}"
    env:
      MOONSHOT_API_KEY: "{{ vault_moonshot_api_key }}"
    providers:
      moonshot:
        baseUrl: https://api.moonshot.cn/v1
        apiKey: ${MOONSHOT_API_KEY}
        api: openai-completions
        models:
          - id: kimi-k3
            name: Kimi K3
            reasoning: true
            contextWindow: 1048576
            maxTokens: 131072
            compat:
              supportsDeveloperRole: false
              supportsReasoningEffort: false
              supportsStore: false
    aliases:
      k3: moonshot/kimi-k3
    validate: "{{ gateway.check_command }}"

- name: Remove Moonshot's models
  clawfleet.clawdbot.provider_config:
    config_path: "{{ gateway.config_path }}"
    env_path: "{{ gateway.env_path }}"
    state_dir: "{{ gateway.state_dir }}"
    env:
      MOONSHOT_API_KEY: ""
    providers:
      moonshot: {}
    default_model: kimicode/kimi-for-coding
    validate: "{{ gateway.check_command }}"
    state: absent

- name: Confirm the change
  clawfleet.clawdbot.provider_config:
    config_path: "{{ gateway.config_path }}"
    env_path: "{{ gateway.env_path }}"
    state: confirmed
"""

RETURN = r"""
config_changed:
  description: Whether the config was changed.
  returned: success
  type: bool
  sample: true
env_changed:
  description: Whether C(.env) was changed.
  returned: success
  type: bool
  sample: true
keys_changed:
  description: Whether the file with O(keys) was changed.
  returned: success
  type: bool
  sample: false
agent_files:
  description: The files of agents that a provider was removed from.
  returned: O(state=absent)
  type: list
  elements: str
  sample: [/home/clawdbot/.clawdbot/agents/main/agent/models.json]
kept:
  description: Environment variables that were kept, because the config still refers to them.
  returned: O(state=absent)
  type: list
  elements: str
  sample: []
repaired:
  description:
    - Where the config had a key in plain text in place of the reference to its environment variable, as the product's
      own commands write it.
  returned: O(state=present)
  type: list
  elements: str
  sample: [models.providers.moonshot.apiKey]
duplicates:
  description: Environment variables that C(.env) assigned more than once. One assignment was kept.
  returned: O(state=present)
  type: list
  elements: str
  sample: [MOONSHOT_API_KEY]
config_digest:
  description:
    - The SHA-256 digest of the config after the run, for O(clawfleet.clawdbot.gateway_check#module:written_config).
  returned: success
  type: str
unconfirmed:
  description: Whether a rollback journal is kept, after a change or an interrupted run.
  returned: success
  type: bool
  sample: true
diff:
  description:
    - The managed parts of the files before and after, and of the files of agents, with fingerprints in place of keys.
  returned: O(state=present) or O(state=absent)
  type: list
  elements: dict
"""

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module import main as shared
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._module.provider_config import (
    ARGUMENT_SPEC,
    run,
    secrets_in,
)


def main() -> None:
    shared.main(ARGUMENT_SPEC, run, secrets_in)


if __name__ == "__main__":
    main()
