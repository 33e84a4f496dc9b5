"""The books: every posting comes to nothing, wallets are the sum of their entries, nobody pays what is not there."""

import csv
import datetime as dt
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commons.errors import CityError
from commons.people.models import User
from commons.people.services import create_token, set_role
from labs.engine.hours import Span
from labs.engine.prices import Rates
from labs.errors.money import BadAmount, NoFunds, NoMoneyHere, NothingToInvoice
from labs.models import Account, Booking, Entry, Invoice, Job, Lab, Machine, Posting, Tariff
from labs.queries import books, rules
from labs.services import bookings, hooks, invoices, ledger, tills
from labs.services import rules as rule_services
from labs.services.rules import Scope
from tests.labs.conftest import enrolled, lab, machine, person, tomorrow

D = Decimal
HOUR = dt.timedelta(hours=1)


def book(asked: Machine, user: User, start: dt.datetime, hours: float = 1) -> Booking:
    return bookings.create_booking(machine=asked, user=user, start=start, end=start + hours * HOUR)


def balance(of: Lab, user: User, unit: str = "EUR") -> Decimal:
    held = books.wallet_of(of, user, unit)
    return held.balance if held else D(0)


def priced(of: Lab, *, mode: str = "money", tax: str = "24", **rates: str) -> None:
    tills.set_till(lab=of, mode=mode, currency="EUR", tax_pct=D(tax))
    tills.set_tariff(lab=of, rates=Rates(**{k: D(v) for k, v in (rates or {"per_hour": "10"}).items()}), by=None)


def sums(of: Lab, unit: str = "EUR") -> dict[str, Decimal]:
    """What stands on each kind of account, added up from the entries themselves."""
    found: dict[str, Decimal] = {}
    for entry in Entry.objects.filter(posting__lab=of, account__unit=unit).select_related("account"):
        found[entry.account.kind] = found.get(entry.account.kind, D(0)) + entry.amount
    return found


@pytest.fixture
def paid(printer: Machine) -> tuple[Machine, User]:
    """A machine at 10 € an hour and 24 % tax, and a person who paid in 50 €."""
    user = person()
    priced(printer.lab)
    ledger.pay_in(lab=printer.lab, user=user, sum_=D(50), by=person())
    return printer, user


def test_free_until_a_lab_says_otherwise(printer: Machine) -> None:
    book(printer, person(), tomorrow())
    assert ledger.price_of(printer, person(), Span(tomorrow(), tomorrow() + HOUR)).is_free
    assert not Posting.objects.exists()


def test_a_booking_is_paid_moved_and_given_back(paid: tuple[Machine, User]) -> None:
    asked, user = paid
    booking = book(asked, user, tomorrow(), 2)
    assert (balance(asked.lab, user), books.charged(booking)) == (D("25.20"), D("24.80"))
    assert sums(asked.lab) == {"wallet": D("25.20"), "cash": D(-50), "income": D(20), "tax": D("4.80")}
    hooks.changed(booking, "created")
    assert books.charged(booking) == D("24.80")
    bookings.move_booking(booking=booking, start=tomorrow(), end=tomorrow() + HOUR)
    booking.refresh_from_db()
    ledger.heard(booking, "moved")
    assert balance(asked.lab, user) == D("37.60")
    cancel(booking)
    assert balance(asked.lab, user) == D(50)
    assert sums(asked.lab) == {"wallet": D(50), "cash": D(-50), "income": D(0), "tax": D(0)}
    assert books.mismatches() == []


def cancel(booking: Booking) -> None:
    """Cancel it, and let the books hear of it, once if the service tells them itself."""
    bookings.cancel_booking(booking=booking)
    booking.refresh_from_db()
    ledger.heard(booking, "cancelled")


