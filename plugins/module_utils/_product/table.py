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

from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError

from . import node_snippets


@dataclass(frozen=True)
class Product:
    """What one product is called and how it is asked; the values were seen on the version that the docs name."""

    #: The npm package, and the name of its program.
    name: str
    #: Where the state is, C(~) being the home of the account that the gateway runs under.
    state_dir: str
    #: The config's file name in the state folder, and the names that it also reads there: the first that is there.
    config_names: tuple[str, ...]
    #: What is in a state folder that this product has been at work in, and in none of a product that came before it.
    #: Empty for the first, which left the others its folder.
    traces: tuple[str, ...]
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
    #: A running gateway keeps C(<temporary folder>/<name>-<uid>/gateway.<hash>.lock) with its process id in it. The
    #: temporary folder is the system's, or C(tmp) in the state folder.
    lock_dir_prefix: str
    #: Where it writes its log unless told otherwise, as a pattern.
    log_files: str
    #: A command that exits 1 where the config is invalid, with the problem on stderr as text or on stdout as JSON. Its
    #: answer depends on the validity of the file alone.
    check_args: tuple[str, ...]
    #: What does the same for less, empty where nothing does; likewise for C(gateway call).
    check_script: str
    call_script: str
    #: The method by which a running gateway lists its models. It goes on giving its first answer until it is restarted,
    #: blocks that were added since or not; so there is also the command that lists them from the config.
    list_models_method: str
    list_models_args: tuple[str, ...]
    #: Whether a turn that its provider has refused, or answered with nothing, is called an error in its answer.
    #: Otherwise only the transcript of its session tells.
    tells_failed_turns: bool
    #: The providers that it knows without a block in the config, by itself or by a plugin that it offers.
    built_in_providers: frozenset[str]
    #: Provider -> the variables in which it looks for the provider's key, in this order, before it takes the config's
    #: apiKey (its agents/model-auth.js).
    known_variables: Mapping[str, tuple[str, ...]]
    #: Other spellings of a provider's name (its agents/model-selection.js).
    provider_spellings: Mapping[str, str]
    #: What it does not take from C(.env) in the working directory.
    barred_from_folder: frozenset[str]
    #: What it takes from a login shell where the config, or the variable that follows, says so (its config/io.js).
    shell_variables: frozenset[str]
    shell_switch_variable: str
    #: The agent whose auth profiles all others have as well.
    main_agent: str

    def provider(self, name: str) -> str:
        """A provider's name as the product compares it."""
        name = name.strip().lower()
        return self.provider_spellings.get(name, name)


