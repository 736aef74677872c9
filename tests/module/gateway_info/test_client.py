# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product import client
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway, Listener
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

CLAWDBOT = PRODUCTS["clawdbot"]
LISTENER = Listener("127.0.0.1", 18789)
KEY = "Zq8-0123456789"

# A small CLI: it prints the file that the test has written for a command, and fails if there is none.
PROGRAM = """
import json, os, pathlib, sys
directory = pathlib.Path(sys.argv[0]).parent
names = ["CLAWDBOT_CONFIG_PATH", "CLAWDBOT_GATEWAY_PORT", "OPENCLAW_GATEWAY_PORT"]
place = [os.environ.get(name) for name in names]
(directory / "asked").write_text(json.dumps([sys.argv[1:], os.getcwd(), *place]))
print((directory / sys.argv[1]).read_text())
"""


def paths(directory: Path) -> Paths:
    return Paths(str(directory), str(directory / "clawdbot.json"), str(directory / ".env"))


def gateway(directory: Path, product: str = "clawdbot", listener: Listener = LISTENER) -> Gateway:
    (directory / "program.py").write_text(PROGRAM)
    program = [sys.executable, str(directory / "program.py")]
    return Gateway(PRODUCTS[product], program, paths(directory), listener, {}, [KEY])


#: Product, listener -> the arguments before and after the options of each call, and the variables.
CALLS: dict[str, tuple[str, Listener, list[str], list[str], list[str | None]]] = {
    "Clawdbot": ("clawdbot", LISTENER, [], ["--url", "ws://127.0.0.1:18789"], ["18789", None]),
    "Clawdbot with TLS": (
        "clawdbot",
        Listener("10.0.0.5", 1, "ab12"),
        [],
        ["--url", "wss://10.0.0.5:1"],
        ["1", None],
    ),
    "OpenClaw": ("openclaw", LISTENER, ["--port", "18789"], [], [None, "18789"]),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_cli_calls_the_gateway_where_it_listens(name: str, tmp_path: Path) -> None:
    product, listener, before, after, variables = CALLS[name]
    (tmp_path / "gateway").write_text('{"ok": true}')
    assert gateway(tmp_path, product, listener).call("a.b", {"x": 1}, 1.5, final=True) == {"ok": True}
    options = ["--json", "--params", '{"x": 1}', "--timeout", "1500", *after, "--expect-final"]
    config = f"{tmp_path}/clawdbot.json" if product == "clawdbot" else None
    assert json.loads((tmp_path / "asked").read_text()) == [
        ["gateway", *before, "call", "a.b", *options],
        str(tmp_path),
        config,
        *variables,
    ]


def test_the_cli_has_the_environment_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLER", "c")
    program = tmp_path / "program.py"
    program.write_text("import json, os; print(json.dumps(dict(os.environ)))")
    variables = {"GITHUB_PAT": "p", "CLAWDBOT_GATEWAY_TOKEN": "t-0123456789", "CLAWDBOT_GATEWAY_PORT": "1"}
    called = Gateway(CLAWDBOT, [sys.executable, str(program)], paths(tmp_path), LISTENER, variables)
    seen = called.run(["models"], 5)
    assert {name: seen.get(name) for name in (*variables, "CLAWDBOT_STATE_DIR", "CALLER")} == {
        "GITHUB_PAT": "p",
        "CLAWDBOT_GATEWAY_TOKEN": "t-0123456789",
        "CLAWDBOT_GATEWAY_PORT": "18789",
        "CLAWDBOT_STATE_DIR": str(tmp_path),
        "CALLER": None,
    }
    assert called.redact("t-0123456789") == f"<{fingerprint('t-0123456789')}>"


#: Product -> what OPENCLAW_CONFIG_READONLY is for a command that changes something.
CHANGES = {"clawdbot": "1", "openclaw": "0"}


@pytest.mark.parametrize("product", CHANGES)
def test_a_command_that_changes_something_may_write(product: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        f"import os; open({str(tmp_path / 'seen')!r}, 'a').write(os.environ['OPENCLAW_CONFIG_READONLY'])"
    )
    variables = {"OPENCLAW_CONFIG_READONLY": "1"}
    command = [sys.executable, str(program)]
    Gateway(PRODUCTS[product], command, paths(tmp_path), LISTENER, variables).change(["models"], 5)
    assert (tmp_path / "seen").read_text() == CHANGES[product]
    # Any other command has the environment of the process.
    with pytest.raises(ClawdbotError):
        Gateway(PRODUCTS[product], command, paths(tmp_path), LISTENER, variables).run(["models"], 5)
    assert (tmp_path / "seen").read_text() == f"{CHANGES[product]}1"


FAILURES: dict[str, tuple[str, str]] = {
    "says why": (
        f"echo 'Gateway call failed: Error: no {KEY} here'; echo '    at file:1:2'; exit 1",
        f"failed: no <{fingerprint(KEY)}> here",
    ),
    "says it on stderr": ("echo out; echo err >&2; exit 1", "failed: err"),
    "says nothing": ("exit 3", "failed: no output"),
    "prints something else": ("echo hello", "returned no JSON."),
    "prints nothing": (":", "returned no JSON."),
    "takes too long": ("exec sleep 5", "timed out after 0.2 seconds."),
}


@pytest.mark.parametrize("name", FAILURES)
def test_failures_of_the_cli(name: str, tmp_path: Path) -> None:
    script, message = FAILURES[name]
    failing = Gateway(CLAWDBOT, ["/bin/sh", "-c", script], paths(tmp_path), LISTENER, {}, [KEY])
    with pytest.raises(ClawdbotError) as caught:
        failing.run(["models", "list"], 0.2)
    assert str(caught.value) == f"Command clawdbot models list {message}"


def test_a_missing_cli(tmp_path: Path) -> None:
    with pytest.raises(ClawdbotError) as caught:
        Gateway(CLAWDBOT, ["/nonexistent/clawdbot"], paths(tmp_path), LISTENER, {}).run(["models"], 1)
    assert str(caught.value) == (
        "Command clawdbot models cannot be run: the Clawdbot CLI does not start (No such file or directory)."
    )
    with pytest.raises(ClawdbotError) as caught:
        Gateway(CLAWDBOT, [], paths(tmp_path), LISTENER, {}).call("models.list", {}, 1)
    assert str(caught.value) == "Gateway method models.list cannot be run: the Clawdbot CLI was not found."


# What takes the place of Node: it notes that it was started, and answers a call as the test says. Run with the entry
# script as first argument, it is the CLI.
NODE = """#!{python}
import json, os, pathlib, sys, time
directory = pathlib.Path(sys.argv[0]).parent
script = "-e" in sys.argv
with (directory / "started").open("a") as started:
    print(f"script {{os.getpid()}}" if script else " ".join(sys.argv[2:5]), file=started)
if not script:
    print('{{"by": "CLI"}}')
    sys.exit()
{unready}
print("{{}}", flush=True)
for line in sys.stdin:
    call = json.loads(line)
    id = call.pop("id")
    if call["method"] == "end":
        sys.exit(1)
    if call["method"] == "sleep":
        time.sleep(60)
    if call["method"] == "talk":
        print("Hello.", flush=True)
    if call["method"] == "shift":
        print(json.dumps({{"id": id - 1, "answer": 1}}), flush=True)
    if call["method"] == "fail":
        print(json.dumps({{"id": id, "error": "Error: no {key} here"}}), flush=True)
    else:
        print(json.dumps({{"id": id, "answer": call}}), flush=True)
"""


@pytest.fixture
def by_node(tmp_path: Path) -> Callable[[str], Gateway]:
    """Return a gateway that is called by what takes the place of Node, with what it does before it is ready."""

    def make(unready: str = "") -> Gateway:
        node = tmp_path / "node"
        node.write_text(NODE.format(python=sys.executable, unready=unready, key=KEY))
        node.chmod(0o755)
        return Gateway(CLAWDBOT, [str(node), "/entry.js"], paths(tmp_path), Listener("::1", 1, "AB"), {}, [KEY])

    return make


def started(directory: Path) -> list[str]:
    return (directory / "started").read_text().splitlines()


def test_all_calls_go_through_one_process(tmp_path: Path, by_node: Callable[..., Gateway]) -> None:
    with by_node() as gateway:
        call = {
            "method": "a.b",
            "params": {"x": 1},
            "timeoutMs": 1500,
            "expectFinal": True,
            "port": 1,
            "url": "wss://[::1]:1",
            "tlsFingerprint": "AB",
        }
        assert gateway.call("a.b", {"x": 1}, 1.5, final=True) == call
        with pytest.raises(ClawdbotError) as caught:
            gateway.call("fail", {}, 1)
        assert str(caught.value) == f"Gateway method fail failed: no <{fingerprint(KEY)}> here"
        assert gateway.call("c", {}, 1)["method"] == "c"
        (process,) = started(tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(int(process.removeprefix("script ")), 0)


def test_a_process_that_ends_is_no_answer(tmp_path: Path, by_node: Callable[..., Gateway]) -> None:
    with by_node() as gateway:
        with pytest.raises(ClawdbotError) as caught:
            gateway.call("end", {}, 1)
        assert str(caught.value) == "Gateway method end failed: Node ended without an answer."
        assert gateway.call("c", {}, 1)["method"] == "c"
    assert len(started(tmp_path)) == 2


@pytest.mark.parametrize("method", ["talk", "shift"])
def test_what_the_process_says_besides_is_no_answer(by_node: Callable[..., Gateway], method: str) -> None:
    with by_node() as gateway:
        assert gateway.call(method, {}, 1)["method"] == method
        assert gateway.call("c", {}, 1)["method"] == "c"


def test_a_call_ends_at_its_time(
    tmp_path: Path, by_node: Callable[..., Gateway], monkeypatch: pytest.MonkeyPatch
) -> None:
    with by_node() as gateway:
        gateway.call("c", {}, 1)
        monkeypatch.setattr(client, "_STARTUP_SECONDS", 0)
        with pytest.raises(ClawdbotError) as caught:
            gateway.call("sleep", {}, 0.2)
    assert str(caught.value) == "Gateway method sleep timed out after 0.2 seconds."
    (process,) = started(tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(int(process.removeprefix("script ")), 0)


@pytest.mark.parametrize("unready", ["sys.exit(1)", 'print("Hello.", flush=True)'])
def test_the_cli_is_called_if_the_modules_differ(
    tmp_path: Path, by_node: Callable[[str], Gateway], unready: str
) -> None:
    with by_node(unready) as gateway:
        assert [gateway.call(method, {}, 1) for method in ("a", "b")] == [{"by": "CLI"}] * 2
    assert [line for line in started(tmp_path) if not line.startswith("script ")] == [
        "gateway call a",
        "gateway call b",
    ]
    assert len(started(tmp_path)) == 3
