"""What happens to a booking after it is made, who may do it, and who hears of it."""

import datetime as dt
import re
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from commons.errors import CityError
from commons.notices.models import Notice
from commons.notices.services import choose_mail
from commons.people.models import Membership, User
from commons.people.services import set_role
from labs.errors import BadTime, NotQualified, OverAlready, Overlap
from labs.errors.bookings import (
    BadRepeat,
    BadTogether,
    BadWait,
    ClosureClash,
    FreeAlready,
    HasBegun,
    NotOffered,
    NotRequested,
    SeriesClash,
    TooEarly,
    WaitsAlready,
)
from labs.models import Booking, BookingRule, Lab, Machine, WaitlistEntry
from labs.queries import bookings as queries
from labs.services import bookings, catalogue, clock, hooks, waitlist
from tests.labs.conftest import design, enrolled, lab, machine, person, tomorrow
from tests.labs.test_api import bearer, post

HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def strict(city_lab: Lab) -> None:
    """Every machine of the lab asks for approval, and for a check-in within 20 minutes."""
    BookingRule.objects.create(lab=city_lab, name="needs_approval", value="yes")
    BookingRule.objects.create(lab=city_lab, name="check_in_within_min", value="20")


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


def told(user: User) -> list[str]:
    return [notice.kind.partition(".")[2] for notice in Notice.objects.filter(person=user).order_by("pk")]


# --- approval ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("strict")
def test_a_request_holds_the_time_until_it_is_decided(printer: Machine, manager: User, heard: Any) -> None:
    user = person()
    asked = book(printer, user, tomorrow())
    assert (asked.status, told(manager), told(user)) == ("requested", ["requested"], [])
    with pytest.raises(Overlap):
        book(printer, person(), tomorrow())
    bookings.decline_booking(booking=asked, by=manager, reason="The lab has a course.")
    asked.refresh_from_db()
    assert (asked.status, asked.decided_by, asked.reason) == ("declined", manager, "The lab has a course.")
    assert told(user) == ["declined"]
    assert "The lab has a course." in Notice.objects.get(person=user).text
    again = book(printer, user, tomorrow())
    bookings.approve_booking(booking=again, by=manager)
    again.refresh_from_db()
    assert (again.status, told(user)[-1]) == ("booked", "approved")
    for work in (bookings.approve_booking, bookings.decline_booking):
        with pytest.raises(NotRequested):
            work(booking=again, by=manager)
    assert [what for _pk, what in heard] == ["created", "declined", "created", "approved"]


@pytest.mark.usefixtures("strict")
def test_who_runs_the_lab_needs_nobodys_approval(printer: Machine, manager: User) -> None:
    assert book(printer, manager, tomorrow()).status == "booked"
    user = person()
    made = book(printer, user, tomorrow(12), booked_by=manager)
    assert (made.status, made.user, made.booked_by, told(user)) == ("booked", user, manager, ["booked"])


@pytest.mark.usefixtures("strict")
def test_what_nobody_answers_is_declined_when_it_would_begin(printer: Machine) -> None:
    user = person()
    asked = book(printer, user, tomorrow())
    assert clock.tick(tomorrow() - MINUTE)["declined"] == 0
    assert clock.tick(tomorrow())["declined"] == 1
    asked.refresh_from_db()
    assert (asked.status, told(user)) == ("declined", ["declined"])


# --- presence ----------------------------------------------------------------------------------------------------


def test_check_in_from_a_quarter_before_and_end_frees_the_rest(printer: Machine, heard: Any) -> None:
    user, start = person(), tomorrow()
    mine = book(printer, user, start, 3)
    with pytest.raises(TooEarly) as early:
        bookings.check_in(booking=mine, now=start - 16 * MINUTE)
    assert dt.datetime.fromisoformat(early.value.data["from"]) == start - 15 * MINUTE
    bookings.check_in(booking=mine, now=start - 10 * MINUTE)
    bookings.check_in(booking=mine, now=start)
    with pytest.raises(HasBegun):
        bookings.cancel_booking(booking=mine, now=start)
    bookings.end_early(booking=mine, now=start + HOUR)
    mine.refresh_from_db()
    assert (mine.status, mine.end, mine.ended_at, mine.checked_in_at) == (
        "done",
        start + HOUR,
        start + HOUR,
        start - 10 * MINUTE,
    )
    book(printer, person(), start + HOUR)
    with pytest.raises(OverAlready):
        bookings.check_in(booking=mine, now=start + HOUR)
    assert [what for _pk, what in heard] == ["created", "checked-in", "ended", "created"]


def test_nobody_checks_in_early_while_another_holds_the_machine(printer: Machine) -> None:
    start = tomorrow()
    book(printer, person(), start - HOUR)
    mine = book(printer, person(), start)
    with pytest.raises(TooEarly):
        bookings.check_in(booking=mine, now=start - 10 * MINUTE)
    bookings.check_in(booking=mine, now=start)


