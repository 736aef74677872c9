# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run with state=present writes, keeps and reports."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_reader import loads
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.provider_config.gateway_files import (
    BLOCK,
    CONFIG,
    ENV,
    JOURNAL,
    NEW_CONFIG,
    NEW_ENV,
    NEW_KEY,
    OLD_ENV,
    OLD_KEY,
    Gateway,
    Run,
)

CHANGES: dict[str, tuple[dict[str, object], tuple[bool, bool]]] = {
    "key and block": ({}, (True, True)),
    "key alone": ({"providers": {}}, (False, True)),
    "block alone": ({"env": {"MOONSHOT_API_KEY": OLD_KEY}}, (True, False)),
    "neither": ({"env": {}, "providers": {}}, (False, False)),
    "default model": ({"env": {}, "providers": {}, "default_model": "other/x"}, (True, False)),
}


@pytest.mark.parametrize(("arguments", "changed"), CHANGES.values(), ids=CHANGES)
def test_check_mode_reports_what_the_run_does_and_the_second_run_does_nothing(
    gateway: Gateway, run: Run, arguments: dict[str, object], changed: tuple[bool, bool]
) -> None:
    before = gateway.files()
    predicted = run(check_mode=True, **arguments)
    assert gateway.files() == before
    first = run(**arguments)
    assert first.changes == (any(changed), *changed, any(changed))
    assert first.result == predicted.result
    after = gateway.files()
    again = run(**arguments)
    assert again.changes == (False, False, False, any(changed))
    assert gateway.files() == after
    assert run(state="confirmed").changes == (False, False, False, False)
    assert sorted(gateway.files()) == [ENV, CONFIG]
    assert run(**arguments).changes == (False, False, False, False)


def test_writes_the_desired_values_and_keeps_every_other_byte(gateway: Gateway, run: Run) -> None:
    assert run().changes == (True, True, True, True)
    files = gateway.files()
    assert (files[CONFIG], files[ENV]) == (NEW_CONFIG, NEW_ENV)
    assert gateway.config.stat().st_mode & 0o777 == 0o640
    assert (gateway.directory / JOURNAL).stat().st_mode & 0o777 == 0o600


def test_makes_both_files_private_where_there_are_none(gateway: Gateway, run: Run) -> None:
    gateway.config.unlink()
    gateway.env.unlink()
    assert run().changes == (True, True, True, True)
    assert gateway.env.read_text() == f"MOONSHOT_API_KEY={NEW_KEY}\n"
    assert loads(gateway.config.read_text()) == {"models": {"mode": "merge", "providers": {"moonshot": BLOCK}}}
    assert [path.stat().st_mode & 0o777 for path in (gateway.config, gateway.env)] == [0o600, 0o600]
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert gateway.files() == {}


def test_an_open_env_is_closed_and_the_diff_reports_it(gateway: Gateway, run: Run) -> None:
    gateway.env.chmod(0o644)
    ran = run(providers={}, env={})
    assert ran.changes == (True, False, True, True)
    assert ran.result["diff"][-1] == {
        "before_header": str(gateway.env),
        "after_header": str(gateway.env),
        "before": "mode 0644\n",
        "after": "mode 0600\n",
    }
    assert (gateway.env.read_bytes(), gateway.env.stat().st_mode & 0o777) == (OLD_ENV, 0o600)
    assert run(state="rolled_back").changes == (True, False, True, False)
    assert gateway.env.stat().st_mode & 0o777 == 0o644


def test_symbolic_links_stay_symbolic_links(gateway: Gateway, run: Run, tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    for path in (gateway.config, gateway.env):
        path.rename(real / f"the-{path.name}")
        path.symlink_to(f"../real/the-{path.name}")
    assert run().changes == (True, True, True, True)
    assert [os.readlink(path) for path in (gateway.config, gateway.env)] == [
        f"../real/the-{CONFIG}",
        f"../real/the-{ENV}",
    ]
    assert (gateway.config.read_bytes(), gateway.env.read_bytes()) == (NEW_CONFIG, NEW_ENV)
    assert run(state="confirmed").changes == (False, False, False, False)
    assert sorted(path.name for path in real.iterdir()) == [
        f".the-{CONFIG}.clawfleet-key-dates",
        f"the-{ENV}",
        f"the-{CONFIG}",
    ]


def test_a_key_that_clawdbot_wrote_is_put_back_to_its_reference(gateway: Gateway, run: Run) -> None:
    resolved = NEW_CONFIG.replace(b"${MOONSHOT_API_KEY}", OLD_KEY.encode())
    gateway.config.write_bytes(resolved)
    ran = run()
    assert ran.result["repaired"] == ["models.providers.moonshot.apiKey"]
    assert gateway.config.read_bytes() == NEW_CONFIG
    assert OLD_KEY not in ran.printed
    assert f"<{fingerprint(OLD_KEY)}>" in ran.printed


def test_members_of_a_block_that_only_the_host_has(gateway: Gateway, run: Run) -> None:
    theirs = NEW_CONFIG.replace(
        b"        models: [\n          {\n",
        b"        timeoutSeconds: 90, // slow\n        headers: { 'X-Team': 'a' },\n        models: [\n          {\n",
    ).replace(b"api.moonshot.cn", b"api.moonshot.ai")
    gateway.config.write_bytes(theirs)
    kept = theirs.replace(b"api.moonshot.ai", b"api.moonshot.cn")

    assert run(check_mode=True).changes == (True, True, True, True)
    assert run().changes == (True, True, True, True)
    assert gateway.config.read_bytes() == kept
    assert run(check_mode=True).changes == (False, False, False, True)
    assert run().changes == (False, False, False, True)
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert gateway.config.read_bytes() == theirs

    without = {"providers": {"moonshot": {**BLOCK, "headers": None, "timeoutSeconds": None}}}
    assert run(**without).changes == (True, True, True, True)
    assert loads(gateway.config.read_text())["models"]["providers"]["moonshot"] == BLOCK
    assert run(**without).changes == (False, False, False, True)
    assert run(state="rolled_back").changes == (True, True, True, False)

    assert run(state="absent").changes == (True, True, True, True)
    assert "moonshot" not in loads(gateway.config.read_text())["models"]["providers"]
