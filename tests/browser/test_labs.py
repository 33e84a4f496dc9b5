"""Labs in a browser: learn, pay, use a kiosk, have something made, get power; and every page for axe."""

import datetime as dt
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from commons.people.models import User
from commons.people.services import create_user, set_role
from designs.models import Design
from designs.services import releases
from labs.engine.prices import Rates
from labs.models import BadgeGrant, Booking, Fault, Interlock, Lab, Machine, MakeOrder, Teaching, Till
from labs.services import bookings, courses, faults, interlocks, kiosk, ledger, log, maintenance, tills
from tests.browser.conftest import Walk, until
from tests.browser.test_states import violations
from tests.labs.learning_stage import course_design, manifest

HOUR = dt.timedelta(hours=1)
PARTS = (
    *("", "week/", "courses/", "rules/", "desk/", "bookings/", "faults/", "maintenance/", "log/", "consumables/"),
    *("interlocks/", "interlocks/ilves/", "people/", "money/", "settings/", "ilves/", "ilves/book/"),
)
CONTRAST = """axe.run(document, {runOnly: ["color-contrast"], resultTypes: ["violations"]}).then((found) =>
    found.violations.flatMap((one) => one.nodes.map((node) => node.html.slice(0, 120) + node.failureSummary)))"""
LESSON = b"""# Before you cut

```check choice
What do you do first when it smokes?
- [ ] Open the lid
- [x] Press the emergency stop
> Air feeds the fire.
```

```check number
How long does the extraction run on, in s?
= 30 \xc2\xb1 5 s
```
"""


def sign_in(walk: Walk, user: User) -> None:
    """Be this person from now on: the cookie of a session that the site made."""
    client = Client()
    client.force_login(user)
    walk.page.context.clear_cookies()
    walk.page.context.add_cookies(
        [{"name": name, "value": held.value, "url": walk.city.url} for name, held in client.cookies.items()]
    )


def fellow(lab: Lab, name: str, role: str) -> User:
    user = create_user(username=name, name=name.title())
    set_role(organisation=lab.organisation, user=user, role=role)
    return user


def taught(lab: Lab, boss: User) -> Teaching:
    files = {"course.toml": manifest(), "01-before.md": LESSON, "README.md": b"# A course\n"}
    return courses.teach(lab=lab, design=course_design(boss, files), by=boss)


def in_use(machine: Machine, user: User) -> Booking:
    now = timezone.now()
    return bookings.create_booking(machine=machine, user=user, start=now, end=now + HOUR)


def test_a_learner_answers_is_signed_off_and_has_the_badge(walk: Walk, printer: Machine) -> None:
    page, lab = walk.page, printer.lab
    boss, learner = fellow(lab, "berit", "manager"), create_user(username="lea", name="Lea")
    teaching = taught(lab, boss)
    sign_in(walk, learner)
    walk.goto(f"/courses/berit/{teaching.course.design.slug}/")
    page.get_by_role("link", name="Begin").click()
    page.get_by_label("Open the lid").check(force=True)
    page.get_by_label("Your number").fill("28")
    page.get_by_role("button", name="Check my answers").click()
    expect(page.get_by_role("alert")).to_contain_text("Not yet")
    expect(page.get_by_text("Right", exact=True)).to_be_visible()
    page.get_by_label("Press the emergency stop").check(force=True)
    page.get_by_role("button", name="Check my answers").click()
    expect(page.get_by_text("You have passed this lesson.")).to_be_visible()
    page.get_by_role("link", name="On to the practical part").click()
    expect(page.get_by_text("All lessons are passed.")).to_be_visible()

    sign_in(walk, boss)
    walk.goto(f"/labs/{lab.slug}/desk/")
    page.get_by_role("link", name="1 person is ready for “Laser safety”").click()
    page.get_by_role("link", name="Sign off Lea").click()
    for box in page.get_by_role("group", name="Checklist").get_by_role("checkbox").all():
        box.check(force=True)
    page.get_by_role("button", name="I have seen all of it").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert not BadgeGrant.objects.exists()

    sign_in(walk, learner)
    walk.goto(f"/courses/berit/{teaching.course.design.slug}/")
    page.get_by_role("link", name="Confirm it, and the badge is yours.").click()
    page.get_by_role("button", name="Yes, I did all of it").click()
    walk.goto("/me/badges/")
    expect(page.get_by_role("heading", name=teaching.badge.name)).to_be_visible()
    assert BadgeGrant.objects.get().user == learner