@pytest.mark.usefixtures("strict")
def test_time_that_nobody_came_for_is_free_and_counted(printer: Machine, manager: User) -> None:
    user, start = person(), tomorrow()
    missed, used = book(printer, user, start, 2), book(printer, person(), start + 2 * HOUR)
    for booking in (missed, used):
        bookings.approve_booking(booking=booking, by=manager)
    assert clock.tick(start + 19 * MINUTE)["missed"] == 0
    assert clock.tick(start + 20 * MINUTE)["missed"] == 1
    missed.refresh_from_db()
    assert (missed.status, told(user)[-1]) == ("missed", "missed")
    assert queries.no_shows(user, printer.lab) == 1
    assert queries.missed(printer.lab, since=start - HOUR) == [(str(user), [missed])]
    book(printer, manager, start + HOUR)
    bookings.check_in(booking=used, now=start + 2 * HOUR)
    assert clock.tick(start + 3 * HOUR) == {
        "missed": 1, "declined": 0, "done": 1, "lapsed": 0, "offered": 0, "kept_down": 0, "overdue": 0,
    }  # fmt: skip


@pytest.mark.usefixtures("strict")
def test_a_machine_that_reports_a_job_has_seen_somebody(printer: Machine, manager: User) -> None:
    from labs.services import jobs

    device, _token = enrolled(printer)
    now = timezone.now()
    mine = book(printer, manager, now)
    event = {"seq": 1, "ts": (now + MINUTE).isoformat(), "event": "started", "job": "a", "file": {"name": "a"}}
    jobs.take_events(device=device, events=[event])
    assert mine.jobs.count() == 1
    assert clock.tick(now + 30 * MINUTE)["missed"] == 0


# --- several at once ---------------------------------------------------------------------------------------------


def test_several_machines_all_or_none(city_lab: Lab) -> None:
    machines, start = [machine(city_lab) for _ in range(3)], tomorrow()
    book(machines[1], person(), start + HOUR)
    with pytest.raises(Overlap) as refused:
        bookings.book_together(machines=machines, user=person(), start=start, end=start + 2 * HOUR)
    assert Booking.objects.count() == 1
    assert machines[1].name in str(refused.value) and machines[0].name not in str(refused.value)
    free = dt.datetime.fromisoformat(refused.value.data["next_free"]["start"])
    assert free == start + 2 * HOUR
    made = bookings.book_together(machines=machines, user=person(), start=free, end=free + HOUR)
    assert {b.machine for b in made} == set(machines)
    assert len({b.together for b in made}) == 1
    bookings.move_booking(booking=made[0], start=free + HOUR, end=free + 3 * HOUR, scope="together")
    assert set(Booking.objects.filter(together=made[0].together).values_list("start", flat=True)) == {free + HOUR}
    bookings.cancel_booking(booking=made[2], scope="together")
    assert Booking.objects.filter(status="cancelled").count() == 3


def test_machines_that_cannot_be_booked_together(city_lab: Lab) -> None:
    one = machine(city_lab)
    for machines in ([], [one, one], [machine(city_lab) for _ in range(13)]):
        with pytest.raises(BadTogether):
            bookings.book_together(machines=machines, user=person(), start=tomorrow(), end=tomorrow() + HOUR)
    one.required_badges.add(catalogue.create_badge(slug="laser", name="Laser"))
    other = machine(city_lab)
    with pytest.raises(NotQualified):
        bookings.book_together(machines=[other, one], user=person(), start=tomorrow(), end=tomorrow() + HOUR)
    assert not Booking.objects.exists()


def test_machines_of_two_labs_all_or_none_and_each_lab_decides_its_own(city_lab: Lab) -> None:
    careful, user, start = lab(), person(), tomorrow()
    BookingRule.objects.create(lab=careful, name="needs_approval", value="yes")
    BookingRule.objects.create(lab=careful, name="buffer_after_min", value="30")
    here, there = [machine(city_lab) for _ in range(2)], machine(careful)
    boss = person()
    set_role(organisation=careful.organisation, user=boss, role=Membership.Role.MANAGER)
    book(there, person(), start)
    Booking.objects.update(status=Booking.Status.BOOKED)
    with pytest.raises(Overlap, match=there.name) as refused:
        bookings.book_together(machines=[*here, there], user=user, start=start, end=start + HOUR)
    assert Booking.objects.filter(user=user).count() == 0
    free = dt.datetime.fromisoformat(refused.value.data["next_free"]["start"])
    assert free == start + HOUR + 30 * MINUTE
    made = bookings.book_together(machines=[there, *here], user=user, start=free, end=free + HOUR)
    by_lab = {m.lab_id: [b for b in made if b.machine.lab_id == m.lab_id] for m in (there, here[0])}
    assert {b.status for b in by_lab[careful.pk]} == {"requested"}
    assert {b.status for b in by_lab[city_lab.pk]} == {"booked"}
    assert len({b.together for b in by_lab[city_lab.pk]}) == 1
    assert by_lab[careful.pk][0].together != by_lab[city_lab.pk][0].together
    assert Notice.objects.filter(person=boss, actor=user, kind="labs.requested").count() == 1
    bookings.decline_booking(booking=by_lab[careful.pk][0], by=boss, reason="Not then.")
    assert Booking.objects.filter(user=user, status="booked").count() == 2
    with pytest.raises(BadTogether, match="series of each lab"):
        bookings.create_series(
            machines=[*here, there], user=user, start=free, end=free + HOUR, rrule="FREQ=DAILY;COUNT=2"
        )


