"""The week of a lab under a pointer and under the keyboard: book, move, be refused, cancel; the server decides."""

import datetime as dt
import re

from django.utils import timezone
from playwright.sync_api import Locator, expect

from commons.people.services import create_user
from labs.models import Booking, Machine
from labs.services import bookings
from tests.browser.conftest import PASSWORD, Walk

HOUR = dt.timedelta(hours=1)


def pull(walk: Walk, track: Locator, first: float, last: float) -> None:
    """Drag along a track, in shares of its width."""
    track.scroll_into_view_if_needed()
    box = track.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    mouse = walk.page.mouse
    mouse.move(box["x"] + first * box["width"], y)
    mouse.down()
    mouse.move(box["x"] + (first + last) / 2 * box["width"], y, steps=4)
    mouse.move(box["x"] + last * box["width"], y, steps=4)
    mouse.up()


def test_a_week_is_booked_by_dragging_and_by_keys(walk: Walk, made: Machine) -> None:
    page, lab = walk.page, made.lab
    mira = create_user(username="mira", password=PASSWORD)
    walk.sign_in(mira)
    day = (timezone.now().astimezone(lab.zone) + dt.timedelta(days=2)).date()
    midnight = dt.datetime.combine(day, dt.time(), lab.zone)
    walk.goto(f"/labs/{lab.slug}/week/?day={day}")
    page.wait_for_selector("lc-week[data-ready]")
    track = page.locator(f".track[data-machine='{made.pk}']")
    begin = dt.datetime.fromisoformat(track.get_attribute("data-from") or "")
    quarters = int(track.get_attribute("data-quarters") or 0)
    share = {hour: ((midnight + hour * HOUR - begin) / dt.timedelta(minutes=15)) / quarters for hour in range(8, 20)}

    # drag: two hours, seen before anything is sent, then booked
    pull(walk, track, share[10] + 0.001, share[12])
    expect(page.locator(".pickbar")).to_contain_text("10:00 to 12:00")
    assert not Booking.objects.filter(user=mira).exists()
    page.get_by_role("button", name="Book it").click()
    expect(page.locator(".toast")).to_contain_text("Booked")
    booking = Booking.objects.get(user=mira)
    assert (booking.start, booking.end) == (midnight + 10 * HOUR, midnight + 12 * HOUR)

    # move it two hours on
    expect(page.locator(f"[data-booking='{booking.pk}']")).to_be_visible()
    pull(walk, track, (share[10] + share[12]) / 2, (share[12] + share[14]) / 2)
    page.get_by_role("button", name="Move it here").click()
    expect(page.locator(".toast").last).to_contain_text("Moved")
    booking.refresh_from_db()
    assert (booking.start, booking.end) == (midnight + 12 * HOUR, midnight + 14 * HOUR)

    # somebody takes nine o'clock while the page stands open: the refusal is said and the next time is chosen
    bookings.create_booking(
        machine=made, user=create_user(username="otto"), start=midnight + 9 * HOUR, end=midnight + 10 * HOUR
    )
    pull(walk, track, share[9] + 0.001, share[10])
    walk.refusals.append((409, "/api/v1/bookings/"))
    page.get_by_role("button", name="Book it").click()
    expect(page.locator(".toast.bad")).to_contain_text("is taken then")
    expect(page.locator(".pickbar")).to_contain_text("10:00 to 11:00")
    page.keyboard.press("Escape")
    expect(page.locator(".pickbar")).to_have_count(0)

    # keys alone: to the track, four quarters on, one longer, booked; then moved away from and cancelled
    track.focus()
    page.keyboard.press("Enter")
    chosen = page.locator(".pickbar")
    expect(chosen).to_contain_text(re.compile(r"\d\d:\d\d to \d\d:\d\d"))
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".toast").last).to_contain_text("Booked")
    assert Booking.objects.filter(user=mira).count() == 2

    # cancel the first one from its bar
    page.locator(f"[data-booking='{booking.pk}']").click()
    page.get_by_role("button", name="Cancel the booking").click()
    expect(page.locator(".toast").last).to_contain_text("free again")
    booking.refresh_from_db()
    assert booking.status == Booking.Status.CANCELLED
