#!/usr/bin/python
# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: provider_config
short_description: Model providers and their keys in the two files of a Clawdbot gateway
version_added: 0.1.0
description:
  - Writes the variables that hold API keys to the gateway's C(.env), and the provider blocks that refer to them to its
    config, as one transaction.
  - It owns the named variables, provider blocks, aliases, default model and fallback models. Everything else in both
    files stays as it is, byte for byte.
  - Both files are read, a plan is made, a changed config is put to the product's own checker, and the plan is carried
    out only if nobody has changed a file in the meantime; otherwise it is made again, a few times at the most. C(.env)
    is written before the config. A run that fails leaves both files as they were.
  - A config may C($include) other files. They are read, so that what is decided is right for the config as the product
    sees it, and never written. Where one of them stands in the way, the task fails with its name and changes nothing.
  - Owner, group, mode, access control list and other extended attributes of the files stay. A new file has mode
    C(0600).
  - One run at a time works on the files of a gateway; a second one waits for it, for two minutes at the most.
  - What stood in the files before is kept beside the config, with mode C(0600), until O(state=confirmed) or
    O(state=rolled_back) ends the run.
author:
  - clawfleet.clawdbot contributors (@clawfleet)
attributes:
  check_mode:
    description: Makes the same plan, has it checked by the product, and changes neither file.
    support: full
  diff_mode:
    description: Shows the managed parts of both files. A fingerprint stands in place of each key.
    support: full
  idempotent:
    description: A file that already is as asked is not written.
    support: full
options:
  config_path:
    description:
      - The gateway's config, JSON or JSON5. A symbolic link stays one.
    type: path
    required: true
  env_path:
    description:
      - The gateway's C(.env). Its mode is C(0600) after O(state=present) and O(state=absent).
    type: path
    required: true
  providers:
    description:
      - Provider id to its block, in the product's own spelling, so that a block from the product's documentation can be
        given.
      - A block replaces the one that is there. Its C(apiKey) has to be a reference, V(${NAME}), to a variable.
      - Each variable that a block refers to has to stand in O(env) or in the file O(env_path).
      - With O(state=absent) only the ids count, and a block may be empty.
    type: dict
    default: {}
  env:
    description:
      - Variables for C(.env), name to value. A name is made of capital letters, digits and C(_), as the product takes
        it in references. A value is a text and not empty.
      - With O(state=absent) only the names count.
    type: dict
    default: {}
  aliases:
    description:
      - Alias to C(provider/model).
      - The product keeps aliases in C(agents.defaults.models), and as soon as that has an entry, it is the list of all
        models that may be used. So the models of O(providers), the default and the fallbacks are entered there too, and
        where it was empty before, each model that the config's agents name.
    type: dict
    default: {}
  default_model:
    description:
      - C(provider/model) for C(agents.defaults.model.primary). Not given, the config's own stays.
      - O(state=absent) needs it where the config's own is a model of a provider that is to be removed.
    type: str
  fallback_models:
    description:
      - List of C(provider/model) for C(agents.defaults.model.fallbacks). Not given, the config's own stay.
    type: list
    elements: str
  state:
    description:
      - V(present) brings both files to what is asked.
      - V(absent) removes the named providers from the config, with their models and aliases in
        C(agents.defaults.models) and among the fallbacks of C(agents.defaults.model) and C(agents.defaults.imageModel),
        the named variables from C(.env), and what C(models.json) and C(auth-profiles.json) of each agent hold of the
        providers. A variable that the config still refers to stays. It is refused while another place of the config
        names a model of the providers.
      - V(rolled_back) puts both files back to what they were before the V(present) or V(absent) that has not been
        confirmed, or before the first of several. A file that others have written since is not put back whole; what was
        changed in it is undone. The files of the agents are not put back, as the product makes C(models.json) anew from
        the config.
      - V(confirmed) drops the record of what the files were before. This is not reported as a change.
    type: str
    choices: [present, absent, rolled_back, confirmed]
    default: present
  state_dir:
    description:
      - The gateway's state directory, in which O(state=absent) finds the files of its agents. Not given, the directory
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
      - The command that judges a changed config before it replaces the old one. V(%s) stands for the candidate's path,
        V(%d) for an empty folder that is removed afterwards. Its environment is the variables of C(.env) as it will be,
        C(PATH), and that folder as C(HOME).
      - RV(clawfleet.clawdbot.gateway_info#module:check_command) is the product's own.
      - Not given, nothing judges it.
    type: list
    elements: str
    default: []
seealso:
  - module: clawfleet.clawdbot.gateway_info
  - module: clawfleet.clawdbot.verify_models
"""

EXAMPLES = r"""
- name: Look where the gateway's files are
  clawfleet.clawdbot.gateway_info:
  register: gateway

- name: Give the gateway Moonshot's models
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
          - id: kimi-k2.5
            name: Kimi K2.5
            contextWindow: 200000
            maxTokens: 8192
    aliases:
      k25: moonshot/kimi-k2.5
    validate: "{{ gateway.check_command }}"

- name: Take Moonshot's models away again
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

- name: Keep it
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
agent_files:
  description: The files of agents that a provider was removed from.
  returned: O(state=absent)
  type: list
  elements: str
  sample: [/home/clawdbot/.clawdbot/agents/main/agent/models.json]
kept:
  description: Variables that were to be removed and stay, because the config still refers to them.
  returned: O(state=absent)
  type: list
  elements: str
  sample: []
repaired:
  description:
    - Where the config held a key in plain text in place of the reference to its variable, as the product's own commands
      write it.
  returned: O(state=present)
  type: list
  elements: str
  sample: [models.providers.moonshot.apiKey]
duplicates:
  description: Variables that C(.env) assigned more than once; one assignment was kept.
  returned: O(state=present)
  type: list
  elements: str
  sample: [MOONSHOT_API_KEY]
unconfirmed:
  description: Whether a record of what stood in the files before is kept, as after a change, or after a run that died.
  returned: success
  type: bool
  sample: true
diff:
  description:
    - The managed parts of both files before and after, and of the files of agents, with fingerprints in place of keys.
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