# --- again and again ---------------------------------------------------------------------------------------------


def weekly(of: Machine, user: User, start: dt.datetime, rule: str = "FREQ=WEEKLY;COUNT=4", **more: Any) -> Any:
    return bookings.create_series(machines=[of], user=user, start=start, end=start + HOUR, rrule=rule, **more)


def test_clashes_of_a_series_are_listed_and_may_be_left_out(printer: Machine) -> None:
    start = tomorrow()
    book(printer, person(), start + dt.timedelta(days=7), 0.5)
    with pytest.raises(SeriesClash) as refused:
        weekly(printer, person(), start)
    clash = refused.value.data["clashes"][0]
    assert (refused.value.data["fits"], clash["code"]) == (3, "booking:overlap")
    assert dt.datetime.fromisoformat(clash["start"]) == start + dt.timedelta(days=7)
    assert clash["next_free"]["start"] == (start + dt.timedelta(days=7, minutes=30)).isoformat()
    assert Booking.objects.count() == 1
    done = weekly(printer, person(), start, skip=True)
    assert len(done.bookings) == 3 and len(done.skipped) == 1
    assert {b.series for b in done.bookings} == {done.series}
    with pytest.raises(SeriesClash):
        weekly(printer, person(), start, skip=True)


def test_a_series_keeps_the_clock_of_the_lab(printer: Machine) -> None:
    zone = printer.lab.zone
    now = dt.datetime(2027, 3, 20, 8, tzinfo=dt.UTC)
    start = dt.datetime(2027, 3, 26, 10, tzinfo=zone)
    done = weekly(printer, person(), start, "FREQ=DAILY;COUNT=5", left_out=[start + dt.timedelta(days=1)], now=now)
    assert [b.start.astimezone(zone).strftime("%d %H") for b in done.bookings] == ["26 10", "28 10", "29 10", "30 10"]
    assert {b.end - b.start for b in done.bookings} == {HOUR}


def test_a_rule_without_an_end_goes_as_far_as_bookings_are_open(printer: Machine) -> None:
    done = weekly(printer, person(), tomorrow(), "FREQ=WEEKLY")
    assert len(done.bookings) == 13
    with pytest.raises(SeriesClash) as refused:
        weekly(printer, person(), tomorrow(14), "FREQ=WEEKLY;COUNT=20")
    assert {c["code"] for c in refused.value.data["clashes"]} == {"booking:bad-time"}


@pytest.mark.parametrize("rule", ["weekly", "FREQ=SECONDLY", "FREQ=DAILY;COUNT=300", "FREQ=WEEKLY;INTERVAL=0"])
def test_rules_that_are_none(printer: Machine, rule: str) -> None:
    with pytest.raises((BadRepeat, SeriesClash)):
        weekly(printer, person(), tomorrow(), rule)
    assert not Booking.objects.exists()


def test_one_the_following_or_all_of_a_series(printer: Machine) -> None:
    start, week = tomorrow(), dt.timedelta(days=7)
    made = weekly(printer, person(), start).bookings
    bookings.move_booking(booking=made[1], start=start + week + HOUR, end=start + week + 2 * HOUR)
    bookings.move_booking(booking=made[2], start=start + 3 * week, end=start + 3 * week + 2 * HOUR, scope="following")
    now_at = list(Booking.objects.order_by("occurrence").values_list("start", flat=True))
    assert [at - start for at in now_at] == [0 * week, week + HOUR, 3 * week, 4 * week]
    assert {b.length for b in Booking.objects.filter(start__gte=start + 3 * week)} == {2 * HOUR}
    bookings.cancel_booking(booking=made[1], scope="following")
    assert (
        list(Booking.objects.order_by("occurrence").values_list("status", flat=True)) == ["booked"] + ["cancelled"] * 3
    )
    bookings.cancel_booking(booking=made[0], scope="all")
    assert not Booking.objects.filter(status="booked").exists()


def test_a_series_that_cannot_move_whole_stays_whole(printer: Machine) -> None:
    start, week = tomorrow(), dt.timedelta(days=7)
    made = weekly(printer, person(), start).bookings
    other = book(printer, person(), start + 2 * week + 3 * HOUR)
    before = list(Booking.objects.order_by("pk").values_list("pk", "start", "status", "sequence"))
    with pytest.raises(SeriesClash) as refused:
        bookings.move_booking(booking=made[0], start=other.start - 2 * week, end=other.end - 2 * week, scope="all")
    assert len(refused.value.data["clashes"]) == 1
    assert list(Booking.objects.order_by("pk").values_list("pk", "start", "status", "sequence")) == before