def test_cancelled_late_gives_back_the_rules_share_and_closures_all(paid: tuple[Machine, User]) -> None:
    asked, user = paid
    rule_services.set_rule(lab=asked.lab, name="cancel_until_min", text="10000", by=None)
    rule_services.set_rule(lab=asked.lab, name="late_refund_pct", text="25", by=None)
    booking = book(asked, user, tomorrow())
    assert balance(asked.lab, user) == D("37.60")
    cancel(booking)
    assert balance(asked.lab, user) == D("40.70")
    booking = book(asked, user, tomorrow())
    Booking.objects.filter(pk=booking.pk).update(status="cancelled")
    Booking.objects.create(
        machine=asked,
        user=person(),
        kind="closure",
        start=booking.start,
        end=booking.end,
        blocked=booking.blocked,
    )
    booking.refresh_from_db()
    ledger.heard(booking, "cancelled")
    assert balance(asked.lab, user) == D("40.70")


def test_a_closure_gives_back_the_time_that_it_takes(paid: tuple[Machine, User]) -> None:
    asked, user = paid
    rule_services.set_rule(lab=asked.lab, name="cancel_until_min", text="10000", by=None)
    booking = book(asked, user, tomorrow(), 2)
    begun = booking.start + HOUR
    bookings.check_in(booking=booking, now=booking.start)
    closed = {"machine": asked, "kind": "closure", "by": person(), "cancel_conflicting": True}
    bookings.close_machine(start=begun, end=begun + HOUR, now=begun - HOUR / 2, **closed)
    booking.refresh_from_db()
    assert (booking.end, books.charged(booking)) == (begun, D("12.40"))
    bookings.close_machine(start=begun - HOUR / 2, end=begun, now=begun - HOUR / 2, **closed)
    booking.refresh_from_db()
    assert (booking.status, books.charged(booking)) == ("done", D("6.20"))
    assert books.mismatches() == []


def test_shortened_late_gives_nothing_back_longer_costs_more(paid: tuple[Machine, User]) -> None:
    asked, user = paid
    rule_services.set_rule(lab=asked.lab, name="cancel_until_min", text="10000", by=None)
    booking = book(asked, user, tomorrow(), 2)
    booking.end = booking.start + HOUR
    ledger.heard(booking, "moved")
    assert books.charged(booking) == D("24.80")
    booking.end = booking.start + 3 * HOUR
    ledger.heard(booking, "moved")
    assert books.charged(booking) == D("37.20")


def test_what_is_not_there_is_not_paid(paid: tuple[Machine, User]) -> None:
    asked, user = paid
    with pytest.raises(NoFunds, match=r"holds 50\.00") as refused:
        book(asked, user, tomorrow(), 5)
    assert (refused.value.status, refused.value.data["price"]) == (402, "62.00")
    assert [r.rule for r in why(asked, user, 5)] == ["funds"]
    span = Span(tomorrow(), tomorrow() + 5 * HOUR)
    assert rules.allowed_time(machine=asked, user=user, span=span, now=timezone.now()) is None
    assert (Booking.objects.count(), balance(asked.lab, user)) == (0, D(50))
    tills.set_till(lab=asked.lab, mode="money", tax_pct=D(24), credit=D(20))
    book(asked, user, tomorrow(), 5)
    assert balance(asked.lab, user) == D(-12)


def why(asked: Machine, user: User, hours: int) -> list[rules.Refusal]:
    span = Span(tomorrow(), tomorrow() + hours * HOUR)
    return rules.why_not(machine=asked, user=user, span=span, now=timezone.now())


def test_a_request_is_paid_when_it_is_approved(paid: tuple[Machine, User]) -> None:
    asked, user = paid
    booking = Booking(machine=asked, user=user, start=tomorrow(), end=tomorrow() + HOUR, status="requested")
    booking.blocked = (booking.start, booking.end)
    booking.save()
    ledger.heard(booking, "created")
    assert balance(asked.lab, user) == D(50)
    booking.status = "booked"
    ledger.heard(booking, "approved")
    assert balance(asked.lab, user) == D("37.60")
    booking.status = "declined"
    ledger.heard(booking, "declined")
    assert balance(asked.lab, user) == D(50)


