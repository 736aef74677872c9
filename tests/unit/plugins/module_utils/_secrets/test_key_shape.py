# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import random
import string
import uuid

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import PRODUCTS
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.key_shape import (
    can_be_key,
    has_vendor_prefix,
    shape_of,
)
from hypothesis import given
from hypothesis import strategies as st

SHAPES = {
    "key": (
        "sk-now-0123456789",
        "sk-kimi-0123456789abcdef",
        "sk-Qw7hZ0pLmN3vXc9B",
        " sk-now-0123456789\n",
        "tvly-dev-A1b2C3d4",
        "0123456789abcdef.ABCDEFGHIJ",
        "0123456789ABCDEF0123456789ABCDEF",
        "550e8400-e29b-41d4-a716-446655440000",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
        "litellm-a8Kd93mZq0Lx72Pv",
    ),
    "name": (
        "MOONSHOT_API_KEY",
        "KIMI_API_KEY_2",
        "_KEY",
        "AKIAIOSFODNN7EXAMPLE",
        "KIMIPRODUCTION2026KEYS",
        "MOONSHOT_API_KEY,KIMICODE_API_KEY",
        "KEY",
    ),
    "reference": (
        "${MOONSHOT_API_KEY}",
        "$MOONSHOT_API_KEY",
        "$(pass show moonshot)",
        "`pass show moonshot`",
        "sk-${MOONSHOT_API_KEY}",
        "{{MOONSHOT_API_KEY}}",
        "{{ vault_moonshot }}",
        "Bearer {{ vault_moonshot }}",
        "%MOONSHOT_API_KEY%",
        "<%= key %>",
        "env:MOONSHOT_API_KEY",
        "ENV:X",
        "secretref:moonshot/key",
        "secretref-env:MOONSHOT_API_KEY",
        "secretref-managed",
        "op://vault/moonshot/0123456789abcdef0123",
        "file:///run/secrets/key",
        "oauth:moonshot",
        "/run/secrets/moonshot-0123456789abcdef",
        "~/keys/0123456789abcdef0123",
        "./key",
        "!security find-generic-password",
    ),
    "placeholder": (
        "YOUR_KEY",
        "YOUR_MOONSHOT_API_KEY",
        "sk-your-key-here",
        "your-api-key-0123456789abcdef",
        "sk-...",
        "sk-abcdefgh0123456789...",
        "sk-abc…xyz",
        "<key>",
        "<sk-0123456789abcdef>",
        "[your key]",
        "changeme",
        "change_me",
        "CHANGE-ME-0123456789",
        "xxx",
        "sk-xxxxxxxxxxxxxxxx",
        "XXXX-XXXX",
        "***",
        "sk-0000000000000000",
        "sk-aaaaaaaaaaaaaaaa",
        "insert-key-here",
        "sk-example-0123456789",
        "placeholder123456",
        "null",
        "removed",
        "REPLACE_ME",
    ),
    "other": (
        "",
        "moonshot_api_key",
        "moonshotApiKey",
        "ollama-local",
        "sk-not-to-be-shown",
        "sk-1",
        "sk-1234",
        "sk-team-key-2",
        "kimi-k2.7-code-highspeed",
        "claude-sonnet-4-20250514",
        "moonshot-production2026",
        "moonshotApiKeyForProduction2",
        "kimi_v1_v1_v1_v1_v1_v1",
        "correct horse battery staple 0123456789abcdef",
        "0123456789012345",
        "2026-01-24T12:00:00Z",
        "pässword0123456789abcdef",
        "hunter2",
    ),
}


@pytest.mark.parametrize(
    ("text", "expected"), [(text, shape) for shape, texts in SHAPES.items() for text in texts], ids=repr
)
def test_a_string_has_a_shape(text: str, expected: str) -> None:
    assert shape_of(text) == expected
    assert can_be_key(text) == (expected == "key")


def test_no_variable_of_a_product_can_be_a_key() -> None:
    names = {
        name
        for product in PRODUCTS.values()
        for known in (product.shell_variables, product.ignored_in_working_directory, *product.key_variables.values())
        for name in known
    }
    assert len(names) > 90
    assert [name for name in sorted(names) if shape_of(name) not in ("name", "placeholder")] == []


def test_no_provider_or_model_can_be_a_key() -> None:
    providers = {name for product in PRODUCTS.values() for name in product.built_in_providers}
    assert [name for name in sorted(providers) if can_be_key(name)] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [("sk-now-0123456789", True), ("AIzaSyD-9tSrke72PouQMnMX", True), ("0123456789abcdef0123", False), ("sk-1", False)],
)
def test_a_key_can_begin_like_those_of_a_vendor(text: str, expected: bool) -> None:
    assert has_vendor_prefix(text) == expected


ALPHABET = string.ascii_letters + string.digits


@pytest.mark.parametrize(
    ("prefix", "alphabet", "length"),
    [
        ("sk-", ALPHABET, 48),
        ("sk-kimi-", ALPHABET, 40),
        ("sk-", string.hexdigits[:16], 32),
        ("sk-proj-", ALPHABET + "-_", 60),
        ("", string.hexdigits[:16], 32),
        ("", ALPHABET, 40),
    ],
)
def test_random_keys_are_recognised(prefix: str, alphabet: str, length: int) -> None:
    generator = random.Random(1)  # noqa: S311 - the same keys in each run
    keys = [prefix + "".join(generator.choices(alphabet, k=length)) for _number in range(2000)]
    # One without a prefix may by chance be like words.
    assert sum(map(can_be_key, keys)) >= (2000 if prefix else 1990)


def test_random_ids_are_recognised() -> None:
    generator = random.Random(1)  # noqa: S311 - the same keys in each run
    assert all(can_be_key(str(uuid.UUID(int=generator.getrandbits(128)))) for _number in range(200))


WORDS = st.sampled_from(["kimi", "MOONSHOT", "Api", "key", "production", "Team", "v1", "k2", "2026", "S3"])


@given(st.lists(WORDS, min_size=1, max_size=8), st.sampled_from(["", "_", "-", "."]))
def test_words_cannot_be_a_key(words: list[str], separator: str) -> None:
    text = separator.join(words)
    if separator or len(words) < 3:
        assert not can_be_key(text), text


@given(st.text(max_size=60))
def test_every_string_has_a_shape(text: str) -> None:
    assert shape_of(text) == shape_of(f" {text}\n")
