"""A machine is never booked twice; each refusal says what is wrong and what to do."""

import datetime as dt
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from commons.errors import CityError
from commons.people.models import User
from labs.errors import BadTime, NotQualified, OutOfService, OverAlready, Overlap, TooMany
from labs.models import Booking, Machine
from labs.queries import bookings as queries
from labs.services import bookings, catalogue
from tests.figures_said import figure
from tests.labs.conftest import lab, machine, person, tomorrow

HOUR = dt.timedelta(hours=1)


def book(machine: Machine, user: User, start: dt.datetime, length: dt.timedelta = HOUR) -> Booking:
    return bookings.create_booking(machine=machine, user=user, start=start, end=start + length)


def race(machine: Machine, people: list[User], start: dt.datetime) -> Counter[str]:
    """Everybody books the same hour at once, each on a connection of their own; what each heard."""
    barrier = threading.Barrier(len(people))

    def one(user: User) -> str:
        try:
            barrier.wait(20)
            book(machine, user, start)
        except CityError as refusal:
            assert refusal.data.get("next_free"), refusal
            return refusal.code
        finally:
            connection.close()
        return "booked"

    with ThreadPoolExecutor(len(people)) as pool:
        return Counter(pool.map(one, people))


@pytest.mark.django_db(transaction=True)
def test_twenty_people_book_the_same_hour_and_one_wins() -> None:
    asked, people = machine(lab()), [person() for _ in range(20)]
    assert race(asked, people, tomorrow()) == {"booked": 1, "booking:overlap": 19}
    assert Booking.objects.filter(machine=asked).count() == 1


@pytest.mark.drill
@pytest.mark.django_db(transaction=True)
def test_fifty_people_twenty_rounds() -> None:
    asked, people = machine(lab()), [person() for _ in range(50)]
    for nth in range(20):
        assert race(asked, people, tomorrow() + nth * HOUR) == {"booked": 1, "booking:overlap": 49}
        figure("races_winners", "+1", "of 20 rounds of 50")


def test_the_database_itself_refuses_a_second_booking(printer: Machine) -> None:
    start = tomorrow()
    book(printer, person(), start)
    inside = DateTimeTZRange(start + HOUR / 2, start + 2 * HOUR)
    with pytest.raises(IntegrityError, match="labs_booking_never_double"), transaction.atomic():
        Booking.objects.create(machine=printer, user=person(), start=inside.lower, end=inside.upper, blocked=inside)


def test_neighbours_may_touch_and_next_free_can_be_booked(printer: Machine) -> None:
    start = tomorrow()
    book(printer, person(), start)
    book(printer, person(), start + HOUR)
    with pytest.raises(Overlap) as refused:
        book(printer, person(), start + HOUR / 2)
    free = refused.value.data["next_free"]
    assert dt.datetime.fromisoformat(free["start"]) == start + 2 * HOUR
    book(printer, person(), dt.datetime.fromisoformat(free["start"]))


def test_buffers_keep_the_time_around_free(city_lab: object) -> None:
    asked = machine(city_lab, buffer_before_min=10, buffer_after_min=20)  # type: ignore[arg-type]
    start = tomorrow()
    book(asked, person(), start)
    with pytest.raises(Overlap) as refused:
        book(asked, person(), start + HOUR)
    assert dt.datetime.fromisoformat(refused.value.data["next_free"]["start"]) == start + HOUR + dt.timedelta(
        minutes=30
    )
    book(asked, person(), start + HOUR + dt.timedelta(minutes=30))
    before = start - HOUR - dt.timedelta(minutes=30)
    book(asked, person(), before)


def test_cancelling_frees_the_time_and_only_once(printer: Machine) -> None:
    booking = book(printer, person(), tomorrow())
    bookings.cancel_booking(booking=booking)
    again = book(printer, person(), tomorrow())
    assert again.pk != booking.pk
    with pytest.raises(OverAlready):
        bookings.cancel_booking(booking=booking)