def test_who_does_not_come_owes_the_fee_once_even_with_an_empty_wallet(printer: Machine) -> None:
    priced(printer.lab, per_kwh="1")
    tills.set_till(lab=printer.lab, mode="money", tax_pct=D(24), no_show_fee=D(5))
    user = person()
    booking = book(printer, user, tomorrow())
    ledger.heard(booking, "missed")
    ledger.heard(booking, "missed")
    assert balance(printer.lab, user) == D("-6.20")
    assert books.mismatches() == []


def test_measured_energy_is_asked_for_once_and_corrected_when_readings_come_late(printer: Machine) -> None:
    priced(printer.lab, tax="0", per_kwh="0.30")
    user = person()
    booking = book(printer, user, tomorrow())
    device, _token = enrolled(printer)
    begun = timezone.now()
    job = Job.objects.create(
        machine=printer,
        device=device,
        device_job="1",
        booking=booking,
        started_at=begun,
        finished_at=begun,
        outcome="finished",
        energy_kwh=2.0,
    )
    assert ledger.charge_all_energy(timezone.now()) == 1
    assert ledger.charge_all_energy(timezone.now()) == 0
    assert balance(printer.lab, user) == D("-0.60")
    Job.objects.filter(pk=job.pk).update(energy_kwh=1.5)
    assert ledger.charge_all_energy(timezone.now()) == 1
    assert balance(printer.lab, user) == D("-0.45")
    tills.set_tariff(lab=printer.lab, rates=Rates(per_kwh=D(9)), by=None)
    assert ledger.charge_all_energy(timezone.now()) == 0, "the tariff of the job's time holds"
    assert books.mismatches() == []


def test_tariffs_are_by_machine_class_and_role_and_keep_their_history(printer: Machine) -> None:
    here, guest, member = printer.lab, person(), person()
    set_role(organisation=here.organisation, user=member, role="member")
    priced(here)
    laser = machine(here, cls="laser-cutter")
    span = Span(tomorrow(), tomorrow() + HOUR)
    tills.set_tariff(lab=here, rates=Rates(per_hour=D(4)), by=None, scope=Scope(role="member"))
    tills.set_tariff(lab=here, rates=Rates(per_hour=D(20), minimum=D(30)), by=None, scope=Scope(cls="laser-cutter"))
    nets = [ledger.price_of(m, u, span).net for m in (printer, laser) for u in (guest, member)]
    assert nets == [D(10), D(4), D(30), D(30)]
    old = Tariff.objects.get(cls="laser-cutter")
    tills.set_tariff(lab=here, rates=Rates(per_hour=D(25)), by=None, scope=Scope(cls="laser-cutter"))
    old.refresh_from_db()
    assert (old.active, old.per_hour, ledger.price_of(laser, guest, span).net) == (False, D(20), D(25))


def test_points_come_each_week_and_fade(printer: Machine) -> None:
    here, user = printer.lab, person()
    set_role(organisation=here.organisation, user=user, role="member")
    priced(here, mode="points", per_hour="3")
    rule_services.set_rule(lab=here, name="points_week", text="10", by=None, scope=Scope(role="member"))
    assert [r.rule for r in why(printer, user, 4)] == ["funds"]
    assert why(printer, user, 3) == []
    book(printer, user, tomorrow(), 2)
    assert balance(here, user, "points") == D(4), "the points of this week came with the wallet"
    now = timezone.now()
    assert ledger.grant_all(now) == 0
    week = dt.timedelta(days=7)
    assert ledger.grant_all(now + week) == 1
    assert balance(here, user, "points") == D(12), "half of the 4 stayed"
    for nth in range(2, 12):
        ledger.grant_all(now + nth * week)
    assert D(19) < balance(here, user, "points") <= D(20), "who saves for ever has twice a week's points at most"
    assert [r.rule for r in why(printer, person(), 1)] == ["funds"], "guests get none here"
    assert books.mismatches() == []
    with pytest.raises(NoMoneyHere):
        ledger.pay_in(lab=here, user=user, sum_=D(5), by=user)


