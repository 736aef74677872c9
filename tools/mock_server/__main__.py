# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mock server as a command."""

from __future__ import annotations

import argparse
import json
import signal
import ssl
import threading
from pathlib import Path

from .server import CONTROL, MockServer
from .vendors import PRODUCTS


def _add_keys(mock_server: MockServer, text: str) -> None:
    try:
        for product, keys in json.loads(text).items():
            for key in keys:
                mock_server.add_key(product, key)
    except (AttributeError, TypeError, ValueError):
        # The value is not shown: it could be a key in the wrong place.
        raise SystemExit('the keys file is not of the form {"moonshot-cn": ["sk-..."], "kimicode": [...]}') from None


def main() -> None:
    parser = argparse.ArgumentParser(description="A mock server for the Moonshot and Kimi Code endpoints.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="the port; 0, the default, takes a free one")
    parser.add_argument("--keys-file", type=Path, help='JSON: {"moonshot-cn": ["sk-..."], "kimicode": [...]}')
    parser.add_argument("--certfile", type=Path, help="serve TLS, with this certificate chain (PEM)")
    parser.add_argument("--keyfile", type=Path, help="the private key (PEM), where the chain's file has it not")
    options = parser.parse_args()
    tls = None
    if options.certfile is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.certfile, options.keyfile)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with MockServer(options.host, options.port, tls) as mock_server:
        if options.keys_file is not None:
            _add_keys(mock_server, options.keys_file.read_text())
        base_urls = {product: mock_server.base_url(product) for product in PRODUCTS}
        print(
            json.dumps({"control": mock_server.url + CONTROL, "base_urls": base_urls, "port": mock_server.port}),
            flush=True,
        )
        ended.wait()


if __name__ == "__main__":
    main()
