# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Config and `.env` of Clawdbot as OpenClaw takes them, and what is changed and lost by that; no I/O.

What is moved and removed here is what OpenClaw's own migration moves and removes, as far as it needs no judgement.
Everything else that OpenClaw rejects stays, so that its own check of the config names it. Sentences name places, and
contain no value.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from . import dotenv, json5_editor, json5_reader
from .json5_editor import Change
from .models import MODEL, PROVIDERS, chosen_models, model_ids, models_without_reasoning
from .tree import REMOVE, at, elements, equal, members, string

_Path = tuple[str, ...]

#: Where Clawdbot has the files of its agents unless the config says so; OpenClaw has them in its state directory.
_WORKSPACE = "~/clawd"
_OLD_PREFIX, _NEW_PREFIX = "CLAWDBOT_", "OPENCLAW_"
_FIXED = "OpenClaw uses a value of its own"
_GONE = "OpenClaw has no such setting"

# `*` stands for each member.
_REMOVED: Mapping[_Path, str] = {
    ("auth", "cooldowns"): _FIXED,
    ("browser", "color"): _GONE,
    ("browser", "profiles", "*", "color"): _GONE,
    ("browser", "remoteCdpHandshakeTimeoutMs"): _FIXED,
    ("browser", "remoteCdpTimeoutMs"): _FIXED,
    ("commands", "useAccessGroups"): "OpenClaw always uses them",
    ("cron", "maxConcurrentRuns"): _FIXED,
    ("diagnostics", "cacheTrace", "filePath"): _GONE,
    ("diagnostics", "cacheTrace", "includeMessages"): _GONE,
    ("diagnostics", "cacheTrace", "includePrompt"): _GONE,
    ("diagnostics", "cacheTrace", "includeSystem"): _GONE,
    ("gateway", "controlUi", "allowInsecureAuth"): "OpenClaw has no way around the authentication of devices",
    ("gateway", "http", "endpoints", "responses", "maxBodyBytes"): _FIXED,
    ("gateway", "reload", "debounceMs"): _FIXED,
    ("gateway", "tailscale", "resetOnExit"): _GONE,
    ("hooks", "internal", "installs"): _GONE,
    ("hooks", "maxBodyBytes"): _FIXED,
    ("logging", "redactSensitive"): "OpenClaw always redacts",
    ("media",): "OpenClaw chooses the names of attachments",
    ("messages", "queue", "debounceMs"): _FIXED,
    ("messages", "removeAckAfterReply"): "OpenClaw keeps acknowledgements",
    ("meta", "lastTouchedAt"): _GONE,
    ("session", "agentToAgent"): _FIXED,
    ("session", "typingIntervalSeconds"): _FIXED,
    ("skills", "load", "watchDebounceMs"): _FIXED,
    ("ui", "assistant"): "set `identity` of the agents instead",
    # After its member `enabled` was moved.
    ("web",): _FIXED,
}
# Of the defaults and of each agent.
_AGENT_REMOVED: Mapping[_Path, str] = {
    ("compaction", "memoryFlush", "prompt"): _GONE,
    ("compaction", "memoryFlush", "systemPrompt"): _GONE,
    ("compaction", "reserveTokensFloor"): _FIXED,
    ("contextPruning", "hardClearRatio"): _FIXED,
    ("contextPruning", "keepLastAssistants"): _FIXED,
    ("contextPruning", "minPrunableToolChars"): _FIXED,
    ("contextPruning", "softTrim"): _FIXED,
    ("contextPruning", "softTrimRatio"): _FIXED,
    ("envelopeElapsed",): _GONE,
    ("envelopeTimestamp",): _GONE,
    ("envelopeTimezone",): _GONE,
    ("heartbeat", "ackMaxChars"): _FIXED,
    ("heartbeat", "includeReasoning"): _GONE,
    ("timeFormat",): _GONE,
}
_MOVED: Sequence[tuple[_Path, _Path]] = (
    (("gateway", "nodes", "allowCommands"), ("gateway", "nodes", "commands", "allow")),
    (("gateway", "nodes", "denyCommands"), ("gateway", "nodes", "commands", "deny")),
    (("session", "idleMinutes"), ("session", "reset", "idleMinutes")),
    (("session", "resetByType", "dm"), ("session", "resetByType", "direct")),
    (("session", "typingMode"), ("agents", "defaults", "typingMode")),
    (("tools", "exec", "timeoutSec"), ("tools", "exec", "timeoutSeconds")),
    (("web", "enabled"), ("channels", "whatsapp", "enabled")),
)
_AGENT_MOVED: Sequence[tuple[_Path, _Path]] = (
    (("sandbox", "browser", "enableNoVnc"), ("sandbox", "browser", "noVncEnabled")),
    (("tools", "exec", "timeoutSec"), ("tools", "exec", "timeoutSeconds")),
)

