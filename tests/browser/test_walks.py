"""The loop walked in a real browser on the served site: by a new visitor, a maker and a neighbour.

Nothing is mocked: Debian's Chromium, the site as `manage.py up` serves it, a real worker, stock git. On every page that
a walk visits nothing may leave our origin, and neither the console nor a script may tell an error (fixture `walk`).
"""

import datetime as dt
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from commons.people.models import ApiToken, User
from commons.people.services import create_sign_in_link, create_user
from designs.models import Design
from energy.models import CommunityVersion, Simulation
from labs.models import Booking, Machine
from labs.services import bookings
from tests.browser.conftest import PASSWORD, Walk, box_stl
from tests.loop.test_loop import git

READY_MS = 90_000  # 3D is drawn in software here


def test_a_new_visitor_walks_through_the_city(
    walk: Walk, made: Machine, bracket: Design, community: CommunityVersion, district: str
) -> None:
    page = walk.page

    # home: three figures, and of each what it is made of
    walk.goto("/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Kamppi")
    figures = page.get_by_role("region", name="Headline figures").locator("a.metric")
    expect(figures).to_have_count(3)
    for number in range(3):
        figure = figures.nth(number)
        expect(figure.locator(".value")).to_contain_text(re.compile(r"\d"))
        expect(figure).to_contain_text("complete")
        figure.click()
        numbers = page.locator("section.card", has=page.get_by_role("heading", name="In numbers")).locator("dl")
        counted = page.url.split("?")[0].endswith("/coverage/")  # what stands now has a day, not a period
        period = ("Read on",) if counted else ("From", "Until")
        for word in ("Numerator", "Denominator", *period, "Data complete"):
            told = numbers.locator(f"dt:text-is('{word}') + dd")
            expect(told).to_contain_text(re.compile(r"\d"))
        page.go_back()

    # designs: the list, and one with its model
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Designs").click()
    page.get_by_role("heading", level=2).get_by_role("link", name="Shelf bracket").click()
    page.wait_for_selector("lc-model[data-ready]", timeout=READY_MS)
    expect(page.locator("lc-model")).to_contain_text("60\u00a0×\u00a040\u00a0×\u00a020\u00a0mm")
    facts = page.get_by_role("complementary", name="Facts")
    expect(facts).to_contain_text("mm")
    expect(facts).to_contain_text("48")  # cm³

    # labs: the list, the lab, the machine, and what it made
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Labs").click()
    page.get_by_role("main").get_by_role("link", name="Corner lab").first.click()
    page.get_by_role("main").locator("a[href='/labs/corner-lab/ilves/']").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ilves")
    expect(page.get_by_role("main")).to_contain_text("0.12")  # kWh of an hour with 120 W

    # energy: the day as a chart
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Energy").click()
    if page.get_by_role("link", name="Sixteen homes").count():
        page.get_by_role("link", name="Sixteen homes").first.click()
    page.wait_for_selector("lc-chart[data-ready]", timeout=READY_MS)

    # the twin
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Twin").click()
    page.get_by_role("main").get_by_role("link", name="Kamppi").first.click()
    page.wait_for_selector("lc-map[data-ready]", timeout=READY_MS)

    # search
    page.locator("header input[name=q]").fill("bracket")
    page.keyboard.press("Enter")
    expect(page.get_by_role("main").get_by_role("link", name="Shelf bracket")).to_be_visible()

    # Finnish and back, on the same page
    page.get_by_label("EN, language").click()
    page.get_by_role("link", name="Suomi").locator("visible=true").click()
    expect(page.locator("html")).to_have_attribute("lang", "fi")
    assert "/fi/search/" in page.url
    expect(page.locator("main input[name=q]")).to_have_value("bracket")
    page.locator("header summary", has_text="FI").locator("visible=true").click()
    page.get_by_role("link", name="English").locator("visible=true").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert "/fi/" not in page.url


def test_a_maker_signs_up_uploads_and_pushes(walk: Walk, quarter: object, tmp_path: Path) -> None:
    page = walk.page

    # an account, by the real form
    walk.goto("/")
    page.get_by_role("link", name="Sign in").first.click()
    page.get_by_role("main").get_by_role("link", name=re.compile("account|sign up", re.IGNORECASE)).first.click()
    page.locator("input[name=email]").fill("mira@example.org")
    page.locator("input[name=username]").fill("mira")
    page.locator("input[name=password1]").fill(PASSWORD)
    page.locator("main form").get_by_role("button").first.click()
    page.wait_for_url(lambda url: "/account/signup/" not in url)
    assert User.objects.get().handle.name == "mira"

    # a design of one file
    part = tmp_path / "spacer.stl"
    part.write_bytes(box_stl(30, 20, 10))
    walk.goto("/designs/")
    page.get_by_role("link", name="New design").first.click()
    page.locator("input[name=name]").fill("Spacer")
    page.get_by_label("What it is for").fill("Keeps two plates apart.")
    page.locator("input[type=file][name=file]").set_input_files(part)
    page.get_by_role("button", name="Make the design").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Spacer")

    # its picture comes by itself, with mm, volume and whether it is closed
    page.wait_for_selector("lc-model[data-ready]", timeout=READY_MS)
    facts = page.get_by_role("complementary", name="Facts")
    expect(facts.locator("dt:text-is('Size') + dd")).to_have_text("30\u00a0×\u00a020\u00a0×\u00a010\u00a0mm")
    expect(facts.locator("dt:text-is('Volume') + dd")).to_contain_text("6")
    expect(facts.locator("dt:text-is('Closed shape') + dd")).to_have_text("yes")

    # a token, shown once
    walk.goto("/me/")
    page.get_by_role("link", name="New token").click()
    page.get_by_label("What it is for").fill("laptop")
    page.get_by_label("designs:write").check()
    page.get_by_role("button", name="Make the token").click()
    secret = page.locator("code.secret").inner_text()
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_text("laptop").first).to_be_visible()
    assert secret not in page.content()
    assert secret not in str(ApiToken.objects.values())

    # a second version, pushed by stock git
    door = f"{walk.city.url}/designs/mira/spacer.git".replace("://", f"://mira:{secret}@")
    git("clone", "--quiet", door, "spacer", cwd=tmp_path)
    mine = tmp_path / "spacer"
    assert (mine / "spacer.stl").read_bytes() == part.read_bytes()
    (mine / "spacer.stl").write_bytes(box_stl(30, 20, 12))
    git("commit", "--quiet", "--all", "-m", "Thicker by two", cwd=mine)
    git("push", "--quiet", "origin", "HEAD", cwd=mine)
    walk.goto("/designs/mira/spacer/")
    page.get_by_role("navigation", name="Design").get_by_role("link", name="History").click()
    versions = page.get_by_role("region", name="Versions").get_by_role("listitem")
    expect(versions).to_have_count(2)
    expect(versions.first).to_contain_text("Thicker by two")
    expect(versions.first).to_contain_text(git("rev-parse", "--short=7", "HEAD", cwd=mine).strip())


