# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The result of the module gateway_info, which role, report and rollout use."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Literal, TypedDict

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._endpoints.types import EndpointsInfo


class AccountInfo(TypedDict):
    """The account that the module runs as."""

    name: str
    uid: int
    home: str


class SourceInfo(TypedDict):
    """A place that sets an environment variable. `fingerprint`: of the value, None where it is not known."""

    place: str
    fingerprint: str | None


class VariableInfo(TypedDict):
    """One environment variable. `sources`: the first takes precedence.

    `in_process`: None where none runs, or where that is not known.
    """

    sources: list[SourceInfo]
    in_process: bool | None
    #: Those of the sources that take precedence over the managed `.env`.
    overriding_env: list[SourceInfo]


#: In place of the fingerprint of a key that cannot be read.
UNKNOWN = "unknown"


class OverrideInfo(TypedDict):
    """A key that the product uses for a provider in place of that of its environment variable."""

    kind: Literal["auth_profile", "variable"]
    #: The id of the auth profile, or the name of the environment variable.
    name: str
    place: str
    #: `UNKNOWN` where it cannot be read.
    fingerprint: str


class ProviderInfo(TypedDict):
    """One provider: its environment variable, and the keys that override it, in order of precedence."""

    variable: str
    overridden_by: list[OverrideInfo]


class KeyInfo(TypedDict):
    """The key of one provider. Fingerprints are empty where there is no key, and None where that is not known."""

    #: In the files, and in the process.
    stored: str | None
    in_process: str | None
    #: In the files before the last change.
    previous: str | None
    #: Days since a run first wrote the stored key; None where it was there before, or that is not known.
    age_days: int | None


class ModelProblem(TypedDict):
    """A use of a model that does not work, or would not after a run. `place`: of the config, a session or a job."""

    place: str
    model: str
    text: str


class ModelsInfo(TypedDict):
    """What is known of optional models, and of models that are used and not served."""

    #: Provider -> those of its optional models that the host does not get.
    left_out: dict[str, list[str]]
    #: Those of them, as `provider/model`, that the config has: a run removes them.
    removed: list[str]
    #: Uses of models that a run would take away: the host is rejected.
    blocked: list[ModelProblem]
    #: Uses of models that their endpoint does not list, or that the vendor has retired.
    unserved: list[ModelProblem]
    #: Why stored sessions or scheduled jobs could not be read: what they use is not known.
    unknown: list[str]
    #: What a run tells its user of optional models.
    notes: list[str]


class FilesInfo(TypedDict):
    """The files, compared with what they should contain."""

    #: Neither differs, and no run has left anything behind.
    up_to_date: bool
    config_changed: bool
    env_changed: bool
    keys_changed: bool
    #: An earlier run was not completed.
    unfinished: bool
    #: Why they cannot be compared; empty if they can.
    error: str


class _GatewayInfo(TypedDict):
    account: AccountInfo
    product: str
    version: str | None
    program: list[str]
    check_command: list[str]
    #: The executable that starts the gateway in place of Node; None if it is Node, or a wrapper that shows its Node.
    started_by: str | None
    #: Files that the gateway is started from, and that are gone from the disk.
    missing_files: list[str]
    #: Whether the process sees other files than this account; None where that is not known, or none runs.
    isolated: bool | None
    state_dir: str
    state_dir_exists: bool
    config_path: str
    env_path: str
    #: The file with the keys of providers: `env_path`, or the one beside it.
    key_file: str
    #: Those of the process, or of the next one; None where they are not known. As above where they lead there.
    process_state_dir: str | None
    process_config_path: str | None
    process_env_path: str | None
    service_name: str
    service_loaded: bool | None
    active_state: str | None
    #: Where it is asked: where its process listens, or as it is configured where that is not known.
    address: str
    port: int
    tls: bool
    #: Whether it is known where the process listens. None where none runs.
    listening: Literal["known", "unknown"] | None
    #: What answers there although the process does not run; empty if nothing does.
    port_taken_by: str
    answers: bool
    pid: int | None
    started: str | None
    #: Whether the environment of the process can be read. None where none runs.
    environment: Literal["known", "unknown"] | None
    restart_required: bool
    restart_reasons: list[str]
    #: What the product has done to the config that was written; empty where it has not replaced it.
    config_put_back: str
    #: Chosen models of the config that surely no provider serves.
    unserved_choices: list[ModelProblem]
    variables: dict[str, VariableInfo]
    providers: dict[str, ProviderInfo]
    #: By provider id.
    keys: dict[str, KeyInfo]
    #: Variable -> further variables of the managed `.env` with the same value.
    env_copies: dict[str, list[str]]
    #: Why a store of auth profiles could not be read: whether one overrides a key is not known.
    unreadable_stores: list[str]


class GatewayInfo(_GatewayInfo, total=False):
    """One gateway on its host. The documentation of the module describes each field."""

    models_missing: list[str]
    #: Why the gateway does not answer its own CLI; empty where it does. Not there where it was not called.
    call_error: str
    endpoints: EndpointsInfo
    files: FilesInfo
    models: ModelsInfo


def isoformat(seconds: float) -> str:
    """Return a time in seconds since the epoch as results and messages show it: in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
