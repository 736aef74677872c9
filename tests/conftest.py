# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What holds for all tests: their order, which process of pytest-xdist gets which test, and how long one may take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

# No test depends on how busy the machine is.
settings.register_profile("any_machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any_machine")

# The tests of each of these files follow one fleet of gateways, in their order.
ONE_FLEET = (
    "tests/e2e/test_rollout_fleet.py",
    "tests/e2e/test_rollout.py",
    "tests/e2e/test_openclaw.py",
    "tests/e2e/test_listeners_against_product.py",
    "tests/e2e/test_report.py",
)


# In place of the groups of --dist=loadgroup: those of pytest-xdist 3.8 have no effect with pytest 9.2.
class Scheduling(LoadScopeScheduling):
    """Hand out single tests, but the files that share a fleet as a whole."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return path if path in ONE_FLEET else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling | None:
    return Scheduling(config, log) if config.getoption("dist") == "loadscope" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put what takes longest first, so that no process has to wait for it at the end."""

    def rank(item: pytest.Item) -> int:
        path = item.path.relative_to(config.rootpath).as_posix()
        return ONE_FLEET.index(path) if path in ONE_FLEET else len(ONE_FLEET)

    items.sort(key=rank)


@pytest.fixture(scope="session", autouse=True)
def _packed_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All runs of Ansible share the modules that they pack (tests/callbacks)."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CLAWFLEET_PAYLOADS", str(tmp_path_factory.mktemp("payloads")))
        environment.setenv("ANSIBLE_CALLBACK_PLUGINS", str(Path(__file__).with_name("callbacks")))
        environment.setenv("ANSIBLE_CALLBACKS_ENABLED", "keep_payloads")
        # Also those of one module, without a playbook.
        environment.setenv("ANSIBLE_LOAD_CALLBACK_PLUGINS", "true")
        yield