@pytest.mark.parametrize("sum_", ["0", "0.001", "NaN", "Infinity", "1000001"])
def test_amounts_that_are_none_are_refused(paid: tuple[Machine, User], sum_: str) -> None:
    with pytest.raises(BadAmount):
        ledger.pay_in(lab=paid[0].lab, user=paid[1], sum_=D(sum_), by=paid[1])


def test_no_more_is_paid_out_than_is_there_and_corrections_say_why(paid: tuple[Machine, User]) -> None:
    asked, user = paid
    ledger.pay_in(lab=asked.lab, user=user, sum_=D(-50), by=user)
    with pytest.raises(BadAmount):
        ledger.pay_in(lab=asked.lab, user=user, sum_=D("-0.01"), by=user)
    with pytest.raises(BadAmount, match="Say why"):
        ledger.correct(lab=asked.lab, user=user, sum_=D(1), by=user, memo=" ")


@pytest.mark.parametrize("model", [Posting, Entry])
@pytest.mark.parametrize("act", ["update", "delete"])
def test_the_database_itself_keeps_the_books(paid: tuple[Machine, User], model: Any, act: str) -> None:
    row = model.objects.first()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        if act == "delete":
            model.objects.filter(pk=row.pk)._raw_delete("default")
        else:
            model.objects.filter(pk=row.pk).update(**{"memo": "x"} if model is Posting else {"amount": 1})


def test_balances_cannot_be_written_and_lame_postings_not_made(paid: tuple[Machine, User]) -> None:
    asked, user = paid
    held = books.wallet_of(asked.lab, user, "EUR")
    assert held is not None
    with pytest.raises(DatabaseError, match="sum of its entries"), transaction.atomic():
        Account.objects.filter(pk=held.pk).update(balance=1000)
    lame = Posting.objects.create(lab=asked.lab, what="top-up", at=timezone.now(), unit="EUR")
    with pytest.raises(DatabaseError, match="does not add up"), transaction.atomic():
        Entry.objects.create(posting=lame, account=held, amount=5)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    charge = Posting.objects.create(lab=asked.lab, what="charge", at=timezone.now(), unit="EUR")
    with pytest.raises(DatabaseError, match="does not hold enough"), transaction.atomic():
        Entry.objects.create(posting=charge, account=held, amount=-51)
    points = Posting.objects.create(lab=asked.lab, what="grant", at=timezone.now(), unit="points")
    with pytest.raises(DatabaseError, match="one lab and one unit"), transaction.atomic():
        Entry.objects.create(posting=points, account=held, amount=5)


@pytest.mark.django_db(transaction=True)
def test_charges_at_once_never_overdraw() -> None:
    """Ten bookings of 10 € on ten machines at once from a wallet with 45 €: four are taken, six are refused."""
    here = lab()
    priced(here, tax="0")
    user, boss = person(), person()
    ledger.pay_in(lab=here, user=user, sum_=D(45), by=boss)
    machines = [machine(here) for _ in range(10)]
    barrier = threading.Barrier(len(machines))

    def one(asked: Machine) -> str:
        try:
            barrier.wait(20)
            book(asked, user, tomorrow())
        except CityError as refusal:
            return refusal.code
        finally:
            connection.close()
        return "booked"

    with ThreadPoolExecutor(len(machines)) as pool:
        heard = list(pool.map(one, machines))
    assert sorted(heard) == ["booked"] * 4 + ["booking:no-funds"] * 6
    assert (balance(here, user), Booking.objects.count()) == (D(5), 4)
    assert books.mismatches() == []


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["book", "cancel", "late", "shorter", "pay", "out", "missed", "tariff"]), st.integers(0, 7)
    ),
    min_size=4,
    max_size=14,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_happens_the_books_add_up(printer: Machine, steps: list[tuple[str, int]]) -> None:
    """Any order of bookings, refunds, fees and payments: wallets are what a plain sum of the postings says."""
    point = transaction.savepoint()
    here, user = printer.lab, person()
    priced(here, per_hour="7.77", per_booking="0.33")
    tills.set_till(lab=here, mode="money", tax_pct=D("25.5"), no_show_fee=D("3.33"))
    ledger.pay_in(lab=here, user=user, sum_=D(60), by=user)
    made: list[Booking] = []
    for nth, (what, size) in enumerate(steps):
        try:
            _step(here, printer, user, made, what, size, nth)
        except CityError:
            continue
    held = books.wallet_of(here, user, "EUR")
    assert held is not None
    assert books.mismatches(here) == []
    assert sum(sums(here).values(), D(0)) == 0
    fees = sum((-e.amount for e in Entry.objects.filter(account=held, posting__what="fee")), D(0))
    assert held.balance >= -fees, "only fees may bring a wallet below nothing"
    assert all(books.charged(b) >= 0 for b in made)
    transaction.savepoint_rollback(point)


