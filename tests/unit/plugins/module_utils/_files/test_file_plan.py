# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config import dotenv, json5_reader, key_dates
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._config.provider_changes import Desired, Removal
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._errors import ClawdbotError
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._files.file_plan import (
    CurrentFiles,
    FilePlan,
    plan_providers,
    plan_removal,
)
from ansible_collections.clawfleet.clawdbot.plugins.module_utils._secrets.redaction import fingerprint
from hypothesis import given
from hypothesis import strategies as st

CONFIG_PATH = "/home/g/.clawdbot/clawdbot.json"
ENV_PATH = "/home/g/.clawdbot/.env"
KEY = "sk-new-0123456789"
OLD_KEY = "sk-old-0123456789"
BLOCK: dict[str, Any] = {
    "baseUrl": "https://api.moonshot.cn/v1",
    "apiKey": "${MOONSHOT_API_KEY}",
    "models": [{"id": "k1", "name": "K1"}],
}
DESIRED = Desired({"moonshot": BLOCK})
ENV = {"MOONSHOT_API_KEY": KEY}


def edited(
    config: str | None = "{}", env: str | None = "", desired: Desired = DESIRED, variables: dict[str, Any] | None = None
) -> FilePlan:
    current = CurrentFiles(CONFIG_PATH, config, ENV_PATH, env, {}.get)
    return plan_providers(current, desired, ENV if variables is None else variables)


def written(block: Any, mode: str = "merge") -> str:
    return json.dumps({"models": {"mode": mode, "providers": {"moonshot": block}}}, indent=2) + "\n"


def views(result: FilePlan) -> list[tuple[str, str]]:
    return [(file["before"], file["after"]) for file in result.diff]


def test_both_files_are_new() -> None:
    result = edited(None, None)
    assert result == FilePlan(
        config=written(BLOCK),
        env=f"MOONSHOT_API_KEY={KEY}\n",
        config_paths=(("models", "mode"), ("models", "providers", "moonshot")),
        env_names=("MOONSHOT_API_KEY",),
        variables={"MOONSHOT_API_KEY": KEY},
        repaired=(),
        duplicates=(),
        kept=(),
        warnings=(),
        diff=[
            {
                "before_header": ENV_PATH,
                "after_header": ENV_PATH,
                "before": "",
                "after": f"MOONSHOT_API_KEY=<{fingerprint(KEY)}>\n",
            },
            {
                "before_header": CONFIG_PATH,
                "after_header": CONFIG_PATH,
                "before": "{}\n",
                "after": json.dumps({"models.providers.moonshot": BLOCK, "models.mode": "merge"}, indent=2) + "\n",
            },
        ],
        dates=key_dates.updated(None, {"MOONSHOT_API_KEY": ("", fingerprint(KEY))}, date.min),
    )


def test_nothing_changes() -> None:
    config, env = f"// mine\n{written(BLOCK)}", f"export MOONSHOT_API_KEY='{KEY}' # mine\n"
    result = edited(config, env)
    assert (result.config, result.env) == (config, env)
    for before, after in views(result):
        assert before == after != ""


def test_a_line_that_systemd_reads_differently_is_written_anew() -> None:
    other = f"OTHER=x # mine\nMOONSHOT_API_KEY={KEY} # production\n"
    result = edited(written(BLOCK), other)
    assert result.env == f"OTHER=x # mine\n# production\nMOONSHOT_API_KEY={KEY}\n"
    assert views(result)[0] == (
        f"MOONSHOT_API_KEY=<{fingerprint(KEY)}> (<{fingerprint(f'{KEY} # production')}> for EnvironmentFile=)\n",
        f"MOONSHOT_API_KEY=<{fingerprint(KEY)}>\n",
    )
    assert edited(written(BLOCK), result.env).env == result.env
    assert edited(written(BLOCK), other.replace(KEY, OLD_KEY)).env == result.env