# The environment variables of Clawdbot that the unit of OpenClaw has as well, with values of its own.
_OF_UNIT = re.compile(
    r"CLAWDBOT_(?:STATE_DIR|CONFIG_PATH|GATEWAY_PORT|SYSTEMD_UNIT|LAUNCHD_LABEL|SERVICE_\w+|WINDOWS_TASK_NAME)\Z"
)
# What belongs to one process or its account, and means nothing in a file.
_OF_PROCESS = re.compile(
    r"(?:HOME|PATH|PWD|SHELL|USER|LOGNAME|LANG|LANGUAGE|TERM|TMPDIR|(?:LC|XDG|DBUS|SYSTEMD)_\w+)\Z"
)
# What Node reads before it reads any file.
_OF_NODE = re.compile(r"NODE_\w+\Z")
_REFERENCE = re.compile(r"(?<!\$)\$\{CLAWDBOT_([A-Z0-9_]+)\}")


@dataclass(frozen=True)
class Move:
    """The move of a state directory: every spelling of the old path, and the new path."""

    old: tuple[str, ...]
    new: str

    def moved(self, value: str) -> str:
        """Return a path as it is after the move. Any other string is kept."""
        for old in self.old:
            if value == old or value.startswith(old + "/"):
                return self.new + value[len(old) :]
        return value


class Outside(NamedTuple):
    """The value of an environment variable, and the place that sets it."""

    value: str
    place: str


class Converted(NamedTuple):
    """The new text of a file, and what is changed and lost, in sentences."""

    text: str
    changes: tuple[str, ...]
    lost: tuple[str, ...]


@dataclass
class _Draft:
    """A config while it is converted."""

    value: Any = field(repr=False)
    changes: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def convert_config(text: str, move: Move, thinking: Collection[str] = ()) -> Converted:
    """Return the config for OpenClaw. Comments, and what needs no change, are kept. Raises `ClawdbotError`.

    `thinking`: the ids of the models that think.
    """
    try:
        before = json5_reader.loads(text)
    except json5_reader.Json5Error as exc:
        raise ClawdbotError(f"The config cannot be read: {exc}. Repair it first.") from exc
    if not isinstance(before, dict):
        raise ClawdbotError("The config does not contain an object. Repair it first.")
    draft = _Draft(copy.deepcopy(before))
    _move_members(draft)
    _move_env(draft)
    _remove_members(draft)
    _map_values(draft)
    _mark_thinking(draft, thinking)
    _set_workspaces(draft)
    draft.value = _with_new_names(draft, draft.value, move)
    changes = [
        Change((name,), draft.value.get(name, REMOVE))
        for name in (*before, *(name for name in draft.value if name not in before))
        if not equal(before.get(name, REMOVE), draft.value.get(name, REMOVE))
    ]
    return Converted(json5_editor.edit(text, changes), tuple(draft.changes), tuple(draft.lost))


