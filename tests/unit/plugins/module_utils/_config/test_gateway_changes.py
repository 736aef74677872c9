# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.gateway_changes import (
    DesiredSettings,
    setting_changes,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.json5_editor import Change
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.tree import REMOVE
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

VARIABLE = "CLAWDBOT_GATEWAY_TOKEN"
LISTENING = [
    Change(("gateway", "mode"), "local"),
    Change(("gateway", "port"), 18789),
    Change(("gateway", "bind"), "loopback"),
]
BY_TOKEN = [*LISTENING, Change(("gateway", "auth", "mode"), "token")]
WITHOUT_ITS_OWN = [*BY_TOKEN, Change(("gateway", "auth", "token"), REMOVE)]


def wanted(token: str | None = None) -> DesiredSettings:
    return DesiredSettings(18789, "loopback", token, "made", VARIABLE)


def config(**auth: Any) -> dict[str, Any]:
    return {"gateway": {"auth": auth}}


CASES: dict[str, tuple[str | None, dict[str, Any], dict[str, str], list[Change], dict[str, str]]] = {
    # What is asked for, the config, .env; the changes, the variables.
    "nothing is there": (None, {}, {}, BY_TOKEN, {VARIABLE: "made"}),
    "the variable is there": (None, {}, {VARIABLE: "old"}, BY_TOKEN, {VARIABLE: "old"}),
    "the variable is empty": (None, {}, {VARIABLE: ""}, BY_TOKEN, {VARIABLE: "made"}),
    "the config has one": (None, config(token="old"), {}, BY_TOKEN, {}),
    "both have the same": (None, config(token="old"), {VARIABLE: "old"}, BY_TOKEN, {}),
    "the config has an empty one": (None, config(token=""), {}, WITHOUT_ITS_OWN, {VARIABLE: "made"}),
    "the config has no text": (None, config(token=7), {VARIABLE: "old"}, WITHOUT_ITS_OWN, {VARIABLE: "old"}),
    "the config refers to the variable": (
        None,
        config(token="${CLAWDBOT_GATEWAY_TOKEN}"),
        {},
        BY_TOKEN,
        {VARIABLE: "made"},
    ),
    "the config refers to another one": (None, config(token="${MINE}"), {"MINE": "old"}, BY_TOKEN, {}),
    "gateway is no object": (None, {"gateway": 1}, {}, BY_TOKEN, {VARIABLE: "made"}),
    "a password is asked for": (None, config(mode="password", password="x"), {}, LISTENING, {}),
    "a password is asked for by itself": (None, config(password="x"), {}, LISTENING, {}),
    "a password is there, a token is asked for": (
        None,
        config(mode="token", password="x"),
        {},
        BY_TOKEN,
        {VARIABLE: "made"},
    ),
    "a new one, in place of none": ("new", {}, {}, BY_TOKEN, {VARIABLE: "new"}),
    "a new one, in place of the variable": ("new", {}, {VARIABLE: "old"}, BY_TOKEN, {VARIABLE: "new"}),
    "a new one, in place of the config's": ("new", config(token="old"), {}, WITHOUT_ITS_OWN, {VARIABLE: "new"}),
    "a new one, in place of two": ("new", config(token="a"), {VARIABLE: "b"}, WITHOUT_ITS_OWN, {VARIABLE: "new"}),
    "a new one, where the config refers to it": (
        "new",
        config(token="${CLAWDBOT_GATEWAY_TOKEN}"),
        {VARIABLE: "old"},
        BY_TOKEN,
        {VARIABLE: "new"},
    ),
    "a new one, in place of a password": ("new", config(mode="password"), {}, BY_TOKEN, {VARIABLE: "new"}),
}


@pytest.mark.parametrize(("token", "found", "variables", "changes", "env"), CASES.values(), ids=CASES)
def test_the_token_is_stored_in_one_place(
    token: str | None, found: dict[str, Any], variables: dict[str, str], changes: list[Change], env: dict[str, str]
) -> None:
    settings = setting_changes(wanted(token), found, variables)
    assert (list(settings.changes), dict(settings.env)) == (changes, env)


@pytest.mark.parametrize("held", ["old", "${MINE}"])
def test_two_different_tokens_are_rejected(held: str) -> None:
    with pytest.raises(ClawdbotError) as error:
        setting_changes(wanted(), config(token=held), {VARIABLE: "other", "MINE": "old"})
    assert str(error.value) == (
        "gateway.auth.token of the config and CLAWDBOT_GATEWAY_TOKEN in .env are two different tokens: the gateway "
        "accepts the first, its CLI sends the second. Remove one of them, or set the desired token."
    )


def test_no_token_is_in_a_repr() -> None:
    assert (
        repr(wanted("new")) == "DesiredSettings(port=18789, bind='loopback', token_variable='CLAWDBOT_GATEWAY_TOKEN', "
        "readonly_variable='', config_readonly=None, plugins=(), requested_plugins=())"
    )
    assert "new" not in repr(setting_changes(wanted("new"), {}, {}))


def entries(**enabled: bool) -> dict[str, Any]:
    return {"plugins": {"entries": {name: {"enabled": value} for name, value in enabled.items()}}}


def enabled(name: str, value: bool) -> Change:
    return Change(("plugins", "entries", name, "enabled"), value)


PLUGINS: dict[str, tuple[tuple[str, ...], dict[str, Any], list[Change]]] = {
    # Installed plugins, the config; the changes.
    "none, and the config says nothing": ((), {}, [enabled("moonshot", False), enabled("kimi", False)]),
    "none, and somebody uses one": ((), entries(moonshot=True), [enabled("kimi", False)]),
    "none, and all are disabled": ((), entries(moonshot=False, kimi=False), []),
    "none, and the entries are no object": (
        (),
        {"plugins": {"entries": 7}},
        [enabled("moonshot", False), enabled("kimi", False)],
    ),
    "another one": (("acme",), entries(moonshot=False, kimi=False, acme=False), [enabled("acme", True)]),
    "the one that is asked for": (("kimi",), {}, [enabled("moonshot", False), enabled("kimi", True)]),
}


@pytest.mark.parametrize(("plugins", "found", "changes"), PLUGINS.values(), ids=PLUGINS)
def test_the_gateway_uses_the_installed_plugins_and_asks_for_no_other(
    plugins: tuple[str, ...], found: dict[str, Any], changes: list[Change]
) -> None:
    desired = replace(wanted(), plugins=plugins, requested_plugins=("moonshot", "kimi"))
    settings = setting_changes(desired, found, {})
    assert [change for change in settings.changes if change.path[0] == "plugins"] == changes


READONLY = "OPENCLAW_CONFIG_READONLY"


@pytest.mark.parametrize(("readonly", "env"), [(None, {}), (True, {READONLY: "1"}), (False, {READONLY: None})])
@pytest.mark.parametrize("found", [{}, config(token="old"), config(mode="password", password="x")])
def test_the_product_writes_its_config_or_not(
    readonly: bool | None, env: dict[str, str | None], found: dict[str, Any]
) -> None:
    desired = replace(wanted(), readonly_variable=READONLY, config_readonly=readonly)
    assert {name: value for name, value in setting_changes(desired, found, {}).env.items() if name == READONLY} == env