def test_a_maker_signs_in_by_link_books_cancels_and_is_offered_the_next_best(walk: Walk, printer: Machine) -> None:
    page, mira = walk.page, create_user(username="mira", name="Mira")
    walk.goto(f"/sign-in/{create_sign_in_link(user=mira)}/")
    page.get_by_role("button", name="Sign in as mira").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My things")

    # book, see it, cancel it
    walk.goto("/labs/corner-lab/ilves/")
    page.get_by_role("main").get_by_role("link", name=re.compile("^Book")).first.click()
    page.get_by_role("button", name=re.compile("^Book ")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My bookings")
    expect(page.get_by_text("Ilves is yours")).to_be_visible()
    (booked,) = Booking.objects.all()
    assert (booked.user, booked.machine, booked.status) == (mira, printer, Booking.Status.BOOKED)
    page.get_by_role("button", name="Cancel it").click()
    expect(page.get_by_text("The time is free again.")).to_be_visible()
    booked.refresh_from_db()
    assert booked.status == Booking.Status.CANCELLED

    # a time that is taken between the look and the click
    walk.goto("/labs/corner-lab/ilves/book/")
    chosen = page.get_by_role("button", name=re.compile("^Book "))
    start, end = (
        dt.datetime.fromisoformat(page.locator("main form", has=chosen).locator(f"input[name={name}]").input_value())
        for name in ("start", "end")
    )
    bookings.create_booking(machine=printer, user=create_user(username="olli"), start=start, end=end)
    walk.refusals.append((409, "/labs/corner-lab/ilves/book/"))
    chosen.click()
    expect(page.get_by_role("main")).to_contain_text("Ilves is taken then. It is free")
    expect(page.get_by_role("main")).to_contain_text("nothing was booked yet")
    assert not Booking.objects.filter(user=mira, status=Booking.Status.BOOKED).exists()
    page.get_by_role("button", name=re.compile("^Book ")).click()
    expect(page.get_by_text("Ilves is yours")).to_be_visible()
    mine = Booking.objects.get(user=mira, status=Booking.Status.BOOKED)
    assert mine.start >= end


def test_a_neighbour_simulates_and_reads_the_twin(
    walk: Walk, neighbour: User, community: CommunityVersion, district: str
) -> None:
    page = walk.page
    walk.sign_in(neighbour)

    # a simulation, watched to its result
    walk.goto("/energy/sixteen/simulations/")
    page.get_by_label("No control: what is made and used is netted").check()
    page.get_by_role("button", name="Simulate the period").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert "/runs/" in page.url
    expect(page.get_by_role("link", name="See the result")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("It is ready.")).to_be_visible()
    page.get_by_role("link", name="See the result").click()
    page.wait_for_selector("lc-chart[data-ready]", timeout=READY_MS)
    period = page.get_by_role("region", name="The whole period").first
    # 8.4 kWh an hour are used; five hours a day the roofs make 16, so 19 hours come from the grid
    expect(period).to_contain_text("58.3\u00a0MWh")
    assert Simulation.objects.get().totals["import_kwh"] == pytest.approx(365 * 19 * 8.4)

    # how the saving is shared
    page.get_by_role("link", name="How it is worked out").first.click()
    expect(page.get_by_role("heading", name="The rules side by side")).to_be_visible()
    expect(page.locator("main table tbody tr").first).to_contain_text(re.compile(r"\d"))

    # a building, chosen in the list
    walk.goto(f"/twin/{district}/")
    page.get_by_role("link", name="Open the list").click()
    page.get_by_role("link", name="Birch Tower").click()
    facts = page.get_by_role("main")
    expect(facts.locator("dt:text-is('Storeys') + dd")).to_have_text("9")
    expect(facts.locator("dt:text-is('Height') + dd")).to_contain_text(re.compile(r"\d+(\.\d)? m"))
    expect(facts).to_contain_text("On foot to the nearest")
