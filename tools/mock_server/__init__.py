# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A mock server for the Moonshot and Kimi Code endpoints, for the demo and the tests.

Three products share one port: moonshot-cn at /moonshot-cn/v1, moonshot-ai at /moonshot-ai/v1, and kimicode at
/kimi/coding, with /v1 behind it in the OpenAI form and without in the Anthropic form. Each has its own keys, the models
that the vendor lists today, the vendor's rules for a chat and its errors. Faults can be set. Requests are recorded,
with fingerprints of keys; keys are in memory only.

In a test: `with MockServer() as mock_server: mock_server.add_key("kimicode", key)`. As a command (`python3 -m
tools.mock_server`), see --help: it prints one JSON line when it listens, and ends on SIGTERM or SIGINT. The methods are
available over HTTP, with a JSON object of the method's arguments as body. Every client of the port can call them, so do
not offer it to a network.

It needs the standard library only, and imports nothing from outside this directory, so that it runs on a test host.
"""

from .answers import Answer
from .faults import FAULTS, Fault
from .keys import Key, fingerprint
from .server import CONTROL, MAX_REQUEST_BODY, Form, MockServer, Request
from .vendors import ADMITTED_AGENTS, ERRORS, GUIDE_MODELS, PRODUCTS

__all__ = [
    "ADMITTED_AGENTS",
    "CONTROL",
    "ERRORS",
    "FAULTS",
    "GUIDE_MODELS",
    "MAX_REQUEST_BODY",
    "PRODUCTS",
    "Answer",
    "Fault",
    "Form",
    "Key",
    "MockServer",
    "Request",
    "fingerprint",
]
