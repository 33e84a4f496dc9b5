"""A person leaves: whole, or without a name where books must stay; or hears what to do first."""

import datetime as dt
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from commons.people.errors import LastOwner, PersonStays
from commons.people.leaving import leave
from commons.people.models import ApiToken, Handle, Membership, User
from commons.people.services import create_organisation, create_token, create_user, set_role
from commons.places import demo as demo_places
from labs.engine.prices import Rates
from labs.errors.bookings import InNameOfLeaver
from labs.models import Account, Booking, Entry, Fault, KioskPass, LogEntry, Machine, WaitlistEntry
from labs.queries import books
from labs.services import bookings, faults, kiosk, ledger, tills, waitlist
from tests.labs.conftest import design, person, tomorrow
from tests.labs.test_faults import member, soon

HOUR = dt.timedelta(hours=1)


def busy(printer: Machine) -> User:
    """A member with bookings, a place on a waitlist, a PIN, a token, a fault and a line in the log."""
    user = member(printer.lab)
    past = timezone.now() - 5 * HOUR
    Booking.objects.create(
        machine=printer, user=user, start=past, end=past + HOUR, blocked=(past, past + HOUR), status="done"
    )
    bookings.create_booking(machine=printer, user=user, start=tomorrow(), end=tomorrow() + HOUR)
    bookings.create_booking(machine=printer, user=person(), start=soon(40), end=soon(42))
    waitlist.join(
        user=user, lab=printer.lab, machine=printer, earliest=soon(40), latest=soon(41), length=dt.timedelta(minutes=30)
    )
    kiosk.set_pin(user=user, pin="482913")
    create_token(user=user, name="mine", scopes=["bookings:read"])
    faults.report_fault(machine=printer, by=user, what="It squeaks.", severity="note")
    return user


def test_who_owes_nothing_is_gone_whole(printer: Machine) -> None:
    user = busy(printer)
    name, key = user.username, user.pk
    assert leave(user=user)
    assert not User.objects.filter(pk=key).exists()
    assert not Handle.objects.filter(name=name).exists()
    assert not Booking.objects.filter(user=key).exists()
    assert Fault.objects.get().reporter is None
    assert LogEntry.objects.filter(kind="fault").exists()
    bookings.create_booking(machine=printer, user=person(), start=tomorrow(), end=tomorrow() + HOUR)


def paid(printer: Machine, user: User, boss: User) -> None:
    tills.set_till(lab=printer.lab, mode="money", currency="EUR")
    tills.set_tariff(lab=printer.lab, rates=Rates(per_hour=Decimal(6)), by=boss)
    ledger.pay_in(lab=printer.lab, user=user, sum_=Decimal(20), by=boss)


def test_who_stands_in_the_books_stays_without_a_name(client: Client, printer: Machine) -> None:
    user, boss = busy(printer), member(printer.lab, "manager")
    paid(printer, user, boss)
    coming = bookings.create_booking(machine=printer, user=user, start=soon(50), end=soon(51))
    User.objects.filter(pk=user.pk).update(email="ida@example.org", name="Ida")
    held = books.wallet_of(printer.lab, user, "EUR")
    assert held is not None
    assert held.balance == 14
    name = user.username
    assert not leave(user=user)
    kept = User.objects.get(pk=user.pk)
    assert (kept.username, str(kept), kept.email, kept.name) == (f"former-{user.pk}", f"former-{user.pk}", "", "")
    assert not kept.is_active
    assert not kept.has_usable_password()
    assert Handle.objects.get(user=kept).name == f"former-{user.pk}"
    for model in (ApiToken, KioskPass, WaitlistEntry, Membership):
        assert not model.objects.filter(user=kept).exists()  # type: ignore[attr-defined]
    coming.refresh_from_db()
    assert coming.status == "cancelled"
    held.refresh_from_db()
    assert held.balance == 20  # given back, for the lab to pay out
    assert books.mismatches(printer.lab) == []
    assert name not in "".join("|".join(row) for row in books.rows(printer.lab))
    assert create_user(username=name).pk != kept.pk  # the name is free
    assert not leave(user=kept)  # once more changes nothing
    assert Entry.objects.filter(account=held).count() == 3


def test_what_must_be_passed_on_first_is_said(printer: Machine) -> None:
    owner = person()
    made = design(owner, b"solid", slug="lamp")
    with pytest.raises(PersonStays, match="owns 1 design"):
        leave(user=owner)
    made.design.delete()
    organisation = create_organisation(handle="makers", name="Makers", kind="association", founder=owner)
    with pytest.raises(LastOwner):
        leave(user=owner)
    set_role(organisation=organisation, user=person(), role=Membership.Role.OWNER)
    boss = member(printer.lab, "manager")
    bookings.close_machine(machine=printer, start=soon(5), end=soon(8), by=boss)
    with pytest.raises(InNameOfLeaver, match="name a manager"):
        leave(user=boss)
    assert Booking.objects.get(machine=printer).user == boss
    other = member(printer.lab, "manager")
    assert leave(user=boss)
    closure = Booking.objects.get(machine=printer)
    assert (closure.user, closure.status) == (other, "booked")
    assert leave(user=owner)


def test_the_demos_people_leave_real_labs_too(printer: Machine) -> None:
    boss = member(printer.lab, "manager")
    neighbour = create_user(username="aino", name="Aino", demo=True)
    plain = create_user(username="otto", name="Otto", demo=True)
    paid(printer, neighbour, boss)
    bookings.create_booking(machine=printer, user=neighbour, start=soon(50), end=soon(51))
    lines: list[str] = []
    demo_places.remove(lines.append)
    assert "2 people" in lines[0]
    assert any("1 accounts" in line for line in lines)
    assert not User.objects.filter(demo=True).exists()
    assert not User.objects.filter(pk=plain.pk).exists()
    assert Account.objects.get(kind="wallet", lab=printer.lab).user.username == f"former-{neighbour.pk}"  # type: ignore[union-attr]


def test_the_staff_page_and_the_command_let_go_or_say_why_not(client: Client, printer: Machine) -> None:
    staff = create_user(username="steward", is_staff=True)
    client.force_login(staff)
    user, boss = person(), member(printer.lab, "manager")
    paid(printer, user, boss)
    path = f"/staff/people/user/{user.pk}/delete/"
    assert client.get(path).status_code == 200
    html = client.post(path, {"post": "yes"}, follow=True).content.decode()
    assert f"former-{user.pk}" in html
    assert not User.objects.get(pk=user.pk).is_active
    owner = person()
    design(owner, b"solid", slug="lamp")
    html = client.post(f"/staff/people/user/{owner.pk}/delete/", {"post": "yes"}, follow=True).content.decode()
    assert "owns 1 design" in html
    assert User.objects.filter(pk=owner.pk).exists()
    with pytest.raises(CommandError, match="owns 1 design"):
        call_command("forget_person", owner.username)
    gone, out = person(), StringIO()
    call_command("forget_person", gone.username, "--json", stdout=out)
    assert '"deleted": true' in out.getvalue().replace('":true', '": true')
    assert not User.objects.filter(pk=gone.pk).exists()
    with pytest.raises(CommandError, match="no account"):
        call_command("forget_person", gone.username)
