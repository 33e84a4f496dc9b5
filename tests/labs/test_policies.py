"""Who may do what in a lab, everybody against every rule."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from commons.people.models import Membership
from labs import policies
from labs.engine.hours import Span
from labs.engine.times import Buffers
from labs.models import Account, Booking, Fault, Invoice, Job, Lab, Machine, WaitlistEntry
from labs.policies import Standing
from labs.services.bookings.rows import blocked
from tests.cast import ROLES, Cast, cast, who

from .conftest import lab, machine, person

pytestmark = pytest.mark.django_db
RUNNING = {"manager", "owner", "staff"}
TEACHING = {"trainer", *RUNNING}
FELLOWS = {*ROLES, "staff"}


@pytest.fixture
def people(city_lab: Lab) -> Cast:
    return cast(city_lab.organisation)


def test_who_runs_teaches_makes_and_belongs(people: Cast, city_lab: Lab) -> None:
    assert who(people, lambda one: policies.may_manage(one, city_lab)) == RUNNING
    assert who(people, lambda one: policies.may_train(one, city_lab)) == TEACHING
    assert who(people, lambda one: policies.may_make(one, city_lab)) == TEACHING
    assert who(people, lambda one: policies.is_fellow(one, city_lab)) == FELLOWS


def test_the_standing_says_the_same_in_one_question(people: Cast, city_lab: Lab) -> None:
    for name, one in people.items():
        expected = Standing(fellow=name in FELLOWS, trains=name in TEACHING, manages=name in RUNNING)
        assert policies.standing(one, city_lab) == expected, name
    assert Standing() == Standing(fellow=False, trains=False, manages=False)


def test_for_which_labs_somebody_makes(people: Cast, city_lab: Lab) -> None:
    other = lab()
    Membership.objects.create(organisation=other.organisation, user=people["member"], role="trainer")
    found = {name: policies.labs_that_make(one) for name, one in people.items() if hasattr(one, "pk") and one.pk}
    assert found.pop("staff") == {city_lab.pk, other.pk}
    assert found.pop("member") == {other.pk}
    assert {name for name, labs in found.items() if labs == {city_lab.pk}} == TEACHING - {"staff"}
    assert {name for name, labs in found.items() if labs == set()} == {"person", "steward", "other owner"}


@pytest.mark.parametrize(
    ("rule", "make"),
    [
        (policies.may_change_booking, lambda user, at: Booking(user=user, machine=at)),
        (policies.may_change_entry, lambda user, at: WaitlistEntry(user=user, lab=at.lab)),
        (policies.may_see_wallet, lambda user, at: Account(user=user, lab=at.lab)),
        (policies.may_see_invoice, lambda user, at: Invoice(user=user, lab=at.lab)),
        (policies.may_speak_of, lambda user, at: Job(machine=at, booking=Booking(user=user, machine=at))),
    ],
)
def test_what_is_ones_own_and_the_labs(people: Cast, printer: Machine, rule: Any, make: Any) -> None:
    theirs = make(people["person"], printer)
    assert who(people, lambda one: rule(one, theirs)) == {"person", *RUNNING}
    assert who(people, lambda one: rule(one, make(people["member"], printer))) == {"member", *RUNNING}


def test_a_job_without_a_booking_is_the_labs(people: Cast, printer: Machine) -> None:
    assert who(people, lambda one: policies.may_speak_of(one, Job(machine=printer))) == RUNNING


def test_a_wallet_of_the_lab_itself_is_nobodys_own(people: Cast, city_lab: Lab) -> None:
    assert who(people, lambda one: policies.may_see_wallet(one, Account(lab=city_lab))) == RUNNING


def test_who_excuses_and_never_themselves(people: Cast, printer: Machine) -> None:
    missed = Booking(user=people["person"], machine=printer, status=Booking.Status.MISSED)
    assert who(people, lambda one: policies.may_excuse(one, missed)) == TEACHING
    own = Booking(user=people["owner"], machine=printer, status=Booking.Status.MISSED)
    assert who(people, lambda one: policies.may_excuse(one, own)) == TEACHING - {"owner"}
    for status in set(Booking.Status.values) - {"missed"}:
        assert not policies.may_excuse(people["owner"], Booking(user=people["person"], machine=printer, status=status))


def test_who_sees_a_fault(people: Cast, printer: Machine) -> None:
    fault = Fault(machine=printer, reporter=people["person"])
    assert who(people, lambda one: policies.may_see_fault(one, fault)) == {"person", *FELLOWS}
    assert who(people, lambda one: policies.may_see_fault(one, Fault(machine=printer))) == FELLOWS


DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("begins", "lasts", "more", "counts"),
    [
        (-HOUR, 2 * HOUR, {}, True),
        (DAY - HOUR, HOUR, {}, True),
        (DAY + HOUR, HOUR, {}, False),
        (-DAY, HOUR, {"status": "done"}, True),
        (-DAY - 2 * HOUR, HOUR, {"status": "done"}, False),
        (-HOUR, 2 * HOUR, {"status": "cancelled"}, False),
        (-HOUR, 2 * HOUR, {"kind": "maintenance"}, False),
    ],
)
def test_whose_word_takes_a_machine_down(
    people: Cast, printer: Machine, begins: dt.timedelta, lasts: dt.timedelta, more: dict[str, str], counts: bool
) -> None:
    beside, user = machine(printer.lab), person()
    start = timezone.now() + begins
    time = blocked(Span(start, start + lasts), Buffers(dt.timedelta(0), dt.timedelta(0)))
    Booking.objects.create(machine=printer, user=user, start=start, end=start + lasts, blocked=time, **more)
    assert policies.may_take_down(user, printer) is counts
    assert not policies.may_take_down(user, beside)
    assert who(people, lambda one: policies.may_take_down(one, printer)) == FELLOWS