@pytest.mark.usefixtures("strict")
def test_a_series_is_approved_whole_with_one_notice(printer: Machine, manager: User) -> None:
    user = person()
    made = weekly(printer, user, tomorrow()).bookings
    assert ({b.status for b in made}, told(manager)) == ({"requested"}, ["requested"])
    assert len(queries.requests(printer.lab, timezone.now())) == 1
    bookings.approve_booking(booking=made[0], by=manager)
    assert set(Booking.objects.values_list("status", flat=True)) == {"booked"}
    assert told(user) == ["approved"]


# --- closures ----------------------------------------------------------------------------------------------------


def test_a_closure_lists_what_stands_in_it_or_cancels_it_and_tells(printer: Machine, manager: User) -> None:
    user, start = person(), tomorrow()
    mine = book(printer, user, start)
    facts: dict[str, Any] = {"machine": printer, "start": start - HOUR, "end": start + 2 * HOUR, "by": manager}
    with pytest.raises(ClosureClash) as refused:
        bookings.close_machine(**facts)
    assert [b["id"] for b in refused.value.data["bookings"]] == [str(mine.pk)]
    assert bookings.close_machine(**facts, reason="New nozzle.", cancel_conflicting=True) == [mine]
    mine.refresh_from_db()
    assert (mine.status, told(user)) == ("cancelled", ["cancelled"])
    assert "New nozzle." in Notice.objects.get(person=user).text
    with pytest.raises(Overlap):
        book(printer, user, start)
    assert bookings.close_machine(**facts) == []
    assert queries.to_come(manager).count() == 0
    closure = queries.closures(printer.lab, timezone.now())
    assert [(c.start, c.end, c.kind) for c in closure] == [(start - HOUR, start + 2 * HOUR, "maintenance")]
    bookings.reopen_machine(machine=printer, now=start)
    book(printer, user, start)


def test_who_uses_the_machine_ends_where_the_closure_begins(printer: Machine, manager: User) -> None:
    start = tomorrow()
    mine = book(printer, person(), start, 3)
    bookings.check_in(booking=mine, now=start)
    now = start + HOUR
    bookings.close_machine(machine=printer, start=now, end=now + 5 * HOUR, by=manager, cancel_conflicting=True, now=now)
    mine.refresh_from_db()
    assert (mine.status, mine.end) == ("done", now)
    closure = Booking.objects.get(kind="maintenance")
    assert (closure.start, closure.end) == (now, now + 5 * HOUR)


# --- the waitlist ------------------------------------------------------------------------------------------------


def wait(of: Machine, user: User, start: dt.datetime, hours: float = 4, **more: Any) -> WaitlistEntry:
    return waitlist.join(
        user=user, lab=of.lab, machine=of, earliest=start, latest=start + hours * HOUR, length=HOUR, **more
    )


def test_what_becomes_free_goes_to_the_first_who_waits(printer: Machine, heard: Any) -> None:
    start, holder, first, second = tomorrow(), person(), person(), person()
    taken = book(printer, holder, start, 4)
    entries = [wait(printer, first, start), wait(printer, second, start)]
    heard.clear()
    bookings.move_booking(booking=taken, start=start + 2 * HOUR, end=start + 4 * HOUR)
    offers = [Booking.objects.get(waitlist_entry=entry) for entry in entries]
    assert [(o.user, o.start, o.status) for o in offers] == [
        (first, start, "offered"),
        (second, start + HOUR, "offered"),
    ]
    assert (told(first), told(second)) == (["offered"], ["offered"])
    with pytest.raises(Overlap):
        book(printer, person(), start)
    waitlist.accept_offer(booking=offers[0])
    offers[0].refresh_from_db()
    entries[0].refresh_from_db()
    assert (offers[0].status, entries[0].status) == ("booked", "taken")
    with pytest.raises(NotOffered):
        waitlist.accept_offer(booking=offers[0])
    assert sorted(what for _pk, what in heard) == ["created", "moved", "offered", "offered"]


def test_an_offer_goes_out_as_a_letter_at_once_to_a_proven_address(printer: Machine, mailoutbox: list[Any]) -> None:
    from allauth.account.models import EmailAddress

    from labs.services import letters

    start, users = tomorrow(), [person() for _ in range(3)]
    for user, verified in zip(users, (True, False, True), strict=True):
        EmailAddress.objects.create(user=user, email=f"{user.username}@example.org", verified=verified, primary=True)
    choose_mail(person=users[2], when="never")
    taken = book(printer, person(), start, 3)
    for user in users:
        wait(printer, user, start, 3)
    bookings.cancel_booking(booking=taken)
    offers = list(Booking.objects.filter(status="offered").order_by("start"))
    assert [letters.offer(offer.pk) for offer in offers] == [True, False, False]
    assert [mail.to for mail in mailoutbox] == [[f"{users[0].username}@example.org"]]
    assert f"/b/{offers[0].pk}/" in mailoutbox[0].body
    assert Notice.objects.get(person=users[0]).mailed_at is not None
    bookings.cancel_booking(booking=offers[0])
    assert letters.offer(offers[0].pk) is False


