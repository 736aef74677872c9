# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The one table of what differs between the products that a gateway can be.

Everything that the collection knows about a product by name (package, paths, unit, environment variables, config check,
health, installation) is a field here; long lists of names are in `names.py`. A new product is a new row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import names, node_snippets

# The same in all products so far.

#: Where a gateway listens unless told otherwise.
DEFAULT_PORT = 18789
#: The scripts of a package that start the CLI, besides those that its package.json names. Units run them.
ENTRY_SCRIPTS = ("dist/entry.js", "dist/index.js", "dist/entry.mjs")
#: The agent whose auth profiles all other agents have as well.
MAIN_AGENT = "main"
#: State directories of Moltbot, as Clawdbot was called before OpenClaw. npm has no package of it that runs.
MOLTBOT_STATE_DIRS = ("~/.moltbot", "~/.moldbot")
MOLTBOT_CONFIG = "moltbot.json"
#: The method by which a running gateway lists its models. It repeats its first answer until it is restarted, even where
#: blocks were added since; the command lists them from the config.
LIST_MODELS_METHOD = "models.list"
LIST_MODELS_ARGS = ("models", "list", "--all", "--json")


@dataclass(frozen=True)
class Install:
    """How npm installs a product; the values are those of `version`."""

    #: The version that is installed by default. A lock file pins its dependencies (`Product.lock_name`).
    version: str
    #: The CLI's script in the package.
    entry: str
    #: The Node that it runs on, as its package.json says: each from a version, and below a version that may be empty.
    node_versions: tuple[tuple[str, str], ...]
    #: The Node for npm, where npm has to install one.
    node_range: str
    #: What it needs and its package.json does not declare.
    dependencies: Mapping[str, str]
    #: Packages that are taken from elsewhere than its package.json says.
    overrides: Mapping[str, str]
    #: Whether its package is complete only after its own scripts. Those of its dependencies never run.
    own_scripts: bool
    #: What a start of a newer version may convert so that an older one rejects it, below the state directory.
    converted_state: tuple[str, ...]
    #: Settings of `[Service]` in its unit.
    service_settings: tuple[str, ...]
    #: Whether its CLI installs an exact version of a plugin.
    pins_plugins: bool
    #: Whether it opens files with the system call openat2, which a unit with `RestrictSUIDSGID=` does not have.
    opens_with_openat2: bool
    #: The plugins that it asks npm for at each start, as soon as a provider of the catalogue is configured.
    requested_plugins: tuple[str, ...]


