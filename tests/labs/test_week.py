"""The machines of a lab side by side: every bar where its booking lies, on ordinary days and when the clock changes."""

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commons.people.models import Membership, User
from commons.people.services import set_role
from commons.places.models import Place
from labs.models import Booking, BookingRule, Lab, Machine
from tests.labs.conftest import lab, machine, person

QUARTER = dt.timedelta(minutes=15)
ALWAYS: dict[str, Any] = {}
DAILY = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def booked(of: Machine, user: User, start: dt.datetime, minutes: int, **more: Any) -> Booking:
    """A booking of any time, also past: the grid shows what stands in the table."""
    end = start + dt.timedelta(minutes=minutes)
    return Booking.objects.create(
        machine=of, user=user, start=start, end=end, blocked=DateTimeTZRange(start, end), **more
    )


def tracks(html: str) -> list[str]:
    return re.findall(r'<div class="track .*?</div></td>', html, re.DOTALL)


def bars(track: str, kind: str) -> list[tuple[int, int]]:
    found = re.findall(rf'class="(?:held )?{kind} from-(\d+) len-(\d+)"', track)
    return [(int(first), int(length)) for first, length in found]


def shown(client: Client, of: Lab, **asked: str) -> str:
    answer = client.get(f"/labs/{of.slug}/week/", asked)
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize(
    ("date", "quarters"),
    [("2026-06-18", 96), ("2026-03-29", 92), ("2026-10-25", 100)],
    ids=["an ordinary day", "the short day", "the long day"],
)
def test_bars_lie_in_absolute_time(client: Client, kamppi: Place, date: str, quarters: int) -> None:
    of = lab(place=kamppi, opening_hours=ALWAYS)
    printer = machine(of)
    midnight = dt.datetime.combine(dt.date.fromisoformat(date), dt.time(), of.zone).astimezone(dt.UTC)
    for begin, length in ((2, 3), (10, 6), (quarters - 4, 4)):
        booked(printer, person(), midnight + begin * QUARTER, 15 * length)
    (track,) = tracks(shown(client, of, day=date))
    assert f'data-quarters="{quarters}"' in track
    assert bars(track, "taken") == [(2, 3), (10, 6), (quarters - 4, 4)]


def test_a_booking_over_midnight_stands_on_both_days_and_is_cut_to_the_hours_shown(
    client: Client, kamppi: Place
) -> None:
    of = lab(place=kamppi, opening_hours=DAILY)
    printer = machine(of, unattended=True)
    start = dt.datetime(2026, 6, 18, 16, 0, tzinfo=of.zone)
    booked(printer, person(), start, 18 * 60)
    days = tracks(shown(client, of, view="week", day="2026-06-18"))
    assert [bars(day, "taken") for day in days] == [[], [], [], [(28, 4)], [(0, 4)], [], []]


def test_hours_that_rules_keep_from_booking_are_shut(client: Client, kamppi: Place) -> None:
    of = lab(place=kamppi, opening_hours={"thu": [["09:00", "17:00"]]})
    machine(of, "Any")
    laser = machine(of, "Laser", cls="laser-cutter", unattended=True)
    BookingRule.objects.create(lab=of, name="blackout", value="thu 12:00-13:00")
    BookingRule.objects.create(lab=of, name="blackout", value="thu 10:00-11:00", machine=laser)
    any_, own = tracks(shown(client, of, day="2026-06-18"))
    assert bars(any_, "shut") == [(12, 4)]
    assert bars(own, "shut") == [(4, 4)]


def test_closed_hours_are_shut_but_not_for_machines_that_work_alone(client: Client, kamppi: Place) -> None:
    of = lab(place=kamppi, opening_hours={"thu": [["09:00", "12:00"], ["13:00", "17:00"]]})
    machine(of, "With people")
    machine(of, "Alone", unattended=True)
    attended, alone = tracks(shown(client, of, day="2026-06-18"))
    assert bars(attended, "shut") == [(12, 4)]
    assert bars(alone, "shut") == []
    closed, _alone = tracks(shown(client, of, day="2026-06-19"))
    assert bars(closed, "shut") == [(0, 32)]


