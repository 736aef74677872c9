# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The conclusion for a provider, from its listing and the verdicts of its chats."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from .hints import hint_for, hint_for_missing
from .text import clean
from .types import EndpointInfo, Listing, Provider, Verdict


def conclude_without_listing(provider: Provider, verdict: Verdict) -> EndpointInfo:
    """Return the result for a provider without a listing. `verdict`: why there is none."""
    return _result(provider, verdict, hint_for(provider, verdict))


def conclude(
    provider: Provider, listing: Listing, chats: Mapping[str, Verdict] | None, secrets: Iterable[str]
) -> EndpointInfo:
    """Return the result for a provider with a listing.

    `chats`: the verdict of each chat by model, in the order asked; the last one may be about the provider. None if no
    chat is wanted. A problem of the provider takes precedence over a missing model, and that over an unusable one.
    """
    listed = [clean(model_id, secrets) for model_id in listing.ids]
    missing = [model.id for model in provider.models if model.id not in listing.ids]
    answers = chats or {}
    unlisted = {model.id for model in provider.unlisted}
    missing += [m for m, verdict in answers.items() if verdict.rejection == "unknown" and m not in listing.ids]
    unusable = {m: verdict for m, verdict in answers.items() if verdict.rejection and m not in missing}
    problem = next((verdict for verdict in answers.values() if is_about_provider(verdict)), None)
    suggestions = {model_id: nearest(model_id, listed) for model_id in missing}

    if problem:
        verdict = problem._replace(message=f"the endpoint lists models, but {problem.message}")
        hint = hint_for(provider, problem)
    elif missing and listing.has_more and not unlisted.issuperset(missing):
        message = f"the listing is only a first page, without: {', '.join(missing)}"
        verdict = Verdict("invalid_response", message, listing.http_status, listing.latency_ms, advice="first_page")
        hint = hint_for(provider, verdict)
    elif missing:
        parts = [_missing_message(missing, unlisted, answers), *_unusable_messages(unusable)]
        verdict = Verdict("model_missing", "; ".join(parts), listing.http_status, listing.latency_ms)
        hint = hint_for_missing(provider, suggestions, listed)
    elif unusable:
        first = next(iter(unusable.values()))
        message = "; ".join(_unusable_messages(unusable))
        verdict = Verdict("model_unusable", message, first.http_status, first.latency_ms)
        hint = hint_for(provider, verdict)
    else:
        slowest = max([verdict.latency_ms or 0 for verdict in answers.values()], default=listing.latency_ms)
        verdict = Verdict("ok", _ok_message(provider, listing, chats), listing.http_status, slowest)
        unchecked = provider.unlisted and chats is None
        hint = "Use probe=chat to check the models that are not listed." if unchecked else ""
    return _result(
        provider,
        verdict,
        hint,
        listed=listed,
        missing=missing,
        suggestions=suggestions,
        warnings=_context_warnings(provider, listing),
    )


def is_about_provider(verdict: Verdict) -> bool:
    """Return whether the verdict of a chat is a problem of the provider: other models would get the same answer."""
    return verdict.status != "ok" and not verdict.rejection


def _result(
    provider: Provider,
    verdict: Verdict,
    hint: str,
    *,
    listed: list[str] | None = None,
    missing: list[str] | None = None,
    suggestions: dict[str, list[str]] | None = None,
    warnings: list[str] | None = None,
) -> EndpointInfo:
    return EndpointInfo(
        name=provider.name,
        status=verdict.status,
        http_status=verdict.http_status,
        latency_ms=verdict.latency_ms,
        listed=listed or [],
        missing=missing or [],
        suggestions=suggestions or {},
        message=verdict.message,
        hint=hint,
        warnings=warnings or [],
        key=fingerprint(provider.api_key) if provider.api_key else None,
    )


def nearest(model_id: str, listed: Sequence[str]) -> list[str]:
    """Return up to three listed ids similar to the given one, the most similar first. Case does not matter."""
    spelled = {candidate.lower(): candidate for candidate in reversed(listed)}
    return [spelled[match] for match in difflib.get_close_matches(model_id.lower(), list(spelled), n=3, cutoff=0.6)]


def _missing_message(missing: Sequence[str], unlisted: Iterable[str], answers: Mapping[str, Verdict]) -> str:
    rejected = [model_id for model_id in missing if model_id in unlisted]
    parts = (
        [f"not listed: {', '.join(m for m in missing if m not in rejected)}"] if len(rejected) < len(missing) else []
    )
    parts += [f"{model_id} is neither listed nor accepted: {answers[model_id].message}" for model_id in rejected]
    return "; ".join(parts)


def _unusable_messages(unusable: Mapping[str, Verdict]) -> list[str]:
    return [f"{model_id} cannot be used: {verdict.message}" for model_id, verdict in unusable.items()]


def _ok_message(provider: Provider, listing: Listing, chats: Mapping[str, Verdict] | None) -> str:
    names = ", ".join(model.id for model in provider.models)
    message = f"listed: {names}" if names else f"the key is accepted; {len(listing.ids)} models are listed"
    if chats:
        message = f"{message}; answered: {', '.join(chats)}"
    if provider.unlisted and chats is None:
        message = f"{message}; not checked without a chat: {', '.join(m.id for m in provider.unlisted)}"
    return message


def _context_warnings(provider: Provider, listing: Listing) -> list[str]:
    return [
        f"{model.id}: contextWindow is {model.context_window}, but the endpoint's context_length is"
        f" {listing.contexts[model.id]}: longer conversations will fail"
        for model in (*provider.models, *provider.unlisted)
        if model.context_window is not None
        and model.context_window > listing.contexts.get(model.id, model.context_window)
    ]