def test_a_wallet_pays_for_a_booking_and_the_entries_come_as_a_table(walk: Walk, printer: Machine) -> None:
    page, lab = walk.page, printer.lab
    boss, maker = fellow(lab, "berit", "manager"), create_user(username="mira", name="Mira")
    tills.set_till(lab=lab, mode=Till.Mode.MONEY, tax_pct=Decimal(0))
    tills.set_tariff(lab=lab, rates=Rates(per_hour=Decimal("6.00")), by=boss)
    ledger.pay_in(lab=lab, user=maker, sum_=Decimal("20.00"), by=boss, memo="receipt")
    sign_in(walk, maker)
    walk.goto(f"/labs/{lab.slug}/ilves/book/?minutes=60")
    price = page.get_by_role("main").locator("dt:text-is('Price') + dd")
    expect(price).to_contain_text(re.compile(r"6\.00\s€"))
    expect(price).to_contain_text(re.compile(r"20\.00\s€"))
    page.get_by_role("button", name=re.compile("^Book ")).click()
    expect(page.get_by_text("Ilves is yours")).to_be_visible()
    walk.goto("/me/wallet/")
    expect(page.get_by_role("region", name="Corner lab")).to_contain_text(re.compile(r"14\.00\s€"))
    with page.expect_download() as got:
        page.get_by_role("link", name="All entries as CSV").click()
    text = Path(got.value.path()).read_text(encoding="utf-8-sig")
    assert {"20.00", "-6.00"} <= set(re.findall(r"-?\d+\.\d\d", text))

    sign_in(walk, boss)
    walk.goto(f"/labs/{lab.slug}/money/")
    expect(page.get_by_role("row", name="Mira")).to_contain_text(re.compile(r"14\.00\s€"))


def test_a_kiosk_is_paired_lets_in_by_pin_checks_in_and_takes_a_fault(walk: Walk, printer: Machine) -> None:
    page, lab = walk.page, printer.lab
    maker = create_user(username="mira", name="Mira")
    kiosk.set_pin(user=maker, pin="482915")
    booking = in_use(printer, maker)
    _made, code = kiosk.add_kiosk(lab=lab, name="By the door", by=None)
    walk.goto(f"/labs/{lab.slug}/kiosk/")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Make it a kiosk").click()
    page.get_by_role("link", name="Name and PIN").click()
    page.get_by_label("Name of your account").fill("mira")
    page.get_by_label("PIN", exact=True).fill("482915")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hello, Mira")
    page.get_by_role("button", name="I am here: check in").click()
    expect(page.get_by_role("button", name="I am done: end it")).to_be_visible()
    booking.refresh_from_db()
    assert booking.status == Booking.Status.RUNNING
    page.get_by_label("Machine", exact=True).select_option(label="Ilves")
    page.get_by_label("What is wrong").fill("The fan rattles.")
    page.get_by_label("Can it be used?").select_option("care")
    page.get_by_role("button", name="Report it").click()
    expect(page.get_by_text("Thank you")).to_be_visible()
    found = Fault.objects.get()
    assert (found.reporter, found.machine, found.severity) == (maker, printer, "care")
    page.get_by_role("button", name="I am finished").click()
    expect(page.get_by_label("Hold your badge to the reader")).to_be_visible()


def test_a_make_is_asked_for_quoted_accepted_and_handed_over(walk: Walk, bracket: Design, printer: Machine) -> None:
    page, lab = walk.page, printer.lab
    maker, asks = fellow(lab, "tuula", "trainer"), create_user(username="nea", name="Nea")
    releases.publish(design=bracket, version="1.0", notes="", by=bracket.owner.user)
    sign_in(walk, asks)
    walk.goto("/make/aila/shelf-bracket/order/")
    page.get_by_label("How many").fill("2")
    page.get_by_role("button", name="Ask the lab").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Shelf bracket")
    order = MakeOrder.objects.get()
    here = f"/me/orders/{order.pk}/"

    sign_in(walk, maker)
    walk.goto(f"/labs/{lab.slug}/orders/")
    page.get_by_role("link", name=re.compile("Shelf bracket")).click()
    page.get_by_label("Machine hours").fill("2")
    page.get_by_label("Price").fill("9.00")
    page.get_by_role("button", name="Send the quote").click()
    step = page.get_by_role("list", name="How far it is").locator("[aria-current]")
    expect(step).to_have_text("Quoted")

    sign_in(walk, asks)
    walk.goto(here)
    expect(page.get_by_role("main")).to_contain_text("9.00")
    page.get_by_role("button", name=re.compile("^Accept")).click()
    expect(step).to_have_text("Accepted")

    sign_in(walk, maker)
    walk.goto(here)
    page.get_by_role("button", name="It is ready").click()
    page.get_by_role("button", name="Hand it over").click()
    expect(step).to_have_text("Handed over")
    order.refresh_from_db()
    assert (order.status, order.quantity, order.price) == ("handed-over", 2, Decimal("9.00"))


