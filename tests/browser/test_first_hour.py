"""A newcomer chooses a first hour, takes its first step, and finds it ticked; dashboards draw without complaint."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from commons.people.services import create_sign_in_link, create_user
from commons.places.services import box, ensure_city, ensure_neighbourhood


@pytest.fixture
def faults(page: Page) -> list[str]:
    """What the browser complains of, and requests that leave our origin."""
    seen: list[str] = []
    page.on("console", lambda message: seen.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("request", lambda request: None if "//localhost" in request.url else seen.append(request.url))
    return seen


def test_a_newcomer_takes_the_first_step(live_city: Any, page: Page, faults: list[str]) -> None:
    anna = create_user(username="anna")
    city = ensure_city(slug="helsinki", name="Helsinki", timezone="Europe/Helsinki")
    ensure_neighbourhood(slug="kamppi", name="Kamppi", city=city, outline=box(24.93, 60.16, 24.95, 60.18))
    page.goto(f"{live_city.url}/sign-in/{create_sign_in_link(user=anna)}/")
    page.get_by_role("button", name="Sign in as anna").click()
    page.goto(f"{live_city.url}/")
    page.get_by_role("link", name="Choose yours").click()
    page.get_by_role("button", name="I live here").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your first hour: 0 of 5 steps")
    page.get_by_role("link", name=re.compile("Say where you live")).click()
    page.get_by_label("My neighbourhood").select_option(label="Kamppi")
    page.get_by_role("button", name="Save").click()
    page.goto(f"{live_city.url}/me/first-hour/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your first hour: 1 of 5 steps")
    expect(page.get_by_text("Say where you live")).to_be_visible()
    page.get_by_role("button", name="Put this away").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing waits for you")
    page.goto(f"{live_city.url}/places/helsinki/dashboard/compare/")
    page.locator("svg.outlines a").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How has Kamppi been doing?")
    page.get_by_role("link", name="Sectors").click()
    expect(page.get_by_role("rowheader", name="Food")).to_be_visible()
    assert not faults


def test_who_runs_a_lab_opens_it_by_herself(live_city: Any, page: Page, faults: list[str]) -> None:
    """From the path to a lab that can be booked: a draft that nobody else sees, then open, with machine and hours."""
    berit = create_user(username="berit")
    city = ensure_city(slug="helsinki", name="Helsinki", timezone="Europe/Helsinki")
    ensure_neighbourhood(slug="kamppi", name="Kamppi", city=city, outline=box(24.93, 60.16, 24.95, 60.18))
    page.goto(f"{live_city.url}/sign-in/{create_sign_in_link(user=berit)}/")
    page.get_by_role("button", name="Sign in as berit").click()
    page.goto(f"{live_city.url}/me/first-hour/")
    page.get_by_role("button", name="I run a lab").click()
    page.get_by_role("link", name=re.compile("Open your lab")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Open your lab")
    page.get_by_label("Name of the lab").fill("Yard workshop")
    page.get_by_label("Neighbourhood").select_option(label="Kamppi")
    page.get_by_label("Latitude, for the map").fill("60.1699")
    page.get_by_label("Longitude, for the map").fill("24.944")
    page.get_by_role("button", name="Keep it as a draft").click()
    expect(page.get_by_role("region", name="Open it")).to_contain_text("its first machine")
    page.get_by_label("First machine").fill("Ilves")
    page.get_by_role("button", name="Save the draft").click()
    page.goto(f"{live_city.url}/labs/")
    expect(page.get_by_text("Yard workshop")).to_have_count(0)
    page.goto(f"{live_city.url}/labs/new/")
    page.get_by_role("link", name="Yard workshop").click()
    page.get_by_role("button", name="Open Yard workshop").click()
    expect(page.get_by_text("Yard workshop is open.")).to_be_visible()
    page.goto(f"{live_city.url}/labs/yard-workshop/standing/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Where does this lab stand?")
    page.goto(f"{live_city.url}/me/first-hour/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your first hour: 3 of 6 steps")
    assert not faults
