# Copyright (c) 2026, clawfleet.clawdbot contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report in a real browser: its content, filters and print, and that it loads and runs nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._report import fleet_report
from ansible_collections.clawfleet.clawdbot.plugins.plugin_utils._report_page import LABELS, report_page
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.unit.plugins.plugin_utils.report_cases import FLEET, GENERATED, HOSTILE

REPORT = fleet_report(FLEET, list(FLEET), GENERATED)
NAMES = [host["name"] for host in REPORT["hosts"]]
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The contrast of each text and its background, as WCAG 2 defines it.
CONTRASTS = """
const channels = (color) => color.match(/[\\d.]+/g).map(Number);
const luminance = ([red, green, blue]) => [red, green, blue]
  .map((value) => value / 255)
  .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
  .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const color = channels(getComputedStyle(at).backgroundColor);
    if (color.length < 4 || color[3] > 0) return color;
  }
  throw new Error("there is no background");
};
return Array.from(document.querySelectorAll("body *"))
  .filter((element) => element.checkVisibility() && !["SCRIPT", "OPTION"].includes(element.tagName))
  .filter((element) => Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.data.trim()))
  .map((element) => {
    const [light, dark] = [channels(getComputedStyle(element).color), ground(element)]
      .map(luminance).sort((one, other) => other - one);
    return [element.textContent, (light + 0.05) / (dark + 0.05)];
  });
"""
# The content of the page, in the shape of the report.
SHOWN = """
const text = (element) => element ? element.textContent.trim() : "";
const first = (element) => text(element.childNodes[0]);
return Array.from(document.querySelectorAll("tbody"), (body) => ({
  name: first(body.querySelector(".host")),
  groups: text(body.querySelector(".host .where")),
  status: text(body.querySelector(".status")),
  gateway: first(body.querySelector(".gateway")),
  started: body.querySelector(".gateway time")?.dateTime ?? null,
  findings: Array.from(body.querySelectorAll(".why li"), text),
  providers: Array.from(body.querySelectorAll(".provider"), (provider) => {
    const row = provider.parentElement;
    return {
      name: first(provider),
      base_url: text(provider.querySelector(".where")),
      status: text(row.querySelector(".check")).replace(text(row.querySelector(".check .where")), "").trim(),
      latency: text(row.querySelector(".check .where")),
      key: text(row.querySelector(".key")).replace(/\\s+/g, " "),
      models: Array.from(row.querySelectorAll(".models li"), text),
    };
  }),
}));
"""


