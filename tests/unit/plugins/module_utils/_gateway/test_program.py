# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway import program as programs
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.process import Process
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.program import (
    Cli,
    Package,
    find_cli,
    find_package,
    replaceable_files,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._gateway.systemd import Unit
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS

from tests.unit.plugins.module_utils._gateway.observations import executable, install

CLAWDBOT, OPENCLAW = PRODUCTS["clawdbot"], PRODUCTS["openclaw"]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host with Node, and without executables other than those of the test."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(programs, "_USUAL_DIRECTORIES", ("~/.local/bin",))
    executable(tmp_path / "bin" / "node")
    return tmp_path


def unit_of(host: Path, command: str) -> Unit:
    words = command.format(host=host).split()
    return Unit("u", executable=words[0], command=tuple(words), working_directory=str(host / "package"))


#: A unit's command -> how its Node is found; it names the entry script of the package.
NAMED: dict[str, tuple[str, str]] = {
    "as the product installs it": ("{host}/other/node {host}/package/dist/entry.js gateway --port 1", "other/node"),
    "options of Node": (
        "{host}/other/node --max-old-space-size=512 -r x {host}/package/dist/entry.js gateway",
        "other/node",
    ),
    "a relative path": ("{host}/other/node dist/entry.js gateway", "other/node"),
    "a Node of Fedora": ("{host}/other/node-22 dist/entry.js gateway", "other/node-22"),
    "by way of env": ("/usr/bin/env A=1 node {host}/package/dist/entry.js gateway", "bin/node"),
    "by way of a shell": ("/bin/bash -lc exec node {host}/package/dist/entry.js gateway", "bin/node"),
    "a program that adds variables": ("{host}/bin/op run -- node {host}/package/dist/entry.js gateway", "bin/node"),
    "the entry script itself": ("{host}/package/dist/entry.js gateway", "bin/node"),
    "its link": ("{host}/home/.local/bin/clawdbot gateway", "bin/node"),
    "its name by way of env": ("/usr/bin/env clawdbot gateway", "bin/node"),
    "a wrapper": ("{host}/bin/start gateway", "bin/node"),
    "a wrapper of a wrapper": ("/bin/sh -c {host}/bin/outer", "bin/node"),
}


@pytest.mark.parametrize("name", NAMED)
def test_the_entry_script_of_a_unit(name: str, host: Path) -> None:
    command, node = NAMED[name]
    entry = install(host / "package")
    (host / "home" / ".local" / "bin").mkdir(parents=True)
    (host / "home" / ".local" / "bin" / "clawdbot").symlink_to(entry)
    for other in ("other/node", "other/node-22", "bin/op"):
        executable(host / other, "\x7fELF")
    executable(
        host / "bin" / "start", '#!/bin/sh\n# node /x/entry.js\nexec node "$basedir/../package/dist/entry.js" "$@"\n'
    )
    executable(host / "bin" / "outer", f"#!/bin/sh\n{host}/bin/start gateway\n")
    found = find_cli(CLAWDBOT, unit_of(host, command), None)
    assert found.program[0] == str(host / node)
    assert Path(found.program[1]).resolve() == entry
    assert (found.package, found.started_by, found.missing_files) == (
        Package("2026.1.24-3", str(host / "package" / "package.json")),
        None,
        (),
    )


#: A unit's command -> what is said to start the gateway.
OTHERS: dict[str, tuple[str, str]] = {
    "podman": (
        "{host}/usr/podman run --name openclaw --replace --rm -v {host}:/host openclaw node dist/index.js gateway",
        "usr/podman",
    ),
    "podman with the path of an entry script that the host has as well": (
        "{host}/usr/podman run --rm image node {host}/package/dist/entry.js gateway",
        "usr/podman",
    ),
    "distrobox": ("{host}/usr/distrobox enter box -- node {host}/package/dist/entry.js gateway", "usr/distrobox"),
    "a program that names no entry script": ("{host}/usr/run-gateway gateway", "usr/run-gateway"),
    "a container by way of a shell": ("/bin/sh -c exec {host}/usr/podman run openclaw", "usr/podman"),
    "a container by way of a wrapper": ("{host}/bin/start", "usr/podman"),
    "Bun": ("{host}/usr/bun dist/other.js gateway", "usr/bun"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_program_that_starts_the_gateway(name: str, host: Path) -> None:
    command, started_by = OTHERS[name]
    # Neither is an installation on the host.
    (host / "bin" / "clawdbot").symlink_to(install(host / "package"))
    for other in ("podman", "distrobox", "run-gateway", "bun"):
        executable(host / "usr" / other, "\x7fELF")
    executable(host / "bin" / "start", f"#!/bin/sh\nexec {host}/usr/podman run --rm openclaw\n")
    assert find_cli(CLAWDBOT, unit_of(host, command), None) == Cli(started_by=str(host / started_by))


def test_what_runs_is_the_evidence(host: Path) -> None:
    entry = install(host / "package")
    executable(host / "usr" / "podman", "\x7fELF")
    unit = unit_of(host, "{host}/bin/node {host}/package/dist/entry.js gateway")
    podman = Process(1, 1.0, None, None, str(host / "usr" / "podman"), ("podman", "run"))
    assert find_cli(CLAWDBOT, unit, podman) == Cli(started_by=str(host / "usr" / "podman"))
    wrapped = unit_of(host, "{host}/usr/podman node {host}/package/dist/entry.js gateway")
    node = Process(1, 1.0, None, None, str(host / "bin" / "node"), ("openclaw-gateway",))
    assert find_cli(CLAWDBOT, wrapped, node).program == (str(host / "bin" / "node"), str(entry))


def test_the_command_line_of_the_process_takes_precedence(host: Path) -> None:
    install(host / "package")
    entry = install(host / "running")
    node = executable(host / "node22" / "node")
    process = Process(1, 1.0, None, str(host / "running"), str(node), ("node", "dist/entry.js", "gateway"))
    unit = unit_of(host, "{host}/bin/node {host}/package/dist/entry.js gateway")
    assert find_cli(CLAWDBOT, unit, process).program == (str(node), str(entry))


@pytest.mark.parametrize("loaded", ["node_modules/x/x.node", "node_modules/clawdbot/node_modules/@x/y/z.node"])
def test_the_package_whose_files_the_process_has_loaded(loaded: str, host: Path) -> None:
    # A gateway overwrites its command line with its title.
    entry = install(host / "node_modules" / "clawdbot")
    (host / "bin" / "clawdbot").symlink_to(install(host / "package"))
    process = Process(1, 1.0, None, "/", str(host / "bin" / "node"), ("clawdbot",), (str(host / loaded),))
    assert find_cli(CLAWDBOT, None, process).program == (str(host / "bin" / "node"), str(entry))


def test_the_links_of_a_unit_are_kept(host: Path) -> None:
    entry = install(host / "lib" / "node_modules" / "clawdbot")
    (host / "current").symlink_to(entry.parents[1])
    unit = unit_of(host, "{host}/bin/node {host}/current/dist/entry.js gateway")
    loaded = str(host / "lib" / "node_modules" / "x" / "x.node")
    process = Process(1, 1.0, None, "/", str(host / "bin" / "node"), ("clawdbot",), (loaded,))
    assert find_cli(CLAWDBOT, unit, process).program[1] == str(host / "current" / "dist" / "entry.js")


def test_the_program_on_the_path_with_its_node(host: Path) -> None:
    entry = install(host / "lib")
    (host / "bin" / "clawdbot").symlink_to(entry)
    assert find_cli(CLAWDBOT, Unit("u"), None).program == (str(host / "bin" / "node"), str(entry))


def test_the_program_on_the_path_of_the_process_with_its_node(host: Path) -> None:
    entry = install(host / "lib")
    (host / "other").mkdir()
    (host / "other" / "clawdbot").symlink_to(entry)
    node = executable(host / "opt" / "node")
    process = Process(1, 1.0, {"PATH": str(host / "other")}, None, str(node))
    assert find_cli(CLAWDBOT, None, process).program == (str(node), str(entry))


#: Executables `clawdbot` that are not the entry script of the package, and show none.
UNKNOWN: dict[str, str] = {
    "a script that names none": '#!/bin/sh\nexec volta run clawdbot-1 "$@"\n',
    "a binary": "\x7fELF",
    "a script of another package": "#!/bin/sh\nexec node {host}/other/dist/entry.js\n",
    "another script of the package": "#!/bin/sh\nexec node {host}/package/dist/other.js\n",
    "a script that is gone": "#!/bin/sh\nexec node {host}/gone/dist/entry.js\n",
    "itself": "#!/bin/sh\nexec {host}/bin/clawdbot\n",
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_executable_is_not_run(name: str, host: Path) -> None:
    install(host / "other", '{"name": "other", "version": "1"}')
    install(host / "package")
    executable(host / "package" / "dist" / "other.js")
    executable(host / "bin" / "clawdbot", UNKNOWN[name].format(host=host))
    assert find_cli(CLAWDBOT, None, None) == Cli()


@pytest.mark.parametrize("process", [None, Process(1, 1.0), Process(1, 1.0, {}), Process(1, 1.0, {"PATH": ":"})])
def test_no_cli_is_found_in_the_current_directory(
    process: Process | None, host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (host / "clawdbot").symlink_to(install(host / "package"))
    monkeypatch.chdir(host)
    monkeypatch.setenv("PATH", "")
    assert find_cli(CLAWDBOT, None, process) == Cli()


def test_the_entry_scripts_of_openclaw(host: Path) -> None:
    described = '{"name": "openclaw", "version": "2026.9.6", "bin": {"openclaw": "openclaw.mjs"}}'
    index = install(host / "package", described).with_name("index.js")
    executable(index)
    launcher = executable(host / "package" / "openclaw.mjs")
    for script in (launcher, index):
        found = find_cli(OPENCLAW, unit_of(host, f"{{host}}/bin/node {script} gateway"), None)
        assert found.program == (str(host / "bin" / "node"), str(script))
    worker = executable(host / "package" / "dist" / "worker.js")
    assert find_cli(OPENCLAW, unit_of(host, f"{{host}}/bin/node {worker} gateway"), None).program == ()


#: A unit's command, and the executable of the process -> what is gone.
GONE: dict[str, tuple[str, str | None, list[str]]] = {
    "the entry script": ("{host}/bin/node {host}/gone/entry.mjs gateway", None, ["gone/entry.mjs"]),
    "the entry script while it runs": ("{host}/bin/node {host}/gone/entry.mjs gateway", "bin/node", ["gone/entry.mjs"]),
    "the program": ("{host}/gone/clawdbot gateway", None, ["gone/clawdbot"]),
    "Node": ("{host}/gone/node {host}/package/dist/entry.js gateway", None, ["gone/node"]),
    "Node while it runs": ("{host}/gone/node dist/entry.js gateway", "gone/node (deleted)", ["gone/node"]),
    "Node, and the unit names another": ("{host}/bin/node dist/entry.js gateway", "gone/node (deleted)", []),
    "Node that was replaced": ("{host}/bin/node dist/entry.js gateway", "bin/node (deleted)", []),
    "a file of the gateway's arguments": ("{host}/bin/node dist/entry.js gateway --x /gone.js", None, []),
}


@pytest.mark.parametrize("name", GONE)
def test_files_that_are_gone(name: str, host: Path) -> None:
    command, running, gone = GONE[name]
    install(host / "package")
    process = Process(1, 1.0, None, None, str(host / running)) if running else None
    assert find_cli(CLAWDBOT, unit_of(host, command), process).missing_files == tuple(str(host / path) for path in gone)


def test_files_that_are_gone_without_a_unit(host: Path) -> None:
    entry, node = install(host / "package"), host / "gone" / "node"
    process = Process(1, 1.0, None, None, f"{node} (deleted)", ("node", str(entry)))
    assert find_cli(CLAWDBOT, None, process).missing_files == (str(node),)
    process = Process(1, 1.0, None, None, str(host / "bin" / "node"), ("node", "/gone/entry.js"))
    assert find_cli(CLAWDBOT, None, process).missing_files == ("/gone/entry.js",)


def test_no_node_is_left(host: Path) -> None:
    (host / "bin" / "node").unlink()
    install(host / "package")
    unit = unit_of(host, "/usr/bin/env node {host}/package/dist/entry.js gateway")
    process = Process(1, 1.0, None, None, f"{host}/gone/node (deleted)")
    found = find_cli(CLAWDBOT, unit, process)
    assert (found.program, found.missing_files) == ((), (f"{host}/gone/node",))


PACKAGES: dict[str, tuple[str, str | None]] = {
    "the product's": ('{"name": "clawdbot", "version": "2026.1.24-3"}', "2026.1.24-3"),
    "another": ('{"name": "other", "version": "1"}', None),
    "without a version": ('{"name": "clawdbot"}', None),
    "no object": ("[]", None),
    "no JSON": ("{", None),
}


@pytest.mark.parametrize("name", PACKAGES)
def test_package(name: str, tmp_path: Path) -> None:
    described, expected = PACKAGES[name]
    entry = install(tmp_path / "clawdbot", described)
    found = find_package(CLAWDBOT, ["/usr/bin/node", str(entry)])
    assert found == (expected and Package(expected, str(tmp_path / "clawdbot" / "package.json")))


def test_no_program_no_version() -> None:
    assert find_package(CLAWDBOT, []) is None
    assert replaceable_files([], None) == []


def test_files_that_are_replaced_with_a_cli(tmp_path: Path) -> None:
    executable(tmp_path / "2" / "dist" / "entry.js")
    (tmp_path / "current").symlink_to("2")
    (tmp_path / "2" / "run.js").symlink_to("dist/entry.js")
    program = ["/usr/bin/node", str(tmp_path / "current" / "run.js")]
    assert replaceable_files(program, Package("2", "/p.json")) == [
        str(tmp_path / "current" / "run.js"),
        str(tmp_path / "current"),
        "/p.json",
    ]
