# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What must change so that a gateway has the desired address, token and plugins; decided without any I/O.

For the gateway, `gateway.auth.token` of the config overrides the environment variable; for its CLI the variable
overrides the config (the product's gateway/auth.js and gateway/call.js). So the token is stored in one place: in
`.env`, unless the config has one already. The product's own installation copies a config's token into the unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from .env_refs import reference, substitute
from .json5_editor import Change
from .tree import REMOVE, at

_GATEWAY = ("gateway",)
_AUTH = ("gateway", "auth")
_TOKEN = ("gateway", "auth", "token")
_PLUGINS = ("plugins", "entries")


@dataclass(frozen=True)
class SettingChanges:
    """The changes of the config, and of environment variables; `None` removes one."""

    changes: tuple[Change, ...]
    env: Mapping[str, str | None] = field(repr=False)


@dataclass(frozen=True)
class DesiredSettings:
    """The settings that the gateway should have."""

    port: int
    #: An address as the config names it.
    bind: str
    #: `None` keeps the gateway's own.
    token: str | None = field(repr=False)
    #: For a gateway without a token.
    new_token: str = field(repr=False)
    token_variable: str
    #: The variable with which the product writes no config itself; empty where it has none.
    readonly_variable: str = ""
    #: Whether it writes none. `None` keeps what is.
    config_readonly: bool | None = None
    #: The ids of the plugins that the role installs.
    plugins: tuple[str, ...] = ()
    #: The plugins that the product installs by itself at a start, unless the config disables them.
    requested_plugins: tuple[str, ...] = ()


def setting_changes(
    desired: DesiredSettings, config: Mapping[str, Any], variables: Mapping[str, str]
) -> SettingChanges:
    """Return what must change. Raises `ClawdbotError` if the two files hold different tokens."""
    changes = [
        Change((*_GATEWAY, "mode"), "local"),
        Change((*_GATEWAY, "port"), desired.port),
        Change((*_GATEWAY, "bind"), desired.bind),
        *_plugin_changes(desired, config),
    ]
    env: dict[str, str | None] = {}
    if desired.config_readonly is not None:
        env[desired.readonly_variable] = "1" if desired.config_readonly else None
    if desired.token is None and _uses_password(config):
        return SettingChanges(tuple(changes), env)
    changes.append(Change((*_AUTH, "mode"), "token"))
    configured = at(config, _TOKEN)
    is_reference = configured == reference(desired.token_variable)
    held = substitute(configured, variables) if isinstance(configured, str) and not is_reference else ""
    in_env = variables.get(desired.token_variable, "")
    if desired.token is None and held:
        if in_env and in_env != held:
            raise ClawdbotError(
                f"gateway.auth.token of the config and {desired.token_variable} in .env are two different tokens: the "
                "gateway accepts the first, its CLI sends the second. Remove one of them, or set the desired token."
            )
        return SettingChanges(tuple(changes), env)
    if configured is not REMOVE and not is_reference:
        changes.append(Change(_TOKEN, REMOVE))
    env[desired.token_variable] = desired.token or in_env or desired.new_token
    return SettingChanges(tuple(changes), env)


def _plugin_changes(desired: DesiredSettings, config: Mapping[str, Any]) -> Iterator[Change]:
    """Yield what must change so that the gateway uses the installed plugins, and asks npm for no other.

    A decision of others about a plugin that the role does not install is kept.
    """
    for name in desired.requested_plugins:
        if name not in desired.plugins and at(config, (*_PLUGINS, name, "enabled")) is REMOVE:
            yield Change((*_PLUGINS, name, "enabled"), False)
    for name in desired.plugins:
        yield Change((*_PLUGINS, name, "enabled"), True)


def _uses_password(config: Mapping[str, Any]) -> bool:
    """Whether the gateway requires a password instead of a token (the product's gateway/auth.js)."""
    mode, password = at(config, (*_AUTH, "mode")), at(config, (*_AUTH, "password"))
    return mode == "password" or (mode is REMOVE and isinstance(password, str) and bool(password))
