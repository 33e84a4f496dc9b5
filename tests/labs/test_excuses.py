"""Somebody did not come and had a reason: the booking stays missed, but nothing counts it or is owed for it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from commons.notices.models import Notice
from commons.people.models import User
from labs.engine.prices import Rates
from labs.errors.bookings import NotMissed
from labs.errors.rules import Paused
from labs.models import Booking, BookingRule, Machine, Posting
from labs.queries import bookings as reads
from labs.queries import books
from labs.services import bookings, ledger, tills
from tests.labs.conftest import person, tomorrow
from tests.labs.test_api import bearer, post
from tests.labs.test_faults import member

HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)


def missed(of: Machine, user: User) -> Booking:
    """A booking that nobody came to, by the clock."""
    BookingRule.objects.get_or_create(lab=of.lab, name="check_in_within_min", value="15")
    now = timezone.now()
    made = bookings.create_booking(machine=of, user=user, start=now, end=now + HOUR)
    (released,) = bookings.release_unused(now + 16 * MINUTE)
    assert released.pk == made.pk
    return released


def test_an_excused_booking_stays_missed_and_counts_for_nothing(printer: Machine) -> None:
    user, trainer = person(), member(printer.lab, "trainer")
    BookingRule.objects.create(lab=printer.lab, name="no_shows", value="1")
    booking = missed(printer, user)
    with pytest.raises(Paused):
        bookings.create_booking(machine=printer, user=user, start=tomorrow(), end=tomorrow() + HOUR)
    assert reads.no_shows(user, printer.lab) == 1
    with pytest.raises(NotMissed, match="Say why"):
        bookings.excuse_missed(booking=booking, by=trainer, reason=" ")
    excuse = bookings.excuse_missed(booking=booking, by=trainer, reason="100% ill, and told us.")
    booking.refresh_from_db()
    assert (booking.status, excuse.by, excuse.reason) == ("missed", trainer, "100% ill, and told us.")
    assert reads.no_shows(user, printer.lab) == 0
    assert reads.missed(printer.lab, since=timezone.now() - HOUR) == []
    bookings.create_booking(machine=printer, user=user, start=tomorrow(), end=tomorrow() + HOUR)
    assert "100% ill" in Notice.objects.get(person=user, kind="labs.excused").text
    with pytest.raises(NotMissed, match="already"):
        bookings.excuse_missed(booking=booking, by=trainer, reason="Again.")
    other = bookings.create_booking(machine=printer, user=user, start=tomorrow(15), end=tomorrow(16))
    with pytest.raises(NotMissed):
        bookings.excuse_missed(booking=other, by=trainer, reason="Not missed at all.")


def test_what_it_cost_and_the_fee_are_given_back_once(printer: Machine) -> None:
    user, boss = person(), member(printer.lab, "manager")
    tills.set_till(lab=printer.lab, mode="money", credit=Decimal(100), no_show_fee=Decimal(5), tax_pct=Decimal(20))
    tills.set_tariff(lab=printer.lab, rates=Rates(per_hour=Decimal(6)), by=boss)
    booking = missed(printer, user)
    held = books.wallet_of(printer.lab, user, "EUR")
    assert held is not None
    assert held.balance == Decimal("-13.20")  # an hour and the fee, each with a fifth of tax
    bookings.excuse_missed(booking=booking, by=boss, reason="The tram did not come.")
    held.refresh_from_db()
    assert held.balance == 0
    assert books.mismatches(printer.lab) == []
    ledger.heard(booking, "excused")
    held.refresh_from_db()
    assert held.balance == 0
    assert Posting.objects.filter(booking=booking).count() == 4


def test_who_may_excuse_over_the_api_and_on_the_page(client: Client, printer: Machine) -> None:
    user, stranger = person(), person()
    trainer, plain = member(printer.lab, "trainer"), member(printer.lab)
    booking = missed(printer, user)
    path, page = f"/api/v1/bookings/{booking.pk}/excuse/", f"/b/{booking.pk}/"

    def asked(who: User | None) -> int:
        headers = bearer(who, "bookings:write", "bookings:read") if who else {}
        return int(post(client, path, {"reason": "Ill."}, **headers).status_code)

    assert [asked(who) for who in (None, stranger, plain, user)] == [401, 404, 404, 403]
    for who, status in ((stranger, 404), (plain, 404), (user, 200), (trainer, 200)):
        client.force_login(who)
        html = client.get(page)
        assert html.status_code == status
        assert ("Excuse it" in html.content.decode()) == (who is trainer)
    client.force_login(user)
    assert client.post(page, {"do": "excuse", "reason": "Me."}).status_code == 404
    client.force_login(trainer)
    for do in ("cancel", "end", "move"):
        assert client.post(page, {"do": do}).status_code == 404
    assert client.post(page, {"do": "excuse", "reason": "Ill that day."}).status_code == 302
    client.logout()
    assert asked(trainer) == 409
    seen = client.get(f"/api/v1/bookings/{booking.pk}/", headers=bearer(user, "bookings:read")).json()
    assert (seen["status"], seen["excused"]) == ("missed", "Ill that day.")
    client.force_login(user)
    assert "Ill that day." in client.get(page).content.decode()