def test_files_that_are_not_there_stay_away_if_nothing_is_wanted() -> None:
    result = edited(None, None, Desired(), {})
    assert (result.config, result.env) == (None, None)
    assert views(result) == [("", ""), ("{}\n", "{}\n")]


def test_the_rest_of_both_files_stays() -> None:
    config = '{\n  // mine\n  gateway: {auth: {token: "t"}},\n}\n'
    env = "BOT_TOKEN=t\nMOONSHOT_API_KEY=old\nMOONSHOT_API_KEY=older\n"
    result = edited(config, env)
    assert result.config is not None
    assert result.config.startswith('{\n  // mine\n  gateway: {auth: {token: "t"}},\n')
    assert result.env == f"BOT_TOKEN=t\nMOONSHOT_API_KEY={KEY}\n"
    assert result.duplicates == ("MOONSHOT_API_KEY",)


def test_the_key_that_the_product_wrote_is_replaced_and_reported() -> None:
    result = edited(written({**BLOCK, "apiKey": OLD_KEY}), f"MOONSHOT_API_KEY={OLD_KEY}\n")
    assert result.config == written(BLOCK)
    assert result.repaired == ("models.providers.moonshot.apiKey",)


def test_the_checker_gets_variables_and_placeholders() -> None:
    config = '{"a": "${BOT_TOKEN}", "b": "${EMPTY}", "c": "${ELSEWHERE}", "d": "${BROKEN}", "e": "$${ESCAPED}"}'
    result = edited(config, "BOT_TOKEN=t\nEMPTY=\nUNUSED=u\nBROKEN=a\0b\n")
    assert result.variables == {
        "BOT_TOKEN": "t",
        "EMPTY": "set-in-the-gateway-process",
        "ELSEWHERE": "set-in-the-gateway-process",
        "BROKEN": "set-in-the-gateway-process",
        "UNUSED": "u",
        "MOONSHOT_API_KEY": KEY,
    }


def test_warnings_of_the_plan_are_passed_on() -> None:
    assert [text[:37] for text in edited(desired=Desired(aliases={"k": "a/b"})).warnings] == [
        "agents.defaults.models was empty, whi"
    ]


