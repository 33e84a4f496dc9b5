"""The first hour of a maker and of a citizen, walked to its end by newcomers on the whole demonstration city."""

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from playwright.sync_api import Page, expect

from commons.decisions.models import Motion
from commons.people.models import User
from designs.models import Blob, Design
from energy.models import Asset, Participant
from labs.models import Booking, Job, Machine
from labs.services import jobs
from tests.browser.conftest import PASSWORD, Walk, box_stl, until, walk
from twin.models import Offer

__all__ = ["walk"]
pytestmark = [pytest.mark.drill, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def demo(worker: Any, manage: Any) -> None:
    """The whole demonstration."""
    done = manage("demo", "--json")
    assert done.returncode == 0, done.stderr


def signed_up(walk: Walk, name: str) -> None:
    """A new account, by the form that everybody has."""
    page = walk.page
    walk.goto("/account/signup/")
    page.locator("input[name=email]").fill(f"{name}@example.org")
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password1]").fill(PASSWORD)
    page.locator("main form").get_by_role("button").first.click()
    page.wait_for_url(lambda url: "/account/signup/" not in url)


def step(walk: Walk, done: int, of: int, link: str = "") -> None:
    """So many steps are found done; go where the next one is taken."""
    walk.goto("/me/first-hour/")
    expect(walk.page.get_by_role("heading", level=1)).to_have_text(
        "Your first hour is done" if done == of else f"Your first hour: {done} of {of} steps"
    )
    if link:
        walk.page.get_by_role("link", name=re.compile(link)).click()


def lives_in_kamppi(page: Page) -> None:
    page.get_by_label("My neighbourhood").select_option(label="Kamppi")
    page.get_by_role("button", name="Save").click()


def test_a_maker_makes_the_first_thing(demo: None, walk: Walk, tmp_path: Path) -> None:
    page = walk.page
    signed_up(walk, "mira")
    walk.goto("/")
    page.get_by_role("link", name="Choose yours").click()
    page.get_by_role("button", name="I make things").click()
    step(walk, 0, 6, "Say where you live")
    lives_in_kamppi(page)
    step(walk, 1, 6, "Publish a design")
    part = tmp_path / "spacer.stl"
    part.write_bytes(box_stl(30, 20, 10))
    page.locator("input[name=name]").fill("Spacer")
    page.locator("input[type=file][name=file]").set_input_files(part)
    page.get_by_role("button", name="Make the design").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Spacer")
    books_what_the_sun_suggests(walk)
    step(walk, 5, 6)
    made(walk, Booking.objects.get(user__username="mira"))
    step(walk, 6, 6)


def books_what_the_sun_suggests(walk: Walk) -> None:
    """Once the city has looked at the file, it knows the machines that can make it; one asks for no badge."""
    page = walk.page
    until(Design.objects.filter(slug="spacer").exclude(head="").exists, seconds=300)
    step(walk, 3, 6, "Be let onto a machine")
    expect(page.get_by_role("heading", level=1)).to_have_text("What would you like to learn?")
    ready = Blob.objects.filter(format="stl", file_versions__design__slug="spacer", preview="ready")
    until(ready.exists, seconds=300)
    walk.goto("/designs/mira/spacer/")
    near = page.locator("section.card", has=page.get_by_role("heading", name="Make it near you"))
    near.get_by_role("link", name="Saimaa", exact=True).click()
    page.get_by_role("button", name=re.compile("^Book ")).click()
    expect(page.get_by_text("Saimaa is yours")).to_be_visible()


def made(walk: Walk, booking: Booking) -> None:
    """Her time comes, she checks in, and the machine says that it made what she brought; kWh come with the clock."""
    now = timezone.now()
    start, end = now - dt.timedelta(minutes=1), now + booking.length
    Booking.objects.filter(machine=booking.machine, start__lt=end, end__gt=start).exclude(pk=booking.pk).delete()
    Booking.objects.filter(pk=booking.pk).update(start=start, end=end, blocked=DateTimeTZRange(start, end))
    walk.goto(f"/b/{booking.pk}/")
    walk.page.get_by_role("button", name="I am here: check in").click()
    expect(walk.page.get_by_role("button", name="I am done: end it")).to_be_visible()
    device = Machine.objects.get(pk=booking.machine_id).device
    assert device is not None
    seq, at = 10**12, timezone.now()
    for event, ts in (("started", at - dt.timedelta(seconds=30)), ("finished", at)):
        seq += 1
        jobs.take_events(device=device, events=[{"seq": seq, "ts": ts.isoformat(), "event": event, "job": "mira-1"}])
    job = Job.objects.get(booking=booking)
    assert job.outcome == "finished"
    walk.goto(f"/jobs/{job.pk}/")
    expect(walk.page.get_by_role("main")).to_contain_text("Spacer")


def test_a_citizen_belongs_somewhere_and_has_a_say(demo: None, walk: Walk) -> None:
    page = walk.page
    signed_up(walk, "nea")
    walk.goto("/me/first-hour/")
    page.get_by_role("button", name="I live here").click()
    step(walk, 0, 5, "Say where you live")
    lives_in_kamppi(page)
    step(walk, 1, 5, "Join your energy community")
    page.get_by_role("link", name="Join the demonstration").click()
    page.get_by_label("Name of your household").fill("Nea, 2nd floor")
    page.get_by_role("button", name="Join", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Nea, 2nd floor")
    step(walk, 2, 5, "Say what your home has")
    page.get_by_text("Add a roof, battery, car or heat pump").click()
    page.get_by_label("Peak power of the roof").fill("4")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("4.0 kWp")).to_be_visible()
    step(walk, 3, 5, "Set one thing right in the twin")
    corrected(walk)
    step(walk, 4, 5, "Take part in a decision")
    proposed(walk)
    step(walk, 5, 5)
    nea = User.objects.get(username="nea")
    assert Participant.objects.get(person=nea).community.demo and Asset.objects.get(participant__person=nea).kwp == 4


def corrected(walk: Walk) -> None:
    """From the district to a building, and what is wrong with it."""
    page = walk.page
    page.get_by_role("link", name="List", exact=True).first.click()
    page.get_by_role("main").locator("a[href*='/buildings/']").first.click()
    page.get_by_role("link", name="Something wrong? Correct it").first.click()
    page.get_by_label(re.compile("^Storeys")).fill("5")
    page.get_by_label("How do you know?").fill("I live there.")
    page.get_by_role("button", name="Offer the correction").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert Offer.objects.filter(author__username="nea").count() == 1


def proposed(walk: Walk) -> None:
    """A question to the community to which she belongs since a minute ago."""
    page = walk.page
    page.get_by_role("link", name="Propose something").click()
    page.get_by_role("main").get_by_role("link", name="Kamppi energy community").click()
    page.locator("input[name=title]").fill("Shall we meet on the roof?")
    page.locator("textarea[name=text]").fill("Once a year, where the panels are.")
    page.locator("input[name=method][value=majority]").check(force=True)
    page.locator("input[name=option-1]").fill("On the first Sunday of June")
    page.get_by_role("button", name="Propose it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Shall we meet on the roof?")
    assert Motion.objects.filter(author__username="nea").count() == 1
