# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Models that a config names and that nobody provides."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .provider_changes import MODELS, PROVIDERS, chosen_models, listed_models, model_choices
from .removal import model_aliases, model_provider
from .tree import at, elements, members


@dataclass(frozen=True)
class Dangling:
    """A place of the config, and the C(provider/model) that it names."""

    place: str
    model: str
    message: str

    def as_result(self) -> dict[str, str]:
        """The model as a module returns it."""
        return asdict(self)


def dangling_models(
    config: dict[str, Any], known: Mapping[str, Collection[str]], built_in: Collection[str]
) -> Iterator[Dangling]:
    """The default, fallback and other chosen models, and the aliases, whose model is in no provider block.

    C(known) is what the product itself has put together, provider to ids of models: of a provider that it brings along,
    it may be more than the block has. A provider of C(built_in) without a block is not judged.
    """
    aliases = model_aliases(config)
    blocks = {name.strip().lower(): block for name, block in members(config, PROVIDERS).items()}
    for place, name in _named(config):
        ref = name if "/" in name else aliases.get(name.lower(), name)
        provider = model_provider(name, aliases).strip().lower()
        model = ref.partition("/")[2] or ref
        if provider in blocks:
            if model in {*_ids(blocks[provider]), *known.get(provider, ())}:
                continue
            reason = f"the block of {provider} has no such model"
        elif provider in built_in or model in known.get(provider, ()):
            continue
        else:
            reason = f"no provider {provider} is there"
        meant = "" if ref == name else f", which is {ref}"
        yield Dangling(place, ref, f"{place} names {name}{meant}, and {reason}.")


def _named(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for place, choice in model_choices(config):
        primary, fallbacks = chosen_models(choice)
        if primary:
            yield place, primary
        yield from ((f"{place}.fallbacks", name) for name in fallbacks)
    for ref, entry in listed_models(config).items():
        alias = at(entry, ("alias",))
        if isinstance(alias, str) and alias.strip():
            yield f"the alias {alias.strip()} in {'.'.join(MODELS)}", ref.strip()


def _ids(block: Any) -> Iterator[str]:
    for model in elements(block, ("models",)):
        identifier = at(model, ("id",))
        if isinstance(identifier, str):
            yield identifier.strip()
