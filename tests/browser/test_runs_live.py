"""A simulation asked for on a community's page, watched in a real browser: it moves, it ends, it can be stopped."""

import time
from pathlib import Path
from typing import Any

from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from commons.people.models import User
from commons.people.services import create_sign_in_link, create_user
from commons.places.services import ensure_city, ensure_neighbourhood
from commons.runs import services as runs
from commons.runs.models import Run
from energy import services
from energy.models import Community, Simulation
from tests.energy.conftest import write
from tests.runs import worker_kinds as kinds

SOON_MS = 60_000


def sign_in(page: Page, city: Any, user: User) -> None:
    page.goto(f"{city.url}/sign-in/{create_sign_in_link(user=user)}/")
    page.get_by_role("button", name=f"Sign in as {user.username}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My things")


def sixteen(folder: Path) -> Community:
    city = ensure_city(slug="helsinki", name="Helsinki", timezone="Europe/Helsinki", country="FI")
    kamppi = ensure_neighbourhood(slug="kamppi", name="Kamppi", city=city)
    version = services.import_folder(folder=write(folder, days=30), slug="sixteen", place=kamppi)
    return version.community


def faults_of(page: Page) -> list[str]:
    seen: list[str] = []
    page.on("console", lambda message: seen.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: seen.append(str(error)))
    return seen


def beyond(bar: Locator, percent: int) -> int:
    """The bar's percentage once it has passed one; never loads the page anew."""
    until = time.monotonic() + SOON_MS / 1000
    while time.monotonic() < until:
        if (now := int(bar.get_attribute("aria-valuenow") or 0)) > percent:
            return now
        bar.page.wait_for_timeout(100)
    raise AssertionError(f"the bar stayed at {percent} %")


def test_a_simulation_from_its_form_ends_in_its_result(live_city: Any, page: Page, tmp_path: Path) -> None:
    faults = faults_of(page)
    community = sixteen(tmp_path / "sixteen")
    sign_in(page, live_city, create_user(username="nea"))
    page.goto(live_city.url + reverse("rooms:community_simulations", args=[community.slug]))
    expect(page.get_by_text("Nothing is simulated yet.")).to_be_visible()
    page.get_by_role("radio", name="By rule").check()
    page.get_by_role("button", name="Simulate the period").click()
    page.wait_for_url("**/runs/**")
    expect(page.get_by_text("It is ready.")).to_be_visible(timeout=SOON_MS)
    page.get_by_role("link", name="See the result").click()
    page.wait_for_url(f"**{reverse('rooms:community', args=[community.slug])}*")
    expect(page.locator("section[aria-labelledby=period]").get_by_text("Batteries by rule")).to_be_visible()
    assert Simulation.objects.filter(version__community=community).exists()
    assert faults == []


def test_the_bar_moves_by_itself_and_stop_stops(live_city: Any, page: Page) -> None:
    faults = faults_of(page)
    nea = create_user(username="nea")
    sign_in(page, live_city, nea)
    run = runs.start(kind=kinds.SLEEP, inputs={"seconds": 60, "name": "halted"}, title="A long one", owner=nea)
    page.goto(f"{live_city.url}/runs/{run.pk}/")
    page.wait_for_selector("lc-run[data-ready]", state="attached")
    bar = page.get_by_role("progressbar", name="A long one")
    first = beyond(bar, 0)
    assert beyond(bar, first) > first
    expect(page.locator("[data-run=stage]")).to_contain_text("step")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("It was stopped. Nothing was changed.")).to_be_visible(timeout=SOON_MS)
    assert Run.objects.get(pk=run.pk).status == Run.Status.CANCELLED
    assert not User.objects.filter(username__startswith="halted").exists()
    assert faults == []