def convert_env(text: str, outside: Mapping[str, Outside], keys: Mapping[str, str], move: Move) -> Converted:
    """Return the `.env` for OpenClaw.

    `outside`: the environment variables that other places set for Clawdbot, which take precedence over `.env`. `keys`:
    those of auth profiles, by environment variable, which are taken where there is no value. Raises `ClawdbotError`.
    """
    held = dotenv.loads(text)
    edits: dict[str, str | None] = {}
    changes, lost = [], []
    for name, variable in {**{name: Outside(value, ".env") for name, value in held.items()}, **outside}.items():
        if _OF_UNIT.match(name):
            if name in held:
                edits[name] = None
                lost.append(f"{name} of .env is removed: the unit of OpenClaw sets its own.")
        elif name in outside and _OF_PROCESS.match(name):
            continue
        elif name in outside and _OF_NODE.match(name):
            lost.append(f"{name} of {variable.place} is not kept: Node.js reads it before .env. Set it in a drop-in.")
        else:
            edited, change = _kept_variable(name, variable, held, move)
            edits.update(edited)
            changes += change
    for name, value in keys.items():
        if not {**held, **edits}.get(name):
            edits[name] = value
    try:
        return Converted(dotenv.edit(text, edits).text, tuple(changes), tuple(lost))
    except dotenv.EnvFileError as exc:
        raise ClawdbotError(f".env cannot be converted: {exc}.") from exc


def _kept_variable(
    name: str, variable: Outside, held: Mapping[str, str], move: Move
) -> tuple[dict[str, str | None], list[str]]:
    """Return the edits of `.env` for a variable that OpenClaw gets as well, and what is changed."""
    value, place = move.moved(variable.value), variable.place
    if name.startswith(_OLD_PREFIX):
        new = _NEW_PREFIX + name[len(_OLD_PREFIX) :]
        gone: dict[str, str | None] = {name: None} if name in held else {}
        return {**gone, new: held.get(new) or value}, [f"{name} of {place} becomes {new} of .env."]
    if held.get(name) == value:
        return {}, []
    if place == ".env":
        return {name: value}, [f"{name} of .env gets the path of the new state directory."]
    return {name: value}, [f"{name} of {place} is written to .env."]


def model_to_test(config: Any) -> str:
    """Return the model with which a gateway can be tested, as `provider/model`; empty if the config names none.

    It is the default model, else the first of a provider of the config.
    """
    chosen, _fallbacks = chosen_models(at(config, MODEL))
    aliases = {
        string(entry, ("alias",)): name for name, entry in members(config, ("agents", "defaults", "models")).items()
    }
    if chosen:
        return aliases.get(chosen, chosen)
    blocks = members(config, PROVIDERS)
    return next((f"{name}/{model}" for name, block in blocks.items() for model in model_ids(block)), "")


def _move_members(draft: _Draft) -> None:
    moves = [
        *_MOVED,
        *(((*scope, *old), (*scope, *new)) for scope in _agent_scopes(draft.value) for old, new in _AGENT_MOVED),
    ]
    for old, new in moves:
        value = _at(draft.value, old)
        if value is REMOVE:
            continue
        if _at(draft.value, new) is not REMOVE:
            draft.lost.append(f"{_shown(old)} is removed: {_shown(new)} is set as well.")
        elif _set(draft.value, new, value):
            draft.changes.append(f"{_shown(old)} becomes {_shown(new)}.")
            if new == ("session", "reset", "idleMinutes"):
                draft.value["session"]["reset"].setdefault("mode", "idle")
        else:
            # A parent is no object: OpenClaw's check says so.
            continue
        _remove(draft.value, old)


def _move_env(draft: _Draft) -> None:
    env = members(draft.value, ("env",))
    for name in [name for name, value in env.items() if name not in ("vars", "shellEnv") and isinstance(value, str)]:
        if at(env, ("vars", name)) is REMOVE:
            if not _set(env, ("vars", name), env[name]):
                continue
            draft.changes.append(f"env.{name} becomes env.vars.{name}.")
        else:
            draft.lost.append(f"env.{name} is removed: env.vars.{name} is set as well.")
        del env[name]


def _remove_members(draft: _Draft) -> None:
    removed = [
        *_REMOVED.items(),
        *(((*scope, *path), why) for scope in _agent_scopes(draft.value) for path, why in _AGENT_REMOVED.items()),
    ]
    for pattern, why in removed:
        for path in list(_matching(draft.value, pattern)):
            _remove(draft.value, path)
            draft.lost.append(f"{_shown(path)} is removed: {why}.")


