# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Requests to an endpoint: what is asked, and what must not be asked."""

from __future__ import annotations

import ipaddress
import json
import urllib.parse
from collections.abc import Iterable

from .providers import first_unsendable
from .types import ANTHROPIC, Headers, Listing, Model, NoAnswer, Provider, Request, Verdict

#: What `ansible.module_utils.urls.get_user_agent` returns: sent unless the provider has its own.
USER_AGENT = "ansible-httpget"
# The API version that Anthropic's protocol requires in each request.
_ANTHROPIC_VERSION = "2023-06-01"
_CHARACTER_NAMES = {"\n": "a line feed", "\r": "a carriage return", "\t": "a tab", " ": "a space"}


# What must not be asked


def reject(provider: Provider, allow_insecure_http: bool) -> Verdict | None:
    """Return why the provider must not be asked, or None."""
    if not provider.api_key:
        return Verdict("key_missing", "the API key is missing")
    where = first_unsendable(provider.api_key)
    if where is not None:
        character = provider.api_key[where]
        what = _CHARACTER_NAMES.get(character) or (
            "white space"
            if character.isspace()
            else "outside Latin-1"
            if ord(character) > 0xFF
            else "a control character"
        )
        position = f"character {where + 1} of {len(provider.api_key)}"
        return Verdict("key_malformed", f"{position} of the API key is {what}, which an HTTP header cannot hold")
    problem = base_url_problem(provider.base_url)
    if problem:
        return Verdict("wrong_base_url", f"base_url {problem}; nothing was sent", advice="base_url_form")
    url = urllib.parse.urlsplit(provider.base_url)
    if url.scheme == "http" and not is_loopback(url.hostname or "") and not allow_insecure_http:
        return Verdict("insecure_url", f"base_url is http://, so the key would be sent to {url.netloc} in clear text")
    return None


def base_url_problem(base_url: str) -> str | None:
    """Return why a string is not a base URL, as a clause after "base_url", or None. It shows nothing of the string."""
    if any(not "\x20" < character < "\x7f" for character in base_url):
        return "contains a character that a URL cannot contain unescaped"
    try:
        url = urllib.parse.urlsplit(base_url)
        port = url.port
    except ValueError:
        return "is not a URL"
    if url.scheme not in ("http", "https"):
        return "does not start with http:// or https://"
    if "@" in url.netloc:
        return "contains a user name or password, which belongs in api_key or headers"
    if not url.hostname or port == 0:
        return "has no host and port to connect to"
    if "?" in base_url or "#" in base_url:
        return "contains a query or a fragment"
    return None


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine itself, without a name lookup."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of a URL. Raises `ValueError` if it is not a URL."""
    parts = urllib.parse.urlsplit(url)
    port = parts.port if parts.port is not None else {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port


def redirect_target(url: str, method: str, status: int, location: str | None) -> str | NoAnswer | None:
    """Return the target of a redirect that may be followed, the outcome of any other one, None without a redirect.

    The key stays at the origin that it is meant for. A redirect that turns a chat into a GET is not followed.
    """
    if status not in (301, 302, 303, 307, 308) or not location:
        return None
    try:
        target = urllib.parse.urljoin(url, location)
        scheme, host, port = origin(target)
    except ValueError:
        return NoAnswer("redirect", detail="something that is not a URL", http_status=status)
    parts = urllib.parse.urlsplit(target)
    same_method = method == "GET" or status in (307, 308)
    if (scheme, host, port) == origin(url) and "@" not in parts.netloc and same_method:
        return target
    # A user name and a query can be secret, so neither is shown.
    netloc = parts.netloc.rpartition("@")[2]
    return NoAnswer("redirect", detail=f"{parts.scheme}://{netloc}{parts.path}", http_status=status)


# What is asked


def listing_request(provider: Provider) -> Request:
    """Return the request for the models.

    Anthropic's protocol lists below `/v1` with `x-api-key`; Kimi Code documents the listing of its Anthropic-style base
    with `Authorization`, so both are sent there.
    """
    own: list[tuple[str, str]] = [("User-Agent", USER_AGENT), ("Authorization", f"Bearer {provider.api_key}")]
    path = "models"
    if provider.api == ANTHROPIC:
        own += [("X-Api-Key", provider.api_key), ("Anthropic-Version", _ANTHROPIC_VERSION)]
        path = "v1/models"
    return Request("GET", _below(provider.base_url, path), _merge_headers(own, provider.headers))


def chat_request(provider: Provider, model: Model) -> Request:
    """Return the request for a chat of one token, as Clawdbot and OpenClaw send it."""
    chat = {"model": model.id, "messages": [{"role": "user", "content": "test"}], "max_tokens": 1, "stream": False}
    own: list[tuple[str, str]] = [("User-Agent", USER_AGENT), ("Content-Type", "application/json")]
    if provider.api == ANTHROPIC:
        path = "v1/messages"
        own += [("X-Api-Key", provider.api_key), ("Anthropic-Version", _ANTHROPIC_VERSION)]
    else:
        path = "chat/completions"
        own += [("Authorization", f"Bearer {provider.api_key}")]
    headers = _merge_headers(own, provider.headers, model.headers)
    return Request("POST", _below(provider.base_url, path), headers, json.dumps(chat).encode(), model.id)


def _below(base_url: str, path: str) -> str:
    return f"{base_url.rstrip('/')}/{path}"


def _merge_headers(*layers: Iterable[tuple[str, str]]) -> Headers:
    """Merge headers by name, whatever its case. A later layer takes precedence, as in Clawdbot and OpenClaw."""
    merged = {name.lower(): (name, value) for layer in layers for name, value in layer}
    return tuple(merged.values())


def has_own_agent(request: Request) -> bool:
    """Return whether a request identifies the client that sends it, not the one that the provider block configures."""
    return any(name.lower() == "user-agent" and value == USER_AGENT for name, value in request.headers)


def models_to_chat(provider: Provider, listing: Listing) -> list[Model]:
    """Return the models to chat with: all except those that the listing shows to be missing."""
    return [*(model for model in provider.models if model.id in listing.ids), *provider.unlisted]
