# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The CLI of a gateway on the disk: Node, the product's entry script, and the package that it belongs to.

Nothing else is executed. Command lines and wrapper scripts are only read, for the path of an entry script: one that
the product's `package.json` above it declares.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.atomic import open_without_blocking
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import ENTRY_SCRIPTS, Product

from .process import DELETED, Process, is_node
from .systemd import SHELLS, Unit

_USUAL_DIRECTORIES = ("~/.local/bin", "~/.npm-global/bin", "~/bin", "/usr/local/bin", "/opt/homebrew/bin")
_SCRIPT = re.compile(r".*\.[cm]?js\Z", re.DOTALL)
# What runs its command in files or on a machine of its own.
_CONTAINERS = frozenset(
    [
        "apptainer",
        "bwrap",
        "chroot",
        "crictl",
        "ctr",
        "distrobox",
        "distrobox-enter",
        "docker",
        "docker-compose",
        "firejail",
        "flatpak",
        "incus",
        "kubectl",
        "lxc",
        "lxc-attach",
        "machinectl",
        "nerdctl",
        "nsenter",
        "podman",
        "podman-compose",
        "podman-remote",
        "runc",
        "crun",
        "singularity",
        "ssh",
        "systemd-nspawn",
        "toolbox",
        "udocker",
    ]
)
# A wrapper script may start another one.
_DEPTH = 3
_LONGEST_WRAPPER = 65536
_TOKEN = re.compile(r"[^\s\"'`;&|()<>]+")
# The directory of the script itself, as the wrappers that npm and pnpm write call it.
_OWN_DIRECTORY = re.compile(r"\$\{?basedir\}?(?=/)")
_HOME = re.compile(r"(?:\$\{?HOME\}?|~)(?=/)")


@dataclass(frozen=True)
class Package:
    """The npm package that a CLI belongs to."""

    version: str
    #: Its package.json.
    path: str


@dataclass(frozen=True)
class Cli:
    """The CLI of a gateway, and what keeps it from being used."""

    #: Node and the entry script; empty if they are not found.
    program: tuple[str, ...] = ()
    package: Package | None = None
    #: The executable that starts the gateway in place of Node, and does not show an entry script.
    started_by: str | None = None
    #: Files that the gateway is started from, and that are gone from the disk.
    missing_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Place:
    """A command line, and where its words are looked up."""

    words: Sequence[str]
    directory: str
    path: str = field(repr=False)


def find_cli(product: Product, unit: Unit | None, process: Process | None) -> Cli:
    """Return the CLI that the command line of the process names, else its unit, its loaded files or a PATH."""
    path = _search_path(unit, process)
    starts = _Place(unit.command if unit else (), (unit.working_directory if unit else None) or "/", path)
    started_by = _other_program(product, unit, process, starts)
    if started_by:
        return Cli(started_by=started_by)
    # A title in the place of the arguments names nothing.
    arguments = [word for word in process.arguments if "/" in word or _SCRIPT.match(word)] if process else []
    runs = _Place(arguments, (process.working_directory if process else None) or "/", path)
    entries = (
        *_entries(product, runs),
        # The unit names a path as it is, with links that an update changes; of a loaded file, the system shows the end.
        *_entries(product, starts),
        *_loaded_entries(product, process.loaded if process else ()),
        *_entries(product, _Place([product.name], "/", path)),
    )
    missing = _missing_files(unit, process)
    if not entries:
        return Cli(missing_files=missing)
    node = _find_node(product, process, starts)
    if node is None and process and process.executable:
        missing = (*missing, process.executable.removesuffix(DELETED))
    return Cli((node, entries[0]) if node else (), find_package(product, entries[:1]), None, missing)


def find_package(product: Product, program: Sequence[str]) -> Package | None:
    """Return the package of a CLI; None if it is not found."""
    for path, described in _packages(product, program[-1] if program else "/"):
        if "version" in described:
            return Package(str(described["version"]), path)
    return None


def replaceable_files(program: Sequence[str], found: Package | None) -> list[str]:
    """Return the files of which at least one changes when another version of the product is installed.

    npm writes a new package.json. Where versions are kept side by side, a link on the path of the CLI changes.
    """
    links = []
    path = program[-1] if program else "/"
    while path != os.path.dirname(path):
        if os.path.islink(path):
            links.append(path)
        path = os.path.dirname(path)
    return links + ([found.path] if found else [])


def _other_program(product: Product, unit: Unit | None, process: Process | None, starts: _Place) -> str | None:
    """Return the executable that starts the gateway, unless it is Node, or shows that it starts Node."""
    # What runs is the evidence, whatever the unit says.
    if process and process.executable and is_node(process.executable):
        return None
    executable = (unit.executable or next(iter(unit.command), "")) if unit else ""
    named = (
        ()
        if is_node(executable)
        else (word for word in _words(starts, product.name) if os.path.basename(word) in _CONTAINERS)
    )
    container = next(iter(named), None)
    if container or (process and process.executable):
        return container or str(process and process.executable).removesuffix(DELETED)
    if not executable or is_node(executable) or _is_gone(executable):
        return None
    readable = os.path.basename(executable) in {*SHELLS, "env"} or _wrapper(executable) is not None
    return None if readable or any(_entries(product, starts)) else executable