def test_moving_obeys_the_same_rules_and_changes_nothing_when_refused(printer: Machine) -> None:
    mine, other = book(printer, person(), tomorrow(10)), book(printer, person(), tomorrow(14))
    bookings.move_booking(booking=mine, start=tomorrow(10) + HOUR / 2, end=tomorrow(11) + HOUR / 2)
    with pytest.raises(Overlap):
        bookings.move_booking(booking=mine, start=other.start, end=other.end)
    mine.refresh_from_db()
    assert (mine.start, mine.blocked.lower) == (tomorrow(10) + HOUR / 2, tomorrow(10) + HOUR / 2)
    book(printer, person(), tomorrow(9) + HOUR / 2)


def test_a_badge_is_asked_for_and_must_last(printer: Machine) -> None:
    user, badge = person(), catalogue.create_badge(slug="printing", name="3D printing")
    printer.required_badges.add(badge)
    with pytest.raises(NotQualified) as refused:
        book(printer, user, tomorrow())
    assert refused.value.status == 403
    assert refused.value.data["badge"] == "printing"
    assert refused.value.data["missing"] == [{"slug": "printing", "name": "3D printing"}]
    catalogue.grant_badge(badge=badge, user=user, expires_at=tomorrow(10) + HOUR / 2)
    with pytest.raises(NotQualified):
        book(printer, user, tomorrow())
    catalogue.grant_badge(badge=badge, user=user)
    book(printer, user, tomorrow())
    catalogue.revoke_badge(badge=badge, user=user)
    with pytest.raises(NotQualified):
        book(printer, user, tomorrow(15))


@pytest.mark.parametrize(
    ("start", "length"),
    [
        (lambda: timezone.now() - 3 * HOUR, HOUR),
        (tomorrow, -HOUR),
        (tomorrow, dt.timedelta(0)),
        (tomorrow, dt.timedelta(hours=25)),
        (lambda: tomorrow() + dt.timedelta(days=400), HOUR),
    ],
    ids=["past", "upside down", "empty", "too long", "too far"],
)
def test_times_that_nobody_could_have(printer: Machine, start: object, length: dt.timedelta) -> None:
    with pytest.raises(BadTime):
        book(printer, person(), start(), length)  # type: ignore[operator]
    assert not Booking.objects.exists()


def test_a_machine_in_repair_cannot_be_booked(printer: Machine) -> None:
    catalogue.set_state(machine=printer, state="repair", note="The belt is worn.")
    with pytest.raises(OutOfService, match="The belt is worn"):
        book(printer, person(), tomorrow())


def test_open_bookings_are_capped(printer: Machine) -> None:
    printer.lab.open_bookings_max = 2
    printer.lab.save()
    user = person()
    book(printer, user, tomorrow(8))
    second = book(printer, user, tomorrow(9))
    with pytest.raises(TooMany, match="2 bookings"):
        book(printer, user, tomorrow(10))
    bookings.cancel_booking(booking=second)
    book(printer, user, tomorrow(10))


def test_the_lab_must_be_open_unless_the_machine_works_alone(kamppi: object) -> None:
    week = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    shop = lab(place=kamppi, opening_hours=week)
    attended, alone = machine(shop), machine(shop, unattended=True)
    night = tomorrow(22)
    with pytest.raises(BadTime, match="closed"):
        book(attended, person(), night)
    book(alone, person(), night)
    found = queries.next_free(attended, queries.Span(night, night + HOUR))
    assert found is not None
    assert found.start.astimezone(shop.zone).hour == 9


def test_a_free_slot_is_one_that_can_be_booked(city_lab: object) -> None:
    """Every slot that says free is accepted, every other is refused: asked of the service itself."""
    asked = machine(city_lab, buffer_before_min=15, buffer_after_min=15)  # type: ignore[arg-type]
    start = tomorrow(0)
    book(asked, person(), start + 3 * HOUR)
    book(asked, person(), start + 7 * HOUR + dt.timedelta(minutes=30), HOUR / 2)
    slots = queries.slots(asked, start=start, end=start + 12 * HOUR, step=HOUR, now=timezone.now())
    assert len(slots) == 12
    assert {s.free for s in slots} == {True, False}
    for slot in slots:
        point = transaction.savepoint()
        try:
            book(asked, person(), slot.start)
            accepted = True
        except Overlap:
            accepted = False
        transaction.savepoint_rollback(point)
        assert accepted is slot.free, slot
