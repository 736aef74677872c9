# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalogue agrees with what is known of the vendors, and is compared with a listing."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.vendor_models import RETIRED, THINKING

from tools import check_catalogue as tool
from tools.mock_server import PRODUCTS

CATALOGUE: dict[str, Any] = yaml.safe_load(tool.DEFAULTS.read_text(encoding="utf-8"))["providers_catalogue"]
VENDORS = {"moonshot": "moonshot-cn", "kimicode": "kimicode"}
ENTRY = {
    "env_var": "MOONSHOT_API_KEY",
    "optional_models": ["old", "moonshot-v1-8k"],
    "block": {
        "baseUrl": "https://api.moonshot.cn/v1",
        "api": "openai-completions",
        "models": [
            {"id": "a", "contextWindow": 1000},
            {"id": "b"},
            {"id": "old", "contextWindow": 50},
            {"id": "moonshot-v1-8k", "contextWindow": 8192},
        ],
    },
}
OPTIONAL = ("optional", "not listed: old, moonshot-v1-8k.")
RETIREMENT = "moonshot-v1-8k was retired by Moonshot on 2026-08-31; use kimi-k2.6."

LISTINGS: dict[str, tuple[dict[str, int | None], list[tuple[str, str]]]] = {
    "equal": ({"a": 1000, "b": 7}, [OPTIONAL]),
    "without contexts": ({"a": None, "b": None}, [OPTIONAL]),
    "with an optional model": ({"a": 1000, "b": 7, "old": 50}, [("optional", "not listed: moonshot-v1-8k.")]),
    "new": (
        {"a": 1000, "b": 7, "c": 2000, "d": None},
        [
            ("new", "c is listed with 2000 tokens, and is not in the catalogue."),
            ("new", "d is listed, and is not in the catalogue."),
            OPTIONAL,
        ],
    ),
    "gone": ({"a": 1000}, [("gone", "b is not listed."), OPTIONAL]),
    "another context": (
        {"a": 2000, "b": 7},
        [("different", "a has contextWindow 1000, and is listed with 2000 tokens."), OPTIONAL],
    ),
    "another context of an optional model": (
        {"a": 1000, "b": 7, "old": 51},
        [
            ("different", "old has contextWindow 50, and is listed with 51 tokens."),
            ("optional", "not listed: moonshot-v1-8k."),
        ],
    ),
    "retired and listed": (
        {"a": 1000, "b": 7, "old": 50, "moonshot-v1-8k": 8192},
        [("different", f"{RETIREMENT} It is listed all the same.")],
    ),
}


def listing(*models: Any, **more: Any) -> str:
    return json.dumps({"object": "list", "data": list(models), **more})


@pytest.mark.parametrize(("listed", "findings"), LISTINGS.values(), ids=LISTINGS)
def test_comparison(listed: dict[str, int | None], findings: list[tuple[str, str]]) -> None:
    assert list(tool.compare(ENTRY, listed)) == findings


def test_a_model_that_is_gone_and_known_to_be_retired() -> None:
    entry = {"block": {"models": [{"id": "moonshot-v1-8k"}]}}
    text = "moonshot-v1-8k is not listed. It was retired by Moonshot on 2026-08-31; use kimi-k2.6."
    assert list(tool.compare(entry, {})) == [("gone", text)]


@pytest.mark.parametrize("provider", VENDORS)
def test_the_catalogue_has_what_the_vendor_lists(provider: str) -> None:
    listed = {model.id: model.context for model in PRODUCTS[VENDORS[provider]].models}
    assert {finding.kind for finding in tool.compare(CATALOGUE[provider], listed)} <= {"optional"}


@pytest.mark.parametrize("provider", VENDORS)
def test_each_retired_model_of_the_catalogue_is_optional(provider: str) -> None:
    ids = {model["id"] for model in CATALOGUE[provider]["block"]["models"]}
    assert (ids & set(RETIRED)) - set(CATALOGUE[provider]["optional_models"]) == set()


@pytest.mark.parametrize("provider", VENDORS)
def test_the_models_of_the_catalogue_that_think_are_known(provider: str) -> None:
    models = CATALOGUE[provider]["block"]["models"]
    assert {model["id"] for model in models if model.get("reasoning")} == THINKING & {model["id"] for model in models}


FORM = 'The listing is not of the form {"data": [{"id": "..."}]}.'
NO_LISTINGS = {
    "HTML": ("\n <!DOCTYPE html><title>Sign in</title>", "The listing is an HTML page."),
    "no JSON": ('{"data": [', "The listing is not JSON."),
    "deep JSON": ("[" * 100000, "The listing is not JSON."),
    "empty": (" \n", "The listing is empty."),
    "a list": ("[]", FORM),
    "an error": ('{"error": {"message": "Invalid Authentication"}}', FORM),
    "ids alone": ('{"data": ["kimi-k3"]}', FORM),
    "an id that is a number": (listing({"id": "kimi-k3"}, {"id": 3}), FORM),
    "no models": (listing(), "The listing has no models."),
    "a first page": (listing({"id": "kimi-k3"}, has_more=True), "The listing is only a first page."),
}


