"""A scenario from the first click to the comparison, in a real browser: composed on map and panel, worked out
by a worker, copied, changed, and put beside the other; nothing leaves our origin.
"""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect

from commons.runs.models import Run
from tests.browser.conftest import Walk, until
from tests.twin.conftest import spot
from tests.twin.test_traffic import streets
from twin import files, services
from twin.models import Scenario

LIST = "/twin/town/scenarios/"


@pytest.fixture
def town(walk: Walk, tmp_path: Path) -> Walk:
    """The small town with its grid of streets, on the served site."""
    path = tmp_path / "town.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": streets()}), encoding="utf-8")
    run = services.start_import(
        slug="town", name="Town", files=[files.keep_path(path)], place=None, licence="CC-BY-4.0", attribution="The town"
    )
    until(lambda: Run.objects.filter(pk=run.pk, status=Run.Status.DONE).exists())
    return walk


@pytest.fixture
def large_town(walk: Walk, tmp_path: Path) -> Walk:
    """The same town with so many playgrounds that no browser is sent the whole of it."""
    many = [spot(f"p{n}", 24.93 + n % 120 / 9000, 60.16 + n // 120 / 9000, leisure="playground") for n in range(15_001)]
    path = tmp_path / "town.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [*streets(), *many]}), encoding="utf-8")
    services.start_import(slug="town", name="Town", files=[files.keep_path(path)], licence="CC0-1.0")
    until(lambda: Run.objects.filter(kind="twin.map", status=Run.Status.DONE).exists(), 120)
    return walk


def drawn(page: Page) -> None:
    """Wait for the map."""
    page.wait_for_selector("lc-scenario[data-ready]", timeout=90_000)


def answered(page: Page) -> None:
    """Wait for the worker's answer; the page loads itself anew."""
    try:
        page.wait_for_selector("#figures", timeout=120_000)
    except TimeoutError as late:
        runs = Run.objects.order_by("-created_at").values("kind", "status", "progress", "stage", "error")[:3]
        raise AssertionError(f"no answer at {page.url}: {list(runs)}") from late
    drawn(page)


def test_a_layperson_composes_sun_and_a_closed_street_and_compares(town: Walk) -> None:
    page = town.page
    town.goto(LIST)
    page.get_by_role("link", name="Ask a question").click()
    drawn(page)
    page.get_by_label("Name").fill("Sun and quiet")
    page.get_by_role("button", name="Solar panels").click()
    share = page.locator("[data-kind=solar] input[type=number]")
    slider = page.get_by_role("slider", name="Share of the roofs")
    slider.fill("60")
    expect(share).to_have_value("60")
    share.fill("40")
    expect(slider).to_have_value("40")
    page.get_by_role("button", name="Close a street to cars").click()
    page.locator("[data-kind=close_street] input[data-pick]").fill("North 1")
    page.get_by_role("button", name="Trees", exact=True).click()
    page.locator("[data-kind=trees]").get_by_role("button", name="Leave it out").click()
    expect(page.locator("[data-measure]:visible")).to_have_count(2)
    page.get_by_role("button", name="Work it out", exact=True).click()
    answered(page)
    expect(page.get_by_role("heading", name="Sun and quiet")).to_be_visible()
    expect(page.locator("#figure-made_kwh")).to_be_visible()
    page.get_by_role("button", name="Beside today").click()
    border = page.get_by_role("slider", name="Border between today and scenario")
    border.press("ArrowRight")
    expect(border).to_have_attribute("aria-valuenow", "55")
    border.press("Home")
    expect(border).to_have_attribute("aria-valuenow", "0")
    page.get_by_role("button", name="Make a copy").click()
    page.get_by_text("This is your own copy now").wait_for()
    drawn(page)
    page.get_by_text("Change the measures").click()
    page.locator("[data-kind=solar] input[type=number]").fill("80")
    page.get_by_role("button", name="Work it out", exact=True).click()
    page.get_by_text("Version 2").first.wait_for()
    answered(page)
    page.get_by_label("Beside another").select_option(label="Sun and quiet")
    page.get_by_role("button", name="Compare").click()
    table = page.get_by_role("table", name="Each figure today and in each scenario")
    expect(table.get_by_role("columnheader", name="Sun and quiet")).to_have_count(2)
    made = table.get_by_role("row", name="Solar power made")
    expect(made.get_by_text("best")).to_have_count(1)
    with page.expect_download() as taken:
        page.get_by_role("link", name="CSV").click()
    rows = Path(taken.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert sum("made_kwh" in row for row in rows) == 2
    assert Scenario.objects.count() == 2


def test_a_large_district_is_drawn_from_tiles_and_its_answer_laid_over_them(large_town: Walk) -> None:
    page = large_town.page
    asked: list[tuple[str, int]] = []
    page.on("response", lambda answer: asked.append((answer.url, answer.status)))
    large_town.goto("/twin/town/map/")
    page.wait_for_selector("lc-map[data-ready]", timeout=90_000)
    large_town.goto(f"{LIST}new/?kind=close_street&street=North 1")
    drawn(page)
    page.get_by_label("Name").fill("Quiet")
    page.get_by_role("button", name="Work it out", exact=True).click()
    answered(page)
    tiles = [status for url, status in asked if ".pmtiles" in url]
    assert len(tiles) > 3 and set(tiles) == {206}
    assert any("streets.geojson?fields=map" in url for url, _status in asked)
    assert not [url for url, _status in asked if "/layers/" in url]
    page.get_by_role("button", name="Beside today").click()
    page.get_by_role("slider", name="Border between today and scenario").wait_for()


def test_a_click_on_the_map_becomes_a_measure(town: Walk) -> None:
    page = town.page
    page.set_viewport_size({"width": 390, "height": 844})
    town.goto(f"{LIST}new/")
    drawn(page)
    page.locator(".map-canvas canvas").click(position={"x": 12, "y": 300})
    page.get_by_role("button", name="Trees here").click()
    place = page.locator("[data-measure][data-kind=trees] input[data-pick]").last
    assert re.fullmatch(r"24\.\d+, 60\.\d+", place.input_value())
    page.locator("[data-kind=trees]").get_by_role("button", name="Choose on the map").click()
    page.get_by_text("Click the place.").wait_for()
    before = place.input_value()
    page.locator(".map-canvas canvas").click(position={"x": 200, "y": 200})
    expect(place).not_to_have_value(before)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_script_the_form_adds_leaves_out_and_asks(town: Walk, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{town.city.url}{LIST}new/")
    page.get_by_label("Name").fill("By hand")
    page.get_by_role("button", name="Solar panels").click()
    page.get_by_text("Add a measure").click()
    page.get_by_role("button", name="Green roofs").click()
    page.locator("[data-kind=green_roof]").get_by_role("button", name="Leave it out").click()
    page.get_by_label("Share of the roofs").fill("25")
    page.get_by_role("button", name="Work it out", exact=True).click()
    assert page.get_by_role("heading", name="By hand").is_visible()
    assert page.get_by_text("Solar panels: 25").is_visible()
    context.close()
