"""Orders of makes: ask, quote, accept, book, make, hand over; and what each side says to the other."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.notices.services import tell
from commons.people.models import User
from labs.errors.orders import NotOrderable, NotYourStep, WrongStep
from labs.models import Booking, Job, Lab, Machine, MakeOrder, OrderBooking, OrderEvent
from labs.policies import TRAINING
from labs.queries import orders
from labs.queries.orders import STEPS
from labs.services import bookings

if TYPE_CHECKING:
    from designs.models import Release

S = MakeOrder.Status
MOST_PIECES, MOST_TEXT, MOST_OPEN = 10_000, 2000, 20
#: An order that no lab answers is over after this long; a quote lasts so long unless the lab says otherwise.
UNANSWERED, QUOTE = dt.timedelta(days=60), dt.timedelta(days=14)

SAID = {
    S.ASKED: lazy("%(name)s asks %(lab)s to make %(what)s."),
    S.QUOTED: lazy("%(lab)s quotes for %(what)s."),
    S.ACCEPTED: lazy("%(name)s accepts the quote for %(what)s."),
    S.QUEUED: lazy("%(what)s is in the queue of %(lab)s."),
    S.MAKING: lazy("%(lab)s is making %(what)s."),
    S.READY: lazy("%(what)s is ready at %(lab)s."),
    S.HANDED_OVER: lazy("%(what)s was handed over by %(lab)s."),
    S.DECLINED: lazy("%(lab)s cannot make %(what)s."),
    S.WITHDRAWN: lazy("%(name)s takes the order of %(what)s back."),
    S.EXPIRED: lazy("The order of %(what)s at %(lab)s has run out."),
}


@transaction.atomic
def ask(
    *,
    person: User,
    lab: Lab,
    release: "Release",
    quantity: int = 1,
    material: str = "",
    deadline: dt.date | None = None,
    parts: Sequence[str] = (),
    note: str = "",
    demo: bool = False,
) -> MakeOrder:
    """Ask a lab to make a released design. Raises NotOrderable."""
    design = release.design
    if not design.is_public and design.owner.organisation_id != lab.organisation_id:
        raise NotOrderable(_("%(lab)s cannot see this design; make it public first.") % {"lab": lab.name})
    if not lab.takes_orders or lab.status != Lab.Status.ACTIVE:
        raise NotOrderable(_("%(lab)s takes no orders at this time; choose another lab.") % {"lab": lab.name})
    if not 1 <= quantity <= MOST_PIECES:
        raise NotOrderable(_("Order from 1 to %(most)d pieces.") % {"most": MOST_PIECES})
    if deadline is not None and deadline < timezone.now().astimezone(lab.zone).date():
        raise NotOrderable(_("The deadline is past; choose a day to come."))
    User.objects.select_for_update().get(pk=person.pk)
    if MakeOrder.objects.filter(person=person, status__in=MakeOrder.OPEN).count() >= MOST_OPEN:
        raise NotOrderable(_("You have %(most)d open orders; wait for one, or take one back.") % {"most": MOST_OPEN})
    order = MakeOrder.objects.create(
        lab=lab,
        person=person,
        design=design,
        release=release,
        design_name=design.name,
        design_address=f"{design.owner.name}/{design.slug}",
        version=release.version,
        commit=release.commit,
        licence=release.licence,
        quantity=quantity,
        material=material.strip()[:60],
        deadline=deadline,
        parts=list(parts),
        note=_clean(note),
        demo=demo,
    )
    _write(order, by=person, status=S.ASKED)
    return order


@transaction.atomic
def quote(
    *, order: MakeOrder, by: User, hours: Decimal, price: Decimal, currency: str, until: dt.date | None, text: str = ""
) -> MakeOrder:
    """Say what it takes and costs, and until when that holds. Raises NotYourStep, WrongStep, NotOrderable."""
    today = timezone.now().astimezone(order.lab.zone).date()
    until = until or today + QUOTE
    if until < today:
        raise NotOrderable(_("The quote would have run out already; choose a day to come."))
    if not (Decimal(0) < hours < Decimal(10_000) and Decimal(0) <= price < Decimal(10_000_000)):
        raise NotOrderable(_("Write the hours as a number above 0, and the price as 0 or more."))
    held = _held(order, by, "quote")
    held.hours, held.price, held.currency, held.quote_until, held.quoted_by = hours, price, currency[:3], until, by
    return _go(held, "quote", by, text)


@transaction.atomic
def step(*, order: MakeOrder, by: User, do: str, text: str = "") -> MakeOrder:
    """Accept, queue, start, say ready, hand over, decline or withdraw. Raises NotYourStep, WrongStep.

    Declining and withdrawing free the machine times that were booked for it.
    """
    if do not in STEPS or do == "quote":
        raise WrongStep(_("There is no step “%(do)s”.") % {"do": do[:20]})
    held = _held(order, by, do)
    if do == "accept" and held.quote_until and held.quote_until < timezone.now().astimezone(held.lab.zone).date():
        raise WrongStep(_("The quote has run out; ask the lab to quote again."))
    if do in {"decline", "withdraw"}:
        _free(held)
    return _go(held, do, by, text)


@transaction.atomic
def book(*, order: MakeOrder, by: User, machine: Machine, start: dt.datetime, end: dt.datetime) -> Booking:
    """Book a machine of the lab for an accepted order; it then is in the queue. The rules of bookings hold for `by`.

    Raises NotYourStep, WrongStep, NotOrderable, and what bookings refuse with.
    """
    held = MakeOrder.objects.select_for_update(of=("self",)).select_related("lab", "person", "design").get(pk=order.pk)
    if not orders.sides(held, by).lab:
        raise NotYourStep(_("The lab books its machines for orders."))
    if held.status not in {S.ACCEPTED, S.QUEUED, S.MAKING}:
        raise WrongStep(_("Machines are booked once the quote is accepted, until the order is ready."))
    if machine.lab_id != held.lab_id:
        raise NotOrderable(_("%(machine)s stands in another lab.") % {"machine": machine.name})
    made = bookings.create_booking(machine=machine, user=by, start=start, end=end, design=held.design)
    OrderBooking.objects.create(order=held, booking=made)
    if held.status == S.ACCEPTED:
        _go(held, "queue", by, "")
    return made


@transaction.atomic
def say(*, order: MakeOrder, by: User, text: str) -> OrderEvent:
    """Tell the other side something. Raises NotYourStep, NotOrderable."""
    held = orders.sides(order, by)
    if not (held.person or held.lab):
        raise NotYourStep(_("Only the person and the lab talk here."))
    words = _clean(text)
    if not words:
        raise NotOrderable(_("Write something first."))
    event = OrderEvent.objects.create(order=order, by=by, text=words)
    sentence = _("%(name)s wrote about %(what)s.") % {"name": by, "what": order}
    _tell(order, sentence, by=by, kind="labs.order_word", both=False)
    return event


@transaction.atomic
def follow_job(*, job: Job) -> None:
    """A machine has begun in a booking of an order: then it is being made."""
    if job.booking_id is None:
        return
    link = OrderBooking.objects.select_related("order").filter(booking=job.booking_id).first()
    if link is None or link.order.status not in {S.ACCEPTED, S.QUEUED}:
        return
    held = MakeOrder.objects.select_for_update(of=("self",)).select_related("lab", "person").get(pk=link.order_id)
    if held.status in {S.ACCEPTED, S.QUEUED}:
        _set(held, S.MAKING, None, "")


def expire(*, now: dt.datetime) -> int:
    """End quotes that nobody accepted and orders that nobody answered; how many. By the clock."""
    ended = 0
    rows = MakeOrder.objects.filter(status__in=(S.ASKED, S.QUOTED)).select_related("lab__place")
    for order in rows.order_by("pk"):
        today = now.astimezone(order.lab.zone).date()
        late = order.quote_until < today if order.quote_until else now - order.created_at > UNANSWERED
        if order.status == S.ASKED:
            late = now - order.created_at > UNANSWERED
        if late:
            ended += _expire(order)
    return ended


@transaction.atomic
def _expire(order: MakeOrder) -> int:
    held = MakeOrder.objects.select_for_update(of=("self",)).select_related("lab", "person").get(pk=order.pk)
    if held.status != order.status:
        return 0
    _set(held, S.EXPIRED, None, "")
    return 1


def _held(order: MakeOrder, by: User, do: str) -> MakeOrder:
    """The order, locked, where that person may take that step."""
    held = MakeOrder.objects.select_for_update(of=("self",)).select_related("lab__place", "person").get(pk=order.pk)
    side, states, _then = STEPS[do]
    if not getattr(orders.sides(held, by), side):
        raise NotYourStep(_("The other side does that."))
    if held.status not in states:
        raise WrongStep(_("The order is “%(status)s”; that step is not next.") % {"status": held.get_status_display()})
    return held


def _go(held: MakeOrder, do: str, by: User, text: str) -> MakeOrder:
    return _set(held, S(STEPS[do][2]), by, text)


def _set(held: MakeOrder, status: "MakeOrder.Status", by: User | None, text: str) -> MakeOrder:
    held.status = status
    held.save()
    _write(held, by=by, status=status, text=text)
    return held


def _write(order: MakeOrder, *, by: User | None, status: "MakeOrder.Status", text: str = "") -> None:
    OrderEvent.objects.create(order=order, by=by, status=status, text=_clean(text))
    words = {"name": str(order.person), "lab": order.lab.name, "what": str(order)}
    _tell(order, str(SAID[status]) % words, by=by, kind="labs.order", both=by is None)


def _tell(order: MakeOrder, sentence: str, *, by: User | None, kind: str, both: bool) -> None:
    """Tell the other side; both when nobody did it."""
    url = reverse("rooms:order", args=[order.pk])
    makers = User.objects.filter(
        memberships__organisation=order.lab.organisation_id, memberships__role__in=TRAINING
    ).distinct()
    people = {order.person} if both or by is None or by.pk != order.person_id else set()
    if both or by is None or by.pk == order.person_id:
        people |= set(makers)
    tell(people=people, kind=kind, text=sentence, url=url, actor=by, about=f"order:{order.pk}:{order.status}")


def _free(order: MakeOrder) -> None:
    """Cancel what is booked for it and has not begun."""
    now = timezone.now()
    coming = Booking.objects.filter(order_booking__order=order, start__gt=now, status__in=Booking.OPEN)
    for booking in coming:
        bookings.cancel_booking(booking=booking)


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\x00", "").strip()[:MOST_TEXT]
