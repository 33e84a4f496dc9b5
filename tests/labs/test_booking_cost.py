"""What a booking asks of the database: counted, so that it does not creep up."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labs.engine.prices import Rates
from labs.errors import Overlap
from labs.models import Booking, BookingRule, Lab, Machine
from labs.services import bookings, tills
from tests.labs.conftest import machine, person, tomorrow

HOUR = dt.timedelta(hours=1)


def asked(act: Callable[[], object]) -> list[str]:
    """The statements that this sends, but for savepoints."""
    with CaptureQueriesContext(connection) as caught:
        act()
        sent = [query["sql"] for query in caught.captured_queries]
    return [sql for sql in sent if "SAVEPOINT" not in sql]


def reads_of_rules(sent: list[str]) -> int:
    return sum('FROM "labs_bookingrule"' in sql for sql in sent)


def test_a_booking_reads_the_rules_once(printer: Machine) -> None:
    BookingRule.objects.create(lab=printer.lab, name="buffer_after_min", value="10")
    user = person()
    sent = asked(lambda: bookings.create_booking(machine=printer, user=user, start=tomorrow(), end=tomorrow(11)))
    assert reads_of_rules(sent) == 1
    assert len(sent) == 11, sent  # two locks, rules, role, badges, days that differ, own, till (twice), row, relay


def test_several_machines_read_the_rules_once(city_lab: Lab) -> None:
    machines, user = [machine(city_lab) for _ in range(4)], person()
    sent = asked(lambda: bookings.book_together(machines=machines, user=user, start=tomorrow(), end=tomorrow() + HOUR))
    assert reads_of_rules(sent) == 1
    assert len(sent) <= 26, sent


def test_who_is_too_late_reads_them_once_too(printer: Machine) -> None:
    bookings.create_booking(machine=printer, user=person(), start=tomorrow(), end=tomorrow(11))
    user = person()

    def late() -> None:
        with pytest.raises(Overlap):
            bookings.create_booking(machine=printer, user=user, start=tomorrow(), end=tomorrow(11))

    sent = asked(late)
    assert reads_of_rules(sent) == 1
    assert len(sent) <= 12, sent


def test_a_series_reads_them_once(printer: Machine) -> None:
    user, start = person(), tomorrow()

    def series() -> None:
        rrule = "FREQ=DAILY;COUNT=5"
        bookings.create_series(machines=[printer], user=user, start=start, end=start + HOUR, rrule=rrule)

    assert reads_of_rules(asked(series)) == 1
    assert Booking.objects.count() == 5


def test_a_booking_that_costs_asks_a_few_times_more(printer: Machine) -> None:
    manager, user = person(), person()
    tills.set_till(lab=printer.lab, mode="money", currency="EUR", credit=Decimal(100))
    tills.set_tariff(lab=printer.lab, rates=Rates(per_hour=Decimal(6)), by=manager)
    bookings.create_booking(machine=printer, user=user, start=tomorrow(8), end=tomorrow(9))
    sent = asked(lambda: bookings.create_booking(machine=printer, user=user, start=tomorrow(), end=tomorrow(11)))
    assert reads_of_rules(sent) == 1
    assert len(sent) <= 24, sent
