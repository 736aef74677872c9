# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An audit finds every key and changes nothing."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._audit import file_scan
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files import atomic
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from tests.module.secret_audit.gateway_files import (
    AFTER,
    AGENT,
    BEFORE,
    FOUND,
    NOW,
    OLD,
    Gateway,
    Run,
    models,
    places,
)


def test_an_audit_finds_every_place_and_changes_nothing(gateway: Gateway, run: Run) -> None:
    result = run()
    assert places(result["findings"], gateway) == FOUND
    assert all(one["purgeable"] for one in result["findings"])
    assert result["findings"][6]["message"] == (
        f"{gateway.state_dir}/logs/gateway.log holds the current key in plain text in 2 places, first in line 1."
    )
    assert places(result["notes"], gateway) == [
        ("plain_text_key", f"{AGENT}/models.json", "providers.kimicode.apiKey", "current")
    ]
    assert (result["changed"], result["dangling"]) == (False, [])
    assert "diff" not in result
    assert gateway.files() == BEFORE


def test_a_key_is_found_by_its_fingerprint_alone(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({".env": f"MOONSHOT_API_KEY={NOW}\n", "clawdbot.json": "{}", "notes.md": f"{OLD}\n"})
    assert run()["findings"] == []
    (finding,) = run(old_keys=[fingerprint(OLD)])["findings"]
    assert (finding["place"], finding["where"], finding["fingerprint"], finding["purgeable"], finding["hint"]) == (
        f"{gateway.state_dir}/notes.md",
        "line 1",
        fingerprint(OLD),
        False,
        "Remove it from the file.",
    )
    assert run(state="purged", old_keys=[fingerprint(OLD)])["changed"] is False


def test_a_provider_is_found_in_another_spelling_of_its_id(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({".env": f"QWEN_API_KEY={NOW}\n", "clawdbot.json": "{}", f"{AGENT}/models.json": models(Qwen=OLD)})
    (finding,) = run(providers={"qwen-portal": "QWEN_API_KEY"})["findings"]
    assert (finding["kind"], finding["subject"], finding["status"]) == ("old_key", "Qwen", "old")


def test_a_key_in_the_history_of_a_shell_is_reported(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({".env": f"MOONSHOT_API_KEY={NOW}\n"})
    history = gateway.state_dir.parent / "home" / ".bash_history"
    history.write_text(f"ls\nexport MOONSHOT_API_KEY={NOW}\n")
    (finding,) = run(state="purged")["findings"]
    assert (finding["place"], finding["where"], finding["hint"]) == (
        str(history),
        "line 2",
        "Delete the line (history -d in bash), and replace the key.",
    )


def test_a_file_of_another_account_is_reported(gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.lay_out(AFTER)
    read = atomic.read

    def read_as_if(path: str) -> atomic.Snapshot:
        snapshot = read(path)
        return replace(snapshot, owner=12345) if path.endswith(".env") else snapshot

    monkeypatch.setattr(atomic, "read", read_as_if)
    own = os.geteuid()
    (finding,) = run(state="purged")["findings"]
    assert (finding["kind"], finding["message"], finding["hint"]) == (
        "wrong_owner",
        f"{gateway.state_dir}/.env belongs to UID 12345, and the state directory to UID {own}.",
        f"Change its owner to {own}, or delete it.",
    )


def lead_nowhere(path: Path) -> None:
    """Create a link to itself."""
    path.symlink_to(path)


@pytest.mark.parametrize("name", ["clawdbot.json", f"{AGENT}/models.json", f"{AGENT}/auth-profiles.json"])
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_text(f"{{a: {OLD}}}"), r"expected .* at line 1, column \d+"),
        (Path.mkdir, r"Cannot read .*: Is a directory"),
        (os.mkfifo, r".* is not a regular file"),
        (lead_nowhere, r"Cannot read .*: Too many levels of symbolic links"),
        (
            lambda path: os.truncate(path, path.write_text("x") * 2**25),
            r"it has 33554432 bytes, more than the limit of 16777216",
        ),
    ],
)
def test_an_unreadable_document_is_reported(
    gateway: Gateway, run: Run, name: str, make: Callable[[Path], object], reason: str
) -> None:
    gateway.lay_out(AFTER)
    (gateway.state_dir / name).unlink()
    make(gateway.state_dir / name)
    (finding,) = run(state="purged")["findings"]
    assert (finding["kind"], finding["place"]) == ("unreadable", f"{gateway.state_dir}/{name}")
    assert re.fullmatch(rf"Cannot audit {re.escape(str(gateway.state_dir / name))}: {reason}\.", finding["message"]), (
        finding["message"]
    )


def test_a_missing_state_directory_is_an_error(gateway: Gateway, run: Run) -> None:
    shutil.rmtree(gateway.state_dir)
    assert run()["msg"] == (
        f"Directory {gateway.state_dir} cannot be opened: No such file or directory. Check that this account has a "
        "gateway."
    )


def test_models_without_a_provider_are_reported(gateway: Gateway, run: Run) -> None:
    gateway.lay_out({**AFTER, "clawdbot.json": "{agents: {defaults: {model: 'gone/m'}}, $include: './more.json'}"})
    (gateway.state_dir / "more.json").write_text("{agents: {defaults: {models: {'far/m': {alias: 'far'}}}}}")
    assert [one["message"] for one in run()["dangling"]] == [
        "agents.defaults.model names gone/m, and there is no provider gone.",
        "the alias far in agents.defaults.models names far/m, and there is no provider far.",
    ]


def test_files_beyond_the_limit_are_noted(gateway: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.lay_out(AFTER)
    for name in "abcd":
        (gateway.state_dir / name).write_text("x" * 100)
    monkeypatch.setattr(file_scan, "_MOST_BYTES", 99)
    note = run()["notes"][-1]
    directory = gateway.state_dir
    assert note["message"] == (
        "5 files were not searched, because the limit of an audit was reached: "
        f"{directory}/a, {directory}/b, {directory}/c and others."
    )


def test_a_further_variable_holds_the_key_of_its_provider(gateway: Gateway, run: Run) -> None:
    uses = "tools: { web: { search: { apiKey: '${KIMI_API_KEY}' } } },"
    config_ = AFTER["clawdbot.json"].replace("// mine", uses)
    env = f"{AFTER['.env']}KIMI_API_KEY={NOW}\n"
    gateway.lay_out({**AFTER, ".env": env, "clawdbot.json": config_, "logs/gateway.log": f"{NOW}\n"})
    fingerprints = {"MOONSHOT_API_KEY": fingerprint(NOW), "KIMI_API_KEY": fingerprint(NOW)}

    unnamed, *_log = run(fingerprints=fingerprints)["findings"]
    assert unnamed["message"] == (
        f"{gateway.state_dir}/.env holds the current key of another variable in KIMI_API_KEY, which the config uses at "
        "tools.web.search.apiKey."
    )
    assert (unnamed["where"], unnamed["purgeable"]) == ("KIMI_API_KEY", False)

    also_in = {"moonshot": ["KIMI_API_KEY"], "kimicode": []}
    (in_log,) = run(fingerprints=fingerprints, also_in=also_in)["findings"]
    assert (in_log["place"], in_log["subject"]) == (f"{gateway.state_dir}/logs/gateway.log", "MOONSHOT_API_KEY")

    gateway.lay_out({**AFTER, ".env": f"{AFTER['.env']}KIMI_API_KEY={OLD}\n", "clawdbot.json": config_})
    (old,) = run(fingerprints=fingerprints, also_in=also_in)["findings"]
    assert (old["kind"], old["where"], old["hint"]) == (
        "old_key",
        "KIMI_API_KEY",
        "Run the role: it writes the key of the inventory.",
    )
