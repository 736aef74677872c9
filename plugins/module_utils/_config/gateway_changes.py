# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The gateway's own settings: where it listens, and what a client has to show; decided without touching anything.

The gateway takes C(gateway.auth.token) of the config before the variable; the product's program, which speaks to it,
takes the variable first (its gateway/auth.js and gateway/call.js). So the token stands in one place: in C(.env), unless
the config has one already. The product's own installation would copy a config's token into the unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from .env_refs import reference, substitute
from .json5_editor import Change
from .tree import REMOVE, at

_GATEWAY = ("gateway",)
_AUTH = ("gateway", "auth")
_TOKEN = ("gateway", "auth", "token")


@dataclass(frozen=True)
class Settings:
    """What has to change of the gateway's own settings: in the config, and of the variables."""

    changes: tuple[Change, ...]
    env: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Wanted:
    """What the gateway shall have."""

    port: int
    #: As the config takes it.
    bind: str
    #: None for the one that is there.
    token: str | None = field(repr=False)
    #: For a gateway that has none.
    new_token: str = field(repr=False)
    token_variable: str


def decide(wanted: Wanted, config: Mapping[str, Any], variables: Mapping[str, str]) -> Settings:
    """What has to change. Raises ClawdbotError where the files hold two tokens that differ."""
    changes = [
        Change((*_GATEWAY, "mode"), "local"),
        Change((*_GATEWAY, "port"), wanted.port),
        Change((*_GATEWAY, "bind"), wanted.bind),
    ]
    if wanted.token is None and _asks_for_password(config):
        return Settings(tuple(changes), {})
    changes.append(Change((*_AUTH, "mode"), "token"))
    configured = at(config, _TOKEN)
    refers = configured == reference(wanted.token_variable)
    held = substitute(configured, variables) if isinstance(configured, str) and not refers else ""
    in_env = variables.get(wanted.token_variable, "")
    if wanted.token is None and held:
        if in_env and in_env != held:
            raise ClawdbotError(
                f"gateway.auth.token of the config and {wanted.token_variable} in .env are two tokens: the gateway "
                "takes the first, the product's program shows the second and is refused. Remove one of them, or set "
                "the token that shall be. Nothing was changed."
            )
        return Settings(tuple(changes), {})
    if configured is not REMOVE and not refers:
        changes.append(Change(_TOKEN, REMOVE))
    return Settings(tuple(changes), {wanted.token_variable: wanted.token or in_env or wanted.new_token})


def _asks_for_password(config: Mapping[str, Any]) -> bool:
    """Whether the gateway asks for a password in place of a token (the product's gateway/auth.js)."""
    mode, password = at(config, (*_AUTH, "mode")), at(config, (*_AUTH, "password"))
    return mode == "password" or (mode is REMOVE and isinstance(password, str) and bool(password))
