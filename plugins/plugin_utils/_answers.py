# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What endpoints have answered, kept for all hosts of a run, each of which Ansible works on in a process of its own.

The files are in a folder of the run on the control node. A question is named by a digest; what was found holds no key,
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

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.client import Found, Settings
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.status import Finding, Listing, Request


class Answers:
    """Asks each distinct question once for all processes that share the folder; the others wait for the answer."""

    def __init__(self, folder: Path, settings: Settings, secrets: Iterable[str]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._settings = settings
        self._secrets = list(secrets)

    def __call__(self, request: Request, ask: Callable[[], Found]) -> Found:
        answer = self._folder / _digest(request, self._settings)
        with _locked(answer.with_suffix(".lock")):
            if answer.exists():
                return _decoded(answer.read_text(encoding="utf-8"))
            found = ask()
            # Renamed into its place, so that a process that dies leaves a whole answer or none.
            part = answer.with_suffix(".part")
            part.write_text(_encoded(found, self._secrets), encoding="utf-8")
            part.rename(answer)
            return found


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds the lock, which the system drops with the process that holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _digest(request: Request, settings: Settings) -> str:
    """A name of the question that tells nothing of the key in it. Whatever may change the answer counts."""
    trust = (settings.ca_path, settings.validate_certs, settings.timeout, settings.retries)
    question = (request.method, request.url, request.headers, repr(request.body), trust)
    return hashlib.sha256(json.dumps(question).encode()).hexdigest()


def _encoded(found: Found, secrets: Sequence[str]) -> str:
    if isinstance(found, Finding):
        return json.dumps({"finding": found._asdict()})
    # An endpoint can give its models any name; no provider wants a model that is named as a key.
    ids = tuple(name for name in found.ids if not any(secret in name for secret in secrets))
    contexts = {name: length for name, length in found.contexts.items() if name in ids}
    return json.dumps({"listing": found._replace(ids=ids, contexts=contexts)._asdict()})


def _decoded(text: str) -> Found:
    document = json.loads(text)
    if "finding" in document:
        return Finding(**document["finding"])
    listing = Listing(**document["listing"])
    return listing._replace(ids=tuple(listing.ids))