@dataclass(frozen=True)
class Product:
    """Facts about one product; the values were seen on the version that the docs name."""

    #: The npm package, and the name of its CLI.
    name: str
    #: Its name in prose.
    title: str

    # Paths.
    #: The state directory; `~` is the home of the account that the gateway runs under.
    state_dir: str
    #: The config's file name in the state directory, then older names that it also reads there: the first that exists.
    config_names: tuple[str, ...]
    #: Files below a state directory that this product has used, and no product before it. Empty for the first product,
    #: whose state directory the later ones take over.
    marker_files: tuple[str, ...]
    #: A running gateway keeps `<temporary directory>/<this>-<uid>/gateway.<hash>.lock` with its process id in it. The
    #: temporary directory is the system's, or `tmp` in the state directory.
    lock_dir_prefix: str
    #: Where it writes its log unless told otherwise, as a pattern.
    log_files: str

    # Environment and service.
    #: Its environment variables begin with this and `_`; the properties below name them.
    variable_prefix: str
    #: Whether `--profile` is also taken after the command `gateway`.
    profile_after_command: bool
    #: The systemd unit that the product's own `gateway install` writes.
    unit: str
    #: Units that products before it have written, under which it can still run.
    older_units: tuple[str, ...]
    #: A path that is answered once the gateway is up.
    health_path: str

    # CLI.
    #: A command that exits 1 where the config is invalid, with the problem on stderr as text or on stdout as JSON. Its
    #: answer depends on the validity of the file alone.
    check_args: tuple[str, ...]
    #: The first version that has the command; empty if all have it.
    checks_config_since: str
    #: The Node script that does the same for less, empty where there is none; likewise for `gateway call`.
    check_script: str
    call_script: str
    #: Whether `gateway call --url` sends the token of the gateway's own files. Otherwise the port on 127.0.0.1 is
    #: called, on which the product always listens.
    calls_url: bool
    #: Whether the answer to a chat message is an error where the provider has rejected it, or answered with nothing.
    #: Otherwise only the transcript of its session contains that.
    reports_failed_chats: bool
    #: The method of a running gateway that makes it read the keys again that the config refers to in files; empty where
    #: the config cannot refer to files.
    reload_method: str
    #: The command that removes an auth profile from its database, followed by the profile's id.
    logout_args: tuple[str, ...]

    #: Whether it asks providers through the proxy that its environment variables name.
    uses_proxies: bool

    # Names.
    #: The providers that it knows without a block in the config, by itself or by a plugin that it offers.
    built_in_providers: frozenset[str]
    #: Provider -> the environment variables in which it looks for the provider's key, in this order, before it takes
    #: the config's `apiKey`.
    key_variables: Mapping[str, tuple[str, ...]]
    #: Whether it follows references to a key in auth profiles. Otherwise it sends them in place of a key.
    profile_references: bool
    #: Other spellings of a provider's name.
    provider_spellings: Mapping[str, str]
    #: What it does not take from `.env` in the working directory.
    ignored_in_working_directory: frozenset[str]
    #: A file from which it takes variables after `.env` in its default state directory, and the variable with the names
    #: for which both files take precedence over its service's own environment; empty where it has none.
    gateway_env_file: str
    #: Whether it reads `.env` beside the config too, where it was told of that and not of the state directory.
    reads_env_beside_config: bool
    service_names_variable: str
    #: What it takes from a login shell where the config, or `shell_env_variable`, says so.
    shell_variables: frozenset[str]
    #: Whether an environment variable makes it reject its own writes to the config.
    config_can_be_readonly: bool

    install: Install

    @property
    def state_dir_variable(self) -> str:
        """The environment variable that moves the state directory."""
        return f"{self.variable_prefix}_STATE_DIR"

    @property
    def home_variable(self) -> str:
        """The environment variable that takes the place of HOME."""
        return f"{self.variable_prefix}_HOME"

    @property
    def config_path_variable(self) -> str:
        """The environment variable that moves the config."""
        return f"{self.variable_prefix}_CONFIG_PATH"

    @property
    def port_variable(self) -> str:
        """The environment variable that moves the port."""
        return f"{self.variable_prefix}_GATEWAY_PORT"

    @property
    def token_variable(self) -> str:
        """The environment variable with the token of clients, where the config's `gateway.auth.token` has none."""
        return f"{self.variable_prefix}_GATEWAY_TOKEN"

    @property
    def password_variable(self) -> str:
        """The environment variable with the password of clients, where the config's `gateway.auth` has none."""
        return f"{self.variable_prefix}_GATEWAY_PASSWORD"

    @property
    def shell_env_variable(self) -> str:
        """The environment variable that makes it take variables from a login shell (its config/io.js)."""
        return f"{self.variable_prefix}_LOAD_SHELL_ENV"

    @property
    def profiles_in_databases(self) -> bool:
        """Whether auth profiles are in databases. Otherwise they are in a file of each agent."""
        return bool(self.logout_args)

    def backend_problem(self, backend: str) -> str:
        """Return why keys cannot be kept where the backend keeps them; empty if they can."""
        if backend == "env" or self.reload_method:
            return ""
        return (
            f"providers_secret_backend is {backend}, but {self.title} takes only strings as `apiKey`, and reads keys "
            "only at its start. Set it to env."
        )

    @property
    def readonly_variable(self) -> str:
        """The environment variable with which it writes no config, empty where it has none."""
        return f"{self.variable_prefix}_CONFIG_READONLY" if self.config_can_be_readonly else ""

    @property
    def lock_name(self) -> str:
        """The name of the lock file of the default version."""
        return f"{self.name}-{self.install.version}.lock.json"

    def package_json(self, version: str) -> dict[str, Any]:
        """Return the package.json with which npm installs a version."""
        return {
            "private": True,
            "dependencies": {self.name: version, **self.install.dependencies},
            "overrides": {**self.install.overrides},
        }

    def runs_on_node(self, version: str) -> bool:
        """Whether the default version runs on a version of Node, which is numbers with dots."""
        return any(
            _numbers(first) <= _numbers(version) and (not end or _numbers(version) < _numbers(end))
            for first, end in self.install.node_versions
        )

    @property
    def node_prose(self) -> str:
        """The versions of Node in prose."""
        ranges = [f"{first} or later" + (f" below {end}" if end else "") for first, end in self.install.node_versions]
        return ", or ".join(ranges)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