@pytest.mark.parametrize(("text", "message"), NO_LISTINGS.values(), ids=NO_LISTINGS)
def test_what_is_no_listing(text: str, message: str) -> None:
    with pytest.raises(tool.CheckError) as raised:
        tool.parse_listing(text)
    assert str(raised.value) == message


def test_a_listing_with_contexts_of_any_kind() -> None:
    contexts = [262144, "262144", None, True, 2.5]
    text = listing({"id": "without"}, *({"id": str(n), "context_length": c} for n, c in enumerate(contexts)))
    assert tool.parse_listing(text) == {"without": None, "0": 262144, "1": None, "2": None, "3": None, "4": None}


URLS = {
    "OpenAI form": ("https://api.moonshot.cn/v1", "openai-completions", "https://api.moonshot.cn/v1/models"),
    "Anthropic form": ("https://api.kimi.com/coding/", "anthropic-messages", "https://api.kimi.com/coding/v1/models"),
    "loopback": ("http://127.0.0.1:8000/v1/", "openai-completions", "http://127.0.0.1:8000/v1/models"),
    "localhost": ("http://localhost/v1", "openai-completions", "http://localhost/v1/models"),
}


@pytest.mark.parametrize(("base_url", "api", "url"), URLS.values(), ids=URLS)
def test_the_url_of_the_listing(base_url: str, api: str, url: str) -> None:
    assert tool.listing_url(base_url, api) == url


URL_FORM = "The base URL is not of the form https://host/path."
BAD_URLS = {
    "no scheme": ("api.moonshot.cn/v1", URL_FORM),
    "a file": ("file:///etc/passwd", URL_FORM),
    "no host": ("https:///v1", URL_FORM),
    "no URL": ("https://[::1/v1", URL_FORM),
    "no port": ("https://host:port/v1", URL_FORM),
    "a password": ("https://user:sk-0123456789@host/v1", URL_FORM),
    "a query": ("https://host/v1?key=sk-0123456789", URL_FORM),
    "a line break": ("https://host/v1\n", URL_FORM),
    "clear text": ("http://host/v1", "The base URL http://host/v1 would send the key in clear text. Use https://."),
}


@pytest.mark.parametrize(("base_url", "message"), BAD_URLS.values(), ids=BAD_URLS)
def test_a_base_url_that_gets_no_key(base_url: str, message: str) -> None:
    with pytest.raises(tool.CheckError) as raised:
        tool.ask(ENTRY, base_url, {"MOONSHOT_API_KEY": "sk-0123456789"})
    assert str(raised.value) == message


NO_KEYS = {
    "not set": (None, "The environment variable MOONSHOT_API_KEY is not set. Set it, or give the listing as a file."),
    "blank": (" \n", "The environment variable MOONSHOT_API_KEY is not set. Set it, or give the listing as a file."),
    "two lines": (
        "sk-1234\nX: 1",
        "The environment variable MOONSHOT_API_KEY contains a character that a key cannot contain.",
    ),
    "quotes": (
        "\u201csk-1234\u201d",
        "The environment variable MOONSHOT_API_KEY contains a character that a key cannot contain.",
    ),
}


@pytest.mark.parametrize(("key", "message"), NO_KEYS.values(), ids=NO_KEYS)
def test_a_key_that_is_not_sent(key: str | None, message: str) -> None:
    with pytest.raises(tool.CheckError) as raised:
        tool.ask(ENTRY, None, {} if key is None else {"MOONSHOT_API_KEY": key})
    assert str(raised.value) == message


TODAY = listing(*(model.listed() for model in PRODUCTS["moonshot-cn"].models))
OPTIONAL_TODAY = "optional: not listed: kimi-k2.5, moonshot-v1-8k, moonshot-v1-32k, moonshot-v1-128k.\n"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr of the command."""
    code: Any = 0
    try:
        tool.main(arguments)
    except SystemExit as end:
        code = end.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "models.json"
    # As an editor on Windows saves it.
    file.write_text(f"\ufeff{TODAY}", encoding="utf-8")
    last = "The catalogue of moonshot is up to date: 4 models are listed.\n"
    assert run(capsys, "--provider", "moonshot", str(file)) == (0, OPTIONAL_TODAY + last, "")


def test_stdin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(TODAY.replace("kimi-k3", "kimi-k4")))
    new = "new: kimi-k4 is listed with 1048576 tokens, and is not in the catalogue.\n"
    gone = "gone: kimi-k3 is not listed.\n"
    assert run(capsys, "--provider", "moonshot", "-") == (1, new + gone + OPTIONAL_TODAY, "")


def test_files_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing, binary = tmp_path / "missing.json", tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, problem in ((missing, "cannot be read: No such file or directory"), (binary, "is not text in UTF-8")):
        error = f"check_catalogue: error: {path} {problem}.\n"
        assert run(capsys, "--provider", "moonshot", str(path)) == (2, "", error)


def test_an_unknown_provider(capsys: pytest.CaptureFixture[str]) -> None:
    code, output, error = run(capsys, "--provider", "openai")
    assert (code, output) == (2, "")
    assert "argument --provider: invalid choice: 'openai'" in error