# The variables of OpenClaw in which a provider's key is looked for (its infra/dotenv.js).
_OPENCLAW_KEYS = frozenset(
    [
        "AI_GATEWAY_API_KEY",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_OAUTH_TOKEN",
        "ARCEEAI_API_KEY",
        "AZURE_OPENAI_API_KEY",
        "AZURE_SPEECH_API_KEY",
        "AZURE_SPEECH_KEY",
        "AZURE_SPEECH_REGION",
        "BRAVE_API_KEY",
        "BYTEPLUS_API_KEY",
        "BYTEPLUS_SEED_SPEECH_API_KEY",
        "CEREBRAS_API_KEY",
        "CHUTES_API_KEY",
        "CHUTES_OAUTH_TOKEN",
        "CLOUDFLARE_AI_GATEWAY_API_KEY",
        "COMFY_API_KEY",
        "COMFY_CLOUD_API_KEY",
        "COPILOT_GITHUB_TOKEN",
        "DASHSCOPE_API_KEY",
        "DEEPGRAM_API_KEY",
        "DEEPINFRA_API_KEY",
        "DEEPSEEK_API_KEY",
        "ELEVENLABS_API_KEY",
        "EXA_API_KEY",
        "FAL_API_KEY",
        "FAL_KEY",
        "FIRECRAWL_API_KEY",
        "FIREWORKS_API_KEY",
        "GEMINI_API_KEY",
        "GH_TOKEN",
        "GITHUB_TOKEN",
        "GOOGLE_API_KEY",
        "GOOGLE_CLOUD_API_KEY",
        "GRADIUM_API_KEY",
        "GROQ_API_KEY",
        "HF_TOKEN",
        "HUGGINGFACE_HUB_TOKEN",
        "INWORLD_API_KEY",
        "KILOCODE_API_KEY",
        "KIMICODE_API_KEY",
        "KIMI_API_KEY",
        "LITELLM_API_KEY",
        "LM_API_TOKEN",
        "MINIMAX_API_KEY",
        "MINIMAX_CODE_PLAN_KEY",
        "MINIMAX_CODING_API_KEY",
        "MINIMAX_OAUTH_TOKEN",
        "MISTRAL_API_KEY",
        "MODELSTUDIO_API_KEY",
        "MODEL_API_KEY",
        "MOONSHOT_API_KEY",
        "NVIDIA_API_KEY",
        "OLLAMA_API_KEY",
        "OPENAI_API_KEY",
        "OPENCODE_API_KEY",
        "OPENCODE_ZEN_API_KEY",
        "OPENROUTER_API_KEY",
        "PERPLEXITY_API_KEY",
        "QIANFAN_API_KEY",
        "QWEN_API_KEY",
        "QWEN_TOKEN_PLAN_API_KEY",
        "RUNWAYML_API_SECRET",
        "RUNWAY_API_KEY",
        "SENSEAUDIO_API_KEY",
        "SGLANG_API_KEY",
        "SPEECH_KEY",
        "SPEECH_REGION",
        "STEPFUN_API_KEY",
        "SYNTHETIC_API_KEY",
        "TAVILY_API_KEY",
        "TOGETHER_API_KEY",
        "TOKENHUB_API_KEY",
        "TOKENPLAN_API_KEY",
        "VENICE_API_KEY",
        "VLLM_API_KEY",
        "VOLCANO_ENGINE_API_KEY",
        "VOLCENGINE_TTS_API_KEY",
        "VOLCENGINE_TTS_APPID",
        "VOLCENGINE_TTS_TOKEN",
        "VOYAGE_API_KEY",
        "VYDRA_API_KEY",
        "XAI_API_KEY",
        "XIAOMI_API_KEY",
        "XI_API_KEY",
        "ZAI_API_KEY",
        "Z_AI_API_KEY",
    ]
)

