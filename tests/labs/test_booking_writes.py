"""What each write of a booking leaves in its row, which locks it takes, and what is said when it is refused."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from commons.notices.models import Notice
from commons.people.models import Membership, User
from commons.people.services import set_role
from labs.engine.hours import Span
from labs.engine.times import Buffers
from labs.errors import BadTime, NotQualified, OverAlready, Overlap
from labs.errors.bookings import (
    BadRepeat,
    BadTogether,
    ClosureClash,
    HasBegun,
    MovedMeanwhile,
    NotMissed,
    NotRequested,
    SeriesClash,
    TooEarly,
)
from labs.models import Booking, BookingRule, BookingSeries, Circuit, Lab, Machine
from labs.services import bookings, catalogue, hooks
from labs.services.bookings import move, rows
from tests.labs.conftest import design, lab, machine, person, tomorrow

pytestmark = pytest.mark.django_db
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
LONG = "x" * 300


@pytest.fixture
def manager(city_lab: Lab) -> User:
    user = person()
    set_role(organisation=city_lab.organisation, user=user, role=Membership.Role.MANAGER)
    return user


@pytest.fixture
def heard() -> Any:
    """What the hooks told."""
    told: list[tuple[Any, str]] = []

    def listener(booking: Booking, what: hooks.What) -> None:
        told.append((booking.pk, what))

    hooks.listen(listener)
    yield told
    hooks._listeners.remove(listener)


def book(of: Machine, user: User, start: dt.datetime, hours: float = 1, **more: Any) -> Booking:
    return bookings.create_booking(machine=of, user=user, start=start, end=start + hours * HOUR, **more)


def row(booking: Booking) -> Booking:
    """As it stands in the database."""
    return Booking.objects.get(pk=booking.pk)


def sent(act: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as caught:
        act()
    return [query["sql"] for query in caught.captured_queries]


def approval(of: Lab) -> None:
    BookingRule.objects.create(lab=of, name="needs_approval", value="yes")


# --- made ------------------------------------------------------------------------------------------------------------


def test_all_that_was_said_is_in_the_row(city_lab: Lab, manager: User) -> None:
    printer = machine(city_lab, buffer_before_min=5, buffer_after_min=20)
    user, start = person(), tomorrow()
    lamp = design(user, b"lamp").design
    made = row(book(printer, user, start, 2, design=lamp, booked_by=manager, note="two parts", demo=True))
    assert (made.machine, made.user, made.booked_by, made.design) == (printer, user, manager, lamp)
    assert (made.note, made.demo, made.kind, made.status) == ("two parts", True, "use", "booked")
    assert (made.start, made.end) == (start, start + 2 * HOUR)
    assert (made.blocked.lower, made.blocked.upper) == (start - 5 * MINUTE, start + 2 * HOUR + 20 * MINUTE)
    assert (made.buffer_before_min, made.buffer_after_min, made.sequence) == (5, 20, 0)
    assert (made.together, made.series, made.occurrence, made.reason) == (None, None, None, "")
    own = row(book(machine(city_lab), user, start))
    assert (own.booked_by, own.note, own.demo, own.design) == (None, "", False, None)


def test_a_status_that_is_asked_for_stands(printer: Machine) -> None:
    assert row(book(printer, person(), tomorrow(), status="requested")).status == "requested"


def test_those_of_one_step_share_a_name_and_each_lab_has_its_own(city_lab: Lab, manager: User) -> None:
    here, there = [machine(city_lab), machine(city_lab)], machine(lab())
    user, start = person(), tomorrow()
    made = bookings.book_together(
        machines=[*here, there], user=user, start=start, end=start + HOUR, booked_by=manager, note="all"
    )
    names = {booking.machine_id: row(booking).together for booking in made}
    assert names[here[0].pk] == names[here[1].pk] != names[there.pk]
    assert None not in names.values()
    assert {(b.booked_by, b.note, b.user) for b in map(row, made)} == {(manager, "all", user)}
    assert Notice.objects.filter(person=user, kind="labs.booked").count() == 2, "one from each lab"


def test_machines_of_one_step_are_at_most_twelve(city_lab: Lab) -> None:
    machines = [machine(city_lab) for _ in range(13)]
    facts: dict[str, Any] = {"user": person(), "start": tomorrow(), "end": tomorrow() + HOUR}
    with pytest.raises(BadTogether, match="at most 12"):
        bookings.book_together(machines=machines, **facts)
    for wrong in ([], [machines[0], machines[0]]):
        with pytest.raises(BadTogether):
            bookings.book_together(machines=wrong, **facts)
    city_lab.open_bookings_max = 100
    city_lab.save()
    assert len(bookings.book_together(machines=machines[:12], **facts)) == 12


def test_who_is_told_of_a_request_and_of_a_booking_in_ones_name(printer: Machine, manager: User) -> None:
    user = person()
    book(printer, user, tomorrow())
    assert not Notice.objects.exists(), "of one's own nobody is told"
    approval(printer.lab)
    book(printer, user, tomorrow(12))
    assert [n.kind for n in Notice.objects.filter(person=manager)] == ["labs.requested"]
    book(printer, user, tomorrow(14), booked_by=manager)
    assert [n.kind for n in Notice.objects.filter(person=user)] == ["labs.booked"]


def test_who_was_too_late_hears_when_it_is_free(city_lab: Lab) -> None:
    one, two = machine(city_lab, name="One"), machine(city_lab, name="Two")
    start = tomorrow()
    book(one, person(), start, 2)
    with pytest.raises(Overlap, match=r"^One is taken then\. It is free") as late:
        book(one, person(), start)
    free = late.value.data["next_free"]
    assert free == {"start": (start + 2 * HOUR).isoformat(), "end": (start + 3 * HOUR).isoformat()}
    with pytest.raises(Overlap, match=r"^One is taken then\. All of them are free") as late:
        bookings.book_together(machines=[two, one], user=person(), start=start, end=start + HOUR)
    assert late.value.data["next_free"]["start"] == (start + 2 * HOUR).isoformat()
    assert Booking.objects.count() == 1, "all or none"
    book(two, person(), start + 5 * HOUR)
    with pytest.raises(Overlap, match=r"^Two is taken then"):
        bookings.book_together(
            machines=[one, two], user=person(), start=start + 5 * HOUR, end=start + 6 * HOUR
        )


def test_a_machine_that_is_taken_for_as_far_as_one_can_book(printer: Machine, manager: User) -> None:
    start = tomorrow()
    bookings.close_machine(machine=printer, start=start, end=start + dt.timedelta(days=3000), by=manager)
    with pytest.raises(Overlap, match="for as far as bookings are open") as late:
        book(printer, person(), start)
    assert late.value.data == {"next_free": None}


# --- locks -----------------------------------------------------------------------------------------------------------


def test_locks_are_taken_in_one_order_and_let_others_refer(city_lab: Lab) -> None:
    machines = [machine(city_lab) for _ in range(3)]
    user, start = person(), tomorrow()
    facts: dict[str, Any] = {"user": user, "start": start, "end": start + HOUR}
    statements = sent(lambda: bookings.book_together(machines=machines[::-1], **facts))
    locks = [sql for sql in statements if " FOR " in sql and "UPDATE" in sql]
    assert ['FROM "people_user"' in sql for sql in locks] == [True, False]
    assert all(sql.endswith(("FOR NO KEY UPDATE", 'FOR NO KEY UPDATE OF "labs_machine"')) for sql in locks)
    assert 'ORDER BY "labs_machine"."id" ASC' in locks[1] and "outline" not in locks[1]


def test_machines_are_locked_by_number_and_share_their_lab(city_lab: Lab) -> None:
    machines = [machine(city_lab) for _ in range(3)]
    held = rows.lock_machines([machines[2], machines[0].pk, machines[1]])
    assert [one.pk for one in held] == sorted(one.pk for one in machines)
    assert held[0].lab is held[1].lab is held[2].lab


def test_circuits_are_locked_where_the_lab_staggers_what_they_carry(city_lab: Lab) -> None:
    circuit = Circuit.objects.create(lab=city_lab, name="A", limit_w=3000)
    held, free = machine(city_lab, circuit=circuit), machine(city_lab)

    def locked(of: Machine) -> list[int]:
        statements = [sql for sql in sent(lambda: rows.lock_machines([of])) if 'FROM "labs_circuit"' in sql]
        assert all('FOR NO KEY UPDATE OF "labs_circuit"' in sql and "ORDER BY" in sql for sql in statements)
        found: list[int] = []
        with connection.cursor() as cursor:
            for sql in statements:
                cursor.execute(sql)
                found += [key for (key,) in cursor.fetchall()]
        return found

    assert locked(held) == []
    rule = BookingRule.objects.create(lab=city_lab, name="circuit_budget", value="yes")
    assert locked(held) == [circuit.pk]
    assert locked(free) == []
    rule.active, rule.until = False, timezone.now()
    rule.save()
    assert locked(held) == []


def test_what_has_changed_meanwhile_is_refused(city_lab: Lab) -> None:
    one, two = machine(city_lab), machine(city_lab)
    mine = book(one, person(), tomorrow())
    with pytest.raises(MovedMeanwhile, match="has just changed"):
        rows.lock_bookings([mine.pk], rows.lock_machines([two]))
    with pytest.raises(MovedMeanwhile):
        rows.lock_bookings([mine.pk, uuid.uuid4()], rows.lock_machines([one]))
    assert [b.pk for b in rows.lock_bookings([mine.pk], rows.lock_machines([one, two]))] == [mine.pk]


def test_bookings_are_locked_soonest_first(city_lab: Lab) -> None:
    printer, user, start = machine(city_lab), person(), tomorrow(8)
    made = [book(printer, user, start + n * HOUR) for n in (2, 0, 1)]
    held = rows.lock_bookings([b.pk for b in made], rows.lock_machines([printer]))
    assert [b.start for b in held] == [start, start + HOUR, start + 2 * HOUR]
    statements = sent(lambda: rows.lock_bookings([b.pk for b in made], [printer]))
    assert len(statements) == 1 and 'FOR UPDATE OF "labs_booking"' in statements[0]
    with CaptureQueriesContext(connection) as caught:
        assert [b.user.username for b in held] == [user.username] * 3
    assert not caught.captured_queries, "their people were read with them"


# --- changed ---------------------------------------------------------------------------------------------------------


def test_each_change_counts_and_is_dated(printer: Machine, manager: User) -> None:
    user, start = person(), tomorrow()
    mine = book(printer, user, start, 3)
    at = [timezone.now() + n * MINUTE for n in range(1, 3)]
    bookings.move_booking(booking=mine, start=start + HOUR, end=start + 3 * HOUR, now=at[0])
    assert (row(mine).sequence, row(mine).updated_at) == (1, at[0])
    bookings.check_in(booking=mine, now=start + HOUR)
    assert (row(mine).sequence, row(mine).checked_in_at) == (2, start + HOUR)
    bookings.end_early(booking=mine, now=start + 2 * HOUR)
    assert (row(mine).sequence, row(mine).updated_at) == (3, start + 2 * HOUR)
    other = book(printer, user, start + 4 * HOUR)
    bookings.cancel_booking(booking=other, reason=LONG, now=at[1])
    assert (row(other).sequence, row(other).cancelled_at, row(other).reason) == (1, at[1], "x" * 200)
    assert other.status == "cancelled", "the caller's own object says so too"


def test_a_decision_is_written_down(printer: Machine, manager: User, heard: Any) -> None:
    approval(printer.lab)
    user, now = person(), timezone.now() + MINUTE
    yes, no = book(printer, user, tomorrow()), book(printer, user, tomorrow(12))
    assert bookings.approve_booking(booking=yes, by=manager, now=now).pk == yes.pk
    bookings.decline_booking(booking=no, by=manager, reason=LONG, now=now)
    for one, status, reason in ((row(yes), "booked", ""), (row(no), "declined", "x" * 200)):
        assert (one.status, one.decided_by, one.decided_at, one.reason) == (status, manager, now, reason)
        assert (one.sequence, one.updated_at) == (1, now)
    assert heard[-2:] == [(yes.pk, "approved"), (no.pk, "declined")]
    with pytest.raises(NotRequested, match="decided already"):
        bookings.approve_booking(booking=yes, by=manager)
    with pytest.raises(OverAlready):
        bookings.approve_booking(booking=no, by=manager)
    unread = book(printer, user, tomorrow(14))
    bookings.decline_booking(booking=unread, by=manager)
    assert row(unread).reason == ""


def test_what_was_asked_for_in_one_step_is_decided_in_one(city_lab: Lab, manager: User) -> None:
    approval(city_lab)
    machines, user, start = [machine(city_lab), machine(city_lab)], person(), tomorrow()
    both = bookings.book_together(machines=machines, user=user, start=start, end=start + HOUR)
    bookings.approve_booking(booking=both[1], by=manager)
    assert [row(b).status for b in both] == ["booked", "booked"]
    assert Notice.objects.filter(person=user, kind="labs.approved").count() == 1


def test_nobody_answered_in_time_and_only_that_is_declined(printer: Machine, heard: Any) -> None:
    approval(printer.lab)
    user, start = person(), tomorrow()
    late, early = book(printer, user, start + HOUR), book(printer, user, start)
    assert [b.pk for b in bookings.decline_forgotten(start)] == [early.pk]
    assert [b.pk for b in bookings.decline_forgotten(start + 2 * HOUR)] == [late.pk]
    one = row(early)
    assert (one.status, one.decided_by, one.decided_at) == ("declined", None, start)
    assert one.reason == "Nobody answered in time."
    assert Notice.objects.filter(person=user, kind="labs.declined").count() == 2
    assert bookings.decline_forgotten(start + 2 * HOUR) == []


def test_a_move_to_another_machine_takes_its_buffers(city_lab: Lab, heard: Any) -> None:
    one, two = machine(city_lab), machine(city_lab, buffer_before_min=10, buffer_after_min=15)
    user, start = person(), tomorrow()
    mine = book(one, user, start)
    done = bookings.move_booking(booking=mine, start=start + HOUR, end=start + 3 * HOUR, machine=two)
    assert done.pk == mine.pk and heard[-1] == (mine.pk, "moved")
    found = row(mine)
    assert (found.machine, found.start, found.end) == (two, start + HOUR, start + 3 * HOUR)
    assert (found.blocked.lower, found.blocked.upper) == (start + 50 * MINUTE, start + 3 * HOUR + 15 * MINUTE)
    assert (found.buffer_before_min, found.buffer_after_min) == (10, 15)
    assert not Notice.objects.filter(kind="labs.moved").exists(), "moved by oneself"


def test_who_moves_or_cancels_for_another_tells_them(printer: Machine, manager: User) -> None:
    user, start = person(), tomorrow()
    mine = book(printer, user, start)
    for by in (None, user):
        bookings.move_booking(booking=mine, start=start + HOUR, end=start + 2 * HOUR, by=by)
    assert not Notice.objects.exists()
    bookings.move_booking(booking=mine, start=start, end=start + HOUR, by=manager)
    bookings.cancel_booking(booking=mine, by=manager)
    assert [n.kind for n in Notice.objects.order_by("pk")] == ["labs.moved", "labs.cancelled"]
    assert {n.person for n in Notice.objects.all()} == {user}
    other = book(printer, user, start)
    bookings.cancel_booking(booking=other, by=user)
    assert Notice.objects.count() == 2


def test_into_anothers_time_nobody_moves(printer: Machine) -> None:
    user, start = person(), tomorrow()
    mine = book(printer, user, start)
    book(printer, person(), start + HOUR)
    with pytest.raises(Overlap) as taken:
        bookings.move_booking(booking=mine, start=start + HOUR, end=start + 2 * HOUR)
    assert taken.value.data["next_free"]["start"] == (start + 2 * HOUR).isoformat()
    bookings.move_booking(booking=mine, start=start - 30 * MINUTE, end=start + 30 * MINUTE)  # over its own time


def test_in_use_only_the_end_moves(city_lab: Lab) -> None:
    one, two = machine(city_lab), machine(city_lab)
    start = tomorrow()
    mine = bookings.check_in(booking=book(one, person(), start, 2), now=start)
    now = start + 10 * MINUTE
    for facts in ({"start": start + HOUR}, {"start": start, "machine": two}):
        with pytest.raises(HasBegun, match="only its end"):
            bookings.move_booking(booking=mine, **facts, end=start + 3 * HOUR, now=now)
    for machine_ in (None, one):
        end = start + (3 if machine_ else 4) * HOUR
        bookings.move_booking(booking=mine, start=start, end=end, machine=machine_, now=now)
        assert (row(mine).end, row(mine).status) == (end, "running")


@pytest.mark.parametrize(
    ("status", "words"), [("cancelled", "was cancelled"), ("declined", "was cancelled"), ("missed", "Nobody came")]
)
def test_what_is_over_is_not_changed(printer: Machine, manager: User, status: str, words: str) -> None:
    start = tomorrow()
    mine = book(printer, person(), start)
    Booking.objects.filter(pk=mine.pk).update(status=status)
    for act in (
        lambda: bookings.cancel_booking(booking=mine),
        lambda: bookings.check_in(booking=mine, now=start),
        lambda: bookings.end_early(booking=mine, now=start),
        lambda: bookings.move_booking(booking=mine, start=start, end=start + HOUR),
        lambda: bookings.approve_booking(booking=mine, by=manager),
    ):
        with pytest.raises(OverAlready, match=words):
            act()


def test_what_is_past_is_not_changed(printer: Machine) -> None:
    start = tomorrow()
    mine = book(printer, person(), start)
    with pytest.raises(OverAlready, match="has ended"):
        bookings.cancel_booking(booking=mine, now=start + HOUR)
    Booking.objects.filter(pk=mine.pk).update(status="done")
    with pytest.raises(OverAlready, match="has ended"):
        bookings.cancel_booking(booking=mine, now=start)


# --- how far a change reaches ----------------------------------------------------------------------------------------


def weekly(machines: list[Machine], user: User, start: dt.datetime, **more: Any) -> list[Booking]:
    facts: dict[str, Any] = {"rrule": "FREQ=WEEKLY;COUNT=3", **more}
    return bookings.create_series(machines=machines, user=user, start=start, end=start + HOUR, **facts).bookings


def test_how_far_a_change_reaches(city_lab: Lab) -> None:
    city_lab.open_bookings_max = 100
    city_lab.save()
    one, two = machine(city_lab), machine(city_lab)
    user, start, now = person(), tomorrow(), timezone.now()
    made = weekly([one, two], user, start)
    by_week = sorted(made, key=lambda b: (b.start, b.machine_id))
    second = by_week[2]

    def reach(scope: move.Scope, at: dt.datetime = now, of: Booking = second) -> list[int]:
        found = move.reached(of, scope, at)
        assert found[0] == of, "itself first"
        return [by_week.index(b) for b in found]

    assert reach("one") == [2]
    assert reach("together") == [2, 3]
    assert sorted(reach("following")) == [2, 3, 4, 5]
    assert sorted(reach("all")) == [0, 1, 2, 3, 4, 5]
    assert sorted(reach("all", by_week[0].start)) == [2, 3, 4, 5], "what has begun stays"
    starts = [by_week[n].start for n in reach("all")[1:]]
    assert starts == sorted(starts), "soonest first"
    alone = book(one, user, start + 3 * HOUR)
    for scope in move.SCOPES:
        assert move.reached(alone, scope, now) == [alone]
    Booking.objects.filter(pk=by_week[4].pk).update(status="cancelled")
    assert sorted(reach("following")) == [2, 3, 5]


def test_a_series_moves_by_the_clock_and_gets_one_length(city_lab: Lab) -> None:
    printer, user, start = machine(city_lab), person(), tomorrow()
    made = weekly([printer], user, start)
    bookings.move_booking(booking=made[0], start=start + HOUR, end=start + 3 * HOUR, scope="all")
    found = [row(b) for b in made]
    zone = city_lab.zone
    hours = {b.start.astimezone(zone).hour for b in found}
    assert len(hours) == 1 and hours == {(start + HOUR).astimezone(zone).hour}
    assert {b.end - b.start for b in found} == {2 * HOUR}
    assert {b.status for b in found} == {"booked"} and {b.sequence for b in found} == {1}
    assert all(b.blocked.lower == b.start and b.blocked.upper == b.end for b in found)


def test_a_series_moves_into_the_time_of_its_own_next(city_lab: Lab) -> None:
    printer, user, start = machine(city_lab), person(), tomorrow()
    made = weekly([printer], user, start, rrule="FREQ=DAILY;COUNT=3")
    day = dt.timedelta(days=1)
    bookings.move_booking(booking=made[0], start=start + day, end=start + day + HOUR, scope="all")
    assert len({row(b).start for b in made}) == 3 and min(row(b).start for b in made) == start + day


def test_a_series_that_meets_others_lists_each(city_lab: Lab) -> None:
    printer, user, start = machine(city_lab), person(), tomorrow()
    made = weekly([printer], user, start)
    other = book(printer, person(), made[1].start + HOUR)
    with pytest.raises(SeriesClash, match="1 of 3 times") as refused:
        bookings.move_booking(booking=made[0], start=start + HOUR, end=start + 2 * HOUR, scope="all")
    data = refused.value.data
    assert data["fits"] == 2
    (clash,) = data["clashes"]
    assert (clash["machine"], clash["start"], clash["code"]) == (printer.pk, other.start.isoformat(), Overlap.code)
    assert clash["end"] == (other.start + HOUR).isoformat() and clash["detail"] and clash["next_free"]
    assert clash["when"] in str(refused.value)
    assert [row(b).start for b in made] == [b.start for b in made], "all or none"


def test_a_refusal_of_many_times_names_five() -> None:
    def words(count: int) -> str:
        return str(move.series_clash([{"when": f"day {n}"} for n in range(count)], 0))

    assert words(5).count("day") == 5 and "…" not in words(5)
    assert words(6).count("day") == 5 and "day 4; …" in words(6)


# --- series ----------------------------------------------------------------------------------------------------------


def test_what_a_series_is_is_written_down(city_lab: Lab, manager: User) -> None:
    city_lab.open_bookings_max = 100
    city_lab.save()
    machines, user, start = [machine(city_lab), machine(city_lab)], person(), tomorrow()
    week = dt.timedelta(days=7)
    left = start + week
    done = bookings.create_series(
        machines=machines, user=user, start=start, end=start + 90 * MINUTE, rrule=" rrule:freq=weekly;count=3 ",
        left_out=[left], booked_by=manager, note="course",
    )  # fmt: skip
    series = BookingSeries.objects.get(pk=done.series.pk)
    assert (series.lab, series.user, series.rrule) == (city_lab, user, "FREQ=WEEKLY;COUNT=3")
    assert (series.first, series.length_min, series.left_out) == (start, 90, [left])
    assert {b.start for b in done.bookings} == {start, start + 2 * week} and done.skipped == []
    assert all(b.occurrence == b.start and b.series == series for b in map(row, done.bookings))
    assert len({row(b).together for b in done.bookings}) == 2, "one name for each time"
    assert {(b.booked_by, b.note) for b in map(row, done.bookings)} == {(manager, "course")}
    assert [n.kind for n in Notice.objects.filter(person=user)] == ["labs.booked"], "told once"


def test_one_machine_in_a_series_has_no_company(printer: Machine) -> None:
    assert {row(b).together for b in weekly([printer], person(), tomorrow())} == {None}


def test_times_of_a_series_that_cannot_be_had(printer: Machine) -> None:
    user, start = person(), tomorrow()
    book(printer, person(), start + dt.timedelta(days=7))
    facts: dict[str, Any] = {"machines": [printer], "user": user, "start": start, "end": start + HOUR}
    with pytest.raises(SeriesClash, match="1 of 3 times") as refused:
        bookings.create_series(**facts, rrule="FREQ=WEEKLY;COUNT=3")
    assert refused.value.data["fits"] == 2 and len(refused.value.data["clashes"]) == 1
    assert not BookingSeries.objects.exists() and not Booking.objects.filter(user=user).exists()
    done = bookings.create_series(**facts, rrule="FREQ=WEEKLY;COUNT=3", skip=True)
    assert len(done.bookings) == 2 and done.skipped[0]["start"] == (start + dt.timedelta(days=7)).isoformat()
    with pytest.raises(SeriesClash):
        bookings.create_series(**facts, rrule="FREQ=WEEKLY;COUNT=1", skip=True)


def test_series_that_are_none(city_lab: Lab) -> None:
    printer, start = machine(city_lab), tomorrow()
    facts: dict[str, Any] = {"user": person(), "start": start, "end": start + HOUR}

    def refused(kind: type[Exception], words: str, **more: Any) -> None:
        with pytest.raises(kind, match=words):
            bookings.create_series(**{"machines": [printer], "rrule": "FREQ=DAILY;COUNT=2", **facts, **more})

    refused(BadTogether, "different labs", machines=[printer, machine(lab())])
    refused(BadTogether, "once", machines=[])
    refused(BadRepeat, "left out", left_out=[start, start + dt.timedelta(days=1)])
    refused(BadRepeat, "cannot be read", rrule="FREQ=NEVER")
    refused(BadRepeat, "at most", rrule="FREQ=DAILY;COUNT=201")
    weekdays = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
    other = weekdays[(start.astimezone(city_lab.zone).weekday() + 1) % 7]
    refused(BadRepeat, "its own rule", rrule=f"FREQ=WEEKLY;BYDAY={other};COUNT=2")


def test_a_request_for_a_series_tells_who_runs_the_lab_once(printer: Machine, manager: User) -> None:
    approval(printer.lab)
    made = weekly([printer], person(), tomorrow())
    assert {row(b).status for b in made} == {"requested"}
    assert Notice.objects.filter(person=manager, kind="labs.requested").count() == 1
    bookings.decline_booking(booking=made[1], by=manager)
    assert {row(b).status for b in made} == {"declined"}


# --- closures --------------------------------------------------------------------------------------------------------


def close(of: Machine, by: User, start: dt.datetime, hours: float = 4, **more: Any) -> list[Booking]:
    return bookings.close_machine(machine=of, start=start, end=start + hours * HOUR, by=by, **more)


def closures(of: Machine) -> list[Booking]:
    return list(Booking.objects.filter(machine=of).exclude(kind="use").order_by("start"))


def test_a_closure_takes_what_is_not_closed_yet(printer: Machine, manager: User, heard: Any) -> None:
    start, name = tomorrow(8), uuid.uuid4()
    close(printer, manager, start + HOUR, 1)
    heard.clear()
    assert close(printer, manager, start, kind="closure", reason=LONG, together=name) == []
    found = [one for one in closures(printer) if one.kind == "closure"]
    assert [(c.start, c.end) for c in found] == [(start, start + HOUR), (start + 2 * HOUR, start + 4 * HOUR)]
    for one in found:
        assert (one.together, one.reason, one.user, one.booked_by) == (name, "x" * 200, manager, manager)
        assert (one.blocked.lower, one.blocked.upper, one.status) == (one.start, one.end, "booked")
    assert heard == [(one.pk, "created") for one in found]
    close(printer, manager, start, kind="closure")
    assert len(closures(printer)) == 3, "nothing is left to close"


def test_the_pieces_of_a_closure_have_one_name(printer: Machine, manager: User) -> None:
    start = tomorrow(8)
    close(printer, manager, start + HOUR, 1)
    close(printer, manager, start)
    names = {one.together for one in closures(printer) if one.start != start + HOUR}
    assert len(names) == 1 and None not in names


def test_closures_that_are_none(printer: Machine, manager: User) -> None:
    start = tomorrow()
    for more in ({"hours": 0}, {"hours": -1}, {"kind": "use"}):
        with pytest.raises(BadTime, match="ends after"):
            close(printer, manager, start, **more)
    assert not closures(printer)


def test_a_closure_says_whose_times_stand_in_it(printer: Machine, manager: User) -> None:
    user, start = person(), tomorrow(8)
    printer.lab.open_bookings_max = 100
    printer.lab.save()
    made = [book(printer, user, start + n * HOUR) for n in range(6)]
    with pytest.raises(ClosureClash, match=r"^6 bookings stand") as refused:
        close(printer, manager, start, 6)
    assert refused.value.data["bookings"] == [
        {"id": str(b.pk), "person": user.username, "start": b.start.isoformat(), "end": b.end.isoformat()} for b in made
    ]
    assert "; …" in str(refused.value)
    with pytest.raises(ClosureClash, match=r"^5 bookings") as refused:
        close(printer, manager, start, 5)
    assert "…" not in str(refused.value) and not closures(printer)


def test_a_closure_frees_cuts_and_leaves(printer: Machine, manager: User, heard: Any) -> None:
    start = tomorrow(8)
    times = ((0, 1), (1, 3), (4, 1), (9, 1))
    over, used, later, beyond = (book(printer, person(), start + n * HOUR, hours) for n, hours in times)
    bookings.check_in(booking=used, now=start + HOUR)
    now = start + 2 * HOUR
    heard.clear()
    freed = close(printer, manager, start + 3 * HOUR, 4, cancel_conflicting=True, now=now)
    assert [b.pk for b in freed] == [used.pk, later.pk]
    found = row(used)
    assert (found.status, found.end, found.blocked.upper) == ("running", start + 3 * HOUR, start + 3 * HOUR)
    assert (row(later).status, row(later).cancelled_at, row(later).reason) == (
        "cancelled", now, "The machine is closed then.",
    )  # fmt: skip
    assert (row(over).status, row(beyond).status) == ("booked", "booked")
    assert {what for pk, what in heard if pk == used.pk} == {"cut-short"}
    assert {what for pk, what in heard if pk == later.pk} == {"cancelled"}
    assert Notice.objects.filter(kind="labs.cancelled").count() == 2
    assert [(c.start, c.end) for c in closures(printer)] == [(start + 3 * HOUR, start + 7 * HOUR)]


def test_a_closure_from_now_ends_what_is_in_use(printer: Machine, manager: User) -> None:
    start = tomorrow(8)
    used = book(printer, person(), start, 3)
    bookings.check_in(booking=used, now=start)
    now = start + HOUR
    close(printer, manager, now - 10 * MINUTE, 4, cancel_conflicting=True, now=now)
    found = row(used)
    assert (found.status, found.end, found.ended_at) == ("done", now - 10 * MINUTE, now - 10 * MINUTE)
    assert closures(printer)[0].start == now - 10 * MINUTE


def test_who_checked_in_early_is_cut_to_nothing(printer: Machine, manager: User) -> None:
    start = tomorrow(8)
    used = book(printer, person(), start)
    bookings.check_in(booking=used, now=start - 10 * MINUTE)
    close(printer, manager, start - 5 * MINUTE, 4, cancel_conflicting=True, now=start - 5 * MINUTE)
    found = row(used)
    assert (found.start, found.end) == (start, start + dt.timedelta(microseconds=1))


def test_a_closure_is_ended_by_its_name_or_as_it_stands(printer: Machine, manager: User, heard: Any) -> None:
    start, name = tomorrow(8), uuid.uuid4()
    close(printer, manager, start, 2, together=name)
    close(printer, manager, start + 5 * HOUR, 2, together=name)
    close(printer, manager, start + 3 * HOUR, 1)
    mine = book(printer, person(), start + 8 * HOUR)
    heard.clear()
    now = start + HOUR
    ended = bookings.reopen_machine(machine=printer, together=name, now=now)
    first, other, second = closures(printer)
    assert [b.pk for b in ended] == [first.pk, second.pk]
    assert (first.status, first.end, first.ended_at, first.blocked.upper) == ("done", now, now, now)
    assert (second.status, second.cancelled_at, second.reason) == ("cancelled", now, "")
    assert (other.status, row(mine).status) == ("booked", "booked")
    assert heard == [(first.pk, "ended"), (second.pk, "cancelled")]
    assert bookings.reopen_machine(machine=printer, now=start + 2 * HOUR + 30 * MINUTE) == []
    assert [b.pk for b in bookings.reopen_machine(machine=printer, now=start + 3 * HOUR)] == [other.pk]
    assert row(other).status == "cancelled", "it ended as it began"


def test_a_closure_leaves_what_is_before_it_and_to_reopen_leaves_who_is_at_work(
    printer: Machine, manager: User
) -> None:
    start = tomorrow(8)
    before = book(printer, person(), start)
    assert close(printer, manager, start + 2 * HOUR) == []
    bookings.check_in(booking=before, now=start)
    assert bookings.reopen_machine(machine=printer, now=start + 30 * MINUTE) == []
    assert row(before).status == "running"


# --- presence --------------------------------------------------------------------------------------------------------


def test_when_one_may_check_in(printer: Machine) -> None:
    start = tomorrow()
    mine = book(printer, person(), start)
    with pytest.raises(TooEarly, match=printer.name) as early:
        bookings.check_in(booking=mine, now=start - 15 * MINUTE - dt.timedelta(seconds=1))
    assert early.value.data == {"from": (start - 15 * MINUTE).isoformat()}
    held = bookings.check_in(booking=mine, now=start - 15 * MINUTE)
    assert (held.status, row(mine).checked_in_at) == ("running", start - 15 * MINUTE)
    again = bookings.check_in(booking=mine, now=start)
    assert (again.pk, row(mine).checked_in_at, row(mine).sequence) == (mine.pk, start - 15 * MINUTE, 1)


def test_early_only_while_nobody_else_has_it(city_lab: Lab) -> None:
    one, two = machine(city_lab), machine(city_lab)
    start = tomorrow()
    mine, other = book(one, person(), start), book(one, person(), start - HOUR)
    book(two, person(), start - HOUR)
    with pytest.raises(TooEarly):
        bookings.check_in(booking=mine, now=start - 10 * MINUTE)
    bookings.cancel_booking(booking=other, now=start - HOUR - MINUTE)
    assert bookings.check_in(booking=mine, now=start - 10 * MINUTE).status == "running"


def test_one_of_a_step_is_cancelled_alone(city_lab: Lab) -> None:
    machines, start = [machine(city_lab), machine(city_lab)], tomorrow()
    both = bookings.book_together(machines=machines, user=person(), start=start, end=start + HOUR)
    bookings.cancel_booking(booking=both[0])
    assert [row(b).status for b in both] == ["cancelled", "booked"]
    bookings.move_booking(booking=both[1], start=start + HOUR, end=start + 2 * HOUR, scope="together")
    assert row(both[1]).start == start + HOUR and row(both[0]).start == start


def test_what_is_not_booked_is_not_checked_in_to(printer: Machine, manager: User) -> None:
    start = tomorrow()
    close(printer, manager, start, 1)
    (closure,) = closures(printer)
    asked = book(printer, person(), start + 2 * HOUR, status="requested")
    for one, at in ((closure, start), (asked, start + 2 * HOUR)):
        with pytest.raises(OverAlready, match="not booked yet"):
            bookings.check_in(booking=one, now=at)


def test_what_ends_early_keeps_the_machines_buffer(city_lab: Lab, heard: Any) -> None:
    printer, start = machine(city_lab, buffer_before_min=5, buffer_after_min=20), tomorrow()
    mine = book(printer, person(), start, 3)
    now = start + HOUR
    assert bookings.end_early(booking=mine, now=now).status == "done"
    found = row(mine)
    assert (found.end, found.ended_at) == (now, now)
    assert (found.blocked.lower, found.blocked.upper) == (start - 5 * MINUTE, now + 20 * MINUTE)
    assert heard[-1] == (mine.pk, "ended")


def test_what_has_not_begun_is_cancelled_instead_of_ended(printer: Machine, heard: Any) -> None:
    start = tomorrow()
    mine = book(printer, person(), start)
    with pytest.raises(OverAlready, match="has not begun"):
        bookings.end_early(booking=mine, now=start - MINUTE)
    asked = book(printer, person(), start + 2 * HOUR, status="requested")
    with pytest.raises(OverAlready, match="has not begun"):
        bookings.end_early(booking=asked, now=start + 2 * HOUR)
    bookings.check_in(booking=mine, now=start - 10 * MINUTE)
    at = start - 5 * MINUTE
    assert bookings.end_early(booking=mine, now=at).status == "cancelled"
    assert (row(mine).cancelled_at, row(mine).sequence, heard[-1]) == (at, 2, (mine.pk, "cancelled"))
    other = book(printer, person(), start)
    assert bookings.end_early(booking=other, now=start).status == "cancelled", "at its very beginning"


def test_the_clock_gives_free_what_nobody_came_for(city_lab: Lab, heard: Any) -> None:
    BookingRule.objects.create(lab=city_lab, name="check_in_within_min", value="30")
    printer, start = machine(city_lab), tomorrow()
    late, early = book(printer, person(), start + 2 * HOUR), book(printer, person(), start)
    brief = book(printer, person(), start + HOUR, 0.25)
    assert bookings.release_unused(start + 29 * MINUTE) == []
    assert [b.pk for b in bookings.release_unused(start + 30 * MINUTE)] == [early.pk]
    assert [b.pk for b in bookings.release_unused(start + HOUR + 15 * MINUTE)] == [brief.pk], "not after its end"
    bookings.check_in(booking=late, now=start + 2 * HOUR)
    assert bookings.release_unused(start + 3 * HOUR) == []
    found = row(early)
    assert (found.status, found.sequence, found.updated_at) == ("missed", 1, start + 30 * MINUTE)
    assert (early.pk, "missed") in heard
    assert Notice.objects.filter(kind="labs.missed", person=early.user).count() == 1


def test_the_clock_ends_what_is_past(city_lab: Lab, manager: User, heard: Any) -> None:
    printer, start = machine(city_lab, buffer_after_min=20), tomorrow()
    second, first = book(printer, person(), start + 2 * HOUR), book(printer, person(), start)
    bookings.check_in(booking=first, now=start)
    heard.clear()
    assert bookings.close_finished(start + HOUR - MINUTE) == []
    assert [b.pk for b in bookings.close_finished(start + HOUR)] == [first.pk]
    found = row(first)
    assert (found.status, found.end, found.ended_at) == ("done", start + HOUR, start + HOUR)
    assert found.blocked.upper == start + HOUR + 20 * MINUTE
    assert [b.pk for b in bookings.close_finished(start + 9 * HOUR)] == [second.pk]
    assert heard == [(first.pk, "ended"), (second.pk, "ended")]
    assert bookings.close_finished(start + 9 * HOUR) == []


def test_several_that_are_past_end_in_their_order(city_lab: Lab) -> None:
    printer, start = machine(city_lab), tomorrow()
    made = [book(printer, person(), start + n * HOUR) for n in (2, 0, 1)]
    ended = bookings.close_finished(start + 9 * HOUR)
    assert [b.pk for b in ended] == [made[1].pk, made[2].pk, made[0].pk]


# --- excused, and walking up -----------------------------------------------------------------------------------------


def test_what_is_excused_and_what_not(printer: Machine, manager: User, heard: Any) -> None:
    mine, now = book(printer, person(), tomorrow()), timezone.now() + MINUTE
    with pytest.raises(NotMissed, match="nobody came"):
        bookings.excuse_missed(booking=mine, by=manager, reason="She was ill.")
    Booking.objects.filter(pk=mine.pk).update(status="missed")
    with pytest.raises(NotMissed, match="Say why"):
        bookings.excuse_missed(booking=mine, by=manager, reason="  a \n b".replace("b", ""))
    made = bookings.excuse_missed(booking=mine, by=manager, reason=f"  ill \n {LONG}", now=now)
    assert (made.booking, made.by, made.at, made.reason) == (mine, manager, now, ("ill " + LONG)[:200])
    assert heard[-1] == (mine.pk, "excused")
    notice = Notice.objects.get(person=mine.user)
    assert notice.kind == "labs.excused" and "ill xxx" in notice.text
    with pytest.raises(NotMissed, match="excused already"):
        bookings.excuse_missed(booking=mine, by=manager, reason="again")


def test_three_letters_are_a_reason(printer: Machine, manager: User) -> None:
    mine = book(printer, person(), tomorrow())
    Booking.objects.filter(pk=mine.pk).update(status="missed")
    assert bookings.excuse_missed(booking=mine, by=manager, reason="ill").reason == "ill"


def test_who_walks_up_has_it_from_this_minute_on(printer: Machine) -> None:
    user, now = person(), tomorrow() + dt.timedelta(seconds=42, microseconds=7)
    mine = row(bookings.walk_up(machine=printer, user=user, minutes=30, now=now))
    assert (mine.user, mine.machine, mine.status, mine.checked_in_at) == (user, printer, "running", now)
    assert (mine.start, mine.end) == (tomorrow(), tomorrow() + 30 * MINUTE)
    approval(printer.lab)
    asked = row(bookings.walk_up(machine=printer, user=person(), minutes=15, now=now + HOUR))
    assert (asked.status, asked.checked_in_at) == ("requested", None)


def test_the_first_rule_that_speaks_against_it_is_the_refusal(printer: Machine) -> None:
    start = tomorrow()
    BookingRule.objects.create(lab=printer.lab, name="longest_h", value="2")
    with pytest.raises(BadTime) as long:
        book(printer, person(), start, 3)
    assert set(long.value.data["next_allowed"]) == {"start", "end"}
    badge = catalogue.create_badge(slug="laser", name="Laser", lab=printer.lab)
    guarded = machine(printer.lab, required_badges=[badge])
    with pytest.raises(NotQualified) as unknown:
        book(guarded, person(), start)
    assert "next_allowed" not in unknown.value.data


def test_a_span_and_its_buffers() -> None:
    start = tomorrow()
    found = rows.blocked(Span(start, start + HOUR), Buffers(5 * MINUTE, 7 * MINUTE))
    assert (found.lower, found.upper) == (start - 5 * MINUTE, start + HOUR + 7 * MINUTE)
