# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The client that asks all providers at once, and repeats requests that may succeed later."""

from __future__ import annotations

import random
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from . import transport
from .requests import chat_request, listing_request, models_to_chat, reject
from .responses import judge, read_chat, read_listing
from .retries import wait_before_retry
from .types import Answer, EndpointInfo, Model, Outcome, ProbeOptions, Provider, Reading, Request, Verdict
from .verdict import conclude, conclude_without_listing, is_about_provider

_MAX_THREADS = 32

Cache = Callable[[Request, Callable[[], Reading]], Reading]
"""Returns the reading of a request: the one it has, or the one that the function gets from the endpoint."""


def probe_all(
    providers: Sequence[Provider], options: ProbeOptions, secrets: Iterable[str], cache: Cache | None = None
) -> list[EndpointInfo]:
    """Return the result of each provider, in their order. It holds none of the secrets, whatever an endpoint echoes.

    Without a `cache`, each distinct request is sent once in this call. Raises `ClawdbotError` if `ca_path` cannot be
    used.
    """
    # Reading the system's authorities takes time, so it is done where it is needed, and once.
    uses_tls = any(provider.base_url.lower().startswith("https:") for provider in providers)
    prober = _Prober(options, transport.tls_context(options) if uses_tls else None, secrets, cache or _MemoryCache())
    if not providers:
        return []
    with ThreadPoolExecutor(max_workers=min(_MAX_THREADS, len(providers))) as pool:
        return list(pool.map(prober.probe, providers))


class _MemoryCache:
    """The readings of this process. A thread that needs a request in flight waits for its reading."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readings: dict[Request, Future[Reading]] = {}

    def __call__(self, request: Request, ask: Callable[[], Reading]) -> Reading:
        with self._lock:
            known = self._readings.get(request)
            if known is None:
                mine: Future[Reading] = Future()
                self._readings[request] = mine
        if known is not None:
            return known.result()
        try:
            mine.set_result(ask())
        except BaseException as error:
            # The threads that wait for this reading must not wait for ever.
            mine.set_exception(error)
            raise
        return mine.result()


class _Prober:
    """Probes providers for one run of the module."""

    def __init__(
        self, options: ProbeOptions, context: ssl.SSLContext | None, secrets: Iterable[str], cache: Cache
    ) -> None:
        self._options = options
        self._context = context
        self._secrets = secrets
        self._cache = cache

    def probe(self, provider: Provider) -> EndpointInfo:
        """Return the result of one provider, from its listing and, if wanted, a chat with each model.

        The chats of a provider run one after the other, since low tiers allow an account one request at a time.
        """
        rejected = reject(provider, self._options.allow_insecure_http)
        if rejected:
            return conclude_without_listing(provider, rejected)
        listing = self._listing(provider)
        if isinstance(listing, Verdict):
            return conclude_without_listing(provider, listing)
        if not self._options.chat:
            return conclude(provider, listing, None, self._secrets)
        chats: dict[str, Verdict] = {}
        for model in models_to_chat(provider, listing):
            verdict = self._chat(provider, model)
            chats[model.id] = verdict
            if is_about_provider(verdict):
                break
        return conclude(provider, listing, chats, self._secrets)

    def _listing(self, provider: Provider) -> Reading:
        request = listing_request(provider)
        return self._cache(request, lambda: read_listing(self._send_with_retries(request), request, self._secrets))

    def _chat(self, provider: Provider, model: Model) -> Verdict:
        request = chat_request(provider, model)
        reading = self._cache(
            request, lambda: read_chat(self._send_with_retries(request), request, provider.api, self._secrets)
        )
        # A chat never has a listing.
        return reading if isinstance(reading, Verdict) else Verdict("invalid_response", "a listing in place of a chat")

    def _send_with_retries(self, request: Request) -> Outcome:
        """Return the outcome of a request, after as many attempts as may help."""
        attempt, waited = 1, 0.0
        while True:
            outcome = transport.send(request, self._options, self._context)
            judged = judge(outcome, request, self._secrets)
            if isinstance(judged, Answer):
                return judged
            wait = wait_before_retry(
                judged,
                outcome,
                attempt=attempt,
                retries=self._options.retries,
                waited=waited,
                jitter=random.random(),  # noqa: S311  (spreads requests; nothing secret depends on it)
                now=time.time(),
            )
            if wait is None:
                return outcome
            time.sleep(wait)
            attempt, waited = attempt + 1, waited + wait