#: From the oldest to the newest.
PRODUCTS: Mapping[str, Product] = {
    "clawdbot": Product(
        name="clawdbot",
        state_dir="~/.clawdbot",
        config_names=("clawdbot.json",),
        traces=(),
        state_dir_variable="CLAWDBOT_STATE_DIR",
        config_path_variable="CLAWDBOT_CONFIG_PATH",
        port_variable="CLAWDBOT_GATEWAY_PORT",
        token_variable="CLAWDBOT_GATEWAY_TOKEN",  # noqa: S106 - the name of the variable
        unit="clawdbot-gateway",
        port=18789,
        health_path="/",
        lock_dir_prefix="clawdbot",
        log_files="/tmp/clawdbot/*.log",  # noqa: S108 - the product's own place
        # A setting to which the product gives a default.
        check_args=("config", "get", "agents.defaults.maxConcurrent"),
        check_script=node_snippets.CHECK_CONFIG,
        call_script=node_snippets.CALL_GATEWAY,
        list_models_method="models.list",
        list_models_args=("models", "list", "--all", "--json"),
        tells_failed_turns=False,
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
        barred_from_folder=frozenset(),
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
    "openclaw": Product(
        name="openclaw",
        state_dir="~/.openclaw",
        # A folder that it has taken over from Clawdbot keeps the old name of its config.
        config_names=("openclaw.json", "clawdbot.json"),
        traces=("openclaw.json", os.path.join("state", "openclaw.sqlite")),
        state_dir_variable="OPENCLAW_STATE_DIR",
        config_path_variable="OPENCLAW_CONFIG_PATH",
        port_variable="OPENCLAW_GATEWAY_PORT",
        token_variable="OPENCLAW_GATEWAY_TOKEN",  # noqa: S106 - the name of the variable
        unit="openclaw-gateway",
        port=18789,
        health_path="/healthz",
        lock_dir_prefix="openclaw",
        log_files="/tmp/openclaw/*.log",  # noqa: S108 - the product's own place
        check_args=("config", "validate", "--json"),
        check_script="",
        call_script="",
        list_models_method="models.list",
        list_models_args=("models", "list", "--all", "--json"),
        tells_failed_turns=True,
        built_in_providers=frozenset(
            [
                "amazon-bedrock",
                "amazon-bedrock-mantle",
                "anthropic",
                "anthropic-vertex",
                "apple-fm",
                "arcee",
                "bailian-token-plan",
                "baseten",
                "byteplus",
                "cerebras",
                "chutes",
                "clawrouter",
                "cloudflare-ai-gateway",
                "cohere",
                "comfy",
                "copilot-proxy",
                "deepinfra",
                "deepseek",
                "fal",
                "featherless",
                "fireworks",
                "github-copilot",
                "gmi",
                "google",
                "google-gemini-cli",
                "google-vertex",
                "groq",
                "huggingface",
                "kilocode",
                "kimi",
                "litellm",
                "lmstudio",
                "longcat",
                "meta",
                "microsoft-foundry",
                "minimax",
                "minimax-portal",
                "mistral",
                "moonshot",
                "novita",
                "nvidia",
                "ollama",
                "ollama-cloud",
                "openai",
                "opencode",
                "opencode-go",
                "openrouter",
                "pixverse",
                "qianfan",
                "qwen",
                "qwen-token-plan",
                "radius",
                "sglang",
                "stepfun",
                "stepfun-plan",
                "synthetic",
                "tencent-tokenhub",
                "tencent-tokenplan",
                "together",
                "venice",
                "vercel-ai-gateway",
                "vllm",
                "volcengine",
                "volcengine-plan",
                "voyage",
                "vydra",
                "xai",
                "xiaomi",
                "xiaomi-token-plan",
                "zai",
            ]
        ),
        known_variables={},
        provider_spellings={},
        barred_from_folder=_OPENCLAW_KEYS,
        shell_variables=_OPENCLAW_KEYS | {"OPENCLAW_GATEWAY_PASSWORD", "OPENCLAW_GATEWAY_TOKEN"},
        shell_switch_variable="OPENCLAW_LOAD_SHELL_ENV",
        main_agent="main",
    ),
}


def resolve_product(name: str, state_dir: str | None = None) -> Product:
    """The product of that name; V(auto) is the one that has been at work in the state folder, or in the account's own.

    Raises ClawdbotError where the account has state folders of several, and none is given.
    """
    if name != "auto":
        return PRODUCTS[name]
    # A product that takes over the folder of the one before it leaves a link in its place: the later one has it.
    own = {os.path.realpath(os.path.expanduser(product.state_dir)): product for product in PRODUCTS.values()}
    folders = [os.path.realpath(os.path.expanduser(state_dir))] if state_dir else list(filter(os.path.isdir, own))
    if len(folders) > 1:
        raise ClawdbotError(
            f"This account has the state folders {', '.join(folders)}: say with product (providers_product of the "
            "role) which product the gateway is."
        )
    first = next(iter(PRODUCTS.values()))
    return next((_at_work_in(folder) or own.get(folder) or first for folder in folders), first)


def _at_work_in(folder: str) -> Product | None:
    """The newest product of which there is a trace in a state folder."""
    for product in reversed(list(PRODUCTS.values())):
        if any(os.path.exists(os.path.join(folder, trace)) for trace in product.traces):
            return product
    return None


@dataclass(frozen=True)
class Paths:
    """Where one gateway's files are, as absolute paths."""

    state_dir: str
    config: str
    env: str


def resolve_paths(product: Product, state_dir: str | None, config_path: str | None, env_path: str | None) -> Paths:
    """The product's own defaults wherever a path is not given; each C(~) is the acting account's home."""
    state = os.path.abspath(os.path.expanduser(state_dir or product.state_dir))
    configs = [os.path.join(state, name) for name in product.config_names]
    own_config = next(filter(os.path.isfile, configs), configs[0])
    return Paths(
        state_dir=state,
        config=os.path.abspath(os.path.expanduser(config_path or own_config)),
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
        *node_snippets.argv(product.check_script, program, product.check_args),
    ]