def _step(here: Lab, asked: Machine, user: User, made: list[Booking], what: str, size: int, nth: int) -> None:
    one = made[size % len(made)] if made else None
    if what == "book":
        made.append(book(asked, user, tomorrow(0) + nth * 8 * HOUR, size + 0.5))
    elif what == "pay":
        ledger.pay_in(lab=here, user=user, sum_=D(size) + D("0.01"), by=user)
    elif what == "out":
        ledger.pay_in(lab=here, user=user, sum_=-(D(size) + D("0.01")), by=user)
    elif what == "tariff":
        tills.set_tariff(lab=here, rates=Rates(per_hour=D(size)), by=None)
    elif one is None:
        return
    elif what == "cancel":
        ledger.heard(one, "cancelled")
    elif what == "late":
        ledger.refund(one, D("0.5"), user)
    elif what == "shorter":
        one.end = one.start + HOUR * (size + 1) / 2
        ledger.heard(one, "moved")
    else:
        ledger.heard(one, "missed")


def test_invoices_are_numbered_without_gaps_and_add_up(paid: tuple[Machine, User]) -> None:
    asked, user = paid
    tills.set_till(lab=asked.lab, mode="money", tax_pct=D(24), invoice_prefix="2026-", seller="Kamppi ry")
    with pytest.raises(NothingToInvoice):
        invoices.issue_invoice(lab=asked.lab, user=user, by=None)
    first, second = book(asked, user, tomorrow()), book(asked, user, tomorrow(12), 1.5)
    cancel(first)
    bill = invoices.issue_invoice(lab=asked.lab, user=user, by=None)
    assert (bill.name, bill.net, bill.tax, bill.gross) == ("2026-1", D(15), D("3.60"), D("18.60"))
    assert bill.gross == books.charged(second)
    assert sorted(line.gross for line in bill.lines.all()) == [D("-12.40"), D("12.40"), D("18.60")]
    with pytest.raises(NothingToInvoice):
        invoices.issue_invoice(lab=asked.lab, user=user, by=None)
    other = person()
    ledger.pay_in(lab=asked.lab, user=other, sum_=D(50), by=user)
    book(asked, other, tomorrow(16))
    assert invoices.issue_invoice(lab=asked.lab, user=other, by=None).number == 2
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Invoice.objects.filter(pk=bill.pk).update(gross=0, net=0, tax=0)


def test_the_csv_is_the_books(paid: tuple[Machine, User]) -> None:
    asked, user = paid
    book(asked, user, tomorrow(), 2)
    ledger.correct(lab=asked.lab, user=user, sum_=D("-1.50"), by=user, memo="=cmd()")
    rows = list(books.rows(asked.lab))
    assert {len(row) for row in rows} == {len(books.COLUMNS)}
    table = [dict(zip(books.COLUMNS, row, strict=True)) for row in rows]
    by_posting: dict[str, Decimal] = {}
    for line in table:
        by_posting[line["posting"]] = by_posting.get(line["posting"], D(0)) + D(line["amount"])
    assert set(by_posting.values()) == {D(0)}
    mine = sum((D(line["amount"]) for line in table if line["person"] == user.username), D(0))
    assert mine == balance(asked.lab, user) == D("23.70")


