"""Who is told of what happened to a booking, in the site's language."""

from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from commons.notices.services import tell
from commons.people.models import Membership, User
from labs.models import Booking, Lab
from labs.policies import MANAGING
from labs.services.checks import local


def url_of(booking: Booking) -> str:
    """The page of the booking."""
    with translation.override(settings.LANGUAGE_CODE):
        return reverse("rooms:booking", args=[booking.pk])


def words_of(bookings: Sequence[Booking]) -> dict[str, str]:
    """Machines and time of bookings made in one step, for a sentence."""
    first = bookings[0]
    names = list(dict.fromkeys(b.machine.name for b in bookings))
    return {
        "machine": ", ".join(names),
        "lab": first.machine.lab.name,
        "time": local(first.start, first.machine),
        "reason": first.reason,
        "person": str(first.user),
        "until": f"{first.offer_until.astimezone(first.machine.lab.zone):%H:%M}" if first.offer_until else "",
    }


def managers(lab: Lab) -> list[User]:
    """Those who run the lab."""
    held = Membership.objects.filter(organisation=lab.organisation_id, role__in=MANAGING).select_related("user")
    return [membership.user for membership in held]


def _tell(
    bookings: Sequence[Booking], kind: str, people: Sequence[User], sentence: Callable[[], str], actor: User | None
) -> None:
    with translation.override(settings.LANGUAGE_CODE):
        text = " ".join((sentence() % words_of(bookings)).split())
    tell(people=people, kind=f"labs.{kind}", text=text, url=url_of(bookings[0]), actor=actor)


def requested(bookings: Sequence[Booking], *, actor: User) -> None:
    """Those who run the lab: somebody asks."""
    people = managers(bookings[0].machine.lab)
    _tell(bookings, "requested", people, lambda: _("%(person)s asks for %(machine)s, %(time)s."), actor)


def booked_for_you(bookings: Sequence[Booking], *, actor: User) -> None:
    """The person: somebody else booked in their name."""
    _tell(bookings, "booked", [bookings[0].user], lambda: _("%(machine)s was booked for you, %(time)s."), actor)


def approved(bookings: Sequence[Booking], *, actor: User | None) -> None:
    """The person: it is yours."""
    _tell(bookings, "approved", [bookings[0].user], lambda: _("Approved: %(machine)s is yours, %(time)s."), actor)


def declined(bookings: Sequence[Booking], *, actor: User | None) -> None:
    """The person: not this time, and why."""
    people = [bookings[0].user]
    _tell(bookings, "declined", people, lambda: _("Declined: %(machine)s, %(time)s. %(reason)s"), actor)


def cancelled(bookings: Sequence[Booking], *, actor: User | None) -> None:
    """The person: somebody else cancelled it, and why."""
    people = [bookings[0].user]
    _tell(bookings, "cancelled", people, lambda: _("Cancelled: %(machine)s, %(time)s. %(reason)s"), actor)


def moved(bookings: Sequence[Booking], *, actor: User | None) -> None:
    """The person: somebody else moved it."""
    people = [bookings[0].user]
    _tell(bookings, "moved", people, lambda: _("Moved: %(machine)s is yours %(time)s now."), actor)


def missed(booking: Booking) -> None:
    """The person: nobody checked in, so the time was given free."""
    people = [booking.user]
    _tell(
        [booking],
        "missed",
        people,
        lambda: _("You did not check in to %(machine)s, %(time)s, so the time was given free."),
        None,
    )


def excused(booking: Booking, reason: str, *, actor: User) -> None:
    """The person: it is not counted, and what it cost is given back."""
    _tell(
        [booking],
        "excused",
        [booking.user],
        lambda: (
            _("Excused: %(machine)s, %(time)s. %(why)s") % {**words_of([booking]), "why": reason.replace("%", "%%")}
        ),
        actor,
    )


def offered(booking: Booking) -> None:
    """The person who waits: this time is held for you."""
    _tell(
        [booking],
        "offered",
        [booking.user],
        lambda: _("%(machine)s has become free for you, %(time)s. Take it by %(until)s."),
        None,
    )
    transaction.on_commit(lambda: _post(booking), robust=True)


def _post(booking: Booking) -> None:
    """The letter goes out through a worker: whoever freed the time does not wait for it."""
    from labs.tasks import offer_letter  # noqa: PLC0415 tasks call services

    offer_letter.delay(str(booking.pk))


def lapsed(booking: Booking) -> None:
    """The person who waited: the offer went on to the next."""
    _tell(
        [booking], "lapsed", [booking.user], lambda: _("The offer of %(machine)s, %(time)s, went on to the next."), None
    )
