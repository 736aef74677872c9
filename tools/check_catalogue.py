# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the catalogue of the role `providers` with the models that an endpoint lists.

The listing is the JSON of `GET /models`: a file, or - for stdin. Without it, the endpoint is asked, with the key in the
provider's environment variable (MOONSHOT_API_KEY, KIMICODE_API_KEY).

The exit code is 0 if nothing is new, gone or different, 1 if something is, and 2 if the comparison is impossible.
"""

from __future__ import annotations

import argparse
import http.client
import ipaddress
import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

# By the path in the clone: tools run without an installed collection.
from plugins.module_utils._endpoints.vendor_models import RETIRED, describe_retirement
from tools.cache import ROOT

DEFAULTS = ROOT / "roles" / "providers" / "defaults" / "main.yml"
_TIMEOUT = 30.0
# Bytes. A listing of some hundred models is a few hundred kilobytes.
_MAX_BODY = 2 * 1024 * 1024
_SENDABLE = re.compile(r"[!-~]+")
# Keys and account ids: endpoints show them in their errors.
_LOOKS_SECRET = re.compile(r"\b(?:sk|ak|org)-[^\s'\"<>]{4,}")


class CheckError(Exception):
    """Why the comparison is impossible, as a sentence."""


class Finding(NamedTuple):
    """One line of the result. `kind`: new, gone, different or optional."""

    kind: str
    text: str


def main(arguments: Sequence[str] | None = None) -> None:
    catalogue: dict[str, Any] = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))["providers_catalogue"]
    summary, _blank, description = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="check_catalogue",
        description=summary,
        epilog=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--provider", required=True, choices=list(catalogue), help="provider of the catalogue")
    parser.add_argument("--base-url", help="ask this base URL, for example of another region (default: the block's)")
    parser.add_argument(
        "listing", nargs="?", help="file with the listing, - for stdin; without it, the endpoint is asked"
    )
    options = parser.parse_args(arguments)
    entry = catalogue[options.provider]
    try:
        listed = parse_listing(read(options.listing) if options.listing else ask(entry, options.base_url, os.environ))
    except CheckError as error:
        parser.exit(2, f"{parser.prog}: error: {error}\n")
    findings = list(compare(entry, listed))
    for finding in findings:
        print(f"{finding.kind}: {finding.text}")
    if any(finding.kind != "optional" for finding in findings):
        sys.exit(1)
    print(f"The catalogue of {options.provider} is up to date: {len(listed)} models are listed.")


def compare(entry: Mapping[str, Any], listed: Mapping[str, int | None]) -> Iterator[Finding]:
    """Yield how an entry of the catalogue and a listing differ. `listed`: id -> context in tokens, if it is known."""
    models = {model["id"]: model for model in entry["block"]["models"]}
    optional = entry.get("optional_models", [])
    for model_id, context in listed.items():
        if model_id not in models:
            yield Finding("new", f"{model_id} is listed{_tokens(context)}, and is not in the catalogue.")
    for model_id in models:
        if model_id not in listed and model_id not in optional:
            reason = describe_retirement(model_id)
            yield Finding("gone", f"{model_id} is not listed.{f' It {reason}.' if reason else ''}")
    for model_id, context in listed.items():
        declared = models.get(model_id, {}).get("contextWindow")
        if None not in (declared, context) and declared != context:
            yield Finding("different", f"{model_id} has contextWindow {declared}, and is listed with {context} tokens.")
        if model_id in RETIRED:
            yield Finding("different", f"{model_id} {describe_retirement(model_id)}. It is listed all the same.")
    missing = [model_id for model_id in optional if model_id not in listed]
    if missing:
        yield Finding("optional", f"not listed: {', '.join(missing)}.")


def _tokens(context: int | None) -> str:
    return "" if context is None else f" with {context} tokens"


def parse_listing(text: str) -> dict[str, int | None]:
    """Return id -> context in tokens, of each model in the JSON of a listing. Raises `CheckError` for anything else."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        what = "an HTML page" if text.lstrip().startswith("<") else "not JSON" if text.strip() else "empty"
        raise CheckError(f"The listing is {what}.") from None
    models = document.get("data") if isinstance(document, dict) else None
    if not isinstance(models, list) or not all(isinstance(m, dict) and isinstance(m.get("id"), str) for m in models):
        raise CheckError('The listing is not of the form {"data": [{"id": "..."}]}.')
    if not models:
        raise CheckError("The listing has no models.")
    if document.get("has_more") is True:
        raise CheckError("The listing is only a first page.")
    lengths = {model["id"]: model.get("context_length") for model in models}
    # JSON's true and false are integers in Python.
    return {
        name: length if isinstance(length, int) and not isinstance(length, bool) else None
        for name, length in lengths.items()
    }


