"""Bookings against a plain model: whatever is done in whatever order, the tables say what a list in memory says.

The model knows nothing of PostgreSQL, ranges or constraints: it is a dict of bookings, and asks of every pair whether
they meet. The clock is its own, so hours pass in a step.
"""

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from commons.errors import CityError
from labs.models import Booking, BookingRule, WaitlistEntry
from labs.services import bookings, waitlist
from tests.labs.conftest import lab, machine, person

QUARTER = dt.timedelta(minutes=15)
HOUR = dt.timedelta(hours=1)
BUFFER = QUARTER
CHECK_IN = 30
HOLDING = {"offered", "requested", "booked", "running", "done"}
OPEN = {"offered", "requested", "booked", "running"}
EPOCH = dt.datetime(2027, 3, 1, 6, 0, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Row:
    """A booking as the model knows it. `low` and `high` are what it blocks."""

    machine: int
    user: int
    start: dt.datetime
    end: dt.datetime
    low: dt.datetime
    high: dt.datetime
    status: str
    kind: str = "use"


@dataclass
class Wish:
    """Somebody who waits, as the model knows it."""

    user: int
    machine: int
    earliest: dt.datetime
    latest: dt.datetime
    length: dt.timedelta
    queued: tuple[dt.datetime, int]
    status: str = "waiting"
    lapses: int = 0
    offer: uuid.UUID | None = None


class City(RuleBasedStateMachine):
    """Two machines, one of which asks for approval, with a buffer after each use; three people."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.rows: dict[uuid.UUID, Row] = {}
        self.wishes: dict[uuid.UUID, Wish] = {}
        self.untils: dict[uuid.UUID, dt.datetime] = {}
        self.now = EPOCH
        self.joined = 0
        self.together: dict[Any, list[uuid.UUID]] = {}
        self.lab, self.machines, self.people, self.boss = TOWN["lab"], TOWN["machines"], TOWN["people"], TOWN["boss"]
        self.asks = self.machines[1].pk

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    # --- the model -----------------------------------------------------------------------------------------------

    def holders(self, of: int) -> list[Row]:
        return [row for row in self.rows.values() if row.machine == of and row.status in HOLDING]

    def meets(self, of: int, low: dt.datetime, high: dt.datetime, without: uuid.UUID | None = None) -> bool:
        return any(
            row.low < high and low < row.high
            for key, row in self.rows.items()
            if key != without and row.machine == of and row.status in HOLDING
        )

    def at(self, quarters: int) -> dt.datetime:
        return self.now + quarters * QUARTER

    def offer_on(self, of: int) -> None:
        """What becomes free goes to whoever waits longest among those whom it fits: the first quarter that does."""
        waiting = [(key, w) for key, w in self.wishes.items() if w.status == "waiting" and w.machine == of]
        for key, wish in sorted(waiting, key=lambda item: item[1].queued):
            if wish.latest <= self.now:
                continue
            start = max(wish.earliest, self.now + QUARTER)
            while start + wish.length <= wish.latest and self.meets(of, start, start + wish.length + BUFFER):
                start += QUARTER
            if start + wish.length > wish.latest:
                continue
            entry = WaitlistEntry.objects.get(pk=key)
            assert entry.booking is not None, "a time that fits was not offered"
            wish.status, wish.offer = "offered", entry.booking.pk
            end = start + wish.length
            self.rows[entry.booking.pk] = Row(of, wish.user, start, end, start, end + BUFFER, "offered")
            assert entry.booking.offer_until is not None
            self.untils[entry.booking.pk] = entry.booking.offer_until

    def settle(self, key: uuid.UUID, status: str) -> None:
        """A booking that held an offer is none any more."""
        for wish in self.wishes.values():
            if wish.offer == key and wish.status == "offered":
                wish.status, wish.offer = status, None

    def pick(self, data: st.DataObject, *statuses: str) -> uuid.UUID | None:
        keys = [key for key, row in self.rows.items() if row.status in (statuses or OPEN)]
        return data.draw(st.sampled_from(keys)) if keys else None

    def fetch(self, key: uuid.UUID) -> Booking:
        return Booking.objects.get(pk=key)

    # --- what people do ------------------------------------------------------------------------------------------

    @rule(who=st.integers(0, 2), which=st.integers(0, 1), first=st.integers(0, 24), length=st.integers(1, 10))
    def book(self, who: int, which: int, first: int, length: int) -> None:
        start, of = self.at(first), self.machines[which]
        end = start + length * QUARTER
        expected = not self.meets(of.pk, start, end + BUFFER)
        try:
            with transaction.atomic():
                made = bookings.create_booking(machine=of, user=self.people[who], start=start, end=end, now=self.now)
        except CityError as refusal:
            assert not expected and refusal.code == "booking:overlap", refusal
            return
        assert expected
        status = "requested" if of.pk == self.asks else "booked"
        self.rows[made.pk] = Row(of.pk, self.people[who].pk, start, end, start, end + BUFFER, status)

    @rule(who=st.integers(0, 2), first=st.integers(0, 24), length=st.integers(1, 10))
    def book_both(self, who: int, first: int, length: int) -> None:
        start = self.at(first)
        end = start + length * QUARTER
        expected = not any(self.meets(of.pk, start, end + BUFFER) for of in self.machines)
        try:
            with transaction.atomic():
                made = bookings.book_together(
                    machines=self.machines[::-1], user=self.people[who], start=start, end=end, now=self.now
                )
        except CityError as refusal:
            assert not expected and refusal.code == "booking:overlap", refusal
            return
        assert expected
        for row in made:
            self.rows[row.pk] = Row(row.machine_id, self.people[who].pk, start, end, start, end + BUFFER, "requested")
            self.together.setdefault(row.together, []).append(row.pk)

    @rule(data=st.data(), first=st.integers(0, 24), length=st.integers(1, 10))
    def move(self, data: st.DataObject, first: int, length: int) -> None:
        key = self.pick(data)
        if key is None:
            return
        row, start = self.rows[key], self.at(first)
        if row.status == "running":
            start = row.start
        end = start + length * QUARTER
        free = not self.meets(row.machine, start, end + BUFFER, without=key)
        try:
            with transaction.atomic():
                bookings.move_booking(booking=self.fetch(key), start=start, end=end, now=self.now)
        except CityError as refusal:
            if row.end <= self.now:
                assert refusal.code == "booking:over", refusal
            elif row.kind == "use" and start < self.now - dt.timedelta(minutes=5) and row.start > self.now:
                assert refusal.code == "booking:bad-time", refusal
            else:
                assert not free and refusal.code == "booking:overlap", refusal
            return
        assert free and row.end > self.now
        self.rows[key] = replace(row, start=start, end=end, low=start, high=end + BUFFER)
        self.offer_on(row.machine)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        key = self.pick(data)
        if key is None:
            return
        row = self.rows[key]
        try:
            with transaction.atomic():
                bookings.cancel_booking(booking=self.fetch(key), now=self.now)
        except CityError as refusal:
            assert refusal.code == ("booking:over" if row.end <= self.now else "booking:has-begun"), refusal
            assert row.end <= self.now or row.status == "running"
            return
        assert row.end > self.now and row.status != "running"
        self.rows[key] = replace(row, status="cancelled")
        self.settle(key, "withdrawn")
        self.offer_on(row.machine)

    @rule(data=st.data(), yes=st.booleans())
    def decide(self, data: st.DataObject, yes: bool) -> None:
        key = self.pick(data, "requested", "booked")
        if key is None:
            return
        row = self.rows[key]
        work = bookings.approve_booking if yes else bookings.decline_booking
        try:
            with transaction.atomic():
                work(booking=self.fetch(key), by=self.boss, now=self.now)
        except CityError as refusal:
            over = row.end <= self.now
            assert refusal.code == ("booking:over" if over else "booking:not-requested"), refusal
            assert over or row.status != "requested"
            return
        assert row.status == "requested" and row.end > self.now
        group = next((keys for keys in self.together.values() if key in keys), [key])
        reach = [k for k in group if k == key or self.rows[k].start > self.now]
        decided = [k for k in reach if self.rows[k].status == "requested"]
        for k in decided:
            self.rows[k] = replace(self.rows[k], status="booked" if yes else "declined")
        if not yes:
            for of in {self.rows[k].machine for k in decided}:
                self.offer_on(of)

    @rule(data=st.data())
    def arrive(self, data: st.DataObject) -> None:
        key = self.pick(data, "booked", "running")
        if key is None:
            return
        row = self.rows[key]
        early = self.now < row.start
        inside = [k for k, o in self.rows.items() if k != key and o.machine == row.machine and o.status in HOLDING]
        busy = any(self.rows[k].low <= self.now < self.rows[k].high for k in inside)
        try:
            with transaction.atomic():
                bookings.check_in(booking=self.fetch(key), now=self.now)
        except CityError as refusal:
            if row.end <= self.now or row.kind != "use":
                assert refusal.code == "booking:over", refusal
            else:
                assert refusal.code == "booking:too-early" and early, refusal
                assert busy or self.now < row.start - QUARTER
            return
        assert row.kind == "use" and row.end > self.now
        assert row.status == "running" or not early or (not busy and self.now >= row.start - QUARTER)
        self.rows[key] = replace(row, status="running")

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        key = self.pick(data)
        if key is None:
            return
        row = self.rows[key]
        begun = row.status == "running" or (row.status == "booked" and row.start <= self.now)
        try:
            with transaction.atomic():
                bookings.end_early(booking=self.fetch(key), now=self.now)
        except CityError as refusal:
            assert refusal.code == "booking:over" and (row.end <= self.now or not begun), refusal
            return
        assert begun and row.end > self.now
        if row.start >= self.now:
            self.rows[key] = replace(row, status="cancelled")
        else:
            after = row.high - row.end if row.kind == "use" else dt.timedelta()
            self.rows[key] = replace(row, status="done", end=self.now, high=self.now + after)
        self.offer_on(row.machine)

    @rule(which=st.integers(0, 1), first=st.integers(0, 24), length=st.integers(1, 16), force=st.booleans())
    def close(self, which: int, first: int, length: int, force: bool) -> None:
        of, start = self.machines[which], self.at(first)
        end = start + length * QUARTER
        met = {
            key: row
            for key, row in self.rows.items()
            if row.machine == of.pk and row.status in HOLDING and row.low < end and start < row.high
        }
        clashes = {k: r for k, r in met.items() if r.kind == "use" and r.status != "done" and r.end > self.now}
        try:
            with transaction.atomic():
                bookings.close_machine(
                    machine=of, start=start, end=end, by=self.boss, cancel_conflicting=force, now=self.now
                )
        except CityError as refusal:
            assert refusal.code == "booking:closure-clash" and clashes and not force, refusal
            assert {uuid.UUID(b["id"]) for b in refusal.data["bookings"]} == set(clashes)
            return
        assert force or not clashes
        for key, row in clashes.items():
            begun = row.status == "running" or (row.status == "booked" and row.start < self.now)
            if begun and row.start < start:
                cut = min(row.end, start)
                done = start <= self.now
                self.rows[key] = replace(row, status="done" if done else row.status, end=cut, high=start)
            elif row.status == "running":
                cut = row.start + dt.timedelta(microseconds=1)
                self.rows[key] = replace(row, end=cut, high=cut)
            else:
                self.rows[key] = replace(row, status="cancelled")
                self.settle(key, "withdrawn")
        left = [(start, end)]
        for key in met:
            row = self.rows[key]
            if row.status in HOLDING:
                left = [p for s, e in left for p in ((s, min(e, row.low)), (max(s, row.high), e)) if p[0] < p[1]]
                left = list(dict.fromkeys(left))
        known = set(self.rows)
        for made in Booking.objects.filter(machine=of).exclude(pk__in=known).exclude(kind="use"):
            assert (made.start, made.end) in left
            left.remove((made.start, made.end))
            self.rows[made.pk] = Row(
                of.pk, self.boss.pk, made.start, made.end, made.start, made.end, "booked", kind=made.kind
            )
        assert not left, "a part of the time was left open"
        if clashes:
            self.offer_on(of.pk)

    # --- who waits -----------------------------------------------------------------------------------------------

    @rule(who=st.integers(0, 2), which=st.integers(0, 1), first=st.integers(1, 20), span=st.integers(4, 14))
    def wait(self, who: int, which: int, first: int, span: int) -> None:
        of, earliest = self.machines[which], self.at(first)
        latest, length = earliest + span * QUARTER, 2 * QUARTER
        user = self.people[who]
        start = max(earliest, self.now + QUARTER)
        while start + length <= latest and self.meets(of.pk, start, start + length + BUFFER):
            start += QUARTER
        twice = any(
            w.user == user.pk
            and w.machine == of.pk
            and w.status in {"waiting", "offered"}
            and w.earliest < latest
            and earliest < w.latest
            for w in self.wishes.values()
        )
        many = sum(w.user == user.pk and w.status in {"waiting", "offered"} for w in self.wishes.values()) >= 10
        try:
            with transaction.atomic():
                entry = waitlist.join(
                    user=user, lab=self.lab, machine=of, earliest=earliest, latest=latest, length=length, now=self.now
                )
        except CityError as refusal:
            if many:
                assert refusal.code == "waitlist:bad", refusal
            elif twice:
                assert refusal.code == "waitlist:twice", refusal
            else:
                assert refusal.code == "waitlist:free" and start + length <= latest, refusal
                assert dt.datetime.fromisoformat(refusal.data["next_free"]["start"]) == start
            return
        assert not twice and not many and start + length > latest
        self.joined += 1
        self.wishes[entry.pk] = Wish(user.pk, of.pk, earliest, latest, length, (self.now, self.joined))

    @rule(data=st.data())
    def take_up(self, data: st.DataObject) -> None:
        key = self.pick(data, "offered")
        if key is None:
            return
        row = self.rows[key]
        try:
            with transaction.atomic():
                waitlist.accept_offer(booking=self.fetch(key), now=self.now)
        except CityError as refusal:
            assert refusal.code == "booking:not-offered" and self.untils[key] <= self.now, refusal
            return
        assert self.untils[key] > self.now
        self.rows[key] = replace(row, status="requested" if row.machine == self.asks else "booked")
        for wish in self.wishes.values():
            if wish.offer == key:
                wish.status = "taken"

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        keys = list(self.wishes)
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        wish = self.wishes[key]
        with transaction.atomic():
            waitlist.withdraw(entry=WaitlistEntry.objects.get(pk=key), now=self.now)
        if wish.status == "offered" and wish.offer is not None:
            offer, wish.status, wish.offer = wish.offer, "withdrawn", None
            self.rows[offer] = replace(self.rows[offer], status="cancelled")
            self.offer_on(self.rows[offer].machine)
        elif wish.status == "waiting":
            wish.status = "withdrawn"

    # --- what the clock does -------------------------------------------------------------------------------------

    @rule(quarters=st.integers(1, 6))
    def hours_pass(self, quarters: int) -> None:
        self.now += quarters * QUARTER

    @rule()
    def release(self) -> None:
        within = CHECK_IN * dt.timedelta(minutes=1)
        bookings.release_unused(self.now)
        unused = [
            key
            for key, row in sorted(self.rows.items(), key=lambda item: (item[1].start, item[0]))
            if row.status == "booked" and row.kind == "use" and min(row.start + within, row.end) <= self.now
        ]
        for key in unused:
            self.rows[key] = replace(self.rows[key], status="missed")
        for of in {self.rows[key].machine for key in unused}:
            self.offer_on(of)

    @rule()
    def nobody_answered(self) -> None:
        bookings.decline_forgotten(self.now)
        forgotten = [k for k, row in self.rows.items() if row.status == "requested" and row.start <= self.now]
        for key in forgotten:
            self.rows[key] = replace(self.rows[key], status="declined")
        for of in {self.rows[key].machine for key in forgotten}:
            self.offer_on(of)

    @precondition(lambda self: any(u <= self.now for u in self.untils.values()))
    @rule()
    def offers_end(self) -> None:
        late = [k for k, u in self.untils.items() if u <= self.now and self.rows[k].status == "offered"]
        if len({self.rows[k].machine for k in late}) < len(late):
            return  # two of one machine at once: the order among them is told by the table of cases
        waitlist.expire(self.now)
        for key in late:
            wish = next(w for w in self.wishes.values() if w.offer == key)
            self.rows[key] = replace(self.rows[key], status="cancelled")
            self.joined += 1
            wish.lapses, wish.offer, wish.queued = wish.lapses + 1, None, (self.now, self.joined)
            wish.status = "expired" if wish.lapses >= 3 else "lapsing"
            self.offer_on(self.rows[key].machine)
            if wish.status == "lapsing":
                wish.status = "waiting"
        for wish in self.wishes.values():
            if wish.status == "waiting" and wish.latest - wish.length < self.now:
                wish.status = "expired"

    # --- what must hold ------------------------------------------------------------------------------------------

    @invariant()
    def tables_say_what_the_model_says(self) -> None:
        told = {
            b.pk: Row(b.machine_id, b.user_id, b.start, b.end, b.blocked.lower, b.blocked.upper, b.status, b.kind)
            for b in Booking.objects.filter(machine__lab=self.lab)
        }
        assert told == self.rows
        waits = {e.pk: (e.status, e.lapses) for e in WaitlistEntry.objects.filter(lab=self.lab)}
        assert waits == {key: (w.status, w.lapses) for key, w in self.wishes.items()}
        for of in self.machines:
            held = sorted((row.low, row.high) for row in self.holders(of.pk))
            assert all(a[1] <= b[0] for a, b in pairwise(held)), "two meet"


TOWN: dict[str, Any] = {}
"""The lab, its machines and people: made once for a test, in the transaction around all lives."""


@pytest.fixture
def town(db: None) -> None:
    """A lab with two machines. The second machine asks for approval, both for a check-in within half an hour."""
    where = lab()
    where.open_bookings_max = 1000
    where.save()
    machines = [machine(where, buffer_after_min=15, longest_h=48) for _ in range(2)]
    BookingRule.objects.create(lab=where, name="check_in_within_min", value=str(CHECK_IN))
    BookingRule.objects.create(lab=where, name="needs_approval", value="yes", machine=machines[1])
    TOWN.update(lab=where, machines=machines, people=[person() for _ in range(3)], boss=person())


def play(runs: int, *phases: Phase) -> None:
    quiet = settings(
        max_examples=runs,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=phases or settings().phases,
    )
    run_state_machine_as_test(City, settings=quiet)


@pytest.mark.usefixtures("town")
def test_thirty_lives_of_a_lab() -> None:
    play(30)


@pytest.mark.drill
@pytest.mark.usefixtures("town")
def test_a_thousand_lives_of_a_lab() -> None:
    play(1000, Phase.generate)
