# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Whether a gateway is healthy: it answers, on its current files, and lists its models."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.models import (
    ModelUse,
    choices_of_unknown_providers,
    provider_id,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.client import Gateway
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.locate import Paths
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._product.table import (
    LIST_MODELS_ARGS,
    LIST_MODELS_METHOD,
    Product,
)

from .listener import ask
from .state import Observation, Service, observe

_POLL_SECONDS = 0.25
# Observing takes CPU from a gateway that is starting: do it only this often, unless its port begins to answer.
_OBSERVE_SECONDS = 2.0
# A gateway that systemd has restarted this often while it is waited for does not come up. Once or twice is normal: at
# OpenClaw's first start on the files of Clawdbot, and while the old process still has the port.
_GIVE_UP_AFTER_RESTARTS = 5
_LISTING_SECONDS = 60.0
# It changes nothing. After `models.list`, a gateway would list the models that it had then (table.py).
_CALLED_METHOD = "health"
_CALL_SECONDS = 30.0


def wait_until_healthy(
    product: Product, paths: Paths, service: Service, names: Sequence[str], wait: float
) -> Observation:
    """Return the state of a gateway as soon as it is healthy, or cannot become so, at the latest after `wait` seconds.

    `names`: the environment variables that matter. A unit that systemd has restarted five times meanwhile is given up.
    """
    deadline = time.monotonic() + wait
    restarts = None
    while True:
        seen = observe(product, paths, service, names)
        # The counter begins again where someone starts the unit meanwhile.
        restarts = min(seen.restarts, seen.restarts if restarts is None else restarts)
        given_up = seen.restarts - restarts >= _GIVE_UP_AFTER_RESTARTS
        if not may_become_healthy(seen) or given_up or time.monotonic() >= deadline:
            return seen
        _pause(seen, product, min(deadline, time.monotonic() + _OBSERVE_SECONDS))


def may_become_healthy(seen: Observation) -> bool:
    """Return whether waiting can help: the gateway is not healthy yet, and its unit has not failed for good."""
    if seen.process is None and seen.unit is not None and seen.unit.active_state == "failed":
        return False
    return not seen.answers or bool(seen.restart_reasons)


def missing_models(paths: Paths, gateway: Gateway, seen: Observation, wanted: Sequence[str]) -> list[str]:
    """Return those of the wanted `provider/model` that the gateway does not list; all while it does not answer.

    Raises `ClawdbotError` where the gateway answers, but does not list its models.
    """
    if not seen.answers or seen.process is None:
        return list(wanted)
    listed = parse_models(gateway.call(LIST_MODELS_METHOD, {}, _LISTING_SECONDS))
    missing = [model for model in wanted if model not in listed]
    # A gateway lists what it knew when it was first asked. Models that were added to its config since work as well.
    if missing and _changed_since(seen.process.started, paths.config):
        listed = parse_models(gateway.run(LIST_MODELS_ARGS, _LISTING_SECONDS))
    return [model for model in missing if model not in listed]


def call_error(gateway: Gateway) -> str:
    """Return why a gateway that answers does not accept a call of its own CLI; empty where it does."""
    try:
        gateway.call(_CALLED_METHOD, {}, _CALL_SECONDS)
    except ClawdbotError as exc:
        return str(exc)
    return ""


def unserved_choices(product: Product, gateway: Gateway, config: Any) -> list[ModelUse]:
    """Return the chosen models of a config that surely no provider serves.

    Their provider is neither in the config nor one that the product knows, and the CLI lists no model of it, as it does
    for a provider of a plugin. A model that the block of its provider lacks may be served: the product asks for it.
    """
    spellings = product.provider_spellings
    found = list(choices_of_unknown_providers(config, product.built_in_providers, spellings))
    if not found:
        return []
    try:
        listed = parse_models(gateway.run(LIST_MODELS_ARGS, _LISTING_SECONDS))
    except ClawdbotError:
        # Nothing is known then.
        return []
    providers = {provider_id(model.partition("/")[0], spellings) for model in listed}
    return [use for use in found if listed and provider_id(use.model.partition("/")[0], spellings) not in providers]


def parse_models(listing: Any) -> set[str]:
    """Return the `provider/model` in an answer to one of the product's two commands that list models."""
    models = listing.get("models") if isinstance(listing, dict) else None
    entries = [entry for entry in models if isinstance(entry, dict)] if isinstance(models, list) else []
    return {str(entry.get("key", f"{entry.get('provider')}/{entry.get('id')}")) for entry in entries}


def _pause(seen: Observation, product: Product, until: float) -> None:
    """Wait until the port begins or ceases to answer, at the latest until the monotonic time `until`."""
    while time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
        answer = ask(seen.listener.host, seen.listener.port, product.health_path)
        if (answer is not None) is not seen.answers:
            return


def _changed_since(moment: float, path: str) -> bool:
    try:
        return os.stat(path).st_ctime >= moment
    except OSError:
        return False
