"""What the demo's people want of its labs: makes ordered, a time waited for or asked for, a place in the lab, bills."""

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import TYPE_CHECKING

from django.apps import apps
from django.utils import timezone

from commons.errors import CityError
from commons.people.models import User
from labs.demo.terms import PAID_IN
from labs.models import Booking, BookingRule, Invoice, Joining, Lab, MakeOrder, WaitlistEntry
from labs.queries import bookings as times
from labs.services import bookings, invoices, ledger, members, orders, rules, waitlist
from labs.services.rules import Scope

if TYPE_CHECKING:
    from designs.models import Release

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
HOME, OTHER = "kamppi-open-lab", "library-workshop"
#: Who orders what where: design, version, lab, pieces, material, days until it is needed, a word; how far it has come.
ORDERS = (
    ("leila", "balcony-rail-clamp", "2.1", HOME, 4, "PETG", 9, "For a railing of 42 mm. Any colour will do.", "asked"),
    ("sanna", "vent-gear", "1.1", HOME, 2, "PLA", 6, "The old one has lost a tooth.", "quoted"),
    ("mikko", "balcony-rail-clamp", "2.1", HOME, 1, "PETG", 4, "", "queued"),
    ("leila", "vent-gear", "1.0", OTHER, 1, "PLA", 3, "", "handed-over"),
)
NEEDLE = "Neula"


def seed(lab: Lab, people: Mapping[str, User]) -> None:
    """What is missing of all that."""
    _orders(lab, people)
    if lab.slug == HOME:
        _wait(lab, people["sanna"])
        if not Joining.objects.filter(lab=lab, user=people["sanna"]).exists():
            with suppress(CityError):  # she belongs to it by now
                members.ask_to_join(lab=lab, user=people["sanna"], note="I sew covers for what you print.")
        _bill(lab, people)
    if lab.slug == OTHER:
        _request(lab, people)


def _orders(lab: Lab, people: Mapping[str, User]) -> None:
    if not apps.is_installed("designs"):
        return
    from designs.models import Release  # noqa: PLC0415 the room may be left out

    today = timezone.now().astimezone(lab.zone).date()
    for who, slug, version, where, pieces, material, days, note, state in ORDERS:
        if where != lab.slug or MakeOrder.objects.filter(lab=lab, person=people[who], demo=True).exists():
            continue
        release = Release.objects.filter(design__demo=True, design__slug=slug, version=version).first()
        if release is None:
            continue
        _order(
            lab, people, release, person=people[who], quantity=pieces, material=material, note=note,
            deadline=today + days * DAY, state=state,
        )  # fmt: skip


def _order(
    lab: Lab, people: Mapping[str, User], release: "Release", *, person: User, quantity: int, material: str, note: str,
    deadline: dt.date, state: str,
) -> None:  # fmt: skip
    """An order, taken as far as `state` by those whose step it is."""
    maker = people["sanna" if lab.slug == OTHER else "otto"]
    order = orders.ask(
        person=person, lab=lab, release=release, quantity=quantity, material=material, deadline=deadline, note=note,
        demo=True,
    )  # fmt: skip
    if state == "asked":
        return
    hours, price = Decimal("1.5") * quantity, Decimal("4.50") * quantity
    words = "We print it solid at the thread; it holds better."
    order = orders.quote(order=order, by=maker, hours=hours, price=price, currency="EUR", until=None, text=words)
    if state == "quoted":
        return
    order = orders.step(order=order, by=person, do="accept", text="Please go ahead.")
    if state == "queued":
        _book(lab, maker, order, float(hours))
        orders.say(order=order, by=maker, text="It is in the queue; you may watch it on the machine's page.")
        return
    for do, text in (("start", ""), ("ready", "It waits for you at the desk of the second floor."), ("hand-over", "")):
        order = orders.step(order=order, by=maker, do=do, text=text)


def _book(lab: Lab, maker: User, order: MakeOrder, hours: float) -> None:
    machine = lab.machines.filter(name="Inari").first()
    offers = times.best(machine, length=hours * HOUR, now=timezone.now(), count=1) if machine else []
    if machine is None or not offers:
        return
    with suppress(CityError):  # somebody was faster
        orders.book(order=order, by=maker, machine=machine, start=offers[0].start, end=offers[0].end)


def _wait(lab: Lab, user: User) -> None:
    """Somebody waits for a time that another has."""
    if WaitlistEntry.objects.filter(lab=lab, user=user).exists():
        return
    now = timezone.now()
    taken = Booking.objects.filter(machine__lab=lab, machine__name="Inari", demo=True, status=Booking.Status.BOOKED)
    for held in taken.filter(start__gt=now + 8 * HOUR).exclude(user=user).select_related("machine__lab")[:10]:
        with suppress(CityError):  # the next one will do
            waitlist.join(
                user=user, lab=lab, machine=held.machine, earliest=held.start, latest=held.end, length=held.length
            )
            return


def _request(lab: Lab, people: Mapping[str, User]) -> None:
    """The overlock asks its lab first; somebody has."""
    machine = lab.machines.filter(name=NEEDLE).first()
    if machine is None or BookingRule.objects.filter(lab=lab, name="needs_approval").exists():
        return
    rules.set_rule(lab=lab, name="needs_approval", text="yes", by=people["sanna"], scope=Scope(machine=machine))
    day = (timezone.now() + 2 * DAY).astimezone(lab.zone).date()
    start = dt.datetime.combine(day, dt.time(14), lab.zone)
    with suppress(CityError):
        bookings.create_booking(
            machine=machine, user=people["leila"], start=start, end=start + 2 * HOUR, note="Hems of two curtains.",
            demo=True,
        )  # fmt: skip


def _bill(lab: Lab, people: Mapping[str, User]) -> None:
    """One bill, one mistake put right, and money given back."""
    if Invoice.objects.filter(lab=lab).exists():
        return
    aino = people["aino"]
    with suppress(CityError):
        ledger.correct(lab=lab, user=people["mikko"], sum_=Decimal("6.00"), by=aino, memo="The laser stood still, 1 h")
        ledger.pay_in(lab=lab, user=people["sanna"], sum_=Decimal("-20.00"), by=aino, memo="paid out")
    for name in PAID_IN:
        with suppress(CityError):  # who has used nothing that costs has nothing to pay
            invoices.issue_invoice(lab=lab, user=people[name], by=aino)
            return
