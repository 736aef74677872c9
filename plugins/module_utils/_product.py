# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The one table of what differs between the products that a gateway can be.

Everything that the collection knows about a product by name (package, paths, unit, variables, checker, health) is a
field here. A product that follows is a new row.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Product:
    """What one product is called and how it is asked; the values were seen on the version that the docs name."""

    #: The npm package, and the name of its program.
    name: str
    #: Where the state is, C(~) being the home of the account that the gateway runs under.
    state_dir: str
    #: The config's file name in the state folder.
    config_name: str
    #: The environment variables that move the two and the port.
    state_dir_variable: str
    config_path_variable: str
    port_variable: str
    #: The environment variable that holds what a client has to show, where the config's C(gateway.auth.token) does not.
    token_variable: str
    #: The systemd unit that the product's own C(gateway install) writes.
    unit: str
    #: Where the gateway listens unless told otherwise, and a path that is answered once it does.
    port: int
    health_path: str
    #: A running gateway keeps C(<temporary folder>/<name>-<uid>/gateway.<hash>.lock) with its process id in it.
    lock_dir_prefix: str
    #: Where it writes its log unless told otherwise, as a pattern.
    log_files: str
    #: A command that exits 1 with the problem on stderr where the config is invalid. It reads a setting to which the
    #: product gives a default, so that the answer depends on the validity of the file alone.
    check_args: tuple[str, ...]
    #: The method by which a running gateway lists its models. It goes on giving its first answer until it is restarted,
    #: blocks that were added since or not; so there is also the command that lists them from the config.
    list_models_method: str
    list_models_args: tuple[str, ...]
    #: The providers that it knows without a block in the config.
    built_in_providers: frozenset[str]
    #: Provider -> the variables in which it looks for the provider's key, in this order, before it takes the config's
    #: apiKey (its agents/model-auth.js).
    known_variables: Mapping[str, tuple[str, ...]]
    #: Other spellings of a provider's name (its agents/model-selection.js).
    provider_spellings: Mapping[str, str]
    #: What it takes from a login shell where the config, or the variable that follows, says so (its config/io.js).
    shell_variables: frozenset[str]
    shell_switch_variable: str
    #: The agent whose auth profiles all others have as well.
    main_agent: str

    def provider(self, name: str) -> str:
        """A provider's name as the product compares it."""
        name = name.strip().lower()
        return self.provider_spellings.get(name, name)