def test_an_offer_that_nobody_answers_goes_on_and_nobody_starves(printer: Machine) -> None:
    start, people = tomorrow(12), [person() for _ in range(3)]
    taken = book(printer, person(), start)
    entries = [wait(printer, user, start, 1) for user in people]
    now = timezone.now()
    bookings.cancel_booking(booking=taken, now=now)
    order = []
    for _ in range(9):
        offer = Booking.objects.filter(status="offered").first()
        if offer is None:
            break
        order.append(people.index(offer.user))
        assert offer.offer_until is not None
        now = offer.offer_until
        with pytest.raises(NotOffered):
            waitlist.accept_offer(booking=offer, now=now)
        clock.tick(now)
        if now >= start:
            break
    assert order[:3] == [0, 1, 2]
    assert told(people[0])[:2] == ["offered", "lapsed"]
    lapses = list(WaitlistEntry.objects.order_by("created_at").values_list("lapses", flat=True))
    assert min(lapses) >= 1 and max(lapses) <= waitlist.LAPSES_AT_MOST
    assert len(entries) == 3


def test_no_thank_you_leaves_the_list_and_the_next_is_asked(printer: Machine) -> None:
    start = tomorrow()
    taken = book(printer, person(), start)
    first, second = wait(printer, person(), start, 1), wait(printer, person(), start, 1)
    bookings.cancel_booking(booking=taken)
    bookings.cancel_booking(booking=Booking.objects.get(waitlist_entry=first))
    for entry in (first, second):
        entry.refresh_from_db()
    assert (first.status, second.status) == ("withdrawn", "offered")
    waitlist.withdraw(entry=second)
    assert not Booking.objects.filter(status="offered").exists()
    book(printer, person(), start)


def test_any_machine_of_a_class(city_lab: Lab) -> None:
    one, other, start = machine(city_lab), machine(city_lab), tomorrow()
    held = [book(of, person(), start) for of in (one, other)]
    user = person()
    entry = waitlist.join(user=user, lab=city_lab, cls="3d-printer", earliest=start, latest=start + HOUR, length=HOUR)
    bookings.cancel_booking(booking=held[1])
    entry.refresh_from_db()
    assert entry.booking is not None and entry.booking.machine == other


def test_who_may_not_use_the_machine_cannot_wait_and_is_never_offered(printer: Machine) -> None:
    start, badge = tomorrow(), catalogue.create_badge(slug="laser", name="Laser")
    taken = book(printer, person(), start)
    losing = person()
    entry = wait(printer, losing, start, 1)
    printer.required_badges.add(badge)
    with pytest.raises(NotQualified):
        wait(printer, person(), start, 1)
    bookings.cancel_booking(booking=taken)
    entry.refresh_from_db()
    assert entry.status == "waiting"
    catalogue.grant_badge(badge=badge, user=losing)
    assert clock.tick(timezone.now())["offered"] == 1


def test_wishes_that_make_no_sense(printer: Machine) -> None:
    start, user = tomorrow(), person()
    with pytest.raises(FreeAlready) as free:
        wait(printer, user, start)
    assert free.value.data["next_free"]["start"] == start.isoformat()
    book(printer, person(), start, 4)
    with pytest.raises(BadWait):
        wait(printer, user, start, 0.5)
    with pytest.raises(BadWait):
        wait(printer, user, start - dt.timedelta(days=3))
    wait(printer, user, start)
    with pytest.raises(WaitsAlready):
        wait(printer, user, start)
    with pytest.raises(BadWait):
        waitlist.join(user=user, lab=lab(), machine=printer, earliest=start, latest=start + HOUR, length=HOUR)


def test_a_wish_whose_time_is_over_ends(printer: Machine) -> None:
    start = tomorrow()
    book(printer, person(), start, 4)
    entry = wait(printer, person(), start)
    clock.tick(start + 3 * HOUR + MINUTE)
    entry.refresh_from_db()
    assert entry.status == "expired"


# --- many at once ------------------------------------------------------------------------------------------------


def storm(rounds: int, people: int) -> None:
    """Everybody does everything at once on the same machines; nobody deadlocks and no two bookings meet."""
    where = lab()
    machines, users, boss = [machine(where) for _ in range(3)], [person() for _ in range(people)], person()
    start = tomorrow(0)
    seen: Counter[str] = Counter()
    barrier = threading.Barrier(people)

    def one(nth: int) -> None:
        user, mine = users[nth], list[Booking]()
        try:
            barrier.wait(30)
            for turn in range(rounds):
                at = start + ((nth + turn) % 6) * HOUR
                try:
                    act(nth, turn, user, at, mine)
                    seen["done"] += 1
                except CityError as refusal:
                    seen[refusal.code] += 1
        finally:
            connection.close()

    def act(nth: int, turn: int, user: User, at: dt.datetime, mine: list[Booking]) -> None:
        which = machines[(nth + turn) % 3]
        if turn % 5 == 0:
            mine.append(bookings.create_booking(machine=which, user=user, start=at, end=at + HOUR))
        elif turn % 5 == 1:
            chosen = machines[::-1] if nth % 2 else machines[:2]
            mine += bookings.book_together(machines=chosen, user=user, start=at, end=at + HOUR)
        elif turn % 5 == 2:
            waitlist.join(user=user, lab=where, cls="3d-printer", earliest=at, latest=at + 2 * HOUR, length=HOUR)
        elif turn % 5 == 3 and mine:
            bookings.move_booking(booking=mine[-1], start=at, end=at + HOUR, machine=which)
        elif nth % 4 == 0:
            bookings.close_machine(machine=which, start=at, end=at + HOUR, by=boss, cancel_conflicting=True)
        elif mine:
            bookings.cancel_booking(booking=mine.pop())

    with ThreadPoolExecutor(people) as pool:
        list(pool.map(one, range(people)))
    assert seen["done"] > people, seen
    for of in machines:
        held = sorted((b.blocked.lower, b.blocked.upper) for b in of.bookings.filter(status__in=Booking.HOLDING))
        assert all(a[1] <= b[0] for a, b in pairwise(held))


