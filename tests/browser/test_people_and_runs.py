"""A person signs in by a one-time link, watches a run and stops another, in a real browser on the served site."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from commons.people.models import User
from commons.people.services import create_sign_in_link, create_user
from commons.places.services import ensure_city, ensure_neighbourhood
from commons.runs import services
from tests.runs import worker_kinds as kinds


@pytest.fixture
def faults(page: Page) -> list[str]:
    """What the browser complains of, and requests that leave our origin."""
    seen: list[str] = []
    page.on("console", lambda message: seen.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: seen.append(str(error)))
    page.on("request", lambda request: None if "//localhost" in request.url else seen.append(request.url))
    return seen


def sign_in(page: Page, city: Any, user: User) -> None:
    page.goto(f"{city.url}/sign-in/{create_sign_in_link(user=user)}/")
    page.get_by_role("button", name=f"Sign in as {user.username}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My things")


def test_watch_a_run_to_its_end_and_stop_another(live_city: Any, page: Page, faults: list[str]) -> None:
    anna = create_user(username="anna")
    city = ensure_city(slug="helsinki", name="Helsinki", timezone="Europe/Helsinki")
    ensure_neighbourhood(slug="kamppi", name="Kamppi", city=city)
    sign_in(page, live_city, anna)

    run = services.start(kind=kinds.SLEEP, inputs={"seconds": 4, "name": "watched"}, title="Homes", owner=anna)
    page.goto(f"{live_city.url}/runs/{run.pk}/")
    expect(page.get_by_role("progressbar", name="Homes")).to_be_visible()
    ended = services.wait(run=run, timeout_s=60)
    assert ended.status == "done", ended.error
    expect(page.get_by_text("It is ready.")).to_be_visible(timeout=15_000)

    long = services.start(kind=kinds.SLEEP, inputs={"seconds": 60, "name": "stopped"}, title="Long", owner=anna)
    page.goto(f"{live_city.url}/runs/{long.pk}/")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("It was stopped. Nothing was changed.")).to_be_visible(timeout=30_000)

    page.goto(f"{live_city.url}/me/")
    expect(page.get_by_role("link", name="Long")).to_be_visible()
    assert not faults


def test_a_token_made_on_the_page_works_and_ends(live_city: Any, page: Page, faults: list[str]) -> None:
    sign_in(page, live_city, create_user(username="anna"))
    page.get_by_role("link", name="New token").click()
    page.get_by_label("What it is for").fill("laptop")
    page.get_by_label("designs:write").check()
    page.get_by_role("button", name="Make the token").click()
    secret = page.locator("code.secret").inner_text()
    asked = page.request.get(f"{live_city.url}/api/v1/people/me/", headers={"Authorization": f"Bearer {secret}"})
    assert asked.json()["scopes"] == ["designs:write"]
    page.get_by_role("link", name="I have copied it").click()
    page.get_by_role("button", name="Revoke laptop").click()
    expect(page.get_by_text("works no more")).to_be_visible()
    again = page.request.get(f"{live_city.url}/api/v1/people/me/", headers={"Authorization": f"Bearer {secret}"})
    assert again.status == 401
    assert not faults
