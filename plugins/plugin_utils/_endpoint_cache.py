# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A cache of what endpoints answer, for all hosts of a run, each of which Ansible handles in a process of its own.

Its files are in a directory of the run on the control node, named by a digest of the request. They hold no key,
whatever an endpoint echoes.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import (
    Listing,
    ProbeOptions,
    Reading,
    Request,
    Verdict,
)


class EndpointCache:
    """Sends each distinct request once for all processes that share the directory. The others wait for its reading."""

    def __init__(self, directory: Path, options: ProbeOptions, secrets: Iterable[str]) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._options = options
        self._secrets = list(secrets)

    def __call__(self, request: Request, ask: Callable[[], Reading]) -> Reading:
        path = self._directory / _digest(request, self._options)
        with _locked(path.with_suffix(".lock")):
            if path.exists():
                return _decode(path.read_text(encoding="utf-8"))
            reading = ask()
            # Renamed at the end, so that a process that dies leaves a whole file or none.
            part = path.with_suffix(".part")
            part.write_text(_encode(reading, self._secrets), encoding="utf-8")
            part.rename(path)
            return reading


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock, which ends with the process at the latest."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _digest(request: Request, options: ProbeOptions) -> str:
    """Return a name for the request, without its key. It depends on everything that may change the answer."""
    how = (options.ca_path, options.validate_certs, options.timeout, options.retries)
    what = (request.method, request.url, request.headers, repr(request.body), how)
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()


def _encode(reading: Reading, secrets: Sequence[str]) -> str:
    if isinstance(reading, Verdict):
        return json.dumps({"verdict": reading._asdict()})
    # An endpoint can give its models any name. A model whose name holds a key is left out.
    ids = tuple(name for name in reading.ids if not any(secret in name for secret in secrets))
    contexts = {name: length for name, length in reading.contexts.items() if name in ids}
    return json.dumps({"listing": reading._replace(ids=ids, contexts=contexts)._asdict()})


def _decode(text: str) -> Reading:
    document = json.loads(text)
    if "verdict" in document:
        return Verdict(**document["verdict"])
    listing = Listing(**document["listing"])
    return listing._replace(ids=tuple(listing.ids))
