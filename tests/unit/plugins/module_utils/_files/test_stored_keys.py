# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.stored_keys import (
    read_keys,
    read_variables,
    secrets_in,
)

#: The content of a file, None for none -> its variables, and its keys.
CONTENTS: dict[str, tuple[bytes | None, dict[str, str] | None, dict[str, str] | None]] = {
    "no file": (None, {}, {}),
    "variables": (b"A=1\n", {"A": "1"}, None),
    "keys": (b'{"A": "1"}', {}, {"A": "1"}),
    "a number": (b'{"A": 1}', {}, None),
    "no UTF-8": (b"A=\xff\n", {"A": "\udcff"}, None),
}


@pytest.mark.parametrize(("content", "variables", "keys"), CONTENTS.values(), ids=CONTENTS)
def test_read(
    tmp_path: Path, content: bytes | None, variables: dict[str, str] | None, keys: dict[str, str] | None
) -> None:
    file = tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    assert (read_variables(str(file)), read_keys(str(file))) == (variables, keys)


def test_what_is_no_file_is_not_known(tmp_path: Path) -> None:
    assert (read_variables(str(tmp_path)), read_keys(str(tmp_path))) == (None, None)


def test_a_key_is_a_secret_whatever_its_name() -> None:
    assert secrets_in([{"PORT": "18789"}], [{"A": "abc", "B": "x"}]) == {"abc"}