def test_demo_books_go_with_their_lab_and_real_ones_stay(paid: tuple[Machine, User]) -> None:
    asked, user = paid
    book(asked, user, tomorrow())
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        asked.lab.delete()
    Lab.objects.filter(pk=asked.lab.pk).update(demo=True)
    asked.lab.delete()
    assert not Posting.objects.exists()


MONEY_ROUTES = [
    ("get", "/me/wallet/", {"nobody": 302, "guest": 200}),
    ("get", "/me/wallet/entries.csv", {"nobody": 302, "guest": 200}),
    ("get", "/labs/{lab}/money/", {"nobody": 302, "guest": 404, "owner": 404, "trainer": 404, "manager": 200}),
    ("post", "/labs/{lab}/money/", {"nobody": 302, "guest": 404, "trainer": 404, "manager": 200}),
    ("get", "/labs/{lab}/money/entries.csv", {"nobody": 302, "guest": 404, "trainer": 404, "manager": 200}),
    ("get", "/labs/{lab}/money/wallets/{wallet}/", {"nobody": 302, "guest": 404, "owner": 404, "manager": 200}),
    ("get", "/labs/{other}/money/wallets/{wallet}/", {"manager": 404}),
    ("get", "/labs/{lab}/invoices/1/", {"nobody": 302, "guest": 404, "owner": 200, "trainer": 404, "manager": 200}),
    ("get", "/labs/{lab}/invoices/2/", {"manager": 404}),
    ("get", "/api/v1/wallets/", {"nobody": 401, "guest": 200}),
    (
        "get",
        "/api/v1/wallets/{wallet}/entries/",
        {"nobody": 401, "guest": 404, "owner": 200, "trainer": 404, "manager": 200},
    ),
    ("get", "/api/v1/labs/{lab}/money/", {"nobody": 200, "guest": 200}),
    ("patch", "/api/v1/labs/{lab}/money/", {"nobody": 401, "guest": 404, "trainer": 404, "manager": 200}),
    ("post", "/api/v1/labs/{lab}/money/", {"nobody": 401, "guest": 404, "manager": 201}),
    ("delete", "/api/v1/labs/{lab}/money/tariffs/999999/", {"nobody": 401, "guest": 404, "manager": 422}),
    ("get", "/api/v1/labs/{lab}/wallets/", {"nobody": 401, "guest": 404, "owner": 404, "manager": 200}),
    ("post", "/api/v1/labs/{lab}/wallets/", {"nobody": 401, "guest": 404, "owner": 404, "manager": 400}),
    ("get", "/api/v1/labs/{lab}/invoices/", {"nobody": 401, "guest": 404, "owner": 404, "manager": 200}),
    ("post", "/api/v1/labs/{lab}/invoices/", {"nobody": 401, "guest": 404, "manager": 400}),
    ("get", "/api/v1/labs/{lab}/entries.csv", {"nobody": 401, "guest": 404, "trainer": 404, "manager": 200}),
    ("get", "/api/v1/machines/{machine}/price/", {"nobody": 400, "guest": 400}),
]


@pytest.fixture
def desk(paid: tuple[Machine, User]) -> tuple[dict[str, Any], dict[str, User | None]]:
    """A lab with a wallet and an invoice; and people: nobody, a guest, whose wallet it is, a trainer, a manager."""
    asked, user = paid
    book(asked, user, tomorrow())
    invoices.issue_invoice(lab=asked.lab, user=user, by=None)
    people: dict[str, User | None] = {"nobody": None, "guest": person(), "owner": user}
    for role in ("trainer", "manager"):
        people[role] = person()
        set_role(organisation=asked.lab.organisation, user=people[role], role=role)
    held = books.wallet_of(asked.lab, user, "EUR")
    assert held is not None
    other = lab()
    set_role(organisation=other.organisation, user=people["manager"], role="manager")
    return {"lab": asked.lab.slug, "machine": asked.pk, "wallet": held.pk, "other": other.slug}, people


