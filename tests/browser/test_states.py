"""The gallery of components in a real browser: no error, no request elsewhere, no fault by axe, no overflow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, Playwright

AXE = Path(settings.ROOT) / "platform" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
READY_MS = 90_000  # the map draws in software here
SIZES = {"wide": (1440, 900), "phone": (390, 844), "narrow": (320, 720)}


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium, drawing in software; by the one Playwright that a process can have."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield browser
    browser.close()


def watched(page: Page, origin: str) -> list[str]:
    """What should not happen on a page, as it happens."""
    trouble: list[str] = []
    page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on(
        "request", lambda asked: None if asked.url.startswith((origin, "data:", "blob:")) else trouble.append(asked.url)
    )
    return trouble


def violations(page: Page) -> list[str]:
    """What axe finds, with the first place of each."""
    page.evaluate(AXE.read_text(encoding="utf-8"))  # a script tag would be refused by the content security policy
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{v['id']}: {v['nodes'][0]['html'][:160]} {v['nodes'][0]['failureSummary'][:200]}" for v in found["violations"]
    ]


def test_axe_would_see_a_fault(chromium: Browser, live_city: Any) -> None:
    page = chromium.new_page()
    page.goto(f"{live_city.url}/account/login/")
    page.evaluate("document.querySelector('main').append(document.createElement('img'))")
    assert any(found.startswith("image-alt") for found in violations(page))
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "phone"])
def test_every_component_is_well(chromium: Browser, live_city: Any, size: str, scheme: Any) -> None:
    width, height = SIZES[size]
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    trouble = watched(page, live_city.url)
    page.goto(f"{live_city.url}/states/")
    for island in ("lc-model", "lc-chart", "lc-map"):
        page.wait_for_selector(f"{island}[data-ready]", state="attached", timeout=READY_MS)
    assert trouble == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert violations(page) == []
    context.close()


@pytest.mark.parametrize("address", ["/states/", "/fi/states/", "/account/login/"])
def test_nothing_overflows_on_the_narrowest_screen(chromium: Browser, live_city: Any, address: str) -> None:
    width, height = SIZES["narrow"]
    page = chromium.new_page(viewport={"width": width, "height": height})
    page.goto(f"{live_city.url}{address}")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.close()


def test_keys_menus_and_theme(chromium: Browser, live_city: Any) -> None:
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{live_city.url}/states/")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Tab")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    assert page.locator("dialog#keys").get_attribute("open") is not None
    page.keyboard.press("Escape")
    assert page.locator("dialog#keys").get_attribute("open") is None
    page.locator("summary[aria-label='Light or dark']").click()
    page.get_by_role("button", name="Dark", exact=True).click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.close()


def test_the_model_turns_by_keys_and_buttons_and_the_chart_reads_its_values(chromium: Browser, live_city: Any) -> None:
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{live_city.url}/states/")
    model = page.locator("lc-model")
    page.wait_for_selector("lc-model[data-ready]", timeout=READY_MS)
    assert "60\u00a0×\u00a040\u00a0×\u00a046\u00a0mm" in (model.locator(".model-say").text_content() or "")
    canvas = model.locator("canvas")
    before = canvas.screenshot()
    canvas.focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(200)
    turned = canvas.screenshot()
    assert turned != before
    model.get_by_role("button", name="Section").click()
    page.wait_for_timeout(200)
    assert canvas.screenshot() != turned
    page.wait_for_selector("lc-chart[data-ready]")
    page.locator(".chart-host").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert "Solar" in (page.locator("lc-chart [role=status]").text_content() or "")
    page.get_by_role("button", name="Table").click()
    assert page.locator("lc-chart table").is_visible()
    page.close()