@pytest.mark.django_db(transaction=True)
def test_everybody_does_everything_at_once() -> None:
    storm(rounds=10, people=8)


@pytest.mark.drill
@pytest.mark.django_db(transaction=True)
def test_a_long_day_of_everything_at_once() -> None:
    storm(rounds=100, people=24)


# --- who may -----------------------------------------------------------------------------------------------------

CLOSURE = {"start": "{late}", "end": "{later}"}
ROUTES = [
    # method, address, body; the status for nobody, a stranger, its person, a member, a trainer, a manager of the lab
    ("get", "/api/v1/bookings/{booking}/", None, (401, 404, 200, 404, 404, 200)),
    ("patch", "/api/v1/bookings/{booking}/", {}, (401, 404, 200, 404, 404, 200)),
    ("delete", "/api/v1/bookings/{booking}/", None, (401, 404, 204, 404, 404, 204)),
    ("post", "/api/v1/bookings/{booking}/approve/", {}, (401, 404, 403, 404, 404, 200)),
    ("post", "/api/v1/bookings/{booking}/decline/", {"reason": "x"}, (401, 404, 403, 404, 404, 200)),
    ("post", "/api/v1/bookings/{booking}/check-in/", {}, (401, 404, 409, 404, 404, 409)),
    ("post", "/api/v1/bookings/{booking}/end/", {}, (401, 404, 409, 404, 404, 409)),
    ("post", "/api/v1/bookings/{booking}/accept/", {}, (401, 404, 409, 404, 404, 403)),
    ("get", "/api/v1/waitlist/{entry}/", None, (401, 404, 200, 404, 404, 200)),
    ("delete", "/api/v1/waitlist/{entry}/", None, (401, 404, 204, 404, 404, 204)),
    (
        "post",
        "/api/v1/machines/{machine}/closures/",
        {"start": "{late}", "end": "{later}"},
        (401, 404, 404, 404, 404, 201),
    ),
    ("delete", "/api/v1/machines/{machine}/closures/", None, (401, 404, 404, 404, 404, 204)),
    ("get", "/b/{booking}/", None, (302, 404, 200, 404, 404, 200)),
    ("post", "/b/{booking}/", {"do": "cancel"}, (302, 404, 302, 404, 404, 302)),
    ("post", "/b/{booking}/", {"do": "approve"}, (302, 404, 404, 404, 404, 302)),
    ("post", "/me/waitlist/{entry}/withdraw/", {}, (302, 404, 302, 404, 404, 302)),
    ("get", "/labs/{lab}/bookings/", None, (302, 404, 404, 404, 404, 200)),
    ("get", "/me/calendars/", None, (302, 200, 200, 200, 200, 200)),
]


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize(("method", "path", "body", "statuses"), ROUTES)
def test_who_may_do_what(
    client: Client, printer: Machine, manager: User, method: str, path: str, body: Any, statuses: tuple[int, ...]
) -> None:
    owner, member, trainer = person(), person(), person()
    for user, role in ((member, Membership.Role.MEMBER), (trainer, Membership.Role.TRAINER)):
        set_role(organisation=printer.lab.organisation, user=user, role=role)
    found = []
    for nth, user in enumerate((None, person(), owner, member, trainer, manager)):
        booking = book(printer, owner, tomorrow(0) + 2 * nth * HOUR)
        entry = wait(printer, owner, tomorrow(0) + 2 * nth * HOUR, 1)
        late = tomorrow(0) + dt.timedelta(days=3)
        names = {"booking": booking.pk, "entry": entry.pk, "machine": printer.pk, "lab": printer.lab.slug}
        names |= {"late": late.isoformat(), "later": (late + HOUR).isoformat()}
        address = path.format(**names)
        sent = (
            {k: v.format(**names) if isinstance(v, str) else v for k, v in body.items()} if body is not None else None
        )
        client.logout()
        if path.startswith("/api/"):
            headers = bearer(user, "bookings:write", "labs:manage") if user else {}
            answer = getattr(client, method)(address, sent, content_type="application/json", headers=headers)
        else:
            if user:
                client.force_login(user)
            answer = getattr(client, method)(address, sent)
        found.append(answer.status_code)
    assert tuple(found) == statuses