PRODUCTS: Mapping[str, Product] = {
    "clawdbot": Product(
        name="clawdbot",
        state_dir="~/.clawdbot",
        config_name="clawdbot.json",
        state_dir_variable="CLAWDBOT_STATE_DIR",
        config_path_variable="CLAWDBOT_CONFIG_PATH",
        port_variable="CLAWDBOT_GATEWAY_PORT",
        token_variable="CLAWDBOT_GATEWAY_TOKEN",  # noqa: S106 - the name of the variable
        unit="clawdbot-gateway",
        port=18789,
        health_path="/",
        lock_dir_prefix="clawdbot",
        log_files="/tmp/clawdbot/*.log",  # noqa: S108 - the product's own place
        check_args=("config", "get", "agents.defaults.maxConcurrent"),
        list_models_method="models.list",
        list_models_args=("models", "list", "--all", "--json"),
        built_in_providers=frozenset(
            [
                "amazon-bedrock",
                "anthropic",
                "cerebras",
                "claude-cli",
                "codex-cli",
                "github-copilot",
                "google",
                "google-antigravity",
                "google-gemini-cli",
                "google-vertex",
                "groq",
                "kimi-code",
                "minimax",
                "minimax-cn",
                "mistral",
                "moonshot",
                "ollama",
                "openai",
                "openai-codex",
                "opencode",
                "openrouter",
                "qwen-portal",
                "synthetic",
                "venice",
                "vercel-ai-gateway",
                "xai",
                "zai",
            ]
        ),
        known_variables={
            "anthropic": ("ANTHROPIC_OAUTH_TOKEN", "ANTHROPIC_API_KEY"),
            "cerebras": ("CEREBRAS_API_KEY",),
            "chutes": ("CHUTES_OAUTH_TOKEN", "CHUTES_API_KEY"),
            "deepgram": ("DEEPGRAM_API_KEY",),
            "github-copilot": ("COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN"),
            "google": ("GEMINI_API_KEY",),
            "groq": ("GROQ_API_KEY",),
            "kimi-code": ("KIMICODE_API_KEY",),
            "minimax": ("MINIMAX_API_KEY",),
            "mistral": ("MISTRAL_API_KEY",),
            "moonshot": ("MOONSHOT_API_KEY",),
            "openai": ("OPENAI_API_KEY",),
            "opencode": ("OPENCODE_API_KEY", "OPENCODE_ZEN_API_KEY"),
            "openrouter": ("OPENROUTER_API_KEY",),
            "qwen-portal": ("QWEN_OAUTH_TOKEN", "QWEN_PORTAL_API_KEY"),
            "synthetic": ("SYNTHETIC_API_KEY",),
            "venice": ("VENICE_API_KEY",),
            "vercel-ai-gateway": ("AI_GATEWAY_API_KEY",),
            "xai": ("XAI_API_KEY",),
            "zai": ("ZAI_API_KEY", "Z_AI_API_KEY"),
        },
        provider_spellings={"opencode-zen": "opencode", "qwen": "qwen-portal", "z-ai": "zai", "z.ai": "zai"},
        shell_variables=frozenset(
            [
                "AI_GATEWAY_API_KEY",
                "ANTHROPIC_API_KEY",
                "ANTHROPIC_OAUTH_TOKEN",
                "CLAWDBOT_GATEWAY_PASSWORD",
                "CLAWDBOT_GATEWAY_TOKEN",
                "DISCORD_BOT_TOKEN",
                "ELEVENLABS_API_KEY",
                "GEMINI_API_KEY",
                "MINIMAX_API_KEY",
                "OPENAI_API_KEY",
                "OPENROUTER_API_KEY",
                "SLACK_APP_TOKEN",
                "SLACK_BOT_TOKEN",
                "SYNTHETIC_API_KEY",
                "TELEGRAM_BOT_TOKEN",
                "ZAI_API_KEY",
            ]
        ),
        shell_switch_variable="CLAWDBOT_LOAD_SHELL_ENV",
        main_agent="main",
    ),
}


def resolve_product(name: str) -> Product:
    """The product of that name; V(auto) is the one whose state folder is there, else the first of the table."""
    if name != "auto":
        return PRODUCTS[name]
    present = [product for product in PRODUCTS.values() if os.path.isdir(os.path.expanduser(product.state_dir))]
    return (present or list(PRODUCTS.values()))[0]


@dataclass(frozen=True)
class Paths:
    """Where one gateway's files are, as absolute paths."""

    state_dir: str
    config: str
    env: str


GATEWAY_ARGUMENTS: Mapping[str, Any] = {
    "product": {"type": "str", "choices": ["auto", *PRODUCTS], "default": "auto"},
    "state_dir": {"type": "path"},
    "config_path": {"type": "path"},
    "env_path": {"type": "path"},
}


def resolve_gateway(params: Mapping[str, Any]) -> tuple[Product, Paths]:
    """Which gateway a module is about, from those of its parameters that GATEWAY_ARGUMENTS names."""
    product = resolve_product(params["product"])
    return product, resolve_paths(product, params["state_dir"], params["config_path"], params["env_path"])


def resolve_paths(product: Product, state_dir: str | None, config_path: str | None, env_path: str | None) -> Paths:
    """The product's own defaults wherever a path is not given; each C(~) is the acting account's home."""
    state = os.path.abspath(os.path.expanduser(state_dir or product.state_dir))
    return Paths(
        state_dir=state,
        config=os.path.abspath(os.path.expanduser(config_path or os.path.join(state, product.config_name))),
        env=os.path.abspath(os.path.expanduser(env_path or os.path.join(state, ".env"))),
    )


def environment(product: Product, paths: Paths) -> dict[str, str]:
    """The variables with which the product's program finds this gateway's files."""
    return {product.state_dir_variable: paths.state_dir, product.config_path_variable: paths.config}


def check_command(product: Product, program: tuple[str, ...]) -> list[str]:
    """The argv that judges a candidate config: C(%s) stands for the candidate, C(%d) for a scratch folder.

    The program writes resolved keys into its state folder, hence the scratch folder in place of the real one.
    """
    return [
        "/usr/bin/env",
        f"{product.config_path_variable}=%s",
        f"{product.state_dir_variable}=%d",
        *program,
        *product.check_args,
    ]