def _map_values(draft: _Draft) -> None:
    path = ("gateway", "reload", "mode")
    value = at(draft.value, path)
    if value in ("hot", "restart"):
        _set(draft.value, path, "hybrid")
        draft.changes.append(f"gateway.reload.mode becomes hybrid: OpenClaw has no mode {value}.")
    for index, _binding in enumerate(elements(draft.value, ("bindings",))):
        kind = ("bindings", str(index), "match", "peer", "kind")
        if _at(draft.value, kind) == "dm":
            _set(draft.value, kind, "direct")
            draft.changes.append(f"{_shown(kind)} becomes direct: OpenClaw has no kind dm.")


def _mark_thinking(draft: _Draft, thinking: Collection[str]) -> None:
    for path, model in list(models_without_reasoning(draft.value, thinking)):
        _set(draft.value, (*path, "reasoning"), True)
        draft.changes.append(
            f"{_shown(path)}.reasoning is set to true: {model} thinks, and calls no tool on OpenClaw without it."
        )


def _set_workspaces(draft: _Draft) -> None:
    """Keep the files of the agents where they are: the two have other defaults."""
    if not string(draft.value, ("agents", "defaults", "workspace")):
        if not _set(draft.value, ("agents", "defaults", "workspace"), _WORKSPACE):
            return
        draft.changes.append(f"agents.defaults.workspace is set to {_WORKSPACE}, where Clawdbot has the agents' files.")
    listed = elements(draft.value, ("agents", "list"))
    default = next((index for index, agent in enumerate(listed) if at(agent, ("default",)) is True), 0)
    for index, agent in enumerate(listed):
        name = string(agent, ("id",))
        if isinstance(agent, dict) and name and not string(agent, ("workspace",)):
            common = draft.value["agents"]["defaults"]["workspace"]
            agent["workspace"] = common if index == default else f"{_WORKSPACE}-{name.lower()}"
            draft.changes.append(f"agents.list.{index}.workspace is set to the directory that Clawdbot uses.")


def _with_new_names(draft: _Draft, value: Any, move: Move, path: _Path = ()) -> Any:
    """Return a value whose strings have the new state directory, and refer to the new environment variables."""
    if isinstance(value, dict):
        return {name: _with_new_names(draft, item, move, (*path, name)) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_new_names(draft, item, move, (*path, str(index))) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    moved = move.moved(value)
    if moved != value:
        draft.changes.append(f"{_shown(path)} gets the path of the new state directory.")
    renamed = _REFERENCE.sub(lambda match: "${" + _NEW_PREFIX + match.group(1) + "}", moved)
    if renamed != moved:
        draft.changes.append(f"{_shown(path)} refers to {_NEW_PREFIX}* in place of {_OLD_PREFIX}*.")
    return renamed


def _agent_scopes(config: Any) -> list[_Path]:
    listed = elements(config, ("agents", "list"))
    return [("agents", "defaults"), *(("agents", "list", str(index)) for index in range(len(listed)))]


def _matching(value: Any, pattern: _Path) -> Iterator[_Path]:
    """Yield the paths that exist and match a pattern."""
    if "*" not in pattern:
        if _at(value, pattern) is not REMOVE:
            yield pattern
        return
    index = pattern.index("*")
    for name in members(value, pattern[:index]):
        yield from _matching(value, (*pattern[:index], name, *pattern[index + 1 :]))


def _at(value: Any, path: _Path) -> Any:
    """As `at`, with the index of an element as the name of one."""
    for name in path:
        if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            return REMOVE
    return value


def _set(value: Any, path: _Path, new: Any) -> bool:
    """Set a member, with its missing parents. Returns False where a parent is no object."""
    for name in path[:-1]:
        value = value.setdefault(name, {}) if isinstance(value, dict) else _at(value, (name,))
    if not isinstance(value, dict):
        return False
    value[path[-1]] = new
    return True


def _remove(value: Any, path: _Path) -> None:
    del _at(value, path[:-1])[path[-1]]


def _shown(path: _Path) -> str:
    return ".".join(path)


def spellings(paths: Sequence[str], home: str) -> tuple[str, ...]:
    """Return the ways to write paths: as given, without links, and with `~`, the longest first."""
    found = {*paths, *map(os.path.realpath, paths)}
    found |= {"~" + one[len(home) :] for one in found if one.startswith(home + "/")}
    return tuple(sorted(found, key=lambda one: (-len(one), one)))
