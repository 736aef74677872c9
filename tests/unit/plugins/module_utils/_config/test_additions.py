# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, key_files
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.additions import (
    env_with_additions,
    keys_with_additions,
)
from hypothesis import given
from hypothesis import strategies as st

#: The current and the desired text -> the one before the config is written.
ENV: dict[str, tuple[str | None, str | None, str | None]] = {
    "no file": (None, None, None),
    "a new file": (None, "A=1\n", "A=1\n"),
    "nothing changes": ("A=1\n", "A=1\n", "A=1\n"),
    "added": ("# mine\nA=1\n", "# mine\nA=1\nB=2\n", "# mine\nA=1\nB=2\n"),
    "another value": ("A=1\n", "A=2\n", "A=2\n"),
    "removed": ("A=1\nB=2\n", "A=1\n", "A=1\nB=2\n"),
    "removed, and another value": ("A=1\nB=2\n", "A=9\n", "A=1\nB=2\n"),
    "added and removed": ("A=1 # mine\nB=2\n", "B=2\nC=3\n", "A=1 # mine\nB=2\nC=3\n"),
    "an empty one is removed": ("A=\nB=2\n", "B=2\n", "B=2\n"),
    "an empty one gets a value, and another is removed": ("A= # mine\nB=2\n", "A=1\n", "# mine\nA=1\nB=2\n"),
    "the file goes": ("A=1\n", None, "A=1\n"),
}


@pytest.mark.parametrize(("current", "desired", "expected"), ENV.values(), ids=ENV)
def test_env_with_additions(current: str | None, desired: str | None, expected: str | None) -> None:
    assert env_with_additions(current, desired) == expected


KEYS: dict[str, tuple[str | None, str | None, str | None]] = {
    "no file": (None, None, None),
    "a new file": (None, '{"A": "1"}', '{"A": "1"}'),
    "removed": ('{"A": "1"} // mine', None, '{"A": "1"} // mine'),
    "another key": ('{"A": "1"}', '{"A": "2"}', '{"A": "2"}'),
    "added and removed": ('{"A": "1"} // mine', '{"B": "2"}', '{"A": "1", "B": "2"} // mine'),
    "others have broken it": ('{"A": 1}', '{"B": "2"}', '{"B": "2"}'),
}


@pytest.mark.parametrize(("current", "desired", "expected"), KEYS.values(), ids=KEYS)
def test_keys_with_additions(current: str | None, desired: str | None, expected: str | None) -> None:
    assert keys_with_additions(current, desired) == expected


VARIABLES = st.dictionaries(st.sampled_from("ABCD"), st.text("uv'\" #", max_size=3))


@given(VARIABLES, VARIABLES)
def test_no_name_of_either_is_missing(old: dict[str, str], new: dict[str, str]) -> None:
    current = dotenv.edit("# mine\n", old).text
    desired = dotenv.edit(current, {**dict.fromkeys(old), **new}).text
    env = env_with_additions(current, desired)
    assert env is not None
    assert {name for name, value in {**old, **new}.items() if value} <= {
        name for name, value in dotenv.loads(env).items() if value
    }
    # A run that dies here, and the next one: it has nothing more to add.
    assert env_with_additions(env, desired) == env
    keys = keys_with_additions(key_files.edit(None, {**old}), key_files.edit(None, {**new}))
    assert {name for held in (old, new) for name, key in held.items() if key} <= set(key_files.loads(keys))
