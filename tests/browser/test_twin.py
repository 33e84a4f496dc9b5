"""The district's page in a real browser: the map draws, a building answers, and nothing leaves our origin."""

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.conftest import LiveCity
from twin import demo


@pytest.fixture
def watched(page: Page, live_city: LiveCity) -> tuple[Page, list[str], list[str]]:
    """A page with what it wrote on the console and what it asked of others."""
    trouble: list[str] = []
    strangers: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type == "error":
            trouble.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    ours = (live_city.url, "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(ours) else strangers.append(r.url))
    return page, trouble, strangers


@pytest.mark.parametrize("width", [1440, 390])
def test_the_map_of_the_demo_district_draws_and_answers(
    watched: tuple[Page, list[str], list[str]], live_city: LiveCity, width: int
) -> None:
    page, trouble, strangers = watched
    demo.seed(lambda words: None)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(live_city.url + reverse("rooms:district", args=["kamppi"]))
    page.wait_for_selector("lc-map[data-ready]", timeout=90_000)
    assert page.locator("lc-map").get_by_text("© OpenStreetMap contributors").first.is_visible()
    address = live_city.url + reverse("rooms:building", args=["kamppi", "w8033120"])
    answer = page.evaluate("async (a) => (await fetch(a, {headers: {'HX-Request': 'true'}})).text()", address)
    assert "Ateneum" in answer
    page.get_by_role("button", name="List", exact=True).click()
    assert page.get_by_role("link", name="Hotelli Torni").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert strangers == []
    assert trouble == []


def test_without_script_the_page_shows_the_drawn_district(browser: Browser, live_city: LiveCity) -> None:
    demo.seed(lambda words: None)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live_city.url + reverse("rooms:district", args=["kamppi"]))
    assert page.locator("svg.citymap").is_visible()
    assert page.get_by_role("link", name="Hotelli Torni").is_visible()
    assert page.get_by_text("of the buildings reach a grocery on foot").is_visible()
    context.close()


def test_the_map_page_shows_another_figure_shadows_and_a_day_without_loading_anew(
    watched: tuple[Page, list[str], list[str]], live_city: LiveCity
) -> None:
    page, trouble, strangers = watched
    demo.seed(lambda words: None)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(live_city.url + reverse("rooms:district-map", args=["kamppi"]) + "?month=6&hour=9")
    began = page.evaluate("performance.timeOrigin")
    page.wait_for_selector("lc-district[data-ready] lc-map[data-ready]", timeout=90_000)
    page.get_by_role("link", name="On foot", exact=True).click()
    page.get_by_label("Minutes on foot to the nearest").select_option("school")
    page.get_by_text("On foot to the nearest: school").wait_for()
    page.get_by_text("Half of the buildings are within").wait_for()
    assert "show=access&kind=school" in page.url.replace("month=6&hour=9&", "")
    page.get_by_label("Hour").fill("15")
    assert page.get_by_text("high in the south-west").is_visible()
    assert "hour=15" in page.url
    page.get_by_label("Name or address").fill("Hotelli Torni")
    page.get_by_role("button", name="Find").click()
    expect(page.locator("[data-map-table] tbody tr")).to_have_count(1)
    assert page.evaluate("performance.timeOrigin") == began
    link = page.url
    page.goto(link + "&pick=buildings.w8033120")
    page.wait_for_selector("lc-district[data-ready] lc-map[data-ready]", timeout=90_000)
    assert page.locator("[data-show=access]").get_attribute("aria-current") == "true"
    page.get_by_role("heading", name="Ateneum").wait_for()
    assert page.locator("[data-map-panel]").get_by_text("OpenStreetMap").first.is_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    box = page.locator("[data-map-panel]").bounding_box()
    assert box is not None and box["y"] + box["height"] == pytest.approx(844, abs=2)
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Close").click()
    assert "pick=" not in page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert strangers == []
    assert trouble == []
