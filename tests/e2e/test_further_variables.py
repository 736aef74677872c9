# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real gateway with one key in two environment variables, and with the name of one in place of a reference."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_editor, json5_reader
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Change
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.e2e.harness import ENDPOINTS, FORMS, MOONSHOT, NO_CHATS, Bench, files_holding, new_key

AUDIT = "clawfleet.clawdbot.audit"
ROTATE = "clawfleet.clawdbot.rotate"
WORD = "MOONSHOT_API_KEY"


@pytest.fixture
def bench(installed: Bench) -> Bench:
    return installed


def change(bench: Bench, path: str, value: str) -> None:
    """Change the config as a person does."""
    text = json5_editor.edit(bench.gateway.config.read_text(), [Change(tuple(path.split(".")), value)])
    bench.gateway.config.write_text(text)


def also_in(bench: Bench, *names: str) -> dict[str, Any]:
    urls = {name: bench.mock_server.base_url(ENDPOINTS[name], FORMS[name]) for name in ENDPOINTS}
    overrides: dict[str, Any] = {name: {"block": {"baseUrl": url}} for name, url in urls.items()}
    overrides[MOONSHOT]["also_in"] = list(names)
    return {"providers_overrides": overrides}


def test_a_rotation_replaces_a_key_in_all_its_variables_and_no_word(bench: Bench) -> None:
    old = bench.keys[MOONSHOT]
    with bench.gateway.env.open("a") as env:
        env.write(f"# {WORD} is the key of the team\nKIMI_API_KEY={old}\n")
    change(bench, "tools.web.search.apiKey", "${KIMI_API_KEY}")

    unnamed = bench.rollout(playbook=AUDIT)

    assert unnamed.code != 0
    assert (
        f"{bench.gateway.env} holds the current key of another variable in KIMI_API_KEY, which the config uses at "
        "tools.web.search.apiKey. If it is meant to hold the key of a provider, add it to also_in of that provider"
    ) in unnamed.one_line

    before = bench.files()
    bench.keys[MOONSHOT] = new_key()
    bench.admit(MOONSHOT, bench.keys[MOONSHOT])
    rejected = bench.rollout(playbook=ROTATE)

    bench.keys[MOONSHOT] = old
    assert rejected.code != 0
    assert (
        f"{bench.gateway.env} contains the key of moonshot also in KIMI_API_KEY, where the old key would stay. Add "
        "that to also_in of moonshot in providers_overrides, or remove it from the file."
    ) in rejected.one_line
    assert bench.files() == before

    named = also_in(bench, "KIMI_API_KEY")
    assert bench.rollout(*NO_CHATS, **named).code == 0

    # It works: the environment takes precedence over the config.
    change(bench, "models.providers.moonshot.apiKey", WORD)
    assert bench.chat("agent:main:said", f"I put the key into {WORD}.")["payloads"][0]["text"].startswith("Hello")
    (transcript,) = bench.gateway.state_dir.glob("agents/main/sessions/*.jsonl")
    said = transcript.read_text().count(f"I put the key into {WORD}.")
    assert said

    word = bench.rollout(playbook=AUDIT, **named)

    assert word.code != 0
    assert (
        f"{bench.gateway.config} has the name of an environment variable at models.providers.moonshot.apiKey, in place "
        'of a reference. Write "${MOONSHOT_API_KEY}" there, or run the role.'
    ) in word.one_line

    bench.keys[MOONSHOT] = new_key()
    bench.admit(MOONSHOT, bench.keys[MOONSHOT])
    rotated = bench.rollout("--diff", playbook=ROTATE, **named)

    assert rotated.code == 0, rotated.output
    assert f"The host no longer stores {fingerprint(old)}." in rotated.one_line
    assert files_holding(bench.gateway.home, old) == []
    variables = dotenv.loads(bench.gateway.env.read_text())
    assert [variables[WORD], variables["KIMI_API_KEY"]] == [bench.keys[MOONSHOT]] * 2
    assert f"# {WORD} is the key of the team\n" in bench.gateway.env.read_text()
    assert transcript.read_text().count(f"I put the key into {WORD}.") == said
    value = json5_reader.loads(bench.gateway.config.read_text())
    assert value["models"]["providers"][MOONSHOT]["apiKey"] == "${MOONSHOT_API_KEY}"
    assert value["tools"]["web"]["search"]["apiKey"] == "${KIMI_API_KEY}"

    pids = bench.pids()
    again = bench.rollout(playbook=ROTATE, **named)
    assert again.recap[bench.gateway.name]["changed"] == 0, again.output
    assert bench.rollout(playbook=AUDIT, **named).code == 0
    assert bench.pids() == pids