class Page:
    """The report in the browser."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def script(self, source: str) -> Any:
        return self.driver.execute_script(source)  # type: ignore[no-untyped-call]  # selenium's

    def screen(self, width: int, height: int = 800, *, mobile: bool = False) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def media(self, kind: str = "", scheme: str = "light") -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": kind, "features": features})

    def shown(self) -> list[str]:
        bodies = self.driver.find_elements(By.CSS_SELECTOR, "tbody")
        return [name for name, body in zip(NAMES, bodies) if body.is_displayed()]

    def count(self) -> str:
        return self.driver.find_element(By.ID, "shown").text

    def check(self, status: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, f"input[value={status}]").click()

    def choose(self, group: str) -> None:
        Select(self.driver.find_element(By.NAME, "group")).select_by_visible_text(group)

    def search(self, text: str) -> None:
        field = self.driver.find_element(By.NAME, "search")
        field.clear()
        field.send_keys(text)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    chromium, chromedriver = (shutil.which(program) for program in ("chromium", "chromedriver"))
    # Without their paths, selenium would download them.
    assert None not in (chromium, chromedriver), "Run make chromium to install them"
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(chromedriver))
    yield browser
    browser.quit()


@pytest.fixture
def page(driver: webdriver.Chrome, tmp_path: Path) -> Page:
    file = tmp_path / "report.html"
    file.write_text(report_page(REPORT), encoding="utf-8")
    found = Page(driver)
    found.screen(1280)
    found.media()
    driver.get_log("performance")
    driver.get(file.as_uri())
    return found


def test_the_page_loads_nothing_and_keeps_its_own_policy(page: Page) -> None:
    page.check("ok")
    page.search("gateway")
    events = [json.loads(entry["message"])["message"] for entry in page.driver.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert asked == [page.driver.current_url]
    assert page.driver.get_log("browser") == []


def test_the_policy_blocks_injected_scripts(page: Page) -> None:
    page.script("""
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='document.title = 1'>");
      const script = document.createElement("script");
      script.textContent = "document.title = 2";
      document.body.append(script);
    """)
    assert page.driver.title == "Need attention: 10 of 12 gateways"
    # The image, its handler, the script.
    assert [entry["level"] for entry in page.driver.get_log("browser")] == ["SEVERE"] * 3


def test_a_host_whose_name_is_a_script_is_shown_as_text(page: Page) -> None:
    assert page.driver.title == "Need attention: 10 of 12 gateways"
    names = page.driver.find_elements(By.CSS_SELECTOR, ".host")
    assert [name.text.split("\n")[0] for name in names] == NAMES
    assert HOSTILE in NAMES
    assert len(page.driver.find_elements(By.TAG_NAME, "script")) == 1


def test_the_page_shows_the_data(page: Page) -> None:
    def provider(entry: dict[str, Any]) -> dict[str, Any]:
        mark = {"ok": "✓ ", "not_asked": ""}.get(entry["status"], "✕ ")
        rejected = entry["http_status"] is not None and entry["http_status"] >= 400
        code = f" ({entry['http_status']})" if rejected else ""
        return {
            "name": entry["name"],
            "base_url": entry["base_url"],
            "status": mark + entry["status"].replace("_", " ") + code,
            "latency": "" if entry["latency_ms"] is None else f"{entry['latency_ms']} ms",
            "key": key_text(entry),
            "models": [model_text(model) for model in entry["models"]],
        }

    def key_text(entry: dict[str, Any]) -> str:
        def shown(key: str | None) -> str:
            return key or ("unknown" if key is None else "none")

        stored, age = entry["key_stored"], entry["key_age_days"]
        days = "age unknown" if age is None else "1 day old" if age == 1 else f"{age} days old"
        parts = {
            shown(stored): True,
            days: stored,
            f"process: {shown(entry['key_in_process'])}": entry["key_in_process"] != stored,
            f"previous: {entry['key_previous']}": entry["key_previous"],
            f"pending: {entry['key_pending']}": entry["key_pending"],
            f"inventory: {entry['key']}": stored is None,
        }
        return " ".join(part for part, is_shown in parts.items() if is_shown)

    def model_text(model: dict[str, Any]) -> str:
        if model["status"] == "optional":
            return f"○ {model['id']}: optional, not listed"
        if model["in_gateway"] is False:
            return f"✕ {model['id']}, not in the gateway"
        return {"ok": "✓ {}", "missing": "✕ {}: missing"}.get(model["status"], "? {}").format(model["id"])

    expected = [
        {
            "name": host["name"],
            "groups": ", ".join(host["groups"]),
            "status": f"{LABELS[host['status']][1]} {LABELS[host['status']][0]}",
            "gateway": f"{host['product'] or 'unknown'} {host['version'] or ''}".strip(),
            "started": host["started"],
            "findings": [f"{LABELS[found['status']][0]}: {found['text']}" for found in host["findings"]],
            "providers": [provider(entry) for entry in host["providers"]],
        }
        for host in REPORT["hosts"]
    ]
    assert page.script(SHOWN) == expected
    counts = [" ".join(text.text.split()) for text in page.driver.find_elements(By.CSS_SELECTOR, ".count")]
    assert counts == [
        f"{REPORT['counts'][status]} {shape} {label}"
        for status, (label, shape, _kind) in LABELS.items()
        if REPORT["counts"][status]
    ]


def test_the_filters_hide_hosts_and_count_the_shown_ones(page: Page) -> None:
    assert (page.shown(), page.count()) == (NAMES, "12 of 12 hosts shown")
    page.check("drift")
    assert (page.shown(), page.count()) == (["gateway-8"], "1 of 12 hosts shown")
    page.check("ok")
    assert (page.shown(), page.count()) == (["gateway-8", "gateway-9", "gateway-10"], "3 of 12 hosts shown")
    page.choose("us")
    assert (page.shown(), page.count()) == (["gateway-9"], "1 of 12 hosts shown")
    page.check("ok")
    assert (page.shown(), page.count()) == ([], "0 of 12 hosts shown")
    page.driver.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    assert (page.shown(), page.count()) == (NAMES, "12 of 12 hosts shown")


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "gateway-1": ["gateway-1", "gateway-10"],
        "CONNECTION refused": ["gateway-1"],
        "unauthorized 401": [HOSTILE, "gateway-4"],
        "<script>": [HOSTILE],
        "enabled is": ["gateway-2"],
        ".*": [],
    }.items(),
)
def test_the_search_covers_all_content_of_a_host(page: Page, text: str, expected: list[str]) -> None:
    page.search(text)
    assert (page.shown(), page.count()) == (expected, f"{len(expected)} of 12 hosts shown")


def test_a_group_of_any_name_can_be_chosen(page: Page) -> None:
    page.choose(HOSTILE)
    assert page.shown() == [HOSTILE]


def test_a_group_has_only_its_own_hosts(page: Page) -> None:
    page.choose("us")
    assert page.shown() == ["gateway-1", "gateway-9"]
    page.choose("eu")
    assert page.shown() == [name for name in NAMES if name not in ("gateway-1", "gateway-2", "gateway-9", HOSTILE)]


def test_the_filters_work_with_the_keyboard_only(page: Page) -> None:
    page.script("document.querySelector('input[value=drift]').focus()")
    page.driver.switch_to.active_element.send_keys(Keys.SPACE)
    assert page.shown() == ["gateway-8"]
    visited = []
    for _step in range(5):
        page.driver.switch_to.active_element.send_keys(Keys.TAB)
        visited.append(
            page.script("""
              const at = document.activeElement;
              return [at.name || at.type, getComputedStyle(at).outlineStyle];
            """)
        )
    assert visited == [
        ["status", "solid"],
        ["status", "solid"],
        ["group", "solid"],
        ["search", "solid"],
        ["reset", "solid"],
    ]


def test_screen_readers_get_the_same_content(page: Page) -> None:
    def attributes(selector: str, name: str) -> set[str | None]:
        return {found.get_attribute(name) for found in page.driver.find_elements(By.CSS_SELECTOR, selector)}

    assert attributes("#shown", "aria-live") == {"polite"}
    assert attributes("thead th", "scope") == {"col"}
    assert attributes("th.host", "scope") == {"rowgroup"}
    assert attributes("th.provider", "scope") == {"row"}
    tree = page.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if not node["ignored"]}
    assert ("checkbox", "1 Drift") in named
    assert ("combobox", "Group") in named
    assert ("searchbox", "Search") in named
    assert ("table", "Each host with its gateway and its providers, the worst first") in named


@pytest.mark.parametrize("width", [320, 360, 414, 768, 897, 1280, 1920])
def test_no_screen_scrolls_sideways(page: Page, width: int) -> None:
    page.screen(width, mobile=width < 768)
    assert page.script("return innerWidth") == width
    assert page.script("const root = document.documentElement; return root.scrollWidth - root.clientWidth") == 0
    # Each text fits into its cell.
    beyond = page.script("""
      return Array.from(document.querySelectorAll("tbody th, tbody td, .count, .filters *"))
        .filter((cell) => cell.scrollWidth > cell.clientWidth + 1 && cell.clientWidth && cell.tagName !== "OPTION")
        .map((cell) => cell.textContent);
    """)
    assert beyond == []


def test_controls_are_large_enough_for_a_phone(page: Page) -> None:
    page.screen(360, mobile=True)
    heights = page.script("""
      return Array.from(document.querySelectorAll(".count, select, input[type=search], button"), (part) =>
        part.getBoundingClientRect().height);
    """)
    assert min(heights) >= 44


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_text_has_enough_contrast(page: Page, scheme: str, width: int) -> None:
    page.screen(width)
    page.media(scheme=scheme)
    ratios = page.script(CONTRASTS)
    assert len(ratios) > 100
    assert [(text, ratio) for text, ratio in ratios if ratio < 4.5] == []


def test_the_dark_scheme_is_dark(page: Page) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor"
    assert page.script(ground) == "rgb(244, 245, 247)"
    page.media(scheme="dark")
    assert page.script(ground) == "rgb(14, 17, 22)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_print_has_the_hosts_and_no_filters(page: Page, scheme: str) -> None:
    page.choose("us")
    page.media("print", scheme)
    hidden = [".filters", ".count input"]
    for selector in hidden:
        assert {found.is_displayed() for found in page.driver.find_elements(By.CSS_SELECTOR, selector)} == {False}
    assert page.shown() == ["gateway-1", "gateway-9"]
    assert page.count() == "2 of 12 hosts shown"
    colors = "return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    assert page.script(colors) == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]


def test_without_javascript_the_table_is_complete_and_has_no_filters(page: Page) -> None:
    page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.driver.refresh()
        assert page.driver.find_element(By.ID, "shown").text == "12 hosts"
        assert page.shown() == NAMES
        for selector in (".filters", ".count input"):
            assert {found.is_displayed() for found in page.driver.find_elements(By.CSS_SELECTOR, selector)} == {False}
    finally:
        page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