def test_names_are_for_the_labs_own_people_and_markup_stays_text(client: Client, kamppi: Place) -> None:
    of = lab(place=kamppi, opening_hours=DAILY)
    printer = machine(of, "<b>Saw</b>")
    member, other = person(), person("otherperson")
    booked(printer, other, dt.datetime(2026, 6, 18, 10, tzinfo=of.zone), 60)
    booked(printer, other, dt.datetime(2026, 6, 18, 11, tzinfo=of.zone), 60, kind=Booking.Kind.MAINTENANCE)
    booked(printer, other, dt.datetime(2026, 6, 18, 12, tzinfo=of.zone), 60, status=Booking.Status.CANCELLED)
    assert "otherperson" not in shown(client, of, day="2026-06-18")
    set_role(organisation=of.organisation, user=member, role=Membership.Role.MEMBER)
    client.force_login(member)
    html = shown(client, of, day="2026-06-18")
    assert "otherperson" in html
    assert "<b>Saw</b>" not in html
    (track,) = tracks(html)
    assert (bars(track, "taken"), bars(track, "work")) == ([(4, 4)], [(8, 4)])


def test_one_may_change_only_ones_own_and_only_what_is_to_come(client: Client, kamppi: Place) -> None:
    of = lab(place=kamppi, opening_hours=ALWAYS)
    printer, me = machine(of), person()
    now = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    past = booked(printer, me, now - dt.timedelta(hours=3), 60)
    coming = booked(printer, me, now + dt.timedelta(hours=2), 60)
    theirs = booked(printer, person(), now + dt.timedelta(hours=4), 60)
    client.force_login(me)
    html = "".join(shown(client, of, day=str(b.start.astimezone(of.zone).date())) for b in (past, coming, theirs))
    assert f'data-booking="{coming.pk}"' in html
    assert str(past.pk) not in html
    assert str(theirs.pk) not in html


def test_free_stretches_lead_to_the_booking_page_with_their_time(client: Client, kamppi: Place) -> None:
    of = lab(place=kamppi, opening_hours=DAILY)
    printer = machine(of)
    date = (dt.datetime.now(of.zone) + dt.timedelta(days=2)).date()
    start = dt.datetime.combine(date, dt.time(9), of.zone)
    booked(printer, person(), start + dt.timedelta(hours=1), 60)
    (track,) = tracks(shown(client, of, day=str(date)))
    links = re.findall(r'class="gap from-(\d+) len-(\d+)" href="([^"]+)"', track)
    assert [(first, length) for first, length, _href in links] == [("0", "4"), ("8", "24")]
    page = client.get(links[1][2].replace("&amp;", "&")).content.decode()
    assert "11:00–12:00" in page.replace("\u2009", "")
    assert client.get(f"/labs/{of.slug}/week/", {"day": str(date)}).content.decode().count("data-out") == 0
    Machine.objects.update(state=Machine.State.REPAIR)
    (track,) = tracks(shown(client, of, day=str(date)))
    assert "data-out" in track
    assert "gap" not in track


def test_filters_and_bad_addresses(client: Client, kamppi: Place) -> None:
    of = lab(place=kamppi, opening_hours=DAILY)
    machine(of, "Printer")
    machine(of, "Laser", cls="laser-cutter")
    html = shown(client, of, **{"class": "laser-cutter"})
    assert ("Laser" in html, html.count('<div class="track')) == (True, 1)
    assert "No machine is like that" in shown(client, of, **{"class": "loom"})
    for bad in ("yesterday", "2026-99-99", "9999-12-31", "0001-01-01", "-1"):
        assert shown(client, of, day=bad, view="decade").count('<div class="track') == 2


def test_the_page_asks_as_often_for_many_as_for_one(client: Client, kamppi: Place) -> None:
    def queries(of: Lab) -> int:
        with CaptureQueriesContext(connection) as held:
            shown(client, of, view="week")
            count = len(held.captured_queries)
        return count

    me = person()
    client.force_login(me)
    of = lab(place=kamppi, opening_hours=DAILY)
    machine(of)
    queries(of)
    one = queries(of)
    for nth in range(8):
        stand = machine(of, unattended=bool(nth % 2))
        for hour in range(4):
            booked(stand, me, dt.datetime.now(of.zone).replace(hour=9 + hour, minute=0, second=0, microsecond=0), 45)
    assert queries(of) == one <= 15
