# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates and TLS."""

from __future__ import annotations

import contextlib
import datetime
import socket
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.module.verify_models.authority import Authority
from tests.module.verify_models.hints import (
    REDIRECT,
)
from tests.module.verify_models.probing import (
    KEY,
    expected,
    only,
    provider,
    run,
)
from tests.module.verify_models.raw_server import (
    RawServer,
    answer,
    listing,
)

PAST = datetime.datetime(2020, 1, 1)
FUTURE = datetime.datetime(2090, 1, 1)
CLOCK = "Check the clock of the host that asks"
TLS: Mapping[str, tuple[tuple[str, ...], Mapping[str, datetime.datetime], bool, str, str]] = {
    "another name": (
        ("other.example",),
        {},
        True,
        "the certificate of {peer} is for another name",
        "Check the host in base_url, and whether a proxy or a DNS entry leads to another host.",
    ),
    "expired": (
        ("127.0.0.1",),
        {"not_before": PAST, "not_after": PAST + datetime.timedelta(days=9)},
        True,
        "the certificate of {peer} has expired",
        f"{CLOCK}. If it is right, the endpoint's owner must renew the certificate.",
    ),
    "not yet valid": (
        ("127.0.0.1",),
        {"not_before": FUTURE, "not_after": FUTURE + datetime.timedelta(days=9)},
        True,
        "the certificate of {peer} is not valid yet",
        f"{CLOCK}.",
    ),
    "unknown authority": (
        ("127.0.0.1",),
        {},
        False,
        "the certificate of {peer} is signed by an untrusted authority",
        "Install the CA certificates on the host that asks. If a proxy inspects TLS, or the endpoint is your own, set"
        " ca_path (in the role, providers_endpoint_ca_path) to the certificate of its authority.",
    ),
}


@pytest.mark.parametrize(("names", "dates", "trusted", "message", "hint"), TLS.values(), ids=TLS)
def test_a_certificate_that_is_wrong(
    names: tuple[str, ...],
    dates: Mapping[str, datetime.datetime],
    trusted: bool,
    message: str,
    hint: str,
    authority: Authority,
) -> None:
    with RawServer(listing("kimi-k2.5"), tls=authority.server_context(*names, **dates)) as server:
        _code, result, _printed = run(provider(server, "https"), ca_path=authority.path if trusted else None, retries=2)
    assert only(result) == expected("tls_error", None, message.format(peer=server.netloc), hint)
    assert server.received == []


def test_a_certificate_of_a_trusted_authority(authority: Authority) -> None:
    with RawServer(listing("kimi-k2.5"), tls=authority.server_context("127.0.0.1")) as server:
        code, result, _printed = run(provider(server, "https"), ca_path=authority.path)
    assert (code, only(result)["status"]) == (0, "ok")


def test_certificates_need_not_be_verified(authority: Authority) -> None:
    context = authority.server_context("other.example")
    with RawServer(listing("kimi-k2.5"), tls=context) as server:
        code, result, _printed = run(provider(server, "https"), validate_certs=False)
    assert (code, only(result)["status"]) == (0, "ok")


def test_a_server_that_does_not_speak_tls() -> None:
    def speaks_first(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            peer, _address = connection.accept()
            with peer:
                peer.recv(100)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as plain:
        port = plain.getsockname()[1]
        threading.Thread(target=speaks_first, args=(plain,), daemon=True).start()
        asked = {"name": "moonshot", "base_url": f"https://127.0.0.1:{port}/v1", "api_key": KEY}
        _code, result, _printed = run(asked)
    message = f"127.0.0.1:{port} does not speak TLS"
    assert only(result) == expected("tls_error", None, message, "Check the scheme and the port in base_url.")


def test_a_redirect_from_https_to_http_is_not_followed(authority: Authority) -> None:
    with RawServer(listing("kimi-k2.5")) as plain:
        redirect = answer(301, b"", f"Location: http://{plain.netloc}/v1/models")
        with RawServer(redirect, tls=authority.server_context("127.0.0.1")) as server:
            _code, result, _printed = run(provider(server, "https"), ca_path=authority.path)
    assert only(result) == expected(
        "redirect_refused",
        301,
        f"https://{server.netloc}/v1/models redirects to http://{plain.netloc}/v1/models: not followed",
        REDIRECT,
    )
    assert plain.received == []


def test_a_ca_path_that_cannot_be_read(tmp_path: Path) -> None:
    missing = tmp_path / "none.pem"
    asked = {"name": "moonshot", "base_url": "https://127.0.0.1:1/v1", "api_key": KEY}
    code, result, _printed = run(asked, ca_path=str(missing))
    assert (code, result["msg"]) == (1, f"ca_path: {missing} cannot be used: [Errno 2] No such file or directory")