def test_power_comes_with_the_check_in_and_goes_with_the_lock(walk: Walk, printer: Machine) -> None:
    page, lab = walk.page, printer.lab
    boss, maker = fellow(lab, "berit", "manager"), create_user(username="mira", name="Mira")
    held = interlocks.set_interlock(machine=printer, by=boss, driver=Interlock.Driver.NONE)
    booking = in_use(printer, maker)

    def state() -> str:
        held.refresh_from_db()
        return held.state

    sign_in(walk, maker)
    walk.goto(f"/b/{booking.pk}/")
    page.get_by_role("button", name="I am here: check in").click()
    expect(page.get_by_role("button", name="I am done: end it")).to_be_visible()
    until(lambda: state() == "on")
    walk.goto(f"/b/{booking.pk}/")
    expect(page.get_by_role("region", name="Power")).to_contain_text("Power is on")

    sign_in(walk, boss)
    walk.goto(f"/labs/{lab.slug}/interlocks/ilves/")
    expect(page.get_by_role("region", name="Now")).to_contain_text("Power is on")
    expect(page.get_by_role("region", name="What was said to it")).to_contain_text("Mira")
    page.get_by_label("Why; people read it").fill("A loose cable")
    page.get_by_role("button", name="Lock it out").click()
    expect(page.get_by_role("button", name="Take the lock off")).to_be_visible()
    until(lambda: state() == "off")


@pytest.fixture
def busy(printer: Machine) -> tuple[User, list[str]]:
    """A manager, and the pages of a lab in which something of everything has happened."""
    lab = printer.lab
    boss, maker = fellow(lab, "berit", "owner"), create_user(username="mira", name="Mira")
    teaching = taught(lab, boss)
    tills.set_till(lab=lab, mode=Till.Mode.MONEY)
    tills.set_tariff(lab=lab, rates=Rates(per_hour=Decimal("6.00")), by=boss)
    ledger.pay_in(lab=lab, user=boss, sum_=Decimal("20.00"), by=boss, memo="receipt")
    interlocks.set_interlock(machine=printer, by=boss, driver=Interlock.Driver.NONE)
    now = timezone.now()
    maintenance.add_plan(machine=printer, by=boss, name="Grease the rods", every_days=7, since=now - 9 * 24 * HOUR)
    log.write_entry(lab=lab, kind="near-miss", text="A small flame.", by=boss, done="Lid shut.", private="Nobody hurt.")
    faults.report_fault(machine=printer, by=maker, what="The fan rattles.", severity="care")
    booking = in_use(printer, boss)
    at = f"/labs/{lab.slug}/"
    course = f"/courses/berit/{teaching.course.design.slug}/"
    own = ("/labs/", course, f"{course}before/", f"/b/{booking.pk}/", "/me/wallet/", "/me/badges/")
    return boss, [*own, f"{at}courses/{teaching.pk}/", *(at + part for part in PARTS)]


def test_every_page_of_a_lab_is_well_in_light_dark_and_narrow(walk: Walk, busy: tuple[User, list[str]]) -> None:
    """One load a page: axe in light on a wide screen and in dark on a phone, and nothing wider than 320 px."""
    page, (boss, paths) = walk.page, busy
    page.emulate_media(reduced_motion="reduce")  # or a colour is measured on its way to the other scheme
    sign_in(walk, boss)
    found: dict[str, Any] = {}
    for path in paths:
        page.set_viewport_size({"width": 1440, "height": 900})
        page.emulate_media(color_scheme="light")
        walk.goto(path)
        if bad := violations(page):
            found[path] = bad
        page.set_viewport_size({"width": 320, "height": 720})
        page.emulate_media(color_scheme="dark")
        if over := page.evaluate("document.documentElement.scrollWidth - innerWidth"):
            found[f"{path} at 320 px"] = over
        if bad := page.evaluate(CONTRAST):  # axe is in the page already
            found[f"{path} dark, narrow"] = bad
    assert found == {}
