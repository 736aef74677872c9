# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mock server as a command."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.module.mock_server.asking import (
    CN,
    KIMI,
    LIST_AI,
    LIST_CN,
    LIST_KIMI,
    WRONG,
)
from tests.module.mock_server.tls import Tls
from tools import mock_server as tool

# As on the hosts of Molecule, which have this package alone.
COMMAND = [sys.executable, "-m", "mock_server"]
DIRECTORY = Path(tool.__file__).parent.parent


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command(tmp_path: Path, tls: Tls, number: signal.Signals) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"moonshot-cn": [CN, WRONG], "kimicode": [KIMI]}))
    argv = [*COMMAND, "--keys-file", str(keys), "--certfile", str(tls.certfile)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=DIRECTORY) as process:
        assert process.stdout is not None
        listening = json.loads(process.stdout.readline())
        port = listening["port"]
        assert listening == {
            "control": f"https://127.0.0.1:{port}/_mock_server/",
            "base_urls": {
                "moonshot-cn": f"https://127.0.0.1:{port}/moonshot-cn/v1",
                "moonshot-ai": f"https://127.0.0.1:{port}/moonshot-ai/v1",
                "kimicode": f"https://127.0.0.1:{port}/kimi/coding/v1",
            },
            "port": port,
        }
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=tls.client, timeout=5)
        statuses = []
        for path, key in ((LIST_CN, CN), (LIST_CN, WRONG), (LIST_KIMI, KIMI), (LIST_AI, CN)):
            connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)
        assert statuses == [200, 200, 200, 401]
        process.send_signal(number)
        out, err = process.communicate(timeout=5)
        connection.close()
    assert (process.returncode, out, err) == (0, "", "")


BAD_KEYS_FILES = {
    "no JSON": f'{{"moonshot-cn": ["{CN}"]',
    "a list": json.dumps([CN]),
    "the wrong way round": json.dumps({CN: ["moonshot-cn"]}),
    "no list": json.dumps({"moonshot-cn": 5}),
    "no text": json.dumps({"moonshot-cn": [{"key": CN}]}),
}


@pytest.mark.parametrize("text", BAD_KEYS_FILES.values(), ids=BAD_KEYS_FILES.keys())
def test_a_bad_keys_file(tmp_path: Path, text: str) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(text)
    argv = [*COMMAND, "--keys-file", str(keys)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False, cwd=DIRECTORY)
    message = 'the keys file is not of the form {"moonshot-cn": ["sk-..."], "kimicode": [...]}\n'
    assert (done.returncode, done.stdout, done.stderr) == (1, "", message)
