"""Where a lab stands, a lab that is not open yet, and what came of a plan: well on a desk and on a phone, by day and by
night; and its place is clicked on the map."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from commons.decisions.models import Enactment
from commons.people.models import User
from commons.people.services import create_organisation, create_user, set_role
from commons.places.models import Place
from energy.models import CommunityVersion
from labs.models import BookingPlan, LabDraft, Machine, SunDay
from labs.services import bookings, drafts
from labs.services import ties as services
from labs.sides import sides
from tests.browser.conftest import Walk
from tests.browser.test_labs import sign_in
from tests.browser.test_states import violations
from tests.twin.demo_stage import stage, town
from twin import demo_loop

__all__ = ["stage", "town"]
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
DRAWN_MS = 90_000
SIZES = {"wide": (1440, 900), "phone": (390, 844)}


def lived_in(printer: Machine, community: CommunityVersion, district: str) -> User:
    """A lab that belongs to both, asks for another building, has bookings today and two weeks of measured days."""
    lab, host = printer.lab, create_user(username="berit", name="Berit")
    set_role(organisation=lab.organisation, user=host, role="manager")
    keepers = create_organisation(handle="co-op", name="The co-op", kind="community")
    city = create_organisation(handle="town-hall", name="Town hall", kind="city")
    for organisation in (keepers, city):
        set_role(organisation=organisation, user=host, role="steward")
    community.community.organisation = keepers
    community.community.save(update_fields=["organisation"])
    for kind, target in (("community", "sixteen"), ("building", f"{district}/w10")):
        side_tie = services.ask(lab=lab, kind=kind, target=found(lab, host, kind, target), by=host)
        services.answer(tie=side_tie, by=host, accept=True)
    now = timezone.now()
    for nth in range(1, 13):
        at = now - nth * DAY
        booking = bookings.create_booking(machine=printer, user=host, start=at, end=at + HOUR, now=at - DAY)
        BookingPlan.objects.create(booking=booking, planned_kwh=0.2, measured_kwh=0.16 + 0.01 * nth, made_at=at)
        SunDay.objects.create(
            lab=lab, day=at.date(), jobs=1, kwh=0.2, sun_kwh=0.15, first_sun_kwh=0.1, exact=True, method="1", made_at=at
        )
    bookings.create_booking(machine=printer, user=host, start=now, end=now + HOUR)
    return host


def found(lab: object, person: User, kind: str, wished: str) -> str:
    """The other side of that address, or the nearest there is."""
    side = sides.get(kind)
    assert side is not None
    near = side.near(lab, person, "")  # type: ignore[arg-type]
    return wished if any(other.target == wished for other in near) else near[0].target


def well(page: Page) -> None:
    """Nothing overflows, axe finds nothing."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url
    assert violations(page) == [], page.url


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.drill)])
def test_the_pages_are_well(
    walk: Walk, printer: Machine, community: CommunityVersion, district: str, scheme: str
) -> None:
    host = lived_in(printer, community, district)
    draft = drafts.start(
        by=host, facts={"name": "Yard workshop", "lat": 60.17, "lon": 24.94, "place": "kamppi", "opening_hours": {}}
    )
    sign_in(walk, host)
    walk.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    addresses = (
        "/labs/corner-lab/standing/",
        "/labs/corner-lab/",
        "/labs/new/",
        f"/labs/new/{draft.pk}/",
        "/energy/sixteen/",
    )
    for width, height in SIZES.values():
        walk.page.set_viewport_size({"width": width, "height": height})
        for address in addresses:
            walk.goto(address)
            well(walk.page)


def test_the_place_of_a_lab_is_clicked_on_the_map(walk: Walk, quarter: Place, district: str) -> None:
    """In the middle of the map lies the quarter; what is typed moves the mark, what is clicked is what is kept."""
    host = create_user(username="berit", name="Berit")
    host.home = quarter
    host.save(update_fields=["home"])
    page = walk.page
    sign_in(walk, host)
    walk.goto("/labs/new/")
    page.wait_for_selector("lc-map[data-ready]", timeout=DRAWN_MS)
    page.get_by_label("Name of the lab").fill("Yard workshop")
    page.get_by_label("Neighbourhood").select_option(label="Kamppi")
    page.locator("lc-map canvas").click()
    lat, lon = page.get_by_label("Latitude, for the map"), page.get_by_label("Longitude, for the map")
    assert 60.16 < float(lat.input_value()) < 60.18 and 24.93 < float(lon.input_value()) < 24.96
    expect(page.locator("lc-map .map-pin")).to_have_count(1)
    lat.fill("")
    expect(page.locator("lc-map .map-pin")).to_have_count(0)
    lat.fill("60.1701")
    expect(page.locator("lc-map .map-pin")).to_have_count(1)
    page.get_by_role("button", name="Keep it as a draft").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Yard workshop")
    page.wait_for_selector("lc-map[data-ready] .map-pin", timeout=DRAWN_MS)
    assert LabDraft.objects.get().facts["lat"] == 60.1701


def test_what_came_of_a_plan_is_well(walk: Walk, stage: object) -> None:
    demo_loop.seed(lambda _words: None)
    addresses = [f"/decisions/{done.motion_id}/" for done in Enactment.objects.all()]
    assert addresses
    for width, height in SIZES.values():
        walk.page.set_viewport_size({"width": width, "height": height})
        for address in [*addresses, "/twin/town/", "/decisions/"]:
            walk.goto(address)
            well(walk.page)
