# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Which product a gateway is, and where its files are."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from .table import MOLTBOT_CONFIG, MOLTBOT_STATE_DIRS, PRODUCTS, Product


@dataclass(frozen=True)
class Paths:
    """The absolute paths of one gateway's files."""

    state_dir: str
    config: str
    env: str


def resolve_product(name: str, state_dir: str | None = None) -> Product:
    """Return the product of that name; `auto` is the one that has used the state directory, else the account's own.

    Raises `ClawdbotError` where the account has state directories of several products, and none is given, and where the
    state directory is that of Moltbot.
    """
    if name != "auto":
        return PRODUCTS[name]
    # A product that takes over the directory of the one before it leaves a link in its place: the later one has it.
    own = {os.path.realpath(os.path.expanduser(product.state_dir)): product for product in PRODUCTS.values()}
    found = [os.path.realpath(os.path.expanduser(state_dir))] if state_dir else list(filter(os.path.isdir, own))
    _reject_moltbot(found)
    if len(found) > 1:
        raise ClawdbotError(
            f"This account has several state directories: {', '.join(found)}. Set product (providers_product of the "
            "role) to the product of the gateway."
        )
    first = next(iter(PRODUCTS.values()))
    return next((_last_used_by(directory) or own.get(directory) or first for directory in found), first)


def paths_of_process(
    product: Product,
    variables: Mapping[str, str],
    words: Sequence[str],
    directory: str,
    read_env: Callable[[str], Mapping[str, str]],
) -> Paths:
    """Return the paths of a process of the product.

    `words` is the command line that has started it, `directory` where it was started. `read_env` returns the variables
    of a `.env`. It is the files in both directories that the product reads before it looks for its own (its
    cli/profile.js, infra/dotenv.js and config/paths.js).
    """
    profile = _profile(product, words)
    in_directory = {} if profile else read_env(os.path.join(directory, ".env"))
    allowed = {name: in_directory[name] for name in in_directory if name not in product.ignored_in_working_directory}
    held = {**allowed, **variables}
    env = os.path.join(_state_dir(product, held, profile, directory), ".env")
    # A profile sets both paths, and what is set is not taken from `.env`.
    held = held if profile else {**read_env(env), **held}
    state = _state_dir(product, held, profile, directory)
    given = held.get(product.config_path_variable, "").strip()
    config = _absolute(given, _home(product, held), directory) if given else _own_config(product, state)
    return Paths(state, config, env)


def _state_dir(product: Product, variables: Mapping[str, str], profile: str, directory: str) -> str:
    """Return the state directory that a process with these environment variables uses."""
    home = _home(product, variables)
    given = variables.get(product.state_dir_variable, "").strip()
    if given:
        return _absolute(given, home, directory)
    suffix = "" if profile.lower() in ("", "default") else f"-{profile}"
    defaults = [product.state_dir + suffix]
    if not suffix:
        # A later product uses the directory of an earlier one until it has taken that over.
        names = list(PRODUCTS)
        defaults += [PRODUCTS[name].state_dir for name in reversed(names[: names.index(product.name)])]
    paths = [_absolute(path, home, directory) for path in defaults]
    return next(filter(os.path.isdir, paths), paths[0])


def _home(product: Product, variables: Mapping[str, str]) -> str:
    return variables.get(product.home_variable, "").strip() or variables.get("HOME") or os.path.expanduser("~")


def _absolute(path: str, home: str, directory: str) -> str:
    return os.path.normpath(os.path.join(directory, home + path[1:] if re.match(r"~(?:/|\Z)", path) else path))


def _profile(product: Product, words: Sequence[str]) -> str:
    """Return the profile that a command line gives; empty if none is given."""
    command = words.index("gateway") if "gateway" in words else len(words)
    for index, word in enumerate(words if product.profile_after_command else words[:command]):
        # After the command it is an option of that.
        if word == "--dev" and index < command:
            return "dev"
        if word == "--profile":
            return next(iter(words[index + 1 :]), "")
        if word.startswith("--profile="):
            return word.partition("=")[2]
    return ""


def _own_config(product: Product, state_dir: str) -> str:
    configs = [os.path.join(state_dir, name) for name in product.config_names]
    return next(filter(os.path.isfile, configs), configs[0])


def _reject_moltbot(found: Sequence[str]) -> None:
    """Reject a state directory in which Moltbot alone has a config, and an account that has only such a one."""
    candidates = found or [os.path.realpath(os.path.expanduser(directory)) for directory in MOLTBOT_STATE_DIRS]
    for directory in candidates:
        names = {MOLTBOT_CONFIG, *(name for product in PRODUCTS.values() for name in product.config_names)}
        if {name for name in names if os.path.exists(os.path.join(directory, name))} == {MOLTBOT_CONFIG}:
            raise ClawdbotError(
                f"{directory} is a state directory of Moltbot, which is not supported. Install its successor OpenClaw, "
                'and move the files to its state directory: see "Supported gateways" in the documentation.'
            )


def _last_used_by(state_dir: str) -> Product | None:
    """Return the newest product that has left one of its files in a state directory."""
    for product in reversed(list(PRODUCTS.values())):
        if any(os.path.exists(os.path.join(state_dir, name)) for name in product.marker_files):
            return product
    return None


def resolve_paths(product: Product, state_dir: str | None, config_path: str | None, env_path: str | None) -> Paths:
    """Return the paths as given, else the product's defaults; `~` is the home of the account that runs this."""
    state = os.path.abspath(os.path.expanduser(state_dir or product.state_dir))
    return Paths(
        state_dir=state,
        config=os.path.abspath(os.path.expanduser(config_path or _own_config(product, state))),
        env=os.path.abspath(os.path.expanduser(env_path or os.path.join(state, ".env"))),
    )


def environment(product: Product, paths: Paths) -> dict[str, str]:
    """Return the environment variables with which the product's CLI finds this gateway's files."""
    return {product.state_dir_variable: paths.state_dir, product.config_path_variable: paths.config}
