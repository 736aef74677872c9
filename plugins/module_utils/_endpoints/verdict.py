# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The conclusion for a provider, from its listing and the verdicts of its chats."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint

from .hints import hint_for, hint_for_missing
from .text import clean
from .types import EndpointInfo, Listing, Provider, Verdict
from .vendor_models import RETIRED, describe_retirement


def conclude_without_listing(provider: Provider, verdict: Verdict) -> EndpointInfo:
    """Return the result for a provider without a listing. `verdict`: why there is none."""
    return _result(provider, verdict, hint_for(provider, verdict))


def conclude(
    provider: Provider, listing: Listing, chats: Mapping[str, Verdict] | None, secrets: Iterable[str]
) -> EndpointInfo:
    """Return the result for a provider with a listing.

    `chats`: the verdict of each chat by model, in the order asked; the last one may be about the provider. None if no
    chat is wanted. A problem of the provider takes precedence over a missing model, that over a retired one, and that
    over an unusable one.
    """
    listed = [clean(model_id, secrets) for model_id in listing.ids]
    answers = chats or {}
    models = _sort_models(provider, listing, answers)
    problem = next((verdict for verdict in answers.values() if is_about_provider(verdict)), None)
    suggestions = {model_id: _suggest(model_id, listed) for model_id in (*models.missing, *models.optional_to_blame)}

    if problem:
        verdict = problem._replace(message=f"the endpoint lists models, but {problem.message}")
        hint = hint_for(provider, problem)
    elif listing.has_more and any(model.id in models.missing for model in provider.models):
        message = f"the listing is only a first page, without: {', '.join(models.missing)}"
        verdict = Verdict("invalid_response", message, listing.http_status, listing.latency_ms, advice="first_page")
        hint = hint_for(provider, verdict)
    elif models.lost or models.retired:
        verdict = _missing_verdict(models, listing, answers)
        hint = hint_for_missing(provider, suggestions, models.retired, listed)
    elif models.unusable:
        # What is known about a model says more than a request that was refused for an unknown reason.
        first = min(models.unusable.values(), key=lambda verdict: verdict.status == "request_refused")
        message = "; ".join(_unusable_messages(models.unusable))
        verdict = first._replace(message=message)
        hint = hint_for(provider, first)
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
        missing=models.missing,
        optional_missing=models.optional_missing,
        suggestions=suggestions,
        warnings=_context_warnings(provider, listing),
    )


class _Models(NamedTuple):
    """The models of a provider that are not there, or not for this key.

    `missing`, `optional_missing`: as the module returns them. `optional_to_blame`: the optional ones if no model of the
    provider is listed, since one must be. `retired`: those of all these that the vendor has retired, and those that are
    listed and unknown to a chat. `lost`: the others. `unusable`: listed or accepted, with the verdict of the chat.
    """

    missing: list[str]
    optional_missing: list[str]
    optional_to_blame: list[str]
    retired: list[str]
    lost: list[str]
    unusable: dict[str, Verdict]


def _sort_models(provider: Provider, listing: Listing, answers: Mapping[str, Verdict]) -> _Models:
    absent = [model.id for model in provider.models if model.id not in listing.ids]
    # What is not on a first page may be on the next one, so no optional model is known to be missing there.
    optional = [] if listing.has_more else [model_id for model_id in absent if model_id in provider.optional]
    unknown = [model_id for model_id, verdict in answers.items() if verdict.rejection == "unknown"]
    missing = [model_id for model_id in absent if model_id not in optional]
    missing += [model_id for model_id in unknown if model_id not in listing.ids]
    none_is_there = len(absent) == len(provider.models) and not provider.unlisted
    to_blame = optional if none_is_there else []
    retired = [model_id for model_id in dict.fromkeys((*missing, *to_blame, *unknown)) if model_id in RETIRED]
    return _Models(
        missing=missing,
        optional_missing=optional,
        optional_to_blame=to_blame,
        retired=retired,
        lost=[model_id for model_id in (*missing, *to_blame) if model_id not in retired],
        unusable={m: v for m, v in answers.items() if v.rejection and m not in missing and m not in retired},
    )


def _missing_verdict(models: _Models, listing: Listing, answers: Mapping[str, Verdict]) -> Verdict:
    """Return the verdict on models of which some are missing or retired."""
    not_accepted = [model_id for model_id in models.lost if model_id in answers]
    not_listed = ", ".join(model_id for model_id in models.lost if model_id not in answers)
    parts = [f"not listed: {not_listed}"] if not_listed else []
    if models.optional_to_blame:
        parts = [f"none of its models is listed: {not_listed}" if not_listed else "none of its models is listed"]
    parts += [f"{model_id} is neither listed nor accepted: {answers[model_id].message}" for model_id in not_accepted]
    parts += [f"{model_id} {describe_retirement(model_id, listing.ids)}" for model_id in models.retired]
    parts += _unusable_messages(models.unusable)
    message = "; ".join(parts)
    if models.lost:
        return Verdict("model_missing", message, listing.http_status, listing.latency_ms)
    first = answers.get(models.retired[0])
    # Where only a chat has shown it, its answer is the deciding one.
    deciding = first if first and all(model_id in answers for model_id in models.retired) else listing
    return Verdict("model_retired", message, deciding.http_status, deciding.latency_ms)


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
    optional_missing: list[str] | None = None,
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
        optional_missing=optional_missing or [],
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


def _suggest(model_id: str, listed: Sequence[str]) -> list[str]:
    """Return what to use instead of a missing model: the successor of a retired one, similar ids of another one."""
    if model_id in RETIRED:
        return [RETIRED[model_id].successor] if RETIRED[model_id].successor in listed else []
    return nearest(model_id, listed)


def _unusable_messages(unusable: Mapping[str, Verdict]) -> list[str]:
    return [
        f"the chat with {model_id} was rejected: {verdict.message}"
        if verdict.status == "request_refused"
        else f"{model_id} cannot be used: {verdict.message}"
        for model_id, verdict in unusable.items()
    ]


def _ok_message(provider: Provider, listing: Listing, chats: Mapping[str, Verdict] | None) -> str:
    names = ", ".join(model.id for model in provider.models if model.id in listing.ids)
    optional = ", ".join(model.id for model in provider.models if model.id not in listing.ids)
    message = f"listed: {names}" if names else f"the key is accepted; {_count(len(listing.ids))} listed"
    if optional:
        message = f"{message}; optional, not listed: {optional}"
    if chats:
        message = f"{message}; answered: {', '.join(chats)}"
    if provider.unlisted and chats is None:
        message = f"{message}; not checked without a chat: {', '.join(m.id for m in provider.unlisted)}"
    return message


def _count(models: int) -> str:
    return "1 model is" if models == 1 else f"{models} models are"


def _context_warnings(provider: Provider, listing: Listing) -> list[str]:
    return [
        f"{model.id}: contextWindow is {model.context_window}, but the endpoint's context_length is"
        f" {listing.contexts[model.id]}: longer conversations will fail"
        for model in (*provider.models, *provider.unlisted)
        if model.context_window is not None
        and model.context_window > listing.contexts.get(model.id, model.context_window)
    ]
