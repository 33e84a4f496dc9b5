"""What a person who leaves the city lets go of in labs."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from labs.errors.bookings import InNameOfLeaver
from labs.models import (
    Account,
    Booking,
    FeedKey,
    Invoice,
    KioskPass,
    MakeOrder,
    Mending,
    OutsideBadge,
    WaitlistEntry,
)
from labs.queries.orders import STEPS
from labs.services import bookings, orders
from labs.services.bookings.telling import managers

S = MakeOrder.Status


@transaction.atomic
def leave(user: User) -> None:
    """Cancel what is to come, end what is in use, and delete keys and papers; closures pass to who runs the lab.

    Raises InNameOfLeaver when nobody else runs a lab whose machines are closed in this person's name.
    """
    now = timezone.now()
    WaitlistEntry.objects.filter(user=user, status=WaitlistEntry.Status.WAITING).delete()
    coming = Booking.objects.filter(user=user, status__in=Booking.OPEN, end__gt=now)
    for booking in coming.filter(kind=Booking.Kind.USE).select_related("machine__lab").order_by("start", "pk"):
        if booking.status == Booking.Status.RUNNING:
            bookings.end_early(booking=booking, now=now)
        else:
            bookings.cancel_booking(booking=booking, reason=_("The person has left."), now=now)
    for closure in Booking.objects.filter(user=user).exclude(kind=Booking.Kind.USE).select_related("machine__lab"):
        other = next((one for one in managers(closure.machine.lab) if one.pk != user.pk), None)
        if other is None:
            words = {"person": user.username, "lab": closure.machine.lab.name}
            raise InNameOfLeaver(
                _("Machines of %(lab)s are closed in the name of %(person)s, and nobody else runs it; name a manager.")
                % words
            )
        Booking.objects.filter(pk=closure.pk).update(user=other)
    for order in MakeOrder.objects.filter(person=user, status__in=STEPS["withdraw"][1]):
        orders.step(order=order, by=user, do="withdraw")
    for model in (KioskPass, FeedKey, OutsideBadge):
        model.objects.filter(user=user).delete()
    Mending.objects.filter(person=user).delete()


def keeps(user: User) -> bool:
    """Whether the books of a lab must keep that there was somebody: a wallet, an invoice, an order that was made."""
    made = MakeOrder.objects.filter(person=user, status__in=[S.MAKING, S.READY, S.HANDED_OVER])
    return Account.objects.filter(user=user).exists() or Invoice.objects.filter(user=user).exists() or made.exists()