UNDEFINED = (
    "The block of provider moonshot refers to ${{{0}}}, which neither env nor /home/g/.clawdbot/.env defines. The "
    "gateway rejects its whole config for one missing variable: add it to env."
)
UNREADABLE = (
    "/home/g/.clawdbot/clawdbot.json cannot be read: {0}. The gateway cannot read it either: repair it, or restore "
    "/home/g/.clawdbot/clawdbot.json.bak."
)

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "variable that is not defined": ({"variables": {}}, UNDEFINED.format("MOONSHOT_API_KEY")),
    "variable that is defined as nothing": (
        {"variables": {}, "env": "MOONSHOT_API_KEY=\n"},
        UNDEFINED.format("MOONSHOT_API_KEY"),
    ),
    "variable that only the env section of the config defines": (
        {"variables": {}, "config": '{"env": {"MOONSHOT_API_KEY": "x", "vars": {"MOONSHOT_API_KEY": "x"}}}'},
        UNDEFINED.format("MOONSHOT_API_KEY"),
    ),
    "two variables in headers": (
        {"desired": Desired({"moonshot": {**BLOCK, "headers": {"X": "${B} ${A}"}}})},
        UNDEFINED.format("A}, ${B"),
    ),
    "config is no JSON5": ({"config": '{"a": 1,\n "b" 2}'}, UNREADABLE.format("expected ':' at line 2, column 6")),
    "config breaks off": (
        {"config": "{"},
        UNREADABLE.format("expected a member name or '}', found the end of the document at line 1, column 2"),
    ),
    "config is no object": (
        {"config": "[]"},
        "/home/g/.clawdbot/clawdbot.json does not contain an object.",
    ),
    "config has no place for it": (
        {"config": '{"models": []}'},
        "/home/g/.clawdbot/clawdbot.json: cannot set models.mode: models is not an object.",
    ),
    "list of models is no object": (
        {"config": '{"agents": {"defaults": {"models": null}}}', "desired": Desired(aliases={"k": "a/b"})},
        "/home/g/.clawdbot/clawdbot.json: cannot set agents.defaults.models.a/b.alias: agents.defaults.models is not "
        "an object.",
    ),
    "name that is no variable's": (
        {"variables": {**ENV, "A B": "x"}},
        "/home/g/.clawdbot/.env: 'A B' is not the name of a variable: letters, digits and _ only, no digit first.",
    ),
    "value that .env cannot hold": (
        {"variables": {**ENV, "A": "x\0secret"}},
        "/home/g/.clawdbot/.env: the value of A holds a NUL or an unpaired surrogate, no environment variable can.",
    ),
    "a model in use that the block would lose": (
        {
            "config": '{"models": {"providers": {"moonshot": {"models": [{"id": "mine"}]}}}, '
            '"agents": {"defaults": {"model": "moonshot/mine", "imageModel": "moonshot/mine"}}}'
        },
        "agents.defaults.model is moonshot/mine, which would be removed from the config. Choose another model there. "
        "agents.defaults.imageModel is moonshot/mine, which would be removed from the config. Choose another model "
        "there.",
    ),
    "aliases that clash": (
        {"desired": Desired(aliases={"k": "a/b", "l": "a/b"})},
        "The aliases 'k' and 'l' both name a/b, which can have only one: remove one of them.",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_rejected(name: str) -> None:
    arguments, message = REFUSED[name]
    with pytest.raises(ClawdbotError) as caught:
        edited(**arguments)
    assert str(caught.value) == message


RESOLVED: dict[str, tuple[Any, Any]] = {
    "the key": ({"apiKey": OLD_KEY}, {"apiKey": f"<{fingerprint(OLD_KEY)}>"}),
    "another key": ({"apiKey": "unknown-0123"}, {"apiKey": f"<{fingerprint('unknown-0123')}>"}),
    "in a header with a harmless name": (
        {"headers": {"X-Account": f"id {OLD_KEY}"}},
        {"headers": {"X-Account": f"id <{fingerprint(OLD_KEY)}>"}},
    ),
    "in a header for secrets": (
        {"headers": {"Authorization": "Basic eHg6eXk="}},
        {"headers": {"Authorization": f"<{fingerprint('Basic eHg6eXk=')}>"}},
    ),
    "a reference": ({"apiKey": "${OTHER}"}, {"apiKey": "${OTHER}"}),
    "a number of tokens": (
        {"models": [{"id": "m", "maxTokens": 8192, "compat": {"maxTokensField": "max_tokens"}}]},
        {"models": [{"id": "m", "maxTokens": 8192, "compat": {"maxTokensField": "max_tokens"}}]},
    ),
    "a setting of .env": ({"baseUrl": "http://127.0.0.1:18789/v1"}, {"baseUrl": "http://127.0.0.1:18789/v1"}),
    "another value of .env": (
        {"baseUrl": "http://h/bot-secret"},
        {"baseUrl": f"http://h/<{fingerprint('bot-secret')}>"},
    ),
}


@pytest.mark.parametrize("name", RESOLVED)
def test_what_the_diff_shows_of_a_block(name: str) -> None:
    block, shown = RESOLVED[name]
    result = edited(written(block), f"MOONSHOT_API_KEY={OLD_KEY}\nPORT=18789\nBOT=bot-secret\n")
    assert json.loads(views(result)[1][0]) == {"models.providers.moonshot": shown}


def test_a_managed_value_is_hidden_however_short() -> None:
    result = edited(written({"headers": {"X": "id abc"}}), "", DESIRED, {**ENV, "ACCOUNT": "abc"})
    assert json.loads(views(result)[1][0])["models.providers.moonshot"]["headers"] == {
        "X": f"id <{fingerprint('abc')}>"
    }


def test_what_is_not_managed_is_not_in_the_diff() -> None:
    config = (
        '{"gateway": {"auth": {"mode": "mine"}}, "models": {"mode": "merge", "providers": {"other": {"baseUrl": "x"}}}}'
    )
    result = edited(config, "BOT=mine\n")
    assert views(result) == [
        ("", f"MOONSHOT_API_KEY=<{fingerprint(KEY)}>\n"),
        ("{}\n", json.dumps({"models.providers.moonshot": BLOCK}, indent=2) + "\n"),
    ]


# The sign makes them unlike everything else in a diff, as the length of a real key does.
SECRETS = st.text(st.characters(max_codepoint=0x24F, exclude_categories=["Cc"]), min_size=8).map("ß{}".format)


@given(
    secrets=st.lists(SECRETS, min_size=4, max_size=4, unique=True),
    env_names=st.lists(st.sampled_from(["MOONSHOT_API_KEY", "BOT", "X", "PORT"]), max_size=4),
    place=st.sampled_from(["apiKey", "X-Harmless", "baseUrl", "model"]),
    alias=st.booleans(),
)
def test_no_secret_in_the_diff(secrets: list[str], env_names: list[str], place: str, alias: bool) -> None:
    old, new, literal, other = secrets
    # Quotes in which the reader of .env finds it unchanged; most texts need none of them.
    lines = []
    for name, value in zip(env_names, (old, other, old, other)):
        quote = next((quote for quote in "'`\"" if quote not in value and "\\" not in value), None)
        if quote:
            lines.append(f"{name}={quote}{value}{quote}\n")
    env = "".join(lines)
    values = [value for value in dotenv.loads(env).values() if value]
    block: dict[str, Any] = {"apiKey": literal, "headers": {}, "models": []}
    for value in values:
        if place == "apiKey":
            block["apiKey"] = value
        elif place == "X-Harmless":
            block["headers"]["X-Harmless"] = f"a {value} b"
        elif place == "baseUrl":
            block["baseUrl"] = value
        else:
            block["models"].append({"id": value, "name": value})
    desired = Desired({"moonshot": BLOCK}, {"k": "moonshot/k1"} if alias else {}, "moonshot/k1")
    try:
        result = edited(written(block), env, desired, {"MOONSHOT_API_KEY": new})
    except ClawdbotError as exc:
        shown = str(exc)
    else:
        shown = "".join(text for view in views(result) for text in view)
    for secret in (new, literal if block["apiKey"] == literal else old, *values):
        assert secret not in shown
        assert json.dumps(secret, ensure_ascii=False)[1:-1] not in shown


CONFIG_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["models", "mode", "providers", "moonshot", "apiKey", "agents", "defaults", "model", "list", "env"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=10,
)


@given(CONFIG_VALUES, st.sampled_from([None, "", "MOONSHOT_API_KEY=old\n", "A='\n"]))
def test_any_config_is_edited_once_or_rejected(config: Any, env: str | None) -> None:
    desired = Desired({"moonshot": BLOCK}, {"k": "moonshot/k1"}, "moonshot/k1", ["moonshot/k1"])
    try:
        first = edited(json.dumps(config), env, desired)
    except ClawdbotError:
        return
    assert first.config is not None
    assert json5_reader.loads(first.config)["models"]["providers"]["moonshot"] == BLOCK
    second = edited(first.config, first.env, desired)
    assert (second.config, second.env) == (first.config, first.env)
    assert (second.repaired, second.duplicates, second.warnings) == ((), (), ())
    assert [view for view in views(second) if view[0] != view[1]] == []


INCLUDED = "/home/g/.clawdbot/more.json5"
ALIASED = Desired({"moonshot": BLOCK}, {"k": "moonshot/k1"}, "moonshot/k1", ["other/m"])


def with_included(config: dict[str, Any], included: dict[str, Any], desired: Desired) -> FilePlan:
    files = {INCLUDED: json.dumps(included)}
    text = json.dumps({"$include": "more.json5", **config})
    return plan_providers(CurrentFiles(CONFIG_PATH, text, ENV_PATH, "", files.get), desired, ENV)


def defaults(**settings: Any) -> dict[str, Any]:
    return {"agents": {"defaults": settings}}


# What the included file has, what the main file has, what the main file has afterwards beside the block.
BESIDE: dict[str, tuple[dict[str, Any], dict[str, Any], Desired, dict[str, Any]]] = {
    "an unrelated file": ({"gateway": {"port": 1}}, {}, DESIRED, {"models": {"mode": "merge"}}),
    "the mode is set there": ({"models": {"mode": "replace"}}, {}, DESIRED, {}),
    "another provider": ({"models": {"mode": "merge", "providers": {"other": {"models": []}}}}, {}, DESIRED, {}),
    "the list is begun there": (
        {"models": {"mode": "merge"}, **defaults(models={"other/m": {}})},
        {},
        Desired({"moonshot": BLOCK}, {"k": "moonshot/k1"}),
        defaults(models={"moonshot/k1": {"alias": "k"}}),
    ),
    "the list is begun there, and nothing has an alias": (
        {"models": {"mode": "merge"}, **defaults(models={"other/m": {}})},
        {},
        DESIRED,
        defaults(models={"moonshot/k1": {}}),
    ),
    "what is named there stays allowed": (
        {"models": {"mode": "merge"}, **defaults(model="other/m")},
        {},
        Desired({"moonshot": BLOCK}, {"k": "moonshot/k1"}),
        defaults(models={"moonshot/k1": {"alias": "k"}, "other/m": {}}),
    ),
    "all else is set there": (
        {
            "models": {"mode": "merge"},
            **defaults(
                models={"moonshot/k1": {"alias": "k"}, "other/m": {}},
                model={"primary": "moonshot/k1", "fallbacks": ["other/m"]},
            ),
        },
        {},
        ALIASED,
        {},
    ),
    "another default is set there": (
        {"models": {"mode": "merge"}, **defaults(model={"primary": "other/m"})},
        {},
        Desired({"moonshot": BLOCK}, default_model="moonshot/k1"),
        defaults(model={"primary": "moonshot/k1"}),
    ),
    "the short spelling of the default": (
        {"models": {"mode": "merge"}, **defaults(model="other/m")},
        {},
        Desired({"moonshot": BLOCK}, fallback_models=["other/n"]),
        defaults(model={"primary": "other/m", "fallbacks": ["other/n"]}),
    ),
}


@pytest.mark.parametrize(("included", "config", "desired", "expected"), BESIDE.values(), ids=BESIDE)
def test_what_an_included_file_says_counts_and_the_main_file_is_edited(
    included: dict[str, Any], config: dict[str, Any], desired: Desired, expected: dict[str, Any]
) -> None:
    result = with_included(config, included, desired)
    assert result.config is not None
    value = json5_reader.loads(result.config)
    assert value.pop("$include") == "more.json5"
    assert value["models"]["providers"].pop("moonshot") == BLOCK
    del value["models"]["providers"]
    if not value["models"]:
        del value["models"]
    assert value == expected


SHADOWED: dict[str, tuple[dict[str, Any], Desired, str]] = {
    "a list of fallbacks": (
        defaults(model={"fallbacks": ["other/n"]}),
        Desired(fallback_models=["other/m"]),
        "agents.defaults.model.fallbacks",
    ),
    "an alias for another model": (
        defaults(models={"other/m": {"alias": "K"}}),
        Desired(aliases={"k": "moonshot/k1"}),
        "agents.defaults.models.other/m.alias",
    ),
}


@pytest.mark.parametrize(("included", "desired", "path"), SHADOWED.values(), ids=SHADOWED)
def test_an_included_file_that_would_make_something_else_of_it_is_named(
    included: dict[str, Any], desired: Desired, path: str
) -> None:
    with pytest.raises(ClawdbotError) as rejected:
        with_included({}, included, desired)
    assert str(rejected.value) == (
        f"Cannot set {path}: {INCLUDED}, included by {CONFIG_PATH}, also sets it. Remove it from {INCLUDED}."
    )


@pytest.mark.parametrize("block", [BLOCK, {}, {"models": []}, None])
@pytest.mark.parametrize("own", [{}, {"models": {"providers": {"moonshot": BLOCK}}}])
def test_a_provider_that_is_included_is_rejected_with_the_file(own: dict[str, Any], block: Any) -> None:
    with pytest.raises(ClawdbotError) as rejected:
        with_included(own, {"models": {"providers": {"moonshot": block}}}, DESIRED)
    assert str(rejected.value) == (
        f"Cannot set models.providers.moonshot: {INCLUDED}, included by {CONFIG_PATH}, also sets it, and the gateway "
        f"merges the models of both. Remove it from {INCLUDED}."
    )


def test_a_directive_is_not_replaced_by_a_value() -> None:
    config = '{"agents": {"defaults": {"model": {"$include": "more.json5"}}}}'
    with pytest.raises(
        ClawdbotError, match=f"^Cannot set agents.defaults.model: {INCLUDED}, included by {CONFIG_PATH}, also sets it"
    ):
        plan_providers(
            CurrentFiles(CONFIG_PATH, config, ENV_PATH, "", {INCLUDED: "'other/m'"}.get),
            Desired(fallback_models=["other/n"]),
            {},
        )


def test_a_variable_that_an_included_file_refers_to_gets_a_placeholder() -> None:
    result = with_included({}, {"gateway": {"auth": {"token": "${TOKEN}"}}}, DESIRED)
    assert result.variables == {"MOONSHOT_API_KEY": KEY, "TOKEN": "set-in-the-gateway-process"}


def removed(config: str | None, env: str | None, names: list[str], files: dict[str, str] | None = None) -> FilePlan:
    current = CurrentFiles(CONFIG_PATH, config, ENV_PATH, env, (files or {}).get)
    return plan_removal(current, Removal(["moonshot"]), names)


def test_provider_and_variable_go_and_the_rest_of_both_files_stays() -> None:
    config = (
        "{\n  // mine\n  models: {\n    providers: {\n      other: {},\n"
        "      moonshot: { apiKey: '${MOONSHOT_API_KEY}' },\n    },\n  },\n}\n"
    )
    result = removed(config, f"# mine\nMOONSHOT_API_KEY={OLD_KEY}\nBOT_NAME=bot\n", ["MOONSHOT_API_KEY"])
    assert result == FilePlan(
        config="{\n  // mine\n  models: {\n    providers: {\n      other: {},\n    },\n  },\n}\n",
        env="# mine\nBOT_NAME=bot\n",
        config_paths=(("models", "providers", "moonshot"),),
        env_names=("MOONSHOT_API_KEY",),
        variables={"BOT_NAME": "bot"},
        repaired=(),
        duplicates=(),
        kept=(),
        warnings=(),
        diff=[
            {
                "before_header": ENV_PATH,
                "after_header": ENV_PATH,
                "before": f"MOONSHOT_API_KEY=<{fingerprint(OLD_KEY)}>\n",
                "after": "",
            },
            {
                "before_header": CONFIG_PATH,
                "after_header": CONFIG_PATH,
                "before": json.dumps({"models.providers.moonshot": {"apiKey": "${MOONSHOT_API_KEY}"}}, indent=2) + "\n",
                "after": "{}\n",
            },
        ],
    )


def test_a_key_in_a_block_that_goes_is_not_shown() -> None:
    block = {"apiKey": "plain-key-0123", "headers": {"X": OLD_KEY}}
    result = removed(written(block), f"MOONSHOT_API_KEY={OLD_KEY}\n", ["MOONSHOT_API_KEY"])
    shown = json.dumps(result.diff)
    assert "plain-key-0123" not in shown
    assert OLD_KEY not in shown
    assert result.config_paths == (("models", "providers", "moonshot"), ("models", "mode"))
    assert result.config == "{}\n"


@pytest.mark.parametrize(("config", "env"), [(None, None), ("{a: 1}", "A=1\n"), ("{}", "")])
def test_what_is_not_there_is_not_removed(config: str | None, env: str | None) -> None:
    result = removed(config, env, ["MOONSHOT_API_KEY"])
    assert (result.config, result.env, result.warnings) == (config, env, ())


KEEPERS: dict[str, tuple[str, dict[str, str]]] = {
    "another block": ("{models: {providers: {moonshot: {}, o: {apiKey: '${MOONSHOT_API_KEY}'}}}}", {}),
    "a setting": ("{models: {providers: {moonshot: {}}}, a: ['x${MOONSHOT_API_KEY}']}", {}),
    "an included file": ("{$include: 'more.json5'}", {INCLUDED: "{a: '${MOONSHOT_API_KEY}'}"}),
}


@pytest.mark.parametrize(("config", "files"), KEEPERS.values(), ids=KEEPERS)
def test_a_variable_that_is_still_referred_to_stays_and_is_reported(config: str, files: dict[str, str]) -> None:
    env = f"MOONSHOT_API_KEY={OLD_KEY}\nMORE=m\n"
    result = removed(config, env, ["MOONSHOT_API_KEY", "MORE"], files)
    assert (result.env, result.kept) == (f"MOONSHOT_API_KEY={OLD_KEY}\n", ("MOONSHOT_API_KEY",))
    assert result.warnings == (f"MOONSHOT_API_KEY is kept in {ENV_PATH}: the config still refers to it.",)


INCLUDED_STILL: dict[str, tuple[dict[str, Any], str]] = {
    "the block": ({"models": {"providers": {"moonshot": {}}}}, "models.providers.moonshot"),
    "the block, spelled otherwise": ({"models": {"providers": {"Moonshot": {}}}}, "models.providers.Moonshot"),
    "a model": (defaults(models={"moonshot/k1": {}}), "agents.defaults.models.moonshot/k1"),
    "a fallback": (defaults(model={"fallbacks": ["moonshot/k1"]}), "agents.defaults.model.fallbacks"),
}


@pytest.mark.parametrize(("included", "path"), INCLUDED_STILL.values(), ids=INCLUDED_STILL)
def test_what_an_included_file_has_of_a_provider_is_rejected(included: dict[str, Any], path: str) -> None:
    with pytest.raises(ClawdbotError) as rejected:
        removed("{$include: 'more.json5'}", "", [], {INCLUDED: json.dumps(included)})
    assert str(rejected.value) == (
        f"Cannot set {path}: {INCLUDED}, included by {CONFIG_PATH}, also sets it. Remove it from {INCLUDED}."
    )


def test_what_stands_beside_an_include_is_removed_from_the_main_file() -> None:
    config = '{models: {$include: "more.json5", providers: {moonshot: {}}}}'
    result = removed(config, "", [], {INCLUDED: "{mode: 'merge', providers: {other: {}}}"})
    assert result.config == '{models: {$include: "more.json5"}}'


def test_all_places_that_still_use_a_model_are_named() -> None:
    config = "{agents: {defaults: {model: 'moonshot/k1'}, list: [{id: 'a', model: 'moonshot/k2'}]}}"
    with pytest.raises(ClawdbotError) as rejected:
        removed(config, "", [])
    assert str(rejected.value) == (
        "agents.defaults.model is moonshot/k1, a model of a provider that is to be removed. Give another "
        "default_model. agents.list[0] (agent a).model is moonshot/k2, a model of a provider that is to be removed. "
        "Choose another model there."
    )
