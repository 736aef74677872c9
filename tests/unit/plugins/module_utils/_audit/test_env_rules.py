# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit.env_rules import ENV, ENV_COPY
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.plugins.module_utils._audit.audit_cases import KIMI, NOW, OLD, STALE, examine, found

RUN = "Run the role: it writes the key of the inventory."
TAKE = (
    "If it is meant to hold the key of a provider, add it to also_in of that provider, and a rotation writes it too. "
    "Otherwise remove it."
)
CASES: dict[str, tuple[str, Mapping[str, str], list[tuple[str, str, str, str, str]], str]] = {
    "with the desired key": (f"MOONSHOT_API_KEY={NOW}\n", {"MOONSHOT_API_KEY": fingerprint(NOW)}, [], ""),
    "without a desired key": (f"MOONSHOT_API_KEY={NOW}\n", {}, [], ""),
    "with a key other than the desired one": (
        f"MOONSHOT_API_KEY={NOW}\n",
        {"MOONSHOT_API_KEY": fingerprint(STALE)},
        [("MOONSHOT_API_KEY", "MOONSHOT_API_KEY", fingerprint(NOW), "old", RUN)],
        "",
    ),
    "with a copy of a key": (
        f"MOONSHOT_API_KEY={NOW}\nMINE={NOW}\n",
        {},
        [("MINE", "MINE", fingerprint(NOW), "current", TAKE)],
        "",
    ),
    "with an old key": (
        f"MINE='{OLD}'\nEMPTY=\n",
        {},
        [("MINE", "MINE", fingerprint(OLD), "old", TAKE)],
        "",
    ),
    "with the name of a variable in place of a key": (
        "# KIMI_API_KEY\nMOONSHOT_API_KEY=KIMI_API_KEY\nMINE=KIMI_API_KEY\n",
        {"MOONSHOT_API_KEY": fingerprint(NOW)},
        [("MOONSHOT_API_KEY", "MOONSHOT_API_KEY", "", "", RUN)],
        "",
    ),
    "with a desired key that is a word": (
        "# local-dev\nMOONSHOT_API_KEY=local-dev\n",
        {"MOONSHOT_API_KEY": fingerprint("local-dev")},
        [],
        "",
    ),
    "with comments": (
        f"# {OLD}\nMOONSHOT_API_KEY={NOW} # not {OLD}\nA=b\n",
        {},
        [
            ("line 1", "", fingerprint(OLD), "old", ""),
            ("line 2", "", fingerprint(OLD), "old", ""),
        ],
        f"# removed\nMOONSHOT_API_KEY={NOW} # not removed\nA=b\n",
    ),
}


@pytest.mark.parametrize(("text", "wanted", "findings", "cleaned"), CASES.values(), ids=CASES)
def test_only_comments_of_the_env_are_cleaned(
    text: str, wanted: Mapping[str, str], findings: list[tuple[str, str, str, str, str]], cleaned: str
) -> None:
    examination = examine(ENV, text, fingerprints=wanted)
    assert found(examination) == findings
    assert examination.cleaned == (cleaned or text)


def test_what_is_in_place_of_a_key_is_reported() -> None:
    text = "MOONSHOT_API_KEY=<your key>\n"
    (finding,) = examine(ENV, text, fingerprints={"MOONSHOT_API_KEY": fingerprint(NOW)}).findings
    assert (finding.kind, finding.message) == (
        "no_key",
        "/s/file has a placeholder in MOONSHOT_API_KEY, in place of a key.",
    )
    assert examine(ENV_COPY, text).findings == []


def test_who_uses_a_key_is_reported() -> None:
    uses = {"KIMI_API_KEY": ["tools.web.search.kimi.apiKey", "skills.entries.kimi.env.KEY"]}
    current, old = examine(ENV, f"KIMI_API_KEY={NOW}\nMINE={OLD}\n", uses=uses).findings
    assert current.message == (
        "/s/file holds the current key of another variable in KIMI_API_KEY, which the config uses at "
        "tools.web.search.kimi.apiKey, skills.entries.kimi.env.KEY."
    )
    assert old.message == "/s/file holds an old key in MINE."
    (old,) = examine(ENV, f"KIMI_API_KEY={OLD}\n", uses=uses).findings
    assert old.message.startswith("/s/file holds an old key in KIMI_API_KEY, which the config uses at tools.web.")


def test_a_copy_of_the_env_loses_known_keys() -> None:
    text = f"# {OLD}\nMOONSHOT_API_KEY={STALE}\nexport KIMICODE_API_KEY='{KIMI}'\nMINE={OLD}\nNONE_API_KEY=x\nA=b\n"
    examination = examine(ENV_COPY, text)
    assert [(one.where, one.status, one.purgeable) for one in examination.findings] == [
        ("MOONSHOT_API_KEY", "old", True),
        ("KIMICODE_API_KEY", "current", True),
        ("MINE", "old", True),
        ("line 1", "old", True),
    ]
    assert examination.cleaned == "# removed\nNONE_API_KEY=x\nA=b\n"


def test_a_copy_of_the_env_that_cannot_be_edited_is_left_alone() -> None:
    examination = examine(ENV_COPY, f"MY.KEY={NOW}\n")
    assert found(examination) == [("line 1", "MOONSHOT_API_KEY", fingerprint(NOW), "current", "Delete the file.")]
    assert examination.cleaned == f"MY.KEY={NOW}\n"


ENV_LINES = st.lists(
    st.sampled_from([f"MOONSHOT_API_KEY={NOW}", f"# {OLD}", f"A={OLD}", "B=c", "'", f"# '{NOW}", f'C="{KIMI}', ""])
)


@given(ENV_LINES.map("\n".join))
def test_the_values_of_the_env_are_unchanged(text: str) -> None:
    cleaned = examine(ENV, text, fingerprints={}).cleaned
    assert dotenv.loads(cleaned) == dotenv.loads(text)
    assert len(cleaned.splitlines()) == len(text.splitlines())