def test_over_the_api_several_machines_again_and_again(client: Client, city_lab: Lab) -> None:
    one, other = machine(city_lab), machine(city_lab)
    user, start = person(), tomorrow()
    headers = bearer(user, "bookings:write")
    body: dict[str, Any] = {
        "machines": [one.pk, other.pk],
        "start": start.isoformat(),
        "end": (start + HOUR).isoformat(),
        "repeat": {"rrule": "FREQ=WEEKLY;COUNT=3", "except": [(start + dt.timedelta(days=7)).isoformat()]},
    }
    done = post(client, "/api/v1/bookings/", body, **headers)
    assert done.status_code == 201, done.content
    assert (len(done.json()["bookings"]), done.json()["skipped"]) == (4, [])
    assert {b["series"] for b in done.json()["bookings"]} == {done.json()["series"]}
    again = post(client, "/api/v1/bookings/", body, **headers)
    assert (again.status_code, again.json()["code"], again.json()["fits"]) == (409, "booking:series-clash", 0)
    body["repeat"] = {"rrule": "FREQ=WEEKLY;COUNT=3", "on_clash": "skip"}
    rest = post(client, "/api/v1/bookings/", body, **headers).json()
    assert (len(rest["bookings"]), len(rest["skipped"])) == (2, 2)
    first = done.json()["bookings"][0]["id"]
    assert client.delete(f"/api/v1/bookings/{first}/?scope=all", headers=headers).status_code == 204
    listed = client.get("/api/v1/bookings/?status=booked", headers=headers).json()["results"]
    assert len(listed) == 2
    for wrong, status in (({}, 400), ({"machine": one.pk, "machines": [other.pk]}, 400), ({"machines": [10**9]}, 404)):
        sent = {"start": body["start"], "end": body["end"], **wrong}
        assert post(client, "/api/v1/bookings/", sent, **headers).status_code == status


def test_over_the_api_wait_and_take(client: Client, printer: Machine) -> None:
    user, start = person(), tomorrow()
    headers = bearer(user, "bookings:write")
    wish = {
        "machine": printer.pk,
        "earliest": start.isoformat(),
        "latest": (start + 2 * HOUR).isoformat(),
        "minutes": 60,
    }
    free = post(client, "/api/v1/waitlist/", wish, **headers)
    assert (free.status_code, free.json()["code"]) == (409, "waitlist:free")
    taken = book(printer, person(), start, 2)
    waits = post(client, "/api/v1/waitlist/", wish, **headers)
    assert (waits.status_code, waits.json()["status"], waits.json()["class"]) == (201, "waiting", "")
    bookings.cancel_booking(booking=taken)
    offered = client.get(f"/api/v1/waitlist/{waits.json()['id']}/", headers=headers).json()
    took = post(client, f"/api/v1/bookings/{offered['booking']}/accept/", {}, **headers)
    assert (took.status_code, took.json()["status"]) == (200, "booked")


def test_managers_book_for_others_and_nobody_else_does(client: Client, printer: Machine, manager: User) -> None:
    friend = person("friend")
    body = {
        "machine": printer.pk,
        "start": tomorrow().isoformat(),
        "end": (tomorrow() + HOUR).isoformat(),
        "person": "friend",
    }
    assert post(client, "/api/v1/bookings/", body, **bearer(person(), "bookings:write")).status_code == 403
    assert post(client, "/api/v1/bookings/", body, **bearer(manager, "bookings:write")).status_code == 201
    made = Booking.objects.get()
    assert (made.user, made.booked_by, told(friend)) == (friend, manager, ["booked"])


# --- pages -------------------------------------------------------------------------------------------------------


def test_pages_repeat_book_together_and_wait(client: Client, city_lab: Lab) -> None:
    one, other = machine(city_lab), machine(city_lab)
    user, start = person(), tomorrow()
    client.force_login(user)
    path = f"/labs/{city_lab.slug}/{one.slug}/book/"
    sent = {"start": start.isoformat(), "end": (start + HOUR).isoformat()}
    again = {"repeat": "week", "times": "3", "also": [str(other.pk)], "note": "Course"}
    assert client.post(path, {**sent, **again}).status_code == 302
    assert Booking.objects.filter(note="Course").count() == 6
    clash = client.post(path, {**sent, "repeat": "week", "times": "4"})
    assert clash.status_code == 409
    assert 'name="skip"' in clash.content.decode()
    assert client.post(path, {**sent, "repeat": "week", "times": "4", "skip": "1"}).status_code == 302
    assert Booking.objects.count() == 7
    assert client.post(path, {**sent, "repeat": "week", "times": "1"}).status_code == 422
    zone = city_lab.zone
    there = start.astimezone(zone)
    form = {
        **sent,
        "do": "wait",
        "early_day": f"{there:%Y-%m-%d}",
        "early_at": f"{there:%H:%M}",
        "late_day": f"{there + HOUR:%Y-%m-%d}",
        "late_at": f"{there + HOUR:%H:%M}",
    }
    assert client.post(path, form).status_code == 302
    entry = WaitlistEntry.objects.get()
    assert (entry.machine, entry.earliest, entry.latest) == (one, start, start + HOUR)
    html = client.get("/me/bookings/").content.decode()
    assert "Waiting for" in html and "one of a series" in html
    assert client.post(f"/me/waitlist/{entry.pk}/withdraw/").status_code == 302


