# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What state=rolled_back restores, and what the rollback journal is for."""

from __future__ import annotations

import errno
import os

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_reader import loads

from tests.module.provider_config.gateway_files import (
    CONFIG,
    ENV,
    JOURNAL,
    NEW_CONFIG,
    NEW_ENV,
    NEW_KEY,
    OLD_CONFIG,
    OLD_ENV,
    OLD_KEY,
    Gateway,
    Run,
)


def test_rolled_back_restores_every_byte_and_the_modes(gateway: Gateway, run: Run) -> None:
    gateway.env.chmod(0o644)
    assert run().changes == (True, True, True, True)
    assert run(check_mode=True, state="rolled_back").changes == (True, True, True, False)
    assert gateway.config.read_bytes() == NEW_CONFIG
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert gateway.files() == {CONFIG: OLD_CONFIG, ENV: OLD_ENV}
    assert [path.stat().st_mode & 0o777 for path in (gateway.config, gateway.env)] == [0o640, 0o644]
    assert run(state="rolled_back").changes == (False, False, False, False)


def test_several_unconfirmed_runs_are_rolled_back_together(gateway: Gateway, run: Run) -> None:
    assert run(providers={}).changes == (True, False, True, True)
    assert run().changes == (True, True, False, True)
    assert run(default_model="moonshot/kimi-k2.5").changes == (True, True, False, True)
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert gateway.files() == {CONFIG: OLD_CONFIG, ENV: OLD_ENV}


def test_what_others_wrote_between_two_runs_survives_a_rollback(gateway: Gateway, run: Run) -> None:
    assert run().changes == (True, True, True, True)
    gateway.config.write_bytes(NEW_CONFIG.replace(b"18789", b"19999"))
    gateway.env.write_bytes(NEW_ENV + b"THEIRS=1\n")
    assert run(default_model="other/x", env={"MOONSHOT_API_KEY": f"{NEW_KEY}2"}).changes == (True, True, True, True)
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert gateway.files() == {CONFIG: OLD_CONFIG.replace(b"18789", b"19999"), ENV: OLD_ENV + b"THEIRS=1\n"}


def test_a_list_of_models_that_the_run_began_ends_with_it_also_where_others_wrote(gateway: Gateway, run: Run) -> None:
    assert run(aliases={"k25": "moonshot/kimi-k2.5"}).changes == (True, True, True, True)
    gateway.config.write_bytes(gateway.config.read_bytes() + b"// theirs\n")
    assert run(state="rolled_back").changes == (True, True, True, False)
    assert loads(gateway.config.read_text()) == loads(OLD_CONFIG.decode())
    assert gateway.config.read_bytes().endswith(b"// theirs\n")


def test_a_config_that_others_broke_is_named_and_the_journal_kept(gateway: Gateway, run: Run) -> None:
    assert run().changes == (True, True, True, True)
    gateway.config.write_text("{")
    ran = run(state="rolled_back")
    assert (ran.code, ran.result["msg"]) == (
        1,
        f"Others have written {gateway.config} since, and the changes of the earlier run in it cannot be rolled back:"
        " expected a member name or '}', found the end of the document at line 1, column 2. Repair the file, or keep it"
        " as it is with state=confirmed.",
    )
    assert (gateway.env.read_bytes(), JOURNAL in gateway.files()) == (NEW_ENV, True)


def test_the_journal_belongs_to_one_env(gateway: Gateway, run: Run) -> None:
    assert run().changes == (True, True, True, True)
    ran = run(state="rolled_back", env_path=str(gateway.directory / "other.env"))
    assert (ran.code, ran.result["msg"]) == (
        1,
        f"{gateway.directory / JOURNAL} is the rollback journal of an earlier run that wrote {gateway.env}, not"
        f" {gateway.directory / 'other.env'}. Confirm or roll back that run first.",
    )


def test_what_dead_runs_left_is_removed_but_not_in_check_mode(gateway: Gateway, run: Run) -> None:
    leftovers = [f".{name}.0123456789abcdef.clawfleet-new" for name in (CONFIG, ENV, JOURNAL)]
    for name in leftovers:
        (gateway.directory / name).write_text(OLD_KEY)
    scratch = gateway.directory / f"{leftovers[0]}.x1y2z3"
    (scratch / "agents").mkdir(parents=True)
    (scratch / "agents" / "models.json").write_text(OLD_KEY)
    foreign = f".{CONFIG}.bak.clawfleet-new"
    (gateway.directory / foreign).write_text("")
    before = sorted(path.name for path in gateway.directory.iterdir())
    for state in ("present", "rolled_back", "confirmed"):
        assert run(check_mode=True, state=state).code == 0
        assert sorted(path.name for path in gateway.directory.iterdir()) == before
    assert run(state="confirmed").changes == (False, False, False, False)
    assert sorted(path.name for path in gateway.directory.iterdir()) == sorted([CONFIG, ENV, foreign])


def test_where_the_rollback_fails_too_the_journal_is_kept_and_both_are_reported(
    gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = os.rename

    def full(source: str, target: str) -> None:
        if target.endswith(CONFIG) or (target.endswith(ENV) and gateway.env.read_bytes() == NEW_ENV):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        rename(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", full)
        ran = run()
    assert (ran.code, ran.result["msg"]) == (
        1,
        f"Cannot replace {gateway.config}: Read-only file system. The files that had been written before could not"
        f" be restored: Cannot replace {gateway.env}: Read-only file system. As soon as they can be written, restore"
        " them with state=rolled_back.",
    )
    assert sorted(gateway.files()) == [JOURNAL, ENV, CONFIG]
    assert run(state="rolled_back").changes == (True, False, True, False)
    assert gateway.files() == {CONFIG: OLD_CONFIG, ENV: OLD_ENV}
