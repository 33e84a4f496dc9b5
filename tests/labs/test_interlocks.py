"""A machine has power for its booked and qualified person alone, from check-in to the end, all of it written down."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from commons.notices.models import Notice
from commons.people.models import Membership, User
from commons.people.services import set_role
from labs.errors.interlocks import BadInterlock, NoPower
from labs.models import Booking, Interlock, InterlockCommand, Machine
from labs.services import bookings, catalogue, interlocks
from labs.services.interlocks import settling
from labs.services.interlocks.sealing import opened, seal
from tests.labs.conftest import machine, person
from tests.labs.relays import Contacts, ShellyHandler, serving

HOUR, MINUTE, SECOND = dt.timedelta(hours=1), dt.timedelta(minutes=1), dt.timedelta(seconds=1)


@pytest.fixture
def boss(printer: Machine) -> User:
    user = person()
    set_role(organisation=printer.lab.organisation, user=user, role=Membership.Role.MANAGER)
    return user


@pytest.fixture
def relay(settings: Any) -> Iterator[tuple[Contacts, str]]:
    settings.INTERLOCK_NETWORKS = ["127.0.0.0/8"]
    contacts = Contacts()
    contacts.password = "sesame"
    with serving(ShellyHandler, contacts) as url:
        yield contacts, url


@pytest.fixture
def lock(printer: Machine, boss: User, relay: tuple[Contacts, str]) -> Interlock:
    printer.required_badges.add(catalogue.create_badge(slug="printing", name="Printing"))
    return interlocks.set_interlock(machine=printer, by=boss, driver="shelly", url=relay[1], password="sesame")


def booked(of: Machine, *, qualified: bool = True, hours: float = 1) -> Booking:
    user = person()
    badge = of.required_badges.first()
    if qualified and badge is not None:
        catalogue.grant_badge(badge=badge, user=user)
    now = timezone.now()
    return Booking.objects.create(
        machine=of, user=user, start=now, end=now + hours * HOUR, blocked=(now, now + hours * HOUR)
    )


def log(of: Machine) -> list[tuple[str, str, str]]:
    rows = InterlockCommand.objects.filter(machine=of).exclude(what="read").order_by("pk")
    return [(row.what, row.why, row.answer) for row in rows]


def test_power_from_check_in_to_the_end_and_its_grace(lock: Interlock, relay: tuple[Contacts, str]) -> None:
    contacts, printer = relay[0], lock.machine
    booking = booked(printer)
    interlocks.settle()
    assert not contacts.on
    bookings.check_in(booking=booking)
    assert interlocks.settle([lock.pk]) == 1
    assert contacts.on
    assert 170 < (contacts.left_s or 0) <= 180
    assert interlocks.settle() == 0
    later = timezone.now() + 61 * SECOND
    assert interlocks.settle(now=later) == 1
    lock.refresh_from_db()
    assert (lock.state, lock.valid_until) == ("on", later + 180 * SECOND)
    bookings.end_early(booking=booking)
    interlocks.settle([lock.pk])
    assert 50 < (contacts.left_s or 0) <= 60  # the grace that is left, by the relay's own timer
    interlocks.settle(now=timezone.now() + 61 * SECOND)
    assert not contacts.on
    lock.refresh_from_db()
    assert (lock.state, lock.asked, lock.trouble) == ("off", None, "")
    assert log(printer) == [
        ("set", "", ""),
        ("wanted", "", ""),
        ("on", "booked", "on"),
        ("hold", "booked", "on"),
        ("hold", "booked", "on"),
        ("off", "over", "off"),
    ]
    told = InterlockCommand.objects.filter(machine=printer, what="on").get()
    assert (told.person, told.booking, told.for_s, told.driver) == (booking.user, booking.pk, 180, "shelly")


def test_no_power_without_the_badge_and_none_when_it_is_taken_back(
    lock: Interlock, relay: tuple[Contacts, str]
) -> None:
    contacts, printer = relay[0], lock.machine
    booking = booked(printer, qualified=False)
    bookings.check_in(booking=booking)
    interlocks.settle()
    assert not contacts.on
    lock.refresh_from_db()
    assert "badge" in lock.trouble
    badge = printer.required_badges.get()
    catalogue.grant_badge(badge=badge, user=booking.user)
    interlocks.settle()
    assert not contacts.on  # nothing starts by itself
    interlocks.ask_power(booking=booking, by=booking.user)
    interlocks.settle()
    assert contacts.on
    catalogue.revoke_badge(badge=badge, user=booking.user)
    interlocks.settle()
    assert not contacts.on
    with pytest.raises(NoPower) as refused:
        interlocks.ask_power(booking=booking, by=booking.user)
    assert refused.value.data["why"] == "not-qualified"
    assert contacts.closings == 1


@pytest.mark.parametrize("what", ["repair", "locked", "closed", "unused", "account"])
def test_what_ends_power_at_once_and_what_follows_does_not_bring_it_back(
    what: str, lock: Interlock, relay: tuple[Contacts, str], boss: User
) -> None:
    contacts, printer = relay[0], lock.machine
    booking = booked(printer)
    bookings.check_in(booking=booking)
    interlocks.settle()
    assert contacts.on
    if what == "repair":
        catalogue.set_state(machine=printer, state="repair", note="smoke")
    elif what == "locked":
        interlocks.lock_out(interlock=lock, by=boss, reason="smoke")
    elif what == "closed":
        start = timezone.now()
        closing = {"machine": printer, "start": start, "end": start + HOUR, "by": boss, "cancel_conflicting": True}
        assert bookings.close_machine(**closing) == [booking]
    elif what == "unused":
        Interlock.objects.update(in_use=False)
    else:
        User.objects.filter(pk=booking.user.pk).update(is_active=False)
    interlocks.settle(now=timezone.now() + (61 * SECOND if what == "closed" else 0 * SECOND))
    assert not contacts.on
    if what == "repair":
        catalogue.set_state(machine=printer, state="ok")
    elif what == "locked":
        interlocks.free(interlock=lock, by=boss)
    Interlock.objects.update(in_use=True)
    User.objects.update(is_active=True)
    interlocks.settle(now=timezone.now() + 10 * MINUTE)
    assert (contacts.on, contacts.closings) == (False, 1)


def test_a_relay_opened_by_hand_stays_open_until_somebody_asks_again(
    lock: Interlock, relay: tuple[Contacts, str], boss: User
) -> None:
    contacts, booking = relay[0], booked(lock.machine)
    bookings.check_in(booking=booking)
    interlocks.settle()
    contacts.set(False)
    interlocks.settle(now=timezone.now() + 61 * SECOND)
    interlocks.settle(now=timezone.now() + 90 * SECOND)
    assert (contacts.on, contacts.closings) == (False, 1)
    assert Notice.objects.filter(person__in=[boss, booking.user], kind="labs.interlock").count() == 2
    interlocks.ask_power(booking=booking, by=booking.user)
    interlocks.settle()
    assert (contacts.on, contacts.closings) == (True, 2)


def test_one_closed_by_hand_is_opened_when_it_is_found(lock: Interlock, relay: tuple[Contacts, str]) -> None:
    contacts = relay[0]
    interlocks.settle()
    contacts.set(True)
    assert interlocks.settle() == 0
    interlocks.settle(now=timezone.now() + 5 * MINUTE + SECOND)
    assert not contacts.on
    lock.refresh_from_db()
    assert lock.state == "off"


@pytest.mark.parametrize("fault", ["no-timer", "stuck", "status", "password", "gone"])
def test_a_relay_that_does_not_obey_gets_off_and_its_lab_is_told(
    fault: str, lock: Interlock, relay: tuple[Contacts, str], boss: User
) -> None:
    contacts, booking = relay[0], booked(lock.machine)
    contacts.no_timer, contacts.stuck = fault == "no-timer", fault == "stuck"
    contacts.status = 500 if fault == "status" else 200
    if fault == "password":
        Interlock.objects.update(sealed="sealed with another key")
    if fault == "gone":
        Interlock.objects.update(url="http://127.0.0.1:1")
    Interlock.objects.update(next_at=timezone.now() + MINUTE)
    bookings.check_in(booking=booking)
    interlocks.settle()
    assert not contacts.on
    lock.refresh_from_db()
    assert (lock.asked, bool(lock.trouble)) == (None, True)
    assert log(lock.machine)[2][0] == "on"
    assert log(lock.machine)[3][0] == "off"
    assert Notice.objects.filter(person=boss, kind="labs.interlock").count() == 1
    before = InterlockCommand.objects.count()
    contacts.no_timer, contacts.stuck, contacts.status = False, False, 200
    interlocks.settle(now=timezone.now() + 6 * MINUTE)
    assert InterlockCommand.objects.count() > before
    assert not contacts.on


def test_a_lost_message_does_not_cut_the_power_and_a_lost_hour_does(
    lock: Interlock, relay: tuple[Contacts, str]
) -> None:
    contacts, booking = relay[0], booked(lock.machine)
    bookings.check_in(booking=booking)
    interlocks.settle()
    Interlock.objects.update(url="http://127.0.0.1:1")
    interlocks.settle(now=timezone.now() + 70 * SECOND)
    lock.refresh_from_db()
    assert (lock.state, lock.failures, lock.asked) == ("on", 1, booking.pk)
    Interlock.objects.update(url=relay[1])
    interlocks.settle(now=timezone.now() + 90 * SECOND)
    lock.refresh_from_db()
    assert (lock.state, lock.failures, contacts.on) == ("on", 0, True)
    Interlock.objects.update(url="http://127.0.0.1:1")
    interlocks.settle(now=timezone.now() + HOUR)
    lock.refresh_from_db()
    assert (lock.state, lock.asked) == ("fault", None)


def test_the_next_person_gets_power_of_their_own(lock: Interlock, relay: tuple[Contacts, str]) -> None:
    contacts, first = relay[0], booked(lock.machine)
    bookings.check_in(booking=first)
    interlocks.settle()
    bookings.end_early(booking=first)
    second = booked(lock.machine)
    bookings.check_in(booking=second)
    interlocks.settle()
    lock.refresh_from_db()
    assert (contacts.on, lock.asked) == (True, second.pk)
    interlocks.settle(now=timezone.now() + 70 * SECOND)
    assert InterlockCommand.objects.filter(what="hold").latest("pk").person == second.user


def test_the_log_is_final_and_the_password_sealed(lock: Interlock) -> None:
    row = InterlockCommand.objects.first()
    assert row is not None
    for change in (lambda: InterlockCommand.objects.update(sentence=""), row.delete):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            change()
    assert "sesame" not in lock.sealed
    assert opened(lock.sealed) == "sesame"
    assert opened(seal("x")[:-4]) is None


def test_a_new_address_never_gets_the_old_password(lock: Interlock, boss: User) -> None:
    interlocks.settle()
    same = interlocks.set_interlock(machine=lock.machine, by=boss, driver="shelly", url=lock.url, hold_s=120)
    assert opened(same.sealed) == "sesame"
    other = interlocks.set_interlock(machine=lock.machine, by=boss, driver="shelly", url="http://127.0.0.2")
    assert opened(other.sealed) == ""


@pytest.mark.parametrize(
    "asked",
    [
        {"driver": "laser"},
        {"driver": "shelly", "url": ""},
        {"driver": "shelly", "url": "ftp://127.0.0.1"},
        {"driver": "shelly", "url": "http://10.0.0.5"},
        {"driver": "shelly", "url": "http://169.254.169.254"},
        {"driver": "shelly", "url": "http://127.0.0.1/rpc"},
        {"driver": "shelly", "url": "http://u:p@127.0.0.1"},
        {"driver": "shelly", "url": "http://127.0.0.1:99999"},
        {"driver": "mqtt", "url": "mqtt://127.0.0.1"},
        {"driver": "mqtt", "url": "mqtt://127.0.0.1", "options": {"topic": "lab/#"}},
        {"driver": "modbus", "url": "modbus://127.0.0.1"},
        {"driver": "modbus", "url": "modbus://127.0.0.1", "options": {"timer": 70_000}},
        {"driver": "modbus", "url": "modbus://127.0.0.1", "options": {"timer": 5, "unit": "x"}},
        {"driver": "none", "hold_s": 5},
        {"driver": "none", "grace_s": 5000},
    ],
)
def test_what_cannot_be_set_up(asked: dict[str, Any], printer: Machine, boss: User, settings: Any) -> None:
    settings.INTERLOCK_NETWORKS = ["127.0.0.0/8"]
    with pytest.raises(BadInterlock):
        interlocks.set_interlock(machine=printer, by=boss, **asked)
    assert not Interlock.objects.exists()


def test_a_relay_that_may_be_on_is_not_forgotten(lock: Interlock, relay: tuple[Contacts, str], boss: User) -> None:
    bookings.check_in(booking=booked(lock.machine))
    interlocks.settle()
    with pytest.raises(BadInterlock, match="Lock the machine out"):
        interlocks.remove(interlock=lock, by=boss)
    with pytest.raises(BadInterlock, match="Lock the machine out"):
        interlocks.set_interlock(machine=lock.machine, by=boss, driver="none")
    interlocks.lock_out(interlock=lock, by=boss)
    interlocks.settle()
    interlocks.remove(interlock=lock, by=boss)
    assert not relay[0].on
    assert log(lock.machine)[-1][0] == "removed"


def test_many_are_spoken_to_at_once_and_locks_are_given_back(printer: Machine, boss: User) -> None:
    for _ in range(5):
        interlocks.set_interlock(machine=machine(printer.lab), by=boss, driver="none")
    assert interlocks.settle() == 5
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s", [settling.LOCKS])
        assert cursor.fetchone()[0] == 0
    assert set(Interlock.objects.values_list("state", flat=True)) == {"off"}