def test_who_may(client: Client, desk: tuple[dict[str, Any], dict[str, User | None]]) -> None:
    names, people = desk
    for method, path, expected in MONEY_ROUTES:
        for role, status in expected.items():
            client.logout()
            if (user := people[role]) is not None:
                client.force_login(user)
            more = {"content_type": "application/json"} if method != "get" and path.startswith("/api/") else {}
            answer = getattr(client, method)(path.format(**names), **more)
            assert answer.status_code == status, (method, path, role, answer.status_code, answer.content[:300])


def test_the_desk_sets_prices_takes_money_and_bills(client: Client, printer: Machine) -> None:
    here, user, boss = printer.lab, person(), person()
    set_role(organisation=here.organisation, user=boss, role="manager")
    client.force_login(boss)
    path = f"/labs/{here.slug}/money/"
    till = {"do": "till", "mode": "money", "currency": "EUR", "tax_pct": "24", "credit": "0", "no_show_fee": "0"}
    assert client.post(path, till).status_code == 302
    tariff = {"do": "tariff", "per_hour": "10", "per_booking": "0", "per_kwh": "0", "minimum": "0"}
    assert client.post(path, {**tariff, "scope": "cls:3d-printer", "role": "everybody"}).status_code == 302
    post = {"do": "post", "person": user.username, "what": "top-up", "sum_": "30", "memo": "receipt 7"}
    assert client.post(path, post).status_code == 302
    assert client.post(path, {**post, "what": "pay-out", "sum_": "31"}).status_code == 422
    book(printer, user, tomorrow())
    answer = client.post(path, {"do": "bill", "person": user.username, "buyer": "Street 1"})
    assert (answer.status_code, answer["Location"]) == (302, f"/labs/{here.slug}/invoices/1/")
    html = client.get(answer["Location"]).content.decode()
    assert "Street 1" in html
    assert "12.40" in html
    html = client.get(path).content.decode()
    assert "17.60" in html
    text = b"".join(client.get(path + "entries.csv").streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sum(D(row["amount"]) for row in rows if row["person"] == user.username) == D("17.60")
    assert client.post(path, {"do": "end", "tariff": str(Tariff.objects.get().pk)}).status_code == 302
    assert ledger.price_of(printer, user, Span(tomorrow(), tomorrow() + HOUR)).is_free
    client.force_login(user)
    assert "17.60" in client.get("/me/wallet/").content.decode()


def test_a_spreadsheet_runs_nothing(paid: tuple[Machine, User], client: Client) -> None:
    asked, user = paid
    ledger.correct(lab=asked.lab, user=user, sum_=D("-1.50"), by=user, memo="=cmd()")
    client.force_login(user)
    text = b"".join(client.get("/me/wallet/entries.csv").streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["memo"] for row in rows] == ["", "'=cmd()"]
    assert [row["amount"] for row in rows] == ["50.00", "-1.50"]


def test_prices_and_wallets_over_the_api(client: Client, paid: tuple[Machine, User]) -> None:
    asked, user = paid
    span = {"start": tomorrow().isoformat(), "end": (tomorrow() + 1.5 * HOUR).isoformat()}
    told = client.get(f"/api/v1/machines/{asked.pk}/price/", span).json()
    assert (told["net"], told["tax"], told["gross"], told["unit"]) == ("15.00", "3.60", "18.60", "EUR")
    _token, secret = create_token(user=user, name="t", scopes=("bookings:write",))
    head = {"Authorization": f"Bearer {secret}"}
    body = {"machine": asked.pk, "start": span["start"], "end": (tomorrow() + 5 * HOUR).isoformat()}
    refused = client.post("/api/v1/bookings/", body, content_type="application/json", headers=head)
    assert (refused.status_code, refused.json()["code"]) == (402, "booking:no-funds")
    body["end"] = span["end"]
    assert client.post("/api/v1/bookings/", body, content_type="application/json", headers=head).status_code == 201
    held = client.get("/api/v1/wallets/", headers=head).json()["results"][0]
    assert held["balance"] == "31.40"
    entries = client.get(f"/api/v1/wallets/{held['id']}/entries/", headers=head).json()["results"]
    assert sorted(entry["amount"] for entry in entries) == ["-18.60", "50.00"]