def _missing_files(unit: Unit | None, process: Process | None) -> tuple[str, ...]:
    """Return the files that the gateway's next process needs, and that are gone."""
    if unit and unit.command:
        end = unit.command.index("gateway") if "gateway" in unit.command else len(unit.command)
        files = [unit.executable or unit.command[0], *filter(_SCRIPT.match, unit.command[1:end])]
    elif process:
        files = [(process.executable or "").removesuffix(DELETED), *filter(_SCRIPT.match, process.arguments[:2])]
    else:
        files = []
    return tuple(path for path in dict.fromkeys(files) if os.path.isabs(path) and _is_gone(path))


def _find_node(product: Product, process: Process | None, starts: _Place) -> str | None:
    """Return the Node of the process, else that of its unit, else the first on the PATH."""
    running = process.executable.removesuffix(DELETED) if process and process.executable else ""
    words = [word for word in _words(starts, product.name) if is_node(word)]
    found = (shutil.which(word, path=starts.path) for word in (running, *words, "node", "nodejs") if word)
    return next(filter(None, found), None)


def _search_path(unit: Unit | None, process: Process | None) -> str:
    """Return the PATH of the process, of its unit, and of this account."""
    running = (process.environment or {}).get("PATH", "") if process else ""
    starting = unit.environment.get("PATH", "") if unit else ""
    own = os.environ.get("PATH", os.defpath)
    places = [*":".join((running, starting, own)).split(":"), *map(os.path.expanduser, _USUAL_DIRECTORIES)]
    # An empty entry would mean the current directory.
    return ":".join(filter(None, places))


def _entries(product: Product, place: _Place) -> Iterator[str]:
    """Yield the entry scripts that a command line names, also in the wrapper scripts that it runs."""
    words = list(_words(place, product.name))
    # The name of the CLI may be that of an account as well.
    for word in sorted(words, key=lambda word: word == product.name):
        for path in _paths(word, place, product.name):
            if _is_entry(product, path):
                yield path if _SCRIPT.match(path) else os.path.realpath(path)


def _loaded_entries(product: Product, loaded: Iterable[str]) -> Iterator[str]:
    """Yield the entry scripts of the package whose files a process has loaded."""
    for path in loaded:
        parts = path.split("/node_modules/")
        for number in range(1, len(parts)):
            directory = os.path.join("/node_modules/".join(parts[:number]), "node_modules", product.name)
            yield from filter(os.path.isfile, _declared(product, directory))


def _words(place: _Place, command: str, depth: int = _DEPTH) -> Iterator[str]:
    """Yield the words of a command line, and after each wrapper script those of it."""
    for argument in place.words:
        # An argument with white space is the command line of a shell.
        for word in _TOKEN.findall(argument) if re.search(r"\s", argument) else [argument]:
            yield word
            for path in _paths(word, place, command) if depth else ():
                text = _wrapper(path)
                if text is not None:
                    tokens = _tokens(text, os.path.dirname(path))
                    yield from _words(_Place(tokens, place.directory, place.path), command, depth - 1)


def _paths(word: str, place: _Place, command: str) -> Iterator[str]:
    """Yield what a word may name: a file, or, if it is that command, each executable of the name on the PATH."""
    if "/" in word or _SCRIPT.match(word):
        yield os.path.join(place.directory, _HOME.sub(os.path.expanduser("~"), word))
    elif word == command:
        yield from filter(_is_executable, (os.path.join(part, word) for part in place.path.split(":")))


def _wrapper(path: str) -> str | None:
    """Return the text of a shell script; None of any other file."""
    try:
        if os.path.getsize(path) > _LONGEST_WRAPPER:
            return None
        with open(path, encoding="utf-8", errors="replace", opener=open_without_blocking) as file:
            text = file.read(_LONGEST_WRAPPER)
    except OSError:
        return None
    first = text.partition("\n")[0]
    return text if first.startswith("#!") and not SHELLS.isdisjoint(re.split(r"[/\s]", first)) else None


def _tokens(text: str, directory: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return _TOKEN.findall(_OWN_DIRECTORY.sub(lambda _match: directory, "\n".join(lines)))


def _is_entry(product: Product, path: str) -> bool:
    real = os.path.realpath(path)
    if not os.path.isfile(real):
        return False
    found = next(_packages(product, real), None)
    return found is not None and real in map(os.path.realpath, _declared(product, os.path.dirname(found[0])))


def _declared(product: Product, directory: str) -> list[str]:
    """Return the paths of the scripts that start the CLI of the package in a directory."""
    described = _read_package(product, os.path.join(directory, "package.json"))
    if described is None:
        return []
    commands = described.get("bin")
    named = commands.values() if isinstance(commands, dict) else [commands]
    return [os.path.join(directory, script) for script in (*named, *ENTRY_SCRIPTS) if isinstance(script, str)]


def _packages(product: Product, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each package.json of the product above a file, and what it says, the nearest first."""
    directory = os.path.dirname(os.path.realpath(path))
    while directory != os.path.dirname(directory):
        described = _read_package(product, os.path.join(directory, "package.json"))
        if described is not None:
            yield os.path.join(directory, "package.json"), described
        directory = os.path.dirname(directory)


def _read_package(product: Product, path: str) -> Mapping[str, Any] | None:
    try:
        with open(path, encoding="utf-8", opener=open_without_blocking) as file:
            described = json.load(file)
    except (OSError, ValueError, RecursionError):
        return None
    return described if isinstance(described, dict) and described.get("name") == product.name else None


def _is_executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _is_gone(path: str) -> bool:
    """Whether a file does not exist, and not merely cannot be seen by this account."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        pass
    return False