#: From the oldest to the newest.
PRODUCTS: Mapping[str, Product] = {
    "clawdbot": Product(
        name="clawdbot",
        title="Clawdbot",
        state_dir="~/.clawdbot",
        config_names=("clawdbot.json",),
        marker_files=(),
        lock_dir_prefix="clawdbot",
        log_files="/tmp/clawdbot/*.log",  # noqa: S108 - the product's own place
        variable_prefix="CLAWDBOT",
        profile_after_command=False,
        unit="clawdbot-gateway",
        older_units=(),
        health_path="/",
        # A setting to which the product gives a default.
        check_args=("config", "get", "agents.defaults.maxConcurrent"),
        checks_config_since="",
        check_script=node_snippets.CHECK_CONFIG,
        call_script=node_snippets.CALL_CLAWDBOT,
        calls_url=True,
        reports_failed_chats=False,
        uses_proxies=False,
        reload_method="",
        logout_args=(),
        built_in_providers=names.CLAWDBOT_PROVIDERS,
        key_variables=names.CLAWDBOT_KEY_VARIABLES,
        profile_references=False,
        provider_spellings=names.CLAWDBOT_SPELLINGS,
        ignored_in_working_directory=frozenset(),
        gateway_env_file="",
        reads_env_beside_config=False,
        service_names_variable="",
        shell_variables=names.CLAWDBOT_SHELL_VARIABLES,
        config_can_be_readonly=False,
        install=Install(
            version="2026.1.24-3",
            entry="dist/entry.js",
            node_versions=(("22.12.0", ""),),
            node_range="22",
            dependencies={"strip-ansi": "^7"},
            # Its package.json names an address of a git repository.
            overrides={"libsignal": "npm:libsignal-node@2.0.1"},
            own_scripts=False,
            converted_state=(),
            service_settings=("TimeoutStopSec=30",),
            opens_with_openat2=False,
            pins_plugins=False,
            requested_plugins=(),
        ),
    ),
    "openclaw": Product(
        name="openclaw",
        title="OpenClaw",
        state_dir="~/.openclaw",
        # A directory that it has taken over from Clawdbot keeps the old name of its config.
        config_names=("openclaw.json", "clawdbot.json"),
        marker_files=("openclaw.json", "state/openclaw.sqlite"),
        lock_dir_prefix="openclaw",
        log_files="/tmp/openclaw/*.log",  # noqa: S108 - the product's own place
        variable_prefix="OPENCLAW",
        profile_after_command=True,
        unit="openclaw-gateway",
        older_units=("clawdbot-gateway", "moltbot-gateway"),
        health_path="/healthz",
        check_args=("config", "validate", "--json"),
        checks_config_since="2026.3.2",
        check_script="",
        call_script=node_snippets.CALL_OPENCLAW,
        calls_url=False,
        reports_failed_chats=True,
        uses_proxies=True,
        reload_method="secrets.reload",
        logout_args=("models", "auth", "logout", "--yes"),
        built_in_providers=names.OPENCLAW_PROVIDERS,
        key_variables={},
        profile_references=True,
        provider_spellings={},
        ignored_in_working_directory=names.OPENCLAW_PROVIDER_VARIABLES | names.OPENCLAW_OWN_VARIABLES,
        gateway_env_file="~/.config/openclaw/gateway.env",
        reads_env_beside_config=True,
        service_names_variable="OPENCLAW_SERVICE_MANAGED_ENV_KEYS",
        shell_variables=names.OPENCLAW_SHELL_VARIABLES,
        config_can_be_readonly=True,
        install=Install(
            version="2026.9.6",
            entry="openclaw.mjs",
            node_versions=(("24.16.0", "25"), ("26.1.0", "")),
            node_range="24",
            dependencies={},
            overrides={},
            own_scripts=True,
            # Databases with a schema, also of what was in files before, and installed plugins.
            converted_state=("state", "agents", "npm"),
            # As in the unit of its own installation. It exits with 78 where the config or the state is not usable.
            service_settings=("RestartPreventExitStatus=78", "SuccessExitStatus=0 143", "TimeoutStopSec=330"),
            opens_with_openat2=True,
            pins_plugins=True,
            requested_plugins=("moonshot", "kimi"),
        ),
    ),
}