def test_the_page_of_a_booking_checks_in_moves_ends(client: Client, printer: Machine) -> None:
    user, now = person(), timezone.now().replace(second=0, microsecond=0)
    client.force_login(user)
    mine = book(printer, user, now, 2, design=design(user, b"solid a").design)
    path = f"/b/{mine.pk}/"
    html = client.get(path).content.decode()
    assert "I am here: check in" in html
    client.post(path, {"do": "check-in"})
    there = [at.astimezone(printer.lab.zone) for at in (now, now + 3 * HOUR)]
    fields = {
        "do": "move",
        "start_day": f"{there[0]:%Y-%m-%d}",
        "start_at": f"{there[0]:%H:%M}",
        "end_day": f"{there[1]:%Y-%m-%d}",
        "end_at": f"{there[1]:%H:%M}",
    }
    assert client.post(path, fields).status_code == 302
    mine.refresh_from_db()
    assert (mine.status, mine.end) == ("running", now + 3 * HOUR)
    assert client.post(path, {**fields, "end_at": "late"}).status_code == 422
    assert client.post(path, {"do": "dance"}).status_code == 422
    assert client.post(path, {"do": "end"}).status_code == 302
    mine.refresh_from_db()
    assert mine.status == "done"


@pytest.mark.usefixtures("strict")
def test_the_labs_page_decides_and_closes(client: Client, printer: Machine, manager: User) -> None:
    user, start = person("asker"), tomorrow()
    asked = book(printer, user, start)
    client.force_login(manager)
    path = f"/labs/{printer.lab.slug}/bookings/"
    assert "asker" in client.get(path).content.decode()
    there = [at.astimezone(printer.lab.zone).strftime("%Y-%m-%dT%H:%M") for at in (start, start + HOUR)]
    form = {"do": "close", "machine": printer.pk, "kind": "closure", "start": there[0], "end": there[1]}
    refused = client.post(path, form)
    assert (refused.status_code, "asker" in refused.content.decode()) == (409, True)
    assert client.post(path, {**form, "cancel": "1", "reason": "Party"}).status_code == 302
    asked.refresh_from_db()
    assert asked.status == "cancelled"
    closure = Booking.objects.get(kind="closure")
    assert "Party" in client.get(path).content.decode()
    client.post(path, {"do": "reopen", "machine": printer.pk, "together": str(closure.together)})
    closure.refresh_from_db()
    assert closure.status == "cancelled"
    assert client.post(path, {**form, "start": "soon"}).status_code == 200


def test_bad_time_stays_bad_for_a_closure(printer: Machine, manager: User) -> None:
    with pytest.raises(BadTime):
        bookings.close_machine(machine=printer, start=tomorrow(), end=tomorrow(), by=manager)


def test_machines_of_two_labs_are_booked_in_one_step_or_not_at_all(client: Client, db: None) -> None:
    one, two = machine(lab(), "Laser"), machine(lab(), "Printer")
    user, other = person(), person()
    asked = f"/book/?machine={one.pk}&machine={two.pk}&minutes=60"
    html = client.get(asked).content.decode()
    assert ("in 2 labs" in html, "Sign in to book" in html) == (True, True)
    start = tomorrow()
    bookings.create_booking(machine=two, user=other, start=start, end=start + 2 * HOUR)
    sent = {"machine": [one.pk, two.pk], "start": start.isoformat(), "end": (start + HOUR).isoformat()}
    assert client.post("/book/", sent)["Location"].startswith("/account/login/")
    client.force_login(user)
    refused = client.post("/book/", sent)
    assert refused.status_code == 409
    assert "Nothing was booked." in refused.content.decode()
    assert not Booking.objects.filter(user=user).exists()
    free = re.findall(
        r'class="t" href="(/book/[^"]+)"', client.get(asked + f"&start={quote(start.isoformat())}").content.decode()
    )
    starts = [dt.datetime.fromisoformat(parse_qs(urlsplit(unescape(url)).query)["start"][0]) for url in free]
    assert len(starts) >= 2
    for begin in starts:
        assert not Booking.objects.filter(start__lt=begin + HOUR, end__gt=begin, status="booked").exists()
        assert begin.astimezone(one.lab.zone).hour >= 8
    sent |= {"start": starts[0].isoformat(), "end": (starts[0] + HOUR).isoformat(), "note": "lid and body"}
    assert client.post("/book/", sent)["Location"] == "/me/bookings/"
    mine = Booking.objects.filter(user=user)
    assert {(b.machine, b.start, b.note) for b in mine} == {(m, starts[0], "lid and body") for m in (one, two)}
    assert len({b.together for b in mine}) == 2, "each lab looks after its own"
    for bad in ("", "?machine=x", "?machine=999999"):
        assert client.get(f"/book/{bad}").status_code == 404
    assert client.post("/book/", {**sent, "start": "soon"}).status_code == 422
    many = "&".join(f"machine={machine(one.lab).pk}" for _ in range(13))
    assert client.get(f"/book/?{many}").status_code == 200