def read(path: str) -> str:
    """Return the content of a file, or of stdin for -. Raises `CheckError` if it cannot be read."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CheckError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError:
        raise CheckError(f"{path} is not text in UTF-8.") from None


def ask(entry: Mapping[str, Any], base_url: str | None, environment: Mapping[str, str]) -> str:
    """Return what an endpoint answers to the request for its models. Raises `CheckError` if it is no success."""
    url = listing_url(base_url or entry["block"]["baseUrl"], entry["block"]["api"])
    name = entry["env_var"]
    key = environment.get(name, "").strip()
    if not key:
        raise CheckError(f"The environment variable {name} is not set. Set it, or give the listing as a file.")
    if not _SENDABLE.fullmatch(key):
        raise CheckError(f"The environment variable {name} contains a character that a key cannot contain.")
    try:
        status, body = _get(url, {"Authorization": f"Bearer {key}", "User-Agent": "check_catalogue"})
    except (OSError, http.client.HTTPException) as error:
        reason = _shown(str(getattr(error, "reason", error)), key) or type(error).__name__
        raise CheckError(f"{url} did not answer: {reason}.") from None
    if status != 200:
        reason = _shown(_error_text(body), key)
        raise CheckError(f"{url} answered {status}{reason and f': {reason}'}.")
    if len(body) > _MAX_BODY:
        raise CheckError(f"{url} answered with more data than a list of models has.")
    return body.decode("utf-8-sig", "replace")


def _get(url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Return status and body of an answer, the body with one byte more than it may have at most."""
    # No proxy gets a request in clear text, which is for this machine itself.
    handlers = [_NoRedirect(), *([urllib.request.ProxyHandler({})] if url.startswith("http:") else [])]
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310  (`listing_url` has checked the scheme)
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=_TIMEOUT) as response:
            return response.status, response.read(_MAX_BODY + 1)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(_MAX_BODY + 1)


def listing_url(base_url: str, api: str) -> str:
    """Return the URL of the listing. Raises `CheckError` where the key would be sent in clear text, or to no host."""
    try:
        parts = urllib.parse.urlsplit(base_url)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url or not _SENDABLE.fullmatch(base_url) or re.search(r"[@?#]", base_url):
        # A URL with a user name has a password in it, so it is not shown.
        raise CheckError("The base URL is not of the form https://host/path.")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise CheckError(f"The base URL {base_url} would send the key in clear text. Use https://.")
    return f"{base_url.rstrip('/')}/{'v1/models' if api == 'anthropic-messages' else 'models'}"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the key stays at the host that it is meant for."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def _error_text(body: bytes) -> str:
    """Return the text of an API error, `{"error": {"message": …}}`, or an empty string."""
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, RecursionError, LookupError, TypeError):
        return ""


def _shown(text: str, key: str) -> str:
    """Return a text of a server as a clause: printable, on one line, without the key and what looks like one."""
    text = _LOOKS_SECRET.sub("<redacted>", text.replace(key, "<redacted>"))
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300].rstrip(".")


if __name__ == "__main__":
    main()
